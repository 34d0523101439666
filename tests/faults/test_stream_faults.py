# SPDX-License-Identifier: Apache-2.0
"""Streams when the agent is killed, the disk is full, the power goes or bytes are damaged: what was
acknowledged is there, in order, once; nobody's stream is lost."""
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from faulty_world import World
from harness import wait_until

pytest.importorskip("stream_manager", reason="needs stream-manager")

from stream_line import APPEND, CREATE, DESCRIBE, READ, StreamLine


class Appender:
    """Appends numbered messages from a thread of its own over a pipelined connection, as long as
    there is a server; `acknowledged` has {sequence number: payload}."""

    def __init__(self, client, stream, first, size=200):
        self.client, self.stream, self.next = client, stream, first
        self.filler = b"." * size
        self.acknowledged, self.sent = {}, {}
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            while True:
                for _ in range(20):
                    payload = b"%d" % self.next + self.filler
                    self.sent[str(self.next)] = payload
                    self.client.send(APPEND, {"requestId": str(self.next), "name": self.stream,
                                              "payload": payload})
                    self.next += 1
                for _ in range(20):
                    answer = self.client.receive()
                    if answer is None:
                        return
                    if answer[1]["status"] == 0:
                        self.acknowledged[answer[1]["sequenceNumber"]] = \
                            self.sent[answer[1]["requestId"]]
        except OSError:
            return


def read_all(client, stream):
    """{sequence number: payload} of what is there."""
    found, start = {}, 0
    while True:
        answer = client.call(READ, streamName=stream, readMessagesOptions={
            "desiredStartSequenceNumber": start, "maxMessageCount": 5000})[1]
        if answer["status"] == 13:
            return found
        assert answer["status"] == 0, answer
        numbers = [m["sequenceNumber"] for m in answer["messages"]]
        assert numbers == sorted(set(numbers)) and numbers[0] >= start
        found.update((m["sequenceNumber"], m["payload"]) for m in answer["messages"])
        start = numbers[-1] + 1


def enter_world(agent, directory, **options):
    world = World(agent.root, directory / "world", **options)
    agent.environment = world.environment()
    return world


@pytest.mark.parametrize("flush", [True, False], ids=["flushed", "not-flushed"])
def test_what_was_acknowledged_outlives_the_agent_whenever_it_is_killed(server, tmp_path, flush):
    chance = random.Random(17)
    with StreamLine(server, tmp_path / "device") as line:
        with line.raw() as client:
            client.call(CREATE, definition={"name": "s", "strategyOnFull": 0, "flushOnWrite": flush,
                                            "streamSegmentSize": 50_000})
        acknowledged, next_number = {}, 0
        for _ in range(8):
            appender = Appender(line.raw(), "s", next_number)
            enough = chance.randrange(1, 3000)
            wait_until(lambda: len(appender.acknowledged) >= enough, "messages")
            line.restart()
            appender.thread.join(30)
            assert not acknowledged.keys() & appender.acknowledged.keys()  # no number twice
            acknowledged |= appender.acknowledged
            next_number = appender.next
            with line.raw() as client:
                found = read_all(client, "s")
            assert all(found.get(number) == payload for number, payload in acknowledged.items())
        assert len(acknowledged) > 500


