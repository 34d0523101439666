# SPDX-License-Identifier: Apache-2.0
"""A state machine's role is asked at every call that the machine makes: each kind is denied by a
role that may nothing, by AWS's name, and done by one that may just this."""
import json

import pytest

from harness import wait_until
from test_iam import ACCOUNT, allow, checked, client_of, code_of, document, message_of, trust

S = "arn:aws:states:::"
A = f"us-east-1:{ACCOUNT}:"
STATES = {"Service": "states.amazonaws.com"}


@pytest.fixture
def iam(server):
    return checked(server.aws("iam"))


@pytest.fixture
def states(server):
    return server.aws("stepfunctions")


@pytest.fixture
def new_role(iam, fresh):
    """new_role(statement, ...) -> name of a role that state machines may take."""
    def make(*statements, trusted=STATES):
        name = fresh("role")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(trusted))
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        return name
    return make


def arn_of(role):
    return f"arn:aws:iam::{ACCOUNT}:role/{role}"


@pytest.fixture
def run(states, fresh):
    """run(role, state) -> the execution's description."""
    def call(role, state, more=None):
        machine = states.create_state_machine(
            name=fresh("machine"), roleArn=arn_of(role) if ":" not in role else role,
            definition=json.dumps({"StartAt": "A", "States": {
                "A": {**({} if "Next" in state else {"End": True}), **state}, **(more or {})}})
        )["stateMachineArn"]
        arn = states.start_execution(stateMachineArn=machine)["executionArn"]
        return wait_until(lambda: (d := states.describe_execution(executionArn=arn))["status"] !=
                          "RUNNING" and d, "the execution")
    return call


def task(resource, parameters, **more):
    return {"Type": "Task", "Resource": resource, "Parameters": parameters, **more}


@pytest.fixture(scope="module")
def plant(server):
    """What the calls are about."""
    s3, states, iot = server.aws("s3"), server.aws("stepfunctions"), server.aws("iot")
    s3.create_bucket(Bucket="roles")
    s3.put_object(Bucket="roles", Key="in/items.json", Body=b"[1, 2]")
    iot.create_thing(thingName="line-3")
    iot.create_thing_group(thingGroupName="lines")
    child = states.create_state_machine(
        name="child", roleArn=arn_of("andon-workflows"),
        definition=json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}))
    connection = server.aws("events").create_connection(
        Name="c", AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "x", "ApiKeyValue": "y"}})
    return {"child": child["stateMachineArn"], "connection": connection["ConnectionArn"]}


