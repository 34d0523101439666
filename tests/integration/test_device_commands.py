# SPDX-License-Identifier: Apache-2.0
"""What people ask of a device through the server while they wait: the real server, broker and agent,
and `andon device ...`."""
import base64
import io
import json
import os
import pwd
import signal
import subprocess
import sys
import tarfile

import botocore.exceptions
import pytest
from agent import Agent, Fleet
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from harness import PATIENCE_S, Server, http, program, wait_until

NAME = "com.example.Talker"
# Says a line for each line that is put into the file `say`.
TALKER = "echo started $$; touch say; exec tail -n +1 -F say"
# Answers who asks for a picture, as docs/commands.md says.
CAMERA = """
import base64, time
from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import JsonMessage, PublishMessage
NAME, ipc = "com.example.Camera", GreengrassCoreIPCClientV2()
def asked(event):
    question = event.json_message.message
    if question.get("component", NAME) == NAME:
        ipc.publish_to_topic_async(topic="andon/inspect/frames", publish_message=PublishMessage(
            json_message=JsonMessage(message={
                "id": question["id"], "component": NAME, "verdict": "NG",
                "jpeg": base64.b64encode(bytes(range(256)) * 300).decode()})))
ipc.subscribe_to_topic(topic="andon/inspect/frames/ask", on_stream_event=asked,
                       on_stream_error=lambda error: True, on_stream_closed=lambda: None)
open("ready", "w").close()
time.sleep(10000)
"""


def device(server, *arguments, check=True, **more):
    done = subprocess.run([program("andon"), "device", *map(str, arguments), "--data", server.data],
                          capture_output=True, timeout=180, check=False, **more)
    assert not check or done.returncode == 0, done
    return done


def told(server, *arguments):
    return json.loads(device(server, *arguments, "--json").stdout)


def start_component(server, agent, lifecycle=TALKER, name=NAME):
    fleet = Fleet(server)
    fleet.component(name, "1.0.0", {"run": lifecycle})
    fleet.deploy_and_wait({name: "1.0.0"}, agent.thing)
    agent.wait_for(name, "1.0.0")


def say(agent, text, name=NAME):
    with open(agent.root / "work" / name / "say", "a", encoding="utf-8") as file:
        file.write(text)


def signed(server, key, method, path, body=None):
    """A call of andon's own API with a key: (status, answer)."""
    request = AWSRequest(method, server.info["api"] + path,
                         data="" if body is None else json.dumps(body),
                         headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials(key["accessKeyId"], key["secretAccessKey"]), "andon",
              server.operator_key["region"]).add_auth(request)
    status, answer = http(request.url, method, request.body or None, dict(request.headers),
                          server.tls())
    return status, json.loads(answer)


def user_with(server, name, policy):
    iam = server.aws("iam")
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]}


