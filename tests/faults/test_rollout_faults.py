# SPDX-License-Identifier: Apache-2.0
"""The server killed at random while a deployment with a rate and abort criteria goes out to 500
devices, which are simulated in this process. `bench/fleet/README.md` says how to kill it more often
(ANDON_ROLLOUT_KILLS)."""
import contextlib
import json
import os
import random
import sqlite3
import ssl
import threading
import time

import paho.mqtt.client
import pytest

from harness import wait_until

DEVICES = 500
RATE = 1000  # a minute
CATCH_UP_S = 2  # fleet/rollout/rollout_rules.hpp
LEAST = 120  # executions before a rollout may be aborted
KILLS = int(os.environ.get("ANDON_ROLLOUT_KILLS", "4"))
SUFFIX = "namespace-aws-gg-deployment"
GROUP = "arn:aws:iot:us-east-1:000000000000:thinggroup/all"


def name(i):
    return f"line-{i:05d}"


def fill(database):
    """A fleet straight into the tables; by the API it would take a while."""
    with sqlite3.connect(database) as tables:
        tables.execute("INSERT INTO thing_groups (name, id, description, attributes, version, "
                       "created_ms) VALUES ('all', 'all', '', '{}', 1, 0)")
        tables.executemany("INSERT INTO things (name, id, type_name, attributes, version, "
                           "created_ms) VALUES (?1, ?1, '', '{}', 1, 0)",
                           [(name(i),) for i in range(DEVICES)])
        tables.executemany("INSERT INTO thing_group_members (group_name, thing) "
                           "VALUES ('all', ?)", [(name(i),) for i in range(DEVICES)])
        # The server hears of no thing without a certificate.
        tables.executemany("INSERT INTO certificates (id, thing, pem, status, created_ms, "
                           "not_after_ms) VALUES (?, ?, '', 'ACTIVE', 0, 4102444800000)",
                           [(f"{i:064x}", name(i)) for i in range(DEVICES)])


def rows(server, sql, *values):
    with contextlib.closing(sqlite3.connect(f"file:{server.data / 'andon.db'}?mode=ro",
                                            uri=True)) as tables:
        return tables.execute(sql, values).fetchall()


class SimulatedFleet:
    """Devices that do what they are told at once, over one connection of the operator's. They say
    everything again until it is answered, as a nucleus does, and take each job once."""

    def __init__(self, server, outcome):
        self.server, self.outcome = server, outcome
        self.lock = threading.Lock()
        self.begun = {}  # (thing, job) -> how often it was begun
        self.unanswered = {}  # (thing, job) -> the status that the server has still to accept
        self.client = None

    def connect(self):
        """To the broker of a server that has just been started."""
        if self.client:
            self.client.disconnect()
            self.client.loop_stop()
        credentials = self.server.data / "credentials"
        context = ssl.create_default_context(cafile=self.server.ca_file)
        context.load_cert_chain(credentials / "operator.crt", credentials / "operator.key")
        subscribed = threading.Event()
        client = paho.mqtt.client.Client(paho.mqtt.client.CallbackAPIVersion.VERSION2,
                                         protocol=paho.mqtt.client.MQTTv5)
        client.max_queued_messages_set(0)
        client.tls_set_context(context)
        client.on_message = self.take
        client.on_connect = lambda *_: client.subscribe(
            [(f"$aws/things/+/jobs/notify-next-{SUFFIX}", 1),
             (f"$aws/things/+/jobs/+/{SUFFIX}/get/accepted", 1),
             (f"$aws/things/+/jobs/+/{SUFFIX}/update/accepted", 1),
             (f"$aws/things/+/jobs/+/{SUFFIX}/update/rejected", 1)])
        client.on_subscribe = lambda *_: subscribed.set()
        client.connect("127.0.0.1", self.server.info["mqtt"]["port"])
        client.loop_start()
        assert subscribed.wait(30)
        self.client = client
        self.ask_again()

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def ask_again(self):
        """What devices do when they are connected again, and from time to time."""
        with self.lock:
            waiting = dict(self.unanswered)
        for (thing, job), status in waiting.items():
            self.say(thing, job, status)
        busy = {thing for thing, _ in waiting}
        for i in range(DEVICES):
            if name(i) not in busy:
                self.client.publish(f"$aws/things/{name(i)}/jobs/$next/{SUFFIX}/get",
                                    json.dumps({"clientToken": "ask"}), 1)

    def say(self, thing, job, status):
        self.client.publish(f"$aws/things/{thing}/jobs/{job}/{SUFFIX}/update",
                            json.dumps({"status": status, "clientToken": status}), 1)

    def take(self, _client, _data, message):
        parts = message.topic.split("/")
        thing, payload = parts[2], json.loads(message.payload)
        if parts[-2] == "update":
            self.answered(thing, parts[4], parts[-1], payload)
        elif "execution" in payload:
            self.begin(thing, payload["execution"])

    def begin(self, thing, execution):
        key = (thing, execution["jobId"])
        attempt = execution["executionNumber"]
        with self.lock:
            if key in self.unanswered or self.begun.get(key, 0) >= attempt:
                return
            self.begun[key] = attempt
            self.unanswered[key] = "IN_PROGRESS"
        self.say(*key, "IN_PROGRESS")

    def answered(self, thing, job, which, payload):
        key = (thing, job)
        with self.lock:
            expected = self.unanswered.get(key)
            if expected is None or payload.get("clientToken") != expected:
                return
            final = which == "rejected" or expected != "IN_PROGRESS"
            if final:
                del self.unanswered[key]
            else:
                self.unanswered[key] = self.outcome(thing)
        if not final:
            self.say(thing, job, self.outcome(thing))


