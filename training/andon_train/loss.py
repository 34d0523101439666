# SPDX-License-Identifier: Apache-2.0
"""Task-aligned label assignment with BCE, CIoU and distribution focal losses.

Assignment after Feng et al., "TOOD" (2021); the levels are given ranges of sizes (as in FCOS)
because with few, similar objects the finest level otherwise takes them all and the coarser two
never learn to place a box.
"""
import math

import torch
import torch.nn.functional as F

from .model import REG_MAX, anchor_points

TOP_K, ALPHA, BETA = 10, 0.5, 6.0
GAIN_BOX, GAIN_CLS, GAIN_DFL = 7.5, 0.5, 1.5
# Longest side of an object that a level may be given, in pixels of the network's input.
SIZE_RANGE = {8: (0.0, 64.0), 16: (48.0, 128.0), 32: (96.0, math.inf)}


def box_iou(a, b, complete=False):
    """IoU (or CIoU, Zheng et al. 2020) of x1,y1,x2,y2 boxes, broadcast over leading dimensions."""
    eps = 1e-7
    w = (torch.minimum(a[..., 2], b[..., 2]) - torch.maximum(a[..., 0], b[..., 0])).clamp(min=0)
    h = (torch.minimum(a[..., 3], b[..., 3]) - torch.maximum(a[..., 1], b[..., 1])).clamp(min=0)
    aw, ah = a[..., 2] - a[..., 0], a[..., 3] - a[..., 1] + eps
    bw, bh = b[..., 2] - b[..., 0], b[..., 3] - b[..., 1] + eps
    inter = w * h
    iou = inter / (aw * ah + bw * bh - inter + eps)
    if not complete:
        return iou
    cw = torch.maximum(a[..., 2], b[..., 2]) - torch.minimum(a[..., 0], b[..., 0])
    ch = torch.maximum(a[..., 3], b[..., 3]) - torch.minimum(a[..., 1], b[..., 1])
    centre = ((a[..., 0] + a[..., 2] - b[..., 0] - b[..., 2]) ** 2
              + (a[..., 1] + a[..., 3] - b[..., 1] - b[..., 3]) ** 2) / 4
    shape = 4 / math.pi ** 2 * (torch.atan(bw / bh) - torch.atan(aw / ah)) ** 2
    with torch.no_grad():
        trade = shape / (1 - iou + shape + eps)
    return iou - centre / (cw ** 2 + ch ** 2 + eps) - trade * shape


@torch.no_grad()
def assign(scores, boxes, centres, strides, targets, labels):
    """Chooses anchors for one image's objects.

    scores [A, C], boxes [A, 4] and centres [A, 2] in pixels; targets [T, 4], labels [T]. Gives
    per anchor the index of its object (-1 for background) and its soft classification target.
    """
    index = torch.full((len(scores),), -1, dtype=torch.long, device=scores.device)
    soft = torch.zeros(len(scores), device=scores.device)
    if len(targets) == 0:
        return index, soft
    # Inside the box; a box thinner than a cell still reaches the nearest cells.
    middle = (targets[:, None, :2] + targets[:, None, 2:]) / 2
    half = torch.maximum((targets[:, None, 2:] - targets[:, None, :2]) / 2,
                         strides[None, :, None] / 2)
    inside = ((centres[None] - middle).abs() < half).all(2)
    longest = (targets[:, 2:] - targets[:, :2]).amax(1, keepdim=True)
    fits = torch.zeros_like(inside)
    for stride, (low, high) in SIZE_RANGE.items():
        fits |= (strides == stride) & (longest >= low) & (longest <= high)
    inside &= fits
    iou = box_iou(targets[:, None], boxes[None], complete=True).clamp(min=0)
    mine = scores[:, labels].T
    align = torch.where(inside, mine ** ALPHA * iou ** BETA, torch.zeros_like(iou))
    # Ties at zero (nothing overlaps yet) go to the closest centres.
    near = 1e-12 / (1 + (centres[None] - middle).pow(2).sum(2))
    rank = torch.where(inside, align + near, torch.zeros_like(iou))
    top, where = rank.topk(min(TOP_K, rank.shape[1]), 1)
    chosen = torch.zeros_like(inside)
    chosen.scatter_(1, where, top > 0)
    # An anchor wanted by several objects goes to the one it overlaps best.
    best = torch.where(chosen, iou + 1e-6, torch.zeros_like(iou)).argmax(0)
    any_chosen = chosen.any(0)
    index[any_chosen] = best[any_chosen]
    owned = torch.zeros_like(chosen)
    owned[best, torch.arange(len(best), device=best.device)] = any_chosen
    align, iou = align * owned, iou * owned
    scaled = align * (iou.amax(1, keepdim=True) / (align.amax(1, keepdim=True) + 1e-9))
    return index, scaled.amax(0)


class DetectionLoss:
    def __init__(self, side, classes, device=None):
        self.points, self.strides = anchor_points(side, device)
        self.project = torch.arange(REG_MAX, dtype=torch.float32, device=device)
        self.classes = classes

    def __call__(self, maps, targets):
        """maps: the detector's; targets: per image (boxes [T,4] in pixels, labels [T])."""
        flat = torch.cat([m.flatten(2) for m in maps], 2).transpose(1, 2)  # [B, A, 64 + C]
        dist, logit = flat.split((4 * REG_MAX, self.classes), 2)
        sides = dist.unflatten(2, (4, REG_MAX)).softmax(3) @ self.project
        boxes = torch.cat((self.points - sides[..., :2], self.points + sides[..., 2:]), 2)
        pixels = boxes.detach() * self.strides[:, None]
        centres = self.points * self.strides[:, None]
        scores = logit.detach().sigmoid()

        goal_score = torch.zeros_like(scores)
        weight, picked, wanted = [], [], []
        for b, (target, labels) in enumerate(targets):
            index, soft = assign(scores[b], pixels[b], centres, self.strides, target, labels)
            anchors = (index >= 0).nonzero()[:, 0]
            picked.append(torch.stack((torch.full_like(anchors, b), anchors)))
            wanted.append(target[index[anchors]])
            weight.append(soft[anchors])
            goal_score[b, anchors, labels[index[anchors]]] = soft[anchors]
        picked, wanted, weight = torch.cat(picked, 1), torch.cat(wanted), torch.cat(weight)
        total = goal_score.sum().clamp(min=1)

        cls = F.binary_cross_entropy_with_logits(logit, goal_score, reduction="sum") / total
        box = dfl = flat.sum() * 0
        if len(wanted):
            b, a = picked
            goal = wanted / self.strides[a, None]
            box = ((1 - box_iou(boxes[b, a], goal, complete=True)) * weight).sum() / total
            ltrb = torch.cat((self.points[a] - goal[:, :2], goal[:, 2:] - self.points[a]), 1)
            ltrb = ltrb.clamp(0, REG_MAX - 1 - 0.01)
            low = ltrb.long()
            share = ltrb - low
            logp = dist[b, a].unflatten(1, (4, REG_MAX)).log_softmax(2)
            entropy = -(logp.gather(2, low[..., None])[..., 0] * (1 - share)
                        + logp.gather(2, low[..., None] + 1)[..., 0] * share)
            dfl = (entropy.mean(1) * weight).sum() / total
        parts = torch.stack((box.detach(), cls.detach(), dfl.detach()))
        return GAIN_BOX * box + GAIN_CLS * cls + GAIN_DFL * dfl, parts
