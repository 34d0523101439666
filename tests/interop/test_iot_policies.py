# SPDX-License-Identifier: Apache-2.0
"""IoT policies, certificates and consumers: as boto3 asks for them, and what a public MQTT client
(paho-mqtt, MQTT 3.1.1 over TLS) may then do at the broker."""
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
import uuid

import pytest

from aws_client import refusal
from agent import Agent, Fleet
from harness import PATIENCE_S, Server, checked, program, wait_until

REALM = "arn:aws:iot:us-east-1:000000000000:"


def statement(action, *resources, effect="Allow", **more):
    return {"Effect": effect, "Action": action,
            "Resource": [r if r == "*" else REALM + r for r in resources], **more}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ALL = document(statement("iot:*", "*"))


@pytest.fixture(scope="module")
def iot(server):
    return checked(server.aws("iot"))


def test_a_policy_has_versions_of_which_one_counts(iot, fresh):
    name = fresh("policy")
    made = iot.create_policy(policyName=name, policyDocument=ALL)
    assert made["policyArn"] == f"{REALM}policy/{name}"
    assert (made["policyName"], made["policyVersionId"], made["policyDocument"]) == (name, "1", ALL)
    other = document(statement("iot:Connect", "client/x"))
    second = iot.create_policy_version(policyName=name, policyDocument=other)
    assert (second["policyVersionId"], second["isDefaultVersion"], second["policyArn"],
            second["policyDocument"]) == ("2", False, made["policyArn"], other)
    got = iot.get_policy(policyName=name)
    assert (got["policyName"], got["policyArn"], got["policyDocument"],
            got["defaultVersionId"]) == (name, made["policyArn"], ALL, "1")
    assert got["creationDate"] <= got["lastModifiedDate"]
    iot.set_default_policy_version(policyName=name, policyVersionId="2")
    assert iot.get_policy(policyName=name)["policyDocument"] == other
    version = iot.get_policy_version(policyName=name, policyVersionId="2")
    assert (version["policyName"], version["policyArn"], version["policyVersionId"],
            version["isDefaultVersion"], version["policyDocument"]) == \
        (name, made["policyArn"], "2", True, other)
    assert version["creationDate"] and version["lastModifiedDate"]
    versions = iot.list_policy_versions(policyName=name)["policyVersions"]
    assert [(v["versionId"], v["isDefaultVersion"]) for v in versions] == [("2", True), ("1", False)]
    assert all(v["createDate"] for v in versions)
    assert refusal(iot.delete_policy, policyName=name)[:2] == (409, "DeleteConflictException")
    assert refusal(iot.delete_policy_version, policyName=name, policyVersionId="2")[:2] \
        == (409, "DeleteConflictException")
    iot.delete_policy_version(policyName=name, policyVersionId="1")
    for _ in range(4):
        third = iot.create_policy_version(policyName=name, policyDocument=ALL, setAsDefault=True)
    assert third["isDefaultVersion"] and third["policyVersionId"] == "6"
    assert refusal(iot.create_policy_version, policyName=name, policyDocument=ALL)[:2] \
        == (409, "VersionsLimitExceededException")
    for number in "2345":
        iot.delete_policy_version(policyName=name, policyVersionId=number)
    iot.delete_policy(policyName=name)
    assert refusal(iot.get_policy, policyName=name)[:2] == (404, "ResourceNotFoundException")


