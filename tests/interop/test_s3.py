# SPDX-License-Identifier: Apache-2.0
"""The S3 API as its public clients use it: boto3, the AWS CLI, and curl with a presigned URL."""
import base64
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import zlib
from pathlib import Path

import boto3.exceptions
import boto3.s3.transfer
import botocore.exceptions
import botocore.session
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from aws_client import status_and_code
from harness import http

MIB = 1 << 20


@pytest.fixture
def s3(shared_server):
    return shared_server.aws("s3")


@pytest.fixture
def bucket(s3, request):
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower())[:63].strip("-")
    s3.create_bucket(Bucket=name)
    return name


def sha256_of(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def make_file(path, size):
    path.write_bytes(os.urandom(size))
    return path


def test_buckets(s3):
    s3.create_bucket(Bucket="first-bucket")
    assert "first-bucket" in [item["Name"] for item in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket="first-bucket")
    assert s3.get_bucket_location(Bucket="first-bucket")["LocationConstraint"] is None
    assert status_and_code(lambda: s3.create_bucket(Bucket="first-bucket")) == (
        409, "BucketAlreadyOwnedByYou")
    assert status_and_code(lambda: s3.head_bucket(Bucket="none-such"))[0] == 404
    s3.delete_bucket(Bucket="first-bucket")
    assert status_and_code(lambda: s3.delete_bucket(Bucket="first-bucket")) == (404, "NoSuchBucket")


def test_objects_with_metadata(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="a b/ü+&.txt", Body=b"hello", ContentType="text/plain",
                        Metadata={"line": "7"}, CacheControl="no-store")
    assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    got = s3.get_object(Bucket=bucket, Key="a b/ü+&.txt")
    assert got["Body"].read() == b"hello"
    assert (got["ContentType"], got["Metadata"], got["CacheControl"]) == (
        "text/plain", {"line": "7"}, "no-store")
    head = s3.head_object(Bucket=bucket, Key="a b/ü+&.txt")
    assert head["ContentLength"] == 5
    assert s3.get_object(Bucket=bucket, Key="a b/ü+&.txt", Range="bytes=1-3")["Body"].read() == b"ell"
    assert status_and_code(lambda: s3.get_object(Bucket=bucket, Key="a b/ü+&.txt",
                                         IfNoneMatch=put["ETag"]))[0] == 304
    assert status_and_code(lambda: s3.get_object(Bucket=bucket, Key="none")) == (404, "NoSuchKey")
    assert status_and_code(lambda: s3.head_object(Bucket=bucket, Key="none"))[0] == 404
    assert status_and_code(lambda: s3.get_object(Bucket=bucket, Key="a b/ü+&.txt",
                                         Range="bytes=5-")) == (416, "InvalidRange")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a b/ü+&.txt"})
    assert s3.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"line": "7"}
    assert s3.put_object(Bucket=bucket, Key="empty")["ETag"]
    assert s3.get_object(Bucket=bucket, Key="empty")["Body"].read() == b""


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA256"])
def test_checksums(s3, bucket, algorithm):
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"123456789", ChecksumAlgorithm=algorithm)
    assert put[f"Checksum{algorithm}"]
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    assert got["Body"].read() == b"123456789"
    assert status_and_code(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x",
                                         **{f"Checksum{algorithm}": "AAAAAA=="})) == (
        400, "BadDigest")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"123456789"


@pytest.mark.parametrize("algorithm", ["CRC32C", "CRC64NVME"])
def test_checksums_of_the_crt(s3, bucket, algorithm):
    pytest.importorskip("awscrt")
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"123456789",
                         ChecksumAlgorithm=algorithm)[f"Checksum{algorithm}"]


