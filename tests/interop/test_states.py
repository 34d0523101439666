# SPDX-License-Identifier: Apache-2.0
"""Step Functions as boto3 uses it: machines, executions, activities, and what is refused."""
import gzip
import json

import pytest

from aws_client import code_and_message
from harness import wait_until

ROLE = "arn:aws:iam::000000000000:role/andon-workflows"


@pytest.fixture(scope="module", autouse=True)
def rights(server):
    server.let_workflows("iot:CreateThing")


@pytest.fixture
def states(server):
    return server.aws("stepfunctions")


def machine_of(*states, **more):
    """A definition whose states follow each other: ("A", {...}), ("B", {...})."""
    names = [name for name, _ in states]
    made = {}
    for (name, state), following in zip(states, names[1:] + [None]):
        ends = state["Type"] in ("Succeed", "Fail", "Choice")
        made[name] = state if ends else {**state, **({"Next": following} if following else
                                                     {"End": True})}
    return json.dumps({"StartAt": names[0], "States": made, **more})


PASS = machine_of(("A", {"Type": "Pass"}))


@pytest.fixture
def make(states, fresh):
    def create(definition=PASS, **more):
        return states.create_state_machine(name=fresh("machine"), definition=definition,
                                           roleArn=ROLE, **more)["stateMachineArn"]
    return create


def ended(states, arn):
    return wait_until(
        lambda: (d := states.describe_execution(executionArn=arn))["status"] != "RUNNING" and d,
        "the end of the execution")


def types(states, arn):
    pages = states.get_paginator("get_execution_history").paginate(
        executionArn=arn, PaginationConfig={"PageSize": 3})
    return [event["type"] for page in pages for event in page["events"]]


def test_a_machine_is_described_as_it_was_made(states, fresh):
    name = fresh("machine")
    made = states.create_state_machine(name=name, definition=PASS, roleArn=ROLE,
                                       tags=[{"key": "line", "value": "1"}])
    assert made["stateMachineArn"].endswith(":stateMachine:" + name)
    assert "stateMachineVersionArn" not in made
    told = states.describe_state_machine(stateMachineArn=made["stateMachineArn"])
    assert told["definition"] == PASS and told["type"] == "STANDARD"
    assert told["status"] == "ACTIVE" and "revisionId" not in told
    assert told["loggingConfiguration"] == {"level": "OFF", "includeExecutionData": False}
    again = states.create_state_machine(name=name, definition=PASS, roleArn=ROLE + "2")
    assert again["creationDate"] == made["creationDate"]
    assert code_and_message(states.create_state_machine, name=name, definition=PASS + " ",
                   roleArn=ROLE)[0] == "StateMachineAlreadyExists"
    assert states.list_tags_for_resource(resourceArn=made["stateMachineArn"])["tags"] == [
        {"key": "line", "value": "1"}]


def test_what_is_wrong_with_a_request_is_said_in_aws_words(states, make):
    arn = make()
    assert code_and_message(states.list_executions, stateMachineArn=arn, maxResults=1001) == (
        "ValidationException",
        "1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: "
        "Member must have value less than or equal to 1000")
    assert code_and_message(states.describe_state_machine, stateMachineArn="x") == (
        "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: x'")
    assert code_and_message(states.start_execution, stateMachineArn=arn + "x")[0] == (
        "StateMachineDoesNotExist")
    assert code_and_message(states.start_execution, stateMachineArn=arn, name="a b") == (
        "InvalidName", "Invalid Name: 'a b'")
    assert code_and_message(states.start_execution, stateMachineArn=arn, input="") == (
        "InvalidExecutionInput",
        "Invalid State Machine Execution Input: 'Invalid execution input.'")
    assert code_and_message(states.update_state_machine, stateMachineArn=arn) == (
        "MissingRequiredParameter",
        "Either the definition, the role ARN, the LoggingConfiguration, or the "
        "TracingConfiguration must be specified")
    code, message = code_and_message(states.create_state_machine, name="bad", roleArn=ROLE,
                            definition='{"StartAt": "A", "States": {}}')
    assert code == "InvalidDefinition" and "Invalid State Machine Definition: '" in message
    assert code_and_message(states.list_executions, stateMachineArn=arn, nextToken="bm90aGluZw")[0] == (
        "InvalidToken")


