# SPDX-License-Identifier: Apache-2.0
"""A component written with the public AWS IoT Device SDK for Python runs unmodified under the real
agent and server: configuration, publish and subscribe, both ways to MQTT, state, credentials."""
import json
import sys
from pathlib import Path

import pytest
from agent import Agent, Fleet
from harness import wait_until

pytest.importorskip("awsiot", reason="needs awsiotsdk")

NAME = "com.example.Sdk"
SOURCE = Path(__file__).with_name("ipc_component.py")
ACCESS = {
    "aws.greengrass.ipc.pubsub": {f"{NAME}:pubsub:1": {
        "operations": ["aws.greengrass#PublishToTopic", "aws.greengrass#SubscribeToTopic"],
        "resources": ["line/*"]}},
    "aws.greengrass.ipc.mqttproxy": {f"{NAME}:mqttproxy:1": {
        "operations": ["aws.greengrass#PublishToIoTCore", "aws.greengrass#SubscribeToIoTCore"],
        "resources": ["andon/things/{iot:thingName}/#", "cmd/+/{iot:thingName}"]}}}


def test_a_component_of_the_device_sdk_runs_unmodified(server, tmp_path):
    fleet = Fleet(server)
    with Agent(server, tmp_path / "device", thing="sdk-1") as agent:
        uri = fleet.put_artifact("component.py", SOURCE.read_bytes())
        fleet.component(
            NAME, "1.0.0", {"run": f"exec {sys.executable} -u {{artifacts:path}}/component.py"},
            configuration={"threshold": 0.5, "nested": {"a": [1, 2]}, "accessControl": ACCESS},
            artifacts=[uri],
            dependencies={"aws.greengrass.TokenExchangeService": {"VersionRequirement": "^2.0.0"}})
        operator = server.operator_mqtt()
        results = operator.subscribe("andon/things/sdk-1/results")
        deployment = fleet.deploy({NAME: "1.0.0"}, target="thing/sdk-1")
        file = agent.root / "work" / NAME / "steps.txt"

        def steps():
            return file.read_text().splitlines() if file.exists() else []

        _, payload = results.wait_for(lambda *_: True, f"a result; see {agent.root}/logs")
        assert json.loads(payload) == {"hello": "sdk-1"}
        operator.publish("cmd/line/sdk-1", "go")
        wait_until(lambda: "running" in steps(), "the component being done with its first steps")
        entry = fleet.outcome(deployment, thing="sdk-1")
        assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry
        assert fleet.s3.get_object(Bucket="andon-uploads", Key="sdk-1/hard.txt")["Body"].read() \
            == b"hard image"

        pid = [c["pid"] for c in agent.status()["components"]]
        entry = fleet.outcome(fleet.deploy({NAME: ("1.0.0", {"threshold": 0.7})},
                                           target="thing/sdk-1"), thing="sdk-1")
        wait_until(lambda: "end" in steps(), "the component being told of its configuration")
        assert [c["pid"] for c in agent.status()["components"]] == pid  # told, not restarted
        assert steps() == [
            "get configuration", "missing key", "update configuration",
            "subscribe to configuration", "local {'speed': 3}", "local b'raw'", "forbidden",
            "published", "command go", "uploaded", "running", "told of threshold", "end"]
