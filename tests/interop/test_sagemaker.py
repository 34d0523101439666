# SPDX-License-Identifier: Apache-2.0
"""The model registry as SageMaker's public clients use it: boto3 and the AWS CLI."""
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import botocore.exceptions
import pytest

from aws_client import error_answer
from harness import http

URL = "s3://models/scratch.onnx"


@pytest.fixture(scope="module")
def uploaded(shared_server):
    s3 = shared_server.aws("s3")
    s3.create_bucket(Bucket="models")
    return s3.put_object(Bucket="models", Key="scratch.onnx", Body=b"a model")["ETag"].strip('"')


@pytest.fixture
def sagemaker(shared_server, uploaded):
    return shared_server.aws("sagemaker")


@pytest.fixture
def group(sagemaker, request):
    name = request.node.name.split("[")[0].replace("_", "-")[:60].strip("-")
    sagemaker.create_model_package_group(ModelPackageGroupName=name,
                                         ModelPackageGroupDescription="finds scratches")
    return name


def package(url=URL, **more):
    return {"InferenceSpecification": {
        "Containers": [{"Image": "onnx", "ModelDataUrl": url, "Framework": "ONNX",
                        "Environment": {"INPUT": "320x320"}}],
        "SupportedContentTypes": ["image/jpeg"],
        "SupportedResponseMIMETypes": ["application/json"]}, **more}


def test_groups(shared_server, sagemaker):
    made = sagemaker.create_model_package_group(
        ModelPackageGroupName="tags", ModelPackageGroupDescription="metal tags",
        Tags=[{"Key": "plant", "Value": "1"}])
    region = shared_server.operator_key["region"]
    assert made["ModelPackageGroupArn"] == (
        f"arn:aws:sagemaker:{region}:000000000000:model-package-group/tags")
    for name in ("tags", made["ModelPackageGroupArn"]):
        described = sagemaker.describe_model_package_group(ModelPackageGroupName=name)
        assert described["ModelPackageGroupDescription"] == "metal tags"
        assert described["ModelPackageGroupStatus"] == "Completed"
        age = datetime.now(timezone.utc) - described["CreationTime"]
        assert timedelta(0) <= age < timedelta(minutes=1)
    error = error_answer(lambda: sagemaker.create_model_package_group(ModelPackageGroupName="tags"))
    assert error["Code"] == "ValidationException" and "already" in error["Message"]
    sagemaker.delete_model_package_group(ModelPackageGroupName="tags")
    error = error_answer(lambda: sagemaker.describe_model_package_group(ModelPackageGroupName="tags"))
    assert error["Code"] == "ValidationException" and "does not exist" in error["Message"]


def test_lists_groups_in_pages(sagemaker):
    for letter in "cab":
        sagemaker.create_model_package_group(ModelPackageGroupName=f"paged-{letter}")
    pages = sagemaker.get_paginator("list_model_package_groups").paginate(
        NameContains="paged", SortBy="Name", SortOrder="Descending",
        PaginationConfig={"PageSize": 2})
    names = [item["ModelPackageGroupName"] for page in pages
             for item in page["ModelPackageGroupSummaryList"]]
    assert names == ["paged-c", "paged-b", "paged-a"]


def test_a_model_from_registration_to_approval(shared_server, sagemaker, group, uploaded):
    made = sagemaker.create_model_package(
        ModelPackageGroupName=group, ModelPackageDescription="the first",
        ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "application/json",
                                                      "S3Uri": "s3://models/metrics.json"}}},
        **package(CustomerMetadataProperties={"mAP": "0.91"}))
    arn = made["ModelPackageArn"]
    assert arn.endswith(f":model-package/{group}/1")
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    container = described["InferenceSpecification"]["Containers"][0]
    assert (container["ModelDataUrl"], container["ModelDataETag"]) == (URL, uploaded)
    assert container["Environment"] == {"INPUT": "320x320"}
    assert (described["ModelPackageGroupName"], described["ModelPackageVersion"]) == (group, 1)
    assert described["ModelPackageStatus"] == "Completed"
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert described["CustomerMetadataProperties"] == {"mAP": "0.91"}
    assert "LastModifiedTime" not in described

    answer = sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good on dev",
        CustomerMetadataProperties={"line": "7"}, CustomerMetadataPropertiesToRemove=["mAP"])
    assert answer["ModelPackageArn"] == arn
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert described["ModelApprovalStatus"] == "Approved"
    assert described["ApprovalDescription"] == "good on dev"
    assert described["CustomerMetadataProperties"] == {"line": "7"}
    assert described["LastModifiedTime"] >= described["CreationTime"]
    for member in ("CreatedBy", "LastModifiedBy"):
        assert described[member]["IamIdentity"]["Arn"] == "arn:aws:iam::000000000000:root"
    status, told = shared_server.call("GET", f"/andon/v1/models/{group}/versions/1/decisions")
    assert status == 200
    assert [(one["approval"], one["decidedBy"], one["reason"]) for one in told["decisions"]] == [
        ("Approved", "arn:aws:iam::000000000000:root", "good on dev")]
    assert shared_server.call("GET", f"/andon/v1/models/{group}/versions/9/decisions")[0] == 404
    assert shared_server.call("GET", f"/andon/v1/models/{group}/versions/x/decisions")[0] == 400

    sagemaker.create_model_package(ModelPackageGroupName=group, **package())
    approved = sagemaker.list_model_packages(ModelPackageGroupName=group,
                                             ModelApprovalStatus="Approved")
    assert [item["ModelPackageVersion"] for item in approved["ModelPackageSummaryList"]] == [1]
    newest = sagemaker.list_model_packages(ModelPackageGroupName=group, SortOrder="Descending",
                                           SortBy="CreationTime", MaxResults=1)
    assert newest["ModelPackageSummaryList"][0]["ModelPackageVersion"] == 2
    assert newest["NextToken"]
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, PaginationConfig={"PageSize": 1})
    assert [item["ModelPackageVersion"] for page in pages
            for item in page["ModelPackageSummaryList"]] == [1, 2]

    for order, expected in [({"SortBy": "CreationTime"}, [2, 1]),
                            ({"SortBy": "CreationTime", "SortOrder": "Ascending"}, [1, 2]),
                            ({"SortOrder": "Ascending"}, [1, 2]), ({}, [1, 2])]:
        pages = sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group, PaginationConfig={"PageSize": 1}, **order)
        assert [item["ModelPackageVersion"] for page in pages
                for item in page["ModelPackageSummaryList"]] == expected, order

    error = error_answer(
        lambda: sagemaker.delete_model_package_group(ModelPackageGroupName=group))
    assert error["Code"] == "ConflictException"
    for version in (1, 2):
        sagemaker.delete_model_package(
            ModelPackageName=f"{arn.rsplit('/', 1)[0]}/{version}")
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)


