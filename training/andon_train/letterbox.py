# SPDX-License-Identifier: Apache-2.0
"""What a network is shown of a picture."""
import cv2
import numpy as np

PAD = 114


def letterbox(image, side):
    """Scaled to fit side x side and centred on grey. Gives canvas, ratio, left, top."""
    h, w = image.shape[:2]
    ratio = min(side / h, side / w)
    nw, nh = max(1, round(w * ratio)), max(1, round(h * ratio))
    left, top = round((side - nw) / 2 - 0.1), round((side - nh) / 2 - 0.1)
    canvas = np.full((side, side, 3), PAD, np.uint8)
    canvas[top:top + nh, left:left + nw] = cv2.resize(image, (nw, nh),
                                                      interpolation=cv2.INTER_LINEAR)
    return canvas, ratio, left, top


def to_array(canvas):
    """BGR uint8 [H, W, 3] -> RGB float32 0..1 [3, H, W]."""
    return np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1)).astype(np.float32) / 255
