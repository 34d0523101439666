# SPDX-License-Identifier: Apache-2.0
"""Streams of a device as components see them: the public Python SDK unmodified, and the protocol
byte by byte, against the real agent."""
import threading

import cbor2
import pytest
from harness import wait_until

pytest.importorskip("stream_manager", reason="needs stream-manager")

from stream_line import (APPEND, CREATE, LIST, READ, UPDATE, RawClient, StreamLine)
from stream_manager import (ConnectFailedException, InvalidRequestException,
                            MessageStreamDefinition, NotEnoughMessagesException, Persistence,
                            ReadMessagesOptions, RequestPayloadTooLargeException,
                            ResourceNotFoundException, StrategyOnFull, StreamManagerClient,
                            UpdateNotAllowedException)

OVERWRITE, REJECT = StrategyOnFull.OverwriteOldestData, StrategyOnFull.RejectNewData
SUCCESS, UNAUTHORIZED, INVALID, TOO_LARGE, NOT_FOUND, NOT_ENOUGH, READ_ERROR = 0, 2, 3, 4, 5, 13, 14


@pytest.fixture(scope="module")
def line(shared_server, tmp_path_factory):
    with StreamLine(shared_server, tmp_path_factory.mktemp("line") / "device") as running:
        yield running


@pytest.fixture
def sdk(line):
    return line.sdk()


@pytest.fixture
def raw(line):
    with line.raw() as client:
        yield client


def definition(name, strategy=REJECT, **more):
    return MessageStreamDefinition(name=name, strategy_on_full=strategy, **more)


def test_the_sdk_runs_its_whole_api(sdk):
    sdk.create_message_stream(definition("api", max_size=100_000, stream_segment_size=10_000))
    assert "api" in sdk.list_streams()
    assert [sdk.append_message("api", str(i).encode()) for i in range(5)] == list(range(5))
    messages = sdk.read_messages("api", ReadMessagesOptions(
        desired_start_sequence_number=1, min_message_count=2, max_message_count=3))
    assert [(m.stream_name, m.sequence_number, m.payload) for m in messages] == [
        ("api", i, str(i).encode()) for i in (1, 2, 3)]
    assert messages[0].ingest_time > 1_600_000_000_000
    info = sdk.describe_message_stream("api")
    assert info.storage_status.oldest_sequence_number == 0
    assert info.storage_status.newest_sequence_number == 4
    assert info.storage_status.total_bytes == 5
    assert info.export_statuses == []
    info.definition.max_size = 200_000
    sdk.update_message_stream(info.definition)
    assert sdk.describe_message_stream("api").definition.max_size == 200_000
    sdk.delete_message_stream("api")
    with pytest.raises(ResourceNotFoundException):
        sdk.append_message("api", b"x")
    with pytest.raises(ResourceNotFoundException):
        sdk.delete_message_stream("api")


def test_bytes_of_a_recorded_client_get_the_bytes_that_it_knows(line):
    with RawClient(line.port) as client:
        hello = bytes.fromhex(
            "010000005c01a46972657175657374496461206f70726f746f636f6c56657273696f6e65312e312e30781e6f"
            "74686572537570706f7274656450726f746f636f6c56657273696f6e738165312e302e306a73646b56657273"
            "696f6e65312e312e30")
        client.socket.sendall(hello)  # without a token
        assert client.file.read(1) == b"\x01"
        assert client.receive()[1]["status"] == UNAUTHORIZED
        assert client.receive() is None
    with line.raw() as client:
        client.call(CREATE, definition={"name": "s", "strategyOnFull": 1})
        client.socket.sendall(bytes.fromhex(
            "0000002004a3697265717565737449646120646e616d656173677061796c6f6164426869"))
        assert client.file.read(56) == bytes.fromhex(
            "0000003409a469726571756573744964612066737461747573006c6572726f724d657373616765606e736571"
            "75656e63654e756d62657200")


