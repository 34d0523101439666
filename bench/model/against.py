#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A model on andon beside what somebody would take instead: LiteRT, OpenVINO, ncnn, MNN.

    ./dev bench model MODEL.onnx --float PARENT.onnx --images DIR [--calibrate DIR] [--json]

MODEL is what devices get; PARENT the float model that it was made of (with `--head cut` the float
model with its head cut off, too: then all run the same network). Each peer gets the parent as its
own public package converts it, and makes its own eight bits of it with the pictures of --calibrate.
All take turns, round by round, in one thread. Processor time, so that a busy machine counts little;
medians of the rounds, and the median of each round's ratio to MODEL on andon. The peers' time is
the network alone, from tensor to tensor; andon's is all but the decoding of the JPEG: letterbox,
network, boxes. Similarity is that of `andon model compare`, to PARENT in ONNX Runtime.
"""

import argparse
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "vision"))

from device_graph import iou  # noqa: E402  (of the bench beside this one)

# What is run in each runtime, in the order of the table.
PRECISIONS = {"onnxruntime": ("float32", "file"), "litert": ("float32", "int8"),
              "openvino": ("float32", "bfloat16", "int8", "file"), "ncnn": ("float32",),
              "mnn": ("float32", "int8")}
CONFIDENCE, IOU = 0.25, 0.7
LONGEST_S = 3600  # of an answer: some converters take minutes


class Contender:
    """A process that takes commands line by line."""

    def __init__(self, name, command, log, environment=None):
        self.name, self.error, self.log = name, None, log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=output, text=True,
                                            env=environment)

    def answer(self):
        ready, _, _ = select.select([self.process.stdout], [], [], LONGEST_S)
        if not ready:
            self.process.kill()
            return {"error": f"it said nothing for {LONGEST_S} s"}
        line = self.process.stdout.readline()
        if not line:
            return {"error": f"it ended; the last of what it said: {last_line(self.log)}"}
        return json.loads(line)

    def ask(self, line):
        if self.error:
            return {"error": self.error}
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        found = self.answer()
        self.error = found.get("error")
        return found

    def end(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait(timeout=60)


def last_line(log):
    lines = Path(log).read_text(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "nothing"


# --- pictures, as andon gives them to the network ---------------------------------------------------


def resized(pixels, width, height):
    """OpenCV's bilinear filter: between the centres of pixels, whatever the scale."""
    def places(size, wanted):
        at = np.clip((np.arange(wanted) + 0.5) * size / wanted - 0.5, 0, size - 1)
        low = at.astype(int)
        return low, np.minimum(low + 1, size - 1), (at - low).astype(np.float32)

    top, bottom, down = places(pixels.shape[0], height)
    left, right, across = places(pixels.shape[1], width)
    pixels = pixels.astype(np.float32)
    rows = pixels[top] + (pixels[bottom] - pixels[top]) * down[:, None, None]
    return np.rint(rows[:, left] + (rows[:, right] - rows[:, left]) * across[None, :, None])


class Letterbox:
    def __init__(self, path, width, height):
        pixels = np.asarray(Image.open(path).convert("RGB"))
        self.size = (pixels.shape[1], pixels.shape[0])
        ratio = min(width / self.size[0], height / self.size[1])
        inner = [round(side * ratio) for side in self.size]
        # Each side has its own, by what rounding did.
        self.ratios = [inner[i] / self.size[i] for i in (0, 1)]
        self.left = round((width - inner[0]) / 2 - 0.1)
        self.top = round((height - inner[1]) / 2 - 0.1)
        canvas = np.full((height, width, 3), 114, np.float32)
        canvas[self.top:self.top + inner[1], self.left:self.left + inner[0]] = resized(pixels, *inner)
        self.tensor = (canvas / 255).transpose(2, 0, 1).astype(np.float32)

    def in_picture(self, box):
        x0, y0, x1, y1, *rest = box
        across = [min(max((x - self.left) / self.ratios[0], 0), self.size[0]) for x in (x0, x1)]
        down = [min(max((y - self.top) / self.ratios[1], 0), self.size[1]) for y in (y0, y1)]
        return [across[0], down[0], across[1], down[1], *rest]


