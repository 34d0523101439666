#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the main path: run by `./dev bench`. Prints medians; asserts nothing about time.

Each round runs `andon demo --once` from a built tree and takes: seconds from its start to the
first result on disk, and the device's time from CreateDeployment to COMPLETED. One further demo,
left running after its last image, gives the memory (PSS, from smaps_rollup) of the idle programs.
"""
import argparse
import json
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / "build" / "release" / "bin"
PROGRAMS = ("andon-server", "andon-edge", "andon-inspect", "mosquitto")


def start_demo(out, *options):
    command = [BIN / "andon", "demo", "--example", ROOT / "examples" / "metal-tags", "--out", out,
               *options]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)


def first_result_seconds(out, demo, started):
    results = out / "results.jsonl"
    while not (results.exists() and results.stat().st_size > 0):
        if demo.poll() is not None:
            sys.exit(f"the demo ended: {demo.stderr.read()}")
        time.sleep(0.002)
    return time.monotonic() - started


def one_round(number):
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "out"
        started = time.monotonic()
        demo = start_demo(out, "--once")
        first = first_result_seconds(out, demo, started)
        _, text = demo.communicate(timeout=300)
        if demo.returncode != 0:
            sys.exit(f"the demo failed: {text}")
        deployments = [int(ms) for ms in re.findall(r"COMPLETED in (\d+) ms", text)]
        print(f"round {number}: first result {first:.2f} s, deployments {deployments} ms",
              flush=True)
        return first, deployments


def process_ids(out):
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        name = Path(command[0]).name
        if name in PROGRAMS and any(str(out) in part for part in command):
            found[name] = int(entry.name)
    return found


def pss_kib(pid):
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", text, re.M).group(1))


def idle_memory(settle_seconds):
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "out"
        demo = start_demo(out)
        try:
            for line in demo.stderr:
                if "Watching" in line:
                    break
            time.sleep(settle_seconds)
            return {name: pss_kib(pid) for name, pid in process_ids(out).items()}
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(30)


def stripped_sizes():
    sizes = {}
    with tempfile.TemporaryDirectory() as directory:
        for name in ("andon-server", "andon-edge", "andon-inspect", "andon"):
            copy = Path(directory) / name
            shutil.copy(BIN / name, copy)
            subprocess.run(["strip", copy], check=True)
            sizes[name] = copy.stat().st_size
    return sizes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--settle", type=float, default=10, help="idle seconds before memory")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rounds = [one_round(i + 1) for i in range(options.rounds)]
    report = {
        "rounds": options.rounds,
        "seconds_to_first_result": statistics.median(first for first, _ in rounds),
        "ms_first_deployment": statistics.median(d[0] for _, d in rounds),
        "ms_model_update": statistics.median(d[1] for _, d in rounds),
        "idle_pss_kib": idle_memory(options.settle),
        "stripped_bytes": stripped_sizes(),
    }
    if options.json:
        print(json.dumps(report))
        return
    print(f"\nmedian of {options.rounds} rounds")
    print(f"  start of `demo --once` to the first result  {report['seconds_to_first_result']:.2f} s")
    print(f"  CreateDeployment to COMPLETED                {report['ms_first_deployment']:.0f} ms")
    print(f"  the same, model's version changed only       {report['ms_model_update']:.0f} ms")
    for name, kib in sorted(report["idle_pss_kib"].items()):
        print(f"  idle PSS {name:<36}{kib / 1024:.1f} MiB")
    for name, size in report["stripped_bytes"].items():
        print(f"  stripped {name:<36}{size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