def test_mistakes_in_policies_have_awss_codes(iot, fresh):
    name = fresh("policy")
    for bad in ["{", "[]", "{}", document(statement("s3:GetObject", "*")),
                document(statement("iot:Publish", "topic/${aws:username}")),
                document(statement("iot:Publish", "topic/x", Condition={"Bool": {"aws:x": "true"}})),
                document(statement("iot:Publish", "topic/" + "x" * 2100)), " " * 30_000]:
        assert refusal(iot.create_policy, policyName=name, policyDocument=bad)[:2] \
            == (400, "MalformedPolicyException"), bad[:100]
    iot.create_policy(policyName=name, policyDocument=ALL)
    assert refusal(iot.create_policy, policyName=name, policyDocument=ALL)[:2] \
        == (409, "ResourceAlreadyExistsException")
    assert refusal(iot.create_policy_version, policyName=name, policyDocument="{")[:2] \
        == (400, "MalformedPolicyException")
    assert refusal(iot.get_policy_version, policyName=name, policyVersionId="7")[:2] \
        == (404, "ResourceNotFoundException")
    assert refusal(iot.create_policy, policyName=fresh("p"), policyDocument=ALL,
                   tags=[{"Key": "a", "Value": "b"}])[1] == "InvalidRequestException"
    assert refusal(iot.attach_policy, policyName=name, target=f"{REALM}thing/x")[:2] \
        == (400, "InvalidRequestException")
    for target in (f"{REALM}cert/{'0' * 64}", f"{REALM}thinggroup/none", f"{REALM}consumer/none"):
        assert refusal(iot.attach_policy, policyName=name, target=target)[:2] \
            == (404, "ResourceNotFoundException")


def test_policies_are_listed_in_pages_both_ways(iot, fresh):
    names = sorted(fresh("paged") for _ in range(5))
    for name in names:
        iot.create_policy(policyName=name, policyDocument=ALL)

    def listed(**more):
        found = []
        for page in iot.get_paginator("list_policies").paginate(
                PaginationConfig={"PageSize": 2}, **more):
            assert len(page["policies"]) <= 2
            found += [p["policyName"] for p in page["policies"] if p["policyName"] in names
                      and p["policyArn"] == f"{REALM}policy/{p['policyName']}"]
        return found
    assert listed(ascendingOrder=True) == names
    assert listed() == names[::-1]
    assert refusal(iot.list_policies, marker="MTIz")[1] == "InvalidRequestException"


def test_policies_are_attached_to_certificates_and_groups_by_new_and_old_names(server, iot, fresh,
                                                                              tmp_path):
    device = server.device(fresh("dev"), tmp_path)
    principal = iot.list_thing_principals(thingName=device.thing)["principals"][0]
    site, line, own, of_group = fresh("site"), fresh("line"), fresh("own"), fresh("of-group")
    iot.create_thing_group(thingGroupName=site)
    group = iot.create_thing_group(thingGroupName=line, parentGroupName=site)["thingGroupArn"]
    iot.add_thing_to_thing_group(thingGroupName=line, thingName=device.thing)
    for name in (own, of_group):
        iot.create_policy(policyName=name, policyDocument=ALL)
    iot.attach_policy(policyName=own, target=principal)
    iot.attach_policy(policyName=of_group, target=f"{REALM}thinggroup/{site}")

    def names(answer):
        assert all(p["policyArn"] == f"{REALM}policy/{p['policyName']}" for p in answer["policies"])
        return [p["policyName"] for p in answer["policies"]]
    assert names(iot.list_attached_policies(target=principal)) == [own]
    assert names(iot.list_attached_policies(target=group)) == []
    assert names(iot.list_attached_policies(target=group, recursive=True)) == [of_group]
    assert names(iot.list_principal_policies(principal=principal)) == [own]
    assert iot.list_targets_for_policy(policyName=own)["targets"] == [principal]
    assert iot.list_policy_principals(policyName=own)["principals"] == [principal]
    assert iot.list_policy_principals(policyName=of_group)["principals"] == []
    effective = iot.get_effective_policies(principal=principal)["effectivePolicies"]
    assert sorted(p["policyName"] for p in effective) == sorted([own, of_group])
    assert all(p["policyDocument"] == ALL and p["policyArn"] for p in effective)
    by_thing = iot.get_effective_policies(thingName=device.thing)["effectivePolicies"]
    assert [p["policyName"] for p in by_thing] == [of_group]
    assert refusal(iot.delete_policy, policyName=own)[:2] == (409, "DeleteConflictException")
    iot.detach_policy(policyName=own, target=principal)
    assert names(iot.list_attached_policies(target=principal)) == []
    iot.attach_principal_policy(policyName=own, principal=principal)
    assert names(iot.list_principal_policies(principal=principal)) == [own]
    iot.detach_principal_policy(policyName=own, principal=principal)
    iot.delete_policy(policyName=own)
    iot.delete_thing_group(thingGroupName=line)
    iot.delete_thing_group(thingGroupName=site)
    iot.delete_policy(policyName=of_group)
    assert refusal(iot.get_effective_policies)[1] == "InvalidRequestException"


