# SPDX-License-Identifier: Apache-2.0
"""Secrets Manager through boto3: every answer is parsed by botocore's model and has its required
members; errors are AWS's; and what is secret is found nowhere in clear."""
import datetime
import json
import re
import subprocess
import threading
import uuid

import botocore.exceptions
import pytest

from aws_client import client_of, code_of, holders, refused
from harness import Server, program, wait_until

ARN = r"arn:aws:secretsmanager:us-east-1:000000000000:secret:"


@pytest.fixture
def secrets(server):
    return client_of(server, "secretsmanager")


@pytest.fixture
def name(fresh):
    return f"plant/{fresh('secret')}"


def token(number):
    return f"{number:032}"


def value_of(secrets, name, **which):
    return secrets.get_secret_value(SecretId=name, **which)["SecretString"]


def stages(secrets, name):
    """{stage: version}"""
    told = secrets.describe_secret(SecretId=name).get("VersionIdsToStages", {})
    return {stage: version for version, names in told.items() for stage in names}


def all_versions(secrets, name, **more):
    """Those without a stage too, page by page."""
    found = []
    while True:
        page = secrets.list_secret_version_ids(SecretId=name, IncludeDeprecated=True, **more)
        found += [one["VersionId"] for one in page["Versions"]]
        if "NextToken" not in page:
            return found
        more["NextToken"] = page["NextToken"]