def test_an_execution_runs_and_tells_its_history(states, make):
    arn = make(machine_of(("A", {"Type": "Pass", "Result": {"b": 2}, "ResultPath": "$.more"}),
                          ("B", {"Type": "Succeed"})))
    started = states.start_execution(stateMachineArn=arn, input='{"a": 1}', name="one")
    assert started["executionArn"] == arn.replace(":stateMachine:", ":execution:") + ":one"
    told = ended(states, started["executionArn"])
    assert told["status"] == "SUCCEEDED" and told["input"] == '{"a": 1}'
    assert json.loads(told["output"]) == {"a": 1, "more": {"b": 2}}
    assert told["startDate"] == started["startDate"] and told["redriveStatus"] == "NOT_REDRIVABLE"
    assert types(states, started["executionArn"]) == [
        "ExecutionStarted", "PassStateEntered", "PassStateExited", "SucceedStateEntered",
        "SucceedStateExited", "ExecutionSucceeded"]
    backwards = states.get_execution_history(executionArn=started["executionArn"],
                                             reverseOrder=True)["events"]
    assert [event["id"] for event in backwards] == [6, 5, 4, 3, 2, 1]
    assert states.describe_state_machine_for_execution(
        executionArn=started["executionArn"])["stateMachineArn"] == arn


def test_executions_are_listed_newest_first_and_by_status(states, make):
    arn = make(machine_of(("W", {"Type": "Wait", "Seconds": 3600})))
    running = [states.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(3)]
    states.stop_execution(executionArn=running[1], error="Halt", cause="asked for")
    pages = states.get_paginator("list_executions").paginate(
        stateMachineArn=arn, PaginationConfig={"PageSize": 2})
    listed = [e for page in pages for e in page["executions"]]
    assert [e["executionArn"] for e in listed] == [running[1], running[2], running[0]]
    aborted = states.list_executions(stateMachineArn=arn, statusFilter="ABORTED")["executions"]
    assert [e["executionArn"] for e in aborted] == [running[1]]
    told = states.describe_execution(executionArn=running[1])
    assert (told["status"], told["error"], told["cause"]) == ("ABORTED", "Halt", "asked for")
    assert told["redriveStatus"] == "REDRIVABLE"


def test_an_update_makes_a_revision_and_running_executions_keep_theirs(states, make, fresh):
    activity = states.create_activity(name=fresh("activity"))["activityArn"]
    task = machine_of(("T", {"Type": "Task", "Resource": activity}))
    arn = make(task)
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]
    revision = states.update_state_machine(stateMachineArn=arn, definition=PASS)["revisionId"]
    assert states.describe_state_machine(stateMachineArn=arn)["revisionId"] == revision
    assert states.update_state_machine(stateMachineArn=arn, definition=PASS)[
        "revisionId"] == revision
    assert states.describe_state_machine_for_execution(executionArn=execution)[
        "definition"] == task
    assert ended(states, states.start_execution(stateMachineArn=arn)["executionArn"])[
        "status"] == "SUCCEEDED"


def test_versions_and_aliases_choose_what_runs(states, make, fresh):
    arn = make(machine_of(("A", {"Type": "Pass", "Result": 1})), publish=True)
    one = arn + ":1"
    states.update_state_machine(stateMachineArn=arn, publish=True,
                                definition=machine_of(("A", {"Type": "Pass", "Result": 2})))
    two = arn + ":2"
    assert states.publish_state_machine_version(stateMachineArn=arn)[
        "stateMachineVersionArn"] == two
    versions = states.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    assert [v["stateMachineVersionArn"] for v in versions] == [two, one]
    alias = states.create_state_machine_alias(
        name="PROD", routingConfiguration=[{"stateMachineVersionArn": one, "weight": 100}])[
            "stateMachineAliasArn"]
    assert alias == arn + ":PROD"
    execution = states.start_execution(stateMachineArn=alias)["executionArn"]
    told = ended(states, execution)
    assert told["output"] == "1" and told["stateMachineVersionArn"] == one
    assert told["stateMachineAliasArn"] == alias
    states.update_state_machine_alias(
        stateMachineAliasArn=alias,
        routingConfiguration=[{"stateMachineVersionArn": two, "weight": 100}])
    assert ended(states, states.start_execution(stateMachineArn=alias)["executionArn"])[
        "output"] == "2"
    assert code_and_message(states.delete_state_machine_version, stateMachineVersionArn=two) == (
        "ConflictException",
        "Version to be deleted must not be referenced by an alias. Current list of aliases "
        "referencing this version: [PROD]")
    assert code_and_message(states.create_state_machine_alias, name="BAD", routingConfiguration=[
        {"stateMachineVersionArn": one, "weight": 70},
        {"stateMachineVersionArn": two, "weight": 29}]) == (
            "ValidationException",
            "Sum of routing configuration weights must equal 100. Received: [70, 29]")
    assert [e["executionArn"] for e in states.list_executions(stateMachineArn=one)[
        "executions"]] == [execution]
    states.delete_state_machine_alias(stateMachineAliasArn=alias)
    states.delete_state_machine_version(stateMachineVersionArn=two)
    assert code_and_message(states.describe_state_machine_alias, stateMachineAliasArn=alias)[0] == (
        "ResourceNotFound")