def test_maps_and_lists_of_indefinite_length_are_read(line):
    """As the Java client writes them."""
    with RawClient(line.port) as client:
        def text(value):
            return cbor2.dumps(value)
        hello = (b"\xbf" + text("requestId") + text("1") + text("protocolVersion") + text("1.1.0")
                 + text("otherSupportedProtocolVersions") + b"\x9f" + text("1.0.0") + b"\xff"
                 + text("authToken") + text(line.token) + b"\xff")
        client.socket.sendall(b"\x01" + RawClient.frame(1, hello))
        assert client.file.read(1) == b"\x01"
        assert client.receive()[1]["status"] == SUCCESS
        client.send(CREATE, b"\xbf" + text("requestId") + text("2") + text("definition") + b"\xbf"
                    + text("name") + b"\x7f" + text("indef") + text("inite") + b"\xff"
                    + text("strategyOnFull") + text(1) + text("maxSize") + text(None) + b"\xff\xff")
        assert client.receive()[1]["status"] == SUCCESS
        assert "indefinite" in client.call(LIST)[1]["streams"]


def test_only_the_token_of_a_component_that_runs_opens_the_door(line):
    for token in ("wrong", ""):
        with pytest.raises(ConnectFailedException):
            line.sdk(token=token)
    for token in (None, "", "x" * 1000, line.token[:-1]):
        with RawClient(line.port) as client:
            operation, answer = client.connect(token)
            assert (operation, answer["status"]) == (6, UNAUTHORIZED)
            assert client.receive() is None


def test_a_token_ends_with_its_component_and_who_needs_none_is_let_in(server, tmp_path):
    with StreamLine(server, tmp_path / "device") as line:
        token, port = line.token, line.port
        line.fleet.component(line.name, "2.0.0", {"run": "exit 0"}, dependencies={
            "aws.greengrass.StreamManager": {"VersionRequirement": "^2.0.0"}})
        line.fleet.deploy_and_wait({line.name: "2.0.0", "aws.greengrass.StreamManager": (
            "2.2.0", line.configuration)})
        with RawClient(port) as client:
            assert client.connect(token)[1]["status"] == UNAUTHORIZED
        line.fleet.deploy_and_wait({line.name: "2.0.0", "aws.greengrass.StreamManager": (
            "2.2.0", {"STREAM_MANAGER_SERVER_PORT": port,
                      "STREAM_MANAGER_AUTHENTICATE_CLIENT": "false"})})

        def let_in():
            try:
                with RawClient(port) as client:
                    return client.connect()[1]["status"] == SUCCESS
            except OSError:
                return False
        wait_until(let_in, "the stream manager with its new configuration")


def test_a_client_of_another_version_is_told_so(line):
    for hello, status in (({"version": b"\x02"}, 8), ({"protocol": "9.9.9"}, 10),
                          ({"protocol": "nine"}, 11)):
        with RawClient(line.port) as client:
            assert client.connect(line.token, **hello)[1]["status"] == status
            assert client.receive() is None
    with RawClient(line.port) as client:
        client.socket.sendall(b"\x01" + RawClient.frame(LIST, {"requestId": "1"}))
        assert client.file.read(1) == b"\x01"
        assert client.receive()[1]["status"] == 9
    with RawClient(line.port) as client:
        answer = client.connect(line.token, protocol="9.0.0",
                                otherSupportedProtocolVersions=["1.0.0"])[1]
        assert (answer["status"], answer["protocolVersion"]) == (SUCCESS, "1.0.0")
        operation, answer = client.call(UPDATE, definition={"name": "s", "strategyOnFull": 1})
        assert (operation, answer["status"]) == (17, 18)


def test_an_operation_that_is_not_known_leaves_the_connection_usable(raw):
    for operation in (99, 0, -3, 9):
        answered, answer = raw.call(operation)
        assert (answered, answer["status"]) == (17, 18)
    assert raw.call(LIST)[1]["status"] == SUCCESS


