# SPDX-License-Identifier: Apache-2.0
"""What a device does with a certificate that should not be good any more: revoked, over, renewed in
time, of a thing that was deleted; and how an honest agent keeps its own good."""
import http.client
import json
import subprocess

import botocore.exceptions
import pytest

from agent import Fleet
from certificates import AgedAgent, fingerprint, replace_certificate, sign
from harness import http as request
from harness import program, wait_until


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server


@pytest.fixture(scope="module")
def iot(server):
    return server.aws("iot")


def renew(server, certificate, csr):
    """(status, answer) of a renewal over a connection without a certificate."""
    body = {"csr": csr} if certificate is None else {"csr": csr, "certificatePem": certificate}
    status, answer = request(server.info["devicePlane"] + "/andon/v1/renew", "POST", body,
                             {"Content-Type": "application/json"}, server.tls())
    return status, json.loads(answer)


def may(device):
    """What the device gets of the device plane with its certificate; None where not even TLS."""
    try:
        return device.https(f"/greengrass/v2/coreDevices/{device.thing}/thingGroups")[0]
    except OSError:
        return None


def connects(device):
    said = subprocess.run(
        ["mosquitto_sub", *device.mqtt().connection, "-t", "andon/broadcast/x", "-E", "-d"],
        capture_output=True, text=True, timeout=30, check=False)
    return "CONNACK (0)" in said.stdout + said.stderr


def assert_shut_out(device):
    """By the device plane at once, by the broker a moment later."""
    assert may(device) == 403
    wait_until(lambda: not connects(device), "the broker refusing it")


def keys_of(device):
    status, answer = device.https("/role-aliases/andon/credentials",
                                  headers={"x-amzn-iot-thingname": device.thing})
    assert status == 200, answer
    return json.loads(answer)["credentials"]


def can_upload(server, device, keys, endpoint):
    s3 = server.aws("s3", {"accessKeyId": keys["accessKeyId"],
                           "secretAccessKey": keys["secretAccessKey"],
                           "sessionToken": keys["sessionToken"]}, server.info[endpoint])
    try:
        s3.put_object(Bucket="andon-uploads", Key=f"{device.thing}/x", Body=b"x")
        return True
    except botocore.exceptions.ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, error
        return False


def test_temporary_keys_end_with_the_certificate_that_they_were_given_for(server, iot, tmp_path):
    """The thing has another good certificate: the keys of the stolen one end all the same."""
    device = server.device("keys-1", tmp_path)
    keys = keys_of(device)
    stolen = fingerprint(device.certificate)
    device.certificate.write_text(device.enrol(server.token("keys-1"))["certificatePem"])
    assert all(can_upload(server, device, keys, at) for at in ("devicePlane", "api"))
    iot.update_certificate(certificateId=stolen, newStatus="REVOKED")
    assert not any(can_upload(server, device, keys, at) for at in ("devicePlane", "api"))
    assert can_upload(server, device, keys_of(device), "devicePlane")


def test_a_certificate_that_is_over_opens_its_own_renewal_and_nothing_else(server, tmp_path):
    device = server.device("over-1", tmp_path)
    victim = server.device("over-10", tmp_path)
    replace_certificate(server, device, tmp_path, -7 * 86400, -60)
    old = device.certificate.read_text()
    assert may(device) is None and not connects(device)
    with pytest.raises(OSError):
        device.https("/andon/v1/renew", "POST", {"csr": device.csr()})
    # Not with another key, not for another's certificate, not without a certificate.
    assert renew(server, old, victim.csr())[0] == 403
    assert renew(server, victim.certificate.read_text(), device.csr())[0] == 403
    assert renew(server, None, device.csr())[0] == 400
    status, answer = renew(server, old, device.csr())
    assert status == 200, answer
    device.certificate.write_text(answer["certificatePem"])
    assert may(device) == 200 and connects(device)


@pytest.mark.parametrize("days, wanted", [(364, 200), (366, 403)])
def test_what_is_over_is_renewed_for_a_year(server, tmp_path, days, wanted):
    device = server.device(f"year-{days}", tmp_path)
    replace_certificate(server, device, tmp_path, -500 * 86400, -days * 86400)
    assert renew(server, device.certificate.read_text(), device.csr())[0] == wanted


def test_a_certificate_that_ends_while_it_is_used_is_cut_off(server, tmp_path):
    """TLS looks at the end in the handshake only: a connection that is kept must end, too."""
    device = server.device("ends-1", tmp_path)
    replace_certificate(server, device, tmp_path, -3600, 10)
    wait_until(lambda: connects(device), "the broker knowing the certificate", 5)
    address = server.info["devicePlane"].removeprefix("https://").rsplit(":", 1)
    kept = http.client.HTTPSConnection(address[0], int(address[1]), timeout=30,
                                       context=server.tls(device.certificate, device.key))

    def status():
        kept.request("GET", f"/greengrass/v2/coreDevices/{device.thing}/thingGroups")
        answer = kept.getresponse()
        answer.read()
        return answer.status
    assert status() == 200
    socket = kept.sock
    with device.mqtt().subscribe("andon/things/ends-1/x") as subscription:
        # mosquitto_sub connects again when it is cut off, and ends when that is refused.
        wait_until(lambda: subscription.process.poll() is not None, "the end of its session")
    assert status() == 403
    assert kept.sock is socket


