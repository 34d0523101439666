# SPDX-License-Identifier: Apache-2.0
"""andon-edge for tests of whole programs: a real agent under a real andon-server."""
import json
import signal
import subprocess
from pathlib import Path

from harness import program, wait_until

# What a component's scripts write to is $TRACE; see `trace`.


class Agent:
    """One device below `root`, enrolled at `server`; `with` starts and ends the agent."""

    def __init__(self, server, root, thing="edge-1", binary="andon-edge", environment=None):
        self.server, self.root, self.thing = server, Path(root), thing
        self.binary, self.environment = binary, environment
        self.process = None

    def __enter__(self):
        self.provision()
        return self.start()

    def __exit__(self, *_):
        self.kill()

    @property
    def log(self):
        return self.root.parent / f"{self.root.name}.log"

    def provision(self, token=None):
        return subprocess.run(
            [program("andon-edge"), "provision", "--root", self.root, "--json", "--token",
             token or self.server.token(self.thing)],
            check=True, capture_output=True, text=True).stdout

    def start(self, environment=None):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [program(self.binary), "run", "--root", self.root], stderr=log,
                env=environment or self.environment)
        return self

    def kill(self, number=signal.SIGKILL):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self, limit_s=30):
        return self.process.wait(limit_s) if self.process else None

    def status(self):
        return json.loads(subprocess.run(
            [program("andon-edge"), "status", "--root", self.root, "--json"],
            check=True, capture_output=True, text=True).stdout)

    def components(self):
        """{name: (version, state)} of what runs."""
        return {c["name"]: (c["version"], c["state"]) for c in self.status()["components"]}

    def wait_for(self, name, version, state="RUNNING"):
        wait_until(lambda: self.components().get(name) == (version, state),
                   f"{name} {version} being {state}; log:\n{self.log.read_text()[-3000:]}")


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

    def deploy(self, components, target="thing/edge-1", **policies):
        """{name: version, or (version, merge)}; the deployment's id."""
        document = {}
        for name, wanted in components.items():
            version, merge = wanted if isinstance(wanted, tuple) else (wanted, None)
            document[name] = {"componentVersion": version}
            if merge is not None:
                document[name]["configurationUpdate"] = {"merge": json.dumps(merge)}
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

    def deploy_and_wait(self, components, **more):
        entry = self.outcome(self.deploy(components, **more))
        assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry
        return entry
