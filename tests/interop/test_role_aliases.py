# SPDX-License-Identifier: Apache-2.0
"""Role aliases decide what a device's credentials may do, at the device plane and at a component."""
import datetime
import json

import boto3
import pytest
from botocore.config import Config

from agent import Agent
from harness import http, wait_until
from test_iam import ACCOUNT, allow, checked, client_of, code_of, document, trust

DEVICES = {"Service": "credentials.iot.amazonaws.com"}


@pytest.fixture
def iam(server):
    return checked(server.aws("iam"))


@pytest.fixture
def iot(server):
    return checked(server.aws("iot"))


@pytest.fixture
def role(iam, fresh):
    def make(*statements, trusted=DEVICES):
        name = fresh("role")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(trusted))
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"
    return make


def put_into(prefix):
    return allow(["s3:PutObject"], f"arn:aws:s3:::lines/{prefix}/*")


@pytest.fixture(scope="module", autouse=True)
def bucket(server):
    server.aws("s3").create_bucket(Bucket="lines")


def token_with(server, thing, alias):
    status, answer = server.call("POST", "/andon/v1/enrolment-tokens",
                                 {"thingName": thing, "roleAlias": alias})
    assert status == 200, answer
    return answer["token"]


def credentials(device, alias):
    status, answer = device.https(f"/role-aliases/{alias}/credentials")
    return json.loads(answer)["credentials"] if status == 200 else status


def s3_of(server, given):
    return boto3.client(
        "s3", endpoint_url=server.info["devicePlane"], region_name="us-east-1", verify=server.ca_file,
        aws_access_key_id=given["accessKeyId"], aws_secret_access_key=given["secretAccessKey"],
        aws_session_token=given["sessionToken"],
        config=Config(retries={"total_max_attempts": 1}, proxies={}, s3={"addressing_style": "path"}))


def may_put(server, given, key):
    return code_of(s3_of(server, given).put_object, Bucket="lines", Key=key, Body=b"x") == ""


def test_an_alias_from_creation_to_deletion(iot, fresh, role):
    alias, arn = fresh("alias"), role(allow("s3:*"))
    made = iot.create_role_alias(roleAlias=alias, roleArn=arn, credentialDurationSeconds=900)
    assert made["roleAliasArn"] == f"arn:aws:iot:us-east-1:{ACCOUNT}:rolealias/{alias}"
    assert code_of(iot.create_role_alias, roleAlias=alias, roleArn=arn) == "ResourceAlreadyExistsException"
    told = iot.describe_role_alias(roleAlias=alias)["roleAliasDescription"]
    assert told["roleArn"] == arn and told["credentialDurationSeconds"] == 900
    assert told["owner"] == ACCOUNT and isinstance(told["creationDate"], datetime.datetime)
    iot.update_role_alias(roleAlias=alias, credentialDurationSeconds=43_200)
    assert iot.describe_role_alias(roleAlias=alias)["roleAliasDescription"]["credentialDurationSeconds"] == 43_200
    for bad in ({"credentialDurationSeconds": 43_201},
                {"roleArn": "arn:aws:iam::x:user/eva"}):
        assert code_of(iot.update_role_alias, roleAlias=alias, **bad) == "InvalidRequestException", bad
    iot.delete_role_alias(roleAlias=alias)
    assert code_of(iot.describe_role_alias, roleAlias=alias) == "ResourceNotFoundException"
    assert code_of(iot.delete_role_alias, roleAlias=alias) == "ResourceNotFoundException"
    assert code_of(iot.update_role_alias, roleAlias=alias, roleArn=arn) == "ResourceNotFoundException"


def test_aliases_are_listed_in_pages(iot, fresh, role):
    arn, names = role(allow("s3:*")), sorted(fresh("listed") for _ in range(3))
    for name in names:
        iot.create_role_alias(roleAlias=name, roleArn=arn)
    listed, marker = [], {}
    while True:
        page = iot.list_role_aliases(pageSize=2, ascendingOrder=True, **marker)
        listed += page["roleAliases"]
        if "nextMarker" not in page:
            break
        marker = {"marker": page["nextMarker"]}
    assert [name for name in listed if name in names] == names and listed == sorted(listed)
    assert iot.list_role_aliases(pageSize=250)["roleAliases"] == listed[::-1]
    assert code_of(iot.list_role_aliases, marker="nonsense") == "InvalidRequestException"


def test_who_may_not_pass_a_role_makes_no_alias_of_it(server, iam, iot, fresh, role):
    user, arn = fresh("user"), role(allow("s3:*"))
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=document(allow("iot:*")))
    mine = client_of(server, "iot", iam.create_access_key(UserName=user)["AccessKey"])
    assert code_of(mine.create_role_alias, roleAlias="mine", roleArn=arn) == "AccessDeniedException"
    iot.create_role_alias(roleAlias="mine", roleArn=arn)
    assert code_of(mine.update_role_alias, roleAlias="mine", roleArn=arn) == "AccessDeniedException"
    assert code_of(mine.update_role_alias, roleAlias="mine", credentialDurationSeconds=900) == ""


