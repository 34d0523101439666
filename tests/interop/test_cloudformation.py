# SPDX-License-Identifier: Apache-2.0
"""Stacks by boto3 and its waiters, every answer held to AWS's model."""
import json

import botocore.exceptions
import pytest

from aws_client import client_of, code_of, refused

WAIT = {"Delay": 1, "MaxAttempts": 60}


def template(**more):
    return json.dumps({
        "Description": "things",
        "Parameters": {"Line": {"Type": "String", "Default": "a", "AllowedPattern": "[a-z]+"},
                       "Secret": {"Type": "String", "Default": "hushed", "NoEcho": True}},
        "Resources": {
            "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
            "Thing": {"Type": "AWS::IoT::Thing", "Properties": {"AttributePayload": {
                "Attributes": {"line": {"Ref": "Line"}}}}},
            **more},
        "Outputs": {"ThingName": {"Value": {"Ref": "Thing"}, "Description": "its name",
                                  "Export": {"Name": {"Fn::Sub": "${AWS::StackName}:thing"}}}}})


@pytest.fixture
def stacks(server):
    return client_of(server, "cloudformation")


def made(stacks, name, body, **more):
    stack = stacks.create_stack(StackName=name, TemplateBody=body, **more)["StackId"]
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=WAIT)
    return stack


def updated(stacks, name, body, **more):
    stacks.update_stack(StackName=name, TemplateBody=body, **more)
    stacks.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig=WAIT)


def deleted(stacks, name):
    stacks.delete_stack(StackName=name)
    stacks.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=WAIT)


def body_of(server, **which):
    """boto3 reads a template that is JSON itself, against its own model."""
    return server.aws("cloudformation").get_template(**which)["TemplateBody"]


def one(stacks, name):
    return stacks.describe_stacks(StackName=name)["Stacks"][0]


def test_a_stack_lives_from_creation_to_deletion(server, stacks, fresh):
    name = fresh("stack")
    stack_id = made(stacks, name, template(), Tags=[{"Key": "plant", "Value": "1"}],
                    Capabilities=["CAPABILITY_IAM"])
    assert stack_id.startswith(f"arn:aws:cloudformation:us-east-1:000000000000:stack/{name}/")
    stack = one(stacks, name)
    assert stack["StackStatus"] == "CREATE_COMPLETE" and stack["Description"] == "things"
    assert stack["Tags"] == [{"Key": "plant", "Value": "1"}]
    assert {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]} == {
        "Line": "a", "Secret": "****"}
    thing = stack["Outputs"][0]["OutputValue"]
    assert stack["Outputs"] == [{"OutputKey": "ThingName", "OutputValue": thing,
                                 "Description": "its name", "ExportName": f"{name}:thing"}]
    iot = server.aws("iot")
    assert iot.describe_thing(thingName=thing)["attributes"] == {"line": "a"}

    resources = stacks.describe_stack_resources(StackName=name)["StackResources"]
    assert {one["LogicalResourceId"] for one in resources} == {"Group", "Thing"}
    by_name = stacks.describe_stack_resources(PhysicalResourceId=thing)["StackResources"]
    assert by_name[0]["StackName"] == name
    detail = stacks.describe_stack_resource(StackName=name, LogicalResourceId="Thing")
    assert detail["StackResourceDetail"]["PhysicalResourceId"] == thing
    summaries = stacks.list_stack_resources(StackName=name)["StackResourceSummaries"]
    assert {one["ResourceStatus"] for one in summaries} == {"CREATE_COMPLETE"}
    events = stacks.describe_stack_events(StackName=name)["StackEvents"]
    assert events[0]["ResourceStatus"] == "CREATE_COMPLETE" and events[0]["LogicalResourceId"] == name
    assert [one["ResourceStatus"] for one in events if one["LogicalResourceId"] == "Thing"] == [
        "CREATE_COMPLETE", "CREATE_IN_PROGRESS"]
    assert body_of(server, StackName=name) == json.loads(template())
    assert name in [one["StackName"] for one in stacks.list_stacks()["StackSummaries"]]
    assert {"Name": f"{name}:thing", "Value": thing, "ExportingStackId": stack_id} in \
        stacks.list_exports()["Exports"]

    assert code_of(stacks.create_stack, StackName=name, TemplateBody=template()) == \
        "AlreadyExistsException"
    assert refused(stacks.update_stack, StackName=name, TemplateBody=template()) == (
        "ValidationError", "No updates are to be performed.")
    updated(stacks, name, template(), Parameters=[
        {"ParameterKey": "Line", "ParameterValue": "b"},
        {"ParameterKey": "Secret", "UsePreviousValue": True}])
    assert iot.describe_thing(thingName=thing)["attributes"] == {"line": "b"}
    updated(stacks, name, json.dumps({"Resources": {"Thing": json.loads(template())["Resources"]["Group"]
                                                    | {"Type": "AWS::Logs::LogGroup"}}}))
    with pytest.raises(iot.exceptions.ResourceNotFoundException):
        iot.describe_thing(thingName=thing)

    deleted(stacks, name)
    assert refused(stacks.describe_stacks, StackName=name) == (
        "ValidationError", f"Stack with id {name} does not exist")
    assert one(stacks, stack_id)["StackStatus"] == "DELETE_COMPLETE"
    stacks.delete_stack(StackName=name)


