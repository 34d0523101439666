# SPDX-License-Identifier: Apache-2.0
"""andon-edge for tests of whole programs: a real agent under a real andon-server."""
import contextlib
import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import time
import uuid
from pathlib import Path

from harness import program, wait_until

NUCLEUS = "aws.greengrass.Nucleus"

# What a component's scripts write to is $TRACE; see `trace`.


class Agent:
    """One device below `root`, enrolled at `server`; `with` starts and ends the agent."""

    def __init__(self, server, root, thing="edge-1", binary="andon-edge", environment=None,
                 component_user="root", options=("--pass-environment", "ONNXRUNTIME_ROOT"),
                 enrol_options=()):
        """`component_user`: root by name, as most tests keep their devices in directories that are
        root's alone; None leaves the choice to the agent."""
        self.server, self.root, self.thing = server, Path(root), thing
        self.binary, self.environment, self.options = binary, environment, options
        self.enrol_options = enrol_options
        self.component_user = component_user if os.geteuid() == 0 else None
        self.process = None

    def __enter__(self):
        self.provision()
        return self.start()

    def __exit__(self, *_):
        self.kill()
        end_components(self.root)
        # The event loop has neither synced nor joined nor unpacked nor asked the database.
        assert "must not wait" not in self.log.read_text(), self.log.read_text()[-3000:]

    @property
    def log(self):
        return self.root.parent / f"{self.root.name}.log"

    def provision(self, token=None):
        return subprocess.run(
            self.command("andon-edge", "provision", "--root", self.root, "--json", "--token",
                         token or self.server.token(self.thing), *self._user_options(), *self.enrol_options),
            check=True, capture_output=True, text=True).stdout

    def command(self, binary, *words):
        """A program with these arguments, where the agent runs."""
        return [program(binary), *words]

    def start(self, environment=None):
        with open(self.log, "ab") as log:
            more = [*self._user_options(), *self.options] if self.binary == "andon-edge" else []
            self.process = subprocess.Popen(
                self.command(self.binary, "run", "--root", self.root, *more), stderr=log,
                env=environment or self.environment)
        return self

    def _user_options(self):
        return ["--component-user", self.component_user] if self.component_user else []

    def kill(self, number=signal.SIGKILL):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def stop(self):
        """As `systemctl stop` does: with its components."""
        return self.kill(signal.SIGTERM)

    def lose_power(self):
        """The agent and its components end, each without a word; what is on the disk is of a machine that
        has been started anew since."""
        self.kill()

        def all_ended():
            # One that the agent has just forked becomes a keeper yet.
            left = keepers(self.root)
            for keeper in left.values():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(keeper, signal.SIGKILL)
            return not left
        wait_until(all_ended, "the keepers ending")
        for record in self.root.glob("run/processes/kept/*/record.json"):
            record.write_text(json.dumps({**json.loads(record.read_text()), "boot": str(uuid.uuid4())}))

    def wait(self, limit_s=30):
        return self.process.wait(limit_s) if self.process else None

    def status(self):
        return json.loads(subprocess.run(
            [program("andon-edge"), "status", "--root", self.root, "--json"],
            check=True, capture_output=True, text=True).stdout)

    def readable_status(self):
        return subprocess.run([program("andon-edge"), "status", "--root", self.root],
                              check=True, capture_output=True, text=True).stdout

    def components(self):
        """{name: (version, state)} of what runs."""
        return {c["name"]: (c["version"], c["state"]) for c in self.status()["components"]}

    def spooled(self):
        """How many messages the device still keeps; `status` tells it with a delay."""
        database = sqlite3.connect(f"file:{self.root}/config.db?mode=ro", uri=True, timeout=10)
        try:
            return database.execute(
                "SELECT count(*) FROM spool WHERE delivered_ms IS NULL").fetchone()[0]
        finally:
            database.close()

    def wait_for(self, name, version, state="RUNNING"):
        """The component as an agent that runs has it: what outlives one is RUNNING without it, too."""
        def is_there():
            status = self.status()
            return status["agent"] == "running" and any(
                c["name"] == name and (c["version"], c["state"]) == (version, state)
                for c in status["components"])
        wait_until(is_there,
                   f"{name} {version} being {state}; log:\n{self.log.read_text()[-3000:]}")


