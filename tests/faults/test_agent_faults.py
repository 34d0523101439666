# SPDX-License-Identifier: Apache-2.0
"""What the agent does when the world breaks: the last good deployment goes on, the reason is told,
and the next deployment works."""
import os
import signal
import subprocess
from pathlib import Path

import pytest
from agent import Agent
from harness import program, wait_until

NAME = "com.example.App"
RUN = {"run": "exec sleep 1000"}
# Those that a deployment comes to which is rolled back have a test of their own.
ROLLBACK = ["ROLLING_BACK", "ROLLED_BACK", "FAILED"]


def steps():
    """Whatever the agent journals: a new step is killed at by itself."""
    return subprocess.run([program("crashing_agent"), "--list-states"], check=True, text=True,
                          capture_output=True).stdout.split()


def pids_of(agent):
    return [c["pid"] for c in agent.status()["components"] if c.get("pid")]


def blob_file(server, content):
    """Where the server keeps `content`."""
    for path in (server.data / "objects").rglob("*"):
        if path.is_file() and path.read_bytes() == content:
            return path
    raise AssertionError("the server does not have the blob")


def pytest_generate_tests(metafunc):
    if "forward_step" in metafunc.fixturenames:
        metafunc.parametrize("forward_step", [step for step in steps() if step not in ROLLBACK])


def test_an_agent_killed_in_any_state_completes_the_deployment(
        server, fleet, tmp_path, forward_step):
    old = "com.example.Old"
    uri = fleet.put_artifact("model.bin", os.urandom(200_000))
    fleet.component(old, "1.0.0", {**RUN, "uninstall": f"echo gone >> {tmp_path}/uninstalled"},
                    artifacts=[fleet.put_artifact("old.bin", os.urandom(1000))])
    fleet.component(NAME, "1.0.0", {"install": "echo install >> trace", **RUN}, artifacts=[uri])
    agent = Agent(server, tmp_path / "device", binary="crashing_agent")
    agent.provision()
    agent.start()
    try:
        fleet.deploy_and_wait({old: "1.0.0"})
        agent.kill()
        agent.start({**os.environ, "ANDON_FAULT_AFTER_STATE": forward_step})
        deployment = fleet.deploy({NAME: "1.0.0"})
        assert agent.wait() == -signal.SIGKILL
        agent.start()
        entry = fleet.outcome(deployment)
        assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry
        agent.wait_for(NAME, "1.0.0")
        assert len(pids_of(agent)) == 1
        trace = (agent.root / "work" / NAME / "trace").read_text().split()
        assert trace.count("install") <= 2  # the one that was cut off, at most
        # What has left is uninstalled (again, at most, where the note of it was cut off) and gone.
        wait_until((tmp_path / "uninstalled").exists, "the uninstall step")
        wait_until(lambda: not (agent.root / "packages/artifacts" / old).exists(), "the clean-up")
        assert 1 <= (tmp_path / "uninstalled").read_text().count("gone") <= 2
    finally:
        agent.kill()


@pytest.mark.parametrize("state", ["ROLLING_BACK", "ROLLED_BACK"])
def test_an_agent_killed_while_rolling_back_completes_the_rollback(server, fleet, tmp_path, state):
    fleet.component(NAME, "1.0.0", RUN)
    fleet.component(NAME, "2.0.0", {"startup": "exit 3"})
    agent = Agent(server, tmp_path / "device", binary="crashing_agent")
    agent.provision()
    agent.start({**os.environ, "ANDON_FAULT_AFTER_STATE": state})
    try:
        fleet.deploy_and_wait({NAME: "1.0.0"})
        deployment = fleet.deploy({NAME: "2.0.0"})
        assert agent.wait() == -signal.SIGKILL
        agent.start()
        entry = fleet.outcome(deployment)
        assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
        agent.wait_for(NAME, "1.0.0")
    finally:
        agent.kill()


@pytest.mark.parametrize("damage", ["flipped", "truncated", "longer"])
def test_a_tampered_artifact_is_never_run_and_the_next_deployment_works(
        server, fleet, agent, damage):
    good = b"#!/bin/sh\nexec sleep 1000\n" + os.urandom(1000)
    evil = b"#!/bin/sh\necho evil > evil\n" + os.urandom(1000)
    fleet.component(NAME, "1.0.0", {"run": "{artifacts:path}/go.sh"},
                    artifacts=[{"URI": fleet.put_artifact("go.sh", good),
                                "Permission": {"Execute": "OWNER"}}])
    fleet.deploy_and_wait({NAME: "1.0.0"})
    before = pids_of(agent)

    fleet.component(NAME, "2.0.0", {"run": "{artifacts:path}/go.sh"},
                    artifacts=[{"URI": fleet.put_artifact("go.sh", evil),
                                "Permission": {"Execute": "OWNER"}}])
    blob = blob_file(server, evil)
    content = {"flipped": evil[:-1] + bytes([evil[-1] ^ 1]), "truncated": evil[:-10],
               "longer": evil + b"more"}[damage]
    os.chmod(blob, 0o600)
    blob.write_bytes(content)

    entry = fleet.outcome(fleet.deploy({NAME: "2.0.0"}), limit_s=120)
    assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
    assert NAME in entry["reason"] and "go.sh" in entry["reason"], entry
    assert agent.components()[NAME] == ("1.0.0", "RUNNING")
    assert pids_of(agent) == before  # the last good one was not even restarted
    assert not list(agent.root.rglob("evil"))

    blob.write_bytes(evil.replace(b"echo evil > evil", b"exec sleep 100000"))
    fleet.component(NAME, "3.0.0", RUN)
    fleet.deploy_and_wait({NAME: "3.0.0"})


