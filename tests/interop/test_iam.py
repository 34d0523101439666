# SPDX-License-Identifier: Apache-2.0
"""Users, roles and policies through boto3: every answer is parsed by botocore's model and has its
required members, and who may do what is what the policies say."""
import datetime
import json
import urllib.parse
import urllib.request

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config
from botocore.validate import ParamValidator

ACCOUNT = "000000000000"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(principal, **more):
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


def code_of(call, **arguments):
    """The error's code, or "" where the call is taken."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return ""


def message_of(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Message"]


def as_sent(value, key=""):
    """botocore gives policy documents read; the model says that they are texts."""
    if isinstance(value, dict) and key.endswith("Document"):
        return json.dumps(value)
    if isinstance(value, dict):
        return {name: as_sent(inner, name) for name, inner in value.items()}
    return [as_sent(inner) for inner in value] if isinstance(value, list) else value


def checked(client):
    """A client that does not take an answer which lacks what AWS's model requires."""
    def check(parsed, model, **_):
        if model.output_shape is None or "Error" in parsed:
            return
        answer = {key: as_sent(value, key) for key, value in parsed.items() if key != "ResponseMetadata"}
        report = ParamValidator().validate(answer, model.output_shape)
        assert not report.has_errors(), f"{model.name}: {report.generate_report()}"
    client.meta.events.register("after-call", check)
    return client


def client_of(server, service, key):
    """A client with an AccessKey of CreateAccessKey, or Credentials of STS."""
    return checked(boto3.client(
        service, endpoint_url=server.info["api"], region_name="us-east-1", verify=server.ca_file,
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"),
        config=Config(retries={"total_max_attempts": 1}, proxies={})))


@pytest.fixture
def iam(server):
    return checked(server.aws("iam"))


@pytest.fixture
def sts(server):
    return checked(server.aws("sts"))


@pytest.fixture
def new_user(iam, fresh):
    """new_user(statement, ...) -> (name, key)."""
    def make(*statements):
        name = fresh("user")
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
        return name, iam.create_access_key(UserName=name)["AccessKey"]
    return make


