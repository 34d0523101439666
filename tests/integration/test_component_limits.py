# SPDX-License-Identifier: Apache-2.0
"""What a component may take of its device: memory, processor time, its log; what it sees of the system; and
what somebody at the device has stopped."""
import os
import subprocess
import sys
from pathlib import Path

import pytest
from agent import Agent, Fleet
from harness import program, wait_until

NAME = "com.example.App"
OTHER = "com.example.Other"
NUCLEUS = "aws.greengrass.Nucleus"
ACCESS = {"aws.greengrass.ipc.lifecycle": {f"{NAME}:lifecycle:1": {
    "operations": ["*"], "resources": ["*"]}}}

needs_cgroups = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/sys/fs/cgroup").is_dir(), reason="needs root and cgroups")


def pid_of(agent, name=NAME):
    return next(c["pid"] for c in agent.status()["components"] if c["name"] == name)


def memory_limit(pid):
    """Of the process, as the kernel has it."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for place in ((f"/sys/fs/cgroup/memory{path}/memory.limit_in_bytes" if controllers == "memory"
                       else None), f"/sys/fs/cgroup{path}/memory.max"):
            if place and Path(place).exists():
                return Path(place).read_text().strip()
    raise AssertionError(f"{pid} is in no cgroup with a limit of memory")


def lives(pid):
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def deploy(fleet, components):
    deployment = fleet.greengrass.create_deployment(
        targetArn="arn:aws:iot:us-east-1:000000000000:thing/edge-1", components=components)
    entry = fleet.outcome(deployment["deploymentId"])
    assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry


@needs_cgroups
def test_limits_of_a_deployment_and_of_the_nucleus_are_the_kernels(server, tmp_path):
    fleet = Fleet(server)
    with Agent(server, tmp_path / "device") as agent:
        for name in (NAME, OTHER):
            fleet.component(name, "1.0.0", {"run": "exec sleep 1000"})
        nucleus = {"componentVersion": "2.14.0", "configurationUpdate": {
            "merge": '{"runWithDefault": {"systemResourceLimits": {"memory": 204800, "cpus": 0.5}}}'}}
        limited = {"componentVersion": "1.0.0",
                   "runWith": {"systemResourceLimits": {"memory": 102400}}}
        deploy(fleet, {NAME: limited, OTHER: {"componentVersion": "1.0.0"}, NUCLEUS: nucleus})
        pid = pid_of(agent)
        assert memory_limit(pid) == str(100 << 20)
        assert memory_limit(pid_of(agent, OTHER)) == str(200 << 20)

        # Another limit, while it runs; and under the next agent.
        agent.kill()
        agent.start()
        agent.wait_for(NAME, "1.0.0")
        limited["runWith"]["systemResourceLimits"]["memory"] = 112640
        deploy(fleet, {NAME: limited, OTHER: {"componentVersion": "1.0.0"}, NUCLEUS: nucleus})
        assert pid_of(agent) == pid
        assert memory_limit(pid) == str(110 << 20)

        # Beyond it is the end, with the reason. A startup, for a deployment waits for its end, however slow.
        fleet.component(NAME, "2.0.0", {"startup": "head -c 400000000 /dev/zero | tail | grep -q x"})
        limited["componentVersion"] = "2.0.0"
        entry = fleet.outcome(fleet.greengrass.create_deployment(
            targetArn="arn:aws:iot:us-east-1:000000000000:thing/edge-1",
            components={NAME: limited})["deploymentId"])
        assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
        assert "its limit of memory was reached" in entry["reason"], entry


STRAYING = ("setsid sh -c 'echo $$ > straying; while :; do echo x >> beats; sleep 0.05; done' & "
            "while ! test -s beats; do sleep 0.05; done; exec sleep 1000")
PAUSER = """
import sys, time
from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
ipc = GreengrassCoreIPCClientV2()
ipc.pause_component(component_name=sys.argv[1])
open("paused", "w").close()
import os
while not os.path.exists("go"): time.sleep(0.05)
ipc.resume_component(component_name=sys.argv[1])
open("resumed", "w").close()
time.sleep(1000)
"""


@needs_cgroups
def test_what_has_left_its_group_is_paused_and_ends_with_its_component(server, tmp_path):
    pytest.importorskip("awsiot", reason="needs awsiotsdk")
    fleet = Fleet(server)
    with Agent(server, tmp_path / "device") as agent:
        fleet.component(OTHER, "1.0.0", {"run": STRAYING})
        uri = fleet.put_artifact("pauser.py", PAUSER.encode())
        fleet.component(NAME, "1.0.0",
                        {"run": f"exec {sys.executable} {{artifacts:path}}/pauser.py {OTHER}"},
                        configuration={"accessControl": ACCESS}, artifacts=[uri])
        fleet.deploy_and_wait({OTHER: "1.0.0"})
        fleet.deploy_and_wait({OTHER: "1.0.0", NAME: "1.0.0"})
        work = agent.root / "work"
        beats, straying = work / OTHER / "beats", int((work / OTHER / "straying").read_text())
        wait_until((work / NAME / "paused").exists, "the pause")

        def stands_still():
            before = beats.stat().st_size
            return subprocess.run(["sleep", "0.3"], check=True) and beats.stat().st_size == before
        wait_until(stands_still, "all of it standing still")
        size = beats.stat().st_size
        (work / NAME / "go").touch()
        wait_until((work / NAME / "resumed").exists, "the resumption")
        wait_until(lambda: beats.stat().st_size > size, "it going on")
        fleet.deploy_and_wait({NAME: "1.0.0"})
        wait_until(lambda: not lives(straying), "the end of what had left its group")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_sandbox_by_the_device_and_by_a_deployment(server, tmp_path):
    fleet = Fleet(server)
    run = ("touch /usr/andon-test 2>&1; touch /tmp/andon-test-own; ls /tmp; "
           "grep NoNewPrivs /proc/self/status; touch mine && echo mine; "
           "test -S $AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT && echo socket; "
           "echo nets $(grep -c : /proc/net/dev); exec sleep 1000")
    options = ("--sandbox", "com.example.*=strict")
    with Agent(server, tmp_path / "device", options=options) as agent:
        fleet.component(NAME, "1.0.0", {"run": run})
        fleet.component("org.example.Plain", "1.0.0", {"run": run})
        fleet.deploy_and_wait({NAME: "1.0.0", "org.example.Plain": "1.0.0"})

        def words(name):
            return (agent.root / "logs" / f"{name}.log").read_text()
        wait_until(lambda: "nets" in words(NAME), "its words")
        assert "Read-only file system" in words(NAME), words(NAME)
        assert "NoNewPrivs:\t1" in words(NAME) and "\nmine\nsocket\n" in words(NAME), words(NAME)
        assert "andon-test-own" in words(NAME)
        wait_until(lambda: "nets" in words("org.example.Plain"), "the other's words")
        assert "NoNewPrivs:\t0" in words("org.example.Plain")
        Path("/usr/andon-test").unlink(missing_ok=True)
        Path("/tmp/andon-test-own").unlink(missing_ok=True)

        pid = pid_of(agent)
        fleet.deploy_and_wait({
            NAME: "1.0.0", "org.example.Plain": "1.0.0",
            NUCLEUS: ("2.14.0", {"andonSandbox": {NAME: "offline", "org.example.*": "guarded"}})})
        assert pid_of(agent) != pid
        wait_until(lambda: "nets 1\n" in words(NAME), "it being offline")
        wait_until(lambda: "NoNewPrivs:\t1" in words("org.example.Plain"), "the other guarded")
        assert not Path("/tmp/andon-test-own").exists() or not Path("/usr/andon-test").exists()
        Path("/tmp/andon-test-own").unlink(missing_ok=True)

        wrong = fleet.outcome(fleet.deploy({
            NAME: "1.0.0", NUCLEUS: ("2.14.0", {"andonSandbox": {NAME: "cosy"}})}))
        assert wrong["coreDeviceExecutionStatus"] == "FAILED", wrong
        assert "cosy" in wrong["reason"], wrong


def test_a_component_that_floods_its_log_loses_lines_and_runs_on(server, tmp_path):
    fleet = Fleet(server)
    with Agent(server, tmp_path / "device", options=("--log-kib-per-second", "10")) as agent:
        fleet.component(NAME, "1.0.0", {
            "run": "yes 'a line of no use' | head -n 100000; touch done; exec sleep 1000"})
        fleet.deploy_and_wait({NAME: "1.0.0"})
        wait_until((agent.root / "work" / NAME / "done").exists, "its flood being over")
        log = agent.root / "logs" / f"{NAME}.log"
        wait_until(lambda: "lines left out" in log.read_text(), "the count in its log")
        assert log.stat().st_size < 200_000  # of 2 MB
        agent.wait_for(NAME, "1.0.0")


def test_what_was_stopped_by_hand_stays_down_over_a_restart_of_the_agent(server, tmp_path):
    fleet = Fleet(server)
    with Agent(server, tmp_path / "device") as agent:
        for name in (NAME, OTHER):
            fleet.component(name, "1.0.0", {"run": "exec sleep 1000"})
        fleet.deploy_and_wait({NAME: "1.0.0", OTHER: "1.0.0"})
        subprocess.run([program("andon-edge"), "stop", NAME, "--root", agent.root], check=True,
                       capture_output=True)
        agent.wait_for(NAME, "1.0.0", "INSTALLED")
        for end in (agent.kill, agent.stop):
            end()
            agent.start()
            agent.wait_for(OTHER, "1.0.0")
            agent.wait_for(NAME, "1.0.0", "INSTALLED")
        fleet.component(OTHER, "2.0.0", {"run": "exec sleep 1000"})
        fleet.deploy_and_wait({NAME: "1.0.0", OTHER: "2.0.0"})
        agent.wait_for(NAME, "1.0.0")
