# SPDX-License-Identifier: Apache-2.0
"""A small labelled data set that is drawn for the tests: bright bars on dark, noisy plates."""
import json

import cv2
import numpy as np
import pytest

SIDE = 128


def draw_bars(directory, count, seed, size=(160, 120)):
    """Writes `count` pictures of 0 to 3 bars each, and their COCO annotations."""
    rng = np.random.default_rng(seed)
    (directory / "images").mkdir(parents=True)
    images, annotations = [], []
    for i in range(count):
        width, height = size
        picture = rng.normal(60, 6, (height, width, 3))
        for _ in range(rng.integers(0, 4) if i else 2):
            w, h = (int(v) for v in rng.integers(14, 50, 2))
            x, y = int(rng.integers(2, width - w - 2)), int(rng.integers(2, height - h - 2))
            picture[y:y + h, x:x + w] += 120
            annotations.append({"id": len(annotations) + 1, "image_id": i + 1, "category_id": 1,
                                "bbox": [x, y, w, h], "area": w * h, "iscrowd": 0})
        name = f"{i:03}.png"
        cv2.imwrite(str(directory / "images" / name), picture.clip(0, 255).astype(np.uint8))
        images.append({"id": i + 1, "file_name": name, "width": width, "height": height})
    coco = {"images": images, "annotations": annotations,
            "categories": [{"id": 1, "name": "bar"}]}
    (directory / "annotations.json").write_text(json.dumps(coco), encoding="utf-8")
    return directory


@pytest.fixture(scope="session")
def bars(tmp_path_factory):
    """Directories `train` (48 pictures) and `val` (24 others)."""
    root = tmp_path_factory.mktemp("bars")
    draw_bars(root / "train", 48, seed=1)
    draw_bars(root / "val", 24, seed=2)
    return root


@pytest.fixture
def few_bars(tmp_path):
    """A directory of its own to spoil: 4 pictures."""
    return draw_bars(tmp_path / "few", 4, seed=3)


def training_options(data, out, *more):
    """The options of `andon-train train` for a small run."""
    from andon_train import cli
    return cli.parser().parse_args([
        "train", "--train", str(data / "train"), "--val", str(data / "val"), "--out", str(out),
        "--side", str(SIDE), "--width", "0.125", "--threads", "1", "--device", "cpu",
        "--seed", "5", *more])
