# SPDX-License-Identifier: Apache-2.0
"""What a call of a function costs: warm calls one after the other (median, 95th of 100, processor time
of the server and all its processes), and cold starts beside `python3 -c pass` of the same machine.

    PYTHONPATH=tests ANDON_BIN=build/release/bin python bench/functions/calls.py [CALLS]
"""
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from functions import Functions, milliseconds
from harness import Server

TICK = os.sysconf("SC_CLK_TCK")
COLD = 20


def processor_ms(root):
    """Of a process and all below it, ended ones too."""
    parents, used = {}, {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(pid)] = int(fields[1])
        used[int(pid)] = sum(map(int, fields[11:15]))
    family = {root}
    while True:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        if not more:
            return sum(used.get(pid, 0) for pid in family) * 1000 / TICK
        family |= more


def main(calls):
    numbers = itertools.count(1)
    with tempfile.TemporaryDirectory() as place, Server(Path(place) / "data") as server:
        functions = Functions(server, lambda word: f"{word}-{next(numbers)}")
        name = functions.create("def handler(event, context): return event\n")
        milliseconds(lambda: functions.call(name, {"n": 1}), 20)
        before = processor_ms(server.process.pid)
        took = milliseconds(lambda: functions.call(name, {"n": 1}), calls)
        cpu = (processor_ms(server.process.pid) - before) / calls
        print(f"warm: {calls} calls, p50 {took[calls // 2]:.2f} ms, p95 {took[calls * 95 // 100]:.2f} ms, "
              f"{cpu:.2f} ms of processor time a call")
        cold = []
        for number in range(COLD):
            # Another revision is another sandbox.
            functions.client.update_function_configuration(FunctionName=name, Description=str(number))
            cold += milliseconds(lambda: functions.call(name, 1), 1)
        bare = milliseconds(lambda: subprocess.run(["/usr/bin/python3", "-c", "pass"], check=True), COLD)
        print(f"cold: median {statistics.median(cold):.0f} ms of {COLD}; "
              f"python3 -c pass: median {statistics.median(bare):.0f} ms")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
