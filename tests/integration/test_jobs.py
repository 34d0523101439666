# SPDX-License-Identifier: Apache-2.0
"""arn:andon:states:::job:run.sync against a real server: commands in their sandbox, what goes in and
comes out, how they end, and what becomes of them when the server does."""
import hashlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness import PATIENCE_S, Server, program, wait_until

ROLE = "arn:aws:iam::000000000000:role/andon-workflows"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("server") / "data", "--jobs", "3") as running:
        running.aws("s3").create_bucket(Bucket="files")
        yield running


def job(parameters, **more):
    return {"Type": "Task", "Resource": "arn:andon:states:::job:run.sync",
            "Parameters": parameters, "End": True, **more}


def shell(script, **more):
    return {"Command": ["sh", "-c", script], **more}


def start(server, state, name=None):
    states = server.aws("stepfunctions")
    name = name or f"m{time.monotonic_ns()}"
    machine = states.create_state_machine(
        name=name, roleArn=ROLE,
        definition=json.dumps({"StartAt": "Job", "States": {"Job": state}}))["stateMachineArn"]
    return states.start_execution(stateMachineArn=machine)["executionArn"]


def describe(server, arn):
    return server.aws("stepfunctions").describe_execution(executionArn=arn)


def wait_for_end(server, arn):
    return wait_until(lambda: (d := describe(server, arn))["status"] != "RUNNING" and d,
                      "the execution's end", 90)


def run(server, state):
    return wait_for_end(server, start(server, state))


def events(server, arn):
    return server.aws("stepfunctions").get_execution_history(
        executionArn=arn, maxResults=1000)["events"]


def job_id(server, arn):
    def submitted():
        found = [e["taskSubmittedEventDetails"]["output"] for e in events(server, arn)
                 if e["type"] == "TaskSubmitted"]
        return found and json.loads(found[-1])["JobId"]
    return wait_until(submitted, "the job's id")


def log(server, job, begin=0):
    return server.call("GET", f"/andon/v1/jobs/{job}/log?from={begin}")


def wait_for_log(server, arn, text):
    job = job_id(server, arn)
    wait_until(lambda: text in log_text(server, job), f"'{text}' in the log")
    return job


def log_text(server, job):
    status, answer = log(server, job)
    return answer["text"] if status == 200 else ""


def processes_in(directory):
    """Processes on this machine whose working directory is a job's."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            # As the kernel shows it from outside of the job's root.
            if os.stat(entry / "cwd").st_ino == os.stat(directory).st_ino:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def cause(told):
    return json.loads(told["cause"])


def test_inputs_go_in_and_outputs_and_a_result_come_out(server):
    s3 = server.aws("s3")
    s3.put_object(Bucket="files", Key="train.py", Body=b"""
import json, os
settings = json.load(open("conf/settings.json"))
open("model.onnx", "wb").write(b"weights" * settings["n"])
json.dump({"loss": 0.25, "state": os.environ["ANDON_STATE"], "epochs": os.environ["EPOCHS"]},
          open(os.environ["ANDON_RESULT_FILE"], "w"))
