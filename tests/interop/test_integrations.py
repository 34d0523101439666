# SPDX-License-Identifier: Apache-2.0
"""Every integration of state machines gives its result, or fails by the name that AWS gives."""
import json

import botocore.exceptions
import pytest

from harness import wait_until

ROLE = "arn:aws:iam::000000000000:role/andon-workflows"
S = "arn:aws:states:::"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
TOKEN = {"token.$": "$$.Task.Token"}


@pytest.fixture
def states(server):
    return server.aws("stepfunctions")


def definition(resource, parameters, **more):
    return json.dumps({"StartAt": "A", "States": {"A": {
        "Type": "Task", "Resource": resource, "Parameters": parameters, "End": True, **more}}})


@pytest.fixture
def run(states, fresh):
    def call(resource, parameters, **more):
        machine = states.create_state_machine(
            name=fresh("machine"), roleArn=ROLE,
            definition=definition(resource, parameters, **more))["stateMachineArn"]
        arn = states.start_execution(stateMachineArn=machine)["executionArn"]
        return wait_until(lambda: (d := states.describe_execution(executionArn=arn))["status"] !=
                          "RUNNING" and d, "the execution")
    return call


@pytest.mark.parametrize("resource, parameters, error", [
    (FUNCTION, {}, "Lambda.ResourceNotFoundException"),
    (S + "lambda:invoke", {"FunctionName": "f"}, "Lambda.ResourceNotFoundException"),
    (S + "lambda:invoke.waitForTaskToken", {"FunctionName": "f", "Payload": TOKEN},
     "Lambda.ResourceNotFoundException"),
    (S + "events:putEvents", {"Entries": [{"Source": "aws.s3", "DetailType": "d", "Detail": {}}]},
     "EventBridge.FailedEntry"),
    (S + "events:putEvents.waitForTaskToken",
     {"Entries": [{"Source": "aws.s3", "DetailType": "d", "Detail": TOKEN}]},
     "EventBridge.FailedEntry"),
    (S + "http:invoke", {"ApiEndpoint": "https://h/", "Method": "GET", "Authentication": {
        "ConnectionArn": "arn:aws:events:us-east-1:000000000000:connection/c/1"}},
     "Events.ConnectionResource.ResourceNotFound"),
    (S + "http:invoke", {"ApiEndpoint": "https://h/", "Method": "GET"}, "States.Runtime"),
    (S + "states:startExecution", {"StateMachineArn": "arn:aws:states:us-east-1:000000000000:"
                                                      "stateMachine:none"},
     "StepFunctions.StateMachineDoesNotExistException"),
    (S + "states:startExecution.sync", {"StateMachineArn": "arn:aws:states:us-east-1:000000000000:"
                                                           "stateMachine:none"},
     "StepFunctions.StateMachineDoesNotExistException"),
    (S + "states:startExecution.sync:2", {"StateMachineArn": "x"},
     "StepFunctions.InvalidArnException"),
    (S + "states:startExecution.waitForTaskToken",
     {"StateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:none",
      "Input": TOKEN}, "StepFunctions.StateMachineDoesNotExistException"),
    (S + "aws-sdk:iot:describeThing", {"ThingName": "none"}, "Iot.ResourceNotFoundException"),
    (S + "aws-sdk:greengrassv2:getDeployment", {"DeploymentId": "none"},
     "GreengrassV2.ResourceNotFoundException"),
    (S + "aws-sdk:sagemaker:describeModelPackageGroup", {"ModelPackageGroupName": "none"},
     "SageMaker.ValidationException"),
    (S + "aws-sdk:sfn:sendTaskSuccess", {"TaskToken": "x", "Output": {}},
     "Sfn.InvalidTokenException"),
    (S + "aws-sdk:s3:getObject", {"Bucket": "none", "Key": "k"}, "S3.NoSuchBucketException"),
    (S + "aws-sdk:cloudwatchlogs:describeLogStreams", {"LogGroupName": "none"},
     "CloudWatchLogs.ResourceNotFoundException"),
    (S + "aws-sdk:eventbridge:describeConnection", {"Name": "none"},
     "EventBridge.ResourceNotFoundException"),
    ("arn:andon:states:::deployment:run.sync", {"TargetArn": "none"},
     "GreengrassV2.ValidationException"),
])
def test_what_is_not_there_fails_by_its_name(run, resource, parameters, error):
    told = run(resource, parameters)
    assert told["status"] == "FAILED" and told["error"] == error, told
    assert told["cause"]


@pytest.mark.parametrize("resource", [
    S + "lambda:invoke.sync", S + "events:putEvents.sync", S + "http:invoke.waitForTaskToken",
    S + "http:invoke.sync", S + "aws-sdk:iot:describeThing.sync", S + "states:startExecution.sync:3",
    S + "states:startExecutions", S + "sns:publish", S + "sqs:sendMessage",
    S + "dynamodb:getItem", S + "ecs:runTask.sync", S + "aws-sdk:iot:makeCoffee",
    S + "aws-sdk:eventbridge:createConnection", S + "aws-sdk:eventbridge:updateConnection",
    "arn:andon:states:::deployment:run", "arn:andon:states:::coffee:make.sync",
])
def test_what_nobody_has_is_refused_when_the_machine_is_made(states, fresh, resource):
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        states.create_state_machine(name=fresh("machine"), roleArn=ROLE,
                                    definition=definition(resource, {"a": 1, **TOKEN}))
    error = raised.value.response["Error"]
    assert error["Code"] == "InvalidDefinition", error
    assert "is not recognized" in error["Message"] or "SCHEMA_VALIDATION_FAILED" in (
        error["Message"]), error


def test_logs_are_written_by_states(run, server, fresh):
    group = fresh("group")
    told = run(S + "aws-sdk:cloudwatchlogs:createLogGroup",
               {"LogGroupName": group, "Tags": {"Line.A": "1"}})
    assert told["status"] == "SUCCEEDED" and told["output"] == "{}"
    logs = server.aws("logs")
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {"Line.A": "1"}
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    told = run(S + "aws-sdk:cloudwatchlogs:filterLogEvents", {"LogGroupName": group})
    assert json.loads(told["output"]) == {"Events": [], "SearchedLogStreams": []}
