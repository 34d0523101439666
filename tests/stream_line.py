# SPDX-License-Identifier: Apache-2.0
"""A device with streams for tests: an agent that runs aws.greengrass.StreamManager and one component,
whose environment tells where streams are and with which token; and a client that speaks the
protocol byte by byte."""
import contextlib
import itertools
import os
import socket
import struct

import cbor2
from agent import Agent, Fleet
from harness import wait_until
from stream_manager import StreamManagerClient

USER = "com.example.Line"
CONNECT, CREATE, DELETE, APPEND, READ, LIST, DESCRIBE, UPDATE = 1, 2, 3, 4, 5, 11, 13, 15


class StreamLine:
    """`configuration` is merged into the StreamManager's; `prepare` is called with the agent before its
    first start."""

    def __init__(self, server, root, thing="edge-1", configuration=None, prepare=None, **agent):
        self.fleet = Fleet(server)
        self.agent = Agent(server, root, thing=thing, **agent)
        self.configuration = {"STREAM_MANAGER_SERVER_PORT": 0, **(configuration or {})}
        self.prepare = prepare
        self.thing = thing
        self.name = f"{USER}.{thing}"
        self.clients = []

    def __enter__(self):
        self.agent.provision()
        if self.prepare:
            self.prepare(self.agent)
        self.agent.start()
        self.fleet.component(self.name, "1.0.0", {
            "run": "env > env.new && mv env.new env.txt && exec sleep 100000"},
            dependencies={"aws.greengrass.StreamManager": {"VersionRequirement": "^2.0.0"}})
        self.deploy()
        return self

    def __exit__(self, *arguments):
        for client in self.clients:
            with contextlib.suppress(OSError):  # of an agent that was killed
                client.close()
        self.agent.__exit__(*arguments)

    def deploy(self, configuration=None, version="2.2.0"):
        self.fleet.deploy_and_wait({
            self.name: "1.0.0",
            "aws.greengrass.StreamManager": (version, configuration or self.configuration)},
            thing=self.thing)

    def restart(self):
        """The agent and its component are killed and started; what that was told is told anew."""
        self.agent.lose_power()
        self.environment_file.unlink()
        self.agent.start()
        self.environment()

    @property
    def environment_file(self):
        return self.agent.root / "work" / self.name / "env.txt"

    def environment(self):
        text = wait_until(
            lambda: self.environment_file.exists() and self.environment_file.read_text(),
            f"the component's environment; log:\n{self.agent.log.read_text()[-2000:]}")
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    @property
    def port(self):
        return int(self.environment().get("STREAM_MANAGER_SERVER_PORT", 8088))

    @property
    def token(self):
        return self.environment()["AWS_CONTAINER_AUTHORIZATION_TOKEN"]

    def sdk(self, token=None, **options):
        """The public client as it is; its token comes from its environment."""
        os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = self.token if token is None else token
        try:
            client = StreamManagerClient(port=self.port, **options)
        finally:
            del os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
        self.clients.append(client)
        return client

    def raw(self, **options):
        client = RawClient(self.port)
        client.connect(self.token, **options)
        return client


class RawClient:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb", buffering=1 << 20)
        self.ids = map(str, itertools.count(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    @staticmethod
    def frame(operation, payload):
        body = payload if isinstance(payload, bytes) else cbor2.dumps(payload)
        return struct.pack(">ib", 1 + len(body), operation) + body

    def send(self, operation, payload):
        self.socket.sendall(self.frame(operation, payload))

    def receive(self):
        """(operation, answer), or None where the server has closed."""
        head = self.file.read(5)
        if len(head) < 5:
            return None
        length, operation = struct.unpack(">ib", head)
        return operation, cbor2.loads(self.file.read(length - 1))

    def connect(self, token=None, version=b"\x01", protocol="1.1.0", **more):
        message = {"requestId": "connect", "protocolVersion": protocol, **more}
        if token is not None:
            message["authToken"] = token
        self.socket.sendall(version + self.frame(CONNECT, message))
        assert self.file.read(1) == b"\x01"
        return self.receive()

    def call(self, operation, **members):
        request_id = next(self.ids)
        self.send(operation, {"requestId": request_id, **members})
        answered, answer = self.receive()
        assert answer["requestId"] == request_id, answer
        return answered, answer
