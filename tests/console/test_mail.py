# SPDX-License-Identifier: Apache-2.0
"""Alerts by mail: what a rule of the event bus sends to an address, through a real mail server, with
TLS and a password; and what is refused, or tried again."""
import email
import email.policy
import json
import ssl
import subprocess
import urllib.parse

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope

from conftest import Watched
from harness import wait_until

FROM = "andon@plant.example"
USER, SECRET = "andon", "relay-7-secret"
MAIL = "arn:aws:andon:us-east-1:000000000000:mail/"


class Inbox:
    """What a mail server has taken; `answer` is what it says to the next ones."""

    def __init__(self):
        self.mails, self.answers = [], []

    async def handle_DATA(self, _server, session, envelope: Envelope):
        if self.answers:
            return self.answers.pop(0)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.rcpt_tos, message, session))
        return "250 taken"


class MailServer:
    def __init__(self, directory, tls=True):
        self.inbox = Inbox()
        self.ca = directory / "mail.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-keyout", directory / "mail.key", "-out", self.ca, "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.ca, directory / "mail.key")

        def right(_server, _session, _envelope, _mechanism, data):
            is_right = (data.login, data.password) == (USER.encode(), SECRET.encode())
            return AuthResult(success=is_right, handled=False)

        class Plain(Controller):
            """Of a free port."""

            def factory(inner):
                options = {"tls_context": context, "require_starttls": True, "auth_required": True,
                           "authenticator": right} if tls else {}
                return SMTP(self.inbox, **options)

            def _trigger_server(inner):  # its port is known by now
                inner.port = inner.server.sockets[0].getsockname()[1]
                super()._trigger_server()

        self.controller = Plain(self.inbox, hostname="127.0.0.1", port=0)
        self.controller.start()

    @property
    def url(self):
        return f"smtp://localhost:{self.controller.port}"


@pytest.fixture(name="mail_server")
def fixture_mail_server(tmp_path):
    made = MailServer(tmp_path)
    yield made
    made.controller.stop()


@pytest.fixture(name="plain_server")
def fixture_plain_server(tmp_path):
    (tmp_path / "plain").mkdir()
    made = MailServer(tmp_path / "plain", tls=False)
    yield made
    made.controller.stop()


def told_by(server, url, *options):
    """The server, started anew with a mail server."""
    server.stop()
    server.options = ["--mail-server", url, "--mail-from", FROM, *map(str, options)]
    return server.start()


def with_login(mail_server, tmp_path, secret=SECRET):
    login = tmp_path / "login"
    login.write_text(f"{USER}\n{secret}\n")
    return ["--mail-login", login, "--mail-ca", mail_server.ca]


def rule_to(server, address, pattern=None):
    events = server.aws("events")
    arn = events.put_rule(Name="press", EventPattern=json.dumps(pattern or {"source": ["press"]}))["RuleArn"]
    events.put_targets(Rule="press", Targets=[{"Id": "mail", "Arn": MAIL + address}])
    return arn


def press(server, **detail):
    answer = server.aws("events").put_events(Entries=[{
        "Source": "press", "DetailType": "Press stopped", "Detail": json.dumps(detail)}])
    assert answer["FailedEntryCount"] == 0


def deliveries(server, arn):
    source = urllib.parse.quote(arn, safe="")
    status, told = server.call("GET", f"/andon/v1/event-deliveries?sourceArn={source}")
    assert status == 200, told
    return told["deliveries"]


def outcome_of(server, arn, *statuses):
    def look():
        return next((one for one in deliveries(server, arn) if one["status"] in statuses), None)
    return wait_until(look, f"a delivery that is {statuses}")


def text_of(message):
    return message.get_content().replace("\r\n", "\n")


def begin_alert(chromium, alone, server, address):
    """Somebody who is signed in, and the dialog of a new alert to that address."""
    alone.url = server.info["api"]
    watched = Watched(chromium, alone)
    page = watched.sign_in().go("#/alerts", "Alerts")
    page.get_by_role("button", name="New alert").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Address").fill(address)
    return watched, page, dialog


