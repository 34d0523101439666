# SPDX-License-Identifier: Apache-2.0
"""The one budget of a device's link: what it keeps back, what it says, and what ends the waiting."""
import os
import subprocess
import time
from pathlib import Path

import pytest

from agent import NUCLEUS, Agent, Fleet, open_windows, window_elsewhere
from harness import ROOT, program, wait_until

NAME = "com.example.Large"
MIB = 1 << 20


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


def waits(agent, word, use="downloads"):
    """What the device says of its downloads, once it holds `word`."""
    def why():
        text = agent.status().get("linkBudget", {}).get("waiting", {}).get(use, "")
        return text if word in text else None
    return wait_until(why, f"{use} waiting for '{word}'; log:\n{agent.log.read_text()[-2000:]}")


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
    window, opens = window_elsewhere("downloads")
    fleet.deploy_and_wait({NUCLEUS: budget(windows=[window])})
    deployment = fleet.deploy({NUCLEUS: "2.14.0", NAME: "1.0.0"})
    assert waits(agent, "outside their window").endswith(opens)
    assert partial_bytes(agent) == 0
    open_windows(agent)
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


def test_pictures_for_labelling_and_bundles_wait_for_their_window_and_say_so(fleet, agent, server):
    example = ROOT / "examples/metal-tags"
    inspect = "com.example.Inspect"
    uri = fleet.put_artifact("andon-inspect", Path(program("andon-inspect")).read_bytes())
    model = fleet.put_artifact("model.onnx", (example / "model/model.onnx").read_bytes())
    picture = fleet.put_artifact("tag.jpg", next((example / "images").glob("*.jpg")).read_bytes())
    fleet.component(
        inspect, "1.0.0",
        {"run": "mkdir -p images && cp {artifacts:path}/tag.jpg images/ && exec "
                "{artifacts:path}/andon-inspect --model {artifacts:path}/model.onnx"},
        {"doubt": {"sample": 1}, "accessControl": {"aws.greengrass.ipc.mqttproxy": {"results": {
            "operations": ["aws.greengrass#PublishToIoTCore"], "resources": ["*"]}}}},
        [{"URI": uri, "Permission": {"Read": "ALL", "Execute": "ALL"}}, model, picture],
        {"aws.greengrass.TokenExchangeService": {"VersionRequirement": ">=2.0.0"}})
    s3 = server.aws("s3")
    uploaded = lambda: s3.list_objects_v2(Bucket="andon-uploads").get("KeyCount", 0)
    window, opens = window_elsewhere("uploads")
    fleet.deploy_and_wait({NUCLEUS: budget(windows=[window]), inspect: "1.0.0"})
    assert waits(agent, "outside their window", "uploads").endswith(opens)
    bundle = subprocess.Popen(
        [program("andon"), "device", "support-bundle", "edge-1", "--data", server.data,
         "--out", agent.root.parent / "bundle.tar"], stderr=subprocess.PIPE, text=True)
    told = ""
    while "outside their window" not in told:
        told = bundle.stderr.readline()
        assert told, "the command ended without a word of the window"
    assert uploaded() == 0
    open_windows(agent)
    wait_until(lambda: uploaded() == 2, "the picture and its message in the bucket")
    assert bundle.wait(60) == 0, bundle.stderr.read()
