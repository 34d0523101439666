# SPDX-License-Identifier: Apache-2.0
"""CodePipeline's Source, Build and StepFunctions stages of the template, started by a script."""
import io
import zipfile

import pytest
from agent import Fleet
from harness import wait_until
from migrated_line import CAMERA, LIMIT_S, LINE, MODEL


def put_source(line, files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as writer:
        for name, text in files.items():
            writer.writestr(name, text)
    line.aws("s3").put_object(Bucket=line.bucket, Key="source/source.zip", Body=out.getvalue())


def run(line):
    client = line.aws("codepipeline")
    execution = client.start_pipeline_execution(name="line")["pipelineExecutionId"]
    return wait_until(
        lambda: (told := client.get_pipeline_execution(
            pipelineName="line", pipelineExecutionId=execution)["pipelineExecution"])["status"] not in
        ("InProgress", "Stopping") and told, "the pipeline", LIMIT_S)


def test_a_source_that_does_not_build_ships_nothing(line, camera):
    before = camera.components()
    put_source(line, {"main.py": "def broken(:\n"})
    assert run(line)["status"] == "Failed"
    assert camera.components() == before


def test_a_good_source_is_built_and_the_machine_of_the_last_stage_ships(line, camera):
    before = camera.components()[MODEL]
    put_source(line, {"main.py": (LINE / "inference" / "main.py").read_text()})
    told = run(line)
    assert told["status"] == "Succeeded", told
    assert camera.components()[MODEL] != before
    stages = {one["stageName"]: one["actionStates"][0]["latestExecution"]["status"]
              for one in line.aws("codepipeline").get_pipeline_state(name="line")["stageStates"]}
    assert stages == {"Source": "Succeeded", "Build": "Succeeded", "Ship": "Succeeded"}


def test_a_camera_that_is_not_well_ends_the_machine_so(line, camera):
    component = "com.line.Flaky"
    Fleet(line.server).component(component, "1.0.0", {
        "run": "until [ -e fails ]; do sleep 0.1; done; exit 1"})
    before = line.deployed()
    told = line.device_says(line.deploy({**before, component: {"componentVersion": "1.0.0"}}))
    assert told["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), told
    (camera.root / "work" / component / "fails").touch()
    greengrass = line.aws("greengrassv2")
    wait_until(lambda: greengrass.get_core_device(coreDeviceThingName=CAMERA)["status"] == "UNHEALTHY",
               "the camera's word", LIMIT_S)
    looks = line.machine_like("line-looks", ["GetCamera", "IsHealthy", "Unhealthy", "Shipped"])
    told = line.outcome(line.start(looks))
    assert (told["status"], told["error"]) == ("FAILED", "Unhealthy"), told
    line.aws("stepfunctions").delete_state_machine(stateMachineArn=looks)
    line.device_says(line.deploy(before))
    wait_until(lambda: greengrass.get_core_device(coreDeviceThingName=CAMERA)["status"] == "HEALTHY",
               "the camera being well again", LIMIT_S)


@pytest.fixture(autouse=True)
def _the_road_so_far(line, camera):
    """By itself this file registers what the files before it do."""
    models = line.aws("sagemaker").list_model_packages(ModelPackageGroupName="line-models")
    if not models["ModelPackageSummaryList"]:
        line.outcome(wait_until(lambda: (line.register(line.put_model(), "Approved"),
                                         line.executions())[1], "the execution")[0])
