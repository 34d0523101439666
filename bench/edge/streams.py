#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many messages a second an agent takes into a stream, from a client that sends on without
waiting and from the public SDK, which waits for each answer; and what the agent weighs, idle,
without and with streams. A real server, broker and agent (ANDON_BIN names their folder). Prints
figures; asserts that each message was acknowledged.

    ANDON_BIN=build/release/bin build/venv/bin/python bench/edge/streams.py
"""
import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))


def memory_kib(process):
    with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as rollup:
        found = {line.split(":")[0]: int(line.split()[1]) for line in rollup if "kB" in line}
    return found["Pss"], found["Private_Clean"] + found["Private_Dirty"]


def rate(client, stream, count, size):
    """Messages a second; the client's own work is done before."""
    from stream_line import APPEND, RawClient
    frames = b"".join(RawClient.frame(APPEND, {
        "requestId": str(i), "name": stream, "payload": bytes(size)}) for i in range(count))
    started = time.monotonic()
    sender = threading.Thread(target=client.socket.sendall, args=(frames,))
    sender.start()
    for _ in range(count):
        length = int.from_bytes(client.file.read(4), "big")
        last = client.file.read(length)
    seconds = time.monotonic() - started
    sender.join()
    assert b"sequenceNumber" in last
    return count / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--bytes", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle", type=float, default=12, help="seconds before memory is read")
    options = parser.parse_args()
    from agent import Agent, Fleet
    from harness import Server
    from stream_line import CREATE, StreamLine

    with tempfile.TemporaryDirectory() as directory, Server(Path(directory) / "data") as server:
        fleet = Fleet(server)
        fleet.component("com.example.Idle", "1.0.0", {"run": "exec sleep 100000"})
        with Agent(server, Path(directory) / "plain", thing="plain") as agent:
            fleet.deploy_and_wait({"com.example.Idle": "1.0.0"}, thing="plain")
            time.sleep(options.idle)
            print("idle without streams: PSS {} KiB, USS {} KiB".format(*memory_kib(agent.process)))
        with StreamLine(server, Path(directory) / "device") as line:
            time.sleep(options.idle)
            print("idle with the stream manager: PSS {} KiB, USS {} KiB".format(
                *memory_kib(line.agent.process)))
            for flush in (False, True):
                figures = []
                for round_ in range(options.rounds):
                    name = f"{flush} {round_}"
                    with line.raw() as client:
                        client.call(CREATE, definition={
                            "name": name, "strategyOnFull": 1, "flushOnWrite": flush})
                        figures.append(rate(client, name, options.messages, options.bytes))
                print(f"pipelined, flushOnWrite {flush}: median {sorted(figures)[len(figures) // 2]:.0f}"
                      f" a second of {', '.join(f'{f:.0f}' for f in figures)}")
            sdk = line.sdk()
            for flush in (False, True):
                count = options.messages // 20
                started = time.monotonic()
                for _ in range(count):
                    sdk.append_message(f"{flush} 0", bytes(options.bytes))
                print(f"the SDK, one at a time, flushOnWrite {flush}: "
                      f"{count / (time.monotonic() - started):.0f} a second")


if __name__ == "__main__":
    main()
