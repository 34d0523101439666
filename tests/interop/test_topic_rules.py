# SPDX-License-Identifier: Apache-2.0
"""Topic rules of AWS IoT with boto3: which messages they take, what of them, and where it goes."""
import base64
import json
import re
import urllib.parse

import pytest

from aws_client import client_of, status_and_code
from functions import Functions
from harness import Server, wait_until
from test_events import log_group, messages, role
from test_http_invoke import Endpoint, serving

ACCOUNT = "000000000000"
PASS = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})


@pytest.fixture(scope="module")
def endpoint():
    server = serving()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def server(tmp_path_factory, endpoint):
    data = tmp_path_factory.mktemp("rules") / "data"
    with Server(data, "--http-allow", f"http://{endpoint}") as running:
        yield running


@pytest.fixture(scope="module")
def iot(server):
    return client_of(server, "iot")


@pytest.fixture(scope="module")
def all_role(server):
    return role(server, "rules", "s3:PutObject", "iot:Publish", "logs:PutLogEvents",
                "states:StartExecution", service="iot.amazonaws.com")


def create(iot, name, sql, *actions, **more):
    iot.create_topic_rule(ruleName=name, topicRulePayload={
        "sql": sql, "actions": list(actions), "awsIotSqlVersion": "2016-03-23", **more})


def say_until(server, topic, payload, condition, what):
    """Publishes again and again until what should come of it has: a rule counts from when the
    broker has its subscription."""
    mqtt = server.operator_mqtt()

    def said():
        mqtt.publish(topic, payload)
        return condition()
    return wait_until(said, what)


def test_a_rule_is_made_read_replaced_disabled_and_deleted(iot, fresh, all_role):
    name = fresh("rule").replace("-", "_")
    log = {"cloudwatchLogs": {"roleArn": all_role, "logGroupName": "none"}}
    create(iot, name, "SELECT * FROM 'plant/+/oven' WHERE temperature > 80", log,
           description="hot", errorAction=log)
    found = iot.get_topic_rule(ruleName=name)
    assert found["ruleArn"] == f"arn:aws:iot:us-east-1:{ACCOUNT}:rule/{name}"
    rule = found["rule"]
    assert (rule["ruleName"], rule["sql"], rule["description"], rule["actions"], rule["errorAction"],
            rule["ruleDisabled"], rule["awsIotSqlVersion"]) == \
        (name, "SELECT * FROM 'plant/+/oven' WHERE temperature > 80", "hot", [log], log, False,
         "2016-03-23")
    assert rule["createdAt"]
    assert status_and_code(create, iot, name, "SELECT * FROM 'a'") \
        == (409, "ResourceAlreadyExistsException")
    iot.disable_topic_rule(ruleName=name)
    assert iot.get_topic_rule(ruleName=name)["rule"]["ruleDisabled"]
    iot.enable_topic_rule(ruleName=name)
    iot.replace_topic_rule(ruleName=name, topicRulePayload={
        "sql": "SELECT temperature FROM 'plant/1/oven'", "actions": [log]})
    replaced = iot.get_topic_rule(ruleName=name)["rule"]
    assert replaced["sql"].startswith("SELECT temperature") and "errorAction" not in replaced
    assert replaced["createdAt"] == rule["createdAt"]
    listed = iot.list_topic_rules(topic="plant/1/oven")["rules"]
    assert [(one["ruleName"], one["topicPattern"], one["ruleDisabled"]) for one in listed] \
        == [(name, "plant/1/oven", False)]
    iot.delete_topic_rule(ruleName=name)
    for call in (iot.get_topic_rule, iot.delete_topic_rule, iot.enable_topic_rule):
        assert status_and_code(call, ruleName=name) == (401, "UnauthorizedException")


def test_rules_are_listed_in_pages(iot, fresh):
    names = sorted(fresh("paged").replace("-", "_") for _ in range(5))
    for name in names:
        create(iot, name, f"SELECT * FROM 'pages/{name}'", ruleDisabled=name == names[0])
    pages = list(iot.get_paginator("list_topic_rules").paginate(PaginationConfig={"PageSize": 2}))
    assert [one["ruleName"] for page in pages for one in page["rules"]
            if one["ruleName"] in names] == names
    assert [one["ruleName"] for one in iot.list_topic_rules(ruleDisabled=True)["rules"]] \
        == [names[0]]
    for name in names:
        iot.delete_topic_rule(ruleName=name)


