# SPDX-License-Identifier: Apache-2.0
"""How a device reaches its server where a deployment says so: proxies, other endpoints and the way
back; components never notice."""
import base64
import contextlib
import os
import select
import signal
import socket

import pytest
from agent import Agent, Fleet
from harness import Server, wait_until
from listeners import Forwarder, Listener

NAME = "com.example.App"
NUCLEUS = "aws.greengrass.Nucleus"


class ConnectProxy(Listener):
    """HTTP CONNECT for user "line" with password "p@ss"."""

    def __init__(self):
        self.targets, self.refused = [], 0
        super().__init__()

    def serve(self, client):
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(4096)
                if not data:
                    return
                head += data
            wanted = b"Basic " + base64.b64encode(b"line:p@ss")
            if wanted in head:
                break
            self.refused += 1
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                           b'Proxy-Authenticate: Basic realm="p"\r\nContent-Length: 0\r\n\r\n')
        method, target, _ = head.split(b"\r\n")[0].split()
        assert method == b"CONNECT"
        self.targets.append(target.decode())
        host, port = target.rsplit(b":", 1)
        server = socket.create_connection((host.decode(), int(port)))
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        self.relay(client, server)


class CuttingProxy(ConnectProxy):
    """Hangs up `cuts` times, each after a mebibyte of what comes from `source_port`."""

    def __init__(self, source_port, cuts):
        self.source_port, self.cuts, self.received = source_port, cuts, 0
        super().__init__()

    def relay(self, client, server):
        if server.getpeername()[1] != self.source_port:
            return super().relay(client, server)
        left = 1 << 20
        with server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return None
                    if ready is client:
                        server.sendall(data)
                        continue
                    self.received += len(data)
                    left -= len(data)
                    if left < 0 and self.cuts > 0:
                        self.cuts -= 1
                        return None
                    client.sendall(data)


class SocksProxy(Listener):
    """SOCKS5 without a password, to the host names and addresses that it is told."""

    def __init__(self):
        self.targets = []
        super().__init__()

    def serve(self, client):
        def take(count):
            data = b""
            while len(data) < count:
                more = client.recv(count - len(data))
                if not more:
                    raise ValueError
                data += more
            return data
        take(take(2)[1])
        client.sendall(b"\5\0")
        kind = take(4)[3]
        host = socket.inet_ntoa(take(4)) if kind == 1 else take(take(1)[0]).decode()
        port = int.from_bytes(take(2), "big")
        self.targets.append(f"{host}:{port}")
        server = socket.create_connection((host, port))
        client.sendall(b"\5\0\0\1" + bytes(6))
        self.relay(client, server)


class Helloes(Listener):
    """Keeps what a TLS client says first, and hangs up."""

    def __init__(self, port):
        self.said = []
        super().__init__(port)

    def serve(self, client):
        self.said.append(client.recv(4096))


@pytest.fixture
def line(tmp_path):
    with Server(tmp_path / "data") as server, Agent(server, tmp_path / "device") as agent:
        fleet = Fleet(server)
        fleet.component(NAME, "1.0.0", {"run": "env > env.new; mv env.new env; exec sleep 100000"})
        fleet.deploy_and_wait({NAME: "1.0.0"})
        yield fleet, agent


def pid_of(agent):
    return next(c["pid"] for c in agent.status()["components"] if c["name"] == NAME)


def configure(fleet, **nucleus):
    fleet.deploy_and_wait({NAME: "1.0.0", NUCLEUS: ("2.12.0", nucleus)})


def network(agent):
    status = agent.status()
    return {"connected": status.get("connected"), **status.get("network", {})}


@pytest.mark.parametrize("kind", ["http", "socks5h"])
def test_the_broker_is_reached_through_a_proxy(line, kind):
    fleet, agent = line
    pid = pid_of(agent)
    broker = network(agent)["broker"]
    with (ConnectProxy() if kind == "http" else SocksProxy()) as proxy:
        wanted = {"url": f"{kind}://127.0.0.1:{proxy.port}"}
        if kind == "http":
            wanted.update(username="line", password="p@ss")
        configure(fleet, networkProxy={"proxy": wanted, "noProxyAddresses": "nowhere.example"})
        wait_until(lambda: broker in proxy.targets, "the broker being asked for at the proxy")
        wait_until(lambda: network(agent).get("connected") and network(agent).get("proxy"),
                   "the connection through it")
        assert network(agent)["proxy"] == wanted["url"]  # without the password
        assert "p@ss" not in agent.log.read_text()
        # What is deployed arrives by it; what runs goes on.
        fleet.component("com.example.Other", "1.0.0", {"run": "env > env.new; mv env.new env; "
                                                              "exec sleep 100000"})
        fleet.deploy_and_wait({NAME: "1.0.0", "com.example.Other": "1.0.0",
                               NUCLEUS: ("2.12.0", None)})
        assert pid_of(agent) == pid
        env = agent.root / "work" / "com.example.Other" / "env"
        wait_until(env.exists, "the other component")
        assert f"127.0.0.1:{proxy.port}" in env.read_text()
    wait_until(lambda: network(agent).get("connected") is False, "the proxy being missed")
    assert pid_of(agent) == pid


