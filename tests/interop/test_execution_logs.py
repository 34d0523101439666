# SPDX-License-Identifier: Apache-2.0
"""loggingConfiguration: what of executions is written to log groups, and what is refused."""
import json

import botocore.exceptions
import pytest

from harness import wait_until

ROLE = "arn:aws:iam::000000000000:role/andon-workflows"
FAILING = json.dumps({"StartAt": "A", "States": {
    "A": {"Type": "Pass", "Next": "B"},
    "B": {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"}}})


@pytest.fixture
def states(server):
    return server.aws("stepfunctions")


@pytest.fixture
def logs(server):
    return server.aws("logs")


@pytest.fixture
def group(logs, fresh):
    name = "/aws/vendedlogs/states/" + fresh("group")
    logs.create_log_group(logGroupName=name)
    return name


def arn_of(group):
    return f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"


def logging(level, group, **more):
    return {"level": level, "destinations": [
        {"cloudWatchLogsLogGroup": {"logGroupArn": arn_of(group)}}], **more}


@pytest.fixture
def start(states, fresh):
    def run(configuration, definition=FAILING, input="{}", **more):
        machine = states.create_state_machine(
            name=fresh("machine"), definition=definition, roleArn=ROLE,
            loggingConfiguration=configuration, **more)["stateMachineArn"]
        return states.start_execution(stateMachineArn=machine, input=input)["executionArn"]
    return run


def lines(logs, group, count, **more):
    """The events of a group as documents, once there are so many."""
    def look():
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, **more)
        found = [e for page in pages for e in page["events"]]
        return len(found) >= count and found
    return [json.loads(e["message"]) for e in wait_until(look, f"{count} events of {group}")]


@pytest.mark.parametrize("level, expected", [
    ("ALL", ["ExecutionStarted", "PassStateEntered", "PassStateExited", "FailStateEntered",
             "ExecutionFailed"]),
    ("ERROR", ["FailStateEntered", "ExecutionFailed"]),
    ("FATAL", ["ExecutionFailed"])])
def test_events_are_written_by_level(logs, start, group, level, expected):
    execution = start(logging(level, group, includeExecutionData=True), input='{"n": 1}')
    found = lines(logs, group, len(expected))
    assert [e["type"] for e in found] == expected
    assert {e["execution_arn"] for e in found} == {execution}
    last = found[-1]
    assert last["details"] == {"cause": "on purpose", "error": "Broken"}
    assert last["id"] == "5" and last["previous_event_id"] == "4"
    assert last["redrive_count"] == "0" and int(last["event_timestamp"]) > 1e12
    if level == "ALL":
        assert found[0]["details"]["input"] == '{"n":1}' or found[0]["details"]["input"] == (
            '{"n": 1}')
        assert found[0]["details"]["inputDetails"] == {"truncated": False}
    [stream] = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert stream["logStreamName"].startswith("states/machine-")


def test_data_is_left_out_unless_it_is_asked_for(logs, start, group):
    start(logging("ALL", group), input='{"secret": "geheim"}')
    assert "geheim" not in json.dumps(lines(logs, group, 5))


def test_express_executions_and_children_of_maps_are_written_too(logs, start, states, group):
    definition = json.dumps({"StartAt": "M", "States": {"M": {
        "Type": "Map", "End": True, "Label": "L", "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}}}})
    start(logging("ALL", group, includeExecutionData=True), definition, input="[1, 2]")
    found = lines(logs, group, 1, filterPattern='{ $.type = "ExecutionSucceeded" && '
                                                '$.execution_arn = *:machine-* }')
    wait_until(lambda: len(lines(logs, group, 1, filterPattern="ExecutionSucceeded")) == 3,
               "the children's ends")
    assert found
    start(logging("ALL", group), type="EXPRESS")
    express = lines(logs, group, 1, filterPattern='{ $.type = "ExecutionFailed" }')
    assert ":express:" in express[0]["execution_arn"]


def test_a_configuration_is_checked_and_echoed(states, logs, fresh, group):
    def refused(configuration):
        with pytest.raises(botocore.exceptions.ClientError) as raised:
            states.create_state_machine(name=fresh("machine"), definition=FAILING, roleArn=ROLE,
                                        loggingConfiguration=configuration)
        error = raised.value.response["Error"]
        return error["Code"], error["Message"]
    invalid = "InvalidLoggingConfiguration"
    assert refused({"level": "ALL"}) == (
        invalid, "Invalid Logging Configuration: Must specify exactly one Log Destination.")
    assert refused(logging("ALL", group + "x")) == (
        invalid, "Invalid Logging Configuration: Log Destination not found.")
    code, message = refused({"level": "ALL", "destinations": [
        {"cloudWatchLogsLogGroup": {"logGroupArn": arn_of(group)[:-2]}}]})
    assert code == invalid and "ends in ':*'" in message
    assert refused({"level": "ALL", "destinations": [
        {"cloudWatchLogsLogGroup": {"logGroupArn": arn_of(group).replace("0000", "1111")}}]})[
            0] == invalid
    assert refused({**logging("ALL", group), "destinations": 2 * logging("ALL", group)[
        "destinations"]})[0] == invalid
    assert refused({"level": "SOME"})[0] == "ValidationException"
    wanted = logging("ERROR", group, includeExecutionData=True)
    machine = states.create_state_machine(name=fresh("machine"), definition=FAILING, roleArn=ROLE,
                                          loggingConfiguration=wanted)["stateMachineArn"]
    assert states.describe_state_machine(stateMachineArn=machine)["loggingConfiguration"] == wanted
    states.update_state_machine(stateMachineArn=machine, loggingConfiguration={"level": "OFF"})
    assert states.describe_state_machine(stateMachineArn=machine)["loggingConfiguration"] == {
        "level": "OFF", "includeExecutionData": False}


def test_a_group_that_was_deleted_holds_nothing_up(states, logs, start, group):
    logs.delete_log_group(logGroupName=group)
    with pytest.raises(botocore.exceptions.ClientError):
        start(logging("ALL", group))
    logs.create_log_group(logGroupName=group)
    machine = start(logging("ALL", group))
    lines(logs, group, 5)
    logs.delete_log_group(logGroupName=group)
    machine = machine.replace(":execution:", ":stateMachine:").rsplit(":", 1)[0]
    again = states.start_execution(stateMachineArn=machine)["executionArn"]
    wait_until(lambda: states.describe_execution(executionArn=again)["status"] == "FAILED",
               "its end")


def test_metrics_tell_what_executions_did(server, start, logs, group):
    def value(name):
        status, page = server.get("/metrics")
        assert status == 200
        found = [line.split(" ")[-1] for line in page.decode().splitlines()
                 if line.startswith(name)]
        assert found, name
        return float(found[0])
    failed = 'andon_workflow_executions_ended_total{type="STANDARD",status="FAILED"}'
    before, written = value(failed), value('andon_log_lines_total{outcome="written"}')
    start(logging("ALL", group))
    wait_until(lambda: value(failed) == before + 1, "the count")
    wait_until(lambda: value('andon_log_lines_total{outcome="written"}') == written + 5, "the lines")
    assert value('andon_workflow_executions_running{type="STANDARD"}') == 0
    assert value("andon_workflow_transitions_total") >= 2
    assert value("andon_workflow_commit_seconds_count") > 0
    waiting = start({"level": "OFF"}, json.dumps({"StartAt": "W", "States": {
        "W": {"Type": "Wait", "Seconds": 3600, "End": True}}}))
    assert value('andon_workflow_executions_running{type="STANDARD"}') == 1
    assert value("andon_workflow_timers_waiting") == 1
    server.aws("stepfunctions").stop_execution(executionArn=waiting)


def test_a_bucket_may_be_called_metrics(server):
    s3 = server.aws("s3")
    s3.create_bucket(Bucket="metrics")
    assert s3.list_objects_v2(Bucket="metrics")["KeyCount"] == 0
