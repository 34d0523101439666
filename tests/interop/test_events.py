# SPDX-License-Identifier: Apache-2.0
"""EventBridge with boto3: patterns, rules, targets, buses, and events on their way."""
import json
import signal
import threading
import uuid

import botocore.exceptions
import pytest

from harness import Mqtt, Server, checked, wait_until
from test_greengrass import PlayedDevice
from test_http_invoke import Endpoint, serving

ACCOUNT = "000000000000"
PASS = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
ALL = json.dumps({"source": [{"prefix": ""}]})


@pytest.fixture(scope="module")
def endpoint():
    server = serving()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def server(tmp_path_factory, endpoint):
    data = tmp_path_factory.mktemp("events") / "data"
    with Server(data, "--http-allow", f"http://{endpoint}") as running:
        yield running


@pytest.fixture(scope="module")
def events(server):
    return checked(server.aws("events"))


def error_of(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def role(server, name, *actions, service="events.amazonaws.com"):
    iam = server.aws("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}))
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}))
    return arn["Role"]["Arn"]


def log_group(server, name):
    server.aws("logs").create_log_group(logGroupName=name)
    return f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}"


def messages(server, group):
    logs, found, token = server.aws("logs"), [], {}
    while True:
        page = logs.filter_log_events(logGroupName=group, **token)
        found += [event["message"] for event in page["events"]]
        if "nextToken" not in page:
            return found
        token = {"nextToken": page["nextToken"]}


def put(events, source, detail=None, **more):
    answer = events.put_events(Entries=[{"Source": source, "DetailType": "t",
                                         "Detail": json.dumps(detail or {}), **more}])
    assert answer["FailedEntryCount"] == 0, answer
    return answer["Entries"][0]["EventId"]


def watched(server, events, fresh, pattern, **target):
    """A log group that gets what a new rule takes."""
    name = fresh("watch")
    arn = log_group(server, name)
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "log", "Arn": arn, **target}])
    return name


def first(server, group):
    return json.loads(wait_until(lambda: messages(server, group), f"an event in {group}")[0])


def test_a_pattern_is_tried_without_a_rule(events):
    event = {"id": "1", "account": ACCOUNT, "source": "a", "time": "2026-11-29T00:00:00Z",
             "region": "us-east-1", "resources": [], "detail-type": "t", "detail": {"n": 3}}
    for pattern, taken in [({"source": ["a"]}, True), ({"source": ["b"]}, False),
                           ({"detail": {"n": [{"numeric": [">", 2]}]}}, True)]:
        assert events.test_event_pattern(
            EventPattern=json.dumps(pattern), Event=json.dumps(event))["Result"] is taken
    assert error_of(events.test_event_pattern, EventPattern='{"a": "b"}',
                    Event=json.dumps(event)) == (
        "InvalidEventPatternException",
        'Event pattern is not valid. Reason: "a" must be an object or an array')
    del event["region"]
    code, message = error_of(events.test_event_pattern, EventPattern='{"a": ["b"]}',
                             Event=json.dumps(event))
    assert code == "ValidationException" and "region" in message


def test_a_rule_is_made_shown_changed_and_deleted(events, fresh):
    name = fresh("rule")
    arn = events.put_rule(Name=name, EventPattern=ALL, Description="first", State="DISABLED",
                          Tags=[{"Key": "line", "Value": "3"}])["RuleArn"]
    assert arn == f"arn:aws:events:us-east-1:{ACCOUNT}:rule/{name}"
    shown = events.describe_rule(Name=name)
    assert (shown["Arn"], shown["EventPattern"], shown["State"], shown["EventBusName"]) == (
        arn, ALL, "DISABLED", "default")
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [
        {"Key": "line", "Value": "3"}]
    events.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": ""}])
    events.untag_resource(ResourceARN=arn, TagKeys=["line"])
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": ""}]
    events.enable_rule(Name=name)
    assert events.describe_rule(Name=name)["State"] == "ENABLED"
    events.disable_rule(Name=name)
    # What is left out is gone.
    events.put_rule(Name=name, ScheduleExpression="rate(1 day)")
    shown = events.describe_rule(Name=name)
    assert "EventPattern" not in shown and "Description" not in shown
    assert shown["ScheduleExpression"] == "rate(1 day)" and shown["State"] == "ENABLED"
    assert name in [rule["Name"] for rule in events.list_rules(NamePrefix="rule-")["Rules"]]
    events.delete_rule(Name=name)
    events.delete_rule(Name=name)
    assert error_of(events.describe_rule, Name=name) == (
        "ResourceNotFoundException", f"Rule {name} does not exist on EventBus default.")


