# SPDX-License-Identifier: Apache-2.0
"""What greengrass-lite 2.6.0 says to its cloud, message by message: MQTT 5 with packets of at most 5,000
bytes, the jobs' topics, the data plane by HTTPS, artifacts by a plain GET without a certificate."""
import base64
import hashlib
import http.client
import json
import queue
import ssl
import subprocess
import types
import urllib.parse
import uuid

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

TOKEN, SUFFIX = "jobs-nucleus-lite", "namespace-aws-gg-deployment"
PATIENCE_S = 30
MOST_PACKET, MOST_GROUPS, MOST_ARTIFACT, MOST_CREDENTIALS, MOST_RECIPE = 5000, 2048, 2000, 1500, 8196
MOST_TOKEN, MOST_CERTIFICATE = 512, 8192


class LiteConnection:
    """MQTT as lite speaks it, with one certificate."""

    def __init__(self, server, certificate, key, client_id):
        self.server = server
        self.inbox, self.granted = queue.SimpleQueue(), queue.SimpleQueue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5)
        self.client.tls_set(server.ca_file, str(certificate), str(key),
                            tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.on_message = lambda _, __, message: self.inbox.put(message)
        self.client.on_subscribe = lambda *arguments: self.granted.put(arguments[3])
        self.client.on_unsubscribe = lambda *arguments: self.granted.put(arguments[3])

    def __enter__(self):
        properties = Properties(PacketTypes.CONNECT)
        properties.MaximumPacketSize = MOST_PACKET
        self.client.connect("127.0.0.1", self.server.info["mqtt"]["port"], keepalive=30,
                            clean_start=True, properties=properties)
        self.client.loop_start()
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()


class LiteClaim(LiteConnection):
    """Lite that has a claim and no certificate of its own yet: it asks, and takes the answer without
    having subscribed to anything."""

    def __init__(self, server, certificate, key):
        super().__init__(server, certificate, key, str(uuid.uuid4()))

    def _call(self, topic, request):
        self.client.publish(topic, json.dumps(request), qos=1)
        message = self.inbox.get(timeout=PATIENCE_S)
        assert len(message.payload) + len(message.topic) < MOST_PACKET
        self.client.unsubscribe(f"{topic}/+")
        self.granted.get(timeout=PATIENCE_S)
        start, told = message.topic.rsplit("/", 1)
        assert start == topic
        return told, json.loads(message.payload)

    def certificate(self, csr):
        told, answer = self._call("$aws/certificates/create-from-csr/json",
                                  {"certificateSigningRequest": csr})
        assert told == "accepted", answer
        assert set(answer) == {"certificateId", "certificatePem", "certificateOwnershipToken"}
        assert len(answer["certificateId"]) == 64
        assert len(answer["certificateOwnershipToken"]) <= MOST_TOKEN
        assert len(answer["certificatePem"]) <= MOST_CERTIFICATE
        assert answer["certificatePem"].count("BEGIN CERTIFICATE") == 1, "it reads one, not a chain"
        return answer

    def register(self, template, token, parameters):
        """(accepted or rejected, the answer)"""
        return self._call(f"$aws/provisioning-templates/{template}/provision/json",
                          {"certificateOwnershipToken": token, "parameters": parameters})


def own_key(directory):
    """A key and a request for its certificate, as lite makes them."""
    key = directory / "priv_key"
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key],
                   check=True, capture_output=True)
    csr = subprocess.run(["openssl", "req", "-new", "-key", key, "-subj",
                          "/CN=aws-greengrass-nucleus-lite"],
                         check=True, capture_output=True, text=True).stdout
    return key, csr


def provisioned(server, claim, template, parameters, directory):
    """The device that a claim's certificate and key make of a lite nucleus; LiteNucleus takes it."""
    key, csr = own_key(directory)
    with LiteClaim(server, *claim) as asking:
        made = asking.certificate(csr)
        told, answer = asking.register(template, made["certificateOwnershipToken"], parameters)
    assert told == "accepted" and set(answer) == {"deviceConfiguration", "thingName"}, answer
    certificate = directory / "certificate.pem"
    certificate.write_text(made["certificatePem"])
    return types.SimpleNamespace(server=server, thing=answer["thingName"], key=key,
                                 certificate=certificate, configuration=answer["deviceConfiguration"])


