# SPDX-License-Identifier: Apache-2.0
"""What recipes may hold beyond what most of them do: archives of each kind, keys that nobody knows."""
import io
import json
import os
import subprocess
import tarfile

import pytest
from agent import Agent, Fleet
from harness import program, wait_until

NAME = "com.example.Packed"


@pytest.fixture(scope="module")
def plant(shared_server, tmp_path_factory):
    with Agent(shared_server, tmp_path_factory.mktemp("plant") / "device") as agent:
        yield Fleet(shared_server), agent


def tar(mode, *entries):
    """`entries`: (name, content), or a TarInfo."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            archive.addfile(info, io.BytesIO(entry[1]))
    return content.getvalue()


def zstd(content):
    return subprocess.run(["zstd", "-q", "-c"], input=content, capture_output=True, check=True).stdout


APP = ("app/main.sh", b"echo from the archive > \"$1\"\nexec sleep 1000\n")


@pytest.mark.parametrize("version, kind, ending, pack", [
    ("1.0.0", "TAR", ".tar", lambda: tar("w", APP)),
    ("1.0.1", "TAR.GZ", ".tar.gz", lambda: tar("w:gz", APP)),
    ("1.0.2", "tar.gz", ".tgz", lambda: tar("w:gz", APP)),
    ("1.0.3", "TAR.ZST", ".tar.zst", lambda: zstd(tar("w", APP)))])
def test_a_tar_archive_is_unpacked_with_the_permissions_of_its_recipe(
        plant, version, kind, ending, pack):
    fleet, agent = plant
    fleet.component(
        NAME, version,
        {"run": "exec sh {artifacts:decompressedPath}/code/app/main.sh {work:path}/out"},
        artifacts=[{"URI": fleet.put_artifact(f"{version}/code{ending}", pack()), "Unarchive": kind,
                    "Permission": {"Read": "ALL", "Execute": "OWNER"}}])
    out = agent.root / "work" / NAME / "out"
    out.unlink(missing_ok=True)
    fleet.deploy_and_wait({NAME: version})
    wait_until(out.exists, "the component's output")
    unpacked = agent.root / "packages" / "artifacts-unarchived" / NAME / version / "code"
    assert (unpacked / "app" / "main.sh").stat().st_mode & 0o777 == 0o554
    assert not (unpacked / "app" / "main.sh").is_symlink()


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("version, entries, why", [
    ("2.0.0", [("../../../../escaped", b"x")], "outside of its directory"),
    ("2.0.1", [link("etc", "/etc"), ("etc/escaped", b"x")], "neither a file nor a directory"),
    ("2.0.2", [link("shadow", "/etc/shadow", tarfile.LNKTYPE)], "neither a file nor a directory"),
    ("2.0.3", [("zeros", bytes(300 << 20))], "holds more than")])
def test_a_hostile_archive_fails_its_deployment_by_name_and_changes_nothing(
        plant, version, entries, why):
    fleet, agent = plant
    fleet.component(NAME, version, {"run": "exec sleep 1000"},
                    artifacts=[{"URI": fleet.put_artifact(f"{version}/evil.tar.gz",
                                                          tar("w:gz", *entries)),
                                "Unarchive": "TAR.GZ"}])
    entry = fleet.outcome(fleet.deploy({NAME: version}))
    assert entry["coreDeviceExecutionStatus"] == "FAILED"
    assert why in entry["reason"] and "evil.tar.gz" in entry["reason"], entry
    assert "IO_UNZIP_ERROR" in entry["statusDetails"]["errorStack"], entry
    assert not list(agent.root.rglob("escaped"))
    assert not (agent.root / "packages" / "artifacts-unarchived" / NAME / version).exists()


RECIPE = {"RecipeFormatVersion": "2020-01-25", "ComponentName": "com.example.Odd",
          "ComponentVersion": "1.0.0",
          "Manifests": [{"Lifecycle": {"run": {"Script": "exec sleep 1000", "Retries": 3},
                                       "Restart": "always"}}]}
IGNORED = ("/Manifests/0/Lifecycle/run/Retries is ignored", "/Manifests/0/Lifecycle/Restart is ignored")


def test_a_lifecycle_key_that_nobody_knows_is_named_and_ignored_by_the_server(
        plant, shared_server, tmp_path):
    fleet, _ = plant
    (tmp_path / "recipe.json").write_text(json.dumps(RECIPE))
    made = subprocess.run(
        [program("andon"), "component", "create", "--recipe", str(tmp_path / "recipe.json"),
         "--data", str(shared_server.data)], capture_output=True, text=True, timeout=60, check=True)
    assert made.stdout == "com.example.Odd@1.0.0\n"
    for ignored in IGNORED:
        assert ignored in made.stderr, made.stderr
        assert ignored.split()[0] in shared_server.log()
    described = fleet.greengrass.describe_component(
        arn="arn:aws:greengrass:us-east-1:000000000000:components:com.example.Odd:versions:1.0.0")
    assert described["status"]["componentState"] == "DEPLOYABLE"
    assert IGNORED[0] in described["status"]["message"]
    fleet.deploy_and_wait({"com.example.Odd": "1.0.0"})


def test_a_lifecycle_key_that_nobody_knows_is_named_and_ignored_by_a_device(plant, tmp_path):
    _, agent = plant
    recipe = {**RECIPE, "ComponentName": "com.example.OddHere"}
    (tmp_path / "com.example.OddHere-1.0.0.json").write_text(json.dumps(recipe))
    subprocess.run([program("andon-edge"), "deploy", "--root", agent.root, "--recipes", tmp_path,
                    "--add", "com.example.OddHere=1.0.0"], timeout=120, check=True)
    agent.wait_for("com.example.OddHere", "1.0.0")
    log = agent.log.read_text()
    for ignored in IGNORED:
        assert ignored.split()[0] in log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start components as another user")
def test_a_user_that_the_device_does_not_have_fails_a_deployment_before_anything_changes(plant):
    fleet, agent = plant
    fleet.component("com.example.Stranger", "1.0.0", {"run": "exec sleep 1000"})
    entry = fleet.outcome(fleet.deploy({"com.example.Stranger": "1.0.0"}, posix_user="no-such-user"))
    assert "no-such-user" in entry["reason"], entry
    details = entry["statusDetails"]
    assert "RUN_WITH_CONFIG_NOT_VALID" in details["errorStack"], entry
    assert "com.example.Stranger" not in agent.components()
