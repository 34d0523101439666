# SPDX-License-Identifier: Apache-2.0
"""Every text of the console that a user, a device, a sender or a receiver can choose: what it holds is
shown as text, and never runs. Each field has a text of its own, so that none is taken for another."""
import base64
import io
import json
import re
import sqlite3
import threading
import time
import urllib.parse
import zipfile

import pytest

from conftest import Alone, Watched, ask
from harness import ROOT, wait_until

ACCOUNT = "us-east-1:000000000000"


# Those are cut after a few letters.
SHORT = ("verdict of a result", "model version of a result", "browser of a session", "name of a shift")


def text(field):
    """Would run if it were taken for HTML."""
    if field in SHORT:
        return f"<img src=x onerror=alert`{SHORT.index(field)}`>"
    return f"<img src=x onerror=\"document.title='owned'\" alt='{field}'>"


# Where each is shown. What must be clicked before, a sign that it is there, behind a bar.
SHOWN = {
    "#/fleet": ["platform of a device"],
    "#/devices/line-1": [
        "platform of a device", "architecture of a device", "version of an agent", "component of a device",
        "version of a component", "details of a component", "name of a deployment",
        "reason of a failed deployment", "error of a failed deployment", "line of a log group"],
    "#/devices/line-1|Doctor": ["check of a device", "finding of a device", "verdict of a device"],
    "#/devices/line-1|Support bundle": ["error of a support bundle"],
    "#/devices/line-1|Take a frame": ["component of a frame"],
    "#/devices/line-1|Show": ["line of a component", "error line of a component"],
    "#/live/line-1": ["verdict of a live frame", "rule of a live frame", "picture of a live frame",
                      "component of a live frame", "version of a live frame"],
    "#/results": ["verdict of a result", "label of a result"],
    "#/results?view=table": ["picture of a result", "verdict of a result", "label of a result"],
    "#/results/{result}": [
        "picture of a result", "verdict of a result", "label of a result", "rule of a verdict",
        "model of a result", "model version of a result", "label of a review", "note of a review",
        "member of a message"],
    "#/models": ["description of a model"],
    "#/models/tags": ["description of a version", "note of an alias"],
    "#/models/tags/1": [
        "description of a version", "reason of a decision", "property of a version",
        "value of a property", "QA verdict", "QA reason", "QA figure", "QA promise", "commit", "repository",
        "maker of a version", "source of a version", "class of a report", "key of a report",
        "picture of a report", "class of a confusion"],
    "#/models/tags/1...2": ["description of a version", "class of a report", "picture of a report",
                            "class of a confusion", "QA verdict", "QA reason"],
    "#/approve": ["description of a version"],
    "#/approve/tags/1": ["description of a version", "reason of a decision", "value of a property",
                         "QA verdict", "QA reason", "QA figure", "QA promise"],
    "#/deployments": ["name of a deployment"],
    "#/deployments/{deployment}": [
        "name of a deployment", "reason of a failed deployment", "error of a failed deployment",
        "key of a configuration", "value of a configuration", "reset of a configuration"],
    "#/deployments/new?target={target}": ["user of a component"],
    "#/workflows/{machine}": ["name of a state", "comment of a machine"],
    "#/workflows/executions/{execution}": ["name of a state", "error of an execution",
                                           "cause of an execution", "input of an execution"],
    "#/workflows/functions?name=teller": ["description of a function", "line of a function"],
    "#/workflows/triggers": ["description of a schedule", "target of a schedule", "error of a delivery"],
    "#/alerts": ["description of a rule", "value of a pattern", "key of a pattern", "topic of a rule",
                 "error of a delivery", "name of a deployment"],
    "#/objects/andon-uploads": ["folder of objects", "key of an object"],
    "#/audit?kind=all&action=iot:DescribeEndpoint|iot:DescribeEndpoint": ["program of who asks"],
    "#/settings/roles": ["description of a role"],
    "#/settings/sessions": ["browser of a session"],
    "#/settings/shifts": ["name of a shift"],
}

# Others have a test of their own, over what makes them.
ELSEWHERE = {
    "topic and payload of a message, retained or not": "test_mqtt.py::test_messages_are_seen_as_they_come_with_what_is_retained",
    "words of an event in a mail": "test_mail.py::test_words_of_an_event_are_words_of_the_mail_and_no_fields",
    "content of an object that a page of the store shows": "test_safety.py::test_an_object_is_shown_as_a_picture_or_given_as_a_file_and_never_runs",
    "texts of an address": "test_safety.py::test_names_that_others_have_chosen_are_shown_as_text",
}