def test_a_user_from_creation_to_deletion(iam, fresh):
    name, other = fresh("user"), fresh("user")
    made = iam.create_user(UserName=name, Path="/plant/", Tags=[{"Key": "line", "Value": "3"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/plant/{name}"
    assert made["UserId"].startswith("AIDA") and made["Tags"] == [{"Key": "line", "Value": "3"}]
    assert isinstance(made["CreateDate"], datetime.datetime)
    assert code_of(iam.create_user, UserName=name.upper()) == "EntityAlreadyExists"
    assert code_of(iam.create_user, UserName="a b") == "ValidationError"
    assert iam.get_user(UserName=name)["User"]["UserId"] == made["UserId"]
    assert [user["UserName"] for user in iam.list_users(PathPrefix="/plant/")["Users"]] == [name]
    iam.tag_user(UserName=name, Tags=[{"Key": "team", "Value": "a"}])
    iam.untag_user(UserName=name, TagKeys=["line"])
    assert iam.list_user_tags(UserName=name)["Tags"] == [{"Key": "team", "Value": "a"}]
    iam.update_user(UserName=name, NewUserName=other, NewPath="/")
    assert code_of(iam.get_user, UserName=name) == "NoSuchEntity"
    assert iam.get_user(UserName=other)["User"]["UserId"] == made["UserId"]
    key = iam.create_access_key(UserName=other)["AccessKey"]
    assert key["Status"] == "Active" and key["SecretAccessKey"]
    assert code_of(iam.delete_user, UserName=other) == "DeleteConflict"
    iam.delete_access_key(UserName=other, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=other)
    assert code_of(iam.delete_user, UserName=other) == "NoSuchEntity"


def test_lists_come_in_pages(iam, fresh):
    path = f"/{fresh('pages')}/"
    names = sorted(fresh("paged") for _ in range(5))
    for name in names:
        iam.create_user(UserName=name, Path=path)
    pages = list(iam.get_paginator("list_users").paginate(
        PathPrefix=path, PaginationConfig={"PageSize": 2}))
    assert [len(page["Users"]) for page in pages] == [2, 2, 1]
    assert [user["UserName"] for page in pages for user in page["Users"]] == names
    assert code_of(iam.list_users, Marker="made up") == "ValidationError"


def test_access_keys_work_until_they_are_disabled_or_deleted(server, iam, new_user):
    name, key = new_user(allow("iot:ListThings"))
    second = iam.create_access_key(UserName=name)["AccessKey"]
    assert code_of(iam.create_access_key, UserName=name) == "LimitExceeded"
    listed = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    assert {item["AccessKeyId"] for item in listed} == {key["AccessKeyId"], second["AccessKeyId"]}
    assert iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["UserName"] == name
    iot = client_of(server, "iot", key)
    assert code_of(iot.list_things) == ""
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert code_of(iot.list_things) == "UnrecognizedClientException"
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Active")
    assert code_of(iot.list_things) == ""
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    assert code_of(iot.list_things) == "UnrecognizedClientException"
    assert code_of(client_of(server, "iot", second).list_things) == ""
    assert code_of(client_of(server, "sts", key).get_caller_identity) == "InvalidClientTokenId"


def test_a_user_may_do_nothing_until_a_policy_allows_it(server, iam, new_user):
    name, key = new_user()
    iot, s3 = client_of(server, "iot", key), client_of(server, "s3", key)
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    assert message_of(iot.list_things) == (
        f"User: {arn} is not authorized to perform: iot:ListThings on resource: * "
        "because no identity-based policy allows the iot:ListThings action")
    assert code_of(iot.list_things) == "AccessDeniedException"
    assert code_of(client_of(server, "stepfunctions", key).list_state_machines) == "AccessDeniedException"
    assert code_of(client_of(server, "iam", key).list_users) == "AccessDenied"
    assert code_of(s3.list_buckets) == "AccessDenied"
    assert f"User: {arn} is not authorized to perform: s3:ListAllMyBuckets" in message_of(s3.list_buckets)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(
        allow("iot:*"), {"Effect": "Deny", "Action": "iot:Delete*", "Resource": "*"}))
    assert code_of(iot.list_things) == ""
    assert "with an explicit deny in an identity-based policy" in message_of(
        iot.delete_thing, thingName="x")
    iam.delete_user_policy(UserName=name, PolicyName="p")
    assert code_of(iot.list_things) == "AccessDeniedException"


def test_groups_give_their_policies_to_their_users(server, iam, new_user, fresh):
    name, key = new_user()
    group = fresh("group")
    made = iam.create_group(GroupName=group)["Group"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/{group}"
    iam.attach_group_policy(GroupName=group, PolicyArn="arn:aws:iam::aws:policy/AndonViewerAccess")
    iot = client_of(server, "iot", key)
    assert code_of(iot.list_things) == "AccessDeniedException"
    iam.add_user_to_group(GroupName=group, UserName=name)
    assert code_of(iot.list_things) == ""
    assert code_of(iot.create_thing, thingName=fresh("thing")) == "AccessDeniedException"
    assert [user["UserName"] for user in iam.get_group(GroupName=group)["Users"]] == [name]
    assert [item["GroupName"] for item in iam.list_groups_for_user(UserName=name)["Groups"]] == [group]
    assert code_of(iam.delete_group, GroupName=group) == "DeleteConflict"
    iam.remove_user_from_group(GroupName=group, UserName=name)
    assert code_of(iot.list_things) == "AccessDeniedException"
    iam.detach_group_policy(GroupName=group, PolicyArn="arn:aws:iam::aws:policy/AndonViewerAccess")
    iam.update_group(GroupName=group, NewGroupName=group + "x")
    iam.delete_group(GroupName=group + "x")


def test_a_managed_policy_and_its_versions(server, iam, new_user, fresh):
    name, key = new_user()
    policy = iam.create_policy(PolicyName=fresh("policy"), Description="what",
                               PolicyDocument=document(allow("iot:ListThings")))["Policy"]
    arn = policy["Arn"]
    assert policy["DefaultVersionId"] == "v1" and policy["AttachmentCount"] == 0
    iam.attach_user_policy(UserName=name, PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert iam.list_attached_user_policies(UserName=name)["AttachedPolicies"] == [
        {"PolicyName": policy["PolicyName"], "PolicyArn": arn}]
    assert [user["UserName"] for user in iam.list_entities_for_policy(PolicyArn=arn)["PolicyUsers"]] == [name]
    iot = client_of(server, "iot", key)
    assert code_of(iot.list_things) == ""
    version = iam.create_policy_version(PolicyArn=arn, SetAsDefault=True, PolicyDocument=document(
        allow("iot:ListThingGroups")))["PolicyVersion"]
    assert version["VersionId"] == "v2" and version["IsDefaultVersion"]
    assert code_of(iot.list_things) == "AccessDeniedException"
    assert code_of(iot.list_thing_groups) == ""
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    assert code_of(iot.list_things) == ""
    read = iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]
    assert read["Document"]["Statement"][0]["Action"] == "iot:ListThingGroups"
    assert [item["VersionId"] for item in iam.list_policy_versions(PolicyArn=arn)["Versions"]] == ["v2", "v1"]
    assert code_of(iam.delete_policy_version, PolicyArn=arn, VersionId="v1") == "DeleteConflict"
    assert code_of(iam.delete_policy, PolicyArn=arn) == "DeleteConflict"
    iam.detach_user_policy(UserName=name, PolicyArn=arn)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy(PolicyArn=arn)
    assert code_of(iam.get_policy, PolicyArn=arn) == "NoSuchEntity"
    assert code_of(iam.create_policy, PolicyName=fresh("policy"),
                   PolicyDocument='{"Statement": []}') == "MalformedPolicyDocument"
    assert "Statement[0].Effect" in message_of(
        iam.create_policy, PolicyName=fresh("policy"),
        PolicyDocument=document({"Action": "*", "Resource": "*"}))


def test_the_ready_made_policies_and_roles_are_there_and_cannot_be_changed(iam):
    policies = iam.list_policies(Scope="AWS")["Policies"]
    assert {policy["PolicyName"] for policy in policies} == {
        "AdministratorAccess", "AndonOperatorAccess", "AndonDeployerAccess", "AndonViewerAccess",
            "AndonWorkflowsAccess"}
    roles = {role["RoleName"]: role for role in iam.list_roles()["Roles"]}
    assert {"admin", "operator", "deployer", "viewer"} <= set(roles)
    assert roles["admin"]["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRole"
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    assert code_of(iam.delete_policy, PolicyArn=arn) == "AccessDenied"
    assert code_of(iam.create_policy_version, PolicyArn=arn,
                   PolicyDocument=document(allow("*"))) == "AccessDenied"
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]


def test_inline_policies_of_roles(iam, fresh):
    role = fresh("role")
    made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}),
                           Description="d", MaxSessionDuration=7200)["Role"]
    assert made["RoleId"].startswith("AROA")
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document(allow("s3:*")))
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["p"]
    assert iam.get_role_policy(RoleName=role, PolicyName="p")["PolicyDocument"]["Version"] == "2012-10-17"
    assert code_of(iam.delete_role, RoleName=role) == "DeleteConflict"
    iam.update_role(RoleName=role, Description="e", MaxSessionDuration=3600)
    assert iam.get_role(RoleName=role)["Role"]["Description"] == "e"
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust({"AWS": "*"}))
    assert code_of(iam.update_assume_role_policy, RoleName=role,
                   PolicyDocument=document(allow("s3:*"))) == "MalformedPolicyDocument"
    iam.delete_role_policy(RoleName=role, PolicyName="p")
    assert code_of(iam.get_role_policy, RoleName=role, PolicyName="p") == "NoSuchEntity"
    iam.delete_role(RoleName=role)


