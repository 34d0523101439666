# SPDX-License-Identifier: Apache-2.0
"""What leaves a device through its streams: files to the server's buckets by S3 tasks, messages by
HTTP and MQTT; with the public SDK, the real agent and the real server."""
import base64
import hashlib
import json
import os
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import ClientError
from agent import NUCLEUS, open_windows, window_elsewhere
from harness import wait_until

pytest.importorskip("stream_manager", reason="needs stream-manager")

from stream_line import StreamLine
from stream_manager import (ExportDefinition, ExportFormat, HTTPConfig, MessageStreamDefinition,
                            ReadMessagesOptions, S3ExportTaskDefinition,
                            S3ExportTaskExecutorConfig, Status, StatusConfig, StatusLevel,
                            StatusMessage, StrategyOnFull)
from stream_manager.util import Util

MIB = 1 << 20
ACCESS = {"aws.greengrass.ipc.mqttproxy": {"streams": {
    "operations": ["aws.greengrass#PublishToIoTCore"],
    "resources": ["andon/things/{iot:thingName}/streams"]}}}
BUCKET = "andon-uploads"


@pytest.fixture
def line(server, tmp_path):
    with StreamLine(server, tmp_path / "device", configuration={"accessControl": ACCESS}) as running:
        yield running


def make_status(sdk, name="status"):
    sdk.create_message_stream(MessageStreamDefinition(
        name=name, strategy_on_full=StrategyOnFull.OverwriteOldestData))


def make_tasks(sdk, name="tasks", status="status", **more):
    sdk.create_message_stream(MessageStreamDefinition(
        name=name, strategy_on_full=StrategyOnFull.RejectNewData,
        export_definition=ExportDefinition(s3_task_executor=[S3ExportTaskExecutorConfig(
            identifier="to-s3", status_config=StatusConfig(
                status_level=StatusLevel.TRACE, status_stream_name=status), **more)])))


def add_task(sdk, file, key, stream="tasks", bucket=BUCKET, **more):
    task = S3ExportTaskDefinition(input_url=f"file://{file}", bucket=bucket, key=key, **more)
    return sdk.append_message(stream, Util.validate_and_serialize_to_json_bytes(task))


def told(sdk, stream="status"):
    """[(status, sequence number, message)] of all that the status stream has."""
    newest = sdk.describe_message_stream(stream).storage_status.newest_sequence_number
    if newest < 0:
        return []
    found = []
    for message in sdk.read_messages(stream, ReadMessagesOptions(max_message_count=10_000)):
        status = Util.deserialize_json_bytes_to_obj(message.payload, StatusMessage)
        found.append((status.status, status.status_context.sequence_number, status.message))
    return found


def wait_told(sdk, status, count=1, stream="status"):
    return wait_until(
        lambda: [one for one in told(sdk, stream) if one[0] == status][count - 1:],
        f"{count} tasks with {status}; {told(sdk, stream)}")


def content(line, key, bucket=BUCKET):
    try:
        return line.fleet.s3.get_object(Bucket=bucket, Key=key)
    except ClientError:
        return None


def test_files_are_uploaded_whole_or_in_parts_with_their_metadata(line, tmp_path):
    sdk = line.sdk()
    make_status(sdk)
    make_tasks(sdk, size_threshold_for_multipart_upload_bytes=5 * MIB)
    sizes = {"small": 10, "empty": 0, "threshold": 5 * MIB, "parts": 11 * MIB + 3}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(os.urandom(size))
        add_task(sdk, tmp_path / name, f"{line.thing}/{name}", user_metadata={"Camera": name})
    wait_told(sdk, Status.Success, 4)
    for name in sizes:
        found = content(line, f"{line.thing}/{name}")
        assert found["Body"].read() == (tmp_path / name).read_bytes(), name
        assert found["Metadata"] == {"camera": name}
        assert ("-" in found["ETag"]) == (name == "parts")
        assert (tmp_path / name).exists()
    assert [one[:2] for one in told(sdk)] == [
        (status, i) for i in range(4) for status in (Status.InProgress, Status.Success)]
    export, = sdk.describe_message_stream("tasks").export_statuses
    assert (export.export_config_identifier, export.last_exported_sequence_number,
            export.exported_messages_count) == ("to-s3", 3, 4)