def test_a_device_gets_credentials_of_the_aliases_that_it_was_given(server, iot, fresh, role, tmp_path):
    alias, other = fresh("alias"), fresh("alias")
    iot.create_role_alias(roleAlias=alias, roleArn=role(
        allow("s3:PutObject", "arn:aws:s3:::lines/${credentials-iot:ThingName}/*")),
        credentialDurationSeconds=900)
    iot.create_role_alias(roleAlias=other, roleArn=role(allow("*")))
    thing = fresh("camera")
    device = server.device(thing, tmp_path)
    # Not given to it yet; any other name gives what devices without an alias have.
    assert credentials(device, alias) == 403
    assert not may_put(server, credentials(device, "no-such-alias"), f"{thing}/a")
    token_with(server, thing, alias)
    given = credentials(device, alias)
    assert credentials(device, other) == 403
    assert may_put(server, given, f"{thing}/a") and not may_put(server, given, "camera-of-others/a")
    left = datetime.datetime.fromisoformat(given["expiration"].replace("Z", "+00:00")) - (
        datetime.datetime.now(datetime.timezone.utc))
    assert datetime.timedelta(minutes=10) < left <= datetime.timedelta(minutes=15)
    # The device plane is for objects alone, and the credentials end with the certificate.
    certificate = iot.list_thing_principals(thingName=thing)["principals"][0].rpartition("/")[2]
    iot.update_certificate(certificateId=certificate, newStatus="INACTIVE")
    assert not may_put(server, given, f"{thing}/a")
    iot.update_certificate(certificateId=certificate, newStatus="ACTIVE")
    assert may_put(server, given, f"{thing}/a")


def test_a_role_that_does_not_trust_devices_gives_nothing(server, iot, fresh, role, tmp_path):
    alias, thing = fresh("alias"), fresh("camera")
    iot.create_role_alias(roleAlias=alias, roleArn=role(allow("*"), trusted={"AWS": ACCOUNT}))
    device = server.device(thing, tmp_path)
    token_with(server, thing, alias)
    assert credentials(device, alias) == 403


def test_a_component_of_a_real_device_may_what_the_alias_says(server, iot, fresh, role, tmp_path):
    """Its token exchange serves credentials of the alias' role; a change of the role counts."""
    alias, thing, first, second = fresh("alias"), fresh("edge"), role(put_into("a")), role(put_into("b"))
    iot.create_role_alias(roleAlias=alias, roleArn=first)
    greengrass = server.aws("greengrassv2")
    name = "com.example." + fresh("Uploader").replace("-", "")
    recipe = {"RecipeFormatVersion": "2020-01-25", "ComponentName": name, "ComponentVersion": "1.0.0",
              "ComponentDependencies": {"aws.greengrass.TokenExchangeService": {
                  "VersionRequirement": "^2.0.0", "DependencyType": "HARD"}},
              "Manifests": [{"Platform": {"os": "linux"}, "Lifecycle": {
                  "run": "env > e; mv e env; exec sleep 1000"}}]}
    greengrass.create_component_version(inlineRecipe=json.dumps(recipe))
    agent = Agent(server, tmp_path / thing, thing=thing)
    agent.provision(token_with(server, thing, alias))
    assert json.loads((agent.root / "config" / "device.json").read_text())["roleAlias"] == alias
    agent.start()
    try:
        greengrass.create_deployment(targetArn=f"arn:aws:iot:us-east-1:{ACCOUNT}:thing/{thing}",
                                     components={name: {"componentVersion": "1.0.0"}})
        file = agent.root / "work" / name / "env"
        wait_until(file.exists, "the component", 90)
        env = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)

        def given():
            status, answer = http(env["AWS_CONTAINER_CREDENTIALS_FULL_URI"], headers={
                "Authorization": env["AWS_CONTAINER_AUTHORIZATION_TOKEN"]})
            assert status == 200, answer
            answer = json.loads(answer)
            return {"accessKeyId": answer["AccessKeyId"], "secretAccessKey": answer["SecretAccessKey"],
                    "sessionToken": answer["Token"]}

        had = given()
        assert may_put(server, had, "a/1") and not may_put(server, had, "b/1")
        iot.update_role_alias(roleAlias=alias, roleArn=second)
        agent.kill()
        agent.start()
        wait_until(lambda: file.stat().st_mtime_ns and agent.status()["agent"] == "running", "the agent", 90)

        has = given()  # at the address that the component has had all the time
        assert may_put(server, has, "b/1") and not may_put(server, has, "a/1")
        # What was given before is of the role that it was given for.
        assert may_put(server, had, "a/2") and not may_put(server, had, "b/2")
    finally:
        agent.kill()


