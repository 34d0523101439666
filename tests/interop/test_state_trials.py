# SPDX-License-Identifier: Apache-2.0
"""TestState as boto3 uses it: one state by itself, against the server or a mock."""
import json

import botocore.exceptions
import pytest

from harness import checked

ROLE = "arn:aws:iam::000000000000:role/andon-workflows"
CALL = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iot:describeThing", "End": True,
        "Parameters": {"ThingName.$": "$.name"}}
PASS = {"Type": "Pass", "End": True}
BRANCH = {"StartAt": "P", "States": {"P": PASS}}
MAP = {"Type": "Map", "End": True, "ItemProcessor": BRANCH}


@pytest.fixture
def trial(server):
    states = checked(server.aws("stepfunctions"))

    def run(state, **arguments):
        answer = states.test_state(definition=json.dumps(state), **arguments)
        answer.pop("ResponseMetadata")
        return answer
    return run


@pytest.fixture
def refusal(trial):
    def run(state, **arguments):
        with pytest.raises(botocore.exceptions.ClientError) as raised:
            trial(state, **arguments)
        error = raised.value.response["Error"]
        return error["Code"], error["Message"]
    return run


def test_a_state_is_run_by_itself(trial):
    assert trial({"Type": "Pass", "Result": {"x": 1}, "ResultPath": "$.r", "Next": "N"},
                 input='{"a":1}') == {
        "status": "SUCCEEDED", "output": '{"a":1,"r":{"x":1}}', "nextState": "N"}
    assert trial({"Type": "Fail", "Error": "E", "Cause": "c"}) == {
        "status": "FAILED", "error": "E", "cause": "c"}
    told = trial({"Type": "Wait", "Seconds": 1, "End": True}, inspectionLevel="DEBUG")
    assert told["status"] == "SUCCEEDED" and told["inspectionData"]["input"] == "{}"


def test_a_task_makes_its_call(trial, server, fresh):
    name = fresh("thing")
    server.aws("iot").create_thing(thingName=name)
    told = trial(CALL, input=json.dumps({"name": name}), roleArn=ROLE, inspectionLevel="DEBUG")
    assert told["status"] == "SUCCEEDED", told
    assert json.loads(told["output"])["ThingName"] == name
    assert json.loads(told["inspectionData"]["afterParameters"]) == {"ThingName": name}
    told = trial({**CALL, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}]},
                 input='{"name": "nobody"}', roleArn=ROLE, inspectionLevel="TRACE")
    assert told["status"] == "CAUGHT_ERROR" and told["nextState"] == "C"
    assert told["error"] == "Iot.ResourceNotFoundException"
    assert told["inspectionData"]["errorDetails"] == {"catchIndex": 0}
    told = trial({**CALL, "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 4}]},
                 input='{"name": "nobody"}', roleArn=ROLE, inspectionLevel="DEBUG",
                 stateConfiguration={"retrierRetryCount": 1})
    assert told["status"] == "RETRIABLE"
    assert told["inspectionData"]["errorDetails"] == {
        "retryIndex": 0, "retryBackoffIntervalSeconds": 8}


def test_a_mock_stands_in_the_place_of_the_call(trial):
    told = trial({**CALL, "Resource": "arn:aws:states:::states:startExecution.sync:2",
                  "Parameters": {"Name.$": "$$.Execution.Name"}},
                 mock={"result": '{"Output": 1}'}, inspectionLevel="DEBUG",
                 context='{"Execution": {"Name": "e"}, "Task": {"Token": "t"}}')
    assert told["output"] == '{"Output":1}'
    assert told["inspectionData"]["afterParameters"] == '{"Name":"e"}'
    told = trial(CALL, input='{"name": "x"}', mock={"errorOutput": {"error": "E", "cause": "c"}})
    assert told == {"status": "FAILED", "error": "E", "cause": "c"}
    told = trial(MAP, input="[1,2]", mock={"result": '["a","b"]'}, inspectionLevel="DEBUG")
    assert told["output"] == '["a","b"]'
    assert told["inspectionData"]["afterItemsPath"] == "[1,2]"
    machine = {"StartAt": "A", "States": {"A": {"Type": "Parallel", "Branches": [BRANCH],
                                                "Next": "B"}, "B": PASS}}
    assert trial(machine, stateName="A", mock={"result": "[7]"})["nextState"] == "B"
    reader = {**MAP, "ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
                                    "ReaderConfig": {"InputType": "JSONL"},
                                    "Parameters": {"Bucket": "b", "Key": "k"}}}
    reader["ItemProcessor"] = {**BRANCH, "ProcessorConfig": {"Mode": "DISTRIBUTED",
                                                             "ExecutionType": "STANDARD"}}
    told = trial(reader, mock={"result": "[1]"}, inspectionLevel="DEBUG",
                 stateConfiguration={"mapItemReaderData": '{"n":1}\n{"n":2}\n'})
    assert told["inspectionData"]["afterItemsPath"] == '[{"n":1},{"n":2}]'


def test_what_is_wrong_with_a_trial_is_said_in_aws_words(refusal):
    invalid = "ValidationException"
    result = {"result": "[]"}
    assert refusal(MAP) == (
        "InvalidDefinition", "TestState API does not support Map or Parallel states. Supported "
        "state types include: [Task, Wait, Pass, Succeed, Fail, Choice]")
    assert refusal({**CALL, "Resource": "arn:aws:states:us-east-1:000000000000:activity:a"},
                   roleArn=ROLE)[0] == "InvalidDefinition"
    assert refusal(PASS, mock=result) == (
        invalid, "State type 'Pass' is not supported when a mock is specified")
    assert refusal(CALL) == (invalid, "RoleArn must be specified when testing a Task state")
    assert refusal(CALL, mock={"result": "1", "errorOutput": {"error": "E"}}) == (
        invalid,
        "A test mock should have only one of the following fields: [result, errorOutput].")
    assert refusal(CALL, mock={"result": "{"}) == (invalid, "Mocked result must be valid JSON")
    assert refusal(MAP, mock={"result": "{}"}) == (invalid, "Mocked result must be an array.")
    assert refusal({"Type": "Parallel", "Branches": [BRANCH], "End": True}, mock=result) == (
        invalid,
        "Mocked result must contain the same number of items as number of Parallel branches.")
    assert refusal(CALL, mock=result, revealSecrets=True) == (
        invalid, "TestState does not support RevealSecrets when a mock is specified.")
    assert refusal(PASS, stateConfiguration={"mapIterationFailureCount": 1}) == (
        invalid, "TestState does not support MapIterationFailureCount when a mock is not specified.")
    assert refusal(MAP, mock=result, input="[1]",
                   stateConfiguration={"mapIterationFailureCount": 2}) == (
        invalid,
        "Map iteration failure count must be less than or equal to the number of Map iterations")
    assert refusal({"StartAt": "P", "States": {"P": PASS}}, stateName="X") == (
        invalid, "State not found in definition")
    for context, said in [('{"x": 1}', "Field 'x' is not allowed"),
                          ('{"Execution": {"Id": 1}}', "Execution.Id must be a string"),
                          ('{"Map": {}}', "Field 'Map' is not allowed"),
                          ('{"Task": {"Token": "t"}}', "Field 'Task' is not allowed")]:
        assert refusal(CALL, mock=result, context=context) == (
            invalid, "Invalid Context object provided: " + said)
    assert refusal({"Type": "Pass"})[0] == "InvalidDefinition"
    assert refusal(PASS, input="{")[0] == "InvalidExecutionInput"
