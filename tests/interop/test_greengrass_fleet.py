# SPDX-License-Identifier: Apache-2.0
"""The rest of AWS IoT Greengrass V2 in boto3: rollouts with a rate and abort criteria,
sub-deployments, client devices and their discovery, states of components, the service role."""
import gzip
import json
import re
from pathlib import Path

import botocore
import botocore.exceptions
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from aws_client import refusal
from harness import checked, http, wait_until

NAMESPACE = "namespace-aws-gg-deployment"
ROOT = "arn:aws:iot:us-east-1:000000000000:"


@pytest.fixture(scope="module")
def greengrass(server):
    return checked(server.aws("greengrassv2"))


@pytest.fixture(scope="module")
def iot(server):
    return server.aws("iot")


@pytest.fixture
def component(greengrass, fresh):
    name = f"com.ex.{fresh('app')}"
    return name, create(greengrass, name)["arn"]


def create(greengrass, name, version="1.0.0"):
    return greengrass.create_component_version(inlineRecipe=json.dumps(
        {"RecipeFormatVersion": "2020-01-25", "ComponentName": name, "ComponentVersion": version,
         "Manifests": [{"Platform": {"os": "linux"}, "Lifecycle": {"run": "true"}}]}).encode())


@pytest.fixture
def group(iot, fresh):
    """group(3) -> (name, things)"""
    def make(count, things=None):
        name = fresh("hall")
        iot.create_thing_group(thingGroupName=name)
        things = things or [fresh("dev") for _ in range(count)]
        for thing in things:
            iot.create_thing(thingName=thing)
            iot.add_thing_to_thing_group(thingGroupName=name, thingName=thing)
        return name, things
    return make


def deploy(greengrass, group, name, **more):
    return greengrass.create_deployment(
        targetArn=f"{ROOT}thinggroup/{group}", components={name: {"componentVersion": "1.0.0"}},
        **more)["deploymentId"]


def reached(greengrass, things, job):
    """The things whose newest deployments hold this job."""
    return {thing for thing in things
            if any(one["deploymentId"] == job
                   and one["coreDeviceExecutionStatus"] not in ("CANCELED", "TIMED_OUT")
                   for one in greengrass.list_effective_deployments(
                       coreDeviceThingName=thing)["effectiveDeployments"])}


def say(server, tmp_path, thing, job, status):
    device = server.device(thing, tmp_path)
    topic = f"$aws/things/{thing}/jobs/{job}/{NAMESPACE}/update"
    mqtt = device.mqtt()
    with mqtt.subscribe(topic + "/accepted", topic + "/rejected") as answers:
        assert mqtt.publish(topic, {"status": status})
        found, _ = answers.wait_for(lambda *_: True, f"an answer on {topic}")
    assert found.endswith("/accepted")


def test_every_operation_of_the_model_is_answered(server):
    """None is unknown to the server: what is wrong is what the call lacks."""
    folder = next((Path(botocore.__file__).parent / "data" / "greengrassv2").iterdir())
    with gzip.open(folder / "service-2.json.gz") as model:
        operations = json.load(model)["operations"]
    missing = []
    for name, operation in operations.items():
        status, body = raw(server, operation["http"])
        if b"has no operation" in body or status >= 500:
            missing.append((name, status, body))
    assert not missing
    assert b"has no operation" in raw(server, {"method": "GET", "requestUri": "/greengrass/v3"})[1]


def raw(server, binding):
    """One signed request with a name that nobody has in its path."""
    key = server.operator_key
    path = re.sub(r"\{[^}]*\}", "none", binding["requestUri"])
    body = "{}" if binding["method"] in ("POST", "PUT") else ""
    request = AWSRequest(binding["method"], server.info["api"] + path, data=body)
    SigV4Auth(Credentials(key["accessKeyId"], key["secretAccessKey"]), "greengrass",
              key["region"]).add_auth(request)
    return http(request.url, binding["method"], body.encode() or None, dict(request.headers),
                server.tls())


def test_a_rollout_with_a_rate_reaches_a_few_devices_at_a_time(greengrass, component, group):
    hall, things = group(8)
    rules = {"jobExecutionsRolloutConfig": {
        "maximumPerMinute": 60,
        "exponentialRate": {"baseRatePerMinute": 1, "incrementFactor": 1.5,
                            "rateIncreaseCriteria": {"numberOfSucceededThings": 1}}}}
    job = deploy(greengrass, hall, component[0], iotJobConfiguration=rules)
    got = greengrass.get_deployment(deploymentId=job)
    assert got["iotJobConfiguration"] == rules
    assert got["deploymentStatus"] == "ACTIVE"
    assert len(reached(greengrass, things, job)) == 1
    # Another one for the same devices is not held up by it.
    other, _ = group(0, things)
    fast = deploy(greengrass, other, component[0])
    assert reached(greengrass, things, fast) == set(things)
    greengrass.cancel_deployment(deploymentId=job)