def test_a_secret_from_creation_to_its_purge(secrets, name):
    made = secrets.create_secret(Name=name, SecretString="geheim", Description="of the MES",
                                 Tags=[{"Key": "line", "Value": "3"}])
    arn = made["ARN"]
    assert re.fullmatch(ARN + re.escape(name) + "-[A-Za-z0-9]{6}", arn)
    uuid.UUID(made["VersionId"])
    for reference in (name, arn, arn[:-7]):
        got = secrets.get_secret_value(SecretId=reference)
        assert (got["ARN"], got["Name"], got["VersionId"], got["SecretString"], got["VersionStages"]) == (
            arn, name, made["VersionId"], "geheim", ["AWSCURRENT"])
        assert isinstance(got["CreatedDate"], datetime.datetime)
    assert code_of(secrets.get_secret_value, SecretId=arn[:-1]) == "ResourceNotFoundException"
    assert code_of(secrets.get_secret_value, SecretId=f"{name}-{arn[-6:]}") == "ResourceNotFoundException"
    described = secrets.describe_secret(SecretId=name)
    assert described["Description"] == "of the MES"
    assert described["Tags"] == [{"Key": "line", "Value": "3"}]
    assert described["VersionIdsToStages"] == {made["VersionId"]: ["AWSCURRENT"]}
    assert described["LastAccessedDate"].hour == 0 or described["LastAccessedDate"].minute == 0
    assert "SecretString" not in described and "DeletedDate" not in described
    deleted = secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    left = deleted["DeletionDate"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(days=6, hours=23) < left <= datetime.timedelta(days=7)
    for call, more in ((secrets.get_secret_value, {}), (secrets.put_secret_value, {"SecretString": "x"}),
                       (secrets.update_secret, {"Description": "x"}), (secrets.delete_secret, {}),
                       (secrets.tag_resource, {"Tags": [{"Key": "a", "Value": "b"}]})):
        assert code_of(call, SecretId=name, **more) == "InvalidRequestException"
    assert code_of(secrets.create_secret, Name=name, SecretString="x") == "InvalidRequestException"
    assert "DeletedDate" in secrets.describe_secret(SecretId=name)
    restored = secrets.restore_secret(SecretId=arn)
    assert restored["Name"] == name and value_of(secrets, name) == "geheim"
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    assert code_of(secrets.describe_secret, SecretId=name) == "ResourceNotFoundException"
    # As AWS has it: no error, so that a clean-up can be repeated.
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    again = secrets.create_secret(Name=name, SecretString="x")
    assert again["ARN"] != arn
    assert code_of(secrets.get_secret_value, SecretId=arn) == "ResourceNotFoundException"


def test_versions_move_through_stages(secrets, name):
    secrets.create_secret(Name=name)
    assert code_of(secrets.get_secret_value, SecretId=name) == "ResourceNotFoundException"
    first, second, third = token(1), token(2), token(3)
    secrets.put_secret_value(SecretId=name, SecretString="1", ClientRequestToken=first)
    assert stages(secrets, name) == {"AWSCURRENT": first}
    answer = secrets.put_secret_value(SecretId=name, SecretString="2", ClientRequestToken=second)
    assert answer["VersionId"] == second and answer["VersionStages"] == ["AWSCURRENT"]
    assert stages(secrets, name) == {"AWSCURRENT": second, "AWSPREVIOUS": first}
    secrets.put_secret_value(SecretId=name, SecretString="3", ClientRequestToken=third,
                             VersionStages=["AWSPENDING"])
    assert stages(secrets, name) == {"AWSCURRENT": second, "AWSPREVIOUS": first, "AWSPENDING": third}
    assert value_of(secrets, name) == "2"
    assert value_of(secrets, name, VersionStage="AWSPREVIOUS") == "1"
    assert value_of(secrets, name, VersionId=third) == "3"
    assert value_of(secrets, name, VersionId=third, VersionStage="AWSPENDING") == "3"
    assert code_of(secrets.get_secret_value, SecretId=name, VersionId=third,
                   VersionStage="AWSCURRENT") == "ResourceNotFoundException"
    move = secrets.update_secret_version_stage
    assert code_of(move, SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=third) == \
        "InvalidParameterException"
    assert code_of(move, SecretId=name, VersionStage="AWSCURRENT", RemoveFromVersionId=second) == \
        "InvalidParameterException"
    assert code_of(move, SecretId=name, VersionStage="AWSCURRENT", RemoveFromVersionId=first,
                   MoveToVersionId=third) == "InvalidParameterException"
    assert code_of(move, SecretId=name, VersionStage="AWSCURRENT", RemoveFromVersionId=second,
                   MoveToVersionId=token(9)) == "ResourceNotFoundException"
    move(SecretId=name, VersionStage="AWSCURRENT", RemoveFromVersionId=second, MoveToVersionId=third)
    move(SecretId=name, VersionStage="AWSPENDING", RemoveFromVersionId=third)
    assert stages(secrets, name) == {"AWSCURRENT": third, "AWSPREVIOUS": second}
    move(SecretId=name, VersionStage="tested", MoveToVersionId=second)
    listed = secrets.list_secret_version_ids(SecretId=name)["Versions"]
    assert [(one["VersionId"], one.get("VersionStages")) for one in listed] == [
        (third, ["AWSCURRENT"]), (second, ["AWSPREVIOUS", "tested"])]
    assert all_versions(secrets, name, MaxResults=1) == [third, second, first]
    assert value_of(secrets, name, VersionId=first) == "1"
    secrets.update_secret(SecretId=name, SecretString="4", Description="d", ClientRequestToken=token(4))
    assert stages(secrets, name) == {"AWSCURRENT": token(4), "AWSPREVIOUS": third, "tested": second}


def test_a_request_that_comes_again_changes_nothing(secrets, name):
    made = secrets.create_secret(Name=name, SecretString="1", ClientRequestToken=token(1))
    assert secrets.create_secret(Name=name, SecretString="1", ClientRequestToken=token(1))["ARN"] == made["ARN"]
    code, message = refused(secrets.create_secret, Name=name, SecretString="geheim",
                            ClientRequestToken=token(1))
    assert code == "ResourceExistsException" and "geheim" not in message
    assert code_of(secrets.create_secret, Name=name, SecretString="1") == "ResourceExistsException"
    secrets.put_secret_value(SecretId=name, SecretString="2", ClientRequestToken=token(2))
    secrets.put_secret_value(SecretId=name, SecretString="3", ClientRequestToken=token(3))
    secrets.put_secret_value(SecretId=name, SecretString="2", ClientRequestToken=token(2))
    assert value_of(secrets, name) == "3"
    assert code_of(secrets.put_secret_value, SecretId=name, SecretString="x",
                   ClientRequestToken=token(2)) == "ResourceExistsException"
    assert code_of(secrets.put_secret_value, SecretId=name, SecretBinary=b"2",
                   ClientRequestToken=token(2)) == "ResourceExistsException"


def test_old_versions_go_and_those_with_a_stage_stay(secrets, name):
    secrets.create_secret(Name=name, SecretString="0", ClientRequestToken=token(0))
    secrets.update_secret_version_stage(SecretId=name, VersionStage="first", MoveToVersionId=token(0))
    for i in range(1, 110):
        secrets.put_secret_value(SecretId=name, SecretString=str(i), ClientRequestToken=token(i))
    assert all_versions(secrets, name) == [token(i) for i in range(109, 10, -1)] + [token(0)]
    assert value_of(secrets, name, VersionStage="first") == "0"


def test_bytes_come_back_as_they_were(secrets, name):
    content = bytes(range(256)) * 256
    secrets.create_secret(Name=name, SecretBinary=content)
    got = secrets.get_secret_value(SecretId=name)
    assert got["SecretBinary"] == content and "SecretString" not in got
    text = "ä\n\"\U0001F600" * 6000
    secrets.put_secret_value(SecretId=name, SecretString=text)
    assert value_of(secrets, name) == text
    for wrong in ({"SecretBinary": content + b"x"}, {"SecretString": "x" * 65_537}, {"SecretString": ""},
                  {"SecretString": "x", "SecretBinary": b"x"}, {}):
        assert code_of(secrets.put_secret_value, SecretId=name, **wrong) in (
            "ValidationException", "InvalidParameterException")


def test_secrets_are_listed_by_filters(secrets, fresh):
    word = fresh("list")
    for i, tags in enumerate(([{"Key": f"{word}k", "Value": f"{word}v"}], [], [])):
        secrets.create_secret(Name=f"{word}/{i}", SecretString="geheim", Tags=tags,
                              Description=f"{word} The press of line {i}")
    secrets.delete_secret(SecretId=f"{word}/2")

    def found(*filters, **more):
        pages = secrets.get_paginator("list_secrets").paginate(
            Filters=[{"Key": key, "Values": values} for key, *values in filters], **more)
        listed = [one for page in pages for one in page["SecretList"]]
        assert all("SecretString" not in one for one in listed)
        return [one["Name"].removeprefix(f"{word}/") for one in listed]
    assert found(("name", word)) == ["1", "0"]
    assert found(("name", word), SortOrder="asc") == ["0", "1"]
    assert found(("name", word), IncludePlannedDeletion=True) == ["2", "1", "0"]
    assert found(("name", word), PaginationConfig={"PageSize": 1}) == ["1", "0"]
    assert found(("name", f"{word}/0", f"{word}/1")) == ["1", "0"]
    assert found(("name", word), ("tag-key", f"{word}k")) == ["0"]
    assert found(("tag-value", f"{word}v")) == ["0"]
    assert found(("name", word), ("name", f"!{word}/0")) == ["1"]
    assert found(("description", word.upper())) == ["1", "0"]
    assert found(("all", f"PRESS {word}")) == ["1", "0"]
    assert found(("all", f"{word} 0")) == ["0"] or word.endswith("0")
    for wrong in ({"Key": "owning-service", "Values": ["x"]}, {"Key": "name", "Values": []},
                  {"Key": "name", "Values": ["x" * 513]}, {"Values": ["x"]}):
        assert code_of(secrets.list_secrets, Filters=[wrong]) == "InvalidParameterException"
    assert code_of(secrets.list_secrets, NextToken="made up") == "InvalidNextTokenException"
    assert "SortBy" in refused(secrets.list_secrets, SortBy="name")[1]
    batch = secrets.batch_get_secret_value(Filters=[{"Key": "name", "Values": [word]}], MaxResults=1)
    assert [one["Name"] for one in batch["SecretValues"]] == [f"{word}/1"] and batch["NextToken"]


def test_a_batch_gives_what_it_may_and_says_why_not_of_the_others(server, secrets, limited, name):
    own = secrets.create_secret(Name=f"{name}/own", SecretString="1")
    other = secrets.create_secret(Name=f"{name}/other", SecretString="2")
    client = limited("secretsmanager", ["secretsmanager:*"], [own["ARN"]])
    assert code_of(client.batch_get_secret_value, SecretIdList=[own["Name"]]) == "AccessDeniedException"
    iam = server.aws("iam")
    user = server.aws("iam").list_users()["Users"][-1]["UserName"]
    iam.put_user_policy(UserName=user, PolicyName="batch", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "secretsmanager:BatchGetSecretValue", "Resource": "*"}]}))
    answer = client.batch_get_secret_value(SecretIdList=[own["Name"], other["ARN"], f"{name}/none"])
    assert [one["SecretString"] for one in answer["SecretValues"]] == ["1"]
    assert [(one["SecretId"], one["ErrorCode"]) for one in answer["Errors"]] == [
        (other["ARN"], "AccessDeniedException"), (f"{name}/none", "AccessDeniedException")]
    answer = secrets.batch_get_secret_value(SecretIdList=[f"{name}/own", f"{name}/none"])
    assert [one["ErrorCode"] for one in answer["Errors"]] == ["ResourceNotFoundException"]
    assert code_of(secrets.batch_get_secret_value) == "InvalidParameterException"


