# SPDX-License-Identifier: Apache-2.0
"""A device that runs greengrass-lite 2.6, by its exact exchanges."""
import json

import pytest
from agent import Fleet
from harness import Mqtt, wait_until
from lite_nucleus import LiteClaim, LiteNucleus, own_key, provisioned
from migrated_line import arn

HELLO = "com.line.Hello"
RECIPE = {
    "RecipeFormatVersion": "2020-01-25", "ComponentName": HELLO, "ComponentVersion": "1.0.0",
    "ComponentDependencies": {"com.line.Base": {"VersionRequirement": "^1.0.0"}},
    "ComponentConfiguration": {"DefaultConfiguration": {"word": "hello"}},
    "Manifests": [{
        "Platform": {"os": "linux"},
        "Lifecycle": {"Install": "true", "Run": {"Script": "cat {artifacts:path}/hello.txt"}},
        "Artifacts": [{"URI": "s3://line-lite/hello.txt"}]}]}


@pytest.fixture(scope="module", name="lite")
def fixture_lite(line, tmp_path_factory):
    s3, greengrass = line.aws("s3"), line.aws("greengrassv2")
    s3.create_bucket(Bucket="line-lite")
    s3.put_object(Bucket="line-lite", Key="hello.txt", Body=b"hello, line")
    Fleet(line.server).component("com.line.Base", "1.2.0", {"run": "true"})
    greengrass.create_component_version(inlineRecipe=json.dumps(RECIPE))
    device = line.server.device("line-lite", tmp_path_factory.mktemp("lite"))
    [certificate] = line.aws("iot").list_thing_principals(thingName="line-lite")["principals"]
    line.aws("iot").attach_policy(policyName="line-core", target=certificate)
    with LiteNucleus(device) as nucleus:
        wait_until(lambda: [one for one in greengrass.list_core_devices()["coreDevices"]
                            if one["coreDeviceThingName"] == "line-lite"], "its first word")
        yield nucleus


def deploy(line, components, target="thing/line-lite"):
    return line.aws("greengrassv2").create_deployment(
        targetArn=arn("iot", target), components=components)["deploymentId"]


def status_of(line, deployment):
    return line.aws("greengrassv2").get_deployment(deploymentId=deployment)["deploymentStatus"]


def test_a_deployment_goes_through_each_exchange_to_its_end(line, lite):
    deployment = deploy(line, {HELLO: {"componentVersion": "1.0.0"}})
    job = lite.next_job()
    document = job["jobDocument"]
    assert document["components"][HELLO]["version"] == "1.0.0"
    assert lite.update(job["jobId"], "IN_PROGRESS")[0] == "accepted"
    assert "line-lite" in lite.thing_groups(), "what is deployed to the thing itself would be lost"

    component, recipe = lite.resolve(HELLO, "1.0.0")
    [manifest] = recipe["Manifests"]
    assert manifest["Platform"] == {"os": "linux", "runtime": "*"}
    assert set(manifest["Lifecycle"]) == {"install", "run"}
    requirement = recipe["ComponentDependencies"]["com.line.Base"]["VersionRequirement"]
    assert requirement == ">=1.0.0 <2.0.0"
    _, base = lite.resolve("com.line.Base", requirement)
    assert base["Manifests"][0]["Artifacts"] == []
    assert lite.credentials("line-token-exchange")["accessKeyId"]
    [artifact] = manifest["Artifacts"]
    assert lite.fetch(component, artifact) == b"hello, line"

    assert status_of(line, deployment) == "ACTIVE", "it is not done because it was asked for"
    told = {"status": "SUCCEEDED", "fleetConfigurationArnForStatus": document["configurationArn"],
            "deploymentId": document["deploymentId"],
            "statusDetails": {"detailedStatus": "SUCCESSFUL"}, "unchangedRootComponents": []}
    lite.health("THING_DEPLOYMENT", "PARTIAL", [
        {"componentName": HELLO, "version": "1.0.0", "isRoot": True, "status": "RUNNING",
         "fleetConfigArns": [document["configurationArn"]]}], told)
    assert lite.update(job["jobId"], "SUCCEEDED")[0] == "accepted"
    wait_until(lambda: status_of(line, deployment) == "COMPLETED", "the deployment's end")
    installed = line.aws("greengrassv2").list_installed_components(coreDeviceThingName="line-lite")
    assert [(one["componentName"], one["lifecycleState"]) for one in installed["installedComponents"]] == [
        (HELLO, "RUNNING")]


