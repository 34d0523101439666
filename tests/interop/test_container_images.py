# SPDX-License-Identifier: Apache-2.0
"""Components whose artifacts are container images, with Debian's Podman and its registry: pulled by
digest before anything is changed, run by the recipe's own scripts, removed when nobody needs them."""
import os
import subprocess

import pytest
from agent import Agent, Fleet
from botocore.exceptions import ClientError
from harness import Server, program, wait_until
from images import Podman, Registry

# Podman keeps images by user, and the agent is root.
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers of root's own")

NAME = "com.example.Look"
MANAGER = "aws.greengrass.DockerApplicationManager"


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with Registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    with Podman(tmp_path_factory.mktemp("builder")) as made:
        yield made


@pytest.fixture(scope="module")
def look(registry, builder):
    """{version: the image's name by digest}"""
    return {version: registry.add(version, builder) for version in ("1", "2", "3")}


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "data") as running:
        yield running


@pytest.fixture
def podman(registry, tmp_path):
    with Podman(tmp_path / "podman", registry.address) as made:
        yield made


@pytest.fixture
def fleet(server):
    return Fleet(server)


def agent_of(server, root, podman, engine="podman", component_user="root", **environment):
    return Agent(server, root, environment={**podman.environment, **environment},
                 component_user=component_user,
                 options=("--container-engine", engine,
                          "--pass-environment", ",".join(podman.variables)))


@pytest.fixture
def agent(server, tmp_path, podman):
    with agent_of(server, tmp_path / "device", podman) as running:
        yield running


def lifecycle_of(image, *words, step="run", engine="podman", more=()):
    """As docs/recipes.md has it: what an engine that was killed has left does not stand in the way."""
    end = f"{engine} rm --force look || true"
    start = " ".join(["exec", engine, "run", "--rm", "--name", "look", *more, image, *words])
    return {step: {"Script": f"{end}\n{start}", "RequiresPrivilege": True},
            "shutdown": {"Script": end, "RequiresPrivilege": True}}


def component(fleet, version, image, lifecycle=None, name=NAME, uri=None):
    fleet.component(name, version, lifecycle or lifecycle_of(image),
                    artifacts=[uri or f"docker:{image}"],
                    dependencies={MANAGER: {"VersionRequirement": "~2.0.0"}})


def log_of(agent, name=NAME):
    file = agent.root / "logs" / f"{name}.log"
    return file.read_text() if file.exists() else ""


def says(agent, text, name=NAME):
    wait_until(lambda: text in log_of(agent, name), f"the log's line '{text}'; {log_of(agent, name)}")


def failed(entry, *codes):
    assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
    stack = entry["statusDetails"]["errorStack"]
    assert stack[0] == "DEPLOYMENT_FAILURE" and list(codes) == stack[-len(codes):], entry
    return entry["reason"]


def container_ids(podman):
    return podman("ps", "--quiet").split()


def test_the_image_of_a_recipe_is_pulled_run_updated_and_removed(
        fleet, agent, podman, registry, look):
    component(fleet, "1.0.0", look["1"])
    fleet.deploy_and_wait({NAME: "1.0.0"})
    agent.wait_for(NAME, "1.0.0")
    says(agent, "this is look 1")
    assert podman.images() == [look["1"]]
    assert agent.components()[MANAGER][0].startswith("2.0.")

    # What is there is not pulled again: the registry need not even be there.
    registry.stop()
    try:
        component(fleet, "1.0.1", look["1"])
        fleet.deploy_and_wait({NAME: "1.0.1"})
    finally:
        registry.start()

    component(fleet, "2.0.0", look["2"])
    fleet.deploy_and_wait({NAME: "2.0.0"})
    says(agent, "this is look 2")
    wait_until(lambda: podman.images() == [look["2"]], "the old image's end")
    fleet.deploy_and_wait({})
    wait_until(lambda: podman.images() == [], "the last image's end")


