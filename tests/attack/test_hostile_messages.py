# SPDX-License-Identifier: Apache-2.0
"""What comes in a message of somebody else's making: answers of a device that was taken over to
people's commands, parameters of who holds a claim, texts of rules and what rules make of them."""
import json
import subprocess
import time

import pytest

from harness import Mqtt, http, program, wait_until

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/provisioning"
# Clears the screen, sets the title, puts in a reply, turns text around, begins a sequence by C1.
STEERING = "\x1b[2J\x1b]0;pwned\x07\x1bP$q\x1b\\ \u202ereversed \x9b31m\r\x08"


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server


@pytest.fixture(scope="module")
def iot(server):
    return server.aws("iot")


class Liar:
    """A device that answers one command of the server as it likes."""

    def __init__(self, server, thing, directory):
        self.server, self.thing = server, thing
        self.mqtt = server.device(thing, directory).mqtt()

    def answer(self, arguments, *answers, cwd=None):
        """What `andon device ARGUMENTS` makes of the answers: the ended process."""
        with self.mqtt.subscribe(f"cmd/andon/{self.thing}/commands/ask") as heard:
            asking = subprocess.Popen(
                [program("andon"), "device", *arguments, "--data", self.server.data],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd)
            _, asked = heard.wait_for(lambda *_: True, "the question")
            topic = f"andon/things/{self.thing}/commands/{json.loads(asked)['id']}"
            for number, answer in enumerate(answers, 1):
                assert self.mqtt.publish(topic, {"sequence": number, **answer})
            asking.stdout_text, asking.stderr_text = asking.communicate(timeout=120)
        return asking


@pytest.fixture(scope="module")
def liar(server, tmp_path_factory):
    return Liar(server, "liar", tmp_path_factory.mktemp("liar"))


def steers(said):
    text = said.decode()
    return [c for c in text if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) <= 0x9F
            or c == "\u202e"]


@pytest.mark.parametrize("arguments, answers", [
    (["logs", "liar", "-c", "A"], [{"text": STEERING}, {"text": STEERING, "stream": "err"},
                                   {"end": {}}]),
    (["doctor", "liar"], [{"row": {"check": STEERING, "verdict": STEERING, "text": STEERING}},
                          {"end": {"result": {"verdict": STEERING}}}]),
    (["logs", "liar", "-c", "A", "--json"], [{"text": STEERING}, {"end": {}}]),
    (["components", "liar", "--json"], [{"row": {"name": STEERING}}, {"end": {}}]),
    (["components", "liar"], [{"row": {"name": STEERING, "state": STEERING}}, {"end": {}}]),
    (["restart", "liar", "-c", "A"], [{"end": {"error": {"code": STEERING,
                                                         "message": STEERING}}}])])
def test_a_device_does_not_steer_the_terminal_of_who_asks_it(liar, arguments, answers):
    ended = liar.answer(arguments, *answers)
    assert steers(ended.stdout_text) == [] and steers(ended.stderr_text) == []
    assert b"pwned" in ended.stdout_text + ended.stderr_text
    listed = subprocess.run([program("andon"), "device", "commands", "--data", liar.server.data],
                            capture_output=True, timeout=60, check=True)
    assert steers(listed.stdout) == []


