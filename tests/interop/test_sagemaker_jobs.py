# SPDX-License-Identifier: Apache-2.0
"""Processing and training jobs as SageMaker's public client asks for them: local commands in the
place of images, with SageMaker's contract."""
import io
import json
import tarfile
import time

import botocore.exceptions
import pytest

from aws_client import error_answer
from harness import Server, checked, wait_until
from sagemaker_shapes import (archive, make_role, processing, put_scripts, sink, source, training,
                       wait_for_processing, wait_for_training, write_images)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("server")
    with Server(directory / "data", "--job-images", write_images(directory),
                "--jobs", "1") as running:
        make_role(running)
        put_scripts(running)
        yield running


@pytest.fixture
def client(server):
    return checked(server.aws("sagemaker"))


def put_code(server, script, name="x"):
    key = f"code/{name}-{time.monotonic_ns()}/sourcedir.tar.gz"
    server.aws("s3").put_object(Bucket="plant", Key=key, Body=archive({"train.py": script}))
    return f"s3://plant/{key}"


def test_script_mode_has_its_channels_variables_and_files_and_leaves_a_model(server, client, fresh):
    name = fresh("train")
    code = put_code(server, """
import json, os, sys
told = {key: value for key, value in os.environ.items() if key.startswith("SM_")}
base = os.environ["SAGEMAKER_BASE_DIR"]
config = base + "/input/config/"
told["hyper"] = json.load(open(config + "hyperparameters.json"))
told["inputs"] = json.load(open(config + "inputdataconfig.json"))
told["resources"] = json.load(open(config + "resourceconfig.json"))
told["words"] = sys.argv[1:]
told["rows"] = open("/opt/ml/input/data/train/rows.csv").read()
told["own"] = [os.environ["OWN"], os.environ["FROM_THE_FILE"]]
json.dump(told, open(os.environ["SM_MODEL_DIR"] + "/told.json", "w"))
os.symlink("/etc/passwd", os.environ["SM_MODEL_DIR"] + "/link")
print("epoch=1 loss=0.75;")
print("epoch=2 loss=0.25; lr=1e-3", flush=True)
""")
    made = client.create_training_job(**training(
        name, code, Environment={"OWN": "mine"},
        HyperParameters={"epochs": "2", "note": '"a b"', "x": "true"},
        AlgorithmSpecification={"TrainingImage": "local/train:1", "TrainingInputMode": "File",
                                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+);"},
                                                      {"Name": "lr", "Regex": "lr=([-0-9.e]+)"},
                                                      {"Name": "no", "Regex": "none=(.)"}]},
        InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://plant/raw/"}}}],
        Tags=[{"Key": "line", "Value": "3"}]))
    region = server.operator_key["region"]
    arn = f"arn:aws:sagemaker:{region}:000000000000:training-job/{name}"
    assert made["TrainingJobArn"] == arn
    client.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 90})
    told = client.describe_training_job(TrainingJobName=name)
    assert told["TrainingJobStatus"] == "Completed", told
    assert told["ModelArtifacts"]["S3ModelArtifacts"] == (
        f"s3://plant/models/{name}/output/model.tar.gz")
    assert {m["MetricName"]: m["Value"] for m in told["FinalMetricDataList"]} == {
        "loss": 0.25, "lr": 0.001}
    assert [one["Status"] for one in told["SecondaryStatusTransitions"]] == [
        "Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert told["TrainingStartTime"] <= told["TrainingEndTime"]

    body = server.aws("s3").get_object(Bucket="plant", Key=f"models/{name}/output/model.tar.gz")["Body"]
    with tarfile.open(fileobj=io.BytesIO(body.read()), mode="r:gz") as tar:
        assert tar.getmember("link").issym()
        seen = json.load(tar.extractfile("told.json"))
    assert seen["SM_MODEL_DIR"] == "/opt/ml/model"
    assert seen["SM_CHANNELS"] == '["train"]' and seen["SM_NUM_GPUS"] == "0"
    assert seen["SM_CHANNEL_TRAIN"] == "/opt/ml/input/data/train"
    assert json.loads(seen["SM_HPS"]) == {"epochs": 2, "note": "a b", "x": True}
    assert seen["SM_HP_EPOCHS"] == "2" and seen["SM_USER_ENTRY_POINT"] == "train.py"
    assert seen["words"] == ["--epochs", "2", "--note", "a b", "-x", "True"]
    assert seen["hyper"]["epochs"] == "2" and "sagemaker_program" in seen["hyper"]
    assert seen["inputs"]["train"]["ContentType"] == "text/csv"
    assert seen["resources"]["hosts"] == ["algo-1"]
    assert seen["rows"] == "1\n2\n3\n" and seen["own"] == ["mine", "yes"]

    logs = server.aws("logs")
    streams = logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs",
                                        logStreamNamePrefix=f"{name}/")["logStreams"]
    lines = [e["message"] for e in logs.get_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs",
        logStreamName=streams[0]["logStreamName"], startFromHead=True)["events"]]
    assert lines == ["epoch=1 loss=0.75;", "epoch=2 loss=0.25; lr=1e-3"]
    assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "line", "Value": "3"}]


