# SPDX-License-Identifier: Apache-2.0
"""Components outlive their agent: they go on while it is killed, stopped for a restart or replaced,
and the next one takes them up as they are by then."""
import os
import random
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from agent import Agent, Fleet, keepers
from harness import program, wait_until

NAME = "com.example.App"
RUN = {"run": "echo started >> trace; while :; do date +%N > beat; sleep 0.1; done"}


def pid_of(agent, name=NAME):
    return next((c.get("pid") for c in agent.status()["components"] if c["name"] == name), None)


def trace(agent):
    return (agent.root / "work" / NAME / "trace").read_text().split()


def beats(agent):
    """It works, whoever watches over it."""
    beat = agent.root / "work" / NAME / "beat"
    before = beat.read_text()
    wait_until(lambda: beat.read_text() not in ("", before), "the component going on")


def lives(pid):
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def zombies_of(pid):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state == "Z" and int(parent) == pid:
            found.append(stat.parent.name)
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGUSR1])
def test_a_component_goes_on_while_its_agent_is_away_and_is_taken_up_again(
        fleet, agent, number):
    fleet.component(NAME, "1.0.0", RUN)
    fleet.deploy_and_wait({NAME: "1.0.0"})
    pid = pid_of(agent)
    for _ in range(3):
        agent.kill(number)
        beats(agent)
        assert lives(pid)
        assert agent.status()["components"][0]["note"] == "goes on without an agent"
        agent.start()
        agent.wait_for(NAME, "1.0.0")
        assert pid_of(agent) == pid
        beats(agent)
    assert trace(agent) == ["started"]
    assert not zombies_of(agent.process.pid)


