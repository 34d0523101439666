# SPDX-License-Identifier: Apache-2.0
"""A server that is killed while it carries out a stack goes on with it, at whatever step it was."""
import contextlib
import json
import sqlite3
import subprocess

import pytest

from harness import Server, wait_until

TRUST = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]}}]}


def body(word, with_group=True):
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": TRUST,
            "Policies": [{"PolicyName": "own", "PolicyDocument": {
                "Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "iot:*", "Resource": "*", "Sid": word}]}}]}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Runtime": "python3.12", "Handler": "index.handler", "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"ZipFile": f"def handler(event, context):\n    return '{word}'\n"}}},
        "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "Definition": {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": word,
                                                           "End": True}}}}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {
            "Tags": [{"Key": "word", "Value": word}]}},
        "Label": {"Type": "Andon::S3::Object", "Properties": {
            "Bucket": {"Ref": "Bucket"}, "Key": "label.txt", "Body": word}},
        "Thing": {"Type": "AWS::IoT::Thing", "Properties": {
            "AttributePayload": {"Attributes": {"word": word}}}},
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"/plant/{word}"}}}
    if with_group:
        resources["Group"] = {"Type": "AWS::IoT::ThingGroup"}
        resources["Deployment"] = {"Type": "AWS::GreengrassV2::Deployment", "Properties": {
            "TargetArn": {"Fn::GetAtt": ["Group", "Arn"]}, "DeploymentName": word, "Components": {}}}
    return json.dumps({"Resources": resources, "Outputs": {"Word": {"Value": word}}})


def ask(server, query):
    """One value from the file itself, whether or not the server serves yet."""
    path = f"file:{server.data / 'andon.db'}?mode=ro"
    with contextlib.closing(sqlite3.connect(path, uri=True, timeout=30)) as database:
        return database.execute(query).fetchone()[0]


def events(server):
    return ask(server, "SELECT coalesce(max(number), 0) FROM stack_events")


def is_busy(server):
    return ask(server, "SELECT count(*) FROM stacks WHERE work <> '{}'") > 0


def counts(server):
    """How many there are of what is made."""
    iot, logs = server.aws("iot"), server.aws("logs")
    buckets = [one["Name"] for one in server.aws("s3").list_buckets()["Buckets"]]
    return {"functions": len(server.aws("lambda").list_functions()["Functions"]),
            "machines": len(server.aws("stepfunctions").list_state_machines()["stateMachines"]),
            "things": len(iot.list_things()["things"]),
            "groups": len(iot.list_thing_groups()["thingGroups"]),
            "buckets": len([one for one in buckets if one.startswith("plant-")]),
            "roles": len([one for one in server.aws("iam").list_roles()["Roles"]
                          if one["RoleName"].startswith("plant-")]),
            "deployments": len(server.aws("greengrassv2").list_deployments(
                historyFilter="ALL")["deployments"]),
            "logs": len(logs.describe_log_groups(logGroupNamePrefix="/plant/")["logGroups"])}


def status(server):
    return server.aws("cloudformation").describe_stacks(StackName="plant")["Stacks"][0]["StackStatus"]


def killed_at_each_step(server, begin, step):
    """Begins, kills the server `step` events later, starts it and kills it again, until nothing is
    left to do. How often it was killed; it serves then."""
    kills = 0
    seen = events(server)
    begin()
    while True:
        wait_until(lambda at=seen + step: events(server) >= at or not is_busy(server), "a step", 60)
        server.kill()
        if not is_busy(server):
            server.start()
            return kills
        kills += 1
        seen = events(server)
        with open(server.log_file, "ab") as log:
            # pylint: disable-next=consider-using-with
            server.process = subprocess.Popen(server.command(), stdout=log, stderr=log)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_stack_is_completed_whatever_step_its_server_was_killed_at(tmp_path, step):
    kills = 0
    once = {"functions": 1, "machines": 1, "things": 1, "groups": 1, "buckets": 1, "roles": 1,
            "deployments": 1, "logs": 1}
    with Server(tmp_path / "data") as server:
        def stacks():
            return server.aws("cloudformation")
        kills += killed_at_each_step(
            server, lambda: stacks().create_stack(StackName="plant", TemplateBody=body("one")), step)
        assert status(server) == "CREATE_COMPLETE" and counts(server) == once

        kills += killed_at_each_step(
            server, lambda: stacks().update_stack(StackName="plant", TemplateBody=body("two")), step)
        assert status(server) == "UPDATE_COMPLETE" and counts(server) == once
        stack = stacks().describe_stacks(StackName="plant")["Stacks"][0]
        assert stack["Outputs"][0]["OutputValue"] == "two"
        function = server.aws("lambda").list_functions()["Functions"][0]["FunctionName"]
        called = server.aws("lambda").invoke(FunctionName=function)
        assert json.loads(called["Payload"].read()) == "two"
        thing = server.aws("iot").list_things()["things"][0]
        assert thing["attributes"] == {"word": "two"}

        kills += killed_at_each_step(server, lambda: stacks().delete_stack(StackName="plant"), step)
        assert kills > 0 and set(counts(server).values()) == {0}
        assert [one["StackStatus"] for one in stacks().list_stacks()["StackSummaries"]] == [
            "DELETE_COMPLETE"]


def test_a_server_that_is_stopped_goes_on_with_a_stack_at_its_next_start(tmp_path):
    with Server(tmp_path / "data") as server:
        server.aws("cloudformation").create_stack(StackName="plant", TemplateBody=body("one"))
        assert server.stop() == 0
        server.start()
        wait_until(lambda: status(server) == "CREATE_COMPLETE", "the stack", 60)
        assert set(counts(server).values()) == {1}
