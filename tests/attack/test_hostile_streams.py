# SPDX-License-Identifier: Apache-2.0
"""Clients of streams that mean harm: whatever they send or leave unread costs their own connection
at most, and neither the agent's memory nor anybody else's streams."""
import random
import resource
import socket
import struct

import pytest
from harness import wait_until

pytest.importorskip("stream_manager", reason="needs stream-manager")

from stream_line import APPEND, CREATE, LIST, READ, RawClient, StreamLine


@pytest.fixture(scope="module")
def line(shared_server, tmp_path_factory):
    with StreamLine(shared_server, tmp_path_factory.mktemp("line") / "device") as running:
        yield running


def memory_mib(line):
    with open(f"/proc/{line.agent.process.pid}/status") as status:
        return next(int(one.split()[1]) for one in status if one.startswith("VmRSS")) / 1024


def assert_serves(line):
    with line.raw() as client:
        assert client.call(LIST)[1]["status"] == 0


def test_any_bytes_end_at_most_their_own_connection(line):
    chance = random.Random(5)
    for round_ in range(300):
        with RawClient(line.port) as client:
            if round_ % 2:
                client.connect(line.token)
            frame = RawClient.frame(chance.choice([APPEND, READ, CREATE, 1, 99]),
                                    chance.randbytes(chance.randrange(1, 200)))
            try:
                client.socket.sendall(frame if chance.random() < 0.5 else chance.randbytes(300))
                client.socket.shutdown(socket.SHUT_WR)
                while client.receive() is not None:
                    pass
            except (OSError, ValueError):
                pass
    assert_serves(line)


def test_frames_beyond_the_limits_are_passed_over_and_answered(line):
    before = memory_mib(line)
    with line.raw() as client:
        begin = b"\xa1\x69requestId\x63big"
        length = 200 << 20
        client.socket.sendall(struct.pack(">ib", 1 + length, APPEND) + begin)
        chunk = bytes(1 << 20)
        left = length - len(begin)
        while left > 0:
            client.socket.sendall(chunk[:left])
            left -= min(left, len(chunk))
        operation, answer = client.receive()
        assert (operation, answer["requestId"], answer["status"]) == (APPEND + 5, "big", 4)
        assert client.call(LIST)[1]["status"] == 0
    assert memory_mib(line) < before + 16
    for length in (0, 1, -5, (1 << 30) + 1):
        with line.raw() as client:
            client.socket.sendall(struct.pack(">ib", length, APPEND) + bytes(100))
            assert client.receive() is None


def test_frames_that_never_end_do_not_fill_the_memory(line):
    before = memory_mib(line)
    clients = []
    for _ in range(8):
        client = line.raw()
        client.socket.sendall(struct.pack(">ib", 60 << 20, APPEND) + bytes(8 << 20))
        clients.append(client)
    assert_serves(line)
    assert memory_mib(line) < before + 160
    for client in clients:
        client.close()
    assert_serves(line)


def test_a_thousand_connections_keep_nobody_out(line):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    before = memory_mib(line)
    crowd = [socket.create_connection(("127.0.0.1", line.port)) for _ in range(1000)]
    try:
        for number, one in enumerate(crowd):
            if number % 3 == 0:
                try:
                    one.sendall(b"\x01")
                except OSError:
                    pass
        for _ in range(3):
            assert_serves(line)
        assert memory_mib(line) < before + 32
    finally:
        for one in crowd:
            one.close()


def test_two_hundred_idle_clients_and_a_hundred_streams_cost_little(line):
    with line.raw() as client:
        for i in range(100):
            assert client.call(CREATE, definition={"name": f"idle {i}", "strategyOnFull": 1})[
                1]["status"] == 0
            client.call(APPEND, name=f"idle {i}", payload=bytes(1000))
    clients = [line.raw() for _ in range(200)]
    print(f"{memory_mib(line):.1f} MiB")
    assert_serves(line)
    for one in clients:
        assert one.call(LIST)[1]["status"] == 0
        one.close()


def test_a_client_that_does_not_read_keeps_nobody(line):
    with line.raw() as client, line.raw() as other:
        client.call(CREATE, definition={"name": "unread", "strategyOnFull": 1})
        client.call(APPEND, name="unread", payload=bytes(1 << 20))
        before = memory_mib(line)
        client.socket.settimeout(2)
        try:
            for i in range(2000):
                client.send(READ, {"requestId": str(i), "streamName": "unread"})
        except OSError:
            pass
        for i in range(50):
            assert other.call(APPEND, name="unread", payload=b"x")[1]["status"] == 0
        assert memory_mib(line) < before + 80
    wait_until(lambda: line.raw().call(LIST)[1]["status"] == 0, "the next client")


def test_thousands_of_reads_that_wait_are_bounded(line):
    with line.raw() as client:
        client.call(CREATE, definition={"name": "waiting", "strategyOnFull": 1})
        for i in range(4000):
            client.send(READ, {"requestId": str(i), "streamName": "waiting", "readMessagesOptions": {
                "readTimeoutMillis": 50_000}})
        assert_serves(line)
        with line.raw() as other:
            assert other.call(APPEND, name="waiting", payload=b"x")[1]["status"] == 0
        assert client.receive()[1]["status"] == 0


def test_a_file_that_components_may_not_read_is_not_uploaded(server, open_directory):
    """The agent is root, and components are not."""
    import os
    if os.geteuid() != 0:
        pytest.skip("needs root")
    root = open_directory / "device"
    with StreamLine(server, root, thing="files-1", component_user="nobody") as line:
        secret = open_directory / "secret"
        secret.write_bytes(b"root's")
        secret.chmod(0o600)
        public = open_directory / "public"
        public.write_bytes(b"everybody's")
        public.chmod(0o644)
        with line.raw() as client:
            client.call(CREATE, definition={"name": "status", "strategyOnFull": 1})
            assert client.call(CREATE, definition={
                "name": "t", "strategyOnFull": 0, "exportDefinition": {"s3TaskExecutor": [{
                    "identifier": "e", "statusConfig": {"statusStreamName": "status"}}]}})[
                        1]["status"] == 0
            for name in ("secret", "public"):
                client.call(APPEND, name="t", payload=(
                    '{"inputUrl":"file:%s","bucket":"andon-uploads","key":"files-1/%s"}' % (
                        open_directory / name, name)).encode())
            answer = client.call(READ, streamName="status", readMessagesOptions={
                "minMessageCount": 4, "readTimeoutMillis": 30_000})[1]
            assert answer["status"] == 0, answer
            told = b"\n".join(m["payload"] for m in answer["messages"]).decode()
            assert '"status":1' in told and "Permission denied" in told, told
        keys = [one["Key"] for one in line.fleet.s3.list_objects_v2(
            Bucket="andon-uploads").get("Contents", [])]
        assert "files-1/public" in keys and "files-1/secret" not in keys