def test_a_processing_job_takes_inputs_and_leaves_outputs(server, client, fresh):
    name = fresh("process")
    client.create_processing_job(**processing(
        name, "s3://plant/code/prepare.py",
        inputs=[source("raw", "s3://plant/raw", "/opt/ml/processing/input/raw")],
        outputs=[sink("train", f"s3://plant/out/{name}", "/opt/ml/processing/train")]))
    client.get_waiter("processing_job_completed_or_stopped").wait(
        ProcessingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 90})
    told = client.describe_processing_job(ProcessingJobName=name)
    assert told["ProcessingJobStatus"] == "Completed", told
    body = server.aws("s3").get_object(Bucket="plant", Key=f"out/{name}/rows.csv")["Body"].read()
    assert body == b"1\n2\n3\n"


def test_an_images_own_command_trains_without_a_script(server, client, fresh):
    name = fresh("builtin")
    client.create_training_job(**training(name, image="builtin"))
    assert wait_for_training(client, name)["TrainingJobStatus"] == "Completed"
    server.aws("s3").head_object(Bucket="plant", Key=f"models/{name}/output/model.tar.gz")


def test_a_failure_has_the_jobs_own_word_as_its_reason(server, client, fresh):
    name = fresh("fails")
    code = put_code(server, """
import sys
open("/opt/ml/output/failure", "w").write("no labels in the data set")
sys.exit(3)
""")
    client.create_training_job(**training(name, code))
    told = wait_for_training(client, name)
    assert told["TrainingJobStatus"] == "Failed"
    assert told["FailureReason"] == "AlgorithmError: no labels in the data set, exit code: 3"
    with pytest.raises(botocore.exceptions.WaiterError):
        client.get_waiter("training_job_completed_or_stopped").wait(
            TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 2})
    name = fresh("fails")
    server.aws("s3").put_object(Bucket="plant", Key="code/bad.py", Body=b"""
open("/opt/ml/output/message", "w").write("column 3 is empty")
raise SystemExit("bad input")
""")
    client.create_processing_job(**processing(name, "s3://plant/code/bad.py"))
    told = wait_for_processing(client, name)
    assert told["FailureReason"] == "AlgorithmError: bad input, exit code: 1"
    assert told["ExitMessage"] == "column 3 is empty"


def test_an_image_without_a_command_is_refused_by_name_with_the_file(client, fresh):
    error = error_answer(client.create_training_job, **training(fresh("no"), image="nobody/knows:1"))
    assert error["Code"] == "ValidationException"
    assert "nobody/knows:1" in error["Message"] and "images.yaml" in error["Message"]
    error = error_answer(client.create_processing_job, **processing(fresh("no"), image="other"))
    assert "'other'" in error["Message"] and "images.yaml" in error["Message"]


