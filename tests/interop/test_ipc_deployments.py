# SPDX-License-Identifier: Apache-2.0
"""Components written with the public AWS IoT Device SDK have a say in deployments and deploy by
themselves, unmodified, under the real agent and server."""
import sys
from pathlib import Path

import pytest
from agent import Agent, Fleet
from harness import wait_until

pytest.importorskip("awsiot", reason="needs awsiotsdk")

NAME = "com.example.Say"
SOURCE = Path(__file__).with_name("ipc_deployments_component.py")
ACCESS = {
    "aws.greengrass.Cli": {f"{NAME}:cli:1": {"operations": ["*"], "resources": ["*"]}},
    "aws.greengrass.ipc.lifecycle": {f"{NAME}:lifecycle:1": {
        "operations": ["aws.greengrass#PauseComponent", "aws.greengrass#ResumeComponent"],
        "resources": ["com.example.Helper"]}}}
HELPER = """{"RecipeFormatVersion": "2020-01-25", "ComponentName": "com.example.Helper",
"ComponentVersion": "1.0.0", "Manifests": [{"Platform": {"os": "linux"},
"Lifecycle": {"run": "exec sleep 1000"}}]}"""


def test_a_component_of_the_device_sdk_has_a_say_in_deployments(server, tmp_path):
    fleet = Fleet(server)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "recipes" / "com.example.Helper-1.0.0.json").write_text(HELPER)
    with Agent(server, tmp_path / "device", thing="say-1") as agent:
        uri = fleet.put_artifact("component.py", SOURCE.read_bytes())
        fleet.component(
            NAME, "1.0.0",
            {"Setenv": {"LOCAL_COMPONENTS": str(tmp_path)},
             "run": f"exec {sys.executable} -u {{artifacts:path}}/component.py"},
            configuration={"limit": 5, "accessControl": ACCESS}, artifacts=[uri])
        file = agent.root / "work" / NAME / "steps.txt"

        def steps():
            return file.read_text().splitlines() if file.exists() else []

        def wait_for(step, count=1):
            wait_until(lambda: steps().count(step) >= count,
                       f"the step '{step}'; {steps()}, see {agent.root}/logs")

        fleet.deploy_and_wait({NAME: "1.0.0"}, thing="say-1")
        wait_for("updated")
        wait_for("stopped")
        # The answer comes when it is asked to stop; how it is is told a moment later.
        wait_until(lambda: agent.components()["com.example.Helper"] == ("1.0.0", "INSTALLED"),
                   "the stopped component")
        status = {c["name"]: c for c in agent.status()["components"]}
        assert status[NAME]["metrics"] == {"speed": {"unit": "COUNT", "value": 3.0}}
        assert [s for s in steps() if s not in ("deferred", "agreed", "updated")] == [
            "nothing to defer", "listed", "no debug console", "deployment created",
            "helper SUCCEEDED", "unknown deployment", "paused", "resumed", "stopped"]
        # Its own deployment ended while it listened; the local one it deferred once.
        assert steps().index("deferred") < steps().index("agreed")

        pid = status[NAME]["pid"]
        entry = fleet.outcome(fleet.deploy({NAME: ("1.0.0", {"limit": 50})}, target="thing/say-1"),
                              thing="say-1")
        assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
        assert "COMPONENT_CONFIGURATION_NOT_VALID" in entry["statusDetails"]["errorStack"], entry
        assert "the limit is 10" in entry["reason"], entry
        before = steps().count("agreed")
        entry = fleet.outcome(fleet.deploy({NAME: ("1.0.0", {"limit": 7})}, target="thing/say-1"),
                              thing="say-1")
        assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry
        wait_for("agreed", before + 1)
        assert [c["pid"] for c in agent.status()["components"] if c["name"] == NAME] == [pid]
