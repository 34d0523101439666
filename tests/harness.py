# SPDX-License-Identifier: Apache-2.0
"""andon-server and simulated devices for tests of whole programs: real processes on free ports.

The programs are taken from the folder that the environment variable ANDON_BIN names (else
build/release/bin). Nothing here waits for a fixed time: it waits for a condition, with a limit.
"""
import base64
import hashlib
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.validate import ParamValidator

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 30


def program(name):
    return str(Path(os.environ.get("ANDON_BIN", ROOT / "build" / "release" / "bin")) / name)


def next_line(process):
    """The next line that a program writes; one that writes none in time is killed, and the line is empty."""
    late = threading.Timer(PATIENCE_S, process.kill)
    late.start()
    try:
        return process.stdout.readline()
    finally:
        late.cancel()


def wait_until(condition, what, limit_s=PATIENCE_S):
    """The first true value of `condition()`; fails the test when it does not come in time."""
    deadline = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {limit_s} s in vain for {what}"
        time.sleep(0.01)


def http(url, method="GET", body=None, headers=None, context=None):
    """(status, body as bytes) of one request; any status is an answer."""
    data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def checked(client):
    """A boto3 client that does not take an answer which lacks what AWS's model says is always
    there, or has it in another type."""
    def check(parsed, model, **_):
        if model.output_shape is None or "Error" in parsed:
            return
        answer = {key: value for key, value in parsed.items() if key != "ResponseMetadata"}
        report = ParamValidator().validate(answer, model.output_shape)
        assert not report.has_errors(), f"{model.name}: {report.generate_report()}"
    client.meta.events.register("after-call", check)
    return client


