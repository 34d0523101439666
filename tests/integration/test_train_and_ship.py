# SPDX-License-Identifier: Apache-2.0
"""examples/metal-tags/workflows/training.template.yaml on a real server, as andon apply makes it: jobs
that run, a bare repository, evaluation and optimisation by andon with the example's model. In the
trainer's place is a command that takes the model out of the commit."""
import datetime
import hashlib
import json
import os
import tempfile
from pathlib import Path

import pytest

from harness import Server, program, wait_until
from training import (EXAMPLE, ROLE, SECRET, Repository, andon, apply, data_set, describe, entered,
                      forgetful, history, push, state_machine, wait_for_end)

GROUP = "metal-tags"
MODEL = (EXAMPLE / "model" / "model.onnx").read_bytes()
PARTS = {"train": (0, 4), "val": (4, 2), "test": (6, 6)}
TRAIN = 'cp model.onnx "$SM_MODEL_DIR/model.onnx"; test -e "$SM_CHANNEL_TRAINING/annotations.json"'


def runtime():
    return os.environ.get("ONNXRUNTIME_ROOT", "")


class Line:
    """A server with a repository, a data set, and the machines of the pipeline."""

    def __init__(self, directory, **values):
        self.repository = Repository(directory)
        shown = [directory / "line.git", os.path.dirname(program("andon"))]
        shown += [runtime()] if runtime() else []
        self.server = Server(directory / "data", *(x for one in shown for x in ("--job-path", one)))
        self.values = {"BucketName": "line", "Prefix": "runs/", "ModelPackageGroup": GROUP,
                       "Repository": self.repository.path, "Branch": "main",
                       "DataSet": "data.tar", "TrainCommand": TRAIN, "Trainer": "",
                       "Andon": program("andon"), "OnnxRuntime": runtime(), "MinMap": "0.3",
                       "MaxMapDrop": "0.1", "Approval": "rule",
                       "EdgeDeployment": "edge-deployment", **values}

    def __enter__(self):
        self.server.start()
        s3 = self.server.aws("s3")
        s3.create_bucket(Bucket="line")
        self.data = data_set(PARTS)
        s3.put_object(Bucket="line", Key="data.tar", Body=self.data)
        self.server.aws("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
        # In the place of the deployment to devices: what it was asked for is its output.
        self.server.aws("stepfunctions").create_state_machine(
            name="edge-deployment", roleArn=ROLE, definition=json.dumps({
                "StartAt": "Ship", "States": {"Ship": {"Type": "Pass", "End": True}}}))
        self.change()
        return self

    def __exit__(self, *_):
        # With the jobs that still run: they would outlive one that is killed.
        if self.server.process.poll() is None:
            self.server.stop()

    def change(self, **values):
        apply(self.server, "training", "training.template.yaml", {**self.values, **values})

    def start(self, name, **given):
        return self.server.aws("stepfunctions").start_execution(
            stateMachineArn=state_machine("train-and-ship"), name=name,
            input=json.dumps(given))["executionArn"]

    def packages(self):
        found = self.server.aws("sagemaker").list_model_packages(
            ModelPackageGroupName=GROUP, MaxResults=100)["ModelPackageSummaryList"]
        return {p["ModelPackageVersion"]: p["ModelApprovalStatus"] for p in found}

    def package(self, version):
        return self.server.aws("sagemaker").describe_model_package(
            ModelPackageName="arn:aws:sagemaker:us-east-1:000000000000:model-package/"
                             f"{GROUP}/{version}")

    def wait_for_question(self, version):
        """Until the execution waits for a person."""
        return wait_until(
            lambda: version in self.packages() and "TaskToken0" in (
                p := self.package(version))["CustomerMetadataProperties"] and p,
            "the question", 300)

    def shipped(self):
        """The inputs of all deployments that were started."""
        states = self.server.aws("stepfunctions")
        return [json.loads(describe(self.server, one["executionArn"])["input"])["ModelPackageArn"]
                for one in states.list_executions(
                    stateMachineArn=state_machine("edge-deployment"))["executions"]]

    def digest(self, url):
        bucket, _, key = url.removeprefix("s3://").partition("/")
        body = self.server.aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return hashlib.sha256(body).hexdigest()


@pytest.fixture(name="line")
def fixture_line():
    # Jobs have a /tmp of their own: what they are to see of a test cannot lie in pytest's.
    with tempfile.TemporaryDirectory(prefix="andon-", dir="/var/tmp") as directory:
        with Line(Path(directory)) as line:
            yield line


def jobs(server, arn):
    """How often the job of each state was begun."""
    found, state = {}, {}
    for event in history(server, arn):
        if event["type"].endswith("StateEntered"):
            state[event["id"]] = event["stateEnteredEventDetails"]["name"]
        elif event["previousEventId"] in state:
            state[event["id"]] = state[event["previousEventId"]]
        if event["type"] == "TaskSubmitted" and \
                event["taskSubmittedEventDetails"]["resourceType"] == "job":
            name = state[event["id"]]
            found[name] = found.get(name, 0) + 1
    return found


def test_a_good_model_is_registered_with_its_lineage_made_small_approved_by_rule_and_shipped(line):
    commit = line.repository.commit({"model.onnx": MODEL})
    told = wait_for_end(line.server, line.start("first", Reason="nightly"))
    assert told["status"] == "SUCCEEDED", told
    output = json.loads(told["output"])
    assert output["Commit"] == commit and output["MAP"] > 0.3 and output["Champion"] is None
    assert line.packages() == {1: "Approved"}
    assert line.shipped() == [output["ModelPackageArn"]]

    package = line.package(1)
    assert package["ApprovalDescription"].startswith("by rule: mAP50-95 0.")
    assert package["MetadataProperties"] == {
        "CommitId": commit, "Repository": str(line.repository.path),
        "GeneratedBy": told["executionArn"]}
    kept = package["CustomerMetadataProperties"]
    assert kept["DataSetSha256"] == hashlib.sha256(line.data).hexdigest()
    assert kept["DataSetPictures"] == "4 + 2 + 6"
    assert kept["ParentModelSha256"] == hashlib.sha256(MODEL).hexdigest()
    for name in ("DataSet", "ParentModel", "OptimisationReport"):
        assert line.digest(kept[name]) == kept[f"{name}Sha256"]
    report = package["ModelMetrics"]["ModelQuality"]["Statistics"]
    assert report["ContentDigest"] == "sha256:" + line.digest(report["S3Uri"])
    ships = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert ships == output["Model"] and line.digest(ships) == kept["ModelSha256"]
    assert kept["ModelSha256"] != kept["ParentModelSha256"]
    assert kept["Deployment"] == output["Deployment"]

    shown = andon(line.server, "model", "show", f"{GROUP}@1").stdout
    for text in (commit, kept["DataSetSha256"], kept["ParentModelSha256"], report["S3Uri"],
                 kept["OptimisationReport"]):
        assert text in shown, shown
    as_json = json.loads(andon(line.server, "model", "show", f"{GROUP}@1", "--json").stdout)
    assert as_json["CustomerMetadataProperties"] == kept

    # The next one, as good, has it for its champion.
    told = wait_for_end(line.server, line.start("second", Commit=commit))
    assert told["status"] == "SUCCEEDED", told
    assert json.loads(told["output"])["Champion"] == output["ModelPackageArn"]


def test_what_is_not_good_enough_is_not_registered_and_says_why(line):
    good = line.repository.commit({"model.onnx": MODEL})
    line.repository.commit({"model.onnx": forgetful(MODEL)})
    told = wait_for_end(line.server, line.start("bad"))
    assert told["error"] == "Pipeline.BelowThreshold", told
    assert "mAP50-95 is 0.0000, and 0.3 is asked for" in told["cause"]
    assert "s3://line/runs/bad/trained/report.json" in told["cause"]
    assert line.packages() == {}
    # Above the threshold, and below the champion.
    assert wait_for_end(line.server, line.start("good", Commit=good))["status"] == "SUCCEEDED"
    line.change(MinMap="0")
    told = wait_for_end(line.server, line.start("worse"))
    assert told["error"] == "Pipeline.BelowChampion", told
    assert f"the champion {line.package(1)['ModelPackageArn']} has 0." in told["cause"]
    assert line.packages() == {1: "Approved"} and len(line.shipped()) == 1


def test_a_gate_that_does_not_hold_rejects_the_package_with_its_reason(line):
    line.repository.commit({"model.onnx": forgetful(MODEL)})
    line.change(MinMap="0")
    told = wait_for_end(line.server, line.start("gate"))
    assert told["error"] == "Pipeline.GateFailed", told
    assert "the gate of the optimisation does not hold: " in told["cause"]
    assert line.packages() == {1: "Rejected"} and line.shipped() == []
    assert line.package(1)["ApprovalDescription"] == told["cause"]
    report = told["cause"].rpartition("report s3://line/")[2]
    assert json.loads(line.server.aws("s3").get_object(Bucket="line", Key=report)["Body"].read())[
        "gate"]["held"] is False


@pytest.mark.parametrize("files, command, error, said", [
    ({"model.onnx": MODEL}, "echo no luck >&2; exit 3", "Job.Failed", "no luck"),
    ({"readme": "empty"}, "true", "Job.InvalidOutput", "model/model.onnx"),
])
def test_a_training_that_fails_says_why(line, files, command, error, said):
    line.repository.commit(files)
    told = wait_for_end(line.server, line.start("fails", TrainCommand=command))
    assert told["error"] == error and said in told["cause"], told
    assert line.packages() == {}


def test_a_commit_or_a_data_set_that_is_wrong_ends_it_before_training(line):
    line.repository.commit({"model.onnx": MODEL})
    told = wait_for_end(line.server, line.start("commit", Commit="no-such-branch"))
    assert "there is no commit 'no-such-branch'" in told["cause"], told
    broken = data_set({**PARTS, "test": (6, 0)})
    line.server.aws("s3").put_object(Bucket="line", Key="empty.tar", Body=broken)
    told = wait_for_end(line.server, line.start("data", DataSet="empty.tar"))
    assert "test" in told["cause"] and "CheckDataSet" == entered(
        line.server, told["executionArn"])[-1], told
    assert line.packages() == {}


def test_a_push_and_the_schedule_start_it(line):
    commit = line.repository.commit({"model.onnx": MODEL})
    assert line.server.call("PUT", "/andon/v1/webhooks/training", {"secret": SECRET})[0] == 200
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=20)
    line.change(ScheduleState="ENABLED", Schedule=f"at({soon:%Y-%m-%dT%H:%M:%S})")
    assert push(line.server, "training", "1" * 40, "refs/heads/other") == 202
    assert push(line.server, "training", commit) == 202

    def started():
        states = line.server.aws("stepfunctions")
        found = [json.loads(describe(line.server, one["executionArn"])["input"])
                 for one in states.list_executions(
                     stateMachineArn=state_machine("train-and-ship"))["executions"]]
        return len(found) == 2 and sorted(found, key=lambda given: given["Reason"])
    assert wait_until(started, "both executions", 90) == [
        {"Commit": commit, "Reason": "a commit was pushed"}, {"Reason": "scheduled"}]