MAP = {"Type": "Map", "ItemProcessor": {
    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    "StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}}

# What is called; what the role must be allowed; the error of who is not; the error of who is, where
# the call comes to nothing here.
CALLS = [
    ("sdk", lambda p: task(S + "aws-sdk:iot:describeThing", {"ThingName": "line-3"}),
     [allow("iot:DescribeThing", f"arn:aws:iot:{A}thing/line-3")], "Iot.IotException", None),
    ("sdk of greengrass", lambda p: task(S + "aws-sdk:greengrassv2:listCoreDevices", {}),
     [allow("greengrass:ListCoreDevices")], "GreengrassV2.AccessDeniedException", None),
    ("sdk of states", lambda p: task(S + "aws-sdk:sfn:describeStateMachine",
                                     {"StateMachineArn": p["child"]}),
     [allow("states:DescribeStateMachine", f"arn:aws:states:{A}stateMachine:child")],
     "Sfn.SfnException", None),
    ("startExecution", lambda p: task(S + "states:startExecution", {"StateMachineArn": p["child"]}),
     [allow("states:StartExecution", f"arn:aws:states:{A}stateMachine:child")],
     "StepFunctions.AWSStepFunctionsException", None),
    ("startExecution.sync", lambda p: task(S + "states:startExecution.sync:2",
                                           {"StateMachineArn": p["child"]}),
     [allow("states:StartExecution", f"arn:aws:states:{A}stateMachine:child"),
      allow("states:DescribeExecution", f"arn:aws:states:{A}execution:child:*")],
     "StepFunctions.AWSStepFunctionsException", None),
    ("startExecution.waitForTaskToken",
     lambda p: task(S + "states:startExecution.waitForTaskToken",
                    {"StateMachineArn": p["child"], "Input": {"t.$": "$$.Task.Token"}},
                    TimeoutSeconds=1),
     [allow("states:StartExecution", f"arn:aws:states:{A}stateMachine:child")],
     "StepFunctions.AWSStepFunctionsException", "States.Timeout"),
    ("lambda:invoke", lambda p: task(S + "lambda:invoke", {"FunctionName": "f"}),
     [allow("lambda:InvokeFunction", f"arn:aws:lambda:{A}function:f")],
     "Lambda.AWSLambdaException", "Lambda.ResourceNotFoundException"),
    ("a function's ARN", lambda p: task(f"arn:aws:lambda:{A}function:f", {}),
     [allow("lambda:InvokeFunction", f"arn:aws:lambda:{A}function:f")],
     "Lambda.AWSLambdaException", "Lambda.ResourceNotFoundException"),
    ("events:putEvents", lambda p: task(S + "events:putEvents", {"Entries": [
        {"Source": "s", "DetailType": "d", "Detail": {}}]}),
     [allow("events:PutEvents", f"arn:aws:events:{A}event-bus/default")],
     "EventBridge.AmazonEventBridgeException", None),
    ("http:invoke", lambda p: task(S + "http:invoke", {
        "ApiEndpoint": "https://not-allowed.example/", "Method": "GET",
        "Authentication": {"ConnectionArn": p["connection"]}}),
     [allow("states:InvokeHTTPEndpoint", Condition={"StringEquals": {"states:HTTPMethod": "GET"},
                                                    "StringLike": {"states:HTTPEndpoint":
                                                                   "https://not-allowed.*"}}),
      allow("events:RetrieveConnectionCredentials", f"arn:aws:events:{A}connection/c/*")],
     "States.Permissions", "States.Permissions"),
    ("getObject", lambda p: task(S + "aws-sdk:s3:getObject", {"Bucket": "roles", "Key": "in/items.json"}),
     [allow("s3:GetObject", "arn:aws:s3:::roles/in/*")], "S3.S3Exception", None),
    ("headObject", lambda p: task(S + "aws-sdk:s3:headObject", {"Bucket": "roles", "Key": "in/items.json"}),
     [allow("s3:GetObject", "arn:aws:s3:::roles/in/*")], "S3.S3Exception", None),
    ("putObject", lambda p: task(S + "aws-sdk:s3:putObject",
                                 {"Bucket": "roles", "Key": "out/a", "Body": "x"}),
     [allow("s3:PutObject", "arn:aws:s3:::roles/out/*")], "S3.S3Exception", None),
    ("copyObject", lambda p: task(S + "aws-sdk:s3:copyObject", {
        "Bucket": "roles", "Key": "out/b", "CopySource": "roles/in/items.json"}),
     [allow("s3:GetObject", "arn:aws:s3:::roles/in/*"), allow("s3:PutObject", "arn:aws:s3:::roles/out/*")],
     "S3.S3Exception", None),
    ("deleteObject", lambda p: task(S + "aws-sdk:s3:deleteObject", {"Bucket": "roles", "Key": "out/none"}),
     [allow("s3:DeleteObject", "arn:aws:s3:::roles/out/*")], "S3.S3Exception", None),
    ("listObjectsV2", lambda p: task(S + "aws-sdk:s3:listObjectsV2", {"Bucket": "roles", "Prefix": "in/"}),
     [allow("s3:ListBucket", "arn:aws:s3:::roles", Condition={"StringEquals": {"s3:prefix": "in/"}})],
     "S3.S3Exception", None),
    ("a Map's items", lambda p: {**MAP, "ItemReader": {
        "Resource": S + "s3:getObject", "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "roles", "Key": "in/items.json"}}},
     [allow("s3:GetObject", "arn:aws:s3:::roles/in/*")], "States.ItemReaderFailed", None),
    ("a Map's listing", lambda p: {**MAP, "ItemReader": {
        "Resource": S + "s3:listObjectsV2", "Parameters": {"Bucket": "roles", "Prefix": "in/"}}},
     [allow("s3:ListBucket", "arn:aws:s3:::roles")], "States.ItemReaderFailed", None),
    ("a Map's results", lambda p: {**MAP, "ItemsPath": "$.items", "ResultWriter": {
        "Resource": S + "s3:putObject", "Parameters": {"Bucket": "roles", "Prefix": "results"}}},
     [allow("s3:PutObject", "arn:aws:s3:::roles/results/*")], "States.ResultWriterFailed", None),
    ("a job", lambda p: task("arn:andon:states:::job:run.sync", {
        "Command": ["cat", "items.json"],
        "Inputs": {"items.json": {"Bucket": "roles", "Key": "in/items.json"}}}),
     [allow("andon:RunJob"), allow("s3:GetObject", "arn:aws:s3:::roles/in/*")],
     "States.Permissions", None),
    ("a deployment", lambda p: task("arn:andon:states:::deployment:run.sync", {
        "TargetArn": f"arn:aws:iot:{A}thing/none", "Components": {}}),
     [allow("greengrass:CreateDeployment", f"arn:aws:iot:{A}thing/none")],
     "GreengrassV2.AccessDeniedException", "GreengrassV2.ResourceNotFoundException"),
]


@pytest.mark.parametrize("make, statements, denied, then",
                         [call[1:] for call in CALLS], ids=[call[0] for call in CALLS])
def test_a_call_is_denied_and_then_allowed(run, new_role, iam, plant, make, statements, denied, then):
    state = make(plant)
    items = {"Type": "Pass", "Result": {"items": [1, 2]}, "Next": "M"}

    def steps(named):
        if "ItemsPath" in state:
            return run(named, items, {"M": {**state, "End": True}})
        return run(named, state)

    role = new_role()
    told = steps(role)
    assert (told["status"], told["error"]) == ("FAILED", denied), told
    assert f"assumed-role/{role}/" in told["cause"] and "is not authorized to perform" in told["cause"]
    iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document(*statements))
    told = steps(role)
    if then is None:
        assert told["status"] == "SUCCEEDED", told
    else:
        assert told["error"] == then and "is not authorized to perform" not in told.get("cause", ""), told
    # Each statement is needed.
    for number in range(len(statements) if len(statements) > 1 else 0):
        rest = statements[:number] + statements[number + 1:]
        iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document(*rest))
        assert steps(role).get("error") == denied


@pytest.mark.parametrize("trusted", [{"AWS": ACCOUNT}, {"Service": "lambda.amazonaws.com"}])
def test_a_role_that_states_may_not_take_fails_each_call_and_can_be_caught(run, new_role, trusted):
    role = new_role(allow("*"), trusted=trusted)
    call = task(S + "aws-sdk:iot:describeThing", {"ThingName": "line-3"})
    told = run(role, call)
    assert told["error"] == "States.Permissions" and "states.amazonaws.com" in told["cause"], told
    caught = run(role, {**call, "Catch": [{"ErrorEquals": ["States.Permissions"], "Next": "B"}]},
                 {"B": {"Type": "Pass", "Result": "caught", "End": True}})
    assert caught["status"] == "SUCCEEDED" and caught["output"] == '"caught"'


def test_a_role_that_is_not_there_fails_each_call_and_one_made_later_is_taken(run, iam, fresh):
    role = fresh("later")
    call = task(S + "aws-sdk:iot:listThings", {})
    assert run(role, call)["error"] == "States.Permissions"
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust(STATES))
    iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document(allow("iot:ListThings")))
    assert run(role, call)["status"] == "SUCCEEDED"
    # As templates of AWS have it, with the account of theirs.
    assert run(f"arn:aws:iam::123456789012:role/{role}", call)["status"] == "SUCCEEDED"


