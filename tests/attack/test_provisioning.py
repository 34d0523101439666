# SPDX-License-Identifier: Apache-2.0
"""Who has a claim that every device of a delivery has: floods the hook, takes names that are free, reads
in refusals what is none of a device's."""
import json
import queue
import ssl
import threading
import uuid

import paho.mqtt.client as mqtt
import pytest

from functions import Functions
from harness import Mqtt, wait_until

ROLE = "arn:aws:iam::000000000000:role/provisioning"
BODY = {
    "Parameters": {"SerialNumber": {"Type": "String"}, "AWS::IoT::Certificate::Id": {"Type": "String"}},
    "Resources": {
        "thing": {"Type": "AWS::IoT::Thing", "Properties": {"ThingName": {"Ref": "SerialNumber"}}},
        "certificate": {"Type": "AWS::IoT::Certificate", "Properties": {
            "CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"}}}}
PATIENCE_S = 60
CREATE = "$aws/certificates/create/json"


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server


def template(server, name, **more):
    server.aws("iot").create_provisioning_template(
        templateName=name, templateBody=json.dumps(BODY), enabled=True, provisioningRoleArn=ROLE, **more)
    return name


class Claim:
    """A claim's certificate, and one connection with it after the other."""

    def __init__(self, server, name, directory):
        self.server, self.name = server, name
        directory.mkdir()
        made = server.aws("iot").create_provisioning_claim(templateName=name)
        self.certificate, self.key = directory / "claim.crt", directory / "claim.key"
        self.certificate.write_text(made["certificatePem"])
        self.key.write_text(made["keyPair"]["PrivateKey"])
        # The broker hears of a new certificate within a second.
        wait_until(lambda: Mqtt(server, self.certificate, self.key, client_id=str(uuid.uuid4())).publish(
            CREATE, "{}"), "the claim being known")

    def connect(self):
        return Asking(self)


class Asking:
    def __init__(self, claim):
        self.claim, self.answers = claim, queue.SimpleQueue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, str(uuid.uuid4()), protocol=mqtt.MQTTv5)
        self.client.tls_set(claim.server.ca_file, str(claim.certificate), str(claim.key),
                            tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.on_message = lambda _, __, message: self.answers.put(
            (message.topic.rsplit("/", 1)[1], json.loads(message.payload)))
        connected = threading.Event()
        self.client.on_connect = lambda *_: connected.set()
        self.client.connect("127.0.0.1", claim.server.info["mqtt"]["port"])
        self.client.loop_start()
        assert connected.wait(PATIENCE_S)

    def say(self, topic, request):
        self.client.publish(topic, json.dumps(request), qos=1).wait_for_publish(PATIENCE_S)

    def ask(self, topic, request):
        self.say(topic, request)
        return self.answers.get(timeout=PATIENCE_S)

    def token(self):
        return self.ask(CREATE, {})[1]["certificateOwnershipToken"]

    def register(self, serial, token=None):
        return self.ask(f"$aws/provisioning-templates/{self.claim.name}/provision/json", {
            "certificateOwnershipToken": token or self.token(), "parameters": {"SerialNumber": serial}})

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def hooked(server, name, code):
    made = []

    def fresh(word):
        made.append(word)
        return f"{name}-{word}-{len(made)}"
    function = Functions(server, fresh).create(code)
    return function, template(server, name, preProvisioningHook={
        "payloadVersion": "2020-04-01",
        "targetArn": f"arn:aws:lambda:us-east-1:000000000000:function:{function}"})


def test_a_claim_whose_hook_hangs_does_not_hold_up_the_others(server, tmp_path):
    _, slow = hooked(server, "slow", "import time\ndef handler(event, context):\n    time.sleep(60)\n")
    flood = [Claim(server, slow, tmp_path / "slow").connect() for _ in range(1)]
    flood += [Asking(flood[0].claim) for _ in range(5)]
    honest = Claim(server, template(server, "quick"), tmp_path / "quick").connect()
    # All have their tokens before anybody hangs.
    tokens = [one.token() for one in flood]
    for one, token in zip(flood, tokens):
        for _ in range(4):
            one.say("$aws/provisioning-templates/slow/provision/json", {
                "certificateOwnershipToken": token, "parameters": {"SerialNumber": "x"}})
    # Twenty-four questions of five seconds each: by three threads they take forty seconds.
    for number in range(3):
        told, answer = honest.register(f"quick-{number}")
        assert told == "accepted", answer
    answered = sum(one.answers.qsize() for one in flood)
    assert answered < 24, "the flood was over before anybody could be held up by it"
    for one in (*flood, honest):
        one.close()


def test_a_template_for_known_things_makes_no_other(server, tmp_path):
    name = template(server, "known", tags=[{"Key": "andon:known-things", "Value": "true"}])
    iot = server.aws("iot")
    iot.create_thing(thingName="ordered-1")
    asking = Claim(server, name, tmp_path / "known").connect()
    told, answer = asking.register("invented-1")
    assert (told, answer["statusCode"], answer["errorCode"]) == ("rejected", 401, "Unauthorized")
    assert "andon:known-things" in answer["errorMessage"]
    assert "invented-1" not in [one["thingName"] for one in iot.list_things()["things"]]
    told, answer = asking.register("ordered-1")
    assert (told, answer["thingName"]) == ("accepted", "ordered-1")
    asking.close()


@pytest.mark.parametrize("name, code", [
    ("fails", "def handler(event, context):\n    raise ValueError('the database is at 10.0.0.7')\n"),
    ("gone", "def handler(event, context):\n    return {}\n")])
def test_a_refusal_tells_a_device_nothing_of_the_function_behind_it(server, tmp_path, name, code):
    function, made = hooked(server, name, code)
    if name == "gone":
        server.aws("lambda").delete_function(FunctionName=function)
    asking = Claim(server, made, tmp_path / name).connect()
    told, answer = asking.register("x")
    assert told == "rejected" and "preProvisioningHook" in answer["errorMessage"], answer
    for word in (function, "arn:aws:lambda", "10.0.0.7", "ValueError"):
        assert word not in answer["errorMessage"]
    asking.close()
    if name == "gone":
        wait_until(lambda: function in server.log(), "the log, which does say it")