@pytest.fixture
def filled(server):
    assert server.stop() == 0
    fill(server.data / "andon.db")
    server.start()
    return server


def kill_while(server, fleet, job, is_over, kills):
    """Kills and starts the server at random moments until the rollout is over."""
    moments = random.Random(job)
    while not is_over():
        if kills > 0:
            kills -= 1
            pause = time.monotonic() + moments.uniform(0.2, 3)
            wait_until(lambda until=pause: time.monotonic() > until or is_over(), "a moment")
            server.kill()
            server.start()
            fleet.connect()
            continue
        before = progress(server, job)
        deadline = time.monotonic() + 3
        wait_until(lambda: is_over() or progress(server, job) != before
                   or time.monotonic() > deadline, "progress")
        if progress(server, job) == before:
            fleet.ask_again()
    return kills


def progress(server, job):
    return rows(server, "SELECT status, COUNT(*) FROM job_executions WHERE job_id = ? "
                "GROUP BY status ORDER BY status", job)


def state(server, job):
    return rows(server, "SELECT state, ended_ms FROM deployments WHERE id = ?", job)[0]


def check_rate(server, job):
    """In no span of time were more devices told than the rate allows."""
    times = [one[0] for one in rows(server, "SELECT queued_ms FROM job_executions "
                                    "WHERE job_id = ? ORDER BY queued_ms", job)]
    for first in range(len(times)):
        for last in range(first, len(times)):
            span_ms = times[last] - times[first] + 1000 * CATCH_UP_S
            assert (last - first) * 60_000 <= RATE * span_ms


def deploy(server, **rules):
    return server.aws("greengrassv2").create_deployment(
        targetArn=GROUP, iotJobConfiguration={
            "jobExecutionsRolloutConfig": {"maximumPerMinute": RATE}, **rules})["deploymentId"]


def check_once_each(server, fleet, job):
    executions = rows(server, "SELECT thing, execution_number FROM job_executions "
                      "WHERE job_id = ?", job)
    assert {number for _, number in executions} == {1}
    begun = {thing: count for (thing, of), count in fleet.begun.items() if of == job}
    assert set(begun.values()) == {1}
    return {thing for thing, _ in executions}, set(begun)


def test_a_rollout_skips_no_device_and_takes_none_twice_whenever_the_server_is_killed(filled):
    server, left = filled, KILLS
    fleet = SimulatedFleet(server, lambda _: "SUCCEEDED")
    fleet.connect()
    while left > 0:  # each rollout takes half a minute: no more than ten kills fit in
        now = min(left, 10)
        job = deploy(server)
        left -= now - kill_while(
            server, fleet, job, lambda: progress(server, job) == [("SUCCEEDED", DEVICES)], now)
        asked, begun = check_once_each(server, fleet, job)
        assert asked == begun == {name(i) for i in range(DEVICES)}
        check_rate(server, job)
        wait_until(lambda: server.aws("greengrassv2").get_deployment(
            deploymentId=job)["deploymentStatus"] == "COMPLETED", "the end")
    fleet.close()


def test_a_rollout_is_aborted_where_its_criterion_says_so_whenever_the_server_is_killed(filled):
    server = filled
    # Every third device fails.
    fleet = SimulatedFleet(server, lambda thing: "FAILED" if int(thing[-5:]) % 3 == 2
                           else "SUCCEEDED")
    fleet.connect()
    job = deploy(server, abortConfig={"criteriaList": [{
        "failureType": "FAILED", "action": "CANCEL", "thresholdPercentage": 30.0,
        "minNumberOfExecutedThings": LEAST}]})
    left = kill_while(server, fleet, job, lambda: state(server, job)[0] == "CANCELED", 2)
    assert left < 2, "the server was never killed before it was over"
    ended = state(server, job)[1]
    finished = rows(server, "SELECT updated_ms, status FROM job_executions WHERE job_id = ? "
                    "AND status IN ('SUCCEEDED', 'FAILED') AND updated_ms <= ? "
                    "ORDER BY updated_ms", job, ended)

    def says_so(some):
        failed = sum(status == "FAILED" for _, status in some)
        return len(some) >= LEAST and failed / len(some) >= 0.3

    assert says_so(finished)
    for moment in sorted({one[0] for one in finished})[:-1]:
        assert not says_so([one for one in finished if one[0] <= moment])
    # Nobody hears of it any more, also after a restart.
    reached = rows(server, "SELECT COUNT(*), MAX(queued_ms) FROM job_executions "
                   "WHERE job_id = ?", job)[0]
    assert reached[0] < DEVICES and reached[1] <= ended
    server.kill()
    server.start()
    wait_until(lambda: not rows(server, "SELECT 1 FROM job_executions WHERE job_id = ? "
                                "AND status IN ('QUEUED', 'IN_PROGRESS')", job), "the end")
    wait_until(lambda: not rows(server, "SELECT 1 FROM rollouts"), "the rollout closed")
    assert rows(server, "SELECT COUNT(*) FROM job_executions WHERE job_id = ?",
                job)[0][0] == reached[0]
    check_once_each(server, fleet, job)
    fleet.close()