def test_the_nucleus_configuration_names_the_alias(server, iot, fresh, role, tmp_path):
    """A deployment of aws.greengrass.Nucleus with an iotRoleAlias changes, on the running device,
    whose credentials components get; every version of it is there, and it is listed as installed."""
    first, second, thing = fresh("alias"), fresh("alias"), fresh("edge")
    iot.create_role_alias(roleAlias=first, roleArn=role(put_into("a")))
    iot.create_role_alias(roleAlias=second, roleArn=role(put_into("b")))
    token_with(server, thing, second)
    greengrass = server.aws("greengrassv2")
    name = "com.example." + fresh("Uploader").replace("-", "")
    greengrass.create_component_version(inlineRecipe=json.dumps({
        "RecipeFormatVersion": "2020-01-25", "ComponentName": name, "ComponentVersion": "1.0.0",
        "ComponentDependencies": {"aws.greengrass.TokenExchangeService": {
            "VersionRequirement": "^2.0.0", "DependencyType": "HARD"}},
        "Manifests": [{"Platform": {"os": "linux"}, "Lifecycle": {
            "run": "env > e; mv e env; exec sleep 1000"}}]}))
    target = f"arn:aws:iot:us-east-1:{ACCOUNT}:thing/{thing}"
    agent = Agent(server, tmp_path / thing, thing=thing)
    agent.provision(token_with(server, thing, first))
    agent.start()
    try:
        greengrass.create_deployment(targetArn=target, components={name: {"componentVersion": "1.0.0"}})
        file = agent.root / "work" / name / "env"
        wait_until(file.exists, "the component", 90)

        def may(key):
            env = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
            status, answer = http(env["AWS_CONTAINER_CREDENTIALS_FULL_URI"], headers={
                "Authorization": env["AWS_CONTAINER_AUTHORIZATION_TOKEN"]})
            if status != 200:
                return False
            answer = json.loads(answer)
            return may_put(server, {"accessKeyId": answer["AccessKeyId"], "sessionToken": answer["Token"],
                                    "secretAccessKey": answer["SecretAccessKey"]}, key)
        assert may("a/1") and not may("b/1")
        greengrass.create_deployment(targetArn=target, components={
            name: {"componentVersion": "1.0.0"},
            "aws.greengrass.Nucleus": {"componentVersion": "2.9.9", "configurationUpdate": {
                "merge": json.dumps({"iotRoleAlias": second, "colour": "red"})}},
            "aws.greengrass.LogManager": {"componentVersion": "2.3.1"}})
        wait_until(lambda: may("b/1"), "credentials of the other alias", 90)
        assert not may("a/1")

        def installed():
            return {one["componentName"]: one["componentVersion"]
                    for one in greengrass.list_installed_components(
                        coreDeviceThingName=thing, topologyFilter="ALL")["installedComponents"]}
        wait_until(lambda: "aws.greengrass.Nucleus" in installed(), "the health report", 90)
        assert installed()["aws.greengrass.Nucleus"] == "2.9.9"
        assert installed()["aws.greengrass.LogManager"] == "2.3.1"
        assert "colour" in agent.log.read_text()
        # Without the nucleus in the deployment the alias of the enrolment counts again.
        greengrass.create_deployment(targetArn=target, components={name: {"componentVersion": "1.0.0"}})
        wait_until(lambda: may("a/1"), "credentials of the alias of the enrolment", 90)
    finally:
        agent.kill()


def test_an_iot_policy_of_the_certificate_lets_a_thing_take_an_alias_and_its_deny_counts(server, iot, fresh, role, tmp_path):
    alias, thing, policy = fresh("alias"), fresh("thing"), fresh("policy")
    made = iot.create_role_alias(roleAlias=alias, roleArn=role(put_into("shared")))["roleAliasArn"]
    other = fresh("alias")
    iot.create_role_alias(roleAlias=other, roleArn=role(put_into("shared")))
    device = server.device(thing, tmp_path)
    assert credentials(device, alias) == 403

    def rule(effect):
        return json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": effect, "Action": "iot:AssumeRoleWithCertificate", "Resource": made,
             "Condition": {"StringEquals": {"iot:Connection.Thing.ThingName": thing}}}]})

    iot.create_policy(policyName=policy, policyDocument=rule("Allow"))
    [certificate] = iot.list_thing_principals(thingName=thing)["principals"]
    iot.attach_policy(policyName=policy, target=certificate)
    assert may_put(server, credentials(device, alias), "shared/a")
    assert credentials(device, other) == 403
    denied, mine = fresh("policy"), fresh("alias")
    iot.create_role_alias(roleAlias=mine, roleArn=role(put_into("shared")))
    token_with(server, thing, mine)
    assert may_put(server, credentials(device, mine), "shared/b")
    iot.create_policy(policyName=denied, policyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Action": "iot:AssumeRoleWithCertificate", "Resource": "*"}]}))
    iot.attach_policy(policyName=denied, target=certificate)
    assert credentials(device, alias) == 403 and credentials(device, mine) == 403
