# SPDX-License-Identifier: Apache-2.0
"""`andon asl` as scripts use it: exit codes, JSON on stdout, mock answers, the clock that jumps."""
import json
import subprocess
import time
import xml.etree.ElementTree

import pytest

from harness import program

MACHINE = {
    "StartAt": "Deploy",
    "States": {
        "Deploy": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:greengrassv2:createDeployment",
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 3600}],
            "Catch": [{"ErrorEquals": ["Denied"], "ResultPath": "$.error", "Next": "Refused"}],
            "ResultPath": "$.deployment",
            "Next": "Settle"},
        "Settle": {"Type": "Wait", "Seconds": 86400, "Next": "Done"},
        "Done": {"Type": "Succeed"},
        "Refused": {"Type": "Fail", "Error": "Refused", "CausePath": "$.error.Cause"}}}


def andon(*arguments):
    return subprocess.run([program("andon"), "asl", *map(str, arguments)], capture_output=True,
                          text=True, timeout=60)


@pytest.fixture
def machine(tmp_path):
    return written(tmp_path / "machine.json", MACHINE)


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


# --- validate ----------------------------------------------------------------------------------

def test_a_valid_machine_is_ok(machine):
    answer = andon("validate", machine, "--json")
    assert answer.returncode == 0
    assert json.loads(answer.stdout) == {"result": "OK", "diagnostics": [], "truncated": False}


def test_every_problem_is_reported_at_once(tmp_path):
    broken = json.loads(json.dumps(MACHINE))
    broken["States"]["Deploy"]["Next"] = "Nowhere"
    broken["States"]["Settle"]["Seconds"] = -1
    broken["States"]["Done"]["Zap"] = True
    answer = andon("validate", written(tmp_path / "m.json", broken), "--json")
    assert answer.returncode == 1
    found = json.loads(answer.stdout)
    assert found["result"] == "FAIL"
    assert {"severity": "ERROR", "code": "MISSING_TRANSITION_TARGET",
            "message": "Missing 'Next' target: Nowhere",
            "location": "/States/Deploy/Next"} in found["diagnostics"]
    places = {problem.get("location") for problem in found["diagnostics"]}
    assert {"/States/Settle/Seconds", "/States/Done"} <= places
    text = andon("validate", tmp_path / "m.json")
    assert text.returncode == 1 and "Missing 'Next' target: Nowhere" in text.stdout


def test_a_warning_does_not_fail_the_machine(tmp_path):
    machine = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"a": "$.b"},
                                                "End": True}}}
    answer = andon("validate", written(tmp_path / "m.json", machine), "--json")
    found = json.loads(answer.stdout)
    assert (answer.returncode, found["result"]) == (0, "OK")
    assert [problem["severity"] for problem in found["diagnostics"]] == ["WARNING"]


@pytest.mark.parametrize("content", ["", "not JSON", "[]", "{"])
def test_what_is_no_machine_is_a_diagnostic(tmp_path, content):
    answer = andon("validate", written(tmp_path / "m.json", content), "--json")
    assert answer.returncode == 1
    assert json.loads(answer.stdout)["result"] == "FAIL"


@pytest.mark.parametrize("command", ["validate", "run", "graph"])
def test_a_missing_file_is_named(tmp_path, command):
    answer = andon(command, tmp_path / "nothing.json")
    assert answer.returncode not in (0, 1)
    assert "nothing.json" in answer.stderr and answer.stdout == ""


# --- run ---------------------------------------------------------------------------------------

def test_a_run_answers_tasks_by_attempt_and_jumps_over_time(machine, tmp_path):
    mock = written(tmp_path / "mock.json",
                   {"Deploy": [{"error": "Busy"}, {"result": {"deploymentId": "d"}}]})
    begin = time.monotonic()
    answer = andon("run", machine, "--input", '{"thing": "line-1"}', "--mock", mock,
                   "--fast-clock", "--json")
    assert answer.returncode == 0 and time.monotonic() - begin < 30
    run = json.loads(answer.stdout)
    assert run["status"] == "SUCCEEDED" and "error" not in run
    assert json.loads(run["output"]) == {"thing": "line-1", "deployment": {"deploymentId": "d"}}
    history = run["history"]
    assert [event["id"] for event in history] == list(range(1, len(history) + 1))
    assert history[0]["type"] == "ExecutionStarted" and history[0]["previousEventId"] == 0
    assert history[0]["executionStartedEventDetails"]["input"] == '{"thing":"line-1"}'
    assert history[1]["stateEnteredEventDetails"]["name"] == "Deploy"
    assert history[-1]["type"] == "ExecutionSucceeded"
    # An hour between the attempts, a day of waiting.
    assert history[-1]["timestamp"] - history[0]["timestamp"] == pytest.approx(3600 + 86400, abs=1)


def test_a_failed_machine_is_a_result_and_not_an_error_of_the_command(machine, tmp_path):
    mock = written(tmp_path / "mock.json", {"Deploy": {"error": "Denied", "cause": "no role"}})
    answer = andon("run", machine, "--mock", mock, "--fast-clock", "--json")
    assert answer.returncode == 0
    run = json.loads(answer.stdout)
    assert (run["status"], run["error"], run["cause"]) == ("FAILED", "Refused", "no role")
    assert "output" not in run and run["history"][-1]["type"] == "ExecutionFailed"


