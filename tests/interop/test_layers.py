# SPDX-License-Identifier: Apache-2.0
"""Layers with boto3: versions, what a function sees of them at /opt, and what is refused."""
import base64
import hashlib
import io
import random
import urllib.request
import zipfile

import pytest

from aws_client import code_and_message
from functions import Functions, zipped

SEE = """
import os, sys
def handler(event, context):
    import shared
    return {"word": shared.WORD, "opt": sorted(os.listdir("/opt")), "file": open("/opt/file").read()}
"""


@pytest.fixture
def functions(server, fresh):
    return Functions(server, fresh)


@pytest.fixture
def client(functions):
    return functions.client


def publish(client, name, files, **more):
    return client.publish_layer_version(LayerName=name, Content={"ZipFile": zipped(files)}, **more)


def test_a_layer_is_published_read_listed_and_deleted(client, fresh):
    name = fresh("layer")
    package = zipped({"python/a.py": "A = 1\n"})
    made = client.publish_layer_version(
        LayerName=name, Description="d", Content={"ZipFile": package}, LicenseInfo="Apache-2.0",
        CompatibleRuntimes=["python3.11", "python3.12"], CompatibleArchitectures=["x86_64"])
    arn = f"arn:aws:lambda:us-east-1:000000000000:layer:{name}"
    assert (made["LayerArn"], made["LayerVersionArn"], made["Version"]) == (arn, f"{arn}:1", 1)
    assert made["Content"]["CodeSha256"] == base64.b64encode(hashlib.sha256(package).digest()).decode()
    assert made["Content"]["CodeSize"] == len(package)
    second = publish(client, arn, {"python/a.py": "A = 2\n"}, CompatibleRuntimes=["python3.12"])
    assert second["Version"] == 2
    found = client.get_layer_version(LayerName=name, VersionNumber=1)
    assert found["Description"] == "d" and found["LicenseInfo"] == "Apache-2.0"
    assert found["CompatibleRuntimes"] == ["python3.11", "python3.12"]
    with urllib.request.urlopen(found["Content"]["Location"]) as answer:
        assert answer.read() == package
    assert client.get_layer_version_by_arn(Arn=f"{arn}:2")["Version"] == 2
    versions = client.list_layer_versions(LayerName=name)["LayerVersions"]
    assert [one["Version"] for one in versions] == [2, 1]
    fits = client.list_layer_versions(LayerName=name, CompatibleRuntime="python3.11")["LayerVersions"]
    assert [one["Version"] for one in fits] == [1]

    def latest(**filters):
        pages = client.get_paginator("list_layers").paginate(PaginationConfig={"PageSize": 1}, **filters)
        return {one["LayerName"]: one["LatestMatchingVersion"]["Version"]
                for page in pages for one in page["Layers"]}.get(name)
    assert latest() == 2 and latest(CompatibleRuntime="python3.11") == 1
    assert latest(CompatibleRuntime="python3.9") is None
    client.delete_layer_version(LayerName=name, VersionNumber=2)
    client.delete_layer_version(LayerName=name, VersionNumber=2)
    assert latest() == 1
    assert code_and_message(client.get_layer_version, LayerName=name, VersionNumber=2)[0] == "ResourceNotFoundException"
    # A number is never given again.
    assert publish(client, name, {"x": "1"})["Version"] == 3


def test_a_function_sees_its_layers_in_their_order(functions, client, fresh):
    first = publish(client, fresh("layer"), {"python/shared.py": "WORD = 'first'\n", "file": "first", "one": "1"})
    second = publish(client, fresh("layer"), {
        "python/lib/python3.12/site-packages/deep.py": "DEEP = 1\n", "python/shared.py": "WORD = 'second'\n",
        "file": "second", "two/x": "2"})
    arns = [first["LayerVersionArn"], second["LayerVersionArn"]]
    name = functions.create(SEE, Layers=arns)
    told = client.get_function_configuration(FunctionName=name)["Layers"]
    assert [one["Arn"] for one in told] == arns and all(one["CodeSize"] > 0 for one in told)
    assert functions.call(name) == (
        {"word": "second", "opt": ["file", "one", "python", "two"], "file": "second"}, None)
    client.update_function_configuration(FunctionName=name, Layers=arns[::-1])
    functions.wait(name)
    assert functions.call(name)[0]["file"] == "first"
    client.update_function_configuration(FunctionName=name, Layers=arns[:1])
    functions.wait(name)
    assert functions.call(name)[0]["opt"] == ["file", "one", "python"]
    # Its own module stands before that of a layer.
    own = functions.create(SEE, files={"shared.py": "WORD = 'own'\n"}, Layers=arns)
    assert functions.call(own)[0]["word"] == "own"
    deep = functions.create("import deep\ndef handler(e, c): return deep.DEEP\n", Layers=arns)
    assert functions.call(deep) == (1, None)