@pytest.mark.parametrize("version", ["list_objects", "list_objects_v2"])
def test_lists_in_pages(s3, bucket, version):
    keys = [f"dir {i % 3}/é{i:02}" for i in range(20)] + ["top", "z+1"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    pages = list(s3.get_paginator(version).paginate(Bucket=bucket,
                                                    PaginationConfig={"PageSize": 7}))
    assert len(pages) == 4
    assert [item["Key"] for page in pages for item in page["Contents"]] == sorted(
        keys, key=lambda key: key.encode())
    pages = list(s3.get_paginator(version).paginate(Bucket=bucket, Delimiter="/",
                                                    PaginationConfig={"PageSize": 2}))
    assert [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])] == [
        "dir 0/", "dir 1/", "dir 2/"]
    assert [item["Key"] for page in pages for item in page.get("Contents", [])] == ["top", "z+1"]
    only = getattr(s3, version)(Bucket=bucket, Prefix="dir 1/é0")
    assert [item["Key"] for item in only["Contents"]] == ["dir 1/é01", "dir 1/é04", "dir 1/é07"]


def test_deletes_many_at_once(s3, bucket):
    keys = [f"key & <{i}>" for i in range(5)]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert [item["Key"] for item in answer["Deleted"]] == keys
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="never there")


def test_a_large_file_goes_up_in_parts_and_comes_down_whole(s3, bucket, tmp_path):
    source = make_file(tmp_path / "model.onnx", 64 * MIB + 12345)
    transfer = boto3.s3.transfer.TransferConfig(multipart_chunksize=8 * MIB)
    s3.upload_file(str(source), bucket, "model.onnx", Config=transfer,
                   ExtraArgs={"Metadata": {"origin": "test"}})
    head = s3.head_object(Bucket=bucket, Key="model.onnx")
    assert head["ContentLength"] == source.stat().st_size
    assert head["ETag"].endswith('-9"')
    assert head["Metadata"] == {"origin": "test"}
    s3.download_file(bucket, "model.onnx", str(tmp_path / "back"), Config=transfer)
    assert sha256_of(tmp_path / "back") == sha256_of(source)
    part = s3.get_object(Bucket=bucket, Key="model.onnx", Range=f"bytes={60 * MIB}-{61 * MIB - 1}")
    assert part["Body"].read() == source.read_bytes()[60 * MIB:61 * MIB]
    s3.copy({"Bucket": bucket, "Key": "model.onnx"}, bucket, "copied in parts", Config=transfer)
    s3.download_file(bucket, "copied in parts", str(tmp_path / "copy"))
    assert sha256_of(tmp_path / "copy") == sha256_of(source)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_an_upload_by_hand(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    names = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    first = s3.upload_part(**names, PartNumber=1, Body=b"a" * 5 * MIB)["ETag"]
    last = s3.upload_part(**names, PartNumber=7, Body=b"b")["ETag"]
    assert [part["PartNumber"] for part in s3.list_parts(**names)["Parts"]] == [1, 7]
    assert s3.list_multipart_uploads(Bucket=bucket)["Uploads"][0]["UploadId"] == upload

    def complete(*parts):
        return s3.complete_multipart_upload(**names, MultipartUpload={
            "Parts": [{"PartNumber": number, "ETag": etag} for number, etag in parts]})

    assert status_and_code(lambda: complete((7, last), (1, first))) == (400, "InvalidPartOrder")
    assert status_and_code(lambda: complete((1, last))) == (400, "InvalidPart")
    assert complete((1, first), (7, last))["ETag"].endswith('-2"')
    assert s3.get_object(Bucket=bucket, Key="k")["ContentLength"] == 5 * MIB + 1
    other = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=other)
    assert status_and_code(lambda: s3.list_parts(Bucket=bucket, Key="k", UploadId=other)) == (
        404, "NoSuchUpload")