@pytest.mark.parametrize("result, is_right", [
    ({"bytes": 3, "sha256": "0" * 64}, False), ({}, False), ({"sha256": 7}, False),
    ({"bytes": 3, "contentType": "../../../tmp/x", "component": "../../x", "file": "/etc/passwd",
      "name": "../x.tar",
      "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}, True)])
def test_a_device_says_neither_where_a_file_goes_nor_that_another_one_came(liar, tmp_path, result,
                                                                        is_right):
    ended = liar.answer(["frame", "liar"], {"data": "YWJj"}, {"end": {"result": result}},
                        cwd=tmp_path)
    assert (ended.returncode == 0) == is_right, ended.stderr_text
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] \
        == ([("frame-liar.img", b"abc")] if is_right else [])


def test_what_a_device_calls_its_result_is_not_kept_where_it_is_large(liar):
    ended = liar.answer(["restart", "liar", "-c", "A", "--json"],
                        {"end": {"result": {"x": "y" * 20_000}}})
    assert (ended.returncode, ended.stdout_text) == (0, b"{}\n")


def test_a_rules_text_costs_what_it_weighs(server, iot):
    nested = "a"
    for _ in range(8):
        nested = f"CASE {nested}" + "".join(f" WHEN {k} THEN {k}" for k in range(60)) + " END"
    sql = f"SELECT {nested} AS b FROM 'a'"
    assert len(sql) < 16_384
    begun = time.monotonic()
    iot.create_topic_rule(ruleName="nested", topicRulePayload={"sql": sql, "actions": []})
    iot.delete_topic_rule(ruleName="nested")
    assert time.monotonic() - begun < 30
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    assert kib < 600_000


def test_long_names_of_two_messages_are_two_executions(server, iot):
    iam, states = server.aws("iam"), server.aws("stepfunctions")
    role = iam.create_role(RoleName="starter", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"},
            "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    iam.put_role_policy(RoleName="starter", PolicyName="all", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "states:StartExecution", "Resource": "*"}]}))
    machine = states.create_state_machine(
        name="counted", roleArn=ROLE, definition=json.dumps(
            {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}))["stateMachineArn"]
    iot.create_topic_rule(ruleName="starts", topicRulePayload={
        "sql": "SELECT * FROM 'plant/names'", "actions": [{"stepFunctions": {
            "stateMachineName": "counted", "roleArn": role, "executionNamePrefix": "${name}"}}]})
    mqtt = server.operator_mqtt()

    def two_have_run():
        mqtt.publish("plant/names", {"name": "n" * 200})
        return len(states.list_executions(stateMachineArn=machine)["executions"]) > 1
    wait_until(two_have_run, "an execution of each message")
    iot.delete_topic_rule(ruleName="starts")


def make_claim(server, iot, directory):
    iot.create_provisioning_template(
        templateName="open", enabled=True, provisioningRoleArn=ROLE, templateBody=json.dumps({
            "Parameters": {"SerialNumber": {"Type": "String"},
                           "AWS::IoT::Certificate::Id": {"Type": "String"}},
            "Resources": {
                "thing": {"Type": "AWS::IoT::Thing", "Properties": {"ThingName": "open-1"}},
                "certificate": {"Type": "AWS::IoT::Certificate", "Properties": {
                    "CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"}},
                "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyDocument": {
                    "Version": "2012-10-17", "Statement": [{
                        "Effect": "Allow", "Action": ["iot:Publish", "iot:Subscribe"], "Resource": {
                            "Fn::Sub": f"arn:aws:iot:us-east-1:{ACCOUNT}:topic/${{SerialNumber}}/x"
                        }}]}}}}}))
    made = iot.create_provisioning_claim(templateName="open")
    certificate, key = directory / "claim.crt", directory / "claim.key"
    certificate.write_text(made["certificatePem"])
    key.write_text(made["keyPair"]["PrivateKey"])
    return Mqtt(server, certificate, key, client_id="claimant")


def until_taken(mqtt, topic, payload):
    def taken():
        try:
            return mqtt.publish(topic, payload)
        except AssertionError:  # the broker hears of a certificate within a second
            return False
    wait_until(taken, "the broker knowing the claim")


def answers_to(mqtt, topic, *questions):
    """Asks and hears by one connection: an answer goes to the client that asked."""
    heard = []
    for question in questions:
        said = subprocess.run(
            ["mosquitto_rr", *mqtt.connection, "-t", topic, "-e", f"{topic}/accepted", "-m",
             json.dumps(question), "-W", "30"], capture_output=True, text=True, timeout=60,
            check=False)
        assert said.stdout, said
        heard.append(json.loads(said.stdout))
    return heard


def test_a_claim_neither_widens_a_policy_nor_leaves_any_behind(server, iot, tmp_path):
    claim = make_claim(server, iot, tmp_path)
    until_taken(claim, "$aws/certificates/create/json", "{}")
    token = answers_to(claim, "$aws/certificates/create/json", {})[0]["certificateOwnershipToken"]
    before = len(iot.list_policies(pageSize=250)["policies"])
    topic = "$aws/provisioning-templates/open/provision/json"
    wide = [{"certificateOwnershipToken": token, "parameters": {"SerialNumber": serial}}
            for serial in ("*", "?", "${iot:ClientId}", "#", "+", 'a", "b')]
    for answer in answers_to(claim, topic, *wide):
        assert answer.get("errorCode") == "InvalidParameters", answer
        assert "SerialNumber" in answer["errorMessage"]
    assert len(iot.list_policies(pageSize=250)["policies"]) == before
    right = {"certificateOwnershipToken": token, "parameters": {"SerialNumber": "7"}}
    assert answers_to(claim, topic, right)[0]["thingName"] == "open-1"
    # The thing has a certificate now: whatever else is asked for it is refused, and leaves nothing.
    other = answers_to(claim, "$aws/certificates/create/json", {})[0]["certificateOwnershipToken"]
    more = [{"certificateOwnershipToken": other, "parameters": {"SerialNumber": str(number)}}
            for number in range(5)]
    for answer in answers_to(claim, topic, *more):
        assert answer["errorCode"] == "ResourceConflict", answer
    assert len(iot.list_policies(pageSize=250)["policies"]) == before + 1


def test_a_claim_is_no_device_at_any_other_door(server, iot, tmp_path):
    made = iot.create_provisioning_claim(templateName="open")
    certificate, key = tmp_path / "claim.crt", tmp_path / "claim.key"
    certificate.write_text(made["certificatePem"])
    key.write_text(made["keyPair"]["PrivateKey"])
    csr = subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=open-1"], check=True,
                         capture_output=True, text=True).stdout
    for method, path, body in (
            ("GET", "/role-aliases/andon-device/credentials", None),
            ("GET", "/greengrass/components/arn/artifacts/x", None),
            ("POST", "/andon/v1/renew", json.dumps({"csr": csr}).encode()),
            ("GET", "/andon/v1/blobs/sha256/" + "0" * 64, None)):
        status, answer = http(server.info["devicePlane"] + path, method, body,
                              None, server.tls(certificate, key))
        assert status in (401, 403, 404), (path, status, answer)


@pytest.mark.parametrize("filter_", [
    "#", "andon/deliver/#", "$SYS/broker/andon/#", "$aws/certificates/create/json/accepted"])
def test_neither_a_rule_nor_a_consumer_hears_a_devices_new_key(server, iot, tmp_path, filter_):
    made = iot.create_provisioning_claim(templateName="open")
    certificate, key = tmp_path / "claim.crt", tmp_path / "claim.key"
    certificate.write_text(made["certificatePem"])
    key.write_text(made["keyPair"]["PrivateKey"])
    claim = Mqtt(server, certificate, key, client_id="claimant")
    logs, group = server.aws("logs"), f"heard-{tmp_path.name}"
    logs.create_log_group(logGroupName=group)
    log = {"cloudwatchLogs": {"roleArn": writer(server), "logGroupName": group}}
    for name, sql in (("hears", filter_), ("ends", "plant/end")):
        iot.create_topic_rule(ruleName=name, topicRulePayload={
            "sql": f"SELECT *, topic() AS t FROM '{sql}'", "actions": [log]})
    until_taken(claim, "$aws/certificates/create/json", "{}")
    said = []

    def heard():
        answers_to(claim, "$aws/certificates/create/json", {})
        answers_to(claim, "$aws/provisioning-templates/open/provision/json",
                   {"certificateOwnershipToken": "x", "parameters": {}})
        server.operator_mqtt().publish("plant/end", {})
        said[:] = [event["message"] for event in
                   logs.filter_log_events(logGroupName=group)["events"]]
        return sum("plant/end" in one for one in said) >= 3
    with server.operator_mqtt().subscribe(filter_) as operator:
        wait_until(heard, "what the rules hear")
        said += [payload for _, payload in operator.messages()]
    for name in ("hears", "ends"):
        iot.delete_topic_rule(ruleName=name)
    assert not [one for one in said if "PRIVATE" in one or "OwnershipToken" in one]


@pytest.mark.parametrize("filter_", ["#", "cmd/#", "andon/things/+/commands/+"])
def test_a_rule_hears_nothing_of_what_people_ask_of_a_device(server, iot, liar, tmp_path, filter_):
    logs, group = server.aws("logs"), f"heard-{tmp_path.name}"
    logs.create_log_group(logGroupName=group)
    log = {"cloudwatchLogs": {"roleArn": writer(server), "logGroupName": group}}
    for name, sql in (("hears", filter_), ("ends", "plant/end")):
        iot.create_topic_rule(ruleName=name, topicRulePayload={
            "sql": f"SELECT *, topic() AS t FROM '{sql}'", "actions": [log]})
    said = []

    def heard():
        liar.answer(["logs", "liar", "-c", "A"], {"text": "confidential"}, {"end": {}})
        server.operator_mqtt().publish("plant/end", {})
        said[:] = [event["message"] for event in
                   logs.filter_log_events(logGroupName=group)["events"]]
        return sum("plant/end" in one for one in said) >= 3
    wait_until(heard, "what the rules hear")
    for name in ("hears", "ends"):
        iot.delete_topic_rule(ruleName=name)
    assert not [one for one in said if "confidential" in one or "askedBy" in one]


def writer(server):
    iam = server.aws("iam")
    try:
        role = iam.create_role(RoleName="writer", AssumeRolePolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"},
                "Action": "sts:AssumeRole"}]}))
        iam.put_role_policy(RoleName="writer", PolicyName="all", PolicyDocument=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}))
    except iam.exceptions.EntityAlreadyExistsException:
        role = iam.get_role(RoleName="writer")
    return role["Role"]["Arn"]
