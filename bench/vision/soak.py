#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A thousand frames through andon-inspect, in each mode, once in peace and once with the model
changed all the time: frames lost or doubled, growth of memory, images a second. With --hot-path
(target hot_path) also what a worker allocates for a frame.

    bench/vision/soak.py --inspect build/release/bin/andon-inspect --images DIR \
        --model A.onnx --model B.onnx [--frames 1000] [--hot-path build/release/bin/hot_path]

Standard library only. Ends with 1 where a frame was lost or doubled or memory has grown."""
import argparse
import hashlib
import json
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_S = 600
# Growth below this is noise: pages that the allocator keeps or gives back.
GROWTH_LIMIT_KIB = 2048


def rss_kib(pid):
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def put_in_place(source, destination):
    """As a careful writer does: whole or not at all."""
    arriving = destination.with_name("." + destination.name + ".arriving")
    shutil.copyfile(source, arriving)
    arriving.rename(destination)


class Run:
    def __init__(self, options, mode, folder):
        self.options, self.mode, self.folder = options, mode, folder
        self.images, self.out = folder / "images", folder / "out"
        self.model = folder / "model.onnx"
        self.images.mkdir()
        self.pictures = sorted(p for p in Path(options.images).iterdir()
                               if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
        self.results = []
        self.position = 0

    def read_results(self):
        path = self.out / "results.jsonl"
        if not path.exists():
            return
        with path.open("rb") as file:
            file.seek(self.position)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self.position += len(line)
                self.results.append(json.loads(line))

    def go(self, swaps):
        put_in_place(self.options.model[0], self.model)
        frames = self.options.frames
        for number in range(frames):
            picture = self.pictures[number % len(self.pictures)]
            shutil.copyfile(picture, self.images / f"frame-{number:05}{picture.suffix}")
        log = (self.folder / "log").open("wb")
        process = subprocess.Popen(
            [self.options.inspect, "--model", self.model, "--source", self.images, "--out",
             self.out, "--mode", self.mode, "--log-level", "info"], stderr=log)
        started, samples, swapped = time.monotonic(), [], 0
        first = None
        try:
            while len(self.results) < frames:
                assert time.monotonic() - started < LIMIT_S, f"only {len(self.results)} results"
                assert process.poll() is None, (self.folder / "log").read_text()
                self.read_results()
                if self.results and first is None:
                    first = time.monotonic()
                samples.append((len(self.results), rss_kib(process.pid), swapped))
                due = (swapped + 1) * frames // (swaps + 1)
                if swapped < swaps and len(self.results) >= due:
                    swapped += 1
                    put_in_place(self.options.model[swapped % len(self.options.model)], self.model)
                time.sleep(0.02)
            seconds = time.monotonic() - first
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_S) == 0, (self.folder / "log").read_text()
        self.read_results()
        return self.report(swaps, samples, seconds)

    def report(self, swaps, samples, seconds):
        names = [result["image"]["name"] for result in self.results]
        models = [result["model"]["sha256"] for result in self.results]
        changes = sum(1 for a, b in zip(models, models[1:]) if a != b)
        known = {hashlib.sha256(Path(m).read_bytes()).hexdigest() for m in self.options.model}
        frames = self.options.frames

        def between(low, high):
            found = [rss for count, rss, _ in samples if low * frames <= count <= high * frames]
            return statistics.median(found) if found else 0

        # While the model is changed: the level that it comes back to between two changes, when
        # the newer model has loaded and the older one is gone.
        levels = []
        for number in range(swaps + 1):
            found = [rss for _, rss, swapped in samples if swapped == number]
            levels.append(statistics.median(found[len(found) // 2:]) if found else 0)
        third = max(1, len(levels) // 3)
        growth = between(0.9, 1.0) - between(0.2, 0.3) if swaps == 0 else \
            statistics.median(levels[-third:]) - statistics.median(levels[1:1 + third])
        return {
            "mode": self.mode, "model_changes_asked": swaps, "model_changes_seen": changes,
            "frames": len(set(names)), "lost": frames - len(set(names)),
            "doubled": len(names) - len(set(names)), "out_of_order": int(names != sorted(names)),
            "errors": sum("error" in result for result in self.results),
            "unknown_models": len(set(models) - known),
            "rss_early_kib": between(0.2, 0.3), "rss_late_kib": between(0.9, 1.0),
            "rss_between_changes_kib": levels if swaps else [],
            "rss_growth_kib": growth, "rss_peak_kib": max(rss for _, rss, _ in samples),
            "images_per_second": round((frames - 1) / seconds, 1)}


def is_good(report):
    wrong = ("lost", "doubled", "out_of_order", "errors", "unknown_models")
    return not any(report[key] for key in wrong) and report["rss_growth_kib"] <= GROWTH_LIMIT_KIB


def count_allocations(options):
    """True where nothing of andon's own is allocated between a file and its detections."""
    good = True
    for model in options.model:
        done = subprocess.run([options.hot_path, model, options.images, str(options.frames)],
                              check=False, stdout=subprocess.PIPE, timeout=LIMIT_S)
        print(done.stdout.decode().strip(), flush=True)
        good &= done.returncode == 0
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inspect", required=True)
    parser.add_argument("--images", required=True)
    parser.add_argument("--model", action="append", required=True)
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--swaps", type=int, default=10)
    parser.add_argument("--hot-path")
    parser.add_argument("--mode", choices=("throughput", "latency"))
    options = parser.parse_args()
    failed = bool(options.hot_path) and not count_allocations(options)
    for mode in [options.mode] if options.mode else ("throughput", "latency"):
        for swaps in (0, options.swaps if len(options.model) > 1 else 0):
            with tempfile.TemporaryDirectory(prefix="andon-soak-") as folder:
                report = Run(options, mode, Path(folder)).go(swaps)
            print(json.dumps(report), flush=True)
            failed |= not is_good(report)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
