# SPDX-License-Identifier: Apache-2.0
"""Devices whose private key is on a PKCS#11 token (SoftHSM) or in a TPM (swtpm): it proves who they
are over MQTT and HTTPS, signs for new certificates, and is in no file."""
import contextlib
import os
import socket
import subprocess

import pytest

from agent import Agent, Fleet
from certificates import fingerprint, replace_certificate
from harness import wait_until

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "481516"


def run(*words, environment):
    subprocess.run(words, check=True, capture_output=True, env=environment)


class Token:
    """A PKCS#11 token with one key, of a directory of its own."""

    def __init__(self, directory):
        self.directory = directory
        (directory / "tokens").mkdir(parents=True)
        (directory / "softhsm2.conf").write_text(f"directories.tokendir = {directory}/tokens\n")
        self.pin = directory / "pin"
        self.pin.write_text(PIN + "\n")
        self.environment = {**os.environ, "SOFTHSM2_CONF": f"{directory}/softhsm2.conf",
                            "PKCS11_MODULE_PATH": MODULE}
        self.openssl = ("-engine", "pkcs11", "-keyform", "engine")
        self.openssl_key = f"{self.uri()}?pin-value={PIN}".replace("?", ";")
        self.make()

    def make(self):
        run("softhsm2-util", "--init-token", "--free", "--label", "line", "--pin", PIN, "--so-pin",
            "271828", environment=self.environment)
        run("pkcs11-tool", "--module", MODULE, "--token-label", "line", "--login", "--pin", PIN,
            "--keypairgen", "--key-type", "EC:prime256v1", "--label", "andon", "--id", "01",
            "--usage-sign", environment=self.environment)

    @staticmethod
    def uri(token="line", key="andon"):
        return f"pkcs11:token={token};object={key};type=private"

    def source(self, **names):
        return f"{self.uri(**names)}?module-path={MODULE}&pin-source={self.pin}"


class Tpm:
    """A TPM of software, with one key at a handle. It listens on two ports in a row."""

    def __init__(self, directory):
        directory.mkdir(parents=True)
        self.port = self._free_ports()
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={directory}", "--server",
             f"type=tcp,port={self.port}", "--ctrl", f"type=tcp,port={self.port + 1}", "--flags",
             "not-need-init,startup-clear"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        way = f"swtpm:port={self.port}"
        self.environment = {**os.environ, "TPM2OPENSSL_TCTI": way, "TPM2TOOLS_TCTI": way}
        self.openssl = ("-provider", "tpm2", "-provider", "default", "-propquery", "?provider=tpm2")
        self.openssl_key = "handle:0x81000001"
        try:
            wait_until(self._listens, "the TPM listening")
            self.make(directory)
        except BaseException:
            self.end()
            raise

    @staticmethod
    def _free_ports():
        while True:
            with socket.socket() as one, socket.socket() as next_one:
                one.bind(("127.0.0.1", 0))
                with contextlib.suppress(OSError, OverflowError):
                    next_one.bind(("127.0.0.1", one.getsockname()[1] + 1))
                    return one.getsockname()[1]

    def _listens(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port + 1)):
            return True
        return False

    def make(self, directory):
        def tool(*words):
            run(*words, environment=self.environment)
        tool("tpm2_createprimary", "-C", "o", "-c", directory / "primary")
        tool("tpm2_create", "-C", directory / "primary", "-G", "ecc256:ecdsa-sha256", "-u",
             directory / "public", "-r", directory / "private", "-a",
             "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign")
        tool("tpm2_flushcontext", "-t")
        tool("tpm2_load", "-C", directory / "primary", "-u", directory / "public", "-r",
             directory / "private", "-c", directory / "key")
        tool("tpm2_evictcontrol", "-C", "o", "-c", directory / "key", "0x81000001")
        tool("tpm2_flushcontext", "-t")

    def source(self):
        return "handle:0x81000001"

    def end(self):
        self.process.kill()
        self.process.wait()


class KeyedAgent(Agent):
    """An agent with `key`, enrolled in an environment in which its holder is found."""

    def __init__(self, server, root, holder, thing, key=None):
        super().__init__(server, root, thing, environment=holder.environment)
        self.holder, self.key = holder, key or holder.source()
        self.certificate = self.root / "config" / "device.crt"

    def provision_command(self):
        return self.command("andon-edge", "provision", "--root", self.root, "--json", "--token",
                            self.server.token(self.thing), "--key", self.key,
                            *self._user_options())

    def provision(self, token=None):
        return subprocess.run(self.provision_command(), check=True, capture_output=True, text=True,
                              env=self.environment).stdout

    def refusal(self):
        """(exit code, words) of an enrolment that fails."""
        done = subprocess.run(self.provision_command(), capture_output=True, text=True,
                              env=self.environment)
        return done.returncode, done.stderr

    def is_connected(self):
        status = self.status()
        return status["agent"] == "running" and status.get("connected")

    def last_problem(self):
        return self.status().get("network", {}).get("lastProblem", "")


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server


@pytest.fixture(params=["token", "tpm"])
def holder(request, tmp_path):
    if request.param == "token":
        yield Token(tmp_path / "token")
        return
    tpm = Tpm(tmp_path / "tpm")
    try:
        yield tpm
    finally:
        tpm.end()


def test_a_key_that_is_in_no_file_serves_mqtt_https_and_renewal(server, tmp_path, holder):
    fleet = Fleet(server)
    thing = f"keyed-{type(holder).__name__.lower()}"
    agent = KeyedAgent(server, tmp_path / "edge", holder, thing)
    with agent:
        wait_until(agent.is_connected, "its connection; log:\n" + agent.log.read_text())
        name = f"com.example.Keyed{type(holder).__name__}"
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
        (token.directory / "tokens").rename(token.directory / "taken")
        (token.directory / "tokens").mkdir()
        agent.start()
        agent.wait_for("com.example.Plugged", "1.0.0")
        wait_until(lambda: "no such token" in agent.last_problem(),
                   "the problem being named")
        (token.directory / "tokens").rmdir()
        (token.directory / "taken").rename(token.directory / "tokens")
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
