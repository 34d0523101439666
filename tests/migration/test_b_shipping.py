# SPDX-License-Identifier: Apache-2.0
"""The state machine as AWS users write it: started by hand and by an approval, and all the ways in
which it ends."""
import json

import pytest
from harness import wait_until
from migrated_line import CAMERA, LIMIT_S, MODEL, arn


@pytest.fixture(scope="module", name="package")
def fixture_package(line):
    return line.register(line.put_model())


def test_a_model_that_nobody_has_approved_ends_without_an_error_name(line, package):
    told = line.outcome(line.start(ModelPackageArn=package))
    assert told["status"] == "FAILED" and "error" not in told, told
    assert told["cause"] == "the model is not approved"


def test_a_device_that_is_not_there_is_said_by_its_state(line, package):
    before = set(line.executions())
    line.approve(package)
    [first] = wait_until(lambda: set(line.executions()) - before, "the execution that follows from the approval")
    told = line.outcome(first)
    assert (told["status"], told.get("error")) == ("FAILED", "NoCamera"), told


def test_the_approval_ships_the_model_to_the_camera(line, camera, package):
    before = set(line.executions())
    sagemaker = line.aws("sagemaker")
    for status in ("Rejected", "Approved"):
        sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus=status)
    [execution] = wait_until(lambda: set(line.executions()) - before, "the execution")
    told = line.outcome(execution)
    assert told["status"] == "SUCCEEDED", (told, line.path(execution))
    output = json.loads(told["output"])
    assert output["Model"]["Boto3"] == "1.26.165" and output["Next"]["Version"] == "1.0.0"
    assert camera.components()[MODEL] == ("1.0.0", "FINISHED")
    unpacked = camera.root / "packages" / "artifacts-unarchived" / MODEL / "1.0.0" / "model.onnx"
    assert unpacked.stat().st_size > 3_000_000
    installed = line.aws("greengrassv2").list_installed_components(coreDeviceThingName=CAMERA)
    assert MODEL in [one["componentName"] for one in installed["installedComponents"]]


def test_the_recipe_that_the_machine_gave_as_an_object_is_the_components(line, camera):
    greengrass = line.aws("greengrassv2")
    answer = greengrass.get_component(
        arn=arn("greengrass", f"components:{MODEL}:versions:1.0.0"), recipeOutputFormat="JSON")
    recipe = json.loads(answer["recipe"])
    [manifest] = recipe["Manifests"]
    assert answer["tags"] == {"model": "line-models"} and recipe["ComponentOrigin"] == "training"
    assert "tar xzf" in manifest["Lifecycle"]["Install"]["Script"]
    # It is given back as it was written; what devices are served has the digests.
    assert "Digest" not in manifest["Artifacts"][0]


def test_a_version_that_is_there_already_ends_without_error_and_cause(line, camera, package):
    told = line.outcome(line.start(ModelPackageArn=package, Version="1.0.0"))
    assert told["status"] == "FAILED" and "error" not in told and "cause" not in told, told


def test_an_exception_of_a_function_is_the_error_of_the_execution(line, camera, package):
    execution = line.start(ModelPackageArn=package, Version="0.9.0")
    told = line.outcome(execution)
    assert (told["status"], told["error"]) == ("FAILED", "Older"), told
    assert "is newer than 0.9.0" in json.loads(told["cause"])["errorMessage"]
    assert line.path(execution).count("Compose") == 1


def test_a_cancelled_deployment_and_a_deadline_of_the_whole_end_it(line, camera, package):
    camera.kill()
    try:
        execution = line.start(ModelPackageArn=package)
        wait_until(lambda: "GetDeployment" in line.path(execution), "the deployment", LIMIT_S)
        greengrass = line.aws("greengrassv2")
        target = arn("iot", f"thing/{CAMERA}")
        [latest] = greengrass.list_deployments(targetArn=target)["deployments"]
        greengrass.cancel_deployment(deploymentId=latest["deploymentId"])
        told = line.outcome(execution)
        assert (told["status"], told["error"]) == ("FAILED", "Canceled"), told

        hurried = line.machine_like("line-hurried", TimeoutSeconds=15)
        told = line.outcome(line.start(hurried, ModelPackageArn=package))
        assert told["status"] == "TIMED_OUT", told
        [latest] = greengrass.list_deployments(targetArn=target)["deployments"]
        greengrass.cancel_deployment(deploymentId=latest["deploymentId"])
        line.aws("stepfunctions").delete_state_machine(stateMachineArn=hurried)
    finally:
        camera.start()
