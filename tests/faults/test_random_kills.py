# SPDX-License-Identifier: Apache-2.0
"""An agent that is killed at moments of chance, again and again, while a component publishes results and
deployments change what runs: nothing is lost, nothing comes twice, nothing is broken. How often, and by
which chance, say ANDON_KILLS and ANDON_SEED: 30 and 17 without them."""
import collections
import os
import random
import subprocess
import sys

import pytest
from agent import Agent, keepers
from harness import wait_until

PUBLISHER = "com.example.Publisher"
APP = "com.example.App"
SCRIPT = """
import json, os, time
from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import QOS
number = 0
if os.path.exists("answered"):
    numbers = open("answered").read().split()
    number = int(numbers[-1]) + 1 if numbers else 0
ipc = None
with open("answered", "a", buffering=1) as answered:
    while not os.path.exists("enough"):
        # The same bytes again until they are answered, as andon-inspect does: one result, however often.
        payload = json.dumps({"timestamp": "2026-11-29T10:00:00Z", "image": {"name": str(number)}})
        try:
            ipc = ipc or GreengrassCoreIPCClientV2()
            ipc.publish_to_iot_core(topic_name="andon/things/edge-1/results",
                                    qos=QOS.AT_LEAST_ONCE, payload=payload.encode())
        except Exception as error:
            print(error, flush=True)
            ipc = None
            time.sleep(0.05)
        else:
            print(number, file=answered)
            number += 1
            time.sleep(0.01)
while True: time.sleep(1000)
"""
ACCESS = {"aws.greengrass.ipc.mqttproxy": {f"{PUBLISHER}:1": {
    "operations": ["aws.greengrass#PublishToIoTCore"], "resources": ["*"]}}}


def test_kills_at_random_lose_nothing_bring_nothing_twice_and_break_nothing(fleet, server, tmp_path):
    pytest.importorskip("awsiot", reason="needs awsiotsdk")
    kills = int(os.environ.get("ANDON_KILLS", "30"))
    moments = random.Random(int(os.environ.get("ANDON_SEED", "17")))
    script = tmp_path / "publisher.py"
    script.write_text(SCRIPT)
    fleet.component(PUBLISHER, "1.0.0", {"run": f"exec {sys.executable} {script}"},
                    configuration={"accessControl": ACCESS})
    for version in ("1.0.0", "2.0.0"):
        fleet.component(APP, version, {"install": f"echo {version} >> installs",
                                       "run": "exec sleep 1000"})
    agent = Agent(server, tmp_path / "device")
    agent.provision()
    agent.start()
    work = agent.root / "work" / PUBLISHER
    try:
        fleet.deploy_and_wait({PUBLISHER: "1.0.0", APP: "1.0.0"})
        answered = work / "answered"
        deployment, version, ended, outcomes = None, "1.0.0", 0, collections.Counter()
        for kill in range(kills):
            if deployment is None:
                version = "2.0.0" if version == "1.0.0" else "1.0.0"
                deployment = fleet.deploy({PUBLISHER: "1.0.0", APP: version})
            # What is waited for is no condition but a moment of chance.
            try:
                agent.process.wait(moments.uniform(0, 0.4))
            except subprocess.TimeoutExpired:
                pass
            agent.kill()
            agent.start()
            # Three kills in the work of one state are its end: each fifth time it may go on in peace.
            if kill % 5 == 4:
                entry = fleet.outcome(deployment)
                outcomes[entry["coreDeviceExecutionStatus"]] += 1
                assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED") or \
                    "ended three times" in entry["reason"], entry
                if entry["coreDeviceExecutionStatus"] == "FAILED":
                    version = "1.0.0" if version == "2.0.0" else "2.0.0"
                ended += 1
                deployment = None
        if deployment:
            entry = fleet.outcome(deployment)
            if entry["coreDeviceExecutionStatus"] == "FAILED":
                version = "1.0.0" if version == "2.0.0" else "2.0.0"
        agent.wait_for(APP, version)
        agent.wait_for(PUBLISHER, "1.0.0")
        assert sorted(keepers(agent.root)) == [APP, PUBLISHER]
        so_far = len(answered.read_text().split())
        wait_until(lambda: len(answered.read_text().split()) > so_far, "results going on", 120)
        (work / "enough").touch()

        def stored():
            return [one["image"] for one in server.results()]
        numbers = answered.read_text().split()
        wait_until(lambda: set(answered.read_text().split()) <= set(stored()), "all that was answered", 120)
        results = collections.Counter(stored())
        print(f"{kills} kills, {ended} deployments ended {dict(outcomes)}, {len(numbers)} results answered,"
              f" {len(results)} stored, {sum(results.values()) - len(results)} twice")
        assert max(results.values()) == 1
        assert numbers == [str(number) for number in range(len(numbers))]
    finally:
        agent.kill()
