# SPDX-License-Identifier: Apache-2.0
"""Deployments end to end: real andon-server, real broker, real andon-edge, real processes."""
import time

import pytest
from agent import Agent, Fleet
from harness import wait_until

SLEEP = "exec sleep 1000"


@pytest.fixture
def fleet(server):
    return Fleet(server)


@pytest.fixture
def agent(server, tmp_path):
    with Agent(server, tmp_path / "device") as running:
        yield running


def test_a_component_runs_within_a_second_of_its_deployment(fleet, agent):
    fleet.component("com.example.Hello", "1.0.0", {"run": SLEEP})
    wait_until(lambda: agent.status().get("connected"), "the agent being connected")
    started = time.monotonic()
    deployment = fleet.deploy({"com.example.Hello": "1.0.0"})
    agent.wait_for("com.example.Hello", "1.0.0")
    print(f"running after {time.monotonic() - started:.3f} s")
    entry = fleet.outcome(deployment)
    assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry
    device = wait_until(lambda: fleet.greengrass.get_core_device(coreDeviceThingName="edge-1"),
                        "the core device")
    assert device["status"] == "HEALTHY"


def test_a_bootstrap_step_restarts_the_agent_and_the_device_and_its_deployment_goes_on(
        server, fleet, tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    # The "device" goes down: the agent is killed as a power switch would, and started again below.
    reboot = tmp_path / "reboot"
    reboot.write_text(f"#!/bin/sh\necho down >> {marks}/reboots\nkill -9 $PPID\n")
    reboot.chmod(0o755)
    agent = Agent(server, tmp_path / "device", options=("--reboot-command", f"exec {reboot}"))
    with agent:
        for version, code in (("1.0.0", 100), ("2.0.0", 101)):
            fleet.component("com.example.Boot", version, {
                "bootstrap": f"echo {version} >> {marks}/bootstraps; exit {code}",
                "install": f"echo {version} >> {marks}/installs", "run": SLEEP})
        pid = agent.process.pid
        fleet.deploy_and_wait({"com.example.Boot": "1.0.0"})
        assert agent.process.poll() is None and agent.process.pid == pid  # took itself up again
        deployment = fleet.deploy({"com.example.Boot": "2.0.0"})
        agent.wait()  # the device went down
        agent.start()
        entry = fleet.outcome(deployment)
        assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry
        for file in ("bootstraps", "installs"):
            assert (marks / file).read_text() == "1.0.0\n2.0.0\n", file
        assert (marks / "reboots").read_text() == "down\n"


def test_the_server_hears_how_far_a_deployment_is(fleet, agent, tmp_path):
    goes_on = tmp_path / "goes-on"
    fleet.component("com.example.Slow", "1.0.0", {
        "install": f"while [ ! -e {goes_on} ]; do sleep 0.2; done", "run": SLEEP})
    deployment = fleet.deploy({"com.example.Slow": "1.0.0"})

    def reason():
        for entry in fleet.greengrass.list_effective_deployments(
                coreDeviceThingName="edge-1")["effectiveDeployments"]:
            if entry["deploymentId"] == deployment:
                return entry["reason"]
        return ""
    wait_until(lambda: reason().startswith("starting components com.example.Slow"),
               "the progress of the deployment")
    goes_on.touch()
    entry = fleet.outcome(deployment)
    assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry
