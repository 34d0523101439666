# SPDX-License-Identifier: Apache-2.0
"""AWS IoT's data plane by a device's certificate (port 8443), as boto3 and plain HTTPS speak it."""
import json
import ssl
import subprocess
import urllib.error
import uuid

import boto3
import botocore.exceptions
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from aws_client import checked, client_of
from harness import http, wait_until
from test_iot_data import payload, refusal

REALM = "arn:aws:iot:us-east-1:000000000000:"


@pytest.fixture(name="operator", scope="module")
def operator_fixture(server):
    return client_of(server, "iot-data")


def as_device(server, certificate, key):
    """boto3 with a certificate in the place of a signature."""
    return checked(boto3.client(
        "iot-data", endpoint_url=server.info["devicePlane"], region_name="us-east-1", verify=server.ca_file,
        config=Config(signature_version=UNSIGNED, client_cert=(str(certificate), str(key)),
                      retries={"total_max_attempts": 1}, proxies={})))


def data_of(device):
    return as_device(device.server, device.certificate, device.key)


def certificate_id(device):
    answer = subprocess.run(["openssl", "x509", "-in", device.certificate, "-noout", "-fingerprint", "-sha256"],
                            check=True, capture_output=True, text=True).stdout
    return answer.split("=")[1].strip().replace(":", "").lower()


def give_policy(server, device, *statements):
    """What the device's certificate may from now on; gives the policy's name."""
    iot, name = server.aws("iot"), f"p-{uuid.uuid4()}"
    iot.create_policy(policyName=name, policyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": effect, "Action": action, "Resource": resource}
                      for effect, action, resource in statements]}))
    iot.attach_policy(policyName=name, target=f"{REALM}cert/{certificate_id(device)}")
    return name


