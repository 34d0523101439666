# SPDX-License-Identifier: Apache-2.0
"""What a function sees and how it fails: as in AWS, by itself and from a state machine."""
import json
from pathlib import Path

import boto3
import pytest

from functions import Functions, make_role
from harness import Server, checked, wait_until

S = "arn:aws:states:::"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Functions have the boto3 that the tests have."""
    with Server(tmp_path_factory.mktemp("server") / "data", "--function-python",
                Path(boto3.__file__).parent.parent) as running:
        yield running


@pytest.fixture
def functions(server, fresh):
    return Functions(server, fresh)


def arn_of(name):
    return f"arn:aws:lambda:us-east-1:000000000000:function:{name}"


def test_the_context_is_that_of_aws(functions):
    name = functions.create("""
def handler(event, context):
    return {"name": context.function_name, "version": context.function_version,
            "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb,
            "id": context.aws_request_id, "group": context.log_group_name,
            "stream": context.log_stream_name, "left": context.get_remaining_time_in_millis(),
            "custom": context.client_context.custom}
""", Timeout=30, MemorySize=256)
    told, error = functions.call(name, {}, ClientContext="eyJjdXN0b20iOiB7ImEiOiAiYiJ9fQ==")
    assert error is None
    assert (told["name"], told["version"], told["memory"]) == (name, "$LATEST", "256")
    assert told["arn"] == arn_of(name) and told["group"] == f"/aws/lambda/{name}"
    assert "[$LATEST]" in told["stream"] and 0 < told["left"] <= 30_000
    assert told["custom"] == {"a": "b"} and len(told["id"]) == 36


def test_the_log_has_aws_lines(functions):
    name = functions.create("""
import logging
logging.getLogger().setLevel("INFO")
def handler(event, context):
    print("printed"); logging.info("logged %s", event)
""")
    _, _, log = functions.call_with_log(name, 5)
    lines = log.splitlines()
    assert lines[0].startswith("START RequestId: ") and lines[0].endswith(" Version: $LATEST")
    assert lines[1] == "printed"
    assert lines[2].startswith("[INFO]\t") and lines[2].endswith("\tlogged 5")
    assert lines[3].startswith("END RequestId: ")
    assert lines[4].startswith("REPORT RequestId: ") and "\tMemory Size: 128 MB\t" in lines[4]
    wait_until(lambda: lines[4] in functions.lines(f"/aws/lambda/{name}"), "the log group")


@pytest.mark.parametrize("source, options, kind, message", [
    ("def handler(e, c): raise ValueError('no ' + e)\n", {}, "ValueError", "no x"),
    ("import not_there\n", {}, "Runtime.ImportModuleError",
     "Unable to import module 'app': No module named 'not_there'"),
    ("def other(): pass\n", {}, "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
    ("def handler(:\n", {}, "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
    ("x = 1 / 0\n", {}, "ZeroDivisionError", "division by zero"),
    ("", {"Handler": "app"}, "Runtime.MalformedHandlerName", "Bad handler 'app'"),
    ("def handler(e, c): return {1}\n", {}, "Runtime.MarshalError", "Unable to marshal response"),
    ("import os\ndef handler(e, c): os._exit(127)\n", {}, "Runtime.ExitError",
     "Runtime exited with error: exit status 127"),
    ("import sys\ndef handler(e, c): sys.exit(0)\n", {}, "Runtime.ExitError",
     "Runtime exited without providing a reason"),
    ("import os\ndef handler(e, c): os.kill(os.getpid(), 9)\n", {}, "Runtime.ExitError",
     "Runtime exited with error: signal: killed"),
    ("import sys\nsys.exit(3)\n", {}, "Runtime.ExitError", "exit status 3"),
    ("while True: pass\n", {"Timeout": 1}, "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
])
def test_failures_have_aws_names(functions, source, options, kind, message):
    name = functions.create(source, **options)
    told, error = functions.call(name, "x")
    assert error == "Unhandled" and told["errorType"] == kind, told
    assert message in told["errorMessage"]
    if kind == "ValueError":
        assert any("raise ValueError" in frame for frame in told["stackTrace"])
        assert len(told["requestId"]) == 36
    # The next call has another process, and fails alike.
    assert functions.call(name, "x")[0]["errorType"] == kind


def test_a_warm_function_keeps_its_state_and_a_failed_one_does_not_lose_the_next_call(functions):
    name = functions.create("""
count = 0
def handler(event, context):
    global count
    count += 1
    if event == "die": import os; os._exit(1)
    return count
""")
    assert [functions.call(name)[0] for _ in range(5)] == [1, 2, 3, 4, 5]
    assert functions.call(name, "die")[1] == "Unhandled"
    assert functions.call(name)[0] == 1


def test_a_bootstrap_speaks_the_runtime_api(functions):
    name = functions.create(None, Runtime="provided.al2023", Handler="any.thing", files={"bootstrap": r"""#!/usr/bin/python3
import os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as event:
        call, body = event.headers["Lambda-Runtime-Aws-Request-Id"], event.read()
        assert int(event.headers["Lambda-Runtime-Deadline-Ms"]) > 0
    if body == b'"fail"':
        what, answer = "/error", b'{"errorMessage": "m", "errorType": "Own.Error"}'
    else:
        what, answer = "/response", body
    urllib.request.urlopen(urllib.request.Request(api + call + what, answer))
