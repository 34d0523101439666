# SPDX-License-Identifier: Apache-2.0
"""One runtime beside which andon is measured: a process that against.py starts, in the environment
of that runtime (install), and lets take turns. One command a line on stdin, one JSON object a line
on stdout:
    load FILE      the inputs, float32 [pictures,3,height,width] (.npy)
    round N        every picture N times; processor time of one picture, of all threads
    outputs FILE   the outputs for each picture, [pictures,...] (.npz)

    peer.py RUNTIME PRECISION --float MODEL --model MODEL --calibration FILE.npy --work DIR

Each converts as its own public package does, from the float model, but for `file`: that is the
model under test as it is.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np


class OnnxRuntime:
    package = "onnxruntime"
    precisions = ("float32", "file")

    def __init__(self, job):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = job.threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        model = job.model if job.precision == "file" else job.float
        self.session = onnxruntime.InferenceSession(str(model), options, ["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name
        self.names = [it.name for it in self.session.get_outputs()]

    def prepared(self, picture):
        return {self.input: picture}

    def run(self, prepared):
        return self.session.run(None, prepared)


class OpenVino:
    package = "openvino"
    precisions = ("float32", "bfloat16", "int8", "file")

    def __init__(self, job):
        import openvino

        core = openvino.Core()
        if job.precision == "bfloat16":
            able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            # Without AMX it is float32 with changes of type around it.
            if "BF16" not in able or "amx_bf16" not in Path("/proc/cpuinfo").read_text():
                raise Unsuitable("this processor has no AMX for bfloat16")
        model = core.read_model(str(job.model if job.precision == "file" else job.float))
        if job.precision == "int8":
            import nncf

            pictures = [picture[None] for picture in job.calibration]
            model = nncf.quantize(model, nncf.Dataset(pictures), subset_size=len(pictures),
                                  preset=nncf.QuantizationPreset.MIXED)
        hint = "bf16" if job.precision == "bfloat16" else "f32"
        compiled = core.compile_model(model, "CPU", {
            "INFERENCE_NUM_THREADS": job.threads, "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": hint})
        self.request = compiled.create_infer_request()
        self.names = [next(iter(it.names), str(i)) for i, it in enumerate(compiled.outputs)]

    def prepared(self, picture):
        return picture

    def run(self, prepared):
        found = self.request.infer([prepared], share_inputs=True, share_outputs=True)
        return list(found.values())


class LiteRt:
    """By onnx2tf and TensorFlow's converter; XNNPACK is what LiteRT runs on processors."""

    package = "ai-edge-litert"
    precisions = ("float32", "int8")

    def __init__(self, job):
        from ai_edge_litert.interpreter import Interpreter

        folder = job.work / f"litert-{job.precision}"
        folder.mkdir(exist_ok=True)
        command = [str(Path(sys.executable).with_name("onnx2tf")), "-i", str(job.float), "-o", ".",
                   "-n"]
        end = "_float32.tflite"
        # Without this file onnx2tf fetches one of its own.
        np.save(folder / "calibration_image_sample_data_20x128x128x3_float32.npy",
                np.zeros((20, 128, 128, 3), np.float32))
        if job.precision == "int8":
            np.save(folder / "pictures.npy", job.calibration.transpose(0, 2, 3, 1))
            command += ["-oiqt", "-iqd", "float32", "-oqd", "float32", "-cind", job.input,
                        "pictures.npy", "[[[[0,0,0]]]]", "[[[[1,1,1]]]]"]
            end = "_integer_quant.tflite"
        finish(command, folder)
        made = [it for it in folder.glob("*" + end) if "full" not in it.name]
        self.interpreter = Interpreter(str(made[0]), num_threads=job.threads)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.places = [it["index"] for it in self.interpreter.get_output_details()]
        self.names = [str(i) for i in range(len(self.places))]

    def prepared(self, picture):
        return np.ascontiguousarray(picture.transpose(0, 2, 3, 1))

    def run(self, prepared):
        self.interpreter.set_tensor(self.input, prepared)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(place) for place in self.places]


class Ncnn:
    """By pnnx; the tool that makes eight bits of it is in no public package."""

    package = "ncnn"
    precisions = ("float32",)

    def __init__(self, job):
        import ncnn

        self.ncnn = ncnn
        folder = job.work / "ncnn"
        folder.mkdir(exist_ok=True)
        model = folder / "model.onnx"
        model.write_bytes(job.float.read_bytes())
        shape = ",".join(map(str, (1, *job.calibration.shape[1:])))
        # The program itself: its wrapper in bin/ imports PyTorch, which only other formats need.
        program = Path(importlib.util.find_spec("pnnx").origin).with_name("pnnx")
        finish([str(program), model.name, f"inputshape=[{shape}]", "fp16=0"], folder)
        self.net = ncnn.Net()
        self.net.opt.num_threads = job.threads
        for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic",
                       "use_bf16_storage"):
            setattr(self.net.opt, option, False)
        if self.net.load_param(str(folder / "model.ncnn.param")) != 0:
            raise Unsuitable("pnnx gave no model that ncnn reads")
        self.net.load_model(str(folder / "model.ncnn.bin"))
        self.input = self.net.input_names()[0]
        self.names = list(self.net.output_names())

    def prepared(self, picture):
        return self.ncnn.Mat(picture[0]).clone()  # the first one is only a view

    def run(self, prepared):
        extractor = self.net.create_extractor()
        extractor.input(self.input, prepared)
        return [np.array(extractor.extract(name)[1])[None] for name in self.names]


