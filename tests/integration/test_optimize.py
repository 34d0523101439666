# SPDX-License-Identifier: Apache-2.0
"""`andon model optimize` and `inspect` as they are run: sizes, gates, exit codes, bad input, reports.
The model and the pictures are the example's; larger models where $ANDON_SHARED has them."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from harness import ROOT, program

EXAMPLE = ROOT / "examples" / "metal-tags"
MODEL = EXAMPLE / "model" / "model.onnx"
IMAGES = EXAMPLE / "images"
LABELS = EXAMPLE / "annotations.json"
SHARED = Path(os.environ.get("ANDON_SHARED", "/nonexistent")) / "data"
USAGE, INVALID, NOT_FOUND, GATE = 2, 3, 6, 20


def andon(*arguments, code=0):
    ended = subprocess.run([program("andon"), "model", *map(str, arguments)], capture_output=True,
                           text=True, timeout=240, check=False)
    assert ended.returncode == code, (ended.returncode, ended.stderr, ended.stdout)
    return ended


def optimize(*arguments, code=0):
    return json.loads(andon("optimize", *arguments, "--latency-runs", 2, "--json", code=code).stdout)


def test_the_example_becomes_a_third_and_keeps_what_it_finds(tmp_path):
    out = tmp_path / "small.onnx"
    report = optimize(MODEL, "--calibrate", IMAGES, "--eval-images", IMAGES, "--eval-labels", LABELS,
                      "--max-map-drop", 0.02, "--out", out, "--report", tmp_path / "report")
    assert report["gate"]["held"] and report["gate"]["measure"] == "mAP50-95"
    assert report["gate"]["drop"] <= 0.02
    assert out.stat().st_size == report["after"]["bytes"] <= 0.36 * MODEL.stat().st_size
    assert report["sensitivities"] and report["inFloat"]
    assert json.loads((tmp_path / "report" / "report.json").read_text())["gate"]["held"]
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page and "http" not in page.split("</style>")[-1]
    again = json.loads(andon("inspect", out, "--runs", 0, "--json").stdout)
    assert again["metadata"]["andon_parent_digest"] == report["before"]["digest"]
    assert again["metadata"]["names"]


def test_the_same_input_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        optimize(MODEL, "--calibrate", IMAGES, "--out", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_nothing_is_written_when_the_gate_does_not_hold(tmp_path):
    out = tmp_path / "small.onnx"
    report = optimize(MODEL, "--calibrate", IMAGES, "--eval-images", IMAGES, "--min-similarity", 1.0,
                      "--out", out, code=GATE)
    assert not report["gate"]["held"] and report["out"] is None
    assert report["gate"]["measure"] == "similarity"
    assert len(report["rounds"]) > 1, "sensitive layers are excluded before it gives up"
    assert not out.exists()


def test_without_labels_the_gate_compares_what_is_found(tmp_path):
    report = optimize(MODEL, "--calibrate", IMAGES, "--eval-images", IMAGES, "--min-similarity", 0.7,
                      "--out", tmp_path / "small.onnx")
    assert report["gate"]["measure"] == "similarity" and report["before"]["score"] == 1.0


def test_a_gate_without_evidence_does_not_hold(tmp_path):
    # Nothing to find in plain grey; and an object where the model never looks.
    images = tmp_path / "images"
    images.mkdir()
    for i in range(3):
        Image.new("RGB", (64, 48), (128, 128, 128)).save(images / f"{i}.png")
    labels = tmp_path / "labels.json"
    categories = json.loads(LABELS.read_text(encoding="utf-8"))["categories"]
    labels.write_text(json.dumps({
        "images": [{"id": i, "file_name": f"{i}.png", "width": 64, "height": 48} for i in range(3)],
        "annotations": [{"id": 1, "image_id": 0, "category_id": categories[0]["id"],
                         "bbox": [1, 1, 2, 2]}],
        "categories": categories}))
    out = tmp_path / "small.onnx"
    arguments = [MODEL, "--weights", "float32", "--eval-images", images, "--out", out]
    for more, why in (([], "finds nothing above 0.25 in the 3 pictures"),
                      (["--eval-labels", labels], "own mAP50-95 on these labels is 0")):
        report = optimize(*arguments, *more, "--report", tmp_path / "report", code=GATE)
        assert not report["gate"]["held"] and why in report["gate"]["noEvidence"]
        page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
        assert "The gate has no evidence" in page
        assert not out.exists()
        shown = andon("optimize", *arguments, *more, "--latency-runs", 0, code=GATE)
        assert why in shown.stderr and "--allow-empty" in shown.stderr
        allowed = optimize(*arguments, *more, "--allow-empty")
        assert allowed["gate"]["held"] and why in allowed["gate"]["noEvidence"]
        out.unlink()
    held = optimize(MODEL, "--weights", "float32", "--eval-images", IMAGES, "--out", out)
    assert held["gate"]["held"] and held["gate"]["noEvidence"] is None


def test_the_input_is_made_to_fit_the_cameras_pictures(tmp_path):
    out = tmp_path / "fitted.onnx"
    report = optimize(MODEL, "--calibrate", IMAGES, "--eval-images", IMAGES, "--eval-labels", LABELS,
                      "--max-map-drop", 0.02, "--picture-size", "450x300", "--out", out)
    assert report["gate"]["held"]
    found = json.loads(andon("inspect", out, "--runs", 0, "--json").stdout)
    assert found["inputs"] == ["images float32 [1,3,224,320]"]
    for wrong, message in (("450", "is not WIDTHxHEIGHT"), ("450x0", "is not WIDTHxHEIGHT")):
        refused = andon("optimize", MODEL, "--calibrate", IMAGES, "--picture-size", wrong, "--out",
                        tmp_path / "none.onnx", code=USAGE)
        assert message in refused.stderr
    refused = andon("optimize", MODEL, "--calibrate", IMAGES, "--picture-size", "450x300",
                    "--head", "keep", "--out", tmp_path / "none.onnx", code=9)
    assert "only a model whose head is cut off" in refused.stderr


def test_half_weights_need_no_pictures(tmp_path):
    out = tmp_path / "half.onnx"
    report = optimize(MODEL, "--weights", "float16", "--eval-images", IMAGES, "--eval-labels", LABELS,
                      "--out", out, "--max-map-drop", 0.005)
    assert out.stat().st_size < 0.6 * MODEL.stat().st_size
    assert abs(report["gate"]["drop"]) <= 0.005


@pytest.mark.parametrize("content, message", [
    (b"", "empty"), (b"GIF89a not a model", "not an ONNX model"), (None, "not an ONNX model")])
def test_what_is_no_model_is_refused(tmp_path, content, message):
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(MODEL.read_bytes()[:100_000] if content is None else content)
    ended = andon("optimize", bad, "--calibrate", IMAGES, "--out", tmp_path / "o", code=INVALID)
    assert "bad.onnx" in ended.stderr and message in ended.stderr
    assert "bad.onnx" in andon("inspect", bad, code=INVALID).stderr


def test_bad_pictures_and_labels_are_named(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    out = tmp_path / "o"
    assert "no pictures" in andon("optimize", MODEL, "--calibrate", empty, "--out", out,
                                  code=NOT_FOUND).stderr
    assert "--calibrate" in andon("optimize", MODEL, "--out", out, code=USAGE).stderr
    assert "--eval-labels needs --eval-images" in andon(
        "optimize", MODEL, "--out", out, "--weights", "float32", "--eval-labels", LABELS,
        code=USAGE).stderr
    assert "--picture-size" in andon("optimize", MODEL, "--out", out, "--weights", "float32",
                                     "--picture-size", "big", code=USAGE).stderr
    mixed = tmp_path / "mixed"
    shutil.copytree(IMAGES, mixed)
    (mixed / "a-broken.jpg").write_bytes(b"not a picture")
    assert "a-broken.jpg" in andon("optimize", MODEL, "--calibrate", mixed, "--out", out,
                                   code=INVALID).stderr
    other = json.loads(LABELS.read_text(encoding="utf-8"))
    for category in other["categories"]:
        category["name"] = "unicorn"
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps(other), encoding="utf-8")
    assert "unicorn" in andon("optimize", MODEL, "--calibrate", IMAGES, "--eval-images", IMAGES,
                              "--eval-labels", labels, "--out", out, code=INVALID).stderr
    assert not out.exists()


def test_inspect_shows_what_is_in_a_model():
    found = json.loads(andon("inspect", MODEL, "--runs", 2, "--json").stdout)
    assert found["inputs"] == ["images float32 [1,3,320,320]"]
    assert found["gflop"] > 0.1 and found["parameters"] > 100_000 and found["activationBytes"] > 0
    assert found["times"] and found["totalMs"] > 0
    assert "GFLOP" in andon("inspect", MODEL, "--runs", 0).stdout


@pytest.mark.skipif(not (SHARED / "models").is_dir(), reason="needs $ANDON_SHARED")
def test_a_full_size_detector_is_cut_quantised_and_as_good(tmp_path):
    model = SHARED / "models" / "scratch-yolov8n-320.onnx"
    tags = SHARED / "metal-tags"
    out = tmp_path / "small.onnx"
    report = optimize(model, "--calibrate", tags / "train" / "images", "--eval-images",
                      tags / "dev" / "images", "--eval-labels", tags / "dev" / "annotations.json",
                      "--out", out)
    assert report["head"] == "yolov8_dfl, cut off"
    assert out.stat().st_size <= 0.30 * model.stat().st_size
    assert report["gate"]["drop"] <= 0.01
    outputs = json.loads(andon("inspect", out, "--runs", 0, "--json").stdout)["outputs"]
    assert outputs[0] == "boxes_8 float32 [1,64,40,40]"
    assert outputs[5] == "scores_32 float32 [1,1,10,10]"