def test_a_user_reaches_its_own_part_of_a_bucket(server, new_user, fresh):
    bucket = fresh("bucket")
    server.aws("s3").create_bucket(Bucket=bucket)
    arn = f"arn:aws:s3:::{bucket}"
    name, key = new_user(
        allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], arn + "/${aws:username}/*"),
        allow("s3:ListBucket", arn, Condition={"StringLike": {"s3:prefix": "${aws:username}/*"}}))
    s3 = client_of(server, "s3", key)
    server.aws("s3").put_object(Bucket=bucket, Key="other/a", Body=b"secret")
    s3.put_object(Bucket=bucket, Key=f"{name}/a", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key=f"{name}/a")["Body"].read() == b"x"
    assert code_of(s3.get_object, Bucket=bucket, Key="other/a") == "AccessDenied"
    assert code_of(s3.put_object, Bucket=bucket, Key="other/b", Body=b"x") == "AccessDenied"
    assert code_of(s3.list_objects_v2, Bucket=bucket) == "AccessDenied"
    assert s3.list_objects_v2(Bucket=bucket, Prefix=f"{name}/")["KeyCount"] == 1
    # What is read by a copy, and each key of a request that deletes many, is looked at for itself.
    assert code_of(s3.copy_object, Bucket=bucket, Key=f"{name}/b",
                   CopySource=f"{bucket}/other/a") == "AccessDenied"
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "other/a"}, {"Key": f"{name}/a"}]})
    assert [item["Key"] for item in answer["Deleted"]] == [f"{name}/a"]
    assert [(item["Key"], item["Code"]) for item in answer["Errors"]] == [("other/a", "AccessDenied")]
    assert code_of(s3.upload_part_copy, Bucket=bucket, Key=f"{name}/c", PartNumber=1, UploadId="x",
                   CopySource=f"{bucket}/other/a") in ("AccessDenied", "NoSuchUpload")


