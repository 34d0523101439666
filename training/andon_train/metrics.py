# SPDX-License-Identifier: Apache-2.0
"""Suppression and COCO average precision (101 points), as pycocotools computes it."""
import numpy as np

IOU_THRESHOLDS = np.arange(0.5, 0.96, 0.05)
RECALL_POINTS = np.linspace(0, 1, 101)
MAX_DETECTIONS = 100  # per image, as COCO evaluates


def iou_matrix(a, b):
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    inter = (high - low).clip(0).prod(2)
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    return inter / np.maximum(area_a[:, None] + area_b[None] - inter, 1e-12)


def nms(boxes, scores, threshold):
    """Greedy; drops boxes whose IoU with a better one is above the threshold."""
    order = np.argsort(-scores, kind="stable")
    keep = []
    while len(order):
        best, order = order[0], order[1:]
        keep.append(best)
        order = order[iou_matrix(boxes[best:best + 1], boxes[order])[0] <= threshold]
    return np.array(keep, int)


def postprocess(output, shape, ratio, left, top, confidence, iou=0.7, max_detections=300):
    """[4 + classes, A] network output -> [N, 6]: x1, y1, x2, y2, score, class; image pixels."""
    scores, classes = output[4:].max(0), output[4:].argmax(0)
    chosen = scores > confidence
    x, y, w, h = output[:4, chosen].astype(np.float64)
    scores, classes = scores[chosen], classes[chosen]
    boxes = np.stack((x - w / 2, y - h / 2, x + w / 2, y + h / 2), 1)
    keep = nms(boxes + 7680.0 * classes[:, None], scores, iou)[:max_detections]  # per class
    boxes = boxes[keep]
    boxes[:, [0, 2]] = ((boxes[:, [0, 2]] - left) / ratio).clip(0, shape[1])
    boxes[:, [1, 3]] = ((boxes[:, [1, 3]] - top) / ratio).clip(0, shape[0])
    return np.concatenate((boxes, scores[keep, None], classes[keep, None]), 1)


def match(detections, truths, threshold):
    """Per image: hits (one bool a detection, best first). COCO's rule: each detection takes the
    free object that it overlaps best, if by at least the threshold."""
    ious = iou_matrix(detections, truths)
    free = np.ones(len(truths), bool)
    hits = np.zeros(len(detections), bool)
    for d in range(len(detections)):
        candidates = np.where(free, ious[d], -1.0)
        if len(candidates) and candidates.max() >= threshold - 1e-10:
            free[int(len(candidates) - 1 - candidates[::-1].argmax())] = False
            hits[d] = True
    return hits


def precision_curve(detections, truths, threshold):
    """detections, truths: per image. Gives precision at RECALL_POINTS and the scores there."""
    total = sum(len(t) for t in truths)
    if total == 0:
        return None
    hits, scores = [], []
    for found, truth in zip(detections, truths):
        found = found[np.argsort(-found[:, 4], kind="stable")][:MAX_DETECTIONS]
        hits.append(match(found, truth, threshold))
        scores.append(found[:, 4])
    hits, scores = np.concatenate(hits), np.concatenate(scores)
    order = np.argsort(-scores, kind="mergesort")
    hit, scores = hits[order], scores[order]
    true_positives = np.cumsum(hit)
    recall = true_positives / total
    precision = true_positives / np.arange(1, len(hit) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1] if len(precision) else precision
    at = np.searchsorted(recall, RECALL_POINTS, side="left")
    inside = at < len(precision)
    curve, score_at = np.zeros(101), np.zeros(101)
    curve[inside], score_at[inside] = precision[at[inside]], scores[at[inside]]
    return curve, score_at


def working_point(detections, truths, confidence):
    """Precision and recall of what is reported at `confidence`, at IoU 0.5."""
    hits = found = 0
    for detection, truth in zip(detections, truths):
        detection = detection[detection[:, 4] > confidence]
        detection = detection[np.argsort(-detection[:, 4], kind="stable")]
        hits += int(match(detection, truth, 0.5).sum())
        found += len(detection)
    total = sum(len(t) for t in truths)
    return {"precision": hits / max(1, found), "recall": hits / max(1, total),
            "detections": found, "objects": total}


def evaluate(detections, dataset, confidence=0.25):
    """detections: per sample [N, 6]. mAP over classes that have objects, and a row per class."""
    per_class, curves = {}, {}
    for c, name in enumerate(dataset.names):
        found = [d[d[:, 5] == c] for d in detections]
        truths = [s.boxes[s.labels == c].astype(np.float64) for s in dataset.samples]
        results = [precision_curve(found, truths, t) for t in IOU_THRESHOLDS]
        if results[0] is None:
            continue
        aps = [float(curve.mean()) for curve, _ in results]
        per_class[name] = {"mAP50": aps[0], "mAP50_95": float(np.mean(aps)),
                           **working_point(found, truths, confidence)}
        curves[name] = [float(p) for p in results[0][0]]
    def mean(key):
        return float(np.mean([row[key] for row in per_class.values()])) if per_class else 0.0
    clean = [d for d, s in zip(detections, dataset.samples) if len(s.boxes) == 0]
    return {"mAP50": mean("mAP50"), "mAP50_95": mean("mAP50_95"), "precision": mean("precision"),
            "recall": mean("recall"), "confidence": confidence, "images": len(dataset),
            "clean_images": len(clean),
            "false_alarm_images": int(sum((d[:, 4] > confidence).any() for d in clean)),
            "classes": per_class, "precision_at_recall": curves}
