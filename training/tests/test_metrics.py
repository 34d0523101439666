# SPDX-License-Identifier: Apache-2.0
"""Evaluation gives what pycocotools gives for the same detections."""
import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from andon_train import data, metrics


def random_case(seed, images=30, classes=3):
    """Objects, and detections that are near them, doubled, wrong, tied in score or missing."""
    rng = np.random.default_rng(seed)
    dataset = data.Dataset([f"class{c}" for c in range(classes)])
    detections = []
    for i in range(images):
        count = int(rng.integers(0, 6))
        corner, size = rng.uniform(0, 200, (count, 2)), rng.uniform(25, 90, (count, 2))
        boxes = np.concatenate((corner, corner + size), 1)
        labels = rng.integers(0, classes, count)
        dataset.samples.append(data.Sample(Path(f"{i}.png"), np.zeros((300, 300, 3), np.uint8),
                                           boxes, labels))
        found = []
        for box, label in zip(boxes, labels):
            for _ in range(int(rng.integers(0, 3))):
                found.append([*(box + rng.uniform(-9, 9, 4)), round(rng.random(), 1), label])
        for _ in range(int(rng.integers(0, 3))):
            x, y, w, h = rng.uniform(5, 100, 4)
            found.append([x, y, x + w, y + h, rng.random(), rng.integers(0, classes)])
        detections.append(np.array(found, np.float64).reshape(-1, 6))
    return dataset, detections


def with_pycocotools(dataset, detections):
    annotations, results = [], []
    for i, (sample, found) in enumerate(zip(dataset.samples, detections), 1):
        for (x1, y1, x2, y2), label in zip(sample.boxes, sample.labels):
            annotations.append({"id": len(annotations) + 1, "image_id": i, "iscrowd": 0,
                                "category_id": int(label) + 1, "area": (x2 - x1) * (y2 - y1),
                                "bbox": [x1, y1, x2 - x1, y2 - y1]})
        for x1, y1, x2, y2, score, label in found:
            results.append({"image_id": i, "category_id": int(label) + 1, "score": score,
                            "bbox": [x1, y1, x2 - x1, y2 - y1]})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"images": [{"id": i + 1} for i in range(len(dataset))],
                         "annotations": annotations,
                         "categories": [{"id": c + 1} for c in range(len(dataset.names))]}
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


@pytest.mark.parametrize("seed", range(8))
def test_average_precision_is_that_of_pycocotools(seed):
    dataset, detections = random_case(seed)
    ours, theirs = metrics.evaluate(detections, dataset), with_pycocotools(dataset, detections)
    assert ours["mAP50_95"] == pytest.approx(theirs.stats[0], abs=1e-6)
    assert ours["mAP50"] == pytest.approx(theirs.stats[1], abs=1e-6)
    for c, name in enumerate(dataset.names):
        precision = theirs.eval["precision"][:, :, c, 0, -1]
        assert ours["classes"][name]["mAP50_95"] == pytest.approx(precision.mean(), abs=1e-6)
        np.testing.assert_allclose(ours["precision_at_recall"][name], precision[0], atol=1e-6)


def test_more_detections_than_coco_counts_are_cut_alike():
    dataset, detections = random_case(40, images=2, classes=1)
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 200, (150, 2))
    many = np.concatenate((corner, corner + 30, rng.random((150, 1)), np.zeros((150, 1))), 1)
    detections[0] = np.concatenate((detections[0], many))
    assert metrics.evaluate(detections, dataset)["mAP50_95"] == pytest.approx(
        with_pycocotools(dataset, detections).stats[0], abs=1e-6)


def test_finding_nothing_scores_nothing():
    dataset, detections = random_case(1)
    result = metrics.evaluate([d[:0] for d in detections], dataset)
    assert (result["mAP50"], result["recall"]) == (0, 0)


def test_suppression_keeps_the_best_of_what_overlaps():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [40, 40, 50, 50.]])
    assert metrics.nms(boxes, np.array([0.5, 0.9, 0.3]), 0.5).tolist() == [1, 2]


def test_false_alarms_on_clean_images_are_counted():
    dataset = data.Dataset(["a"], [
        data.Sample(Path("clean.png"), np.zeros((9, 9, 3), np.uint8), np.zeros((0, 4)),
                    np.zeros(0, int)),
        data.Sample(Path("part.png"), np.zeros((9, 9, 3), np.uint8),
                    np.array([[0, 0, 5, 5.]]), np.zeros(1, int))])
    found = [np.array([[0, 0, 5, 5, 0.9, 0]])] * 2
    result = metrics.evaluate(found, dataset)
    assert (result["clean_images"], result["false_alarm_images"]) == (1, 1)
    assert (result["precision"], result["recall"]) == (0.5, 1.0)
