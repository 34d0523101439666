# SPDX-License-Identifier: Apache-2.0
"""What pages that are open are told of at once; the look that they have each 30 s is taken from them."""
import json

import pytest

from agent import Agent, Fleet
from test_triggers import role

TOLD_MS = 10_000


@pytest.fixture
def stepping(alone, tmp_path):
    """A device that is at starting the first of two components, until `first` is there."""
    fleet = Fleet(alone.server)

    def gate(name):
        return {"startup": f"while [ ! -e {tmp_path / name} ]; do sleep 0.2; done"}
    fleet.component("com.example.First", "1.0.0", gate("first"))
    fleet.component("com.example.Second", "1.0.0", gate("second"), dependencies={
        "com.example.First": {"VersionRequirement": "^1.0.0", "DependencyType": "HARD"}})
    with Agent(alone.server, tmp_path / "edge-1"):
        deployment = fleet.deploy({"com.example.Second": "1.0.0"})
        yield {"device": "#/devices/edge-1", "deployment": f"#/deployments/{deployment}"}, tmp_path / "first"
        for name in ("first", "second"):
            (tmp_path / name).touch()
        assert fleet.outcome(deployment)["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED")


@pytest.mark.parametrize("place", ["device", "deployment"])
def test_a_step_of_a_device_with_a_deployment_comes_to_the_page_that_is_open(stepping, watched, place):
    paths, first = stepping
    page = watched.only_told().sign_in().page
    page.evaluate("path => { location.hash = path }", paths[place])
    page.get_by_text("com.example.First: STARTING").first.wait_for()
    watched.settle()
    first.touch()
    page.get_by_text("com.example.Second: STARTING").first.wait_for(timeout=TOLD_MS)
    assert not watched.problems


def test_a_redrive_comes_to_the_page_that_is_open(alone, watched):
    states = alone.server.aws("stepfunctions")
    machine = states.create_state_machine(
        name="patient", roleArn=role(alone.server, "patient", "states.amazonaws.com"), definition=json.dumps({
            "StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 86400, "End": True}}}))["stateMachineArn"]
    arn = states.start_execution(stateMachineArn=machine)["executionArn"]
    states.stop_execution(executionArn=arn)
    page = watched.only_told().sign_in().go(
        "#/workflows/executions/" + arn.replace(":", "%3A"), arn.rsplit(":", 1)[1])
    page.get_by_role("button", name="Redrive").wait_for()
    watched.settle()
    states.redrive_execution(executionArn=arn)
    page.get_by_role("button", name="Stop").wait_for(timeout=TOLD_MS)
    states.stop_execution(executionArn=arn)
    page.get_by_role("button", name="Redrive").wait_for(timeout=TOLD_MS)
    assert not watched.problems
