# SPDX-License-Identifier: Apache-2.0
"""andon-server as an administrator sees it: start, stop, faults, and what it says then."""
import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess

import pytest

from harness import Server, http, program, wait_until


def broker_pid(server):
    return json.loads((server.data / "mosquitto" / "broker.json").read_text())["pid"]


def run_in_vain(*options):
    ended = subprocess.run([program("andon-server"), *map(str, options)], capture_output=True,
                           text=True, timeout=30, check=False)
    assert ended.returncode != 0
    return ended


def test_it_is_ready_says_where_and_ends_on_sigterm(server):
    assert server.get("/healthz")[0] == 200
    assert server.info["api"].startswith("http://127.0.0.1:")
    assert server.info["devicePlane"].startswith("https://localhost:")
    wait_until(lambda: server.info["api"] in server.log(), "the address in the log")
    assert server.stop() == 0
    assert not (server.data / "server.json").exists()


def test_secrets_are_readable_by_their_owner_only(server):
    secrets = [server.data / "credentials" / "operator.json", server.data / "ca" / "ca.key",
               server.data / "ca" / "server.key", server.data / "credentials" / "operator.key"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in secrets)
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700


def test_a_killed_server_comes_back_with_everything(server):
    server.aws("iot").create_thing(thingName="line-1")
    before = (server.info, server.operator_key, open(server.ca_file).read())
    for _ in range(3):
        server.kill()
        server.start()
        assert (server.info, server.operator_key, open(server.ca_file).read()) == before
    assert server.aws("iot").describe_thing(thingName="line-1")["thingName"] == "line-1"


def test_a_server_killed_while_it_starts_is_mended_by_the_next_start(tmp_path):
    server = Server(tmp_path / "data")
    steps = ["ca/ca.key", "ca/ca.crt", "ca/server.key", "ca/server.crt", "andon.db",
             "credentials/operator.crt", "credentials/operator.json", "mosquitto/mosquitto.conf"]
    for step in steps:
        with open(server.log_file, "ab") as log:
            server.process = subprocess.Popen(server.command(), stderr=log)
        wait_until((server.data / step).exists, step)
        server.kill()
    with server:
        assert server.get("/readyz")[0] == 200


def test_databases_are_copied_before_their_schema_changes(tmp_path):
    """Data of before a migration: a start makes the copy, the next has nothing to change."""
    with Server(tmp_path / "data") as server:
        server.aws("iot").create_thing(thingName="line-1")
        server.stop()
        assert not list(server.data.glob("*.before-*"))
        with sqlite3.connect(server.data / "andon.db") as database:
            database.execute("DROP TABLE data_files")
            database.execute("DELETE FROM andon_migration WHERE name = '0001-data-files'")
        for _ in range(2):
            server.start()
            assert server.aws("iot").describe_thing(thingName="line-1")["thingName"] == "line-1"
            server.stop()
            copy, = server.data.glob("*.before-*")
        assert copy.name.startswith("andon.db.before-2") and stat.S_IMODE(copy.stat().st_mode) == 0o600
        with sqlite3.connect(copy) as database:
            assert not database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'data_files'").fetchall()
            assert database.execute("SELECT count(*) FROM things").fetchall() == [(1,)]


@pytest.mark.parametrize("file", ["andon.db", "workflow.db"])
def test_data_of_a_newer_version_is_refused_with_the_reason_and_left_as_it_is(tmp_path, file):
    with Server(tmp_path / "data") as server:
        server.stop()
        with sqlite3.connect(server.data / file) as database:
            component, last = database.execute(
                "SELECT component, max(position) FROM andon_migration GROUP BY component").fetchone()
            database.execute("INSERT INTO andon_migration VALUES (?, ?, '9999-of-later')",
                             (component, last + 1))
        ended = run_in_vain(*server.command()[1:])
        assert ended.returncode == 9
        assert f"written by a newer version of andon ({component}: 9999-of-later)" in ended.stderr
        assert "start that version, or restore a backup" in ended.stderr
        with sqlite3.connect(server.data / file) as database:
            database.execute("DELETE FROM andon_migration WHERE name = '9999-of-later'")
        server.start()


def test_a_killed_broker_is_started_again(server):
    first = broker_pid(server)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: broker_pid(server) != first, "another mosquitto")
    wait_until(lambda: server.get("/readyz")[0] == 200, "readiness")
    assert "signal 9" in server.log()


def test_the_broker_dies_with_a_killed_server(server):
    pid = broker_pid(server)
    server.kill()
    wait_until(lambda: not is_alive(pid), "the broker's end")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_data_directory_has_one_server(server):
    ended = run_in_vain(*server.command()[1:])
    assert str(server.data) in ended.stderr
    assert server.get("/readyz")[0] == 200


@pytest.mark.parametrize("option", ["--api-port", "--device-port", "--mqtt-port"])
def test_a_taken_port_is_named_with_its_option(tmp_path, option):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ports = {"--api-port": "0", "--device-port": "0", "--mqtt-port": "0", option: port}
        ended = run_in_vain("run", "--data", tmp_path / "data", "--device-address", "127.0.0.1",
                            *[word for pair in ports.items() for word in pair])
    assert f"127.0.0.1:{port}" in ended.stderr
    assert option in ended.stderr


def test_a_missing_mosquitto_is_named_with_what_to_do(tmp_path):
    ended = run_in_vain(*Server(tmp_path / "data", "--mosquitto", "no-such-broker").command()[1:])
    assert "'no-such-broker' is not installed" in ended.stderr
    assert "apt-get install mosquitto" in ended.stderr


def test_the_api_speaks_tls_where_it_is_not_on_loopback(tmp_path):
    options = ["--api-address", "0.0.0.0", "--host", "localhost"]
    with Server(tmp_path / "data", *options) as server:
        assert server.info["api"].startswith("https://localhost:")
        assert server.aws("iot").list_things()["things"] == []


@pytest.mark.parametrize("address", ["127.0.0.7", "0.0.0.0", "::"])
def test_devices_may_be_listened_for_on_any_address(tmp_path, address):
    with Server(tmp_path / "data", "--device-address", address) as server:
        assert server.get("/readyz")[0] == 200  # its own connection to its broker is there


def test_init_makes_what_a_server_needs_once(tmp_path):
    command = [program("andon-server"), "init", "--json", "--data", str(tmp_path / "data")]
    first, second = (json.loads(subprocess.run(command, check=True, capture_output=True,
                                               timeout=30).stdout) for _ in range(2))
    assert len(first["written"]) == 11
    assert second == {**first, "written": []}
    with Server(tmp_path / "data") as server:
        assert server.operator_key["accessKeyId"].startswith("AKIA")


def test_every_service_answers_on_the_one_port(server):
    assert server.aws("iot").list_things()["things"] == []
    assert server.aws("greengrassv2").list_deployments()["deployments"] == []
    assert server.aws("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    assert "andon-uploads" in [b["Name"] for b in server.aws("s3").list_buckets()["Buckets"]]


def test_an_unsigned_or_wrongly_signed_request_gets_403(server):
    status, body = http(server.info["api"] + "/greengrass/v2/deployments")
    assert status == 403, body
    wrong = {**server.operator_key, "secretAccessKey": "wrong"}
    for service, call in [("iot", "list_things"), ("s3", "list_buckets"),
                          ("greengrassv2", "list_deployments"),
                          ("sagemaker", "list_model_packages")]:
        client = server.aws(service, wrong)
        with pytest.raises(client.exceptions.ClientError) as refused:
            getattr(client, call)()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