def test_a_client_token_makes_one_package(sagemaker, group):
    first = sagemaker.create_model_package(ModelPackageGroupName=group, ClientToken="t-1",
                                           **package())
    again = sagemaker.create_model_package(ModelPackageGroupName=group, ClientToken="t-1",
                                           **package())
    assert first["ModelPackageArn"] == again["ModelPackageArn"]
    error = error_answer(lambda: sagemaker.create_model_package(
        ModelPackageGroupName=group, ClientToken="t-1", ModelPackageDescription="x", **package()))
    assert error["Code"] == "ConflictException"


def test_a_package_without_versions(sagemaker):
    made = sagemaker.create_model_package(ModelPackageName="single", **package())
    assert made["ModelPackageArn"].endswith(":model-package/single")
    described = sagemaker.describe_model_package(ModelPackageName="single")
    assert "ModelApprovalStatus" not in described
    listed = sagemaker.list_model_packages(NameContains="single")["ModelPackageSummaryList"]
    assert [item["ModelPackageName"] for item in listed] == ["single"]


@pytest.mark.parametrize("url", ["s3://models/none.onnx", "s3://no-such-bucket/a",
                                 "https://example.com/model.onnx"])
def test_a_model_that_is_not_here_is_refused(sagemaker, url):
    sagemaker.create_model_package_group(ModelPackageGroupName=f"refused-{abs(hash(url))}")
    error = error_answer(lambda: sagemaker.create_model_package(
        ModelPackageGroupName=f"refused-{abs(hash(url))}", **package(url)))
    assert error["Code"] == "ValidationException"
    assert "InferenceSpecification.Containers[0].ModelDataUrl" in error["Message"]


def test_bad_requests_name_the_member(sagemaker, group):
    error = error_answer(lambda: sagemaker.list_model_packages(ModelPackageGroupName="no-such-group"))
    assert error["Code"] == "ValidationException" and "no-such-group" in error["Message"]
    error = error_answer(lambda: sagemaker.describe_model_package(ModelPackageName=f"{group}/9"))
    assert error["Code"] == "ValidationException" and f"{group}/9" in error["Message"]
    error = error_answer(lambda: sagemaker.list_model_package_groups(NextToken="x"))
    assert error["Code"] == "ValidationException" and "NextToken" in error["Message"]


def test_a_wrong_or_missing_signature_is_refused(shared_server):
    wrong = shared_server.aws("sagemaker",
                              {**shared_server.operator_key, "secretAccessKey": "wrong"})
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        wrong.list_model_package_groups()
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert raised.value.response["Error"]["Code"] == "InvalidSignatureException"
    status, body = http(shared_server.info["api"] + "/", "POST", {},
                        {"X-Amz-Target": "SageMaker.ListModelPackageGroups"})
    assert status == 403
    assert json.loads(body)["__type"] == "MissingAuthenticationTokenException"


def test_the_cli_registers_and_approves(shared_server, uploaded):
    key = shared_server.operator_key
    environment = {
        "PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_ACCESS_KEY_ID": key["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["secretAccessKey"], "AWS_DEFAULT_REGION": key["region"]}

    def cli(*arguments):
        ended = subprocess.run(
            [sys.executable, str(Path(sys.executable).parent / "aws"), "--output", "json",
             "--endpoint-url", shared_server.info["api"], "sagemaker", *arguments],
            env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout) if ended.stdout else None

    cli("create-model-package-group", "--model-package-group-name", "by-cli")
    arn = cli("create-model-package", "--model-package-group-name", "by-cli",
              "--inference-specification",
              json.dumps(package()["InferenceSpecification"]))["ModelPackageArn"]
    cli("update-model-package", "--model-package-arn", arn, "--model-approval-status", "Approved",
        "--approval-description", "these bytes are no model")
    listed = cli("list-model-packages", "--model-package-group-name", "by-cli")
    assert [(item["ModelPackageVersion"], item["ModelApprovalStatus"])
            for item in listed["ModelPackageSummaryList"]] == [(1, "Approved")]
