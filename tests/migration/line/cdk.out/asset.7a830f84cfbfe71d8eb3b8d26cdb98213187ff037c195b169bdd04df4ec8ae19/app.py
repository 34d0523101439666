# SPDX-License-Identifier: Apache-2.0
"""The version behind the newest of a component, or the one that somebody wants."""
import boto3
from botocore.exceptions import ClientError


def handler(event, context):
    if event["Input"].get("Version"):
        return event["Input"]["Version"]
    client = boto3.client("greengrassv2")
    found = []
    try:
        for page in client.get_paginator("list_component_versions").paginate(arn=event["ComponentArn"]):
            found += [one["componentVersion"] for one in page["componentVersions"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
    if not found:
        return "1.0.0"
    major, minor, patch = max(tuple(map(int, version.split("."))) for version in found)
    return f"{major}.{minor}.{patch + 1}"