def test_rules_come_in_pages(events, fresh):
    names = [fresh("page") for _ in range(3)]
    for name in names:
        events.put_rule(Name=name, EventPattern=ALL, State="DISABLED")
    seen, token = [], {}
    while True:
        page = events.list_rules(NamePrefix="page-", Limit=2, **token)
        seen += [rule["Name"] for rule in page["Rules"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert seen == sorted(names)


def test_what_is_wrong_with_a_rule_is_said(events, fresh):
    name = fresh("wrong")
    assert error_of(events.put_rule, Name=name)[0] == "ValidationException"
    assert error_of(events.put_rule, Name=name, EventPattern="{}")[0] == (
        "InvalidEventPatternException")
    assert error_of(events.put_rule, Name=name, ScheduleExpression="rate(1 minutes)") == (
        "ValidationException", "Parameter ScheduleExpression is not valid.")
    events.create_event_bus(Name=name)
    assert error_of(events.put_rule, Name=name, EventBusName=name,
                    ScheduleExpression="rate(1 day)")[1] == (
        "ScheduleExpression is supported only on the default event bus.")
    assert error_of(events.put_rule, Name=name, EventBusName="nowhere", EventPattern=ALL)[0] == (
        "ResourceNotFoundException")
    assert error_of(events.put_rule, Name="a b", EventPattern=ALL)[0] == "ValidationException"


def test_targets_are_five_a_rule_and_hold_the_rule(server, events, fresh):
    name = fresh("targets")
    arn = log_group(server, name)
    events.put_rule(Name=name, EventPattern=ALL, State="DISABLED")
    answer = events.put_targets(Rule=name, Targets=[
        {"Id": str(n), "Arn": arn} for n in range(5)])
    assert answer["FailedEntryCount"] == 0
    assert error_of(events.put_targets, Rule=name, Targets=[{"Id": "6", "Arn": arn}])[0] == (
        "LimitExceededException")
    assert [target["Id"] for target in events.list_targets_by_rule(Rule=name)["Targets"]] == [
        "0", "1", "2", "3", "4"]
    assert events.list_rule_names_by_target(TargetArn=arn)["RuleNames"] == [name]
    assert error_of(events.delete_rule, Name=name)[1] == (
        "Rule can't be deleted since it has targets.")
    failed = events.remove_targets(Rule=name, Ids=["0", "1", "2", "3", "4", "x"])
    assert failed["FailedEntryCount"] == 1 and failed["FailedEntries"][0]["TargetId"] == "x"
    events.delete_rule(Name=name)


def test_what_is_wrong_with_a_target_is_said(server, events, fresh):
    name = fresh("wrong")
    arn = log_group(server, name)
    events.put_rule(Name=name, EventPattern=ALL, State="DISABLED")

    def refused(**target):
        return error_of(events.put_targets, Rule=name,
                        Targets=[{"Id": "T", "Arn": arn, **target}])[1]
    assert refused(Input="{}", InputPath="$") == (
        "Only one of Input, InputPath, or InputTransformer must be provided for target T.")
    assert refused(InputTransformer={"InputPathsMap": {"a": "$.id"},
                                     "InputTemplate": '"<a> <x>"'}) == (
        "InputTemplate for target T contains invalid placeholder x.")
    assert "JSON" in refused(Input="{bad")
    assert "no target" in refused(Arn="arn:aws:sns:us-east-1:000000000000:topic")
    assert "RoleArn is required" in refused(
        Arn=f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:m")
    assert "no topic" in refused(Arn=f"arn:aws:iot:us-east-1:{ACCOUNT}:topic/$aws/things/a/jobs")
    assert "round for ever" in refused(
        Arn=f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default")
    assert "no queues" in refused(DeadLetterConfig={"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"})
    assert "KinesisParameters" in refused(KinesisParameters={"PartitionKeyPath": "$.id"})
    # An empty list is what AWS answers, though its model says that there is none.
    assert server.aws("events").list_targets_by_rule(Rule=name)["Targets"] == []


def test_entries_are_taken_or_refused_one_by_one(events):
    answer = events.put_events(Entries=[
        {"Source": "s", "DetailType": "t", "Detail": "{}"},
        {"DetailType": "t", "Detail": "{}"},
        {"Source": "s", "DetailType": "t", "Detail": "no JSON"},
        {"Source": "s", "Detail": "{}"},
        {"Source": "aws.s3", "DetailType": "t", "Detail": "{}"},
        {"Source": "s", "DetailType": "t", "Detail": "{}", "EventBusName": "nowhere"}])
    assert answer["FailedEntryCount"] == 4
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [
        None, "InvalidArgument", "MalformedDetail", "InvalidArgument",
        "NotAuthorizedForSourceException", None]
    assert answer["Entries"][1]["ErrorMessage"] == (
        "Parameter Source is not valid. Reason: Source is a required argument.")
    assert error_of(events.put_events, Entries=[
        {"Source": "s", "DetailType": "t",
         "Detail": json.dumps({"x": "y" * 600_000})}] * 2)[1] == (
        "Total size of the entries in the request is over the limit.")
    assert error_of(events.put_events, Entries=[
        {"Source": "s", "DetailType": "t", "Detail": "{}"}] * 11)[0] == "ValidationException"


def test_an_event_reaches_a_log_group_in_its_envelope(server, events, fresh):
    source = fresh("source")
    group = watched(server, events, fresh, {"source": [source], "detail": {"n": [7]}})
    put(events, source, {"n": 6})
    event_id = put(events, source, {"n": 7}, Resources=["r"])
    event = first(server, group)
    assert event["id"] == event_id and event["detail"] == {"n": 7}
    assert (event["version"], event["detail-type"], event["account"], event["region"],
            event["resources"]) == ("0", "t", ACCOUNT, "us-east-1", ["r"])
    assert len(event["time"]) == 20
    assert len(messages(server, group)) == 1


@pytest.mark.parametrize("target,expected", [
    ({"Input": '{"a": 1}'}, '{"a": 1}'),
    ({"InputPath": "$.detail"}, '{"name":"x \\"y\\"","list":[1,2],"inner":{"k":"v"}}'),
    ({"InputPath": "$.detail.list[1]"}, "2"),
    ({"InputTransformer": {"InputPathsMap": {"n": "$.detail.name"},
                           "InputTemplate": '{"said": <n>}'}}, '{"said": "x \\"y\\""}'),
    ({"InputTransformer": {"InputPathsMap": {"n": "$.detail.name", "none": "$.detail.none"},
                           "InputTemplate": '"<n> and <none>"'}}, '"x \\"y\\" and "'),
    ({"InputTransformer": {"InputPathsMap": {"l": "$.detail.list", "i": "$.detail.inner"},
                           "InputTemplate": '"<l> <i>"'}}, '"[1,2] {k:v}"'),
    ({"InputTransformer": {"InputTemplate": '"<aws.events.rule-name>"'}}, "RULE"),
])
def test_a_target_gets_what_it_asks_for(server, events, fresh, target, expected):
    source = fresh("source")
    group = watched(server, events, fresh, {"source": [source]}, **target)
    put(events, source, {"name": 'x "y"', "list": [1, 2], "inner": {"k": "v"}})
    got = wait_until(lambda: messages(server, group), "the input")[0]
    assert got == (f'"{group}"' if expected == "RULE" else expected)


def test_a_state_machine_is_started_as_the_targets_role(server, events, fresh):
    name = fresh("machine")
    states = server.aws("stepfunctions")
    may = role(server, fresh("may"), "states:StartExecution")
    machine = states.create_state_machine(name=name, definition=PASS, roleArn=may)[
        "stateMachineArn"]
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "m", "Arn": machine, "RoleArn": may}])
    put(events, name, {"n": 1})
    found = wait_until(lambda: states.list_executions(stateMachineArn=machine)["executions"],
                       "the execution")
    assert len(found) == 1
    told = states.describe_execution(executionArn=found[0]["executionArn"])
    assert json.loads(told["input"])["detail"] == {"n": 1}


def test_a_role_that_may_not_ends_in_the_dead_letter(server, events, fresh):
    name = fresh("denied")
    states = server.aws("stepfunctions")
    may_not = role(server, fresh("maynot"), "logs:PutLogEvents")
    machine = states.create_state_machine(name=name, definition=PASS, roleArn=may_not)[
        "stateMachineArn"]
    letters = fresh("letters")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{
        "Id": "m", "Arn": machine, "RoleArn": may_not,
        "DeadLetterConfig": {"Arn": log_group(server, letters)}}])
    put(events, name)
    letter = first(server, letters)
    assert letter["attributes"]["ERROR_CODE"] == "NO_PERMISSIONS"
    assert letter["attributes"]["TARGET_ARN"] == machine
    assert json.loads(letter["body"])["source"] == name
    assert states.list_executions(stateMachineArn=machine)["executions"] == []


