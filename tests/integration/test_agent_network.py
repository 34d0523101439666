# SPDX-License-Identifier: Apache-2.0
"""How a device reaches its server where a deployment says so: proxies, other endpoints and the way
back; components never notice."""
import contextlib
import os
import signal
import subprocess

import pytest
from agent import Agent, Fleet
from harness import Server, wait_until
from listeners import Forwarder, Listener
from proxies import ConnectProxy, CuttingProxy, SocksProxy

NAME = "com.example.App"
NUCLEUS = "aws.greengrass.Nucleus"


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


def test_a_device_that_reaches_its_server_by_a_proxy_alone_is_enrolled_by_it(tmp_path):
    name = "server.plant.invalid"  # known to the proxy, and to nobody else
    with Server(tmp_path / "data", "--host", name, "--host", "localhost") as server, \
            ConnectProxy({name: "127.0.0.1"}) as proxy:
        with pytest.raises(subprocess.CalledProcessError) as refused:
            Agent(server, tmp_path / "device").provision()
        assert name in refused.value.stderr
        for wrong in ("ftp://proxy:1", "proxy:3128", "http://"):
            with pytest.raises(subprocess.CalledProcessError) as refused:
                Agent(server, tmp_path / "device", enrol_options=("--proxy", wrong)).provision()
            assert "--proxy " in refused.value.stderr and refused.value.returncode == 3
        through = ("--proxy", f"http://line:p%40ss@127.0.0.1:{proxy.port}/")
        with Agent(server, tmp_path / "device", enrol_options=through) as agent:
            wait_until(lambda: network(agent).get("connected"), "the connection through it")
            assert {target.split(":")[0] for target in proxy.targets} == {name}
            assert network(agent)["proxy"] == f"http://127.0.0.1:{proxy.port}"  # without the password
            assert (agent.root / "config/device.json").stat().st_mode & 0o777 == 0o600
            fleet = Fleet(server)
            content = os.urandom(1 << 16)
            fleet.component(NAME, "1.0.0", {"run": "env > env.new; mv env.new env; exec sleep 100000"},
                            artifacts=[fleet.put_artifact("some", content)])
            fleet.deploy_and_wait({NAME: "1.0.0"})
            env = agent.root / "work" / NAME / "env"
            wait_until(env.exists, "the component")
            assert f"127.0.0.1:{proxy.port}" in env.read_text()
            # A deployment without a word of proxies changes nothing.
            fleet.deploy_and_wait({NAME: "1.0.0", NUCLEUS: ("2.12.0", None)})
            assert network(agent)["connected"] and network(agent)["proxy"]


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