def test_a_policy_is_as_narrow_as_a_prefix(secrets, limited, name):
    for leaf in ("line3/db", "line30/db"):
        secrets.create_secret(Name=f"{name}/{leaf}", SecretString=leaf)
    arn = f"arn:aws:secretsmanager:us-east-1:000000000000:secret:{name}/line3/"
    other = secrets.describe_secret(SecretId=f"{name}/line30/db")["ARN"]
    client = limited("secretsmanager", "secretsmanager:*", f"{arn}*")
    assert value_of(client, f"{name}/line3/db") == "line3/db"
    client.create_secret(Name=f"{name}/line3/new", SecretString="x")
    for reference in (f"{name}/line30/db", other, other[:-7], f"{arn}../line30/db-abcdef", "none"):
        assert code_of(client.get_secret_value, SecretId=reference) in (
            "AccessDeniedException", "ResourceNotFoundException")
        assert code_of(client.put_secret_value, SecretId=reference, SecretString="x") in (
            "AccessDeniedException", "ResourceNotFoundException")
    assert code_of(client.create_secret, Name=f"{name}/line30/new", SecretString="x") == \
        "AccessDeniedException"
    assert code_of(client.list_secrets) == "AccessDeniedException"
    exact = limited("secretsmanager", "secretsmanager:GetSecretValue", f"{arn}db-??????")
    assert value_of(exact, f"{name}/line3/db") == "line3/db"
    assert code_of(exact.describe_secret, SecretId=f"{name}/line3/db") == "AccessDeniedException"