class Follower:
    """`andon device logs -f`, its lines as they come."""

    def __init__(self, server, agent, *more):
        self.process = subprocess.Popen(
            [program("andon"), "device", "logs", agent.thing, "-c", NAME, "-f", *more, "--data",
             server.data], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def wait_for(self, text):
        def has_come():
            self.text += (self.process.stdout.read() or b"").decode()
            return text in self.text
        wait_until(has_come, f"'{text}' in the log", 60)

    def end(self):
        """Exit code and what it says of the error."""
        _, err = self.process.communicate(timeout=120)
        return self.process.returncode, err.decode()


def commands_of(server, thing="edge-1"):
    return told(server, "commands", thing)["commands"]


def audited(server, operation):
    status, page = server.call("GET", f"/andon/v1/audit?action={operation}&maxResults=50")
    assert status == 200, page
    return [entry["entry"] for entry in page["entries"]]


def test_a_person_does_from_afar_what_he_would_do_at_the_device(server, tmp_path):
    with Agent(server, tmp_path / "device") as agent:
        start_component(server, agent)
        say(agent, "one\ntwo \x1b[31mred\nthree\n")
        wait_until(lambda: b"three" in device(server, "logs", "edge-1").stdout, "the lines")
        assert device(server, "logs", "edge-1", "-c", NAME, "--tail", "2").stdout == \
            b"two \\x1b[31mred\nthree\n"

        rows = told(server, "components", "edge-1")["components"]
        assert (NAME, "RUNNING") in [(r["name"], r["state"]) for r in rows]
        assert NAME.encode() in device(server, "components", "edge-1").stdout

        before = agent.components()[NAME]
        pid = next(r["pid"] for r in rows if r["name"] == NAME)
        device(server, "restart", "edge-1", "-c", NAME)
        wait_until(lambda: any(c["name"] == NAME and c["state"] == "RUNNING" and c["pid"] != pid
                               for c in agent.status()["components"]), "another process")
        device(server, "stop", "edge-1", "-c", NAME)
        agent.wait_for(NAME, "1.0.0", "INSTALLED")
        device(server, "restart", "edge-1", "-c", NAME)
        agent.wait_for(NAME, *before)
        unknown = device(server, "restart", "edge-1", "-c", "com.example.Nobody", check=False)
        assert unknown.returncode == 6 and b"not on this device" in unknown.stderr, unknown

        checks = told(server, "doctor", "edge-1")
        assert {"agent", "connection"} <= {c["check"] for c in checks["checks"]}
        assert checks["verdict"] in ("ok", "doubtful"), checks

        out = tmp_path / "bundle.tar"
        bundle = told(server, "support-bundle", "edge-1", "--out", out)
        assert bundle["bytes"] == out.stat().st_size
        with tarfile.open(fileobj=io.BytesIO(out.read_bytes())) as archive:
            assert {"status.json", "doctor.txt", f"logs/{NAME}.log"} <= set(archive.getnames())

        fits = told(server, "fit", "edge-1", "--component", NAME)
        assert fits["verdict"] == "ok", fits
        assert {"component", "platform", "disk"} == {c["check"] for c in fits["checks"]}
        other = tmp_path / "other.yaml"
        other.write_text("RecipeFormatVersion: '2020-01-25'\nComponentName: com.example.Other\n"
                         "ComponentVersion: 1.0.0\nManifests: [{Platform: {os: windows}}]\n")
        unfit = device(server, "fit", "edge-1", "--recipe", other, check=False)
        assert unfit.returncode == 9 and b"os=windows" in unfit.stdout, unfit
        unnamed = device(server, "fit", "edge-1", check=False)
        assert unnamed.returncode == 2 and b"--component NAME@VERSION" in unnamed.stderr, unnamed
        other.write_text("ComponentName: [")
        broken = device(server, "fit", "edge-1", "--recipe", other, check=False)
        assert broken.returncode == 3 and b"recipe" in broken.stderr, broken

        # Nothing here has pictures, and that is said by name.
        frame = device(server, "frame", "edge-1", "-c", NAME, "--timeout", "4", check=False)
        assert frame.returncode == 13 and NAME.encode() in frame.stderr, frame

        asked = commands_of(server)
        assert {"kind": "restart", "status": "FAILED", "askedBy": "root"}.items() <= next(
            c for c in asked if c.get("component") == "com.example.Nobody").items()
        # Beginning and end are in the audit log, with who, what, when and what came of it.
        wait_until(lambda: len(audited(server, "EndCommand")) >= len(asked), "the ends")
        end = next(e for e in audited(server, "EndCommand") if "com.example.Nobody" in e["detail"])
        assert end["errorCode"] == "not_found" and end["name"] == "root", end
        begun = audited(server, "StartCommand")
        assert any(r.endswith(":command/restart/edge-1") for e in begun for r in e["resources"])


def start_camera(server, agent, script):
    """A component that runs `script` and answers who asks for pictures."""
    source = agent.root.parent / "camera.py"
    source.write_text(script)
    fleet = Fleet(server)
    fleet.component(
        "com.example.Camera", "1.0.0", {"run": f"exec {sys.executable} {source}"},
        configuration={"accessControl": {"aws.greengrass.ipc.pubsub": {"frames": {
            "operations": ["aws.greengrass#SubscribeToTopic", "aws.greengrass#PublishToTopic"],
            "resources": ["andon/inspect/frames*"]}}}})
    fleet.deploy_and_wait({"com.example.Camera": "1.0.0"})
    ready = agent.root / "work" / "com.example.Camera" / "ready"
    wait_until(ready.exists, "the component listening", 60)


def test_frames_are_followed_each_that_is_new_until_nobody_wants_them(server, tmp_path):
    # Every second question gets the same picture as the one before.
    counting = CAMERA.replace("def asked(event):", "count = 0\ndef asked(event):\n    global count\n"
                              "    count += 1").replace("bytes(range(256)) * 300", "(b'%08d' % (count // 2)) * 9000")
    with Agent(server, tmp_path / "device") as agent:
        start_camera(server, agent, counting)
        status, begun = server.call("POST", "/andon/v1/things/edge-1/commands",
                                    {"kind": "frame", "follow": True})
        assert status == 200, begun
        path, after = f"/andon/v1/commands/{begun['commandId']}", 0
        frames, part = [], b""

        def read():
            nonlocal after, part
            page = server.call("GET", f"{path}/answers?after={after}&waitSeconds=10")[1]
            after = page["after"]
            for answer in page["answers"]:
                if "progress" in answer:
                    part = b""
                part += base64.b64decode(answer.get("data", ""))
                if "row" in answer:
                    assert answer["row"]["bytes"] == len(part) == 72000
                    assert answer["row"]["frame"] == {"verdict": "NG"}
                    frames.append(int(part[:8]))
            return len(frames)
        wait_until(lambda: read() >= 4, "four frames")
        assert frames == sorted(set(frames)), "one came twice"
        assert server.call("POST", f"{path}/cancel", {})[0] == 200
        wait_until(lambda: commands_of(server)[0]["status"] == "CANCELED", "its end", 60)


def test_a_component_that_has_pictures_is_asked_for_the_newest(server, tmp_path):
    with Agent(server, tmp_path / "device") as agent:
        start_camera(server, agent, CAMERA)
        out = tmp_path / "now.jpg"
        for more in ([], ["-c", "com.example.Camera"]):
            frame = told(server, "frame", "edge-1", "--out", out, *more)
            assert out.read_bytes() == bytes(range(256)) * 300
            assert frame["component"] == "com.example.Camera", frame
            assert commands_of(server)[0]["result"]["frame"] == {"verdict": "NG"}


def test_a_log_is_followed_while_lines_come_and_ends_with_who_reads_it(server, tmp_path):
    with Agent(server, tmp_path / "device", options=("--log-kib-per-second", "0")) as agent:
        start_component(server, agent)
        with Follower(server, agent) as log:
            log.wait_for("started")
            for number in range(20):
                say(agent, f"line {number}\n")
                log.wait_for(f"line {number}\n")
            # More than fits into what may be under way at a time, in order and none twice.
            many = "".join(f"{number:06} {'x' * 100}\n" for number in range(20000))
            say(agent, many)
            log.wait_for("019999 ")
            assert many in log.text
        wait_until(lambda: commands_of(server)[0]["status"] == "CANCELED", "its end", 60)


def test_a_device_that_is_off_gives_a_clear_error_at_the_deadline(server, tmp_path):
    agent = Agent(server, tmp_path / "device")
    agent.provision()
    absent = device(server, "doctor", "edge-1", "--timeout", "1", check=False)
    assert absent.returncode == 12, absent
    assert b"edge-1 did not answer within 1 s: it is off" in absent.stderr, absent
    assert commands_of(server)[0]["status"] == "TIMED_OUT"
    unknown = device(server, "doctor", "nobody", check=False)
    assert unknown.returncode == 6 and b"no thing nobody" in unknown.stderr, unknown
    # One that comes in time gets it all the same.
    waiting = subprocess.Popen([program("andon"), "device", "components", "edge-1", "--json",
                                "--timeout", "60", "--data", server.data], stdout=subprocess.PIPE)
    wait_until(lambda: commands_of(server)[0]["kind"] == "components", "the question")
    agent.start()
    try:
        out, _ = waiting.communicate(timeout=90)
        assert waiting.returncode == 0 and "components" in json.loads(out)
    finally:
        agent.kill()


def test_an_agent_that_is_killed_in_the_middle_ends_the_command(server, tmp_path):
    with Agent(server, tmp_path / "device") as agent:
        start_component(server, agent)
        with Follower(server, agent) as log:
            log.wait_for("started")
            agent.kill()
            agent.start()
            code, said = log.end()
            assert code == 13 and "in the middle of it" in said, (code, said)
        assert commands_of(server)[0]["status"] == "FAILED"
        wait_until(lambda: agent.status().get("connected"), "the agent being connected")
        assert told(server, "components", "edge-1")["components"]


def test_a_server_that_is_killed_in_the_middle_says_so_and_the_device_takes_new_commands(tmp_path):
    with Server(tmp_path / "data") as server, Agent(server, tmp_path / "device") as agent:
        start_component(server, agent)
        with Follower(server, agent) as log:
            log.wait_for("started")
            server.kill()
            code, said = log.end()
            assert code == 13, (code, said)
        server.start()
        cut = commands_of(server)[0]
        assert cut["status"] == "FAILED" and "the server ended" in cut["error"]["message"], cut
        assert any("FAILED" in e["detail"] for e in audited(server, "EndCommand"))
        wait_until(lambda: agent.status().get("connected"), "the agent being connected")
        for _ in range(6):  # more than are carried out at a time
            assert told(server, "components", "edge-1", "--timeout", "60")["components"]


def test_roles_say_who_may_ask_and_the_answers_are_the_askers(server, tmp_path):
    with Agent(server, tmp_path / "device", options=(
            "--pass-environment", "ONNXRUNTIME_ROOT", "--remote-shell", "--remote-copy")) as agent:
        start_component(server, agent)
        viewer = user_with(server, "vera", "AndonViewerAccess")
        operator = user_with(server, "otto", "AndonOperatorAccess")
        other = user_with(server, "olga", "AndonOperatorAccess")
        asking = {"kind": "logs", "component": NAME}
        status, refused = signed(server, viewer, "POST", "/andon/v1/things/edge-1/commands", asking)
        assert status == 403 and "andon:StartCommand" in refused["message"], refused
        for kind in ("restart", "logs", "doctor", "support-bundle", "components"):
            body = {"kind": kind}
            if kind in ("restart", "logs"):
                body["component"] = NAME
            status, begun = signed(server, operator, "POST", "/andon/v1/things/edge-1/commands",
                                   body)
            assert status == 200, begun
            path = f"/andon/v1/commands/{begun['commandId']}"
            after, page = 0, {"isOver": False}
            while not page["isOver"]:
                status, page = signed(server, operator, "GET",
                                      f"{path}/answers?after={after}&waitSeconds=10")
                assert status == 200, page
                after = page["after"]
            assert page["status"] == "SUCCEEDED", page
        status, refused = signed(server, other, "GET", f"{path}/answers")
        assert status == 403 and "otto" in refused["message"], refused
        status, refused = signed(server, operator, "POST", "/andon/v1/things/edge-1/shell",
                                 {"commandLine": "id"})
        assert status == 403 and "andon:RunShell" in refused["message"], refused
        status, refused = signed(server, operator, "POST", "/andon/v1/things/edge-1/copy",
                                 {"direction": "from", "path": "/etc/hostname"})
        assert status == 403 and "andon:CopyFile" in refused["message"], refused
        # The general operation is no way around it.
        status, refused = signed(server, operator, "POST", "/andon/v1/things/edge-1/commands",
                                 {"kind": "shell"})
        assert status == 400 and "RunShell" in refused["message"], refused


def test_a_shell_and_copies_are_refused_unless_the_device_itself_allows_them(server, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("of root alone")
    secret.chmod(0o600)
    with Agent(server, tmp_path / "device") as agent:
        wait_until(lambda: agent.status().get("connected"), "the agent being connected")
        for words in (["shell", "edge-1", "id"], ["copy", "edge-1:/etc/hostname", tmp_path / "x"]):
            refused = device(server, *words, check=False)
            assert refused.returncode == 5 and b"this device lets nobody" in refused.stderr, refused
        agent.kill(signal.SIGTERM)
        who = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        agent.options = (*agent.options, "--remote-shell", "--remote-copy", "--remote-user", who)
        agent.start()
        ended = device(server, "shell", "edge-1", "echo $((6*7)); id -un; echo late >&2; exit 3",
                       check=False)
        assert ended.stdout == f"42\n{who}\n".encode() and b"late" in ended.stderr, ended
        assert ended.returncode == 9 and b"exit code 3" in ended.stderr, ended
        late = device(server, "shell", "edge-1", "--timeout", "1", "sleep 100", check=False)
        assert late.returncode == 12, late

        there = f"/tmp/andon-copy-{os.getpid()}"
        content = os.urandom(300_000)
        (tmp_path / "here").write_bytes(content)
        device(server, "copy", tmp_path / "here", f"edge-1:{there}")
        try:
            device(server, "copy", f"edge-1:{there}", tmp_path / "back")
            assert (tmp_path / "back").read_bytes() == content
        finally:
            os.unlink(there)
        if os.geteuid() == 0:
            denied = device(server, "copy", f"edge-1:{secret}", tmp_path / "x", check=False)
            assert denied.returncode == 9 and b"cannot be copied" in denied.stderr, denied
            assert not (tmp_path / "x").exists()


def test_another_device_neither_hears_of_a_command_nor_answers_it(server, tmp_path):
    with Agent(server, tmp_path / "device") as agent:
        start_component(server, agent)
        spy = server.device("edge-10", tmp_path)
        for topic in ("cmd/andon/edge-1/commands/+", "andon/things/edge-1/commands/+",
                      "cmd/andon/+/commands/ask"):
            said = subprocess.run(["mosquitto_sub", *spy.mqtt().connection, "-t", topic, "-E", "-d"],
                                  capture_output=True, text=True, timeout=PATIENCE_S, check=False)
            assert "denied" in said.stdout + said.stderr, said
        ask = {"id": "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "kind": "stop", "component": NAME,
               "deadlineMs": 30000}
        # Nor does a device ask itself, nor anybody beside the server, whatever he may otherwise.
        assert not spy.mqtt().publish("cmd/andon/edge-1/commands/ask", ask)
        assert not spy.mqtt().publish("cmd/andon/edge-10/commands/ask", ask)
        assert not server.operator_mqtt().publish("cmd/andon/edge-1/commands/ask", ask)
        with server.operator_mqtt().subscribe("cmd/andon/edge-1/commands/ask") as heard, \
                Follower(server, agent) as log:
            log.wait_for("started")
            _, asked = heard.wait_for(lambda *_: True, "the question")
            answers = f"andon/things/edge-1/commands/{json.loads(asked)['id']}"
            forged = {"sequence": 2, "text": "forged"}
            assert not spy.mqtt().publish(answers, forged)
            assert not server.operator_mqtt().publish(answers, forged)
            assert spy.mqtt().publish(answers.replace("edge-1", "edge-10"), forged)
            say(agent, "true\n")
            log.wait_for("true")
            assert "forged" not in log.text
        assert agent.components()[NAME] == ("1.0.0", "RUNNING")


def test_changes_are_watched_as_they_come(server, tmp_path):
    with Agent(server, tmp_path / "device") as agent:
        start_component(server, agent)
        watching = subprocess.Popen([program("andon"), "device", "watch", "edge-1", "--json",
                                     "--data", server.data], stdout=subprocess.PIPE)
        os.set_blocking(watching.stdout.fileno(), False)
        text = ""

        def states():
            nonlocal text
            text += (watching.stdout.read() or b"").decode()
            lines = [json.loads(line) for line in text.splitlines(True) if line.endswith("\n")]
            return [line["state"] for line in lines if line.get("component") == NAME]
        try:
            wait_until(lambda: states()[-1:] == ["RUNNING"], "how it is now", 60)
            device(server, "stop", "edge-1", "-c", NAME)
            wait_until(lambda: states()[-1:] != ["RUNNING"], "the change", 60)
        finally:
            watching.kill()
            watching.wait(PATIENCE_S)


@pytest.mark.parametrize("body, named", [
    ({"kind": "reboot"}, "kind"), ({}, "kind"), ({"kind": "restart"}, "component"),
    ({"kind": "logs", "component": "../x"}, "component"), ({"kind": "logs", "lines": -1}, "lines"),
    ({"kind": "doctor", "deadlineSeconds": 0}, "deadlineSeconds"),
    ({"kind": "doctor", "commandLine": "id"}, "commandLine")])
def test_a_command_that_makes_no_sense_is_refused_by_name(shared_server, body, named):
    try:
        shared_server.aws("iot").create_thing(thingName="edge-1")
    except botocore.exceptions.ClientError:
        pass
    status, answer = shared_server.call("POST", "/andon/v1/things/edge-1/commands", body)
    assert status >= 400 and named in answer["message"], answer