def test_what_cannot_be_uploaded_fails_says_why_and_keeps_nobody(line, tmp_path):
    sdk = line.sdk()
    make_status(sdk)
    make_tasks(sdk)
    file = tmp_path / "file"
    file.write_bytes(b"content")
    add_task(sdk, tmp_path / "absent", f"{line.thing}/a")
    add_task(sdk, file, f"{line.thing}/b", bucket="no-such-bucket")
    add_task(sdk, file, "somebody-else/c")
    add_task(sdk, file, f"{line.thing}/!{{thing:name}}")
    add_task(sdk, tmp_path, f"{line.thing}/directory")
    sdk.append_message("tasks", b"not JSON")
    add_task(sdk, file, f"{line.thing}/!{{timestamp:yyyy}}/good")
    wait_told(sdk, Status.Success)
    failures = [one for one in told(sdk) if one[0] == Status.Failure]
    print(failures)
    assert [one[1] for one in failures][:2] == [0, 1] and {3, 4, 5} <= {one[1] for one in failures}
    assert "absent" in failures[0][2] and "no-such-bucket" in failures[1][2]
    assert all(len([one for one in told(sdk) if one[1] == i and one[0] in (
        Status.Success, Status.Failure, Status.Canceled)]) == 1 for i in range(7))


def test_a_stream_that_is_deleted_and_made_anew_for_each_image_loses_no_task(line, tmp_path):
    """Each time over a connection of its own."""
    make_status(line.sdk())
    count = 30
    for i in range(count):
        file = tmp_path / f"{i}.jpg"
        file.write_bytes(b"image %d" % i)
        sdk = line.sdk()
        make_tasks(sdk)
        add_task(sdk, file, f"{line.thing}/{i}.jpg")
        sdk.delete_message_stream("tasks")
        sdk.close()
        line.clients.remove(sdk)
        if i == 20:
            line.restart()
    sdk = line.sdk()
    wait_until(lambda: len([one for one in told(sdk) if one[0] == Status.Success]) >= count,
               "all tasks")
    for i in range(count):
        assert content(line, f"{line.thing}/{i}.jpg")["Body"].read() == b"image %d" % i
    wait_until(lambda: len(list((line.agent.root / "streams").iterdir())) == 1,
               "the deleted streams being gone")


def test_an_upload_goes_on_when_the_server_is_back_and_where_the_agents_end_left_it(
        line, server, tmp_path):
    line.deploy({**line.configuration, "STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH": 80_000})
    line.restart()
    sdk = line.sdk()
    make_status(sdk)
    make_tasks(sdk, size_threshold_for_multipart_upload_bytes=5 * MIB)
    file = tmp_path / "large"
    file.write_bytes(os.urandom(24 * MIB))
    server.kill()
    add_task(sdk, file, f"{line.thing}/!{{timestamp:yyyy}}/large")
    wait_told(sdk, Status.Warning)
    status, = sdk.describe_message_stream("tasks").export_statuses
    assert status.error_message and status.last_exported_sequence_number == -1
    server.start()

    def begun():
        for state in (line.agent.root / "streams").rglob("*.upload"):
            upload = json.loads(state.read_text())
            if len(upload["etags"]) >= 2:
                return upload
        return None
    before = wait_until(begun, "two parts being sent")
    line.restart()
    after = wait_until(begun, "the upload going on")
    assert after["uploadId"] == before["uploadId"]
    assert after["etags"][:2] == before["etags"][:2]
    sdk = line.sdk()
    wait_told(sdk, Status.Success)
    key = before["key"]
    assert hashlib.sha256(content(line, key)["Body"].read()).digest() == \
        hashlib.sha256(file.read_bytes()).digest()
    wait_until(lambda: begun() is None, "the upload's state being gone")


