# SPDX-License-Identifier: Apache-2.0
"""Versions, tags, lifecycle and what else buckets have, as boto3 uses them; each answer is checked
against AWS's model."""
import concurrent.futures
import datetime
import os
import re
import threading

import botocore.exceptions
import pytest

from harness import checked, wait_until


@pytest.fixture
def s3(shared_server):
    return checked(shared_server.aws("s3"))


@pytest.fixture
def bucket(s3, request):
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower())[:63].strip("-")
    s3.create_bucket(Bucket=name)
    return name


def code_of(call):
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        call()
    response = raised.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def enable(s3, bucket, status="Enabled"):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def versions_of(s3, bucket):
    """(key, content or None for a marker, is it the latest), as a list says, page by page."""
    found = []
    for page in s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": 2}):
        for item in page.get("Versions", []):
            body = s3.get_object(Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"])["Body"]
            found.append((item["Key"], body.read().decode(), item["IsLatest"]))
        found += [(item["Key"], None, item["IsLatest"]) for item in page.get("DeleteMarkers", [])]
    return sorted(found, key=repr)


def test_versions_of_an_object(s3, bucket):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    enable(s3, bucket)
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"one")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"two")["VersionId"]
    assert s3.head_object(Bucket=bucket, Key="k")["VersionId"] == second
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] is True
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="k")) == (404, "NoSuchKey")
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])) == (
        405, "MethodNotAllowed")
    assert versions_of(s3, bucket) == sorted(
        [("k", "before", False), ("k", "one", False), ("k", "two", False), ("k", None, True)],
        key=repr)
    restored = s3.copy_object(Bucket=bucket, Key="k",
                              CopySource={"Bucket": bucket, "Key": "k", "VersionId": first})
    assert restored["CopySourceVersionId"] == first
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"one"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=restored["VersionId"])
    assert code_of(lambda: s3.head_object(Bucket=bucket, Key="k"))[0] == 404
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"two"
    enable(s3, bucket, "Suspended")
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"null")["VersionId"] == "null"
    assert ("k", "before", False) not in versions_of(s3, bucket)
    assert code_of(lambda: s3.delete_bucket(Bucket=bucket)) == (409, "BucketNotEmpty")


def test_a_bucket_is_emptied_of_all_versions(shared_server, s3, bucket):
    enable(s3, bucket)
    for number in range(7):
        for key in ("a", "dir/b", "dir/c"):
            s3.put_object(Bucket=bucket, Key=key, Body=str(number).encode())
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}]})
    page = s3.list_object_versions(Bucket=bucket, Delimiter="/", MaxKeys=4)
    assert page["IsTruncated"] and len(page["Versions"]) == 3 and len(page["DeleteMarkers"]) == 1
    for page in s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": 5}):
        listed = page.get("Versions", []) + page.get("DeleteMarkers", [])
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [
            {"Key": item["Key"], "VersionId": item["VersionId"]} for item in listed]})
    assert versions_of(s3, bucket) == []
    s3.delete_bucket(Bucket=bucket)


def test_tags_of_buckets_and_objects(s3, bucket):
    tags = [{"Key": "line", "Value": "7"}, {"Key": "ü & <x>", "Value": ""}]
    assert code_of(lambda: s3.get_bucket_tagging(Bucket=bucket)) == (404, "NoSuchTagSet")
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    s3.delete_bucket_tagging(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="line=7&shift=early%20one")
    assert s3.get_object(Bucket=bucket, Key="k")["TagCount"] == 2
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [
        {"Key": "line", "Value": "7"}, {"Key": "shift", "Value": "early one"}]
    s3.copy_object(Bucket=bucket, Key="same", CopySource=f"{bucket}/k")
    assert s3.head_object(Bucket=bucket, Key="same")["TagCount"] == 2
    s3.copy_object(Bucket=bucket, Key="new", CopySource=f"{bucket}/k", TaggingDirective="REPLACE",
                   Tagging="a=b")
    assert s3.get_object_tagging(Bucket=bucket, Key="new")["TagSet"] == [{"Key": "a", "Value": "b"}]
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == tags
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert "TagCount" not in s3.head_object(Bucket=bucket, Key="k")
    assert code_of(lambda: s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [
        {"Key": f"k{i}", "Value": ""} for i in range(11)]})) == (400, "BadRequest")


