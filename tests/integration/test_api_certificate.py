# SPDX-License-Identifier: Apache-2.0
"""The plant's own certificate for the operator API: shown to whoever asks for its name, renewed
under a running server, refused with what to do where it cannot be used."""
import signal
import socket
import ssl
import subprocess
import urllib.parse

import pytest

from harness import Server, program, wait_until


class PlantCa:
    """A plant's authority, by openssl."""

    def __init__(self, directory):
        directory.mkdir()
        self.directory = directory
        self.file = directory / "root.crt"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-subj", "/CN=plant root", "-days", "30",
                      "-keyout", directory / "root.key", "-out", self.file)

    def _openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=30)

    def issue(self, name, certificate, key):
        """For the DNS name, in place of what is in the files."""
        csr, extension = self.directory / "csr", self.directory / "extension"
        extension.write_text(f"subjectAltName=DNS:{name}\n")
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", csr)
        self._openssl("x509", "-req", "-in", csr, "-CA", self.file, "-CAkey",
                      self.directory / "root.key", "-CAcreateserial", "-days", "10",
                      "-extfile", extension, "-out", certificate)
        certificate.write_text(certificate.read_text() + self.file.read_text())
        key.chmod(0o600)


class PlantServer(Server):
    """Its clients on this machine believe what it gives them for that."""

    def tls(self, certificate=None, key=None):
        return ssl.create_default_context(cafile=str(self.data / "api-ca.pem"))


@pytest.fixture
def files(tmp_path):
    class Files:
        ca = PlantCa(tmp_path / "plant-ca")
        certificate, key = tmp_path / "api.crt", tmp_path / "api.key"
    Files.ca.issue("localhost", Files.certificate, Files.key)
    return Files


def shown(server, name, ca):
    """The serial number of what a client that believes `ca` is shown, or why it goes away."""
    port = urllib.parse.urlsplit(server.info["api"]).port
    context = ssl.create_default_context(cafile=str(ca))
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
            with context.wrap_socket(plain, server_hostname=name) as secured:
                return secured.getpeercert()["serialNumber"]
    except ssl.SSLCertVerificationError as error:
        return error.verify_message


def test_the_plants_certificate_is_shown_by_name_and_the_servers_own_to_all_others(tmp_path, files):
    with PlantServer(tmp_path / "data", "--api-address", "0.0.0.0", "--api-certificate",
                files.certificate, "--api-key", files.key) as server:
        assert shown(server, "localhost", files.ca.file).isalnum()
        assert "self-signed certificate in certificate chain" in shown(
            server, "localhost", server.ca_file)
        # By address, as functions and jobs on this machine do.
        assert shown(server, "127.0.0.1", server.ca_file).isalnum()
        # The command line on this machine goes on.
        ended = subprocess.run([program("andon"), "status", "--data", server.data],
                               capture_output=True, text=True, timeout=30, check=False)
        assert ended.returncode == 0, ended.stderr
        assert "https://localhost:" in ended.stdout


def test_a_renewed_certificate_is_shown_without_a_restart_and_a_bad_one_changes_nothing(
        tmp_path, files):
    with PlantServer(tmp_path / "data", "--api-address", "0.0.0.0", "--api-certificate",
                files.certificate, "--api-key", files.key) as server:
        first = shown(server, "localhost", files.ca.file)
        files.ca.issue("localhost", files.certificate, files.key)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: shown(server, "localhost", files.ca.file) != first, "the new one")
        second = shown(server, "localhost", files.ca.file)
        files.key.write_text("no key")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "the API's certificate stays as it was" in server.log(), "the reason")
        assert "has no key that can be used" in server.log()
        assert shown(server, "localhost", files.ca.file) == second


def test_what_cannot_be_used_is_refused_at_the_start_with_what_to_do(tmp_path, files):
    def said(*options, code=3):
        ended = subprocess.run(
            Server(tmp_path / "data", *options).command(), capture_output=True, text=True,
            timeout=60, check=False)
        assert ended.returncode == code, ended.stderr
        return ended.stderr

    tls = ["--api-address", "0.0.0.0", "--api-certificate", files.certificate]
    assert "go together" in said(*tls, code=2)
    assert "no TLS on a loopback address" in said(
        "--api-certificate", files.certificate, "--api-key", files.key, code=2)
    files.key.chmod(0o644)
    assert "chmod 600" in said(*tls, "--api-key", files.key)
    files.key.chmod(0o600)
    other = tmp_path / "other.key"
    files.ca.issue("localhost", tmp_path / "other.crt", other)
    assert "is not the key of the certificate" in said(*tls, "--api-key", other)
    files.certificate.write_text("no certificate")
    assert "has no certificate that can be read" in said(*tls, "--api-key", files.key)
