# SPDX-License-Identifier: Apache-2.0
"""A component of the public AWS IoT Device SDK keeps shadows on its device, unmodified."""
import sys
from pathlib import Path

import pytest
from agent import Agent, Fleet
from harness import wait_until

pytest.importorskip("awsiot", reason="needs awsiotsdk")

NAME = "com.example.Shadows"
SOURCE = Path(__file__).with_name("ipc_shadow_component.py")
ACCESS = {
    "aws.greengrass.ShadowManager": {f"{NAME}:shadow:1": {
        "operations": ["*"],
        "resources": ["$aws/things/{iot:thingName}/shadow/name/line",
                      "$aws/things/{iot:thingName}/shadow/name/other", "{iot:thingName}"]}},
    "aws.greengrass.ipc.pubsub": {f"{NAME}:pubsub:1": {
        "operations": ["aws.greengrass#SubscribeToTopic"],
        "resources": ["$aws/things/{iot:thingName}/shadow/*"]}}}


def test_a_component_keeps_shadows_on_its_device(server, tmp_path):
    fleet = Fleet(server)
    with Agent(server, tmp_path / "device", thing="shadow-1") as agent:
        uri = fleet.put_artifact("component.py", SOURCE.read_bytes())
        fleet.component(
            NAME, "1.0.0", {"run": f"exec {sys.executable} -u {{artifacts:path}}/component.py"},
            configuration={"accessControl": ACCESS}, artifacts=[uri])
        file = agent.root / "work" / NAME / "steps.txt"

        def steps():
            return file.read_text().splitlines() if file.exists() else []
        fleet.deploy_and_wait({NAME: "1.0.0"}, thing="shadow-1")
        wait_until(lambda: "deleted" in steps(), f"its last step; {steps()}, {agent.root}/logs")
        assert steps() == ["none at first", "told of the difference", "refused what cannot be",
                           "listed", "deleted"]
        agent.stop()
        agent.start()
        wait_until(lambda: "kept" in steps(), f"its shadow after the restart; {agent.root}/logs")
