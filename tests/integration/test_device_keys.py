# SPDX-License-Identifier: Apache-2.0
"""Devices whose private key is on a PKCS#11 token (SoftHSM) or in a TPM (swtpm): it proves who they
are over MQTT and HTTPS, signs for new certificates, and is in no file."""
import contextlib
import json
import os
import signal
import subprocess
import tarfile

import pytest

from agent import Agent, Fleet
from certificates import fingerprint, replace_certificate
from harness import Server, program, wait_until
from keys import CLIENT_MODULE, MODULE, PIN, KeyedAgent, Token, Tpm

PROVIDER = "aws.greengrass.crypto.Pkcs11Provider"


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server


@pytest.fixture(params=["token", "rsa-token", "tpm"])
def holder(request, tmp_path):
    if request.param != "tpm":
        yield Token(tmp_path / "token",
                    "EC:prime256v1" if request.param == "token" else "rsa:2048")
        return
    tpm = Tpm(tmp_path / "tpm")
    try:
        yield tpm
    finally:
        tpm.end()


def test_a_key_that_is_in_no_file_serves_mqtt_https_and_renewal(server, tmp_path, holder, request):
    fleet = Fleet(server)
    kind = request.node.callspec.params["holder"]
    thing = f"keyed-{kind}"
    agent = KeyedAgent(server, tmp_path / "edge", holder, thing)
    with agent:
        wait_until(agent.is_connected, "its connection; log:\n" + agent.log.read_text())
        name = f"com.example.Keyed.{kind}"
        bucket = server.aws("s3")
        bucket.create_bucket(Bucket=thing)
        bucket.put_object(Bucket=thing, Key="text", Body=b"by HTTPS\n")
        fleet.component(name, "1.0.0", {"run": "cat {artifacts:path}/text; exec sleep 600"},
                        artifacts=[f"s3://{thing}/text"])
        fleet.deploy_and_wait({name: "1.0.0"}, thing)

        # A certificate of which a third is left is replaced, by a request that the key has signed.
        agent.kill()
        signed = {"openssl": holder.openssl, "environment": holder.environment}
        agent.key = holder.openssl_key
        replace_certificate(server, agent, tmp_path, -3 * 3600, 3600, **signed)
        aged = fingerprint(agent.certificate)
        agent.start()
        wait_until(lambda: fingerprint(agent.certificate) != aged and agent.is_connected(),
                   "the renewal; log:\n" + agent.log.read_text())
        agent.wait_for(name, "1.0.0")
    assert not (agent.root / "config" / "device.key").exists()
    for file in agent.root.rglob("*"):
        if file.is_file():
            assert b"PRIVATE KEY" not in file.read_bytes(), file


def test_what_is_wrong_with_a_token_is_said_by_name(server, tmp_path):
    token = Token(tmp_path / "token")
    def refused(key, code):
        agent = KeyedAgent(server, tmp_path / "edge", token, "refused-1", key)
        got, words = agent.refusal()
        assert got == code, words
        return words
    assert "no such token, or no such private key" in refused(token.source(token="absent"), 6)
    assert "no such token, or no such private key" in refused(token.source(key="other"), 6)
    assert "cannot be loaded" in refused(f"{token.uri()}?module-path=/nowhere.so", 9)
    token.pin.write_text("000000")
    words = refused(token.source(), 5)
    assert "refuses the PIN" in words and "000000" not in words
    assert "must be a key's URI" in refused("device.key", 2)


def test_a_device_runs_what_it_has_without_its_token_and_connects_when_it_is_back(server, tmp_path):
    token = Token(tmp_path / "token")
    agent = KeyedAgent(server, tmp_path / "edge", token, "plugged-1")
    fleet = Fleet(server)
    with agent:
        fleet.component("com.example.Plugged", "1.0.0", {"run": "exec sleep 600"})
        fleet.deploy_and_wait({"com.example.Plugged": "1.0.0"}, "plugged-1")
        agent.kill()
        token.take_out()
        agent.start()
        agent.wait_for("com.example.Plugged", "1.0.0")
        wait_until(lambda: "no such token" in agent.last_problem(),
                   "the problem being named")
        token.put_back()
        wait_until(agent.is_connected, "its connection; log:\n" + agent.log.read_text())