def test_a_pull_that_fails_changes_nothing(fleet, agent, podman, registry, look):
    component(fleet, "1.0.0", look["1"])
    fleet.deploy_and_wait({NAME: "1.0.0"})
    says(agent, "this is look 1")
    [running] = container_ids(podman)

    unknown = f"{registry.address}/look@sha256:{'a' * 64}"
    component(fleet, "1.1.0", unknown)
    reason = failed(fleet.outcome(fleet.deploy({NAME: "1.1.0"})),
                    "ARTIFACT_DOWNLOAD_ERROR", "DOCKER_ERROR", "DOCKER_PULL_ERROR")
    assert "com.example.Look 1.1.0" in reason and "manifest unknown" in reason, reason

    manifest = registry.blob(look["2"].rsplit(":", 1)[1])
    layer = registry.blob(registry.layer_of(look["2"]))
    component(fleet, "1.2.0", look["2"])
    for file, change in ((manifest, lambda content: content.replace(b'"size":', b'"size" :', 1)),
                         (layer, lambda content: content[:1000] + b"X" + content[1001:])):
        good = file.read_bytes()
        file.write_bytes(change(good))
        try:
            reason = failed(fleet.outcome(fleet.deploy({NAME: "1.2.0"})), "DOCKER_IMAGE_NOT_VALID")
        finally:
            file.write_bytes(good)
        assert "match" in reason, reason

    assert container_ids(podman) == [running] and podman.images() == [look["1"]]
    agent.wait_for(NAME, "1.0.0")
    fleet.deploy_and_wait({NAME: "1.2.0"})
    says(agent, "this is look 2")


def test_a_container_that_does_not_come_up_is_rolled_back_to_the_image_before(
        fleet, agent, podman, look):
    component(fleet, "1.0.0", look["1"])
    fleet.deploy_and_wait({NAME: "1.0.0"})
    component(fleet, "2.0.0", look["2"],
              lifecycle_of(look["2"], step="startup", more=["--entrypoint=/nothing"]))
    entry = fleet.outcome(fleet.deploy({NAME: "2.0.0"}))
    failed(entry, "COMPONENT_BROKEN")
    assert entry["statusDetails"]["errorTypes"] == ["USER_COMPONENT_ERROR"], entry
    agent.wait_for(NAME, "1.0.0")
    wait_until(lambda: podman.images() == [look["1"]], "the image that failed being removed")
    wait_until(lambda: len(container_ids(podman)) == 1, "the container before")


def test_a_registry_that_is_away_is_waited_for_and_the_wait_can_be_cancelled(
        fleet, agent, podman, registry, look):
    component(fleet, "1.0.0", look["1"])
    registry.stop()
    try:
        deployment = fleet.deploy({NAME: "1.0.0"})
        wait_until(lambda: "connection refused" in agent.status().get("deploymentProgress", ""),
                   "the reason of the wait")
        fleet.greengrass.cancel_deployment(deploymentId=deployment)
        wait_until(lambda: agent.status().get("deploymentState") == "", "the deployment's end")
        assert podman.images() == [] and NAME not in agent.components()
        deployment = fleet.deploy({NAME: "1.0.0"})
        wait_until(lambda: "connection refused" in agent.status().get("deploymentProgress", ""),
                   "the reason of the wait")
    finally:
        registry.start()
    entry = fleet.outcome(deployment)
    assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry


def test_scripts_may_use_the_tag_that_the_uri_has_and_it_is_never_moved(
        fleet, agent, podman, registry, look):
    digests = {version: name.split("@")[1] for version, name in look.items()}
    tag = f"{registry.address}/look:stable"
    component(fleet, "1.0.0", tag, uri=f"docker:{tag}@{digests['1']}")
    fleet.deploy_and_wait({NAME: "1.0.0"})
    says(agent, "this is look 1")
    component(fleet, "2.0.0", tag, uri=f"docker:{tag}@{digests['2']}")
    reason = failed(fleet.outcome(fleet.deploy({NAME: "2.0.0"})), "DOCKER_IMAGE_NOT_VALID")
    assert f"{tag} is another image on this device already" in reason, reason
    agent.wait_for(NAME, "1.0.0")
    wait_until(lambda: podman.images() == [tag, look["1"]], "the other image's end")
    fleet.deploy_and_wait({})
    wait_until(lambda: podman.images() == [], "the image's end")


def test_an_image_that_somebody_else_has_brought_stays(fleet, agent, podman, look):
    podman("pull", look["1"])
    component(fleet, "1.0.0", look["1"])
    fleet.deploy_and_wait({NAME: "1.0.0"})
    says(agent, "this is look 1")
    component(fleet, "2.0.0", look["2"])
    fleet.deploy_and_wait({NAME: "2.0.0"})
    fleet.deploy_and_wait({})
    wait_until(lambda: not podman.has(look["2"]), "the end of what was pulled")
    assert podman.images() == [look["1"]]


