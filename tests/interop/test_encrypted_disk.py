# SPDX-License-Identifier: Apache-2.0
"""A server whose operator says that its disk is encrypted takes uploads that ask for no more."""
import botocore.exceptions
import pytest

from harness import Server


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("server") / "data", "--disk-encrypted") as server:
        client = server.aws("s3")
        client.create_bucket(Bucket="plant")
        yield client


@pytest.mark.parametrize("word", ["AES256", "aws:kms"])
def test_an_upload_that_asks_for_encryption_at_rest_is_taken_and_nothing_is_claimed(s3, word):
    answer = s3.put_object(Bucket="plant", Key="a", Body=b"x", ServerSideEncryption=word)
    assert "ServerSideEncryption" not in answer
    assert s3.get_object(Bucket="plant", Key="a")["Body"].read() == b"x"
    s3.copy_object(Bucket="plant", Key="b", CopySource="plant/a", ServerSideEncryption=word)
    upload = s3.create_multipart_upload(Bucket="plant", Key="c", ServerSideEncryption=word)
    s3.abort_multipart_upload(Bucket="plant", Key="c", UploadId=upload["UploadId"])


def test_a_key_of_the_clients_own_is_refused_all_the_same(s3):
    for more in ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "mine"},
                 {"ServerSideEncryption": "aws:kms:dsse"}):
        with pytest.raises(botocore.exceptions.ClientError) as raised:
            s3.put_object(Bucket="plant", Key="d", Body=b"x", **more)
        assert raised.value.response["Error"]["Code"] == "NotImplemented"
