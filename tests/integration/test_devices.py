# SPDX-License-Identifier: Apache-2.0
"""What a device may do, and what not: enrolment, MQTT, the HTTPS data plane, uploads, deployments.
The device is played by hand with openssl, mosquitto's clients and plain HTTPS."""
import hashlib
import json
import re
import subprocess

import botocore.exceptions
import pytest

from harness import Server, enrol, http, read_token, wait_until

NAMESPACE = "namespace-aws-gg-deployment"


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server


@pytest.fixture(scope="module")
def devices(server, tmp_path_factory):
    directory = tmp_path_factory.mktemp("devices")
    return [server.device(name, directory) for name in ("line-1", "line-2")]


def new_key(path):
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path],
                   check=True, capture_output=True)
    return path


# --- enrolment ---------------------------------------------------------------------------------

def test_the_token_names_the_server_and_its_ca(server):
    content = read_token(server.token("line-9"))
    assert content["url"] == server.info["devicePlane"]
    der = subprocess.run(["openssl", "x509", "-in", server.ca_file, "-outform", "DER"], check=True,
                         capture_output=True).stdout
    assert content["ca"] == hashlib.sha256(der).hexdigest()
    status, pem = http(content["url"] + "/andon/v1/ca.pem", context=server.tls())
    assert (status, pem.decode()) == (200, open(server.ca_file).read())


def test_a_token_is_for_one_key_only(server, devices, tmp_path):
    token = server.token("line-3")
    first, second = new_key(tmp_path / "first.pem"), new_key(tmp_path / "second.pem")
    assert enrol(server, token, devices[0].csr(first))[0] == 200
    # A device that lost the answer asks again with the same key, and gets the same certificate.
    status, answer = enrol(server, token, devices[0].csr(first))
    assert status == 200, answer
    assert enrol(server, token, devices[0].csr(first))[1]["certificatePem"] == answer["certificatePem"]
    status, answer = enrol(server, token, devices[0].csr(second))
    assert status == 403, answer


def test_the_certificate_has_the_things_name_whatever_the_csr_says(devices):
    subject = subprocess.run(["openssl", "x509", "-in", devices[0].certificate, "-noout",
                              "-subject"], check=True, capture_output=True, text=True).stdout
    assert subject.strip() == "subject=CN = line-1"
    assert devices[0].enrolment["thingName"] == "line-1"


@pytest.mark.parametrize("name", ["andon-server", "andon-operator", "a/b", "a+", "#", "",
                                  "x" * 129])
def test_reserved_and_widening_names_are_refused(server, name):
    status, answer = server.call("POST", "/andon/v1/enrolment-tokens", {"thingName": name})
    assert status == 400, answer


@pytest.mark.parametrize("csr", ["", "nonsense", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
                                 "-----END CERTIFICATE REQUEST-----\n"])
def test_a_malformed_csr_is_refused_and_costs_no_token(server, devices, csr):
    token = server.token("line-4")
    status, answer = enrol(server, token, csr)
    assert status == 400, answer
    assert enrol(server, token, devices[0].csr())[0] == 200


# --- MQTT --------------------------------------------------------------------------------------

def test_a_device_writes_only_its_own_topics(devices):
    first = devices[0].mqtt()
    assert first.publish("andon/things/line-1/results", "{}")
    assert first.publish("$aws/things/line-1/x", "{}")
    for topic in ("andon/things/line-2/results", "$aws/things/line-2/x", "cmd/x/line-1/stop",
                  "andon/broadcast/x", "elsewhere"):
        assert not first.publish(topic, "{}"), topic


def test_a_device_reads_only_its_own_topics(server, devices):
    operator = server.operator_mqtt()
    with devices[0].mqtt().subscribe("#", "$aws/#", "andon/things/line-1/#",
                                      "andon/broadcast/#") as inbox:
        for topic in ("andon/things/line-2/x", "$aws/things/line-2/x", "elsewhere",
                      "andon/things/line-1/x", "andon/broadcast/end"):
            assert operator.publish(topic, "hello")
        inbox.wait_for(lambda topic, _: topic == "andon/broadcast/end", "the last message")
        assert [topic for topic, _ in inbox.messages()] == ["andon/things/line-1/x",
                                                           "andon/broadcast/end"]