def test_a_component_that_cannot_run_is_rolled_back_with_its_last_words(fleet, agent):
    fleet.component(NAME, "1.0.0", RUN, configuration={"threshold": 1})
    fleet.component(NAME, "2.0.0", {"startup": "echo no camera at /dev/video9; exit 7"},
                    configuration={"threshold": 2})
    fleet.deploy_and_wait({NAME: "1.0.0"})
    entry = fleet.outcome(fleet.deploy({NAME: ("2.0.0", {"threshold": 3})}))
    assert entry["coreDeviceExecutionStatus"] == "FAILED"
    assert "no camera at /dev/video9" in entry["reason"], entry
    agent.wait_for(NAME, "1.0.0")
    installed = fleet.greengrass.list_installed_components(coreDeviceThingName="edge-1")
    assert [c["componentVersion"] for c in installed["installedComponents"]] == ["1.0.0"]
    fleet.component(NAME, "3.0.0", RUN)
    fleet.deploy_and_wait({NAME: "3.0.0"})
    agent.wait_for(NAME, "3.0.0")


def test_a_script_with_a_hole_in_it_never_runs(fleet, agent):
    fleet.component(NAME, "1.0.0", {"run": "touch ran; sleep {configuration:/missing}"})
    entry = fleet.outcome(fleet.deploy({NAME: "1.0.0"}))
    assert entry["coreDeviceExecutionStatus"] == "FAILED"
    assert "/missing" in entry["reason"], entry
    assert not list(agent.root.rglob("ran"))


def test_a_killed_agent_leaves_no_install_step_behind(fleet, agent):
    child_file = agent.root / "work" / NAME / "child"
    fleet.component(NAME, "1.0.0", {
        "install": "test -e child && exit 0; sleep 1000 & echo $! > child; wait", **RUN})
    fleet.deploy({NAME: "1.0.0"})
    child = int(wait_until(lambda: child_file.exists() and child_file.read_text(), "the child"))
    agent.kill()
    agent.start()
    agent.wait_for(NAME, "1.0.0")

    def gone():
        try:
            return ") Z" in Path(f"/proc/{child}/stat").read_text()
        except FileNotFoundError:
            return True
    wait_until(gone, "the leftover process being killed")


def test_the_last_good_deployment_runs_without_a_server(server, fleet, agent):
    fleet.component(NAME, "1.0.0", RUN)
    fleet.deploy_and_wait({NAME: "1.0.0"})
    agent.kill(signal.SIGTERM)
    server.kill()
    agent.start()
    agent.wait_for(NAME, "1.0.0")
    assert agent.status()["connected"] is False


def test_a_newer_deployment_takes_the_place_of_one_that_hangs(server, fleet, agent):
    fleet.component(NAME, "1.0.0", RUN)
    big = fleet.put_artifact("big.bin", os.urandom(300_000))
    fleet.component("com.example.Big", "1.0.0", {}, artifacts=[big])
    fleet.deploy_and_wait({NAME: "1.0.0"})
    blob = blob_file(server, fleet.s3.get_object(Bucket="artifacts", Key="big.bin")["Body"].read())
    content = blob.read_bytes()
    blob.unlink()  # the server answers with an error, and the agent tries again
    first = fleet.deploy({NAME: "1.0.0", "com.example.Big": "1.0.0"})
    wait_until(lambda: agent.status()["lastDeployment"]["jobId"] == first, "the first beginning")
    second = fleet.deploy({NAME: "1.0.0"})
    assert fleet.outcome(second)["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED")
    assert "com.example.Big" not in agent.components()
    blob.write_bytes(content)


def test_a_full_disk_fails_the_deployment_before_the_first_byte(server, fleet, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk],
            capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a small disk")
    try:
        with Agent(server, disk / "device") as agent:
            uri = fleet.put_artifact("large.bin", os.urandom(30 << 20))
            fleet.component(NAME, "1.0.0", RUN, artifacts=[uri])
            fleet.component(NAME, "1.0.1", RUN)
            entry = fleet.outcome(fleet.deploy({NAME: "1.0.0"}))
            assert entry["coreDeviceExecutionStatus"] == "FAILED"
            assert "DISK_SPACE_CRITICAL" in entry["reason"], entry
            fleet.deploy_and_wait({NAME: "1.0.1"})
            agent.wait_for(NAME, "1.0.1")
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
