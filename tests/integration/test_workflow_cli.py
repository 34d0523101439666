# SPDX-License-Identifier: Apache-2.0
"""`andon workflow ...` against a real server."""
import json
import subprocess

import pytest

from harness import PATIENCE_S, next_line, program, wait_until

FAILING = {"StartAt": "A", "States": {
    "A": {"Type": "Pass", "Next": "B"},
    "B": {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"}}}
GOOD = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
WAITING = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}


@pytest.fixture
def andon(shared_server, tmp_path):
    def run(*words, stdin=""):
        return subprocess.run(
            [program("andon"), "workflow", words[0], "--data", str(shared_server.data), *words[1:]],
            input=stdin, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def make(name, definition):
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(definition))
        made = run("create", name, str(file))
        assert made.returncode == 0, made.stderr
        return file
    run.make = make
    return run


def test_a_machine_is_made_started_and_shown(andon):
    andon.make("good", GOOD)
    ended = andon("start", "good", "--input", "-", "--wait", "--name", "one", "--json",
                  stdin='{"a": 1}')
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["output"] == '{"a":1}'
    shown = andon("show", "good:one")
    assert "status   SUCCEEDED" in shown.stdout
    assert "good" in andon("list").stdout and "one" in andon("list", "good").stdout
    assert [line.split()[2] for line in andon("history", "good:one").stdout.splitlines()] == [
        "ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]


def test_a_failure_has_an_exit_code_and_is_red_in_the_graph(andon, tmp_path):
    andon.make("failing", FAILING)
    ended = andon("start", "failing", "--name", "one", "--wait")
    assert ended.returncode == 1 and "error    Broken" in ended.stdout
    followed = andon("logs", "-f", "failing:one")
    assert followed.returncode == 1 and "ExecutionFailed  Broken  on purpose" in followed.stdout
    drawn = andon("graph", "--execution", "failing:one", "--output", str(tmp_path / "g.svg"))
    assert drawn.returncode == 0, drawn.stderr
    svg = (tmp_path / "g.svg").read_text()
    assert 'class="state Pass succeeded"' in svg and 'class="state Fail failed"' in svg


def test_an_execution_is_stopped(andon):
    file = andon.make("waiting", WAITING)
    andon("start", "waiting", "--name", "one")
    assert 'class="state Wait running"' in andon("graph", "--execution", "waiting:one").stdout
    assert andon("stop", "waiting:one", "--error", "Halt").returncode == 0
    assert "ABORTED" in andon("list", "waiting", "--status", "ABORTED").stdout
    file.write_text(json.dumps(GOOD))
    assert andon("update", "waiting", str(file)).returncode == 0
    assert andon("start", "waiting", "--wait").returncode == 0
    unknown = andon("show", "waiting:two")
    assert unknown.returncode != 0 and "Execution Does Not Exist" in unknown.stderr


def test_what_a_machine_logs_is_shown_and_followed(andon, shared_server):
    file = andon.make("logged", FAILING)
    refused = andon("logs", "logged")
    assert refused.returncode == 9 and "--log-level ALL" in refused.stderr
    assert andon("update", "logged", "--log-level", "ERROR").returncode == 0
    andon("start", "logged", "--name", "one", "--wait")
    shown = wait_until(lambda: (s := andon("logs", "logged")).stdout.count("\n") == 2 and s,
                       "the lines")
    assert [line.split()[0] for line in shown.stdout.splitlines()] == ["one", "one"]
    assert "ExecutionFailed  Broken  on purpose" in shown.stdout
    with subprocess.Popen([program("andon"), "workflow", "logs", "-f", "--json", "--data",
                           str(shared_server.data), "logged"], stdout=subprocess.PIPE,
                          text=True) as following:
        try:
            assert json.loads(next_line(following))["type"] == "FailStateEntered"
            assert json.loads(next_line(following))["type"] == "ExecutionFailed"
            andon("start", "logged", "--name", "two", "--wait")
            assert json.loads(next_line(following))["execution_arn"].endswith(":two")
        finally:
            following.kill()
    assert andon("create", "own", str(file), "--log-level", "ALL", "--log-group", "/plant/own",
                 "--log-data").returncode == 0
    andon("start", "own", "--name", "one", "--wait")
    wait_until(lambda: andon("logs", "own").stdout.count("\n") == 5, "all lines")
    assert andon("update", "own", "--log-level", "OFF").returncode == 0
    assert andon("logs", "own").returncode == 9
