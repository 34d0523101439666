# SPDX-License-Identifier: Apache-2.0
"""The Lambda API through boto3: every answer is parsed by botocore's model and has its required
members; what AWS refuses is refused by its code."""
import base64
import hashlib
import json
import urllib.request

import botocore.exceptions
import pytest

from functions import Functions, make_role, zipped
from harness import wait_until

ECHO = "def handler(event, context):\n    return event\n"


@pytest.fixture
def functions(server, fresh):
    return Functions(server, fresh)


@pytest.fixture
def client(functions):
    return functions.client


def error_of(call, **arguments):
    """(code, message, status) of a refusal."""
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    return (answer["Error"]["Code"], answer["Error"]["Message"],
            answer["ResponseMetadata"]["HTTPStatusCode"])


def arn_of(name):
    return f"arn:aws:lambda:us-east-1:000000000000:function:{name}"


def test_a_new_function_is_pending_then_active_and_has_aws_defaults(functions, client, fresh):
    package = zipped({"app.py": ECHO})
    name = fresh("function")
    made = client.create_function(FunctionName=name, Runtime="python3.13", Role=functions.role,
                                  Handler="app.handler", Code={"ZipFile": package})
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
    assert made["FunctionArn"] == arn_of(name) and made["Version"] == "$LATEST"
    assert made["CodeSha256"] == base64.b64encode(hashlib.sha256(package).digest()).decode()
    assert (made["MemorySize"], made["Timeout"], made["PackageType"]) == (128, 3, "Zip")
    assert made["EphemeralStorage"] == {"Size": 512} and made["CodeSize"] == len(package)
    assert made["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    found = client.get_function(FunctionName=name)
    assert found["Configuration"]["State"] == "Active"
    assert found["Configuration"]["LastUpdateStatus"] == "Successful"
    with urllib.request.urlopen(found["Code"]["Location"]) as answer:
        assert answer.read() == package
    assert functions.call(name, {"a": [1, "ü"]}) == ({"a": [1, "ü"]}, None)
    assert functions.call(arn_of(name), 7) == (7, None)
    assert functions.call(f"000000000000:function:{name}:$LATEST", None) == (None, None)


def test_code_comes_from_a_bucket_too(server, functions, client, fresh):
    s3 = server.aws("s3")
    bucket = fresh("code")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="f.zip", Body=zipped({"app.py": ECHO}))
    name = fresh("function")
    base = {"FunctionName": name, "Runtime": "python3.9", "Role": functions.role,
            "Handler": "app.handler"}
    code, message, _ = error_of(client.create_function, Code={"S3Bucket": bucket, "S3Key": "no"}, **base)
    assert code == "InvalidParameterValueException" and "S3 Error Code: NoSuchKey" in message
    client.create_function(Code={"S3Bucket": bucket, "S3Key": "f.zip"}, **base)
    functions.wait(name)
    assert functions.call(name, 1) == (1, None)


def test_new_code_and_configuration_serve_after_their_update(functions, client):
    name = functions.create(ECHO)
    revision = client.get_function_configuration(FunctionName=name)["RevisionId"]
    package = zipped({"other.py": "import os\ndef run(e, c): return os.environ['WORD']\n"})
    assert error_of(client.update_function_code, FunctionName=name, ZipFile=package,
                    RevisionId="x")[::2] == ("PreconditionFailedException", 412)
    dry = client.update_function_code(FunctionName=name, ZipFile=package, DryRun=True)
    assert dry["CodeSize"] == len(package) and functions.call(name, 1) == (1, None)
    updated = client.update_function_code(FunctionName=name, ZipFile=package, RevisionId=revision)
    assert updated["LastUpdateStatus"] == "InProgress"
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    changed = client.update_function_configuration(
        FunctionName=name, Handler="other.run", Timeout=9, MemorySize=256, Description="d",
        Environment={"Variables": {"WORD": "häuser"}})
    assert (changed["Timeout"], changed["MemorySize"], changed["Description"]) == (9, 256, "d")
    client.get_waiter("function_updated").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    assert functions.call(name) == ("häuser", None)


def test_functions_are_listed_in_pages_and_deleted(functions, client):
    names = {functions.create(ECHO) for _ in range(3)}
    pages = list(client.get_paginator("list_functions").paginate(
        PaginationConfig={"PageSize": 2}))
    assert all(len(page["Functions"]) <= 2 for page in pages)
    listed = [one["FunctionName"] for page in pages for one in page["Functions"]]
    assert names <= set(listed) and len(listed) == len(set(listed))
    gone = names.pop()
    client.delete_function(FunctionName=gone)
    code, message, status = error_of(client.get_function, FunctionName=gone)
    assert (code, status) == ("ResourceNotFoundException", 404) and arn_of(gone) in message
    assert error_of(client.invoke, FunctionName=gone)[1] == \
        f"Function not found: {arn_of(gone)}:$LATEST"


