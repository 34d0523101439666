# SPDX-License-Identifier: Apache-2.0
"""An inspection line as people build it on AWS (line/: CDK, functions, state machines, a Greengrass
component, SageMaker's SDK), brought to one andon-server: what its scripts would do, a function each."""
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import boto3

from harness import ROOT, Server, program, wait_until
from plain_debian import DebianAgent

HERE = Path(__file__).resolve().parent
LINE = HERE / "line"
EXAMPLE = ROOT / "examples" / "metal-tags"
ACCOUNT, REGION, CAMERA = "000000000000", "us-east-1", "line-camera"
MODEL, INFERENCE = "com.line.Model", "com.line.Inference"
LIMIT_S = 240

IMAGES = f"""
images:
  - image: "*/line/training:*"
    command: [{sys.base_prefix}/bin/python3]
"""


def arn(service, resource):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def synthesised(directory):
    """A copy of what `cdk synth` wrote. The program behind CDK's own custom resource is not kept with
    it: it is none of the line's, and is not run here."""
    out = directory / "cdk.out"
    shutil.copytree(LINE / "cdk.out", out)
    for manifest in out.glob("*.assets.json"):
        for one in json.loads(manifest.read_text())["files"].values():
            place = out / one["source"]["path"]
            if not place.exists():
                place.mkdir()
                (place / "index.js").write_text("exports.handler = async () => {};\n")
    return out