class Mnn:
    package = "MNN"
    precisions = ("float32", "int8")

    def __init__(self, job):
        # Not its commands mnnconvert and mnnquant: they install another package and report their use.
        import _tools
        import MNN.expr
        import MNN.nn

        self.expr = MNN.expr
        folder = job.work / f"mnn-{job.precision}"
        folder.mkdir(exist_ok=True)
        model = folder / "model.mnn"
        _tools.mnnconvert(["mnnconvert", "-f", "ONNX", "--modelFile", str(job.float), "--MNNModel",
                           str(model), "--bizCode", "bench"])
        if job.precision == "int8":
            model = self.quantised(_tools, job, folder, model)
        if not model.exists():
            raise Unsuitable("MNN's converter wrote nothing")
        manager = MNN.nn.create_runtime_manager(
            ({"backend": "CPU", "numThread": job.threads, "precision": "high"},))
        self.names = job.outputs
        self.net = MNN.nn.load_module_from_file(str(model), [job.input], self.names,
                                                runtime_manager=manager)
        self.input = MNN.expr.placeholder([1, *job.calibration.shape[1:]], MNN.expr.NCHW)

    @staticmethod
    def quantised(tools, job, folder, model):
        from PIL import Image

        pictures = folder / "pictures"
        pictures.mkdir(exist_ok=True)
        for i, picture in enumerate(job.calibration):
            pixels = np.rint(picture.transpose(1, 2, 0) * 255).astype(np.uint8)
            Image.fromarray(pixels).save(pictures / f"{i:04}.png")
        height, width = job.calibration.shape[2:]
        settings = folder / "settings.json"
        settings.write_text(json.dumps({
            "format": "RGB", "mean": [0, 0, 0], "normal": [1 / 255] * 3, "width": width,
            "height": height, "path": f"{pictures}/", "used_sample_num": len(job.calibration),
            "feature_quantize_method": "KL", "weight_quantize_method": "MAX_ABS"}))
        result = folder / "quantised.mnn"
        tools.mnnquant(["mnnquant", str(model), str(result), str(settings)])
        return result

    def prepared(self, picture):
        return picture

    def run(self, prepared):
        self.input.write(prepared)
        found = self.net.forward([self.input])
        found = found if isinstance(found, list) else [found]
        return [self.expr.convert(it, self.expr.NCHW).read() for it in found]


RUNTIMES = {"onnxruntime": OnnxRuntime, "openvino": OpenVino, "litert": LiteRt, "ncnn": Ncnn,
            "mnn": Mnn}


class Unsuitable(Exception):
    """This machine or this model does not go with that runtime."""


def finish(command, folder):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=3600, errors="replace")
    if done.returncode != 0:
        tail = " | ".join(done.stdout.strip().splitlines()[-3:])
        raise Unsuitable(f"{Path(command[0]).name} ended with {done.returncode}: {tail[-500:]}")


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("runtime", choices=RUNTIMES)
    parser.add_argument("precision")
    parser.add_argument("--float", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--calibration", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--input", required=True)
    parser.add_argument("--outputs", nargs="+", required=True)
    parser.add_argument("--threads", type=int, default=1)
    job = parser.parse_args()
    job.calibration = np.load(job.calibration)
    return job


def main():
    # What libraries print does not belong among the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    job = parse()
    started = time.process_time()
    try:
        peer = RUNTIMES[job.runtime](job)
    except Exception as error:  # whatever a converter throws: the others go on
        answer({"error": f"{type(error).__name__}: {error}"})
        return
    answer({"version": importlib.metadata.version(peer.package),
            "prepared_cpu_s": time.process_time() - started})
    pictures = []
    for line in sys.stdin:
        command, _, value = line.strip().partition(" ")
        if command == "load":
            pictures = [peer.prepared(np.ascontiguousarray(it[None])) for it in np.load(value)]
            answer({"loaded": len(pictures)})
        elif command == "round":
            before = time.process_time()
            for _ in range(int(value)):
                for picture in pictures:
                    peer.run(picture)
            spent = time.process_time() - before
            answer({"cpu_ms": 1000 * spent / (int(value) * len(pictures))})
        elif command == "outputs":
            each = [[np.array(it) for it in peer.run(picture)] for picture in pictures]
            np.savez(value, **{name: np.concatenate([found[i] for found in each])
                               for i, name in enumerate(peer.names)})
            answer({"written": value})
        else:
            answer({"error": f"unknown command '{command}'"})


if __name__ == "__main__":
    main()