# Names that nobody gets such a text into: the server refuses them. (service, operation, input)
BAD = text("name")
REFUSED = [
    ("iot", "CreateThing", {"thingName": BAD}),
    ("iot", "CreateThing", {"thingName": "x", "attributePayload": {"attributes": {"hall": BAD}}}),
    ("iot", "CreateThing", {"thingName": "x", "attributePayload": {"attributes": {BAD: "1"}}}),
    ("iot", "CreateThingGroup", {"thingGroupName": BAD}),
    ("iot", "CreatePolicy", {"policyName": BAD, "policyDocument": "{}"}),
    ("greengrass", "CreateComponentVersion", {"inlineRecipe": None}),
    ("sagemaker", "CreateModelPackageGroup", {"ModelPackageGroupName": BAD}),
    ("andon", "PutModelAlias", {"modelName": "tags", "alias": BAD, "version": 1}),
    ("states", "CreateStateMachine", {"name": BAD, "roleArn": "arn:aws:iam::000000000000:role/andon-workflows",
                                      "definition": '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'}),
    ("iam", "CreateUser", {"UserName": BAD}),
    ("iam", "CreateRole", {"RoleName": BAD, "AssumeRolePolicyDocument": json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"},
                                                "Action": "sts:AssumeRole"}]})}),
    ("events", "PutRule", {"Name": BAD, "EventPattern": '{"source": ["a"]}'}),
    ("scheduler", "CreateSchedule", {"Name": BAD, "ScheduleExpression": "rate(1 day)",
                                     "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": {
                                         "Arn": f"arn:aws:logs:{ACCOUNT}:log-group:a", "RoleArn": "x"}}),
    ("logs", "CreateLogGroup", {"logGroupName": BAD}),
    ("lambda", "CreateFunction", {"FunctionName": BAD, "Role": "x", "Runtime": "python3.11", "Handler": "a.b",
                                  "Code": {"ZipFile": ""}}),
    ("andon", "PutWebhook", {"name": BAD, "secret": "a secret of more than sixteen characters"}),
    ("andon", "PutShifts", {"timeZone": "UTC", "shifts": [{"name": BAD, "start": "06:00"}]}),
]


class Device:
    """Says what it is asked as nobody should; played by hand, over its own connection."""

    def __init__(self, server, directory):
        self.device = server.device("line-1", directory)
        self.mqtt = self.device.mqtt()
        self.inbox = self.mqtt.subscribe("cmd/andon/line-1/commands/#")
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def end(self):
        self.ending.set()
        self.thread.join()
        self.inbox.__exit__()

    def _run(self):
        known = set()
        while not self.ending.wait(0.05):
            for topic, payload in self.inbox.messages():
                told = json.loads(payload)
                if topic.endswith("/ask") and told["id"] not in known:
                    known.add(told["id"])
                    for number, answer in enumerate(self.answers(told), 1):
                        self.mqtt.publish(f"andon/things/line-1/commands/{told['id']}",
                                          {"sequence": number, **answer})

    @staticmethod
    def answers(asked):
        picture = "R0lGODlhAQABAAAAACw="
        if asked["kind"] == "doctor":
            return [{"row": {"check": text("check of a device"), "verdict": "bad",
                             "text": text("finding of a device")}},
                    {"end": {"result": {"verdict": text("verdict of a device")}}}]
        if asked["kind"] == "logs":
            return [{"text": text("line of a component") + "\n"},
                    {"text": text("error line of a component") + "\n", "stream": "err"}, {"end": {}}]
        if asked["kind"] == "frame" and asked.get("follow"):
            about = {"verdict": text("verdict of a live frame"), "verdict_rule": text("rule of a live frame"),
                     "image": text("picture of a live frame"), "version": text("version of a live frame"),
                     "counts": {"OK": 1}}
            return [{"progress": {"bytes": 0, "ofBytes": 14, "text": ""}}, {"data": picture},
                    {"row": {"component": text("component of a live frame"), "contentType": "image/jpeg",
                             "bytes": 14, "frame": about}}]
        if asked["kind"] == "frame":
            return [{"data": picture}, {"end": {"result": {
                "bytes": 14, "component": text("component of a frame"), "contentType": "text/html"}}}]
        return [{"end": {"error": {"code": "rude",
                                   "message": text("error of a support bundle")}}}]