# --- outputs to boxes -------------------------------------------------------------------------------


def by_reference(outputs, shapes):
    """Outputs of a peer under the parent's names, channels first; None where they are not those."""
    left, found = dict(outputs), {}
    for name, shape in shapes.items():
        def fits(value, shape=shape):
            return value.shape[1:] == shape[1:]

        own = [name] if name in left and fits(left[name]) else list(left)
        for key in own:
            value = left[key]
            # LiteRT has channels last.
            moved = value.transpose(0, 3, 1, 2) if value.ndim == 4 else value
            chosen = value if fits(value) else moved if fits(moved) else None
            if chosen is not None:
                found[name] = chosen
                del left[key]
                break
        else:
            return None
    return found


def candidates(outputs, picture):
    """Corners, scores, labels before the suppression; None for a head that is not known here."""
    if any(name.startswith("boxes_") for name in outputs):
        boxes, scores = [], []
        for name in (it for it in outputs if it.startswith("boxes_")):
            stride = int(name.removeprefix("boxes_"))
            raw = outputs[name][picture]
            _, rows, columns = raw.shape
            bins = np.exp((it := raw.reshape(4, -1, rows, columns)) - it.max(1, keepdims=True))
            sides = (bins * np.arange(bins.shape[1])[:, None, None]).sum(1) / bins.sum(1)
            x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
            corners = np.stack([x - sides[0], y - sides[1], x + sides[2], y + sides[3]]) * stride
            boxes.append(corners.reshape(4, -1))
            classes = outputs[f"scores_{stride}"][picture]
            scores.append(1 / (1 + np.exp(-classes.reshape(classes.shape[0], -1))))
        return np.concatenate(boxes, 1).T, np.concatenate(scores, 1).T
    if len(outputs) == 1:
        value = next(iter(outputs.values()))[picture]
        if value.ndim == 2 and 4 < value.shape[0] < value.shape[1]:
            x, y, width, height = value[:4]
            corners = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
            return corners.T, value[4:].T
    return None


def boxes_of(outputs, picture):
    found = candidates(outputs, picture)
    if found is None:
        return None
    corners, scores = found
    label, score = scores.argmax(1), scores.max(1)
    order = [i for i in np.argsort(-score) if score[i] >= CONFIDENCE / 2][:3000]
    kept = []
    for i in order:
        box = [*corners[i].tolist(), float(score[i]), int(label[i])]
        if all(other[5] != box[5] or iou(other, box) <= IOU for other in kept):
            kept.append(box)
    return kept[:300]


def similarity(left, right):
    """Of two lists of findings a picture, as docs/evaluate.md says."""
    points = []
    for ours, theirs in zip(left, right):
        pairs = sorted(((iou(a, b), i, j) for i, a in enumerate(ours) for j, b in enumerate(theirs)
                        if a[5] == b[5] and max(a[4], b[4]) >= CONFIDENCE), reverse=True)
        taken = [set(), set()]
        for overlap, i, j in pairs:
            if overlap < 0.5 or i in taken[0] or j in taken[1]:
                continue
            taken[0].add(i)
            taken[1].add(j)
            points.append(overlap * (1 - abs(ours[i][4] - theirs[j][4])))
        for side, boxes in ((0, ours), (1, theirs)):
            points += [0.0 for i, it in enumerate(boxes)
                       if i not in taken[side] and it[4] >= CONFIDENCE]
    return statistics.fmean(points) if points else None


# --- the bench --------------------------------------------------------------------------------------


def python_of(peers, runtime):
    return peers / runtime / "bin/python"


def not_installed(peers, runtime):
    if (peers / runtime / "complete").exists():
        return None
    return f"{runtime} is not installed: ./dev bench model --install {runtime}"


