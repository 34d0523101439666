# SPDX-License-Identifier: Apache-2.0
"""Pipelines of Source, Build and StepFunctions stages, made by a stack, run by boto3."""
import io
import json
import zipfile

import pytest

from aws_client import client_of, refused
from harness import wait_until

WAIT = {"Delay": 1, "MaxAttempts": 60}
TRUST = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "states.amazonaws.com"}}]}


def action(name, category, provider, configuration, inputs=(), outputs=()):
    return {"Name": name, "ActionTypeId": {"Category": category, "Owner": "AWS", "Provider": provider,
                                           "Version": "1"}, "Configuration": configuration,
            "InputArtifacts": [{"Name": one} for one in inputs],
            "OutputArtifacts": [{"Name": one} for one in outputs], "RunOrder": 1}


def template(bucket, command):
    spec = {"version": "0.2", "env": {"variables": {"WORD": "built"}},
            "phases": {"build": {"commands": [command]}}, "artifacts": {"files": ["out.txt"]}}
    return json.dumps({"Resources": {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
        "Ship": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "Definition": {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}}},
        "Project": {"Type": "AWS::CodeBuild::Project", "Properties": {
            "ServiceRole": {"Ref": "Role"}, "Artifacts": {"Type": "CODEPIPELINE"},
            "Source": {"Type": "CODEPIPELINE", "BuildSpec": json.dumps(spec, indent=1)},
            "Environment": {"Type": "LINUX_CONTAINER", "Image": "x", "ComputeType": "y",
                            "EnvironmentVariables": [{"Name": "PLANT", "Value": "one"}]}}},
        "Pipeline": {"Type": "AWS::CodePipeline::Pipeline", "Properties": {
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "ArtifactStore": {"Type": "S3", "Location": bucket},
            "Stages": [
                {"Name": "Source", "Actions": [action("Get", "Source", "S3", {
                    "S3Bucket": bucket, "S3ObjectKey": "code.zip"}, outputs=["code"])]},
                {"Name": "Build", "Actions": [action("Test", "Build", "CodeBuild", {
                    "ProjectName": {"Ref": "Project"}}, ["code"], ["built"])]},
                {"Name": "Ship", "Actions": [action("Run", "Invoke", "StepFunctions", {
                    "StateMachineArn": {"Ref": "Ship"}, "Input": "{\"a\": 1}"})]}]}}},
        "Outputs": {"Pipeline": {"Value": {"Ref": "Pipeline"}}, "Ship": {"Value": {"Ref": "Ship"}}}})


@pytest.fixture
def pipelines(server):
    return client_of(server, "codepipeline")


def make(server, fresh, command):
    bucket, stack = fresh("pipes"), fresh("stack")
    s3, stacks = server.aws("s3"), server.aws("cloudformation")
    s3.create_bucket(Bucket=bucket)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("in.txt", "seen")
    s3.put_object(Bucket=bucket, Key="code.zip", Body=code.getvalue())
    stacks.create_stack(StackName=stack, TemplateBody=template(bucket, command))
    stacks.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=WAIT)
    outputs = stacks.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    return bucket, {one["OutputKey"]: one["OutputValue"] for one in outputs}


def run(pipelines, name):
    execution = pipelines.start_pipeline_execution(name=name)["pipelineExecutionId"]

    def done():
        found = pipelines.get_pipeline_execution(pipelineName=name, pipelineExecutionId=execution)
        return found["pipelineExecution"]["status"] != "InProgress" and found["pipelineExecution"]
    return execution, wait_until(done, "the pipeline", 90)


def states(pipelines, name):
    found = pipelines.get_pipeline_state(name=name)
    return {stage["stageName"]: stage.get("latestExecution", {}).get("status")
            for stage in found["stageStates"]}


def test_a_pipeline_runs_its_stages(server, pipelines, fresh):
    bucket, made = make(server, fresh, 'printf "%s %s %s" "$(cat in.txt)" "$WORD" "$PLANT" > out.txt')
    name = made["Pipeline"]
    assert states(pipelines, name) == {"Source": None, "Build": None, "Ship": None}
    execution, found = run(pipelines, name)
    assert found["status"] == "Succeeded", found
    assert states(pipelines, name) == {"Source": "Succeeded", "Build": "Succeeded", "Ship": "Succeeded"}
    built = server.aws("s3").get_object(Bucket=bucket, Key=f"{name}/{execution}/built.zip")["Body"].read()
    with zipfile.ZipFile(io.BytesIO(built)) as archive:
        assert archive.read("out.txt") == b"seen built one"
    shipped = server.aws("stepfunctions").list_executions(stateMachineArn=made["Ship"])["executions"]
    assert len(shipped) == 1 and shipped[0]["status"] == "SUCCEEDED"
    listed = pipelines.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
    assert [one["pipelineExecutionId"] for one in listed] == [execution]


def test_a_stage_that_fails_is_where_it_ends_and_says_why(server, pipelines, fresh):
    _, made = make(server, fresh, "echo broken >&2; exit 3")
    name = made["Pipeline"]
    _, found = run(pipelines, name)
    assert found["status"] == "Failed"
    assert states(pipelines, name) == {"Source": "Succeeded", "Build": "Failed", "Ship": None}
    build = pipelines.get_pipeline_state(name=name)["stageStates"][1]["actionStates"][0]
    assert "broken" in build["latestExecution"]["errorDetails"]["message"]
    assert server.aws("stepfunctions").list_executions(stateMachineArn=made["Ship"])["executions"] == []


def test_what_is_not_there_is_told_in_aws_words(pipelines, server, fresh):
    assert refused(pipelines.get_pipeline_state, name="none")[0] == "PipelineNotFoundException"
    assert refused(pipelines.start_pipeline_execution, name="none")[0] == "PipelineNotFoundException"
    _, made = make(server, fresh, "true > out.txt")
    assert refused(pipelines.get_pipeline_execution, pipelineName=made["Pipeline"],
                   pipelineExecutionId="12345678-1234-1234-1234-123456789012")[0] == \
        "PipelineExecutionNotFoundException"
