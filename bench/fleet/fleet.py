#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures a server with thousands of simulated devices (fleet_bench, beside this file): all
connected, one deployment to the group of all, the broker killed under them. Prints one JSON object
a size and the slopes between two sizes; asserts nothing. bench/fleet/README.md says more."""
import argparse
import json
import mmap
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from harness import Server, wait_until  # noqa: E402

GROUP = "arn:aws:iot:us-east-1:000000000000:thinggroup/all"
TICKS = os.sysconf("SC_CLK_TCK")


class CountingServer(Server):
    """One whose fsyncs are counted, in all its processes."""

    def __init__(self, data, library):
        super().__init__(data)
        self.counter = data.parent / "fsyncs"
        self.counter.write_bytes(bytes(8))
        os.environ["FSYNC_COUNT"] = str(self.counter)
        self.library = library

    def command(self):
        return ["env", f"LD_PRELOAD={self.library}", *super().command()]

    def fsyncs(self):
        with open(self.counter, "rb") as file, mmap.mmap(file.fileno(), 8,
                                                         access=mmap.ACCESS_READ) as memory:
            return int.from_bytes(memory[:8], sys.byteorder)

    def processes(self):
        """{name: process id} of the server and its broker."""
        broker = next(int(entry.name) for entry in Path("/proc").iterdir()
                      if entry.name.isdigit() and is_child(entry, self.process.pid, "mosquitto"))
        return {"server": self.process.pid, "broker": broker}


def is_child(entry, parent, name):
    try:
        text = (entry / "stat").read_text()
    except OSError:
        return False
    return f"({name})" in text and int(text.rsplit(") ", 1)[1].split()[1]) == parent


def cpu_ms(process):
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


def pss_kib(process):
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


class Devices:
    """The process of the simulated devices, and what it has said last."""

    def __init__(self, program, server, directory, count, at_once):
        self.process = subprocess.Popen(
            [program, "run", server.data, directory, str(count), str(at_once)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said = {"ready": 0, "jobs": 0, "failures": {}}
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.said = json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)


class Asker:
    """Calls the API at a steady pace, and keeps how long each answer took."""

    def __init__(self, server):
        self.client = server.aws("greengrassv2")
        self.times = []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.ending.wait(0.03):
            begin = time.monotonic()
            self.client.list_deployments(targetArn=GROUP)
            self.times.append(time.monotonic() - begin)

    def end(self):
        self.ending.set()
        self.thread.join()
        ordered = sorted(self.times)
        return round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 1)


def make_component(server, size_kib):
    s3 = server.aws("s3")
    s3.create_bucket(Bucket="fleet")
    s3.put_object(Bucket="fleet", Key="weights.bin", Body=os.urandom(size_kib * 1024))
    server.aws("greengrassv2").create_component_version(inlineRecipe=json.dumps(
        {"RecipeFormatVersion": "2020-01-25", "ComponentName": "com.ex.Fleet",
         "ComponentVersion": "1.0.0",
         "Manifests": [{"Platform": {"os": "linux"}, "Lifecycle": {"run": "true"},
                        "Artifacts": [{"URI": "s3://fleet/weights.bin"}]}]}).encode())


def measure(options, directory, count):
    program = options.bin / "fleet_bench"
    server = CountingServer(directory / "data", options.bin / "fsync_count.so")
    server.start()
    make_component(server, options.artifact_kib)
    assert server.stop() == 0
    subprocess.run([program, "fill", server.data, directory / "devices", str(count)], check=True)
    server.start()
    result = {"devices": count, "load": os.getloadavg()[0]}
    ids = server.processes()
    begin = time.monotonic()
    devices = Devices(program, server, directory / "devices", count, options.at_once)
    try:
        wait_until(lambda: devices.said["ready"] == count, "all connected", options.limit)
        result["connected_s"] = round(time.monotonic() - begin, 1)
        idle = Asker(server)
        time.sleep(5)
        result["api_p99_idle_ms"] = idle.end()
        result["connected_kib"] = {name: pss_kib(one) for name, one in ids.items()}
        cpu = {name: cpu_ms(one) for name, one in ids.items()}
        fsyncs = server.fsyncs()
        meanwhile = Asker(server)
        begin = time.monotonic()
        job = server.aws("greengrassv2").create_deployment(
            targetArn=GROUP, components={"com.ex.Fleet": {"componentVersion": "1.0.0"}}
        )["deploymentId"]
        result["answered_s"] = round(time.monotonic() - begin, 2)
        wait_until(lambda: devices.said["jobs"] == count, "the last device", options.limit)
        result["last_device_s"] = round(time.monotonic() - begin, 1)
        result["api_p99_meanwhile_ms"] = meanwhile.end()
        result["cpu_ms_a_device"] = {name: round((cpu_ms(one) - cpu[name]) / count, 2)
                                     for name, one in ids.items()}
        result["fsyncs_a_device"] = round((server.fsyncs() - fsyncs) / count, 2)
        result["after_kib"] = {name: pss_kib(one) for name, one in ids.items()}
        wait_until(lambda: server.aws("greengrassv2").get_deployment(deploymentId=job)
                   ["deploymentStatus"] == "COMPLETED", "COMPLETED")
        begin = time.monotonic()
        os.kill(ids["broker"], signal.SIGKILL)
        wait_until(lambda: devices.said["ready"] < count // 2, "the loss of the broker")
        wait_until(lambda: devices.said["ready"] == count, "all connected again", options.limit)
        result["connected_again_s"] = round(time.monotonic() - begin, 1)
        result["failures"] = devices.said["failures"]
    finally:
        result.setdefault("said", devices.said)
        print(json.dumps(result), flush=True)
        devices.end()
        server.kill()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/release/bin")
    parser.add_argument("--sizes", default="1000,5000")
    parser.add_argument("--artifact-kib", type=int, default=64)
    parser.add_argument("--at-once", type=int, default=200,
                        help="connections to the data plane at a time")
    parser.add_argument("--limit", type=float, default=900, help="seconds to wait for anything")
    options = parser.parse_args()
    os.environ["ANDON_BIN"] = str(options.bin)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    results = []
    for size in options.sizes.split(","):
        with tempfile.TemporaryDirectory() as directory:
            results.append(measure(options, Path(directory), int(size)))
    if len(results) > 1:
        first, last = results[0], results[-1]
        more = last["devices"] - first["devices"]
        print(json.dumps({"kib_a_device": {
            name: round((last["connected_kib"][name] - first["connected_kib"][name]) / more, 2)
            for name in first["connected_kib"]}}))


if __name__ == "__main__":
    main()
