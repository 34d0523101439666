# SPDX-License-Identifier: Apache-2.0
"""The server killed at random while state machines run: none is lost, nothing is done twice,
histories are whole, and outputs are those of an undisturbed run. ANDON_WORKFLOW_KILLS and
ANDON_WORKFLOW_EXECUTIONS make it longer (300 and 200 for an hour's peace of mind)."""
import json
import os
import random
import subprocess
import threading
import time

import botocore.exceptions
import pytest

from harness import Server, wait_until

ROLE = "arn:aws:iam::000000000000:role/andon-workflows"
KILLS = int(os.environ.get("ANDON_WORKFLOW_KILLS", "12"))
EXECUTIONS = int(os.environ.get("ANDON_WORKFLOW_EXECUTIONS", "24"))
GONE = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)


def sdk(action, parameters, **more):
    return {"Type": "Task", "Resource": "arn:aws:states:::" + action, "Parameters": parameters,
            **more}


def inner():
    return {"StartAt": "W", "States": {
        "W": {"Type": "Wait", "Seconds": 1, "Next": "P"},
        "P": {"Type": "Pass", "Parameters": {"doubled.$": "States.MathAdd($.n, $.n)"},
              "End": True}}}


def outer(activity, nested):
    """Waits, a task with an effect, a retried and caught one, an activity, a nested execution, an
    inline and a distributed Map, one after the other."""
    def item(name):
        return {"StartAt": name, "States": {
            name: {"Type": "Wait", "Seconds": 1, "Next": name + "Out"},
            name + "Out": {"Type": "Pass", "End": True}}}

    missing = {"ThingName.$": "States.Format('no-{}', $.n)"}
    return {"StartAt": "Wait", "States": {
        "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Make"},
        "Make": sdk("aws-sdk:iot:createThing", {"ThingName.$": "States.Format('thing-{}', $.n)"},
                    ResultSelector={"name.$": "$.ThingName"}, ResultPath="$.thing", Next="Miss"),
        "Miss": sdk("aws-sdk:iot:describeThing", missing, Next="Act",
                    Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2,
                            "IntervalSeconds": 1, "BackoffRate": 1}],
                    Catch=[{"ErrorEquals": ["Iot.ResourceNotFoundException"],
                            "ResultPath": None, "Next": "Act"}]),
        # A worker whose answer was lost on the way has no token: the time-out brings the next.
        "Act": {"Type": "Task", "Resource": activity, "ResultPath": "$.act", "Next": "Nest",
                "HeartbeatSeconds": 5, "TimeoutSeconds": 60,
                "Retry": [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 99,
                           "IntervalSeconds": 1, "BackoffRate": 1}]},
        "Nest": sdk("states:startExecution.sync:2",
                    {"StateMachineArn": nested, "Input": {"n.$": "$.n"}},
                    ResultSelector={"output.$": "$.Output"}, ResultPath="$.nest", Next="Inline"),
        "Inline": {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": item("In"),
                   "ResultPath": "$.inline", "Next": "Spread"},
        "Spread": {"Type": "Map", "ItemsPath": "$.items", "Label": "Spread",
                   "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED",
                                                         "ExecutionType": "STANDARD"},
                                     **item("Child")},
                   "ResultPath": "$.spread", "End": True}}}


def expected(n):
    items = [n, n + 1, n + 2]
    return {"n": n, "items": items, "thing": {"name": f"thing-{n}"}, "act": {"seen": n},
            "nest": {"output": {"doubled": 2 * n}}, "inline": items, "spread": items}


class Worker(threading.Thread):
    """Does the activity's tasks, over every restart of the server."""

    def __init__(self, server, activity):
        super().__init__(daemon=True)
        self.server, self.activity, self.over = server, activity, threading.Event()
        self.start()

    def run(self):
        token = output = None
        while not self.over.is_set():
            try:
                states = self.server.aws("stepfunctions")
                if token is None:
                    task = states.get_activity_task(activityArn=self.activity)
                    token = task.get("taskToken")
                    if not token:
                        continue
                    output = json.dumps({"seen": json.loads(task["input"])["n"]})
                states.send_task_success(taskToken=token, output=output)
                token = None
            except botocore.exceptions.ClientError as error:
                # What was lost in the middle of an answer has been stored all the same.
                if error.response["Error"]["Code"] == "TaskTimedOut":
                    token = None
            except botocore.exceptions.BotoCoreError:
                self.over.wait(0.02)


def persist(call, what, accept=()):
    """Calls until it is answered; a code of `accept` is an answer, too."""
    def attempt():
        try:
            return call() or True
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in accept:
                return True
            raise
        except botocore.exceptions.BotoCoreError:
            return None
    return wait_until(attempt, what)