def pictures_of(folder, count):
    found = sorted(it for it in Path(folder).iterdir()
                   if it.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not found:
        sys.exit(f"against.py: there are no pictures (.jpg, .png) in {folder}")
    count = min(count, len(found))
    return [found[i * len(found) // count] for i in range(count)]


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench model", description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="what devices get")
    parser.add_argument("--float", type=Path, required=True, help="the float model it was made of")
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--calibrate", type=Path, help="for the peers' own eight bits (--images)")
    parser.add_argument("--against", metavar="RUNTIMES",
                        help=f"by commas, of {','.join(PRECISIONS)}; by default all that are installed")
    parser.add_argument("--count", type=int, default=6, help="pictures")
    parser.add_argument("--calibration-images", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--program", type=Path,
                        default=Path("build/release/bin/vision_bench"))
    parser.add_argument("--peers", type=Path, default=Path("build/peers"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for file in (options.model, options.float, options.program):
        if not file.is_file():
            parser.error(f"{file} is not a file")
    named = options.against.split(",") if options.against else []
    for runtime in named:
        if runtime not in PRECISIONS:
            parser.error(f"--against '{runtime}': there are {', '.join(PRECISIONS)}")
    # ONNX Runtime with the float model is what the others' findings are compared with.
    for runtime in dict.fromkeys(("onnxruntime", *named)):
        if reason := not_installed(options.peers, runtime):
            sys.exit(f"against.py: {reason}")
    options.against = [it for it in PRECISIONS if it == "onnxruntime" or not named or it in named]
    if min(options.count, options.calibration_images, options.rounds, options.threads) < 1:
        parser.error("--count, --calibration-images, --rounds and --threads are at least 1")
    return options


def input_and_outputs(model):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    given = session.get_inputs()
    if len(given) != 1 or len(given[0].shape) != 4 or given[0].shape[1] != 3 or \
            not all(isinstance(it, int) for it in given[0].shape[2:]):
        sys.exit(f"against.py: {model} has to have one input [1,3,height,width] of a fixed size, "
                 f"not {[it.shape for it in given]}")
    return given[0].name, given[0].shape[2:], [it.name for it in session.get_outputs()]


def start_peers(options, folder, name, outputs):
    contenders, missing = [], []
    for runtime in options.against:
        if reason := not_installed(options.peers, runtime):
            missing.append(reason)
            continue
        for precision in PRECISIONS[runtime]:
            contenders.append(Contender(
                f"{runtime}, {precision}",
                [python_of(options.peers, runtime), HERE / "peer.py", runtime, precision, "--float",
                 options.float, "--model", options.model, "--calibration", folder / "calibration.npy",
                 "--work", folder, "--input", name, "--outputs", *outputs, "--threads",
                 options.threads], folder / f"{runtime}-{precision}.log"))
            # One after the other: converting takes memory.
            found = contenders[-1].answer()
            contenders[-1].error = found.get("error")
            contenders[-1].version = found.get("version")
            state = contenders[-1].error or "ready"
            print(f"{contenders[-1].name}: {state}", file=sys.stderr, flush=True)
    return contenders, missing


def start_andon(options, folder, files):
    contenders = []
    models = {f"andon, {options.model.name}": options.model,
              f"andon, {options.float.name}": options.float}
    for name, model in models.items():
        it = Contender(name, [options.program.resolve(), model, "--threads", options.threads],
                       folder / f"andon-{len(contenders)}.log")
        about = it.ask("describe")
        it.version = about.get("onnxruntime")
        it.has_device_graph = about.get("deviceGraph", False)
        for file in files:
            it.ask(f"load {file.resolve()}")
        contenders.append(it)
    if contenders[0].error:
        sys.exit(f"against.py: {options.program} does not run {options.model}: "
                 f"{contenders[0].error}")
    return contenders


def processor_time(answer):
    """Of a round; andon's without the decoding of the picture."""
    if "decode_ms" not in answer:
        return answer["cpu_ms"]
    stages = [answer[f"{it}_ms"] for it in ("decode", "preprocess", "inference", "postprocess")]
    return answer["cpu_ms"] * (1 - stages[0] / sum(stages))


def take_turns(contenders, rounds):
    times = {it.name: [] for it in contenders}
    for turn in range(rounds + 1):
        for it in contenders if turn % 2 else contenders[::-1]:
            answer = it.ask("round 1")
            if turn and not it.error:  # the first one warms up
                times[it.name].append(processor_time(answer))
    return times


def findings_of(contenders, ours, letterboxes, files, folder, names):
    """By contender: a list of boxes for each picture, in pixels of that picture."""
    found, shapes = {}, {}
    for it in contenders:
        if it.error:
            continue
        file = folder / "outputs.npz"
        it.ask(f"outputs {file}")
        if it.error:
            continue
        outputs = dict(np.load(file))
        if it.name == "onnxruntime, float32":
            shapes = {name: outputs[name].shape for name in names}
        outputs = by_reference(outputs, shapes)
        if outputs is None:
            continue
        each = [boxes_of(outputs, i) for i in range(len(files))]
        if any(boxes is None for boxes in each):
            continue
        found[it.name] = [[box.in_picture(one) for one in boxes]
                          for box, boxes in zip(letterboxes, each)]
    reference = found.get("onnxruntime, float32")
    if reference:
        for it in ours:
            boxes = it.ask("detect")
            found[it.name] = [boxes[file.name] for file in files]
    return reference, found


def main():
    options = arguments()
    name, (height, width), outputs = input_and_outputs(options.float)
    files = pictures_of(options.images, options.count)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        letterboxes = [Letterbox(file, width, height) for file in files]
        np.save(folder / "pictures.npy", np.stack([it.tensor for it in letterboxes]))
        calibration = pictures_of(options.calibrate or options.images, options.calibration_images)
        np.save(folder / "calibration.npy",
                np.stack([Letterbox(it, width, height).tensor for it in calibration]))
        ours = start_andon(options, folder, files)
        peers, missing = start_peers(options, folder, name, outputs)
        for it in peers:
            it.ask(f"load {folder / 'pictures.npy'}")
        load = os.getloadavg()[0]
        times = take_turns(ours + peers, options.rounds)
        reference, found = findings_of(peers, ours, letterboxes, files, folder, outputs)
        rows = []
        for it in ours + peers:
            row = {"contender": it.name, "version": it.version}
            if it.error:
                row["error"] = it.error
            else:
                first = times[ours[0].name]
                row |= {"cpuMs": statistics.median(times[it.name]),
                        "ratio": statistics.median(a / b for a, b in zip(times[it.name], first)),
                        "similarity": None}
                if reference and it.name in found:
                    row["similarity"] = similarity(reference, found[it.name])
            rows.append(row)
        for it in ours + peers:
            it.end()
    report = {"model": str(options.model), "float": str(options.float), "pictures": len(files),
              "rounds": options.rounds, "threads": options.threads, "load": load,
              "deviceGraph": ours[0].has_device_graph, "rows": rows, "notInstalled": missing}
    print(json.dumps(report, indent=2) if options.json else table(report))


def table(report):
    lines = [f"{report['pictures']} pictures, {report['rounds']} rounds, {report['threads']} "
             f"thread(s), load {report['load']:.1f}; device graph: "
             f"{'yes' if report['deviceGraph'] else 'no'}",
             f"{'':44}{'version':>16}{'cpu ms':>9}{'of first':>10}{'similarity':>12}"]
    for row in report["rows"]:
        start = f"{row['contender']:44}{row['version'] or '':>16}"
        if "error" in row:
            lines.append(f"{start}   {row['error']}")
            continue
        alike = "-" if row["similarity"] is None else f"{row['similarity']:.4f}"
        lines.append(f"{start}{row['cpuMs']:9.2f}{row['ratio']:10.3f}{alike:>12}")
    return "\n".join(lines + report["notInstalled"])


if __name__ == "__main__":
    main()
