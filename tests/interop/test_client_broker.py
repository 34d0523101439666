# SPDX-License-Identifier: Apache-2.0
"""Client devices speak to the broker on their core device, which the core's agent supervises: they
find it by discovery, are let in by their certificates and groups, and what they say goes to
components and to the server (aws.greengrass.clientdevices.Auth, mqtt.Moquette, mqtt.EMQX,
mqtt.Bridge)."""
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from agent import Agent, Fleet
from harness import PATIENCE_S, Mqtt, Server, wait_until

pytest.importorskip("awsiot", reason="needs awsiotsdk")

AUTH, BRIDGE = "aws.greengrass.clientdevices.Auth", "aws.greengrass.clientdevices.mqtt.Bridge"
MOQUETTE, EMQX = (f"aws.greengrass.clientdevices.mqtt.{name}" for name in ("Moquette", "EMQX"))
DETECTOR = "aws.greengrass.clientdevices.IPDetector"
NAME = "com.example.ClientDevices"
SOURCE = Path(__file__).with_name("ipc_client_devices_component.py")
ACCESS = {
    "aws.greengrass.ipc.pubsub": {"p": {"operations": ["*"], "resources": ["*"]}},
    AUTH: {"a": {"operations": ["*"], "resources": ["*"]}}}
GROUPS = {"deviceGroups": {
    "formatVersion": "2021-03-05",
    "definitions": {"cameras": {"selectionRule": "thingName: camera*", "policyName": "camera"}},
    "policies": {"camera": {
        "connect": {"operations": ["mqtt:connect"],
                    "resources": ["mqtt:clientId:${iot:Connection.Thing.ThingName}*"]},
        "publish": {"operations": ["mqtt:publish"], "resources": ["mqtt:topic:cam/*"]},
        "subscribe": {"operations": ["mqtt:subscribe"],
                      "resources": ["mqtt:topicfilter:orders/#", "mqtt:topicfilter:cmd/*"]}}}}}
_versions = itertools.count()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def discover(device):
    """(CA as PEM, [(host, port)]) of its one core device."""
    status, body = device.https(f"/greengrass/discover/thing/{device.thing}")
    assert status == 200, body
    [group] = json.loads(body)["GGGroups"]
    return group["CAs"], [(one["hostAddress"], one["portNumber"])
                          for one in group["Cores"][0]["Connectivity"]]


def local_mqtt(device, port, ca_file):
    """mosquitto's clients at the broker on the core device, with the device's certificate."""
    return Mqtt(SimpleNamespace(info={"mqtt": {"port": port}}, ca_file=ca_file),
                device.certificate, device.key, thing=device.thing)


def lines(agent, name):
    file = agent.root / "work" / NAME / f"{name}.txt"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


class Line:
    """A core device with a broker, and things that are associated with it."""

    def __init__(self, server, agent, core, port):
        self.server, self.agent, self.core, self.port = server, agent, core, port
        self.fleet, self.greengrass = Fleet(server), server.aws("greengrassv2")

    def associate(self, *things):
        answer = self.greengrass.batch_associate_client_device_with_core_device(
            coreDeviceThingName=self.core, entries=[{"thingName": one} for one in things])
        assert not answer.get("errorEntries"), answer

    def deploy(self, camera, broker=MOQUETTE, broker_configuration=None):
        uri = self.fleet.put_artifact("clients.py", SOURCE.read_bytes())
        version = f"1.0.{next(_versions)}"
        self.fleet.component(
            NAME, version, {"run": f"exec {sys.executable} -u {{artifacts:path}}/clients.py"},
            configuration={"accessControl": ACCESS, "certificate": camera.certificate.read_text()},
            artifacts=[uri], dependencies={AUTH: {"VersionRequirement": ">=2.0.0"}})
        self.fleet.deploy_and_wait({
            NAME: version, AUTH: ("2.5.1", GROUPS),
            broker: ("2.3.9", broker_configuration or {"moquette": {"ssl_port": str(self.port)}}),
            DETECTOR: ("2.1.8", {"includeIPv4LoopbackAddrs": True, "defaultPort": str(self.port)}),
            BRIDGE: ("2.3.2", {"mqttTopicMapping": {
                "Up": {"topic": "cam/#", "source": "LocalMqtt", "target": "IotCore",
                       "targetTopicPrefix": f"dt/line/{self.core}/"},
                "Down": {"topic": f"cmd/line/{self.core}/#", "source": "IotCore",
                         "target": "LocalMqtt"},
                "In": {"topic": "cam/#", "source": "LocalMqtt", "target": "Pubsub"},
                "Out": {"topic": "orders/#", "source": "Pubsub", "target": "LocalMqtt"}}})},
            thing=self.core)
        wait_until(lambda: len(lines(self.agent, "refused")) == 2, "the component listening", 60)

    def broker_pid(self):
        """Of the mosquitto that runs, as the agent has it; 0: there is none."""
        return next((c["pid"] for c in self.agent.status()["components"]
                     if c["name"] in (MOQUETTE, EMQX) and c["state"] == "RUNNING"), 0)


