# SPDX-License-Identifier: Apache-2.0
"""Keypoints and turned boxes as andon-inspect publishes them, against a second implementation of what
Ultralytics documents: suppression by confidence and class, the likeness of turned boxes as normal
distributions (arXiv 2106.06072), and the way back from the letterbox, in numpy. And what programs say
of a model that could be read in two ways. The models are written here, byte by byte."""
import json
import math
import subprocess

import numpy
import pytest
from PIL import Image

from harness import ROOT, program

CASES = ROOT / "tests" / "data" / "models"
INVALID = 3
INPUT = 96
ANCHORS = 12 * 12 + 6 * 6 + 3 * 3
PICTURE = (200, 130)  # scaled to 96x62 by ratios that differ, 17 pixels of padding above
CLASSES = 3
CONFIDENCE, IOU = 0.25, 0.7


# Protobuf, as far as it is needed: numbers, and everything else by its bytes.
def varint(value):
    parts = b""
    while value >= 128:
        parts += bytes([value % 128 + 128])
        value //= 128
    return parts + bytes([value])


def number(field, value):
    return varint(field * 8) + varint(value)


def text(field, value):
    value = value if isinstance(value, bytes) else value.encode()
    return varint(field * 8 + 2) + varint(len(value)) + value


def tensor(name, values):
    values = numpy.asarray(values, dtype="<f4")
    return (b"".join(number(1, side) for side in values.shape) + number(2, 1) + text(8, name) +
            text(9, values.tobytes()))


def node(operation, inputs, output, attribute=b""):
    return b"".join(text(1, name) for name in inputs) + text(2, output) + text(4, operation) + attribute


def value_info(name, shape):
    sides = b"".join(text(1, number(1, side)) for side in shape)
    return text(1, name) + text(2, text(1, number(1, 1) + text(2, sides)))


def write_model(path, values, metadata):
    """A model that gives these values whatever the picture: mean * 0 + values."""
    keep = text(5, text(1, "keepdims") + number(3, 0) + number(20, 2))
    graph = (text(1, node("ReduceMean", ["images"], "mean", keep)) +
             text(1, node("Mul", ["mean", "zero"], "nothing")) +
             text(1, node("Add", ["nothing", "values"], "output0")) + text(2, "tiny") +
             text(5, tensor("zero", numpy.zeros(()))) + text(5, tensor("values", values)) +
             text(11, value_info("images", (1, 3, INPUT, INPUT))) +
             text(12, value_info("output0", values.shape)))
    model = number(1, 8) + text(7, graph) + text(8, text(1, "") + number(2, 13))
    model += b"".join(text(14, text(1, key) + text(2, value)) for key, value in metadata.items())
    path.write_bytes(model)
    return path


def run(*arguments, code=0):
    ended = subprocess.run([program(arguments[0]), *map(str, arguments[1:])], capture_output=True,
                           text=True, timeout=120, check=False)
    assert ended.returncode == code, (ended.returncode, ended.stderr, ended.stdout)
    return ended


