# SPDX-License-Identifier: Apache-2.0
"""Wrong images and labels are named with their file and place; then the run stops or goes on."""
import json

import cv2
import numpy as np
import pytest

from andon_train import cli, data


def change(directory, spoil):
    path = directory / "annotations.json"
    coco = json.loads(path.read_text(encoding="utf-8"))
    spoil(coco)
    path.write_text(json.dumps(coco), encoding="utf-8")


def first_label(key, value):
    return lambda coco: coco["annotations"][0].update({key: value})


SPOILT_LABELS = {
    "box outside": (first_label("bbox", [150, 10, 40, 20]), "lies outside the 160x120 image"),
    "box without area": (first_label("bbox", [10, 10, 0, 20]), "has no area"),
    "box not finite": (first_label("bbox", [10, 10, float("nan"), 20]), "is not four numbers"),
    "box of three": (first_label("bbox", [1, 2, 3]), "is not four numbers"),
    "box missing": (lambda coco: coco["annotations"][0].pop("bbox"), "is not four numbers"),
    "unknown image": (first_label("image_id", 77), "image_id 77 is no image's id"),
    "unknown category": (first_label("category_id", 9), "category_id 9 is no category's id"),
}


@pytest.mark.parametrize("name", SPOILT_LABELS)
def test_a_wrong_label_stops_the_run_and_is_named(few_bars, name):
    spoil, message = SPOILT_LABELS[name]
    change(few_bars, spoil)
    with pytest.raises(data.DataError) as caught:
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
                                            (truncate_image, "cannot be decoded")])
def test_an_image_that_cannot_be_read_is_named_or_left_out(few_bars, spoil, message, capsys):
    spoil(few_bars)
    with pytest.raises(data.DataError, match=rf"images\[1\].*001\.png: {message}"):
        data.load([few_bars])
    assert len(data.load([few_bars], on_error="skip")) == 3
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("spoil, message", [
    (lambda coco: coco.pop("images"), "'images' must be a list"),
    (lambda coco: coco.update(annotations={}), "'annotations' must be a list"),
    (lambda coco: coco.update(categories=[]), "'categories' is empty"),
    (lambda coco: coco.update(categories=[{"name": "bar"}]), r"categories\[0\] .* id and a name"),
    (lambda coco: coco.update(images=["a.png"]), r"images\[0\] must be an object"),
    (lambda coco: coco.update(annotations=[7]), r"annotations\[0\] must be an object"),
    (lambda coco: coco["images"].append(dict(coco["images"][0])), r"images\[4\]: id 1 is taken"),
    (lambda coco: coco.update(images=[], annotations=[]), "no image could be read"),
])
def test_a_file_that_is_not_coco_is_refused(few_bars, spoil, message):
    change(few_bars, spoil)
    with pytest.raises(data.DataError, match=message):
        data.load([few_bars])


def test_broken_json_is_named_with_its_line(few_bars):
    (few_bars / "annotations.json").write_text('{\n "images": [,]\n}', encoding="utf-8")
    with pytest.raises(data.DataError, match="annotations.json:2: not valid JSON"):
        data.load([few_bars])


def test_categories_that_the_first_directory_has_not_are_refused(bars, few_bars):
    change(few_bars, lambda coco: coco["categories"].append({"id": 2, "name": "dent"}))
    with pytest.raises(data.DataError, match=r"categories \['dent'\] are not among the classes"):
        data.load([bars / "train", few_bars])


def test_a_box_that_reaches_past_the_edge_by_a_pixel_is_clipped(few_bars):
    change(few_bars, first_label("bbox", [130, 90, 30.8, 30.5]))
    box = data.load([few_bars]).samples[0].boxes[0]
    assert box.tolist() == [130, 90, 160, 120]


def test_the_letterbox_keeps_the_shape_and_centres():
    image = np.full((100, 200, 3), 255, np.uint8)
    canvas, ratio, left, top = data.letterbox(image, 64)
    assert (canvas.shape, ratio, left, top) == ((64, 64, 3), 0.32, 0, 16)
    assert (canvas[:16] == data.PAD).all() and (canvas[16:48] == 255).all()
    assert (canvas[48:] == data.PAD).all()


def test_the_network_gets_red_first(few_bars):
    image = np.zeros((2, 2, 3), np.uint8)
    image[..., 2] = 255
    assert data.to_array(image)[:, 0, 0].tolist() == [1, 0, 0]


def test_the_command_ends_with_1_and_the_reason(tmp_path, bars, capsys):
    code = cli.main(["train", "--train", str(tmp_path / "nowhere"), "--val", str(bars / "val"),
                     "--out", str(tmp_path / "run")])
    assert code == 1
    assert "annotations.json: there is no such file" in capsys.readouterr().err


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
