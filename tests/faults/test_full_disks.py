# SPDX-License-Identifier: Apache-2.0
"""The disk is full from any one write on: nothing that runs stops, nothing is half there, what was
answered is there, and all goes on by itself when there is room."""
import os
import subprocess
import sys
import time

import pytest
from botocore.exceptions import ClientError

from agent import Agent, Fleet
from faulty_world import World
from harness import Server, program, wait_until

NAME = "com.example.App"
MANY = 1 << 40
# Of the writes of the undisturbed work, in parts of a thousand.
PLACES = [0, 60, 150, 300, 450, 600, 800, 950]


def pids(agent):
    return [c["pid"] for c in agent.status()["components"] if c.get("pid")]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "device", tmp_path / "world")


@pytest.fixture
def agent(server, world, tmp_path):
    with Agent(server, tmp_path / "device", environment=world.environment()) as running:
        yield running


def ended(fleet, deployment):
    return any(one["deploymentId"] == deployment and
               one["coreDeviceExecutionStatus"] not in ("QUEUED", "IN_PROGRESS")
               for one in fleet.greengrass.list_effective_deployments(
                   coreDeviceThingName="edge-1")["effectiveDeployments"])


def make(fleet, version, tmp_path):
    """A version with an artifact as it is and one to unpack, and an install step."""
    import zipfile
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("data", os.urandom(200_000))
    fleet.component(NAME, version, {
        "install": "true", "run": "test -s {artifacts:path}/plain -a "
                                  "-s {artifacts:decompressedPath}/a/data && exec sleep 1000"},
        configuration={"version": version},
        artifacts=[fleet.put_artifact(f"{version}/plain", os.urandom(500_000)),
                   {"URI": fleet.put_artifact(f"{version}/a.zip", archive.read_bytes()),
                    "Unarchive": "ZIP"}])