def test_another_region_or_account_in_an_arn_passes_no_deny(server, new_user):
    target = "arn:aws:greengrass:us-east-1:000000000000:components:com.secret"
    _, key = new_user(allow("greengrass:*"),
                      {"Effect": "Deny", "Action": "greengrass:*", "Resource": target + "*"})
    greengrass = client_of(server, "greengrassv2", key)
    for arn in (target, target.replace("us-east-1", "eu-west-1"), target.replace("0" * 12, "1" * 12),
                target + ":versions:1.0.0"):
        assert "explicit deny" in message_of(greengrass.describe_component, arn=arn + (
            "" if "versions" in arn else ":versions:1.0.0"))


def test_the_operators_key_is_the_account_itself(server, iam, sts):
    identity = sts.get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:root" and identity["Account"] == ACCOUNT
    # Its id is the account's number, as AWS answers it, which AWS's model has no room for.
    assert server.aws("iam").get_user()["User"]["Arn"] == identity["Arn"]
    # It can be given a second key, and the first be taken away.
    second = iam.create_access_key()["AccessKey"]
    assert client_of(server, "sts", second).get_caller_identity()["Arn"] == identity["Arn"]
    iam.delete_access_key(AccessKeyId=second["AccessKeyId"])
    assert code_of(client_of(server, "sts", second).get_caller_identity) == "InvalidClientTokenId"