def test_an_authorization_is_tested_by_the_brokers_own_decision(server, iot, fresh, tmp_path):
    device = server.device(fresh("dev"), tmp_path)
    principal = iot.list_thing_principals(thingName=device.thing)["principals"][0]
    name, extra = fresh("policy"), fresh("extra")
    iot.create_policy(policyName=name, policyDocument=document(
        statement("iot:Publish", "topic/plant/${iot:Connection.Thing.ThingName}/*"),
        statement("iot:Publish", "topic/plant/*/secret", effect="Deny")))
    iot.create_policy(policyName=extra, policyDocument=ALL)
    iot.attach_policy(policyName=name, target=principal)

    def decide(action, *resources, **more):
        answer = iot.test_authorization(
            principal=principal, authInfos=[{"actionType": action,
                                             "resources": [REALM + r for r in resources]}], **more)
        result, = answer["authResults"]
        assert result["authInfo"] == {"actionType": action,
                                      "resources": [REALM + r for r in resources]}
        assert result["missingContextValues"] == []
        return result
    mine = f"topic/plant/{device.thing}/state"
    allowed = decide("PUBLISH", mine)
    assert allowed["authDecision"] == "ALLOWED"
    assert allowed["allowed"]["policies"] == [
        {"policyName": name, "policyArn": f"{REALM}policy/{name}"}]
    denied = decide("PUBLISH", f"topic/plant/{device.thing}/secret")
    assert denied["authDecision"] == "EXPLICIT_DENY"
    assert denied["denied"]["explicitDeny"]["policies"][0]["policyName"] == name
    other = decide("PUBLISH", "topic/plant/other/state")
    assert other["authDecision"] == "IMPLICIT_DENY"
    assert other["denied"]["implicitDeny"]["policies"] == []
    assert decide("PUBLISH", mine, "topic/x")["authDecision"] == "IMPLICIT_DENY"
    assert decide("PUBLISH", mine, policyNamesToSkip=[name])["authDecision"] == "IMPLICIT_DENY"
    assert decide("SUBSCRIBE", "topicfilter/plant/#")["authDecision"] == "IMPLICIT_DENY"
    assert decide("SUBSCRIBE", "topicfilter/plant/#", policyNamesToAdd=[extra])["authDecision"] \
        == "ALLOWED"
    own = f"$aws/things/{device.thing}/jobs/notify"
    assert decide("RECEIVE", f"topic/{own}")["authDecision"] == "ALLOWED"
    assert decide("CONNECT", f"client/{device.thing}")["authDecision"] == "ALLOWED"
    assert refusal(iot.test_authorization, principal=principal, authInfos=[
        {"actionType": "PUBLISH", "resources": ["topic/x"]}])[1] == "InvalidRequestException"
    iot.update_certificate(certificateId=principal.split("/")[1], newStatus="INACTIVE")
    assert refusal(iot.test_authorization, principal=principal, authInfos=[
        {"actionType": "PUBLISH", "resources": [REALM + mine]}])[1] == "InvalidRequestException"