def test_a_read_that_waits_keeps_no_other_request(line, raw):
    raw.call(CREATE, definition={"name": "polled", "strategyOnFull": 1})
    raw.send(READ, {"requestId": "poll", "streamName": "polled", "readMessagesOptions": {
        "minMessageCount": 3, "readTimeoutMillis": 30_000}})
    for i in range(3):
        raw.send(APPEND, {"requestId": f"a{i}", "name": "polled", "payload": b"x"})
    answers = [raw.receive() for _ in range(4)]
    assert [answer["requestId"] for _, answer in answers] == ["a0", "a1", "a2", "poll"]
    assert len(answers[3][1]["messages"]) == 3


def test_answers_to_equal_ids_come_in_order(raw):
    """One client numbers nothing: its id is always a blank."""
    raw.call(CREATE, definition={"name": "blank", "strategyOnFull": 1})
    raw.send(READ, {"requestId": " ", "streamName": "blank", "readMessagesOptions": {
        "readTimeoutMillis": 30_000}})
    raw.send(APPEND, {"requestId": " ", "name": "blank", "payload": b"x"})
    assert [raw.receive()[0] for _ in range(2)] == [READ + 5, APPEND + 5]


def test_reads_begin_wait_and_end_as_they_are_asked_to(sdk, raw):
    sdk.create_message_stream(definition("reads"))
    for i in range(10):
        sdk.append_message("reads", b"%d" % i)

    def read(**options):
        return [m.sequence_number for m in
                sdk.read_messages("reads", ReadMessagesOptions(**options))]
    assert read() == [0]
    assert read(min_message_count=4) == [0, 1, 2, 3]
    assert read(desired_start_sequence_number=8, max_message_count=10) == [8, 9]
    for options in ({"desired_start_sequence_number": 10}, {"min_message_count": 11,
                    "max_message_count": 11}, {"desired_start_sequence_number": 10,
                                               "read_timeout_millis": 100}):
        with pytest.raises(NotEnoughMessagesException):
            read(**options)
    for options in ({"maxMessageCount": 1, "minMessageCount": 2}, {"minMessageCount": 0},
                    {"readTimeoutMillis": -1}, {"desiredStartSequenceNumber": -1},
                    {"minMessageCount": 1 << 31}):
        answer = raw.call(READ, streamName="reads", readMessagesOptions=options)[1]
        assert answer["status"] == INVALID, options
    assert raw.call(READ, streamName="nobody")[1]["status"] == NOT_FOUND
    # What is asked for comes late.
    found = []
    reader = threading.Thread(target=lambda: found.extend(
        read(desired_start_sequence_number=10, min_message_count=2, read_timeout_millis=30_000)))
    reader.start()
    sdk.append_message("reads", b"10")
    sdk.append_message("reads", b"11")
    reader.join(30)
    assert found == [10, 11]


def test_a_read_that_times_out_is_answered_before_its_client_gives_up(line):
    client = line.sdk(request_timeout=3)
    client.create_message_stream(definition("times out"))
    for _ in range(2):
        with pytest.raises(NotEnoughMessagesException):
            client.read_messages("times out", ReadMessagesOptions(read_timeout_millis=2999))


def test_many_threads_read_large_messages_over_one_connection(sdk):
    sdk.create_message_stream(definition("large"))
    payload = bytes(range(256)) * 400
    for _ in range(20):
        sdk.append_message("large", payload)
    wrong = []

    def read():
        for i in range(150):
            message, = sdk.read_messages("large", ReadMessagesOptions(
                desired_start_sequence_number=i % 20))
            if (message.sequence_number, message.payload) != (i % 20, payload):
                wrong.append(message)
    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not wrong and not any(thread.is_alive() for thread in threads)


