# SPDX-License-Identifier: Apache-2.0
"""aws.greengrass.LogManager: what components write comes to log groups of the server, each line once."""
import json
import ssl
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from agent import Agent, Fleet
from harness import wait_until

NAME = "com.example.Talker"
MANAGER = "aws.greengrass.LogManager"
GROUP = f"/aws/greengrass/UserComponent/us-east-1/{NAME}"
TALK = """
trap 'exit 0' TERM
pad=$(printf '%01000d' 0)
i=0
while :; do
  end=$(cat {work:path}/until 2>/dev/null || echo 10)
  while [ $i -lt $end ]; do echo "line $i $pad"; i=$((i + 1)); done
  sleep 0.1
done
"""


@pytest.fixture
def fleet(server):
    fleet = Fleet(server)
    fleet.component(NAME, "1.0.0", {"run": TALK})
    return fleet


@pytest.fixture
def agent(server, tmp_path):
    # Lines come as fast as they can.
    with Agent(server, tmp_path / "device", options=("--log-kib-per-second", "0")) as running:
        yield running


def rules(**rule):
    return "2.3.8", {"logsUploaderConfiguration": {"componentLogsConfigurationMap": {NAME: rule}},
                     "periodicUploadIntervalSec": 1}


def lines(server):
    """{stream: messages} of the group."""
    logs = server.aws("logs")
    found = {}
    try:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP):
            for event in page["events"]:
                found.setdefault(event["logStreamName"], []).append(event["message"])
    except logs.exceptions.ResourceNotFoundException:
        pass
    return found


def numbers(server):
    return [int(message.split()[1]) for messages in lines(server).values() for message in messages
            if message.startswith("line ")]


def talk(agent, until):
    (agent.root / "work" / NAME / "until").write_text(str(until))


def test_each_line_comes_once_over_rotations_and_the_agents_and_the_servers_end(
        server, fleet, agent):
    fleet.deploy_and_wait({NAME: "1.0.0", MANAGER: rules()})
    wait_until(lambda: numbers(server) == list(range(10)), "the first lines")
    assert all(stream.endswith("/thing/edge-1") for stream in lines(server))
    # A megabyte a file: it is rotated twice meanwhile.
    talk(agent, 1200)
    wait_until(lambda: len(numbers(server)) >= 1200, "the lines before the end", 120)
    agent.stop()
    server.kill()
    agent.start()
    agent.wait_for(NAME, "1.0.0")
    talk(agent, 2500)
    wait_until(lambda: "logs wait" in str(agent.status()["components"]), "the device saying why")
    server.start()
    # The component began anew, and with it its numbers.
    wait_until(lambda: len(numbers(server)) >= 1200 + 2500, "all lines", 120)
    assert numbers(server) == list(range(1200)) + list(range(2500))
    wait_until(lambda: "logs wait" not in str(agent.status()["components"]), "nothing waiting")


def test_lines_below_the_least_level_stay_on_the_device(server, fleet, agent):
    run = "for level in DEBUG INFO WARN ERROR; do echo \"[$level] said $level\"; done; sleep 1000"
    fleet.component(NAME, "2.0.0", {"run": run})
    fleet.deploy_and_wait({NAME: "2.0.0", MANAGER: rules(minimumLogLevel="WARN")})
    wait_until(lambda: [m for ms in lines(server).values() for m in ms] ==
               ["[WARN] said WARN", "[ERROR] said ERROR"], "the lines")


def objects(server):
    """The bucket that devices may put to, each below its name: {key: lines}."""
    s3 = server.aws("s3")
    return {entry["Key"]: s3.get_object(Bucket="andon-uploads", Key=entry["Key"])["Body"].read()
            .decode().splitlines()
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket="andon-uploads")
            for entry in page.get("Contents", [])}


def test_lines_come_to_a_bucket_as_objects_in_their_order(server, fleet, agent):
    fleet.deploy_and_wait({NAME: "1.0.0", MANAGER: rules(andonDestination="s3://andon-uploads")})

    def said():
        found = objects(server)
        assert all(key.startswith(f"edge-1/{NAME}/20") for key in found), list(found)
        return [int(line.split()[1]) for key in sorted(found) for line in found[key]
                if line.startswith("line ")]
    wait_until(lambda: said() == list(range(10)), "the first lines")
    # What is put again after a crash is the same object.
    agent.kill()
    (agent.root / "config" / "log-places.json").unlink()
    agent.start()
    agent.wait_for(NAME, "1.0.0")
    talk(agent, 1500)
    wait_until(lambda: said() == list(range(1500)), "all lines, each once", 120)
    assert lines(server) == {}


