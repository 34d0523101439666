# SPDX-License-Identifier: Apache-2.0
"""Who did what: cloudtrail:LookupEvents through boto3 and the AWS CLI, andon's own operations and
command line, the export verified by hand, and syslog."""
import datetime
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from aws_client import error_answer
from harness import PATIENCE_S, Server, checked, http, program, wait_until

ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def trail(server):
    return checked(server.aws("cloudtrail"))


def events_of(trail, key=None, value=None, **more):
    """All pages, newest first, each with its record."""
    attributes = [{"AttributeKey": key, "AttributeValue": value}] if key else []
    found = []
    for page in trail.get_paginator("lookup_events").paginate(LookupAttributes=attributes, **more):
        found += page["Events"]
    for event in found:
        assert {"EventId", "EventName", "ReadOnly", "EventTime", "EventSource", "Resources",
                "CloudTrailEvent"} <= event.keys()
        event["record"] = json.loads(event["CloudTrailEvent"])
        assert {"eventVersion", "userIdentity", "eventTime", "eventSource", "eventName",
                "awsRegion", "eventID", "readOnly", "eventType", "recipientAccountId",
                "resources"} <= event["record"].keys()
    return found


def eventually(trail, key, value, count=1):
    """What changes nothing follows within a second."""
    def enough():
        found = events_of(trail, key, value)
        return found if len(found) >= count else None
    return wait_until(enough, f"{count} events with {key} {value}")


def user(server, name, *statements):
    """A user's key."""
    iam = server.aws("iam")
    iam.create_user(UserName=name)
    for at, (action, resource) in enumerate(statements):
        iam.put_user_policy(UserName=name, PolicyName=f"p{at}", PolicyDocument=json.dumps(
            {"Version": "2012-10-17",
             "Statement": {"Effect": "Allow", "Action": action, "Resource": resource}}))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]}


def test_a_change_is_there_with_all_that_is_known_of_it(server, trail, fresh):
    name, thing = fresh("user"), fresh("thing")
    key = user(server, name, ("iot:*", "*"))
    answer = server.aws("iot", key).create_thing(thingName=thing)
    event, = events_of(trail, "ResourceName", f"arn:aws:iot:us-east-1:{ACCOUNT}:thing/{thing}")
    assert event["EventName"] == "CreateThing" and event["ReadOnly"] == "false"
    assert event["EventSource"] == "iot.amazonaws.com"
    assert event["Username"] == name and event["AccessKeyId"] == key["accessKeyId"]
    record = event["record"]
    assert record["userIdentity"]["type"] == "IAMUser"
    assert record["userIdentity"]["arn"] == f"arn:aws:iam::{ACCOUNT}:user/{name}"
    assert record["sourceIPAddress"] == "127.0.0.1" and "Boto3" in record["userAgent"]
    assert record["requestID"] == answer["ResponseMetadata"]["RequestId"]
    assert "errorCode" not in record


def test_each_attribute_finds_its_events(server, trail, fresh):
    name, thing = fresh("user"), fresh("thing")
    key = user(server, name, ("iot:*", "*"))
    iot = server.aws("iot", key)
    iot.create_thing(thingName=thing)
    iot.describe_thing(thingName=thing)
    assert error_answer(server.aws("s3", key).list_buckets)["Code"] == "AccessDenied"
    mine = eventually(trail, "Username", name, 3)
    assert {event["EventName"] for event in mine} == {"CreateThing", "DescribeThing", "ListBuckets"}
    assert [event["record"].get("errorCode") for event in mine
            if event["EventName"] == "ListBuckets"] == ["AccessDenied"]
    for attribute, value, expected in [
            ("AccessKeyId", key["accessKeyId"], {"CreateThing", "DescribeThing", "ListBuckets"}),
            ("EventName", "DescribeThing", {"DescribeThing"}),
            ("EventSource", "s3.amazonaws.com", {"ListBuckets"}),
            ("ReadOnly", "false", {"CreateThing"}),
            ("ReadOnly", "true", {"DescribeThing", "ListBuckets"})]:
        found = [event for event in events_of(trail, attribute, value)
                 if event.get("Username") == name]
        assert {event["EventName"] for event in found} == expected, attribute
    one, = events_of(trail, "EventId", mine[0]["EventId"])
    assert one["record"] == mine[0]["record"]
    assert events_of(trail, "EventId", mine[0]["EventId"].replace("-8", "-9")) == []


