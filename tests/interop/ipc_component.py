# SPDX-License-Identifier: Apache-2.0
"""A Greengrass component as its author would write it, with the public AWS IoT Device SDK. It knows
nothing of andon. Each step that works is a line in steps.txt of its working directory."""
import datetime
import json
import os
import sys
import threading

import boto3
from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import (BinaryMessage, JsonMessage, PublishMessage, QOS,
                                            ReportedLifecycleState, ResourceNotFoundError,
                                            UnauthorizedError)


def step(text):
    with open("steps.txt", "a") as file:
        file.write(text + "\n")


thing = os.environ["AWS_IOT_THING_NAME"]
ipc = GreengrassCoreIPCClientV2()

value = ipc.get_configuration(key_path=["threshold"]).value
assert value == {"threshold": 0.5}, value
whole = ipc.get_configuration().value
assert whole["nested"] == {"a": [1, 2]}, whole
step("get configuration")
try:
    ipc.get_configuration(key_path=["nowhere"])
    sys.exit("a missing key was found")
except ResourceNotFoundError:
    step("missing key")

ipc.update_configuration(key_path=["nested"], value_to_merge={"b": 2},
                         timestamp=datetime.datetime.now())
assert ipc.get_configuration(key_path=["nested"]).value == {"a": [1, 2], "b": 2}
step("update configuration")

updated = threading.Event()
ipc.subscribe_to_configuration_update(
    key_path=["threshold"],
    on_stream_event=lambda event: (step("told of " + "/".join(
        event.configuration_update_event.key_path)), updated.set()))
step("subscribe to configuration")

# The SDK calls handlers on a pool of threads, so each message is waited for before the next.
local_json, local_binary = threading.Event(), threading.Event()


def on_local(event):
    message = event.json_message.message if event.json_message else event.binary_message.message
    step(f"local {message}")
    (local_json if event.json_message else local_binary).set()


ipc.subscribe_to_topic(topic="line/1", on_stream_event=on_local)
ipc.publish_to_topic(topic="line/1", publish_message=PublishMessage(
    json_message=JsonMessage(message={"speed": 3})))
assert local_json.wait(20), "no local JSON message"
ipc.publish_to_topic(topic="line/1", publish_message=PublishMessage(
    binary_message=BinaryMessage(message=b"raw")))
assert local_binary.wait(20), "no local binary message"

try:
    ipc.publish_to_iot_core(topic_name="forbidden/topic", qos=QOS.AT_LEAST_ONCE, payload=b"x")
    sys.exit("a topic without a policy could be published to")
except UnauthorizedError:
    step("forbidden")

commanded = threading.Event()


def on_command(event):
    step("command " + event.message.payload.decode())
    ipc_events.set()
    commanded.set()


ipc_events = threading.Event()
ipc.subscribe_to_iot_core(topic_name=f"cmd/line/{thing}", qos=QOS.AT_LEAST_ONCE,
                          on_stream_event=on_command)
ipc.publish_to_iot_core(topic_name=f"andon/things/{thing}/results", qos=QOS.AT_LEAST_ONCE,
                        payload=json.dumps({"hello": thing}).encode())
step("published")
assert commanded.wait(60), "no command came"

# Credentials through the token exchange, and an upload with them, by an unchanged SDK.
boto3.client("s3").put_object(Bucket="andon-uploads", Key=f"{thing}/hard.txt", Body=b"hard image")
step("uploaded")

ipc.update_state(state=ReportedLifecycleState.RUNNING)
step("running")
updated.wait(120)
step("end")
threading.Event().wait()
