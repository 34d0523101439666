# SPDX-License-Identifier: Apache-2.0
"""Runs a network over a data set. A network is a function: [1,3,S,S] array -> [4+classes, A]."""
import copy

import torch

from .letterbox import letterbox, to_array
from .metrics import postprocess
from .model import Decoder


def decoded(detector, side, device="cpu"):
    """The detector as it will be exported: batch norms folded, boxes decoded."""
    fused = copy.deepcopy(detector).eval().fuse()
    return Decoder(fused, side).eval().to(device)


def torch_network(decoder, device="cpu"):
    @torch.no_grad()
    def run(images):
        return decoder(torch.from_numpy(images).to(device))[0].cpu().numpy()
    return run


def detect(network, dataset, side, confidence=0.001, iou=0.7):
    """One [N, 6] array a sample."""
    results = []
    for sample in dataset.samples:
        canvas, ratio, left, top = letterbox(sample.image, side)
        output = network(to_array(canvas)[None])
        results.append(postprocess(output, sample.image.shape, ratio, left, top, confidence, iou))
    return results


def levels_that_fire(network, dataset, side, strides, confidence=0.25):
    """Per stride, how many anchors score above the confidence over the whole data set."""
    counts = {stride: 0 for stride in strides}
    for sample in dataset.samples:
        scores = network(to_array(letterbox(sample.image, side)[0])[None])[4:].max(0)
        start = 0
        for stride in strides:
            cells = (side // stride) ** 2
            counts[stride] += int((scores[start:start + cells] > confidence).sum())
            start += cells
    return counts
