# SPDX-License-Identifier: Apache-2.0
"""Labelled directories, read into memory: labels (labels.py, yolo.py), pictures (pictures.py).

A directory has `images/` and `annotations.json` (COCO), or YOLO's `labels/` and `classes.txt`
instead. With `on_error="stop"` the first image or label that is wrong ends the run, with "skip" it
is left out.
"""
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import labels, pictures, yolo
from .errors import DataError, Problems


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


def _read_picture(file, entry):
    image = pictures.read(file)
    height, width = image.shape[:2]
    if entry.size and entry.size != (width, height):
        turned = (" (the file says that it is to be turned, EXIF; boxes have to be those of the "
                  "turned picture)") if entry.size == (height, width) else ""
        raise DataError(f"it has {width}x{height} pixels, the labels say "
                        f"{entry.size[0]}x{entry.size[1]}{turned}")
    return image


def _targets(entry, image, names, problems):
    """Boxes and classes that can be learnt: clipped to the picture, with an area, no crowds."""
    height, width = image.shape[:2]
    boxes, classes = [], []
    for truth in entry.truths:
        x, y, w, h = truth.box
        if x >= width or y >= height or x + w < 0 or y + h < 0:
            problems.report(f"{truth.place}.bbox",
                            f"the box {list(truth.box)} lies outside its picture "
                            f"({width}x{height})")
            continue
        box = max(0, x), max(0, y), min(width, x + w), min(height, y + h)
        if truth.is_crowd or box[2] <= box[0] or box[3] <= box[1]:
            continue
        boxes.append(box)
        classes.append(names.index(truth.category.name))
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(classes, np.int64)


def _size_of(path):
    return pictures.read(path).shape[1::-1]


def load(directories, names=None, on_error="stop"):
    """Reads all images into memory. `names` fixes the classes (of a run that goes on)."""
    dataset = Dataset(names or [])
    problems = Problems(on_error)
    for directory in map(Path, directories):
        path = directory / "annotations.json"
        if yolo.is_set(directory):
            path = directory / "labels"
            labelled = yolo.images(directory, problems, _size_of)
        else:
            labelled = labels.read(path, problems)
        for warning in labelled.warnings:
            print(f"andon-train: {path}: {warning}", file=sys.stderr)
        categories = [category.name for category in labelled.categories]
        if not dataset.names:
            dataset.names = categories
        unknown = set(categories) - set(dataset.names)
        if unknown:
            raise DataError(f"{path}: categories {sorted(unknown)} are not among the classes "
                            f"{dataset.names} of the data read before it")
        for entry in labelled.images:
            file = directory / "images" / entry.file_name
            try:
                image = _read_picture(file, entry)
            except DataError as error:
                problems.report(f"{entry.place}: {file}", error)
                continue
            dataset.samples.append(
                Sample(file, image, *_targets(entry, image, dataset.names, problems)))
    if not dataset.samples:
        raise DataError(f"{', '.join(map(str, directories))}: no image could be read")
    return dataset
