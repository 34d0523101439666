# SPDX-License-Identifier: Apache-2.0
"""A detector of YOLOv8's shape: CSP backbone, SPPF, PAN neck, decoupled anchor-free head.

Written from the published description of the architecture. Module names are stable
(backbone.*, neck.*, head.*) and survive into the exported ONNX initialisers.
"""
import math
from dataclasses import asdict, dataclass

import torch
from torch import nn

STRIDES = (8, 16, 32)
REG_MAX = 16  # bins of the distribution over each side's distance, in cells


@dataclass(frozen=True)
class ModelSize:
    """Multiples of the published base widths (64..1024) and depths (3, 6, 6, 3)."""

    width: float = 0.25
    depth: float = 0.33
    classes: int = 1

    def channels(self, base):
        return max(8, int(math.ceil(base * self.width / 8) * 8))

    def repeats(self, base):
        return max(1, round(base * self.depth))

    def to_dict(self):
        return asdict(self)


class ConvBnAct(nn.Module):
    """Convolution, batch norm, SiLU. fuse() folds the norm into the convolution."""

    def __init__(self, c_in, c_out, kernel=1, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(c_out, eps=1e-3, momentum=0.03)
        self.act = nn.SiLU()

    def forward(self, x):
        x = self.conv(x)
        if self.bn is not None:
            x = self.bn(x)
        return self.act(x)

    @torch.no_grad()
    def fuse(self):
        scale = self.bn.weight / torch.sqrt(self.bn.running_var + self.bn.eps)
        fused = nn.Conv2d(self.conv.in_channels, self.conv.out_channels, self.conv.kernel_size,
                          self.conv.stride, self.conv.padding, bias=True)
        fused.weight.copy_(self.conv.weight * scale[:, None, None, None])
        fused.bias.copy_(self.bn.bias - self.bn.running_mean * scale)
        self.conv, self.bn = fused, None


class Bottleneck(nn.Module):
    def __init__(self, channels, residual):
        super().__init__()
        self.cv1 = ConvBnAct(channels, channels, 3)
        self.cv2 = ConvBnAct(channels, channels, 3)
        self.residual = residual

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.residual else y


class C2f(nn.Module):
    """Split in two, run bottlenecks in a row on one half, concatenate every stage."""

    def __init__(self, c_in, c_out, repeats=1, residual=False):
        super().__init__()
        self.half = c_out // 2
        self.cv1 = ConvBnAct(c_in, 2 * self.half)
        self.cv2 = ConvBnAct((2 + repeats) * self.half, c_out)
        self.blocks = nn.ModuleList(Bottleneck(self.half, residual) for _ in range(repeats))

    def forward(self, x):
        stages = list(self.cv1(x).split((self.half, self.half), 1))
        for block in self.blocks:
            stages.append(block(stages[-1]))
        return self.cv2(torch.cat(stages, 1))


class SPPF(nn.Module):
    """Three 5x5 max-pools in a row stand in for pools of 5, 9 and 13."""

    def __init__(self, c_in, c_out):
        super().__init__()
        hidden = c_in // 2
        self.cv1 = ConvBnAct(c_in, hidden)
        self.cv2 = ConvBnAct(4 * hidden, c_out)
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x):
        a = self.cv1(x)
        b = self.pool(a)
        c = self.pool(b)
        return self.cv2(torch.cat((a, b, c, self.pool(c)), 1))


class Backbone(nn.Module):
    def __init__(self, size):
        super().__init__()
        c1, c2, c3, c4, c5 = (size.channels(base) for base in (64, 128, 256, 512, 1024))
        short, long = size.repeats(3), size.repeats(6)
        self.stem = ConvBnAct(3, c1, 3, 2)
        self.down2 = ConvBnAct(c1, c2, 3, 2)
        self.stage2 = C2f(c2, c2, short, True)
        self.down3 = ConvBnAct(c2, c3, 3, 2)
        self.stage3 = C2f(c3, c3, long, True)
        self.down4 = ConvBnAct(c3, c4, 3, 2)
        self.stage4 = C2f(c4, c4, long, True)
        self.down5 = ConvBnAct(c4, c5, 3, 2)
        self.stage5 = C2f(c5, c5, short, True)
        self.sppf = SPPF(c5, c5)

    def forward(self, x):
        x = self.stage2(self.down2(self.stem(x)))
        p3 = self.stage3(self.down3(x))
        p4 = self.stage4(self.down4(p3))
        return p3, p4, self.sppf(self.stage5(self.down5(p4)))