def test_a_function_keeps_a_layer_that_was_deleted(functions, client, fresh):
    made = publish(client, fresh("layer"), {"python/shared.py": "WORD = 'kept'\n", "file": "x"})
    name = functions.create(SEE, Layers=[made["LayerVersionArn"]])
    client.delete_layer_version(LayerName=made["LayerArn"], VersionNumber=1)
    assert functions.call(name)[0]["word"] == "kept"
    code, message = code_and_message(client.create_function, FunctionName=fresh("function"), Runtime="python3.12",
                             Role=functions.role, Handler="app.handler",
                             Code={"ZipFile": zipped({"app.py": SEE})}, Layers=[made["LayerVersionArn"]])
    assert code == "InvalidParameterValueException" and "does not exist" in message


def test_a_runtime_can_be_a_layer(functions, client, fresh):
    bootstrap = ("#!/usr/bin/python3\nimport os, urllib.request\n"
                 "api = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2018-06-01/runtime/invocation/'\n"
                 "while True:\n    event = urllib.request.urlopen(api + 'next')\n"
                 "    call = event.headers['Lambda-Runtime-Aws-Request-Id']\n"
                 "    urllib.request.urlopen(urllib.request.Request(api + call + '/response', b'\"layer\"'))\n")
    made = publish(client, fresh("layer"), {"bootstrap": bootstrap})
    name = functions.create(None, Runtime="provided.al2023", Handler="x", files={"readme": "-"},
                            Layers=[made["LayerVersionArn"]])
    assert functions.call(name) == ("layer", None)


def test_what_a_function_may_not_have_is_refused(server, functions, client, fresh):
    base = {"Runtime": "python3.12", "Role": functions.role, "Handler": "app.handler",
            "Code": {"ZipFile": zipped({"app.py": SEE})}}
    name = fresh("layer")
    arns = [publish(client, name, {"a": "1"})["LayerVersionArn"] for _ in range(2)]
    many = [publish(client, fresh("layer"), {"a": "1"})["LayerVersionArn"] for _ in range(6)]
    for layers, word in ((many, "more than 5"), (arns, "Two different versions"),
                         ([arns[0].rsplit(":", 1)[0]], "is not the ARN of a layer's version"), (["x"], "not the ARN")):
        code, message = code_and_message(client.create_function, FunctionName=fresh("function"), Layers=layers, **base)
        assert code == "InvalidParameterValueException" and word in message, message
    # Together they may have 250 MiB.
    s3 = server.aws("s3")
    bucket = fresh("bucket")
    s3.create_bucket(Bucket=bucket)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as writer:
        writer.writestr("large", random.Random(1).randbytes(130 << 20))
    s3.put_object(Bucket=bucket, Key="large.zip", Body=archive.getvalue())
    large = [client.publish_layer_version(LayerName=fresh("layer"), Content={"S3Bucket": bucket, "S3Key": "large.zip"})
             ["LayerVersionArn"] for _ in range(2)]
    function = functions.create(SEE, Layers=large[:1])
    code, message = code_and_message(client.update_function_configuration, FunctionName=function, Layers=large)
    assert code == "InvalidParameterValueException" and "262144000 bytes" in message
    code, message = code_and_message(client.create_function, FunctionName=fresh("function"), Layers=large, **base)
    assert "Function code combined with layers exceeds" in message
    assert code_and_message(client.publish_layer_version, LayerName=fresh("layer"), Content={"ZipFile": b"no zip"})[0] == \
        "InvalidParameterValueException"


def test_who_may_not_read_a_layer_does_not(limited, client, fresh):
    name = fresh("layer")
    publish(client, name, {"a": "1"})
    arn = f"arn:aws:lambda:us-east-1:000000000000:layer:{name}:1"
    may = limited("lambda", "lambda:GetLayerVersion", arn)
    assert may.get_layer_version(LayerName=name, VersionNumber=1)["Version"] == 1
    assert may.get_layer_version_by_arn(Arn=arn)["Version"] == 1
    assert code_and_message(may.delete_layer_version, LayerName=name, VersionNumber=1)[0] == "AccessDeniedException"
    other = limited("lambda", "lambda:GetLayerVersion", arn.replace(name, "other"))
    assert code_and_message(other.get_layer_version, LayerName=name, VersionNumber=1)[0] == "AccessDeniedException"