class Server:
    """One andon-server with its data directory; `with` starts and ends it."""

    def __init__(self, data, *options):
        self.data = Path(data)
        self.options = list(map(str, options))
        self.process = None
        self.info = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()

    def command(self):
        return [program("andon-server"), "run", "--data", str(self.data), "--api-port", "0",
                "--device-port", "0", "--mqtt-port", "0", "--mqtt-users-port", "0",
                *([] if "--device-address" in self.options else ["--device-address", "127.0.0.1"]),
                *self.options]

    def start(self):
        (self.data / "server.json").unlink(missing_ok=True)
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        wait_until(self._is_ready, "the server")
        return self

    def _is_ready(self):
        assert self.process.poll() is None, f"the server ended: {self.log()}"
        if not (self.data / "server.json").exists():
            return False
        self.info = json.loads((self.data / "server.json").read_text())
        return self.get("/readyz")[0] == 200

    def stop(self):
        """As an administrator does; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)

    @property
    def log_file(self):
        return self.data.parent / f"{self.data.name}.log"

    def log(self):
        return self.log_file.read_text(errors="replace")

    @property
    def ca_file(self):
        return str(self.data / "ca" / "ca.crt")

    def tls(self, certificate=None, key=None):
        context = ssl.create_default_context(cafile=self.ca_file)
        if certificate:
            context.load_cert_chain(certificate, key)
        return context

    def get(self, path):
        return http(self.info["api"] + path, context=self.tls())

    @property
    def operator_key(self):
        return json.loads((self.data / "credentials" / "operator.json").read_text())

    def aws(self, service, key=None, endpoint=None):
        """A boto3 client with the operator's key, or with another one."""
        key = key or self.operator_key
        return boto3.client(
            service, endpoint_url=endpoint or self.info["api"],
            region_name=self.operator_key["region"], aws_access_key_id=key["accessKeyId"],
            aws_secret_access_key=key["secretAccessKey"],
            aws_session_token=key.get("sessionToken"), verify=self.ca_file,
            config=Config(retries={"total_max_attempts": 1}, proxies={}, inject_host_prefix=False,
                          s3={"addressing_style": "path"}))

    def aws_cli(self, *arguments, check=True):
        """The AWS CLI with the operator's key: what it did."""
        key = self.operator_key
        environment = {
            "PATH": os.environ["PATH"], "HOME": "/nonexistent",
            "AWS_ACCESS_KEY_ID": key["accessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["secretAccessKey"], "AWS_DEFAULT_REGION": key["region"],
            "AWS_EC2_METADATA_DISABLED": "true"}
        aws = Path(sys.executable).parent / "aws"
        return subprocess.run(
            [sys.executable, str(aws), "--endpoint-url", self.info["api"], *arguments],
            env=environment, capture_output=True, text=True, timeout=300, check=check)

    def call(self, method, path, body=None, key=None):
        """A call of andon's own API, signed by the operator or `key`: (status, answer)."""
        key = key or self.operator_key
        request = AWSRequest(method, self.info["api"] + path,
                             data="" if body is None else json.dumps(body),
                             headers={"Content-Type": "application/json"})
        SigV4Auth(Credentials(key["accessKeyId"], key["secretAccessKey"]), "andon",
                  self.operator_key["region"]).add_auth(request)
        status, answer = http(request.url, method, request.body or None, dict(request.headers),
                              self.tls())
        return status, json.loads(answer)

    def let_workflows(self, *actions):
        """The ready-made role of state machines may do these, too."""
        self.aws("iam").put_role_policy(
            RoleName="andon-workflows", PolicyName="more", PolicyDocument=json.dumps({
                "Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}))

    def results(self, query=""):
        """All results that the server's store has, newest first."""
        found, token = [], ""
        while True:
            more = "&".join(part for part in (query, token) if part)
            status, page = self.call("GET", f"/andon/v1/results?maxResults=1000&{more}".rstrip("&"))
            assert status == 200, page
            found += page["results"]
            if "nextToken" not in page:
                return found
            token = f"nextToken={page['nextToken']}"

    def token(self, thing):
        status, answer = self.call("POST", "/andon/v1/enrolment-tokens", {"thingName": thing})
        assert status == 200, answer
        return answer["token"]

    def operator_mqtt(self):
        credentials = self.data / "credentials"
        return Mqtt(self, credentials / "operator.crt", credentials / "operator.key")

    def device(self, thing, directory):
        return Device(self, thing, Path(directory) / thing)


class Device:
    """A device with its own key and certificate, enrolled by a token."""

    def __init__(self, server, thing, directory):
        self.server, self.thing, self.directory = server, thing, directory
        directory.mkdir(parents=True)
        self.key, self.certificate = directory / "key.pem", directory / "certificate.pem"
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                        self.key], check=True, capture_output=True)
        self.enrolment = self.enrol(server.token(thing))
        self.certificate.write_text(self.enrolment["certificatePem"])

    def csr(self, key=None):
        return subprocess.run(["openssl", "req", "-new", "-key", key or self.key, "-subj",
                               "/CN=whatever"], check=True, capture_output=True, text=True).stdout

    def enrol(self, token, key=None):
        status, answer = enrol(self.server, token, self.csr(key))
        assert status == 200, answer
        return answer

    def https(self, path, method="GET", body=None, headers=None):
        """A request of the device plane with this device's certificate."""
        url = path if path.startswith("https:") else self.server.info["devicePlane"] + path
        return http(url, method, body, headers, self.server.tls(self.certificate, self.key))

    def mqtt(self):
        return Mqtt(self.server, self.certificate, self.key, thing=self.thing)


def read_token(token):
    text = token.removeprefix("andon1.")
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def enrol(server, token, csr):
    """What a device does with its token: (status, answer)."""
    content = read_token(token)
    status, answer = http(content["url"] + "/andon/v1/enrol", "POST",
                          {"secret": content["secret"], "csr": csr},
                          {"Content-Type": "application/json"}, server.tls())
    return status, json.loads(answer)


class Mqtt:
    """mosquitto's own clients with one certificate: all with one client id, or each with an id of
    its own, which for a thing's certificate has the thing's name in it."""

    def __init__(self, server, certificate, key, client_id=None, thing=None):
        address = server.info["mqtt"]
        self.options = ["-h", "127.0.0.1", "-p", str(address["port"]), "-V", "5", "-q", "1",
                        "--cafile", server.ca_file, "--cert", str(certificate), "--key", str(key)]
        self.client_id = client_id
        self.thing = thing

    @property
    def connection(self):
        """The options of one more connection."""
        if self.client_id:
            return [*self.options, "-i", self.client_id]
        if not self.thing:
            return self.options
        # The broker lets a device connect as its name, and as its name, # and anything. Each
        # connection needs an id of its own: a second one with the same id ends the first.
        return [*self.options, "-i", f"{self.thing}#{uuid.uuid4()}"]

    def publish(self, topic, payload):
        """True where the broker took it, False where its access rules refused it."""
        text = payload if isinstance(payload, str) else json.dumps(payload)
        ended = subprocess.run(["mosquitto_pub", *self.connection, "-t", topic, "-m", text],
                               capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        if "Not authorized" in ended.stderr:
            return False
        assert ended.returncode == 0, ended.stderr
        return True

    def subscribe(self, *topics):
        return Subscription(self.connection, topics)


class Subscription:
    """Messages as they come; made when the broker has acknowledged the subscription."""

    def __init__(self, connection, topics):
        filters = [argument for topic in topics for argument in ("-t", topic)]
        self.process = subprocess.Popen(
            ["stdbuf", "-oL", "mosquitto_sub", *connection, *filters, "-d", "-F",
             "MESSAGE %t %x"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.pending = ""
        self.lines = []
        wait_until(lambda: any("Subscribed" in line for line in self._read()), "SUBACK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def _read(self):
        self.pending += (self.process.stdout.read() or b"").decode()
        *complete, self.pending = self.pending.split("\n")
        self.lines += complete
        return self.lines

    def messages(self):
        """(topic, payload) of all that came so far."""
        found = [line.split(" ", 2) for line in self._read() if line.startswith("MESSAGE ")]
        return [(topic, bytes.fromhex(payload).decode()) for _, topic, payload in found]

    def wait_for(self, condition, what):
        """The first message that fits."""
        return wait_until(
            lambda: next((m for m in self.messages() if condition(*m)), None), what)


class Consumer:
    """Another store of results: says what it has, in the form in which the server's own does."""

    def __init__(self, server, name, thing="edge-1"):
        self.server, self.name, self.thing = server, name, thing
        self.stored = {}
        self.inbox = server.operator_mqtt().subscribe(f"andon/things/{thing}/results")
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join(PATIENCE_S)
        self.inbox.__exit__()

    def _run(self):
        seen = 0
        while not self.ending.wait(0.05):
            messages = self.inbox.messages()
            fresh, seen = messages[seen:], len(messages)
            for _, payload in fresh:
                self.stored[hashlib.sha256(payload.encode()).hexdigest()] = payload
            digests = [hashlib.sha256(payload.encode()).hexdigest() for _, payload in fresh]
            for first in range(0, len(digests), 500):
                self.server.operator_mqtt().publish(
                    f"cmd/andon/{self.thing}/stored/{self.name}",
                    {"stored": digests[first:first + 500]})