def test_the_operator_sees_results_of_every_device(server, devices):
    with server.operator_mqtt().subscribe("andon/things/+/results") as inbox:
        for device in devices:
            assert device.mqtt().publish(f"andon/things/{device.thing}/results", {"n": 1})
        wait_until(lambda: len(inbox.messages()) == 2, "two results")


# --- the HTTPS data plane ----------------------------------------------------------------------

def test_a_device_asks_for_itself_only(devices):
    assert devices[0].https("/greengrass/v2/coreDevices/line-1/thingGroups")[0] == 200
    assert devices[0].https("/greengrass/v2/coreDevices/line-2/thingGroups")[0] == 403


def test_nobody_asks_without_a_certificate(server):
    path = "/greengrass/v2/coreDevices/line-1/thingGroups"
    assert http(server.info["devicePlane"] + path, context=server.tls())[0] == 403


def test_the_servers_own_certificates_are_not_devices(server):
    credentials = server.data / "credentials"
    context = server.tls(credentials / "operator.crt", credentials / "operator.key")
    path = "/greengrass/v2/coreDevices/andon-operator/thingGroups"
    assert http(server.info["devicePlane"] + path, context=context)[0] == 403


def test_a_revoked_certificate_is_refused(server, tmp_path):
    device = server.device("line-5", tmp_path)
    path = "/greengrass/v2/coreDevices/line-5/thingGroups"
    assert device.https(path)[0] == 200
    der = subprocess.run(["openssl", "x509", "-in", device.certificate, "-outform", "DER"],
                         check=True, capture_output=True).stdout
    server.aws("iot").update_certificate(certificateId=hashlib.sha256(der).hexdigest(),
                                         newStatus="REVOKED")
    assert device.https(path)[0] == 403


# --- uploads with temporary credentials --------------------------------------------------------

