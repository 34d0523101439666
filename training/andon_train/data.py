# SPDX-License-Identifier: Apache-2.0
"""COCO-labelled directories: reading them, naming what is wrong in them, letterboxing.

A directory has `annotations.json` (COCO) and `images/`. Problems are collected with file and place;
with `on_error="stop"` the first ends the run, with "skip" the image or label is left out.
"""
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

PAD = 114


class DataError(Exception):
    """Wrong input: the message names the file, the place and the cause."""


@dataclass
class Sample:
    path: Path
    image: np.ndarray   # [H, W, 3] uint8, BGR
    boxes: np.ndarray   # [N, 4] float32, x1 y1 x2 y2 in pixels
    labels: np.ndarray  # [N] int64, indices into Dataset.names


@dataclass
class Dataset:
    names: list
    samples: list = field(default_factory=list)

    def __len__(self):
        return len(self.samples)


class Problems:
    def __init__(self, on_error):
        self.on_error = on_error
        self.count = 0

    def report(self, place, cause):
        self.count += 1
        if self.on_error == "stop":
            raise DataError(f"{place}: {cause} (--on-error skip leaves it out and goes on)")
        print(f"andon-train: skipped: {place}: {cause}", file=sys.stderr)


def _read_annotations(path):
    try:
        coco = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; a data set is a directory with "
                        "annotations.json (COCO) and images/") from None
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from None
    if not isinstance(coco, dict):
        raise DataError(f"{path}: the top level must be an object")
    for key in ("images", "annotations", "categories"):
        if not isinstance(coco.get(key), list):
            raise DataError(f"{path}: '{key}' must be a list, as COCO has it")
        for i, entry in enumerate(coco[key]):
            if not isinstance(entry, dict):
                raise DataError(f"{path}: {key}[{i}] must be an object")
    for i, category in enumerate(coco["categories"]):
        if "id" not in category or "name" not in category:
            raise DataError(f"{path}: categories[{i}] needs an id and a name")
    ids = set()
    for i, image in enumerate(coco["images"]):
        if image.get("id") in ids:
            raise DataError(f"{path}: images[{i}]: id {image['id']} is taken by another image")
        ids.add(image.get("id"))
    if not coco["categories"]:
        raise DataError(f"{path}: 'categories' is empty: there is nothing to detect")
    return coco


def _box_problem(box, width, height):
    if not (isinstance(box, list) and len(box) == 4
            and all(isinstance(v, (int, float)) and np.isfinite(v) for v in box)):
        return f"bbox {box!r} is not four numbers"
    x, y, w, h = box
    if w <= 0 or h <= 0:
        return f"bbox {box} has no area"
    if x < -1 or y < -1 or x + w > width + 1 or y + h > height + 1:
        return f"bbox {box} lies outside the {width}x{height} image"
    return None


def _read_labels(coco, path, problems):
    """Per image id, its (bbox, category id) pairs with their places in the file."""
    known = {image.get("id") for image in coco["images"]}
    labels = {}
    for i, annotation in enumerate(coco["annotations"]):
        place = f"{path}: annotations[{i}]"
        if annotation.get("image_id") not in known:
            problems.report(place, f"image_id {annotation.get('image_id')!r} is no image's id")
            continue
        labels.setdefault(annotation["image_id"], []).append((place, annotation))
    return labels


def load(directories, names=None, on_error="stop"):
    """Reads all images into memory. `names` fixes the classes (of a run that goes on)."""
    dataset = Dataset(names or [])
    problems = Problems(on_error)
    for directory in map(Path, directories):
        path = directory / "annotations.json"
        coco = _read_annotations(path)
        categories = {c["id"]: str(c["name"]) for c in coco["categories"]}
        if not dataset.names:
            dataset.names = [categories[key] for key in sorted(categories)]
        unknown = set(categories.values()) - set(dataset.names)
        if unknown:
            raise DataError(f"{path}: categories {sorted(unknown)} are not among the classes "
                            f"{dataset.names} of the data read before it")
        labels = _read_labels(coco, path, problems)
        for i, entry in enumerate(coco["images"]):
            file = directory / "images" / str(entry.get("file_name"))
            image = cv2.imread(str(file)) if file.is_file() else None
            if image is None:
                cause = "cannot be decoded" if file.is_file() else "there is no such file"
                problems.report(f"{path}: images[{i}]: {file}", cause)
                continue
            height, width = image.shape[:2]
            boxes, classes = [], []
            for place, annotation in labels.get(entry["id"], []):
                cause = _box_problem(annotation.get("bbox"), width, height)
                if annotation.get("category_id") not in categories:
                    cause = f"category_id {annotation.get('category_id')!r} is no category's id"
                if cause:
                    problems.report(place, cause)
                    continue
                x, y, w, h = annotation["bbox"]
                boxes.append((max(0, x), max(0, y), min(width, x + w), min(height, y + h)))
                classes.append(dataset.names.index(categories[annotation["category_id"]]))
            dataset.samples.append(Sample(file, image,
                                          np.array(boxes, np.float32).reshape(-1, 4),
                                          np.array(classes, np.int64)))
    if not dataset.samples:
        raise DataError(f"{', '.join(map(str, directories))}: no image could be read")
    return dataset


def letterbox(image, side):
    """Scaled to fit side x side and centred on grey. Gives canvas, ratio, left, top."""
    h, w = image.shape[:2]
    ratio = min(side / h, side / w)
    nw, nh = round(w * ratio), round(h * ratio)
    left, top = round((side - nw) / 2 - 0.1), round((side - nh) / 2 - 0.1)
    canvas = np.full((side, side, 3), PAD, np.uint8)
    canvas[top:top + nh, left:left + nw] = cv2.resize(image, (nw, nh),
                                                      interpolation=cv2.INTER_LINEAR)
    return canvas, ratio, left, top


def to_array(canvas):
    """BGR uint8 [H, W, 3] -> RGB float32 0..1 [3, H, W]."""
    return np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1)).astype(np.float32) / 255
