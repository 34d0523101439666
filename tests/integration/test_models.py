# SPDX-License-Identifier: Apache-2.0
"""A model is opened in one way, whatever opens it: its description, its weights in other files, bare
names, links. The models are small ones like those that people reported (tests/data/models)."""
import hashlib
import json
import os
import shutil
import subprocess

import pytest

from harness import ROOT, program

CASES = ROOT / "tests" / "data" / "models"
INVALID, GATE = 3, 20


def run(name, *arguments, code=0, cwd=None):
    ended = subprocess.run([program(name), *map(str, arguments)], capture_output=True, text=True,
                           timeout=120, check=False, cwd=cwd)
    assert ended.returncode == code, (ended.returncode, ended.stderr, ended.stdout)
    return ended


def inspect(tmp_path, model, source, **options):
    """The messages of andon-inspect, by the image's name."""
    out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
    run("andon-inspect", "--model", model, "--source", source, "--out", out, "--once", **options)
    lines = (out / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return {message["image"]["name"]: message for message in map(json.loads, lines)}


@pytest.fixture(name="bgr")
def fixture_bgr(tmp_path):
    """A model that finds red only where its description says that it wants blue first."""
    return shutil.copytree(CASES / "bgr", tmp_path / "bgr")


@pytest.fixture(name="external")
def fixture_external(tmp_path):
    """A model with its weights in m.onnx.data, and a picture."""
    folder = shutil.copytree(CASES / "external", tmp_path / "external")
    shutil.copy(CASES / "bgr" / "red.png", folder / "red.png")
    return folder


def map_of(model, folder):
    ended = run("andon", "model", "eval", model, "--images", folder, "--labels",
                folder / "labels.json", "--json")
    return json.loads(ended.stdout)["averagePrecision"]["mAP50_95"]


def test_every_program_reads_what_is_said_beside_the_model(tmp_path, bgr):
    model = bgr / "bgr.onnx"
    found = inspect(tmp_path, model, bgr / "red.png")["red.png"]["detections"]
    assert len(found) == 1
    assert map_of(model, bgr) > 0.99
    compared = run("andon", "model", "compare", model, model, "--images", bgr, "--runs", 1, "--json")
    assert json.loads(compared.stdout)["agreement"]["similarity"] == 1
    run("andon", "model", "bench", model, "--images", bgr, "--runs", 1, "--seconds", 1)
    # One that is wrong is refused by all.
    (bgr / "bgr.yaml").write_text("chanels: bgr\n")
    for command in (["eval", model, "--images", bgr, "--labels", bgr / "labels.json"],
                    ["bench", model], ["compare", model, model, "--images", bgr],
                    ["optimize", model, "--weights", "float32", "--out", tmp_path / "o.onnx"],
                    ["inspect", model]):
        assert "chanels" in run("andon", "model", *command, code=INVALID).stderr
    assert "chanels" in run("andon-inspect", "--model", model, "--source", bgr, "--out",
                            tmp_path / "o", "--once", code=INVALID).stderr


def test_an_optimised_model_keeps_its_description(tmp_path, bgr):
    out = tmp_path / "small.onnx"
    run("andon", "model", "optimize", bgr / "bgr.onnx", "--weights", "float32", "--out", out,
        "--eval-images", bgr, "--eval-labels", bgr / "labels.json")
    assert (tmp_path / "small.yaml").read_text() == 'channels: "bgr"\n'
    assert map_of(out, bgr) > 0.99
    # A description that the original does not have would change what the new model means.
    (bgr / "bgr.yaml").unlink()
    error = run("andon", "model", "optimize", bgr / "bgr.onnx", "--weights", "float32", "--out", out,
                code=INVALID).stderr
    assert "small.yaml would describe the new model" in error


def test_weights_in_another_file_are_read_by_every_program(tmp_path, external):
    model = external / "m.onnx"
    assert inspect(tmp_path, model, external / "red.png")["red.png"].get("error") is None
    run("andon", "model", "bench", model, "--runs", 1, "--seconds", 1)
    run("andon", "model", "compare", model, model, "--images", external, "--runs", 1)
    facts = json.loads(run("andon", "model", "inspect", model, "--runs", 0, "--json").stdout)
    assert facts["bytes"] == model.stat().st_size + (external / "m.onnx.data").stat().st_size
    out = tmp_path / "one.onnx"
    run("andon", "model", "optimize", model, "--weights", "float32", "--out", out)
    run("andon", "model", "bench", out, "--runs", 1, "--seconds", 1)
    (external / "m.onnx.data").unlink()
    for arguments in (["model", "bench", model], ["model", "inspect", model],
                      ["model", "compare", model, model, "--images", external]):
        assert "m.onnx.data" in run("andon", *arguments, code=INVALID).stderr


def test_a_bare_name_and_links_open_a_model(tmp_path, external):
    picture = external / "red.png"
    whole = inspect(tmp_path, external / "m.onnx", picture)["red.png"]
    bare = inspect(tmp_path, "m.onnx", picture, cwd=external)["red.png"]
    assert bare["detections"] == whole["detections"]
    run("andon", "model", "bench", "m.onnx", "--runs", 1, "--seconds", 1, cwd=external)
    # As Hugging Face's cache has it: each name is a link to a blob without an ending.
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "1"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for name in ("m.onnx", "m.onnx.data"):
        blob = blobs / hashlib.sha256((external / name).read_bytes()).hexdigest()
        shutil.copy(external / name, blob)
        (snapshot / name).symlink_to(os.path.relpath(blob, snapshot))
    linked = inspect(tmp_path, snapshot / "m.onnx", picture)["red.png"]
    assert linked["detections"] == whole["detections"]
    assert linked["model"]["sha256"] == whole["model"]["sha256"]


def test_the_digest_of_a_model_is_over_all_its_files(tmp_path, external):
    model, picture = external / "m.onnx", external / "red.png"

    def digest():
        facts = json.loads(run("andon", "model", "inspect", model, "--runs", 0, "--json").stdout)
        told = inspect(tmp_path, model, picture)["red.png"]["model"]["sha256"]
        assert facts["digest"] == "sha256:" + told
        return told

    lines = f"model {hashlib.sha256(model.read_bytes()).hexdigest()}\n"
    data = f"weights {hashlib.sha256((external / 'm.onnx.data').read_bytes()).hexdigest()}"
    assert digest() == hashlib.sha256(f"{lines}{data} m.onnx.data\n".encode()).hexdigest()
    (external / "m.yaml").write_text("labels: [dent]\n")
    described = digest()
    weights = bytearray((external / "m.onnx.data").read_bytes())
    weights[0] ^= 1
    (external / "m.onnx.data").write_bytes(weights)
    assert digest() != described
