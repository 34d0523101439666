# SPDX-License-Identifier: Apache-2.0
"""New alert, each of its choices clicked: the rule that is made, what really happens then, and what
comes to a subscriber, a webhook, a log. By mail: test_mail.py."""
import http.server
import json
import queue
import sqlite3
import subprocess
import threading
import time

import pytest

from conftest import HOSTILE, Alone, Watched
from harness import Mqtt, wait_until
from test_screens import accessible

ACCOUNT = "us-east-1:000000000000"
TOPIC = "plant/alerts"


class Receiver:
    """A webhook: keeps what is posted to it, and answers with `status`."""

    def __init__(self):
        self.posts, self.status = queue.Queue(), 200
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.put((self.path, dict(self.headers), json.loads(body)))
                self.send_response(receiver.status, HOSTILE)  # in words of its own
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Line:
    """What happens on a plant: devices that come, go, fail, reject."""

    def __init__(self, server, directory):
        self.server, self.directory = server, directory

    def device(self, thing):
        return self.server.device(thing, self.directory)

    def gone(self):
        device = self.device("gone-1")
        with Mqtt(self.server, device.certificate, device.key, client_id="gone-1").subscribe("hall/#"):
            pass

    def unhealthy(self):
        assert self.device("sick-1").mqtt().publish("$aws/things/sick-1/greengrassv2/health/json", {
            "ggcVersion": "0.1.0", "platform": "linux", "architecture": "amd64", "thing": "sick-1",
            "sequenceNumber": 1, "timestamp": int(time.time() * 1000), "messageType": "COMPLETE",
            "trigger": "COMPONENT_STATUS_CHANGE", "overallDeviceStatus": "UNHEALTHY", "components": []})

    def deployment(self):
        device = self.device("deaf-1")
        greengrass = self.server.aws("greengrassv2")
        greengrass.create_component_version(inlineRecipe=json.dumps({
            "RecipeFormatVersion": "2020-01-25", "ComponentName": "com.example.App",
            "ComponentVersion": "1.0.0", "Manifests": [{"Lifecycle": {"run": "true"}}]}))
        job = greengrass.create_deployment(
            targetArn=f"arn:aws:iot:{ACCOUNT}:thing/deaf-1",
            components={"com.example.App": {"componentVersion": "1.0.0"}})["deploymentId"]
        assert device.mqtt().publish(f"$aws/things/deaf-1/jobs/{job}/namespace-aws-gg-deployment/update", {
            "status": "FAILED", "statusDetails": {"deployment-failure-cause": "the artifact is damaged"}})

    def rejects(self):
        device = self.device("press-1")
        for number in range(4):
            assert device.mqtt().publish("andon/things/press-1/results", {
                "timestamp": f"2026-11-22T10:00:0{number}.000Z", "image": {"name": f"{number}.jpg"},
                "verdict": "NG", "detections": []})

    def disk(self):
        assert self.device("full-1").mqtt().publish("$aws/things/full-1/greengrass/health/json", {
            "Schema": "2022-06-30", "ADP": [{"TS": int(time.time() * 1000), "NS": "Andon", "M": [
                {"N": name, "Average": value, "U": "Megabytes"}
                for name, value in (("DiskFree", 1), ("DiskSize", 1000))]}]})

    def certificate(self):
        self.device("old-1")
        with sqlite3.connect(self.server.data / "andon.db", timeout=60) as database:
            database.execute("UPDATE certificates SET not_after_ms = ?",
                             (int((time.time() + 5 * 86_400) * 1000),))

    def execution(self, name="run-1"):
        states = self.server.aws("stepfunctions")
        machine = states.create_state_machine(
            name="line", roleArn="arn:aws:iam::000000000000:role/andon-workflows", definition=json.dumps({
                "StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "NoPicture"}}}))
        states.start_execution(stateMachineArn=machine["stateMachineArn"], name=name)

    def approval(self):
        sagemaker = self.server.aws("sagemaker")
        sagemaker.create_model_package_group(ModelPackageGroupName="tags")
        sagemaker.create_model_package(ModelPackageGroupName="tags",
                                       ModelApprovalStatus="PendingManualApproval")


# What is chosen, the rule's state that must be told of, and what makes it happen.
CHOICES = {
    "gone": ("A device has lost its connection", "gone-1"),
    "unhealthy": ("A device is unhealthy", "sick-1"),
    "deployment": ("A deployment failed on a device", "the artifact is damaged"),
    "rejects": ("A device rejects many parts", "press-1"),
    "disk": ("Little room on a disk", "full-1"),
    "certificate": ("A device’s certificate ends and was not renewed", "CERTIFICATE"),
    "execution": ("An execution failed", "run-1"),
    "approval": ("A model waits for approval", "PendingManualApproval"),
}


class Plant(Alone):
    def __init__(self, directory):
        super().__init__(directory)
        self.receiver = Receiver()
        self.server.stop()
        self.server.options = ["--alarm-rejects-of", "2", "--http-allow", self.receiver.url]
        self.server.start()
        self.url = self.server.info["api"]
        self.line = Line(self.server, directory / "devices")


@pytest.fixture(scope="module", name="plant")
def fixture_plant(tmp_path_factory):
    made = Plant(tmp_path_factory.mktemp("alerts"))
    yield made
    made.receiver.server.shutdown()
    made.server.kill()


@pytest.fixture(name="watched")
def fixture_watched(chromium, plant):
    made = Watched(chromium, plant)
    yield made.sign_in()
    assert not made.problems
    made.close()


def begin(watched, when, how):
    """The dialog of a new alert with both choices clicked."""
    page = watched.go("#/alerts", "Alerts")
    page.get_by_role("button", name="New alert").click()
    dialog = page.get_by_role("dialog")
    for field, begins in (("When", when), ("Tell by", how)):
        choice = dialog.get_by_label(field)
        choice.select_option(label=next(one for one in choice.locator("option").all_inner_texts()
                                        if one.startswith(begins)))
    return page, dialog


def end(page, dialog, name):
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("button", name="New alert").click()
    page.get_by_text(f"Rule {name} is on").wait_for()
    dialog.wait_for(state="detached")
    return page.get_by_role("row").filter(has=page.get_by_text(name, exact=True))


def remove(page, row):
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    row.wait_for(state="detached")


@pytest.mark.parametrize("choice", CHOICES)
def test_each_alert_tells_a_subscriber_of_what_really_happens(plant, watched, choice):
    when, word = CHOICES[choice]
    page, dialog = begin(watched, when, "MQTT")
    dialog.get_by_label("Topic").fill(f"{TOPIC}/{choice}")
    row = end(page, dialog, choice)
    assert f"{TOPIC}/{choice}" in row.inner_text()
    with plant.server.operator_mqtt().subscribe(f"{TOPIC}/{choice}") as inbox:
        getattr(plant.line, choice)()
        _, text = inbox.wait_for(lambda _, payload: word in payload, f"the alert {choice}")
    event = json.loads(text)
    rule = plant.server.aws("events").describe_rule(Name=choice)
    assert rule["Description"].startswith(when)
    assert event["detail-type"] in json.loads(rule["EventPattern"])["detail-type"]
    watched.page.reload()
    row.get_by_text("Delivered").wait_for()
    remove(page, row)
    assert choice not in [one["Name"] for one in plant.server.aws("events").list_rules()["Rules"]]


def test_a_webhook_is_told_with_its_secret_and_what_it_refuses_is_shown(plant, watched):
    page, dialog = begin(watched, "An execution failed", "Webhook")
    dialog.get_by_label("URL").fill(f"{plant.receiver.url}/hooks/line-3")
    dialog.get_by_label("Header with a secret").fill("X-Plant-Key")
    dialog.get_by_label("Its value").fill("rather secret 7")
    row = end(page, dialog, "hook")
    plant.line.execution("run-by-hook")
    path, headers, event = plant.receiver.posts.get(timeout=30)
    assert path == "/hooks/line-3" and headers["X-Plant-Key"] == "rather secret 7"
    assert event["detail"]["status"] == "FAILED" and event["detail"]["name"] == "run-by-hook"
    wait_until(lambda: _outcome(plant, "hook") == "DELIVERED", "the outcome")
    page.reload()
    row.get_by_text("Delivered").wait_for()
    plant.receiver.status = 400
    plant.line.execution("run-refused")
    wait_until(lambda: _outcome(plant, "hook") == "DEAD", "the outcome")
    page.reload()
    row.get_by_text("Given up").wait_for()
    assert "Bad Request" in row.inner_text() and "rather secret" not in page.content()
    plant.receiver.status = 200
    # Deleted and made anew, to another address, by the same name.
    remove(page, row)
    page, dialog = begin(watched, "An execution failed", "Webhook")
    dialog.get_by_label("URL").fill(f"{plant.receiver.url}/hooks/line-4")
    row = end(page, dialog, "hook")
    while not plant.receiver.posts.empty():
        plant.receiver.posts.get()
    plant.line.execution("run-again")
    path, headers, _ = plant.receiver.posts.get(timeout=30)
    assert path == "/hooks/line-4" and headers.get("X-Plant-Key") is None
    remove(page, row)


def _outcome(plant, rule):
    arn = plant.server.aws("events").describe_rule(Name=rule)["Arn"]
    _, told = plant.server.call(
        "GET", f"/andon/v1/event-deliveries?sourceArn={arn.replace(':', '%3A').replace('/', '%2F')}")
    return told["deliveries"][0]["status"] if told["deliveries"] else None


def test_a_webhook_that_the_server_may_not_call_says_so_as_its_outcome(plant, watched):
    page, dialog = begin(watched, "An execution failed", "Webhook")
    dialog.get_by_label("URL").fill("http://elsewhere.example/hook")
    row = end(page, dialog, "elsewhere")
    plant.line.execution("run-elsewhere")
    wait_until(lambda: _outcome(plant, "elsewhere") == "DEAD", "the outcome")
    page.reload()
    row.get_by_text("--http-allow").wait_for()
    remove(page, row)


def test_what_is_there_of_another_is_not_replaced(plant, watched):
    events, iam = plant.server.aws("events"), plant.server.aws("iam")
    for topic in ("first", "second"):
        page, dialog = begin(watched, "A device is unhealthy", "MQTT")
        dialog.get_by_label("Topic").fill(topic)
        dialog.get_by_role("button", name="New alert").click()
        dialog.wait_for(state="detached")
    for name, topic in (("unhealthy", "first"), ("unhealthy-2", "second")):
        (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
        assert target["Arn"].endswith(f"topic/{topic}")
    page, dialog = begin(watched, "A device is unhealthy", "MQTT")
    dialog.get_by_label("Topic").fill("third")
    dialog.get_by_label("Name").fill("unhealthy")
    dialog.get_by_role("button", name="New alert").click()
    assert "There is a rule unhealthy already" in dialog.get_by_role("alert").inner_text()
    # A destination of somebody else's, by that name, stays what it is.
    connection = events.create_connection(
        Name="theirs", AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}})["ConnectionArn"]
    events.create_api_destination(Name="theirs", ConnectionArn=connection,
                                  InvocationEndpoint="http://127.0.0.1:1/theirs", HttpMethod="POST")
    dialog.get_by_label("Tell by").select_option(label="Webhook")
    dialog.get_by_label("URL").fill(plant.receiver.url)
    dialog.get_by_label("Name").fill("theirs")
    dialog.get_by_role("button", name="New alert").click()
    dialog.wait_for(state="detached")
    assert sorted(one["Name"] for one in events.list_connections()["Connections"]) == ["alert-theirs", "theirs"]
    remove(page, page.get_by_role("row").filter(has=page.get_by_text("theirs", exact=True)))
    assert [one["Name"] for one in events.list_connections()["Connections"]] == ["theirs"]
    assert "alert-theirs" not in [one["RoleName"] for one in iam.list_roles()["Roles"]]
    theirs = events.describe_api_destination(Name="theirs")
    assert theirs["ConnectionArn"] == connection and theirs["InvocationEndpoint"].endswith("/theirs")


def test_a_muted_alert_tells_nobody_until_it_is_on_again(plant, watched):
    page, dialog = begin(watched, "An execution failed", "MQTT")
    dialog.get_by_label("Topic").fill(f"{TOPIC}/loud")
    end(page, dialog, "loud")
    page, dialog = begin(watched, "An execution failed", "MQTT")
    dialog.get_by_label("Topic").fill(f"{TOPIC}/muted")
    row = end(page, dialog, "muted")
    row.get_by_role("button", name="Mute").click()
    row.get_by_text("Off", exact=True).wait_for()
    assert plant.server.aws("events").describe_rule(Name="muted")["State"] == "DISABLED"
    with plant.server.operator_mqtt().subscribe(f"{TOPIC}/#") as inbox:
        plant.line.execution("while-muted")
        inbox.wait_for(lambda topic, _: topic == f"{TOPIC}/loud", "the other alert")
        row.get_by_role("button", name="Unmute").click()
        row.get_by_text("On", exact=True).wait_for()
        plant.line.execution("after-it")
        _, text = inbox.wait_for(lambda topic, _: topic == f"{TOPIC}/muted", "the alert")
        assert "after-it" in text
        assert not any("while-muted" in payload for topic, payload in inbox.messages() if topic == f"{TOPIC}/muted")


def test_a_certificate_of_the_server_that_ends_is_told_to_what_one_names(chromium, alone, tmp_path):
    """To a log group, by its ARN; when the server is started with one that ends in five days."""
    server = alone.server
    server.aws("logs").create_log_group(logGroupName="alerts")
    watched = Watched(chromium, alone)
    page, dialog = begin(watched.sign_in(), "A certificate of the server ends", "Something else")
    dialog.get_by_label("ARN", exact=True).fill(f"arn:aws:logs:{ACCOUNT}:log-group:alerts")
    end(page, dialog, "own")
    watched.close()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", tmp_path / "api.key", "-out", tmp_path / "api.crt", "-days", "5",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    server.stop()
    # Its browsers' certificate is for another address than loopback.
    with subprocess.Popen([*server.command(), "--api-address", "0.0.0.0", "--api-certificate",
                           tmp_path / "api.crt", "--api-key", tmp_path / "api.key"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as started:
        assert any("a certificate ends" in line for line in started.stdout)
        started.terminate()
        started.communicate(timeout=30)
    server.start()
    logs = server.aws("logs")
    event = wait_until(lambda: logs.filter_log_events(logGroupName="alerts")["events"], "the alert")[0]
    assert json.loads(event["message"])["detail-type"] == "Certificate Ending"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_each_way_of_telling_and_in_the_list(chromium, plant, theme):
    watched = Watched(chromium, plant, color_scheme=theme).sign_in()
    for how in ("Mail", "MQTT", "Webhook", "Something else"):
        page, _ = begin(watched, "A device is unhealthy", how)
        assert not accessible(page), how
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
    page, dialog = begin(watched, "A device is unhealthy", "MQTT")
    dialog.get_by_label("Topic").fill(TOPIC)
    row = end(page, dialog, f"seen-{theme}")
    assert not accessible(page)
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").wait_for()
    assert not accessible(page)
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    row.wait_for(state="detached")
    watched.close()


def test_an_alert_is_made_and_muted_by_keyboard_alone(plant, watched):
    page = watched.page
    page.keyboard.press("g")
    page.keyboard.press("l")
    button = page.get_by_role("button", name="New alert")
    button.wait_for()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "New alert":
            break
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    # The first field has the focus; a letter chooses, Tab goes on.
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("mq")
    page.keyboard.press("Tab")
    page.keyboard.type(f"{TOPIC}/keys")
    page.keyboard.press("Tab")
    page.keyboard.type("keys")
    page.keyboard.press("Enter")
    page.get_by_text("Rule keys is on").wait_for()
    rule = plant.server.aws("events").describe_rule(Name="keys")
    assert rule["Description"] == "A device is unhealthy"
    (target,) = plant.server.aws("events").list_targets_by_rule(Rule="keys")["Targets"]
    assert target["Arn"].endswith(f"topic/{TOPIC}/keys")
    row = page.get_by_role("row").filter(has=page.get_by_text("keys", exact=True))
    mute = row.get_by_role("button", name="Mute")
    mute.focus()
    page.keyboard.press("Enter")
    row.get_by_text("Off", exact=True).wait_for()
