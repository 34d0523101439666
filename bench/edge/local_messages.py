#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many local messages a second (PublishToTopic, SubscribeToTopic) an agent passes on: a real
agent, one component that publishes with several messages in hand and listens to what it publishes.
Prints figures; asserts that all have arrived.

    ANDON_BIN=build/release/bin build/venv/bin/python bench/edge/local_messages.py
"""
import argparse
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
NAME = "com.example.Publisher"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--messages", type=int, default=20000)
    parser.add_argument("--bytes", type=int, default=300)
    parser.add_argument("--bench", default=ROOT / "build" / "release" / "bin" / "publish_bench")
    options = parser.parse_args()
    from agent import Agent, Fleet
    from harness import Server, wait_until

    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        with Server(directory / "data") as server:
            fleet = Fleet(server)
            with Agent(server, directory / "device") as agent:
                access = {"aws.greengrass.ipc.pubsub": {f"{NAME}:1": {
                    "operations": ["*"], "resources": ["*"]}}}
                fleet.component(NAME, "1.0.0", {
                    "run": f"exec {options.bench} {options.threads} {options.messages} "
                           f"{options.bytes} local:line/1"},
                                configuration={"accessControl": access})
                fleet.deploy({NAME: "1.0.0"})
                log = agent.root / "logs" / f"{NAME}.log"
                wait_until(lambda: log.exists() and log.read_text().endswith("}\n"), "the end", 300)
                figures = json.loads(log.read_text().splitlines()[-1])
                assert figures["arrived"] == options.messages and figures["failed"] == 0, figures
                print(json.dumps(figures))


main()
