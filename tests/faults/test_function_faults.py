# SPDX-License-Identifier: Apache-2.0
"""What of functions outlives the server's death: asynchronous calls, and code that is being prepared."""
import itertools
import json

from functions import Functions, zipped
from harness import Server, wait_until

_count = itertools.count(1)


def fresh(word):
    return f"{word}-{next(_count)}"


def seen(functions, group):
    """What was called: a record is on the disk before its event is forgotten, unlike a log's lines."""
    return {json.loads(line)["requestPayload"] for line in functions.lines(group)}


def test_asynchronous_calls_go_on_after_the_server_was_killed(tmp_path):
    with Server(tmp_path / "data") as server:
        functions = Functions(server, fresh)
        name = functions.create("import time\ndef handler(e, c):\n    time.sleep(0.2)\n    print('did', e)\n",
                                Timeout=30)
        server.aws("logs").create_log_group(logGroupName="done")
        functions.client.put_function_event_invoke_config(FunctionName=name, DestinationConfig={
            "OnSuccess": {"Destination": "arn:aws:logs:us-east-1:000000000000:log-group:done"}})
        wanted = set(range(12))
        for number in wanted:
            functions.client.invoke(FunctionName=name, InvocationType="Event", Payload=str(number))
        wait_until(lambda: seen(functions, "done"), "the first calls")
        for _ in range(2):
            server.kill()
            server.start()
            functions = Functions(server, fresh)
        wait_until(lambda: seen(functions, "done") == wanted, "all calls", 90)
        assert json.loads(functions.client.invoke(FunctionName=name, Payload=b'"x"')["Payload"].read()) is None


def test_code_and_packages_are_whole_after_the_server_was_killed(tmp_path):
    with Server(tmp_path / "data") as server:
        functions = Functions(server, fresh)
        names = []
        for number in range(4):
            name = fresh("function")
            functions.client.create_function(
                FunctionName=name, Runtime="python3.12", Role=functions.role, Handler="app.handler",
                Code={"ZipFile": zipped({"app.py": f"def handler(e, c): return {number}\n"})})
            names.append(name)
        server.kill()
        for left in (server.data / "functions" / "packages").iterdir():
            # As a restored backup has it: the directory is no part of one.
            left.rename(server.data / f"gone-{left.name}")
        server.start()
        functions = Functions(server, fresh)
        for number, name in enumerate(names):
            functions.wait(name)
            assert functions.call(name) == (number, None)