def denied(call, **arguments):
    """The message of a call that must be forbidden."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403, answer
    return answer["Error"]["Message"]


def test_a_device_has_its_own_shadows_by_its_certificate(server, operator, fresh, tmp_path):
    thing = fresh("line")
    data = data_of(server.device(thing, tmp_path))
    assert refusal(data.get_thing_shadow, thingName=thing) == (404, "ResourceNotFoundException")
    data.update_thing_shadow(thingName=thing, payload=json.dumps({"state": {"reported": {"speed": 1}}}))
    data.update_thing_shadow(thingName=thing, shadowName="lamp",
                             payload=json.dumps({"state": {"reported": {"on": True}}}))
    operator.update_thing_shadow(thingName=thing, payload=json.dumps({"state": {"desired": {"speed": 2}}}))
    assert payload(data.get_thing_shadow(thingName=thing))["state"]["delta"] == {"speed": 2}
    assert payload(operator.get_thing_shadow(thingName=thing, shadowName="lamp"))["state"] == {
        "reported": {"on": True}}
    assert data.list_named_shadows_for_thing(thingName=thing)["results"] == ["lamp"]
    assert refusal(data.update_thing_shadow, thingName=thing, payload=json.dumps(
        {"state": {}, "version": 9})) == (409, "ConflictException")
    data.delete_thing_shadow(thingName=thing, shadowName="lamp")
    assert refusal(data.get_thing_shadow, thingName=thing, shadowName="lamp")[0] == 404


def test_no_policy_gives_a_device_anothers_shadow_and_one_can_take_its_own(server, fresh, tmp_path):
    mine, other = fresh("line"), fresh("line")
    device = server.device(mine, tmp_path)
    data_of(server.device(other, tmp_path)).update_thing_shadow(
        thingName=other, payload=json.dumps({"state": {"reported": {"secret": 1}}}))
    data = data_of(device)
    give_policy(server, device, ("Allow", "iot:*", "*"),
                ("Deny", "iot:UpdateThingShadow", f"{REALM}thing/{mine}/lamp"))
    for call, more in ((data.get_thing_shadow, {}), (data.delete_thing_shadow, {}),
                       (data.list_named_shadows_for_thing, {}),
                       (data.update_thing_shadow, {"payload": '{"state": {"desired": {"a": 1}}}'})):
        message = denied(call, thingName=other, **more)
        assert f"thing/{mine} is not authorized" in message and "not the device's own" in message
    assert "explicit deny" in denied(data.update_thing_shadow, thingName=mine, shadowName="lamp",
                                     payload='{"state": {}}')
    data.update_thing_shadow(thingName=mine, payload='{"state": {"reported": {"a": 1}}}')
    entry = wait_until(lambda: [one for one in server.call(
        "GET", f"/andon/v1/audit?who={mine}&outcome=denied")[1]["entries"]
        if one["entry"]["operation"] == "GetThingShadow"], "the entry in the audit log")[0]["entry"]
    assert entry["via"] == "device" and entry["service"] == "iotdata"


def test_a_device_publishes_what_its_policies_allow(server, fresh, tmp_path):
    thing = fresh("line")
    device = server.device(thing, tmp_path)
    data = data_of(device)
    with server.operator_mqtt().subscribe("dt/#", "plant/#") as told:
        data.publish(topic=f"dt/counts/{thing}", qos=1, payload=b'{"parts": 7}')
        told.wait_for(lambda topic, text: topic == f"dt/counts/{thing}" and "7" in text, "the message")
        assert "no IoT policy" in denied(data.publish, topic="plant/counts", payload=b"x")
        give_policy(server, device, ("Allow", "iot:Publish", f"{REALM}topic/plant/${{iot:ClientId}}"))
        data.publish(topic=f"plant/{thing}", qos=0, payload=b"mine")
        told.wait_for(lambda topic, text: topic == f"plant/{thing}" and text == "mine", "the message")
        # What it had without a policy it has no more; who may publish may not make the broker keep it.
        denied(data.publish, topic=f"dt/counts/{thing}", payload=b"x")
        denied(data.publish, topic=f"plant/{thing}", retain=True, payload=b"x")
    assert denied(data.publish, topic=f"$aws/things/{fresh('line')}/shadow/update", payload=b"{}")
    status, answer = device.https(f"/topics/plant/{thing}?qos=1", "POST", b"plain",
                                  {"Content-Type": "application/octet-stream"})
    assert status == 200, answer
    status, answer = device.https(f"/topics/plant/{thing}?qos=7", "POST", b"plain")
    assert status == 400 and b"qos" in answer
    status, answer = device.https(f"/topics/plant/{thing}", "POST", b"x" * 200_000)
    assert status == 413


def test_a_device_reads_the_retained_messages_that_its_policies_allow(server, operator, fresh, tmp_path):
    thing, topic = fresh("line"), fresh("recipe")
    device = server.device(thing, tmp_path)
    data = data_of(device)
    operator.publish(topic=f"{topic}/now", qos=1, retain=True, payload=b"cap")
    wait_until(lambda: operator.get_retained_message(topic=f"{topic}/now"), "the message")
    denied(data.get_retained_message, topic=f"{topic}/now")
    denied(data.list_retained_messages)
    give_policy(server, device, ("Allow", "iot:GetRetainedMessage", f"{REALM}topic/{topic}/*"),
                ("Allow", "iot:ListRetainedMessages", "*"))
    assert data.get_retained_message(topic=f"{topic}/now")["payload"] == b"cap"
    assert f"{topic}/now" in [one["topic"] for one in data.list_retained_messages()["retainedTopics"]]
    denied(data.get_retained_message, topic="other/now")


def test_who_has_no_good_certificate_gets_nothing(server, fresh, tmp_path):
    thing = fresh("line")
    device = server.device(thing, tmp_path)
    path = f"/things/{thing}/shadow"
    assert device.https(path)[0] == 404
    # None at all.
    status, answer = http(server.info["devicePlane"] + path, context=server.tls())
    assert status == 403 and b"client certificate" in answer
    assert http(server.info["devicePlane"] + "/topics/a", "POST", b"x", context=server.tls())[0] == 403
    # One that nobody here has signed.
    key, certificate = tmp_path / "own.key", tmp_path / "own.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-keyout", key, "-out", certificate, "-subj", f"/CN={thing}", "-days", "2"],
                   check=True, capture_output=True)
    with pytest.raises((urllib.error.URLError, ssl.SSLError, ConnectionError)):
        http(server.info["devicePlane"] + path, context=server.tls(certificate, key))
    # An iot:Connect that is denied shuts the device out here, too.
    iot, name = server.aws("iot"), give_policy(server, device, ("Deny", "iot:Connect", "*"))
    assert device.https(path)[0] == 403
    iot.detach_policy(policyName=name, target=f"{REALM}cert/{certificate_id(device)}")
    assert device.https(path)[0] == 404
    # One that was revoked.
    iot.update_certificate(certificateId=certificate_id(device), newStatus="REVOKED")
    status, answer = device.https(path)
    assert status == 403, answer


def test_what_is_signed_is_for_s3_and_hostile_paths_are_refused(server, fresh, tmp_path):
    thing = fresh("line")
    device = server.device(thing, tmp_path)
    for path in (f"/things/{thing}%2Fshadow", f"/things/{thing}/shadow?name=a%2Fb",
                 f"/things/{thing}/shadow?name=" + "x" * 65, "/topics/a%00b", "/topics/a%23",
                 "/things/%2e%2e/shadow", f"/things/{thing}/shadow?name=AWSManagedGreengrassV2Deployment"):
        method = "POST" if path.startswith("/topics") else "GET"
        assert device.https(path, method, b"x" if method == "POST" else None)[0] in (400, 403, 404), path
    for body in (b"", b"{", b"[]", b"\xff", b'{"state":' * 500):
        assert device.https(f"/things/{thing}/shadow", "POST", body)[0] == 400, body
    keys = json.loads(device.https("/role-aliases/any/credentials")[1])["credentials"]
    signed = server.aws("s3", endpoint=server.info["devicePlane"], key={
        "accessKeyId": keys["accessKeyId"], "secretAccessKey": keys["secretAccessKey"],
        "sessionToken": keys["sessionToken"]})
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        signed.get_object(Bucket="things", Key=f"{thing}/shadow")
    assert caught.value.response["Error"]["Code"] in ("AccessDenied", "NoSuchBucket")
