# SPDX-License-Identifier: Apache-2.0
"""What CDK has synthesised becomes real, as it is."""
import json
import shutil
import subprocess

import pytest
from harness import wait_until
from migrated_line import CAMERA, LINE, arn

STACKS = ["LineData", "LineDevice", "LineWorkflows", "LinePipelines"]


def test_each_stack_is_made_in_the_order_of_their_needs(line):
    told = {one["stack"]: one for one in line.report["stacks"]}
    assert set(told) == set(STACKS)
    assert {one["status"] for one in told.values()} == {"CREATE_COMPLETE"}


def test_what_is_left_out_is_listed_with_its_reason(line):
    [data] = [one for one in line.report["stacks"] if one["stack"] == "LineData"]
    left_out = {(one["LogicalResourceId"], one.get("Property", "")): one["Reason"]
                for one in data["plan"]["leftOut"]}
    assert ("CDKMetadata", "") in left_out and ("CheckBootstrapVersion", "") in left_out
    assert any("BucketEncryption" in key for key in left_out)
    assert any("AmazonSageMakerFullAccess" in reason for reason in left_out.values())


def test_scripts_read_outputs_of_describe_stacks(line):
    stack = line.aws("cloudformation").describe_stacks(StackName="LineData")["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    assert outputs["FeatureGroup"] == "line-labels"
    assert outputs["ModelPackageGroup"] == arn("sagemaker", "model-package-group/line-models")
    exports = {one["Name"]: one["Value"] for one in line.aws("cloudformation").list_exports()["Exports"]}
    assert exports["line-bucket"] == outputs["BucketName"]
    told = line.server.aws_cli(
        "cloudformation", "describe-stacks", "--stack-name", "LineWorkflows", "--query",
        "Stacks[0].Outputs[?OutputKey=='ShipArn'].OutputValue", "--output", "text")
    assert told.stdout.strip() == arn("states", "stateMachine:line-ship")


def test_everything_of_the_templates_is_there(line):
    bucket = line.bucket
    s3 = line.aws("s3")
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert "TrainersReadPictures" in [one.get("Sid") for one in policy["Statement"]]
    [rule] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["Status"] == "Enabled" and rule["Expiration"] == {"Days": 400}
    assert line.aws("ssm").get_parameter(Name="/line/bucket")["Parameter"]["Value"] == bucket
    sagemaker = line.aws("sagemaker")
    assert sagemaker.describe_feature_group(FeatureGroupName="line-labels")[
        "FeatureGroupStatus"] == "Created"
    sagemaker.describe_model_package_group(ModelPackageGroupName="line-models")
    iot = line.aws("iot")
    assert iot.describe_thing(thingName=CAMERA)["attributes"] == {"hall": "3"}
    alias = iot.describe_role_alias(roleAlias="line-token-exchange")["roleAliasDescription"]
    assert alias["credentialDurationSeconds"] == 3600
    statements = json.loads(iot.get_policy(policyName="line-core")["policyDocument"])["Statement"]
    assert statements[1]["Resource"] == arn("iot", "rolealias/line-token-exchange")
    events = line.aws("events")
    assert events.describe_rule(Name="line-monthly")["ScheduleExpression"] == "cron(0 3 1 * ? *)"
    [target] = events.list_targets_by_rule(Rule="line-approved")["Targets"]
    assert target["Arn"] == arn("states", "stateMachine:line-ship")
    pipeline = line.aws("codepipeline").get_pipeline_state(name="line")
    assert [one["stageName"] for one in pipeline["stageStates"]] == ["Source", "Build", "Ship"]


@pytest.mark.parametrize("output", ["FindModelName", "NextVersionName", "ComposeName", "LabelsName"])
def test_functions_have_what_their_requirements_say(line, output):
    client = line.aws("lambda")
    name = line.outputs[output]
    told = wait_until(
        lambda: (one := client.get_function_configuration(FunctionName=name))["State"] != "Pending"
        and one, name, 240)
    assert told["State"] == "Active", told


def test_a_function_with_an_old_boto3_finds_this_server(line):
    answer = line.aws("lambda").invoke(
        FunctionName=line.outputs["NextVersionName"], Payload=json.dumps({
            "ComponentArn": arn("greengrass", "components:com.line.Nothing"), "Input": {}}))
    assert json.loads(answer["Payload"].read()) == "1.0.0", answer


def test_a_bucket_that_enforces_tls_refuses_the_plain_port(line):
    s3 = line.aws("s3")
    s3.create_bucket(Bucket="line-tls")
    s3.put_bucket_policy(Bucket="line-tls", Policy=json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": ["arn:aws:s3:::line-tls", "arn:aws:s3:::line-tls/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}))
    with pytest.raises(s3.exceptions.ClientError) as refused:
        s3.put_object(Bucket="line-tls", Key="a", Body=b"x")
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    s3.delete_bucket_policy(Bucket="line-tls")
    s3.put_object(Bucket="line-tls", Key="a", Body=b"x")


def test_a_second_apply_changes_nothing(line):
    for stack in line.apply()["stacks"]:
        changes = [one for one in stack["plan"].get("changes", []) if one.get("Action") != "same"]
        assert changes == [], stack["stack"]


def test_the_templates_are_what_cdk_makes_of_the_app(tmp_path):
    if shutil.which("npm") is None:
        pytest.skip("no npm here: the templates are taken as they were committed")
    for part in ("cdk", "functions", "machines"):
        shutil.copytree(LINE / part, tmp_path / part)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=tmp_path / "cdk",
                   check=True, timeout=300)
    subprocess.run(["npm", "run", "--silent", "synth"], cwd=tmp_path / "cdk", check=True, timeout=120,
                   capture_output=True)
    for name in STACKS:
        made = json.loads((tmp_path / "cdk.out" / f"{name}.template.json").read_text())
        kept = json.loads((LINE / "cdk.out" / f"{name}.template.json").read_text())
        for template in (made, kept):
            template["Resources"].pop("CDKMetadata", None)  # has CDK's and node's versions
        assert made == kept, name
