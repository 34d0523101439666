# SPDX-License-Identifier: Apache-2.0
"""The example's pipeline with the server killed at each of its steps: it ships the model all the same,
and does nothing twice."""
import collections
import json
import os
import shutil
import sqlite3
import time

from agent import Agent
from harness import Server, wait_until
from pipeline import EXAMPLE, Pipeline, measured_report, pictures

# Runs in which a state counts only where the kill came before the next commit; what they passed too
# quickly is killed at in a last one, however late.
EXACT_RUNS = int(os.environ.get("ANDON_PIPELINE_RUNS", "2"))
LIMIT_S = 300
LOOK_S = 0.0005


class Watch:
    """The execution that an approval starts, straight out of the server's database: the kill must
    follow a commit within a millisecond, and the server cannot be asked while it is dead."""

    def __init__(self, server, package):
        self.database = sqlite3.connect(f"file:{server.data / 'workflow.db'}?mode=ro", uri=True,
                                        timeout=30, isolation_level=None)
        self.package = package

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.database.close()

    def _one(self, question, *values):
        return self.database.execute(question, values).fetchone()

    @property
    def execution(self):
        """(id, arn, status), or None before it is there."""
        return self._one("SELECT id, arn, status FROM executions WHERE instr(input, ?) > 0",
                         self.package)

    def steps_after(self, number):
        """[(number of its last event, the states that it entered)] of the commits after that one."""
        rows = self.database.execute(
            "SELECT last_event, body FROM execution_events WHERE execution = ? AND first_event > ? "
            "ORDER BY first_event", (self.execution[0], number))
        return [(last, {event["stateEnteredEventDetails"]["name"] for event in json.loads(body)
                        if "stateEnteredEventDetails" in event}) for last, body in rows]


def ship(pipeline, package, kill_at=frozenset(), exact=True):
    """Approves the package; kills the server as soon as a step is durable that enters a state of
    `kill_at`, once for each. The execution, described at its end, and the states at which the server
    was killed."""
    server, killed, seen = pipeline.server, set(), 0
    with Watch(server, package) as watch:
        pipeline.approve(package)
        wait_until(lambda: watch.execution, "the execution", 60)
        deadline = time.monotonic() + LIMIT_S
        is_over = False
        while not is_over:
            assert time.monotonic() < deadline, f"it does not end after kills at {killed}"
            is_over = watch.execution[2] != "RUNNING"  # its last step is looked at all the same
            steps = watch.steps_after(seen)
            if steps:
                seen = steps[-1][0]
                entered = steps[-1][1] if exact else set().union(*(names for _, names in steps))
                due = entered & kill_at - killed
                if due:
                    server.kill()
                    killed |= due
                    server.start()
            time.sleep(LOOK_S)
        arn = watch.execution[1]
    return pipeline.outcome(arn), killed


def test_the_server_killed_at_each_step_ships_the_model_and_does_nothing_twice(tmp_path):
    report = measured_report(tmp_path)
    images = tmp_path / "images"
    images.mkdir()
    with Server(tmp_path / "data") as server:
        pipeline = Pipeline(server, {"ImageDirectory": str(images)})
        pipeline.join_qa("qa-1")
        with Agent(server, tmp_path / "qa", "qa-1"), \
                Agent(server, tmp_path / "line", "line-1-camera-1"):
            told, _ = ship(pipeline, pipeline.register(report=report))
            assert told["status"] == "SUCCEEDED", told
            steps = set(pipeline.states_of(told["executionArn"]))
            assert len(steps) > 20
            left, run = set(steps), 0
            while left:
                run += 1
                assert run <= EXACT_RUNS + 1, f"the server was never killed at {left}"
                package = pipeline.register(report=report)
                told, killed = ship(pipeline, package, frozenset(left), run <= EXACT_RUNS)
                print(f"run {run}: killed at {len(killed)} of {len(left)} states")
                left -= killed
                assert told["status"] == "SUCCEEDED", (killed, told)
                check_once(pipeline, package, told, run + 1)
                # The line runs what was shipped, and each picture has one result.
                shutil.copy(EXAMPLE / "images" / pictures()[run], images)
                version = json.loads(told["output"])["Version"]
                wait_until(lambda: (pictures()[run], version) in [
                    (r["image"], r["modelVersion"])
                    for r in pipeline.server.results("thing=line-1-camera-1")],
                    "a result of the line", 60)
            on_line = [r["image"] for r in server.results("thing=line-1-camera-1")]
            assert sorted(on_line) == pictures()[1:run + 1]


def check_once(pipeline, package, told, shipped):
    """`shipped` executions have made as many versions and deployments, and each golden picture has
    one result of each."""
    assert len(pipeline.executions()) == shipped
    assert pipeline.versions() == [f"1.0.{n}" for n in reversed(range(shipped))]
    assert len(pipeline.deployments("thinggroup/qa")) == shipped
    assert len(pipeline.deployments("thing/line-1-camera-1")) == shipped
    lineage = pipeline.lineage(package)
    assert lineage["qa.verdict"] == "passed"
    assert lineage["shipped.deployment"] == json.loads(told["output"])["DeploymentId"]
    runs = collections.defaultdict(list)
    for result in pipeline.server.results("thing=qa-1"):
        run, _, picture = result["image"].partition("/")
        runs[run].append(picture)
    assert len(runs) == shipped
    assert all(sorted(found) == pictures() for found in runs.values())
    # But for those that look again until something has happened, each state was entered once.
    counts = collections.Counter(pipeline.states_of(told["executionArn"]))
    again = {"WaitForQa", "GetQaDeployment", "IsQaDeployed", "Judge", "IsJudged", "WaitForResults",
             "WaitForProduction", "GetDeployment", "IsDeployed", "GetCoreDevice", "IsHealthy",
             "WaitForHealth"}
    assert {name: n for name, n in counts.items() if n != 1 and name not in again} == {}
