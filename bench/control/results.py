#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Results through the real broker into the server's store: RATE a second of DEVICES for SECONDS.
Prints what the server and the broker took of the processor for each, and when all were stored.

    ANDON_BIN=build/release/bin python bench/control/results.py [--rate 1000] [--seconds 30]
"""
import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from harness import Server, wait_until  # noqa: E402


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def message(number):
    moment = datetime.datetime(2026, 11, 22) + datetime.timedelta(milliseconds=number)
    return json.dumps({
        "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z",
        "component": {"name": "com.example.Inspect", "version": "1.0.0"},
        "model": {"component": "com.example.Model", "version": "1.0.0", "sha256": "0" * 64},
        "image": {"name": f"image-{number}.jpg", "width": 450, "height": 300},
        "detections": [{"class_id": 0, "label": "scratch", "confidence": 0.8712,
                        "box": [12.5, 40.25, 80.5, 33.75]},
                       {"class_id": 1, "label": "dent", "confidence": 0.4501,
                        "box": [212.5, 140.25, 20.5, 13.75]}],
        "ms": {"decode": 0.612, "preprocess": 0.204, "inference": 17.125, "postprocess": 0.031}})


def publish(device, numbers, start, rate):
    command = ["mosquitto_pub", *device.mqtt().connection, "-t",
               f"andon/things/{device.thing}/results", "-l"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as publisher:
        for index, number in enumerate(numbers):
            pause = start + index / rate - time.monotonic()
            if pause > 0:
                publisher.stdin.flush()
                time.sleep(pause)
            publisher.stdin.write(message(number) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--devices", type=int, default=5)
    options = parser.parse_args()
    count = options.rate * options.seconds
    with tempfile.TemporaryDirectory() as directory, Server(Path(directory) / "data") as server:
        devices = [server.device(f"line-{n}", directory) for n in range(options.devices)]
        broker = json.loads((server.data / "mosquitto" / "broker.json").read_text())["pid"]

        def stored():
            page = server.get("/metrics")[1].decode()
            return {line.split(" ")[0]: float(line.split(" ")[1])
                    for line in page.splitlines() if line.startswith("andon_results")}

        before = cpu_s(server.process.pid), cpu_s(broker)
        start = time.monotonic() + 0.5
        threads = [threading.Thread(target=publish, args=(
            device, range(n, count, len(devices)), start, options.rate / len(devices)))
            for n, device in enumerate(devices)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sent = time.monotonic()
        kept = 'andon_results_total{outcome="stored"}'
        wait_until(lambda: stored()[kept] == count, f"{count} results, of {stored()}", 120)
        end = time.monotonic()
        after = cpu_s(server.process.pid), cpu_s(broker)
        figures = stored()
        print(f"{count} results of {len(devices)} devices in {sent - start:.1f} s "
              f"({count / (sent - start):.0f}/s), the last stored {end - sent:.2f} s later")
        print(f"CPU a result: server {(after[0] - before[0]) / count * 1e6:.0f} us, "
              f"broker {(after[1] - before[1]) / count * 1e6:.0f} us")
        dropped = figures['andon_results_total{outcome="dropped"}']
        print(f"commits: {figures['andon_results_commit_seconds_count']:.0f}, "
              f"{figures['andon_results_commit_seconds_sum']:.2f} s in all; dropped {dropped:.0f}")


main()
