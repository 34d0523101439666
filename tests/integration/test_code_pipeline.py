# SPDX-License-Identifier: Apache-2.0
"""examples/metal-tags/workflows/code.template.yaml on a real server with real agents: a push to a bare
repository becomes the next version of a component, is tried in QA, and goes to production; the model
stays where it is."""
import hashlib
import json
import os
import tempfile
from pathlib import Path

import pytest

from agent import Agent, Fleet
from functions import make_role, zipped
from harness import Server, wait_until
from training import (SECRET, Repository, apply, describe, entered, history, push, state_machine,
                      wait_for_end)

CODE, MODEL, GOLDEN = "com.example.Code", "com.example.Weights", "com.example.Golden"
RECIPE = json.dumps({
    "RecipeFormatVersion": "2020-01-25", "ComponentName": "{COMPONENT_NAME}",
    "ComponentVersion": "{COMPONENT_VERSION}",
    "ComponentDependencies": {MODEL: {"VersionRequirement": "^1.0.0"}},
    "Manifests": [{
        "Platform": {"os": "linux", "runtime": "*"},
        "Lifecycle": {"run": "exec sh {artifacts:decompressedPath}/code/run.sh"},
        "Artifacts": [{"URI": "s3://BUCKET_NAME/COMPONENT_NAME/COMPONENT_VERSION/code.zip",
                       "Unarchive": "ZIP", "Permission": {"Read": "ALL"}}]}]}, indent=2)
# The function that judges: it says what the results' place would, out of what it was asked.
JUDGE = """
import os
def handler(event, context):
    good = os.environ["VERDICT"] == "good"
    assert event["Things"] == ["qa-1"] and event["Golden"]["Artifact"] == "golden.zip"
    return {"Complete": True, "Passed": good, "Figures": {},
            "Reason": f"model {event['Model']['Version']} of run {event['Run']}"}
"""


def code(run="echo looking; exec sleep 1000", test="test -s src/run.sh"):
    return {"recipe.json": RECIPE, "src/run.sh": run + "\n", "test.sh": "set -e\n" + test + "\n"}


class Plant:
    """A server with the pipeline, and a QA and a production device that run a model."""

    def __init__(self, directory):
        self.directory = directory
        self.repository = Repository(directory)
        self.server = Server(directory / "data", "--job-path", directory / "line.git")
        self.values = {
            "BucketName": "line", "Component": CODE, "Repository": self.repository.path,
            "Hook": "line", "TestCommand": "sh test.sh", "ModelComponent": MODEL,
            "Production": "thing/edge-1", "GoldenComponent": GOLDEN, "QaSeconds": "120",
            "ProductionSeconds": "120"}

    def set_up(self):
        self.server.aws("sagemaker").create_model_package_group(
            ModelPackageGroupName="metal-tags")
        self.change()
        assert self.server.call("PUT", "/andon/v1/webhooks/line", {"secret": SECRET})[0] == 200
        self.fleet = Fleet(self.server)
        self.fleet.component(MODEL, "1.0.0", {"run": "exec sleep 1000"},
                             artifacts=[self.fleet.put_artifact("weights", os.urandom(300_000))])
        self.fleet.component(GOLDEN, "1.0.0", {"run": "exec sleep 1000"}, {"run": "none"})

    def change(self, **values):
        apply(self.server, "code", "code.template.yaml", {**self.values, **values})

    def push(self, commit, ref="refs/heads/main"):
        return push(self.server, "line", commit, ref)

    def executions(self):
        states = self.server.aws("stepfunctions")
        return {one["executionArn"]: describe(self.server, one["executionArn"])["input"]
                for one in states.list_executions(stateMachineArn=state_machine("code"))[
                    "executions"]}

    def commit_and_push(self, files):
        """The execution that follows from it, when it is over."""
        commit = self.repository.commit(files)
        assert self.push(commit) == 202
        arn = wait_until(lambda: next((arn for arn, given in self.executions().items()
                                       if commit in given), None), "the execution", 60)
        return commit, wait_for_end(self.server, arn)

    def start(self, **given):
        return self.server.aws("stepfunctions").start_execution(
            stateMachineArn=state_machine("code"), input=json.dumps(given))["executionArn"]

    def versions(self):
        found = self.server.aws("greengrassv2").list_component_versions(
            arn=f"arn:aws:greengrass:us-east-1:000000000000:components:{CODE}")
        return [one["componentVersion"] for one in found["componentVersions"]]


@pytest.fixture(scope="module", name="plant")
def fixture_plant():
    # Jobs have a /tmp of their own: what they are to see of a test cannot lie in pytest's.
    with tempfile.TemporaryDirectory(prefix="andon-", dir="/var/tmp") as name:
        plant = Plant(Path(name))
        with plant.server:
            plant.set_up()
            iot = plant.server.aws("iot")
            iot.create_thing_group(thingGroupName="qa")
            with Agent(plant.server, Path(name) / "line", "edge-1") as line:
                plant.line = line
                yield plant


@pytest.fixture(scope="module", name="qa")
def fixture_qa(plant):
    with Agent(plant.server, plant.directory / "qa", "qa-1") as agent:
        plant.server.aws("iot").add_thing_to_thing_group(thingName="qa-1", thingGroupName="qa")
        yield agent


def test_without_a_model_in_production_or_a_qa_device_it_ends_with_that_reason(plant):
    plant.repository.commit(code())
    told = wait_for_end(plant.server, plant.start())
    assert told["error"] == "Pipeline.NothingDeployed", told
    assert "thing/edge-1 has no deployment: ship a model there first" in told["cause"]
    assert plant.versions() == ["1.0.0"]
    plant.fleet.deploy_and_wait({MODEL: "1.0.0"})
    told = wait_for_end(plant.server, plant.start())
    assert told["error"] == "Qa.NoDevice", told


