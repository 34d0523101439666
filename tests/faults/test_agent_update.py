# SPDX-License-Identifier: Apache-2.0
"""A newer agent comes as a component: it stays once it has reached its server, and the one before
comes back where it does not. Components never notice."""
import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import yaml
from agent import Agent, Fleet
from harness import ROOT, Server, program, wait_until

NAME = "com.example.App"
EDGE = "andon.Edge"
RUN = {"run": "exec sleep 100000"}


class LaunchedAgent(Agent):
    """As andon-edge.service has it: started by its launcher, and anew whenever it ends."""

    def __init__(self, server, root, base, environment=None):
        super().__init__(server, root, environment={**os.environ, **(environment or {})})
        self.base, self.is_wanted, self.thread, self.starts = base, False, None, 0

    def start(self, environment=None):
        self.is_wanted = True
        self._launch()
        self.thread = threading.Thread(target=self._restart_always, daemon=True)
        self.thread.start()
        return self

    def _launch(self):
        self.starts += 1
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [program("andon-launcher"), self.root, self.base, "run", "--root", self.root,
                 *self._user_options()], stderr=log, env=self.environment)

    def _restart_always(self):
        while True:
            self.process.wait()
            if not self.is_wanted:
                return
            self._launch()

    def kill(self, number=9):
        self.is_wanted = False
        code = super().kill(number)
        if self.thread:
            self.thread.join(30)
        return code

    def launcher(self):
        return self.status().get("launcher", {})


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "data") as running:
        yield running


@pytest.fixture
def base(tmp_path):
    """What the package has installed."""
    place = tmp_path / "package"
    place.mkdir()
    for name in ("andon-edge", "andon-keeper"):
        shutil.copy(program(name), place / name)
    return place / "andon-edge"


@pytest.fixture
def fleet(server):
    return Fleet(server)


def recipe(version, seconds):
    """The one of the documentation, word for word but for its version, bytes and patience."""
    text = (ROOT / "docs/agent.md").read_text()
    found = yaml.safe_load(re.search(r"```yaml\n(RecipeFormatVersion.*?)```", text, re.S).group(1))
    found["ComponentVersion"] = version
    lifecycle = found["Manifests"][0]["Lifecycle"]
    script = lifecycle["bootstrap"]["Script"]
    lifecycle["bootstrap"]["Script"] = script.replace("--trial-seconds 300",
                                                      f"--trial-seconds {seconds}")
    for artifact in found["Manifests"][0]["Artifacts"]:
        artifact["URI"] = artifact["URI"].replace("1.0.0", version)
    return found


def ship(fleet, version, agent, seconds=60, first=""):
    """Component andon.Edge with these bytes as the agent; `first` is done before it is adopted."""
    found = recipe(version, seconds)
    bootstrap = found["Manifests"][0]["Lifecycle"]["bootstrap"]
    bootstrap["Script"] = first + bootstrap["Script"]
    fleet.put_artifact(f"agent/{version}/andon-edge", agent)
    fleet.put_artifact(f"agent/{version}/andon-keeper", Path(program("andon-keeper")).read_bytes())
    fleet.greengrass.create_component_version(inlineRecipe=json.dumps(found))


def another_agent(word):
    """The agent as shipped, and yet another file."""
    return Path(program("andon-edge")).read_bytes() + word


def pid_of(agent, name=NAME):
    return next(c["pid"] for c in agent.status()["components"] if c["name"] == name)


def program_of(agent):
    return os.readlink(f"/proc/{agent.process.pid}/exe")


def test_a_newer_agent_comes_as_a_component_and_stays(fleet, server, base, tmp_path):
    with LaunchedAgent(server, tmp_path / "device", base) as agent:
        fleet.component(NAME, "1.0.0", RUN)
        fleet.deploy_and_wait({NAME: "1.0.0"})
        pid, process = pid_of(agent), agent.process.pid
        assert program_of(agent) == str(base)
        ship(fleet, "1.1.0", another_agent(b"one"))
        fleet.deploy_and_wait({NAME: "1.0.0", EDGE: "1.1.0"})
        assert agent.launcher() == {"runs": "a"}
        assert program_of(agent) == str(agent.root / "agent/a/andon-edge")
        # The next goes to the other place.
        ship(fleet, "1.2.0", another_agent(b"two"))
        fleet.deploy_and_wait({NAME: "1.0.0", EDGE: "1.2.0"})
        assert program_of(agent) == str(agent.root / "agent/b/andon-edge")
        assert "the agent is a component's (b)" in agent.readable_status()
        # One process all the time, and over a crash the same agent again.
        assert agent.process.pid == process and agent.starts == 1
        agent.process.kill()
        wait_until(lambda: agent.starts == 2 and agent.status().get("connected"), "its return")
        assert program_of(agent) == str(agent.root / "agent/b/andon-edge")
        assert pid_of(agent) == pid
        # The device goes back to what it has had before as to any version.
        fleet.deploy_and_wait({NAME: "1.0.0", EDGE: "1.1.0"})
        assert program_of(agent) == str(agent.root / "agent/a/andon-edge")
        # Without it the package's agent is the next.
        fleet.deploy_and_wait({NAME: "1.0.0"})
        wait_until(lambda: agent.launcher() == {"runs": "base"}, "the uninstall step")
        agent.process.kill()
        wait_until(lambda: agent.starts == 3 and agent.status().get("connected"), "the next start")
        assert program_of(agent) == str(base)
        assert pid_of(agent) == pid


