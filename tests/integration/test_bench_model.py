# SPDX-License-Identifier: Apache-2.0
"""`./dev bench model` without the runtimes it compares with, which are no part of the tests: what it says
then, and its own arithmetic."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench/model/against.py"

sys.path.insert(0, str(BENCH.parent))
import against  # noqa: E402


def bench(*arguments):
    return subprocess.run([sys.executable, str(BENCH), *map(str, arguments)], cwd=ROOT, text=True,
                          capture_output=True, timeout=120)


@pytest.mark.parametrize("asked, named", [([], "onnxruntime"),
                                          (["--against", "onnxruntime,litert"], "onnxruntime")])
def test_a_runtime_that_is_not_installed_is_named_with_the_command_that_installs_it(tmp_path, asked, named):
    model = tmp_path / "model.onnx"
    model.write_bytes(b"whatever")
    done = bench(model, "--float", model, "--images", tmp_path, "--program", sys.executable, "--peers",
                 tmp_path / "none", *asked)
    assert done.returncode == 1
    assert f"{named} is not installed: ./dev bench model --install {named}" in done.stderr


def test_only_a_runtime_that_is_there_can_be_named(tmp_path):
    model = tmp_path / "model.onnx"
    model.write_bytes(b"whatever")
    done = bench(model, "--float", model, "--images", tmp_path, "--program", sys.executable, "--against",
                 "tensorrt")
    assert done.returncode == 2
    assert "there are onnxruntime, litert, openvino, ncnn, mnn" in done.stderr


def test_each_runtime_can_be_installed_in_pinned_versions():
    for runtime in against.PRECISIONS:
        lines = (BENCH.parent / "peers" / f"{runtime}.txt").read_text().split()
        assert lines and all("==" in line for line in lines), runtime


def test_boxes_are_decoded_from_distances_and_suppressed():
    boxes = np.zeros((1, 64, 4, 4), np.float32)
    scores = np.full((1, 1, 4, 4), -9, np.float32)
    for y, x in ((1, 1), (1, 2)):  # both say the same box: 8..24 across, 4..20 down
        for side, distance in enumerate((x - 0.5, 1, 2.5 - x, 1)):
            low = int(distance)
            boxes[0, side * 16 + low, y, x] = 50 + np.log(1 - (distance - low))
            boxes[0, side * 16 + low + 1, y, x] = 50 + np.log(max(distance - low, 1e-9))
        scores[0, 0, y, x] = x
    found = against.boxes_of({"boxes_8": boxes, "scores_8": scores}, 0)
    assert len(found) == 1
    assert found[0][:4] == pytest.approx([8, 4, 24, 20], abs=1e-3)
    assert found[0][4] == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-6)


def test_outputs_with_channels_last_and_without_names_are_recognised():
    value = np.arange(2 * 5 * 3 * 4, dtype=np.float32).reshape(2, 5, 3, 4)
    other = np.zeros((2, 7, 3, 4), np.float32)
    found = against.by_reference({"0": other.transpose(0, 2, 3, 1), "1": value.transpose(0, 2, 3, 1)},
                                 {"a": value.shape, "b": other.shape})
    assert np.array_equal(found["a"], value) and np.array_equal(found["b"], other)
    assert against.by_reference({"0": value}, {"a": (2, 6, 3, 4)}) is None


def test_similarity_is_that_of_model_compare():
    box = [0, 0, 10, 10, 0.8, 0]
    assert against.similarity([[box]], [[box]]) == 1
    assert against.similarity([[box]], [[[0, 0, 10, 10, 0.6, 0]]]) == pytest.approx(0.8)
    assert against.similarity([[box]], [[[0, 0, 10, 10, 0.8, 1]]]) == 0  # another class
    assert against.similarity([[box]], [[]]) == 0
    # A partner below the threshold is one; two such are none.
    assert against.similarity([[[0, 0, 10, 10, 0.26, 0]]], [[[0, 0, 10, 10, 0.24, 0]]]) == pytest.approx(0.98)
    assert against.similarity([[[0, 0, 10, 10, 0.2, 0]]], [[]]) is None


def test_a_picture_is_letterboxed_and_boxes_find_back(tmp_path):
    Image.fromarray(np.full((30, 60, 3), 200, np.uint8)).save(tmp_path / "a.png")
    box = against.Letterbox(tmp_path / "a.png", 32, 32)
    assert box.tensor.shape == (3, 32, 32)
    assert box.tensor[0, 0, 0] == pytest.approx(114 / 255)
    assert box.tensor[0, 16, 16] == pytest.approx(200 / 255)
    assert box.in_picture([0, 8, 32, 24, 0.5, 0]) == pytest.approx([0, 0, 60, 30, 0.5, 0])