def test_a_failed_machine_fails_the_command_where_a_person_reads(machine, tmp_path):
    mock = written(tmp_path / "mock.json", {"Deploy": {"error": "Denied", "cause": "no role"}})
    answer = andon("run", machine, "--mock", mock, "--fast-clock")
    assert answer.returncode == 1
    assert "FAILED" in answer.stdout and "cause: no role" in answer.stdout


def test_a_test_case_of_step_functions_local_answers_tasks(machine, tmp_path):
    mock = written(tmp_path / "MockConfigFile.json", {
        "StateMachines": {"Roll": {"TestCases": {"Busy": {"Deploy": "BusyAtFirst"},
                                                 "Denied": {"Deploy": "Denied"}}}},
        "MockedResponses": {
            "BusyAtFirst": {"0-1": {"Throw": {"Error": "Busy", "Cause": "later"}},
                            "2": {"Return": {"deploymentId": "d"}}},
            "Denied": {"0": {"Throw": {"Error": "Denied", "Cause": "no role"}}}}})
    busy = andon("run", machine, "--mock", mock, "--test-case", "Busy", "--fast-clock", "--json")
    run = json.loads(busy.stdout)
    assert (busy.returncode, run["status"]) == (0, "SUCCEEDED")
    assert json.loads(run["output"])["deployment"] == {"deploymentId": "d"}
    assert [event["type"] for event in run["history"]].count("TaskFailed") == 2
    denied = andon("run", machine, "--mock", mock, "--test-case", "Roll/Denied", "--fast-clock")
    assert denied.returncode == 1 and "no role" in denied.stdout
    unsaid = andon("run", machine, "--mock", mock, "--fast-clock")
    assert unsaid.returncode == 3 and "Roll/Busy, Roll/Denied" in unsaid.stderr
    unknown = andon("run", machine, "--mock", mock, "--test-case", "Sad", "--fast-clock")
    assert unknown.returncode == 6 and "no test case 'Sad'" in unknown.stderr


def test_a_machine_may_time_out(tmp_path):
    machine = {"TimeoutSeconds": 5, "StartAt": "W",
               "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
    answer = andon("run", written(tmp_path / "m.json", machine), "--fast-clock", "--json")
    assert (answer.returncode, json.loads(answer.stdout)["status"]) == (0, "TIMED_OUT")


def test_without_the_fast_clock_a_wait_is_a_wait(tmp_path):
    machine = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}
    begin = time.monotonic()
    answer = andon("run", written(tmp_path / "m.json", machine))
    assert answer.returncode == 0 and time.monotonic() - begin >= 1
    assert "SUCCEEDED" in answer.stdout and "WaitStateExited" in answer.stderr


@pytest.mark.parametrize("mock", [None, {}, {"Other": {"result": 1}},
                                  {"Deploy": [{"error": "Busy"}]}])
def test_a_missing_mock_answer_is_named(machine, tmp_path, mock):
    arguments = ["run", machine, "--fast-clock", "--json"]
    if mock is not None:
        arguments += ["--mock", written(tmp_path / "mock.json", mock)]
    answer = andon(*arguments)
    assert answer.returncode not in (0, 1) and answer.stdout == ""
    attempt = 1 if mock and "Deploy" in mock else 0
    assert f"no answer for state 'Deploy', attempt {attempt}" in answer.stderr


@pytest.mark.parametrize("arguments, words", [
    (["--input", "{"], "the input"),
    (["--mock", "{folder}/none.json"], "none.json"),
    (["--mock", "{folder}/bad.json"], "mock"),
    (["--input", json.dumps("x" * 90_000)] * 1 + ["--mock", "{folder}/odd.json"], "Deploy"),
])
def test_bad_input_is_a_clear_error(machine, tmp_path, arguments, words):
    written(tmp_path / "bad.json", "not JSON")
    written(tmp_path / "odd.json", {"Deploy": {"neither": 1}})
    answer = andon("run", machine, *[text.replace("{folder}", str(tmp_path)) for text in arguments])
    assert answer.returncode not in (0, 1) and answer.stdout == ""
    assert words in answer.stderr


def test_an_invalid_machine_is_not_run(tmp_path):
    answer = andon("run", written(tmp_path / "m.json", {"StartAt": "A"}), "--json")
    assert answer.returncode not in (0, 1) and answer.stdout == ""
    assert "These fields are required: [States]" in answer.stderr


def test_a_machine_that_never_ends_is_ended(tmp_path):
    machine = {"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Choice", "Default": "A",
              "Choices": [{"Variable": "$.stop", "IsPresent": True, "Next": "S"}]},
        "S": {"Type": "Succeed"}}}
    answer = andon("run", written(tmp_path / "m.json", machine), "--fast-clock", "--json")
    run = json.loads(answer.stdout)
    assert (run["status"], run["error"]) == ("FAILED", "States.Runtime")
    assert run["cause"] == "The execution reached the maximum number of history events (25000)."


# --- graph -------------------------------------------------------------------------------------

def test_a_graph_is_an_svg_with_every_state(machine, tmp_path):
    answer = andon("graph", machine)
    assert answer.returncode == 0
    words = "".join(xml.etree.ElementTree.fromstring(answer.stdout).itertext())
    assert all(name in words for name in MACHINE["States"])
    written_to = tmp_path / "machine.svg"
    assert andon("graph", machine, "--output", written_to).returncode == 0
    assert written_to.read_text(encoding="utf-8") == answer.stdout
