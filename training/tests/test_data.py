# SPDX-License-Identifier: Apache-2.0
"""Wrong images and labels are named with their file and place; then the run stops or goes on."""
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from andon_train import cli, data, letterbox
from andon_train.augment import Augmenter
from andon_train.errors import DataError


def change(directory, spoil):
    path = directory / "annotations.json"
    coco = json.loads(path.read_text(encoding="utf-8"))
    spoil(coco)
    path.write_text(json.dumps(coco), encoding="utf-8")


def first_label(key, value):
    return lambda coco: coco["annotations"][0].update({key: value})


# tests/data/labels.json has many more, for this reader and that of `andon model eval`.
SPOILT_LABELS = {
    "box outside": (first_label("bbox", [160, 10, 40, 20]), "lies outside its picture (160x120)"),
    "box of three": (first_label("bbox", [1, 2, 3]), "must be [x, y, width, height]"),
    "box missing": (lambda coco: coco["annotations"][0].pop("bbox"), "is missing"),
    "unknown image": (first_label("image_id", 77), "there is no picture with the id 77"),
    "unknown category": (first_label("category_id", 9), "there is no category with the id 9"),
}


@pytest.mark.parametrize("name", SPOILT_LABELS)
def test_a_wrong_label_stops_the_run_and_is_named(few_bars, name):
    spoil, message = SPOILT_LABELS[name]
    change(few_bars, spoil)
    with pytest.raises(DataError) as caught:
        data.load([few_bars])
    assert message in str(caught.value)
    assert f"{few_bars / 'annotations.json'}: annotations[0]" in str(caught.value)


@pytest.mark.parametrize("name", SPOILT_LABELS)
def test_a_wrong_label_is_left_out_when_asked(few_bars, name, capsys):
    labels_before = sum(len(s.boxes) for s in data.load([few_bars]).samples)
    spoil, message = SPOILT_LABELS[name]
    change(few_bars, spoil)
    dataset = data.load([few_bars], on_error="skip")
    assert sum(len(s.boxes) for s in dataset.samples) == labels_before - 1
    assert len(dataset) == 4
    assert message in capsys.readouterr().err


def remove_image(directory):
    (directory / "images" / "001.png").unlink()


def truncate_image(directory):
    path = directory / "images" / "001.png"
    path.write_bytes(path.read_bytes()[:40])


@pytest.mark.parametrize("spoil, message", [(remove_image, "there is no such file"),
                                            (truncate_image, "is a damaged or truncated PNG")])
def test_an_image_that_cannot_be_read_is_named_or_left_out(few_bars, spoil, message, capsys):
    spoil(few_bars)
    with pytest.raises(DataError, match=rf"images\[1\].*001\.png: {message}"):
        data.load([few_bars])
    assert len(data.load([few_bars], on_error="skip")) == 3
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("spoil, message", [
    (lambda coco: coco.pop("images"), 'it has no "images"'),
    (lambda coco: coco.update(annotations={}), "annotations is not a list"),
    (lambda coco: coco.update(categories=[]), "categories is empty"),
    (lambda coco: coco.update(categories=[{"name": "bar"}]), r"categories\[0\].id is missing"),
    (lambda coco: coco.update(images=["a.png"]), r"images\[0\] is not an object"),
    (lambda coco: coco.update(annotations=[7]), r"annotations\[0\] is not an object"),
    (lambda coco: coco["images"].append(dict(coco["images"][0])),
     r"images\[4\].id: another picture has the id 1 too"),
    (lambda coco: coco.update(images=[], annotations=[]), "images is empty"),
])
def test_a_file_that_is_not_coco_is_refused(few_bars, spoil, message):
    change(few_bars, spoil)
    with pytest.raises(DataError, match=message):
        data.load([few_bars])


def test_broken_json_is_named_with_its_line(few_bars):
    (few_bars / "annotations.json").write_text('{\n "images": [,]\n}', encoding="utf-8")
    with pytest.raises(DataError, match="annotations.json:2: not valid JSON"):
        data.load([few_bars])


def test_categories_that_the_first_directory_has_not_are_refused(bars, few_bars):
    change(few_bars, lambda coco: coco["categories"].append({"id": 2, "name": "dent"}))
    with pytest.raises(DataError, match=r"categories \['dent'\] are not among the classes"):
        data.load([bars / "train", few_bars])


def test_a_box_that_reaches_past_the_edge_by_a_pixel_is_clipped(few_bars):
    change(few_bars, first_label("bbox", [130, 90, 30.8, 30.5]))
    box = data.load([few_bars]).samples[0].boxes[0]
    assert box.tolist() == [130, 90, 160, 120]


def test_crowds_and_boxes_without_area_are_not_learnt(few_bars):
    labels_before = sum(len(s.boxes) for s in data.load([few_bars]).samples)
    change(few_bars, first_label("iscrowd", 1))
    change(few_bars, lambda coco: coco["annotations"][1].update(bbox=[10, 10, 0, 20]))
    assert sum(len(s.boxes) for s in data.load([few_bars]).samples) == labels_before - 2