def test_what_is_not_done_is_refused_by_name(server, client, fresh):
    good = training(fresh("bad"), "s3://plant/code/train/sourcedir.tar.gz")
    cases = [
        ({"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2,
                             "VolumeSizeInGB": 1}}, "InstanceCount"),
        ({"OutputDataConfig": {"S3OutputPath": "/tmp/x"}}, "S3OutputPath"),
        ({"CheckpointConfig": {"S3Uri": "s3://plant/x"}}, "CheckpointConfig"),
        ({"TrainingJobName": "-bad"}, "TrainingJobName"),
        ({"RoleArn": "arn:aws:iam::000000000000:role/nobody-has"}, "RoleArn"),
        ({"AlgorithmSpecification": {"TrainingImage": "local/train:1",
                                     "TrainingInputMode": "Pipe"}}, "TrainingInputMode"),
        ({"AlgorithmSpecification": {"TrainingImage": "local/train:1", "TrainingInputMode": "File",
                                     "MetricDefinitions": [{"Name": "a", "Regex": "("}]}}, "Regex"),
        ({"Environment": {"A B": "x"}}, "Environment"),
    ]
    for change, member in cases:
        error = error_answer(client.create_training_job, **{**good, **change})
        assert member in error["Message"], (change, error)
    bad = processing(fresh("bad"), outputs=[sink("o", "s3://plant/o", "/etc")])
    assert "LocalPath" in error_answer(client.create_processing_job, **bad)["Message"]
    assert error_answer(client.describe_training_job, TrainingJobName="nobody") == {
        "Code": "ValidationException", "Message": "Requested resource not found."}
    assert error_answer(client.stop_processing_job,
                   ProcessingJobName="nobody")["Code"] == "ValidationException"


def hostile(entry):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        entry(tar)
    return content.getvalue()


def climbing(tar):
    info = tarfile.TarInfo("../../evil.py")
    tar.addfile(info, io.BytesIO())


def linked(tar):
    info = tarfile.TarInfo("lib")
    info.type, info.linkname = tarfile.SYMTYPE, "/etc"
    tar.addfile(info)


def bomb(tar):
    info = tarfile.TarInfo("zeros")
    info.size = 64 << 20
    class Zeros(io.RawIOBase):
        def read(self, size=-1):
            return b"\0" * size
    tar.addfile(info, Zeros())


@pytest.mark.parametrize("entry,word", [(climbing, "outside"), (linked, "neither a file"),
                                        (bomb, "more than"), (None, "sourcedir.tar.gz")])
def test_a_hostile_submit_directory_fails_its_job_and_nothing_else(server, client, fresh, entry,
                                                                   word):
    name = fresh("hostile")
    body = hostile(entry) if entry else b"no archive at all"
    server.aws("s3").put_object(Bucket="plant", Key=f"code/{name}/sourcedir.tar.gz", Body=body)
    client.create_training_job(**training(name, f"s3://plant/code/{name}/sourcedir.tar.gz"))
    told = wait_for_training(client, name)
    assert told["TrainingJobStatus"] == "Failed" and word in told["FailureReason"], told
    assert not list(server.data.rglob("evil.py"))


def test_a_stopped_job_may_save_its_model_and_a_waiting_one_never_begins(server, client, fresh):
    name = fresh("stop")
    code = put_code(server, """
import os, signal, sys, time
def save(*_):
    open("/opt/ml/model/saved.txt", "w").write("half way")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("ready", flush=True)
while True: time.sleep(1)
""")
    client.create_training_job(**training(name, code))
    wait_for_training(client, name, ("InProgress",))
    wait_until(lambda: client.describe_training_job(TrainingJobName=name)["SecondaryStatus"]
               == "Training", "the training", 60)
    logs = server.aws("logs")

    def is_ready():
        try:
            return logs.filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs",
                                          logStreamNamePrefix=f"{name}/")["events"]
        except botocore.exceptions.ClientError:
            return None
    wait_until(is_ready, "its first line", 60)
    waiting = fresh("waits")
    client.create_training_job(**training(waiting, image="builtin"))
    client.stop_training_job(TrainingJobName=waiting)
    told = wait_for_training(client, waiting)
    assert told["TrainingJobStatus"] == "Stopped" and "TrainingStartTime" not in told
    client.stop_training_job(TrainingJobName=name)
    told = wait_for_training(client, name)
    assert told["TrainingJobStatus"] == "Stopped" and told["SecondaryStatus"] == "Stopped"
    server.aws("s3").head_object(Bucket="plant", Key=f"models/{name}/output/model.tar.gz")
    assert error_answer(client.stop_training_job, TrainingJobName=name)["Code"] == "ValidationException"


