# SPDX-License-Identifier: Apache-2.0
"""Results from a device's component to the server's store: none lost, none twice, whoever is away
or killed meanwhile; and the store from the command line."""
import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from agent import Agent, Fleet
from harness import PATIENCE_S, Consumer, Server, next_line, program, wait_until

NAME = "com.example.Publisher"
# Publishes `count` results, as andon-inspect does: each is answered when the agent has it.
PUBLISHER = """
import json, os, sys, time
from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import QOS
thing, count, pause = os.environ["AWS_IOT_THING_NAME"], int(sys.argv[1]), float(sys.argv[2])
ipc = GreengrassCoreIPCClientV2()
for number in range(count):
    message = {"timestamp": f"2026-11-22T10:{number // 60 % 60:02}:{number % 60:02}.{number % 1000:03}Z",
               "thing": thing, "image": {"name": f"{number:06}.jpg"},
               "detections": [{"label": "scratch", "confidence": 0.5}]}
    ipc.publish_to_iot_core(topic_name=f"andon/things/{thing}/results", qos=QOS.AT_LEAST_ONCE,
                            payload=json.dumps(message).encode())
    time.sleep(pause)
open("done", "w").close()
time.sleep(10000)
"""


def publish_results(server, agent, count, pause=0.0):
    """Deploys a component that publishes `count` results."""
    script = agent.root.parent / "publisher.py"
    script.write_text(PUBLISHER)
    fleet = Fleet(server)
    fleet.component(
        NAME, "1.0.0", {"run": f"exec {sys.executable} {script} {count} {pause}"},
        configuration={"accessControl": {"aws.greengrass.ipc.mqttproxy": {"results": {
            "operations": ["aws.greengrass#PublishToIoTCore"],
            "resources": ["andon/things/{iot:thingName}/*"]}}}})
    fleet.deploy({NAME: "1.0.0"})


def is_done(agent):
    return (agent.root / "work" / NAME / "done").exists()


def images_of(server):
    return sorted(result["image"] for result in server.results())


def named(count):
    return [f"{number:06}.jpg" for number in range(count)]


def test_results_are_kept_where_nobody_subscribes(server, tmp_path):
    with Agent(server, tmp_path / "device") as agent:
        publish_results(server, agent, 50)
        wait_until(lambda: is_done(agent), "all results being published")
        wait_until(lambda: images_of(server) == named(50), "all results being stored")
        wait_until(lambda: agent.spooled() == 0, "the spool being empty")
        assert agent.status()["resultConsumers"] == ["server"]


def test_a_server_that_is_killed_while_results_flow_loses_none_and_keeps_none_twice(
        tmp_path):
    count = 600
    with Server(tmp_path / "data") as server, Agent(server, tmp_path / "device") as agent:
        publish_results(server, agent, count, 0.01)
        for round_ in range(4):
            wait_until(lambda r=round_: len(server.results()) > r * 60 + 20, "results flowing")
            server.kill()
            time.sleep(0.2)
            server.start()
        wait_until(lambda: is_done(agent), "all results being published", 60)
        wait_until(lambda: len(server.results()) >= count, "all results being stored", 60)
        assert images_of(server) == named(count)
        wait_until(lambda: agent.spooled() == 0, "the spool being empty", 60)


def test_an_agent_that_is_killed_while_results_wait_for_their_consumer_sends_them(tmp_path):
    with Server(tmp_path / "data") as server, Agent(server, tmp_path / "device") as agent:
        publish_results(server, agent, 30)
        wait_until(lambda: len(server.results()) == 30, "all results being stored")
        server.kill()
        agent.kill()
        server.start()
        agent.start()
        wait_until(lambda: agent.status().get("connected"), "the agent being connected")
        wait_until(lambda: agent.spooled() == 0, "the spool being empty")
        assert len({result["image"] for result in server.results()}) == 30


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk],
            capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def fill_disk(file):
    with open(file, "wb", buffering=0) as filler:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError:
                continue


def test_a_full_disk_of_the_server_leaves_results_on_the_device(small_disk, tmp_path):
    count = 150
    with Server(small_disk / "data") as server, Agent(server, tmp_path / "device") as agent:
        publish_results(server, agent, count, 0.05)
        wait_until(lambda: len(server.results()) > 20, "results flowing")
        fill_disk(small_disk / "filler")
        wait_until(lambda: is_done(agent), "all results being published")
        kept = len(server.results())
        assert kept < count and agent.spooled() >= count - kept
        (small_disk / "filler").unlink()
        wait_until(lambda: len(server.results()) == count, "all results being stored", 120)
        assert images_of(server) == named(count)
        wait_until(lambda: agent.spooled() == 0, "the spool being empty", 120)


def test_what_a_named_consumer_lacks_stays_on_the_device_until_it_is_back(tmp_path):
    with Server(tmp_path / "data", "--result-consumers", "server", "mes") as server, \
            Agent(server, tmp_path / "device") as agent:
        publish_results(server, agent, 40)
        wait_until(lambda: images_of(server) == named(40), "the server having all")
        wait_until(lambda: agent.spooled() == 40, "all being kept for the other consumer")
        agent.kill()  # and it waits over a restart
        agent.start()
        wait_until(lambda: agent.status().get("connected"), "the agent being connected")
        assert agent.spooled() == 40
        assert agent.status()["spoolBytes"] > 0
        with Consumer(server, "mes") as mes:
            wait_until(lambda: agent.spooled() == 0, "the spool being empty", 120)
            assert sorted(json.loads(p)["image"]["name"] for p in mes.stored.values()) == named(40)
        assert images_of(server) == named(40)  # what came again is kept once


