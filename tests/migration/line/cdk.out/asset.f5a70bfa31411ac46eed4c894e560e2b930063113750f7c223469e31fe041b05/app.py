# SPDX-License-Identifier: Apache-2.0
"""Which model is meant, and its archive where components are made from."""
import os
from urllib.parse import urlparse

import boto3

BUCKET = os.environ["BUCKET"]


def newest(sagemaker, group):
    found = sagemaker.list_model_packages(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", SortBy="CreationTime",
        SortOrder="Descending", MaxResults=1)["ModelPackageSummaryList"]
    if not found:
        raise LookupError(f"nothing in {group} is approved")
    return found[0]["ModelPackageArn"]


def handler(event, context):
    sagemaker, s3 = boto3.client("sagemaker"), boto3.client("s3")
    arn = event.get("ModelPackageArn") or newest(sagemaker, event["Latest"])
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    place = urlparse(package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])
    key = f"components/model/{package['ModelPackageVersion']}/model.tar.gz"
    s3.copy_object(Bucket=BUCKET, Key=key,
                   CopySource={"Bucket": place.netloc, "Key": place.path.lstrip("/")})
    return {"ModelPackageArn": arn, "ModelPackageVersion": package["ModelPackageVersion"],
            "Approval": package["ModelApprovalStatus"], "Uri": f"s3://{BUCKET}/{key}",
            "Boto3": boto3.__version__}