class Hostile(Alone):
    """All of SHOWN, put where it comes from."""

    def __init__(self, directory):
        super().__init__(directory)
        self.target = f"arn:aws:iot:{ACCOUNT}:thing/line-1"
        self.device = Device(self.server, directory / "devices")
        self._models()
        self._deployments()
        self._results()
        self._workflows()
        self._events()
        self._rest()

    def places(self):
        return {"result": self.result, "deployment": self.deployment, "target": quoted(self.target),
                "machine": quoted(self.machine), "execution": quoted(self.execution)}

    def end(self):
        self.device.end()
        self.server.kill()

    def _models(self):
        s3, sagemaker = self.server.aws("s3"), self.server.aws("sagemaker")
        report = {"averagePrecision": {"mAP50": 0.5}, "classes": [
                      {"name": text("class of a report"), text("key of a report"): 1}],
                  "worstImages": [{"fileName": text("picture of a report"), "missed": 1, "wrong": 1}],
                  "confusion": {"names": [text("class of a confusion"), None],
                                "foundByThere": [[1, 0], [0, 1]]}}
        s3.put_object(Bucket="andon-uploads", Key="report.json", Body=json.dumps(report).encode())
        sagemaker.create_model_package_group(
            ModelPackageGroupName="tags", ModelPackageGroupDescription=text("description of a model"))
        for _ in range(2):
            made = sagemaker.create_model_package(
                ModelPackageGroupName="tags", ModelPackageDescription=text("description of a version"),
                ModelApprovalStatus="PendingManualApproval",
                CustomerMetadataProperties={
                    text("property of a version"): text("value of a property"), "qa.verdict": text("QA verdict"),
                    "qa.reason": text("QA reason"), "qa.figure": text("QA figure"),
                    "qa.promised-figure": text("QA promise"), "dataset": "s3://andon-uploads/"},
                MetadataProperties={"CommitId": text("commit"), "Repository": text("repository"),
                                    "GeneratedBy": text("maker of a version")},
                SourceUri="s3://x/" + text("source of a version"),
                ModelMetrics={"ModelQuality": {"Statistics": {
                    "ContentType": "application/json", "S3Uri": "s3://andon-uploads/report.json"}}})
            sagemaker.update_model_package(
                ModelPackageArn=made["ModelPackageArn"], ModelApprovalStatus="Rejected",
                ApprovalDescription=text("reason of a decision"))
        status, told = self.server.call("PUT", "/andon/v1/models/tags/aliases/champion", {
            "version": 1, "note": text("note of an alias")})
        assert status == 200, told

    def _deployments(self):
        greengrass, mqtt = self.server.aws("greengrassv2"), self.device.mqtt
        greengrass.create_component_version(inlineRecipe=json.dumps({
            "RecipeFormatVersion": "2020-01-25", "ComponentName": "com.example.App",
            "ComponentVersion": "1.0.0", "Manifests": [{"Lifecycle": {"run": "true"}}]}))
        self.deployment = greengrass.create_deployment(
            targetArn=self.target, deploymentName=text("name of a deployment"), components={
                "com.example.App": {
                    "componentVersion": "1.0.0", "runWith": {"posixUser": text("user of a component")},
                    "configurationUpdate": {
                        "merge": json.dumps({text("key of a configuration"): text("value of a configuration")}),
                        "reset": ["/" + text("reset of a configuration")]}}})["deploymentId"]
        assert mqtt.publish("$aws/things/line-1/greengrassv2/health/json", {
            "ggcVersion": text("version of an agent"), "platform": text("platform of a device"),
            "architecture": text("architecture of a device"), "thing": "line-1", "sequenceNumber": 1,
            "timestamp": int(time.time() * 1000), "messageType": "COMPLETE",
            "trigger": "COMPONENT_STATUS_CHANGE", "overallDeviceStatus": "HEALTHY", "components": [
                {"componentName": text("component of a device"), "version": text("version of a component"),
                 "isRoot": True, "status": "RUNNING", "componentStatusDetails": {
                     "statusCodes": ["X"], "statusReason": text("details of a component")}}]})
        assert mqtt.publish(
            f"$aws/things/line-1/jobs/{self.deployment}/namespace-aws-gg-deployment/update", {
                "status": "FAILED", "statusDetails": {
                    "detailed-deployment-status": "FAILED",
                    "deployment-failure-cause": text("reason of a failed deployment"),
                    "deployment-error-stack": json.dumps([text("error of a failed deployment")]),
                    "deployment-error-types": json.dumps(["COMPONENT_ERROR"])}})

    def _results(self):
        assert self.device.mqtt.publish("andon/things/line-1/results", {
            "timestamp": "2026-11-22T10:00:00.123Z", "thing": "line-1",
            "image": {"name": text("picture of a result"), "width": 100, "height": 100},
            "verdict": text("verdict of a result"), "verdict_rule": text("rule of a verdict"),
            "model": {"component": text("model of a result"), "version": text("model version of a result")},
            text("member of a message"): 1,
            "detections": [{"class_id": 0, "label": text("label of a result"), "confidence": 0.9,
                            "box": [10, 10, 30, 30]}]})
        self.result = wait_until(self.server.results, "the result")[0]["resultId"]
        status, told = self.server.call("POST", f"/andon/v1/results/{self.result}/overrule", {
            "class": text("label of a review"), "note": text("note of a review")})
        assert status == 200, told

    def _workflows(self):
        states = self.server.aws("stepfunctions")
        self.machine = states.create_state_machine(
            name="line", roleArn="arn:aws:iam::000000000000:role/andon-workflows", definition=json.dumps({
                "Comment": text("comment of a machine"), "StartAt": text("name of a state"), "States": {
                    text("name of a state"): {"Type": "Fail", "Error": text("error of an execution"),
                                              "Cause": text("cause of an execution")}}}))["stateMachineArn"]
        self.execution = states.start_execution(
            stateMachineArn=self.machine,
            input=json.dumps({"text": text("input of an execution")}))["executionArn"]
        self._log("/aws/lambda/teller", "line of a function")
        self._log("/plant/line-1", "line of a log group")

    def _log(self, group, field):
        logs = self.server.aws("logs")
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName=text("name of a log stream"))
        logs.put_log_events(logGroupName=group, logStreamName=text("name of a log stream"), logEvents=[
            {"timestamp": int(time.time() * 1000), "message": text(field)}])

    def _role(self, name, service, action):
        iam = self.server.aws("iam")
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}
        arn = iam.create_role(RoleName=name, Description=text("description of a role"),
                              AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}))
        return arn

    def _events(self):
        events = self.server.aws("events")
        timer = self._role("timer", "scheduler.amazonaws.com", "logs:*")
        schedule = self.server.aws("scheduler").create_schedule(
            Name="nightly", Description=text("description of a schedule"),
            ScheduleExpression="cron(0 2 * * ? *)", FlexibleTimeWindow={"Mode": "OFF"}, Target={
                "Arn": f"arn:aws:logs:{ACCOUNT}:log-group:" + text("target of a schedule"), "RoleArn": timer})["ScheduleArn"]
        rule = events.put_rule(Name="quiet", Description=text("description of a rule"), EventPattern=json.dumps({
            "source": [text("value of a pattern")], "detail": {text("key of a pattern"): [1]}}))["RuleArn"]
        events.put_targets(Rule="quiet", Targets=[
            {"Id": "topic", "Arn": f"arn:aws:iot:{ACCOUNT}:topic/" + text("topic of a rule")}])

        with sqlite3.connect(self.server.data / "andon.db", timeout=30) as database:  # as a mail server says it
            for source in (rule, schedule):
                database.execute(
                    "INSERT INTO event_outcomes (source, target_id, target_arn, event_id, status, attempts, "
                    "error_code, error_message, input, at_ms) VALUES (?, 'x', 'x', 'x', 'DEAD', 1, 'X', ?, '', ?)",
                    (source, text("error of a delivery"), int(time.time() * 1000)))

    def _rest(self):
        s3 = self.server.aws("s3")
        s3.put_object(Bucket="andon-uploads", Key=text("key of an object"), Body=b"x")
        s3.put_object(Bucket="andon-uploads", Key=text("folder of objects") + "/x", Body=b"x")
        status, _ = self.server.call("PUT", "/andon/v1/result-shifts", {"timeZone": "UTC", "shifts": [
            {"name": text("name of a shift"), "start": "06:00"}, {"name": "late", "start": "14:00"}]})
        assert status == 200
        agent = {"Content-Type": "application/json"}
        ask(self.url, "POST", "/console/sign-in", {**agent, "User-Agent": f"Mozilla/5.0 ({text('browser of a session')})"},
            json.dumps({"link": self.link().split("link=")[1]}))
        iot = self.server.aws("iot")
        iot.meta.events.register("before-send.iot", lambda request, **_: request.headers.__setitem__(
            "User-Agent", text("program of who asks")))
        iot.describe_endpoint()
        self.server.aws("lambda").create_function(
            FunctionName="teller", Description=text("description of a function"), Runtime="python3.11",
            Role=self._role("functions", "lambda.amazonaws.com", "logs:*"), Handler="told.handler",
            Code={"ZipFile": packed("told.py", "def handler(event, context): return 1")})