def test_a_trust_policy_can_hold_to_one_state_machine(run, iam, new_role, fresh):
    role = new_role(allow("iot:*"))
    call = task(S + "aws-sdk:iot:listThings", {})
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust(
        STATES, Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:states:{A}stateMachine:other"}}))
    assert run(role, call)["error"] == "States.Permissions"
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust(
        STATES, Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:states:{A}stateMachine:machine-*"}}))
    assert run(role, call)["status"] == "SUCCEEDED"


def test_the_role_of_a_tasks_credentials_is_taken_by_the_machines(run, iam, new_role):
    own = new_role()
    other = new_role(allow("iot:ListThings"), trusted={"AWS": arn_of(own)})
    call = task(S + "aws-sdk:iot:listThings", {}, Credentials={"RoleArn": arn_of(other)})
    assert run(own, call)["status"] == "SUCCEEDED"
    assert run(new_role(allow("iot:*")), call)["error"] == "States.Permissions"
    iam.delete_role_policy(RoleName=other, PolicyName="own")
    assert run(own, call)["error"] == "Iot.IotException"


def test_who_may_not_pass_a_role_makes_no_machine_with_it(server, iam, states, fresh, new_role):
    role, other, user = new_role(), new_role(), fresh("user")
    iam.create_user(UserName=user)
    mine = client_of(server, "stepfunctions", iam.create_access_key(UserName=user)["AccessKey"])
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": arn_of(role), "Condition": {
        "StringEquals": {"iam:PassedToService": "states.amazonaws.com"}}}
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})

    def create(named):
        return mine.create_state_machine(name=fresh("m"), roleArn=named, definition=definition)

    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=document(allow("states:*")))
    assert code_of(create, named=arn_of(role)) == "AccessDeniedException"
    assert "iam:PassRole on resource: " + arn_of(role) in message_of(create, named=arn_of(role))
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=document(allow("states:*"), passing))
    made = create(arn_of(role))["stateMachineArn"]
    assert code_of(create, named=arn_of(other)) == "AccessDeniedException"
    assert code_of(create, named=f"arn:aws:iam::123456789012:role/{other}") == "AccessDeniedException"
    assert code_of(mine.update_state_machine, stateMachineArn=made, roleArn=arn_of(other)) == (
        "AccessDeniedException")
    other_one = definition.replace('"A"', '"B"')
    mine.update_state_machine(stateMachineArn=made, definition=other_one)
    # Another definition is another use of the role that the machine has.
    theirs = states.create_state_machine(name=fresh("m"), roleArn=arn_of(other),
                                         definition=definition)["stateMachineArn"]
    assert code_of(mine.update_state_machine, stateMachineArn=theirs,
                   definition=other_one) == "AccessDeniedException"
    mine.update_state_machine(stateMachineArn=theirs, roleArn=arn_of(role), definition=definition)


