#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an agent's life costs: its start until it is connected and until the server has its health
report, a hello deployment (a recipe with one run step and no artifact) in syncs, processor and time,
a deployment of twenty such components, its return after a kill beneath them, and its memory, idle
with one component. A real server, broker and agent (ANDON_BIN names their folder; build the target
fsync_count first). Prints medians and means; asserts nothing about time.

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


def report_seconds(fleet, agent):
    """From the start of a stopped agent until the server has heard how it is."""
    heard = lambda: fleet.greengrass.get_core_device(
        coreDeviceThingName=agent.thing)["lastStatusUpdateTimestamp"]
    agent.stop()
    before, started = heard(), time.monotonic()
    agent.start()
    while heard() == before:
        time.sleep(0.005)
    return time.monotonic() - started


def many_components(fleet, agent, count, returns):
    """Seconds of a deployment of so many components, and of the returns of a killed agent."""
    names = [f"{NAME}{number}" for number in range(count)]
    for name in names:
        fleet.component(name, "1.0.0", {"run": "exec sleep 100000"})
    started = time.monotonic()
    fleet.deploy_and_wait(dict.fromkeys(names, "1.0.0"))
    deployment, back = time.monotonic() - started, []
    for _ in range(returns):
        agent.kill()
        back.append(start_seconds(agent))
    return deployment, back


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--deployments", type=int, default=20)
    parser.add_argument("--components", type=int, default=20)
    parser.add_argument("--idle", type=float, default=12, help="seconds before memory is read")
    options = parser.parse_args()
    from agent import Agent, Fleet
    from harness import Server, program
    from streams import memory_kib

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
            pss, uss = memory_kib(agent.process)
            print(f"idle PSS                   {pss:7} KiB")
            print(f"idle USS                   {uss:7} KiB")
            reports = [report_seconds(fleet, agent) for _ in range(options.starts)]
            print(f"start to health report     {statistics.median(reports) * 1000:7.0f} ms")
            deployment, back = many_components(fleet, agent, options.components, options.starts)
            print(f"{options.components} components: time        {deployment * 1000:7.0f} ms")
            print(f"  kill to reconnected      {statistics.median(back) * 1000:7.0f} ms")


if __name__ == "__main__":
    main()