"""})
    assert functions.call(name, {"a": 1}) == ({"a": 1}, None)
    assert functions.call(name, "fail") == (
        {"errorMessage": "m", "errorType": "Own.Error"}, "Unhandled")
    assert functions.call(name, 2) == (2, None)
    missing = functions.create(None, Runtime="provided", Handler="x", files={"readme": "no bootstrap"})
    told, error = functions.call(missing)
    assert error and told["errorType"] == "Runtime.InvalidEntrypoint" and "bootstrap" in told["errorMessage"]


def test_the_aws_sdk_inside_finds_andon_with_the_functions_role(server, functions, fresh):
    role = make_role(server, fresh("role"), {"Effect": "Allow", "Resource": "*", "Action": "iot:ListThings"})
    thing = fresh("thing")
    server.aws("iot").create_thing(thingName=thing)
    name = functions.create("""
import boto3
def handler(event, context):
    who = boto3.client("sts").get_caller_identity()["Arn"]
    things = [t["thingName"] for t in boto3.client("iot").list_things()["things"]]
    try:
        boto3.client("iot").create_thing(thingName="other")
    except Exception as error:
        return who, things, error.response["Error"]["Code"]
""", Role=role, Timeout=60, MemorySize=512)
    told, error, log = functions.call_with_log(name)
    assert error is None, log
    assert told[0] == f"arn:aws:sts::000000000000:assumed-role/{role.split('/')[-1]}/{name}"
    assert thing in told[1] and told[2] in ("AccessDeniedException", "UnauthorizedException")


def test_an_sdk_that_does_not_know_the_variable_finds_andon_too(functions):
    """The part of an old botocore that makes clients, as its package would bring it."""
    old = """
class Session:
    def create_client(self, service_name, region_name=None, api_version=None, use_ssl=True,
                      verify=None, endpoint_url=None, **more):
        return service_name, endpoint_url
"""
    name = functions.create("""
import botocore.session
def handler(event, context):
    session = botocore.session.Session()
    return [session.create_client("s3"), session.create_client("iot", endpoint_url="http://own")]
""", files={"botocore/__init__.py": "", "botocore/session.py": old})
    assert functions.call(name)[0] == [["s3", "http://127.0.0.1:9002"], ["iot", "http://own"]]


@pytest.fixture
def run(server, functions, fresh):
    states = checked(server.aws("stepfunctions"))
    role = make_role(server, fresh("role"), {"Effect": "Allow", "Action": "lambda:InvokeFunction",
                                             "Resource": "*"}, service="states.amazonaws.com")

    def call(resource, parameters=None, given=None, **more):
        state = {"Type": "Task", "Resource": resource, "End": True, **more}
        if parameters is not None:
            state["Parameters"] = parameters
        definition = {"StartAt": "A", "States": {"A": state, "Caught": {"Type": "Pass", "End": True}}}
        if "Catch" not in more:
            definition["States"].pop("Caught")
        machine = states.create_state_machine(name=fresh("machine"), roleArn=role,
                                              definition=json.dumps(definition))["stateMachineArn"]
        arn = states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
        return wait_until(lambda: (d := states.describe_execution(executionArn=arn))["status"] !=
                          "RUNNING" and d, "the execution")
    return call


def test_a_state_machine_calls_a_function(functions, run):
    name = functions.create("def handler(event, context): return {'got': event}\n")
    assert json.loads(run(arn_of(name), given={"a": 1})["output"]) == {"got": {"a": 1}}
    output = json.loads(run(S + "lambda:invoke", {"FunctionName": name, "Payload": {"b.$": "$.b"}},
                            {"b": 2})["output"])
    assert output["Payload"] == {"got": {"b": 2}} and output["StatusCode"] == 200
    assert output["ExecutedVersion"] == "$LATEST"
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert output["SdkResponseMetadata"]["RequestId"]


def test_a_functions_error_is_retried_and_caught_by_its_name(functions, run):
    flaky = functions.create("""
count = 0
class NotYet(Exception): pass
def handler(event, context):
    global count
    count += 1
    if count < 3: raise NotYet(f"attempt {count}")
    return count
""")
    retry = [{"ErrorEquals": ["NotYet"], "IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 1}]
    assert json.loads(run(arn_of(flaky), Retry=retry)["output"]) == 3
    broken = functions.create("def handler(e, c): raise RuntimeError('broken')\n")
    failed = run(arn_of(broken))
    assert failed["error"] == "RuntimeError"
    assert json.loads(failed["cause"])["errorMessage"] == "broken"
    caught = run(S + "lambda:invoke", {"FunctionName": broken}, Catch=[
        {"ErrorEquals": ["RuntimeError"], "Next": "Caught"}])
    assert json.loads(caught["output"])["Error"] == "RuntimeError"
    slow = functions.create("import time\ndef handler(e, c): time.sleep(60)\n", Timeout=1)
    assert run(arn_of(slow))["error"] == "Sandbox.Timedout"
    assert run(arn_of(functions.fresh("none")))["error"] == "Lambda.ResourceNotFoundException"
    functions.client.put_function_concurrency(FunctionName=flaky, ReservedConcurrentExecutions=0)
    assert run(arn_of(flaky))["error"] == "Lambda.TooManyRequestsException"


def test_a_task_token_waits_for_its_answer(server, functions, run, fresh):
    role = make_role(server, fresh("role"), {"Effect": "Allow", "Action": "states:SendTaskSuccess",
                                             "Resource": "*"})
    name = functions.create("""
import boto3, json
def handler(event, context):
    boto3.client("stepfunctions").send_task_success(taskToken=event["token"], output=json.dumps(7))
""", Role=role, Timeout=60, MemorySize=512)
    ended = run(S + "lambda:invoke.waitForTaskToken",
                {"FunctionName": name, "Payload": {"token.$": "$$.Task.Token"}})
    assert ended["status"] == "SUCCEEDED" and json.loads(ended["output"]) == 7