def refused_with(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        call(**arguments)
    return refused.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_device_uploads_only_under_its_own_prefix(server, devices):
    status, body = devices[0].https("/role-aliases/any/credentials")
    assert status == 200
    key = json.loads(body)["credentials"]
    s3 = server.aws("s3", key, server.info["devicePlane"])
    s3.put_object(Bucket="andon-uploads", Key="line-1/hard.jpg", Body=b"image")
    stored = server.aws("s3").get_object(Bucket="andon-uploads", Key="line-1/hard.jpg")
    assert stored["Body"].read() == b"image"
    server.aws("s3").create_bucket(Bucket="models")
    for bucket, name in (("andon-uploads", "line-2/x"), ("andon-uploads", "x"),
                         ("andon-artifacts", "line-1/x"), ("models", "line-1/x")):
        assert refused_with(s3.put_object, Bucket=bucket, Key=name, Body=b"x") == 403
    assert refused_with(s3.get_object, Bucket="andon-uploads", Key="line-2/x") == 403
    assert refused_with(server.aws("greengrassv2", key).list_deployments) == 403


def test_operators_keys_are_not_taken_on_the_device_plane(server):
    s3 = server.aws("s3", endpoint=server.info["devicePlane"])
    assert refused_with(s3.list_buckets) == 403
    assert refused_with(s3.put_object, Bucket="andon-uploads", Key="line-1/x", Body=b"x") == 403


# --- a deployment, by hand ---------------------------------------------------------------------

ARTIFACT = b"print('hello')\n"


def create_component(server, name, artifact=ARTIFACT):
    s3 = server.aws("s3")
    s3.create_bucket(Bucket=name.lower())
    s3.put_object(Bucket=name.lower(), Key="hello.py", Body=artifact)
    recipe = {"RecipeFormatVersion": "2020-01-25", "ComponentName": name,
              "ComponentVersion": "1.0.0",
              "Manifests": [{"Platform": {"os": "linux"},
                             "Lifecycle": {"run": "python3 {artifacts:path}/hello.py"},
                             "Artifacts": [{"URI": f"s3://{name.lower()}/hello.py"}]}]}
    server.aws("greengrassv2").create_component_version(inlineRecipe=json.dumps(recipe))


def deploy(server, thing, component):
    return server.aws("greengrassv2").create_deployment(
        targetArn=f"arn:aws:iot:us-east-1:000000000000:thing/{thing}",
        components={component: {"componentVersion": "1.0.0"}})["deploymentId"]


def resolve(device, component):
    return device.https("/greengrass/v2/resolveComponentCandidates", "POST",
                        {"componentCandidates": [{"componentName": component, "versionRequirements":
                                                  {"thing/x": ">=1.0.0 <2.0.0"}}],
                         "platform": {"attributes": {"os": "linux", "architecture": "amd64"}}},
                        {"Content-Type": "application/json"})


def test_a_deployment_goes_to_its_device_and_its_bytes_to_nobody_else(server, devices):
    first, second = devices
    create_component(server, "Hello")
    topic = f"$aws/things/line-1/jobs/notify-next-{NAMESPACE}"
    with first.mqtt().subscribe(topic, "$aws/things/line-1/jobs/+/+/update/+") as inbox:
        deployment = deploy(server, "line-1", "Hello")
        # Overwriting the source later changes nothing for the component.
        server.aws("s3").put_object(Bucket="hello", Key="hello.py", Body=b"tampered")
        _, notice = inbox.wait_for(
            lambda where, text: where == topic and "execution" in json.loads(text), "the job")
        execution = json.loads(notice)["execution"]
        assert "Hello" in json.dumps(execution["jobDocument"])

        assert resolve(second, "Hello")[0] == 403
        status, body = resolve(first, "Hello")
        assert status == 200, body
        resolved = json.loads(body)["resolvedComponentVersions"][0]
        path = f"/greengrass/v2/components/{resolved['arn']}/artifacts/hello.py"
        assert second.https(path)[0] == 403
        url = json.loads(first.https(path)[1])["preSignedUrl"]
        assert hashlib.sha256(ARTIFACT).hexdigest() in url
        assert first.https(url) == (200, ARTIFACT)
        assert first.https(url, headers={"Range": "bytes=6-12"}) == (206, ARTIFACT[6:13])
        assert second.https(url)[0] == 403
        assert http(url, context=server.tls())[0] == 403

        update = f"$aws/things/line-1/jobs/{execution['jobId']}/{NAMESPACE}/update"
        for state in ("IN_PROGRESS", "SUCCEEDED"):
            assert first.mqtt().publish(update, {"status": state, "clientToken": state})
            inbox.wait_for(lambda where, text, state=state:
                           where == update + "/accepted" and state in text, "the answer")
    greengrass = server.aws("greengrassv2")
    wait_until(lambda: greengrass.get_deployment(deploymentId=deployment)["deploymentStatus"] ==
               "COMPLETED", "completion")


def test_a_deployment_made_while_nobody_listens_is_there_when_the_device_asks(server, tmp_path):
    device = server.device("line-6", tmp_path)
    create_component(server, "Later")
    deployment = deploy(server, "line-6", "Later")
    get = f"$aws/things/line-6/jobs/$next/{NAMESPACE}/get"
    with device.mqtt().subscribe(get + "/accepted") as inbox:
        assert device.mqtt().publish(get, {"jobId": "$next", "thingName": "line-6",
                                           "includeJobDocument": True, "clientToken": "mine"})
        _, answer = inbox.wait_for(lambda *_: True, "the job")
    assert json.loads(answer)["clientToken"] == "mine"
    assert deployment in answer


def test_a_deployment_survives_the_servers_death(tmp_path):
    with Server(tmp_path / "data") as server:
        device = server.device("line-1", tmp_path)
        create_component(server, "Hello")
        deployment = deploy(server, "line-1", "Hello")
        server.kill()
        server.start()
        topic = f"$aws/things/line-1/jobs/$next/{NAMESPACE}/get"
        with device.mqtt().subscribe(topic + "/accepted") as inbox:
            assert device.mqtt().publish(topic, {"jobId": "$next", "thingName": "line-1",
                                                 "clientToken": "x"})
            _, answer = inbox.wait_for(lambda *_: True, "the job")
        assert deployment in answer
        assert re.search(r'"status":"QUEUED"', answer)
