# SPDX-License-Identifier: Apache-2.0
"""Certificates of devices that were given out long ago, and agents that have one."""
import hashlib
import sqlite3
import subprocess
import time
from datetime import datetime, timedelta, timezone

from agent import Agent
from harness import Mqtt, wait_until


def fingerprint(certificate):
    der = subprocess.run(["openssl", "x509", "-in", certificate, "-outform", "DER"],
                         check=True, capture_output=True).stdout
    return hashlib.sha256(der).hexdigest()


def sign(server, directory, key, name, begin_s, end_s, openssl=(), environment=None):
    """A certificate of the server's CA for `key` that holds from and until so many seconds from
    now, and is registered for the thing: as one that was given out long ago. Its text. `openssl`:
    the options by which it finds a key that is in no file."""
    directory.mkdir(exist_ok=True)
    (directory / "index").write_text("")
    (directory / "serial").write_text(f"{time.time_ns():032x}"[-32:])
    (directory / "ca.cnf").write_text(f"""
[ca]
default_ca = andon
[andon]
new_certs_dir = {directory}
database = {directory}/index
serial = {directory}/serial
default_md = sha256
policy = any
x509_extensions = client
unique_subject = no
[any]
commonName = supplied
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
""")
    csr, out = directory / "csr", directory / "crt"
    subprocess.run(["openssl", "req", "-new", *openssl, "-key", key, "-subj", f"/CN={name}",
                    "-out", csr], check=True, capture_output=True, env=environment)
    now = datetime.now(timezone.utc)

    def moment(seconds):
        return (now + timedelta(seconds=seconds)).strftime("%y%m%d%H%M%SZ")
    subprocess.run(["openssl", "ca", "-batch", "-config", directory / "ca.cnf", "-notext", "-in",
                    csr, "-out", out, "-cert", server.ca_file, "-keyfile",
                    server.data / "ca" / "ca.key", "-startdate", moment(begin_s), "-enddate",
                    moment(end_s)], check=True, capture_output=True)
    with sqlite3.connect(server.data / "andon.db", timeout=30) as database:
        database.execute(
            "INSERT INTO certificates (id, thing, pem, status, created_ms, not_after_ms) "
            "VALUES (?, ?, ?, 'ACTIVE', ?, ?)",
            (fingerprint(out), name, out.read_text(),
             int((now.timestamp() + begin_s) * 1000), int((now.timestamp() + end_s) * 1000)))
    database.close()
    return out.read_text()


def replace_certificate(server, device, tmp_path, begin_s, end_s, **more):
    """As if the device had enrolled so long ago; what it has got today is gone. `more`: sign()."""
    iot = server.aws("iot")
    text = sign(server, tmp_path / "signed", device.key, device.thing, begin_s, end_s,
                **more)
    for principal in iot.list_thing_principals(thingName=device.thing)["principals"]:
        certificate = principal.rsplit("/", 1)[1]
        if certificate == fingerprint(device.certificate):
            iot.update_certificate(certificateId=certificate, newStatus="REVOKED")
    device.certificate.write_text(text)


class AgedAgent(Agent):
    """An agent whose certificate was given out so long ago, and ends so soon."""

    def __init__(self, server, root, thing, begin_s, end_s):
        super().__init__(server, root, thing)
        self.begin_s, self.end_s = begin_s, end_s
        self.key = self.root / "config" / "device.key"
        self.certificate = self.root / "config" / "device.crt"

    def __enter__(self):
        self.provision()
        replace_certificate(self.server, self, self.root.parent, self.begin_s, self.end_s)
        self.aged = fingerprint(self.certificate)
        return self.start()

    def mqtt(self):
        return Mqtt(self.server, self.certificate, self.key, thing=self.thing)

    def live(self, member):
        status = self.status()
        return status.get(member) if status["agent"] == "running" else None

    def wait_renewed(self):
        wait_until(lambda: (self.live("certificate") or {}).get("id") not in (None, self.aged)
                   and self.live("connected"), "the renewal; log:\n" + self.log.read_text())
        assert self.status()["certificate"]["id"] == fingerprint(self.certificate)