def test_exports_lose_nothing_and_keep_the_order_whenever_the_agent_is_killed(server, tmp_path):
    chance = random.Random(23)
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(int(self.rfile.read(int(self.headers["Content-Length"])).split(b".")[0]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass
    sink = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    with StreamLine(server, tmp_path / "device") as line:
        with line.raw() as client:
            assert client.call(CREATE, definition={
                "name": "s", "strategyOnFull": 0, "exportDefinition": {"http": [{
                    "identifier": "e", "uri": f"http://127.0.0.1:{sink.server_port}/",
                    "batchSize": 50}]}})[1]["status"] == 0
        acknowledged, next_number = {}, 0
        for _ in range(5):
            appender = Appender(line.raw(), "s", next_number, size=20)
            enough = len(got) + chance.randrange(1, 300)
            wait_until(lambda: len(got) >= enough, "exports")
            line.restart()
            appender.thread.join(30)
            acknowledged |= appender.acknowledged
            next_number = appender.next
        with line.raw() as client:
            kept = [int(payload.split(b".")[0]) for payload in read_all(client, "s").values()]
        wait_until(lambda: kept[-1] in got, "the last message", 120)
        assert set(kept) <= set(got)
        firsts = list(dict.fromkeys(got))
        assert firsts == sorted(firsts)  # what comes twice comes after its first time
        assert len(got) - len(set(got)) <= 5 * 50
    sink.shutdown()


@pytest.mark.parametrize("seed", [None, 1, 2], ids=["strict", "drawn1", "drawn2"])
def test_what_was_acknowledged_with_flush_on_write_outlives_a_power_cut(server, tmp_path, seed):
    worlds = []
    with StreamLine(server, tmp_path / "device", prepare=lambda agent: worlds.append(
            enter_world(agent, tmp_path, watches_syncs=True))) as line:
        world, = worlds
        with line.raw() as client:
            client.call(CREATE, definition={"name": "s", "strategyOnFull": 0, "flushOnWrite": True,
                                            "streamSegmentSize": 20_000})
            client.call(CREATE, definition={"name": "lazy", "strategyOnFull": 0})
            client.call(APPEND, name="lazy", payload=b"perhaps")
        acknowledged = {}
        for round_ in range(3):
            appender = Appender(line.raw(), "s", round_ * 1_000_000)
            wait_until(lambda: len(appender.acknowledged) > 300, "messages")
            line.agent.lose_power()
            appender.thread.join(30)
            assert not acknowledged.keys() & appender.acknowledged.keys()
            acknowledged |= appender.acknowledged
            world.cut(None if seed is None else random.Random(seed + round_))
            line.environment_file.unlink(missing_ok=True)
            line.agent.start()
            line.environment()
            with line.raw() as client:
                found = read_all(client, "s")
                assert all(found.get(number) == payload
                           for number, payload in acknowledged.items())
                # A stream whose messages were not synced is there, with or without them.
                assert client.call(APPEND, name="lazy", payload=b"x")[1]["status"] == 0


def test_a_full_disk_refuses_appends_and_loses_nothing(server, tmp_path):
    worlds = []
    with StreamLine(server, tmp_path / "device", prepare=lambda agent: worlds.append(
            enter_world(agent, tmp_path))) as line, line.raw() as client:
        world, = worlds
        client.call(CREATE, definition={"name": "s", "strategyOnFull": 0})
        acknowledged = {}
        for after in (0, 1, 5, 20):
            world.fill(after)
            for i in range(after + 5):
                payload = b"%d of %d" % (i, after)
                answer = client.call(APPEND, name="s", payload=payload)[1]
                assert answer["status"] in (0, 1), answer
                if answer["status"] == 0:
                    acknowledged[answer["sequenceNumber"]] = payload
                else:
                    assert "space" in answer["errorMessage"], answer
            assert client.call(CREATE, definition={"name": f"full {after}", "strategyOnFull": 0})[
                1]["status"] == 1
            world.free()
            assert client.call(CREATE, definition={"name": f"full {after}", "strategyOnFull": 0})[
                1]["status"] == 0
        assert len(acknowledged) > 10
        assert read_all(client, "s") == acknowledged
        line.restart()
        with line.raw() as again:
            assert read_all(again, "s") == acknowledged


def test_damage_costs_the_messages_that_it_touches_and_no_others(server, tmp_path):
    with StreamLine(server, tmp_path / "device") as line:
        with line.raw() as client:
            client.call(CREATE, definition={"name": "s", "strategyOnFull": 0,
                                            "streamSegmentSize": 10_000})
            for i in range(250):
                client.call(APPEND, name="s", payload=b"%03d" % i + bytes(97))
        line.agent.lose_power()
        segments = sorted((line.agent.root / "streams").rglob("*.segment"))
        assert len(segments) == 3
        first = bytearray(segments[0].read_bytes())
        first[10 * 128 + 50] ^= 1
        segments[0].write_bytes(first)
        segments[2].write_bytes(segments[2].read_bytes()[:-40])
        line.environment_file.unlink()
        line.agent.start()
        line.environment()
        with line.raw() as client:
            def read(start):
                return client.call(READ, streamName="s", readMessagesOptions={
                    "desiredStartSequenceNumber": start, "maxMessageCount": 1000})[1]
            assert [m["sequenceNumber"] for m in read(0)["messages"]] == list(range(10))
            lost = read(10)
            assert lost["status"] == 14 and "11" in lost["errorMessage"]
            assert [m["sequenceNumber"] for m in read(11)["messages"]] == list(range(11, 249))
            assert client.call(APPEND, name="s", payload=b"x")[1]["sequenceNumber"] >= 250
            assert client.call(DESCRIBE, name="s")[1]["status"] == 0
