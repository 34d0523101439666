# SPDX-License-Identifier: Apache-2.0
"""What a device with a good certificate does against the broker and against other devices."""
import hashlib
import json
import subprocess
import uuid
from urllib.parse import quote

import botocore.exceptions
import pytest

from harness import PATIENCE_S, Mqtt, wait_until

DENIED = "denied"


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server


@pytest.fixture(scope="module")
def victim(server, tmp_path_factory):
    return server.device("line-1", tmp_path_factory.mktemp("victim"))


@pytest.fixture(scope="module")
def hostile(server, tmp_path_factory):
    return server.device("line-10", tmp_path_factory.mktemp("hostile"))


def subscribe_and_end(connection, *filters):
    """What mosquitto_sub says until it has its SUBACK."""
    arguments = [argument for each in filters for argument in ("-t", each)]
    ended = subprocess.run(["mosquitto_sub", *connection, *arguments, "-E", "-d"],
                           capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return ended.stdout + ended.stderr


def publish(connection, topic, *arguments, payload=b"x"):
    ended = subprocess.run(["mosquitto_pub", *connection, "-t", topic, "-s", "-d", *arguments],
                           input=payload, capture_output=True, timeout=PATIENCE_S, check=False)
    return (ended.stdout + ended.stderr).decode()


def connects(connection):
    """Does a client get in? It asks for nothing else."""
    said = subscribe_and_end(connection, "andon/broadcast/x")
    return "CONNACK (0)" in said


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


@pytest.mark.parametrize("filters", [
    ["#"], ["$aws/#"], ["$SYS/#"], ["andon/things/line-1/results"], ["andon/things/+/results"],
    ["$share/operators/andon/things/line-1/results"], ["$share/operators/#"],
    ["dt/+/line-1/#"], ["$aws/events/presence/#"], ["andon/broker/counters"]])
def test_a_subscription_without_rights_is_refused(hostile, filters):
    said = subscribe_and_end(hostile.mqtt().connection, *filters)
    assert DENIED in said, said


def test_a_refused_subscriber_does_not_count_as_one(server, victim, hostile):
    """A message leaves a device's spool when the broker says that a subscriber has it (0); without
    one it says 16, No matching subscribers. (The server's store subscribes to results.)"""
    connection = hostile.mqtt().connection
    with subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", *connection, "-d", "-t",
                           "andon/things/line-10/x", "-t", "#", "-t", "$share/g/#"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as attacker:
        try:
            for line in attacker.stdout:
                if "Subscribed" in line:
                    break
            said = publish(victim.mqtt().connection, "andon/things/line-1/counts")
            assert "RC:16" in said, said
            with server.operator_mqtt().subscribe("andon/things/+/counts") as results:
                for number in range(10):
                    said = publish(victim.mqtt().connection, "andon/things/line-1/counts",
                                   payload=str(number).encode())
                    assert "RC:0" in said, said
                wait_until(lambda: len(results.messages()) == 10, "all ten results")
        finally:
            attacker.kill()


@pytest.mark.parametrize("stolen", ["line-1", "line-1#x", "line-100", "andon-server", "x"])
def test_the_client_id_of_another_is_refused(hostile, stolen):
    mqtt = Mqtt(hostile.server, hostile.certificate, hostile.key, stolen)
    assert not connects(mqtt.connection)


def test_a_consumer_cannot_take_a_devices_client_id(server, victim):
    credentials = server.data / "credentials"
    for stolen in (victim.thing, f"{victim.thing}#1"):
        mqtt = Mqtt(server, credentials / "operator.crt", credentials / "operator.key", stolen)
        assert not connects(mqtt.connection)


def test_a_revoked_device_is_cut_off_and_stays_out(server, tmp_path):
    device = server.device("line-3", tmp_path)
    assert connects(device.mqtt().connection)
    with device.mqtt().subscribe("andon/things/line-3/x") as subscription:
        revoke(server, device)
        # mosquitto_sub connects again when it is cut off, and ends when that is refused.
        wait_until(lambda: subscription.process.poll() is not None, "the end of its session")
    assert not connects(device.mqtt().connection)


def revoke(server, device):
    der = subprocess.run(["openssl", "x509", "-in", device.certificate, "-outform", "DER"],
                         check=True, capture_output=True).stdout
    server.aws("iot").update_certificate(certificateId=hashlib.sha256(der).hexdigest(),
                                         newStatus="REVOKED")


def test_a_certificate_of_a_name_that_is_not_registered_is_refused(server, victim, tmp_path):
    """Signed by the right authority, for a thing that the server does not know."""
    key, request, certificate = (tmp_path / name for name in ("key", "csr", "crt"))
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", request,
                    "-subj", "/CN=ghost"], check=True, capture_output=True)
    authority = server.data / "ca"
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", server.ca_file, "-CAkey",
                    authority / "ca.key", "-CAcreateserial", "-out", certificate, "-days",
                    "1"], check=True, capture_output=True)
    assert not connects(Mqtt(server, certificate, key, "ghost").connection)


def test_one_device_cannot_fill_the_brokers_memory(server, hostile, tmp_path):
    """600 messages of nearly 1 MB to its own session that is away, and 300 retained."""
    pid = json.loads((server.data / "mosquitto" / "broker.json").read_text())["pid"]
    before = resident_kib(pid)
    name = hostile.thing + "#away"
    away = Mqtt(server, hostile.certificate, hostile.key, name)
    subscribe_and_end([*away.connection, "-c", "-x", "3600"], "dt/x/line-10/#")
    big = tmp_path / "big"
    big.write_bytes(b"x" * 1_000_000)
    sender = [*hostile.mqtt().connection]
    subprocess.run(["mosquitto_pub", *sender, "-t", "dt/x/line-10/fill", "-f", big, "--repeat",
                    "600"], capture_output=True, timeout=120, check=False)
    for number in range(300):
        said = publish(sender, f"andon/things/line-10/keep/{number}", "-r",
                       payload=b"x" * 100_000 if number < 20 else b"x")
        if number > 120:
            assert "RC:0" not in said and "RC:16" not in said, said
            break
    assert resident_kib(pid) - before < 64 * 1024