def test_what_aws_refuses_is_refused(functions, client, fresh):
    name = functions.create(ECHO)
    good = {"FunctionName": fresh("function"), "Runtime": "python3.12", "Role": functions.role,
            "Handler": "app.handler", "Code": {"ZipFile": zipped({"app.py": ECHO})}}

    def refusal(**changes):
        return error_of(client.create_function, **{**good, **changes})[:2]

    assert refusal(FunctionName=name)[0] == "ResourceConflictException"
    wrong = "InvalidParameterValueException"
    assert refusal(Code={"ZipFile": b"no zip"})[1].startswith("Could not unzip uploaded file.")
    assert refusal(Runtime="nodejs20.x")[0] == wrong
    assert refusal(Code={"ImageUri": "x"}, PackageType="Image")[0] == wrong
    assert "cannot be assumed by Lambda" in refusal(Role=functions.role + "-not")[1]
    assert refusal(MemorySize=20000)[0] == "ValidationException"
    assert refusal(Timeout=901)[0] == "ValidationException"
    assert "AWS_REGION" in refusal(Environment={"Variables": {"AWS_REGION": "x"}})[1]
    assert "exceeded the 4KB limit" in refusal(Environment={"Variables": {"XX": "x" * 4096}})[1]
    assert "does not exist" in refusal(Layers=["arn:aws:lambda:us-east-1:000000000000:layer:l:1"])[1]
    assert "VpcConfig" in refusal(VpcConfig={"SubnetIds": ["s"]})[1]
    assert refusal(DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q"})[0] == wrong
    assert refusal(Code={"ZipFile": zipped({"../out.py": ECHO})})[0] == wrong
    assert error_of(client.invoke, FunctionName=name, Payload=b"{no json")[0] == \
        "InvalidRequestContentException"
    assert error_of(client.invoke, FunctionName=name, Payload=b'"' + b"x" * 6291456 + b'"')[::2] == \
        ("RequestTooLargeException", 413)
    assert error_of(client.invoke, FunctionName=name, InvocationType="Event",
                    Payload=b'"' + b"x" * 262144 + b'"')[0] == "RequestTooLargeException"


def test_a_package_of_more_than_50_mb_is_refused(functions, client, fresh):
    large = zipped({"app.py": ECHO}) + b"\0" * 52_428_800
    code, message, status = error_of(
        client.create_function, FunctionName=fresh("function"), Runtime="python3.12",
        Role=functions.role, Handler="app.handler", Code={"ZipFile": large})
    assert (code, status) == ("RequestEntityTooLargeException", 413)
    assert "smaller than 52428800 bytes" in message


def test_versions_keep_what_was_published(functions, client):
    name = functions.create("def handler(e, c): return ['one', c.function_version]\n")
    first = client.publish_version(FunctionName=name, Description="first")
    assert (first["Version"], first["Description"]) == ("1", "first")
    assert client.publish_version(FunctionName=name)["Version"] == "1"  # nothing has changed
    client.update_function_code(FunctionName=name, Publish=True, ZipFile=zipped(
        {"app.py": "def handler(e, c): return ['two', c.function_version, c.invoked_function_arn]\n"}))
    assert functions.call(name, Qualifier="1")[0] == ["one", "1"]
    assert functions.call(f"{name}:2")[0] == ["two", "2", arn_of(name) + ":2"]
    listed = [one["Version"] for page in client.get_paginator("list_versions_by_function").paginate(
        FunctionName=name) for one in page["Versions"]]
    assert listed == ["$LATEST", "1", "2"]
    assert "different from current CodeSHA256" in error_of(
        client.publish_version, FunctionName=name, CodeSha256="x" * 44)[1]
    client.delete_function(FunctionName=name, Qualifier="1")
    assert error_of(client.invoke, FunctionName=name, Qualifier="1")[0] == "ResourceNotFoundException"
    assert error_of(client.delete_function, FunctionName=name, Qualifier="$LATEST")[0] == \
        "InvalidParameterValueException"


def test_aliases_point_to_versions_and_share_calls_between_two(functions, client):
    name = functions.create("def handler(e, c): return c.function_version\n")
    client.publish_version(FunctionName=name)
    client.update_function_configuration(FunctionName=name, Timeout=5)
    client.publish_version(FunctionName=name)
    made = client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert made["AliasArn"] == arn_of(name) + ":live"
    assert functions.call(name, Qualifier="live")[0] == "1"
    assert error_of(client.create_alias, FunctionName=name, Name="live",
                    FunctionVersion="1")[0] == "ResourceConflictException"
    assert error_of(client.update_alias, FunctionName=name, Name="live", RevisionId="x",
                    FunctionVersion="2")[0] == "PreconditionFailedException"
    client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert functions.call(f"{name}:live")[0] == "2"
    client.update_alias(FunctionName=name, Name="live",
                        RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})
    assert {functions.call(f"{name}:live")[0] for _ in range(40)} == {"1", "2"}
    assert [one["Name"] for one in client.list_aliases(FunctionName=name)["Aliases"]] == ["live"]
    assert client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "2"
    assert error_of(client.delete_function, FunctionName=name, Qualifier="2")[0] == \
        "ResourceConflictException"
    client.delete_alias(FunctionName=name, Name="live")
    assert error_of(client.get_alias, FunctionName=name, Name="live")[0] == "ResourceNotFoundException"
    assert error_of(client.create_alias, FunctionName=name, Name="12",
                    FunctionVersion="1")[0] == "InvalidParameterValueException"


