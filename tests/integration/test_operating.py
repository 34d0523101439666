# SPDX-License-Identifier: Apache-2.0
"""A plant from one command line: `andon` against a real server with a real device."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from agent import Agent
from harness import ROOT, Server, program, wait_until

MODEL = ROOT / "examples" / "metal-tags" / "model" / "model.onnx"
IMAGES = sorted((ROOT / "examples" / "metal-tags" / "images").glob("*.jpg"))


class Operator:
    """`andon` in a home of its own."""

    def __init__(self, home, server=None):
        self.home, self.server = home, server
        home.mkdir(exist_ok=True)

    def run(self, *words, given=None, code=0):
        where = ["--data", self.server.data] if self.server else []
        ended = subprocess.run(
            [program("andon"), *map(str, words), *map(str, where)], capture_output=True, text=True,
            timeout=120, check=False, input=given, cwd=self.home,
            env={**os.environ, "HOME": str(self.home), "XDG_CONFIG_HOME": ""})
        assert ended.returncode == code, (words, ended)
        return ended

    def json(self, *words, code=0):
        return json.loads(self.run(*words, "--json", code=code).stdout)

    def table(self, *words):
        return [line.split() for line in self.run(*words).stdout.splitlines()]


@pytest.fixture(name="operator")
def an_operator(server, tmp_path):
    return Operator(tmp_path / "home", server)


def test_from_a_model_to_results_in_three_commands_without_json(operator, server, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    # A device that has the agent alone: ONNX Runtime comes as a component.
    with Agent(server, tmp_path / "line-1", "line-1", options=()):
        assert operator.run("model", "register", MODEL, "--name", "scratches",
                            "--approve").stdout == "scratches@1\n"
        operator.run("component", "create", "scratches.Inspect", "--inspects", "scratches.Model")
        told = operator.run("deploy", "line-1", "--model", "scratches", "--images", images, "--wait")
        assert "COMPLETED" in told.stdout and "SUCCEEDED" in told.stderr
        for image in IMAGES[:3]:
            shutil.copy(image, images)
        wait_until(lambda: len(operator.json("result", "list")["results"]) == 3, "three results")
        shown = operator.json("device", "show", "line-1")
        assert {one["componentName"]: one["lifecycleState"]
                for one in shown["installedComponents"]} == {
                    "scratches.Model": "FINISHED", "scratches.Inspect": "RUNNING"}
        assert ["line-1", "HEALTHY"] in [row[:2] for row in operator.table("device", "list")]


def test_a_new_program_moves_no_byte_of_the_runtime(operator, server, tmp_path):
    with Agent(server, tmp_path / "line-1", "line-1", options=()) as agent:
        operator.run("model", "register", MODEL, "--name", "scratches", "--approve")
        operator.run("component", "create", "scratches.Inspect", "--inspects", "scratches.Model")
        operator.run("deploy", "line-1", "--model", "scratches", "--wait")
        first = agent.status()["lastDeployment"]["bytesFetched"]
        newer = tmp_path / "andon-inspect"
        newer.write_bytes(Path(program("andon-inspect")).read_bytes() + b"newer")
        operator.run("component", "create", "scratches.Inspect", "--inspects", "scratches.Model",
                     "--version", "1.0.1", "--program", newer)
        operator.run("deploy", "line-1", "--component", "scratches.Inspect", "--wait")
        assert agent.status()["lastDeployment"]["bytesFetched"] <= newer.stat().st_size
        folder = os.environ.get("ONNXRUNTIME_ROOT", ROOT / "build" / "onnxruntime")
        library = Path(folder) / "libonnxruntime.so.1"
        assert first > library.stat().st_size


def test_execution_providers_that_lie_beside_the_runtime_are_shipped_with_it(operator, server, tmp_path):
    folder = tmp_path / "onnxruntime"
    folder.mkdir()
    library = Path(os.environ.get("ONNXRUNTIME_ROOT", ROOT / "build" / "onnxruntime")) / "libonnxruntime.so.1"
    (folder / "libonnxruntime.so.1").symlink_to(shutil.copy(library, folder / "libonnxruntime.so.1.2.3"))
    elf = library.read_bytes()[:64]
    (folder / "libonnxruntime_providers_shared.so").write_bytes(elf + b"for this machine")
    other = bytearray(elf)
    other[18] = 183  # e_machine: aarch64
    (folder / "libonnxruntime_providers_cuda.so").write_bytes(other)
    with Agent(server, tmp_path / "line-1", "line-1", options=()) as agent:
        operator.run("component", "create", "--runtime", "--library", folder, "--version", "1.22.0")
        operator.run("deploy", "line-1", "--component", "andon.OnnxRuntime", "--wait")
        placed = agent.root / "packages/artifacts/andon.OnnxRuntime/1.22.0"
        assert {path.name for path in placed.iterdir()} - {"LICENSE", "ThirdPartyNotices.txt"} == {
            "libonnxruntime.so.1", "libonnxruntime_providers_shared.so"}


def test_the_modules_that_lie_beside_the_program_are_shipped_with_it(operator, tmp_path):
    folder = tmp_path / "bin"
    (tmp_path / "lib" / "andon").mkdir(parents=True)
    folder.mkdir()
    shutil.copy(program("andon-inspect"), folder)
    elf = Path(program("andon-inspect")).read_bytes()[:64]
    for name in ("bin/andon-inspect-gpio.so", "lib/andon/andon-inspect-gpio.so",
                 "lib/andon/andon-inspect-modbus.so", "bin/libother.so"):
        (tmp_path / name).write_bytes(elf + name.encode())
    other = {62: 183, 183: 62}[int.from_bytes(elf[18:20], "little")]
    (folder / "andon-inspect-gstreamer.so").write_bytes(elf[:18] + other.to_bytes(2, "little") + elf[20:])
    operator.run("model", "register", MODEL, "--name", "scratches", "--approve")

    def shipped(version, *more):
        operator.run("component", "create", "scratches.Inspect", "--inspects", "scratches.Model", "--version",
                     version, "--program", folder / "andon-inspect", "--without-runtime", *more)
        recipe = json.loads(operator.run("component", "show", f"scratches.Inspect@{version}", "--json").stdout)
        return sorted(re.findall(r"s3://[^\s\"]+/([^\s\"/]+)", recipe["recipe"]))
    assert shipped("1.0.0") == ["andon-inspect", "andon-inspect-gpio.so", "andon-inspect-modbus.so"]
    assert shipped("1.0.1", "--without-modules") == ["andon-inspect"]


def test_the_runtime_is_made_for_each_architecture_once(operator, tmp_path):
    def library(machine, folder):
        path = tmp_path / folder / "libonnxruntime.so.1"
        path.parent.mkdir()
        path.write_bytes(b"\x7fELF\x02\x01" + bytes(10) + b"\x03\x00" +
                         machine.to_bytes(2, "little") + bytes(44))
        return path

    arm, amd, text = library(183, "arm"), library(62, "amd"), tmp_path / "text"
    text.write_text("no library\n")
    create = ("component", "create", "--runtime", "--version", "1.99.0")
    assert "no library of Linux" in operator.run(*create, "--library", text, code=3).stderr
    assert "second library for aarch64" in operator.run(
        *create, "--library", arm, "--library", arm.parent, code=3).stderr
    assert "give --version" in operator.run("component", "create", "--runtime", "--library", arm,
                                            code=2).stderr
    assert operator.run(*create, "--library", arm, "--library",
                        amd.parent).stdout == "andon.OnnxRuntime@1.99.0\n"
    recipe = operator.json("component", "show", "andon.OnnxRuntime")["recipe"]
    assert "aarch64/libonnxruntime.so.1" in recipe and "amd64/libonnxruntime.so.1" in recipe


def test_of_one_release_a_device_takes_the_first_variant_that_fits_it(operator, server, tmp_path):
    """Too large, for other processors, for what this one can do, for any."""
    flags = set(Path("/proc/cpuinfo").read_text().split())
    features = {"avx512_vnni": "avx512_vnni", "avx2": "avx2", "neon": "asimd", "i8mm": "i8mm"}
    has = [name for name, flag in features.items() if flag in flags][:1]
    lacks = next(name for name, flag in features.items() if flag not in flags)
    bytes_of = {"huge": 5, "other": 50, "unable": 500, "int8": 5000, "fp32": 50000}
    for name, count in bytes_of.items():
        (tmp_path / f"{name}.onnx").write_bytes(name[0].encode() * count)

    def create(version, *variants):
        recipe = tmp_path / "recipe.json"
        recipe.write_text(json.dumps({
            "RecipeFormatVersion": "2020-01-25", "ComponentName": "com.ex.Model",
            "ComponentVersion": version,
            "Manifests": [{"Platform": {"os": "linux", **wanted},
                           "Lifecycle": {"run": "cat {artifacts:path}/*.onnx; exec sleep 3600"},
                           "Artifacts": [{"Uri": f"{name}.onnx"}]} for name, wanted in variants]}))
        operator.run("component", "create", "--recipe", recipe)

    unfit = (("huge", {"memory": ">=99999999"}), ("other", {"architecture": "riscv64"}),
             ("unable", {lacks: "true"}))
    fp32 = ("fp32", {"memory": ">=1"})
    create("1.0.0", *unfit, *(("int8", {name: "true"}) for name in has), fp32)
    create("2.0.0", *unfit, fp32)
    create("3.0.0", *unfit)
    with Agent(server, tmp_path / "line-1", "line-1") as agent:
        for version, variant in (("1.0.0", "int8" if has else "fp32"), ("2.0.0", "fp32")):
            operator.run("deploy", "line-1", "--component", f"com.ex.Model@{version}", "--wait")
            there = list((agent.root / "packages").rglob(f"com.ex.Model/{version}/**/*.onnx"))
            assert [file.stat().st_size for file in there] == [bytes_of[variant]]
        ended = operator.run("deploy", "line-1", "--component", "com.ex.Model@3.0.0", "--wait", code=9)
        assert "com.ex.Model" in ended.stderr and "platform" in ended.stderr.lower(), ended
        agent.wait_for("com.ex.Model", "2.0.0")


def test_the_inference_program_needs_no_library_of_pictures_on_the_device():
    needed = subprocess.run(["objdump", "-p", program("andon-inspect")], capture_output=True,
                            text=True, check=True, timeout=60).stdout
    assert "NEEDED" in needed and "jpeg" not in needed and "libpng" not in needed


def test_an_older_version_is_back_in_one_command_and_the_rest_stays(operator, server, tmp_path):
    def recipe(name, version):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({
            "RecipeFormatVersion": "2020-01-25", "ComponentName": name, "ComponentVersion": version,
            "Manifests": [{"Lifecycle": {"run": "exec sleep 3600"}}]}))
        return path

    def running():
        return {one["componentName"]: one["componentVersion"] for one in
                operator.json("device", "show", "line-1")["installedComponents"]}

    with Agent(server, tmp_path / "line-1", "line-1"):
        operator.run("group", "create", "hall-1")
        operator.run("group", "add", "hall-1", "line-1")
        for name, version in (("com.ex.A", "1.0.0"), ("com.ex.B", "1.0.0"), ("com.ex.A", "1.1.0")):
            assert operator.run("component", "create", "--recipe",
                                recipe(name, version)).stdout == f"{name}@{version}\n"
        operator.run("deploy", "hall-1", "--component", "com.ex.A@1.0.0", "--component", "com.ex.B",
                     "--set", "com.ex.B:line.number=4", "--wait")
        operator.run("deploy", "hall-1", "--component", "com.ex.A", "--wait")
        assert running() == {"com.ex.A": "1.1.0", "com.ex.B": "1.0.0"}
        operator.run("deployment", "rollback", "hall-1", "--wait")
        assert running() == {"com.ex.A": "1.0.0", "com.ex.B": "1.0.0"}
        planned = operator.json("deploy", "hall-1", "--remove", "com.ex.A", "--dry-run")
        assert list(planned["components"]) == ["com.ex.B"]
        assert json.loads(planned["components"]["com.ex.B"]["configurationUpdate"]["merge"]) == {
            "line": {"number": 4}}
        assert len(operator.json("deployment", "list", "--all")["deployments"]) == 3
        operator.run("deploy", "hall-1", "--only", "--component", "com.ex.B", "--wait")
        assert running() == {"com.ex.B": "1.0.0"}


def test_a_deployment_that_fails_says_where_and_why(operator, server, tmp_path):
    (tmp_path / "prog.sh").write_text("#!/bin/sh\nexit 3\n")
    recipe = tmp_path / "bad.yaml"
    recipe.write_text("""