def test_what_a_rule_cannot_do_is_refused(iot, fresh, all_role):
    name = fresh("wrong").replace("-", "_")
    s3 = {"s3": {"roleArn": all_role, "bucketName": "b", "key": "k"}}
    parse, wrong = (400, "SqlParseException"), (400, "InvalidRequestException")
    for sql in ("SELECT", "SELECT * FROM plant", "SELECT * FROM 'a/#/b'",
                "SELECT get_thing_shadow('a', 'b') AS s FROM 'a'"):
        assert status_and_code(create, iot, name, sql) == parse, sql
    for action in ({"sqs": {"roleArn": all_role, "queueUrl": "x"}}, {"s3": {"roleArn": all_role}},
                   {"s3": {**s3["s3"], "cannedAcl": "public-read"}},
                   {"s3": {**s3["s3"], "key": "${topic("}}, {},
                   {"republish": {"roleArn": all_role, "topic": "a/b"}},
                   {"republish": {"roleArn": all_role, "topic": "$$aws/things/x/jobs/notify"}},
                   {"republish": {"roleArn": all_role, "topic": "c", "qos": 2}},
                   {"stepFunctions": {"roleArn": all_role}}, {"http": {"headers": []}}):
        assert status_and_code(create, iot, name, "SELECT * FROM 'a/#'", action) == wrong, action
    assert status_and_code(create, iot, "a-b", "SELECT * FROM 'a'") == wrong
    assert status_and_code(create, iot, name, "SELECT * FROM 'a'", *([s3] * 11)) == wrong


def test_an_object_a_log_line_and_a_message_are_made_of_a_message(server, iot, fresh, all_role):
    s3 = server.aws("s3")
    bucket, word = fresh("bucket"), fresh("hall")
    s3.create_bucket(Bucket=bucket)
    group = log_group(server, fresh("group")).rsplit(":", 1)[1]
    create(iot, fresh("all").replace("-", "_"),
           f"SELECT temperature AS t, topic(2) AS line FROM '{word}/+/oven' WHERE temperature > 80",
           {"s3": {"roleArn": all_role, "bucketName": bucket, "key": "${topic(2)}/${temperature}.json"}},
           {"cloudwatchLogs": {"roleArn": all_role, "logGroupName": group}},
           {"republish": {"roleArn": all_role, "topic": "hot/" + word + "/${topic(2)}", "qos": 1,
                          "headers": {"contentType": "application/json", "userProperties": [
                              {"key": "line", "value": "${topic(2)}"}]}}})
    with server.operator_mqtt().subscribe(f"hot/{word}/#") as heard:
        assert server.operator_mqtt().publish(f"{word}/4/oven", {"temperature": 20})
        say_until(server, f"{word}/4/oven", {"temperature": 90}, lambda: messages(server, group),
                  "a log line")
        topic, text = heard.wait_for(lambda *_: True, "the message that is published again")
    assert topic == f"hot/{word}/4"
    assert json.loads(text) == {"t": 90, "line": "4"} == json.loads(messages(server, group)[0])
    assert json.loads(wait_until(
        lambda: s3.list_objects_v2(Bucket=bucket).get("Contents") and s3.get_object(
            Bucket=bucket, Key="4/90.json")["Body"].read(), "the object")) == {"t": 90, "line": "4"}
    assert all(json.loads(line)["t"] == 90 for line in messages(server, group))


def test_rules_that_publish_to_each_other_in_a_circle_are_stopped(server, iot, fresh, all_role):
    word = fresh("round")
    for here, there in (("ping", "pong"), ("pong", "ping")):
        create(iot, f"{here}_{word}".replace("-", "_"), f"SELECT * FROM '{here}/{word}'",
               {"republish": {"roleArn": all_role, "topic": f"{there}/{word}", "qos": 1}})
    say_until(server, f"ping/{word}", {"n": word},
              lambda: re.search(f'in a circle.*{word}|{word}.*in a circle', server.log()), "its end")
    # And other messages go on being taken, on the same topics too.
    with server.operator_mqtt().subscribe(f"pong/{word}") as heard:
        assert server.operator_mqtt().publish(f"ping/{word}", {"n": 2})
        heard.wait_for(lambda _, text: json.loads(text)["n"] == 2, "another message")


