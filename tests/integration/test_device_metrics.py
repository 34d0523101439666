# SPDX-License-Identifier: Apache-2.0
"""Figures of devices, from the agent's /proc to the server's store, and the alarms that are raised
from them: each with an event that a rule sends on."""
import json
import subprocess
import time

import pytest
from agent import Agent, Fleet
from harness import Server, program, wait_until

NUCLEUS = "aws.greengrass.Nucleus"
TOPIC, OTHERS = "plant/alarms", "plant/others"


@pytest.fixture
def plant(tmp_path):
    """A server whose every disk is too full, with two rules that tell alarms, each to a topic."""
    made = Server(tmp_path / "server", "--alarm-disk", "99", "--alarm-rejects-of", "5").start()
    events = made.aws("events")
    for name, topic in (("alarms", TOPIC), ("others", OTHERS)):
        events.put_rule(Name=name, EventPattern=json.dumps({"source": ["andon.alarms"]}))
        events.put_targets(Rule=name, Targets=[{
            "Id": "topic", "Arn": f"arn:aws:iot:us-east-1:000000000000:topic/{topic}"}])
    yield made
    made.kill()


def andon(server, *words):
    ended = subprocess.run([program("andon"), *words, "--data", server.data], capture_output=True,
                           text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def metrics_of(server, thing, query=""):
    status, told = server.call("GET", f"/andon/v1/things/{thing}/metrics{query}")
    assert status == 200, told
    return told


def alarm(inbox, kind, state):
    def fits(_, payload):
        detail = json.loads(payload)["detail"]
        return detail["alarm"] == kind and detail["state"] == state
    _, payload = inbox.wait_for(fits, f"{kind} {state}")
    return json.loads(payload)["detail"]


def telemetry(thing, **figures):
    """As Greengrass' classic nucleus and andon's agent say it."""
    return {"Schema": "2022-06-30", "ADP": [{
        "TS": int(time.time() * 1000), "NS": "Andon",
        "M": [{"N": name, "Average": value, "U": "Megabytes"} for name, value in figures.items()]}]}


def test_an_agent_tells_how_its_device_does_and_its_configuration_how_often(server, tmp_path):
    with Agent(server, tmp_path / "device") as agent:
        latest = wait_until(lambda: metrics_of(server, "edge-1").get("latest"), "its figures")
        assert 0 < latest["diskFreeMiB"] <= latest["diskSizeMiB"]
        assert 0 < latest["memoryUsedMiB"] < latest["memorySizeMiB"]
        assert 0 < latest["agentMemoryMiB"] < 200 and latest["openFiles"] > 10
        assert latest["mqttConnections"] == 1 and latest["spoolBytes"] == 0
        # What is counted over time comes with the second message.
        Fleet(server).deploy({NUCLEUS: ("2.14.0", {
            "telemetry": {"periodicPublishMetricsIntervalSeconds": 10}})})
        wait_until(lambda: "cpuPercent" in metrics_of(server, "edge-1")["latest"], "the processors")
        assert metrics_of(server, "edge-1")["latest"]["receivedBytesPerSecond"] >= 0
        assert agent.process.poll() is None
    assert "cpuPercent" in andon(server, "device", "metrics", "edge-1")
    told = json.loads(andon(server, "device", "metrics", "edge-1", "--hours", "48", "--json"))
    assert told["period"] == 3600 and told["points"][0]["diskSizeMiB"] == latest["diskSizeMiB"]


def test_a_full_disk_raises_an_alarm_that_a_rule_sends_on_and_ends_it(plant, tmp_path):
    device = plant.device("line-1", tmp_path)
    mqtt = plant.operator_mqtt()
    with mqtt.subscribe(TOPIC) as inbox, mqtt.subscribe(OTHERS) as others:
        topic = "$aws/things/line-1/greengrass/health/json"
        assert device.mqtt().publish(topic, telemetry("line-1", DiskFree=100, DiskSize=1000))
        raised = alarm(inbox, "DEVICE_DISK", "ALARM")
        assert raised["thingName"] == "line-1" and raised["freePercent"] == 10
        assert "100 MiB of 1000 MiB are free" in raised["reason"]
        assert "DEVICE_DISK" in andon(plant, "device", "alarms", "line-1")
        assert 'andon_alarms{alarm="DEVICE_DISK"} 1' in plant.get("/metrics")[1].decode()
        # Muted: the alarm ends, and this rule tells nobody.
        plant.aws("events").disable_rule(Name="alarms")
        assert device.mqtt().publish(topic, telemetry("line-1", DiskFree=1000, DiskSize=1000))
        alarm(others, "DEVICE_DISK", "OK")
        assert "DEVICE_DISK" not in andon(plant, "device", "alarms")
        plant.aws("events").enable_rule(Name="alarms")
        assert device.mqtt().publish(topic, telemetry("line-1", DiskFree=1, DiskSize=1000))
        wait_until(lambda: len([1 for _, one in inbox.messages()
                                if json.loads(one)["detail"]["alarm"] == "DEVICE_DISK"]) == 2,
                   "the second alarm")
        states = [json.loads(one)["detail"]["state"] for _, one in inbox.messages()
                  if json.loads(one)["detail"]["alarm"] == "DEVICE_DISK"]
        assert states == ["ALARM", "ALARM"]


def test_the_servers_disk_and_many_rejected_parts_raise_alarms_of_their_own(plant, tmp_path):
    device = plant.device("line-1", tmp_path)
    with plant.operator_mqtt().subscribe(TOPIC) as inbox:
        for number, verdict in enumerate(["NG", "OK", "OK", "NG", "OK", "OK"]):
            assert device.mqtt().publish("andon/things/line-1/results", {
                "timestamp": f"2026-11-22T10:00:0{number}.000Z", "image": {"name": f"{number}.jpg"},
                "verdict": verdict, "detections": []})
        raised = alarm(inbox, "REJECT_RATE", "ALARM")
        assert (raised["thingName"], raised["rejected"]) == ("line-1", 2)
        assert "thingName" not in wait_until(
            lambda: [one for one in plant.call("GET", "/andon/v1/alarms")[1]["alarms"]
                     if one["alarm"] == "SERVER_DISK"], "the server's disk")[0]


def test_nobody_tells_figures_of_another_device(plant, tmp_path):
    device = plant.device("line-1", tmp_path)
    plant.aws("iot").create_thing(thingName="line-2")
    assert not device.mqtt().publish("$aws/things/line-2/greengrass/health/json",
                                     telemetry("line-2", DiskFree=1, DiskSize=1000))
    assert device.mqtt().publish("$aws/things/line-1/greengrass/health/json", "{}x")
    assert device.mqtt().publish("$aws/things/line-1/greengrass/health/json",
                                 telemetry("line-1", DiskFree=1, DiskSize=1000))
    wait_until(lambda: metrics_of(plant, "line-1").get("latest"), "its figures")
    assert "telemetry refused" in plant.log()
    assert "latest" not in metrics_of(plant, "line-2")
    assert plant.call("GET", "/andon/v1/things/nobody/metrics")[0] == 404