def test_pages_and_times_leave_nothing_out(server, trail, fresh):
    thing = fresh("thing")
    iot = server.aws("iot")
    for at in range(7):
        iot.create_thing(thingName=f"{thing}-{at}")
    found = events_of(trail, "EventName", "CreateThing", PaginationConfig={"PageSize": 2})
    names = [event["Resources"][0]["ResourceName"].split("/")[-1] for event in found]
    mine = [name for name in names if name.startswith(f"{thing}-")]
    assert mine == [f"{thing}-{at}" for at in reversed(range(7))]
    newest = found[0]["EventTime"]
    hour = datetime.timedelta(hours=1)
    assert len(events_of(trail, "EventName", "CreateThing", StartTime=newest - hour,
                         EndTime=newest + hour)) == len(found)
    assert events_of(trail, "EventName", "CreateThing", EndTime=newest - hour) == []
    assert events_of(trail, "EventName", "CreateThing", StartTime=newest + hour) == []


def test_bad_questions_are_refused_with_awss_codes(trail):
    def code(**arguments):
        return error_answer(trail.lookup_events, **arguments)["Code"]

    def attribute(key, value):
        return [{"AttributeKey": key, "AttributeValue": value}]
    now = datetime.datetime.now()
    assert code(LookupAttributes=attribute("ReadOnly", "maybe")) == "InvalidLookupAttributesException"
    assert code(LookupAttributes=attribute("ResourceType", "x")) == "InvalidLookupAttributesException"
    assert code(LookupAttributes=attribute("EventName", "a") * 2) == "InvalidLookupAttributesException"
    assert code(NextToken="!") == "InvalidNextTokenException"
    assert code(NextToken="bm9uZQ==") == "InvalidNextTokenException"
    assert code(StartTime=now, EndTime=now - datetime.timedelta(days=1)) == "InvalidTimeRangeException"
    assert "EventCategory" in error_answer(trail.lookup_events, EventCategory="insight")["Message"]


def test_who_may_not_read_it_does_not(server, fresh):
    key = user(server, fresh("user"), ("iot:*", "*"))
    assert error_answer(server.aws("cloudtrail", key).lookup_events)["Code"] == "AccessDeniedException"


def test_sign_ins_name_the_session_and_the_key_that_was_given(server, trail, fresh):
    name = fresh("user")
    key = user(server, name, ("sts:AssumeRole", "*"))
    role = f"arn:aws:iam::{ACCOUNT}:role/viewer"
    given = server.aws("sts", key).assume_role(RoleArn=role, RoleSessionName="night-shift")
    event = next(event for event in events_of(trail, "EventName", "AssumeRole")
                 if event["Username"] == name)
    assert event["Resources"] == [{"ResourceName": role}]
    more = event["record"]["additionalEventData"]
    assert more["detail"] == "session night-shift"
    assert more["madeAccessKeyId"] == given["Credentials"]["AccessKeyId"]
    session = {"accessKeyId": given["Credentials"]["AccessKeyId"],
               "secretAccessKey": given["Credentials"]["SecretAccessKey"],
               "sessionToken": given["Credentials"]["SessionToken"]}
    assert error_answer(server.aws("iot", session).create_thing, thingName="x")
    event, = eventually(trail, "Username", "night-shift")
    assert event["record"]["userIdentity"]["type"] == "AssumedRole"
    assert event["record"]["errorCode"] == "AccessDeniedException"
    secrets = {given["Credentials"]["SecretAccessKey"], given["Credentials"]["SessionToken"],
               key["secretAccessKey"]}
    told = json.dumps([event["record"] for event in events_of(trail)])
    assert not [secret for secret in secrets if secret in told]


def test_who_is_not_known_is_recorded_and_bounded(tmp_path):
    # A server of its own: what is bounded is the share of this address.
    with Server(tmp_path / "data") as server:
        trail = server.aws("cloudtrail")
        wrong = dict(server.operator_key, secretAccessKey="wrong")
        iot = server.aws("iot", wrong)
        for _ in range(60):
            assert error_answer(iot.list_things)["Code"] == "InvalidSignatureException"

        def denied():
            return [event for event in events_of(trail, "AccessKeyId", wrong["accessKeyId"])
                    if event["record"].get("errorCode") == "InvalidSignatureException"]
        found = wait_until(denied, "the refusals")
        assert len(found) <= 40 and "Username" not in found[0]
        assert found[0]["record"]["userIdentity"]["type"] == "Unknown"
        said = eventually(trail, "EventName", "RefusalsNotRecorded")
        assert said[-1]["record"]["additionalEventData"]["count"] > 0