def test_a_job_ends_at_its_longest_time(server, client, fresh):
    name = fresh("long")
    code = put_code(server, "import time\nwhile True: time.sleep(1)")
    client.create_training_job(**training(name, code, StoppingCondition={"MaxRuntimeInSeconds": 1}))
    told = wait_for_training(client, name)
    assert told["TrainingJobStatus"] == "Stopped", told
    assert told["SecondaryStatus"] == "MaxRuntimeExceeded"


def test_a_jobs_role_decides_which_objects_it_reads_and_writes(server, client, fresh):
    role = make_role(server, fresh("narrow"), ["s3:GetObject", "s3:ListBucket"])
    name = fresh("denied")
    client.create_training_job(**{**training(name, image="builtin"), "RoleArn": role})
    told = wait_for_training(client, name)
    assert told["TrainingJobStatus"] == "Failed" and "s3:PutObject" in told["FailureReason"]
    role = make_role(server, fresh("blind"), ["s3:PutObject"])
    name = fresh("denied")
    client.create_training_job(**{
        **training(name, "s3://plant/code/train/sourcedir.tar.gz"), "RoleArn": role})
    told = wait_for_training(client, name)
    assert told["TrainingJobStatus"] == "Failed" and "s3:GetObject" in told["FailureReason"]


def test_who_may_not_pass_the_role_makes_no_job(server, limited, fresh):
    client = limited("sagemaker", ["sagemaker:*"], "*")
    assert error_answer(client.create_training_job, **training(fresh("x"), image="builtin"))["Code"] == (
        "AccessDeniedException")


def test_lists_come_in_pages_sorted_and_filtered(client, fresh):
    names = [fresh("listed") for _ in range(3)]
    for name in names:
        client.create_training_job(**training(name, image="builtin"))
        client.create_processing_job(**processing(name, image="other/process:1",
                                                  AppSpecification={"ContainerEntrypoint": ["true"]}))
    for name in names:
        wait_for_training(client, name)
        wait_for_processing(client, name)
    pages = client.get_paginator("list_training_jobs").paginate(
        NameContains="listed", SortBy="Name", SortOrder="Descending", StatusEquals="Completed",
        PaginationConfig={"PageSize": 2})
    found = [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]
    assert found == sorted(names, reverse=True)
    pages = client.get_paginator("list_processing_jobs").paginate(
        NameContains="listed", PaginationConfig={"PageSize": 2})
    found = [job["ProcessingJobName"] for page in pages for job in page["ProcessingJobSummaries"]]
    assert found == names
    assert client.list_training_jobs(StatusEquals="Stopping", NameContains="listed")[
        "TrainingJobSummaries"] == []
    error = error_answer(client.create_training_job, **training(names[0], image="builtin"))
    assert error["Code"] == "ResourceInUse"


def test_tags_of_jobs_and_groups_are_added_listed_and_deleted(server, client, fresh):
    name = fresh("tagged")
    arn = client.create_model_package_group(ModelPackageGroupName=name)["ModelPackageGroupArn"]
    added = client.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"},
                                                   {"Key": "b", "Value": "2"}])["Tags"]
    assert sorted(tag["Key"] for tag in added) == ["a", "b"]
    pages = client.get_paginator("list_tags").paginate(ResourceArn=arn)
    assert [tag["Key"] for page in pages for tag in page["Tags"]] == ["a", "b"]
    client.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert error_answer(client.list_tags, ResourceArn=arn + "x")["Code"] == "ValidationException"


def test_there_are_no_labelling_jobs_and_who_asks_is_told_so(client):
    assert client.list_labeling_jobs()["LabelingJobSummaryList"] == []
    error = error_answer(client.describe_labeling_job, LabelingJobName="mine")
    assert error["Code"] == "ResourceNotFound" and "mine" in error["Message"]