def test_keys_and_certificate_are_made_described_and_deleted(server, iot, fresh, tmp_path):
    made = iot.create_keys_and_certificate(setAsActive=True)
    assert made["certificateArn"] == f"{REALM}cert/{made['certificateId']}"
    key = tmp_path / "key"
    key.write_text(made["keyPair"]["PrivateKey"])
    public = subprocess.run(["openssl", "pkey", "-in", key, "-pubout"], check=True,
                            capture_output=True, text=True).stdout
    assert public == made["keyPair"]["PublicKey"]
    assert made["keyPair"]["PrivateKey"] not in server.log()
    described = iot.describe_certificate(certificateId=made["certificateId"])
    description = described["certificateDescription"]
    assert description["certificatePem"] == made["certificatePem"]
    assert (description["status"], description["customerVersion"], description["ownedBy"],
            description["certificateMode"]) == ("ACTIVE", 1, "000000000000", "DEFAULT")
    assert description["creationDate"] <= description["lastModifiedDate"]
    assert description["validity"]["notBefore"] < description["validity"]["notAfter"]
    identity = made["certificateId"]
    iot.update_certificate(certificateId=identity, newStatus="INACTIVE")
    after = iot.describe_certificate(certificateId=identity)["certificateDescription"]
    assert (after["status"], after["customerVersion"]) == ("INACTIVE", 2)
    name = fresh("policy")
    iot.create_policy(policyName=name, policyDocument=ALL)
    iot.attach_policy(policyName=name, target=made["certificateArn"])
    assert refusal(iot.delete_certificate, certificateId=identity)[:2] \
        == (409, "DeleteConflictException")
    iot.delete_certificate(certificateId=identity, forceDelete=True)
    assert iot.list_targets_for_policy(policyName=name)["targets"] == []
    assert refusal(iot.describe_certificate, certificateId=identity)[:2] \
        == (404, "ResourceNotFoundException")


def test_certificates_of_this_ca_are_registered_and_others_refused(server, iot):
    made = iot.create_keys_and_certificate()
    identity, pem = made["certificateId"], made["certificatePem"]
    assert refusal(iot.register_certificate, certificatePem=pem)[:2] \
        == (409, "ResourceAlreadyExistsException")
    iot.delete_certificate(certificateId=identity)
    again = iot.register_certificate(certificatePem=pem, setAsActive=True,
                                     caCertificatePem=open(server.ca_file).read())
    assert again == {**again, "certificateId": identity, "certificateArn": made["certificateArn"]}
    assert iot.describe_certificate(
        certificateId=identity)["certificateDescription"]["status"] == "ACTIVE"
    iot.update_certificate(certificateId=identity, newStatus="REVOKED")
    iot.delete_certificate(certificateId=identity)
    iot.register_certificate_without_ca(certificatePem=pem, status="INACTIVE")
    foreign = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", "/dev/null", "-subj", "/CN=x"], check=True, capture_output=True,
        text=True).stdout
    for call in (iot.register_certificate, iot.register_certificate_without_ca):
        assert refusal(call, certificatePem=foreign)[:2] == (400, "CertificateValidationException")
        assert refusal(call, certificatePem="x")[:2] == (400, "CertificateValidationException")
    assert refusal(iot.register_certificate, certificatePem=pem, caCertificatePem=foreign)[:2] \
        == (400, "CertificateValidationException")
    code, name, message = refusal(iot.register_ca_certificate, caCertificate=foreign)
    assert (code, name) == (400, "InvalidRequestException") and "RegisterCACertificate" in message
    code, name, message = refusal(iot.transfer_certificate, certificateId=identity,
                                  targetAwsAccount="123456789012")
    assert (code, name) == (400, "InvalidRequestException") and "TransferCertificate" in message


