# SPDX-License-Identifier: Apache-2.0
"""What an execution's page tells of states that were tried again, ran side by side, or were ended."""
import json

import pytest

from harness import wait_until

PASS = {"Type": "Pass", "End": True}


@pytest.fixture
def states(alone):
    role = alone.server.aws("iam").create_role(
        RoleName="runs", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
    alone.server.aws("iam").put_role_policy(
        RoleName="runs", PolicyName="runs", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "states:*", "Resource": "*"}]}))
    return States(alone.server.aws("stepfunctions"), role["Role"]["Arn"])


class States:
    def __init__(self, client, role):
        self.client, self.role = client, role

    def start(self, name, first, of_states, given):
        machine = self.client.create_state_machine(
            name=name, roleArn=self.role, definition=json.dumps({"StartAt": first, "States": of_states}))
        return self.client.start_execution(stateMachineArn=machine["stateMachineArn"],
                                           input=json.dumps(given))["executionArn"]

    def ends(self, execution):
        wait_until(lambda: self.client.describe_execution(executionArn=execution)["status"] != "RUNNING",
                   "the execution")
        return self.client.describe_execution(executionArn=execution)["status"]


def open_execution(watched, execution):
    return watched.go("#/workflows/executions/" + execution.replace(":", "%3A"), execution.rsplit(":", 1)[1])


def told_of(page, state):
    """Its box's own words."""
    box = page.locator("g.state", has=page.locator(f"xpath=./*[local-name()='text'][.='{state}']"))
    return box.locator("xpath=./*[contains(@class, 'how')]").text_content()


def choose(page, state):
    page.locator("svg text.name").get_by_text(state, exact=True).click()
    page.get_by_role("heading", name=state, level=2).wait_for()
    return page.locator(".split")


def test_a_state_that_was_tried_again_has_succeeded(states, watched):
    activity = states.client.create_activity(name="press")["activityArn"]
    execution = states.start("press", "Try", {"Try": {
        "Type": "Task", "Resource": activity, "End": True,
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2}]}}, {})
    page = open_execution(watched.sign_in(), execution)
    assert told_of(page, "Try") == "running"
    states.client.send_task_failure(taskToken=states.client.get_activity_task(activityArn=activity)["taskToken"],
                                    error="Stuck", cause="a tag is in the way")
    choose(page, "Try").get_by_text(" UTC · one attempt failed").wait_for()
    assert told_of(page, "Try") == "running" and page.get_by_text("Stuck").count() > 0
    states.client.send_task_success(taskToken=states.client.get_activity_task(activityArn=activity)["taskToken"],
                                    output="{}")
    assert states.ends(execution) == "SUCCEEDED"
    wait_until(lambda: told_of(page, "Try") == "succeeded", "the page")
    assert page.locator(".split").get_by_text("Stuck").count() == 0
    assert not watched.problems


def test_items_side_by_side_are_told_apart(states, watched):
    execution = states.start("each", "Each", {"Each": {
        "Type": "Map", "ItemsPath": "$.items", "End": True, "ItemProcessor": {"StartAt": "Wait", "States": {
            "Wait": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Good"}, "Good": PASS}}}},
        {"items": [{"seconds": 2, "name": "alpha"}, {"seconds": 0, "name": "omega"}]})
    assert states.ends(execution) == "SUCCEEDED"
    page = open_execution(watched.sign_in(), execution)
    assert {told_of(page, state) for state in ("Each", "Wait", "Good")} == {"succeeded"}
    words = choose(page, "Wait").inner_text()
    first, second = words.index("Item 0"), words.index("Item 1")
    # Each with the input and output of its own.
    assert words[first:second].count("alpha") == 2 and words[second:].count("omega") == 2, words
    assert "omega" not in words[first:second]


def test_what_was_caught_failed_and_ended_is_told(states, watched):
    execution = states.start("ends", "Each", {"Each": {
        "Type": "Map", "ItemsPath": "$.items", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Done"}], "Next": "Done",
        "ItemProcessor": {"StartAt": "Judge", "States": {
            "Judge": {"Type": "Choice", "Choices": [{"Variable": "$.bad", "BooleanEquals": True, "Next": "Bad"}],
                      "Default": "Wait"},
            "Wait": {"Type": "Wait", "Seconds": 600, "End": True},
            "Bad": {"Type": "Fail", "Error": "Scratched", "Cause": "too deep"}}}}, "Done": PASS},
        {"items": [{"bad": False}, {"bad": True}]})
    assert states.ends(execution) == "SUCCEEDED"
    page = open_execution(watched.sign_in(), execution)
    said = {state: told_of(page, state) for state in ("Each", "Judge", "Bad", "Wait", "Done")}
    assert said == {"Each": "caught", "Judge": "succeeded", "Bad": "failed", "Wait": "stopped",
                    "Done": "succeeded"}


def test_executions_of_a_distributed_map_are_led_to(states, watched):
    execution = states.start("spread", "Each", {"Each": {
        "Type": "Map", "End": True, "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "One", "States": {"One": PASS}}}}, [{"tag": 1}, {"tag": 2}, {"tag": 3}])
    assert states.ends(execution) == "SUCCEEDED"
    page = open_execution(watched.sign_in(), execution)
    shown = choose(page, "Each")
    shown.get_by_text("3 of 3 items done").wait_for()
    links = shown.get_by_role("listitem").get_by_role("link")
    assert links.count() == 3
    name = links.first.inner_text()
    links.first.click()
    page.get_by_role("heading", name=name, level=1).wait_for()
    watched.settle()
    assert told_of(page, "One") == "succeeded"


def test_a_long_history_is_read_to_its_end(states, watched):
    steps = {"A": {"Type": "Pass", "Next": "B"}, "B": PASS}
    execution = states.start("long", "Each", {
        "Each": {"Type": "Map", "Next": "Last", "ItemProcessor": {"StartAt": "A", "States": steps}}, "Last": PASS},
        list(range(1000)))
    assert states.ends(execution) == "SUCCEEDED"
    page = open_execution(watched.sign_in(), execution)
    assert told_of(page, "Last") == "succeeded"
    assert page.get_by_text("ExecutionSucceeded").count() == 1