def test_an_alert_made_in_the_console_is_mailed_with_tls_and_password(chromium, alone, mail_server,
                                                                      tmp_path):
    server = told_by(alone.server, mail_server.url, *with_login(mail_server, tmp_path))
    watched, page, dialog = begin_alert(chromium, alone, server, "eva@plant.example")
    dialog.get_by_label("When").select_option("execution")
    dialog.get_by_label("Name").fill("failures")
    assert "mail/eva@plant.example" in dialog.inner_text()
    dialog.get_by_role("button", name="New alert").click()
    page.get_by_role("cell", name="eva@plant.example").wait_for()
    states = server.aws("stepfunctions")
    machine = states.create_state_machine(
        name="line", roleArn="arn:aws:iam::000000000000:role/andon-workflows", definition=json.dumps({
            "StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "NoPicture"}}}))
    states.start_execution(stateMachineArn=machine["stateMachineArn"], name="run-1")
    wait_until(lambda: mail_server.inbox.mails, "the mail")
    (to, message, session), = mail_server.inbox.mails
    assert to == ["eva@plant.example"] and message["From"] == FROM
    assert session.ssl is not None and session.authenticated
    assert message["Subject"].startswith("[andon] failures: Step Functions Execution Status Change")
    assert "status: FAILED" in message["Subject"] and '"run-1"' in text_of(message)
    outcome_of(server, server.aws("events").describe_rule(Name="failures")["Arn"], "DELIVERED")
    page.reload()
    page.get_by_text("DELIVERED").wait_for()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("No rules yet").wait_for()
    assert not server.aws("events").list_rules()["Rules"]
    watched.close()


def test_whom_the_server_does_not_mail_to_is_refused_with_the_reason(chromium, alone, mail_server,
                                                                     tmp_path):
    server = told_by(alone.server, mail_server.url, *with_login(mail_server, tmp_path))
    watched, page, dialog = begin_alert(chromium, alone, server, "eva@else.example")
    dialog.get_by_role("button", name="New alert").click()
    assert "--mail-to" in page.get_by_role("alert").inner_text()
    assert not server.aws("events").list_rules()["Rules"]
    watched.close()


def test_words_of_an_event_are_words_of_the_mail_and_no_fields(alone, mail_server, tmp_path):
    server = told_by(alone.server, mail_server.url, "--mail-to", "@else.example",
                     *with_login(mail_server, tmp_path))
    rule_to(server, "otto@else.example")
    press(server, why="x\r\nBcc: all@else.example\r\n\r\n.\r\nQUIT", where="Halle Süd")
    wait_until(lambda: mail_server.inbox.mails, "the mail")
    (to, message, _), = mail_server.inbox.mails
    assert to == ["otto@else.example"] and message["Bcc"] is None
    assert "Halle Süd" in message["Subject"] and "QUIT" in text_of(message)


def test_what_the_mail_server_takes_later_is_tried_again_and_what_it_refuses_is_not(
        alone, mail_server, tmp_path):
    server = told_by(alone.server, mail_server.url, *with_login(mail_server, tmp_path))
    arn = rule_to(server, "eva@plant.example")
    mail_server.inbox.answers = ["451 later"]
    press(server)
    wait_until(lambda: mail_server.inbox.mails, "the mail")
    assert outcome_of(server, arn, "DELIVERED")["attempts"] == 2
    mail_server.inbox.answers = ["554 never"]
    press(server)
    dead = outcome_of(server, arn, "DEAD")
    assert dead["attempts"] == 1 and dead["errorCode"] == "REFUSED_BY_MAIL_SERVER"
    assert "554" in dead["errorMessage"] and SECRET not in dead["errorMessage"]


def test_a_wrong_password_and_a_server_without_tls_get_nothing(alone, mail_server, plain_server,
                                                               tmp_path):
    server = told_by(alone.server, mail_server.url,
                     *with_login(mail_server, tmp_path, "wrong"))
    arn = rule_to(server, "eva@plant.example")
    press(server)
    assert outcome_of(server, arn, "DEAD")["errorCode"] == "REFUSED_BY_MAIL_SERVER"
    told_by(server, plain_server.url)
    press(server, again=True)
    wait_until(lambda: len(dead_of(server, arn)) == 2, "the second refusal")
    assert not mail_server.inbox.mails and not plain_server.inbox.mails
    told_by(server, plain_server.url, "--mail-plain")
    press(server, last=True)
    wait_until(lambda: plain_server.inbox.mails, "the mail")


def dead_of(server, arn):
    return [one for one in deliveries(server, arn) if one["status"] == "DEAD"]
