# SPDX-License-Identifier: Apache-2.0
"""Artifacts of components and the code of functions are objects: who may write all objects decides by
that neither what devices get nor what runs with another's role."""
import json

import botocore.exceptions
import pytest

from functions import Functions, make_role
from harness import wait_until

ALL = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


def denied(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403, answer
    return answer["Error"]["Message"]


def pinned(server):
    """The key of an artifact that a component version has."""
    s3 = server.aws("s3")
    s3.create_bucket(Bucket="models")
    s3.put_object(Bucket="models", Key="a.onnx", Body=b"weights")
    server.aws("greengrassv2").create_component_version(inlineRecipe=json.dumps({
        "RecipeFormatVersion": "2020-01-25", "ComponentName": "com.ex.Model", "ComponentVersion": "1.0.0",
        "Manifests": [{"Platform": {"os": "linux"}, "Artifacts": [{"URI": "s3://models/a.onnx"}]}]}))
    [one] = s3.list_objects_v2(Bucket="andon-artifacts")["Contents"]
    return one["Key"]


def outcome(server, role, name, resource, **parameters):
    states = server.aws("stepfunctions")
    machine = states.create_state_machine(name=name, roleArn=role, definition=json.dumps({
        "StartAt": "Do", "States": {"Do": {
            "Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:s3:{resource}", "Parameters": parameters,
            "End": True}}}))["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    return wait_until(lambda: (told := states.describe_execution(executionArn=execution))["status"] !=
                      "RUNNING" and told, "the end of the execution")


def test_a_role_for_all_objects_changes_no_artifact_and_no_function(server):
    key, role = pinned(server), make_role(server, "objects", ALL, service="states.amazonaws.com")
    Functions(server, lambda word: f"{word}-1").create("def handler(event, context):\n    return 1\n")
    s3 = server.aws("s3")
    [code] = s3.list_objects_v2(Bucket="andon-functions")["Contents"]
    for bucket, name in (("andon-artifacts", key), ("andon-functions", code["Key"])):
        for number, (resource, more) in enumerate((
                ("putObject", {"Body": "mine"}), ("deleteObject", {}),
                ("copyObject", {"CopySource": "models/a.onnx"}))):
            told = outcome(server, role, f"{bucket}-{number}", resource, Bucket=bucket, Key=name, **more)
            assert told["status"] == "FAILED" and "server's own" in told["cause"], told
        denied(s3.put_object, Bucket=bucket, Key=name, Body=b"mine")
        denied(s3.copy_object, Bucket=bucket, Key=name, CopySource="models/a.onnx")
        denied(s3.delete_object, Bucket=bucket, Key=name)
        denied(s3.delete_bucket, Bucket=bucket)
        assert s3.get_object(Bucket=bucket, Key=name)["Body"].read()
    assert s3.get_object(Bucket="andon-artifacts", Key=key)["Body"].read() == b"weights"
    # Others are the role's.
    assert outcome(server, role, "own", "putObject", Bucket="models", Key="b", Body="x")["status"] == "SUCCEEDED"
