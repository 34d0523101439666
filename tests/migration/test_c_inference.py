# SPDX-License-Identifier: Apache-2.0
"""The component that looks at pictures: built and published as GDK does it, run by the camera with public
packages, heard by a consumer that knows MQTT 3.1.1 and nothing of andon."""
import json
import queue
import ssl
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from harness import wait_until
from migrated_line import EXAMPLE, INFERENCE, LINE, MODEL, REGION, arn, built
from plain_debian import PROXY_PORT

TOPIC = "line/scratches"


def publish(line, directory):
    """`gdk component publish`: the calls of its version 1.6, one after the other."""
    sts, s3, greengrass = line.aws("sts"), line.aws("s3"), line.aws("greengrassv2")
    account = sts.get_caller_identity()["Account"]
    component = arn("greengrass", f"components:{INFERENCE}")
    known = greengrass.list_component_versions(arn=component)["componentVersions"]
    version = "1.0.0"
    if known:
        major, minor, patch = known[0]["componentVersion"].split(".")
        version = f"{major}.{minor}.{int(patch) + 1}"
    bucket = f"line-components-{REGION}-{account}"
    s3.create_bucket(Bucket=bucket)
    archive = built(directory, sorted((EXAMPLE / "images").glob("*.jpg"))[:3])
    s3.upload_file(str(archive), bucket, f"{INFERENCE}/{version}/{archive.name}", ExtraArgs={})
    recipe = (LINE / "inference" / "recipe.yaml").read_text()
    for word, value in {"{COMPONENT_NAME}": INFERENCE, "{COMPONENT_VERSION}": version,
                        "{COMPONENT_AUTHOR}": "line", "BUCKET_NAME": bucket,
                        "COMPONENT_NAME": INFERENCE, "COMPONENT_VERSION": version}.items():
        recipe = recipe.replace(word, value)
    greengrass.create_component_version(inlineRecipe=recipe)
    return version