def test_a_package_that_is_installed_later_is_the_newest_agent(fleet, server, base, tmp_path):
    with LaunchedAgent(server, tmp_path / "device", base) as agent:
        ship(fleet, "1.1.0", another_agent(b"one"))
        fleet.deploy_and_wait({EDGE: "1.1.0"})
        assert program_of(agent) == str(agent.root / "agent/a/andon-edge")
        fresh = base.with_name("fresh")
        fresh.write_bytes(another_agent(b"package"))
        fresh.chmod(0o755)
        fresh.replace(base)
        agent.process.kill()
        wait_until(lambda: agent.starts == 2 and agent.status().get("connected"), "the next start")
        assert program_of(agent) == str(base)


@pytest.mark.parametrize("fault, why", [
    ("crash", "it ended 2 times before it was connected to its server"),
    ("newer", "it ended 2 times before it was connected to its server"),
    ("hang", "it had no connection to its server after 5 s"),
])
def test_an_agent_that_is_no_good_is_returned_from_and_the_deployment_says_why(
        fleet, server, base, tmp_path, fault, why):
    with LaunchedAgent(server, tmp_path / "device", base, {"FAILING_AGENT": fault}) as agent:
        fleet.component(NAME, "1.0.0", RUN)
        fleet.deploy_and_wait({NAME: "1.0.0"})
        pid = pid_of(agent)
        ship(fleet, "1.1.0", Path(program("failing_agent")).read_bytes())
        entry = fleet.outcome(fleet.deploy({NAME: "1.0.0", EDGE: "1.1.0"}), limit_s=120)
        assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
        assert f"the device has returned to its agent before: {why}" in entry["reason"], entry
        assert program_of(agent) == str(base)
        assert agent.launcher() == {"runs": "base", "returnedFrom": why}
        assert agent.components() == {NAME: ("1.0.0", "RUNNING")}
        assert pid_of(agent) == pid
        if fault == "newer":
            assert "going on with that from before it" in agent.log.read_text()
        # And the next deployment is as any.
        ship(fleet, "1.2.0", another_agent(b"good"))
        fleet.deploy_and_wait({NAME: "1.0.0", EDGE: "1.2.0"})
        assert program_of(agent) == str(agent.root / "agent/a/andon-edge")
        assert pid_of(agent) == pid


def test_an_agent_that_is_for_another_machine_fails_before_anything_changes(
        fleet, server, base, tmp_path):
    with LaunchedAgent(server, tmp_path / "device", base) as agent:
        ship(fleet, "1.1.0", b"\x7fELF not for this machine")
        entry = fleet.outcome(fleet.deploy({EDGE: "1.1.0"}))
        assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
        assert agent.starts == 1 and agent.launcher() == {"runs": "base"}
        assert not (agent.root / "agent/a").exists()


def test_an_agent_that_does_not_reach_its_server_gives_itself_up(fleet, server, base, tmp_path):
    with LaunchedAgent(server, tmp_path / "device", base) as agent:
        fleet.component(NAME, "1.0.0", RUN)
        fleet.deploy_and_wait({NAME: "1.0.0"})
        pid = pid_of(agent)
        # Between the fetch and the new agent the server goes away, for as long as the trial lasts.
        ship(fleet, "1.1.0", another_agent(b"one"), seconds=5,
             first=f"touch {tmp_path}/reached; "
                   f"while ! test -e {tmp_path}/gone; do sleep 0.1; done; ")
        deployment = fleet.deploy({NAME: "1.0.0", EDGE: "1.1.0"})
        wait_until((tmp_path / "reached").exists, "the deployment's steps")
        server.stop()
        (tmp_path / "gone").touch()
        wait_until(lambda: "returnedFrom" in agent.launcher(), "the return", 90)
        server.start()
        entry = fleet.outcome(deployment)
        assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
        assert "it had no connection to its server after 5 s" in entry["reason"]
        assert program_of(agent) == str(base)
        assert pid_of(agent) == pid


def test_without_a_launcher_the_component_is_refused_with_the_reason(fleet, server, tmp_path):
    with Agent(server, tmp_path / "device"):
        ship(fleet, "1.1.0", another_agent(b"one"))
        entry = fleet.outcome(fleet.deploy({EDGE: "1.1.0"}))
        assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
        assert "was not started by andon-launcher" in entry["reason"]