def test_a_client_id_a_minute_leaves_no_more_than_a_few_sessions(hostile):
    taken = 0
    for _ in range(12):
        mqtt = Mqtt(hostile.server, hostile.certificate, hostile.key,
                    f"{hostile.thing}#{uuid.uuid4()}")
        taken += connects([*mqtt.connection, "-c", "-x", "3600"])
    assert taken <= 8


ALL = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}


def attach(iot, name, thing, document):
    """A policy of that document, on the certificate of `thing`."""
    iot.create_policy(policyName=name, policyDocument=json.dumps(document))
    iot.attach_policy(policyName=name, target=iot.list_thing_principals(
        thingName=thing)["principals"][0])


@pytest.fixture
def mighty(server, tmp_path):
    """A device whose policy allows it everything."""
    name = f"mighty-{uuid.uuid4().hex[:8]}"
    device = server.device(name, tmp_path)
    attach(server.aws("iot"), name, name, ALL)
    wait_until(lambda: device.mqtt().publish("plant/x", "x"), "its policy counting")
    return device


def test_a_policy_of_everything_opens_nothing_of_another_device(server, victim, mighty):
    for filters in ("#", "+/#", "$aws/#", "$SYS/#", "andon/#", "$aws/things/line-1/#",
                    "andon/things/line-1/results", "cmd/andon/line-1/#", "cmd/#",
                    "$share/g/#", "$share/g/andon/things/+/results", "$aws/events/presence/#"):
        assert DENIED in subscribe_and_end(mighty.mqtt().connection, filters), filters
    mqtt = mighty.mqtt()
    for topic in ("$aws/things/line-1/jobs/x/update", "andon/things/line-1/results",
                  "cmd/andon/line-1/stored/server", f"cmd/andon/{mighty.thing}/stored/server",
                  "$aws/things/line-1/jobs/notify-next", "andon/broker/counters",
                  "$aws/events/presence/disconnected/line-1"):
        assert not mqtt.publish(topic, "forged"), topic
    assert not connects(Mqtt(server, mighty.certificate, mighty.key, "line-1").connection)
    assert "RC:16" in publish(victim.mqtt().connection, "andon/things/line-1/counts")


def test_policies_that_are_bombs_cost_the_broker_little(server, tmp_path):
    """As many and as long as they may be, of stars and variables."""
    name = f"bomb-{uuid.uuid4().hex[:8]}"
    device, other = server.device(name, tmp_path), server.device(name + "-other", tmp_path)
    iot = server.aws("iot")
    realm = "arn:aws:iot:us-east-1:000000000000:topic/"
    for number in range(10):
        statements = [{"Effect": "Allow", "Action": "iot:*", "Resource": [
            realm + "*a" * 250, realm + "${iot:ClientId}*" * 30]},
            {"Effect": "Deny", "Action": "iot:Publish", "NotResource": realm + "*" * 500}]
        attach(iot, f"{name}-{number}", name, {"Version": "2012-10-17", "Statement": statements})
    for bad in ({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}] * 201},
            {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:*",
                                                    "Resource": ["*"] * 1000}}):
        with pytest.raises(iot.exceptions.MalformedPolicyException):
            iot.create_policy(policyName=f"{name}-bad", policyDocument=json.dumps(bad))
    deep = "[" * 5000 + "]" * 5000
    with pytest.raises(iot.exceptions.MalformedPolicyException):
        iot.create_policy(policyName=f"{name}-deep", policyDocument=deep)
    with device.mqtt().subscribe(f"andon/things/{name}/x") as session:
        mqtt = device.mqtt()
        for number in range(20):
            assert not mqtt.publish(f"{number}" + "a" * 200, "x")
        assert not mqtt.publish("a" * 60_000, "x"), "no policy is asked for such"
        assert mqtt.publish(f"andon/things/{name}/x", "own")
        session.wait_for(lambda *_: True, "its own topic")
    assert other.mqtt().publish(f"andon/things/{other.thing}/x", "x")


def test_a_policy_names_no_way_out_of_the_view(server, hostile):
    """Names and documents become lines of a file that the broker reads."""
    iot = server.aws("iot")
    for name in ("a\nallow", "a b", "a\r", "x/../y", "a\x00b"):
        status, _ = server.call("POST", f"/andon/v1/consumers/{quote(name, safe='')}",
                                {"policyNames": ["x"]})
        assert status == 400
        with pytest.raises((botocore.exceptions.ClientError,
                            botocore.exceptions.ParamValidationError)):
            iot.create_policy(policyName=name, policyDocument=json.dumps(ALL))
    text = json.dumps(ALL, indent=2).replace("*", "*\\u000aallow")
    with pytest.raises(iot.exceptions.MalformedPolicyException):
        iot.create_policy(policyName=f"lines-{uuid.uuid4().hex}", policyDocument=text)
    assert not connects(Mqtt(server, hostile.certificate, hostile.key, "line-1").connection)
    view = (server.data / "mosquitto" / "view").read_text()
    verbs = {line.split(" ", 1)[0] for line in view.splitlines()}
    assert verbs <= {"allow", "refuse", "thing", "no-thing", "policy", "no-policy", "realm",
                     "limits"}, verbs