def test_devices_enrolments_and_refusals_are_recorded(server, trail, fresh, tmp_path):
    thing = fresh("device")
    device = server.device(thing, tmp_path)
    event, = eventually(trail, "ResourceName", f"arn:aws:iot:us-east-1:{ACCOUNT}:thing/{thing}")
    assert event["EventName"] == "EnrolDevice" and event["Username"] == thing
    assert event["record"]["additionalEventData"]["via"] == "device"
    # Of another thing.
    other = fresh("device")
    status, _ = device.https(f"/greengrass/v2/coreDevices/{other}/thingGroups")
    assert status in (403, 404)
    assert device.https("/role-aliases/default/credentials",
                        headers={"x-amzn-iot-thingname": other})[0] == 403
    status, _ = http(server.info["devicePlane"] + "/andon/v1/enrol", "POST",
                     {"secret": "guessed", "csr": device.csr()},
                     {"Content-Type": "application/json"}, server.tls())
    assert status == 403
    eventually(trail, "EventName", "EnrolDevice", 2)
    codes = {(event["EventName"], event["record"].get("errorCode"))
             for event in eventually(trail, "Username", thing, 2)}
    assert ("AssumeRoleWithCertificate", "AccessDeniedException") in codes
    # What the broker refuses.
    assert not device.mqtt().publish(f"$aws/things/{other}/shadow/update", "x")
    event, = eventually(trail, "ResourceName", f"topic/$aws/things/{other}/shadow/update")
    assert event["EventName"] == "Publish" and event["Username"] == thing
    assert event["record"]["additionalEventData"]["via"] == "broker"
    # A device may not say what the broker has refused.
    assert not device.mqtt().publish("$SYS/broker/andon/refusals", "{}")


def test_objects_are_named(server, trail, fresh):
    bucket = fresh("bucket")
    s3 = server.aws("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a/b c.txt", Body=b"content-that-is-nobodys-business")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a/b c.txt"}, {"Key": "none"}]})
    found = events_of(trail, "ResourceName", f"arn:aws:s3:::{bucket}/a/b c.txt")
    assert [event["EventName"] for event in found] == ["DeleteObjects", "PutObject"]
    assert {entry["ResourceName"] for entry in found[0]["Resources"]} == {
        f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/a/b c.txt", f"arn:aws:s3:::{bucket}/none"}
    assert "nobodys-business" not in json.dumps([event["record"] for event in found])


def test_the_aws_cli_looks_events_up(server, fresh):
    thing = fresh("thing")
    server.aws("iot").create_thing(thingName=thing)
    key = server.operator_key
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"),
                   "AWS_ACCESS_KEY_ID": key["accessKeyId"], "AWS_DEFAULT_REGION": key["region"],
                   "AWS_SECRET_ACCESS_KEY": key["secretAccessKey"], "AWS_MAX_ATTEMPTS": "1"}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("aws")), "--endpoint-url", server.info["api"],
         "cloudtrail", "lookup-events", "--lookup-attributes",
         "AttributeKey=EventName,AttributeValue=CreateThing", "--max-items", "5",
         "--query", "Events[0].Resources[0].ResourceName", "--output", "text"],
        env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[0] == f"arn:aws:iot:us-east-1:{ACCOUNT}:thing/{thing}"


