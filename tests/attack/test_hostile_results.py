# SPDX-License-Identifier: Apache-2.0
"""What a device with a good certificate does against the results of others, and what it can do
about its own."""
import hashlib
import json
import subprocess
import sys

import pytest
from agent import Agent, Fleet
from harness import Consumer, Server, wait_until

VICTIM = "andon/things/line-1/results"
PUBLISHER = """
import os, time
from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import QOS
ipc = GreengrassCoreIPCClientV2()
for text in open(os.environ["RESULTS"]).read().splitlines():
    ipc.publish_to_iot_core(topic_name="andon/things/line-1/results", qos=QOS.AT_LEAST_ONCE,
                            payload=text.encode())
time.sleep(10000)
"""


def result(number):
    return json.dumps({"timestamp": f"2026-11-22T10:00:{number:02}Z",
                       "image": {"name": f"{number}.jpg"}, "detections": []})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One that names a second consumer, which never comes: what is stored stays on the device."""
    with Server(tmp_path_factory.mktemp("server") / "data",
                "--result-consumers", "server", "mes") as running:
        yield running


@pytest.fixture(scope="module")
def hostile(server, tmp_path_factory):
    return server.device("line-10", tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def victim(server, hostile, tmp_path_factory):
    """An agent with ten results that the server has stored and the other consumer has not, while
    a hostile device asked for all that there is."""
    directory = tmp_path_factory.mktemp("victim")
    reader = ["mosquitto_sub", *hostile.mqtt().connection, "-t", "#", "-t", VICTIM, "-t",
              "$share/g/#", "-t", "andon/things/line-10/x"]
    with subprocess.Popen(reader, stdout=subprocess.PIPE) as attacker:
        yield from victim_with_results(server, directory)
        attacker.kill()
        assert attacker.stdout.read() == b""


def victim_with_results(server, directory):
    texts = [result(number) for number in range(10)]
    (directory / "results").write_text("\n".join(texts))
    (directory / "publisher.py").write_text(PUBLISHER)
    with Agent(server, directory / "device", "line-1") as agent:
        fleet = Fleet(server)
        fleet.component("com.example.Publisher", "1.0.0", {
            "run": f"RESULTS={directory}/results exec {sys.executable} {directory}/publisher.py"},
            configuration={"accessControl": {"aws.greengrass.ipc.mqttproxy": {"all": {
                "operations": ["aws.greengrass#PublishToIoTCore"], "resources": ["*"]}}}})
        fleet.deploy({"com.example.Publisher": "1.0.0"}, "thing/line-1")
        wait_until(lambda: len(server.results("thing=line-1")) == 10, "the victim's results")
        yield agent


def test_a_device_cannot_publish_a_result_of_another(server, hostile, victim):
    before = server.results("thing=line-1")
    assert not hostile.mqtt().publish(VICTIM, result(50))
    # Nor by what the message says, for who it is of is in the topic.
    assert hostile.mqtt().publish("andon/things/line-10/results", json.dumps(
        {**json.loads(result(51)), "thing": "line-1"}))
    wait_until(lambda: len(server.results("thing=line-10")) == 1, "its own result")
    assert server.results("thing=line-1") == before


def test_a_device_cannot_say_that_a_result_is_stored(server, hostile, victim):
    """Neither another's nor, so that no component of it can make others' results be forgotten,
    its own."""
    assert victim.spooled() == 10
    digests = [hashlib.sha256(result(number).encode()).hexdigest() for number in range(10)]
    for thing in ("line-1", "line-10"):
        for consumer in ("mes", "server"):
            assert not hostile.mqtt().publish(f"cmd/andon/{thing}/stored/{consumer}",
                                              {"stored": digests})
    # Something that the victim hears comes after what it must not have heard: another's word.
    assert server.operator_mqtt().publish("cmd/andon/line-1/stored/another", {"stored": digests})
    assert server.operator_mqtt().publish("cmd/andon/line-1/stored/mes", {"stored": ["0" * 64]})
    assert victim.spooled() == 10


def test_a_consumer_that_was_away_gets_every_result_whoever_else_listened(server, victim):
    assert victim.spooled() == 10
    with Consumer(server, "mes", "line-1") as mes:
        wait_until(lambda: victim.spooled() == 0, "the spool being empty", 120)
        assert sorted(mes.stored.values()) == [result(number) for number in range(10)]


@pytest.mark.parametrize("payload", [
    "", "x", "[]", "{}", "[" * 1000, '{"timestamp": "9999-12-31T23:59:59Z", "image": {"name": "a"}}',
    '{"timestamp": "0001-01-01T00:00:00Z", "image": {"name": "a"}}',
    '{"timestamp": "2026-11-22T10:00:00Z", "image": {"name": "' + "\\u001b]0;x" * 300 + '"}}',
    '{"timestamp": "2026-11-22T10:00:00Z", "image": {"name": "a"}, "detections": ' +
    '[{"label": "x", "confidence": 1e308}]}'])
def test_whatever_a_device_calls_a_result_is_kept_as_its_own(server, hostile, payload):
    before = {one["resultId"] for one in server.results("thing=line-10")}
    if payload == "":
        payload = " "  # mosquitto_pub sends no empty message from the command line
    assert hostile.mqtt().publish("andon/things/line-10/results", payload)
    found = wait_until(lambda: [one for one in server.results("thing=line-10")
                                if one["resultId"] not in before], "the message in the store")
    status, shown = server.call("GET", f"/andon/v1/results/{found[0]['resultId']}")
    assert status == 200, shown
    status, exported = server.call("GET", "/andon/v1/result-export?format=csv")
    assert status == 200 and "\x1b" not in exported["content"]
