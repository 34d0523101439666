#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many results a second an agent takes from a component and delivers: a real server, broker and
agent (--bin names their folder), one component with several messages in hand, one subscriber.
Prints figures; asserts that nothing was lost.

    ANDON_BIN=build/release/bin build/venv/bin/python bench/edge/publish.py
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
NAME = "com.example.Publisher"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--messages", type=int, default=20000)
    parser.add_argument("--bytes", type=int, default=300)
    parser.add_argument("--topics", type=int, default=4)
    parser.add_argument("--bench", default=ROOT / "build" / "release" / "bin" / "publish_bench")
    options = parser.parse_args()
    from agent import Agent, Fleet
    from harness import Server, wait_until

    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        with Server(directory / "data") as server:
            fleet = Fleet(server)
            agent = Agent(server, directory / "device")
            agent.provision()
            agent.start()
            topics = [f"andon/things/edge-1/results/{i}" for i in range(options.topics)]
            access = {"aws.greengrass.ipc.mqttproxy": {f"{NAME}:1": {
                "operations": ["aws.greengrass#PublishToIoTCore"], "resources": ["*"]}}}
            operator = server.operator_mqtt()
            received = directory / "received"
            with open(received, "wb") as file:
                subscriber = subprocess.Popen(
                    ["mosquitto_sub", *operator.connection, "-t", "andon/things/edge-1/results/#"],
                    stdout=file)
            command = " ".join([str(options.bench), str(options.threads), str(options.messages),
                                str(options.bytes), *topics])
            fleet.component(NAME, "1.0.0", {"run": f"exec {command}"},
                            configuration={"accessControl": access})
            wait_until(lambda: agent.status().get("connected"), "the agent being connected")
            fleet.deploy({NAME: "1.0.0"})
            log = agent.root / "logs" / f"{NAME}.log"
            wait_until(lambda: log.exists() and log.read_text().endswith("}\n"), "the end", 300)
            figures = json.loads(log.read_text().splitlines()[-1])
            started = time.monotonic()

            def numbers():
                return {line.split()[0] for line in received.read_text().splitlines() if line}

            wait_until(lambda: len(numbers()) == options.messages, "all being delivered", 300)
            figures["delivered_seconds_later"] = round(time.monotonic() - started, 2)
            rows = len(received.read_text().splitlines())
            figures["sent_twice"] = rows - options.messages
            figures["loop"] = agent.status().get("loop")
            print(json.dumps(figures), flush=True)
            subscriber.kill()
            agent.stop()


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