def test_a_role_is_taken_by_whom_its_trust_policy_names(server, iam, sts, new_user, fresh):
    name, key = new_user()
    role = fresh("role")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust(
        {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{name}"}))["Role"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AndonViewerAccess")
    taken = client_of(server, "sts", key).assume_role(RoleArn=arn, RoleSessionName="shift-1")
    assert taken["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/shift-1"
    assert taken["AssumedRoleUser"]["AssumedRoleId"].endswith(":shift-1")
    session = taken["Credentials"]
    assert client_of(server, "sts", session).get_caller_identity()["Arn"] == taken["AssumedRoleUser"]["Arn"]
    iot = client_of(server, "iot", session)
    assert code_of(iot.list_things) == ""
    assert f"User: {taken['AssumedRoleUser']['Arn']} is not authorized" in message_of(
        iot.create_thing, thingName="x")
    # Another user is not named; the account is, for those whose policies allow it.
    _, other = new_user()
    _, allowed = new_user(allow("sts:AssumeRole", arn))
    for who in (other, allowed):
        assert code_of(client_of(server, "sts", who).assume_role, RoleArn=arn,
                       RoleSessionName="xx") == "AccessDenied"
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust({"AWS": ACCOUNT}))
    assert "no identity-based policy allows the sts:AssumeRole action" in message_of(
        client_of(server, "sts", other).assume_role, RoleArn=arn, RoleSessionName="xx")
    assert code_of(client_of(server, "sts", allowed).assume_role, RoleArn=arn, RoleSessionName="xx") == ""
    assert code_of(sts.assume_role, RoleArn=arn + "x", RoleSessionName="xx") == "AccessDenied"
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust(
        {"AWS": ACCOUNT}, Condition={"StringEquals": {"sts:ExternalId": "77"}}))
    take = client_of(server, "sts", allowed).assume_role
    assert code_of(take, RoleArn=arn, RoleSessionName="xx") == "AccessDenied"
    assert code_of(take, RoleArn=arn, RoleSessionName="xx", ExternalId="77") == ""
    # What the role loses, its sessions lose; a role that is gone has none.
    iam.detach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AndonViewerAccess")
    assert code_of(iot.list_things) == "AccessDeniedException"
    iam.delete_role(RoleName=role)
    assert code_of(iot.list_things) == "UnrecognizedClientException"


def test_a_session_policy_allows_no_more_than_itself(server, sts):
    session = sts.assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/viewer", RoleSessionName="narrow",
        Policy=document(allow(["iot:ListThings", "iot:CreateThing"])))["Credentials"]
    iot = client_of(server, "iot", session)
    assert code_of(iot.list_things) == ""
    assert "because no session policy allows the iot:ListThingGroups action" in message_of(
        iot.list_thing_groups)
    assert "because no identity-based policy allows" in message_of(iot.create_thing, thingName="x")
    assert code_of(sts.assume_role, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/viewer", RoleSessionName="xx",
                   Policy="{") == "MalformedPolicyDocument"
    assert code_of(sts.assume_role, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/viewer", RoleSessionName="xx",
                   DurationSeconds=7200) == "ValidationError"


def test_a_token_is_good_for_its_own_credentials_only(server, sts):
    def take(role, session):
        return sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
                               RoleSessionName=session)["Credentials"]
    viewer, admin = take("viewer", "one"), take("admin", "one")
    other_session = take("viewer", "two")

    def refusal(**changed):
        return code_of(client_of(server, "iot", {**viewer, **changed}).list_things)
    assert refusal() == ""
    assert refusal(SessionToken=admin["SessionToken"]) == "UnrecognizedClientException"
    assert refusal(SessionToken=other_session["SessionToken"]) == "UnrecognizedClientException"
    assert refusal(SessionToken=viewer["SessionToken"][:-4] + "AAA=") == "UnrecognizedClientException"
    assert refusal(SessionToken=None) == "UnrecognizedClientException"
    assert refusal(AccessKeyId=admin["AccessKeyId"]) == "InvalidSignatureException"
    assert refusal(SecretAccessKey=admin["SecretAccessKey"]) == "InvalidSignatureException"


def test_a_session_of_a_user(server, new_user):
    name, key = new_user(allow("iot:ListThings"))
    sts = client_of(server, "sts", key)
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{name}"
    session = sts.get_session_token(DurationSeconds=900)["Credentials"]
    assert session["AccessKeyId"].startswith("ASIA")
    assert code_of(client_of(server, "iot", session).list_things) == ""
    assert code_of(client_of(server, "iot", session).list_thing_groups) == "AccessDeniedException"
    assert code_of(client_of(server, "sts", session).get_session_token) == "AccessDenied"
    assert code_of(sts.get_session_token, DurationSeconds=200_000) == "ValidationError"