class Client:
    """paho-mqtt as its users write it: MQTT 3.1.1 over TLS."""

    def __init__(self, server, client_id, certificate=None, key=None, user=None, password=None,
                 port=None):
        paho = pytest.importorskip("paho.mqtt.client", reason="needs paho-mqtt")
        self.connected, self.gone = threading.Event(), threading.Event()
        self.code, self.granted, self.inbox = None, {}, []
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=client_id,
                                  protocol=paho.MQTTv311)
        self.client.tls_set(server.ca_file, certificate and str(certificate), key and str(key),
                            tls_version=ssl.PROTOCOL_TLS_CLIENT)
        if user:
            self.client.username_pw_set(user, password)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = lambda *_: self.gone.set()
        self.client.on_subscribe = lambda _c, _u, mid, codes, _p: self.granted.update(
            {mid: codes[0].value})
        self.client.on_message = lambda _c, _u, message: self.inbox.append(
            (message.topic, message.payload.decode(), bool(message.retain)))
        self.client.connect("127.0.0.1", port or server.info["mqtt"]["port"], keepalive=30)
        self.client.loop_start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()

    def _on_connect(self, _client, _user, _flags, reason, _properties):
        self.code = reason.value
        self.connected.set()

    def is_let_in(self):
        wait_until(lambda: self.connected.is_set() or self.gone.is_set(), "CONNACK, or an end")
        return self.code == 0

    def subscribe(self, topic):
        """Is it granted?"""
        assert self.is_let_in()
        _, mid = self.client.subscribe(topic, 1)
        wait_until(lambda: mid in self.granted, "SUBACK")
        return self.granted[mid] < 0x80

    def publish(self, topic, payload="x", retain=False):
        self.client.publish(topic, payload, 1, retain).wait_for_publish(PATIENCE_S)

    def topics(self):
        return [topic for topic, *_ in list(self.inbox)]


@pytest.fixture
def consumer(server, tmp_path):
    """consumer(name, *policies) -> (certificate, key); consumer(name, policy, user=True) -> its
    name, password and port: by the command line."""
    def add(name, *policies, user=False):
        options = [option for policy in policies for option in ("--policy", policy)]
        said = subprocess.run(
            [program("andon"), "consumer", "add", name, *options, "--data", server.data, "--out",
             tmp_path, *(["--user"] if user else [])], check=True, capture_output=True, text=True)
        # It counts within a second; the broker reads its view before it lets anybody in.
        view = server.data / "mosquitto" / "view"
        wait_until(lambda: f" client {name} " in view.read_text(), "the broker's view having it")
        if not user:
            certificate, key = said.stdout.split()
            return {"certificate": certificate, "key": key}
        fields = dict(line.split() for line in said.stdout.splitlines())
        port = int(fields["port"])
        # With the first user the broker starts anew, to listen for them.
        wait_until(lambda: is_listened_on(port) and server.get("/readyz")[0] == 200, "the broker")
        return {"user": fields["user"], "password": fields["password"], "port": port}
    return add


