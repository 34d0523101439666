# SPDX-License-Identifier: Apache-2.0
"""AWS IoT Greengrass V2 as boto3 speaks it: components, deployments, core devices. The device is
played with mosquitto's clients and plain HTTPS, with the messages that Greengrass devices send."""
import base64
import datetime
import hashlib
import json
import urllib.request

import botocore.exceptions
import pytest

from harness import wait_until

NAMESPACE = "namespace-aws-gg-deployment"


@pytest.fixture(scope="module")
def greengrass(server):
    return server.aws("greengrassv2")


@pytest.fixture(scope="module")
def iot(server):
    return server.aws("iot")


@pytest.fixture(scope="module")
def s3(server):
    client = server.aws("s3")
    client.create_bucket(Bucket="models")
    return client


def recipe(name, version="1.0.0", artifacts=(), dependencies=None, **more):
    return {"RecipeFormatVersion": "2020-01-25", "ComponentName": name, "ComponentVersion": version,
            "ComponentDescription": "a test", "ComponentPublisher": "tests",
            "ComponentDependencies": dependencies or {},
            "Manifests": [{"Platform": {"os": "linux"}, "Lifecycle": {"run": "true"},
                           "Artifacts": [{"URI": uri} for uri in artifacts]}], **more}


def create(greengrass, *arguments, **more):
    text = json.dumps(recipe(*arguments, **more))
    return greengrass.create_component_version(inlineRecipe=text.encode())


def refusal(call, **arguments):
    """(HTTP status, AWS error code, message) of a call that must fail."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"],
            answer["Error"]["Message"])


# --- components --------------------------------------------------------------------------------

def test_a_component_version_is_created_described_and_given_back(greengrass):
    text = json.dumps(recipe("com.ex.Hello")).encode()
    made = greengrass.create_component_version(inlineRecipe=text, tags={"team": "vision"})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["status"]["componentState"] == "DEPLOYABLE"
    assert abs(made["creationTimestamp"] - datetime.datetime.now(datetime.timezone.utc)) \
        < datetime.timedelta(minutes=1)
    described = greengrass.describe_component(arn=made["arn"])
    assert described["componentName"] == "com.ex.Hello"
    assert described["publisher"] == "tests"
    assert described["tags"] == {"team": "vision"}
    assert described["platforms"] == [{"attributes": {"os": "linux"}}]
    got = greengrass.get_component(arn=made["arn"], recipeOutputFormat="JSON")
    assert got["recipe"] == text
    assert got["recipeOutputFormat"] == "JSON"


def test_a_yaml_recipe_is_given_back_as_json_too(greengrass):
    text = b"""RecipeFormatVersion: 2020-01-25
ComponentName: com.ex.Yaml
ComponentVersion: 1.0.0
Manifests:
  - Platform: {os: linux}
    Lifecycle: {run: 'true'}
