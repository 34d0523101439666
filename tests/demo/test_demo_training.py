# SPDX-License-Identifier: Apache-2.0
"""`andon demo --train --once` with a quick command in the trainer's place: from a commit to
detections."""
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from training import EXAMPLE

MODEL = EXAMPLE / "model" / "model.onnx"
COMMAND = 'test -d "$SM_CHANNEL_TRAINING/images" && cp model.onnx "$SM_MODEL_DIR/"'


@pytest.fixture(name="place")
def fixture_place():
    # Jobs have a /tmp of their own: what they are to see of a test cannot lie in pytest's.
    with tempfile.TemporaryDirectory(prefix="andon-", dir="/var/tmp") as directory:
        trainer = Path(directory) / "trainer"
        trainer.mkdir()
        shutil.copy(MODEL, trainer / "model.onnx")
        yield Path(directory)


def demo(place, **changed):
    options = {"example": EXAMPLE, "out": place / "out", "trainer": place / "trainer",
               "train-command": COMMAND, "train-pictures": 6, **changed}
    return subprocess.run(
        [str(Path(os.environ["ANDON_BIN"]) / "andon"), "demo", "--train", "--once",
         *(f"--{name}={value}" for name, value in options.items())],
        capture_output=True, text=True, timeout=900, check=False)


def test_a_commit_and_a_data_set_become_detections(place):
    ended = demo(place)
    assert ended.returncode == 0, ended.stderr
    said = ended.stdout + ended.stderr
    for task in ("Checkout", "CheckDataSet", "Train", "Evaluate", "Register", "Optimise",
                 "WaitForApproval", "Ship"):
        assert f"s  {task}\n" in said
    assert "andon model approve metal-tags@1" in said
    assert f"sha256:{hashlib.sha256(MODEL.read_bytes()).hexdigest()}" in said
    lines = (place / "out" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    images = sorted(path.name for path in (EXAMPLE / "images").glob("*.jpg"))
    assert sorted(json.loads(line)["image"]["name"] for line in lines) == images


def test_a_model_that_is_not_good_enough_ends_the_demo_with_that_reason(place):
    ended = demo(place, **{"min-map": 0.99})
    assert ended.returncode == 9, ended.stderr
    assert "Pipeline.BelowThreshold: not registered: mAP50-95 is 0." in ended.stderr


@pytest.mark.parametrize("changed, message", [
    ({"trainer": "/no/such/directory"}, "--trainer '/no/such/directory' is not a directory"),
    ({"out": "/tmp/andon-demo-out"}, "jobs have a /tmp of their own"),
])
def test_what_is_missing_is_named_before_anything_is_made(place, changed, message):
    ended = demo(place, **changed)
    assert ended.returncode not in (0, 1) and message in ended.stderr
    assert not (place / "out").exists() and not Path("/tmp/andon-demo-out").exists()
