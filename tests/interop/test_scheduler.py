# SPDX-License-Identifier: Apache-2.0
"""EventBridge Scheduler with boto3: schedules and their groups, runs, what is refused."""
import datetime
import json

import pytest

from harness import Server, checked, wait_until
from test_events import ACCOUNT, PASS, error_of, log_group, messages, role

LATER = "cron(0 0 1 1 ? 2199)"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("scheduler") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def scheduler(server):
    return checked(server.aws("scheduler"))


@pytest.fixture(scope="module")
def target(server):
    return {"Arn": log_group(server, "scheduled"),
            "RoleArn": role(server, "scheduler", "*", service="scheduler.amazonaws.com")}


def create(scheduler, name, target, expression=LATER, **more):
    return scheduler.create_schedule(Name=name, ScheduleExpression=expression, Target=target,
                                     FlexibleTimeWindow={"Mode": "OFF"}, **more)["ScheduleArn"]


def soon(seconds=3):
    time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return time.strftime("at(%Y-%m-%dT%H:%M:%S)")


def test_a_schedule_is_made_shown_changed_and_deleted(scheduler, target, fresh):
    name = fresh("schedule")
    start = datetime.datetime(2198, 1, 1, tzinfo=datetime.timezone.utc)
    arn = create(scheduler, name, {**target, "Input": '{"a":1}'}, Description="d",
                 ScheduleExpressionTimezone="Europe/Berlin", StartDate=start, State="DISABLED")
    assert arn == f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule/default/{name}"
    shown = scheduler.get_schedule(Name=name)
    assert (shown["Arn"], shown["GroupName"], shown["State"], shown["Description"]) == (
        arn, "default", "DISABLED", "d")
    assert shown["StartDate"] == start and shown["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert shown["Target"]["Input"] == '{"a":1}'
    assert shown["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400,
                                              "MaximumRetryAttempts": 185}
    assert shown["ActionAfterCompletion"] == "NONE"
    # All of it is replaced.
    scheduler.update_schedule(Name=name, ScheduleExpression="rate(5 minutes)", Target=target,
                              FlexibleTimeWindow={"Mode": "FLEXIBLE",
                                                  "MaximumWindowInMinutes": 10})
    shown = scheduler.get_schedule(Name=name, GroupName="default")
    assert "Description" not in shown and "StartDate" not in shown
    assert shown["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 10}
    assert shown["ScheduleExpression"] == "rate(5 minutes)" and shown["State"] == "ENABLED"
    scheduler.delete_schedule(Name=name)
    assert error_of(scheduler.get_schedule, Name=name) == (
        "ResourceNotFoundException", f"Schedule {name} does not exist.")


def test_groups_hold_schedules_and_tags(scheduler, target, fresh):
    group = fresh("group")
    arn = scheduler.create_schedule_group(
        Name=group, Tags=[{"Key": "line", "Value": "3"}])["ScheduleGroupArn"]
    assert scheduler.get_schedule_group(Name=group)["State"] == "ACTIVE"
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [
        {"Key": "line", "Value": "3"}]
    scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "1"},
                                                  {"Key": "c", "Value": "2"}])
    scheduler.untag_resource(ResourceArn=arn, TagKeys=["line"])
    scheduler.untag_resource(ResourceArn=arn, TagKeys=["b", "x"])
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [
        {"Key": "c", "Value": "2"}]
    names = [fresh("in") for _ in range(3)]
    for name in names:
        create(scheduler, name, target, GroupName=group)
    assert error_of(create, scheduler=scheduler, name=names[0], target=target,
                    GroupName=group)[0] == "ConflictException"
    seen, token = [], {}
    while True:
        page = scheduler.list_schedules(GroupName=group, MaxResults=2, **token)
        seen += [one["Name"] for one in page["Schedules"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert seen == sorted(names)
    assert scheduler.list_schedules(GroupName=group, State="DISABLED")["Schedules"] == []
    assert [one["Name"] for one in scheduler.list_schedule_groups(NamePrefix="group-")[
        "ScheduleGroups"]] == [group]
    scheduler.delete_schedule_group(Name=group)
    assert error_of(scheduler.list_schedules, GroupName=group)[0] == "ResourceNotFoundException"


def test_the_same_request_again_is_the_same_schedule(scheduler, target, fresh):
    name = fresh("same")
    first = create(scheduler, name, target, ClientToken="token-1")
    assert create(scheduler, name, target, ClientToken="token-1") == first
    assert error_of(create, scheduler=scheduler, name=name, target=target, Description="other",
                    ClientToken="token-1")[0] == "ConflictException"


@pytest.mark.parametrize("change,message", [
    ({"expression": "rate(10 seconds)"}, "Invalid Schedule Expression rate(10 seconds)."),
    ({"ScheduleExpressionTimezone": "Mars/Base"}, "Mars/Base"),
    ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes"),
    ({"KmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k"}, "KmsKeyArn"),
    ({"target": {"Arn": "arn:aws:scheduler:::aws-sdk:iot:noSuchThing"}}, "iot:noSuchThing"),
    ({"target": {"Arn": "arn:aws:sqs:us-east-1:000000000000:q"}}, "no target"),
    ({"target": {"Arn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"}},
     "EventBridgeParameters"),
    ({"target": {"SqsParameters": {"MessageGroupId": "g"}}}, "SqsParameters"),
])
def test_what_is_wrong_is_said(scheduler, target, fresh, change, message):
    arguments = {"Name": fresh("wrong"), "ScheduleExpression": change.pop("expression", LATER),
                 "Target": {**target, **change.pop("target", {})},
                 "FlexibleTimeWindow": {"Mode": "OFF"}, **change}
    code, said = error_of(scheduler.create_schedule, **arguments)
    assert code == "ValidationException" and message in said


def test_once_is_once_and_then_the_schedule_goes(server, scheduler, target, fresh):
    name = fresh("once")
    group = fresh("log")
    create(scheduler, name, {**target, "Arn": log_group(server, group), "Input": json.dumps({
        "arn": "<aws.scheduler.schedule-arn>", "at": "<aws.scheduler.scheduled-time>",
        "id": "<aws.scheduler.execution-id>", "n": "<aws.scheduler.attempt-number>"})},
        soon(), ActionAfterCompletion="DELETE")
    told = json.loads(wait_until(lambda: messages(server, group), "the run")[0])
    assert told["arn"].endswith(f":schedule/default/{name}") and told["n"] == "1"
    assert len(told["at"]) == 20 and len(told["id"]) == 36
    assert error_of(scheduler.get_schedule, Name=name)[0] == "ResourceNotFoundException"
    assert len(messages(server, group)) == 1


def test_a_state_machine_is_started_with_the_input(server, scheduler, target, fresh):
    states, name = server.aws("stepfunctions"), fresh("machine")
    machine = states.create_state_machine(name=name, definition=PASS, roleArn=target["RoleArn"])[
        "stateMachineArn"]
    create(scheduler, name, {**target, "Arn": machine, "Input": '{"n":1}'}, soon())
    found = wait_until(lambda: states.list_executions(stateMachineArn=machine)["executions"],
                       "the execution")
    assert states.describe_execution(executionArn=found[0]["executionArn"])["input"] == '{"n":1}'


def test_any_operation_is_called_as_the_role(server, scheduler, target, fresh):
    thing = fresh("thing")
    create(scheduler, fresh("call"), {
        **target, "Arn": "arn:aws:scheduler:::aws-sdk:iot:createThing",
        "Input": json.dumps({"ThingName": thing})}, soon())
    iot = server.aws("iot")
    wait_until(lambda: thing in [one["thingName"] for one in iot.list_things()["things"]],
               "the thing")


def test_an_event_bus_gets_an_event(server, scheduler, target, fresh):
    events, group = server.aws("events"), fresh("log")
    events.put_rule(Name=group, EventPattern=json.dumps({"source": [group]}))
    events.put_targets(Rule=group, Targets=[{"Id": "l", "Arn": log_group(server, group)}])
    create(scheduler, fresh("bus"), {
        **target, "Arn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default",
        "EventBridgeParameters": {"Source": group, "DetailType": "tick"},
        "Input": '{"n":1}'}, soon())
    event = json.loads(wait_until(lambda: messages(server, group), "the event")[0])
    assert event["detail-type"] == "tick" and event["detail"] == {"n": 1}


def test_a_role_that_does_not_trust_the_scheduler_is_named(server, scheduler, target, fresh):
    letters = fresh("letters")
    create(scheduler, fresh("untrusted"), {
        "RoleArn": role(server, fresh("role"), "*"),
        "Arn": "arn:aws:scheduler:::aws-sdk:iot:createThing", "Input": '{"ThingName": "no"}',
        "DeadLetterConfig": {"Arn": log_group(server, letters)}}, soon())
    letter = json.loads(wait_until(lambda: messages(server, letters), "the letter")[0])
    assert letter["attributes"]["ERROR_CODE"] == "NO_PERMISSIONS"
    assert "scheduler.amazonaws.com" in letter["attributes"]["ERROR_MESSAGE"]


def test_what_was_missed_while_the_server_was_down_starts_once(tmp_path, fresh):
    with Server(tmp_path / "data") as server:
        scheduler, group = server.aws("scheduler"), "late"
        target = {"Arn": log_group(server, group),
                  "RoleArn": role(server, "r", "*", service="scheduler.amazonaws.com")}
        due = datetime.datetime.now() + datetime.timedelta(seconds=2)
        create(scheduler, fresh("late"), target, soon(2))
        server.kill()
        wait_until(lambda: datetime.datetime.now() > due, "the time")
        server.start()
        wait_until(lambda: messages(server, group), "the run")
        assert len(messages(server, group)) == 1


def test_a_scheduled_rule_makes_events(server, fresh):
    events, name = server.aws("events"), fresh("tick")
    events.put_rule(Name=name, ScheduleExpression="rate(1 minute)")
    assert events.describe_rule(Name=name)["ScheduleExpression"] == "rate(1 minute)"
    assert "EventPattern" not in events.describe_rule(Name=name)
