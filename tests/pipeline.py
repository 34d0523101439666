# SPDX-License-Identifier: Apache-2.0
"""The example's pipeline on a real server: what it is made of, the devices that it ships to, and its
executions."""
import io
import json
import os
import subprocess
import zipfile
from pathlib import Path

from harness import ROOT, program, wait_until

EXAMPLE = ROOT / "examples" / "metal-tags"
WORKFLOWS = EXAMPLE / "workflows"
MODEL = EXAMPLE / "model" / "model.onnx"
GROUP = "metal-tags"
MODEL_COMPONENT = "com.example.MetalTags.Model"
INSPECT_COMPONENT = "com.example.MetalTags.Inspect"
GOLDEN_COMPONENT = "com.example.MetalTags.Golden"
LIMIT_S = 120
ARN = "arn:aws:{}:us-east-1:000000000000:{}"


def golden_archive():
    """golden.zip: the pictures, and the truth about them."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.write(EXAMPLE / "annotations.json", "annotations.json")
        for picture in sorted((EXAMPLE / "images").glob("*.jpg")):
            writer.write(picture, f"images/{picture.name}")
    return archive.getvalue()


def pictures():
    return sorted(path.name for path in (EXAMPLE / "images").glob("*.jpg"))


class Pipeline:
    """One server's edge deployment."""

    def __init__(self, server, parameters=None):
        self.server = server
        self.parameters = parameters or {}
        self.set_up()

    def aws(self, service):
        return self.server.aws(service)

    def set_up(self):
        self.put_component(INSPECT_COMPONENT, "andon-inspect",
                           Path(program("andon-inspect")).read_bytes())
        self.put_component(GOLDEN_COMPONENT, "golden.zip", golden_archive())
        self.apply()

    def put_component(self, name, file, content):
        s3 = self.aws("s3")
        if "andon-components" not in [b["Name"] for b in s3.list_buckets()["Buckets"]]:
            s3.create_bucket(Bucket="andon-components")
        s3.put_object(Bucket="andon-components", Key=f"{name}/1.0.0/{file}", Body=content)
        self.aws("greengrassv2").create_component_version(
            inlineRecipe=(EXAMPLE / "recipes" / f"{name}.yaml").read_bytes())

    def apply(self):
        """As an operator does; what is given beside goes before the template's own values."""
        parameters = {"PollSeconds": "1", **self.parameters}
        options = [word for name, value in parameters.items()
                   for word in ("--parameter", f"{name}={value}")]
        ended = subprocess.run(
            [program("andon"), "apply", "-f", WORKFLOWS / "template.yaml", "--stack",
             "edge-deployment", "--data", self.server.data, "--json", *options],
            capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert ended.returncode == 0, ended.stderr
        self.machine = json.loads(ended.stdout)["stacks"][0]["outputs"]["StateMachineArn"]

    # Models.

    def register(self, model=MODEL, report=None, approval="PendingManualApproval"):
        """The ARN of a package of these files; `report` is what is promised of it."""
        s3 = self.aws("s3")
        if "andon-models" not in [b["Name"] for b in s3.list_buckets()["Buckets"]]:
            s3.create_bucket(Bucket="andon-models")
        folder = f"{GROUP}/{os.urandom(8).hex()}/"
        files = {"model.onnx": model.read_bytes()} if isinstance(model, Path) else model
        for name, content in files.items():
            s3.put_object(Bucket="andon-models", Key=folder + name, Body=content)
        more = {}
        if report is not None:
            key = f"reports/{os.urandom(8).hex()}.json"
            s3.put_object(Bucket="andon-models", Key=key, Body=json.dumps(report))
            more["ModelMetrics"] = {"ModelQuality": {"Statistics": {
                "ContentType": "application/json", "S3Uri": f"s3://andon-models/{key}"}}}
        return self.aws("sagemaker").create_model_package(
            ModelPackageGroupName=GROUP, ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [{"Image": "andon-inspect", "ModelDataSource": {"S3DataSource": {
                    "S3Uri": f"s3://andon-models/{folder}", "S3DataType": "S3Prefix",
                    "CompressionType": "None"}}}],
                "SupportedContentTypes": ["image/jpeg"],
                "SupportedResponseMIMETypes": ["application/json"]}, **more)["ModelPackageArn"]

    def approve(self, package, **more):
        self.aws("sagemaker").update_model_package(
            ModelPackageArn=package, ModelApprovalStatus="Approved", **more)

    def lineage(self, package):
        return self.aws("sagemaker").describe_model_package(
            ModelPackageName=package).get("CustomerMetadataProperties", {})

    # Devices.

    def join_qa(self, thing):
        iot = self.aws("iot")
        iot.create_thing(thingName=thing)
        iot.add_thing_to_thing_group(thingName=thing, thingGroupName="qa")

    # Executions.

    def executions(self):
        return self.aws("stepfunctions").list_executions(
            stateMachineArn=self.machine)["executions"]

    def ship(self, package, **more):
        """Approves it; the execution that follows from that."""
        self.approve(package, **more)
        states = self.aws("stepfunctions")
        return wait_until(
            lambda: next((one["executionArn"] for one in self.executions() if package in
                          states.describe_execution(executionArn=one["executionArn"])["input"]),
                         None), "the execution of the approval", 60)

    def start(self, package):
        return self.aws("stepfunctions").start_execution(
            stateMachineArn=self.machine,
            input=json.dumps({"ModelPackageArn": package}))["executionArn"]

    def states_of(self, execution):
        """The states in the order in which they were entered."""
        return [e["stateEnteredEventDetails"]["name"] for e in self.history(execution)
                if "stateEnteredEventDetails" in e]

    def history(self, execution):
        pages = self.aws("stepfunctions").get_paginator("get_execution_history").paginate(
            executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def outcome(self, execution, limit_s=LIMIT_S):
        """The execution, described, when it is over."""
        states = self.aws("stepfunctions")

        def ended():
            told = states.describe_execution(executionArn=execution)
            return told if told["status"] != "RUNNING" else None
        try:
            return wait_until(ended, "the end of the execution", limit_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is at {self.states_of(execution)[-5:]}") from error

    def failure(self, execution, limit_s=LIMIT_S):
        """(error, cause) of one that must fail."""
        told = self.outcome(execution, limit_s)
        assert told["status"] == "FAILED", told
        return told["error"], told.get("cause", "")

    def deployments(self, target):
        found = self.aws("greengrassv2").list_deployments(
            targetArn=ARN.format("iot", target), historyFilter="ALL")
        return found["deployments"]

    def versions(self):
        found = self.aws("greengrassv2").list_component_versions(
            arn=ARN.format("greengrass", f"components:{MODEL_COMPONENT}"))
        return [one["componentVersion"] for one in found["componentVersions"]]


def measured_report(tmp_path, model=MODEL):
    """What `andon model eval` says of the model on the golden pictures."""
    subprocess.run([program("andon"), "model", "eval", model, "--images", EXAMPLE / "images",
                    "--labels", EXAMPLE / "annotations.json", "--report", tmp_path / "report"],
                   check=True, capture_output=True, timeout=LIMIT_S)
    return json.loads((tmp_path / "report" / "report.json").read_text())

