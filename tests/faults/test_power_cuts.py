# SPDX-License-Identifier: Apache-2.0
"""The power goes in the middle of work: what was not synced is lost (strict), or any part of it is
(drawn). What was promised is there, what was begun is completed or was never there, and
everything starts by itself. faulty_world.py says what the simulation covers."""
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from agent import Agent, Fleet
from faulty_world import World
from harness import ROOT, Server, program, wait_until

NAME = "com.example.App"
DRAWN = [None, 1, 3]


def of(seed):
    return None if seed is None else random.Random(seed)


def power_cut_ids(seed):
    return "strict" if seed is None else f"drawn{seed}"


cuts = pytest.mark.parametrize("seed", DRAWN, ids=power_cut_ids)


# --- the agent ------------------------------------------------------------------------------------

def start(agent, world):
    return agent.start(world.environment())


@cuts
def test_a_deployment_is_completed_whenever_the_power_goes(server, fleet, tmp_path, seed):
    """Three times in one deployment, with an artifact as it is, one that is unpacked and one that was
    there before."""
    delays = random.Random(f"delays {seed}")
    agent = Agent(server, tmp_path / "device")
    agent.provision()
    world = World(agent.root, tmp_path / "world", watches_syncs=True)
    shared = os.urandom(100_000)
    start(agent, world)
    try:
        for version in ("1.0.0", "2.0.0", "3.0.0"):
            content = os.urandom(300_000)
            archive = tmp_path / "a.zip"
            with zipfile.ZipFile(archive, "w") as file:
                file.writestr("inner/data", content)
            uris = [fleet.put_artifact(f"{version}/plain", content),
                    {"URI": fleet.put_artifact(f"{version}/a.zip", archive.read_bytes()),
                     "Unarchive": "ZIP"},
                    fleet.put_artifact("shared", shared)]
            said = "sha256sum < {artifacts:path}/plain > new; " \
                   "sha256sum < {artifacts:decompressedPath}/a/inner/data >> new; " \
                   "sha256sum < {artifacts:path}/shared >> new; " \
                   "mv new seen-" + version + "; exec sleep 1000"
            fleet.component(NAME, version, {"run": said}, artifacts=uris)
            deployment = fleet.deploy({NAME: version})
            for _ in range(3):
                time.sleep(delays.random() * 0.5)
                agent.lose_power()
                world.cut(of(seed))
                start(agent, world)
            entry = fleet.outcome(deployment)
            assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry
            agent.wait_for(NAME, version)
            seen = agent.root / "work" / NAME / f"seen-{version}"
            wait_until(lambda: seen.exists(), "the component's word")  # noqa: B023
            digests = [line.split()[0] for line in seen.read_text().splitlines()]
            wanted = [hashlib.sha256(one).hexdigest() for one in (content, content, shared)]
            assert digests == wanted
        # It runs on after one more, without the server.
        agent.lose_power()
        world.cut(of(seed))
        server.kill()
        start(agent, world)
        agent.wait_for(NAME, "3.0.0")
    finally:
        agent.kill()


PUBLISHER = """
import json, os, sys, time
from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import QOS
ipc = GreengrassCoreIPCClientV2()
number = int(time.time() * 1000) * 1000
with open(sys.argv[1], "a", buffering=1) as answered:
    while True:
        try:
            ipc.publish_to_iot_core(topic_name="andon/things/edge-1/results",
                                    qos=QOS.AT_LEAST_ONCE,
                                    payload=json.dumps({"timestamp": "2026-11-29T10:00:00Z",
                                                        "image": {"name": str(number)}}).encode())
        except Exception as error:
            print(error, flush=True)
            time.sleep(0.05)
        else:
            print(number, file=answered)
        number += 1
"""
ACCESS = {"aws.greengrass.ipc.mqttproxy": {f"{NAME}:1": {
    "operations": ["aws.greengrass#PublishToIoTCore"], "resources": ["*"]}}}


@cuts
def test_a_result_that_was_answered_outlives_the_power(server, fleet, tmp_path, seed):
    pytest.importorskip("awsiot", reason="needs awsiotsdk")
    agent = Agent(server, tmp_path / "device")
    agent.provision()
    world = World(agent.root, tmp_path / "world", watches_syncs=True)
    script, answered = tmp_path / "publisher.py", tmp_path / "answered"
    script.write_text(PUBLISHER)
    fleet.component(NAME, "1.0.0", {"run": f"exec {sys.executable} {script} {answered}"},
                    configuration={"accessControl": ACCESS})
    start(agent, world)

    def count():
        return len(answered.read_text().split()) if answered.exists() else 0

    try:
        fleet.deploy_and_wait({NAME: "1.0.0"})
        for _ in range(3):
            so_far = count()
            wait_until(lambda: count() > so_far + 20, "results being answered")  # noqa: B023
            agent.lose_power()
            world.cut(of(seed))
            start(agent, world)
        promised = set(answered.read_text().split())
        wait_until(lambda: promised <= {one["image"] for one in server.results()},
                   "every result that was answered")
    finally:
        agent.kill()


# --- the server -----------------------------------------------------------------------------------