def test_a_server_that_names_no_consumer_is_served_as_before(tmp_path):
    with Server(tmp_path / "data", "--result-consumers", "none") as server, \
            Agent(server, tmp_path / "device") as agent:
        publish_results(server, agent, 5)
        wait_until(lambda: images_of(server) == named(5), "all results being stored")
        wait_until(lambda: agent.spooled() == 0, "the spool being empty")
        assert agent.status()["resultConsumers"] == []


@pytest.mark.parametrize("names", [["a/b"], [""], ["none", "server"], ["x"] * 9])
def test_a_consumer_that_cannot_be_one_is_refused(tmp_path, names):
    ended = subprocess.run([program("andon-server"), "run", "--data", tmp_path / "data",
                            "--result-consumers", *names], capture_output=True, text=True,
                           timeout=PATIENCE_S, check=False)
    assert ended.returncode == 2 and "--result-consumers" in ended.stderr, ended


# ---- from the command line

def message(number, label="scratch", confidence=0.5):
    return {"timestamp": f"2026-11-22T10:00:{number:02}Z", "image": {"name": f"{number}.jpg"},
            "detections": [{"label": label, "confidence": confidence}]}


@pytest.fixture(scope="module")
def filled(shared_server, tmp_path_factory):
    """A server with ten results of a device: 0 to 9 seconds after ten o'clock."""
    device = shared_server.device("line-1", tmp_path_factory.mktemp("device"))
    for number in range(10):
        assert device.mqtt().publish("andon/things/line-1/results", message(
            number, "dent" if number == 7 else "scratch", number / 10))
    wait_until(lambda: len(shared_server.results()) == 10, "all results being stored")
    return shared_server


def andon(server, *arguments, code=0):
    ended = subprocess.run([program("andon"), "result", *map(str, arguments), "--data", server.data],
                           capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == code, ended
    return ended.stdout if code == 0 else ended.stderr


def test_results_are_listed_and_filtered(filled):
    lines = andon(filled, "list").splitlines()
    assert len(lines) == 10 and "9.jpg" in lines[0] and "scratch 0.9000" in lines[0]
    listed = json.loads(andon(filled, "list", "--min-score", "0.6", "--class", "scratch", "--json"))
    assert [result["image"] for result in listed["results"]] == ["9.jpg", "8.jpg", "6.jpg"]
    assert len(andon(filled, "list", "--limit", "3").splitlines()) == 3
    assert andon(filled, "list", "--thing", "line-2") == ""
    assert len(andon(filled, "list", "--from", "2026-11-22T10:00:08Z").splitlines()) == 2
    counted = json.loads(andon(filled, "counts", "--class", "dent", "--json"))["counts"]
    assert counted == [{"thing": "line-1", "hour": "2026-11-22T10:00:00.000Z", "class": "dent",
                        "count": 1}]


def test_results_are_exported(filled, tmp_path):
    lines = andon(filled, "export").splitlines()
    assert [json.loads(line)["message"]["image"]["name"] for line in lines] == [
        f"{number}.jpg" for number in reversed(range(10))]
    file = tmp_path / "results.csv"
    andon(filled, "export", "--format", "csv", "--output", file)
    rows = list(csv.DictReader(file.open(newline="")))
    assert [row["class"] for row in rows].count("dent") == 1
    assert rows[0]["score"] == "0.9"


def test_a_result_is_confirmed_and_overruled(filled):
    newest = json.loads(andon(filled, "list", "--limit", "1", "--json"))["results"][0]["resultId"]
    andon(filled, "confirm", newest)
    overruled = json.loads(andon(filled, "overrule", newest, "--class", "dirt", "--note", "dust",
                                 "--json"))
    assert overruled["kind"] == "OVERRULED" and overruled["by"] == "operator"
    shown = json.loads(andon(filled, "show", newest, "--json"))
    assert shown["class"] == "scratch"
    assert [review["kind"] for review in shown["reviews"]] == ["CONFIRMED", "OVERRULED"]
    assert "OVERRULED as dirt" in andon(filled, "list", "--limit", "1")
    assert "no result 999" in andon(filled, "confirm", "999", code=6)
    assert "must say what it is" in andon(filled, "overrule", newest, code=3)
    andon(filled, "list", "--min-score", "much", code=2)


def test_tail_follows_what_comes(filled, tmp_path):
    with subprocess.Popen([program("andon"), "result", "tail", "-f", "-n", "1", "--json", "--data",
                           filled.data], stdout=subprocess.PIPE, text=True) as tail:
        try:
            assert json.loads(next_line(tail))["image"] == "9.jpg"
            device = filled.device("line-9", tmp_path)
            # Older than what was shown, and new all the same.
            assert device.mqtt().publish("andon/things/line-9/results", message(1))
            assert json.loads(next_line(tail))["thing"] == "line-9"
        finally:
            tail.send_signal(signal.SIGINT)
            tail.wait(PATIENCE_S)