@pytest.mark.parametrize("told", ["old", "new"])
def test_a_renewal_is_no_way_around_a_revocation(server, iot, tmp_path, told):
    device = server.device(f"around-{told}", tmp_path)
    old = device.certificate.read_text()
    status, answer = renew(server, old, device.csr())
    assert status == 200, answer
    ids = {"old": fingerprint(device.certificate)}
    device.certificate.write_text(answer["certificatePem"])
    ids["new"] = fingerprint(device.certificate)
    keys = keys_of(device)
    assert may(device) == 200 and connects(device)
    iot.update_certificate(certificateId=ids[told], newStatus="REVOKED")
    for pem in (old, answer["certificatePem"]):
        device.certificate.write_text(pem)
        assert_shut_out(device)
        assert renew(server, pem, device.csr())[0] == 403
        assert device.https("/andon/v1/renew", "POST", {"csr": device.csr()})[0] == 403
    assert not can_upload(server, device, keys, "devicePlane")
    # It needs a new token.
    device.certificate.write_text(device.enrol(server.token(device.thing))["certificatePem"])
    assert may(device) == 200 and connects(device)


def test_an_inactive_or_detached_certificate_is_not_renewed(server, iot, tmp_path):
    device = server.device("idle-1", tmp_path)
    pem, certificate = device.certificate.read_text(), fingerprint(device.certificate)
    iot.update_certificate(certificateId=certificate, newStatus="INACTIVE")
    assert renew(server, pem, device.csr())[0] == 403
    iot.update_certificate(certificateId=certificate, newStatus="ACTIVE")
    arn = iot.describe_certificate(
        certificateId=certificate)["certificateDescription"]["certificateArn"]
    iot.detach_thing_principal(thingName="idle-1", principal=arn)
    assert renew(server, pem, device.csr())[0] == 403
    assert_shut_out(device)


def test_renewing_without_end_leaves_two_certificates(server, iot, tmp_path):
    device = server.device("endless-1", tmp_path)
    pem = device.certificate.read_text()
    for _ in range(30):
        status, answer = renew(server, pem, device.csr())
        assert status == 200
        again = renew(server, pem, device.csr())[1]
        assert again == answer
        pem = answer["certificatePem"]
    assert len(iot.list_thing_principals(thingName="endless-1")["principals"]) == 2


@pytest.mark.parametrize("body", [
    b"", b"[]", b"{", b'{"csr": 1}', b'{"csr": "x"}', b'{"csr": "x", "certificatePem": "y"}',
    b'{"certificatePem": "' + b"x" * 60_000 + b'"}'])
def test_junk_for_a_renewal_is_refused(server, body):
    status, _ = request(server.info["devicePlane"] + "/andon/v1/renew", "POST", body,
                        {"Content-Type": "application/json"}, server.tls())
    assert status == 400


def test_the_servers_and_the_operators_certificates_are_not_renewed(server):
    for pair in ("credentials/operator", "ca/andon-server", "ca/ca"):
        certificate, key = server.data / f"{pair}.crt", server.data / f"{pair}.key"
        csr = subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=x"],
                             check=True, capture_output=True, text=True).stdout
        assert renew(server, certificate.read_text(), csr)[0] == 403, pair


def test_a_thing_with_a_certificate_is_not_deleted_and_the_certificate_stays_in_hand(
        server, iot, tmp_path):
    device = server.device("gone-1", tmp_path)
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        iot.delete_thing(thingName="gone-1")
    assert refused.value.response["Error"]["Code"] == "InvalidRequestException"
    principal, = iot.list_thing_principals(thingName="gone-1")["principals"]
    with device.mqtt().subscribe("andon/things/gone-1/x") as subscription:
        iot.detach_thing_principal(thingName="gone-1", principal=principal)
        wait_until(lambda: subscription.process.poll() is not None, "the end of its session")
    iot.delete_thing(thingName="gone-1")
    assert_shut_out(device)
    # A thing of the same name is another one.
    iot.create_thing(thingName="gone-1")
    assert_shut_out(device)
    iot.update_certificate(certificateId=principal.rsplit("/", 1)[1], newStatus="REVOKED")


