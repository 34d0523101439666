# SPDX-License-Identifier: Apache-2.0
"""Webhooks in the console: what became of their last pushes, the execution that one has started, what was
refused, and senders that would like to run."""
import hashlib
import hmac
import json
import os
import shlex
from pathlib import Path

import pytest

from conftest import HOSTILE, SECRET, ask
from harness import wait_until
from test_screens import accessible, picture
from test_settings import let_in


def role(server, name, service, *actions):
    iam = server.aws("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    if actions:
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}))
    return arn


def push(alone, body, secret=SECRET, delivery="1"):
    data = json.dumps(body).encode()
    signature = hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
    return ask(alone.url, "POST", "/hooks/code", {
        "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": f"sha256={signature}"}, data)[0]


def outcomes(alone):
    status, told = alone.server.call("GET", "/andon/v1/webhooks/code/outcomes")
    assert status == 200, told
    return told["outcomes"]


@pytest.fixture(name="training")
def fixture_training(alone):
    """A commit starts a workflow: `alone`, with that."""
    server = alone.server
    machine = server.aws("stepfunctions").create_state_machine(
        name="training", roleArn=role(server, "training", "states.amazonaws.com"), definition=json.dumps({
            "StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}))["stateMachineArn"]
    events = server.aws("events")
    events.put_rule(Name="commits", EventPattern=json.dumps({"source": ["andon.webhooks"]}))
    events.put_targets(Rule="commits", Targets=[{
        "Id": "training", "Arn": machine,
        "RoleArn": role(server, "starter", "events.amazonaws.com", "states:StartExecution")}])
    assert server.call("PUT", "/andon/v1/webhooks/code", {"secret": SECRET})[0] == 200
    return alone


def started(alone):
    """The execution of the newest push, once it is told of."""
    def look():
        return next((one["started"] for push in outcomes(alone)[:1] for one in push.get("deliveries", [])
                     if "started" in one), None)
    return wait_until(look, "the execution being told of")


def keep_picture(page, name):
    folder = os.environ.get("ANDON_PICTURES")
    if folder:
        picture(page, Path(folder) / f"{name}.png")


def test_a_push_is_shown_with_the_execution_that_it_started(training, watched):
    page = watched.sign_in().go("#/workflows/triggers/code", "code")
    page.get_by_text("No push yet").wait_for()
    assert push(training, {"ref": "refs/heads/main", "after": "0123456789abcdef0123",
                           "repository": {"full_name": "plant/code"}}) == 202
    execution = started(training)
    page = watched.go("#/workflows/triggers", "Schedules and webhooks")
    row = page.get_by_role("row").filter(has_text="/hooks/code")
    row.get_by_text("Taken").wait_for()
    row.get_by_role("link", name="Execution of training").wait_for()
    row.get_by_role("link", name="code", exact=True).click()
    page.get_by_role("heading", name="code", level=1).wait_for()
    told = page.get_by_role("row").filter(has_text="refs/heads/main")
    told.wait_for()
    for text in ("0123456789ab", "plant/code", "github push", "from 127.0.0.1", "Taken", "Delivered"):
        assert text in told.inner_text(), text
    assert not accessible(page)
    keep_picture(page, "push-taken")
    told.get_by_role("link", name="Execution of training").click()
    page.get_by_role("heading", name=execution.rsplit(":", 1)[1], level=1).wait_for()
    assert not watched.problems


def test_a_refused_signature_is_seen_beside_the_last_push_that_was_taken(training, watched):
    assert push(training, {"ref": "refs/heads/main"}) == 202
    started(training)
    for number in range(3):
        assert push(training, {"ref": "refs/heads/other", "number": number}, secret="not the one of the webhook") == 403
    page = watched.sign_in().go("#/workflows/triggers", "Schedules and webhooks")
    row = page.get_by_role("row").filter(has_text="/hooks/code")
    for text in ("Refused", "3 times", "its signature was not made with the webhook's secret", "Taken"):
        row.get_by_text(text, exact=False).first.wait_for()
    assert not accessible(page)
    keep_picture(page, "triggers-refused")
    page = watched.go("#/workflows/triggers/code", "code")
    rows = page.locator("tbody tr")
    rows.nth(1).wait_for()
    assert rows.count() == 2  # however often it was refused
    assert "Refused" in rows.first.inner_text() and "Taken" in rows.last.inner_text()
    assert "refs/heads/other" not in page.locator("main").inner_text()  # nobody has proven that he is the forge
    keep_picture(page, "push-refused")


def test_a_push_that_is_refused_comes_to_the_pages_that_are_open(training, watched):
    """Nothing else happens there of which a page would be told."""
    page = watched.only_told().sign_in().go("#/workflows/triggers/code", "code")
    page.get_by_text("No push yet").wait_for()
    page.wait_for_timeout(6_000)  # what it has been told of before, it asks for seldom
    watched.settle()
    assert push(training, {"ref": "refs/heads/other"}, secret="not the one of the webhook") == 403
    page.locator("tbody tr").get_by_text("Refused", exact=True).first.wait_for(timeout=15_000)
    assert not watched.problems


def test_what_a_sender_says_of_a_push_is_text(training, watched):
    assert push(training, {"ref": HOSTILE, "after": HOSTILE, "repository": {"full_name": HOSTILE}},
                delivery=HOSTILE) == 202
    started(training)
    page = watched.sign_in().go("#/workflows/triggers/code", "code")
    row = page.get_by_role("row").filter(has_text="github push")
    row.wait_for()
    assert row.inner_text().count(HOSTILE) == 3  # of the commit only its beginning
    page = watched.go("#/workflows/triggers", "Schedules and webhooks")
    page.get_by_role("row").filter(has_text="/hooks/code").get_by_text("Taken").wait_for()
    assert page.locator("main img").count() == 0
    assert page.title() != "owned" and not watched.problems


def given(dialog):
    """The address and the secret that are shown once, and the pattern of the rule that is offered."""
    dialog.get_by_text("The secret is shown once").wait_for()
    address, secret, rule = (code.inner_text() for code in dialog.locator("code").all())
    words = shlex.split(rule)
    return address, secret, words[words.index("--pattern") + 1]


def test_a_webhook_is_made_with_a_secret_that_is_shown_once_and_takes_pushes(training, watched):
    training.server.call("DELETE", "/andon/v1/webhooks/code")
    page = watched.sign_in().go("#/workflows/triggers", "Schedules and webhooks")
    page.get_by_text("No webhooks yet").wait_for()
    page.get_by_role("button", name="New webhook").click()
    dialog = page.get_by_role("dialog", name="New webhook")
    dialog.get_by_label("Name").fill("code")
    dialog.get_by_text("andon webhook add code").wait_for()
    dialog.get_by_role("button", name="New webhook").click()
    address, secret, pattern = given(dialog)
    training.server.aws("events").put_rule(Name="commits", EventPattern=pattern)
    assert address == f"{training.url}/hooks/code" and len(secret) == 64
    keep_picture(page, "webhook-made")
    dialog.get_by_role("button", name="Close").click()
    dialog.wait_for(state="detached")
    row = page.get_by_role("row").filter(has_text="/hooks/code")
    row.wait_for()
    assert secret not in page.content()
    assert push(training, {"ref": "refs/heads/main"}, secret=secret) == 202
    started(training)
    # Another secret: what is signed with the old one is refused.
    row.get_by_role("button", name="New secret for code").click()
    dialog = page.get_by_role("dialog", name="New secret for code")
    dialog.get_by_text("is refused from then on").wait_for()
    assert not accessible(page)
    dialog.get_by_role("button", name="New secret").click()
    _, other, _ = given(dialog)
    assert other != secret
    dialog.get_by_role("button", name="Close").click()
    assert push(training, {"ref": "refs/heads/main", "n": 2}, secret=secret, delivery="2") == 403
    assert push(training, {"ref": "refs/heads/main", "n": 3}, secret=other, delivery="3") == 202
    row.get_by_role("button", name="Delete webhook code").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("No webhooks yet").wait_for()
    assert push(training, {"ref": "refs/heads/main", "n": 4}, secret=other, delivery="4") == 403
    assert not watched.problems


def test_a_new_webhook_takes_no_others_name_and_says_what_is_wrong_with_its_own(training, watched):
    page = watched.sign_in().go("#/workflows/triggers", "Schedules and webhooks")
    page.get_by_role("button", name="New webhook").click()
    dialog = page.get_by_role("dialog", name="New webhook")
    dialog.get_by_label("Name").fill("code")
    dialog.get_by_role("button", name="New webhook").click()
    assert "a webhook code already" in dialog.get_by_role("alert").inner_text()
    assert push(training, {"ref": "refs/heads/main"}) == 202  # its secret is the one that it had
    status, told = training.server.call("PUT", "/andon/v1/webhooks/code", {
        "secret": "not the one of the webhook", "createOnly": True})
    assert status == 409 and "a webhook code already" in str(told)
    assert push(training, {"ref": "refs/heads/main", "n": 2}, delivery="2") == 202
    dialog.get_by_label("Name").fill("no/name")
    dialog.get_by_role("button", name="New webhook").click()
    assert dialog.get_by_label("Name").evaluate("input => input.validity.patternMismatch")
    assert [one["name"] for one in training.server.call("GET", "/andon/v1/webhooks")[1]["webhooks"]] == ["code"]


def test_a_viewer_sees_webhooks_and_is_offered_no_change(training, watched):
    let_in(training.server, "vera", "AndonViewerAccess")
    page = watched.sign_in("vera").go("#/workflows/triggers", "Schedules and webhooks")
    for name, right in (("New webhook", "PutWebhook"), ("New secret for code", "PutWebhook"),
                        ("Delete webhook code", "DeleteWebhook")):
        button = page.get_by_role("button", name=name, exact=True)
        wait_until(button.is_disabled, f"{name} being off")
        assert f"andon:{right}" in button.get_attribute("title")
    told = page.evaluate("""async () => {
        const {csrfToken} = await (await fetch('/console/session')).json();
        const ask = async (operation, input) => (await fetch('/console/call/andon/' + operation, {method: 'POST',
          body: JSON.stringify(input),
          headers: {'Content-Type': 'application/json', 'X-Andon-Csrf': csrfToken}})).status;
        return [await ask('PutWebhook', {name: 'mine', secret: 'more than sixteen characters'}),
                await ask('DeleteWebhook', {name: 'code'})]; }""")
    assert told == [403, 403]
    assert push(training, {"ref": "refs/heads/main"}) == 202