def test_a_worker_does_the_task_of_an_activity(states, make, fresh):
    activity = states.create_activity(name=fresh("activity"))["activityArn"]
    arn = make(machine_of(("T", {"Type": "Task", "Resource": activity, "HeartbeatSeconds": 60})))
    execution = states.start_execution(stateMachineArn=arn, input='{"n": 1}')["executionArn"]
    task = states.get_activity_task(activityArn=activity, workerName="bench")
    assert json.loads(task["input"]) == {"n": 1}
    states.send_task_heartbeat(taskToken=task["taskToken"])
    states.send_task_success(taskToken=task["taskToken"], output='{"n": 2}')
    assert ended(states, execution)["output"] == '{"n":2}'
    assert code_and_message(states.send_task_success, taskToken=task["taskToken"], output="1") == (
        "TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
    assert types(states, execution) == [
        "ExecutionStarted", "TaskStateEntered", "ActivityScheduled", "ActivityStarted",
        "ActivitySucceeded", "TaskStateExited", "ExecutionSucceeded"]
    assert any(a["activityArn"] == activity for a in states.list_activities()["activities"])
    states.delete_activity(activityArn=activity)
    assert code_and_message(states.get_activity_task, activityArn=activity)[0] == "ActivityDoesNotExist"


def test_an_express_machine_answers_with_its_outcome(states, make):
    arn = make(machine_of(("A", {"Type": "Fail", "Error": "E", "Cause": "C"})), type="EXPRESS")
    told = states.start_sync_execution(stateMachineArn=arn, input="{}")
    assert (told["status"], told["error"], told["cause"]) == ("FAILED", "E", "C")
    assert told["billingDetails"]["billedDurationInMilliseconds"] % 100 == 0
    assert code_and_message(states.list_executions, stateMachineArn=arn)[0] == (
        "StateMachineTypeNotSupported")
    assert code_and_message(states.describe_execution, executionArn=told["executionArn"]) == (
        "InvalidArn", "Invalid Arn: 'Resource type not valid in this context: express'")
    assert code_and_message(states.start_sync_execution, stateMachineArn=make())[0] == (
        "StateMachineTypeNotSupported")


def test_a_deleted_machine_ends_its_executions(states, make):
    arn = make(machine_of(("W", {"Type": "Wait", "Seconds": 3600})))
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]
    states.delete_state_machine(stateMachineArn=arn)
    assert ended(states, execution)["status"] == "ABORTED"
    machines = states.get_paginator("list_state_machines")
    wait_until(lambda: arn not in {m["stateMachineArn"] for page in machines.paginate()
                                   for m in page["stateMachines"]}, "the machine's end")
    assert code_and_message(states.describe_state_machine, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"
    states.delete_state_machine(stateMachineArn=arn)


def test_a_definition_is_checked_without_being_kept(states):
    good = states.validate_state_machine_definition(definition=PASS)
    assert (good["result"], good["diagnostics"]) == ("OK", [])
    bad = states.validate_state_machine_definition(definition='{"StartAt": "A", "States": {}}')
    assert bad["result"] == "FAIL" and bad["diagnostics"]


def run(states, make, definition, input="{}", **more):
    execution = states.start_execution(stateMachineArn=make(definition, **more), input=input)
    return ended(states, execution["executionArn"])


def task(resource, parameters, **more):
    return {"Type": "Task", "Resource": "arn:aws:states:::" + resource, "Parameters": parameters,
            **more}


def test_a_task_calls_any_operation_of_the_table(states, make, server, fresh):
    thing, group = fresh("thing"), fresh("group")
    told = run(states, make, machine_of(
        ("Thing", task("aws-sdk:iot:createThing", {
            "ThingName": thing, "AttributePayload": {"Attributes": {"Line.A": "1"}}})),
        ("Look", task("aws-sdk:iot:describeThing", {"ThingName": thing})),
    ))
    assert told["status"] == "SUCCEEDED", told
    output = json.loads(told["output"])
    assert output["ThingName"] == thing and output["Attributes"] == {"Line.A": "1"}
    assert server.aws("iot").describe_thing(thingName=thing)["thingArn"] == output["ThingArn"]
    told = run(states, make, machine_of(
        ("Look", task("aws-sdk:iot:describeThing", {"ThingName": group}, Catch=[
            {"ErrorEquals": ["Iot.ResourceNotFoundException"], "Next": "Caught"}])),
        ("Caught", {"Type": "Pass"})))
    caught = json.loads(told["output"])
    assert caught["Error"] == "Iot.ResourceNotFoundException"
    assert "(Service: Iot, Status Code: 404, Request ID: " in caught["Cause"]


def test_a_resource_that_nobody_has_is_refused_when_the_machine_is_made(states, make):
    code, message = code_and_message(make, definition=machine_of(
        ("A", task("aws-sdk:iot:makeCoffee", {}))))
    assert code == "InvalidDefinition" and "aws-sdk:iot:makeCoffee is not recognized" in message


def test_objects_are_written_and_read_by_states(states, make, server, fresh):
    bucket = fresh("bucket")
    server.aws("s3").create_bucket(Bucket=bucket)
    told = run(states, make, machine_of(
        ("Put", task("aws-sdk:s3:putObject", {"Bucket": bucket, "Key": "a", "Body": "text data"})),
        ("Get", task("aws-sdk:s3:getObject", {"Bucket": bucket, "Key": "a"}))))
    output = json.loads(told["output"])
    assert output["Body"] == '"text data"' and output["ContentLength"] == 11
    told = run(states, make, machine_of(
        ("Get", task("aws-sdk:s3:getObject", {"Bucket": bucket, "Key": "b"}))))
    assert told["error"] == "S3.NoSuchKeyException"


def test_a_machine_runs_another_and_waits_for_it(states, make):
    inner = make(machine_of(("A", {"Type": "Pass", "Result": {"x": 1}})))
    failing = make(machine_of(("A", {"Type": "Fail", "Error": "E", "Cause": "C"})))
    parameters = {"StateMachineArn": inner, "Input": {"from": "outside"}}
    told = run(states, make, machine_of(("R", task("states:startExecution.sync:2", parameters))))
    output = json.loads(told["output"])
    assert output["Output"] == {"x": 1} and output["Input"] == {"from": "outside"}
    assert types(states, told["executionArn"]) == [
        "ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted",
        "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded"]
    told = run(states, make, machine_of(("R", task("states:startExecution.sync", parameters))))
    assert json.loads(told["output"])["Output"] == '{"x":1}'
    told = run(states, make, machine_of(
        ("R", task("states:startExecution.sync:2", {"StateMachineArn": failing}))))
    assert told["error"] == "States.TaskFailed" and json.loads(told["cause"])["Error"] == "E"
    told = run(states, make, machine_of(
        ("R", task("states:startExecution", {"StateMachineArn": inner + "x"}))))
    assert told["error"] == "StepFunctions.StateMachineDoesNotExistException"


def test_stopping_the_parent_stops_the_child(states, make):
    inner = make(machine_of(("W", {"Type": "Wait", "Seconds": 3600})))
    outer = make(machine_of(
        ("R", task("states:startExecution.sync", {"StateMachineArn": inner}))))
    execution = states.start_execution(stateMachineArn=outer)["executionArn"]
    child = wait_until(lambda: states.list_executions(stateMachineArn=inner)["executions"],
                       "the child")[0]["executionArn"]
    states.stop_execution(executionArn=execution)
    assert ended(states, child)["status"] == "ABORTED"


def test_a_token_is_given_to_the_call_and_ends_its_task(states, make, server, fresh):
    thing = fresh("thing")
    definition = machine_of(("T", task(
        "aws-sdk:iot:createThing.waitForTaskToken",
        {"ThingName": thing, "AttributePayload": {"Attributes": {"token.$": "$$.Task.Token"}}})))
    execution = states.start_execution(stateMachineArn=make(definition))["executionArn"]
    wait_until(lambda: "TaskSubmitted" in types(states, execution), "the call")
    token = server.aws("iot").describe_thing(thingName=thing)["attributes"]["token"]
    states.send_task_success(taskToken=token, output='{"ok": true}')
    assert ended(states, execution)["output"] == '{"ok":true}'


def distributed(states_inside, **more):
    return {"Type": "Map", "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        **json.loads(machine_of(*states_inside))}, **more}


def test_a_distributed_map_reads_and_writes_objects(states, make, server, fresh):
    bucket = fresh("bucket")
    s3 = server.aws("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="items.jsonl",
                  Body="".join(f'{{"n": {n}}}\n' for n in range(2500)))
    told = run(states, make, machine_of(("M", distributed(
        [("P", {"Type": "Pass"})], Label="Work", MaxConcurrency=200,
        ItemReader={"Resource": "arn:aws:states:::s3:getObject",
                    "ReaderConfig": {"InputType": "JSONL"},
                    "Parameters": {"Bucket": bucket, "Key": "items.jsonl"}},
        ResultWriter={"Resource": "arn:aws:states:::s3:putObject",
                      "Parameters": {"Bucket": bucket, "Prefix": "out"}}))))
    assert told["status"] == "SUCCEEDED", told
    output = json.loads(told["output"])
    manifest = json.loads(s3.get_object(**{k: output["ResultWriterDetails"][k] for k in
                                           ("Bucket", "Key")})["Body"].read())
    results = [r for file in manifest["ResultFiles"]["SUCCEEDED"] for r in json.loads(
        s3.get_object(Bucket=bucket, Key=file["Key"])["Body"].read())]
    assert sorted(json.loads(r["Output"])["n"] for r in results) == list(range(2500))
    run_arn = states.list_map_runs(executionArn=told["executionArn"])["mapRuns"][0]["mapRunArn"]
    assert run_arn == output["MapRunArn"] and "/Work:" in run_arn
    described = states.describe_map_run(mapRunArn=run_arn)
    assert described["status"] == "SUCCEEDED"
    assert described["itemCounts"]["succeeded"] == described["itemCounts"]["total"] == 2500
    children = states.list_executions(mapRunArn=run_arn, maxResults=3)["executions"]
    assert len(children) == 3 and children[0]["mapRunArn"] == run_arn


def test_a_distributed_map_reads_what_an_inventory_names(states, make, server, fresh):
    bucket = fresh("bucket")
    s3 = server.aws("s3")
    s3.create_bucket(Bucket=bucket)
    for n in (1, 2):
        s3.put_object(Bucket=bucket, Key=f"data/{n}.csv.gz", Body=gzip.compress(
            "".join(f'"from","key-{n}-{row}"\n' for row in range(3)).encode()))
    s3.put_object(Bucket=bucket, Key="manifest.json", Body=json.dumps({
        "sourceBucket": "from", "destinationBucket": f"arn:aws:s3:::{bucket}",
        "fileFormat": "CSV", "fileSchema": "Bucket, Key",
        "files": [{"key": "data/1.csv.gz", "size": 1}, {"key": "data/2.csv.gz", "size": 1}]}))

    def told(config, key):
        return run(states, make, machine_of(("M", distributed(
            [("P", {"Type": "Pass"})],
            ItemReader={"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": config,
                        "Parameters": {"Bucket": bucket, "Key": key}}))))

    inventory = told({"InputType": "MANIFEST"}, "manifest.json")
    assert inventory["status"] == "SUCCEEDED", inventory
    assert json.loads(inventory["output"]) == [
        {"Bucket": "from", "Key": f"key-{n}-{row}"} for n in (1, 2) for row in range(3)]
    few = told({"InputType": "MANIFEST", "MaxItems": 4}, "manifest.json")
    assert [item["Key"] for item in json.loads(few["output"])] == [
        "key-1-0", "key-1-1", "key-1-2", "key-2-0"]
    s3.put_object(Bucket=bucket, Key="list.csv", Body=f"s3://{bucket}/data/2.csv.gz\n")
    listed = told({"InputType": "CSV", "ManifestType": "ATHENA_DATA",
                   "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["b", "k"]}, "list.csv")
    assert [item["k"] for item in json.loads(listed["output"])] == [
        f"key-2-{row}" for row in range(3)]


def test_a_failing_child_fails_the_map_and_ends_the_others(states, make):
    told = run(states, make, machine_of(("M", distributed(
        [("C", {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "F"}],
                "Default": "W"}),
         ("F", {"Type": "Fail", "Error": "E"}), ("W", {"Type": "Wait", "Seconds": 3600})]))),
        input="[0, 1, 2]")
    assert told["status"] == "FAILED"
    assert told["error"] == "States.ExceedToleratedFailureThreshold"
    run_arn = states.list_map_runs(executionArn=told["executionArn"])["mapRuns"][0]["mapRunArn"]
    assert states.describe_map_run(mapRunArn=run_arn)["status"] == "FAILED"
    wait_until(lambda: not states.list_executions(mapRunArn=run_arn, statusFilter="RUNNING")[
        "executions"], "the children's end")


def test_a_failed_execution_is_redriven_from_where_it_failed(states, make, server, fresh):
    thing = fresh("thing")
    arn = make(machine_of(
        ("A", {"Type": "Pass", "Assign": {"kept": "yes"}, "Result": {"from": "A"}}),
        ("T", task("aws-sdk:iot:describeThing", {"ThingName": thing},
                   ResultSelector={"name.$": "$.ThingName", "kept.$": "$kept",
                                   "redrives.$": "$$.Execution.RedriveCount"}))))
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]
    assert ended(states, execution)["redriveStatus"] == "REDRIVABLE"
    server.aws("iot").create_thing(thingName=thing)
    redriven = states.redrive_execution(executionArn=execution, clientToken="once")
    told = ended(states, execution)
    assert told["status"] == "SUCCEEDED" and told["redriveCount"] == 1
    assert told["redriveDate"] == redriven["redriveDate"]
    assert json.loads(told["output"]) == {"name": thing, "kept": "yes", "redrives": 1}
    assert states.redrive_execution(executionArn=execution, clientToken="once")[
        "redriveDate"] == redriven["redriveDate"]
    assert types(states, execution) == [
        "ExecutionStarted", "PassStateEntered", "PassStateExited", "TaskStateEntered",
        "TaskScheduled", "TaskStarted", "TaskFailed", "ExecutionFailed", "ExecutionRedriven",
        "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited",
        "ExecutionSucceeded"]
    assert code_and_message(states.redrive_execution, executionArn=execution) == (
        "ExecutionNotRedrivable", "Execution is SUCCEEDED and cannot be redriven")
    listed = states.list_executions(stateMachineArn=arn, redriveFilter="REDRIVEN")["executions"]
    assert [e["executionArn"] for e in listed] == [execution]


def test_a_map_run_is_given_new_limits_while_it_runs(states, make):
    arn = make(machine_of(("M", distributed(
        [("W", {"Type": "Wait", "Seconds": 3600})], MaxConcurrency=1))))
    execution = states.start_execution(stateMachineArn=arn, input="[1, 2, 3]")["executionArn"]
    run_arn = wait_until(lambda: states.list_map_runs(executionArn=execution)["mapRuns"],
                         "the map run")[0]["mapRunArn"]

    def running():
        return len(states.list_executions(mapRunArn=run_arn, statusFilter="RUNNING")["executions"])
    wait_until(lambda: running() == 1, "the first child")
    states.update_map_run(mapRunArn=run_arn, maxConcurrency=3, toleratedFailureCount=2)
    wait_until(lambda: running() == 3, "the other children")
    described = states.describe_map_run(mapRunArn=run_arn)
    assert described["maxConcurrency"] == 3 and described["toleratedFailureCount"] == 2
    states.stop_execution(executionArn=execution)
    wait_until(lambda: running() == 0, "the children's end")
    assert states.describe_map_run(mapRunArn=run_arn)["status"] == "ABORTED"
    error = code_and_message(states.update_map_run, mapRunArn=run_arn, maxConcurrency=1)
    assert error[0] == "ValidationException"


def test_a_number_that_would_change_is_refused_and_others_come_out_as_they_went_in(states, make):
    arn = make()
    exact = '{"largest":18446744073709551615,"least":-9223372036854775808,"tenth":0.1}'
    started = states.start_execution(stateMachineArn=arn, input=exact)["executionArn"]
    assert ended(states, started)["output"] == exact
    for number in ("1e400", "18446744073709551616", "-9223372036854775809"):
        code, message = code_and_message(states.start_execution, stateMachineArn=arn,
                                input=f'{{"a": {number}}}')
        assert code == "InvalidExecutionInput" and number in message
        definition = machine_of(("A", {"Type": "Pass", "Result": 0})).replace(": 0", f": {number}")
        code, message = code_and_message(make, definition=definition)
        assert code == "InvalidDefinition" and number in message