def test_passwords_are_made_as_they_are_asked_for(secrets):
    def make(**wanted):
        return secrets.get_random_password(**wanted)["RandomPassword"]
    assert len(make()) == 32 and make() != make()
    for _ in range(20):
        password = make(PasswordLength=5, IncludeSpace=True)
        assert re.search("[a-z]", password) and re.search("[A-Z]", password) and " " in password
        assert re.search("[0-9]", password) and re.search(r"[^A-Za-z0-9 ]", password)
    assert re.fullmatch("[0-9]{4096}", make(PasswordLength=4096, ExcludePunctuation=True,
                                             ExcludeLowercase=True, ExcludeUppercase=True))
    assert not set(make(PasswordLength=1000, ExcludeCharacters="aA0!")) & set("aA0!")
    assert len(make(PasswordLength=1, RequireEachIncludedType=False)) == 1
    assert code_of(secrets.get_random_password, PasswordLength=3) == "InvalidParameterException"
    assert code_of(secrets.get_random_password, ExcludePunctuation=True, ExcludeLowercase=True,
                   ExcludeUppercase=True, ExcludeNumbers=True) == "InvalidParameterException"
    assert code_of(secrets.get_random_password, PasswordLength=4097) == "ValidationException"


@pytest.mark.parametrize("operation, arguments", [
    ("rotate_secret", {}), ("cancel_rotate_secret", {}),
    ("put_resource_policy", {"ResourcePolicy": "{}"}), ("delete_resource_policy", {}),
    ("replicate_secret_to_regions", {"AddReplicaRegions": [{"Region": "eu-west-1"}]})])
def test_an_operation_that_is_not_here_is_refused_by_name(secrets, name, operation, arguments):
    secrets.create_secret(Name=name, SecretString="x")
    code, message = refused(getattr(secrets, operation), SecretId=name, **arguments)
    assert code == "UnknownOperationException"
    assert secrets.meta.method_to_api_mapping[operation] in message
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=name)


