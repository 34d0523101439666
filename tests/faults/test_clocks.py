# SPDX-License-Identifier: Apache-2.0
"""What happens on a device whose clock jumps: an hour, ten years, back, and back before its server was
made. The server's clocks are the unit tests' of control/ and workflow/."""
import json
import time

import pytest

from agent import Agent
from faulty_world import World
from harness import http, wait_until

NAME = "com.example.App"
HOUR, DAY = 3600, 86400
JUMPS = {"an hour": HOUR, "an hour back": -HOUR, "a hundred days": 100 * DAY,
         "ten years": 3653 * DAY, "ten years back": -3653 * DAY}


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "device", tmp_path / "world")


@pytest.fixture
def agent(server, world, tmp_path):
    with Agent(server, tmp_path / "device", environment=world.environment()) as running:
        yield running


def live(agent, member):
    status = agent.status()
    return status.get(member) if status["agent"] == "running" else None


def environment_of(agent):
    text = (agent.root / "work" / NAME / "env").read_text()
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def credentials(agent):
    """(status, answer) of what a component gets."""
    env = environment_of(agent)
    status, answer = http(env["AWS_CONTAINER_CREDENTIALS_FULL_URI"], headers={
        "Authorization": env["AWS_CONTAINER_AUTHORIZATION_TOKEN"]})
    return status, json.loads(answer) if status == 200 else answer


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS.keys())
def test_a_clock_that_jumps_while_the_agent_runs_disturbs_nothing(
        server, fleet, agent, world, jump):
    """It stays connected, its component runs on with good credentials, its certificate stays, and the
    next deployment works; also when the clock is right again."""
    run = "env > e; mv e env; exec sleep 1000"
    fleet.component(NAME, "1.0.0", {"run": run}, configuration={"n": 1})
    fleet.component(NAME, "1.0.1", {"run": run}, configuration={"n": 2})
    fleet.component(NAME, "1.0.2", {"run": run}, configuration={"n": 3})
    fleet.deploy_and_wait({NAME: "1.0.0"})
    before = agent.components(), [c["pid"] for c in agent.status()["components"]]
    certificate = (agent.root / "config" / "device.crt").read_bytes()
    assert credentials(agent)[0] == 200
    world.set_clock_off(jump)
    time.sleep(2)  # what a timer would do, it does now
    assert (agent.components(), [c["pid"] for c in agent.status()["components"]]) == before
    assert live(agent, "connected")
    status, answer = credentials(agent)
    assert status == 200, answer
    if -DAY < jump < 1000 * DAY:  # within the life of the server's own certificate
        fleet.deploy_and_wait({NAME: ("1.0.1", {"n": 4})})
        agent.wait_for(NAME, "1.0.1")
    world.set_clock_off(0)
    fleet.deploy_and_wait({NAME: ("1.0.2", {"n": 5})})
    agent.wait_for(NAME, "1.0.2")
    assert credentials(agent)[0] == 200
    assert (agent.root / "config" / "device.crt").read_bytes() == certificate


@pytest.mark.parametrize("off", [3653 * DAY, -3653 * DAY], ids=["ahead", "behind"])
def test_an_agent_that_starts_with_a_wrong_clock_works_and_is_heard_when_it_is_right(
        server, fleet, agent, world, off):
    """TLS refuses the server's certificate for as long: nothing else shows who the server is. What
    was deployed runs, and the agent is back by itself."""
    fleet.component(NAME, "1.0.0", {"run": "exec sleep 1000"})
    fleet.component(NAME, "2.0.0", {"run": "exec sleep 1000"})
    fleet.deploy_and_wait({NAME: "1.0.0"})
    agent.kill()
    world.set_clock_off(off)
    agent.start()
    agent.wait_for(NAME, "1.0.0")
    wait_until(lambda: "certificate verify failed" in agent.log.read_text(), "the refusal")
    assert not live(agent, "connected")
    world.set_clock_off(0)
    fleet.deploy_and_wait({NAME: "2.0.0"})
    agent.wait_for(NAME, "2.0.0")


def test_a_clock_that_is_a_hundred_days_ahead_does_not_renew_the_certificate_over_and_over(
        server, fleet, agent, world):
    """By its own clock the certificate is over."""
    wait_until(lambda: live(agent, "connected"), "the connection")
    certificate = (agent.root / "config" / "device.crt").read_bytes()
    agent.kill()
    world.set_clock_off(100 * DAY)
    agent.start()
    wait_until(lambda: (live(agent, "clock") or {}).get("aheadMs", 0) > 99 * DAY * 1000,
               "the agent knowing")
    wait_until(lambda: live(agent, "connected"), "the connection")
    time.sleep(1)
    assert (agent.root / "config" / "device.crt").read_bytes() == certificate
    assert "was renewed" not in agent.log.read_text()
    assert "ahead of the server's" in agent.readable_status()