class WatchedServer(Server):
    """A server whose disk forgets what was not synced; its broker dies with it."""

    def __init__(self, directory):
        super().__init__(directory / "disk" / "data")
        self.data.parent.mkdir()
        self.world = World(self.data.parent, directory / "world", watches_syncs=True)

    @property
    def log_file(self):
        return self.data.parent.parent / "server.log"

    def command(self):
        environment = self.world.environment()
        added = [f"{name}={environment[name]}" for name in environment
                 if name == "LD_PRELOAD" or name.startswith("ANDON_WORLD")]
        return ["env", *added, *super().command()]

    def cut(self, seed):
        broker = json.loads((self.data / "mosquitto" / "broker.json").read_text())["pid"]
        self.kill()
        os.kill(broker, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{broker}").exists() or
                   ") Z" in Path(f"/proc/{broker}/stat").read_text(), "the broker's end")
        self.world.cut(of(seed))
        self.start()


@cuts
def test_what_the_server_answered_outlives_the_power(tmp_path, seed):
    """Objects (in one piece and in parts), things, components, certificates: each with what it names."""
    delays = random.Random(f"server {seed}")
    with WatchedServer(tmp_path) as server:
        objects, things, components = {}, [], []
        for round_ in range(3):
            over = time.monotonic() + 0.5 + delays.random()
            s3, iot, fleet = server.aws("s3"), server.aws("iot"), Fleet(server)
            if round_ == 0:
                s3.create_bucket(Bucket="load")
            number = 0
            while time.monotonic() < over:
                key, content = f"{round_}/{number}", os.urandom(delays.choice((10, 5000, 700_000)))
                if number % 5 == 4:
                    upload = s3.create_multipart_upload(Bucket="load", Key=key)["UploadId"]
                    part = s3.upload_part(Bucket="load", Key=key, UploadId=upload, PartNumber=1,
                                          Body=content)
                    s3.complete_multipart_upload(
                        Bucket="load", Key=key, UploadId=upload,
                        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
                else:
                    s3.put_object(Bucket="load", Key=key, Body=content)
                objects[key] = content
                thing = f"thing-{round_}-{number}"
                iot.create_thing(thingName=thing)
                things.append(thing)
                name = f"com.example.C{round_}x{number}"
                fleet.component(name, "1.0.0", {"run": "true"}, artifacts=[f"s3://load/{key}"])
                components.append(name)
                number += 1
            server.cut(seed)
            s3, iot, greengrass = server.aws("s3"), server.aws("iot"), server.aws("greengrassv2")
            for key, content in objects.items():
                assert s3.get_object(Bucket="load", Key=key)["Body"].read() == content, key
            for thing in things:
                iot.describe_thing(thingName=thing)
            arn = "arn:aws:greengrass:us-east-1:000000000000:components:{}:versions:1.0.0"
            for name in components:
                greengrass.describe_component(arn=arn.format(name))
            checked = subprocess.run([program("andon-server"), "check", "--data", server.data],
                                     capture_output=True, text=True, timeout=60, check=False)
            assert checked.returncode == 0, checked.stdout + checked.stderr
        device = server.device("edge-9", tmp_path)  # the CA is the same
        server.cut(seed)
        assert device.https("/greengrass/v2/coreDevices/edge-9/thingGroups")[0] == 200


def test_a_first_start_that_the_power_ends_is_begun_again(tmp_path):
    """Before anything was answered nothing is promised: the next start goes on or begins anew."""
    for delay in (0.02, 0.05, 0.1, 0.2):
        directory = tmp_path / str(delay)
        directory.mkdir()
        server = WatchedServer(directory)
        with open(server.log_file, "ab") as log:
            process = subprocess.Popen(server.command(), stdout=log, stderr=log)
        time.sleep(delay)
        process.kill()
        process.wait()
        server.world.cut(None)
        with server:
            server.aws("iot").create_thing(thingName="line-1")


# --- the inference program ------------------------------------------------------------------------

EXAMPLE = ROOT / "examples" / "metal-tags"


@cuts
def test_every_picture_has_one_result_whenever_the_power_goes(tmp_path, seed):
    delays = random.Random(f"inspect {seed}")
    disk, images = tmp_path / "disk", tmp_path / "images"
    for made in (images, disk / "out", disk / "state"):  # by whoever has set it up
        made.mkdir(parents=True)
    pictures = sorted((EXAMPLE / "images").glob("*.jpg"))
    names = [f"{number:03}.jpg" for number in range(60)]
    for number, name in enumerate(names):
        shutil.copy(pictures[number % len(pictures)], images / name)
    world = World(disk, tmp_path / "world", watches_syncs=True)
    command = [program("andon-inspect"), "--once", "--model", EXAMPLE / "model" / "model.onnx",
               "--source", images, "--out", disk / "out", "--state", disk / "state", "--thing", "edge-1",
               "--csv"]
    for _ in range(4):
        running = subprocess.Popen(list(map(str, command)), env=world.environment(),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.2 + delays.random())
        running.kill()
        running.wait()
        world.cut(of(seed))
    subprocess.run(list(map(str, command)), env=world.environment(), check=True, timeout=120,
                   capture_output=True)
    lines = (disk / "out" / "results.jsonl").read_text().splitlines()
    results = [json.loads(line) for line in lines]
    assert sorted(Path(one["image"]["name"]).name for one in results) == names