@pytest.mark.parametrize("size", [(1, 400), (400, 1), (1, 1)])
def test_a_picture_of_one_row_is_letterboxed(size):
    image = np.full((*size, 3), 255, np.uint8)
    canvas, *_ = letterbox.letterbox(image, 64)
    assert (canvas == 255).any()


@pytest.mark.parametrize("size", [(1, 400), (400, 1)])
def test_a_picture_of_one_row_is_augmented(size):
    sample = data.Sample(Path("a.png"), np.full((*size, 3), 255, np.uint8),
                         np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    augmenter = Augmenter(data.Dataset(["bar"], [sample]), 64, seed=1)
    for _ in range(50):
        assert augmenter.sample(0, 0.5)[0].shape == (64, 64, 3)


def test_the_letterbox_keeps_the_shape_and_centres():
    image = np.full((100, 200, 3), 255, np.uint8)
    canvas, ratio, left, top = letterbox.letterbox(image, 64)
    assert (canvas.shape, ratio, left, top) == ((64, 64, 3), 0.32, 0, 16)
    assert (canvas[:16] == letterbox.PAD).all() and (canvas[16:48] == 255).all()
    assert (canvas[48:] == letterbox.PAD).all()


def test_the_network_gets_red_first(few_bars):
    image = np.zeros((2, 2, 3), np.uint8)
    image[..., 2] = 255
    assert letterbox.to_array(image)[:, 0, 0].tolist() == [1, 0, 0]


def test_the_command_ends_with_1_and_the_reason(tmp_path, bars, capsys):
    code = cli.main(["train", "--train", str(tmp_path / "nowhere"), "--val", str(bars / "val"),
                     "--out", str(tmp_path / "run")])
    assert code == 1
    assert "annotations.json: there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize("option, value", [("--side", "0"), ("--side", "100"), ("--batch", "-1"),
                                           ("--epochs", "many"), ("--mosaic", "2")])
def test_options_that_mean_nothing_are_refused_by_name(bars, tmp_path, option, value, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", "--train", str(bars / "train"), "--val", str(bars / "val"),
                  "--out", str(tmp_path), option, value])
    assert ended.value.code == 2
    assert option in capsys.readouterr().err


def test_check_tells_what_there_is(bars, capsys):
    assert cli.main(["check", str(bars / "train"), str(bars / "val")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["images"] == 72 and told["classes"] == ["bar"] and told["objects"] > 0


def test_an_onnx_file_that_is_none_is_refused(tmp_path, bars, capsys):
    (tmp_path / "model.onnx").write_bytes(b"no model")
    code = cli.main(["evaluate", str(tmp_path / "model.onnx"), "--data", str(bars / "val")])
    assert code == 1
    assert "model.onnx" in capsys.readouterr().err


def test_a_checkpoint_that_is_none_is_refused(tmp_path, capsys):
    (tmp_path / "best.pt").write_bytes(b"no checkpoint")
    assert cli.main(["export", str(tmp_path / "best.pt"), str(tmp_path / "model.onnx")]) == 1
    assert "best.pt" in capsys.readouterr().err
    assert not (tmp_path / "model.onnx").exists()


def test_grey_and_16_bit_images_are_read(few_bars):
    grey = np.full((120, 160), 40000, np.uint16)
    cv2.imwrite(str(few_bars / "images" / "001.png"), grey)
    assert data.load([few_bars]).samples[1].image.shape == (120, 160, 3)


def test_yolos_labels_are_those_of_coco(few_bars, capsys):
    expected = data.load([few_bars])
    coco = json.loads((few_bars / "annotations.json").read_text(encoding="utf-8"))
    (few_bars / "annotations.json").unlink()
    (few_bars / "labels").mkdir()
    classes = sorted(coco["categories"], key=lambda category: category["id"])
    (few_bars / "classes.txt").write_text("".join(f"{it['name']}\n" for it in classes))
    order = [category["id"] for category in classes]
    for image in coco["images"]:
        rows = [(order.index(it["category_id"]), *it["bbox"]) for it in coco["annotations"]
                if it["image_id"] == image["id"]]
        (few_bars / "labels" / image["file_name"]).with_suffix(".txt").write_text("".join(
            f"{c} {(x + w / 2) / 160!r} {(y + h / 2) / 120!r} {w / 160!r} {h / 120!r}\n"
            for c, x, y, w, h in rows))
    read = data.load([few_bars])
    assert read.names == expected.names
    for ours, theirs in zip(read.samples, expected.samples, strict=True):
        assert ours.path == theirs.path
        assert ours.labels.tolist() == theirs.labels.tolist()
        assert np.allclose(ours.boxes, theirs.boxes, atol=1e-3)
    assert capsys.readouterr().err == ""
    (few_bars / "labels" / "000.txt").write_text("7 0.5 0.5 0.1 0.1\n")
    with pytest.raises(DataError, match=r"000\.txt:1: there is no class 7"):
        data.load([few_bars])