def test_an_agent_that_hangs_falls_silent_and_its_component_goes_on_when_it_is_ended_for_that(
        server, tmp_path):
    """What systemd does where WATCHDOG=1 does not come any more: SIGABRT, and another start."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"),
                       "WATCHDOG_USEC": "200000"}
        with Agent(server, tmp_path / "device", environment=environment) as agent:
            fleet = Fleet(server)
            fleet.component(NAME, "1.0.0", RUN)
            fleet.deploy_and_wait({NAME: "1.0.0"})
            pid = pid_of(agent)
            agent.process.send_signal(signal.SIGSTOP)
            # What it said before; then ten times as long as it may be silent.
            systemd.settimeout(2)
            with pytest.raises(TimeoutError):
                while True:
                    systemd.recv(100)
            agent.process.send_signal(signal.SIGABRT)
            agent.process.send_signal(signal.SIGCONT)
            agent.wait()
            beats(agent)
            agent.start()
            systemd.settimeout(30)
            while systemd.recv(100) != b"WATCHDOG=1":
                pass
            agent.wait_for(NAME, "1.0.0")
            assert pid_of(agent) == pid
            assert trace(agent) == ["started"]


def test_a_stopped_agent_stops_its_components(fleet, agent):
    fleet.component(NAME, "1.0.0", RUN)
    fleet.deploy_and_wait({NAME: "1.0.0"})
    pid = pid_of(agent)
    agent.kill(signal.SIGTERM)
    assert not lives(pid)
    wait_until(lambda: not keepers(agent.root), "the keeper ending")


def test_a_hundred_kills_at_random_leave_one_component_that_never_noticed(fleet, agent):
    fleet.component(NAME, "1.0.0", RUN)
    fleet.deploy_and_wait({NAME: "1.0.0"})
    pid = pid_of(agent)
    moments = random.Random(17)
    for _ in range(100):
        # Anywhere between the exec and an agent that has long been up: what is waited for is no
        # condition but a moment of chance.
        try:
            agent.process.wait(moments.uniform(0, 0.15))
        except subprocess.TimeoutExpired:
            pass
        agent.kill()
        agent.start()
    agent.wait_for(NAME, "1.0.0")
    assert pid_of(agent) == pid
    assert trace(agent) == ["started"]
    assert list(keepers(agent.root)) == [NAME]


def test_an_end_while_no_agent_ran_is_told_with_its_exit_code(fleet, agent):
    fleet.component(NAME, "1.0.0", {
        "run": "test -e second && exec sleep 1000; while ! test -e go; do sleep 0.05; done; "
               "touch second; echo the lens is gone; exit 7"})
    fleet.deploy_and_wait({NAME: "1.0.0"})
    pid = pid_of(agent)
    agent.kill()
    (agent.root / "work" / NAME / "go").touch()
    state = agent.root / "run/processes/kept" / NAME / "state"
    wait_until(lambda: state.read_bytes()[:1] == b"e", "its end")
    assert agent.status()["components"][0]["reason"] == "ended with exit code 7 while no agent ran"
    agent.start()
    wait_until(lambda: "exit code 7 while no agent ran; its last line of output: the lens is gone"
               in agent.log.read_text(), "the reason in the log")
    agent.wait_for(NAME, "1.0.0")
    assert pid_of(agent) != pid


def test_a_kept_component_is_replaced_and_removed_by_deployments(fleet, agent):
    fleet.component(NAME, "1.0.0", {**RUN, "shutdown": "echo shutdown >> trace"})
    fleet.component(NAME, "2.0.0", RUN)
    fleet.deploy_and_wait({NAME: "1.0.0"})
    first = pid_of(agent)
    agent.kill()
    agent.start()
    agent.wait_for(NAME, "1.0.0")
    fleet.deploy_and_wait({NAME: "2.0.0"})
    second = pid_of(agent)
    assert second != first and not lives(first)
    assert trace(agent) == ["started", "shutdown", "started"]
    agent.kill()
    agent.start()
    agent.wait_for(NAME, "2.0.0")
    fleet.component("com.example.Other", "1.0.0", {})
    fleet.deploy_and_wait({"com.example.Other": "1.0.0"})
    wait_until(lambda: not lives(second) and not keepers(agent.root), "the component's end")


def test_its_log_and_its_words_over_the_agents_ends_are_whole(fleet, agent):
    fleet.component(NAME, "1.0.0", {
        "run": "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.01; done"})
    fleet.deploy_and_wait({NAME: "1.0.0"})
    log = agent.root / "logs" / f"{NAME}.log"
    for _ in range(3):
        agent.kill()
        size = log.stat().st_size
        wait_until(lambda: log.stat().st_size > size + 100, "the log going on")
        agent.start()
        agent.wait_for(NAME, "1.0.0")
    numbers = [int(line.split()[1]) for line in log.read_text().splitlines()[:-1]]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_client_that_does_not_come_back_has_its_component_restarted(fleet, agent):
    # Shows its token, and then nothing more: no client of the IPC that connects again.
    script = ("import os, socket, struct, time, zlib\n"
              "s = socket.socket(socket.AF_UNIX)\n"
              "s.connect(os.environ['AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT'])\n"
              "def h(n, t, v): return bytes([len(n)]) + n + bytes([t]) + v\n"
              "i = lambda v: struct.pack('>i', v)\n"
              "head = h(b':message-type', 4, i(4)) + h(b':message-flags', 4, i(0)) + "
              "h(b':stream-id', 4, i(0)) + h(b':version', 7, struct.pack('>H', 5) + b'0.1.0')\n"
              "body = ('{\"authToken\":\"' + os.environ['SVCUID'] + '\"}').encode()\n"
              "start = struct.pack('>II', 16 + len(head) + len(body), len(head))\n"
              "m = start + struct.pack('>I', zlib.crc32(start)) + head + body\n"
              "s.sendall(m + struct.pack('>I', zlib.crc32(m)))\n"
              "assert s.recv(1000)\n"
              "open('connected', 'w').close()\n"
              "time.sleep(100000)\n")
    uri = fleet.put_artifact("client.py", script.encode())
    fleet.component(NAME, "1.0.0", {"run": "exec python3 {artifacts:path}/client.py"},
                    artifacts=[uri])
    fleet.component("com.example.Quiet", "1.0.0", {"run": "exec sleep 100000"})
    fleet.deploy_and_wait({NAME: "1.0.0", "com.example.Quiet": "1.0.0"})
    wait_until(lambda: (agent.root / "work" / NAME / "connected").exists(), "its connection")
    record = agent.root / "run/processes/kept" / NAME / "record.json"
    wait_until(lambda: '"hasClient":true' in record.read_text(), "the agent noting it")
    client, quiet = pid_of(agent), pid_of(agent, "com.example.Quiet")
    agent.kill()
    agent.start()
    agent.wait_for(NAME, "1.0.0")
    assert pid_of(agent) == client
    wait_until(lambda: pid_of(agent) not in (None, 0, client), "its restart", 60)
    assert "did not come back within 30 s" in agent.log.read_text()
    assert pid_of(agent, "com.example.Quiet") == quiet


def test_a_keeper_goes_with_the_files_of_its_device(server, fleet, tmp_path):
    agent = Agent(server, tmp_path / "device")
    agent.provision()
    agent.start()
    fleet.component(NAME, "1.0.0", RUN)
    fleet.deploy_and_wait({NAME: "1.0.0"})
    pid = pid_of(agent)
    agent.kill()
    subprocess.run(["rm", "-rf", agent.root / "run"], check=True)  # as a purge does
    wait_until(lambda: not lives(pid) and not keepers(agent.root), "the component's end")


def test_a_keeper_costs_next_to_nothing(fleet, agent):
    fleet.component(NAME, "1.0.0", {"run": "exec sleep 1000"})
    fleet.deploy_and_wait({NAME: "1.0.0"})
    keeper = keepers(agent.root)[NAME]
    if not os.access(f"/proc/{keeper}/smaps_rollup", os.R_OK):
        pytest.skip("the kernel does not tell")
    rollup = Path(f"/proc/{keeper}/smaps_rollup").read_text()
    pss = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    assert pss <= 300, rollup
    assert os.path.getsize(program("andon-keeper")) <= 100_000