def archived(files):
    """A .tar.gz of {name: path or bytes}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            data = content.read_bytes() if isinstance(content, Path) else content
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


class Line:
    def __init__(self, directory):
        self.directory = directory
        (directory / "images.yaml").write_text(IMAGES)
        self.server = Server(directory / "data", "--function-requirements", "--disk-encrypted",
                             "--job-images", directory / "images.yaml")
        self.cdk_out = synthesised(directory)
        self.outputs = {}

    # What an operator types.

    def andon(self, *words, code=0, limit_s=600):
        ended = subprocess.run([program("andon"), *map(str, words), "--data", str(self.server.data)],
                               capture_output=True, text=True, timeout=limit_s, check=False)
        assert ended.returncode == code, (ended.returncode, ended.stdout, ended.stderr)
        return ended.stdout

    def apply(self, **parameters):
        """`andon apply -f cdk.out`: its report."""
        given = [word for name, value in parameters.items()
                 for word in ("--parameter", f"{name}={value}")]
        report = json.loads(self.andon("apply", "-f", self.cdk_out, "--json", *given))
        for stack in self.aws("cloudformation").describe_stacks()["Stacks"]:
            self.outputs |= {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
        return report

    @property
    def environment(self):
        """What `eval "$(andon env --sagemaker FILE)"` makes of a shell."""
        told = json.loads(self.andon("env", "--json", "--sagemaker", self.directory / "sagemaker.yaml"))
        return {"PATH": os.environ["PATH"], "HOME": str(self.directory),
                "AWS_EC2_METADATA_DISABLED": "true", **told}

    # What scripts do with boto3, which finds all that it needs in the environment.

    def aws(self, service):
        session = boto3.session.Session()
        told = self.server.operator_key
        return session.client(
            service, endpoint_url=self.server.info["api"], region_name=REGION,
            aws_access_key_id=told["accessKeyId"], aws_secret_access_key=told["secretAccessKey"],
            verify=self.server.ca_file)

    @property
    def bucket(self):
        return self.outputs["BucketName"]

    def put_model(self, name="models/first/model.tar.gz"):
        self.aws("s3").put_object(Bucket=self.bucket, Key=name, Body=archived(
            {"model.onnx": EXAMPLE / "model" / "model.onnx"}))
        return f"s3://{self.bucket}/{name}"

    def register(self, data_url, status="PendingManualApproval"):
        return self.aws("sagemaker").create_model_package(
            ModelPackageGroupName="line-models", ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [{"Image": "registry.example/line/training:1", "ModelDataUrl": data_url}],
                "SupportedContentTypes": ["image/jpeg"],
                "SupportedResponseMIMETypes": ["application/json"]})["ModelPackageArn"]

    def approve(self, package):
        self.aws("sagemaker").update_model_package(
            ModelPackageArn=package, ModelApprovalStatus="Approved")

    # Executions.

    def start(self, machine=None, **given):
        return self.aws("stepfunctions").start_execution(
            stateMachineArn=machine or self.outputs["ShipArn"], input=json.dumps(given))["executionArn"]

    def executions(self, machine=None):
        found = self.aws("stepfunctions").list_executions(
            stateMachineArn=machine or self.outputs["ShipArn"])["executions"]
        return [one["executionArn"] for one in found]

    def outcome(self, execution, limit_s=LIMIT_S):
        states = self.aws("stepfunctions")
        try:
            return wait_until(
                lambda: (told := states.describe_execution(executionArn=execution))["status"] !=
                "RUNNING" and told, f"the end of {execution}", limit_s)
        except AssertionError as error:
            raise AssertionError(f"{error}: it is at {self.path(execution)[-6:]}") from error

    def path(self, execution):
        pages = self.aws("stepfunctions").get_paginator("get_execution_history").paginate(
            executionArn=execution)
        return [event["stateEnteredEventDetails"]["name"] for page in pages
                for event in page["events"] if event["type"].endswith("StateEntered")]

    def machine_like(self, name, states=None, **changes):
        """A second machine with other members, or with these states alone, the first of them first."""
        client = self.aws("stepfunctions")
        told = client.describe_state_machine(stateMachineArn=self.outputs["ShipArn"])
        definition = {**json.loads(told["definition"]), **changes}
        if states:
            definition["StartAt"] = states[0]
            definition["States"] = {state: definition["States"][state] for state in states}
        return client.create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=told["roleArn"])["stateMachineArn"]

    # The camera.

    def enrol(self):
        """A device with the certificate that the stack knows: its policy is on it. Of the server it
        reaches the broker and the device port."""
        camera = DebianAgent(self.server, self.directory / "camera", CAMERA, [
            self.server.info["mqtt"]["port"], urlsplit(self.server.info["devicePlane"]).port])
        camera.provision(json.loads(self.andon("device", "add", CAMERA, "--json"))["token"])
        [certificate] = self.aws("iot").list_thing_principals(thingName=CAMERA)["principals"]
        self.apply(CertificateArn=certificate)
        return camera.start()

    def deployed(self):
        """What the latest deployment to the camera holds."""
        client = self.aws("greengrassv2")
        [latest] = client.list_deployments(targetArn=arn("iot", f"thing/{CAMERA}"))["deployments"]
        return client.get_deployment(deploymentId=latest["deploymentId"])["components"]

    def deploy(self, components):
        return self.aws("greengrassv2").create_deployment(
            targetArn=arn("iot", f"thing/{CAMERA}"), components=components)["deploymentId"]

    def device_says(self, deployment, limit_s=LIMIT_S):
        """The camera's word on a deployment that it is through with."""
        client = self.aws("greengrassv2")

        def ended():
            for one in client.list_effective_deployments(
                    coreDeviceThingName=CAMERA)["effectiveDeployments"]:
                if one["deploymentId"] == deployment and one["coreDeviceExecutionStatus"] not in (
                        "QUEUED", "IN_PROGRESS"):
                    return one
            return None
        return wait_until(ended, f"deployment {deployment}", limit_s)

    def objects(self, prefix):
        found = self.aws("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for one in found.get("Contents", [])]


def built(directory, pictures):
    """`gdk component build` of line/inference, as its build system `zip` does it: the folder in an
    archive of its name, the recipe beside it."""
    archive = directory / "inference.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        for file in sorted((LINE / "inference").iterdir()):
            if file.name not in ("recipe.yaml", "gdk-config.json"):
                writer.write(file, file.name)
        for picture in pictures:
            writer.write(picture, f"pictures/{picture.name}")
    return archive


@contextlib.contextmanager
def running(directory):
    line = Line(directory)
    with line.server:
        yield line
