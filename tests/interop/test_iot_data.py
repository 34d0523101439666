# SPDX-License-Identifier: Apache-2.0
"""The data plane of AWS IoT as boto3 speaks it: shadows, messages, what the broker keeps; and
shadows as the AWS IoT Device SDK asks for them over MQTT."""
import base64
import json
import subprocess

import botocore.exceptions
import pytest

from aws_client import client_of
from harness import PATIENCE_S, wait_until
from test_greengrass import PlayedDevice

REALM = "arn:aws:iot:us-east-1:000000000000:"


@pytest.fixture(scope="module")
def data(server):
    return client_of(server, "iot-data")


def refusal(call, **arguments):
    """(HTTP status, AWS error code) of a call that must fail."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def payload(answer):
    return json.loads(answer["payload"].read())


def update(data, thing, state, name=None, **more):
    arguments = {"shadowName": name} if name else {}
    return payload(data.update_thing_shadow(
        thingName=thing, payload=json.dumps({"state": state, **more}), **arguments))


def test_a_shadow_is_made_read_changed_and_deleted(data, fresh):
    thing = fresh("dev")
    assert refusal(data.get_thing_shadow, thingName=thing) == (404, "ResourceNotFoundException")
    made = update(data, thing, {"desired": {"speed": 3}}, clientToken="one")
    assert (made["version"], made["clientToken"]) == (1, "one")
    document = payload(data.get_thing_shadow(thingName=thing))
    assert document["state"] == {"desired": {"speed": 3}, "delta": {"speed": 3}}
    assert 0 < document["metadata"]["desired"]["speed"]["timestamp"] <= document["timestamp"]
    update(data, thing, {"reported": {"speed": 3}}, version=1)
    assert refusal(data.update_thing_shadow, thingName=thing, payload=json.dumps(
        {"state": {"desired": {"speed": 4}}, "version": 1})) == (409, "ConflictException")
    assert refusal(data.update_thing_shadow, thingName=thing, payload=json.dumps(
        {"state": {"desired": {"a": "x" * 9000}}})) == (413, "RequestEntityTooLargeException")
    for wrong in ("{", "[]", "{}", '{"state":{"wished":{}}}', '{"state":{"desired":1}}'):
        assert refusal(data.update_thing_shadow, thingName=thing, payload=wrong) \
            == (400, "InvalidRequestException"), wrong
    assert payload(data.delete_thing_shadow(thingName=thing))["version"] == 2
    assert refusal(data.delete_thing_shadow, thingName=thing) == (404, "ResourceNotFoundException")
    assert update(data, thing, {})["version"] == 3


def test_a_thing_has_named_shadows_that_are_listed_in_pages(data, fresh):
    thing = fresh("dev")
    for name in ("line", "camera", "lamp"):
        update(data, thing, {"desired": {"name": name}}, name=name)
    update(data, thing, {"desired": {}})
    first = data.list_named_shadows_for_thing(thingName=thing, pageSize=2)
    assert first["results"] == ["camera", "lamp"] and first["timestamp"]
    rest = data.list_named_shadows_for_thing(thingName=thing, pageSize=2,
                                             nextToken=first["nextToken"])
    assert rest["results"] == ["line"] and "nextToken" not in rest
    data.delete_thing_shadow(thingName=thing, shadowName="line")
    assert "line" not in data.list_named_shadows_for_thing(thingName=thing)["results"]
    assert payload(data.get_thing_shadow(thingName=thing, shadowName="camera"))["state"]["desired"] \
        == {"name": "camera"}
    for wrong in ({"shadowName": "a/b"}, {"shadowName": "AWSManagedGreengrassV2Deployment"}):
        assert refusal(data.get_thing_shadow, thingName=thing, **wrong) \
            == (400, "InvalidRequestException")


def test_a_device_and_the_api_see_each_others_changes(server, data, fresh, tmp_path):
    thing = fresh("line")
    played = PlayedDevice(server, thing, tmp_path)
    assert played.ask("shadow/get", {"clientToken": "g"})[1]["code"] == 404
    kind, answer = played.ask("shadow/name/line/update",
                              {"state": {"reported": {"speed": 1}}, "clientToken": "u"})
    assert (kind, answer["version"], answer["clientToken"]) == ("accepted", 1, "u")
    with played.mqtt.subscribe(f"{played.prefix}shadow/name/line/update/+") as told:
        update(data, thing, {"desired": {"speed": 2}}, name="line")
        _, text = told.wait_for(lambda topic, _: topic.endswith("/delta"), "the difference")
        assert json.loads(text)["state"] == {"speed": 2}
        _, text = told.wait_for(lambda topic, _: topic.endswith("/documents"), "both documents")
        assert json.loads(text)["previous"]["state"] == {"reported": {"speed": 1}}
    kind, answer = played.ask("shadow/name/line/update", {"state": {}, "version": 1})
    assert (kind, answer["code"]) == ("rejected", 409)
    assert played.ask("shadow/name/line/delete", {})[0] == "accepted"
    assert refusal(data.get_thing_shadow, thingName=thing, shadowName="line")[0] == 404


def test_a_device_has_no_right_to_anothers_shadow(server, data, fresh, tmp_path):
    mine, other = fresh("line"), fresh("line")
    played = PlayedDevice(server, mine, tmp_path)
    server.aws("iot").create_thing(thingName=other)
    assert played.mqtt.publish(f"$aws/things/{mine}/shadow/get", "{}")
    assert not played.mqtt.publish(f"$aws/things/{other}/shadow/update",
                                   {"state": {"desired": {"a": 1}}})
    assert refusal(data.get_thing_shadow, thingName=other)[0] == 404


def test_the_shadow_client_of_the_device_sdk_works_unmodified(server, data, fresh, tmp_path):
    pytest.importorskip("awsiot", reason="needs awsiotsdk")
    from awscrt import mqtt  # pylint: disable=import-outside-toplevel
    from awsiot import iotshadow, mqtt_connection_builder  # pylint: disable=import-outside-toplevel
    thing = fresh("line")
    device = server.device(thing, tmp_path)
    connection = mqtt_connection_builder.mtls_from_path(
        endpoint="127.0.0.1", port=server.info["mqtt"]["port"], client_id=thing,
        cert_filepath=str(device.certificate), pri_key_filepath=str(device.key),
        ca_filepath=str(server.ca_file))
    connection.connect().result(PATIENCE_S)
    try:
        client, deltas, accepted = iotshadow.IotShadowClient(connection), [], []
        for subscribed in (
                client.subscribe_to_named_shadow_delta_updated_events(
                    iotshadow.NamedShadowDeltaUpdatedSubscriptionRequest(
                        thing_name=thing, shadow_name="line"), mqtt.QoS.AT_LEAST_ONCE, deltas.append),
                client.subscribe_to_update_named_shadow_accepted(
                    iotshadow.UpdateNamedShadowSubscriptionRequest(
                        thing_name=thing, shadow_name="line"), mqtt.QoS.AT_LEAST_ONCE,
                    accepted.append)):
            subscribed[0].result(PATIENCE_S)
        client.publish_update_named_shadow(iotshadow.UpdateNamedShadowRequest(
            thing_name=thing, shadow_name="line", client_token="t",
            state=iotshadow.ShadowState(reported={"speed": 1})),
            mqtt.QoS.AT_LEAST_ONCE).result(PATIENCE_S)
        wait_until(lambda: any(one.client_token == "t" for one in accepted), "the answer")
        update(data, thing, {"desired": {"speed": 2}}, name="line")
        wait_until(lambda: any(one.state == {"speed": 2} for one in deltas), "the difference")
    finally:
        connection.disconnect().result(PATIENCE_S)


def subscriber(server, topic):
    """mosquitto_sub that tells the properties, too."""
    return subprocess.Popen(
        ["stdbuf", "-oL", "mosquitto_sub", *server.operator_mqtt().connection, "-t", topic, "-d",
         "-F", "MESSAGE %p|%C|%R|%D|%P|%E"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)


def line_with(process, word):
    for line in process.stdout:
        if word in line:
            return line.strip()
    raise AssertionError(f"no {word}")


def test_a_message_is_published_with_its_properties(server, data, fresh):
    topic = f"plant/{fresh('hall')}/a b"
    listening = subscriber(server, topic)
    try:
        line_with(listening, "Subscribed")
        data.publish(topic=topic, qos=1, payload=b"hello", contentType="text/plain",
                     responseTopic="plant/answers", correlationData=base64.b64encode(b"c1").decode(),
                     userProperties=[{"line": "4"}, {"line": "5"}], messageExpiry=60,
                     payloadFormatIndicator="UTF8_DATA")
        line = line_with(listening, "MESSAGE")
        assert line.startswith("MESSAGE hello|text/plain|plant/answers|c1|"), line
        assert "line:4" in line and "line:5" in line, line
    finally:
        listening.kill()
        listening.wait(PATIENCE_S)
    for wrong in ({"topic": "plant/#"}, {"topic": "$SYS/x"}, {"topic": "cmd/andon/dev/stored/x"},
                  {"topic": "andon/things/dev/results"}, {"topic": "x" * 300},
                  {"topic": "$aws/things/dev/jobs/notify-next-namespace-aws-gg-deployment"},
                  {"topic": "a", "correlationData": "no base64!"},
                  {"topic": "a", "messageExpiry": 0}):
        assert refusal(data.publish, payload=b"x", **wrong) == (400, "InvalidRequestException"), wrong
    assert refusal(data.publish, topic="a", payload=b"x" * 140_000) \
        == (413, "RequestEntityTooLargeException")


def test_a_shadow_is_changed_by_a_message_that_the_api_publishes(data, fresh):
    thing = fresh("dev")
    data.publish(topic=f"$aws/things/{thing}/shadow/update", qos=1,
                 payload=json.dumps({"state": {"desired": {"a": 1}}}))

    def found():
        try:
            return payload(data.get_thing_shadow(thingName=thing))
        except botocore.exceptions.ClientError:
            return None
    assert wait_until(found, "the shadow")["state"]["desired"] == {"a": 1}


def test_what_the_broker_keeps_is_read_and_listed(data, fresh):
    word = fresh("kept")
    topics = sorted(f"{word}/{i}" for i in range(3))
    assert refusal(data.get_retained_message, topic=topics[0]) == (404, "ResourceNotFoundException")
    for topic in topics:
        data.publish(topic=topic, qos=1, retain=True, payload=topic.encode())
    kept = data.get_retained_message(topic=topics[1])
    assert (kept["topic"], kept["payload"], kept["qos"]) == (topics[1], topics[1].encode(), 1)
    pages = data.get_paginator("list_retained_messages").paginate(PaginationConfig={"PageSize": 2})
    listed = [one for page in pages for one in page["retainedTopics"]]
    assert [one["topic"] for one in listed if one["topic"].startswith(word)] == topics
    assert all(one["payloadSize"] == len(word) + 2 for one in listed
               if one["topic"].startswith(word))
    data.publish(topic=topics[0], qos=1, retain=True, payload=b"")
    assert refusal(data.get_retained_message, topic=topics[0])[0] == 404


def test_who_may_what_is_said_by_topic_and_shadow(server, limited, fresh):
    thing = fresh("dev")
    may = limited("iot-data", ["iot:Publish", "iot:UpdateThingShadow", "iot:GetThingShadow"],
                  [f"{REALM}topic/plant/1/*", f"{REALM}thing/{thing}/line"])
    may.publish(topic="plant/1/x", payload=b"x")
    denied = (403, "AccessDeniedException")
    assert refusal(may.publish, topic="plant/2/x", payload=b"x") == denied
    assert refusal(may.publish, topic="plant/1/x", payload=b"x", retain=True) == denied
    update(may, thing, {}, name="line")
    assert refusal(may.get_thing_shadow, thingName=thing) == denied
    assert refusal(may.get_thing_shadow, thingName=thing, shadowName="other") == denied
    assert refusal(may.delete_thing_shadow, thingName=thing, shadowName="line") == denied
    assert refusal(may.list_retained_messages) == denied
