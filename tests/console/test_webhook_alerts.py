# SPDX-License-Identifier: Apache-2.0
"""Alerts that tell a webhook by its URL: the rule with all that it needs, or nothing of it; whatever an
earlier try has left behind."""
import http.server
import json
import threading

import botocore.exceptions
import pytest

from conftest import Watched
from harness import wait_until

NAME = "alert-press"


class Chat:
    """Whom the alert tells: what came, with its headers."""

    def __init__(self):
        self.told = told = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(name="chat")
def fixture_chat():
    made = Chat()
    yield made
    made.close()


@pytest.fixture(name="page")
def fixture_page(chromium, alone, chat):
    """Signed in on the alerts of a server that may call the chat."""
    alone.server.stop()
    alone.server.options = ["--http-allow", chat.origin]
    alone.server.start()
    alone.url = alone.server.info["api"]
    watched = Watched(chromium, alone)
    yield watched.sign_in().go("#/alerts", "Alerts")
    watched.close()


def fill(page, url, value="Bearer 1"):
    page.get_by_role("button", name="New alert").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Tell").select_option("webhook")
    dialog.get_by_label("URL").fill(url)
    dialog.get_by_label("Its value").fill(value)
    dialog.get_by_label("Name", exact=True).fill("press")
    return dialog


def submit(dialog):
    dialog.get_by_role("button", name="New alert").click()


def refuse(page, *operations):
    """The console is refused these, as by a server that is going down."""
    for operation in operations:
        page.route(f"**/console/call/*/{operation}", lambda route: route.fulfill(
            status=503, body=json.dumps({"code": "ServiceUnavailable", "message": "not now"})))


def parts(server):
    """What is there of the alert."""
    events = server.aws("events")
    found = {"connection": [one["Name"] for one in events.list_connections()["Connections"]],
             "destination": [one["Name"] for one in events.list_api_destinations()["ApiDestinations"]],
             "rule": [one["Name"] for one in events.list_rules()["Rules"]]}
    try:
        found["role"] = [server.aws("iam").get_role(RoleName=NAME)["Role"]["RoleName"]]
    except botocore.exceptions.ClientError:
        found["role"] = []
    return {kind: names for kind, names in found.items() if names}


WHOLE = {"connection": [NAME], "destination": [NAME], "rule": ["press"], "role": [NAME]}


@pytest.mark.parametrize("step", ["CreateApiDestination", "CreateRole", "PutRolePolicy", "PutRule", "PutTargets"])
def test_what_cannot_be_finished_leaves_nothing_behind(page, alone, chat, step):
    refuse(page, step)
    dialog = fill(page, f"{chat.origin}/first")
    submit(dialog)
    dialog.get_by_role("alert").wait_for()
    assert "not now" in dialog.get_by_role("alert").inner_text()
    assert parts(alone.server) == {}
    page.unroute_all()
    submit(dialog)
    page.get_by_text("Rule press is on").wait_for()
    assert parts(alone.server) == WHOLE


def test_what_a_try_has_left_behind_is_used_by_the_next(page, alone, chat):
    refuse(page, "PutTargets", "DeleteConnection", "DeleteApiDestination", "DeleteRole", "DeleteRolePolicy",
           "DeleteRule")
    dialog = fill(page, f"{chat.origin}/first", value="old")
    submit(dialog)
    dialog.get_by_role("alert").wait_for()
    assert parts(alone.server) == WHOLE
    page.unroute_all()
    page.reload()
    dialog = fill(page, f"{chat.origin}/second", value="new")
    dialog.get_by_label("When").select_option("execution")
    submit(dialog)
    page.get_by_text("Rule press is on").wait_for()
    assert parts(alone.server) == WHOLE
    tell(alone.server)
    (path, headers, _), = wait_until(lambda: chat.told, "the webhook being told")
    assert path == "/second" and headers["Authorization"] == "new"


def tell(server):
    """An execution fails, which is what the alert waits for."""
    states = server.aws("stepfunctions")
    machine = states.create_state_machine(
        name="line", roleArn="arn:aws:iam::000000000000:role/andon-workflows", definition=json.dumps({
            "StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "NoPicture"}}}))
    states.start_execution(stateMachineArn=machine["stateMachineArn"], name="run-1")


def test_an_alert_tells_its_webhook_and_is_deleted_with_what_it_needed(page, alone, chat):
    dialog = fill(page, f"{chat.origin}/hook")
    dialog.get_by_label("When").select_option("execution")
    submit(dialog)
    page.get_by_text("Rule press is on").wait_for()
    tell(alone.server)
    (path, headers, event), = wait_until(lambda: chat.told, "the webhook being told")
    assert path == "/hook" and headers["Authorization"] == "Bearer 1"
    assert event["detail"]["status"] == "FAILED"
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("No rules yet").wait_for()
    wait_until(lambda: parts(alone.server) == {}, "all of it being gone")