def test_many_clients_at_once(shared_server, bucket):
    contents = [os.urandom(300_000) for _ in range(12)]

    def put_and_get(number):
        client = shared_server.aws("s3")
        # Each key is written by two clients: one of both contents stays, never a mixture.
        for key in (f"own-{number}", f"shared-{number // 2}"):
            client.put_object(Bucket=bucket, Key=key, Body=contents[number])
        return client.get_object(Bucket=bucket, Key=f"own-{number}")["Body"].read()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(put_and_get, range(12))) == contents
    client = shared_server.aws("s3")
    for number in range(6):
        body = client.get_object(Bucket=bucket, Key=f"shared-{number}")["Body"].read()
        assert body in contents[2 * number:2 * number + 2]


def test_an_upload_goes_on_after_the_server_was_killed(server):
    client = server.aws("s3")
    client.create_bucket(Bucket="killed")
    client.put_object(Bucket="killed", Key="k", Body=b"old")
    names = {"Bucket": "killed", "Key": "k",
             "UploadId": client.create_multipart_upload(Bucket="killed", Key="k")["UploadId"]}
    parts = [os.urandom(6 * MIB), os.urandom(1000)]
    first = client.upload_part(**names, PartNumber=1, Body=parts[0])["ETag"]
    server.kill()
    client = server.start().aws("s3")
    assert client.get_object(Bucket="killed", Key="k")["Body"].read() == b"old"
    assert [part["ETag"] for part in client.list_parts(**names)["Parts"]] == [first]
    second = client.upload_part(**names, PartNumber=2, Body=parts[1])["ETag"]
    completion = {"Parts": [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]}
    client.complete_multipart_upload(**names, MultipartUpload=completion)
    server.kill()
    client = server.start().aws("s3")
    # The answer may have been lost with the server: the same request is answered again.
    client.complete_multipart_upload(**names, MultipartUpload=completion)
    assert client.get_object(Bucket="killed", Key="k")["Body"].read() == b"".join(parts)


def test_a_device_uploads_in_parts_over_tls(shared_server, tmp_path):
    device = shared_server.device("uploader", tmp_path)
    key = json.loads(device.https("/role-aliases/any/credentials")[1])["credentials"]
    client = shared_server.aws("s3", key, shared_server.info["devicePlane"])
    source = make_file(tmp_path / "image.png", 17 * MIB)
    client.upload_file(str(source), "andon-uploads", "uploader/image.png")
    with pytest.raises(boto3.exceptions.S3UploadFailedError):
        client.upload_file(str(source), "andon-uploads", "another/image.png")
    shared_server.aws("s3").download_file("andon-uploads", "uploader/image.png",
                                          str(tmp_path / "back"))
    assert sha256_of(tmp_path / "back") == sha256_of(source)


def test_presigned_urls_work_with_curl(shared_server, s3, bucket, tmp_path):
    client = shared_server.aws("s3")
    client.put_object(Bucket=bucket, Key="a b", Body=b"presigned")
    session = botocore.session.get_session()
    key = shared_server.operator_key
    session.set_credentials(key["accessKeyId"], key["secretAccessKey"])
    v4 = session.create_client("s3", region_name=key["region"],
                               endpoint_url=shared_server.info["api"],
                               config=Config(signature_version="s3v4"))

    def curl(*arguments):
        return subprocess.run(
            ["curl", "--silent", "--noproxy", "*", "--write-out", "%{http_code}", *arguments],
            capture_output=True, text=True, timeout=60, check=True).stdout

    get = v4.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b"}, ExpiresIn=60)
    assert curl(get) == "presigned200"
    assert curl(get.replace("a%20b", "c")).endswith("403")
    put = v4.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "up"}, ExpiresIn=60)
    source = make_file(tmp_path / "up", 3 * MIB)
    assert curl("--upload-file", str(source), put).endswith("200")
    assert client.get_object(Bucket=bucket, Key="up")["Body"].read() == source.read_bytes()