def test_a_change_set_is_looked_at_and_executed(server, stacks, fresh):
    name = fresh("stack")
    stacks.create_change_set(StackName=name, ChangeSetName="first", ChangeSetType="CREATE",
                             TemplateBody=template(), Description="the first")
    stacks.get_waiter("change_set_create_complete").wait(
        StackName=name, ChangeSetName="first", WaiterConfig=WAIT)
    seen = stacks.describe_change_set(StackName=name, ChangeSetName="first")
    assert {(one["ResourceChange"]["Action"], one["ResourceChange"]["LogicalResourceId"])
            for one in seen["Changes"]} == {("Add", "Group"), ("Add", "Thing")}
    assert one(stacks, name)["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert stacks.list_change_sets(StackName=name)["Summaries"][0]["ChangeSetName"] == "first"
    assert body_of(server, StackName=name, ChangeSetName="first") == json.loads(template())
    stacks.execute_change_set(StackName=name, ChangeSetName="first")
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=WAIT)

    stacks.create_change_set(StackName=name, ChangeSetName="none", TemplateBody=template())
    nothing = stacks.describe_change_set(StackName=name, ChangeSetName="none")
    assert nothing["Status"] == "FAILED" and "didn't contain changes" in nothing["StatusReason"]
    assert code_of(stacks.execute_change_set, StackName=name, ChangeSetName="none") == \
        "InvalidChangeSetStatus"
    stacks.delete_change_set(StackName=name, ChangeSetName="none")
    with pytest.raises(botocore.exceptions.ClientError) as error:
        stacks.describe_change_set(StackName=name, ChangeSetName="none")
    assert error.value.response["Error"]["Code"] == "ChangeSetNotFound"
    deleted(stacks, name)


def test_templates_are_checked_and_summed_up(stacks):
    found = stacks.validate_template(TemplateBody=template(
        R={"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}))
    assert {one["ParameterKey"]: one["NoEcho"] for one in found["Parameters"]} == {
        "Line": False, "Secret": True}
    assert found["Capabilities"] == ["CAPABILITY_IAM"]
    summary = stacks.get_template_summary(TemplateBody=template())
    assert summary["ResourceTypes"] == ["AWS::IoT::Thing", "AWS::Logs::LogGroup"]
    code, message = refused(stacks.validate_template, TemplateBody="{")
    assert code == "ValidationError" and "the template" in message


def test_stacks_give_each_other_values(stacks, fresh):
    name, user = fresh("stack"), fresh("stack")
    made(stacks, name, template())
    importing = {"Resources": {"Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {
        "Fn::Sub": ["/${t}", {"t": {"Fn::ImportValue": f"{name}:thing"}}]}}}}}
    made(stacks, user, json.dumps(importing))
    assert stacks.list_imports(ExportName=f"{name}:thing")["Imports"] == [user]
    code, message = refused(stacks.delete_stack, StackName=name)
    assert code == "ValidationError" and user in message
    deleted(stacks, user)
    deleted(stacks, name)


def test_a_failure_says_why_and_the_next_update_goes_on(server, stacks, fresh):
    name = fresh("stack")
    broken = template(Function={"Type": "AWS::Lambda::Function", "Properties": {
        "Runtime": "python3.12", "Handler": "index.handler", "Code": {"ZipFile": "x = 1\n"},
        "Role": "arn:aws:iam::000000000000:role/nobody"}})
    stacks.create_stack(StackName=name, TemplateBody=broken)
    with pytest.raises(botocore.exceptions.WaiterError):
        stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=WAIT)
    stack = one(stacks, name)
    assert stack["StackStatus"] == "CREATE_FAILED" and "[Function]" in stack["StackStatusReason"]
    reason = [one["ResourceStatusReason"] for one in
              stacks.describe_stack_events(StackName=name)["StackEvents"]
              if one["ResourceStatus"] == "CREATE_FAILED" and one["LogicalResourceId"] == "Function"]
    assert "lambda:CreateFunction" in reason[0]
    updated(stacks, name, template())
    assert one(stacks, name)["StackStatus"] == "UPDATE_COMPLETE"
    deleted(stacks, name)


def test_what_is_made_is_held_to_the_callers_policies(server, limited, fresh):
    name = fresh("stack")
    limited_stacks = limited("cloudformation", ["cloudformation:*", "iot:*"], "*")
    limited_stacks.create_stack(StackName=name, TemplateBody=template())
    with pytest.raises(botocore.exceptions.WaiterError):
        limited_stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=WAIT)
    resources = limited_stacks.describe_stack_resources(StackName=name)["StackResources"]
    assert [one["LogicalResourceId"] for one in resources] == ["Thing"]
    events = limited_stacks.describe_stack_events(StackName=name)["StackEvents"]
    assert any("not authorized to perform: logs:" in one.get("ResourceStatusReason", "")
               for one in events)
    other = limited("cloudformation", ["cloudformation:*"],
                    "arn:aws:cloudformation:us-east-1:000000000000:stack/mine-*/*")
    with pytest.raises(botocore.exceptions.ClientError) as error:
        other.describe_stacks(StackName=name)
    assert error.value.response["Error"]["Code"] == "AccessDenied"
    deleted(client_of(server, "cloudformation"), name)


def test_a_protected_stack_stays(stacks, fresh):
    name = fresh("stack")
    made(stacks, name, template(), EnableTerminationProtection=True)
    code, message = refused(stacks.delete_stack, StackName=name)
    assert code == "ValidationError" and "TerminationProtection" in message
    stacks.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    deleted(stacks, name)


def test_the_aws_cli_deploys_a_template(server, stacks, fresh, tmp_path):
    name = fresh("stack")
    file = tmp_path / "template.json"
    file.write_text(template())

    def deploy(*more):
        return server.aws_cli("cloudformation", "deploy", "--template-file", str(file),
                              "--stack-name", name, "--no-fail-on-empty-changeset", *more)
    deploy()
    assert one(stacks, name)["StackStatus"] == "CREATE_COMPLETE"
    again = deploy()
    assert "No changes to deploy" in again.stdout + again.stderr
    deleted(stacks, name)
