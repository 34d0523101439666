# SPDX-License-Identifier: Apache-2.0
"""What tests of SageMaker's jobs and pipelines share: a server with commands for images, a role,
scripts in archives, requests."""
import io
import json
import tarfile

from harness import wait_until

ROLE = "arn:aws:iam::000000000000:role/sagemaker"
PATIENCE_S = 90

IMAGES = """
images:
  - image: "*/train:*"
    command: [python3]
    environment: {FROM_THE_FILE: "yes"}
    memoryMiB: 1024
  - image: "*/process:*"
    command: [python3]
  - image: builtin
    command: [sh, -c, "echo 'loss=0.5;'; echo weights > $SM_MODEL_DIR/model.onnx"]
"""


def write_images(directory):
    file = directory / "images.yaml"
    file.write_text(IMAGES)
    return file


def make_role(server, name="sagemaker", actions=("s3:*", "sagemaker:*", "iam:PassRole")):
    iam = server.aws("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "sagemaker.amazonaws.com"}}]}))
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}))
    return f"arn:aws:iam::000000000000:role/{name}"


def archive(files):
    """A sourcedir.tar.gz of {name: text}."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, text in files.items():
            data = text.encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return content.getvalue()


def training(name, code=None, image="local/train:1", **more):
    """CreateTrainingJob's request; `code`: the s3:// place of an archive with train.py."""
    request = {
        "TrainingJobName": name, "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://plant/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600}}
    if code:
        request["HyperParameters"] = {"sagemaker_program": '"train.py"',
                                      "sagemaker_submit_directory": json.dumps(code)}
    for key, value in more.items():
        if key == "HyperParameters":
            request["HyperParameters"] = {**request.get("HyperParameters", {}), **value}
        else:
            request[key] = value
    return {key: value for key, value in request.items() if value is not None}


def processing(name, script=None, outputs=(), inputs=(), image="local/process:1", **more):
    """CreateProcessingJob's request; `script`: the s3:// place of a program, run by python3."""
    sources = list(inputs)
    app = {"ImageUri": image}
    if script:
        file = script.rsplit("/", 1)[1]
        sources.append({"InputName": "code", "S3Input": {
            "S3Uri": script, "LocalPath": "/opt/ml/processing/input/code",
            "S3DataType": "S3Prefix", "S3InputMode": "File"}})
        app["ContainerEntrypoint"] = ["python3", f"/opt/ml/processing/input/code/{file}"]
    request = {
        "ProcessingJobName": name, "RoleArn": ROLE, "AppSpecification": app,
        "ProcessingResources": {"ClusterConfig": {
            "InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}},
        "ProcessingInputs": sources,
        "ProcessingOutputConfig": {"Outputs": list(outputs)}}
    for key, value in more.items():
        request[key] = {**request[key], **value} if isinstance(request.get(key), dict) else value
    return request


def source(name, uri, path):
    return {"InputName": name, "S3Input": {"S3Uri": uri, "LocalPath": path,
                                           "S3DataType": "S3Prefix", "S3InputMode": "File"}}


def sink(name, uri, path):
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path,
                                             "S3UploadMode": "EndOfJob"}}


def wait_for_training(client, name, status=("Completed", "Failed", "Stopped")):
    return wait_until(
        lambda: (d := client.describe_training_job(TrainingJobName=name))["TrainingJobStatus"]
        in status and d, f"training job {name}", PATIENCE_S)


def wait_for_processing(client, name, status=("Completed", "Failed", "Stopped")):
    return wait_until(
        lambda: (d := client.describe_processing_job(ProcessingJobName=name))
        ["ProcessingJobStatus"] in status and d, f"processing job {name}", PATIENCE_S)


def get(name):
    return {"Get": name}


SCORE = """
import json, os, sys
score = float(open("/opt/ml/processing/input/model/model.txt").read())
os.makedirs("/opt/ml/processing/report", exist_ok=True)
json.dump({"metrics": {"map": {"value": score}}}, open("/opt/ml/processing/report/evaluation.json", "w"))
"""
TRAIN = """
import argparse, os
parser = argparse.ArgumentParser()
parser.add_argument("--score", type=float)
score = parser.parse_args().score
open(os.environ["SM_MODEL_DIR"] + "/model.txt", "w").write(str(score))
open(os.environ["SM_OUTPUT_DATA_DIR"] + "/notes.txt", "w").write("trained")
rows = open(os.environ["SM_CHANNEL_TRAIN"] + "/rows.csv").read().split()
print(f"epoch 1 map={score / 2};")
print(f"epoch 2 map={score}; rows={len(rows)};")
"""
PREPARE = """
import sys
rows = open("/opt/ml/processing/input/raw/rows.csv").read()
open("/opt/ml/processing/train/rows.csv", "w").write(rows)
"""
UNPACK = """
import os, tarfile
tarfile.open("/opt/ml/processing/input/packed/model.tar.gz").extractall("/opt/ml/processing/input/model")
""" + SCORE


def put_scripts(server):
    s3 = server.aws("s3")
    s3.create_bucket(Bucket="plant")
    s3.put_object(Bucket="plant", Key="code/train/sourcedir.tar.gz", Body=archive({"train.py": TRAIN}))
    s3.put_object(Bucket="plant", Key="code/prepare.py", Body=PREPARE.encode())
    s3.put_object(Bucket="plant", Key="code/score.py", Body=UNPACK.encode())
    s3.put_object(Bucket="plant", Key="raw/rows.csv", Body=b"1\n2\n3\n")


def arguments(request, *without):
    return {key: value for key, value in request.items()
            if key not in ("TrainingJobName", "ProcessingJobName", *without)}


def pipeline_definition(group="tags", image="local/train:1", approval="Approved"):
    """Processing, Training, Processing, Condition, RegisterModel or Fail."""
    prepare = arguments(processing(
        "-", "s3://plant/code/prepare.py", inputs=[source(
            "raw", "s3://plant/raw", "/opt/ml/processing/input/raw")],
        outputs=[sink("train", {"Std:Join": {"On": "/", "Values": [
            "s3://plant/runs", get("Execution.PipelineExecutionId"), "train"]}},
            "/opt/ml/processing/train")]))
    train = arguments(training(
        "-", "s3://plant/code/train/sourcedir.tar.gz", image=image,
        HyperParameters={"score": get("Parameters.Score")},
        AlgorithmSpecification={
            "TrainingImage": image, "TrainingInputMode": "File", "MetricDefinitions": [
                {"Name": "map", "Regex": r"map=([0-9\.]+);"}]},
        InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": {
            "S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated",
            "S3Uri": get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")}}}]))
    score = arguments(processing(
        "-", "s3://plant/code/score.py", inputs=[source(
            "packed", get("Steps.Train.ModelArtifacts.S3ModelArtifacts"),
            "/opt/ml/processing/input/packed")],
        outputs=[sink("report", {"Std:Join": {"On": "/", "Values": [
            "s3://plant/runs", get("Execution.PipelineExecutionId"), "report"]}},
            "/opt/ml/processing/report")]))
    register = {
        "ModelPackageGroupName": group, "ModelApprovalStatus": approval,
        "InferenceSpecification": {
            "Containers": [{"Image": "local/serve:1", "ModelDataUrl": get(
                "Steps.Train.ModelArtifacts.S3ModelArtifacts")}],
            "SupportedContentTypes": ["image/jpeg"],
            "SupportedResponseMIMETypes": ["application/json"]},
        "ModelMetrics": {"ModelQuality": {"Statistics": {
            "ContentType": "application/json", "S3Uri": {"Std:Join": {"On": "/", "Values": [
                get("Steps.Score.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"),
                "evaluation.json"]}}}}}}
    return {
        "Version": "2020-12-01", "Metadata": {},
        "Parameters": [{"Name": "Score", "Type": "Float", "DefaultValue": 0.9},
                       {"Name": "Least", "Type": "Float", "DefaultValue": 0.6}],
        "PipelineExperimentConfig": {"ExperimentName": get("Execution.PipelineName"),
                                     "TrialName": get("Execution.PipelineExecutionId")},
        "Steps": [
            {"Name": "Prepare", "Type": "Processing", "Arguments": prepare},
            {"Name": "Train", "Type": "Training", "Arguments": train},
            {"Name": "Score", "Type": "Processing", "Arguments": score, "PropertyFiles": [
                {"PropertyFileName": "Report", "OutputName": "report",
                 "FilePath": "evaluation.json"}]},
            {"Name": "IsGood", "Type": "Condition", "Arguments": {
                "Conditions": [{"Type": "GreaterThanOrEqualTo",
                                "LeftValue": {"Std:JsonGet": {
                                    "PropertyFile": get("Steps.Score.PropertyFiles.Report"),
                                    "Path": "metrics.map.value"}},
                                "RightValue": get("Parameters.Least")}],
                "IfSteps": [{"Name": "Register", "Type": "RegisterModel", "Arguments": register}],
                "ElseSteps": [{"Name": "TooWeak", "Type": "Fail", "Arguments": {
                    "ErrorMessage": {"Std:Join": {"On": " ", "Values": [
                        "mAP is below", get("Parameters.Least")]}}}}]}}]}


def create_pipeline(client, name, definition=None, role=ROLE, **more):
    return client.create_pipeline(
        PipelineName=name, RoleArn=role, ClientRequestToken=f"create-{name}".ljust(32, "-"),
        PipelineDefinition=json.dumps(definition or pipeline_definition()), **more)["PipelineArn"]


def start_pipeline(client, name, token="1", **parameters):
    return client.start_pipeline_execution(
        PipelineName=name, ClientRequestToken=f"start-{name}-{token}".ljust(32, "-"),
        PipelineParameters=[{"Name": key, "Value": str(value)}
                            for key, value in parameters.items()])["PipelineExecutionArn"]


def wait_for_pipeline(client, arn, limit_s=2 * PATIENCE_S):
    return wait_until(
        lambda: (d := client.describe_pipeline_execution(PipelineExecutionArn=arn))
        ["PipelineExecutionStatus"] not in ("Executing", "Stopping") and d,
        "the pipeline's end", limit_s)


def steps_of(client, arn):
    pages = client.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending", PaginationConfig={"PageSize": 2})
    return {step["StepName"]: step for page in pages for step in page["PipelineExecutionSteps"]}