def test_a_wrong_or_missing_signature_is_refused(shared_server, bucket):
    key = shared_server.operator_key
    wrong = shared_server.aws("s3", {**key, "secretAccessKey": "wrong"})
    assert status_and_code(wrong.list_buckets) == (403, "SignatureDoesNotMatch")
    unknown = shared_server.aws("s3", {**key, "accessKeyId": "AKIAUNKNOWN"})
    assert status_and_code(unknown.list_buckets) == (403, "InvalidAccessKeyId")
    status, body = http(f"{shared_server.info['api']}/{bucket}/key")
    assert (status, b"<Code>AccessDenied</Code>" in body) == (403, True)


def signed(server, method, path, body):
    key = server.operator_key
    request = AWSRequest(method, server.info["api"] + path, data=body,
                         headers={"Content-Type": "application/xml"})
    request.context["payload_signing_enabled"] = True
    S3SigV4Auth(Credentials(key["accessKeyId"], key["secretAccessKey"]), "s3",
                key["region"]).add_auth(request)
    return http(request.url, method, body, dict(request.headers))


@pytest.mark.parametrize("body", [
    b"", b"<Delete>", b"<Other/>", b"<Delete/>", b"\xff\xfe", b"<!DOCTYPE Delete><Delete/>",
    b'<!DOCTYPE d [<!ENTITY a "b">]><Delete><Object><Key>&a;</Key></Object></Delete>',
    b"<a>" * 100_000])
def test_malformed_xml_is_refused(shared_server, s3, body):
    try:
        s3.create_bucket(Bucket="malformed")
    except botocore.exceptions.ClientError:
        pass
    status, answer = signed(shared_server, "POST", "/malformed?delete=", body)
    assert (status, b"<Code>MalformedXML</Code>" in answer) == (400, True)


def test_the_cli_copies_syncs_lists_and_removes(shared_server, tmp_path):
    folder = tmp_path / "folder"
    (folder / "sub dir").mkdir(parents=True)
    make_file(folder / "one.bin", 1000)
    make_file(folder / "sub dir" / "two.bin", 2000)
    large = make_file(tmp_path / "large.bin", 20 * MIB)
    shared_server.aws_cli("s3", "mb", "s3://cli-bucket")
    shared_server.aws_cli("s3", "sync", str(folder), "s3://cli-bucket/synced")
    shared_server.aws_cli("s3", "cp", str(large), "s3://cli-bucket/large.bin")
    listed = shared_server.aws_cli("s3", "ls", "--recursive", "s3://cli-bucket").stdout
    assert [line.split(None, 3)[2:] for line in listed.splitlines()] == [
        [str(20 * MIB), "large.bin"], ["1000", "synced/one.bin"], ["2000", "synced/sub dir/two.bin"]]
    shared_server.aws_cli("s3", "cp", "s3://cli-bucket/large.bin", str(tmp_path / "back"))
    assert sha256_of(tmp_path / "back") == sha256_of(large)
    shared_server.aws_cli("s3", "cp", "s3://cli-bucket/large.bin", "s3://cli-bucket/copy.bin")
    shared_server.aws_cli("s3", "sync", "s3://cli-bucket/synced", str(tmp_path / "down"))
    assert sha256_of(tmp_path / "down" / "sub dir" / "two.bin") == sha256_of(
        folder / "sub dir" / "two.bin")
    failed = shared_server.aws_cli("s3", "rb", "s3://cli-bucket", check=False)
    assert failed.returncode != 0 and "BucketNotEmpty" in failed.stderr
    shared_server.aws_cli("s3", "rm", "--recursive", "s3://cli-bucket")
    shared_server.aws_cli("s3", "rb", "s3://cli-bucket")


def test_the_cli_presigns(shared_server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"presigned")
    # The CLI signs with version 4 for a region that it does not know, else with version 2.
    for region in ("local", "us-east-1"):
        url = shared_server.aws_cli("--region", region, "s3", "presign",
                      f"s3://{bucket}/k").stdout.strip()
        assert http(url) == (200, b"presigned")
        assert http(url.replace("/k?", "/other?"))[0] == 403