def test_lines_come_to_a_topic(server, fleet, agent):
    with server.operator_mqtt().subscribe("dt/#") as heard:
        fleet.deploy_and_wait(
            {NAME: "1.0.0", MANAGER: rules(andonDestination="mqtt:///dt/logs/{thing}/{stream}")})

        def said():
            batches = [json.loads(text) for topic, text in heard.messages()
                       if topic == f"dt/logs/edge-1/{NAME}"]
            assert all(batch["component"] == NAME for batch in batches)
            return [event["message"].split()[1] for batch in batches for event in batch["events"]]
        wait_until(lambda: said() == [str(i) for i in range(10)], "the lines")
    assert lines(server) == {}


def test_lines_that_may_not_go_to_their_bucket_wait_and_say_so(server, fleet, agent):
    fleet.deploy_and_wait({NAME: "1.0.0", MANAGER: rules(andonDestination="s3://others")})
    wait_until(lambda: "AccessDenied" in str(agent.status()["components"]), "the reason")
    fleet.deploy_and_wait({NAME: "1.0.0", MANAGER: rules(andonDestination="s3://andon-uploads")})
    wait_until(lambda: sum(map(len, objects(server).values())) == 10, "all lines")
    wait_until(lambda: "logs wait" not in str(agent.status()["components"]), "nothing waiting")


def post(server, agent, body):
    context = ssl.create_default_context(cafile=agent.root / "config" / "ca.crt")
    context.load_cert_chain(agent.root / "config" / "device.crt", agent.root / "config" / "device.key")
    request = urllib.request.Request(
        agent.status()["server"] + "/andon/v1/logs", data=body, method="POST")
    try:
        with urllib.request.urlopen(request, context=context, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_device_writes_to_no_other_group_than_its_components_and_as_nobody_else(
        server, fleet, agent):
    good = {"component": NAME, "events": [{"timestamp": 1, "message": "x"}]}
    assert post(server, agent, json.dumps({**good, "component": "com.example.Invented"}).encode()) == 404
    assert post(server, agent, json.dumps({**good, "component": "../../x"}).encode()) == 400
    assert post(server, agent, b"{") == 400
    assert post(server, agent, json.dumps({**good, "events": [{"message": "x"}]}).encode()) == 400
    # Too old for a log group: taken, and dropped as the API does.
    assert post(server, agent, json.dumps(good).encode()) == 200
    assert lines(server) == {}


def test_files_of_the_components_own_come_with_their_messages_whole_over_rotations(
        server, fleet, agent, tmp_path):
    folder = tmp_path / "app-logs"
    folder.mkdir()
    stack = "".join(f"2026-11-30 ERROR failed {i}\n  at one\n  at another\n" for i in range(3))
    (folder / "app.log").write_text(stack)
    (folder / "other.txt").write_text("not meant\n")
    (folder / "app-link.log").symlink_to("/etc/hostname")
    fleet.deploy_and_wait({NAME: "1.0.0", MANAGER: rules(
        logFileDirectoryPath=str(folder), logFileRegex=r"^app.*\.log", multiLineStartPattern="^2026")})
    expected = [f"2026-11-30 ERROR failed {i}\n  at one\n  at another" for i in range(3)]

    def messages():
        return [message for found in lines(server).values() for message in found]
    wait_until(lambda: messages() == expected, "the messages of the file")
    # It is rotated, and the old file has a line more.
    with open(folder / "app.log", "a") as old:
        old.write("2026-11-30 INFO the last of it\n")
    (folder / "app.log").rename(folder / "app-1.log")
    (folder / "app.log").write_text("2026-11-30 INFO anew\n")
    wait_until(lambda: len(messages()) == 5, "the messages after the rotation")
    agent.kill()
    agent.start()
    with open(folder / "app.log", "a") as now:
        now.write("2026-11-30 INFO after the restart\n")
    wait_until(lambda: len(messages()) > 5, "the message after the restart")
    assert sorted(messages()) == sorted(expected + [
        "2026-11-30 INFO the last of it", "2026-11-30 INFO anew", "2026-11-30 INFO after the restart"])


def test_files_that_components_may_not_read_stay_where_they_are(server, fleet, tmp_path):
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name, \
            Agent(server, tmp_path / "device", component_user="nobody") as agent:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "secret.log").write_text("of root alone\n")
        (folder / "secret.log").chmod(0o600)
        (folder / "open.log").write_text("for all\n")
        fleet.deploy_and_wait({MANAGER: rules(
            logFileDirectoryPath=name, logFileRegex=r"\.log$",
            andonDestination="s3://andon-uploads")})
        wait_until(lambda: objects(server), "what all may read")
        assert list(objects(server).values()) == [["for all"]]
        assert agent.status()["agent"] == "running"