"""
    arn = greengrass.create_component_version(inlineRecipe=text)["arn"]
    assert greengrass.get_component(arn=arn, recipeOutputFormat="YAML")["recipe"] == text
    as_json = json.loads(greengrass.get_component(arn=arn, recipeOutputFormat="JSON")["recipe"])
    assert as_json["ComponentVersion"] == "1.0.0"


def test_a_version_never_changes_and_a_repeated_request_answers_as_the_first(greengrass):
    text = json.dumps(recipe("com.ex.Once")).encode()
    first = greengrass.create_component_version(inlineRecipe=text, clientToken="once-1")
    again = greengrass.create_component_version(inlineRecipe=text, clientToken="once-1")
    assert (again["arn"], again["creationTimestamp"]) == (first["arn"], first["creationTimestamp"])
    assert refusal(greengrass.create_component_version, inlineRecipe=text)[:2] \
        == (409, "ConflictException")


@pytest.mark.parametrize("text, part", [
    ("{", "recipe"),
    ("- a list", "object"),
    ("{}", "ComponentName"),
    (json.dumps(recipe("bad name")), "ComponentName"),
    (json.dumps(recipe("com.ex.Bad", "1.0")), "ComponentVersion"),
    (json.dumps(recipe("com.ex.Bad", artifacts=["s3://models/absent"])), "s3://models/absent"),
    (json.dumps(recipe("com.ex.Bad", artifacts=["https://example.com/x"])), "/Manifests/0"),
    (json.dumps(recipe("com.ex.Bad", dependencies={"com.ex.X": {"VersionRequirement": "one"}})),
     "com.ex.X"),
    (json.dumps({**recipe("com.ex.Bad"), "ComponentDescription": "x" * 70_000}), ""),
])
def test_a_malformed_recipe_is_refused_with_the_place_of_the_mistake(greengrass, s3, text, part):
    status, code, message = refusal(greengrass.create_component_version,
                                    inlineRecipe=text.encode())
    assert (status, code) == (400, "ValidationException")
    assert part in message


def test_components_and_versions_are_listed_in_pages(greengrass, fresh):
    name = f"com.ex.{fresh('paged')}"
    for version in ("1.9.0", "1.10.0", "2.0.0"):
        create(greengrass, name, version)
    pages = greengrass.get_paginator("list_components").paginate(
        PaginationConfig={"PageSize": 1})
    listed = {one["componentName"]: one for page in pages for one in page["components"]}
    assert listed[name]["latestVersion"]["componentVersion"] == "2.0.0"
    pages = greengrass.get_paginator("list_component_versions").paginate(
        arn=listed[name]["arn"], PaginationConfig={"PageSize": 2})
    versions = [[one["componentVersion"] for one in page["componentVersions"]] for page in pages]
    assert versions == [["2.0.0", "1.10.0"], ["1.9.0"]]
    assert refusal(greengrass.list_components, nextToken="not one of ours!")[0] == 400


def test_the_artifact_is_pinned_when_the_version_is_made(greengrass, s3, fresh):
    s3.put_object(Bucket="models", Key="a/weights.onnx", Body=b"first")
    name = f"com.ex.{fresh('model')}"
    arn = create(greengrass, name, artifacts=["s3://models/a/weights.onnx"])["arn"]
    s3.put_object(Bucket="models", Key="a/weights.onnx", Body=b"second")
    url = greengrass.get_component_version_artifact(
        arn=arn, artifactName="weights.onnx")["preSignedUrl"]
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"first"
    assert refusal(greengrass.get_component_version_artifact, arn=arn, artifactName="none")[:2] \
        == (404, "ResourceNotFoundException")
    resolved = greengrass.resolve_component_candidates(
        platform={"attributes": {"os": "linux"}},
        componentCandidates=[{"componentName": name,
                              "versionRequirements": {"me": "^1.0.0"}}])
    served = json.loads(resolved["resolvedComponentVersions"][0]["recipe"])
    artifact = served["Manifests"][0]["Artifacts"][0]
    assert artifact["Uri"] == "greengrass:weights.onnx"
    assert artifact["Digest"] == base64.b64encode(hashlib.sha256(b"first").digest()).decode()
    assert artifact["Size"] == 5


def test_the_pinned_bytes_cannot_be_touched_through_s3(greengrass, s3, fresh):
    s3.put_object(Bucket="models", Key="kept", Body=b"kept")
    create(greengrass, f"com.ex.{fresh('kept')}", artifacts=["s3://models/kept"])
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket="andon-artifacts")["Contents"]]
    assert refusal(s3.delete_object, Bucket="andon-artifacts", Key=keys[0])[0] == 403
    assert refusal(s3.put_object, Bucket="andon-artifacts", Key=keys[0], Body=b"x")[0] == 403


def test_what_is_not_there_is_not_found_and_bad_arns_are_refused(greengrass):
    absent = "arn:aws:greengrass:us-east-1:000000000000:components:com.ex.None:versions:1.0.0"
    for call in (greengrass.describe_component, greengrass.get_component,
                 greengrass.delete_component):
        assert refusal(call, arn=absent)[:2] == (404, "ResourceNotFoundException")
        assert refusal(call, arn="arn:aws:greengrass:x:1:components:a")[:2] \
            == (400, "ValidationException")
    status, code, message = refusal(
        greengrass.resolve_component_candidates, platform={"attributes": {"os": "linux"}},
        componentCandidates=[{"componentName": "com.ex.None"}])
    assert (status, code) == (404, "ResourceNotFoundException")
    assert "no usable version" in message


def test_a_component_is_deleted_and_can_be_tagged_before(greengrass, fresh):
    arn = create(greengrass, f"com.ex.{fresh('gone')}")["arn"]
    greengrass.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2", "c": "3"})
    greengrass.untag_resource(resourceArn=arn, tagKeys=["a", "b"])
    assert greengrass.list_tags_for_resource(resourceArn=arn)["tags"] == {"c": "3"}
    assert greengrass.delete_component(arn=arn)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(greengrass.describe_component, arn=arn)[0] == 404


# --- deployments -------------------------------------------------------------------------------

@pytest.fixture
def thing(iot, fresh):
    return iot.create_thing(thingName=fresh("dev"))


def test_a_deployment_is_created_shown_canceled_and_deleted(greengrass, thing, fresh):
    name = f"com.ex.{fresh('app')}"
    create(greengrass, name)
    spec = {"componentVersion": "1.0.0",
            "configurationUpdate": {"merge": '{"threshold": 0.5}', "reset": ["/old"]}}
    made = greengrass.create_deployment(targetArn=thing["thingArn"], deploymentName="first",
                                        components={name: spec}, tags={"shift": "late"})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["iotJobArn"].endswith(":job/" + made["iotJobId"])
    got = greengrass.get_deployment(deploymentId=made["deploymentId"])
    assert got["deploymentStatus"] == "ACTIVE"
    assert got["components"] == {name: spec}
    assert got["deploymentPolicies"]["componentUpdatePolicy"] == {
        "timeoutInSeconds": 60, "action": "NOTIFY_COMPONENTS"}
    assert (got["revisionId"], got["isLatestForTarget"]) == ("1", True)
    assert got["tags"] == {"shift": "late"}
    assert refusal(greengrass.delete_deployment, deploymentId=made["deploymentId"])[:2] \
        == (409, "ConflictException")
    assert greengrass.cancel_deployment(deploymentId=made["deploymentId"])["message"]
    assert greengrass.get_deployment(
        deploymentId=made["deploymentId"])["deploymentStatus"] == "CANCELED"
    greengrass.delete_deployment(deploymentId=made["deploymentId"])
    assert refusal(greengrass.get_deployment, deploymentId=made["deploymentId"])[:2] \
        == (404, "ResourceNotFoundException")


def test_a_new_revision_makes_the_old_one_inactive(greengrass, thing):
    ids = [greengrass.create_deployment(targetArn=thing["thingArn"])["deploymentId"]
           for _ in range(3)]
    listed = greengrass.list_deployments(targetArn=thing["thingArn"])["deployments"]
    assert [one["deploymentId"] for one in listed] == ids[2:]
    pages = greengrass.get_paginator("list_deployments").paginate(
        targetArn=thing["thingArn"], historyFilter="ALL", PaginationConfig={"PageSize": 2})
    every = [one for page in pages for one in page["deployments"]]
    assert {one["deploymentId"]: one["deploymentStatus"] for one in every} == {
        ids[0]: "INACTIVE", ids[1]: "INACTIVE", ids[2]: "ACTIVE"}


def test_mistakes_in_a_deployment_are_named(greengrass, thing, fresh):
    name = f"com.ex.{fresh('app')}"
    create(greengrass, name)

    def refused(**changes):
        return refusal(greengrass.create_deployment, **{"targetArn": thing["thingArn"], **changes})

    assert refused(targetArn="arn:aws:iot:us-east-1:000000000000:thing/nobody")[:2] \
        == (404, "ResourceNotFoundException")
    assert refused(targetArn="arn:aws:iot:us-east-1:000000000000:thinggroup/none")[:2] \
        == (404, "ResourceNotFoundException")
    for changes, part in [
            ({"targetArn": "dev1"}, "targetArn"),
            ({"components": {name: {"componentVersion": "9.9.9"}}}, f'components["{name}"]'),
            ({"components": {"com.ex.None": {"componentVersion": "1.0.0"}}}, "com.ex.None"),
            ({"components": {name: {"componentVersion": "one"}}}, "componentVersion"),
            ({"components": {name: {"componentVersion": "1.0.0",
                                    "configurationUpdate": {"merge": "{"}}}},
             "configurationUpdate.merge"),
            ({"components": {name: {"componentVersion": "1.0.0",
                                    "configurationUpdate": {"reset": ["a"]}}}},
             "configurationUpdate.reset[0]"),
            ({"components": {name: {"componentVersion": "1.0.0", "configurationUpdate": {
                "merge": json.dumps({"x": "y" * 140_000})}}}}, "131072"),
            ({"deploymentPolicies": {"failureHandlingPolicy": "PRAY"}}, "failureHandlingPolicy"),
    ]:
        status, code, message = refused(**changes)
        assert (status, code) == (400, "ValidationException"), message
        assert part in message
    assert not greengrass.list_deployments(targetArn=thing["thingArn"])["deployments"]


def test_the_same_client_token_makes_one_deployment(greengrass, thing):
    ids = {greengrass.create_deployment(targetArn=thing["thingArn"],
                                        clientToken="again")["deploymentId"] for _ in range(2)}
    assert len(ids) == 1


# --- a device, from deployment to health -------------------------------------------------------

class PlayedDevice:
    """Does by hand what a Greengrass nucleus does."""

    def __init__(self, server, thing, directory):
        self.device = server.device(thing, directory)
        self.prefix = f"$aws/things/{thing}/"

    @property
    def mqtt(self):
        # Afresh each time: two clients of one id would throw each other out.
        return self.device.mqtt()

    def ask(self, topic, payload):
        """Publishes and waits for .../accepted or .../rejected: (which, payload)."""
        topic = self.prefix + topic
        with self.mqtt.subscribe(topic + "/accepted", topic + "/rejected") as answers:
            assert self.mqtt.publish(topic, payload)
            found, text = answers.wait_for(lambda *_: True, f"an answer on {topic}")
        return found.rsplit("/", 1)[1], json.loads(text)

    def update(self, job, status, **more):
        return self.ask(f"jobs/{job}/{NAMESPACE}/update", {"status": status, **more})


def test_a_device_deploys_reports_and_is_shown(server, greengrass, iot, s3, fresh, tmp_path):
    name, model, thing_name = f"com.ex.{fresh('app')}", f"com.ex.{fresh('model')}", fresh("line")
    s3.put_object(Bucket="models", Key="w.onnx", Body=b"0123456789")
    create(greengrass, model, artifacts=["s3://models/w.onnx"])
    create(greengrass, name, dependencies={model: {"VersionRequirement": "^1.0.0"}})
    played = PlayedDevice(server, thing_name, tmp_path)
    device = played.device
    thing = iot.describe_thing(thingName=thing_name)

    with played.mqtt.subscribe(
            f"{played.prefix}jobs/notify-next-{NAMESPACE}",
            f"{played.prefix}jobs/notify-{NAMESPACE}",
            f"{played.prefix}shadow/name/AWSManagedGreengrassV2Deployment/update/accepted",
    ) as told:
        job = greengrass.create_deployment(
            targetArn=thing["thingArn"],
            components={name: {"componentVersion": "1.0.0"}})["deploymentId"]
        _, text = told.wait_for(lambda topic, _: "notify-next" in topic, "notify-next")
        told.wait_for(lambda topic, _: "/notify-namespace" in topic, "notify")
        _, shadow = told.wait_for(lambda topic, _: "/shadow/" in topic, "the shadow")
    execution = json.loads(text)["execution"]
    assert (execution["jobId"], execution["status"]) == (job, "QUEUED")
    assert isinstance(execution["queuedAt"], int)
    desired = json.loads(shadow)["state"]["desired"]
    assert json.loads(desired["fleetConfig"])["deploymentId"] == job

    which, answer = played.ask(f"jobs/$next/{NAMESPACE}/get",
                               {"jobId": "$next", "thingName": thing_name,
                                "includeJobDocument": True, "clientToken": "jobs-nucleus-lite"})
    assert (which, answer["clientToken"]) == ("accepted", "jobs-nucleus-lite")
    assert answer["execution"]["jobDocument"]["components"][name]["version"] == "1.0.0"
    assert played.update(job, "IN_PROGRESS")[0] == "accepted"

    for component in (name, model):
        status, body = device.https(
            "/greengrass/v2/resolveComponentCandidates", "POST",
            {"componentCandidates": [{"componentName": component,
                                      "versionRequirements": {"requirements": ""}}],
             "platform": {"name": "linux", "attributes": {"os": "linux"}}})
        assert status == 200, body
        resolved = json.loads(body)["resolvedComponentVersions"][0]
    status, body = device.https(
        f"/greengrass/v2/components/{resolved['arn']}/artifacts/w.onnx")
    assert status == 200, body
    url = json.loads(body)["preSignedUrl"]
    assert device.https(url) == (200, b"0123456789")
    assert device.https(url, headers={"Range": "bytes=4-"}) == (206, b"456789")

    assert played.mqtt.publish(f"{played.prefix}greengrassv2/health/json", {
        "ggcVersion": "0.1.0", "platform": "linux", "architecture": "amd64", "thing": thing_name,
        "sequenceNumber": 1, "timestamp": 1795343928953, "messageType": "COMPLETE",
        "trigger": "NUCLEUS_LAUNCH", "overallDeviceStatus": "HEALTHY",
        "components": [{"componentName": name, "version": "1.0.0", "isRoot": True,
                        "status": "RUNNING"},
                       {"componentName": model, "version": "1.0.0", "isRoot": False,
                        "status": "FINISHED"}]})
    assert played.update(job, "SUCCEEDED")[0] == "accepted"
    which, answer = played.update(job, "FAILED", clientToken="late")
    assert (which, answer["code"], answer["clientToken"]) \
        == ("rejected", "TerminalStateReached", "late")

    assert greengrass.get_deployment(deploymentId=job)["deploymentStatus"] == "COMPLETED"
    effective = greengrass.list_effective_deployments(
        coreDeviceThingName=thing_name)["effectiveDeployments"][0]
    assert effective["coreDeviceExecutionStatus"] == "SUCCEEDED"
    core = wait_until(lambda: next(
        (one for one in greengrass.list_core_devices()["coreDevices"]
         if one["coreDeviceThingName"] == thing_name), None), "the core device")
    assert core["status"] == "HEALTHY"
    assert greengrass.get_core_device(coreDeviceThingName=thing_name)["coreVersion"] == "0.1.0"
    installed = greengrass.list_installed_components(
        coreDeviceThingName=thing_name, topologyFilter="ALL")["installedComponents"]
    assert {one["componentName"]: one["lifecycleState"] for one in installed} \
        == {name: "RUNNING", model: "FINISHED"}
    greengrass.delete_core_device(coreDeviceThingName=thing_name)
    assert refusal(greengrass.get_core_device, coreDeviceThingName=thing_name)[:2] \
        == (404, "ResourceNotFoundException")


def test_a_failure_on_one_device_of_a_group_is_visible(server, greengrass, iot, fresh, tmp_path):
    name, group_name = f"com.ex.{fresh('app')}", fresh("hall")
    create(greengrass, name)
    group = iot.create_thing_group(thingGroupName=group_name)
    good = PlayedDevice(server, fresh("line"), tmp_path)
    bad = PlayedDevice(server, fresh("line"), tmp_path)
    for played in (good, bad):
        iot.add_thing_to_thing_group(thingGroupName=group_name, thingName=played.device.thing)
    job = greengrass.create_deployment(
        targetArn=group["thingGroupArn"],
        components={name: {"componentVersion": "1.0.0"}})["deploymentId"]
    good.update(job, "SUCCEEDED")
    assert greengrass.get_deployment(deploymentId=job)["deploymentStatus"] == "ACTIVE"
    bad.update(job, "FAILED", statusDetails={
        "detailed-deployment-status": "FAILED_ROLLBACK_COMPLETE",
        "deployment-failure-cause": f"{name}: artifact w.onnx is damaged",
        "deployment-error-stack": '["DEPLOYMENT_FAILURE","ARTIFACT_CHECKSUM_MISMATCH"]',
        "deployment-error-types": '["COMPONENT_ERROR"]'})
    assert greengrass.get_deployment(deploymentId=job)["deploymentStatus"] == "FAILED"
    effective = greengrass.list_effective_deployments(
        coreDeviceThingName=bad.device.thing)["effectiveDeployments"][0]
    assert effective["coreDeviceExecutionStatus"] == "FAILED"
    assert effective["reason"] == f"FAILED_ROLLBACK_COMPLETE: {name}: artifact w.onnx is damaged"
    assert effective["statusDetails"] == {
        "errorStack": ["DEPLOYMENT_FAILURE", "ARTIFACT_CHECKSUM_MISMATCH"],
        "errorTypes": ["COMPONENT_ERROR"]}


def test_a_device_that_joins_a_group_is_told_of_its_deployment(server, greengrass, iot, fresh,
                                                               tmp_path):
    group_name = fresh("hall")
    group = iot.create_thing_group(thingGroupName=group_name)
    job = greengrass.create_deployment(targetArn=group["thingGroupArn"])["deploymentId"]
    played = PlayedDevice(server, fresh("line"), tmp_path)
    with played.mqtt.subscribe(f"{played.prefix}jobs/notify-next-{NAMESPACE}") as told:
        iot.add_thing_to_thing_group(thingGroupName=group_name, thingName=played.device.thing)
        _, text = told.wait_for(lambda *_: True, "notify-next")
    assert json.loads(text)["execution"]["jobId"] == job
    status, body = played.device.https(
        f"/greengrass/v2/coreDevices/{played.device.thing}/thingGroups")
    assert (status, [one["thingGroupName"] for one in json.loads(body)["thingGroups"]]) \
        == (200, [group_name])


def test_malformed_messages_of_a_device_are_rejected_and_harm_nobody(server, greengrass, iot,
                                                                     fresh, tmp_path):
    played = PlayedDevice(server, fresh("line"), tmp_path)
    arn = iot.describe_thing(thingName=played.device.thing)["thingArn"]
    job = greengrass.create_deployment(targetArn=arn)["deploymentId"]
    for payload, code in (("{", "InvalidJson"), ("[]", "InvalidJson"), ("{}", "InvalidRequest"),
                          ('{"status": "FAILURE"}', "InvalidRequest"),
                          ('{"status": "FAILED", "expectedVersion": 9}', "VersionMismatch")):
        which, answer = played.ask(f"jobs/{job}/{NAMESPACE}/update", payload)
        assert (which, answer["code"]) == ("rejected", code)
    assert played.mqtt.publish(f"{played.prefix}greengrassv2/health/json", "not JSON")
    assert played.update(job, "SUCCEEDED")[0] == "accepted"


def test_a_build_of_a_version_is_a_version_of_its_own(greengrass, iot, fresh):
    name = fresh("com.ex.Built")
    arns = {build: create(greengrass, name, f"1.0.0+{build}")["arn"] for build in ("b1", "b2")}
    thing = iot.create_thing(thingName=fresh("dev"))["thingArn"]

    def deploy(version):
        return greengrass.create_deployment(
            targetArn=thing, components={name: {"componentVersion": version}})["deploymentId"]

    assert greengrass.describe_component(arn=arns["b1"])["componentVersion"] == "1.0.0+b1"
    made = greengrass.get_deployment(deploymentId=deploy("1.0.0+b1"))
    assert made["components"][name]["componentVersion"] == "1.0.0+b1"
    for other in ("1.0.0+b3", "1.0.0"):
        status, code, message = refusal(
            greengrass.create_deployment, targetArn=thing,
            components={name: {"componentVersion": other}})
        assert (status, code) == (400, "ValidationException") and f"no version {other}" in message
    listed = greengrass.list_component_versions(
        arn=arns["b1"].split(":versions:")[0])["componentVersions"]
    assert [item["componentVersion"] for item in listed] == ["1.0.0+b2", "1.0.0+b1"]
