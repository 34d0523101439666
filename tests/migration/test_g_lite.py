# SPDX-License-Identifier: Apache-2.0
"""A device that runs greengrass-lite 2.6, by its exact exchanges."""
import json

import pytest
from agent import Fleet
from harness import wait_until
from lite_nucleus import LiteNucleus
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


def deploy(line, components):
    return line.aws("greengrassv2").create_deployment(
        targetArn=arn("iot", "thing/line-lite"), components=components)["deploymentId"]


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
    assert "5,000" in str(refused.value) or "5000" in str(refused.value)