def test_a_push_ships_the_code_through_qa_and_the_model_stays(plant, qa):
    commit, told = plant.commit_and_push(code())
    assert told["status"] == "SUCCEEDED", told
    output = json.loads(told["output"])
    assert output["Commit"] == commit
    version = output["Version"]
    for agent in (qa, plant.line):
        agent.wait_for(CODE, version)
        agent.wait_for(MODEL, "1.0.0")
    order = entered(plant.server, told["executionArn"])
    assert order.index("TestAndZip") < order.index("DeployToQa") < order.index("DeployToProduction")
    # One more commit: only its zip moves, and the component says where it comes from.
    commit, told = plant.commit_and_push(code("echo closer; exec sleep 1000"))
    assert told["status"] == "SUCCEEDED", told
    output = json.loads(told["output"])
    assert output["Version"] == f"1.0.{int(version.rpartition('.')[2]) + 1}"
    plant.line.wait_for(CODE, output["Version"])
    found = plant.server.aws("greengrassv2").describe_component(arn=output["ComponentVersionArn"])
    assert found["tags"]["Commit"] == commit
    assert found["tags"]["CodeSha256"] == output["CodeSha256"]
    key = f"code/{told['name']}/code.zip"
    zipped_code = plant.server.aws("s3").get_object(Bucket="line", Key=key)["Body"].read()
    assert hashlib.sha256(zipped_code).hexdigest() == output["CodeSha256"]
    assert plant.line.status()["lastDeployment"]["bytesFetched"] == len(zipped_code)


def test_a_push_that_is_none_of_the_branch_starts_nothing(plant, qa):
    before = plant.executions()
    assert plant.push("0" * 40) == 202
    assert plant.push("1" * 40, "refs/heads/other") == 202
    _, told = plant.commit_and_push(code())  # a later one of the branch has been through
    assert set(plant.executions()) == {*before, told["executionArn"]}


@pytest.mark.parametrize("files, error, said", [
    (code(test="echo 3 of 4 tests failed; exit 1"), "Job.Failed", "3 of 4 tests failed"),
    ({**code(), "recipe.json": RECIPE.replace("{COMPONENT_NAME}", "com.example.Other")},
     "Pipeline.AnotherComponent", "com.example.Other"),
    ({**code(), "recipe.json": "{"}, "Job.Failed", "JSONDecodeError"),
    # Not `run`, which has run where it takes long enough to end.
    ({**code(run="exit 1"), "recipe.json": RECIPE.replace('"run": "exec', '"startup": "exec')}, "Qa.Failed",
     "stays in QA: Deployment.Failed"),
])
def test_what_fails_does_not_reach_production(plant, qa, files, error, said):
    before = plant.line.components()
    _, told = plant.commit_and_push(files)
    assert told["error"] == error and said in told["cause"], told
    assert "DeployToProduction" not in entered(plant.server, told["executionArn"])
    assert plant.line.components() == before


@pytest.mark.parametrize("verdict", ["bad", "good"])
def test_the_golden_pictures_are_looked_at_anew_and_judged(plant, qa, verdict):
    functions = plant.server.aws("lambda")
    name = f"judge-{verdict}"
    functions.create_function(
        FunctionName=name, Runtime="python3.12", Handler="app.handler", Timeout=60,
        Role=make_role(plant.server, name), Code={"ZipFile": zipped({"app.py": JUDGE})},
        Environment={"Variables": {"VERDICT": verdict}})
    functions.get_waiter("function_active_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    plant.change(GoldenVersion="1.0.0", Judge=name)
    try:
        _, told = plant.commit_and_push(code())
        run = told["name"]
        if verdict == "bad":
            assert told["error"] == "Qa.Failed", told
            assert told["cause"].endswith(f"stays in QA: model 1.0.0 of run {run}")
        else:
            assert told["status"] == "SUCCEEDED", told
        sent = [json.loads(event["taskScheduledEventDetails"]["parameters"])
                for event in history(plant.server, told["executionArn"])
                if event["type"] == "TaskScheduled"
                and event["taskScheduledEventDetails"]["resourceType"] == "deployment"]
        assert json.loads(sent[0]["Components"][GOLDEN]["ConfigurationUpdate"]["Merge"])["run"] == run
        assert [GOLDEN in one["Components"] for one in sent] == [True, False][:len(sent)]
    finally:
        plant.change()


def test_a_server_killed_at_each_step_ships_once(plant, qa):
    plant.repository.commit(code())
    before = plant.versions()
    arn = plant.start()
    killed = set()
    while describe(plant.server, arn)["status"] == "RUNNING":
        new = [state for state in entered(plant.server, arn) if state not in killed]
        if new:
            killed.update(new)
            plant.server.kill()
            plant.server.start()
    told = describe(plant.server, arn)
    assert told["status"] == "SUCCEEDED", told
    assert len(plant.versions()) == len(before) + 1
    names = [d["deploymentName"] for target in ("thinggroup/qa", "thing/edge-1")
             for d in plant.server.aws("greengrassv2").list_deployments(
                 targetArn=f"arn:aws:iot:us-east-1:000000000000:{target}",
                 historyFilter="ALL")["deployments"]
             if json.loads(told["output"])["Version"] in d.get("deploymentName", "").split()]
    assert len(names) == 2