@pytest.mark.parametrize("member, value", [
    ("KmsKeyId", "alias/other"), ("AddReplicaRegions", [{"Region": "eu-west-1"}]), ("Type", "x"),
    ("ForceOverwriteReplicaSecret", True)])
def test_a_member_that_is_not_honoured_is_refused_by_name(secrets, name, member, value):
    code, message = refused(secrets.create_secret, Name=name, SecretString="geheim", **{member: value})
    assert code == "InvalidParameterException" and member in message and "geheim" not in message


@pytest.mark.parametrize("name, code", [
    ("", "ValidationException"), ("a b", "ValidationException"), ("ä", "ValidationException"),
    ("a:b", "ValidationException"), ("a\n", "ValidationException"), ("x" * 513, "ValidationException")])
def test_a_name_that_aws_would_not_take_is_refused(secrets, name, code):
    assert code_of(secrets.create_secret, Name=name, SecretString="x") == code


@pytest.mark.parametrize("body", [
    b"{", b"[]", b'{"Name": 7, "SecretString": "geheim"}', b'{"Name": "x", "SecretString": {"geheim": 1}}',
    b'{"Name": "x", "SecretBinary": "geheim!"}', b'{"Name": "x", "SecretString": "geheim", "Tags": 1}',
    b'{"Name": "x", "SecretString": "geheim\\ud800"}', b'{"Name": "x", "SecretString": "geheim',
    b'{"SecretId": "x", "SecretString": "geheim", "VersionStages": [7]}',
    b'{"SecretId": "x", "SecretString": "geheim", "ClientRequestToken": "short"}'])
def test_input_that_is_none_is_refused_and_never_repeated(server, body):
    client = client_of(server, "secretsmanager")

    def send(request, **_):
        request.data = body
        request.headers["Content-Length"] = str(len(body))
    client.meta.events.register("before-sign.secrets-manager.*", send)
    for call in (client.create_secret, client.put_secret_value, client.get_secret_value):
        code, message = refused(call)
        assert code and "geheim" not in message


def test_a_state_machine_calls_what_shows_no_secret(server, secrets, name, fresh):
    secrets.create_secret(Name=name, SecretString="geheim")
    server.let_workflows("secretsmanager:*")
    states = server.aws("stepfunctions")

    def definition(action, parameters):
        return json.dumps({"StartAt": "A", "States": {"A": {
            "Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:secretsmanager:{action}",
            "Parameters": parameters, "End": True}}})
    machine = states.create_state_machine(
        name=fresh("machine"), roleArn="arn:aws:iam::000000000000:role/andon-workflows",
        definition=definition("describeSecret", {"SecretId": name}))["stateMachineArn"]
    arn = states.start_execution(stateMachineArn=machine)["executionArn"]
    told = wait_until(lambda: (d := states.describe_execution(executionArn=arn))["status"] !=
                      "RUNNING" and d, "the execution")
    output = json.loads(told["output"])
    assert output["Name"] == name and list(output["VersionIdsToStages"].values()) == [["AWSCURRENT"]]
    for action in ("getSecretValue", "batchGetSecretValue", "createSecret", "putSecretValue",
                   "updateSecret", "getRandomPassword"):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            states.create_state_machine(
                name=fresh("machine"), roleArn="arn:aws:iam::000000000000:role/andon-workflows",
                definition=definition(action, {"SecretId": name}))
        assert error.value.response["Error"]["Code"] == "InvalidDefinition"
        assert action in error.value.response["Error"]["Message"]