def test_policies_are_simulated(iam, new_user):
    name, _ = new_user(allow("s3:Get*", "arn:aws:s3:::parts/*"),
                       {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::parts/secret/*"})
    answer = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/{name}", ActionNames=["s3:GetObject", "s3:PutObject"],
        ResourceArns=["arn:aws:s3:::parts/a", "arn:aws:s3:::parts/secret/a"])
    assert [(item["EvalActionName"], item["EvalResourceName"], item["EvalDecision"])
            for item in answer["EvaluationResults"]] == [
        ("s3:GetObject", "arn:aws:s3:::parts/a", "allowed"),
        ("s3:GetObject", "arn:aws:s3:::parts/secret/a", "explicitDeny"),
        ("s3:PutObject", "arn:aws:s3:::parts/a", "implicitDeny"),
        ("s3:PutObject", "arn:aws:s3:::parts/secret/a", "implicitDeny")]
    assert answer["EvaluationResults"][0]["MatchedStatements"][0]["SourcePolicyId"] == "own"
    custom = iam.simulate_custom_policy(
        PolicyInputList=[document(allow("s3:*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))],
        ActionNames=["s3:GetObject"],
        ContextEntries=[{"ContextKeyName": "aws:SourceIp", "ContextKeyValues": ["10.1.1.1"],
                         "ContextKeyType": "ip"}])
    assert custom["EvaluationResults"][0]["EvalDecision"] == "allowed"
    assert code_of(iam.simulate_principal_policy, ActionNames=["s3:GetObject"],
                   PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/nobody") == "NoSuchEntity"


@pytest.mark.parametrize("policy", ["AndonViewerAccess", "AndonDeployerAccess", "AndonOperatorAccess"])
def test_who_has_a_ready_policy_asks_what_they_may_and_nothing_of_others(server, iam, new_user, policy):
    (name, key), (other, _) = new_user(), new_user()
    iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    question = {"action": "andon:StartCommand",
                "resource": f"arn:aws:andon:us-east-1:{ACCOUNT}:command/restart/line-3"}
    assert server.call("POST", "/andon/v1/own-access", {"questions": [question]},
                       {"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]}) == (
        200, {"answers": [{**question, "isAllowed": policy == "AndonOperatorAccess"}]})
    own = client_of(server, "iam", key)
    for source in (f"user/{name}", f"user/{other}", "user/*", "role/admin"):
        assert code_of(own.simulate_principal_policy, ActionNames=["andon:StartCommand"],
                       PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:{source}") == "AccessDenied"
    assert code_of(own.list_users) == "AccessDenied"


def test_what_is_not_there_is_said_in_the_askers_protocol(server):
    assert code_of(server.aws("dynamodb").list_tables) == "UnknownOperationException"
    assert code_of(server.aws("sns").list_topics) == "InvalidAction"
    assert code_of(server.aws("iam").list_groups, Marker=urllib.parse.quote("x")) == "ValidationError"
    assert code_of(server.aws("iam").get_account_summary) == "InvalidAction"


def test_users_outlive_a_killed_server(server, iam, new_user):
    _, key = new_user(allow("iot:ListThings"))
    server.kill()
    server.start()
    assert code_of(client_of(server, "iot", key).list_things) == ""
    assert code_of(client_of(server, "iot", key).list_thing_groups) == "AccessDeniedException"


def test_the_account_takes_another_key_and_artifacts_are_still_to_be_had(server, iam):
    old = server.operator_key
    second = iam.create_access_key()["AccessKey"]
    s3 = server.aws("s3")
    s3.create_bucket(Bucket="rotated")
    s3.put_object(Bucket="rotated", Key="a.bin", Body=b"bytes")
    greengrass = client_of(server, "greengrassv2", second)
    arn = greengrass.create_component_version(inlineRecipe=json.dumps({
        "RecipeFormatVersion": "2020-01-25", "ComponentName": "com.ex.Rotated",
        "ComponentVersion": "1.0.0",
        "Manifests": [{"Platform": {"os": "linux"}, "Artifacts": [{"URI": "s3://rotated/a.bin"}],
                       "Lifecycle": {"run": "true"}}]}))["arn"]
    client_of(server, "iam", second).delete_access_key(AccessKeyId=old["accessKeyId"])
    url = greengrass.get_component_version_artifact(arn=arn, artifactName="a.bin")["preSignedUrl"]
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"bytes"
    server.stop()
    server.start()
    assert server.operator_key["accessKeyId"] == second["AccessKeyId"]
    assert server.aws("sts").get_caller_identity()["Arn"].endswith(":root")