def test_an_mqtt_topic_gets_the_input(server, events, fresh):
    name = fresh("topic")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{
        "Id": "t", "Arn": f"arn:aws:iot:us-east-1:{ACCOUNT}:topic/plant/{name}",
        "InputPath": "$.detail"}])
    with server.operator_mqtt().subscribe(f"plant/{name}") as subscription:
        put(events, name, {"n": 1})
        _, payload = subscription.wait_for(lambda *_: True, "the message")
        assert json.loads(payload) == {"n": 1}


def test_an_http_endpoint_gets_it_with_its_connection(server, events, endpoint, fresh):
    name = fresh("http")
    connection = events.create_connection(
        Name=name, AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "secret"}})
    made = events.create_api_destination(
        Name=name, ConnectionArn=connection["ConnectionArn"], HttpMethod="POST",
        InvocationEndpoint=f"http://{endpoint}/hook/*")
    assert made["ApiDestinationState"] == "ACTIVE"
    may = role(server, fresh("may"), "events:InvokeApiDestination")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{
        "Id": "h", "Arn": made["ApiDestinationArn"], "RoleArn": may, "InputPath": "$.detail",
        "HttpParameters": {"PathParameterValues": ["a b"], "HeaderParameters": {"X-Line": "3"},
                           "QueryStringParameters": {"q": "1"}}}])
    put(events, name, {"n": 1})
    call = wait_until(lambda: [one for one in Endpoint.seen if one[1] == "/hook/a%20b?q=1"],
                      "the call")[0]
    assert call[0] == "POST" and json.loads(call[3]) == {"n": 1}
    assert call[2]["X-Key"] == "secret" and call[2]["X-Line"] == "3"
    shown = events.describe_api_destination(Name=name)
    assert shown["InvocationEndpoint"].endswith("/hook/*") and shown["HttpMethod"] == "POST"
    assert [one["Name"] for one in events.list_api_destinations(NamePrefix=name)[
        "ApiDestinations"]] == [name]
    events.update_api_destination(Name=name, HttpMethod="PUT")
    assert events.describe_api_destination(Name=name)["HttpMethod"] == "PUT"
    events.delete_api_destination(Name=name)
    assert error_of(events.describe_api_destination, Name=name)[0] == "ResourceNotFoundException"