def test_artifacts_come_through_a_proxy_and_go_on_where_it_hung_up(tmp_path):
    """The server is at an address that is not this machine's own name: those need no proxy."""
    content = os.urandom(3 << 20)
    with contextlib.ExitStack() as line:
        server = line.enter_context(
            Server(tmp_path / "data", "--device-address", "0.0.0.0", "--host", "127.0.0.2"))
        agent = line.enter_context(Agent(server, tmp_path / "device"))
        port = int(server.info["devicePlane"].rsplit(":", 1)[1])
        proxy = line.enter_context(CuttingProxy(port, cuts=2))
        fleet = Fleet(server)
        fleet.component(NAME, "1.0.0", {"run": "exec sleep 100000"})
        configure(fleet, networkProxy={"proxy": {
            "url": f"http://127.0.0.1:{proxy.port}", "username": "line", "password": "p@ss"}})
        wait_until(lambda: network(agent).get("connected") and network(agent).get("proxy"),
                   "the connection through it")
        fleet.component("com.example.Large", "1.0.0", {},
                        artifacts=[fleet.put_artifact("large", content)])
        before = proxy.received
        fleet.deploy_and_wait({NAME: "1.0.0", "com.example.Large": "1.0.0",
                               NUCLEUS: ("2.12.0", None)})
        assert any(target.endswith(f":{port}") for target in proxy.targets)
        assert proxy.cuts == 0
        # Each byte once, but for what was on the way when it hung up.
        assert proxy.received - before < len(content) + (1 << 20)
    large = agent.root / "packages/artifacts/com.example.Large/1.0.0/large"
    assert large.read_bytes() == content


def test_another_broker_takes_over_and_the_one_before_stands_behind_it(line):
    fleet, agent = line
    pid = pid_of(agent)
    broker = network(agent)["broker"]
    with Forwarder(int(broker.rsplit(":", 1)[1])) as forwarder:
        configure(fleet, iotDataEndpoint=f"127.0.0.1:{forwarder.port}")
        wait_until(lambda: network(agent).get("endpoints") == "of a deployment", "the trial's end")
        assert network(agent)["broker"] == f"127.0.0.1:{forwarder.port}" and forwarder.seen
    # It is gone: the next in order serves.
    wait_until(lambda: network(agent).get("connected") and
               network(agent)["broker"] == broker, "the broker of the enrolment")
    assert network(agent)["losses"] >= 1
    # Without the nucleus in the deployment the device is as it was enrolled.
    fleet.deploy_and_wait({NAME: "1.0.0"})
    wait_until(lambda: "endpoints" not in network(agent) and network(agent).get("connected"),
               "the way of the enrolment")
    assert pid_of(agent) == pid


def test_endpoints_that_do_not_answer_are_given_up_and_the_reason_is_told(line):
    """On port 443 as AWS has it: the handshake says which protocol is meant."""
    fleet, agent = line
    pid = pid_of(agent)
    try:
        listener = Helloes(443)
    except OSError:
        pytest.skip("port 443 of this machine is not to be had")
    with listener:
        configure(fleet, iotDataEndpoint="127.0.0.1", mqtt={"port": 443})
        wait_until(lambda: listener.said, "the handshake")
        assert b"x-amzn-mqtt-ca" in listener.said[0]
        wait_until(lambda: network(agent).get("endpoints") == "given up", "the end of the trial", 120)
        assert "no connection to 127.0.0.1:443" in network(agent)["why"]
        wait_until(lambda: network(agent)["connected"], "the connection as before")
        assert "given up" in agent.readable_status()
    assert pid_of(agent) == pid
    # And the next deployment arrives.
    fleet.deploy_and_wait({NAME: "1.0.0"})


def test_a_host_of_the_server_that_changes_is_followed(tmp_path):
    """The device is enrolled under one address, the server goes by another, then by none."""
    with Server(tmp_path / "data", "--device-address", "0.0.0.0", "--host", "127.0.0.2") as server, \
            Agent(server, tmp_path / "device") as agent:
        fleet = Fleet(server)
        fleet.component(NAME, "1.0.0", {"run": "exec sleep 100000"})
        fleet.deploy_and_wait({NAME: "1.0.0"})
        pid, port = pid_of(agent), network(agent)["broker"].rsplit(":", 1)[1]
        assert network(agent)["broker"] == f"127.0.0.2:{port}"

        def restart_as(host):
            server.stop()
            server.options[-1] = host
            server.start()

        restart_as("127.0.0.3")
        wait_until(lambda: "127.0.0.3" in network(agent).get("movedTo", ""), "the device following")
        wait_until(lambda: network(agent).get("connected"), "the connection there")
        assert network(agent)["broker"] == f"127.0.0.3:{port}"
        assert "the server has moved to https://127.0.0.3:" in agent.readable_status()
        # What is deployed is fetched there, and what runs has not noticed.
        fleet.component("com.example.Other", "1.0.0", {"run": "exec sleep 100000"},
                        artifacts=[fleet.put_artifact("other", b"bytes")])
        fleet.deploy_and_wait({NAME: "1.0.0", "com.example.Other": "1.0.0"})
        assert pid_of(agent) == pid
        # It is so after a start of the agent, too.
        agent.kill(signal.SIGUSR1)
        agent.start()
        wait_until(lambda: network(agent).get("connected"), "the connection after the start")
        assert network(agent)["broker"] == f"127.0.0.3:{port}"

        restart_as("nowhere.invalid")
        wait_until(lambda: network(agent).get("toldState") == "given up", "the end of the trial", 120)
        wait_until(lambda: network(agent).get("connected"), "the connection as before")
        assert network(agent)["broker"] == f"127.0.0.3:{port}"
        assert "nowhere.invalid" in network(agent)["toldWhy"]
        assert "given up" in agent.readable_status()
        assert pid_of(agent) == pid


def test_what_is_no_endpoint_is_left_out_with_a_warning(line):
    fleet, agent = line
    configure(fleet, iotDataEndpoint="not a host")
    wait_until(lambda: "is no host name" in network(agent).get("why", ""), "the reason")
    assert network(agent)["connected"]
