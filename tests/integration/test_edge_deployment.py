# SPDX-License-Identifier: Apache-2.0
"""The example's pipeline (examples/metal-tags/workflows) as it is shipped: an approval, and nothing
else, brings a model through QA to production; what goes wrong ends with its reason."""
import json
import re
import shutil
import subprocess

import botocore.exceptions
import pytest
from agent import Agent
from harness import ROOT, Server, program, wait_until
from pipeline import (ARN, EXAMPLE, GOLDEN_COMPONENT, GROUP, INSPECT_COMPONENT, MODEL,
                      MODEL_COMPONENT, Pipeline, measured_report, pictures)

OTHER_MODEL = ROOT / "tests" / "data" / "models" / "external"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The folder of the report and its pictures."""
    directory = tmp_path_factory.mktemp("report")
    measured_report(directory)
    return directory / "report"


@pytest.fixture(scope="module")
def report(measured):
    return json.loads((measured / "report.json").read_text())


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    """A server with the pipeline, a QA device and a production device that looks into a folder."""
    directory = tmp_path_factory.mktemp("plant")
    images = directory / "images"
    images.mkdir()
    with Server(directory / "data") as server:
        pipeline = Pipeline(server, {"ImageDirectory": str(images)})
        pipeline.images = images
        pipeline.join_qa("qa-1")
        with Agent(server, directory / "qa", "qa-1") as qa, \
                Agent(server, directory / "line", "line-1-camera-1") as line:
            pipeline.qa, pipeline.line = qa, line
            yield pipeline


def test_an_approval_brings_a_model_through_qa_to_production(plant, report):
    package = plant.register(report=report)
    assert not plant.executions()
    for name in pictures()[:3]:
        shutil.copy(EXAMPLE / "images" / name, plant.images)
    plant.approve(package)
    # Not one call more.
    execution = wait_until(plant.executions, "the execution")[0]["executionArn"]
    told = plant.outcome(execution)
    assert told["status"] == "SUCCEEDED", told
    output = json.loads(told["output"])
    assert (output["ModelPackageArn"], output["Version"]) == (package, "1.0.0")
    found = wait_until(lambda: len(r := plant.server.results("thing=line-1-camera-1")) >= 3 and r,
                       "production's results", 60)
    assert sorted(result["image"] for result in found) == pictures()[:3]
    assert {result["modelVersion"] for result in found} == {"1.0.0"}

    on_qa = plant.server.results("thing=qa-1")
    assert len(on_qa) == len(pictures())
    lineage = plant.lineage(package)
    assert lineage["qa.verdict"] == "passed", lineage
    assert lineage["qa.pictures"] == str(len(pictures()))
    assert lineage["qa.component"] == f"{MODEL_COMPONENT} 1.0.0"
    assert lineage["shipped.deployment"] == output["DeploymentId"]
    for name in ("precision", "recall"):
        promised = report["atConfidence"][name]
        assert float(lineage[f"qa.promised-{name}"]) == pytest.approx(promised, abs=1e-4)
        assert float(lineage[f"qa.{name}"]) == pytest.approx(promised, abs=0.02)
    states = plant.states_of(execution)
    assert states.index("RecordVerdict") < states.index("DeployToProduction")


def test_the_next_approval_moves_the_model_alone(plant, report):
    before = plant.versions()
    assert before, "a model was shipped before"
    told = plant.outcome(plant.ship(plant.register(report=report)))
    assert told["status"] == "SUCCEEDED", told
    version = json.loads(told["output"])["Version"]
    assert version not in before and version == plant.versions()[0]
    plant.line.wait_for(INSPECT_COMPONENT, "1.0.0")
    sent = plant.aws("greengrassv2").get_deployment(
        deploymentId=json.loads(told["output"])["DeploymentId"])["components"]
    assert sent == {MODEL_COMPONENT: {"componentVersion": version},
                    INSPECT_COMPONENT: {"componentVersion": "1.0.0"}}
    # The device still looks where it was told to look, by nobody but the first deployment.
    shutil.copy(EXAMPLE / "images" / pictures()[5], plant.images)
    wait_until(lambda: [r for r in plant.server.results("thing=line-1-camera-1")
                        if r["image"] == pictures()[5] and r["modelVersion"] == version],
               "a result of the new model", 60)
    assert GOLDEN_COMPONENT not in plant.line.components()


def test_a_model_that_is_not_approved_is_not_shipped(plant):
    package = plant.register()
    error, cause = plant.failure(plant.start(package))
    assert (error, cause) == (
        "Model.NotApproved", f"{package} is PendingManualApproval: only an approved model is shipped")


def test_a_model_that_does_not_keep_its_reports_promise_stays_in_qa(plant, report):
    """The report of a good model beside another one's file."""
    files = {path.name: path.read_bytes() for path in OTHER_MODEL.iterdir()}
    files["model.onnx"] = files.pop("m.onnx")
    package = plant.register(files, report=report)
    before = plant.deployments("thing/line-1-camera-1")
    error, cause = plant.failure(plant.ship(package))
    assert error == "Qa.Failed", cause
    assert "recall on qa-1 is 0.000, the report promises" in cause
    lineage = plant.lineage(package)
    assert lineage["qa.verdict"] == "failed" and lineage["qa.reason"] in cause
    assert float(lineage["qa.recall"]) == 0
    assert plant.deployments("thing/line-1-camera-1") == before