def test_a_bus_of_its_own_has_its_own_rules(server, events, fresh):
    name = fresh("bus")
    arn = events.create_event_bus(Name=name, Description="d",
                                  Tags=[{"Key": "k", "Value": "v"}])["EventBusArn"]
    assert events.describe_event_bus(Name=arn)["Name"] == name
    events.update_event_bus(Name=name, Description="e")
    assert events.describe_event_bus(Name=name)["Description"] == "e"
    assert name in [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]
    assert error_of(events.create_event_bus, Name=name)[0] == "ResourceAlreadyExistsException"
    group = fresh("log")
    target = log_group(server, group)
    rule = events.put_rule(Name="r", EventBusName=name, EventPattern=ALL)["RuleArn"]
    assert rule.endswith(f":rule/{name}/r")
    events.put_targets(Rule="r", EventBusName=name, Targets=[{"Id": "l", "Arn": target}])
    # From the default bus by a rule, and directly.
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "b", "Arn": arn}])
    event_id = put(events, name)
    assert first(server, group)["id"] == event_id
    put(events, "other", EventBusName=arn)
    wait_until(lambda: len(messages(server, group)) == 2, "the second event")
    assert error_of(events.delete_event_bus, Name=name)[0] == "ValidationException"
    events.remove_targets(Rule="r", EventBusName=name, Ids=["l"])
    events.delete_rule(Name="r", EventBusName=name)
    events.delete_event_bus(Name=name)
    events.delete_event_bus(Name=name)


