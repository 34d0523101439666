# SPDX-License-Identifier: Apache-2.0
"""What each program says of a command line, and `andon env`."""
import json
import os
import re
import shutil
import subprocess

import boto3
import pytest
from botocore.config import Config

from harness import ROOT, Server, program

PROGRAMS = ("andon", "andon-server", "andon-edge", "andon-inspect")
EXAMPLE = ROOT / "examples" / "metal-tags"


def run(name, *arguments, **kwargs):
    return subprocess.run([program(name), *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, check=False, **kwargs)


@pytest.mark.parametrize("arguments, expected", [
    (["andon", "frobnicate"], "andon has no command 'frobnicate'; there are: login, logout, status, env, device, "),
    (["andon", "dmeo", "--once"], "andon has no command 'dmeo'; did you mean 'demo'?"),
    (["andon", "bench"], "andon has no command 'bench'; did you mean 'andon model bench'?"),
    (["andon", "model", "optimise"], "andon model has no command 'optimise'; did you mean 'optimize'?"),
    (["andon", "demo", "--tiemout", "5"], "andon demo has no option '--tiemout'; did you mean '--timeout'?"),
    (["andon", "demo", "once"], "andon demo takes no argument 'once'; did you mean '--once'?"),
    (["andon", "device"], "andon device needs a command: add"),
    (["andon-server"], "andon-server needs a command: run, init, check, backup, restore"),
    (["andon-server", "rnu", "--data", "x"], "andon-server has no command 'rnu'; did you mean 'run'?"),
    (["andon-server", "run", "--api-prot", "1"], "andon-server run has no option '--api-prot'; did you mean '--api-port'?"),
    (["andon-edge", "statsu"], "andon-edge has no command 'statsu'; did you mean 'status'?"),
    (["andon-edge", "run", "--rot", "x"], "andon-edge run has no option '--rot'; did you mean '--root'?"),
    (["andon-inspect", "--sorce", "x"], "andon-inspect has no option '--sorce'; did you mean '--source'?"),
    (["andon-inspect", "frobnicate"], "andon-inspect takes no argument 'frobnicate'"),
    (["andon-inspect", "--mode", "latncy"], "--mode: 'latncy' is none of throughput, latency; did you mean 'latency'?"),
])
def test_what_is_mistyped_is_named_with_what_is_near(arguments, expected):
    ended = run(*arguments)
    assert ended.returncode == 2
    assert expected in ended.stderr
    assert f"See {arguments[0]}" in ended.stderr


def commands_of(name):
    """Each command of a program, found in its own help: [], ["model"], ["model", "bench"], ..."""
    found, waiting = [], [[]]
    while waiting:
        path = waiting.pop()
        shown = run(name, *path, "--help")
        assert shown.returncode == 0, shown.stderr
        found.append((path, shown.stdout))
        below = shown.stdout.split("Subcommands:")
        if len(below) == 2:
            waiting += [[*path, word] for word in re.findall(r"^  ([a-z-]+)", below[1], re.M)]
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_of_every_command_is_in_words(name):
    found = commands_of(name)
    assert name == "andon-inspect" or len(found) > 3
    for path, text in found:
        for riddle in ("ENUM", "->", " in [", "{", ":INT", "INT:", "UINT", "FLOAT"):
            # (Env:ANDON_KEEP_FLOAT) is a name
            assert riddle not in re.sub(r"\(Env:\w+\)", "", text), f"{name} {path}: {riddle}"


def test_env_lets_an_aws_client_reach_the_server(tmp_path):
    with Server(tmp_path / "it's data") as server:
        shown = run("andon", "env", "--data", server.data, "--json")
        environment = json.loads(shown.stdout)
        lines = run("andon", "env", "--data", server.data).stdout
        in_a_shell = subprocess.run(["sh", "-c", f"{lines}env"], capture_output=True, text=True,
                                    env={**os.environ, "AWS_SESSION_TOKEN": "old"}, check=True)
        exported = dict(line.split("=", 1) for line in in_a_shell.stdout.splitlines() if "=" in line)
        assert environment == {name: exported[name] for name in environment}
        assert "AWS_SESSION_TOKEN" not in exported
        bucket = "made-by-env"
        s3 = boto3.client("s3", endpoint_url=environment["AWS_ENDPOINT_URL"],
                          region_name=environment["AWS_REGION"],
                          aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                          aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
                          verify=environment["AWS_CA_BUNDLE"],
                          config=Config(proxies={}, s3={"addressing_style": "path"}))
        s3.create_bucket(Bucket=bucket)
        assert bucket in [b["Name"] for b in server.aws("s3").list_buckets()["Buckets"]]


def test_env_waits_for_a_server_that_is_about_to_start(tmp_path):
    data = tmp_path / "data"
    asking = subprocess.Popen([program("andon"), "env", "--data", str(data), "--wait", "60", "--json"],
                              stdout=subprocess.PIPE, text=True)
    try:
        with Server(data) as server:
            out, _ = asking.communicate(timeout=90)
            assert json.loads(out)["AWS_ENDPOINT_URL"] == server.info["api"]
    finally:
        asking.kill()
    assert asking.returncode == 0


def test_env_says_where_no_server_is(tmp_path):
    ended = run("andon", "env", "--data", tmp_path)
    assert ended.returncode == 13
    assert f"no andon-server runs on the data directory '{tmp_path}'" in ended.stderr
    assert ended.stdout == ""


def test_a_missing_runtime_is_told_with_the_remedy_first(tmp_path):
    """As on a device: the program alone in a folder, and nothing in the system."""
    alone = tmp_path / "andon-inspect"
    shutil.copy2(program("andon-inspect"), alone)
    environment = {name: value for name, value in os.environ.items() if name != "ONNXRUNTIME_ROOT"}
    ended = subprocess.run(
        [alone, "--model", EXAMPLE / "model" / "model.onnx", "--source", EXAMPLE / "images", "--out",
         tmp_path / "out", "--once"], env=environment, capture_output=True, text=True, timeout=60,
        check=False)
    assert ended.returncode == 9
    last = ended.stderr.rstrip().splitlines()[-1]  # which is what a device reports
    assert last.startswith("andon-inspect: ONNX Runtime is missing: put libonnxruntime.so.1"), last
    assert "ONNXRUNTIME_ROOT" in last and f"Looked in: {tmp_path}" in last


def test_time_that_is_up_is_told_with_its_option(tmp_path):
    """A server that never comes up."""
    programs = tmp_path / "bin"
    programs.mkdir()
    shutil.copy2(program("andon"), programs / "andon")
    for name in ("andon-server", "andon-edge", "andon-inspect"):
        (programs / name).write_text("#!/bin/sh\nexec sleep 600\n")
        (programs / name).chmod(0o755)
    ended = subprocess.run(
        [programs / "andon", "demo", "--once", "--example", EXAMPLE, "--out", tmp_path / "out",
         "--timeout", "1"], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 12
    assert "has not happened within 1 s (--timeout)" in ended.stderr
