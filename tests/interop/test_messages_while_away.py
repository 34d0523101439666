# SPDX-License-Identifier: Apache-2.0
"""What is published to a component while its device's network is away comes when it is back, with
its properties; the component uses the public Device SDK and never notices."""
import contextlib
import json
import select
import socket
import subprocess
import sys
import threading

import pytest
from agent import Agent, Fleet
from harness import wait_until

pytest.importorskip("awsiot", reason="needs awsiotsdk")

NAME = "com.example.Listens"
THING = "away-1"
SOURCE = b"""
import json, os, threading
from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import QOS


def on_message(event):
    message = event.message
    with open("heard.jsonl", "a") as file:
        file.write(json.dumps({
            "payload": message.payload.decode(), "type": message.content_type,
            "answer": message.response_topic,
            "correlation": (message.correlation_data or b"").decode(),
            "user": {one.key: one.value for one in message.user_properties or []}}) + "\\n")


ipc = GreengrassCoreIPCClientV2()
ipc.subscribe_to_iot_core(topic_name="cmd/line/" + os.environ["AWS_IOT_THING_NAME"],
                          qos=QOS.AT_LEAST_ONCE, on_stream_event=on_message)
threading.Event().wait()
"""
ACCESS = {"aws.greengrass.ipc.mqttproxy": {f"{NAME}:mqttproxy:1": {
    "operations": ["aws.greengrass#SubscribeToIoTCore"], "resources": ["cmd/line/*"]}}}


class Cable:
    """Between a device and the broker; can be pulled and put back."""

    def __init__(self, target):
        self.target, self.port, self.open = target, 0, []
        self.put_back()

    def put_back(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def pull(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.open = []

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                device, _ = listener.accept()
                broker = socket.create_connection(("127.0.0.1", self.target))
                self.open += [device, broker]
                threading.Thread(target=self._relay, args=(device, broker), daemon=True).start()

    @staticmethod
    def _relay(device, broker):
        with contextlib.suppress(OSError, ValueError), device, broker:
            while True:
                for ready in select.select([device, broker], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    (broker if ready is device else device).sendall(data)


class BehindCable(Agent):
    def __init__(self, server, root, device, cable):
        super().__init__(server, root, THING)
        data_plane = server.info["devicePlane"].removeprefix("https://")
        self.words = ["--certificate", device.certificate, "--key", device.key, "--ca",
                      server.ca_file, "--thing", THING, "--mqtt", f"127.0.0.1:{cable.port}",
                      "--data-plane", data_plane]

    def provision(self, token=None):
        return subprocess.run(self.command("andon-edge", "provision", "--root", self.root,
                                           *self.words, *self._user_options()),
                              check=True, capture_output=True, text=True).stdout


def test_a_message_to_a_component_waits_for_a_device_whose_network_is_away(server, tmp_path):
    fleet, cable = Fleet(server), Cable(server.info["mqtt"]["port"])
    device = server.device(THING, tmp_path / "given")
    operator = server.operator_mqtt()

    def tell(payload, *properties):
        subprocess.run(["mosquitto_pub", *operator.connection, "-t", f"cmd/line/{THING}", "-m",
                        payload, *properties], check=True, capture_output=True, timeout=30)

    with BehindCable(server, tmp_path / "device", device, cable) as agent:
        fleet.component(NAME, "1.0.0",
                        {"run": f"exec {sys.executable} -u {{artifacts:path}}/component.py"},
                        configuration={"accessControl": ACCESS},
                        artifacts=[fleet.put_artifact("component.py", SOURCE)])
        fleet.deploy_and_wait({NAME: "1.0.0"}, thing=THING)
        file = agent.root / "work" / NAME / "heard.jsonl"

        def heard():
            return [json.loads(line) for line in file.read_text().splitlines()] \
                if file.exists() else []

        def is_connected():
            return agent.status().get("connected")
        # The subscription is there once the first message is.
        wait_until(lambda: tell("first") or heard(), "the first message")
        for number in range(2):
            cable.pull()
            wait_until(lambda: not is_connected(), "the network being away")
            tell(f"while away {number}", "-D", "publish", "content-type", "text/plain",
                 "-D", "publish", "response-topic", "answers", "-D", "publish", "correlation-data",
                 "c-1", "-D", "publish", "user-property", "line", "3")
            cable.put_back()
            wait_until(is_connected, "the network being back")
            wait_until(lambda wanted=number: [one for one in heard()
                                              if one["payload"] == f"while away {wanted}"],
                       "what was published meanwhile")
        assert {key: heard()[-1][key] for key in ("type", "answer", "correlation", "user")} == {
            "type": "text/plain", "answer": "answers", "correlation": "c-1", "user": {"line": "3"}}
    cable.pull()