def test_a_failure_is_a_failed_deployment_and_not_an_active_one(line, lite):
    deployment = deploy(line, {HELLO: {"componentVersion": "1.0.0", "configurationUpdate": {
        "merge": json.dumps({"word": "goodbye"})}}})
    job = lite.next_job()
    lite.update(job["jobId"], "IN_PROGRESS")
    told, answer = lite.update(job["jobId"], "FAILURE")  # lite's slip on a full queue
    assert (told, answer["code"]) == ("rejected", "InvalidRequest")
    assert lite.update(job["jobId"], "FAILED")[0] == "accepted"
    wait_until(lambda: status_of(line, deployment) == "FAILED", "the deployment's end")


def test_what_is_not_there_is_not_asked_for_again(lite):
    status, answer = lite.resolve("com.line.Nowhere", "1.0.0")
    assert status in (403, 404) and answer["message"]


def test_a_deployment_that_lite_would_never_see_is_refused_when_it_is_made(line, lite):
    client = line.aws("greengrassv2")
    with pytest.raises(client.exceptions.ClientError) as refused:
        deploy(line, {HELLO: {"componentVersion": "1.0.0", "configurationUpdate": {
            "merge": json.dumps({"word": "x" * 6000})}}})
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert "5000" in str(refused.value)


def publish(line, name, manifests, **members):
    line.aws("greengrassv2").create_component_version(inlineRecipe=json.dumps({
        "RecipeFormatVersion": "2020-01-25", "ComponentName": name, "ComponentVersion": "1.0.0",
        "Manifests": manifests, **members}))


def test_a_recipe_for_many_platforms_comes_as_the_one_manifest_that_it_can_match(line, lite):
    publish(line, "com.line.Anywhere", [
        {"Platform": {"os": "windows"}, "Lifecycle": {"Run": "x" * 9000}},
        {"Platform": {"os": "/darwin|linux/", "architecture": "/.*/"},
         "Lifecycle": {"Install": {"Script": "make.sh", "Skipif": "onpath made"},
                       "Run": "run.sh", "Shutdown": "stop.sh"}}])
    deploy(line, {"com.line.Anywhere": {"componentVersion": "1.0.0"}})
    job = lite.next_job()
    _, recipe = lite.resolve("com.line.Anywhere", "1.0.0")
    [manifest] = recipe["Manifests"]
    assert manifest["Platform"] == {"os": "linux", "runtime": "*"}
    assert manifest["Lifecycle"]["run"] == "run.sh" and "shutdown" not in manifest["Lifecycle"]
    assert manifest["Lifecycle"]["install"] == {
        "Script": "if command -v made >/dev/null 2>&1; then exit 0; fi\nmake.sh"}
    assert lite.update(job["jobId"], "SUCCEEDED")[0] == "accepted"


@pytest.mark.parametrize("name, run, why", [
    ("com.line.Borrower", "cat {com.line.Base:artifacts:path}/a", "another component"),
    ("com.line.Long", "x" * 9000, "8196")])
def test_a_recipe_that_lite_could_not_run_is_refused_when_it_is_deployed(line, lite, name, run, why):
    publish(line, name, [{"Platform": {"os": "linux"}, "Lifecycle": {"Run": run}}], ComponentDependencies={
        "com.line.Base": {"VersionRequirement": "^1.0.0"}})
    client = line.aws("greengrassv2")
    with pytest.raises(client.exceptions.ClientError) as refused:
        deploy(line, {name: {"componentVersion": "1.0.0"}})
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert "nucleus lite" in str(refused.value) and why in str(refused.value)


def test_groups_above_its_own_keep_what_they_have_deployed_to_it(line, lite):
    iot = line.aws("iot")
    iot.create_thing_group(thingGroupName="line-site")
    iot.create_thing_group(thingGroupName="line-hall", parentGroupName="line-site")
    iot.add_thing_to_thing_group(thingName="line-lite", thingGroupName="line-hall")
    assert {"line-lite", "line-hall", "line-site"} <= set(lite.thing_groups())