def test_a_disk_that_is_full_at_any_step_of_a_deployment_costs_that_deployment_at_most(
        server, fleet, agent, world, tmp_path):
    make(fleet, "1.0.0", tmp_path)
    world.fill(MANY)
    fleet.deploy_and_wait({NAME: "1.0.0"})
    writes = world.writes_seen
    assert writes > 30
    for number, place in enumerate(PLACES, 2):
        version = f"{number}.0.0"
        make(fleet, version, tmp_path)
        world.fill(writes * place // 1000)
        deployment = fleet.deploy({NAME: version})
        wait_until(lambda: world.writes_seen > writes * place // 1000 or  # noqa: B023
                   ended(fleet, deployment), "the disk being full")  # noqa: B023
        time.sleep(0.5)
        assert agent.process.poll() is None, agent.log.read_text()[-2000:]
        assert len(pids(agent)) == 1 or place > 500, agent.status()
        world.free()
        entry = fleet.outcome(deployment)
        state = entry["coreDeviceExecutionStatus"]
        assert state in ("SUCCEEDED", "COMPLETED", "FAILED"), entry
        if state == "FAILED":
            assert "space" in entry["reason"] or "full" in entry["reason"], entry
        wait_until(lambda: len(pids(agent)) == 1, "one version running")
        fleet.deploy_and_wait({NAME: version})
        agent.wait_for(NAME, version)


PUBLISHER = """
import json, sys, time
from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import QOS
ipc = GreengrassCoreIPCClientV2()
number = 0
with open(sys.argv[1], "a", buffering=1) as answered, open(sys.argv[2], "a", buffering=1) as told:
    while True:
        print("a line in the log", "x" * 200, flush=True)
        try:
            ipc.publish_to_iot_core(topic_name="andon/things/edge-1/results",
                                    qos=QOS.AT_LEAST_ONCE,
                                    payload=json.dumps({"timestamp": "2026-11-29T10:00:00Z",
                                                        "image": {"name": str(number)}}).encode())
        except Exception as error:
            print(number, error, file=told)
        else:
            print(number, file=answered)
        number += 1
        time.sleep(0.01)
"""


def test_a_full_disk_is_told_to_who_publishes_and_keeps_neither_component_nor_answered_results(
        server, fleet, agent, world, tmp_path):
    pytest.importorskip("awsiot", reason="needs awsiotsdk")
    access = {"aws.greengrass.ipc.mqttproxy": {f"{NAME}:1": {
        "operations": ["aws.greengrass#PublishToIoTCore"], "resources": ["*"]}}}
    script, answered, told = (tmp_path / name for name in ("publisher.py", "answered", "told"))
    script.write_text(PUBLISHER)
    fleet.component(NAME, "1.0.0", {"run": f"exec {sys.executable} {script} {answered} {told}"},
                    configuration={"accessControl": access})
    fleet.deploy_and_wait({NAME: "1.0.0"})

    def count(file):
        return len(file.read_text().splitlines()) if file.exists() else 0

    wait_until(lambda: count(answered) > 20, "results")
    running = pids(agent)
    for after in (0, 1, 2, 5):
        before = count(told)
        world.fill(after)
        wait_until(lambda: count(told) > before + 20, "the component being told")  # noqa: B023
        world.free()
        before = count(answered)
        wait_until(lambda: count(answered) > before + 20, "room again")  # noqa: B023
    assert pids(agent) == running
    log = agent.root / "logs" / f"{NAME}.log"
    size = log.stat().st_size
    wait_until(lambda: log.stat().st_size > size, "the component's log going on")
    promised = set(answered.read_text().split())
    wait_until(lambda: promised <= {one["image"] for one in server.results()},
               "every result that was answered")


def test_an_agent_that_starts_on_a_full_disk_runs_what_it_has(server, fleet, agent, world, tmp_path):
    make(fleet, "1.0.0", tmp_path)
    make(fleet, "2.0.0", tmp_path)
    fleet.deploy_and_wait({NAME: "1.0.0"})
    agent.lose_power()
    world.fill(0)
    agent.start()
    time.sleep(1)
    world.free()

    def is_back():
        if agent.process.poll() is not None:  # as a service, it is started again and again
            agent.start()
        return (status := agent.status())["agent"] == "running" and [
            one["state"] for one in status["components"] if one["name"] == NAME] == ["RUNNING"]
    wait_until(is_back, "the agent with its component", 60)
    fleet.deploy_and_wait({NAME: "2.0.0"})


class FullServer(Server):
    def __init__(self, directory):
        super().__init__(directory / "disk" / "data")
        self.data.parent.mkdir()
        self.world = World(self.data.parent, directory / "world")

    @property
    def log_file(self):
        return self.data.parent.parent / "server.log"

    def command(self):
        environment = self.world.environment()
        added = [f"{name}={environment[name]}" for name in environment
                 if name == "LD_PRELOAD" or name.startswith("ANDON_WORLD")]
        return ["env", *added, *super().command()]


def test_a_server_whose_disk_is_full_at_any_write_answers_so_and_keeps_what_it_answered(tmp_path):
    with FullServer(tmp_path) as server:
        s3, iot, logs = server.aws("s3"), server.aws("iot"), server.aws("logs")
        fleet = Fleet(server)
        s3.create_bucket(Bucket="load")
        logs.create_log_group(logGroupName="group")

        def work(name):
            """(what, what it was made with) of each that was answered; whether any was refused."""
            kept, refused = {}, []
            content = os.urandom(700_000)
            steps = {
                "object": lambda: s3.put_object(Bucket="load", Key=name, Body=content),
                "thing": lambda: iot.create_thing(thingName=name),
                "stream": lambda: logs.create_log_stream(logGroupName="group", logStreamName=name),
                "component": lambda: fleet.component(f"com.example.{name}", "1.0.0",
                                                     {"run": "true"}),
                "token": lambda: server.token(name)}
            for step, call in steps.items():
                try:
                    call()
                    kept[step] = content
                except (ClientError, AssertionError) as error:
                    refused.append((step, str(error)))
            return kept, refused

        server.world.fill(MANY)
        _, refused = work("first")
        assert not refused
        writes = server.world.writes_seen
        answered = {}
        for place in range(writes):
            name = f"w{place}"
            server.world.fill(place)
            answered[name], refused = work(name)
            assert server.process.poll() is None, server.log()[-2000:]
            for step, why in refused:
                assert "internal" not in why.lower() and "defect" not in why, (step, why)
                assert any(word in why for word in ("full", "space", "Insufficient")), (step, why)
            server.world.free()
        _, refused = work("last")
        assert not refused
        for name, kept in answered.items():
            if "object" in kept:
                assert s3.get_object(Bucket="load", Key=name)["Body"].read() == kept["object"]
            else:
                with pytest.raises(ClientError):
                    s3.head_object(Bucket="load", Key=name)
            if "thing" in kept:
                iot.describe_thing(thingName=name)
        checked = subprocess.run([program("andon-server"), "check", "--data", server.data],
                                 capture_output=True, text=True, timeout=60, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        leftovers = list((server.data / "objects" / "unfinished").iterdir())
        assert not leftovers, leftovers