def test_names_are_kept_as_they_are(line, sdk):
    names = ["..", " ", "a b,c.-_", "x" * 255, "Prüfung 1"]
    for name in names:
        sdk.create_message_stream(definition(name))
        sdk.append_message(name, name.encode())
    line.restart()
    fresh = line.sdk()
    assert set(names) <= set(fresh.list_streams())
    for name in names:
        assert fresh.read_messages(name)[0].payload == name.encode()
    with line.raw() as raw:
        for name in ("x" * 256, "", "a/b", "a\0b"):
            answer = raw.call(CREATE, definition={"name": name, "strategyOnFull": 1})[1]
            assert answer["status"] == INVALID, name


def test_each_number_of_a_definition_has_its_range(raw):
    most = (1 << 63) - 1
    ranges = {"maxSize": (1024, most), "streamSegmentSize": (1024, (1 << 31) - 1),
              "timeToLiveMillis": (60_000, 9_223_372_036_854)}
    count = 0
    for key, (least, highest) in ranges.items():
        for value, good in ((least, True), (least - 1, False), (highest, True),
                            (highest + 1, False)):
            count += 1
            answer = raw.call(CREATE, definition={
                "name": f"range {count}", "strategyOnFull": 1, key: value})[1]
            assert (answer["status"] == SUCCESS) == good, (key, value, answer)
    for wrong in ({}, {"name": "x"}, {"name": "x", "strategyOnFull": 2},
                  {"name": "x", "strategyOnFull": 1, "persistence": 2},
                  {"name": "x", "strategyOnFull": "1"}, {"name": 7, "strategyOnFull": 1}):
        assert raw.call(CREATE, definition=wrong)[1]["status"] == INVALID, wrong
    export = {"identifier": "e", "uri": "http://127.0.0.1:9/"}
    for key, least, highest in (("batchSize", 1, 500), ("priority", 1, 10),
                                ("batchIntervalMillis", 60_000, 9_223_372_036_854)):
        for value, good in ((least, True), (least - 1, False), (highest, True),
                            (highest + 1, False)):
            count += 1
            answer = raw.call(CREATE, definition={
                "name": f"range {count}", "strategyOnFull": 1,
                "exportDefinition": {"http": [{**export, key: value}]}})[1]
            assert (answer["status"] == SUCCESS) == good, (key, value, answer)


def test_exports_that_are_not_possible_are_refused_by_name(raw):
    for key, name in (("kinesis", "Kinesis"), ("iotAnalytics", "Analytics"),
                      ("IotSitewise", "SiteWise")):
        answer = raw.call(CREATE, definition={
            "name": key, "strategyOnFull": 1, "exportDefinition": {key: [{"identifier": "e"}]}})[1]
        assert answer["status"] == INVALID and name in answer["errorMessage"]


def test_a_full_stream_overwrites_whole_segments_or_refuses(sdk):
    sdk.create_message_stream(definition("over", OVERWRITE, max_size=10_240,
                                         stream_segment_size=1_024))
    sdk.create_message_stream(definition("full", max_size=10_240, stream_segment_size=1_024))
    for i in range(200):
        sdk.append_message("over", bytes(100))
        status = sdk.describe_message_stream("over").storage_status
        assert status.total_bytes <= 10_240 and status.oldest_sequence_number % 10 == 0
    assert status.oldest_sequence_number > 90
    for _ in range(102):
        sdk.append_message("full", bytes(100))
    with pytest.raises(InvalidRequestException, match="^StreamFull"):
        sdk.append_message("full", bytes(100))
    assert len(sdk.read_messages("full", ReadMessagesOptions(max_message_count=500))) == 102
    with pytest.raises(RequestPayloadTooLargeException):
        sdk.append_message("over", bytes(1_025))