TEMPLATE = {
    "Parameters": {"SerialNumber": {"Type": "String"}, "AWS::IoT::Certificate::Id": {"Type": "String"}},
    "Resources": {
        "thing": {"Type": "AWS::IoT::Thing", "Properties": {
            "ThingName": {"Fn::Join": ["-", ["line", {"Ref": "SerialNumber"}]]}}},
        "certificate": {"Type": "AWS::IoT::Certificate", "Properties": {
            "CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"}},
        "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "line-core"}}},
    "DeviceConfiguration": {"hall": "north"}}


@pytest.fixture(scope="module", name="claim")
def fixture_claim(line, tmp_path_factory):
    """A claim as it is put on every device of a delivery: its certificate and key in files."""
    iot, directory = line.aws("iot"), tmp_path_factory.mktemp("claim")
    iot.create_provisioning_template(
        templateName="line-lite", templateBody=json.dumps(TEMPLATE), enabled=True,
        provisioningRoleArn=arn("iam", "role/provisioning").replace("us-east-1", ""))
    made = iot.create_provisioning_claim(templateName="line-lite")
    certificate, key = directory / "claim.pem.crt", directory / "claim.pem.key"
    certificate.write_text(made["certificatePem"])
    key.write_text(made["keyPair"]["PrivateKey"])
    # The broker hears of a new certificate within a second.
    wait_until(lambda: Mqtt(line.server, certificate, key, client_id="probe").publish(
        "$aws/certificates/create/json", "{}"), "the claim being known")
    return certificate, key


def test_a_device_with_a_claim_is_provisioned_without_subscribing_and_deployed_to(line, claim, tmp_path):
    device = provisioned(line.server, claim, "line-lite", {"SerialNumber": "SN-1"}, tmp_path)
    assert (device.thing, device.configuration) == ("line-SN-1", {"hall": "north"})
    wait_until(lambda: Mqtt(line.server, device.certificate, device.key, thing=device.thing).publish(
        f"$aws/things/{device.thing}/probe", "{}"), "its own certificate being known")
    deployment = deploy(line, {HELLO: {"componentVersion": "1.0.0"}}, f"thing/{device.thing}")
    with LiteNucleus(device) as nucleus:
        job = nucleus.next_job()
        assert device.thing in nucleus.thing_groups()
        component, recipe = nucleus.resolve(HELLO, "1.0.0")
        assert nucleus.credentials("line-token-exchange")["sessionToken"]
        assert nucleus.fetch(component, recipe["Manifests"][0]["Artifacts"][0]) == b"hello, line"
        assert nucleus.update(job["jobId"], "SUCCEEDED")[0] == "accepted"
    wait_until(lambda: status_of(line, deployment) == "COMPLETED", "the deployment's end")


def test_a_device_with_a_claim_is_told_why_it_is_not_provisioned(line, claim, tmp_path):
    with LiteClaim(line.server, *claim) as asking:
        token = asking.certificate(own_key(tmp_path)[1])["certificateOwnershipToken"]
        for given, parameters, status, code in (
                (token, {}, 400, "InvalidParameters"), (token, {"SerialNumber": "a/b"}, 400, "InvalidParameters"),
                ("nobody's", {"SerialNumber": "2"}, 401, "Unauthorized")):
            told, answer = asking.register("line-lite", given, parameters)
            assert (told, answer["statusCode"], answer["errorCode"]) == ("rejected", status, code)
            assert answer["errorMessage"]


def test_a_group_whose_deployment_is_too_large_fails_for_lite_that_joins_it(line, lite):
    """It would wait for it for ever, and all that comes after it, too."""
    iot = line.aws("iot")
    iot.create_thing_group(thingGroupName="line-large")
    large = deploy(line, {HELLO: {"componentVersion": "1.0.0", "configurationUpdate": {
        "merge": json.dumps({"word": "x" * 6000})}}}, "thinggroup/line-large")
    iot.add_thing_to_thing_group(thingName="line-lite", thingGroupName="line-large")

    def failed():
        for one in line.aws("greengrassv2").list_effective_deployments(
                coreDeviceThingName="line-lite")["effectiveDeployments"]:
            if one["deploymentId"] == large and one["coreDeviceExecutionStatus"] == "FAILED":
                return one["reason"]
        return None
    assert "5000" in wait_until(failed, "the failure that nobody but the server can tell", 120)
    small = deploy(line, {HELLO: {"componentVersion": "1.0.0"}})
    assert lite.next_job()["jobId"] == small
