# SPDX-License-Identifier: Apache-2.0
"""A component that looks on: it asks for live frames as a file tells it to, and writes each answer,
and each verdict that the line is told on this device, into files of its working directory."""
import json
import threading
import time
from pathlib import Path

from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import JsonMessage, PublishMessage, ReportedLifecycleState

ipc = GreengrassCoreIPCClientV2()
lock = threading.Lock()


def write(name, message):
    with lock, open(name, "a") as file:
        file.write(json.dumps(message) + "\n")


ipc.subscribe_to_topic(topic="andon/inspect/frames",
                       on_stream_event=lambda e: write("frames", e.json_message.message))
ipc.subscribe_to_topic(topic="line/verdicts",
                       on_stream_event=lambda e: write("verdicts", e.json_message.message))
ipc.update_state(state=ReportedLifecycleState.RUNNING)
ask = Path("ask.json")
while True:
    if ask.exists():
        message = json.loads(ask.read_text())
        ask.unlink()
        ipc.publish_to_topic(topic="andon/inspect/frames/ask", publish_message=PublishMessage(
            json_message=JsonMessage(message=message)))
    time.sleep(0.05)