def test_a_rollout_goes_on_at_its_pace(greengrass, component, group):
    hall, things = group(4)
    job = deploy(greengrass, hall, component[0], iotJobConfiguration={
        "jobExecutionsRolloutConfig": {"maximumPerMinute": 120}})
    wait_until(lambda: reached(greengrass, things, job) == set(things), "every device")


def test_too_many_failures_abort_a_deployment(server, greengrass, component, group, tmp_path):
    hall, things = group(3)
    job = deploy(greengrass, hall, component[0], iotJobConfiguration={"abortConfig": {
        "criteriaList": [{"failureType": "FAILED", "action": "CANCEL",
                          "thresholdPercentage": 50.0, "minNumberOfExecutedThings": 1}]}})
    say(server, tmp_path, things[0], job, "FAILED")
    assert greengrass.get_deployment(deploymentId=job)["deploymentStatus"] == "CANCELED"
    effective = greengrass.list_effective_deployments(
        coreDeviceThingName=things[1])["effectiveDeployments"][0]
    assert effective["coreDeviceExecutionStatus"] == "CANCELED"
    assert "1 of 1 devices ended FAILED" in effective["reason"]


def test_what_cannot_be_in_a_job_configuration_is_named(greengrass, component, group):
    hall, _ = group(1)
    for configuration, part in [
            ({"jobExecutionsRolloutConfig": {"maximumPerMinute": 1001}}, "maximumPerMinute"),
            ({"jobExecutionsRolloutConfig": {"exponentialRate": {
                "baseRatePerMinute": 1, "incrementFactor": 9.0,
                "rateIncreaseCriteria": {"numberOfNotifiedThings": 1}}}}, "incrementFactor"),
            ({"jobExecutionsRolloutConfig": {"exponentialRate": {
                "baseRatePerMinute": 1, "incrementFactor": 2.0, "rateIncreaseCriteria": {}}}},
             "rateIncreaseCriteria"),
            ({"abortConfig": {"criteriaList": [
                {"failureType": "BORED", "action": "CANCEL", "thresholdPercentage": 5.0,
                 "minNumberOfExecutedThings": 1}]}}, "failureType"),
            ({"timeoutConfig": {"inProgressTimeoutInMinutes": 20000}},
             "inProgressTimeoutInMinutes")]:
        status, code, message = refusal(
            greengrass.create_deployment, targetArn=f"{ROOT}thinggroup/{hall}",
            iotJobConfiguration=configuration)
        assert (status, code) == (400, "ValidationException"), message
        assert part in message


def test_a_sub_deployment_is_for_some_devices_of_the_parent(greengrass, component, group, iot,
                                                            fresh):
    hall, things = group(3)
    stranger = fresh("dev")
    some, _ = group(0, [things[0], stranger])
    whole = deploy(greengrass, hall, component[0])
    part = deploy(greengrass, some, component[0], parentTargetArn=f"{ROOT}thinggroup/{hall}")
    assert reached(greengrass, [*things, stranger], part) == {things[0]}
    assert reached(greengrass, things, whole) == set(things[1:])
    listed = greengrass.list_deployments(
        parentTargetArn=f"{ROOT}thinggroup/{hall}")["deployments"]
    assert [one["deploymentId"] for one in listed] == [part]
    assert listed[0]["parentTargetArn"].endswith(f"thinggroup/{hall}")
    # Its group serves this parent and no other, and has no deployments of its own.
    assert refusal(greengrass.create_deployment, targetArn=f"{ROOT}thinggroup/{some}")[:2] \
        == (400, "ValidationException")
    # A newer revision of the parent is for all again.
    again = deploy(greengrass, hall, component[0])
    assert reached(greengrass, things, again) == set(things)
    assert greengrass.get_deployment(deploymentId=part)["deploymentStatus"] == "INACTIVE"


def test_client_devices_are_associated_and_discover_their_cores(server, greengrass, iot, fresh,
                                                               tmp_path):
    core, camera, other = fresh("core"), fresh("camera"), fresh("camera")
    device = server.device(camera, tmp_path)
    for thing in (core, other):
        iot.create_thing(thingName=thing)
    path = f"/greengrass/discover/thing/{camera}"
    assert device.https(path)[0] == 404
    answer = greengrass.batch_associate_client_device_with_core_device(
        coreDeviceThingName=core,
        entries=[{"thingName": camera}, {"thingName": other}, {"thingName": "nobody"}])
    assert [(one["thingName"], one["code"]) for one in answer["errorEntries"]] \
        == [("nobody", "ResourceNotFoundException")]
    pages = greengrass.get_paginator("list_client_devices_associated_with_core_device").paginate(
        coreDeviceThingName=core, PaginationConfig={"PageSize": 1})
    assert [one["thingName"] for page in pages for one in page["associatedClientDevices"]] \
        == sorted([camera, other])

    endpoint = {"id": "lan", "hostAddress": "10.0.0.7", "portNumber": 8883, "metadata": ""}
    assert greengrass.update_connectivity_info(
        thingName=core, connectivityInfo=[endpoint])["version"] == "1"
    assert greengrass.get_connectivity_info(thingName=core)["connectivityInfo"] == [endpoint]

    status, body = device.https(path)
    assert status == 200, body
    found = json.loads(body)["GGGroups"]
    assert [one["GGGroupId"] for one in found] == [f"greengrassV2-coreDevice-{core}"]
    assert found[0]["Cores"] == [{
        "thingArn": f"{ROOT}thing/{core}",
        "Connectivity": [endpoint]}]
    assert found[0]["CAs"] == [Path(server.ca_file).read_text()]
    assert device.https(f"/greengrass/discover/thing/{other}")[0] == 403

    gone = greengrass.batch_disassociate_client_device_from_core_device(
        coreDeviceThingName=core, entries=[{"thingName": camera}])
    assert gone["errorEntries"] == []
    assert device.https(path)[0] == 404
    assert refusal(greengrass.list_client_devices_associated_with_core_device,
                   coreDeviceThingName="nobody")[:2] == (404, "ResourceNotFoundException")


