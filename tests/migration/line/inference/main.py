# SPDX-License-Identifier: Apache-2.0
"""Looks at each picture of a folder over and over: says on a topic what it finds, and puts the picture
into a bucket. Nothing here knows of any other server than Amazon's."""
import glob
import json
import os
import threading
import time

import numpy
import onnxruntime
from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import QOS
from PIL import Image
from stream_manager import (ExportDefinition, MessageStreamDefinition, ReadMessagesOptions,
                            ResourceNotFoundException, S3ExportTaskDefinition,
                            S3ExportTaskExecutorConfig, Status, StatusConfig, StatusLevel,
                            StatusMessage, StrategyOnFull, StreamManagerClient)
from stream_manager.exceptions import NotEnoughMessagesException
from stream_manager.util import Util

STREAM, STATUS = "line-pictures", "line-pictures-status"


class Settings:
    def __init__(self, ipc):
        self.ipc = ipc
        self.read()
        ipc.subscribe_to_configuration_update(
            on_stream_event=self.on_change, on_stream_error=lambda error: True,
            on_stream_closed=lambda: None)

    def read(self):
        self.values = self.ipc.get_configuration().value
        print("settings", json.dumps(self.values), flush=True)

    def on_change(self, event):
        threading.Thread(target=self.read).start()


class Model:
    def __init__(self, path):
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]

    def scores(self, path):
        height, width = self.input.shape[2:]
        picture = Image.open(path).convert("RGB").resize((width, height))
        pixels = numpy.asarray(picture, dtype=numpy.float32).transpose(2, 0, 1)[None] / 255
        found = self.session.run(None, {self.input.name: pixels})[0][0]
        return found[4:].max(axis=0)


def upload(path, bucket, key):
    """A stream of its own for each picture, by a connection of its own."""
    client = StreamManagerClient()
    try:
        for name in (STREAM, STATUS):
            try:
                client.delete_message_stream(name)
            except ResourceNotFoundException:
                pass
        client.create_message_stream(MessageStreamDefinition(
            name=STATUS, strategy_on_full=StrategyOnFull.OverwriteOldestData))
        client.create_message_stream(MessageStreamDefinition(
            name=STREAM, strategy_on_full=StrategyOnFull.OverwriteOldestData,
            export_definition=ExportDefinition(s3_task_executor=[S3ExportTaskExecutorConfig(
                identifier="S3", status_config=StatusConfig(
                    status_level=StatusLevel.INFO, status_stream_name=STATUS))])))
        client.append_message(STREAM, Util.validate_and_serialize_to_json_bytes(
            S3ExportTaskDefinition(input_url=f"file:{path}", bucket=bucket, key=key)))
        next_one = 0
        while True:
            try:
                messages = client.read_messages(STATUS, ReadMessagesOptions(
                    desired_start_sequence_number=next_one, min_message_count=1,
                    read_timeout_millis=5000))
            except NotEnoughMessagesException:
                continue
            for message in messages:
                next_one = message.sequence_number + 1
                told = Util.deserialize_json_bytes_to_obj(message.payload, StatusMessage)
                if told.status == Status.Success:
                    return True
                if told.status in (Status.Failure, Status.Canceled):
                    print("not uploaded:", told.message, flush=True)
                    return False
    finally:
        client.close()


def main():
    ipc = GreengrassCoreIPCClientV2()
    settings = Settings(ipc)
    model = Model(os.path.join(os.environ["MODEL_DIR"], "model.onnx"))
    number = 0
    while True:
        for path in sorted(glob.glob(os.path.join(os.environ["PICTURES"], "*.jpg"))):
            values = settings.values
            scores = model.scores(path)
            number += 1
            key = f"pictures/{number:06}-{os.path.basename(path)}"
            uploaded = bool(values["bucket"]) and upload(path, values["bucket"], key)
            ipc.publish_to_iot_core(
                topic_name=values["topic"], qos=QOS.AT_LEAST_ONCE, payload=json.dumps({
                    "picture": os.path.basename(path), "best": float(scores.max()),
                    "scratched": bool(scores.max() >= values["threshold"]),
                    "threshold": values["threshold"], "key": key if uploaded else None}).encode())
            time.sleep(0.2)


main()
