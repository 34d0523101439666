# SPDX-License-Identifier: Apache-2.0
"""Fleet provisioning as AWS IoT has it: templates and claims by boto3, devices with the
iotidentity client of awsiotsdk and with mosquitto's clients, which do not subscribe."""
import concurrent.futures
import json
import queue
import subprocess
import uuid

import pytest

from aws_client import status_and_code
from functions import Functions
from harness import Mqtt, program, wait_until
from proxies import ConnectProxy

ROLE = "arn:aws:iam::000000000000:role/provisioning"
BODY = {
    "Parameters": {"SerialNumber": {"Type": "String"},
                   "Line": {"Type": "String", "Default": "1"},
                   "AWS::IoT::Certificate::Id": {"Type": "String"}},
    "Mappings": {"Halls": {"1": {"Name": "north"}, "2": {"Name": "south"}}},
    "Resources": {
        "thing": {"Type": "AWS::IoT::Thing",
                  "OverrideSettings": {"AttributePayload": "MERGE", "ThingGroups": "DO_NOTHING",
                                       "ThingTypeName": "REPLACE"},
                  "Properties": {
                      "ThingName": {"Fn::Join": ["-", ["cam", {"Ref": "SerialNumber"}]]},
                      "AttributePayload": {"line": {"Ref": "Line"},
                                           "serial": {"Fn::Sub": "SN.${SerialNumber}"}},
                      "ThingGroups": ["provisioned"], "ThingTypeName": "camera"}},
        "certificate": {"Type": "AWS::IoT::Certificate",
                        "Properties": {"CertificateId": {"Ref": "AWS::IoT::Certificate::Id"},
                                       "Status": "Active"}},
        "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "provisioned"}}},
    "DeviceConfiguration": {"hall": {"Fn::FindInMap": ["Halls", {"Ref": "Line"}, "Name"]}}}


@pytest.fixture(scope="module")
def iot(server):
    client = server.aws("iot")
    client.create_thing_group(thingGroupName="provisioned")
    client.create_thing_type(thingTypeName="camera")
    client.create_policy(policyName="provisioned", policyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*",
                                                "Resource": "*"}]}))
    return client


def make_template(iot, name, body=None, **more):
    iot.create_provisioning_template(
        templateName=name, templateBody=json.dumps(body or BODY), enabled=True,
        provisioningRoleArn=ROLE, **more)
    return name


class Claim:
    """A claim's certificate and key in files, and its connections."""

    def __init__(self, server, iot, template, directory):
        made = iot.create_provisioning_claim(templateName=template)
        self.id = made["certificateId"]
        self.server = server
        self.certificate, self.key = directory / "claim.crt", directory / "claim.key"
        self.certificate.write_text(made["certificatePem"])
        self.key.write_text(made["keyPair"]["PrivateKey"])
        self.wait()

    def wait(self):
        """The broker hears of a certificate within a second."""
        wait_until(lambda: not refused(self), "the broker knowing the certificate")

    def mqtt(self, client_id=None):
        return Mqtt(self.server, self.certificate, self.key, client_id=client_id or
                    str(uuid.uuid4()))

    def connect(self, on_message=None):
        mqtt_connection_builder = pytest.importorskip("awsiot.mqtt_connection_builder",
                                                      reason="needs awsiotsdk")
        connection = mqtt_connection_builder.mtls_from_path(
            endpoint="localhost", port=self.server.info["mqtt"]["port"],
            cert_filepath=str(self.certificate), pri_key_filepath=str(self.key),
            ca_filepath=str(self.server.ca_file), client_id=str(uuid.uuid4()),
            clean_session=True)
        if on_message:
            connection.on_message(on_message)
        connection.connect().result(30)
        return connection


