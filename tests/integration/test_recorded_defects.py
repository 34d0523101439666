# SPDX-License-Identifier: Apache-2.0
"""What other agents for Greengrass components were seen to do wrong, done right by this one: one
test a defect, but for those that stand elsewhere (a variable without a value: tests/faults/
test_agent_faults.py; replies without a subscription: tests/interop/test_fleet_provisioning.py; time lost in
deployments: test_agent.py)."""
import json
import subprocess

import pytest
from agent import Agent, Fleet
from harness import program, wait_until

NAME = "com.example.App"
SLEEP = "exec sleep 1000"


@pytest.fixture
def fleet(server):
    return Fleet(server)


@pytest.fixture
def agent(server, tmp_path):
    with Agent(server, tmp_path / "device") as running:
        yield running


def failed(entry):
    assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
    return entry


def test_a_failed_update_is_reported_as_such_with_the_version_that_runs(fleet, agent):
    fleet.component(NAME, "1.0.0", {"run": SLEEP})
    fleet.component(NAME, "1.1.0", {"install": "exit 1", "run": SLEEP})
    fleet.deploy_and_wait({NAME: "1.0.0"})
    failed(fleet.outcome(fleet.deploy({NAME: "1.1.0"})))
    agent.wait_for(NAME, "1.0.0")
    wait_until(lambda: [(c["componentVersion"], c["lifecycleState"]) for c in
                        fleet.greengrass.list_installed_components(
                            coreDeviceThingName="edge-1")["installedComponents"]]
               == [("1.0.0", "RUNNING")], "the server knowing the version that runs")


def test_a_failed_install_does_not_stick_to_the_next_version(fleet, agent):
    fleet.component(NAME, "1.0.0", {"install": "exit 1", "run": SLEEP})
    fleet.component(NAME, "1.1.0", {"run": SLEEP})
    failed(fleet.outcome(fleet.deploy({NAME: "1.0.0"})))
    fleet.deploy_and_wait({NAME: "1.1.0"})
    agent.wait_for(NAME, "1.1.0")


def test_a_large_deployment_arrives_and_later_ones_do_not_wait_behind_it(fleet, agent):
    large = {"text": "x" * 60_000}
    fleet.component(NAME, "1.0.0", {"run": SLEEP})
    fleet.deploy_and_wait({NAME: ("1.0.0", large)})
    fleet.deploy_and_wait({NAME: ("1.0.0", {"text": "short"})})


def test_an_object_takes_the_place_of_a_scalar_and_back(fleet, agent):
    fleet.component(NAME, "1.0.0", {"run": SLEEP}, configuration={"key": 1})
    for value in ({"inner": 2}, "text", [1, {"a": 2}], {"inner": {"deep": True}}):
        fleet.deploy_and_wait({NAME: ("1.0.0", {"key": value})})
        done = subprocess.run([program("andon-edge"), "config", "get", NAME, "--root", agent.root],
                              check=True, capture_output=True, text=True)
        assert json.loads(done.stdout) == {"key": value}


def test_a_component_that_was_deployed_locally_is_removed_locally(agent, tmp_path):
    """That both names of the member are read: edge.LocalRequest.AddsToAndTakesAway..."""
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "app.json").write_text(json.dumps({
        "RecipeFormatVersion": "2020-01-25", "ComponentName": NAME, "ComponentVersion": "1.0.0",
        "Manifests": [{"Platform": {"os": "linux"}, "Lifecycle": {"run": SLEEP}}]}))

    def edge(*arguments):
        return subprocess.run([program("andon-edge"), *arguments, "--root", agent.root],
                              check=True, capture_output=True, text=True, timeout=120)
    wait_until((agent.root / "control.socket").exists, "the control socket")
    edge("deploy", "--add", f"{NAME}=1.0.0", "--recipes", tmp_path / "recipes")
    agent.wait_for(NAME, "1.0.0")
    edge("deploy", "--remove", NAME)
    assert NAME not in agent.components()


def test_a_bootstrap_step_that_fails_fails_its_deployment_and_is_tried_again(
        fleet, agent, tmp_path):
    good = tmp_path / "good"
    fleet.component(NAME, "1.0.0", {"bootstrap": f"test -e {good}", "run": SLEEP})
    entry = failed(fleet.outcome(fleet.deploy({NAME: "1.0.0"})))
    assert "COMPONENT_BOOTSTRAP_ERROR" in entry["statusDetails"]["errorStack"], entry
    good.write_text("")
    fleet.deploy_and_wait({NAME: "1.0.0"})