def test_what_is_not_here_is_refused_by_name(events):
    for call, arguments in [(events.create_archive, {"ArchiveName": "a", "EventSourceArn": "arn"}),
                            (events.list_replays, {}), (events.list_endpoints, {})]:
        assert error_of(call, **arguments)[0] == "UnknownOperationException"


def test_a_state_machine_puts_events(server, events, fresh):
    source = fresh("source")
    group = watched(server, events, fresh, {"source": [source]})
    states = server.aws("stepfunctions")
    machine = states.create_state_machine(
        name=fresh("putter"), roleArn=role(server, fresh("r"), "events:PutEvents",
                                           service="states.amazonaws.com"),
        definition=json.dumps({"StartAt": "P", "States": {"P": {
            "Type": "Task", "Resource": "arn:aws:states:::events:putEvents", "End": True,
            "Parameters": {"Entries": [{"Source": source, "DetailType": "t",
                                        "Detail": {"n": 1}}]}}}}))["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    assert first(server, group)["detail"] == {"n": 1}
    wait_until(lambda: states.describe_execution(executionArn=execution)["status"] == "SUCCEEDED",
               "the execution")


def test_an_approval_is_an_event(server, events, fresh):
    group = watched(server, events, fresh, {
        "source": ["aws.sagemaker"], "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelApprovalStatus": ["Approved"]}})
    models, name = server.aws("sagemaker"), fresh("group")
    models.create_model_package_group(ModelPackageGroupName=name)
    made = models.create_model_package(ModelPackageGroupName=name,
                                       ModelApprovalStatus="PendingManualApproval")
    models.update_model_package(ModelPackageArn=made["ModelPackageArn"],
                                ModelApprovalStatus="Approved")
    event = first(server, group)
    assert event["resources"] == [made["ModelPackageArn"]]
    assert event["detail"]["ModelPackageGroupName"] == name
    assert event["detail"]["ModelPackageVersion"] == 1
    assert event["detail"]["ModelPackageStatus"] == "Completed"
    # At creation, too.
    models.create_model_package(ModelPackageGroupName=name, ModelApprovalStatus="Approved")
    wait_until(lambda: len(messages(server, group)) == 2, "the second event")


def test_executions_are_events(server, events, fresh):
    name = fresh("machine")
    states = server.aws("stepfunctions")
    machine = states.create_state_machine(
        name=name, definition=PASS, roleArn=f"arn:aws:iam::{ACCOUNT}:role/r")["stateMachineArn"]
    group = watched(server, events, fresh, {
        "source": ["aws.states"], "detail": {"stateMachineArn": [machine]}})
    states.start_execution(stateMachineArn=machine, input='{"a":1}')
    wait_until(lambda: len(messages(server, group)) == 2, "two events")
    told = [json.loads(message) for message in messages(server, group)]
    assert sorted(one["detail"]["status"] for one in told) == ["RUNNING", "SUCCEEDED"]
    end = next(one for one in told if one["detail"]["status"] == "SUCCEEDED")
    assert end["detail-type"] == "Step Functions Execution Status Change"
    assert end["detail"]["input"] == '{"a":1}' and end["detail"]["output"] == '{"a":1}'
    assert end["detail"]["stopDate"] >= end["detail"]["startDate"]


def test_objects_are_events_of_buckets_that_tell(server, events, fresh):
    s3, bucket, silent = server.aws("s3"), fresh("bucket"), fresh("bucket")
    group = watched(server, events, fresh, {
        "source": ["aws.s3"], "detail": {"bucket": {"name": [bucket, silent]}}})
    for one in (bucket, silent):
        s3.create_bucket(Bucket=one)
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    for one in (silent, bucket):
        s3.put_object(Bucket=one, Key="a/b.png", Body=b"123")
    s3.delete_object(Bucket=bucket, Key="a/b.png")
    wait_until(lambda: len(messages(server, group)) == 2, "two events")
    told = {one["detail-type"]: one for one in map(json.loads, messages(server, group))}
    made = told["Object Created"]["detail"]
    assert made["bucket"] == {"name": bucket} and made["reason"] == "PutObject"
    assert made["object"]["key"] == "a/b.png" and made["object"]["size"] == 3
    assert told["Object Deleted"]["resources"] == [f"arn:aws:s3:::{bucket}"]