def test_a_refused_pin_is_shown_to_its_token_once(server, tmp_path):
    """SoftHSM does not lock itself as others do, so the agent's own words are looked at."""
    token = Token(tmp_path / "token")
    agent = KeyedAgent(server, tmp_path / "edge", token, "pin-1")
    with agent:
        wait_until(agent.is_connected, "its connection")
        agent.kill()
        token.pin.write_text("000000")
        agent.start()
        wait_until(lambda: "has refused this PIN before" in agent.last_problem(),
                   "the problem being named")
        token.pin.write_text(PIN)
        wait_until(agent.is_connected, "its connection; log:\n" + agent.log.read_text())


def connections(agent):
    return agent.status().get("network", {}).get("connections", 0)


def assert_comes_back(server, agent, take_out, put_back):
    """The same process, over the loss of its key and of its connection."""
    wait_until(agent.is_connected, "its connection; log:\n" + agent.log.read_text())
    pid, before = agent.status()["pid"], connections(agent)
    take_out()
    server.kill()
    server.start()
    wait_until(lambda: not agent.is_connected() and agent.last_problem(), "the problem being named")
    wait_until(lambda: "oken" in agent.last_problem(), "the token being named: " +
               agent.last_problem())
    put_back()
    wait_until(agent.is_connected, "its connection; log:\n" + agent.log.read_text())
    assert agent.status()["pid"] == pid and connections(agent) > before


@pytest.mark.parametrize("key_type", ["EC:prime256v1", "rsa:2048"])
def test_a_token_that_is_taken_out_of_a_running_agent_and_put_back_is_found_by_itself(
        tmp_path, key_type):
    token = Token(tmp_path / "token", key_type)
    with Server(tmp_path / "data") as server, \
            KeyedAgent(server, tmp_path / "edge", token, "taken-1") as agent:
        assert_comes_back(server, agent, token.take_out, token.put_back)


def test_a_token_whose_sessions_are_all_lost_is_found_by_itself(tmp_path, open_directory):
    """By another process, p11-kit's, which has the token and is ended: as when a reader is unplugged,
    nothing that was open there is good any more."""
    token = Token(tmp_path / "token")
    socket = open_directory / "p11"
    remote = ["p11-kit", "server", "-f", "-n", socket, "--provider", MODULE, "pkcs11:token=line"]
    processes = []

    def put_back():
        socket.unlink(missing_ok=True)
        processes.append(subprocess.Popen(remote, env=token.environment,
                                          stdout=subprocess.DEVNULL, start_new_session=True))
        wait_until(socket.exists, "p11-kit's server")

    def take_out():
        # With the processes that serve a connection each.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(processes[-1].pid, signal.SIGKILL)
        processes[-1].wait()
    put_back()
    try:
        token.environment = {**token.environment, "P11_KIT_SERVER_ADDRESS": f"unix:path={socket}"}
        with Server(tmp_path / "data") as server, \
                KeyedAgent(server, tmp_path / "edge", token, "remote-1",
                           token.source(module=CLIENT_MODULE)) as agent:
            assert_comes_back(server, agent, take_out, put_back)
    finally:
        take_out()


# --- as Greengrass has it --------------------------------------------------------------------------

def greengrass_config(tmp_path, token, key="andon", slot=None, pin=PIN):
    """A nucleus' config.yaml, as its users write it."""
    file = tmp_path / "config.yaml"
    file.write_text(f"""\
system:
  certificateFilePath: "pkcs11:object={key};type=cert"
  privateKeyPath: "pkcs11:object={key};type=private"
  rootCaPath: "/greengrass/v2/AmazonRootCA1.pem"
  rootpath: "/greengrass/v2"
  thingName: "migrated-1"
services:
  aws.greengrass.Nucleus:
    componentType: "NUCLEUS"
    version: "2.14.0"
    configuration:
      awsRegion: "eu-central-1"
      iotRoleAlias: "line"
      iotDataEndpoint: "a-ats.iot.eu-central-1.amazonaws.com"
  {PROVIDER}:
    configuration:
      name: "softhsm_pkcs11"
      library: "{MODULE}"
      slot: {token.slot() if slot is None else slot}
      userPin: "{pin}"
""")
    return file