def test_an_image_without_its_digest_is_refused_by_server_and_device(
        fleet, agent, registry, tmp_path):
    with pytest.raises(ClientError) as refused:
        component(fleet, "1.0.0", f"{registry.address}/look:1")
    message = refused.value.response["Error"]["Message"]
    assert "/Manifests/0/Artifacts/0" in message, message
    assert f"docker:{registry.address}/look:1@sha256:DIGEST" in message, message
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    (recipes / "recipe.yaml").write_text(f"""
RecipeFormatVersion: '2020-01-25'
ComponentName: {NAME}
ComponentVersion: 1.0.0
Manifests:
- Platform: {{os: linux}}
  Artifacts: [{{Uri: 'docker:{registry.address}/look:1'}}]
  Lifecycle: {{run: 'true'}}
""")
    wait_until((agent.root / "control.socket").exists, "the control socket")
    ended = subprocess.run(
        [program("andon-edge"), "deploy", "--root", agent.root, "--add", f"{NAME}=1.0.0",
         "--recipes", recipes], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 9 and "names no digest" in ended.stdout, ended


def test_a_device_without_an_engine_fails_by_name(server, fleet, tmp_path, podman, look):
    # Whatever this machine has: a PATH with neither.
    with Agent(server, tmp_path / "device", environment={"PATH": str(tmp_path)}) as agent:
        component(fleet, "1.0.0", look["1"])
        reason = failed(fleet.outcome(fleet.deploy({NAME: "1.0.0"})), "ARTIFACT_DOWNLOAD_ERROR",
                        "DOCKER_ERROR", "DOCKER_SERVICE_UNAVAILABLE")
        assert "no Docker and no Podman" in reason, reason
        assert agent.components() == {}


def test_a_user_who_cannot_use_the_engine_is_told_of_before_anything_runs(
        server, fleet, podman, look, open_directory):
    with agent_of(server, open_directory / "device", podman, component_user="nobody") as agent:
        component(fleet, "1.0.0", look["1"], {"run": f"exec podman run --rm {look['1']}"})
        entry = fleet.outcome(fleet.deploy({NAME: "1.0.0"}))
        reason = failed(entry, "USER_NOT_AUTHORIZED_FOR_DOCKER")
        assert "the user nobody" in reason and "RequiresPrivilege" in reason, reason
        assert entry["statusDetails"]["errorTypes"] == ["PERMISSION_ERROR"], entry
        assert NAME not in agent.components()
        component(fleet, "1.0.1", look["1"])
        fleet.deploy_and_wait({NAME: "1.0.1"})
        says(agent, "this is look 1")


def test_podman_that_calls_itself_docker_does_as_well(server, fleet, tmp_path, podman, look):
    # As the package podman-docker has it.
    wrapper = tmp_path / "bin" / "docker"
    wrapper.parent.mkdir()
    wrapper.write_text('#!/bin/sh\necho "Emulate Docker CLI using podman." >&2\n'
                       'exec /usr/bin/podman "$@"\n')
    wrapper.chmod(0o755)
    path = f"{wrapper.parent}:{os.environ['PATH']}"
    with agent_of(server, tmp_path / "device", podman, engine="docker", PATH=path) as agent:
        component(fleet, "1.0.0", look["1"], lifecycle_of(look["1"], engine=str(wrapper)))
        fleet.deploy_and_wait({NAME: "1.0.0"})
        says(agent, "this is look 1")
        assert podman.has(look["1"])


def test_an_image_comes_from_the_server_as_a_file(fleet, agent, podman, builder, look, tmp_path):
    """Where no device reaches a registry; docs/recipes.md has this recipe."""
    archive = tmp_path / "look-3.tar"
    builder("save", "--output", archive, "localhost/look:3")
    uri = fleet.put_artifact("look-3.tar", archive.read_bytes())
    fleet.component(NAME, "1.0.0", {
        "install": {"Script": "podman load -i {artifacts:path}/look-3.tar", "RequiresPrivilege": True},
        **lifecycle_of("localhost/look:3", more=["--pull=never"]),
        "uninstall": {"Script": "podman image rm localhost/look:3", "RequiresPrivilege": True}},
        artifacts=[uri])
    fleet.deploy_and_wait({NAME: "1.0.0"})
    says(agent, "this is look 3")
    assert podman.images() == ["localhost/look:3"]
    fleet.deploy_and_wait({})
    wait_until(lambda: podman.images() == [], "the image's end")