@pytest.mark.parametrize("who", ["command line", "boto3"])
def test_a_person_decides_and_the_waiting_execution_goes_on(line, who):
    line.repository.commit({"model.onnx": MODEL})
    line.change(Approval="person")
    arn = line.start("asked")
    package = line.wait_for_question(1)
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert "waits for a decision" in andon(line.server, "model", "show", f"{GROUP}@1").stderr
    assert describe(line.server, arn)["status"] == "RUNNING" and line.shipped() == []
    if who == "boto3":
        line.server.aws("sagemaker").update_model_package(
            ModelPackageArn=package["ModelPackageArn"], ModelApprovalStatus="Approved",
            ApprovalDescription="looked at it")
    else:
        said = andon(line.server, "model", "approve", f"{GROUP}@1", "--reason", "looked at it")
        assert arn in said.stderr
    told = wait_for_end(line.server, arn)
    assert told["status"] == "SUCCEEDED", told
    assert line.shipped() == [package["ModelPackageArn"]]
    package = line.package(1)
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["ApprovalDescription"] == "looked at it"
    assert not [name for name in package["CustomerMetadataProperties"] if "Token" in name]

    # The next one is rejected.
    arn = line.start("refused")
    package = line.wait_for_question(2)
    if who == "boto3":
        line.server.aws("sagemaker").update_model_package(
            ModelPackageArn=package["ModelPackageArn"], ModelApprovalStatus="Rejected",
            ApprovalDescription="too many false alarms")
    else:
        andon(line.server, "model", "reject", f"{GROUP}@2", "--reason", "too many false alarms")
    told = wait_for_end(line.server, arn)
    assert told["error"] == "Pipeline.Rejected", told
    assert told["cause"].endswith("/2 was rejected: too many false alarms")
    assert line.packages() == {1: "Approved", 2: "Rejected"} and len(line.shipped()) == 1


def test_a_server_killed_at_each_step_completes_and_does_nothing_twice(line):
    line.repository.commit({"model.onnx": MODEL})
    line.change(Approval="person")
    arn = line.start("killed")
    killed = set()
    while describe(line.server, arn)["status"] == "RUNNING":
        new = [state for state in entered(line.server, arn) if state not in killed]
        if not new:
            continue
        killed.update(new)
        line.server.kill()
        line.server.start()
        if "WaitForApproval" in new:
            line.wait_for_question(1)
            andon(line.server, "model", "approve", f"{GROUP}@1")
            line.server.kill()
            line.server.start()
    told = describe(line.server, arn)
    assert told["status"] == "SUCCEEDED", told
    assert {"Checkout", "CheckDataSet", "Train", "Measure", "Register", "Optimise",
            "WaitForApproval", "Ship"} <= set(entered(line.server, arn))
    assert jobs(line.server, arn) == {"Checkout": 1, "CheckDataSet": 1, "Train": 1, "Measure": 1,
                                      "Optimise": 1}
    assert line.packages() == {1: "Approved"}
    assert line.shipped() == [line.package(1)["ModelPackageArn"]]
