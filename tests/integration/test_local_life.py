# SPDX-License-Identifier: Apache-2.0
"""A device that is told what to do by somebody at it, while no server is there."""
import io
import json
import os
import subprocess
import tarfile

from agent import Agent
from harness import program, wait_until

NAME = "com.example.Local"


def edge(agent, *arguments, check=True):
    done = subprocess.run([program("andon-edge"), *arguments, "--root", agent.root],
                          capture_output=True, text=True, timeout=120)
    assert not check or done.returncode == 0, done
    return done


def write_version(directory, version, run, configuration="{}", step="run"):
    recipes, artifacts = directory / "recipes", directory / "artifacts"
    (artifacts / NAME / version).mkdir(parents=True)
    recipes.mkdir(exist_ok=True)
    (artifacts / NAME / version / "run.sh").write_text(run)
    (recipes / f"{NAME}-{version}.yaml").write_text(f"""
RecipeFormatVersion: '2020-01-25'
ComponentName: {NAME}
ComponentVersion: '{version}'
ComponentConfiguration: {{DefaultConfiguration: {configuration}}}
Manifests:
- Platform: {{os: linux}}
  Lifecycle: {{{step}: 'sh {{artifacts:path}}/run.sh'}}
  Artifacts:
  - URI: s3://nowhere/run.sh
""")
    return "--recipes", recipes, "--artifacts", artifacts


def test_a_device_is_told_what_to_do_without_any_server(server, tmp_path):
    agent = Agent(server, tmp_path / "device")
    agent.provision()
    server.kill()
    places = write_version(tmp_path, "1.0.0", "echo started one; exec sleep 1000",
                           "{camera: {exposure: 5}}")
    agent.start()
    try:
        control = agent.root / "control.socket"
        wait_until(control.exists, "the control socket")
        assert os.stat(control).st_mode & 0o777 == 0o600
        assert "SUCCEEDED" in edge(agent, "deploy", "--add", f"{NAME}=1.0.0", *places).stdout
        agent.wait_for(NAME, "1.0.0")
        assert f"{NAME} " in edge(agent, "components").stdout
        wait_until(lambda: "started one" in edge(agent, "logs", NAME).stdout, "the log's line")

        assert json.loads(edge(agent, "config", "get", NAME).stdout) == {"camera": {"exposure": 5}}
        edge(agent, "config", "set", NAME, "camera.exposure", "7")
        assert json.loads(edge(agent, "config", "get", NAME, "camera").stdout) == {"exposure": 7}

        edge(agent, "stop", NAME)
        agent.wait_for(NAME, "1.0.0", "INSTALLED")
        edge(agent, "restart", NAME)
        agent.wait_for(NAME, "1.0.0")

        # One that cannot run is rolled back, and the command says why. (A `run` that takes long enough to
        # end has run.)
        write_version(tmp_path, "2.0.0", "echo no camera; exit 3", step="startup")
        failed = edge(agent, "deploy", "--add", f"{NAME}=2.0.0", *places, check=False)
        assert failed.returncode == 9 and "no camera" in failed.stdout, failed
        agent.wait_for(NAME, "1.0.0")
        missing = edge(agent, "deploy", "--add", "com.example.Nowhere=1.0.0", check=False)
        assert missing.returncode == 9 and "com.example.Nowhere" in missing.stdout, missing

        told = json.loads(edge(agent, "deployments", "--json").stdout)["localDeployments"]
        assert [d["status"] for d in told] == ["FAILED", "FAILED", "SUCCEEDED"]
        assert told[1]["deploymentStatusDetails"]["detailedDeploymentStatus"] == \
            "FAILED_ROLLBACK_COMPLETE"

        # A new recipe of the same version takes the place of the old one.
        (tmp_path / "artifacts" / NAME / "1.0.0" / "run.sh").write_text(
            "echo started again; exec sleep 1000")
        edge(agent, "deploy", "--add", f"{NAME}=1.0.0", *places)
        wait_until(lambda: "started again" in edge(agent, "logs", NAME).stdout, "the other bytes")

        # What is deployed here outlives the agent.
        agent.kill()
        agent.start()
        agent.wait_for(NAME, "1.0.0")

        doctor = edge(agent, "doctor", "--json", check=False)
        verdicts = {c["check"]: c["verdict"] for c in json.loads(doctor.stdout)["checks"]}
        assert doctor.returncode == 9 and verdicts["connection"] == "bad", doctor
        assert verdicts["agent"] == "ok" and verdicts["components"] == "ok", verdicts
        edge(agent, "support-bundle", "--out", tmp_path / "bundle.tar")
        with tarfile.open(tmp_path / "bundle.tar") as bundle:
            names = bundle.getnames()
            log = bundle.extractfile(f"logs/{NAME}.log").read()
            whole = io.BytesIO((tmp_path / "bundle.tar").read_bytes()).read()
        assert {"status.json", "doctor.txt", "deployments.jsonl", "machine.json"} <= set(names)
        assert b"started again" in log and b"PRIVATE KEY" not in whole and b"exposure" not in whole

        edge(agent, "deploy", "--remove", NAME)
        assert NAME not in agent.components()
        unknown = edge(agent, "restart", NAME, check=False)
        assert unknown.returncode != 0 and "not on this device" in unknown.stderr, unknown
    finally:
        agent.kill()


def test_a_local_deployment_that_waits_can_be_cancelled(server, tmp_path):
    with Agent(server, tmp_path / "device") as agent:
        wait_until((agent.root / "control.socket").exists, "the control socket")
        places = write_version(tmp_path, "1.0.0", "exec sleep 1000")
        write_version(tmp_path, "1.1.0", "exit 1")
        go_on = tmp_path / "go-on"
        recipe = tmp_path / "recipes" / f"{NAME}-1.1.0.yaml"
        recipe.write_text(recipe.read_text().replace(
            "{run:", f"{{install: 'until test -e {go_on}; do sleep 0.05; done; exit 1', run:"))
        first = edge(agent, "deploy", "--add", f"{NAME}=1.1.0", *places, "--no-wait").stdout.strip()
        second = edge(
            agent, "deploy", "--add", f"{NAME}=1.0.0", *places, "--no-wait").stdout.strip()
        edge(agent, "cancel", second)
        go_on.write_text("")

        def statuses():
            told = json.loads(edge(agent, "deployments", "--json").stdout)["localDeployments"]
            return {d["deploymentId"]: d["status"] for d in told}
        wait_until(lambda: statuses()[first] == "FAILED", "the first deployment's end")
        assert statuses()[second] == "CANCELED"
        late = edge(agent, "cancel", second, check=False)
        assert late.returncode != 0 and "is over" in late.stderr, late
        assert NAME not in agent.components()


def test_without_an_agent_the_commands_say_so(server, tmp_path):
    agent = Agent(server, tmp_path / "device")
    agent.provision()
    for command in (["deploy", "--add", "a=1.0.0"], ["restart", "a"], ["config", "get", "a"]):
        done = edge(agent, *command, check=False)
        assert done.returncode == 9 and "no agent runs" in done.stderr, done
    doctor = edge(agent, "doctor", check=False)
    assert doctor.returncode == 9 and "does not run" in doctor.stdout, doctor
    assert edge(agent, "deploy", "--add", "a", check=False).returncode == 2