class Neck(nn.Module):
    def __init__(self, size):
        super().__init__()
        c3, c4, c5 = (size.channels(base) for base in (256, 512, 1024))
        repeats = size.repeats(3)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.top4 = C2f(c5 + c4, c4, repeats)
        self.top3 = C2f(c4 + c3, c3, repeats)
        self.down3 = ConvBnAct(c3, c3, 3, 2)
        self.out4 = C2f(c3 + c4, c4, repeats)
        self.down4 = ConvBnAct(c4, c4, 3, 2)
        self.out5 = C2f(c4 + c5, c5, repeats)

    def forward(self, p3, p4, p5):
        t4 = self.top4(torch.cat((self.up(p5), p4), 1))
        n3 = self.top3(torch.cat((self.up(t4), p3), 1))
        n4 = self.out4(torch.cat((self.down3(n3), t4), 1))
        return n3, n4, self.out5(torch.cat((self.down4(n4), p5), 1))


class Head(nn.Module):
    """Per level: one branch for the four side distributions, one for the classes."""

    def __init__(self, size):
        super().__init__()
        channels = [size.channels(base) for base in (256, 512, 1024)]
        # The published head never gets narrower than its output; ours does with the width.
        c_box = max(16, min(4 * REG_MAX, 2 * channels[0]))
        c_cls = max(channels[0], min(size.classes, 100))
        self.box = nn.ModuleList(nn.Sequential(
            ConvBnAct(c, c_box, 3), ConvBnAct(c_box, c_box, 3), nn.Conv2d(c_box, 4 * REG_MAX, 1))
            for c in channels)
        self.cls = nn.ModuleList(nn.Sequential(
            ConvBnAct(c, c_cls, 3), ConvBnAct(c_cls, c_cls, 3), nn.Conv2d(c_cls, size.classes, 1))
            for c in channels)
        for box, cls, stride in zip(self.box, self.cls, STRIDES):
            nn.init.constant_(box[-1].bias, 1.0)
            # about five objects in a 640-pixel image before anything is learnt
            nn.init.constant_(cls[-1].bias, math.log(5 / size.classes / (640 / stride) ** 2))

    def forward(self, features):
        return [torch.cat((box(f), cls(f)), 1)
                for f, box, cls in zip(features, self.box, self.cls)]


class Detector(nn.Module):
    """forward() gives the three raw maps [B, 64 + classes, h, w]; see Decoder for boxes."""

    def __init__(self, size):
        super().__init__()
        self.size = size
        self.backbone = Backbone(size)
        self.neck = Neck(size)
        self.head = Head(size)

    def forward(self, x):
        return self.head(self.neck(*self.backbone(x)))

    def fuse(self):
        for module in self.modules():
            if isinstance(module, ConvBnAct) and module.bn is not None:
                module.fuse()
        return self


def anchor_points(side, device=None):
    """Cell centres in grid units [A, 2] and the stride of each cell [A], finest level first."""
    points, strides = [], []
    for stride in STRIDES:
        cells = side // stride
        at = torch.arange(cells, dtype=torch.float32, device=device) + 0.5
        y, x = torch.meshgrid(at, at, indexing="ij")
        points.append(torch.stack((x.flatten(), y.flatten()), 1))
        strides.append(torch.full((cells * cells,), float(stride), device=device))
    return torch.cat(points), torch.cat(strides)


class Decoder(nn.Module):
    """Detector plus box decoding: [B,3,S,S] -> [B, 4 + classes, A].

    Rows are centre x, centre y, width and height in input pixels, then one score per class with
    the sigmoid applied.
    """

    def __init__(self, detector, side):
        super().__init__()
        self.detector = detector
        points, strides = anchor_points(side)
        self.register_buffer("points", points.T[None].contiguous(), persistent=False)
        self.register_buffer("strides", strides.expand(4, -1)[None].contiguous(), persistent=False)
        # The mean of each distribution, as a convolution: what tools know the head by.
        self.mean = nn.Conv2d(REG_MAX, 1, 1, bias=False).requires_grad_(False)
        self.mean.weight.copy_(torch.arange(REG_MAX).view(1, REG_MAX, 1, 1))

    def forward(self, images):
        maps = self.detector(images)
        batch, channels = images.shape[0], maps[0].shape[1]
        flat = torch.cat([m.view(batch, channels, -1) for m in maps], 2)
        box, cls = flat.split((4 * REG_MAX, channels - 4 * REG_MAX), 1)
        box = box.view(batch, 4, REG_MAX, self.points.shape[2]).transpose(1, 2).softmax(1)
        sides = self.mean(box).view(batch, 4, self.points.shape[2])
        low = self.points - sides[:, :2]
        high = self.points + sides[:, 2:]
        xywh = torch.cat(((low + high) / 2, high - low), 1) * self.strides
        return torch.cat((xywh, cls.sigmoid()), 1)