def is_listened_on(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def results_policy(iot, name, line, client):
    iot.create_policy(policyName=name, policyDocument=document(
        statement("iot:Connect", f"client/{client}"),
        statement("iot:Subscribe", f"topicfilter/andon/things/{line}/results"),
        statement("iot:Receive", f"topic/andon/things/{line}/results")))


@pytest.mark.parametrize("user", [False, True], ids=["certificate", "password"])
def test_a_consumer_reads_the_results_of_its_line_and_may_nothing_else(server, iot, fresh, tmp_path,
                                                                      consumer, user):
    line, other = (server.device(fresh("line"), tmp_path) for _ in range(2))
    name, policy = fresh("plc"), fresh("results")
    results_policy(iot, policy, line.thing, name)
    identity = consumer(name, policy, user=user)
    with Client(server, name, **identity) as plc, \
            server.operator_mqtt().subscribe("#", "$aws/#") as everything:
        assert plc.subscribe(f"andon/things/{line.thing}/results")
        for topic in ("#", "andon/#", f"andon/things/{other.thing}/results",
                      "andon/things/+/results", f"$aws/things/{line.thing}/jobs/#", "$SYS/#",
                      f"$share/g/andon/things/{other.thing}/results"):
            assert not plc.subscribe(topic), topic
        other.mqtt().publish(f"andon/things/{other.thing}/results", {"n": 0})
        line.mqtt().publish(f"andon/things/{line.thing}/results", {"n": 1})
        wait_until(lambda: plc.inbox, "a result of its line")
        for topic in (f"andon/things/{line.thing}/results", f"cmd/site/{line.thing}/stop",
                      f"cmd/andon/{line.thing}/stored/server", "anything",
                      f"$aws/things/{line.thing}/jobs/x/update"):
            plc.publish(topic, "forged")  # MQTT 3.1.1 does not say what became of it
        line.mqtt().publish(f"andon/things/{line.thing}/results", {"n": 2})
        wait_until(lambda: len(plc.inbox) == 2, "the second result")
        assert set(plc.topics()) == {f"andon/things/{line.thing}/results"}
        everything.wait_for(lambda _, payload: payload == '{"n": 2}', "the second result")
        assert not any(payload == "forged" for _, payload in everything.messages())
    with Client(server, "another-id", **identity) as stranger:
        assert not stranger.is_let_in()
    with Client(server, line.thing, **identity) as thief:
        assert not thief.is_let_in()


def test_a_password_opens_nothing_once_it_is_wrong_or_taken_away(server, iot, fresh, consumer):
    name, policy = fresh("scada"), fresh("all")
    iot.create_policy(policyName=policy, policyDocument=ALL)
    identity = consumer(name, policy, user=True)
    for wrong in ({"password": "x"}, {"password": ""}, {"user": "nobody"}, {"user": name + "\n"},
                  {"user": None, "password": None}):
        with Client(server, name, **{**identity, **wrong}) as guess:
            assert not guess.is_let_in()
    assert identity["password"] not in server.log()
    for file in server.data.rglob("*"):
        if file.is_file():
            assert identity["password"].encode() not in file.read_bytes(), file
    with Client(server, name, **identity) as scada:
        assert scada.is_let_in()
        subprocess.run([program("andon"), "consumer", "delete", name, "--data", server.data],
                       check=True)
        assert scada.gone.wait(PATIENCE_S), "it was not cut off"
    with Client(server, name, **identity) as scada:
        assert not scada.is_let_in()
    listed = subprocess.run([program("andon"), "consumer", "list", "--data", server.data],
                            check=True, capture_output=True, text=True).stdout
    assert name not in listed


def test_nobody_is_listened_for_with_a_password_where_there_is_no_user(tmp_path):
    with Server(tmp_path / "data") as server:
        said = (server.data / "mosquitto" / "mosquitto.conf").read_text()
        assert said.count("\nlistener ") == 1 and "require_certificate false" not in said
        server.aws("iot").create_policy(policyName="P", policyDocument=ALL)
        status, answer = server.call("POST", "/andon/v1/consumers/scada",
                                     {"type": "USER", "policyNames": ["P"]})
        assert status == 200, answer
        identity = {"user": "scada", "password": answer["password"], "port": answer["port"]}

        def gets_in():
            try:
                with Client(server, "scada", **identity) as scada:
                    return scada.is_let_in()
            except ConnectionRefusedError:
                return False
        wait_until(gets_in, "the broker listening for users")
        server.kill()
        server.start()  # and after a restart it still does
        wait_until(gets_in, "the broker listening for users after a restart")


def test_a_change_reaches_a_connected_client_within_a_second(server, iot, fresh, consumer, capsys):
    name, policy = fresh("plc"), fresh("policy")
    iot.create_policy(policyName=policy, policyDocument=ALL)
    identity = consumer(name, policy)
    took = {}
    with Client(server, name, **identity) as plc, \
            server.operator_mqtt().subscribe("plant/#") as everything:
        assert plc.subscribe("plant/a")
        plc.publish("plant/b", "1")
        everything.wait_for(lambda topic, _: topic == "plant/b", "what it may publish")
        begun = time.monotonic()
        iot.create_policy_version(policyName=policy, setAsDefault=True, policyDocument=document(
            statement("iot:Connect", "*"), statement(["iot:Subscribe", "iot:Receive"], "*")))

        def is_refused():
            mark = str(uuid.uuid4())
            plc.publish("plant/c", mark)
            plc_again = str(uuid.uuid4())
            server.operator_mqtt().publish("plant/d", plc_again)
            everything.wait_for(lambda _, payload: payload == plc_again, "the operator's message")
            return not any(payload == mark for _, payload in everything.messages())
        wait_until(is_refused, "the policy counting")
        took["publish"] = time.monotonic() - begun
        assert not plc.gone.is_set(), "what it may still do it goes on to do"
        begun = time.monotonic()
        iot.create_policy_version(policyName=policy, setAsDefault=True, policyDocument=document(
            statement("iot:Connect", "*"), statement("iot:Publish", "*")))
        assert plc.gone.wait(PATIENCE_S), "a subscription that it may not have any more"
        took["subscription"] = time.monotonic() - begun
    iot.set_default_policy_version(policyName=policy, policyVersionId="1")
    with Client(server, name, **identity) as plc:
        wait_until(lambda: plc.connected.wait(0.1) and plc.code == 0, "its connection")
        principal = iot.list_targets_for_policy(policyName=policy)["targets"][0]
        begun = time.monotonic()
        iot.detach_policy(policyName=policy, target=principal)
        assert plc.gone.wait(PATIENCE_S), "it was not cut off"
        took["connection"] = time.monotonic() - begun
    with capsys.disabled():
        print(" ".join(f"{what} {seconds:.2f} s" for what, seconds in took.items()), end=" ")


def test_a_retained_message_needs_its_own_right(server, iot, fresh, consumer):
    name, policy = fresh("plc"), fresh("policy")
    iot.create_policy(policyName=policy, policyDocument=document(
        statement("iot:Connect", "*"), statement("iot:Publish", "topic/keep/*"),
        statement("iot:RetainPublish", "topic/keep/this")))
    with Client(server, name, **consumer(name, policy)) as plc:
        assert plc.is_let_in()
        for topic in ("keep/this", "keep/that"):
            plc.publish(topic, "x", retain=True)
        plc.publish("keep/that", "plain")
        with server.operator_mqtt().subscribe("keep/#") as kept:
            assert kept.wait_for(lambda *_: True, "what is kept") == ("keep/this", "x")


SENDER = """
import json, os, sys, time
from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import QOS, UnauthorizedError
ipc = GreengrassCoreIPCClientV2()
number = 0
while True:
    number += 1
    try:
        ipc.publish_to_iot_core(topic_name="plant/state", qos=QOS.AT_LEAST_ONCE,
                                payload=str(number).encode())
        said = "taken"
    except UnauthorizedError as error:
        said = "refused " + error.message
    with open("said.txt", "a") as file:
        file.write(said + "\\n")
    time.sleep(0.2)
"""


def test_a_component_publishes_what_its_recipe_and_its_devices_policy_allow(server, iot, fresh,
                                                                          tmp_path):
    pytest.importorskip("awsiot", reason="needs awsiotsdk")
    thing, policy, component = fresh("edge"), fresh("policy"), "com.example.Sender"
    fleet = Fleet(server)
    with Agent(server, tmp_path / "device", thing=thing) as agent:
        uri = fleet.put_artifact("sender.py", SENDER.encode())
        fleet.component(
            component, "1.0.0", {"run": f"exec {sys.executable} -u {{artifacts:path}}/sender.py"},
            configuration={"accessControl": {"aws.greengrass.ipc.mqttproxy": {"s:1": {
                "operations": ["aws.greengrass#PublishToIoTCore"], "resources": ["plant/#"]}}}},
            artifacts=[uri])
        fleet.deploy_and_wait({component: "1.0.0"}, thing=thing)
        file = agent.root / "work" / component / "said.txt"

        def said():
            return file.read_text().splitlines() if file.exists() else []
        wait_until(lambda: any(line.startswith("refused") for line in said()),
                   "the component being told")
        assert "iot:Publish" in said()[-1]
        wait_until(lambda: agent.spooled() == 0, "the spool keeping nothing that may not go out")
        status = wait_until(lambda: agent.status() if agent.status()["spoolRefused"] else None,
                            "the status telling of it")
        assert status["refusedTopics"] == [{"topic": "plant/state", "component": component}]
        assert status["components"][0]["note"].endswith("plant/state")
        wait_until(lambda: any(
            c["lifecycleStatusCodes"] == ["PUBLISH_REFUSED"] for c in
            fleet.greengrass.list_installed_components(coreDeviceThingName=thing)
            ["installedComponents"] if "lifecycleStatusCodes" in c), "the server knowing of it")
        wait_until(lambda: float(next(
            line.split()[-1] for line in server.get("/metrics")[1].decode().splitlines()
            if line.startswith('andon_broker_refused_total{what="publish"}'))) > 0, "the metric")

        iot.create_policy(policyName=policy, policyDocument=document(
            statement("iot:Publish", "topic/plant/*")))
        principal = iot.list_thing_principals(thingName=thing)["principals"][0]
        with server.operator_mqtt().subscribe("plant/state") as plant:
            iot.attach_policy(policyName=policy, target=principal)
            plant.wait_for(lambda *_: True, "its messages, once it may")
        wait_until(lambda: agent.status()["refusedTopics"] == [], "nothing being refused")
        assert "note" not in agent.status()["components"][0]


def test_a_device_is_enrolled_with_its_policy(server, iot, fresh, tmp_path):
    thing, policy = fresh("dev"), fresh("policy")
    iot.create_policy(policyName=policy, policyDocument=ALL)
    token = json.loads(subprocess.run(
        [program("andon"), "device", "add", thing, "--policy", policy, "--json", "--data",
         server.data], check=True, capture_output=True, text=True).stdout)["token"]
    with Agent(server, tmp_path / "device", thing=thing) as agent:
        agent.kill()
    said = subprocess.run([program("andon"), "device", "add", thing, "--policy", "none", "--data",
                           server.data], check=False, capture_output=True, text=True)
    assert said.returncode != 0 and "no policy" in said.stderr
    subprocess.run([program("andon-edge"), "provision", "--root", tmp_path / "second", "--token",
                    token], check=True, capture_output=True)
    principals = iot.list_thing_principals(thingName=thing)["principals"]
    assert [p for p in principals if p in iot.list_targets_for_policy(policyName=policy)["targets"]]


def test_a_thing_is_ruled_by_its_groups_policy_and_keeps_andons_own_topics(server, iot, fresh,
                                                                          tmp_path):
    device, group, policy = server.device(fresh("dev"), tmp_path), fresh("group"), fresh("policy")
    iot.create_thing_group(thingGroupName=group)
    iot.create_policy(policyName=policy, policyDocument=document(
        statement("iot:Publish", "topic/hall/${iot:Connection.Thing.Attributes[hall]}/*")))
    iot.attach_policy(policyName=policy, target=f"{REALM}thinggroup/{group}")
    iot.update_thing(thingName=device.thing, attributePayload={"attributes": {"hall": "north"}})
    mqtt = device.mqtt()
    assert mqtt.publish(f"dt/site/{device.thing}/x", "x")
    assert not mqtt.publish("hall/north/x", "x")
    iot.add_thing_to_thing_group(thingGroupName=group, thingName=device.thing)
    wait_until(lambda: mqtt.publish("hall/north/x", "x"), "its group's policy counting")
    assert not mqtt.publish("hall/south/x", "x")
    assert not mqtt.publish(f"dt/site/{device.thing}/x", "x"), "beyond andon's own the policy decides"
    assert mqtt.publish(f"andon/things/{device.thing}/x", "x")
    assert mqtt.publish(f"$aws/things/{device.thing}/jobs/x/update", "x")
    iot.update_thing(thingName=device.thing, attributePayload={"attributes": {"hall": "south"}})
    wait_until(lambda: mqtt.publish("hall/south/x", "x"), "its attribute counting")
    with mqtt.subscribe(f"andon/things/{device.thing}/x") as session:
        iot.create_policy_version(policyName=policy, setAsDefault=True, policyDocument=document(
            statement("iot:Connect", "*", effect="Deny")))
        wait_until(lambda: session.process.poll() is not None, "a Deny of Connect shutting it out")
    iot.remove_thing_from_thing_group(thingGroupName=group, thingName=device.thing)
    wait_until(lambda: mqtt_connects(mqtt), "its coming back")


def mqtt_connects(mqtt):
    return subprocess.run(["mosquitto_pub", *mqtt.connection, "-t", f"dt/x/{mqtt.thing}/x", "-m",
                           "x"], capture_output=True, timeout=PATIENCE_S, check=False).returncode == 0