def ask(connection, what, request):
    """The answer of the unmodified iotidentity client; raises what is rejected."""
    from awscrt import mqtt
    from awsiot import iotidentity
    client = iotidentity.IotIdentityClient(connection)
    answer = concurrent.futures.Future()
    subscribed = {
        "keys": (client.subscribe_to_create_keys_and_certificate_accepted,
                 client.subscribe_to_create_keys_and_certificate_rejected,
                 client.publish_create_keys_and_certificate,
                 iotidentity.CreateKeysAndCertificateSubscriptionRequest),
        "csr": (client.subscribe_to_create_certificate_from_csr_accepted,
                client.subscribe_to_create_certificate_from_csr_rejected,
                client.publish_create_certificate_from_csr,
                iotidentity.CreateCertificateFromCsrSubscriptionRequest),
        "thing": (client.subscribe_to_register_thing_accepted,
                  client.subscribe_to_register_thing_rejected,
                  client.publish_register_thing, iotidentity.RegisterThingSubscriptionRequest)}
    accepted, rejected, publish, subscription = subscribed[what]
    told = subscription(template_name=request.template_name) if what == "thing" else subscription()

    def refuse(error):
        answer.set_exception(RuntimeError(f"{error.status_code} {error.error_code} "
                                          f"{error.error_message}"))
    for subscribe, act in ((accepted, answer.set_result), (rejected, refuse)):
        future, _ = subscribe(request=told, qos=mqtt.QoS.AT_LEAST_ONCE, callback=act)
        future.result(30)
    publish(request, mqtt.QoS.AT_LEAST_ONCE).result(30)
    return answer.result(30)


def register(connection, template, token, **parameters):
    from awsiot import iotidentity
    return ask(connection, "thing", iotidentity.RegisterThingRequest(
        template_name=template, certificate_ownership_token=token, parameters=parameters))


def get_keys(connection):
    from awsiot import iotidentity
    return ask(connection, "keys", iotidentity.CreateKeysAndCertificateRequest())


def test_a_template_and_its_versions_live_as_with_aws(iot, fresh):
    name = make_template(iot, fresh("template"), description="cameras",
                         tags=[{"Key": "hall", "Value": "2"}])
    described = iot.describe_provisioning_template(templateName=name)
    assert json.loads(described["templateBody"]) == BODY
    assert (described["enabled"], described["description"], described["type"],
            described["provisioningRoleArn"], described["defaultVersionId"]) \
        == (True, "cameras", "FLEET_PROVISIONING", ROLE, 1)
    assert status_and_code(iot.create_provisioning_template, templateName=name, provisioningRoleArn=ROLE,
                   templateBody=json.dumps(BODY)) == (409, "ResourceAlreadyExistsException")
    made = iot.create_provisioning_template_version(
        templateName=name, templateBody=json.dumps({**BODY, "DeviceConfiguration": {}}))
    assert (made["versionId"], made["isDefaultVersion"]) == (2, False)
    iot.update_provisioning_template(templateName=name, defaultVersionId=2, enabled=False)
    assert [(one["versionId"], one["isDefaultVersion"]) for page in
            iot.get_paginator("list_provisioning_template_versions").paginate(templateName=name)
            for one in page["versions"]] == [(2, True), (1, False)]
    assert status_and_code(iot.delete_provisioning_template_version, templateName=name, versionId=2) \
        == (409, "DeleteConflictException")
    assert status_and_code(iot.delete_provisioning_template, templateName=name) \
        == (409, "DeleteConflictException")
    iot.delete_provisioning_template_version(templateName=name, versionId=1)
    assert status_and_code(iot.describe_provisioning_template_version, templateName=name, versionId=1) \
        == (404, "ResourceNotFoundException")
    assert name in [one["templateName"] for page in
                    iot.get_paginator("list_provisioning_templates").paginate(
                        PaginationConfig={"PageSize": 1}) for one in page["templates"]]
    iot.delete_provisioning_template(templateName=name)
    assert status_and_code(iot.describe_provisioning_template, templateName=name) \
        == (404, "ResourceNotFoundException")


@pytest.mark.parametrize("change", [
    {"Resources": {"x": {"Type": "AWS::S3::Bucket"}}},
    {"Resources": {"t": {"Type": "AWS::IoT::Thing", "Properties": {}}}},
    {"Resources": {"t": {"Type": "AWS::IoT::Thing", "Properties": {
        "ThingName": {"Ref": "Nothing"}}}}},
    {"Resources": {"t": {"Type": "AWS::IoT::Thing", "Properties": {
        "ThingName": "x", "BillingGroup": "b"}}}}])
def test_a_body_that_cannot_be_carried_out_is_refused_when_it_is_made(iot, fresh, change):
    assert status_and_code(iot.create_provisioning_template, templateName=fresh("bad"),
                   templateBody=json.dumps({**BODY, **change}), provisioningRoleArn=ROLE) \
        == (400, "InvalidRequestException")