class Sink:
    """An HTTP server that notes what is posted, and answers as it is told."""

    def __init__(self):
        self.bodies, self.statuses = [], []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = sink.statuses.pop(0) if sink.statuses else 200
                if status == 200:
                    sink.bodies.append(body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def uri(self):
        return f"http://127.0.0.1:{self.server.server_port}/in"


def make_http(sdk, name, uri, **more):
    sdk.create_message_stream(MessageStreamDefinition(
        name=name, strategy_on_full=StrategyOnFull.RejectNewData,
        export_definition=ExportDefinition(http=[HTTPConfig(
            identifier="out", uri=uri, **more)])))


def test_messages_are_posted_in_order_one_by_one_or_in_batches(line):
    sdk = line.sdk()
    with Sink() as sink:
        sink.statuses = [200, 503, 200, 413]
        make_http(sdk, "raw", sink.uri)
        for i in range(10):
            sdk.append_message("raw", b"%d" % i)
        wait_until(lambda: b"9" in sink.bodies, "all being posted")
        assert len(sink.bodies) >= 9  # one was refused for good, and left out
        assert [int(b) for b in sink.bodies] == sorted(int(b) for b in sink.bodies)
        # What is described, as an update, is nothing: the export keeps its place.
        sdk.update_message_stream(sdk.describe_message_stream("raw").definition)
        sink.bodies.clear()
        make_http(sdk, "batch", sink.uri, export_format=ExportFormat.JSON_BATCHED, batch_size=4)
        for i in range(10):
            sdk.append_message("batch", b"%d" % i)
        wait_until(lambda: sum(len(json.loads(b)) for b in sink.bodies) == 10, "all batches")
        messages = [m for b in sink.bodies for m in json.loads(b)]
        assert [(m["sequenceNumber"], base64.b64decode(m["payload"])) for m in messages] == [
            (i, b"%d" % i) for i in range(10)]
        assert {m["streamName"] for m in messages} == {"batch"} and messages[0]["ingestTime"]


def test_messages_go_to_the_broker_over_the_devices_own_connection(line, server):
    sdk = line.sdk()
    topic = f"andon/things/{line.thing}/streams"
    with server.operator_mqtt().subscribe(topic) as subscription:
        make_http(sdk, "mqtt", "mqtt:///andon/things/{thing}/streams?qos=1")
        for i in range(20):
            sdk.append_message("mqtt", b"message %d" % i)
        subscription.wait_for(lambda _, payload: payload == "message 19", "the last message")
        assert [payload for _, payload in subscription.messages()] == [
            f"message {i}" for i in range(20)]


def test_messages_become_objects_of_the_servers_store_and_wait_for_a_bucket_that_denies_them(
        line, server):
    s3, sdk = server.aws("s3"), line.sdk()
    make_http(sdk, "objects", f"s3+https:///{BUCKET}/{{thing}}/streams",
              export_format=ExportFormat.JSON_BATCHED, batch_size=4)
    make_http(sdk, "denied", f"s3+https:///{BUCKET}/another-device")
    for i in range(10):
        sdk.append_message("objects", b"%d" % i)
    sdk.append_message("denied", b"mine")

    def messages():
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{line.thing}/streams/objects/")
        bodies = [s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()
                  for one in found.get("Contents", [])]
        rows = [json.loads(row) for body in bodies for row in body.splitlines()]
        return [(row["sequenceNumber"], base64.b64decode(row["payload"])) for row in rows]
    wait_until(lambda: len(messages()) == 10, "all messages in the bucket")
    assert messages() == [(i, b"%d" % i) for i in range(10)]
    status = wait_until(lambda: [s for s in sdk.describe_message_stream("denied").export_statuses
                                 if s.error_message], "the reason")[0]
    assert "AccessDenied" in status.error_message
    assert status.last_exported_sequence_number == -1


def test_an_export_outside_its_window_says_so_and_goes_on_where_it_was(line):
    sdk = line.sdk()
    window, opens = window_elsewhere("exports")
    with Sink() as sink:
        make_http(sdk, "thin", sink.uri)
        line.fleet.deploy_and_wait({
            line.name: "1.0.0", "aws.greengrass.StreamManager": ("2.2.0", line.configuration),
            NUCLEUS: ("2.14.0", {"andonLinkBudget": {"windows": [window]}})}, thing=line.thing)
        for i in range(3):
            sdk.append_message("thin", b"%d" % i)
        status = wait_until(lambda: [s for s in sdk.describe_message_stream("thin").export_statuses
                                     if s.error_message], "the reason")[0]
        assert "outside their window" in status.error_message and opens in status.error_message
        assert sink.bodies == []
        open_windows(line.agent)
        wait_until(lambda: sink.bodies == [b"0", b"1", b"2"], "all being posted, in order")


@pytest.mark.parametrize("uri", ["s3+https://host/bucket/p", "s3+https:///bucket/p?roll=8MiB",
                                 "mqtt://host", "mqtt://a:b@host/t", "mqtt://host/t?qos=2",
                                 "mqtt://host/+/t", "mqtt://host:x/t", "amqp://host/t"])
def test_an_address_that_cannot_be_is_refused(line, uri):
    with pytest.raises(Exception, match="uri"):
        make_http(line.sdk(), "wrong", uri)


def test_over_the_devices_own_connection_goes_only_what_the_stream_manager_may_publish(line):
    sdk = line.sdk()
    make_http(sdk, "mqtt", "mqtt:///andon/things/{thing}/results")
    sdk.append_message("mqtt", b"{}")
    status = wait_until(lambda: [s for s in sdk.describe_message_stream("mqtt").export_statuses
                                 if s.error_message], "the reason")[0]
    assert "accessControl" in status.error_message
    assert status.last_exported_sequence_number == -1


def test_messages_wait_for_the_server_and_keep_their_order(line, server):
    sdk = line.sdk()
    topic = f"andon/things/{line.thing}/streams"
    make_http(sdk, "mqtt", "mqtt:///andon/things/{thing}/streams")
    server.kill()
    for i in range(50):
        sdk.append_message("mqtt", b"%d" % i)
    wait_until(lambda: sdk.describe_message_stream("mqtt").export_statuses[0].error_message,
               "the reason")
    server.start()
    with server.operator_mqtt().subscribe(topic) as subscription:
        # The first may have gone before anybody listened; from then on none is left out.
        sdk.append_message("mqtt", b"50")
        subscription.wait_for(lambda _, payload: payload == "50", "the last message")
        got = [int(payload) for _, payload in subscription.messages()]
        lasts = list(dict.fromkeys(reversed(got)))[::-1]
        assert lasts == list(range(min(got), 51))
    wait_until(lambda: sdk.describe_message_stream("mqtt").export_statuses[0]
               .exported_messages_count == 51, "all being counted")


def test_messages_go_to_another_broker(line, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sdk = line.sdk()
    make_http(sdk, "other", f"mqtt://127.0.0.1:{port}/in/{{stream}}/{{seq}}?retain=1")
    for i in range(10):
        sdk.append_message("other", b"%d" % i)
    wait_until(lambda: sdk.describe_message_stream("other").export_statuses[0].error_message,
               "the reason")
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    broker = subprocess.Popen(["mosquitto", "-c", configuration], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: sdk.describe_message_stream("other").export_statuses[0]
                   .exported_messages_count == 10, "all being published", 60)
        found = subprocess.run(
            ["mosquitto_sub", "-p", str(port), "-t", "in/other/+", "-F", "%t %p", "-C", "10", "-W",
             "20"], check=True, capture_output=True, text=True).stdout.split("\n")
        assert sorted(found[:10]) == sorted(f"in/other/{i} {i}" for i in range(10))
    finally:
        broker.terminate()
        broker.wait(30)