def test_tags_are_set_read_and_removed(functions, client):
    name = functions.create(ECHO, Tags={"line": "3"})
    client.tag_resource(Resource=arn_of(name), Tags={"plant": "north", "line": "4"})
    assert client.list_tags(Resource=arn_of(name))["Tags"] == {"plant": "north", "line": "4"}
    assert client.get_function(FunctionName=name)["Tags"] == {"plant": "north", "line": "4"}
    client.untag_resource(Resource=arn_of(name), TagKeys=["plant", "none"])
    assert client.list_tags(Resource=arn_of(name))["Tags"] == {"line": "4"}


def test_reserved_concurrency_throttles(functions, client):
    name = functions.create(ECHO)
    assert client.put_function_concurrency(
        FunctionName=name, ReservedConcurrentExecutions=0)["ReservedConcurrentExecutions"] == 0
    assert error_of(client.invoke, FunctionName=name)[::2] == ("TooManyRequestsException", 429)
    assert client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 0
    assert client.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    client.delete_function_concurrency(FunctionName=name)
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName=name)
    assert functions.call(name, 1) == (1, None)
    assert client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] > 0


def test_a_dry_run_calls_nothing_and_an_event_is_answered_at_once(functions, client):
    name = functions.create("def handler(e, c): print('seen', e['n'])\n")
    assert client.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    answer = client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 41}')
    assert answer["StatusCode"] == 202 and answer["Payload"].read() == b""
    wait_until(lambda: "seen 41" in functions.lines(f"/aws/lambda/{name}"), "the event's line")


def test_how_events_are_handled_is_set_changed_and_removed(functions, client, server, fresh):
    name = functions.create(ECHO)
    group = fresh("group")
    server.aws("logs").create_log_group(logGroupName=group)
    target = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
    put = client.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60,
        DestinationConfig={"OnFailure": {"Destination": target}})
    assert put["FunctionArn"] == arn_of(name) + ":$LATEST" and put["MaximumRetryAttempts"] == 0
    changed = client.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    assert (changed["MaximumRetryAttempts"], changed["MaximumEventAgeInSeconds"]) == (1, 60)
    assert client.get_function_event_invoke_config(FunctionName=name)["DestinationConfig"][
        "OnFailure"] == {"Destination": target}
    assert len(client.list_function_event_invoke_configs(FunctionName=name)[
        "FunctionEventInvokeConfigs"]) == 1
    for wrong in ("arn:aws:sqs:us-east-1:000000000000:q", arn_of(name)):
        assert error_of(client.put_function_event_invoke_config, FunctionName=name,
                        DestinationConfig={"OnFailure": {"Destination": wrong}})[0] == \
            "InvalidParameterValueException"
    client.delete_function_event_invoke_config(FunctionName=name)
    assert error_of(client.get_function_event_invoke_config,
                    FunctionName=name)[0] == "ResourceNotFoundException"