def test_a_device_gets_keys_and_its_place_by_a_claim(server, iot, fresh, tmp_path):
    template, serial = make_template(iot, fresh("template")), fresh("s")
    connection = Claim(server, iot, template, tmp_path).connect()
    keys = get_keys(connection)
    assert iot.describe_certificate(certificateId=keys.certificate_id)[
        "certificateDescription"]["status"] == "INACTIVE"
    made = register(connection, template, keys.certificate_ownership_token, SerialNumber=serial,
                    Line="2")
    thing = f"cam-{serial}"
    assert (made.thing_name, made.device_configuration) == (thing, {"hall": "south"})
    # Who lost the answer asks again.
    assert register(connection, template, keys.certificate_ownership_token,
                    SerialNumber="other").thing_name == thing
    connection.disconnect().result(30)
    described = iot.describe_thing(thingName=thing)
    assert described["attributes"] == {"line": "2", "serial": f"SN.{serial}"}
    assert described["thingTypeName"] == "camera"
    assert thing in iot.list_things_in_thing_group(thingGroupName="provisioned")["things"]
    principal, = iot.list_thing_principals(thingName=thing)["principals"]
    assert principal.endswith(keys.certificate_id)
    assert iot.list_attached_policies(target=principal)["policies"][0]["policyName"] \
        == "provisioned"
    certificate, key = tmp_path / "own.crt", tmp_path / "own.key"
    certificate.write_text(keys.certificate_pem)
    key.write_text(keys.private_key)
    own = Mqtt(server, certificate, key, thing=thing)
    wait_until(lambda: own.publish(f"$aws/things/{thing}/x", "{}"), "its own certificate")
    trail = server.aws("cloudtrail")

    def recorded(name, resource):
        return any(resource in json.dumps(event, default=str) for event in trail.lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}])["Events"])
    wait_until(lambda: recorded("RegisterThing", f"thing/{thing}"), "the audit log")
    assert recorded("CreateKeysAndCertificate", keys.certificate_id)


def test_a_device_keeps_its_key_and_sends_a_csr(server, iot, fresh, tmp_path):
    from awsiot import iotidentity
    template, serial = make_template(iot, fresh("template")), fresh("s")
    device = server.device(fresh("dev"), tmp_path)  # for its key
    connection = Claim(server, iot, template, tmp_path).connect()
    with pytest.raises(RuntimeError, match="400 InvalidParameters"):
        ask(connection, "csr", iotidentity.CreateCertificateFromCsrRequest(
            certificate_signing_request="nonsense"))
    offered = ask(connection, "csr", iotidentity.CreateCertificateFromCsrRequest(
        certificate_signing_request=device.csr()))
    made = register(connection, template, offered.certificate_ownership_token,
                    SerialNumber=serial)
    assert made.thing_name == f"cam-{serial}"
    device.certificate.write_text(offered.certificate_pem)
    assert device.https(f"/greengrass/v2/coreDevices/{made.thing_name}/thingGroups")[0] == 200


def test_an_answer_reaches_who_never_subscribed_and_nobody_else(server, iot, fresh, tmp_path):
    """As greengrass-lite does it; another with the same claim, who listens, hears nothing."""
    from awscrt import mqtt
    template = make_template(iot, fresh("template"))
    claim = Claim(server, iot, template, tmp_path)
    topic = "$aws/certificates/create/json"
    with claim.mqtt().subscribe(f"{topic}/accepted", topic) as other:
        got = queue.Queue()
        connection = claim.connect(lambda topic, payload, **_: got.put((topic, payload)))
        for _ in range(2):  # with the second answer the first would have come to the other, too
            connection.publish(topic, "{}", mqtt.QoS.AT_LEAST_ONCE)[0].result(30)
            answered, payload = got.get(timeout=30)
            assert answered == f"{topic}/accepted"
            assert json.loads(payload)["privateKey"].startswith("-----BEGIN")
        assert other.messages() == []


