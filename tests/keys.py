# SPDX-License-Identifier: Apache-2.0
"""Keys of devices that are in no file: on a PKCS#11 token (SoftHSM), in a TPM (swtpm); and agents that
have one."""
import contextlib
import os
import re
import socket
import subprocess

from agent import Agent
from harness import wait_until

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
# Of tokens that another process has.
CLIENT_MODULE = f"/usr/lib/{os.uname().machine}-linux-gnu/pkcs11/p11-kit-client.so"
PIN = "481516"


def run(*words, environment):
    subprocess.run(words, check=True, capture_output=True, env=environment)


class Token:
    """A PKCS#11 token with one key, of a directory of its own."""

    def __init__(self, directory, key_type="EC:prime256v1"):
        self.directory, self.key_type = directory, key_type
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
            "--keypairgen", "--key-type", self.key_type, "--label", "andon", "--id", "01",
            "--usage-sign", environment=self.environment)

    @staticmethod
    def uri(token="line", key="andon"):
        return f"pkcs11:token={token};object={key};type=private"

    def source(self, module=MODULE, **names):
        return f"{self.uri(**names)}?module-path={module}&pin-source={self.pin}"

    def slot(self):
        shown = subprocess.run(["pkcs11-tool", "--module", MODULE, "-L"], check=True, text=True,
                               capture_output=True, env=self.environment).stdout
        return int(re.search(r"\((0x[0-9a-f]+)\)[^\n]*\n\s*token label\s*: line", shown)[1], 16)

    def take_out(self):
        (self.directory / "tokens").rename(self.directory / "taken")
        (self.directory / "tokens").mkdir()

    def put_back(self):
        (self.directory / "tokens").rmdir()
        (self.directory / "taken").rename(self.directory / "tokens")


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
