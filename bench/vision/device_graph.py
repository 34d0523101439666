#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What device graphs gain, on this machine and whatever else it does.

    bench/vision/device_graph.py --program build/release/bin/vision_bench --images DIR MODEL...

Each model from JPEG bytes to detections, in one thread, in turns, round by round; a model with a
device graph three times: as devices run it, as it is stored (the same where the processor has no
convolutions of our own), and without it. Processor time, so that a busy machine counts little;
medians of the rounds, and the median of each round's ratio to the first. And what they find: the
boxes of each beside those of the first, and of a device graph beside its own model.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path


class Contender:
    def __init__(self, program, runtime, confidence, model, *options):
        self.name = " ".join([Path(model).name, *options])
        environment = dict(os.environ, ONNXRUNTIME_ROOT=runtime) if runtime else None
        start = time.monotonic()
        self.process = subprocess.Popen([program, model, "--confidence", confidence, *options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment)
        self.about = self.ask("describe")
        if runtime:
            self.name += f" ({self.about['onnxruntime']})"
        self.start = time.monotonic() - start

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"{self.name}: vision_bench ended")
        return json.loads(answer)

    def peak_mib(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        return 0

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def compare(left, right):
    """Boxes on the left and on the right, pairs (IoU of at least a half), largest score change."""
    pairs, change = 0, 0.0
    for name, boxes in left.items():
        rest = list(right[name])
        for box in boxes:
            best = max(rest, key=lambda other: iou(box, other), default=None)
            if best is None or iou(box, best) < 0.5:
                continue
            rest.remove(best)
            pairs += 1
            change = max(change, abs(box[4] - best[4]))
    return (f"{sum(map(len, left.values()))} and {sum(map(len, right.values()))} boxes, "
            f"{pairs} pairs, scores within {change:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="build/release/bin/vision_bench")
    parser.add_argument("--images", required=True)
    parser.add_argument("--count", type=int, default=8, help="pictures")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--confidence", default="0.25", help="of what is compared")
    parser.add_argument("--onnxruntime", action="append", help="library or folder; may be repeated")
    parser.add_argument("models", nargs="+")
    options = parser.parse_args()
    pictures = sorted(os.path.join(options.images, it) for it in os.listdir(options.images)
                      if it.endswith(".jpg"))[:options.count]
    contenders = []
    for model in options.models:
        for runtime in options.onnxruntime or [None]:
            start = (options.program, runtime, options.confidence, model)
            contenders.append(Contender(*start))
            if contenders[-1].about["deviceGraph"]:
                for graph in ("--stored-graph", "--ordinary-graph"):
                    contenders.append(Contender(*start, graph))
    for it in contenders:
        for picture in pictures:
            it.ask(f"load {picture}")
        it.ask("round 1")
    rounds = {it.name: [] for it in contenders}
    for _ in range(options.rounds):
        for it in contenders:
            rounds[it.name].append(it.ask("round 1"))
    first = [it["cpu_ms"] for it in rounds[contenders[0].name]]
    print(f"ONNX Runtime {contenders[0].about['onnxruntime']}, {len(pictures)} pictures, "
          f"{options.rounds} rounds")
    print(f"{'':44}{'cpu ms':>8}{'of first':>10}{'letterbox':>11}{'start s':>9}{'peak MiB':>10}")
    for it in contenders:
        own = [each["cpu_ms"] for each in rounds[it.name]]
        ratio = statistics.median(a / b for a, b in zip(own, first))
        letterbox = min(each["preprocess_ms"] for each in rounds[it.name])
        print(f"{it.name:44}{statistics.median(own):8.2f}{ratio:10.3f}{letterbox:11.2f}"
              f"{it.start:9.2f}{it.peak_mib():10.0f}")
    found = [it.ask("detect") for it in contenders]
    for i, it in enumerate(contenders):
        if i == 0:
            continue
        print(f"{contenders[0].name} / {it.name}: {compare(found[0], found[i])}")
        if "-graph" in it.name:
            print(f"{contenders[i - 1].name} / {it.name}: {compare(found[i - 1], found[i])}")
    for it in contenders:
        it.end()


if __name__ == "__main__":
    main()