def test_a_claim_may_do_that_and_nothing_else(server, iot, fresh, tmp_path):
    template, other = make_template(iot, fresh("template")), make_template(iot, fresh("template"))
    claim = Claim(server, iot, template, tmp_path)
    for topic in (f"$aws/provisioning-templates/{other}/provision/json", "plant/x",
                  "$aws/things/x/jobs/get", "andon/deliver/78/plant", "cmd/andon/x"):
        assert not claim.mqtt().publish(topic, "{}"), topic
    principal = f"arn:aws:iot:us-east-1:000000000000:cert/{claim.id}"
    assert iot.list_principal_things(principal=principal)["things"] == []
    iot.delete_provisioning_template(templateName=template)
    wait_until(lambda: refused(claim), "the claim going with its template")


def refused(claim):
    ended = subprocess.run(
        ["mosquitto_pub", *claim.mqtt().connection, "-t", "$aws/certificates/create/json", "-m",
         "{}"], capture_output=True, text=True, timeout=30, check=False)
    return ended.returncode != 0 or "not authori" in ended.stderr.lower()


def test_what_is_wrong_is_rejected_with_its_reason(server, iot, fresh, tmp_path):
    template = make_template(iot, fresh("template"))
    connection = Claim(server, iot, template, tmp_path).connect()
    with pytest.raises(RuntimeError, match="401 Unauthorized"):
        register(connection, template, "no-token", SerialNumber="1")
    token = get_keys(connection).certificate_ownership_token
    with pytest.raises(RuntimeError, match="400 InvalidParameters.*SerialNumber"):
        register(connection, template, token)
    with pytest.raises(RuntimeError, match="400 InvalidParameters.*thingName"):
        register(connection, template, token, SerialNumber="a/b")
    iot.update_provisioning_template(templateName=template, enabled=False)
    with pytest.raises(RuntimeError, match="409 ResourceConflict.*not enabled"):
        register(connection, template, token, SerialNumber="1")


def test_a_claim_alone_does_not_take_a_device_over(server, iot, fresh, tmp_path):
    template, serial = make_template(iot, fresh("template")), fresh("s")
    connection = Claim(server, iot, template, tmp_path).connect()
    first = get_keys(connection)
    register(connection, template, first.certificate_ownership_token, SerialNumber=serial)
    second = get_keys(connection)
    with pytest.raises(RuntimeError, match="409 ResourceConflict.*active certificate"):
        register(connection, template, second.certificate_ownership_token, SerialNumber=serial)
    iot.update_certificate(certificateId=first.certificate_id, newStatus="REVOKED")
    assert register(connection, template, second.certificate_ownership_token,
                    SerialNumber=serial).thing_name == f"cam-{serial}"


HOOK = """
def handler(event, context):
    known = event["parameters"].get("SerialNumber", "").startswith("good")
    return {"allowProvisioning": known and len(event["certificateId"]) == 64,
            "parameterOverrides": {"Line": "2"}}
"""


def test_a_function_decides_who_is_let_in(server, iot, fresh, tmp_path):
    hook = Functions(server, fresh).create(HOOK)
    template = make_template(iot, fresh("template"), preProvisioningHook={
        "payloadVersion": "2020-04-01",
        "targetArn": f"arn:aws:lambda:us-east-1:000000000000:function:{hook}"})
    connection = Claim(server, iot, template, tmp_path).connect()
    token = get_keys(connection).certificate_ownership_token
    with pytest.raises(RuntimeError, match="401 Unauthorized.*says no"):
        register(connection, template, token, SerialNumber="bad")
    made = register(connection, template, token, SerialNumber=fresh("good"), Line="1")
    assert made.device_configuration == {"hall": "south"}
    assert iot.describe_thing(thingName=made.thing_name)["attributes"]["line"] == "2"


def test_a_durable_claim_is_a_certificate_with_the_policy_of_awss_documents(server, iot, fresh,
                                                                          tmp_path):
    template, policy = make_template(iot, fresh("template")), fresh("policy")
    arn = "arn:aws:iot:us-east-1:000000000000"
    iot.create_policy(policyName=policy, policyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["iot:Connect"], "Resource": "*"},
            {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": [
                f"{arn}:topic/$aws/certificates/create/*",
                f"{arn}:topic/$aws/provisioning-templates/{template}/provision/*"]},
            {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": [
                f"{arn}:topicfilter/$aws/certificates/create/*",
                f"{arn}:topicfilter/$aws/provisioning-templates/{template}/provision/*"]}]}))
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.attach_policy(policyName=policy, target=made["certificateArn"])
    claim = Claim(server, iot, template, tmp_path)
    claim.certificate.write_text(made["certificatePem"])
    claim.key.write_text(made["keyPair"]["PrivateKey"])
    claim.wait()
    connection = claim.connect()
    serial = fresh("s")
    assert register(connection, template, get_keys(connection).certificate_ownership_token,
                    SerialNumber=serial).thing_name == f"cam-{serial}"