def packed(name, content):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(name, content)
    return archive.getvalue()


def quoted(name):
    return urllib.parse.quote(name, safe="")


@pytest.fixture(scope="module", name="hostile")
def fixture_hostile(tmp_path_factory):
    made = Hostile(tmp_path_factory.mktemp("hostile"))
    yield made
    made.end()


@pytest.fixture(scope="module", name="watched")
def fixture_watched(chromium, hostile):
    made = Watched(chromium, hostile)
    yield made.sign_in()
    made.close()


@pytest.mark.parametrize("place", SHOWN)
def test_what_others_have_chosen_is_shown_as_text(hostile, watched, place):
    address, _, button = place.partition("|")
    page = watched.page
    page.evaluate("path => { location.hash = path }", address.format(**hostile.places()))
    watched.settle()
    if button:
        page.get_by_role("button", name=button, exact=True).first.click()

    def lacking():
        # Fields have what is in them as a value.
        shown = page.evaluate("""() => {
          const main = document.querySelector('main');
          const fields = [...main.querySelectorAll('input, textarea')].map(one => one.value);
          for (const one of main.querySelectorAll('details')) one.open = true;
          return [main.textContent, ...fields, ...[...main.querySelectorAll('option')].map(o => o.text)].join('\\n');
        }""").replace('\\"', '"')
        return [field for field in SHOWN[place] if text(field) not in shown]
    try:
        wait_until(lambda: not lacking(), "all of them", 20)
    except AssertionError:
        pytest.fail(f"{place} does not show {lacking()}: {page.locator('main').inner_text()[:3000]}")
    assert page.locator("img[src=x]").count() == 0
    assert page.title() != "owned" and page.locator("h1").count() == 1
    assert not watched.problems