def inspect(tmp_path, model):
    picture = tmp_path / "picture.png"
    Image.new("RGB", PICTURE, (90, 120, 150)).save(picture)
    run("andon-inspect", "--model", model, "--source", picture, "--out", tmp_path / "out", "--once",
        "--annotate")
    assert len(list((tmp_path / "out" / "annotated").iterdir())) == 1
    lines = (tmp_path / "out" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1
    return json.loads(lines[0])["detections"]


# What Ultralytics documents, in numpy. Planes [channels, anchors] to rows by falling score.
def candidates(planes):
    scores = planes[4:4 + CLASSES]
    best = scores.max(axis=0)
    order = [i for i in numpy.argsort(-best, kind="stable") if best[i] > CONFIDENCE]
    return [(planes[:4, i], float(best[i]), int(scores[:, i].argmax()), planes[4 + CLASSES:, i])
            for i in order]


def covariance(box):
    wide, high, angle = box[2] ** 2 / 12, box[3] ** 2 / 12, box[4]
    cosine, sine = math.cos(angle), math.sin(angle)
    return (wide * cosine ** 2 + high * sine ** 2, wide * sine ** 2 + high * cosine ** 2,
            (wide - high) * cosine * sine)


def probabilistic_iou(one, other, little=1e-7):
    a1, b1, c1 = covariance(one)
    a2, b2, c2 = covariance(other)
    both = (a1 + a2) * (b1 + b2) - (c1 + c2) ** 2
    x, y = one[0] - other[0], one[1] - other[1]
    distance = ((a1 + a2) * y ** 2 + (b1 + b2) * x ** 2) / (both + little) / 4
    distance += (c1 + c2) * -x * y / (both + little) / 2
    own = max(a1 * b1 - c1 ** 2, 0) * max(a2 * b2 - c2 ** 2, 0)
    distance += math.log(both / (4 * math.sqrt(own) + little) + little) / 2
    distance = min(max(distance, little), 100)
    return 1 - math.sqrt(1 - math.exp(-distance) + little)


def upright_iou(one, other):
    def corners(box):
        return (box[0] - box[2] / 2, box[1] - box[3] / 2, box[0] + box[2] / 2, box[1] + box[3] / 2)
    left, right = corners(one), corners(other)
    width = min(left[2], right[2]) - max(left[0], right[0])
    height = min(left[3], right[3]) - max(left[1], right[1])
    if width <= 0 or height <= 0:
        return 0
    return width * height / (one[2] * one[3] + other[2] * other[3] - width * height)


def letterbox():
    gain = min(INPUT / PICTURE[0], INPUT / PICTURE[1])
    scaled = [round(side * gain) for side in PICTURE]
    ratios = [new / old for new, old in zip(scaled, PICTURE)]
    pads = [round((INPUT - new) / 2 - 0.1) for new in scaled]
    return ratios, pads


def to_picture(x, y):
    (ratio_x, ratio_y), (pad_x, pad_y) = letterbox()
    return (x - pad_x) / ratio_x, (y - pad_y) / ratio_y


def clipped(x, y):
    x, y = to_picture(x, y)
    return min(max(x, 0), PICTURE[0]), min(max(y, 0), PICTURE[1])


def around(box):
    """The upright box around a turned one."""
    cosine, sine = abs(math.cos(box[4])), abs(math.sin(box[4]))
    return (*box[:2], box[2] * cosine + box[3] * sine, box[2] * sine + box[3] * cosine)


def is_in_picture(box):
    """Boxes of which nothing lies in the picture are not told."""
    left, top = clipped(box[0] - box[2] / 2, box[1] - box[3] / 2)
    right, bottom = clipped(box[0] + box[2] / 2, box[1] + box[3] / 2)
    return right > left and bottom > top


def random_planes(seed, extra):
    """Crowded: some 60 candidates in 12 places."""
    random = numpy.random.default_rng(seed)
    planes = numpy.zeros((4 + CLASSES + extra, ANCHORS), dtype=numpy.float32)
    places = random.uniform(10, INPUT - 10, (12, 2))
    for anchor in random.permutation(ANCHORS)[:60]:
        planes[:2, anchor] = places[random.integers(12)] + random.normal(0, 1.5, 2)
        planes[2:4, anchor] = random.uniform(8, 30, 2)
        planes[4 + random.integers(CLASSES), anchor] = random.uniform(0.2, 0.99)
    return planes, random


NAMES = "{0: 'a', 1: 'b', 2: 'person'}"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("values", [2, 3])
def test_keypoints_are_those_of_ultralytics(tmp_path, seed, values):
    count = 17 if seed == 0 else 5
    planes, random = random_planes(seed, count * values)
    for k in range(count):
        planes[4 + CLASSES + k * values] = random.uniform(-5, INPUT + 5, ANCHORS)
        planes[4 + CLASSES + k * values + 1] = random.uniform(-5, INPUT + 5, ANCHORS)
        if values == 3:
            planes[4 + CLASSES + k * values + 2] = random.uniform(0, 1, ANCHORS)
    model = write_model(tmp_path / "pose.onnx", planes[None], {
        "task": "pose", "names": NAMES, "kpt_shape": f"[{count}, {values}]", "stride": "32"})
    kept = []
    for box, score, label, extra in candidates(planes):
        if all(other[2] != label or upright_iou(other[0], box) <= IOU for other in kept):
            kept.append((box, score, label, extra))
    kept = [it for it in kept if is_in_picture(it[0])]
    found = inspect(tmp_path, model)
    assert len(found) == len(kept) > 10
    for detection, (box, score, label, extra) in zip(found, kept):
        assert detection["class_id"] == label and abs(detection["confidence"] - score) < 1e-4
        left, top = clipped(box[0] - box[2] / 2, box[1] - box[3] / 2)
        right, bottom = clipped(box[0] + box[2] / 2, box[1] + box[3] / 2)
        numpy.testing.assert_allclose(detection["box"], [left, top, right - left, bottom - top],
                                      atol=0.02)
        wanted = [[*clipped(point[0], point[1]), *point[2:]] for point in extra.reshape(count, values)]
        numpy.testing.assert_allclose(detection["keypoints"], wanted, atol=0.01)


@pytest.mark.parametrize("seed", range(6))
def test_turned_boxes_are_those_of_ultralytics(tmp_path, seed):
    planes, random = random_planes(seed, 1)
    planes[4 + CLASSES] = random.uniform(-math.pi / 4, 3 * math.pi / 4, ANCHORS)
    model = write_model(tmp_path / "obb.onnx", planes[None], {"task": "obb", "names": NAMES})
    everything = [(numpy.append(box, extra[0]).astype(float), score, label)
                  for box, score, label, extra in candidates(planes)]
    # Compared with all that are better, also with those that were dropped.
    kept = [it for i, it in enumerate(everything)
            if all(other[2] != it[2] or probabilistic_iou(other[0], it[0]) <= IOU
                   for other in everything[:i])]
    assert len(everything) > len(kept) > 10
    kept = [it for it in kept if is_in_picture(around(it[0]))]
    found = inspect(tmp_path, model)
    assert len(found) == len(kept)
    (ratio_x, ratio_y), _ = letterbox()
    for detection, (box, score, label) in zip(found, kept):
        assert detection["class_id"] == label and abs(detection["confidence"] - score) < 1e-4
        x, y = to_picture(box[0], box[1])
        width, height, angle = box[2] / ratio_x, box[3] / ratio_y, box[4]
        numpy.testing.assert_allclose(detection["rotated_box"], [x, y, width, height, angle], atol=0.01)
        reach_x = (abs(width * math.cos(angle)) + abs(height * math.sin(angle))) / 2
        reach_y = (abs(width * math.sin(angle)) + abs(height * math.cos(angle))) / 2
        left, right = numpy.clip([x - reach_x, x + reach_x], 0, PICTURE[0])
        top, bottom = numpy.clip([y - reach_y, y + reach_y], 0, PICTURE[1])
        numpy.testing.assert_allclose(detection["box"], [left, top, right - left, bottom - top],
                                      atol=0.02)


def read_as(path):
    found = json.loads(run("andon", "model", "inspect", path, "--runs", 0, "--json").stdout)
    return found["readAs"], found["why"]


def test_inspect_says_what_was_decided_and_why(tmp_path):
    assert read_as(CASES / "yolov5-p6.onnx")[0] == "yolov5"
    assert read_as(CASES / "yolov7-end2end-Nx7.onnx")[0] == "yolov7_end_to_end"
    for name in ("nms-maxdet1-1class.onnx", "nms-maxdet6-2class.onnx"):
        head, why = read_as(CASES / name)
        assert head == "end_to_end" and "nms in args" in why
    shown = run("andon", "model", "inspect", CASES / "yolov5-p6.onnx", "--runs", 0).stdout
    assert "read as     yolov5: it has 255 rows, 3 for each cell over strides of 8 to 64" in shown
    open_model = write_model(tmp_path / "open.onnx", numpy.zeros((1, 6, 6)), {"names": "['a', 'b']"})
    head, why = read_as(open_model)
    assert head is None and "`head: yolov8` or `head: end_to_end`" in why


def test_what_may_be_read_in_two_ways_is_refused_until_it_is_said(tmp_path):
    values = numpy.zeros((1, 6, 6))
    model = write_model(tmp_path / "open.onnx", values, {"names": "['a', 'b']"})
    Image.new("RGB", PICTURE).save(tmp_path / "picture.png")
    arguments = ["andon-inspect", "--model", model, "--source", tmp_path / "picture.png", "--out",
                 tmp_path / "out", "--once"]
    error = run(*arguments, code=INVALID).stderr
    assert "as yolov8 (" in error and "or as end_to_end (" in error and "YAML file" in error
    (tmp_path / "open.yaml").write_text("head: end_to_end\n")
    run(*arguments)
    assert read_as(model) == ("end_to_end", "its description says so")