def test_conditions_hold_for_every_write(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"kept")["ETag"]
    source = {"Bucket": bucket, "Key": "k"}
    for call in (
            lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x", IfNoneMatch="*"),
            lambda: s3.delete_object(Bucket=bucket, Key="k", IfMatch='"other"'),
            lambda: s3.copy_object(Bucket=bucket, Key="k2", CopySource=source,
                                   CopySourceIfMatch='"other"'),
            lambda: s3.copy_object(Bucket=bucket, Key="k2", CopySource=source,
                                   CopySourceIfNoneMatch=etag)):
        assert status_and_code(call) == (412, "PreconditionFailed")
    assert status_and_code(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x", SSECustomerKey="k" * 32,
                                         SSECustomerAlgorithm="AES256")) == (501, "NotImplemented")
    assert status_and_code(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x",
                                         ServerSideEncryption="aws:kms")) == (501, "NotImplemented")
    assert status_and_code(lambda: s3.delete_object(Bucket=bucket, Key="k", ExpectedBucketOwner="1" * 12)) == (
        403, "AccessDenied")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [
        {"Key": "k", "VersionId": "another"}, {"Key": "k", "ETag": "another"}]})
    assert [item["Code"] for item in answer["Errors"]] == ["PreconditionFailed"]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"
    assert status_and_code(lambda: s3.head_object(Bucket=bucket, Key="k2"))[0] == 404
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=etag)
    assert status_and_code(lambda: s3.head_object(Bucket=bucket, Key="k"))[0] == 404


@pytest.mark.parametrize("kind", ["FULL_OBJECT", "COMPOSITE"])
def test_an_upload_has_its_checksum_afterwards(s3, bucket, kind):
    parts = [os.urandom(5 * MIB), os.urandom(1000)]
    names = {"Bucket": bucket, "Key": "k"}
    begun = s3.create_multipart_upload(**names, ChecksumAlgorithm="CRC32", ChecksumType=kind)
    assert (begun["ChecksumAlgorithm"], begun["ChecksumType"]) == ("CRC32", kind)
    names["UploadId"] = begun["UploadId"]
    made = [s3.upload_part(**names, PartNumber=i + 1, Body=part, ChecksumAlgorithm="CRC32")
            for i, part in enumerate(parts)]
    listed = [{"PartNumber": i + 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}
              for i, part in enumerate(made)]

    def complete(parts=listed, **more):
        return s3.complete_multipart_upload(**names, MultipartUpload={"Parts": parts}, **more)

    def crc(data):
        return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()

    values = {"FULL_OBJECT": crc(b"".join(parts)),
              "COMPOSITE": crc(b"".join(base64.b64decode(crc(part)) for part in parts)) + "-2"}
    assert status_and_code(lambda: complete([{**listed[0], "ChecksumCRC32": listed[1]["ChecksumCRC32"]},
                                     listed[1]])) == (400, "InvalidPart")
    assert status_and_code(lambda: complete(ChecksumCRC32="AAAAAA==")) == (400, "BadDigest")
    assert status_and_code(lambda: complete(MpuObjectSize=7)) == (400, "InvalidRequest")
    done = complete(ChecksumCRC32=values[kind], ChecksumType=kind,
                    MpuObjectSize=5 * MIB + 1000)
    assert (done["ChecksumCRC32"], done["ChecksumType"]) == (values[kind], kind)
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (got["ChecksumCRC32"], got["ChecksumType"]) == (values[kind], kind)
    assert got["Body"].read() == b"".join(parts)


def test_lists_of_uploads_come_in_pages(s3, bucket):
    begun = {s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
             for key in ("a", "b", "b", "b/1", "b/2", "ü c")}
    pages = list(s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 2}))
    assert len(pages) == 3
    assert {item["UploadId"] for page in pages for item in page["Uploads"]} == begun
    grouped = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/", Prefix="b")
    assert [item["Key"] for item in grouped["Uploads"]] == ["b", "b"]
    assert [item["Prefix"] for item in grouped["CommonPrefixes"]] == ["b/"]
