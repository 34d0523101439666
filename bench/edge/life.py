#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an agent's life costs: its start until it is connected, a hello deployment (a recipe with one
run step and no artifact) in syncs, processor and time, and its memory afterwards, idle. A real
server, broker and agent (ANDON_BIN names their folder; build the target fsync_count first). Prints
medians and means; asserts nothing about time.

    ANDON_BIN=build/release/bin build/venv/bin/python bench/edge/life.py
"""
import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
TICKS = os.sysconf("SC_CLK_TCK")
NAME = "com.example.Hello"


def cpu_seconds(pid):
    """User and system, of threads that have ended, too; not of components."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))


def start_seconds(agent):
    started = time.monotonic()
    agent.start()
    while True:
        try:
            status = json.loads((agent.root / "run" / "status.json").read_text())
            if status["pid"] == agent.process.pid and status["connected"]:
                return time.monotonic() - started
        except (FileNotFoundError, json.JSONDecodeError):
            pass
        time.sleep(0.001)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--deployments", type=int, default=20)
    parser.add_argument("--idle", type=float, default=12, help="seconds before memory is read")
    options = parser.parse_args()
    from agent import Agent, Fleet
    from harness import Server, program

    with tempfile.TemporaryDirectory() as directory, Server(Path(directory) / "data") as server:
        fleet = Fleet(server)
        count = Path(directory) / "count"
        count.write_bytes(bytes(8))
        environment = {**os.environ, "FSYNC_COUNT": str(count),
                       "LD_PRELOAD": program("fsync_count.so")}
        with Agent(server, Path(directory) / "edge", environment=environment) as agent:
            starts = []
            for _ in range(options.starts):
                agent.stop()
                starts.append(start_seconds(agent))
            print(f"start to connected         {statistics.median(starts) * 1000:7.0f} ms")
            seconds, syncs, cpu = [], [], cpu_seconds(agent.process.pid)
            for number in range(options.deployments):
                fleet.component(NAME, f"1.0.{number}", {"run": "exec sleep 100000"})
                before = int.from_bytes(count.read_bytes(), "little")
                started = time.monotonic()
                fleet.deploy_and_wait({NAME: f"1.0.{number}"})
                seconds.append(time.monotonic() - started)
                time.sleep(1)  # what follows its end belongs to it
                syncs.append(int.from_bytes(count.read_bytes(), "little") - before)
            cpu = (cpu_seconds(agent.process.pid) - cpu) / options.deployments
            print(f"hello deployment: syncs    {statistics.median(syncs):7.0f}")
            print(f"  processor                {cpu * 1000:7.1f} ms")
            print(f"  time                     {statistics.median(seconds) * 1000:7.0f} ms")
            time.sleep(options.idle)
            print(f"idle PSS                   {pss_kib(agent.process.pid):7} KiB")


if __name__ == "__main__":
    main()