print("trained")
""")
    told = run(server, job({
        "Command": ["python3", "train.py"], "Environment": {"EPOCHS": "3"},
        "Inputs": {"train.py": {"Bucket": "files", "Key": "train.py"},
                   "conf/settings.json": {"Value": {"n": 3}}},
        "Outputs": {"model.onnx": {"Bucket": "files", "Key": "models/m.onnx"},
                    "small.onnx": {"Bucket": "files", "Key": "models/s.onnx", "Optional": True}}}))
    assert told["status"] == "SUCCEEDED", told
    output = json.loads(told["output"])
    assert output["Result"] == {"loss": 0.25, "state": "Job", "epochs": "3"}
    assert output["ExitCode"] == 0
    stored = output["Outputs"]["model.onnx"]
    assert stored["ContentLength"] == 21
    assert stored["Sha256"] == hashlib.sha256(b"weights" * 3).hexdigest()
    assert list(output["Outputs"]) == ["model.onnx"]  # the other one may be missing, and is
    got = s3.get_object(Bucket="files", Key="models/m.onnx")
    assert got["Body"].read() == b"weights" * 3 and got["ETag"] == stored["ETag"]
    assert log_text(server, output["JobId"]) == "trained\n"


def test_a_failure_tells_exit_code_and_the_end_of_the_log_and_is_retried(server):
    told = run(server, job(shell("echo no such thing >&2; exit 3"),
                           Retry=[{"ErrorEquals": ["Job.Failed"], "MaxAttempts": 1,
                                   "IntervalSeconds": 1}]))
    assert told["status"] == "FAILED" and told["error"] == "Job.Failed"
    assert cause(told)["ExitCode"] == 3 and cause(told)["LogTail"] == "no such thing\n"
    types = [e["type"] for e in events(server, told["executionArn"])]
    assert types.count("TaskSubmitted") == 2 and types.count("TaskFailed") == 2


@pytest.mark.parametrize("parameters, error, said", [
    ({"Command": ["no-such-program"]}, "Job.NotStarted", "no-such-program"),
    ({"Command": "ls"}, "Job.InvalidParameters", "Command"),
    (shell("true", Ports=[443]), "Job.InvalidParameters", "--job-port"),
    (shell("true", Inputs={"a": {"Bucket": "files", "Key": "none"}}), "Job.InvalidInput", "none"),
    (shell("true", Outputs={"a": {"Bucket": "files", "Key": "a"}}), "Job.InvalidOutput", "'a'"),
    (shell("echo x > a", Outputs={"a": {"Bucket": "nowhere", "Key": "a"}}), "Job.InvalidOutput",
     "nowhere"),
    (shell("echo '{' > $ANDON_RESULT_FILE"), "Job.InvalidOutput", "the job's result"),
    (shell("kill -SEGV $$"), "Job.Failed", "signal 11"),
    (shell("sleep 60", TimeoutSeconds=1), "Job.TimedOut", "1 s"),
    (shell("sleep 60", HeartbeatSeconds=1), "Job.HeartbeatMissed", "sign of life"),
    (shell("while true; do dd if=/dev/zero of=f$((i=i+1)) bs=1M count=4; done", DiskMiB=8),
     "Job.DiskExceeded", "8 MiB"),
])
def test_each_way_to_fail_has_its_name(server, parameters, error, said):
    told = run(server, job(parameters))
    assert told["status"] == "FAILED" and told["error"] == error, told
    assert said in told["cause"]


def test_output_is_a_heartbeat_of_its_state(server):
    told = run(server, job(shell("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1; echo $i; done"),
                           HeartbeatSeconds=10))
    assert told["status"] == "SUCCEEDED", told
    told = run(server, job(shell("sleep 60"), HeartbeatSeconds=2))
    assert told["error"] == "States.Timeout"


def test_stopping_the_execution_or_its_parent_stops_the_job(server):
    states = server.aws("stepfunctions")
    arn = start(server, job(shell("echo on; sleep 1000 & sleep 1000"), ), "stopped")
    id_ = wait_for_log(server, arn, "on")
    work = server.data / "jobs" / id_ / "work"
    assert len(processes_in(work)) == 3
    states.stop_execution(executionArn=arn)
    wait_until(lambda: not processes_in(work), "the end of its processes")
    # Nested: the parent is stopped.
    parent = start(server, {
        "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync", "End": True,
        "Parameters": {"StateMachineArn": arn.replace(":execution:", ":stateMachine:").rpartition(
            ":")[0], "Name": "child"}})
    child = arn.rpartition(":")[0] + ":child"
    wait_until(lambda: [e for e in events(server, parent) if e["type"] == "TaskSubmitted"],
               "the child")
    id_ = wait_for_log(server, child, "on")
    states.stop_execution(executionArn=parent)
    work = server.data / "jobs" / id_ / "work"
    wait_until(lambda: describe(server, child)["status"] == "ABORTED", "the child's end")
    wait_until(lambda: not processes_in(work), "the end of its processes")


def test_so_many_run_at_once_and_the_others_wait(server):
    gate = "while [ ! -e /tmp/none ]; do sleep 0.1; done"
    arns = [start(server, job(shell("echo on; " + gate))) for _ in range(5)]

    def running():
        return [a for a in arns if "on" in log_text(server, job_id(server, a))]
    wait_until(lambda: len(running()) == 3, "three at once")
    begun = running()
    server.aws("stepfunctions").stop_execution(executionArn=begun[0])
    wait_until(lambda: len(running()) == 4, "the next one's turn")
    for arn in arns:
        server.aws("stepfunctions").stop_execution(executionArn=arn)
    for arn in arns:
        work = server.data / "jobs" / job_id(server, arn) / "work"
        wait_until(lambda work=work: not work.exists() or not processes_in(work), "its end")


def test_its_log_is_followed_on_the_command_line(server):
    arn = start(server, job(shell("for i in 1 2 3; do echo line $i; sleep 0.3; done; "
                                  "printf 'no end \\033[2J'")))
    followed = subprocess.run(
        [program("andon"), "workflow", "logs", "-f", "--jobs", "--data", str(server.data), arn],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert followed.returncode == 0, followed.stderr
    lines = [line for line in followed.stdout.splitlines() if "Job | " in line]
    assert [line.partition("Job | ")[2] for line in lines[:3]] == ["line 1", "line 2", "line 3"]
    assert "no end" in lines[3] and "\x1b" not in followed.stdout
    assert "ExecutionSucceeded" in followed.stdout


def test_its_lines_are_in_the_log_group_in_a_stream_of_its_own(server):
    arn = start(server, job(shell("echo one; echo; printf 'two\\nthree'")), "lines")
    assert wait_for_end(server, arn)["status"] == "SUCCEEDED"
    other = start(server, job(shell("echo other; sleep 60")))
    logs = server.aws("logs")
    stream = f"lines/{arn.rpartition(':')[2]}/{job_id(server, arn)}"

    def found():
        events = logs.filter_log_events(
            logGroupName="/andon/jobs", logStreamNamePrefix=stream.rpartition("/")[0])["events"]
        return len(events) == 3 and events
    events_found = wait_until(found, "the lines")
    assert [e["message"] for e in events_found] == ["one", "two", "three"]
    assert {e["logStreamName"] for e in events_found} == {stream}
    # One that runs still is in the group already, and is counted.
    running = f"/{other.rpartition(':')[2]}/"
    wait_until(lambda: any(running in e["logStreamName"] for e in logs.filter_log_events(
        logGroupName="/andon/jobs", filterPattern="other")["events"]), "its line")
    page = server.get("/metrics")[1].decode().splitlines()
    assert "andon_jobs_running 1" in page and "andon_jobs_waiting 0" in page
    server.aws("stepfunctions").stop_execution(executionArn=other)


def test_the_log_of_an_unknown_job_is_not_found(server):
    for job_name in ["../operator", "x", "00000000-0000-0000-0000-000000000000", "..%2F.."]:
        assert log(server, job_name)[0] in (400, 404)


def test_the_newest_part_of_a_long_log_is_kept(server):
    told = run(server, job(shell("seq 1 3000000")))
    assert told["status"] == "SUCCEEDED", told
    id_ = json.loads(told["output"])["JobId"]
    status, first = log(server, id_)
    assert status == 200 and first["from"] > 0 and first["next"] > first["from"]
    kept = sum(f.stat().st_size for f in (server.data / "jobs" / id_).glob("log-*"))
    assert kept <= 10 << 20
    last = first
    while not last["ended"]:
        status, last = log(server, id_, last["next"])
    assert last["text"].endswith("3000000\n")


def test_a_job_outlives_a_crash_of_the_server_and_is_run_once(tmp_path):
    with Server(tmp_path / "data") as server:
        server.aws("s3").create_bucket(Bucket="files")
        arn = start(server, job(shell(
            "echo begun; while [ ! -e go ]; do sleep 0.05; done; echo done; echo x > out",
            Outputs={"out": {"Bucket": "files", "Key": "out"}})))
        id_ = wait_for_log(server, arn, "begun")
        work = server.data / "jobs" / id_ / "work"
        server.kill()
        assert processes_in(work)
        server.start()
        (work / "go").touch()
        told = wait_for_end(server, arn)
        assert told["status"] == "SUCCEEDED", told
        assert log_text(server, id_) == "begun\ndone\n"
        assert [e["type"] for e in events(server, arn)].count("TaskSubmitted") == 1
        assert server.aws("s3").get_object(Bucket="files", Key="out")["Body"].read() == b"x\n"


def test_a_job_that_ended_while_the_server_was_down_is_told_of(tmp_path):
    with Server(tmp_path / "data") as server:
        arn = start(server, job(shell("echo begun; while [ ! -e go ]; do sleep 0.05; done; exit 4")))
        id_ = wait_for_log(server, arn, "begun")
        server.kill()
        (server.data / "jobs" / id_ / "work" / "go").touch()
        wait_until(lambda: (server.data / "jobs" / id_ / "result.json").exists(), "its result")
        server.start()
        told = wait_for_end(server, arn)
        assert told["error"] == "Job.Failed" and cause(told)["ExitCode"] == 4


def test_a_job_that_is_lost_has_an_error_that_can_be_retried(tmp_path):
    with Server(tmp_path / "data") as server:
        arn = start(server, job(
            shell("echo begun; while [ ! -e go ]; do sleep 0.05; done; echo done"),
            Retry=[{"ErrorEquals": ["Job.Lost"], "MaxAttempts": 1, "IntervalSeconds": 1}]))
        id_ = wait_for_log(server, arn, "begun")
        keeper = json.loads((server.data / "jobs" / id_ / "keeper.json").read_text())["pid"]
        os.kill(keeper, signal.SIGKILL)
        work = server.data / "jobs" / id_ / "work"
        wait_until(lambda: not processes_in(work), "the end of its processes")
        wait_until(lambda: job_id(server, arn) != id_, "the retry")
        again = wait_for_log(server, arn, "begun")
        (server.data / "jobs" / again / "work" / "go").touch()
        assert wait_for_end(server, arn)["status"] == "SUCCEEDED"
        failed = [e for e in events(server, arn) if e["type"] == "TaskFailed"]
        assert [e["taskFailedEventDetails"]["error"] for e in failed] == ["Job.Lost"]


def test_jobs_end_when_the_server_is_stopped_and_are_lost(tmp_path):
    with Server(tmp_path / "data") as server:
        arn = start(server, job(shell("echo begun; sleep 1000")))
        id_ = wait_for_log(server, arn, "begun")
        work = server.data / "jobs" / id_ / "work"
        assert server.stop() == 0
        wait_until(lambda: not processes_in(work), "the end of its processes")
        server.start()
        assert wait_for_end(server, arn)["error"] == "Job.Lost"


def test_what_was_stopped_while_nobody_looked_is_ended_and_its_files_removed(tmp_path):
    with Server(tmp_path / "data") as server:
        # Its time is over while the server is down: the timer fires before the task is taken up.
        limit_s = 10
        arn = start(server, job(shell("echo begun; sleep 1000"), TimeoutSeconds=limit_s))
        id_ = wait_for_log(server, arn, "begun")
        work = server.data / "jobs" / id_ / "work"
        server.kill()
        deadline = time.monotonic() + limit_s
        wait_until(lambda: time.monotonic() > deadline, "its time to be over")
        server.start()
        assert wait_for_end(server, arn)["error"] == "States.Timeout"
        wait_until(lambda: not work.exists(), "its files to be removed", 90)
        assert "begun" in log_text(server, id_)