def test_a_deployer_writes_machines_with_the_ready_made_role_alone(server, iam, fresh):
    user = fresh("user")
    iam.create_user(UserName=user)
    iam.attach_user_policy(UserName=user, PolicyArn="arn:aws:iam::aws:policy/AndonDeployerAccess")
    mine = client_of(server, "stepfunctions", iam.create_access_key(UserName=user)["AccessKey"])
    definition = json.dumps({"StartAt": "A", "States": {"A": {"End": True, **task(
        S + "aws-sdk:iot:listThings", {})}}})
    made = mine.create_state_machine(name=fresh("m"), roleArn=arn_of("andon-workflows"),
                                     definition=definition)["stateMachineArn"]
    arn = mine.start_execution(stateMachineArn=made)["executionArn"]
    assert wait_until(lambda: (d := mine.describe_execution(executionArn=arn))["status"] != "RUNNING" and d,
                      "the execution")["status"] == "SUCCEEDED"
    for role in ("admin", "operator"):
        assert code_of(mine.create_state_machine, name=fresh("m"), roleArn=arn_of(role),
                       definition=definition) == "AccessDeniedException"


def test_a_state_is_tested_as_the_role_that_is_given(states, new_role):
    state = json.dumps({**task(S + "aws-sdk:iot:listThings", {}), "End": True})
    assert states.test_state(definition=state, roleArn=arn_of(new_role()))["error"] == "Iot.IotException"
    assert states.test_state(definition=state, roleArn=arn_of(
        new_role(allow("iot:ListThings"))))["status"] == "SUCCEEDED"