def test_a_stream_in_memory_writes_no_message_to_the_disk(line, sdk):
    sdk.create_message_stream(definition("memory", persistence=Persistence.Memory))
    secret = b"only in memory" * 100
    for _ in range(100):
        sdk.append_message("memory", secret)
    assert len(sdk.read_messages("memory", ReadMessagesOptions(max_message_count=100))) == 100
    assert not any(secret[:14] in file.read_bytes()
                   for file in (line.agent.root / "streams").rglob("*") if file.is_file())
    line.restart()
    fresh = line.sdk()
    assert fresh.describe_message_stream("memory").storage_status.newest_sequence_number == -1
    assert fresh.append_message("memory", b"x") == 0


def test_what_is_described_can_be_the_next_update_and_persistence_stays(sdk):
    sdk.create_message_stream(definition("update", max_size=50_000, stream_segment_size=5_000,
                                         time_to_live_millis=60_000, flush_on_write=True))
    before = sdk.describe_message_stream("update").definition
    sdk.update_message_stream(before)
    assert sdk.describe_message_stream("update").definition.as_dict() == before.as_dict()
    before.persistence = Persistence.Memory
    before.flush_on_write = False
    with pytest.raises(UpdateNotAllowedException):
        sdk.update_message_stream(before)
    sdk.update_message_stream(definition("update", max_size=20_000, stream_segment_size=2_000))
    after = sdk.describe_message_stream("update").definition
    assert (after.max_size, after.time_to_live_millis, after.flush_on_write) == (20_000, None, False)
    for i in range(30):
        sdk.append_message("update", bytes(500))
    for wrong in ({"max_size": 10_000, "stream_segment_size": 2_000},
                  {"max_size": 20_000, "stream_segment_size": 30_000}):
        with pytest.raises(InvalidRequestException):
            sdk.update_message_stream(definition("update", **wrong))


def test_each_sdk_goes_on_after_the_agent_was_killed(server, tmp_path):
    configuration = {"STREAM_MANAGER_AUTHENTICATE_CLIENT": "false"}
    with StreamLine(server, tmp_path / "device", configuration=configuration) as line:
        port = line.port
        line.deploy({**configuration, "STREAM_MANAGER_SERVER_PORT": port})
        client = None

        def connected():
            nonlocal client
            try:
                client = StreamManagerClient(port=port)
                return True
            except OSError:
                return False
        wait_until(connected, "the stream manager on its port")
        client.create_message_stream(definition("kept"))
        for i in range(3):
            assert client.append_message("kept", b"x") == i * 2
            line.restart()

            def again():
                try:
                    return client.append_message("kept", b"y") == i * 2 + 1
                except (OSError, ConnectFailedException):
                    return False
            wait_until(again, "the client's next call")
        client.close()


def test_the_component_has_any_version_is_listed_and_its_configuration_counts(server, tmp_path):
    with StreamLine(server, tmp_path / "device") as line:
        assert line.agent.components()["aws.greengrass.StreamManager"][0] == "2.2.0"
        installed = wait_until(lambda: [
            c for c in line.fleet.greengrass.list_installed_components(
                coreDeviceThingName="edge-1")["installedComponents"]
            if c["componentName"] == "aws.greengrass.StreamManager"], "the installed component")
        assert installed[0]["componentVersion"] == "2.2.0"
        store = tmp_path / "elsewhere"
        line.deploy({**line.configuration, "STREAM_MANAGER_STORE_ROOT_DIR": str(store)}, "2.1.13")
        wait_until(lambda: line.agent.components()["aws.greengrass.StreamManager"][0] == "2.1.13",
                   "the other version")
        wait_until(store.exists, "the streams' other directory")
        line.restart()
        line.sdk().create_message_stream(definition("there"))
        assert any(store.iterdir())
        # Without the component there is nobody.
        port = line.port
        line.fleet.component("com.example.Other", "1.0.0", {"run": "exec sleep 1000"})
        line.fleet.deploy_and_wait({"com.example.Other": "1.0.0"})

        def is_gone():
            try:
                RawClient(port).close()
                return False
            except ConnectionRefusedError:
                return True
        wait_until(is_gone, "the stream manager having ended")
        assert "aws.greengrass.StreamManager" not in line.agent.components()