def test_an_event_that_fails_goes_to_its_destination_and_its_dead_letter(functions, client, server, fresh):
    group, letters = fresh("failures"), fresh("letters")
    logs = server.aws("logs")
    for one in (group, letters):
        logs.create_log_group(logGroupName=one)
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:{}:*".format
    name = functions.create("def handler(e, c): raise KeyError(e['key'])\n",
                            DeadLetterConfig={"TargetArn": arn(letters)})
    receiver = functions.create("import json\ndef handler(e, c): print(json.dumps(e))\n")
    client.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": arn(group)}})
    client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"key": "k"}')
    record = json.loads(wait_until(lambda: functions.lines(group), "the record")[0])
    assert record["version"] == "1.0" and record["requestPayload"] == {"key": "k"}
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST",
                                         "functionError": "Unhandled"}
    assert record["responsePayload"]["errorType"] == "KeyError"
    letter = json.loads(wait_until(lambda: functions.lines(letters), "the letter")[0])
    assert letter["Event"] == {"key": "k"} and letter["ErrorMessage"] == "'k'"
    good = functions.create(ECHO)
    client.put_function_event_invoke_config(
        FunctionName=good, DestinationConfig={"OnSuccess": {"Destination": arn_of(receiver)}})
    client.invoke(FunctionName=good, InvocationType="Event", Payload=b"5")
    seen = wait_until(lambda: [line for line in functions.lines(f"/aws/lambda/{receiver}")
                               if line.startswith("{")], "the success")
    assert json.loads(seen[0])["responsePayload"] == 5


def test_an_events_destination_can_be_a_bus(functions, client, server, fresh):
    bus, group = fresh("bus"), fresh("records")
    events = server.aws("events")
    arn = events.create_event_bus(Name=bus)["EventBusArn"]
    server.aws("logs").create_log_group(logGroupName=group)
    events.put_rule(Name="all", EventBusName=bus, EventPattern=json.dumps({"source": ["lambda"]}))
    events.put_targets(Rule="all", EventBusName=bus, Targets=[{
        "Id": "log", "Arn": f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"}])
    name = functions.create("def handler(e, c): return 1 / e\n")
    client.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0,
        DestinationConfig={"OnSuccess": {"Destination": arn}, "OnFailure": {"Destination": arn}})
    for payload in (b"2", b"0"):
        client.invoke(FunctionName=name, InvocationType="Event", Payload=payload)

    def told():
        return {one["detail-type"]: one for line in functions.lines(group) if (one := json.loads(line))}
    seen = wait_until(lambda: len(told()) == 2 and told(), "both records")
    good = seen["Lambda Function Invocation Result - Success"]
    assert good["detail"]["responsePayload"] == 0.5 and good["resources"] == [arn_of(name)]
    bad = seen["Lambda Function Invocation Result - Failure"]
    assert bad["detail"]["responsePayload"]["errorType"] == "ZeroDivisionError"
    assert error_of(client.put_function_event_invoke_config, FunctionName=name, DestinationConfig={
        "OnSuccess": {"Destination": "arn:aws:sqs:us-east-1:000000000000:q"}})[0] == "InvalidParameterValueException"


def test_permissions_are_kept_for_templates(functions, client):
    name = functions.create(ECHO)
    added = client.add_permission(
        FunctionName=name, StatementId="rule", Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com", SourceArn="arn:aws:events:us-east-1:000000000000:rule/r")
    statement = json.loads(added["Statement"])
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Resource"] == arn_of(name)
    assert error_of(client.add_permission, FunctionName=name, StatementId="rule",
                    Action="lambda:InvokeFunction", Principal="*")[0] == "ResourceConflictException"
    policy = client.get_policy(FunctionName=name)
    assert json.loads(policy["Policy"])["Statement"] == [statement]
    client.remove_permission(FunctionName=name, StatementId="rule", RevisionId=policy["RevisionId"])
    assert error_of(client.get_policy, FunctionName=name)[0] == "ResourceNotFoundException"


def test_who_may_not_pass_the_role_creates_no_function(server, functions, client, fresh):
    iam = server.aws("iam")
    user = fresh("user")
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}]}))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    own = server.aws("lambda", {"accessKeyId": key["AccessKeyId"],
                                "secretAccessKey": key["SecretAccessKey"]})
    name = functions.create(ECHO)
    assert json.loads(own.invoke(FunctionName=name, Payload=b"3")["Payload"].read()) == 3
    code, message, _ = error_of(
        own.create_function, FunctionName=fresh("function"), Runtime="python3.12",
        Role=functions.role, Handler="app.handler", Code={"ZipFile": zipped({"app.py": ECHO})})
    assert code == "AccessDeniedException" and "iam:PassRole" in message
    other = make_role(server, fresh("role"), service="states.amazonaws.com")
    assert "cannot be assumed" in error_of(
        client.update_function_configuration, FunctionName=name, Role=other)[1]
