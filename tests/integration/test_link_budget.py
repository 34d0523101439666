# SPDX-License-Identifier: Apache-2.0
"""The one budget of a device's link: what it keeps back, what it says, and what ends the waiting."""
import os
import subprocess
import time

import pytest

from agent import Agent, Fleet
from harness import program, wait_until

NAME = "com.example.Large"
MIB = 1 << 20
NUCLEUS = "aws.greengrass.Nucleus"


@pytest.fixture
def fleet(server):
    fleet = Fleet(server)
    uri = fleet.put_artifact("large.bin", os.urandom(6 * MIB))
    fleet.component(NAME, "1.0.0", {"run": "cmp {artifacts:path}/large.bin {artifacts:path}/large.bin "
                                           "&& exec sleep 1000"}, artifacts=[uri])
    return fleet


@pytest.fixture
def agent(server, tmp_path):
    with Agent(server, tmp_path / "device") as running:
        yield running


def budget(**members):
    return "2.14.0", {"andonLinkBudget": members}


def waits(agent, word):
    """What the device says of its downloads, once it holds `word`."""
    def why():
        text = agent.status().get("linkBudget", {}).get("waiting", {}).get("downloads", "")
        return text if word in text else None
    return wait_until(why, f"downloads waiting for '{word}'; log:\n{agent.log.read_text()[-2000:]}")


def reason(fleet, deployment):
    return next(entry["reason"] for entry in fleet.greengrass.list_effective_deployments(
        coreDeviceThingName="edge-1")["effectiveDeployments"] if entry["deploymentId"] == deployment)


def partial_bytes(agent):
    return sum(file.stat().st_size
               for file in (agent.root / "packages/blobs/partial").iterdir() if file.is_file())


def test_a_volume_that_is_used_up_keeps_a_download_over_a_kill_until_a_deployment_gives_more(
        fleet, agent):
    fleet.deploy_and_wait({NUCLEUS: budget(bytesPerSecond=2 * MIB, bytesPerHour=MIB)})
    deployment = fleet.deploy({NUCLEUS: "2.14.0", NAME: "1.0.0"})
    assert f"of the link's {MIB} bytes an hour are used" in waits(agent, "downloads go on in")
    assert "bytes an hour" in agent.readable_status()
    wait_until(lambda: "bytes an hour" in reason(fleet, deployment), "the server hearing of it")
    # What was on its way when the volume was used up has come, and nothing after it.
    here = partial_bytes(agent)
    assert MIB <= here < 5 * MIB
    used = agent.status()["linkBudget"]["lastHourBytes"]
    agent.kill()
    agent.start()
    waits(agent, "bytes an hour")
    assert agent.status()["linkBudget"]["lastHourBytes"] == used
    assert partial_bytes(agent) == here
    fleet.deploy_and_wait({NUCLEUS: budget(bytesPerHour=0, bytesPerSecond=0), NAME: "1.0.0"})
    agent.wait_for(NAME, "1.0.0")
    assert "waiting" not in agent.status()["linkBudget"]


def test_a_window_that_is_closed_keeps_downloads_until_it_is_opened_at_the_device(
        fleet, agent):
    away = [f"{(time.localtime().tm_hour + hours) % 24:02}:00" for hours in (6, 7)]
    fleet.deploy_and_wait({NUCLEUS: budget(windows=[
        {"uses": ["downloads"], "from": away[0], "to": away[1]}])})
    deployment = fleet.deploy({NUCLEUS: "2.14.0", NAME: "1.0.0"})
    assert waits(agent, "outside their window").endswith(away[0])
    assert partial_bytes(agent) == 0
    subprocess.run([program("andon-edge"), "config", "set", NUCLEUS, "andonLinkBudget",
                    '{"windows": []}', "--root", agent.root], check=True)
    entry = fleet.outcome(deployment)
    assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry


def test_what_is_no_budget_is_named_at_the_device_and_the_rest_counts(fleet, agent):
    fleet.deploy_and_wait({NUCLEUS: budget(bytesPerSecond=10 * MIB, bytesPerDay=12, speed="high")})
    note = wait_until(lambda: next((component["note"] for component in agent.status()["components"]
                                    if component["name"] == NUCLEUS and "note" in component), None),
                      "the note")
    assert "andonLinkBudget.bytesPerDay" in note and "speed" in note
    assert agent.status()["linkBudget"] == {"bytesPerSecond": 10 * MIB}
    fleet.deploy_and_wait({NUCLEUS: "2.14.0", NAME: "1.0.0"})