def provision(server, claim, template, root, serial, *options):
    """andon-edge provisions itself by a claim: what it says."""
    mqtt, plane = server.info["mqtt"], server.info["devicePlane"].removeprefix("https://")
    return subprocess.run(
        [program("andon-edge"), "provision", "--root", root, "--claim", claim.certificate,
         "--claim-key", claim.key, "--ca", server.ca_file, "--template", template, "--mqtt",
         f"{mqtt['host']}:{mqtt['port']}", "--data-plane", plane, "--parameter",
         f"SerialNumber={serial}", "--json", *options], capture_output=True, text=True, timeout=120,
        check=False)


def test_the_agent_is_provisioned_by_a_claim_and_runs(server, iot, fresh, tmp_path):
    template, serial, root = make_template(iot, fresh("template")), fresh("s"), tmp_path / "edge"
    claim = Claim(server, iot, template, tmp_path)
    said = provision(server, claim, template, root, "a/b")
    assert said.returncode != 0 and "thingName" in said.stderr
    said = provision(server, claim, template, root, serial)
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["thingName"] == f"cam-{serial}"
    again = provision(server, claim, template, root, "other")
    assert json.loads(again.stdout)["thingName"] == f"cam-{serial}"
    greengrass = server.aws("greengrassv2")
    with open(tmp_path / "log", "w") as log:
        agent = subprocess.Popen([program("andon-edge"), "run", "--root", root], stdout=log,
                                 stderr=log)
        try:
            wait_until(lambda: [one for one in greengrass.list_core_devices()["coreDevices"]
                                if one["coreDeviceThingName"] == f"cam-{serial}"],
                       "the agent reporting")
        finally:
            agent.kill()
            agent.wait()


def test_the_agent_is_provisioned_by_a_claim_through_a_proxy(server, iot, fresh, tmp_path):
    template, serial = make_template(iot, fresh("template")), fresh("s")
    claim = Claim(server, iot, template, tmp_path)
    with ConnectProxy() as proxy:
        url = f"http://line:p%40ss@127.0.0.1:{proxy.port}"
        said = provision(server, claim, template, tmp_path / "edge", serial, "--proxy", url)
        assert said.returncode == 0, said.stderr
        assert {int(target.rsplit(":", 1)[1]) for target in proxy.targets} == {server.info["mqtt"]["port"]}
    assert json.loads((tmp_path / "edge/config/device.json").read_text())["proxy"] == url


def test_an_operator_registers_a_thing_by_a_body_of_its_own(server, iot, fresh, tmp_path):
    device, serial = server.device(fresh("dev"), tmp_path), fresh("s")
    body = {**BODY, "Parameters": {**BODY["Parameters"], "CSR": {"Type": "String"}}}
    body["Resources"] = {**body["Resources"], "certificate": {
        "Type": "AWS::IoT::Certificate",
        "Properties": {"CertificateSigningRequest": {"Ref": "CSR"}, "Status": "ACTIVE"}}}
    del body["Parameters"]["AWS::IoT::Certificate::Id"]
    made = iot.register_thing(templateBody=json.dumps(body),
                              parameters={"SerialNumber": serial, "CSR": device.csr()})
    assert made["resourceArns"]["thing"].endswith(f"thing/cam-{serial}")
    assert iot.list_thing_principals(thingName=f"cam-{serial}")["principals"] \
        == [made["resourceArns"]["certificate"]]


def test_who_may_not_make_templates_is_refused(limited, server):
    own = limited("iot", "iot:CreateProvisioningTemplate", "*")
    # Making one passes its role.
    assert status_and_code(own.create_provisioning_template, templateName="t", provisioningRoleArn=ROLE,
                   templateBody=json.dumps(BODY))[1] in ("AccessDeniedException",
                                                         "UnauthorizedException")
    assert status_and_code(own.create_provisioning_claim, templateName="t")[1] in (
        "AccessDeniedException", "UnauthorizedException")
