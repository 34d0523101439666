# SPDX-License-Identifier: Apache-2.0
"""A Greengrass component as its author would write it, with the public AWS IoT Device SDK: hears what
client devices say, and asks what a client device may do. It knows nothing of andon."""
import json
import ssl
import tempfile
import time

from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import (BinaryMessage, CertificateOptions,
                                            ClientDeviceCredential, CredentialDocument,
                                            InvalidClientDeviceAuthTokenError,
                                            InvalidCredentialError, MQTTCredential, PublishMessage)


def note(name, value):
    with open(f"{name}.txt", "a", encoding="utf-8") as file:
        file.write(json.dumps(value) + "\n")


ipc = GreengrassCoreIPCClientV2()


def heard(event):
    message = event.binary_message
    note("heard", [message.context.topic, message.message.decode()])
    if message.context.topic.startswith("cam/"):
        ipc.publish_to_topic(topic="orders/all", publish_message=PublishMessage(
            binary_message=BinaryMessage(message=b"order for " + message.message)))


def certified(event):
    update = event.certificate_update
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(update.certificate + update.private_key)
        file.flush()
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file.name)  # they fit
    note("certified", update.ca_certificates)


def settings():
    return ipc.get_configuration().value


ipc.subscribe_to_topic(topic="cam/#", on_stream_event=heard)
ipc.subscribe_to_certificate_updates(
    certificate_options=CertificateOptions(certificate_type="SERVER"), on_stream_event=certified)
certificate = settings()["certificate"]
credential = CredentialDocument(mqtt_credential=MQTTCredential(
    client_id="camera", certificate_pem=certificate))
note("valid", ipc.verify_client_device_identity(credential=ClientDeviceCredential(
    client_device_certificate=certificate)).is_valid_client_device)
token = ipc.get_client_device_auth_token(credential=credential).client_device_auth_token
for topic in ("cam/1", "press/1"):
    note("may", [topic, ipc.authorize_client_device_action(
        client_device_auth_token=token, operation="mqtt:publish",
        resource=f"mqtt:topic:{topic}").is_authorized])
try:
    ipc.authorize_client_device_action(client_device_auth_token="x", operation="mqtt:publish",
                                       resource="mqtt:topic:cam/1")
except InvalidClientDeviceAuthTokenError:
    note("refused", "token")
try:
    ipc.get_client_device_auth_token(credential=CredentialDocument(
        mqtt_credential=MQTTCredential(client_id="x", certificate_pem="none")))
except InvalidCredentialError:
    note("refused", "credential")
while True:
    time.sleep(60)