def test_lifecycle_cors_and_other_settings(s3, bucket):
    rules = [{"ID": "all", "Status": "Enabled", "Filter": {"And": {
        "Prefix": "logs/", "Tags": [{"Key": "a", "Value": "b"}], "ObjectSizeGreaterThan": 10}},
              "Expiration": {"Days": 3}, "NoncurrentVersionExpiration": {
                  "NoncurrentDays": 4, "NewerNoncurrentVersions": 2}},
             {"ID": "uploads", "Status": "Disabled", "Filter": {"Prefix": ""},
              "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
              "Expiration": {"ExpiredObjectDeleteMarker": True}}]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == rules
    refused = {**rules[1], "Transitions": [{"Days": 3, "StorageClass": "GLACIER"}]}
    assert code_of(lambda: s3.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": [refused]})) == (501, "NotImplemented")
    s3.delete_bucket_lifecycle(Bucket=bucket)
    assert code_of(lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket)) == (
        404, "NoSuchLifecycleConfiguration")
    cors = [{"AllowedOrigins": ["https://*.example"], "AllowedMethods": ["GET", "PUT"],
             "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}]
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": cors})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == cors
    s3.delete_bucket_cors(Bucket=bucket)
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=bucket)
    assert code_of(lambda: s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [
            {"QueueArn": "arn:aws:sqs:r:a:q", "Events": ["s3:ObjectCreated:*"]}]})) == (
                501, "NotImplemented")
    assert s3.get_bucket_acl(Bucket=bucket)["Grants"][0]["Permission"] == "FULL_CONTROL"
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    assert code_of(lambda: s3.put_bucket_acl(Bucket=bucket, ACL="public-read")) == (
        400, "AccessControlListNotSupported")
    controls = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    assert controls["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)
    assert code_of(lambda: s3.get_bucket_encryption(Bucket=bucket)) == (
        404, "ServerSideEncryptionConfigurationNotFoundError")
    assert code_of(lambda: s3.put_bucket_encryption(
        Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [
            {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]})) == (
                501, "NotImplemented")
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    s3.put_object(Bucket=bucket, Key="k", Body=b"12345")
    attributes = s3.get_object_attributes(
        Bucket=bucket, Key="k", ObjectAttributes=["ETag", "ObjectSize", "StorageClass", "Checksum"])
    assert (attributes["ObjectSize"], attributes["StorageClass"]) == (5, "STANDARD")


def test_the_lifecycle_is_carried_out_by_the_server(server):
    s3 = checked(server.aws("s3"))
    s3.create_bucket(Bucket="dated")
    for key in ("logs/a", "logs/b", "kept"):
        s3.put_object(Bucket="dated", Key=key, Body=b"x")
    today = datetime.datetime.now(datetime.timezone.utc).replace(
        hour=0, minute=0, second=0, microsecond=0)
    s3.put_bucket_lifecycle_configuration(Bucket="dated", LifecycleConfiguration={"Rules": [
        {"ID": "gone", "Status": "Enabled", "Filter": {"Prefix": "logs/"},
         "Expiration": {"Date": today}}]})
    server.kill()
    s3 = server.start().aws("s3")  # rules survive; housekeeping comes a minute after the start
    wait_until(lambda: [item["Key"] for item in s3.list_objects_v2(Bucket="dated")["Contents"]] == [
        "kept"], "the expiry of logs/", limit_s=180)


def test_versions_survive_a_killed_server(server):
    s3 = server.aws("s3")
    s3.create_bucket(Bucket="killed")
    enable(s3, "killed")
    told = []
    stop = threading.Event()

    def write(worker):
        client = server.aws("s3")
        while not stop.is_set():
            content = os.urandom(200)
            try:
                version = client.put_object(Bucket="killed", Key=f"k{worker}", Body=content)
                told.append((f"k{worker}", version["VersionId"], content))
                client.delete_object(Bucket="killed", Key=f"k{worker}")
            except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
                return

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(write, number) for number in range(4)]
        wait_until(lambda: len(told) > 40, "forty versions")
        server.kill()
        stop.set()
        for worker in workers:
            worker.result()
    s3 = server.start().aws("s3")
    for key, version, content in told:
        assert s3.get_object(Bucket="killed", Key=key, VersionId=version)["Body"].read() == content
    # Each key has one latest version or marker, and everything can be removed.
    latest = {}
    for page in s3.get_paginator("list_object_versions").paginate(Bucket="killed"):
        for item in page.get("Versions", []) + page.get("DeleteMarkers", []):
            latest[item["Key"]] = latest.get(item["Key"], 0) + item["IsLatest"]
            s3.delete_object(Bucket="killed", Key=item["Key"], VersionId=item["VersionId"])
    assert set(latest.values()) == {1}
    s3.delete_bucket(Bucket="killed")