def test_what_is_secret_is_nowhere_in_clear_and_a_backup_can_be_restored(tmp_path):
    value, binary, plain = "kLaRtExT-0123456789", b"bInArY-0123456789", "pLaIn-0123456789"
    words = [value.encode(), binary, plain.encode(), value.encode().hex().encode()]
    with Server(tmp_path / "data", "--log-level", "debug") as server:
        secrets, ssm = client_of(server, "secretsmanager"), client_of(server, "ssm")
        secrets.create_secret(Name="text", SecretString=value, Description="dEsCrIpTiOn-0123456789")
        secrets.put_secret_value(SecretId="text", SecretString=value + "2")
        secrets.create_secret(Name="binary", SecretBinary=binary)
        ssm.put_parameter(Name="/secure", Value=value, Type="SecureString")
        ssm.put_parameter(Name="/plain", Value=plain, Type="String")
        assert ssm.get_parameter(Name="/secure", WithDecryption=True)["Parameter"]["Value"] == value
        assert code_of(ssm.put_parameter, Name="/secure", Value=value, Type="SecureString") == \
            "ParameterAlreadyExists"
        assert code_of(ssm.put_parameter, Name="/new", Value=value, Type="String",
                       AllowedPattern="x") == "ParameterPatternMismatchException"
        assert code_of(secrets.create_secret, Name="text", SecretString=value) == "ResourceExistsException"
        subprocess.run([program("andon-server"), "backup", tmp_path / "backup", "--data", server.data],
                       check=True, capture_output=True)
        assert holders(tmp_path, words) == []
        server.stop()
    assert holders(tmp_path, words) == []
    # What is not sealed is found, so that the search is one.
    found = {file for file, _ in holders(tmp_path, [b"dEsCrIpTiOn-0123456789"])}
    assert {str(tmp_path / "data" / "andon.db"), str(tmp_path / "backup" / "andon.db")} <= found
    key = tmp_path / "backup" / "credentials" / "sealing.key"
    assert key.stat().st_mode & 0o777 == 0o600
    subprocess.run([program("andon-server"), "restore", tmp_path / "backup", "--data",
                    tmp_path / "restored"], check=True, capture_output=True)
    with Server(tmp_path / "restored") as server:
        secrets, ssm = client_of(server, "secretsmanager"), client_of(server, "ssm")
        assert value_of(secrets, "text") == value + "2"
        assert secrets.get_secret_value(SecretId="binary")["SecretBinary"] == binary
        assert ssm.get_parameter(Name="/secure", WithDecryption=True)["Parameter"]["Value"] == value
        assert ssm.get_parameter(Name="/plain")["Parameter"]["Value"] == plain
        metrics = server.get("/metrics")[1].decode()
        assert "andon_parameters 2" in metrics and "andon_secrets 2" in metrics


def test_a_kill_in_the_middle_of_puts_loses_nothing_that_was_answered(tmp_path):
    with Server(tmp_path / "data") as server:
        for round_number in range(3):
            secrets, ssm = client_of(server, "secretsmanager"), client_of(server, "ssm")
            if round_number == 0:
                secrets.create_secret(Name="s", SecretString="0:0")
            answered = {}

            def put(number, secrets=secrets, ssm=ssm, answered=answered, round_number=round_number):
                for i in range(10_000):
                    text = f"{round_number}:{i}"
                    try:
                        if number == 0:
                            secrets.put_secret_value(SecretId="s", SecretString=text)
                        else:
                            ssm.put_parameter(Name=f"/p{number}", Value=text, Type="String", Overwrite=True)
                    except botocore.exceptions.BotoCoreError:
                        return
                    answered[number] = text
            threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
            for thread in threads:
                thread.start()
            wait_until(lambda answered=answered: len(answered) == 4 and
                       all(int(text.split(":")[1]) >= 5 for text in answered.values()), "some puts")
            server.kill()
            for thread in threads:
                thread.join()
            server.start()
            secrets, ssm = client_of(server, "secretsmanager"), client_of(server, "ssm")

            def is_kept(text, found):
                kept, last = (int(one.split(":")[1]) for one in (found, text))
                return found.startswith(f"{round_number}:") and kept in (last, last + 1)
            assert is_kept(answered[0], value_of(secrets, "s"))
            assert set(stages(secrets, "s")) == {"AWSCURRENT", "AWSPREVIOUS"}
            for number in (1, 2, 3):
                pages = ssm.get_paginator("get_parameter_history").paginate(Name=f"/p{number}")
                versions = [one for page in pages for one in page["Parameters"]]
                numbers = [one["Version"] for one in versions]
                assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
                assert is_kept(answered[number], versions[-1]["Value"])
                assert ssm.get_parameter(Name=f"/p{number}")["Parameter"]["Version"] == numbers[-1]
