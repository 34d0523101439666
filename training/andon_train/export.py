# SPDX-License-Identifier: Apache-2.0
"""ONNX export with the interface and metadata that Ultralytics' detection exports have.

Input `images` float32 [N,3,S,S], RGB, 0..1, letterboxed; output `output0` float32
[N, 4 + classes, A]: centre x, centre y, width, height in input pixels, one sigmoid score a class.
"""
import pickle
from pathlib import Path

import onnx
import torch

from . import infer
from .errors import DataError
from .model import STRIDES, Detector, ModelSize


def load_state(path, device="cpu", weights_only=True):
    """What train.Run saved."""
    try:
        state = torch.load(path, map_location=device, weights_only=weights_only)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise DataError(f"{path}: not a checkpoint of this trainer: {error}") from None
    if not isinstance(state, dict) or not {"size", "average", "names", "side"} <= state.keys():
        raise DataError(f"{path}: not a checkpoint of this trainer")
    return state


def load_checkpoint(path):
    """The averaged detector, class names and input side of a checkpoint."""
    state = load_state(path)
    detector = Detector(ModelSize(**state["size"]))
    detector.load_state_dict(state["average"])
    return detector.eval(), state["names"], state["side"]


def export(checkpoint, path, side=None, dynamic_batch=False, version="1.0.0", opset=13):
    detector, names, trained_side = load_checkpoint(checkpoint)
    side = side or trained_side
    network = infer.decoded(detector, side)
    path = Path(path)
    axes = {"images": {0: "batch"}, "output0": {0: "batch"}} if dynamic_batch else None
    torch.onnx.export(network, (torch.zeros(1, 3, side, side),), str(path), dynamo=False,
                      opset_version=opset, input_names=["images"], output_names=["output0"],
                      do_constant_folding=True, dynamic_axes=axes)
    proto = onnx.load(str(path))
    onnx.helper.set_model_props(proto, {
        "description": "YOLOv8-shaped detector", "author": "andon", "version": version,
        "license": "Apache-2.0", "stride": str(STRIDES[-1]), "task": "detect", "batch": "1",
        "imgsz": str([side, side]), "names": str(dict(enumerate(names))),
        "dynamic": str(dynamic_batch)})
    onnx.checker.check_model(proto)
    onnx.save(proto, str(path))
    return path
