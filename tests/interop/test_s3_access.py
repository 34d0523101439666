# SPDX-License-Identifier: Apache-2.0
"""Who may: policies of users and buckets together, strangers, and browsers of other origins."""
import http.client
import json

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config

from harness import checked
from harness import http as ask

PAGE = "https://panel.example"


@pytest.fixture(scope="module")
def s3(shared_server):
    return checked(shared_server.aws("s3"))


@pytest.fixture(scope="module")
def eva(shared_server):
    iam = shared_server.aws("iam")
    iam.create_user(UserName="eva")
    key = iam.create_access_key(UserName="eva")["AccessKey"]
    return shared_server.aws("s3", {"accessKeyId": key["AccessKeyId"],
                                    "secretAccessKey": key["SecretAccessKey"]})


def code_of(call):
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        call()
    response = raised.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(bucket, effect, action, **more):
    return {"Effect": effect, "Principal": {"AWS": "arn:aws:iam::000000000000:user/eva"},
            "Action": action, "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
            **more}


def test_a_bucket_policy_lets_a_user_in_and_shuts_one_out(shared_server, s3, eva):
    s3.create_bucket(Bucket="shared-parts")
    s3.put_object(Bucket="shared-parts", Key="k", Body=b"x")
    assert code_of(lambda: eva.get_object(Bucket="shared-parts", Key="k")) == (403, "AccessDenied")
    s3.put_bucket_policy(Bucket="shared-parts",
                         Policy=policy(statement("shared-parts", "Allow", "s3:GetObject")))
    assert eva.get_object(Bucket="shared-parts", Key="k")["Body"].read() == b"x"
    assert code_of(lambda: eva.put_object(Bucket="shared-parts", Key="k")) == (403, "AccessDenied")
    iam = shared_server.aws("iam")
    iam.put_user_policy(UserName="eva", PolicyName="all", PolicyDocument=json.dumps({
        "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}))
    eva.put_object(Bucket="shared-parts", Key="k", Body=b"y")
    s3.put_bucket_policy(Bucket="shared-parts", Policy=policy(statement(
        "shared-parts", "Deny", "s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}})))
    assert code_of(lambda: eva.get_object(Bucket="shared-parts", Key="k")) == (403, "AccessDenied")
    assert s3.get_bucket_policy_status(Bucket="shared-parts")["PolicyStatus"]["IsPublic"] is False
    assert json.loads(s3.get_bucket_policy(Bucket="shared-parts")["Policy"])["Statement"]
    s3.delete_bucket_policy(Bucket="shared-parts")
    iam.delete_user_policy(UserName="eva", PolicyName="all")
    assert code_of(lambda: eva.get_object(Bucket="shared-parts", Key="k")) == (403, "AccessDenied")
    assert code_of(lambda: s3.get_bucket_policy(Bucket="shared-parts")) == (
        404, "NoSuchBucketPolicy")


def test_strangers_read_a_public_bucket_and_nothing_else(shared_server, s3):
    s3.create_bucket(Bucket="public-parts")
    s3.put_object(Bucket="public-parts", Key="k", Body=b"x")
    url = f"{shared_server.info['api']}/public-parts/k"
    everybody = policy({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                        "Resource": "arn:aws:s3:::public-parts/*"})
    assert ask(url)[0] == 403
    assert code_of(lambda: s3.put_bucket_policy(Bucket="public-parts", Policy=everybody)) == (
        403, "AccessDenied")
    assert s3.get_public_access_block(Bucket="public-parts")["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True}
    s3.delete_public_access_block(Bucket="public-parts")
    s3.put_bucket_policy(Bucket="public-parts", Policy=everybody)
    assert s3.get_bucket_policy_status(Bucket="public-parts")["PolicyStatus"]["IsPublic"] is True
    assert ask(url) == (200, b"x")
    assert ask(url, "PUT", b"y")[0] == 403
    assert ask(url.removesuffix("/k"))[0] == 403
    assert ask(f"{shared_server.info['api']}/things")[0] == 403
    s3.put_public_access_block(Bucket="public-parts", PublicAccessBlockConfiguration={
        "RestrictPublicBuckets": True})
    assert ask(url)[0] == 403


def test_a_page_of_another_origin_asks_first(shared_server, s3):
    s3.create_bucket(Bucket="pages")
    url = f"{shared_server.info['api']}/pages/k"
    question = {"Origin": PAGE, "Access-Control-Request-Method": "PUT"}
    assert ask(url, "OPTIONS", headers=question)[0] == 403
    s3.put_bucket_cors(Bucket="pages", CORSConfiguration={"CORSRules": [
        {"AllowedOrigins": [PAGE], "AllowedMethods": ["PUT"], "AllowedHeaders": ["*"]}]})
    assert ask(url, "OPTIONS", headers=question)[0] == 200
    assert ask(url, "OPTIONS", headers={**question, "Origin": "https://other.example"})[0] == 403


def test_a_form_of_nobody_is_bounded_and_for_a_bucket_that_is_there(shared_server, s3):
    s3.create_bucket(Bucket="bounded")

    def begin(bucket, size):
        connection = http.client.HTTPConnection(shared_server.info["api"].split("//")[1], timeout=30)
        connection.putrequest("POST", f"/{bucket}")
        connection.putheader("Content-Type", "multipart/form-data; boundary=xXx")
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        return connection.getresponse().status

    assert begin("bounded", 200 << 20) == 413
    assert begin("not-there", 50 << 20) == 404


def form_of(fields, content, boundary="xXx"):
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
             for name, value in fields.items()]
    head = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
            "Content-Type: image/png\r\n\r\n")
    return "".join(parts).encode() + head.encode() + content + f"\r\n--{boundary}--\r\n".encode()


def test_a_large_form_is_refused_once_its_fields_are_there(shared_server, s3):
    """Its signature comes before its file: nobody's 50 MB are read."""
    s3.create_bucket(Bucket="early")
    made = s3.generate_presigned_post("early", "up", Conditions=[["content-length-range", 1, 60 << 20]])

    def begin(fields, sent):
        form = form_of(fields, b"x" * sent)
        connection = http.client.HTTPConnection(shared_server.info["api"].split("//")[1], timeout=60)
        try:
            connection.putrequest("POST", "/early")
            connection.putheader("Content-Type", "multipart/form-data; boundary=xXx")
            connection.putheader("Content-Length", str(50 << 20))
            connection.endheaders(form)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    for fields, code in [
            ({**made["fields"], "x-amz-signature": "0" * 64, "signature": "0" * 28}, b"SignatureDoesNotMatch"),
            ({"key": "up"}, b"AccessDenied"),
            ({"key": "up", "x-amz-meta-a": "x" * 30_000}, b"MaxPostPreDataLengthExceededError")]:
        status, answer = begin(fields, 200_000)
        assert status in (400, 403) and code in answer, answer


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_browser_posts_a_form_that_was_signed_for_it(shared_server, s3, version):
    name = f"forms-{version}"
    s3.create_bucket(Bucket=name)
    key = shared_server.operator_key
    signer = boto3.client(
        "s3", endpoint_url=shared_server.info["api"], region_name=key["region"],
        aws_access_key_id=key["accessKeyId"], aws_secret_access_key=key["secretAccessKey"],
        config=Config(signature_version=version, s3={"addressing_style": "path"}))
    made = signer.generate_presigned_post(
        name, "up/${filename}", Fields={"Content-Type": "image/png"},
        Conditions=[{"Content-Type": "image/png"}, ["content-length-range", 1, 400_000]])

    def post(fields, content):
        return ask(made["url"], "POST", form_of(fields, content),
                    {"Content-Type": "multipart/form-data; boundary=xXx"})

    content = bytes(range(256)) * 1200  # more than is kept in memory
    assert post(made["fields"], content) == (204, b"")
    assert s3.get_object(Bucket=name, Key="up/a.png")["Body"].read() == content
    assert post(made["fields"], bytes(400_001))[0] == 400
    assert post({**made["fields"], "key": "elsewhere"}, b"x")[0] == 403
    assert post({**made["fields"], "Content-Type": "text/html"}, b"x")[0] == 403
    assert post({**made["fields"], "x-amz-meta-a": "b"}, b"x")[0] == 403
    signature = "signature" if version == "s3" else "x-amz-signature"
    assert b"SignatureDoesNotMatch" in post({**made["fields"], signature: "0" * 64}, b"x")[1]
    assert b"AccessDenied" in post({"key": "k"}, b"x")[1]
    listed = s3.list_objects_v2(Bucket=name)["Contents"]
    assert [item["Key"] for item in listed] == ["up/a.png"]