def window_elsewhere(*uses):
    """A window of the link's budget that is closed for the next hours, and when it opens."""
    away = [f"{(time.localtime().tm_hour + hours) % 24:02}:00" for hours in (6, 7)]
    return {"uses": uses, "from": away[0], "to": away[1]}, away[0]


def open_windows(agent):
    subprocess.run([program("andon-edge"), "config", "set", NUCLEUS, "andonLinkBudget",
                    '{"windows": []}', "--root", agent.root], check=True)


def has_agent(root):
    try:
        with open(root / "agent.lock", "rb+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False


def keepers(root):
    """{component: pid} of the keepers below `root` that live, and have no agent, or are its own."""
    found = {}
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = command.read_bytes().split(b"\0")
            alive = ") Z" not in (command.parent / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if alive and words[0].endswith(b"andon-keeper") and len(words) > 1:
            directory = Path(os.fsdecode(words[1]))
            is_own = len(directory.parents) > 3 and directory.parents[3] == Path(root)
            if is_own or (Path(root) in directory.parents and not has_agent(directory.parents[3])):
                found[directory.name] = int(command.parent.name)
    return found


def end_components(root):
    """What an agent that was killed has left running below `root`."""
    for pid in keepers(root).values():
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
    wait_until(lambda: not keepers(root), "the keepers ending")


class Fleet:
    """What an operator does with components and deployments, in one line each."""

    def __init__(self, server):
        self.server = server
        self.greengrass = server.aws("greengrassv2")
        self.s3 = server.aws("s3")
        self.iot = server.aws("iot")

    def put_artifact(self, name, content):
        if "artifacts" not in [b["Name"] for b in self.s3.list_buckets()["Buckets"]]:
            self.s3.create_bucket(Bucket="artifacts")
        self.s3.put_object(Bucket="artifacts", Key=name, Body=content)
        return f"s3://artifacts/{name}"

    def component(self, name, version, lifecycle, configuration=None, artifacts=(),
                  dependencies=None):
        """`artifacts`: {"URI": ...} each, or URIs."""
        recipe = {
            "RecipeFormatVersion": "2020-01-25", "ComponentName": name,
            "ComponentVersion": version,
            "ComponentConfiguration": {"DefaultConfiguration": configuration or {}},
            "ComponentDependencies": dependencies or {},
            "Manifests": [{"Platform": {"os": "linux"}, "Lifecycle": lifecycle,
                           "Artifacts": [a if isinstance(a, dict) else {"URI": a}
                                         for a in artifacts]}]}
        self.greengrass.create_component_version(inlineRecipe=json.dumps(recipe))

    def deploy(self, components, target="thing/edge-1", posix_user=None, **policies):
        """{name: version, or (version, merge)}; the deployment's id."""
        document = {}
        for name, wanted in components.items():
            version, merge = wanted if isinstance(wanted, tuple) else (wanted, None)
            document[name] = {"componentVersion": version}
            if merge is not None:
                document[name]["configurationUpdate"] = {"merge": json.dumps(merge)}
            if posix_user:
                document[name]["runWith"] = {"posixUser": posix_user}
        return self.greengrass.create_deployment(
            targetArn=f"arn:aws:iot:us-east-1:000000000000:{target}", components=document,
            **policies)["deploymentId"]

    def outcome(self, deployment_id, thing="edge-1", limit_s=60):
        """The device's entry of the deployment once it has ended."""
        def ended():
            for entry in self.greengrass.list_effective_deployments(
                    coreDeviceThingName=thing)["effectiveDeployments"]:
                if entry["deploymentId"] == deployment_id and \
                        entry["coreDeviceExecutionStatus"] not in ("QUEUED", "IN_PROGRESS"):
                    return entry
            return None
        return wait_until(ended, f"deployment {deployment_id} ending", limit_s)

    def deploy_and_wait(self, components, thing="edge-1", **more):
        entry = self.outcome(self.deploy(components, f"thing/{thing}", **more), thing)
        assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry
        return entry
