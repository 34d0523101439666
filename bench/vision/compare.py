#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""andon's vision beside Ultralytics on ONNX Runtime: the same models, the same pictures, one run.

Contenders take turns round by round, so that what else the machine does meets all of them;
medians of the rounds and their ratios are printed and written as JSON. Run by
`./dev bench vision`, which builds what is needed and installs requirements.txt.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.mkdtemp(prefix="ultralytics-"))
os.environ.setdefault("YOLO_VERBOSE", "false")
os.environ.setdefault("YOLO_OFFLINE", "true")
os.environ.setdefault("YOLO_AUTOINSTALL", "false")

HERE = Path(__file__).resolve().parent
COLD_SCRIPT = """
import sys
from ultralytics import YOLO
result = YOLO(sys.argv[1], task="detect")(sys.argv[2], imgsz={size}, verbose=False)[0]
print(len(result.boxes))
"""


class Andon:
    """A vision_bench process."""

    def __init__(self, name, program, model, *options, runtime):
        self.name = name
        environment = dict(os.environ, ONNXRUNTIME_ROOT=str(runtime))
        self.process = subprocess.Popen(
            [str(program), str(model), *map(str, options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.name}: vision_bench ended")
        return json.loads(answer)

    def load(self, files):
        self.ask("clear")
        for file in files:
            self.ask(f"load {file}")

    def detect(self):
        return self.ask("detect")

    def round(self, times):
        return self.ask(f"round {times}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


class Ultralytics:
    """The package, used as its documentation says, on pictures decoded from memory by OpenCV."""

    def __init__(self, name, model, size, **options):
        import cv2
        import numpy
        from ultralytics import YOLO

        self.name, self.size, self.options = name, size, options
        self.cv2, self.numpy = cv2, numpy
        self.model = YOLO(str(model), task="detect")
        self.files = []

    def load(self, files):
        self.files = [(file.name, file.read_bytes()) for file in files]

    def look_at(self, data):
        image = self.cv2.imdecode(self.numpy.frombuffer(data, self.numpy.uint8),
                                  self.cv2.IMREAD_COLOR)
        return self.model.predict(image, imgsz=self.size, verbose=False, **self.options)[0]

    def detect(self):
        found = {}
        for name, data in self.files:
            boxes = self.look_at(data).boxes
            found[name] = [[*box, score, int(label)] for box, score, label in
                           zip(boxes.xyxy.tolist(), boxes.conf.tolist(), boxes.cls.tolist())]
        return found

    def round(self, times):
        inference = 0.0
        started, processor_started = time.perf_counter(), time.process_time()
        for _ in range(times):
            for _, data in self.files:
                inference += self.look_at(data).speed["inference"]
        seconds = time.perf_counter() - started
        count = times * len(self.files)
        return {"images": count, "seconds": seconds, "inference_ms": inference / count,
                "cpu_ms": 1000 * (time.process_time() - processor_started) / count}

    def close(self):
        pass


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def compare_detections(expected, found):
    """How far two sets of detections agree, matched one to one by class and overlap."""
    report = {"images": len(expected), "boxes": 0, "missing": 0, "extra": 0, "worst_iou": 1.0,
              "worst_score": 0.0}
    for name, boxes in expected.items():
        left = list(found[name])
        report["boxes"] += len(boxes)
        for box in boxes:
            best = max((other for other in left if other[5] == box[5]),
                       key=lambda other: iou(box, other), default=None)
            if best is None or iou(box, best) < 0.5:
                report["missing"] += 1
                continue
            left.remove(best)
            report["worst_iou"] = min(report["worst_iou"], iou(box, best))
            report["worst_score"] = max(report["worst_score"], abs(box[4] - best[4]))
        report["extra"] += len(left)
    report["agrees"] = (report["missing"] == report["extra"] == 0 and report["worst_iou"] >= 0.99
                        and report["worst_score"] <= 0.005)
    return report


def parity(arguments, images):
    """Every model, with the suppression's options one by one."""
    reports = []
    settings = [("defaults", [], {}),
                ("low score", ["--confidence", 0.01], {"conf": 0.01}),
                ("iou 0.45", ["--confidence", 0.01, "--iou", 0.45], {"conf": 0.01, "iou": 0.45}),
                ("agnostic, at most 5", ["--confidence", 0.01, "--agnostic", "--max-detections", 5],
                 {"conf": 0.01, "agnostic_nms": True, "max_det": 5})]
    for model in arguments.parity_models:
        size = 640 if "640" in model.name else 320
        for label, own, theirs in settings:
            # These models have inputs of a fixed size; one says "dynamic" for its batch.
            options = {"conf": 0.25, "iou": 0.7, "rect": False, **theirs}
            ours = Andon("andon", arguments.program, model, *own, runtime=arguments.runtime)
            reference = Ultralytics("ultralytics", model, size, **options)
            for contender in (ours, reference):
                contender.load(images)
            report = compare_detections(reference.detect(), ours.detect())
            ours.close()
            reports.append({"model": model.name, "setting": label, **report})
            print(f"  {model.name:42} {label:20} {report['boxes']:5} boxes, "
                  f"{report['missing']} missing, {report['extra']} extra, "
                  f"IoU >= {report['worst_iou']:.4f}, score within {report['worst_score']:.5f}"
                  f"{'' if report['agrees'] else '   DISAGREES'}", flush=True)
    return reports


def crowded_model(folder, size=320, classes=3):
    """A model that always finds the same crowd: what the suppression of overlaps makes of it."""
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = numpy.random.default_rng(5)
    anchors = 2100
    values = numpy.zeros((1, 4 + classes, anchors), numpy.float32)
    values[0, :2] = random.uniform(60, 260, (2, anchors))
    values[0, 2:4] = random.uniform(20, 90, (2, anchors))
    values[0, 4:] = random.uniform(0, 1, (classes, anchors)) ** 2
    nodes = [helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
             helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
             helper.make_node("Add", ["values", "nothing"], ["output0"])]
    graph = helper.make_graph(
        nodes, "crowd",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, size, size])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, list(values.shape))],
        [numpy_helper.from_array(values, "values"),
         numpy_helper.from_array(numpy.float32(0), "zero")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    names = {number: f"class {number}" for number in range(classes)}
    for key, value in {"names": str(names), "task": "detect", "stride": "32",
                       "imgsz": f"[{size}, {size}]", "batch": "1"}.items():
        model.metadata_props.add(key=key, value=value)
    file = folder / "crowd-320.onnx"
    onnx.save(model, file)
    return file


def camera_pictures(images, folder, width=1280, height=1024, count=8):
    """Pictures of a camera's size out of the small ones, as JPEG of quality 90."""
    import cv2

    files = []
    for file in images[:count]:
        picture = cv2.resize(cv2.imread(str(file)), (width, height), interpolation=cv2.INTER_CUBIC)
        files.append(folder / f"{file.stem}-{width}x{height}.jpg")
        cv2.imwrite(str(files[-1]), picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return files


def take_turns(contenders, rounds, times):
    for contender in contenders:
        contender.round(1)
    results = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        order = contenders if number % 2 == 0 else contenders[::-1]
        for contender in order:
            results[contender.name].append(contender.round(times))
    return results


def throughput(arguments, files, label, fitted_fp32=None, fitted_int8=None):
    """Bytes to detections on all cores."""
    program, runtime = arguments.program, arguments.runtime
    cores = len(os.sched_getaffinity(0))
    fp32 = arguments.models / "scratch-yolov8n-640.onnx"
    contenders = [
        Ultralytics("ultralytics", fp32, 640),
        Andon("andon FP32, a worker a core", program, fp32, "--workers", cores, runtime=runtime),
        Andon("andon FP32, one worker, all cores", program, fp32, "--threads", cores, "--spin",
              runtime=runtime),
        Andon("andon FP32, scaled decoding", program, fp32, "--workers", cores, "--scaled",
              runtime=runtime)]
    for name, model in (("cut FP32", arguments.cut), ("INT8", arguments.int8),
                        ("cut FP32, input fitted", fitted_fp32),
                        ("INT8, input fitted", fitted_int8)):
        if model:
            contenders.append(Andon(f"andon {name}, a worker a core", program, model, "--workers",
                                    cores, runtime=runtime))
    for contender in contenders:
        contender.load(files)
    results = take_turns(contenders, arguments.rounds, arguments.times)
    base = [r["images"] / r["seconds"] for r in results["ultralytics"]]
    rows = []
    print(f"  {label}: pictures a second, median of {arguments.rounds} rounds")
    for contender in contenders:
        rates = [r["images"] / r["seconds"] for r in results[contender.name]]
        row = {"contender": contender.name, "rate": statistics.median(rates),
               "ratio": statistics.median(a / b for a, b in zip(rates, base))}
        for stage in ("decode_ms", "preprocess_ms", "inference_ms", "postprocess_ms"):
            values = [r[stage] for r in results[contender.name] if stage in r]
            if values:
                row[stage] = statistics.median(values)
        rows.append(row)
        stages = "  ".join(f"{stage[:-3]} {row[stage]:.2f}" for stage in row if stage[-3:] == "_ms")
        print(f"    {row['contender']:34} {row['rate']:7.2f}/s  {row['ratio']:5.2f}x   {stages}",
              flush=True)
        contender.close()
    return {"pictures": label, "rows": rows}


def one_thread_everywhere():
    """Of what Ultralytics runs by: threads that spin for work would count as processor time."""
    import cv2
    import onnxruntime
    import torch

    class Session(onnxruntime.InferenceSession):
        def __init__(self, model, *_, **__):
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            super().__init__(model, options, ["CPUExecutionProvider"])

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    onnxruntime.InferenceSession = Session


def processor_time(arguments, files):
    """Bytes to detections in one thread, by what it takes of the processor: for busy machines."""
    one_thread_everywhere()
    fp32 = arguments.models / "scratch-yolov8n-640.onnx"
    contenders = [Ultralytics("ultralytics", fp32, 640)]
    for name, model in (("andon FP32", fp32), ("andon INT8", arguments.int8),
                        ("andon INT8, input fitted", arguments.fitted_int8)):
        if model:
            contenders.append(Andon(name, arguments.program, model, runtime=arguments.runtime))
    for contender in contenders:
        contender.load(files)
    results = take_turns(contenders, arguments.rounds, arguments.times)
    base = [r["cpu_ms"] for r in results["ultralytics"]]
    rows = []
    for contender in contenders:
        own = [r["cpu_ms"] for r in results[contender.name]]
        rows.append({"contender": contender.name, "cpu_ms": statistics.median(own),
                     "ratio": statistics.median(a / b for a, b in zip(base, own))})
        print(f"    {contender.name:26} {rows[-1]['cpu_ms']:7.2f} ms  {rows[-1]['ratio']:5.2f}x",
              flush=True)
        contender.close()
    return rows


def outside_share(arguments, files):
    """What one thread spends outside the network on a camera's JPEG, against the network."""
    fp32 = arguments.models / "scratch-yolov8n-640.onnx"
    contenders = [Andon("whole", arguments.program, fp32, runtime=arguments.runtime),
                  Andon("scaled", arguments.program, fp32, "--scaled", runtime=arguments.runtime)]
    for contender in contenders:
        contender.load(files)
    results = take_turns(contenders, arguments.rounds, arguments.times)
    report = {}
    for contender in contenders:
        stages = {stage: statistics.median(r[stage] for r in results[contender.name])
                  for stage in ("decode_ms", "preprocess_ms", "inference_ms", "postprocess_ms")}
        outside = stages["decode_ms"] + stages["preprocess_ms"] + stages["postprocess_ms"]
        stages["share"] = outside / stages["inference_ms"]
        report[contender.name] = stages
        print(f"  decoded {contender.name:7} decode {stages['decode_ms']:.2f} ms, letterbox "
              f"{stages['preprocess_ms']:.2f}, boxes {stages['postprocess_ms']:.3f}, network "
              f"{stages['inference_ms']:.1f}: {100 * stages['share']:.1f} % outside", flush=True)
        contender.close()
    return report


# A process begins with the peak RSS of the one that it was forked from: children are started by a
# small one.
MEASURE = """
import json, os, sys, time
started = time.perf_counter()
quiet = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_WRONLY, 0) for fd in (1, 2)]
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
print(json.dumps({"code": os.waitstatus_to_exitcode(status), "rss_mib": usage.ru_maxrss / 1024,
                  "seconds": time.perf_counter() - started}))
"""


def run_measured(command, environment):
    """Wall time and peak RSS of one child."""
    answer = subprocess.run([sys.executable, "-I", "-S", "-c", MEASURE, *command], check=True,
                            capture_output=True, text=True, env=environment)
    measured = json.loads(answer.stdout)
    if measured.pop("code") != 0:
        raise SystemExit(f"{command[0]} failed")
    return measured


def cold_start(arguments, image, folder):
    """From nothing to the first picture's detections, files in the page cache."""
    model = arguments.models / "scratch-yolov8n-640.onnx"
    script = folder / "cold.py"
    script.write_text(COLD_SCRIPT.format(size=640))
    source = folder / "source"
    source.mkdir()
    (source / image.name).write_bytes(image.read_bytes())
    environment = dict(os.environ, ONNXRUNTIME_ROOT=str(arguments.runtime))
    commands = {"ultralytics": lambda n: [sys.executable, str(script), str(model), str(image)],
                "andon-inspect": lambda n: [str(arguments.inspect), "--model", str(model),
                                            "--source", str(source), "--out",
                                            str(folder / f"out-{n}"), "--once"]}
    results = {name: [] for name in commands}
    for number in range(-1, arguments.rounds):
        for name, command in commands.items():
            measured = run_measured(command(number), environment)
            if number >= 0:
                results[name].append(measured)
    report = {name: {key: statistics.median(r[key] for r in rows) for key in rows[0]}
              for name, rows in results.items()}
    theirs, ours = report["ultralytics"], report["andon-inspect"]
    report["times_faster"] = theirs["seconds"] / ours["seconds"]
    report["rss_ratio"] = ours["rss_mib"] / theirs["rss_mib"]
    print(f"  start to end of one picture: ultralytics {theirs['seconds']:.2f} s, andon-inspect "
          f"{ours['seconds']:.3f} s ({report['times_faster']:.0f}x); peak RSS "
          f"{theirs['rss_mib']:.0f} and {ours['rss_mib']:.0f} MiB "
          f"(1/{1 / report['rss_ratio']:.1f})", flush=True)
    return report


def versions(arguments):
    import cv2
    import onnxruntime
    import torch
    import ultralytics

    library = arguments.runtime / "version"
    return {"machine": platform.machine(), "cores": len(os.sched_getaffinity(0)),
            "load_before": os.getloadavg()[0], "ultralytics": ultralytics.__version__,
            "onnxruntime_of_ultralytics": onnxruntime.__version__, "torch": torch.__version__,
            "opencv": cv2.__version__,
            "onnxruntime_of_andon": library.read_text().strip() if library.exists() else "given"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, help="folder of the release build")
    parser.add_argument("--shared", type=Path, required=True, help="folder with data/")
    parser.add_argument("--runtime", type=Path, required=True, help="folder of ONNX Runtime")
    parser.add_argument("--int8", type=Path, help="the 640 model quantised")
    parser.add_argument("--fitted-fp32", type=Path, help="cut, with --picture-size 450x300")
    parser.add_argument("--fitted-int8", type=Path, help="and quantised")
    parser.add_argument("--cut", type=Path, help="the 640 model without its head")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--times", type=int, default=1, help="passes over the pictures a round")
    parser.add_argument("--only", action="append",
                        choices=["parity", "throughput", "share", "cold", "cpu"],
                        help="cpu: processor time, for busy machines; the others are the default")
    parser.add_argument("--out", type=Path, default=Path("build/vision-bench.json"))
    arguments = parser.parse_args()
    arguments.program = arguments.bin / "vision_bench"
    arguments.inspect = arguments.bin / "andon-inspect"
    arguments.models = arguments.shared / "data/models"
    arguments.parity_models = sorted(arguments.models.glob("*.onnx"))
    images = sorted((arguments.shared / "data/metal-tags/dev/images").glob("*.jpg"))
    wanted = arguments.only or ["parity", "throughput", "share", "cold"]

    report = {"versions": versions(arguments)}
    print(json.dumps(report["versions"]), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        camera = camera_pictures(images, folder)
        arguments.parity_models.append(crowded_model(folder))
        if "parity" in wanted:
            print("Parity with Ultralytics")
            report["parity"] = parity(arguments, images)
        if "throughput" in wanted:
            print("Throughput")
            report["throughput"] = [throughput(arguments, images[:8], "450x300", arguments.fitted_fp32,
                                               arguments.fitted_int8),
                                    throughput(arguments, camera, "1280x1024")]
        if "share" in wanted:
            print("Outside the network, one thread, 1280x1024")
            report["share"] = outside_share(arguments, camera)
        if "cpu" in wanted:
            print("Processor time, one thread, 450x300")
            report["cpu"] = processor_time(arguments, images[:4])
        if "cold" in wanted:
            print("Cold start")
            report["cold"] = cold_start(arguments, images[0], folder)
    report["load_after"] = os.getloadavg()[0]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=2) + "\n")
    print(f"written to {arguments.out}")


if __name__ == "__main__":
    main()