class LiteNucleus(LiteConnection):
    def __init__(self, device):
        """`device` has a certificate (harness.Device, or what provisioned() gives)."""
        super().__init__(device.server, device.certificate, device.key, device.thing)
        self.device, self.thing = device, device.thing
        self.sequence = 0

    def __enter__(self):
        super().__enter__()
        self._subscribe(f"{self.jobs}/notify-next-{SUFFIX}")
        self.health("NUCLEUS_LAUNCH", "COMPLETE", [])
        return self

    @property
    def jobs(self):
        return f"$aws/things/{self.thing}/jobs"

    def _subscribe(self, topic):
        self.client.subscribe(topic, qos=1)
        [code] = self.granted.get(timeout=PATIENCE_S)
        assert code.value == 1, code

    def _call(self, topic, request):
        """Subscribes, asks, takes the answer with its token, and unsubscribes, as lite does."""
        self._subscribe(f"{topic}/+")
        self.client.publish(topic, json.dumps({**request, "clientToken": TOKEN}), qos=1)
        try:
            while True:
                message = self.inbox.get(timeout=PATIENCE_S)
                answer = json.loads(message.payload)
                if message.topic.startswith(topic + "/") and answer.get("clientToken") == TOKEN:
                    assert len(message.payload) + len(message.topic) < MOST_PACKET
                    return message.topic.rsplit("/", 1)[1], answer
        finally:
            self.client.unsubscribe(f"{topic}/+")
            self.granted.get(timeout=PATIENCE_S)

    def next_job(self):
        """Waits for the queue to have one."""
        while True:
            told, answer = self._call(f"{self.jobs}/$next/{SUFFIX}/get", {
                "jobId": "$next", "thingName": self.thing, "includeJobDocument": True})
            assert told == "accepted", answer
            if "execution" in answer:
                execution = answer["execution"]
                assert isinstance(execution["queuedAt"], int) and len(execution["jobId"]) <= 64
                assert len(execution["jobDocument"]["deploymentId"]) <= 64
                return execution
            while not self.inbox.get(timeout=PATIENCE_S).topic.endswith(f"notify-next-{SUFFIX}"):
                pass

    def update(self, job, status):
        return self._call(f"{self.jobs}/{job}/{SUFFIX}/update", {"status": status})

    def health(self, trigger, kind, components, deployment=None):
        self.sequence += 1
        message = {
            "ggcVersion": "2.6.0", "platform": "linux", "architecture": "amd64",
            "runtime": "aws_nucleus_lite", "thing": self.thing, "sequenceNumber": self.sequence,
            "timestamp": 1795343928953 + self.sequence, "messageType": kind, "trigger": trigger,
            "overallDeviceStatus": "HEALTHY", "components": components}
        if deployment:
            message["deploymentInformation"] = deployment
        self.client.publish(f"$aws/things/{self.thing}/greengrassv2/health/json",
                            json.dumps(message), qos=0)

    # The data plane.

    def _https(self, method, target, body=None, headers=None, certificate=True):
        """Sends the target as it is written: lite does not escape ARNs."""
        at = urllib.parse.urlsplit(self.server.info["devicePlane"])
        context = self.server.tls(self.device.certificate, self.device.key) if certificate \
            else self.server.tls()
        connection = http.client.HTTPSConnection(at.hostname, at.port, timeout=PATIENCE_S,
                                                 context=context)
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def thing_groups(self):
        status, body = self._https("GET", f"/greengrass/v2/coreDevices/{self.thing}/thingGroups")
        assert status == 200 and len(body) <= MOST_GROUPS, (status, body)
        return [one["thingGroupName"] for one in json.loads(body)["thingGroups"]]

    def resolve(self, name, requirements):
        status, body = self._https("POST", "/greengrass/v2/resolveComponentCandidates", json.dumps({
            "componentCandidates": [{"componentName": name, "versionRequirements": {
                "requirements": requirements}}],
            "platform": {"name": "linux", "attributes": {
                "runtime": "aws_nucleus_lite", "os": "linux", "architecture": "amd64"}}}),
            {"Content-Type": "application/json"})
        if status != 200:
            return status, json.loads(body)
        [one] = json.loads(body)["resolvedComponentVersions"]
        recipe = base64.b64decode(one["recipe"])
        assert len(body) <= 16384 and len(recipe) <= MOST_RECIPE
        return one["arn"], json.loads(recipe)

    def credentials(self, alias):
        status, body = self._https("GET", f"/role-aliases/{alias}/credentials",
                                   headers={"x-amzn-iot-thingname": self.thing})
        assert status == 200, body
        given = json.loads(body)["credentials"]
        assert sum(map(len, given.values())) <= MOST_CREDENTIALS
        return given

    def fetch(self, component_arn, artifact):
        """The bytes of `artifact` of a recipe, held to its digest."""
        name = artifact["Uri"].removeprefix("greengrass:")
        status, body = self._https("GET", f"/greengrass/v2/components/{component_arn}/artifacts/{name}")
        assert status == 200 and len(body) <= MOST_ARTIFACT, (status, body)
        url = urllib.parse.urlsplit(json.loads(body)["preSignedUrl"])
        status, content = self._https("GET", f"{url.path}?{url.query}", certificate=False)
        assert status == 200, content
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        assert (artifact["Digest"], artifact["Algorithm"]) == (digest, "SHA-256")
        return content