@contextmanager
def a_line(server, core, tmp_path):
    with Agent(server, tmp_path / core, thing=core) as agent:
        yield Line(server, agent, core, free_port())


@pytest.fixture(name="line")
def line_fixture(server, fresh, tmp_path):
    with a_line(server, fresh("core"), tmp_path) as line:
        yield line


def connected(line, device, tmp_path):
    """The device at its core's broker, as discovery leads it there."""
    wait_until(lambda: ("127.0.0.1", line.port) in discover(device)[1], "the addresses", 60)
    authorities = wait_until(
        lambda: next((c for c in [discover(device)[0]]
                      if c != [Path(line.server.ca_file).read_text()]), None), "the core's own CA", 60)
    ca_file = tmp_path / "core-ca.pem"
    ca_file.write_text("".join(authorities))
    return local_mqtt(device, line.port, ca_file)


def test_client_devices_reach_components_and_the_server(server, line, fresh, tmp_path):
    names = [fresh("camera"), fresh("press"), fresh("camera")]
    camera, press, alone = (server.device(name, tmp_path / name) for name in names)
    line.associate(camera.thing, press.thing)
    line.deploy(camera)
    installed = {one["componentName"] for one in line.greengrass.list_installed_components(
        coreDeviceThingName=line.core, topologyFilter="ALL")["installedComponents"]}
    assert {AUTH, MOQUETTE, BRIDGE} <= installed
    broker = connected(line, camera, tmp_path)
    at_server = server.operator_mqtt().subscribe(f"dt/line/{line.core}/#")
    at_camera = broker.subscribe("orders/#", f"cmd/line/{line.core}/#")

    assert broker.publish("cam/1", "seen")
    wait_until(lambda: ["cam/1", "seen"] in lines(line.agent, "heard"), "the message at a component")
    at_server.wait_for(lambda topic, payload: (topic, payload) ==
                       (f"dt/line/{line.core}/cam/1", "seen"), "the message at the server")
    at_camera.wait_for(lambda topic, payload: (topic, payload) == ("orders/all", "order for seen"),
                       "the component's answer at the client device")
    server.operator_mqtt().publish(f"cmd/line/{line.core}/go", "go")
    at_camera.wait_for(lambda topic, payload: payload == "go", "the server's word")
    assert not broker.publish("press/1", "not mine")

    # Neither who is in no group, nor who is not associated, nor whom nobody has certified.
    assert not local_mqtt(press, line.port, tmp_path / "core-ca.pem").publish("cam/1", "x")
    stranger = local_mqtt(alone, line.port, tmp_path / "core-ca.pem")
    assert not stranger.publish("cam/1", "x")
    own = tmp_path / "own.pem"
    subprocess.run(["openssl", "req", "-x509", "-key", camera.key, "-subj", f"/CN={camera.thing}",
                    "-out", own, "-days", "2"], check=True, capture_output=True)
    forged = local_mqtt(SimpleNamespace(certificate=own, key=camera.key, thing=camera.thing), line.port,
                        tmp_path / "core-ca.pem")
    ended = subprocess.run(["mosquitto_pub", *forged.connection, "-t", "cam/1", "-m", "x"],
                           capture_output=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode != 0
    # Who is refused is asked for: once associated, the next attempts succeed.
    line.associate(alone.thing)
    wait_until(lambda: stranger.publish("cam/2", "new here"), "being let in", 60)

    assert lines(line.agent, "valid") == [True]
    assert lines(line.agent, "may") == [["cam/1", True], ["press/1", False]]
    assert sorted(lines(line.agent, "refused")) == ["credential", "token"]
    [authorities] = lines(line.agent, "certified")
    assert "".join(authorities) == (tmp_path / "core-ca.pem").read_text()

    [certificate] = server.aws("iot").list_thing_principals(thingName=alone.thing)["principals"]
    server.aws("iot").update_certificate(certificateId=certificate.rsplit("/", 1)[1],
                                         newStatus="REVOKED")
    wait_until(lambda: not stranger.publish("cam/2", "still here"), "being shut out", 120)
    assert broker.publish("cam/1", "I am not")


def test_the_broker_outlives_its_agent_and_the_link(tmp_path):
    with Server(tmp_path / "data") as server, a_line(server, "core", tmp_path) as line:
        go_on_without(server, line, tmp_path)


def go_on_without(server, line, tmp_path):
    camera = server.device("camera", tmp_path / "camera")
    line.associate(camera.thing)
    line.deploy(camera)
    broker = connected(line, camera, tmp_path)
    wait_until(lambda: broker.publish("cam/1", "first"), "being let in")
    first = line.broker_pid()
    os.kill(first, signal.SIGKILL)
    second = wait_until(lambda: (line.broker_pid() or first) != first and line.broker_pid(),
                        "another broker")
    wait_until(lambda: publishes(broker, "cam/1", "second"), "the broker answering")

    line.agent.kill()
    assert broker.publish("cam/1", "without an agent")
    server.kill()
    line.agent.start()
    wait_until(lambda: line.agent.status()["agent"] == "running" and line.broker_pid(), "the agent")
    assert line.broker_pid() == second
    # The server is away: who it named last is let in, components hear it, and it is told later.
    def is_heard():
        return publishes(broker, "cam/1", "offline") and \
            ["cam/1", "offline"] in lines(line.agent, "heard")
    wait_until(is_heard, "the message at the component", 60)
    server.start()
    with server.operator_mqtt().subscribe(f"dt/line/{line.core}/#") as at_server:
        at_server.wait_for(lambda topic, payload: payload == "offline", "the spooled message")
    assert line.broker_pid() == second


def publishes(broker, topic, payload):
    """True where the broker is there and takes it."""
    try:
        return broker.publish(topic, payload)
    except AssertionError:
        return False


def test_what_cannot_work_fails_its_deployment_by_name(server, line, fresh, tmp_path):
    name = fresh("camera")
    camera = server.device(name, tmp_path / name)
    line.associate(camera.thing)

    def failure(components):
        entry = line.fleet.outcome(line.fleet.deploy(components, f"thing/{line.core}"), line.core)
        assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
        return entry["reason"] if "reason" in entry else json.dumps(entry, default=str)
    assert "moquette.ssl_port" in failure({MOQUETTE: ("2.3.9", {"moquette": {"ssl_port": "many"}})})
    assert "policyName" in failure({
        MOQUETTE: "2.3.9", AUTH: ("2.5.1", {"deviceGroups": {"definitions": {"x": {}}}})})
    # EMQX's name and configuration do as well.
    line.deploy(camera, EMQX, {"emqxConfig": {"listeners": {"ssl": {"default": {
        "bind": f"0.0.0.0:{line.port}"}}}}})
    broker = connected(line, camera, tmp_path)
    wait_until(lambda: broker.publish("cam/1", "x"), "being let in")
