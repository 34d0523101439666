# SPDX-License-Identifier: Apache-2.0
"""POST /hooks/NAME: the signatures of GitHub, GitLab and Gitea, what is refused, and the event."""
import hashlib
import hmac
import json
import subprocess
import urllib.parse
import uuid

import pytest

from functions import make_role
from harness import PATIENCE_S, Server, http, program, wait_until

SECRET = "a secret of more than sixteen characters"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("hooks") / "data") as running:
        running.aws("logs").create_log_group(logGroupName="pushes")
        events = running.aws("events")
        events.put_rule(Name="pushes", EventPattern=json.dumps({"source": ["andon.webhooks"]}))
        events.put_targets(Rule="pushes", Targets=[{
            "Id": "log", "Arn": "arn:aws:logs:us-east-1:000000000000:log-group:pushes"}])
        status, made = running.call("PUT", "/andon/v1/webhooks/plant", {"secret": SECRET})
        assert status == 200 and made == {"name": "plant", "path": "/hooks/plant"}
        yield running


def push(server, headers, body, name="plant"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http(f"{server.info['api']}/hooks/{name}", "POST", data,
                {"Content-Type": "application/json", **headers}, server.tls())[0]


def signature(body, secret=SECRET):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()


def github(body, **more):
    return {"X-Hub-Signature-256": f"sha256={signature(body, **more)}", "X-GitHub-Event": "push",
            "X-GitHub-Delivery": str(uuid.uuid4())}


def commit():
    return {"ref": "refs/heads/main", "after": uuid.uuid4().hex,
            "repository": {"full_name": "plant/code"}}


def event_of(server, after):
    def find():
        for one in server.aws("logs").filter_log_events(logGroupName="pushes")["events"]:
            event = json.loads(one["message"])
            if event["detail"].get("after") == after:
                return event
    return wait_until(find, "the event of the push")


@pytest.mark.parametrize("forge", ["github", "gitea", "gitlab"])
def test_a_push_of_each_forge_is_an_event(server, forge):
    body = commit()
    headers = {"github": github(body),
               "gitea": {**github(body), "X-Gitea-Signature": signature(body),
                         "X-Gitea-Event": "push"},
               "gitlab": {"X-Gitlab-Token": SECRET, "X-Gitlab-Event": "Push Hook"}}[forge]
    assert push(server, headers, body) == 202
    event = event_of(server, body["after"])
    assert event["detail-type"] == "push" and event["detail"] == body
    assert event["resources"] == ["arn:aws:andon:us-east-1:000000000000:webhook/plant"]
    shown = server.call("GET", "/andon/v1/webhooks")[1]["webhooks"]
    assert [(one["name"], one["lastForge"]) for one in shown] == [("plant", forge)]
    assert "secret" not in json.dumps(shown).replace("secretAccess", "")


def test_a_wrong_signature_is_refused(server):
    body = commit()
    assert push(server, github(body, secret="another"), body) == 403
    assert push(server, {}, body) == 403
    assert push(server, github(commit()), body) == 403
    assert push(server, {"X-Gitlab-Token": SECRET + "x"}, body) == 403
    assert push(server, github(body), body, name="nowhere") == 403


def test_a_replay_is_refused_whatever_id_it_says(server):
    body = commit()
    headers = github(body)
    assert push(server, headers, body) == 202
    assert push(server, headers, body) == 409
    assert push(server, github(body), body) == 409
    other = commit()
    assert push(server, {**github(other), "X-GitHub-Delivery": headers["X-GitHub-Delivery"]},
                other) == 409


def test_ten_megabytes_are_refused(server):
    body = b'{"x":"' + b"y" * 10_000_000 + b'"}'
    try:
        assert push(server, github(body), body) == 413
    except OSError:
        pass  # it hangs up before it has read all of it
    assert push(server, github(b"no JSON"), b"no JSON") == 400
    after = commit()
    assert push(server, github(after), after) == 202


def test_a_webhook_is_changed_and_removed(server):
    assert server.call("PUT", "/andon/v1/webhooks/other", {"secret": "short"})[0] == 400
    assert server.call("PUT", "/andon/v1/webhooks/other", {"secret": SECRET + "1"})[0] == 200
    body = commit()
    assert push(server, github(body, secret=SECRET + "1"), body, name="other") == 202
    assert server.call("DELETE", "/andon/v1/webhooks/other")[0] == 200
    assert server.call("DELETE", "/andon/v1/webhooks/other")[0] == 404
    body = commit()
    assert push(server, github(body, secret=SECRET + "1"), body, name="other") == 403


def test_the_outcome_of_each_delivery_is_shown(server):
    body = commit()
    assert push(server, github(body), body) == 202
    event = event_of(server, body["after"])
    arn = "arn:aws:events:us-east-1:000000000000:rule/pushes"
    status, told = server.call(
        "GET", f"/andon/v1/event-deliveries?sourceArn={urllib.parse.quote(arn, safe='')}")
    assert status == 200
    mine = [one for one in told["deliveries"] if one["eventId"] == event["id"]]
    assert [(one["status"], one["targetId"], one["attempts"]) for one in mine] == [
        ("DELIVERED", "log", 1)]


def outcomes(server, name):
    status, told = server.call("GET", f"/andon/v1/webhooks/{name}/outcomes")
    assert status == 200, told
    return told["outcomes"]


def andon(server, *words):
    return subprocess.run([program("andon"), *words, "--data", str(server.data)],
                          capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout


def test_the_outcomes_of_a_webhook_name_the_execution_and_what_was_refused(server):
    assert server.call("PUT", "/andon/v1/webhooks/train", {"secret": SECRET})[0] == 200
    assert outcomes(server, "train") == [] and andon(server, "webhook", "outcomes", "train") == ""
    states = server.aws("stepfunctions")
    machine = states.create_state_machine(
        name="train", roleArn=make_role(server, "train", service="states.amazonaws.com"),
        definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}))[
            "stateMachineArn"]
    events = server.aws("events")
    events.put_rule(Name="train", EventPattern=json.dumps({
        "source": ["andon.webhooks"], "resources": [{"suffix": ":webhook/train"}]}))
    events.put_targets(Rule="train", Targets=[{
        "Id": "train", "Arn": machine,
        "RoleArn": make_role(server, "starter", {
            "Effect": "Allow", "Action": "states:StartExecution", "Resource": "*"},
            service="events.amazonaws.com")}])
    body = commit()
    headers = github(body)
    assert push(server, headers, body, name="train") == 202

    def started():
        return [one["started"] for one in outcomes(server, "train")[0]["deliveries"]
                if "started" in one]
    execution = wait_until(started, "the execution being told of")[0]
    assert states.describe_execution(executionArn=execution)["stateMachineArn"] == machine
    taken = outcomes(server, "train")[0]
    assert (taken["outcome"], taken["forge"], taken["event"]) == ("TAKEN", "github", "push")
    assert (taken["ref"], taken["commit"], taken["repository"]) == (
        body["ref"], body["after"], "plant/code")
    assert taken["deliveryId"] == headers["X-GitHub-Delivery"] and taken["from"] == "127.0.0.1"
    assert execution in andon(server, "webhook", "outcomes", "train")

    for _ in range(3):
        assert push(server, github(commit(), secret="another"), body, name="train") == 403
    assert push(server, headers, body, name="train") == 409
    assert push(server, github(b"no JSON"), b"no JSON", name="train") == 400
    assert push(server, {}, body, name="train") == 403
    told = {one["outcome"]: one for one in outcomes(server, "train")}
    assert {name: one["count"] for name, one in told.items()} == {
        "TAKEN": 1, "REFUSED": 4, "REPEATED": 1, "MALFORMED": 1}
    assert outcomes(server, "train")[0]["outcome"] == "REFUSED"
    assert told["REFUSED"]["reason"] == "it has no signature of a forge that is known"
    shown = andon(server, "webhook", "outcomes", "train")
    assert "REFUSED" in shown and "(4 times)" in shown and told["REFUSED"]["reason"] in shown
    status, _ = server.call("GET", "/andon/v1/webhooks/nowhere/outcomes")
    assert status == 404


