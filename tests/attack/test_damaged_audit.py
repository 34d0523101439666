# SPDX-License-Identifier: Apache-2.0
"""What somebody with write access, a crash or a full disk does to the audit log: the log is whole
after kill -9 at any moment, and what was changed behind the server's back is named with its
place."""
import json
import random
import shutil
import sqlite3
import subprocess
import threading
import urllib.parse

import botocore.exceptions
import pytest

from harness import PATIENCE_S, Server, program, wait_until

DAMAGED = 11  # exit code
UNAVAILABLE = 503


def check(data):
    """What `andon-server check` finds."""
    done = subprocess.run([program("andon-server"), "check", "--json", "--data", str(data)],
                          capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode in (0, DAMAGED), done.stderr
    return json.loads(done.stdout)["problems"]


class Load(threading.Thread):
    """Makes things until the server is gone; knows which were answered."""

    def __init__(self, server, name):
        super().__init__()
        self.iot, self.name, self.answered = server.aws("iot"), name, []

    def run(self):
        for number in range(100_000):
            thing = f"{self.name}-{number}"
            try:
                self.iot.create_thing(thingName=thing)
                self.answered.append(thing)
                self.iot.describe_thing(thingName=thing)
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                return


def test_the_log_is_whole_and_has_every_answered_change_whenever_the_server_is_killed(tmp_path):
    server = Server(tmp_path / "data")
    drawn = random.Random(20261129)
    answered = set()
    for turn in range(6):
        server.start()
        loads = [Load(server, f"t{turn}-{at}") for at in range(3)]
        for load in loads:
            load.start()
        enough = drawn.randint(5, 60)
        wait_until(lambda: sum(len(load.answered) for load in loads) >= enough, "some load")
        server.kill()
        for load in loads:
            load.join(PATIENCE_S)
            answered.update(load.answered)
    assert check(tmp_path / "data") == []
    with server:
        recorded, target = set(), "/andon/v1/audit?action=iot%3ACreateThing&maxResults=1000"
        page = server.call("GET", target)[1]
        while True:
            recorded.update(resource.split("/")[-1] for entry in page["entries"]
                            for resource in entry["entry"]["resources"])
            if "nextToken" not in page:
                break
            page = server.call("GET", f"{target}&nextToken={urllib.parse.quote(page['nextToken'])}")[1]
        assert answered <= recorded
        # What was changed in the moment of a kill and not answered is all that may lack its entry.
        things = {thing["thingName"] for page in
                  server.aws("iot").get_paginator("list_things").paginate()
                  for thing in page["things"]}
        assert len(things - recorded) <= 6 * 3


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A data directory with some entries, whose server has ended."""
    directory = tmp_path_factory.mktemp("sound")
    with Server(directory / "data") as server:
        for number in range(12):
            server.aws("iot").create_thing(thingName=f"line-{number}")
        assert server.stop() == 0
    return directory / "data"


@pytest.fixture
def data(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "data")


def attack(data, *statements):
    with sqlite3.connect(data / "audit.db") as database:
        for statement in statements:
            database.execute(statement)
    database.close()


@pytest.mark.parametrize("statement, said", [
    ("UPDATE audit_entries SET content = replace(content, 'root', 'eva!') WHERE sequence = 5",
     ["entry 5 does not fit its hash"]),
    ("UPDATE audit_entries SET hash = replace(hash, substr(hash, 1, 4), 'ffff') WHERE sequence = 5",
     ["entry 5 does not fit its hash", "entry 6 does not fit its hash"]),
    ("DELETE FROM audit_entries WHERE sequence = 7", ["entry 7 is missing: removed"]),
    ("DELETE FROM audit_entries WHERE sequence <= 3", ["entries 1 to 3 are missing: removed"]),
    ("DELETE FROM audit_entries WHERE sequence > 10", ["are missing: cut off at the end"]),
    ("UPDATE audit_entries SET operation = 'ListThings' WHERE sequence = 4",
     ["entry 4 is listed with another time or operation"]),
    ("UPDATE audit_head SET last_sequence = 10", ["is not the one that this server has signed"]),
    ("DELETE FROM audit_head", ["the head of the audit log is gone"]),
])
def test_what_was_changed_behind_the_servers_back_is_named_with_its_place(data, statement, said):
    assert check(data) == []
    attack(data, statement)
    found = check(data)
    assert len(found) == len(said) and all("audit.db" in problem for problem in found)
    assert all(part in problem for part, problem in zip(said, found)), found


def test_the_running_server_names_it_too(data):
    with Server(data) as server:
        attack(data, "DELETE FROM audit_entries WHERE sequence = 6")
        problems = server.call("GET", "/andon/v1/audit-check")[1]["problems"]
        assert problems == [{"sequence": 6, "problem": "entry 6 is missing: removed"}]
        done = subprocess.run([program("andon"), "audit", "--verify", "--data", str(data)],
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert done.returncode == DAMAGED and "entry 6 is missing" in done.stdout


def test_a_log_that_was_put_back_to_an_earlier_state_is_found(data, sound):
    with Server(data) as server:
        server.aws("iot").create_thing(thingName="crime")
        assert server.stop() == 0
    for old in sound.glob("audit.db*"):
        shutil.copy(old, data / old.name)
    assert any("was put back to an earlier state" in problem for problem in check(data))
    server = Server(data)
    with pytest.raises(AssertionError, match="its end was removed"):
        server.start()


def test_a_lost_key_is_not_made_anew(data):
    (data / "credentials" / "audit.key").unlink()
    with pytest.raises(AssertionError, match="audit.key' is missing"):
        Server(data).start()


def test_nobody_reads_the_key_but_its_owner(data):
    for name in ("credentials/audit.key", "credentials/audit-head.json", "audit.db"):
        assert (data / name).stat().st_mode & 0o077 == 0, name


def test_changes_are_refused_while_the_log_takes_nothing_and_reads_go_on(data):
    with Server(data) as server:
        attack(data, "CREATE TRIGGER full BEFORE INSERT ON audit_entries "
                     "BEGIN SELECT RAISE(ABORT, 'full'); END")
        iot, s3 = server.aws("iot"), server.aws("s3")

        def refusal(call, **arguments):
            with pytest.raises(botocore.exceptions.ClientError) as error:
                call(**arguments)
            assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == UNAVAILABLE
            return error.value.response["Error"]["Message"]
        assert "its entry in the audit log is not on the disk yet" in \
            refusal(iot.create_thing, thingName="first")
        assert "nothing is changed unless it is recorded" in \
            refusal(iot.create_thing, thingName="second")
        assert "nothing is changed unless it is recorded" in \
            refusal(s3.create_bucket, Bucket="some-bucket")
        assert "line-1" in {thing["thingName"] for thing in iot.list_things()["things"]}
        assert b"andon_audit_writable 0" in server.get("/metrics")[1]
        attack(data, "DROP TRIGGER full")
        wait_until(lambda: b"andon_audit_writable 1" in server.get("/metrics")[1], "room")
        iot.create_thing(thingName="third")
        names = {thing["thingName"] for thing in iot.list_things()["things"]}
        assert {"first", "third"} <= names and "second" not in names
        entries = server.call("GET", "/andon/v1/audit?action=iot%3ACreateThing")[1]["entries"]
        made = {entry["entry"]["resources"][0].split("/")[-1] for entry in entries}
        assert {"first", "third"} <= made
        assert server.call("GET", "/andon/v1/audit-check")[1]["problems"] == []