class Consumer:
    """A program somewhere in the plant: a certificate, a policy, MQTT 3.1.1 over TLS."""

    def __init__(self, line, directory):
        iot = line.aws("iot")
        made = iot.create_keys_and_certificate(setAsActive=True)
        iot.create_policy(policyName="line-consumer", policyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "iot:Connect", "Resource": arn("iot", "client/counter")},
                {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": arn("iot", f"topicfilter/{TOPIC}")},
                {"Effect": "Allow", "Action": "iot:Receive", "Resource": arn("iot", f"topic/{TOPIC}")}]}))
        iot.attach_policy(policyName="line-consumer", target=made["certificateArn"])
        (directory / "c.pem").write_text(made["certificatePem"])
        (directory / "c.key").write_text(made["keyPair"]["PrivateKey"])
        self.heard = queue.SimpleQueue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "counter", protocol=mqtt.MQTTv311)
        self.client.tls_set(line.server.ca_file, str(directory / "c.pem"), str(directory / "c.key"),
                            tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.on_connect = lambda client, *_: client.subscribe(TOPIC, qos=1)
        self.client.on_message = lambda _, __, message: self.heard.put(json.loads(message.payload))
        # The broker hears of a new certificate within a second: until then it does not let it in.
        self.client.reconnect_delay_set(1, 2)
        self.client.connect_async("127.0.0.1", line.server.info["mqtt"]["port"])
        self.client.loop_start()

    def next(self, fits=lambda message: True, limit_s=240):
        def one():
            try:
                message = self.heard.get(timeout=0.2)
            except queue.Empty:
                return None
            return message if fits(message) else None
        return wait_until(one, "a message of the camera", limit_s)

    def close(self):
        self.client.loop_stop()
        self.client.disconnect()


def deploy_inference(line, camera, version):
    """Beside the model that the camera has; the nucleus' own settings say by which role alias it gets its
    credentials, as on AWS."""
    newest = camera.components()[MODEL][0]
    deployment = line.deploy({
        MODEL: {"componentVersion": newest},
        INFERENCE: {"componentVersion": version, "configurationUpdate": {
            "merge": json.dumps({"bucket": line.bucket})}},
        "aws.greengrass.Nucleus": {"componentVersion": "2.14.0", "configurationUpdate": {
            "merge": json.dumps({"iotRoleAlias": "line-token-exchange"})}}})
    told = line.device_says(deployment, 600)
    assert told["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), (
        told, camera.log.read_text()[-4000:])


@pytest.fixture(scope="module", name="consumer")
def fixture_consumer(line, tmp_path_factory):
    consumer = Consumer(line, tmp_path_factory.mktemp("consumer"))
    yield consumer
    consumer.close()


@pytest.fixture(scope="module", name="running")
def fixture_running(line, camera, tmp_path_factory):
    version = publish(line, tmp_path_factory.mktemp("gdk"))
    deploy_inference(line, camera, version)
    return version


def test_it_runs_as_an_unprivileged_user_with_packages_of_its_own(line, camera, running):
    camera.wait_for(INFERENCE, running)
    work = camera.root / "work" / INFERENCE
    assert camera.machine.owner(work) == "andon-component"
    [onnxruntime] = (work / ".local" / "lib").glob("python3*/site-packages/onnxruntime")
    assert camera.machine.owner(onnxruntime) == "andon-component"


def test_its_machine_reaches_two_ports_of_the_server_and_the_registry_and_nothing_else(line, camera,
                                                                                      running):
    assert camera.ways.refused == []
    told = camera.machine.shell(f"""python3 - <<'END'
import socket
def reach(host, port):
    try:
        with socket.create_connection((host, port), 5) as reached:
            return reached
    except OSError:
        return None
for host, port in (("127.0.0.1", {urlsplit(line.server.info["api"]).port}), ("192.0.2.1", 443)):
    assert reach(host, port) is None, (host, port)
assert reach("127.0.0.1", {urlsplit(line.server.info["devicePlane"]).port})
with socket.create_connection(("127.0.0.1", {PROXY_PORT})) as proxy:
    proxy.sendall(b"CONNECT example.com:443 HTTP/1.1\\r\\n\\r\\n")
    assert proxy.recv(100).startswith(b"HTTP/1.1 403")
END
tail -n +3 /proc/net/dev | cut -d: -f1""")
    assert told.split() == ["lo"]
    assert camera.ways.refused == ["CONNECT example.com:443 HTTP/1.1"]


def test_a_consumer_hears_what_it_finds_on_a_topic_without_the_things_name(running, consumer):
    message = consumer.next()
    assert message["threshold"] == 0.25 and 0 <= message["best"] <= 1 and message["picture"]
    seen = {consumer.next()["picture"] for _ in range(6)}
    assert len(seen) == 3


def test_each_picture_goes_into_the_bucket_by_a_stream_of_its_own(line, running, consumer):
    message = consumer.next(lambda one: one["key"])
    head = line.aws("s3").head_object(Bucket=line.bucket, Key=message["key"])
    picture = EXAMPLE / "images" / message["picture"]
    assert head["ContentLength"] == picture.stat().st_size
    later = consumer.next(lambda one: one["key"] and one["key"] > message["key"])
    assert later["key"] in line.objects("pictures/")


def test_a_change_of_its_configuration_is_told_and_nothing_is_started_anew(line, running, consumer):
    components = line.deployed()
    components[INFERENCE]["configurationUpdate"] = {"merge": json.dumps(
        {"bucket": line.bucket, "threshold": 0.99})}
    told = line.device_says(line.deploy(components))
    assert told["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), told
    message = consumer.next(lambda one: one["threshold"] == 0.99)
    number = int(message["key"].split("/")[1].split("-")[0])
    assert number > 3, "its count begins anew where it is started anew"


def test_a_new_model_reaches_it(line, camera, running, consumer):
    before = camera.components()[MODEL][0]
    told = line.outcome(line.start(Latest="line-models"))
    assert told["status"] == "SUCCEEDED", told
    assert camera.components()[MODEL][0] != before
    camera.wait_for(INFERENCE, running)
    assert consumer.next(lambda one: one["threshold"] == 0.99)
