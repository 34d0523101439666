# SPDX-License-Identifier: Apache-2.0
"""What a local user of a device, without any right on it, does to the agent's local services."""
import contextlib
import grp
import os
import socket
import subprocess
from urllib.parse import urlsplit

import pytest

from agent import Agent, Fleet
from harness import http, program, wait_until

STRANGER = 54321  # a uid that nobody has
CROWD = 33
CONTROLLERS = 60  # "games": a group that every Debian has and nobody is in

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@contextlib.contextmanager
def becoming(user):
    before = os.geteuid()
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.fixture(scope="module")
def component(shared_server, open_directory):
    """The environment of a component that runs, and its agent."""
    fleet = Fleet(shared_server)
    with Agent(shared_server, open_directory / "device") as agent:
        fleet.component("A", "1.0.0", {"run": "env > env.new; mv env.new env; exec sleep 3600"})
        fleet.deploy_and_wait({"A": "1.0.0"})
        environment = wait_until(lambda: read(agent.root / "work" / "A" / "env"), "environment")
        yield dict(line.split("=", 1) for line in environment.splitlines() if "=" in line)


def read(path):
    return path.read_text() if path.exists() else None


def ask_for_credentials(component):
    return http(component["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
                headers={"Authorization": component["AWS_CONTAINER_AUTHORIZATION_TOKEN"]})


@needs_root
@pytest.mark.parametrize("user", [STRANGER, 0])
@pytest.mark.parametrize("says", [b"", b"GET /2016-11-01/credentialprovider/ HTTP/1.1\r\n"])
def test_idle_connections_do_not_keep_components_from_their_credentials(component, user, says):
    """0 is the component's own user here: it may be another component that does so."""
    port = urlsplit(component["AWS_CONTAINER_CREDENTIALS_FULL_URI"]).port
    with contextlib.ExitStack() as idle:
        for asked in range(60):
            with becoming(user):
                for _ in range(CROWD if asked == 0 else 1):
                    one = idle.enter_context(socket.create_connection(("127.0.0.1", port)))
                    one.sendall(says)
            status, answer = ask_for_credentials(component)
            assert status == 200 and b"SecretAccessKey" in answer, f"request {asked}: {status}"


@needs_root
def test_idle_connections_do_not_keep_components_from_the_agent(component):
    path = component["AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT"]
    with contextlib.ExitStack() as idle:
        with becoming(STRANGER):
            for _ in range(200):
                one = idle.enter_context(socket.socket(socket.AF_UNIX))
                one.connect(path)
        mine = idle.enter_context(socket.socket(socket.AF_UNIX))
        mine.connect(path)
        mine.settimeout(20)
        # Not a frame: a server that has a place for it says so before it closes.
        mine.sendall(b"\0" * 64)
        assert mine.recv(1000)


@needs_root
def test_only_root_and_the_control_group_tell_the_agent_what_to_do(
        shared_server, open_directory):
    root = open_directory / "controlled"
    agent = Agent(shared_server, root, thing="edge-2",
                  options=("--control-group", grp.getgrgid(CONTROLLERS).gr_name))

    def deployments(user, group):
        return subprocess.run(
            ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups",
             program("andon-edge"), "deployments", "--root", root],
            capture_output=True, text=True, timeout=60)
    with agent:
        wait_until((root / "control.socket").exists, "the control socket")
        refused = deployments(STRANGER, STRANGER)
        assert refused.returncode != 0 and "only root" in refused.stderr, refused
        assert deployments(STRANGER, CONTROLLERS).returncode == 0
        assert deployments(0, 0).returncode == 0
        with becoming(STRANGER), socket.socket(socket.AF_UNIX) as one:
            with pytest.raises(PermissionError):
                one.connect(str(root / "control.socket"))