@pytest.fixture
def andon(server):
    def run(*arguments, expect=0):
        done = subprocess.run([program("andon"), *arguments, "--data", str(server.data)],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == expect, done.stderr
        return done.stdout if expect == 0 else done.stdout + done.stderr
    return run


def test_the_command_line_lists_verifies_and_exports(server, andon, fresh, tmp_path):
    name, thing = fresh("user"), fresh("thing")
    key = user(server, name, ("iot:Create*", "*"))
    iot = server.aws("iot", key)
    iot.create_thing(thingName=thing)
    error_answer(iot.delete_thing, thingName=thing)
    arn = f"arn:aws:iot:us-east-1:{ACCOUNT}:thing/{thing}"
    wait_until(lambda: len(andon("audit", "--who", name).splitlines()) == 2, "the refusal")
    newest, oldest = andon("audit", "--who", name).splitlines()
    assert re.match(rf"\S+Z  ok      {name}  iot:CreateThing {re.escape(arn)}  from 127.0.0.1$", oldest)
    assert f"denied  {name}  iot:DeleteThing {arn}  AccessDeniedException" in newest
    assert andon("audit", "--resource", arn, "--outcome", "denied").splitlines() == [newest]
    assert andon("audit", "--who", name, "--action", "iot:CreateThing").splitlines() == [oldest]
    assert andon("audit", "--who", name, "--since", "1h", "--access", "write", "--limit", "1") \
        .splitlines() == [newest]
    assert andon("audit", "--who", name, "--until", "1d") == ""
    as_json = json.loads(andon("audit", "--who", name, "--json"))["entries"]
    assert [entry["entry"]["operation"] for entry in as_json] == ["DeleteThing", "CreateThing"]
    assert "--since 'soon'" in andon("audit", "--since", "soon", expect=3)

    said = andon("audit", "--verify")
    head = re.search(r"head (\d+:[0-9a-f]{64})$", said.strip()).group(1)
    iot.create_thing(thingName=thing + "-2")
    andon("audit", "--verify", "--head", head)
    sequence, _, digest = head.partition(":")
    forged = f"{sequence}:{digest[::-1]}"
    assert "had another hash" in andon("audit", "--verify", "--head", forged, expect=11)
    later = f"{int(sequence) + 100_000}:{digest}"
    assert "is missing" in andon("audit", "--verify", "--head", later, expect=11)

    file = tmp_path / "audit.jsonl"
    andon("audit", "export", "--output", str(file))
    lines = file.read_text().splitlines()
    assert len(lines) > 3
    # As anybody verifies an export: over the hash before and the entry's text.
    for before, line in zip(lines, lines[1:]):
        text = re.match(r'\{"hash":"[0-9a-f]{64}","entry":(.*)\}$', line).group(1)
        expected = hashlib.sha256((json.loads(before)["hash"] + text).encode()).hexdigest()
        assert json.loads(line)["hash"] == expected
        assert json.loads(line)["entry"]["sequence"] == json.loads(before)["entry"]["sequence"] + 1


def test_when_a_key_was_last_used_is_known(server, andon, fresh):
    name = fresh("user")
    key = user(server, name, ("iot:*", "*"))
    iam = checked(server.aws("iam"))
    answer = iam.get_access_key_last_used(AccessKeyId=key["accessKeyId"])
    assert answer["UserName"] == name and "LastUsedDate" not in answer["AccessKeyLastUsed"]
    assert answer["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}
    assert "not used yet" in andon("keys", "list", name)
    server.aws("iot", key).list_things()
    used = wait_until(
        lambda: (lambda last: last if "LastUsedDate" in last else None)(
            iam.get_access_key_last_used(AccessKeyId=key["accessKeyId"])["AccessKeyLastUsed"]),
        "the use")
    assert used["ServiceName"] == "iot" and used["Region"] == "us-east-1"
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs(now - used["LastUsedDate"]) < datetime.timedelta(minutes=5)
    assert "for iot in us-east-1" in andon("keys", "list", name)
    listed, = json.loads(andon("keys", "list", name, "--json"))
    assert listed["LastUsedService"] == "iot"


def test_each_entry_is_told_to_syslog(tmp_path):
    path = tmp_path / "log"
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(str(path))
    receiver.settimeout(PATIENCE_S)
    with Server(tmp_path / "data", "--audit-syslog", f"unix:{path}") as server:
        server.aws("iot").create_thing(thingName="line-1")
        while True:
            line = receiver.recv(100_000).decode()
            assert re.match(r"<10[89]>1 \S+Z \S+ andon-server \d+ audit - \{", line)
            told = json.loads(line[line.index("{"):])
            if told["entry"]["operation"] == "CreateThing":
                break
        assert told["entry"]["name"] == "root"
        receiver.close()
        path.unlink()
        # One that is away holds nobody up.
        server.aws("iot").create_thing(thingName="line-2")
        wait_until(lambda: "syslog cannot be reached" in server.log(), "the word in the log")
        assert b'andon_audit_syslog_total{outcome="sent"}' in server.get("/metrics")[1]


def test_a_syslog_that_cannot_be_read_is_refused(tmp_path):
    done = subprocess.run([program("andon-server"), "run", "--data", str(tmp_path / "data"),
                           "--audit-syslog", "udp:nowhere"], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)
    assert done.returncode == 2 and "--audit-syslog" in done.stderr


def test_the_servers_life_and_local_commands_are_recorded(tmp_path):
    data, copy = tmp_path / "data", tmp_path / "copy"
    with Server(data) as server:
        done = subprocess.run([program("andon-server"), "backup", str(copy), "--data", str(data)],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert server.stop() == 0
        server.start()
        server.kill()
        server.start()
        trail = server.aws("cloudtrail")
        starts = eventually(trail, "EventName", "StartServer", 3)
        assert [event["record"]["additionalEventData"].get("detail") for event in starts] == [
            "the server before did not end in order", None, None]
        assert len(events_of(trail, "EventName", "StopServer")) == 1
        backup, = events_of(trail, "EventName", "Backup")
        assert backup["record"]["additionalEventData"]["via"] == "local"
        assert backup["Resources"] == [{"ResourceName": str(copy)}]
        assert server.call("GET", "/andon/v1/audit-check")[1]["problems"] == []
    restored = tmp_path / "restored"
    done = subprocess.run([program("andon-server"), "restore", str(copy), "--data", str(restored)],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    with Server(restored) as server:
        restore, = events_of(server.aws("cloudtrail"), "EventName", "Restore")
        assert restore["Resources"] == [{"ResourceName": str(copy)}]
        assert server.call("GET", "/andon/v1/audit-check")[1]["problems"] == []
