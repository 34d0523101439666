# SPDX-License-Identifier: Apache-2.0
"""What the functions of the example's pipeline decide, by themselves."""
import json
import sys

import pytest
from pipeline import EXAMPLE, WORKFLOWS

sys.path.insert(0, str(WORKFLOWS / "functions" / "edge_deployment"))
import find_model  # noqa: E402
import judge  # noqa: E402
import next_version  # noqa: E402

PACKAGE = {"ModelPackageArn": "arn:p/1", "ModelPackageGroupName": "tags", "ModelPackageVersion": 3,
           "InferenceSpecification": {"Containers": [{"ModelDataSource": {"S3DataSource": {
               "S3Uri": "s3://models/tags/a/"}}}]}}
MODEL = {"Name": "tags@3", "Url": "s3://models/tags/a/", "Bucket": "models", "Key": "tags/a/"}


def test_a_models_place_is_a_folder_or_an_object():
    assert find_model.handler({"Package": PACKAGE}, None) == {**MODEL, "Report": None}
    package = {**PACKAGE,
               "InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://m/a/model.onnx"}]},
               "ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": "s3://r/report.json"}}}}
    found = find_model.handler({"Package": package}, None)
    assert (found["Bucket"], found["Key"]) == ("m", "a/model.onnx")
    assert found["Report"] == {"Bucket": "r", "Key": "report.json"}


@pytest.mark.parametrize("containers, reason", [
    ([], "has 0 containers"), ([{}, {}], "has 2 containers"), ([{}], "says nowhere"),
    ([{"ModelDataUrl": "https://elsewhere/model"}], "is no place of a model")])
def test_a_package_that_cannot_be_shipped_is_refused_with_its_reason(containers, reason):
    package = {**PACKAGE, "InferenceSpecification": {"Containers": containers}}
    with pytest.raises(ValueError, match=reason):
        find_model.handler({"Package": package}, None)


@pytest.mark.parametrize("versions, expected", [
    ([], "1.0.0"), (["1.0.0"], "1.0.1"), (["1.0.9", "1.0.10", "1.0.2"], "1.0.11"),
    (["2.3.4-rc.1", "1.9.9"], "2.3.5"), (["1.0.0+7"], "1.0.1")])
def test_the_next_version_is_above_every_one_that_there_is(versions, expected):
    assert next_version.next_version(versions) == expected


def event(**more):
    return {"Model": MODEL, "Component": "com.ex.Model", "Publisher": "me", "Versions": [],
            "Keys": ["tags/a/model.onnx", "tags/a/model.yaml", "tags/a/"], **more}


def test_the_recipe_has_every_file_of_the_model():
    recipe = next_version.handler(event(), None)["Recipe"]
    assert [one["URI"] for one in recipe["Manifests"][0]["Artifacts"]] == [
        "s3://models/tags/a/model.onnx", "s3://models/tags/a/model.yaml"]
    alone = {**MODEL, "Key": "tags/a/model.onnx"}
    keys = ["tags/a/model.onnx", "tags/a/model.onnx.bak"]
    recipe = next_version.handler(event(Model=alone, Keys=keys), None)["Recipe"]
    assert [one["URI"] for one in recipe["Manifests"][0]["Artifacts"]] == [
        "s3://models/tags/a/model.onnx"]


@pytest.mark.parametrize("keys, reason", [
    ([], "no model.onnx"), (["tags/a/other.onnx"], "no model.onnx"),
    (["tags/a/model.onnx", "tags/a/b/weights"], "in one folder")])
def test_objects_that_are_no_model_are_refused(keys, reason):
    with pytest.raises(ValueError, match=reason):
        next_version.handler(event(Keys=keys), None)


def found_box(confidence, box, label="scratch"):
    return {"label": label, "confidence": confidence, "box": box}


def test_findings_are_right_as_the_evaluation_has_it():
    there = [("scratch", [0, 0, 10, 10]), ("scratch", [50, 50, 10, 10])]
    found = [found_box(0.9, [0, 0, 10, 9]),          # right
             found_box(0.8, [0, 0, 10, 10]),         # the object is taken
             found_box(0.7, [50, 50, 4, 10]),        # too small
             found_box(0.6, [50, 50, 10, 10], "dent"),
             found_box(0.25, [50, 50, 10, 10])]      # not above the confidence
    assert judge.count(found, there, 0.25, 0.5) == (1, 3, 1)


def message(detections, version="1.0.1", **more):
    return {"detections": detections, "model": {"component": "M", "version": version}, **more}


TRUTH = {"a.jpg": [("scratch", [0, 0, 10, 10])], "b.jpg": []}
GOOD = {"a.jpg": message([found_box(0.9, [0, 0, 10, 10])]), "b.jpg": message([])}
EVENT = {"Model": {"Component": "M", "Version": "1.0.1"}, "Confidence": 0.25, "Tolerance": 0.02}
PROMISE = {"precision": 1.0, "recall": 1.0, "confidence": 0.25, "iou": 0.5}


@pytest.mark.parametrize("found, promise, passed, reason", [
    (GOOD, PROMISE, True, "as the report promises"),
    (GOOD, None, True, "no report that promises more"),
    ({**GOOD, "a.jpg": message([])}, PROMISE, False, "recall on qa-1 is 0.000, the report promises 1.000"),
    ({**GOOD, "b.jpg": message([found_box(0.9, [0, 0, 9, 9])])}, PROMISE, False, "precision on qa-1 is 0.500"),
    ({**GOOD, "b.jpg": message([], version="1.0.0")}, PROMISE, False, "which is another model"),
    ({**GOOD, "b.jpg": message([], error={"message": "cut off"})}, PROMISE, False, "could not look at b.jpg: cut off"),
    (GOOD, {**PROMISE, "confidence": 0.1}, False, "the report is of findings above 0.1"),
])
def test_the_verdict(found, promise, passed, reason):
    told = judge.judge({"qa-1": found}, TRUTH, promise, EVENT)
    assert told["Complete"] and told["Passed"] is passed
    assert reason in told["Reason"]
    assert all(isinstance(value, str) and len(value) <= 256 for value in told["Figures"].values())


def test_of_several_devices_the_worst_counts():
    told = judge.judge({"qa-1": GOOD, "qa-2": {**GOOD, "a.jpg": message([])}}, TRUTH, PROMISE, EVENT)
    assert not told["Passed"] and "recall on qa-2" in told["Reason"]
    assert told["Figures"]["qa.recall"] == "0.0000"


def test_the_trainers_report_promises_too():
    report = json.loads((EXAMPLE / "model" / "report.json").read_text())
    promise = judge.promise_of(report)
    assert promise == report["results"]["tags-test"] and promise["confidence"] == 0.25
