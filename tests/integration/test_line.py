# SPDX-License-Identifier: Apache-2.0
"""The line under the real agent: outputs come with the configuration while the program runs, and who
looks on gets live frames over the device's local messages."""
import base64
import json
import shutil
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from agent import Agent, Fleet
from harness import http, program, wait_until

pytest.importorskip("awsiot", reason="needs awsiotsdk")

EXAMPLE = Path(__file__).parents[2] / "examples" / "metal-tags"
INSPECT = "com.example.Inspect"
LOOKER = "com.example.Looker"


class Plant:
    """A real HTTP server that is told of parts; `status` is what it answers."""

    def __init__(self):
        self.told, self.status = [], 200
        plant = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                plant.told.append(
                    json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(plant.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/parts"


@pytest.fixture
def plant():
    plant = Plant()
    yield plant
    plant.server.shutdown()
    plant.server.server_close()


def pubsub(operation, *topics):
    return {"operations": [f"aws.greengrass#{operation}"], "resources": list(topics)}


@pytest.fixture
def line(server, tmp_path):
    """Both components on a device; the folder of images, the looker's directory, fleet, agent."""
    fleet = Fleet(server)
    images = tmp_path / "images"
    images.mkdir()
    with Agent(server, tmp_path / "device") as agent:
        with open(program("andon-inspect"), "rb") as binary:
            inspect = fleet.put_artifact("andon-inspect", binary)
        model = fleet.put_artifact("model.onnx", (EXAMPLE / "model" / "model.onnx").read_bytes())
        fleet.component(
            INSPECT, "1.0.0",
            {"run": "exec {artifacts:path}/andon-inspect --model {artifacts:path}/model.onnx"},
            configuration={
                "imageDirectory": str(images),
                "accessControl": {
                    "aws.greengrass.ipc.mqttproxy": {"results": pubsub(
                        "PublishToIoTCore", "andon/things/{iot:thingName}/*")},
                    "aws.greengrass.ipc.pubsub": {
                        "ask": pubsub("SubscribeToTopic", "andon/inspect/frames/ask"),
                        "frames": pubsub("PublishToTopic", "andon/inspect/frames",
                                         "line/verdicts")}}},
            artifacts=[{"URI": inspect, "Permission": {"Read": "ALL", "Execute": "ALL"}}, model])
        looker = fleet.put_artifact(
            "looker.py", Path(__file__).with_name("line_looker.py").read_bytes())
        fleet.component(
            LOOKER, "1.0.0", {"run": f"exec {sys.executable} -u {{artifacts:path}}/looker.py"},
            configuration={"accessControl": {"aws.greengrass.ipc.pubsub": {
                "all": {"operations": ["*"], "resources": ["andon/inspect/*", "line/*"]}}}},
            artifacts=[looker])
        fleet.deploy_and_wait({INSPECT: "1.0.0", LOOKER: "1.0.0"})
        yield images, agent.root / "work" / LOOKER, fleet, agent


def add(images, name):
    picture = sorted((EXAMPLE / "images").glob("*.jpg"))[0]
    shutil.copy(picture, images / ".arriving")
    (images / ".arriving").rename(images / name)


def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_outputs_come_with_the_configuration_while_it_runs(server, line, plant):
    images, looker, fleet, agent = line
    with server.operator_mqtt().subscribe("andon/things/edge-1/results") as results:
        add(images, "before.jpg")
        wait_until(results.messages, "a result before there are outputs")
        assert "outputs" not in json.loads(results.messages()[0][1])
        pid = next(c["pid"] for c in agent.status()["components"] if c["name"] == INSPECT)
        outputs = [
            {"name": "mes", "type": "http", "url": plant.url, "deadlineMs": 30000},
            {"name": "beside", "type": "mqtt", "topic": "line/verdicts", "to": "device",
             "deadlineMs": 30000}]
        fleet.deploy_and_wait({LOOKER: "1.0.0", INSPECT: ("1.0.0", {
            "verdict": {"rules": [], "otherwise": "DOUBT"}, "outputs": outputs})})
        add(images, "first.jpg")
        wait_until(lambda: len(results.messages()) == 2, "the result of the first part")
        result = json.loads(results.messages()[1][1])
        assert [(o["name"], o["outcome"]) for o in result["outputs"]] == \
            [("mes", "met"), ("beside", "met")]
        assert [(t["image"], t["verdict"], t["fail_safe"]) for t in plant.told] == \
            [("first.jpg", "DOUBT", False)]
        wait_until(lambda: lines(looker / "verdicts"), "the verdict on the device")
        assert lines(looker / "verdicts")[0]["image"] == "first.jpg"
        # A server that refuses is no server that was told.
        plant.status = 500
        add(images, "second.jpg")
        wait_until(lambda: len(results.messages()) == 3, "the result of the second part")
        assert json.loads(results.messages()[2][1])["outputs"][0]["outcome"] == "failed"
        # What cannot be used is refused by the name of its member, before anything changes.
        entry = fleet.outcome(fleet.deploy({LOOKER: "1.0.0", INSPECT: ("1.0.0", {
            "outputs": [{"name": "mes", "type": "http", "url": "ftp://mes"}]})}))
        assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
        assert "/outputs/0/url" in entry["reason"], entry
        # So is what needs a module that the component does not have.
        entry = fleet.outcome(fleet.deploy({LOOKER: "1.0.0", INSPECT: ("1.0.0", {
            "outputs": [{"name": "reject", "type": "modbus", "host": "127.0.0.1", "coil": 1}]})}))
        assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
        assert "andon-inspect-modbus.so" in entry["reason"], entry
        assert next(c["pid"] for c in agent.status()["components"] if c["name"] == INSPECT) == pid


def test_a_part_that_waits_for_its_picture_has_its_result_also_when_the_trigger_goes(
        server, line, plant):
    images, _, fleet, _ = line
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    outputs = [{"name": "mes", "type": "http", "url": plant.url, "deadlineMs": 3000,
                "leadMs": 2500}]
    fleet.deploy_and_wait({LOOKER: "1.0.0", INSPECT: ("1.0.0", {
        "verdict": {"rules": [], "late": "NG"}, "outputs": outputs,
        "trigger": {"type": "http", "address": address, "pictureTimeoutMs": 10000}})})
    with server.operator_mqtt().subscribe("andon/things/edge-1/results") as results:
        def is_triggered():
            try:
                return http(f"http://{address}/trigger", "POST", {"part": "A"})[0] == 202
            except OSError:  # it is told of its configuration after the deployment
                return False

        wait_until(is_triggered, "the trigger being taken")
        fleet.deploy_and_wait({LOOKER: "1.0.0", INSPECT: ("1.0.0", {"trigger": None})})
        wait_until(results.messages, "the result of the part")
        result = json.loads(results.messages()[0][1])
        assert (result["part"]["id"], result["verdict"], result["verdict_rule"]) == \
            ("A", "NG", "late")
        assert result["error"]["code"] == "deadline_exceeded"
        assert [(t["part"], t["verdict"], t["fail_safe"]) for t in plant.told] == \
            [("A", "NG", True)]
        add(images, "free.jpg")
        wait_until(lambda: len(results.messages()) == 2, "a picture being a part again")
        assert json.loads(results.messages()[1][1])["image"]["name"] == "free.jpg"


def test_who_asks_gets_live_frames_and_nobody_else_does(line, server, tmp_path):
    images, looker, _, _ = line

    def ask(**message):
        (looker / "ask.new").write_text(json.dumps(message))
        (looker / "ask.new").rename(looker / "ask.json")

    def answers(name):
        return [a for a in lines(looker / "frames") if a["id"] == name]

    ask(id="early")
    wait_until(lambda: answers("early"), "an answer where there is no frame yet")
    assert answers("early")[0]["error"]["code"] == "not_found"
    add(images, "first.jpg")
    # The last picture of the folder, once it was looked at.
    count = iter(range(1000))

    def has_frame():
        name = f"last-{next(count)}"
        ask(id=name, component=INSPECT, maxSide=200, maxBytes=8192)
        wait_until(lambda: answers(name), "an answer")
        return answers(name)[0] if "jpeg" in answers(name)[0] else None

    wait_until(has_frame, "a frame of the last picture")
    frame = has_frame()
    jpeg = base64.b64decode(frame["jpeg"])
    assert jpeg.startswith(b"\xff\xd8") and len(jpeg) <= 8192
    assert frame["image"] == "first.jpg" and frame["jpeg_width"] == 200
    assert frame["counts"]["images"] == 1 and 0 < frame["counts"]["perSecond"] <= 1
    # And who asks from afar.
    seen = tmp_path / "seen.jpg"

    def seen_from_afar():
        add(images, f"afar-{next(count):03}.jpg")  # a model that was opened anew has no last picture
        return subprocess.run([program("andon"), "device", "frame", "edge-1", "--out", seen,
                               "--data", server.data], check=False, timeout=60).returncode == 0

    wait_until(seen_from_afar, "the frame for who is not here", 60)
    assert seen.read_bytes().startswith(b"\xff\xd8")
    ask(id="other", component="com.example.Other")
    ask(id="wrong", maxSide=1)
    wait_until(lambda: [a for a in lines(looker / "frames") if "maxSide" in str(a.get("error"))],
               "an answer that names the member")
    # Frames as they come, and then no more.
    ask(id="stream", perSecond=5)
    wait_until(lambda: answers("stream"), "the first frame of the stream")

    def streamed():
        add(images, f"stream-{next(count):03}.jpg")
        return len(answers("stream")) >= 3

    wait_until(streamed, "frames as they come")
    assert not answers("other")
