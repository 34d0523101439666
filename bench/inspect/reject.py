#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Deadlines of a line under load: parts are triggered over HTTP, looked at with the example's model, and
rejected over Modbus TCP to a real server, while every core is kept busy by something else. Midway the
model is swapped, and then the cable is pulled for a while. Prints a histogram of the time from the
trigger until the controller was written to, and what became of each part.

    ./dev build && build/venv/bin/python bench/inspect/reject.py [--parts 600] [--period-ms 200] ...
"""
import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ANDON_BIN", ROOT / "build" / "release" / "bin"))
EXAMPLE = ROOT / "examples" / "metal-tags"
COIL = 7


def spin():
    while True:
        pass


class Controller:
    """modbus_test_server, whose cable can be pulled; `pulses` are the times it was written to."""

    def __init__(self):
        self.port, self.pulses, self.process = 0, [], None
        self.plug_in()

    def plug_in(self):
        # On a line it is a machine of its own: here it goes before what keeps the cores busy.
        before = ["chrt", "-r", "1"] if os.geteuid() == 0 and shutil.which("chrt") else []
        self.process = subprocess.Popen(
            [*before, BIN / "modbus_test_server", str(self.port)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1)
        self.port = int(self.process.stdout.readline().split()[1])
        threading.Thread(target=self.read, args=[self.process.stdout], daemon=True).start()

    def read(self, lines):
        for line in lines:
            what, address, value, at = line.split()
            if (what, int(address), value) == ("coil", COIL, "1"):
                self.pulses.append(int(at) / 1e6)

    def pull_out(self):
        self.process.kill()
        self.process.wait()


def results_of(file):
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def histogram(name, times):
    if not times:
        return print(f"{name}: none")
    times = sorted(times)

    def at(share):
        return times[min(len(times) - 1, int(share * len(times)))]

    print(f"{name}: {len(times)} parts, p50 {at(.5):.1f} ms, p99 {at(.99):.1f} ms, "
          f"max {times[-1]:.1f} ms")
    bounds = [5, 10, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000, 2000]
    low = 0
    for high in [*bounds, float("inf")]:
        count = sum(low < t <= high for t in times)
        if count:
            print(f"  {low:>5} to {high:>5} ms {count:>6}  {'#' * max(1, 60 * count // len(times))}")
        low = high


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--parts", type=int, default=600)
    parser.add_argument("--period-ms", type=float, default=200)
    parser.add_argument("--deadline-ms", type=int, default=500)
    parser.add_argument("--load", type=int, default=os.cpu_count(), help="busy processes beside it")
    parser.add_argument("--idle", action="store_true", help="without that load")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="reject-"))
    images = folder / "images"
    images.mkdir()
    shutil.copy(EXAMPLE / "model" / "model.onnx", folder / "model.onnx")
    controller = Controller()
    (folder / "settings.json").write_text(json.dumps({
        "verdict": {"rules": [], "otherwise": "NG"},
        "trigger": {"type": "http", "address": "127.0.0.1:0", "pictureTimeoutMs": 10000},
        "outputs": [{"name": "reject", "type": "modbus", "host": "127.0.0.1", "port": controller.port,
                     "coil": COIL, "deadlineMs": arguments.deadline_ms, "pulseMs": 20}]}))
    log = open(folder / "log", "w+")
    program = subprocess.Popen(
        [BIN / "andon-inspect", "--model", folder / "model.onnx", "--source", images, "--out",
         folder / "out", "--mode", "latency", "--tune", "off", "--settings",
         folder / "settings.json"], stdout=log, stderr=log)
    address = None
    while address is None:
        if program.poll() is not None:
            sys.exit((folder / "log").read_text())
        for line in (folder / "log").read_text().splitlines():
            if "triggers are taken over HTTP" in line and "port" in line:
                port = "".join(c for c in line.rsplit("port", 1)[1] if c.isdigit())
                address = f"http://127.0.0.1:{port}"
        time.sleep(0.05)
    busy = [multiprocessing.Process(target=spin, daemon=True)
            for _ in range(0 if arguments.idle else arguments.load)]
    for process in busy:
        process.start()
    pictures = sorted((EXAMPLE / "images").glob("*.jpg"))
    triggered, unplugged = {}, set()
    start = time.monotonic()
    for number in range(arguments.parts):
        time.sleep(max(0, start + number * arguments.period_ms / 1e3 - time.monotonic()))
        if number == arguments.parts // 3:
            shutil.copy(EXAMPLE / "model" / "model.onnx", folder / "model.new")
            with open(folder / "model.new", "ab") as file:  # metadata: another model, same answers
                file.write(bytes([0x72, 8, 0x0A, 1]) + b"v" + bytes([0x12, 3]) + b"two")
            (folder / "model.new").rename(folder / "model.onnx")
        if number == arguments.parts // 2:
            controller.pull_out()
        if number == arguments.parts // 2 + arguments.parts // 10:
            controller.plug_in()
        part = f"part-{number:05}"
        shutil.copy(pictures[number % len(pictures)], images / ".new")
        (images / ".new").rename(images / f"{part}.jpg")
        request = urllib.request.Request(f"{address}/trigger", method="POST",
                                         data=json.dumps({"part": part}).encode())
        triggered[part] = time.monotonic() * 1e3
        urllib.request.urlopen(request, timeout=10).read()
        if controller.process.poll() is not None:
            unplugged.add(part)
    file = folder / "out" / "results.jsonl"
    limit = time.monotonic() + 60
    while len(results_of(file)) < arguments.parts and time.monotonic() < limit:
        time.sleep(0.1)
    status = json.load(urllib.request.urlopen(f"{address}/status", timeout=10))
    program.terminate()
    program.wait()
    for process in busy:
        process.kill()
    time.sleep(0.2)
    controller.pull_out()
    results = results_of(file)
    outcomes = [(r["part"]["id"], r["outputs"][0]) for r in results]
    print(f"{os.cpu_count()} cores, {len(busy)} busy processes beside it; a part each "
          f"{arguments.period_ms:g} ms, deadline {arguments.deadline_ms} ms")
    histogram("from trigger to the controller's answer",
              [o["ms"] for _, o in outcomes if "ms" in o])
    for name, chosen in (("cable in", False), ("cable out", True)):
        counts = {}
        for part, outcome in outcomes:
            if (part in unplugged) == chosen:
                counts[outcome["outcome"]] = counts.get(outcome["outcome"], 0) + 1
        print(f"{name}: {counts}")
    ids = [r["part"]["id"] for r in results]
    told = sum("ms" in o for _, o in outcomes)
    print(f"parts {arguments.parts}, results {len(ids)}, of different parts {len(set(ids))}, "
          f"without a verdict {sum('verdict' not in r for r in results)}, "
          f"fail-safe {sum(r.get('verdict_rule') == 'late' for r in results)}, "
          f"models {len({r['model']['sha256'] for r in results})}")
    print(f"told {told}, pulses at the controller {len(controller.pulses)}")
    print("status:", json.dumps(status))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