def test_devices_that_come_and_go_are_events(server, events, fresh, tmp_path):
    thing = fresh("device")
    server.aws("iot").create_thing(thingName=thing)
    group = watched(server, events, fresh, {
        "source": ["andon.devices"], "detail": {"thingName": [thing]}})
    device = server.device(thing, tmp_path)
    line = Mqtt(server, device.certificate, device.key, client_id=thing)
    with line.subscribe(f"$aws/things/{thing}/jobs/notify"):
        assert first(server, group)["detail"]["state"] == "connected"
    wait_until(lambda: [one for one in messages(server, group)
                        if json.loads(one)["detail"]["state"] == "gone"], "the device to go")


def test_deployments_components_and_health_of_devices_are_events(server, events, fresh, tmp_path):
    thing, name = fresh("line"), f"com.ex.{fresh('app')}"
    greengrass, iot = server.aws("greengrassv2"), server.aws("iot")
    greengrass.create_component_version(inlineRecipe=json.dumps({
        "RecipeFormatVersion": "2020-01-25", "ComponentName": name, "ComponentVersion": "1.0.0",
        "Manifests": [{"Lifecycle": {"Run": "true"}}]}))
    played = PlayedDevice(server, thing, tmp_path)
    arn = iot.describe_thing(thingName=thing)["thingArn"]
    core = f"arn:aws:greengrass:us-east-1:{ACCOUNT}:coreDevices:{thing}"
    group = watched(server, events, fresh, {"source": ["aws.greengrass"], "resources": [core]})
    health = watched(server, events, fresh, {
        "source": ["andon.devices"], "resources": [arn], "detail": {"state": ["unhealthy"]}})
    job = greengrass.create_deployment(
        targetArn=arn, components={name: {"componentVersion": "1.0.0"}})["deploymentId"]
    assert played.update(job, "FAILED", statusDetails={
        "deployment-failure-cause": "the artifact is damaged",
        "deployment-error-stack": '["DEPLOYMENT_FAILURE"]',
        "deployment-error-types": '["COMPONENT_ERROR"]'})[0] == "accepted"
    event = first(server, group)
    assert event["detail-type"] == "Greengrass V2 Effective Deployment Status Change"
    assert event["detail"] == {
        "deployment-id": job, "coreDeviceExecutionStatus": "FAILED",
        "reason": "the artifact is damaged",
        "statusDetails": {"errorStack": ["DEPLOYMENT_FAILURE"],
                          "errorTypes": ["COMPONENT_ERROR"]}}
    assert played.mqtt.publish(f"{played.prefix}greengrassv2/health/json", {
        "ggcVersion": "0.1.0", "platform": "linux", "architecture": "amd64", "thing": thing,
        "sequenceNumber": 1, "timestamp": 1795343928953, "messageType": "COMPLETE",
        "trigger": "COMPONENT_STATUS_CHANGE", "overallDeviceStatus": "UNHEALTHY",
        "components": [{"componentName": name, "version": "1.0.0", "isRoot": True,
                        "status": "BROKEN"}]})
    assert first(server, health)["detail"]["thingName"] == thing
    wait_until(lambda: len(messages(server, group)) == 2, "the component's event")
    told = next(one for one in map(json.loads, messages(server, group))
                if one["detail-type"] == "Greengrass V2 Installed Component Status Change")
    assert [(one["componentName"], one["lifecycleState"])
            for one in told["detail"]["components"]] == [(name, "BROKEN")]


def test_nothing_is_lost_when_the_server_is_killed(tmp_path, fresh):
    """Killed at moments of chance while events come in: each that was taken is delivered."""
    server = Server(tmp_path / "data")
    with server:
        events = server.aws("events")
        name = fresh("kept")
        arn = log_group(server, name)
        events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
        events.put_targets(Rule=name, Targets=[{"Id": "l", "Arn": arn, "InputPath": "$.id"}])
        taken = []
        for _ in range(4):
            killer = threading.Timer(uuid.uuid4().int % 400 / 1000, server.process.send_signal,
                                     [signal.SIGKILL])
            killer.start()
            client = server.aws("events")
            while server.process.poll() is None:
                try:
                    taken.append(put(client, name))
                except botocore.exceptions.BotoCoreError:
                    break
            killer.join()
            server.process.wait()
            server.start()
        assert taken
        wait_until(lambda: set(taken) <= {json.loads(one) for one in messages(server, name)},
                   "all events")
