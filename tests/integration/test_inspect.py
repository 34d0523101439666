# SPDX-License-Identifier: Apache-2.0
"""andon-inspect under the real agent: a newer model takes over while images come."""
import json
import shutil
import signal
from pathlib import Path

import pytest
from agent import Agent, Fleet
from harness import program, wait_until

EXAMPLE = Path(__file__).parents[2] / "examples" / "metal-tags"
MODEL = "com.example.Model"
INSPECT = "com.example.Inspect"
RESULTS = "andon/things/edge-1/results"


def model_bytes(version):
    """The example's model with its version in the metadata: other bytes, the same answers."""
    key, value = b"test_version", version.encode()
    entry = bytes([0x0A, len(key)]) + key + bytes([0x12, len(value)]) + value
    return (EXAMPLE / "model" / "model.onnx").read_bytes() + bytes([0x72, len(entry)]) + entry


@pytest.fixture
def fleet(server):
    return Fleet(server)


@pytest.fixture
def agent(server, tmp_path):
    with Agent(server, tmp_path / "device") as running:
        yield running


def create_components(fleet, images, versions):
    for version in versions:
        uri = fleet.put_artifact(f"{version}/model.onnx", model_bytes(version))
        fleet.component(MODEL, version, {}, artifacts=[uri])
    with open(program("andon-inspect"), "rb") as binary:
        uri = fleet.put_artifact("andon-inspect", binary)
    fleet.component(
        INSPECT, "1.0.0", {"run": "exec {artifacts:path}/andon-inspect --mode throughput"},
        configuration={
            "imageDirectory": str(images),
            "model": "{" + MODEL + ":artifacts:path}/model.onnx",
            "accessControl": {"aws.greengrass.ipc.mqttproxy": {"results": {
                "operations": ["aws.greengrass#PublishToIoTCore"],
                "resources": ["andon/things/{iot:thingName}/*"]}}}},
        artifacts=[{"URI": uri, "Permission": {"Read": "ALL", "Execute": "ALL"}}],
        dependencies={MODEL: {"VersionRequirement": ">=1.0.0 <2.0.0", "DependencyType": "SOFT"}})


def test_a_newer_model_takes_over_without_a_restart_and_no_image_is_lost_or_doubled(
        server, fleet, agent, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    pictures = sorted((EXAMPLE / "images").glob("*.jpg"))
    written = []

    def add_image():
        name = f"image-{len(written):04}.jpg"
        shutil.copy(pictures[len(written) % len(pictures)], images / ".arriving")
        (images / ".arriving").rename(images / name)
        written.append(name)

    def pid():
        return next(c["pid"] for c in agent.status()["components"] if c["name"] == INSPECT)

    create_components(fleet, images, ["1.0.0", "1.1.0"])
    with server.operator_mqtt().subscribe(RESULTS) as results:
        def answers():
            return [json.loads(payload) for _, payload in results.messages()]

        def versions():
            add_image()
            return {answer["model"]["version"] for answer in answers()}

        fleet.deploy_and_wait({MODEL: "1.0.0", INSPECT: "1.0.0"})
        wait_until(lambda: versions() == {"1.0.0"}, "a result of the first model")
        first_pid = pid()
        deployment = fleet.deploy({MODEL: "1.1.0", INSPECT: "1.0.0"})
        wait_until(lambda: "1.1.0" in versions(), "a result of the newer model")
        assert fleet.outcome(deployment)["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED")
        assert pid() == first_pid
        wait_until(lambda: len(answers()) >= len(written), "every image's result")
        seen = answers()
        assert sorted(a["image"]["name"] for a in seen) == sorted(written)
        order = [a["model"]["version"] for a in seen]
        assert order == sorted(order), "the older model came back"
        assert not any("error" in a for a in seen)


def test_inspection_goes_on_in_the_same_process_and_publishes_again(
        server, fleet, agent, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    picture = sorted((EXAMPLE / "images").glob("*.jpg"))[0]
    written = []

    def add_image():
        name = f"image-{len(written):04}.jpg"
        shutil.copy(picture, images / ".arriving")
        (images / ".arriving").rename(images / name)
        written.append(name)

    def pid():
        return next(c["pid"] for c in agent.status()["components"] if c["name"] == INSPECT)

    def stored():
        return sorted(result["image"] for result in server.results())

    create_components(fleet, images, ["1.0.0"])
    fleet.deploy_and_wait({MODEL: "1.0.0", INSPECT: "1.0.0"})
    add_image()
    wait_until(lambda: stored() == written, "the first result")
    first = pid()
    for number in (signal.SIGKILL, signal.SIGUSR1, signal.SIGKILL):
        agent.kill(number)
        add_image()  # while nobody is there to take its result
        agent.start()
        agent.wait_for(INSPECT, "1.0.0")
        add_image()
        wait_until(lambda: stored() == written, "the results of what came meanwhile")
        assert pid() == first


def test_a_newer_model_that_cannot_be_used_fails_its_deployment_and_the_older_goes_on(
        server, fleet, agent, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    picture = sorted((EXAMPLE / "images").glob("*.jpg"))[0]
    count = iter(range(1000))

    def add_image():
        shutil.copy(picture, images / ".arriving")
        (images / ".arriving").rename(images / f"image-{next(count):04}.jpg")

    create_components(fleet, images, ["1.0.0"])
    uri = fleet.put_artifact("bad/model.onnx", b"this is no model")
    fleet.component(MODEL, "1.1.0", {}, artifacts=[uri])
    with server.operator_mqtt().subscribe(RESULTS) as results:
        def versions():
            add_image()
            return [json.loads(p)["model"]["version"] for _, p in results.messages()]

        fleet.deploy_and_wait({MODEL: "1.0.0", INSPECT: "1.0.0"})
        wait_until(versions, "a result of the first model")
        pid = next(c["pid"] for c in agent.status()["components"] if c["name"] == INSPECT)
        entry = fleet.outcome(fleet.deploy({MODEL: "1.1.0", INSPECT: "1.0.0"}))
        assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
        assert "COMPONENT_CONFIGURATION_NOT_VALID" in entry["statusDetails"]["errorStack"], entry
        assert INSPECT in entry["reason"], entry
        before = len(results.messages())
        wait_until(lambda: len(versions()) > before, "a result after the failed deployment")
        assert set(versions()) == {"1.0.0"}
        assert next(c["pid"] for c in agent.status()["components"] if c["name"] == INSPECT) == pid
        assert agent.components()[MODEL][0] == "1.0.0"