def check_history(events, wanted):
    assert [e["id"] for e in events] == list(range(1, len(events) + 1))
    assert all(e["previousEventId"] < e["id"] for e in events)
    types = [e["type"] for e in events]
    assert types[0] == "ExecutionStarted" and types[-1] == "ExecutionSucceeded"
    counts = {kind: types.count(kind) for kind in wanted}
    assert counts == wanted, counts
    assert types.count("ActivityScheduled") == 1 + types.count("ActivityTimedOut")


def killed_at_random(server, count, dice, kills=None):
    """A thread that kills the server and starts it again, so many times."""
    kills = [] if kills is None else kills

    def kill():
        pause = threading.Event()
        for number in range(count):
            pause.wait(dice.uniform(0.1, 0.9))
            server.kill()
            server.start()
            kills.append(number)
    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def history_of(states, arn):
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def wait_for_ends(states, arns, limit_s):
    """Each of `arns` (by anything) as it is described when it has ended."""
    limit = time.monotonic() + limit_s
    return {n: wait_until(lambda arn=arn: (d := states.describe_execution(executionArn=arn))[
        "status"] != "RUNNING" and d, f"the end of {n}", limit - time.monotonic())
        for n, arn in arns.items()}


def test_the_server_is_killed_at_random_and_every_execution_completes(tmp_path):
    with Server(tmp_path / "data") as server:
        server.let_workflows("iot:CreateThing")
        states = server.aws("stepfunctions")
        activity = states.create_activity(name="work")["activityArn"]
        nested = states.create_state_machine(name="inner", definition=json.dumps(inner()),
                                             roleArn=ROLE)["stateMachineArn"]
        machine = states.create_state_machine(
            name="outer", definition=json.dumps(outer(activity, nested)),
            roleArn=ROLE)["stateMachineArn"]
        worker = Worker(server, activity)
        dice = random.Random(int(os.environ.get("ANDON_SEED", "14")))

        def start(n):
            return server.aws("stepfunctions").start_execution(
                stateMachineArn=machine, name=f"e{n}",
                input=json.dumps({"n": n, "items": [n, n + 1, n + 2]}))

        kills = []
        killer = killed_at_random(server, KILLS, dice, kills)
        for n in range(EXECUTIONS):
            # Spread over the kills, so that each of them finds executions under way.
            wait_until(lambda n=n: len(kills) >= n * KILLS // EXECUTIONS - 1, "the next kill")
            # The answer may have been lost with the server, and the execution be over by now.
            persist(lambda n=n: start(n), f"the start of {n}", accept=["ExecutionAlreadyExists"])
        killer.join()

        states = server.aws("stepfunctions")
        arns = {n: machine.replace(":stateMachine:", ":execution:") + f":e{n}"
                for n in range(EXECUTIONS)}
        for n, told in wait_for_ends(states, arns, 60 + 2 * EXECUTIONS).items():
            assert told["status"] == "SUCCEEDED", told
            assert json.loads(told["output"]) == expected(n)
        worker.over.set()

        for n, arn in arns.items():
            check_history(history_of(states, arn), {
                "TaskScheduled": 5, "TaskStarted": 5, "TaskSucceeded": 2, "TaskFailed": 3,
                "TaskSubmitted": 1, "ActivitySucceeded": 1,
                "MapIterationSucceeded": 3, "MapRunStarted": 1, "MapRunSucceeded": 1,
                "WaitStateExited": 4})
            runs = states.list_map_runs(executionArn=arn)["mapRuns"]
            assert len(runs) == 1
            children = states.list_executions(mapRunArn=runs[0]["mapRunArn"])["executions"]
            assert [c["status"] for c in children] == ["SUCCEEDED"] * 3
        pages = states.get_paginator("list_executions").paginate(stateMachineArn=nested)
        assert sum(len(page["executions"]) for page in pages) == EXECUTIONS
        assert not [line for line in server.log().splitlines() if '"level":"error"' in line]


def test_jobs_go_on_while_the_server_is_killed_and_each_is_run_once(tmp_path):
    kills = max(4, KILLS // 3)
    count = 6
    with Server(tmp_path / "data") as server:
        states = server.aws("stepfunctions")
        server.aws("s3").create_bucket(Bucket="made")
        machine = states.create_state_machine(name="jobs", roleArn=ROLE, definition=json.dumps({
            "StartAt": "J", "States": {"J": {
                "Type": "Task", "Resource": "arn:andon:states:::job:run.sync", "End": True,
                "Parameters": {
                    # What a second run would leave a trace of: its output is made of both logs.
                    "Command": ["sh", "-c", "echo begun; for i in 1 2 3 4 5 6; do sleep 0.5; "
                                            "echo $i; done; cat in > out"],
                    "Inputs": {"in": {"Value.$": "$.n"}},
                    "Outputs": {"out": {"Bucket": "made",
                                        "Key.$": "States.Format('{}', $.n)"}}}}}}))["stateMachineArn"]
        dice = random.Random(int(os.environ.get("ANDON_SEED", "14")))
        killer = killed_at_random(server, kills, dice)
        for n in range(count):
            persist(lambda n=n: server.aws("stepfunctions").start_execution(
                stateMachineArn=machine, name=f"e{n}", input=json.dumps({"n": n})),
                f"the start of {n}", accept=["ExecutionAlreadyExists"])
        killer.join()
        states = server.aws("stepfunctions")
        arns = {n: machine.replace(":stateMachine:", ":execution:") + f":e{n}"
                for n in range(count)}
        for n, told in wait_for_ends(states, arns, 120).items():
            assert told["status"] == "SUCCEEDED", told
            job = json.loads(told["output"])["JobId"]
            status, log = server.call("GET", f"/andon/v1/jobs/{job}/log")
            assert status == 200 and log["text"] == "begun\n1\n2\n3\n4\n5\n6\n"
            made = server.aws("s3").get_object(Bucket="made", Key=str(n))["Body"].read()
            assert made == str(n).encode()
            types = [e["type"] for e in history_of(states, told["executionArn"])]
            assert types.count("TaskSubmitted") == types.count("TaskSucceeded") == 1
        assert len(list((server.data / "jobs").iterdir())) == count


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", disk],
                          capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip("a small disk needs the right to mount: " + made.stderr.strip())
    yield disk
    subprocess.run(["umount", disk], check=True)


class ServerOnDisk(Server):
    """Its log is elsewhere, so that it can say what it has no room for."""

    @property
    def log_file(self):
        return self.data.parent.parent / "server.log"


def fill(disk):
    """Takes what room there is, to the last byte."""
    filler = disk / "filler"
    with open(filler, "ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            while True:
                try:
                    file.write(bytes(size))
                except OSError:
                    break
    return filler


def test_a_full_disk_is_said_loses_nothing_and_all_goes_on_when_there_is_room(small_disk):
    count = 8
    with ServerOnDisk(small_disk / "data") as server:
        server.let_workflows("iot:CreateThing")
        states = server.aws("stepfunctions")
        activity = states.create_activity(name="work")["activityArn"]
        nested = states.create_state_machine(name="inner", definition=json.dumps(inner()),
                                             roleArn=ROLE)["stateMachineArn"]
        machine = states.create_state_machine(
            name="outer", definition=json.dumps(outer(activity, nested)),
            roleArn=ROLE)["stateMachineArn"]
        arns = {n: states.start_execution(
            stateMachineArn=machine, name=f"e{n}",
            input=json.dumps({"n": n, "items": [n, n + 1, n + 2]}))["executionArn"]
            for n in range(count)}
        filler = fill(small_disk)
        # Large inputs find no room in whatever the database has in hand.
        large = json.dumps({"n": 1, "items": [], "large": "x" * 200_000})

        def refusal():
            try:
                states.start_execution(stateMachineArn=machine, input=large)
            except botocore.exceptions.ClientError as error:
                return error.response
            fill(small_disk)
            return None
        refused = wait_until(refusal, "a refusal")
        assert "full" in refused["Error"]["Message"], refused
        assert refused["ResponseMetadata"]["HTTPStatusCode"] >= 400
        running = len(states.list_executions(stateMachineArn=machine)["executions"])
        # Their timers are due by now, and a worker has come: nothing of that can be stored.
        worker = Worker(server, activity)
        wait_until(lambda: "a step was not stored" in server.log(), "a step without room")
        assert server.process.poll() is None
        assert states.describe_execution(executionArn=arns[0])["status"] == "RUNNING"
        filler.unlink()
        for n, told in wait_for_ends(states, arns, 90).items():
            assert told["status"] == "SUCCEEDED", told
            assert json.loads(told["output"]) == expected(n)
        worker.over.set()
        for arn in arns.values():
            check_history(history_of(states, arn), {
                "TaskScheduled": 5, "TaskStarted": 5, "TaskSucceeded": 2, "TaskFailed": 3,
                "TaskSubmitted": 1, "ActivitySucceeded": 1, "MapIterationSucceeded": 3,
                "MapRunStarted": 1, "MapRunSucceeded": 1, "WaitStateExited": 4})
        # What was refused was not made; what was answered was.
        assert len(states.list_executions(stateMachineArn=machine)["executions"]) == running
        assert running >= count


def test_a_server_that_is_killed_on_a_full_disk_loses_nothing(small_disk):
    with ServerOnDisk(small_disk / "data") as server:
        states = server.aws("stepfunctions")
        nested = states.create_state_machine(name="inner", definition=json.dumps(inner()),
                                             roleArn=ROLE)["stateMachineArn"]
        arns = {n: states.start_execution(stateMachineArn=nested, name=f"e{n}",
                                          input=json.dumps({"n": n}))["executionArn"]
                for n in range(20)}
        filler = fill(small_disk)
        server.kill()
        filler.unlink()
        server.start()
        states = server.aws("stepfunctions")
        for n, told in wait_for_ends(states, arns, 60).items():
            assert told["status"] == "SUCCEEDED", told
            assert json.loads(told["output"]) == {"doubled": 2 * n}