RecipeFormatVersion: '2020-01-25'
ComponentName: com.ex.Bad
ComponentVersion: 1.0.0
Manifests:
  - Lifecycle:
      install: exec {artifacts:path}/prog.sh
    Artifacts:
      - Uri: prog.sh
        Permission: {Execute: ALL, Read: ALL}
""")
    with Agent(server, tmp_path / "line-1", "line-1"):
        operator.run("component", "create", "--recipe", recipe)
        ended = operator.run("deploy", "line-1", "--component", "com.ex.Bad", "--wait", "--json",
                             code=9)
        told = json.loads(ended.stdout)
        assert told["deploymentStatus"] == "FAILED"
        assert "step install ended with exit code 3" in told["devices"]["line-1"]["reason"]
        assert "line-1" in ended.stderr and "exit code 3" in ended.stderr
        shown = operator.run("deployment", "show", told["deploymentId"]).stdout
        assert "FAILED" in shown and "exit code 3" in shown


def test_one_that_does_not_answer_is_named_in_time(operator):
    operator.run("device", "add", "line-9", "--only-token")
    operator.run("model", "register", MODEL, "--name", "tags", "--approve")
    ended = operator.run("deploy", "line-9", "--model", "tags", "--wait", "--timeout", "1", code=12)
    assert "not yet done on: line-9" in ended.stderr
    [deployment] = operator.json("deployment", "list")["deployments"]
    operator.run("deployment", "cancel", deployment["deploymentId"])
    [deployment] = operator.json("deployment", "list")["deployments"]
    assert deployment["deploymentStatus"] == "CANCELED"


@pytest.mark.parametrize("words, code, said", [
    (["deploy", "nowhere", "--component", "A"], 6, "neither a group nor a device 'nowhere'"),
    (["deploy", "line-1", "--component", "nope"], 6, "no component 'nope'"),
    (["deploy", "line-1", "--model", "nope"], 6, "nope"),
    (["deploy", "line-1", "--model", "tags@0"], 2, "'tags@0' names no model"),
    (["deploy", "line-1", "--model", "tags@x"], 6, "tags has no alias x"),
    (["deploy", "line-1", "--remove", "nope"], 6, "not deployed to this target"),
    (["deploy", "line-1", "--set", "nonsense"], 2, "COMPONENT:KEY=VALUE is expected"),
    (["deployment", "rollback", "line-1"], 9, "no deployment before the newest"),
    (["device", "remove", "line-1"], 2, "give --yes"),
    (["device", "show", "line-2"], 6, "line-2"),
    (["component", "show", "nope"], 6, "nope"),
    (["component", "create"], 2, "give one of --recipe FILE"),
    (["component", "delete", "nope"], 2, "name the version"),
    (["model", "register", "nope.onnx", "--name", "x"], 6, "nope.onnx"),
    (["model", "approve", "nope"], 6, "nope"),
])
def test_what_cannot_be_done_is_refused_with_the_reason(operator, words, code, said):
    operator.run("device", "add", "line-1", "--only-token")
    assert said in operator.run(*words, code=code).stderr


def test_a_model_is_deployed_only_when_it_is_approved(operator):
    operator.run("device", "add", "line-1", "--only-token")
    operator.run("model", "register", MODEL, "--name", "tags")
    assert "not approved" in operator.run("deploy", "line-1", "--model", "tags", code=9).stderr
    operator.run("model", "reject", "tags@1", "--reason", "too many false alarms")
    assert "Rejected" in operator.run("deploy", "line-1", "--model", "tags", code=9).stderr
    assert "too many false alarms" in operator.run("model", "show", "tags@1").stdout
    operator.run("model", "approve", "tags")
    operator.run("deploy", "line-1", "--model", "tags")
    assert [row[:3] for row in operator.table("model", "list")][1] == ["tags", "1", "Approved"]


def test_an_alias_moves_and_is_what_is_deployed(operator):
    operator.run("device", "add", "line-1", "--only-token")
    operator.run("model", "register", MODEL, "--name", "tags", "--approve")
    operator.run("model", "register", MODEL, "--name", "tags")
    assert operator.run("model", "alias", "tags@1", "champion", "--reason",
                        "the first").stdout == "tags@champion is tags@1\n"
    assert "Approved" in operator.run("model", "show", "tags@champion").stdout
    operator.run("deploy", "line-1", "--model", "tags@champion")
    operator.run("model", "alias", "tags", "champion")
    assert "not approved" in operator.run("deploy", "line-1", "--model", "tags@champion",
                                          code=9).stderr
    assert [row[:2] for row in operator.table("model", "alias", "tags")][1] == ["champion", "2"]
    moves = operator.json("model", "alias", "tags", "champion", "--history")["moves"]
    assert [(one.get("fromVersion"), one["toVersion"], one.get("note")) for one in moves] == [
        (1, 2, None), (None, 1, "the first")]
    operator.run("model", "alias", "tags", "champion", "--remove")
    assert operator.json("model", "alias", "tags")["aliases"] == []
    assert "tags has no alias champion" in operator.run("model", "show", "tags@champion",
                                                        code=6).stderr


def test_a_device_that_is_removed_is_out(operator, server, tmp_path):
    with Agent(server, tmp_path / "line-1", "line-1") as agent:
        operator.run("group", "create", "hall-1")
        operator.run("group", "add", "hall-1", "line-1")
        wait_until(lambda: operator.json("device", "list")["devices"][0]["status"] == "HEALTHY",
                   "its first report")
        operator.run("device", "remove", "line-1", "--yes")
        assert operator.json("device", "list")["devices"] == []
        wait_until(lambda: not agent.status().get("connected"), "its connection's end")


def test_signing_in_works_from_any_machine_and_believes_nobody(tmp_path):
    with Server(tmp_path / "data", "--api-address", "0.0.0.0") as server:
        local, remote = Operator(tmp_path / "local", server), Operator(tmp_path / "remote")
        ca = local.json("status")["caFingerprint"]
        key = tmp_path / "key.json"
        key.write_text(json.dumps(local.json("user", "add", "eva", "--role", "viewer")))
        url = server.info["api"]
        assert "nobody" not in remote.run("device", "list", code=13).stderr
        wrong = ca[:-1] + ("0" if ca[-1] != "0" else "1")
        said = remote.run("login", url, "--name", "plant", "--ca-fingerprint", wrong, "--key-file",
                          key, code=11).stderr
        assert "another CA" in said and "nothing was sent" in said
        remote.run("login", url, "--name", "plant", "--key-file", key, code=13)  # not of the system's
        remote.run("login", url, "--name", "plant", "--ca-fingerprint", ca, "--key-id", "AKIANOBODY",
                   given="wrong\n", code=5)
        assert not (remote.home / ".config" / "andon" / "servers" / "plant.json").exists()
        assert "user/eva" in remote.run("login", url, "--name", "plant", "--ca-fingerprint", ca,
                                        "--key-file", key).stdout
        assert remote.json("status")["identity"].endswith("user/eva")
        assert remote.json("device", "list", "--server", "plant") == {"devices": []}
        assert "not authorized" in remote.run("group", "create", "x", code=5).stderr
        stored = remote.home / ".config" / "andon" / "servers" / "plant.json"
        assert stored.stat().st_mode & 0o077 == 0
        assert "there are: plant" in remote.run("status", "--server", "plnat", code=6).stderr
        assert f"AWS_ENDPOINT_URL='{url}'" in remote.run("env").stdout
        remote.run("logout")
        assert not stored.exists()
        remote.run("device", "list", code=13)