def test_a_core_device_says_itself_where_it_is_reached(server, greengrass, fresh, tmp_path):
    core = fresh("core")
    device = server.device(core, tmp_path)
    path = f"/greengrass/things/{core}/connectivityInfo"
    endpoint = {"Id": "AUTOIP_1", "HostAddress": "10.0.0.8", "PortNumber": 8883, "Metadata": ""}
    status, body = device.https(path, "PUT", {"ConnectivityInfo": [endpoint]})
    assert (status, json.loads(body)) == (200, {"Version": "1"})
    assert greengrass.get_connectivity_info(thingName=core)["connectivityInfo"] == [
        {"id": "AUTOIP_1", "hostAddress": "10.0.0.8", "portNumber": 8883, "metadata": ""}]
    assert json.loads(device.https(path)[1])["ConnectivityInfo"] == [endpoint]
    assert device.https(path, "PUT", {})[0] == 400
    assert device.https("/greengrass/things/other/connectivityInfo")[0] == 403


def test_a_deprecated_version_says_why_and_is_not_deployed(greengrass, component, group):
    name, arn = component
    hall, _ = group(1)
    assert greengrass.describe_component(arn=arn)["status"]["componentState"] == "DEPLOYABLE"
    greengrass.tag_resource(resourceArn=arn, tags={"andon:deprecated": "leaks memory"})
    status = greengrass.describe_component(arn=arn)["status"]
    assert (status["componentState"], status["message"], status["vendorGuidance"]) \
        == ("DEPRECATED", "leaks memory", "DISCONTINUED")
    code, _, message = refusal(greengrass.create_deployment,
                               targetArn=f"{ROOT}thinggroup/{hall}",
                               components={name: {"componentVersion": "1.0.0"}})
    assert code == 400 and "leaks memory" in message
    greengrass.untag_resource(resourceArn=arn, tagKeys=["andon:deprecated"])
    deploy(greengrass, hall, name)


def test_a_component_whose_artifact_is_gone_is_failed(server, greengrass, fresh):
    s3 = server.aws("s3")
    bucket = fresh("bucket")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="w.bin", Body=f"only of {bucket}".encode())
    arn = greengrass.create_component_version(inlineRecipe=json.dumps(
        {"RecipeFormatVersion": "2020-01-25", "ComponentName": f"com.ex.{fresh('lost')}",
         "ComponentVersion": "1.0.0",
         "Manifests": [{"Platform": {"os": "linux"}, "Lifecycle": {"run": "true"},
                        "Artifacts": [{"URI": f"s3://{bucket}/w.bin"}]}]}).encode())["arn"]
    for file in (server.data / "objects").rglob("*"):
        if file.is_file() and file.read_bytes() == f"only of {bucket}".encode():
            file.unlink()
    status = greengrass.describe_component(arn=arn)["status"]
    assert status["componentState"] == "FAILED"
    assert "missing" in status["errors"]["w.bin"]


def test_the_account_has_one_service_role(greengrass):
    assert refusal(greengrass.get_service_role_for_account)[0] == 404
    assert refusal(greengrass.associate_service_role_to_account, roleArn="me")[0] == 400
    arn = "arn:aws:iam::000000000000:role/Greengrass_ServiceRole"
    assert greengrass.associate_service_role_to_account(roleArn=arn)["associatedAt"]
    assert greengrass.get_service_role_for_account()["roleArn"] == arn
    assert greengrass.disassociate_service_role_from_account()["disassociatedAt"]
    assert refusal(greengrass.get_service_role_for_account)[0] == 404


def test_who_may_see_devices_may_not_associate_them(limited, iot, fresh):
    client = limited("greengrassv2", ["greengrass:List*", "greengrass:Get*"], ["*"])
    core = fresh("core")
    iot.create_thing(thingName=core)
    assert client.list_client_devices_associated_with_core_device(
        coreDeviceThingName=core)["associatedClientDevices"] == []
    assert refusal(client.batch_associate_client_device_with_core_device,
                   coreDeviceThingName=core, entries=[{"thingName": "x"}])[:2] \
        == (403, "AccessDeniedException")
    assert refusal(client.update_connectivity_info, thingName=core, connectivityInfo=[])[0] == 403
