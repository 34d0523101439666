#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same road twice on this machine, from a server without anything to pictures that were looked at: as
people build it on AWS (line/), and with what andon ships (examples/metal-tags). Prints a table for
docs/migrate-from-aws.md. Run with the tests' Python and ANDON_BIN, as `./dev test-migration` does."""
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from agent import Agent  # noqa: E402
from harness import Server, wait_until  # noqa: E402
from migrated_line import INFERENCE, LINE, MODEL, running  # noqa: E402
from pipeline import EXAMPLE, Pipeline, measured_report, pictures  # noqa: E402
from test_c_inference import Consumer, deploy_inference, publish  # noqa: E402


def fetched(agent):
    return agent.status()["lastDeployment"]["bytesFetched"]


def size_of(directory):
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())


def lines_of(*places):
    files = [file for place in places for file in (
        [place] if place.is_file() else place.rglob("*"))]
    return sum(len(file.read_text().splitlines()) for file in files
               if file.suffix in (".js", ".py", ".json", ".yaml", ".sh", ".txt")
               and file.name != "package-lock.json" and "__pycache__" not in file.parts)


def as_on_aws(directory):
    figures = {"lines of the project": lines_of(
        *(LINE / part for part in ("cdk", "functions", "machines", "inference")))}
    with running(directory) as line:
        begun = time.monotonic()
        line.apply()
        figures["infrastructure, s"] = time.monotonic() - begun
        camera = line.enrol()
        consumer = Consumer(line, directory)
        try:
            begun = time.monotonic()
            told = line.outcome(ship(line))
            assert told["status"] == "SUCCEEDED", told
            figures["first model: approval to deployed, s"] = time.monotonic() - begun
            bytes_of = fetched(camera)
            begun = time.monotonic()
            deploy_inference(line, camera, publish(line, directory))
            consumer.next()
            figures["program: published to first result, s"] = time.monotonic() - begun
            figures["bytes to the device, from the server"] = bytes_of + fetched(camera)
            figures["bytes that the program unpacked on the device, from PyPI"] = size_of(
                camera.root / "work" / INFERENCE / ".local")
            begun = time.monotonic()
            assert line.outcome(ship(line))["status"] == "SUCCEEDED"
            figures["next model, the same bytes: approval to deployed, s"] = time.monotonic() - begun
            figures["next model, the same bytes: bytes to the device"] = fetched(camera)
            assert MODEL in camera.components()
        finally:
            consumer.close()
            camera.__exit__()
    return figures


def ship(line):
    before = set(line.executions())
    line.approve(line.register(line.put_model(f"models/{time.time()}/model.tar.gz")))
    [execution] = wait_until(lambda: set(line.executions()) - before, "the execution")
    return execution


def as_shipped(directory):
    workflows = EXAMPLE / "workflows"
    figures = {"lines of the project": lines_of(
        workflows / "template.yaml", workflows / "edge-deployment.asl.json", EXAMPLE / "recipes",
        *(workflows / "functions" / name for name in ("find-model", "next-version", "judge")))}
    images = directory / "images"
    images.mkdir()
    report = measured_report(directory)
    with Server(directory / "data") as server:
        begun = time.monotonic()
        pipeline = Pipeline(server, {"ImageDirectory": str(images)})
        figures["infrastructure, s"] = time.monotonic() - begun
        pipeline.join_qa("qa-1")
        with Agent(server, directory / "qa", "qa-1"), \
                Agent(server, directory / "line", "line-1-camera-1") as line:
            for name in pictures()[:3]:
                shutil.copy(EXAMPLE / "images" / name, images)
            begun = time.monotonic()
            told = pipeline.outcome(pipeline.ship(pipeline.register(report=report)))
            assert told["status"] == "SUCCEEDED", told
            figures["first model: approval to deployed, s"] = time.monotonic() - begun
            wait_until(lambda: server.results("thing=line-1-camera-1"), "a result")
            figures["program: published to first result, s"] = time.monotonic() - begun
            figures["bytes to the device, from the server"] = fetched(line)
            figures["bytes that the program unpacked on the device, from PyPI"] = 0
            begun = time.monotonic()
            told = pipeline.outcome(pipeline.ship(pipeline.register(report=report)))
            assert told["status"] == "SUCCEEDED", told
            figures["next model, the same bytes: approval to deployed, s"] = time.monotonic() - begun
            figures["next model, the same bytes: bytes to the device"] = fetched(line)
    return figures


def main():
    columns = []
    for way in (as_on_aws, as_shipped):
        with tempfile.TemporaryDirectory(prefix="andon-", dir="/var/tmp") as name:
            os.chmod(name, 0o755)
            columns.append(way(Path(name)))
    print("| | as on AWS | as shipped |\n|---|---|---|")
    for what in columns[0]:
        print(f"| {what} | " + " | ".join(
            f"{column[what]:,.1f}" if what.endswith(", s") else f"{column[what]:,}"
            for column in columns) + " |")


if __name__ == "__main__":
    main()
