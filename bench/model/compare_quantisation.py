#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Quantises a model with `andon model optimize` and with onnxruntime.quantization, side by side.

Both get the same pictures to calibrate with, min-max ranges, U8 activations and S8 weights per
channel, and both leave the decoding of boxes in float (without that the other's scores are all 0;
--naive shows it). Both results are judged by `andon model eval`. Prints size, mAP, latency and
time to quantise. Latency: sessions of one ONNX Runtime in turns, medians.

    pip install onnxruntime onnx sympy numpy opencv-python-headless
    bench/model/compare_quantisation.py MODEL --calibrate DIR --eval-images DIR --eval-labels FILE
"""
import argparse
import json
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod, QuantFormat,
                                      QuantType, quantize_static)
from onnxruntime.quantization.shape_inference import quant_pre_process

METHODS = {"min-max": CalibrationMethod.MinMax, "percentile": CalibrationMethod.Percentile,
           "entropy": CalibrationMethod.Entropy}


def letterbox(path, height, width):
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    ratio = min(height / image.shape[0], width / image.shape[1])
    scaled = (round(image.shape[1] * ratio), round(image.shape[0] * ratio))
    image = cv2.resize(image, scaled, interpolation=cv2.INTER_LINEAR)
    top = round((height - scaled[1]) / 2 - 0.1)
    left = round((width - scaled[0]) / 2 - 0.1)
    canvas = np.full((height, width, 3), 114, np.uint8)
    canvas[top:top + scaled[1], left:left + scaled[0]] = image
    return canvas.transpose(2, 0, 1)[None].astype(np.float32) / 255


class Pictures(CalibrationDataReader):
    def __init__(self, files, name, height, width):
        self.files, self.name, self.size = iter(files), name, (height, width)

    def get_next(self):
        path = next(self.files, None)
        return None if path is None else {self.name: letterbox(path, *self.size)}


def cpu_seconds(whose):
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def input_of(model):
    given = onnx.load(model).graph.input[0]
    dims = [d.dim_value for d in given.type.tensor_type.shape.dim]
    return given.name, dims[2], dims[3]


def theirs(args, files, excluded, out):
    """The documented way: raise the opset (channels need 13), pre-process, quantise."""
    started, cpu = time.monotonic(), cpu_seconds(resource.RUSAGE_SELF)
    with tempfile.TemporaryDirectory() as folder:
        raised, prepared = Path(folder, "13.onnx"), Path(folder, "prepared.onnx")
        model = onnx.load(args.model)
        if model.opset_import[0].version < 13:
            model = onnx.version_converter.convert_version(model, 13)
        onnx.save(model, raised)
        quant_pre_process(str(raised), str(prepared), skip_symbolic_shape=False)
        name, height, width = input_of(args.model)
        present = {n.name for n in onnx.load(prepared).graph.node}
        quantize_static(str(prepared), str(out), Pictures(files, name, height, width),
                        quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                        calibrate_method=METHODS[args.method],
                        nodes_to_exclude=[n for n in excluded if n in present])
    return time.monotonic() - started, cpu_seconds(resource.RUSAGE_SELF) - cpu


def ours(args, out, head):
    started, cpu = time.monotonic(), cpu_seconds(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [args.andon, "model", "optimize", args.model, "--calibrate", args.calibrate, "--out", out,
         "--calibration", args.method, "--max-calibration-images", str(args.images),
         "--head", head, "--latency-runs", "0", "--json"], check=True, capture_output=True)
    spent = time.monotonic() - started, cpu_seconds(resource.RUSAGE_CHILDREN) - cpu
    return spent, json.loads(done.stdout)


def mean_precision(args, model):
    done = subprocess.run(
        [args.andon, "model", "eval", model, "--images", args.eval_images, "--labels",
         args.eval_labels, "--json"], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return found


def latencies(args, models):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    sessions = {k: onnxruntime.InferenceSession(str(v), options, ["CPUExecutionProvider"])
                for k, v in models.items()}
    name, height, width = input_of(args.model)
    given = {name: np.random.default_rng(0).random((1, 3, height, width), np.float32)}
    times = {k: [] for k in models}
    for turn in range(args.runs + 3):
        for key, session in sessions.items():
            started = time.perf_counter()
            session.run(None, given)
            if turn >= 3:
                times[key].append(1000 * (time.perf_counter() - started))
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--calibrate", required=True)
    parser.add_argument("--eval-images", required=True)
    parser.add_argument("--eval-labels", required=True)
    parser.add_argument("--andon", default="build/release/bin/andon")
    parser.add_argument("--method", choices=METHODS, default="min-max")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3, help="of quantising, for its median time")
    parser.add_argument("--naive", action="store_true", help="let theirs quantise the decoding too")
    parser.add_argument("--keep", help="directory that the models are left in")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(args.keep or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = sorted(p for p in Path(args.calibrate).iterdir()
                       if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
        count = min(args.images, len(found))
        files = [found[i * len(found) // count] for i in range(count)]
        models = {"float": Path(args.model), "theirs": folder / "theirs.onnx",
                  "andon": folder / "andon.onnx", "andon, cut": folder / "cut.onnx"}
        seconds = {"theirs": [], "andon": []}
        for _ in range(args.rounds):
            spent, report = ours(args, models["andon"], "keep")
            seconds["andon"].append(spent)
            excluded = [] if args.naive else [n["node"] for n in report["inFloat"]]
            seconds["theirs"].append(theirs(args, files, excluded, models["theirs"]))
        ours(args, models["andon, cut"], "cut")
        print(f"onnxruntime {onnxruntime.__version__}, {args.method}, {count} pictures")
        rows = {}
        for key, model in models.items():
            try:
                rows[key] = mean_precision(args, model)
            except subprocess.CalledProcessError as error:
                rows[key] = error.stderr
        times = latencies(args, models)
        base = models["float"].stat().st_size
        for key, model in models.items():
            size = model.stat().st_size
            ratio = statistics.median(a / b for a, b in zip(times[key], times["theirs"]))
            spent = ("" if key not in seconds else "quantised in {:.1f} s, {:.1f} s of CPU".format(
                *(statistics.median(column) for column in zip(*seconds[key]))))
            print(f"{key:11} {size:9} bytes {100 * size / base:5.1f} %   "
                  f"{statistics.median(times[key]):7.1f} ms ({ratio:.3f} of theirs)   "
                  f"{summary(rows[key])}   {spent}")


def summary(found):
    if isinstance(found, str):
        return found.strip().split("\n")[-1]
    precision = found["averagePrecision"]
    return f"mAP50-95 {precision['mAP50_95']:.4f} mAP50 {precision['mAP50']:.4f}"


if __name__ == "__main__":
    main()