def test_a_log_is_written_as_far_as_the_role_may(server, states, iam, new_role, fresh):
    logs, group, role = server.aws("logs"), fresh("group"), new_role()
    logs.create_log_group(logGroupName=group)
    where = f"arn:aws:logs:{A}log-group:{group}"
    arguments = {"name": fresh("m"), "roleArn": arn_of(role), "definition": json.dumps(
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}), "loggingConfiguration": {
            "level": "ALL", "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": where + ":*"}}]}}
    assert code_of(states.create_state_machine, **arguments) == "AccessDeniedException"
    iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document(
        allow("logs:PutLogEvents", where + ":log-stream:states/*")))
    machine = states.create_state_machine(**arguments)["stateMachineArn"]

    def lines():
        states.start_execution(stateMachineArn=machine)
        return len(logs.filter_log_events(logGroupName=group)["events"])

    wait_until(lines, "a line of the log")


def test_a_role_that_was_made_for_aws_may_log_and_a_deny_of_its_lines_counts(server, states, iam, new_role, fresh):
    group, role = fresh("group"), new_role(allow("logs:CreateLogDelivery"))
    server.aws("logs").create_log_group(logGroupName=group)
    where = f"arn:aws:logs:{A}log-group:{group}"

    def create():
        return states.create_state_machine(
            name=fresh("m"), roleArn=arn_of(role), definition=json.dumps(
                {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}),
            loggingConfiguration={"level": "ERROR", "destinations": [
                {"cloudWatchLogsLogGroup": {"logGroupArn": where + ":*"}}]})

    create()
    iam.put_role_policy(RoleName=role, PolicyName="deny", PolicyDocument=document(
        {"Effect": "Deny", "Action": "logs:PutLogEvents", "Resource": "*"}))
    assert code_of(create) == "AccessDeniedException"


def test_the_session_of_an_execution_is_named_in_the_denial(run, new_role, states):
    role = new_role()
    told = run(role, task(S + "aws-sdk:iot:listThings", {}))
    assert f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{told['name']}" in told["cause"]


def test_an_operator_passes_the_roles_of_services_and_no_other(server, iam, fresh, new_role):
    user, mine = fresh("user"), new_role()
    iam.create_user(UserName=user)
    iam.attach_user_policy(UserName=user, PolicyArn="arn:aws:iam::aws:policy/AndonOperatorAccess")
    operator = client_of(server, "stepfunctions", iam.create_access_key(UserName=user)["AccessKey"])
    name = fresh("role")
    made = iam.create_role(RoleName=name, Path="/service-role/", AssumeRolePolicyDocument=trust(STATES))
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})

    def create(named):
        return operator.create_state_machine(name=fresh("m"), roleArn=named, definition=definition)

    create(made["Role"]["Arn"])
    create(arn_of("andon-workflows"))
    for other in (arn_of(mine), arn_of("admin")):
        assert code_of(create, named=other) == "AccessDeniedException"
