# SPDX-License-Identifier: Apache-2.0
"""A model is opened before it is approved, and what came of it stands beside the approval."""
import json
import subprocess

import pytest

from harness import ROOT, Server, checked, program

EXAMPLE = ROOT / "examples" / "metal-tags" / "model"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("server") / "data") as running:
        running.aws("s3").create_bucket(Bucket="trained")
        running.aws("sagemaker").create_model_package_group(ModelPackageGroupName="tags")
        yield running


@pytest.fixture
def sagemaker(server):
    return checked(server.aws("sagemaker"))


def register(server, key, content, **more):
    server.aws("s3").put_object(Bucket="trained", Key=key, Body=content)
    return server.aws("sagemaker").create_model_package(
        ModelPackageGroupName="tags", InferenceSpecification={
            "Containers": [{"Image": "andon-inspect", "ModelDataUrl": f"s3://trained/{key}"}],
            "SupportedContentTypes": ["image/jpeg"],
            "SupportedResponseMIMETypes": ["application/json"]}, **more)["ModelPackageArn"]


def check_of(sagemaker, arn):
    return sagemaker.describe_model_package(
        ModelPackageName=arn)["ModelPackageStatusDetails"]["ValidationStatuses"]


def andon(server, *words, code=0):
    ended = subprocess.run([program("andon"), *words, "--data", str(server.data)],
                           capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == code, ended.stderr
    return ended.stdout if code == 0 else ended.stderr


def approve(client, arn, **more):
    client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", **more)


def test_a_model_that_opens_is_approved_and_says_so(server, sagemaker):
    arn = register(server, "good.onnx", (EXAMPLE / "model.onnx").read_bytes())
    assert check_of(sagemaker, arn) == []
    approve(sagemaker, arn)
    assert check_of(sagemaker, arn) == [{"Name": "opens-in-onnx-runtime", "Status": "Completed"}]
    shown = andon(server, "model", "show", f"tags@{arn.rsplit('/', 1)[1]}")
    assert "check     opens" in shown


def test_a_model_that_no_runtime_opens_is_not_approved_in_silence(server, sagemaker):
    arn = register(server, "bad.onnx", b"these bytes are no model")
    with pytest.raises(sagemaker.exceptions.ClientError) as caught:
        approve(sagemaker, arn)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert "bad.onnx is not an ONNX model" in error["Message"]
    assert sagemaker.describe_model_package(
        ModelPackageName=arn)["ModelApprovalStatus"] == "PendingManualApproval"
    with pytest.raises(sagemaker.exceptions.ClientError):
        register(server, "bad.onnx", b"no model", ModelApprovalStatus="Approved")
    reference = f"tags@{arn.rsplit('/', 1)[1]}"
    assert "cannot be opened" in andon(server, "model", "approve", reference, code=3)
    # Who says why may, and everybody sees what they did.
    andon(server, "model", "approve", reference, "--reason", "the line has a runtime of its own")
    [check] = check_of(sagemaker, arn)
    assert check["Status"] == "Failed" and "not an ONNX model" in check["FailureReason"]
    assert "check     cannot be opened" in andon(server, "model", "show", reference)


def test_what_cannot_be_looked_at_says_so(server, sagemaker):
    arn = register(server, "model.tar.gz", b"an archive")
    approve(sagemaker, arn)
    [check] = check_of(sagemaker, arn)
    assert (check["Status"], check["FailureReason"]) \
        == ("NotStarted", "its data holds no ONNX file")


def test_the_report_of_a_model_is_shown(server, tmp_path):
    made = json.loads(andon(server, "model", "register", str(EXAMPLE / "model.onnx"), "--name",
                            "reported", "--report", str(EXAMPLE / "report.json"), "--json"))
    assert made["version"] == 1
    assert "results.tags-test.mAP50" in andon(server, "model", "report", "reported@1")
    report = json.loads(andon(server, "model", "report", "reported", "--json"))
    assert report == json.loads((EXAMPLE / "report.json").read_text())
    newest = server.aws("sagemaker").list_model_packages(
        ModelPackageGroupName="tags", SortBy="CreationTime")["ModelPackageSummaryList"][0]
    bare = f"tags@{newest['ModelPackageVersion']}"
    assert "without a report" in andon(server, "model", "report", bare, code=6)


def test_the_pictures_that_a_report_names_are_uploaded_beside_it(server, tmp_path):
    def pictures():
        listed = server.aws("s3").list_objects_v2(Bucket="andon-models", Prefix="reports/pictured/")
        return {one["Key"] for one in listed.get("Contents", [])}

    subprocess.run([program("andon"), "model", "eval", str(EXAMPLE / "model.onnx"), "--images",
                    str(EXAMPLE.parent / "images"), "--labels",
                    str(EXAMPLE.parent / "annotations.json"), "--confidence", "0.6", "--report",
                    str(tmp_path)], check=True, capture_output=True, timeout=120)
    report = json.loads((tmp_path / "report.json").read_text())
    names = [one["picture"] for one in report["worstImages"]]
    assert names and len(names) <= 12
    words = ("model", "register", str(EXAMPLE / "model.onnx"), "--name", "pictured", "--report",
             str(tmp_path / "report.json"))
    # One is gone: nothing is registered without what belongs to it.
    (tmp_path / names[-1]).rename(tmp_path / "kept")
    refusal = andon(server, *words, code=6)
    assert f"names the picture '{names[-1]}'" in refusal and "andon model eval --report" in refusal
    assert not pictures()
    (tmp_path / "kept").rename(tmp_path / names[-1])
    andon(server, *words)
    package = server.aws("sagemaker").list_model_packages(
        ModelPackageGroupName="pictured")["ModelPackageSummaryList"]
    assert [one["ModelPackageVersion"] for one in package] == [1]
    uri = server.aws("sagemaker").describe_model_package(
        ModelPackageName=package[0]["ModelPackageArn"])["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    key = uri.removeprefix("s3://andon-models/")
    folder = key.removesuffix("report.json")
    assert pictures() == {key, *(folder + name for name in names)}
    for name in names:
        kept = server.aws("s3").get_object(Bucket="andon-models", Key=folder + name)["Body"].read()
        assert kept == (tmp_path / name).read_bytes() and kept.startswith(b"\xff\xd8")
