# SPDX-License-Identifier: Apache-2.0
"""Random training samples: mosaic, eight poses, scale, light. All draws come from one generator."""
import cv2
import numpy as np

from .letterbox import PAD


def flip_turn(image, boxes, rng):
    """One of the eight mirror and quarter-turn poses; exact for axis-aligned boxes."""
    height, width = image.shape[:2]
    boxes = boxes.copy()
    if rng.random() < 0.5:
        image = image[:, ::-1]
        boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    if rng.random() < 0.5:
        image = image[::-1]
        boxes[:, [1, 3]] = height - boxes[:, [3, 1]]
    if rng.random() < 0.5:
        image = image.transpose(1, 0, 2)
        boxes = boxes[:, [1, 0, 3, 2]]
    return np.ascontiguousarray(image), boxes


def clip(boxes, labels, width, height, keep):
    """Clips to the canvas; drops what keeps less than `keep` of its area or gets tiny."""
    out = boxes.copy()
    out[:, [0, 2]] = out[:, [0, 2]].clip(0, width)
    out[:, [1, 3]] = out[:, [1, 3]].clip(0, height)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    w, h = out[:, 2] - out[:, 0], out[:, 3] - out[:, 1]
    stays = (w > 2) & (h > 2) & (w * h > keep * area)
    return out[stays], labels[stays]


class Augmenter:
    """Makes [side, side, 3] canvases with their boxes and labels out of a data set's samples."""

    def __init__(self, dataset, side, seed):
        self.samples, self.side = dataset.samples, side
        self.rng = np.random.default_rng(seed)

    def _posed(self, i, low, high):
        """Sample i in a random pose, scaled by low..high of its letterbox scale."""
        sample, rng = self.samples[i], self.rng
        image, boxes = flip_turn(sample.image, sample.boxes, rng)
        ratio = self.side / max(image.shape[:2]) * np.exp(rng.uniform(np.log(low), np.log(high)))
        rx, ry = ratio * np.exp(rng.uniform(-0.1, 0.1, 2))
        width = max(1, round(image.shape[1] * rx))
        height = max(1, round(image.shape[0] * ry))
        boxes = boxes * np.array([width / image.shape[1], height / image.shape[0]] * 2, np.float32)
        how = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_AREA
        return cv2.resize(image, (width, height), interpolation=how), boxes, sample.labels

    def _offset(self, length, low, high):
        room = high - low - length
        return low + int(self.rng.integers(min(0, room), max(0, room) + 1))

    def _place(self, canvas, posed, area):
        """Copies the posed image somewhere into area = (x1, y1, x2, y2) of the canvas."""
        image, boxes, labels = posed
        height, width = image.shape[:2]
        x, y = self._offset(width, area[0], area[2]), self._offset(height, area[1], area[3])
        x1, y1 = max(area[0], x), max(area[1], y)
        x2, y2 = min(area[2], x + width), min(area[3], y + height)
        canvas[y1:y2, x1:x2] = image[y1 - y:y2 - y, x1 - x:x2 - x]
        moved = boxes + np.array([x - x1, y - y1] * 2, np.float32)
        moved, labels = clip(moved, labels, x2 - x1, y2 - y1, 0.3)
        return moved + np.array([x1, y1] * 2, np.float32), labels

    def _mosaic(self, i):
        side, rng = self.side, self.rng
        canvas = np.full((side, side, 3), PAD, np.uint8)
        cx, cy = (int(rng.uniform(0.3, 0.7) * side) for _ in range(2))
        areas = ((0, 0, cx, cy), (cx, 0, side, cy), (0, cy, cx, side), (cx, cy, side, side))
        others = [int(k) for k in rng.integers(len(self.samples), size=3)]
        parts = [self._place(canvas, self._posed(k, 0.5, 1.5), area)
                 for k, area in zip([i, *others], areas)]
        return canvas, *(np.concatenate(part) for part in zip(*parts))

    def _single(self, i, low, high):
        canvas = np.full((self.side, self.side, 3), PAD, np.uint8)
        boxes, labels = self._place(canvas, self._posed(i, low, high),
                                    (0, 0, self.side, self.side))
        return canvas, boxes, labels

    def _light(self, image):
        rng = self.rng
        x = image.astype(np.float32)
        if rng.random() < 0.15:
            x = cv2.GaussianBlur(x, (3, 3), 0)
        x = 255 * (x / 255).clip(0, 1) ** rng.uniform(0.75, 1.35)
        x = x * rng.uniform(0.65, 1.35) + rng.uniform(-20, 20)
        if rng.random() < 0.3:
            x = x * rng.uniform(0.9, 1.1, 3).astype(np.float32)  # a tint
        if rng.random() < 0.5:
            x = x + rng.normal(0, rng.uniform(0, 6), x.shape[:2] + (1,)).astype(np.float32)
        return x.clip(0, 255).astype(np.uint8)

    def sample(self, i, mosaic):
        """(canvas, boxes, labels) of sample i; with probability `mosaic` beside three others."""
        draw = self.rng.random()
        if draw < mosaic:
            canvas, boxes, labels = self._mosaic(i)
        elif self.rng.random() < 0.35:
            canvas, boxes, labels = self._single(i, 1.0, 2.2)  # objects for the coarse levels
        else:
            canvas, boxes, labels = self._single(i, 0.8, 1.1)
        return self._light(canvas), boxes, labels

    def order(self, weights):
        """One epoch's sample indices, drawn by `weights` (one a sample)."""
        p = weights / weights.sum()
        return self.rng.choice(len(self.samples), size=len(self.samples), p=p)