def test_the_server_does_not_act_on_messages_of_a_thing_without_a_good_certificate(
        server, iot, tmp_path):
    """Whoever gets a message past the broker: here the operator's own certificate sends it."""
    for name in ("silent-1", "heard-1"):
        server.device(name, tmp_path)
    principal, = iot.list_thing_principals(thingName="silent-1")["principals"]
    iot.update_certificate(certificateId=principal.rsplit("/", 1)[1], newStatus="REVOKED")
    operator = server.operator_mqtt()
    topic = "$aws/things/{}/jobs/$next/namespace-aws-gg-deployment/get"
    with operator.subscribe("$aws/things/+/jobs/#") as heard:
        for name in ("silent-1", "heard-1"):  # messages are handled in their order
            assert operator.publish(topic.format(name), "{}")
        heard.wait_for(lambda to, _: to == topic.format("heard-1") + "/accepted", "an answer")
        answered = [to for to, _ in heard.messages() if to.endswith(("accepted", "rejected"))]
    assert answered == [topic.format("heard-1") + "/accepted"]


def test_an_agent_renews_its_certificate_in_time_and_goes_on(server, iot, tmp_path):
    """A third is left: from its start on it asks, and what it runs is not disturbed."""
    with server.operator_mqtt().subscribe("$aws/events/presence/#") as presence:
        with AgedAgent(server, tmp_path / "edge", "aged-1", -3 * 3600, 3600) as agent:
            agent.wait_renewed()
            fleet = Fleet(server)
            fleet.component("com.ex.Aged", "1.0.0", {"run": "exec sleep 600"})
            entry = fleet.outcome(fleet.deploy({"com.ex.Aged": "1.0.0"}, target="thing/aged-1"),
                                  "aged-1")
            assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry
        # Before its own connection was given up, the new certificate was seen to work.
        events = [(to.split("/")[3], json.loads(text)) for to, text in presence.messages()]
    new = fingerprint(agent.certificate)
    mine = [(event, one["principalIdentifier"]) for event, one in events
            if one["clientId"] == "aged-1"]
    # The renewal may be there before the first connection is.
    assert mine[:3] == [("connected", agent.aged), ("disconnected", agent.aged),
                        ("connected", new)] or mine[0] == ("connected", new), events


def test_an_agent_keeps_its_connection_while_the_new_certificate_does_not_work(server, tmp_path):
    """Here because the broker does not take it: the thing has as many client ids as it may."""
    with AgedAgent(server, tmp_path / "edge", "aged-5", -80, 45) as agent:  # due in 3 or 4 s
        wait_until(lambda: agent.live("connected"), "its connection")
        others = [agent.mqtt().subscribe("andon/broadcast/x") for _ in range(7)]
        try:
            wait_until(lambda: "broker has not taken it" in
                       (agent.live("certificate") or {}).get("problem", ""), "the problem")
            assert agent.live("connected")
            assert agent.live("certificate")["id"] == fingerprint(agent.certificate) == agent.aged
        finally:
            for other in others:
                other.process.kill()
                other.process.wait()
        agent.kill()
        agent.start()
        agent.wait_renewed()


def test_an_agent_that_was_off_when_its_certificate_ended_comes_back(server, tmp_path):
    with AgedAgent(server, tmp_path / "edge", "aged-2", -90 * 86400, -30 * 86400) as agent:
        agent.wait_renewed()


def test_an_agent_killed_while_it_renews_has_a_certificate_that_works(server, tmp_path):
    agent = AgedAgent(server, tmp_path / "edge", "aged-3", -90 * 86400, -60)
    with agent:
        # The new one is on the disk beside the old one, or has just taken its place.
        wait_until(lambda: agent.certificate.with_name("device.crt.new").exists()
                   or fingerprint(agent.certificate) != agent.aged, "the first trace of it")
        agent.kill()
        agent.start()
        agent.wait_renewed()


def test_a_revoked_agent_says_so_and_needs_a_new_token(server, iot, tmp_path):
    with AgedAgent(server, tmp_path / "edge", "aged-4", -90 * 86400, 3600) as agent:
        agent.wait_renewed()
        agent.kill()
        for principal in iot.list_thing_principals(thingName="aged-4")["principals"]:
            iot.update_certificate(certificateId=principal.rsplit("/", 1)[1],
                                   newStatus="REVOKED")
        text = sign_again(server, agent, tmp_path)
        agent.certificate.write_text(text)
        agent.start()
        wait_until(lambda: "REVOKED" in (agent.live("certificate") or {}).get("problem", ""),
                   "the refusal in its status")
        readable = subprocess.run([program("andon-edge"), "status", "--root", agent.root],
                                  check=True, capture_output=True, text=True).stdout
        assert "not renewed" in readable and "new enrolment token" in readable
        agent.kill()
        agent.provision()
        agent.start()
        wait_until(lambda: agent.live("connected"), "its connection")


def sign_again(server, agent, tmp_path):
    """A certificate that is due for renewal, and was revoked."""
    text = sign(server, tmp_path / "again", agent.key, agent.thing, -90 * 86400, 3600)
    pem = tmp_path / "again" / "crt"
    server.aws("iot").update_certificate(certificateId=fingerprint(pem), newStatus="REVOKED")
    return text