def test_outcomes_are_there_after_a_restart_and_go_with_their_webhook(tmp_path):
    with Server(tmp_path / "data") as server:
        assert server.call("PUT", "/andon/v1/webhooks/plant", {"secret": SECRET})[0] == 200
        body = commit()
        assert push(server, github(body), body) == 202
        assert push(server, github(body, secret="another"), body) == 403
        server.stop()
        server.start()
        assert [(one["outcome"], one["count"]) for one in outcomes(server, "plant")] == [
            ("REFUSED", 1), ("TAKEN", 1)]
        assert push(server, {}, body) == 403
        assert outcomes(server, "plant")[0]["count"] == 2  # written by having been read
        server.kill()
        server.start()
        assert outcomes(server, "plant")[0]["count"] == 2
        assert server.call("DELETE", "/andon/v1/webhooks/plant")[0] == 200
        assert server.call("PUT", "/andon/v1/webhooks/plant", {"secret": SECRET})[0] == 200
        assert outcomes(server, "plant") == []


def test_a_sender_cannot_steer_the_terminal(server):
    assert server.call("PUT", "/andon/v1/webhooks/hostile", {"secret": SECRET})[0] == 200
    body = {**commit(), "ref": "\x1b[2Jgone\nREFUSED", "repository": {"full_name": "\u202eedoc"}}
    assert push(server, github(body), body, name="hostile") == 202
    shown = andon(server, "webhook", "outcomes", "hostile")
    assert "\x1b" not in shown and "\u202e" not in shown
    assert not any(line.startswith("REFUSED") for line in shown.splitlines())


def test_the_command_line_makes_lists_and_removes_webhooks(server):
    def andon(*arguments):
        return subprocess.run([program("andon"), *arguments, "--data", str(server.data)],
                              capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout
    made = json.loads(andon("webhook", "add", "cli", "--json"))
    assert made["path"] == "/hooks/cli" and len(made["secret"]) == 64
    body = commit()
    assert push(server, github(body, secret=made["secret"]), body, name="cli") == 202
    assert "pushed to by github" in next(
        line for line in andon("webhook", "list").splitlines() if line.startswith("cli "))
    wait_until(lambda: "DELIVERED" in andon("rule", "deliveries", "pushes"), "the delivery")
    assert andon("schedule", "list") == ""
    andon("webhook", "remove", "cli")
    assert "cli " not in andon("webhook", "list")
