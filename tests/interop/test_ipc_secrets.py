# SPDX-License-Identifier: Apache-2.0
"""Components of the public AWS IoT Device SDK, unmodified, get secrets that the server keeps (AWS
Secrets Manager's API) from the agent of their device: also while the server is away."""
import itertools
import json
import sqlite3
import sys
from pathlib import Path

import boto3
import botocore.exceptions
import pytest
from agent import Agent, Fleet
from aws_client import holders
from botocore.config import Config
from harness import Device, Server, wait_until
from test_iam import ACCOUNT, allow, document, trust
from test_role_aliases import DEVICES, credentials, token_with

pytest.importorskip("awsiot", reason="needs awsiotsdk")

SOURCE = Path(__file__).with_name("ipc_secret_component.py")
MANAGER = "aws.greengrass.SecretManager"
NAME, OTHER = "com.example.Line", "com.example.Other"
ACCESS = {MANAGER: {f"{NAME}:secrets:1": {
    "operations": ["aws.greengrass#GetSecretValue"],
    "resources": [f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:line/*"]}}}
WORDS = [b"first password", b"blue password", b"second password", b"third password"]


class World:
    """A server with secrets and a device on which two components run, one of which may have them."""

    def __init__(self, server, directory, statement):
        self.server, self.numbers = server, itertools.count(1)
        self.secrets, iam = server.aws("secretsmanager"), server.aws("iam")
        self.mes = self.secrets.create_secret(Name="line/mes", SecretString="first password")["ARN"]
        blue = self.secrets.put_secret_value(SecretId="line/mes", SecretString="blue password",
                                             VersionStages=["BLUE"])
        self.blue = blue["VersionId"]
        self.key = self.secrets.create_secret(Name="line/key", SecretBinary=b"\x00\xff key")["ARN"]
        iam.create_role(RoleName="lines", AssumeRolePolicyDocument=trust(DEVICES))
        iam.put_role_policy(RoleName="lines", PolicyName="own", PolicyDocument=document(statement))
        server.aws("iot").create_role_alias(
            roleAlias="lines", roleArn=f"arn:aws:iam::{ACCOUNT}:role/lines")
        self.agent = Agent(server, directory, thing="line-1")
        self.agent.provision(token_with(server, "line-1", "lines"))
        self.fleet = Fleet(server)
        uri = self.fleet.put_artifact("component.py", SOURCE.read_bytes())
        for name, access in ((NAME, ACCESS), (OTHER, {})):
            self.fleet.component(
                name, "1.0.0", {"run": f"exec {sys.executable} -u {{artifacts:path}}/component.py"},
                configuration={"accessControl": access}, artifacts=[uri],
                dependencies={MANAGER: {"VersionRequirement": "^2.0.0"}})

    def __enter__(self):
        self.agent.start()
        return self

    def __exit__(self, *stack):
        self.agent.__exit__(*stack)

    def deploy(self, **more):
        self.fleet.deploy_and_wait(
            {NAME: "1.0.0", OTHER: "1.0.0", MANAGER: ("2.1.8", {
                "cloudSecrets": [{"arn": self.mes, "labels": ["BLUE", "RED"]},
                                 {"arn": "line/key"}], **more})}, thing="line-1")

    def _answers(self, name, number):
        file = self.agent.root / "work" / name / "answers.json"
        wait_until(lambda: file.exists() and json.loads(file.read_text())["number"] == number,
                   f"answer {number} of {name}; {self.agent.root}/logs", 60)
        return json.loads(file.read_text())["answers"]

    def first_answer(self, name=NAME):
        return self._answers(name, 0)[0]

    def ask(self, *wishes, name=NAME):
        number = next(self.numbers)
        work = self.agent.root / "work" / name
        (work / "wishes.tmp").write_text(json.dumps({"number": number, "wishes": wishes}))
        (work / "wishes.tmp").rename(work / "wishes.json")
        return self._answers(name, number)

    def ask_one(self, name=NAME, **wish):
        return self.ask({"secret_id": "line/mes", **wish}, name=name)[0]

    def note(self):
        return next(c.get("note", "") for c in self.agent.status()["components"]
                    if c["name"] == MANAGER)


@pytest.fixture
def world(tmp_path):
    with Server(tmp_path / "data") as server, World(
            server, tmp_path / "device",
            allow(["secretsmanager:GetSecretValue"],
                  "arn:aws:secretsmanager:*:*:secret:line/*")) as made:
        yield made


def test_a_component_gets_the_secrets_that_it_may_have(world):
    world.deploy()
    first = world.first_answer()
    assert (first["text"], first["id"], first["stages"]) == (
        "first password", world.mes, ["AWSCURRENT"]), first
    assert world.first_answer(OTHER)["error"] == "UnauthorizedError"
    by_arn, blue, by_version, binary = world.ask(
        {"secret_id": world.mes}, {"secret_id": "line/mes", "version_stage": "BLUE"},
        {"secret_id": "line/mes", "version_id": world.blue}, {"secret_id": world.key})
    assert by_arn == first
    assert blue["text"] == by_version["text"] == "blue password" and blue["version"] == world.blue
    assert bytes.fromhex(binary["bytes"]) == b"\x00\xff key" and binary["text"] is None

    refused = world.ask({"secret_id": "line/none"}, {"secret_id": "line/mes", "version_stage": "RED"},
                        {"secret_id": "line/mes", "version_id": "0" * 32},
                        {"secret_id": "line/mes", "version_id": world.blue, "version_stage": "BLUE"},
                        {})
    assert [one["error"] for one in refused] == [
        "ResourceNotFoundError", "ResourceNotFoundError", "ResourceNotFoundError",
        "InvalidArgumentsError", "InvalidArgumentsError"], refused
    assert [one["error"] for one in world.ask(
        {"secret_id": "line/mes", "refresh": True}, {"secret_id": world.key}, name=OTHER)] == [
            "UnauthorizedError", "UnauthorizedError"]
    assert "RED" in world.note()  # the label that no version has

    # A new value: for who asks for a fresh one, from then on for all.
    world.secrets.put_secret_value(SecretId="line/mes", SecretString="second password")
    assert world.ask_one()["text"] == "first password"
    assert world.ask_one(refresh=True)["text"] == "second password"
    assert world.ask_one()["text"] == "second password"
    # By a deployment, without anybody who asks.
    world.secrets.put_secret_value(SecretId="line/mes", SecretString="third password")
    world.deploy(periodicRefreshIntervalMin=60)
    wait_until(lambda: world.ask_one()["text"] == "third password", "the newest value", 60)
    assert holders(world.agent.root / "config", WORDS) == []
    assert [file for file, _ in holders(world.agent.root, WORDS) if "/work/" not in file] == []
    assert not any(word.decode() in world.agent.log.read_text() for word in WORDS)


def test_without_the_server_a_device_has_what_it_had_and_what_is_damaged_is_never_given(world):
    world.deploy()
    assert world.first_answer()["text"] == "first password"
    assert world.ask({"secret_id": world.key})[0]["bytes"]
    world.agent.stop()
    world.server.kill()
    world.agent.start()
    world.agent.wait_for(NAME, "1.0.0")
    assert world.ask_one()["text"] == "first password"
    assert world.ask_one(refresh=True)["text"] == "first password"

    world.agent.stop()
    with sqlite3.connect(world.agent.root / "config.db", timeout=10) as database:
        assert database.execute("UPDATE secrets SET sealed = zeroblob(80)").rowcount >= 3
    database.close()
    world.agent.start()
    world.agent.wait_for(NAME, "1.0.0")
    damaged = world.ask_one()
    assert damaged["error"] == "ServiceError" and "password" not in damaged["message"], damaged
    world.server.start()
    wait_until(lambda: world.ask_one().get("text") == "first password", "the secret itself", 60)
    assert world.ask_one(version_stage="BLUE")["text"] == "blue password"


def test_what_is_deleted_at_the_server_or_not_wanted_any_more_leaves_the_device(world):
    world.deploy()
    assert world.first_answer()["text"] == "first password"

    def kept():
        database = sqlite3.connect(f"file:{world.agent.root}/config.db?mode=ro", uri=True, timeout=10)
        try:
            return {row[0] for row in database.execute("SELECT name FROM secrets")}
        finally:
            database.close()
    wait_until(lambda: kept() == {"line/mes", "line/key"}, "both secrets", 60)
    world.secrets.delete_secret(SecretId="line/mes", RecoveryWindowInDays=7)
    assert world.ask_one(refresh=True)["error"] == "ResourceNotFoundError"
    assert world.ask_one()["error"] == "ResourceNotFoundError" and kept() == {"line/key"}
    world.secrets.restore_secret(SecretId="line/mes")
    assert world.ask_one(refresh=True)["text"] == "first password"
    world.fleet.deploy_and_wait({NAME: "1.0.0", MANAGER: ("2.1.8", {
        "cloudSecrets": [{"arn": "line/key"}]})}, thing="line-1")
    wait_until(lambda: kept() == {"line/key"}, "the other secret alone on the disk", 60)
    assert world.ask_one()["error"] == "ResourceNotFoundError"
    assert world.ask({"secret_id": "line/key"})[0]["bytes"]


def test_a_device_whose_role_may_not_have_a_secret_says_so(tmp_path):
    with Server(tmp_path / "data") as server, World(
            server, tmp_path / "device",
            allow(["secretsmanager:GetSecretValue"],
                  "arn:aws:secretsmanager:*:*:secret:line/mes-*")) as world:
        world.deploy()
        assert world.first_answer()["text"] == "first password"
        denied = world.ask({"secret_id": "line/key"})[0]
        assert denied["error"] == "ServiceError" and "secretsmanager:GetSecretValue" in denied["message"]
        wait_until(lambda: "line/key" in world.note(), "the note", 60)
        # What it may no longer have stays until the server changes or deletes it.
        server.aws("iam").delete_role_policy(RoleName="lines", PolicyName="own")
        assert world.ask_one(refresh=True)["text"] == "first password"
        # The device plane gives secrets to nobody without a device's certificate, and nothing else.
        device = Device(server, "line-2", tmp_path / "line-2")
        token_with(server, "line-2", "lines")
        given = credentials(device, "lines")
        server.aws("iam").put_role_policy(RoleName="lines", PolicyName="own", PolicyDocument=document(
            allow(["secretsmanager:*"], "*")))

        def client(certificate):
            return boto3.client(
                "secretsmanager", endpoint_url=server.info["devicePlane"], region_name="us-east-1",
                verify=server.ca_file, aws_access_key_id=given["accessKeyId"],
                aws_secret_access_key=given["secretAccessKey"],
                aws_session_token=given["sessionToken"],
                config=Config(retries={"total_max_attempts": 1}, proxies={}, **(
                    {"client_cert": (str(device.certificate), str(device.key))} if certificate else {})))
        assert client(True).get_secret_value(SecretId="line/mes")["SecretString"] == "first password"
        for call in (lambda: client(False).get_secret_value(SecretId="line/mes"),
                     lambda: client(True).list_secrets(),
                     lambda: client(True).delete_secret(SecretId="line/mes")):
            with pytest.raises(botocore.exceptions.ClientError):
                call()
        assert server.aws("secretsmanager").describe_secret(SecretId="line/mes").get("DeletedDate") is None