def test_a_state_machine_is_started_and_an_endpoint_called(server, iot, fresh, all_role, endpoint):
    states, name, word = server.aws("stepfunctions"), fresh("machine"), fresh("hall")
    machine = states.create_state_machine(
        name=name, definition=PASS,
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/workflow")["stateMachineArn"]
    create(iot, fresh("start").replace("-", "_"), f"SELECT * FROM '{word}'",
           {"stepFunctions": {"roleArn": all_role, "stateMachineName": name,
                              "executionNamePrefix": "oven-"}},
           {"http": {"url": f"http://{endpoint}/rules/" + word,
                     "headers": [{"key": "X-Line", "value": "${line}"}]}})
    executions = say_until(
        server, word, {"line": "4"},
        lambda: states.list_executions(stateMachineArn=machine)["executions"], "an execution")
    assert executions[0]["name"].startswith("oven-")
    described = states.describe_execution(executionArn=executions[0]["executionArn"])
    assert json.loads(described["input"]) == {"line": "4"}
    method, _, headers, body = wait_until(
        lambda: next((one for one in Endpoint.seen if one[1] == f"/rules/{word}"), None), "the call")
    assert (method, headers["X-Line"], json.loads(body)) == ("POST", "4", {"line": "4"})


def test_a_function_is_called_with_what_a_rule_has_selected(server, iot, fresh):
    functions, word = Functions(server, fresh), fresh("hall")
    name = functions.create("def handler(event, context):\n    print('GOT', event['line'])\n")
    create(iot, fresh("call").replace("-", "_"), f"SELECT line FROM '{word}'", {"lambda": {
        "functionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"}})
    say_until(server, word, {"line": "4", "more": 1},
              lambda: any("GOT 4" in line for line in functions.lines(f"/aws/lambda/{name}")),
              "the function's line")


def test_where_an_action_fails_for_good_the_error_action_is_told(server, iot, fresh, all_role):
    word = fresh("hall")
    group = log_group(server, fresh("group")).rsplit(":", 1)[1]
    name = fresh("fails").replace("-", "_")
    create(iot, name, f"SELECT * FROM '{word}'",
           {"s3": {"roleArn": all_role, "bucketName": "there-is-none", "key": "k"}},
           errorAction={"cloudwatchLogs": {"roleArn": all_role, "logGroupName": group}})
    say_until(server, word, {"a": 1}, lambda: messages(server, group), "word of the failure")
    told = json.loads(messages(server, group)[0])
    assert (told["ruleName"], told["topic"]) == (name, word)
    assert json.loads(base64.b64decode(told["base64OriginalPayload"])) == {"a": 1}
    failure = told["failures"][0]
    assert (failure["failedAction"], failure["failedResource"]) \
        == ("S3Action", "arn:aws:s3:::there-is-none")
    assert failure["errorMessage"]


def test_an_actions_role_must_be_allowed_and_its_maker_may_pass_it(server, iot, limited, fresh):
    word = fresh("hall")
    group = log_group(server, fresh("group")).rsplit(":", 1)[1]
    poor = role(server, fresh("poor"), "logs:PutLogEvents", service="iot.amazonaws.com")
    foreign = role(server, fresh("foreign"), "logs:PutLogEvents", service="events.amazonaws.com")
    logs = {"cloudwatchLogs": {"roleArn": poor, "logGroupName": group}}
    create(iot, fresh("poor").replace("-", "_"), f"SELECT * FROM '{word}'",
           {"republish": {"roleArn": poor, "topic": "other/" + word}}, errorAction=logs)
    say_until(server, word, {"a": 1}, lambda: messages(server, group), "word of the failure")
    assert "iot:Publish" in json.loads(messages(server, group)[0])["failures"][0]["errorMessage"]
    may = limited("iot", ["iot:CreateTopicRule"], ["*"])
    denied = (403, "AccessDeniedException")
    assert status_and_code(create, may, "not_mine", f"SELECT * FROM '{word}'", logs) == denied
    assert status_and_code(create, may, "not_mine", f"SELECT * FROM '{word}'", {"lambda": {
        "functionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"}}) == denied
    other = log_group(server, fresh("group")).rsplit(":", 1)[1]
    create(iot, fresh("foreign").replace("-", "_"), f"SELECT * FROM '{word}'",
           {"cloudwatchLogs": {"roleArn": foreign, "logGroupName": other}}, errorAction=logs)
    before = len(messages(server, group))
    say_until(server, word, {"a": 1}, lambda: len(messages(server, group)) > before + 1,
              "word of the failure")
    assert not messages(server, other)


def deliveries(server, name):
    arn = urllib.parse.quote(f"arn:aws:iot:us-east-1:{ACCOUNT}:rule/{name}", safe="")
    status, answer = server.call("GET", f"/andon/v1/event-deliveries?sourceArn={arn}")
    assert status == 200, answer
    return answer["deliveries"]


def test_rules_and_what_they_have_to_deliver_outlive_the_server(server, iot, fresh, all_role,
                                                                endpoint):
    word = fresh("hall")
    group = log_group(server, fresh("group")).rsplit(":", 1)[1]
    create(iot, fresh("kept").replace("-", "_"), f"SELECT * FROM '{word}'",
           {"cloudwatchLogs": {"roleArn": all_role, "logGroupName": group}})
    stuck = fresh("stuck").replace("-", "_")
    create(iot, stuck, f"SELECT * FROM '{word}/stuck'",
           {"http": {"url": f"http://{endpoint}/status/503"}})
    say_until(server, f"{word}/stuck", {"a": 1},
              lambda: any(one["status"] == "RETRYING" for one in deliveries(server, stuck)),
              "a delivery that is tried again")
    before = {one["eventId"] for one in deliveries(server, stuck)}
    server.kill()
    server.start()
    assert before <= {one["eventId"] for one in deliveries(server, stuck)}
    say_until(server, word, {"after": 1}, lambda: messages(server, group), "a log line")
    _, page = server.get("/metrics")
    assert b'andon_topic_rule_messages_total{outcome="taken"}' in page
    assert b'andon_topic_rule_messages_total{outcome="dropped"} 0' in page


def test_a_message_for_one_rule_alone_reaches_it_by_name(server, iot, fresh, all_role):
    group = log_group(server, fresh("group")).rsplit(":", 1)[1]
    name = fresh("basic").replace("-", "_")
    create(iot, name, "SELECT topic() AS topic FROM 'never/said'",
           {"cloudwatchLogs": {"roleArn": all_role, "logGroupName": group}})
    say_until(server, f"$aws/rules/{name}/plant/1", {}, lambda: messages(server, group), "a log line")
    assert json.loads(messages(server, group)[0]) == {"topic": "plant/1"}


def test_a_device_speaks_to_a_rule_alone_where_its_policy_lets_it(server, iot, fresh, all_role,
                                                                  tmp_path):
    group = log_group(server, fresh("group")).rsplit(":", 1)[1]
    name, thing = fresh("device").replace("-", "_"), fresh("line")
    create(iot, name, "SELECT * FROM 'never/said'",
           {"cloudwatchLogs": {"roleArn": all_role, "logGroupName": group}})
    device = server.device(thing, tmp_path)
    topic = f"$aws/rules/{name}/plant/1"
    assert not device.mqtt().publish(topic, {"a": 1})
    iot.create_policy(policyName=name, policyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:Publish", "Resource":
            f"arn:aws:iot:us-east-1:{ACCOUNT}:topic/$aws/rules/{name}/*"}]}))
    iot.attach_policy(policyName=name,
                      target=iot.list_thing_principals(thingName=thing)["principals"][0])

    def said():
        return device.mqtt().publish(topic, {"a": 1}) and messages(server, group)
    assert json.loads(wait_until(said, "a log line")[0]) == {"a": 1}