def test_a_file_that_is_no_model_fails_on_the_qa_device_with_the_devices_own_reason(plant):
    package = plant.register({"model.onnx": b"this is not a model"})
    # The server knows better, and says so: who approves it all the same says why.
    with pytest.raises(botocore.exceptions.ClientError, match="the model cannot be opened"):
        plant.approve(package)
    error, cause = plant.failure(plant.ship(package, ApprovalDescription="a test of the QA device"))
    assert error == "Qa.Failed", cause
    assert "qa-1: FAILED (" in cause and "com.example.MetalTags" in cause, cause
    assert plant.lineage(package)["qa.verdict"] == "failed"


def test_two_approvals_at_once_get_in_each_others_way_with_a_reason_or_not_at_all(plant, report):
    packages = [plant.register(report=report) for _ in range(2)]
    for package in packages:
        plant.approve(package)
    ends = [plant.outcome(plant.ship(package)) for package in packages]
    done = [json.loads(told["output"])["Version"] for told in ends if told["status"] == "SUCCEEDED"]
    assert done, ends
    assert len(set(done)) == len(done)
    for told in ends:
        assert told["status"] == "SUCCEEDED" or "is INACTIVE: " in told["cause"], told
    plant.line.wait_for(INSPECT_COMPONENT, "1.0.0")
    newest = plant.deployments("thing/line-1-camera-1")[0]
    assert newest["deploymentStatus"] == "COMPLETED"
    sent = plant.aws("greengrassv2").get_deployment(deploymentId=newest["deploymentId"])
    assert sent["components"][MODEL_COMPONENT]["componentVersion"] in done


def test_an_input_that_names_no_model_is_said(plant):
    execution = plant.aws("stepfunctions").start_execution(
        stateMachineArn=plant.machine, input='{"Model": 1}')["executionArn"]
    assert plant.failure(execution)[0] == "Model.NotNamed"


@pytest.fixture(scope="module")
def silent_plant(tmp_path_factory):
    """Its devices are known and have never been switched on."""
    with Server(tmp_path_factory.mktemp("silent") / "data") as server:
        pipeline = Pipeline(server, {"QaSeconds": "3", "ProductionSeconds": "3"})
        server.aws("iot").create_thing(thingName="line-1-camera-1")
        yield pipeline


def test_nothing_is_shipped_where_there_is_no_device_to_try_it(silent_plant):
    error, cause = silent_plant.failure(silent_plant.ship(silent_plant.register()))
    assert error == "Qa.NoDevice" and "group qa" in cause


def test_a_qa_device_that_never_answers_ends_it_with_that_reason(silent_plant):
    silent_plant.join_qa("qa-silent")
    package = silent_plant.register()
    error, cause = silent_plant.failure(silent_plant.ship(package))
    assert error == "Qa.Failed", cause
    assert "the QA devices were not done within 3 s: qa-silent: " in cause
    assert silent_plant.lineage(package)["qa.verdict"] == "failed"
    # Switched on later it gets nothing that nobody would judge.
    last = silent_plant.deployments("thinggroup/qa")[0]
    assert last["deploymentStatus"] == "CANCELED"
    assert not silent_plant.deployments("thing/line-1-camera-1")


def test_a_production_device_that_never_answers_ends_it_with_that_reason(tmp_path):
    with Server(tmp_path / "data") as server:
        pipeline = Pipeline(server, {"ProductionSeconds": "3"})
        server.aws("iot").create_thing(thingName="line-1-camera-1")
        pipeline.join_qa("qa-1")
        with Agent(server, tmp_path / "qa", "qa-1"):
            package = pipeline.register(MODEL)
            error, cause = pipeline.failure(pipeline.ship(package))
        assert error == "Production.NoAnswer", cause
        assert "was not done within 3 s and is canceled: line-1-camera-1 " in cause
        assert pipeline.lineage(package)["qa.verdict"] == "passed"
        assert pipeline.deployments("thing/line-1-camera-1")[0]["deploymentStatus"] == "CANCELED"


def test_what_was_noted_of_a_model_is_shown(plant, measured, report):
    def andon(*arguments):
        return subprocess.run([program("andon"), "model", *arguments, "--data", plant.server.data],
                              check=True, capture_output=True, text=True, timeout=60).stdout
    name = andon("register", MODEL, "--name", GROUP, "--report", measured / "report.json").strip()
    package = ARN.format("sagemaker", f"model-package/{GROUP}/{name.partition('@')[2]}")
    told = plant.outcome(plant.ship(package))
    assert told["status"] == "SUCCEEDED", told
    shown = andon("show", name)
    assert re.search(r"^  qa.verdict +passed$", shown, re.M), shown
    assert re.search(rf"^  qa.promised-recall +{report['atConfidence']['recall']:.4f}$", shown, re.M)
    assert re.search(r"^  shipped.thing +line-1-camera-1$", shown, re.M)
