# SPDX-License-Identifier: Apache-2.0
"""Users, keys and roles on the command line, and why somebody may do something or may not."""
import json
import subprocess

import botocore.exceptions
import pytest

from harness import Server, program

TARGET = "arn:aws:iot:us-east-1:000000000000:thinggroup/line-3"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture
def andon(server):
    """andon("users", "list") -> what it prints."""
    def run(*arguments, expect=0):
        done = subprocess.run([program("andon"), *arguments, "--data", str(server.data)],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == expect, done.stderr
        return done.stdout if expect == 0 else done.stderr
    return run


def key_of(text):
    key = json.loads(text)
    return {"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]}


def test_users_are_managed_and_explained_on_the_command_line(server, andon):
    key = key_of(andon("users", "add", "eva", "--role", "deployer", "--json"))
    assert "AndonDeployerAccess" in andon("users", "list")
    server.aws("iot", key).list_things()
    with pytest.raises(botocore.exceptions.ClientError, match="user/eva is not authorized"):
        server.aws("iot", key).create_thing(thingName="x")

    said = andon("users", "why", "eva", "greengrass:CreateDeployment", TARGET)
    assert said == (f"allowed: greengrass:CreateDeployment on {TARGET}\n"
                    "  by statement 2 (Deploy) of arn:aws:iam::aws:policy/AndonDeployerAccess\n"
                    "  which user eva has\n")
    said = andon("users", "why", "eva", "iot:DeleteThing")
    assert "denied: iot:DeleteThing on *" in said and "says anything of it" in said
    server.aws("iam").put_user_policy(UserName="eva", PolicyName="no", PolicyDocument=json.dumps(
        {"Version": "2012-10-17",
         "Statement": {"Effect": "Deny", "Action": "greengrass:*", "Resource": "*"}}))
    assert json.loads(andon("user", "why", "user/eva", "greengrass:ListComponents", "--json")) == {
        "principal": "arn:aws:iam::000000000000:user/eva", "action": "greengrass:ListComponents",
        "resource": "*", "decision": "explicitDeny", "policy": "no", "from": "user eva",
        "statement": 1}

    second = key_of(andon("keys", "add", "eva", "--json"))
    assert second["accessKeyId"] in andon("keys", "list", "eva")
    andon("keys", "delete", "eva", second["accessKeyId"])
    assert second["accessKeyId"] not in andon("keys", "list", "eva")
    assert "viewer" in andon("roles", "list")
    andon("users", "delete", "eva")
    assert "eva" not in andon("users", "list")
    assert "NoSuchEntity" in andon("users", "delete", "eva", expect=6)
    with pytest.raises(botocore.exceptions.ClientError, match="UnrecognizedClientException"):
        server.aws("iot", key).list_things()
