# SPDX-License-Identifier: Apache-2.0
"""Results by line or group: the devices of a thing group as they are when one asks."""
import csv
import json
import subprocess

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness import PATIENCE_S, Server, http, next_line, program, wait_until

THINGS = {"line-1": "OK", "line-2": "NG", "line-3": "NG"}


def message(number, verdict):
    return {"timestamp": f"2026-11-22T10:00:{number:02}.000Z", "image": {"name": f"{number}.jpg"},
            "detections": [{"label": "scratch", "confidence": 0.5}], "verdict": verdict}


@pytest.fixture(scope="module", name="server")
def fixture_server(tmp_path_factory):
    """Hall 1 has line 1, and line 2 by the group within it; line 3 is in no group."""
    with Server(tmp_path_factory.mktemp("groups") / "data") as server:
        iot = server.aws("iot")
        iot.create_thing_group(thingGroupName="hall-1")
        iot.create_thing_group(thingGroupName="presses", parentGroupName="hall-1")
        devices = tmp_path_factory.mktemp("devices")
        for thing, verdict in THINGS.items():
            mqtt = server.device(thing, devices).mqtt()
            for number in range(3):
                assert mqtt.publish(f"andon/things/{thing}/results", message(number, verdict))
        iot.add_thing_to_thing_group(thingName="line-1", thingGroupName="hall-1")
        iot.add_thing_to_thing_group(thingName="line-2", thingGroupName="presses")
        wait_until(lambda: len(server.results()) == 9, "all results being stored")
        yield server


@pytest.fixture(name="andon")
def fixture_andon(server):
    def run(*words):
        done = subprocess.run([program("andon"), "result", *words, "--data", server.data],
                              capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 0, done.stderr
        return done.stdout
    return run


def things_of(results):
    return sorted({one["thing"] for one in results})


def test_results_of_a_group_are_listed_counted_exported_and_followed(server, andon):
    def listed(*words):
        return json.loads(andon("list", "--json", *words))["results"]
    assert things_of(listed("--group", "hall-1")) == ["line-1", "line-2"]
    assert len(listed("--group", "hall-1")) == 6
    assert things_of(listed("--group", "presses")) == ["line-2"]
    assert things_of(listed("--group", "hall-1", "--verdict", "NG")) == ["line-2"]
    assert listed("--group", "hall-1", "--thing", "line-3") == []
    assert listed("--group", "hall-1", "--max-score", "0.4") == []

    counted = json.loads(andon("counts", "--json", "--group", "hall-1", "--by", "thing"))["counts"]
    assert [(one["thing"], one["count"]) for one in counted] == [("line-1", 3), ("line-2", 3)]
    exported = csv.DictReader(andon("export", "--format", "csv", "--group", "presses").splitlines())
    assert [one["thing"] for one in exported] == ["line-2"] * 3

    tail = subprocess.Popen([program("andon"), "result", "tail", "-f", "--json", "--lines", "0",
                             "--group", "presses", "--data", server.data],
                            stdout=subprocess.PIPE, text=True)
    try:
        # Whoever is in it when it is asked: what line 3 found before comes along with it.
        server.aws("iot").add_thing_to_thing_group(thingName="line-3", thingGroupName="presses")
        assert things_of(listed("--group", "presses")) == ["line-2", "line-3"]
        device = server.device("line-4", server.data.parent / "more")
        server.aws("iot").add_thing_to_thing_group(thingName="line-4", thingGroupName="presses")
        device.mqtt().publish("andon/things/line-4/results", message(9, "OK"))
        assert json.loads(next_line(tail))["thing"] == "line-4"
    finally:
        tail.kill()
        tail.wait()
        server.aws("iot").remove_thing_from_thing_group(thingName="line-3", thingGroupName="presses")
    assert things_of(listed("--group", "presses")) == ["line-2", "line-4"]


def test_a_group_that_is_none_is_told(server):
    for path in ("results", "result-counts", "result-export"):
        status, answer = server.call("GET", f"/andon/v1/{path}?thingGroupName=attic")
        assert status == 404 and "attic" in answer["message"], answer
        assert server.call("GET", f"/andon/v1/{path}?thingGroupName=")[0] == 400


def test_who_may_see_a_group_sees_no_other(server):
    iam = server.aws("iam")
    iam.create_user(UserName="press-operator")
    key = iam.create_access_key(UserName="press-operator")["AccessKey"]
    iam.put_user_policy(UserName="press-operator", PolicyName="see", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Action": ["andon:ListResults", "andon:CountResults", "andon:ExportResults"],
            "Resource": "arn:aws:andon:us-east-1:000000000000:thinggroup/presses"}]}))

    def status_of(path):
        request = AWSRequest("GET", f"{server.info['api']}/andon/v1/{path}")
        SigV4Auth(Credentials(key["AccessKeyId"], key["SecretAccessKey"]), "andon",
                  "us-east-1").add_auth(request)
        return http(request.url, "GET", None, dict(request.headers), server.tls())[0]
    for path in ("results", "result-counts", "result-export"):
        assert status_of(f"{path}?thingGroupName=presses") == 200
        assert status_of(f"{path}?thingGroupName=presses&class=scratch") == 200
        for other in ("", "?thingGroupName=hall-1", "?thingGroupName=", "?thing=line-2",
                      "?thing=line-1&thingGroupName=presses",
                      "?thingGroupName=presses&thingGroupName=hall-1"):
            assert status_of(path + other) == 403, path + other