@pytest.mark.parametrize("service, operation, what", REFUSED)
def test_names_that_hold_such_a_text_are_refused(hostile, watched, service, operation, what):
    if operation == "CreateComponentVersion":
        recipe = {"RecipeFormatVersion": "2020-01-25", "ComponentName": BAD, "ComponentVersion": "1.0.0",
                  "Manifests": [{"Lifecycle": {"run": "true"}}]}
        what = {"inlineRecipe": base64.b64encode(json.dumps(recipe).encode()).decode()}
    status = watched.page.evaluate("""async ([path, input]) => {
      const {csrfToken} = await (await fetch('/console/session')).json();
      return (await fetch(path, {method: 'POST', body: JSON.stringify(input),
        headers: {'X-Andon-Csrf': csrfToken, 'Content-Type': 'application/json'}})).status;
    }""", [f"/console/call/{service}/{operation}", what])
    assert status == 400


def test_what_has_a_test_elsewhere_has_it():
    for what, test in ELSEWHERE.items():
        file, name = test.split("::")
        assert f"def {name}(" in (ROOT / "tests/console" / file).read_text(), what


def test_no_source_of_the_console_makes_html_or_code_of_a_text():
    """What Svelte puts in braces is text: what would go past it is not used."""
    bad = re.compile(r"@html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc")
    sources = [path for path in (ROOT / "console/src").rglob("*") if path.suffix in (".svelte", ".ts")]
    assert len(sources) > 50
    assert not [path.name for path in sources if bad.search(path.read_text())]


def test_where_a_device_does_not_say_how_fast_its_line_is_the_view_alone_has_a_rate(watched):
    page = watched.go("#/live/line-1", "Live")
    page.get_by_text("frames a second").wait_for()
    assert page.locator("dt").filter(has_text="This view").count() == 1
    assert "pictures a" not in page.locator("main").inner_text()