class MigratedAgent(KeyedAgent):
    """One whose key is where the config.yaml of a nucleus says."""

    def provision_command(self):
        return [*super().provision_command()[:-2 - len(self._user_options())],
                "--greengrass-config", self.key, *self._user_options()]


def test_a_device_keeps_the_key_that_it_had_under_greengrass(server, tmp_path):
    token = Token(tmp_path / "token")
    agent = MigratedAgent(server, tmp_path / "edge", token, "migrated-1",
                          greengrass_config(tmp_path, token))
    said = subprocess.run(agent.provision_command(), check=True, capture_output=True, text=True,
                          env=agent.environment)
    assert "certificateFilePath" in said.stderr and "device.crt" in said.stderr
    pin_file = agent.root / "config" / "token-pin"
    assert pin_file.stat().st_mode & 0o777 == 0o600
    with agent:
        wait_until(agent.is_connected, "its connection; log:\n" + agent.log.read_text())
        fleet = Fleet(server)
        fleet.deploy_and_wait({PROVIDER: ("2.0.2", {
            "name": "softhsm_pkcs11", "library": MODULE, "slot": token.slot(),
            "userPin": PIN})}, "migrated-1")
        shown = installed(agent)
        assert shown["version"] == "2.0.2" and "note" not in shown
        # What it says otherwise is no other key, and is named.
        fleet.deploy_and_wait({PROVIDER: ("2.0.9", {"library": "/usr/lib/other.so"})}, "migrated-1")
        wait_until(lambda: "/usr/lib/other.so" in installed(agent).get("note", ""), "the note")
        assert agent.is_connected()
        assert_pin_is_nowhere_else(agent, said, pin_file, tmp_path)
    assert not (agent.root / "config" / "device.key").exists()


def installed(agent):
    return next(c for c in agent.status()["components"] if c["name"] == PROVIDER)


def assert_pin_is_nowhere_else(agent, provisioning, pin_file, tmp_path):
    def edge(*words, check=True):
        done = subprocess.run([program("andon-edge"), *words, "--root", agent.root], text=True,
                              check=check, capture_output=True)
        return done.stdout + done.stderr
    bundle = tmp_path / "bundle.tar"
    edge("support-bundle", "--out", bundle)
    with tarfile.open(bundle) as content:
        for member in content.getmembers():
            assert PIN.encode() not in content.extractfile(member).read(), member.name
    kept = json.loads(edge("config", "get", PROVIDER))
    assert kept["name"] == "softhsm_pkcs11" and "userPin" not in kept
    refused = edge("config", "set", PROVIDER, "userPin", PIN, check=False)
    assert "pin-source" in refused and PIN not in refused
    for text in (provisioning.stdout, provisioning.stderr, edge("status"), edge("doctor", check=False),
                 agent.log.read_text(), agent.server.log()):
        assert PIN not in text
    for file in agent.root.rglob("*"):
        # The database has deployments as they came.
        if file.is_file() and file != pin_file and not file.name.startswith("config.db"):
            assert PIN.encode() not in file.read_bytes(), file


def test_what_a_nucleus_config_does_not_say_is_refused_by_name_and_costs_no_token(server, tmp_path):
    token = Token(tmp_path / "token")
    enrolment = server.token("migrated-2")

    def refused(code, **config):
        agent = MigratedAgent(server, tmp_path / "edge", token, "migrated-2",
                              greengrass_config(tmp_path, token, **config))
        agent.server = type("OneToken", (), {"token": staticmethod(lambda thing: enrolment)})
        got, words = agent.refusal()
        assert got == code and PIN not in words, words
        return words
    assert "no such token" in refused(6, key="other")
    assert "no such token" in refused(6, slot=token.slot() + 1)
    assert "slot must be" in refused(3, slot="one")
    assert "refuses the PIN" in refused(5, pin="000000")
    agent = MigratedAgent(server, tmp_path / "edge", token, "migrated-2",
                          greengrass_config(tmp_path, token))
    agent.server = type("OneToken", (), {"token": staticmethod(lambda thing: enrolment)})
    agent.provision()
