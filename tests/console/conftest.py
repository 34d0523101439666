# SPDX-License-Identifier: Apache-2.0
"""A plant to look at: what `andon demo` has made (server, broker, device, models, executions), with
its server and agent running on, and Debian's Chromium in front of it."""
import hashlib
import hmac
import http.client
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.parse
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from harness import PATIENCE_S, ROOT, Server, program, wait_until

EXAMPLE = ROOT / "examples" / "metal-tags"
PASSWORD = "Line-3-is-red"
SECRET = "a secret of more than sixteen characters"
# A name that would like to run.
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


def ask(url, method, path, headers=None, body=None):
    host = urllib.parse.urlsplit(url).netloc
    connection = http.client.HTTPConnection(host, timeout=60)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def read_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


class Plant:
    """`andon demo`, left running: its server is `self.server`."""

    def __init__(self, directory):
        self.out = directory / "demo"
        self.images = directory / "images"
        self.pictures = 0
        shutil.copytree(EXAMPLE / "images", self.images)
        self.log = directory / "demo.log"
        # What --open opens: a browser that only notes the address.
        self.opened = directory / "opened"
        browser = directory / "browser"
        browser.write_text(f'#!/bin/sh\necho "$1" > {self.opened}.part && mv {self.opened}.part {self.opened}\n')
        browser.chmod(0o755)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [program("andon"), "demo", "--example", EXAMPLE, "--out", self.out,
                 "--images", self.images,
                 "--timeout", "900", "--open"], stdout=log, stderr=log,
                env={**os.environ, "BROWSER": str(browser)})
        wait_until(self._is_done, "the demo", 1200)
        self.server = Server(self.out / "state" / "server")
        self.server.info = read_json(self.server.data / "server.json")
        self.thing = "line-1-camera-1"
        self._more()

    def _is_done(self):
        text = self.log.read_text(errors="replace")
        assert self.process.poll() is None, text
        return "Watching" in text

    def _more(self):
        """Pictures as andon-inspect uploads them, groups, devices with hostile names, users."""
        iot, iam = (self.server.aws(name) for name in ("iot", "iam"))
        for result in self.server.results():
            self._upload(result, EXAMPLE / "images" / Path(result["image"]).name)
        iot.create_thing_group(thingGroupName="hall-1")
        iot.add_thing_to_thing_group(thingName=self.thing, thingGroupName="hall-1")
        for number in (2, 3):
            iot.create_thing(thingName=f"line-{number}",
                             attributePayload={"attributes": {"hall": "1"}})
            iot.add_thing_to_thing_group(thingName=f"line-{number}", thingGroupName="hall-1")
        for name, policy in (("vera", "AndonViewerAccess"), ("otto", "AndonOperatorAccess")):
            iam.create_user(UserName=name)
            iam.create_login_profile(UserName=name, Password=PASSWORD)
            iam.attach_user_policy(UserName=name,
                                   PolicyArn=f"arn:aws:iam::aws:policy/{policy}")

        self._triggers()

    def _triggers(self):
        """A schedule and a webhook, each with an outcome, and messages that the broker keeps."""
        self.server.aws("logs").create_log_group(logGroupName="nightly")
        iam = self.server.aws("iam")
        role = iam.create_role(RoleName="timer", AssumeRolePolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"},
                "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
        iam.put_role_policy(RoleName="timer", PolicyName="logs", PolicyDocument=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}))
        soon = time.strftime("at(%Y-%m-%dT%H:%M:%S)", time.gmtime(time.time() + 3))
        for name, expression in (("nightly", "cron(0 2 * * ? *)"), ("once", soon)):
            self.server.aws("scheduler").create_schedule(
                Name=name, ScheduleExpression=expression, FlexibleTimeWindow={"Mode": "OFF"},
                Target={"Arn": "arn:aws:logs:us-east-1:000000000000:log-group:nightly", "RoleArn": role})
        status, _ = self.server.call("PUT", "/andon/v1/webhooks/code", {"secret": SECRET})
        assert status == 200
        push = json.dumps({"ref": "refs/heads/main"}).encode()
        signature = hmac.new(SECRET.encode(), push, hashlib.sha256).hexdigest()
        status, _, _ = ask(self.url, "POST", "/hooks/code", {
            "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": "1",
            "X-Hub-Signature-256": f"sha256={signature}"}, push)
        assert status == 202
        data = self.server.aws("iot-data")
        for topic, message in (
                ("hall-1/press/state", {"pressure": 5.2, "unit": "bar", "valves": [1, 0, 1]}),
                ("hall-1/oven/temperature", 184.5), ("hall-1/lamp", "green")):
            data.publish(topic=topic, payload=json.dumps(message).encode(), retain=True)

    def _upload(self, result, picture):
        day = result["timestamp"][:10].replace("-", "/")
        self.server.aws("s3").upload_file(str(picture), "andon-uploads",
                                          f"{result['thing']}/{day}/{result['image']}")

    @property
    def url(self):
        return self.server.info["api"]

    def look_at_a_picture(self):
        """Its camera gives another, so that there is a newest frame."""
        self.pictures += 1
        source = sorted((EXAMPLE / "images").iterdir())[self.pictures % 5]
        made = self.images / f"more-{self.pictures}{source.suffix}"
        # Other bytes than those of a picture that was looked at before.
        drawn = Image.open(source).convert("RGB")
        drawn.putpixel((0, 0), (self.pictures % 256, 0, 0))
        drawn.save(made.with_suffix(".part"), "PNG")
        made.with_suffix(".part").rename(made.with_suffix(".png"))
        name = made.with_suffix(".png").name
        result = wait_until(
            lambda: next((one for one in self.server.results(f"thing={self.thing}")
                          if one["image"] == name), None), "the result", 60)
        self._upload(result, self.images / name)

    def link(self):
        status, answer = self.server.call("POST", "/andon/v1/console-links", {})
        assert status == 200, answer
        return self.url + answer["path"]

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE_S)


@pytest.fixture(scope="session")
def plant(tmp_path_factory):
    made = Plant(tmp_path_factory.mktemp("plant"))
    yield made
    made.end()


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", shutil.which("chromium")),
            args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


class Watched:
    """A page with what its console said and what it asked for."""

    def __init__(self, browser, plant, **options):
        self.plant = plant
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 800},
                                              "locale": "en-GB", **options})
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.problems, self.asked = [], []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.problems.append("a dialog opened"),
                                               dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def only_told(self):
        """Before it is signed in: without the look that a page has by itself each 30 s, it sees what the
        server tells of."""
        self.context.add_init_script("""{
            const every = window.setInterval.bind(window);
            window.setInterval = (work, ms, ...more) => ms >= 30_000 ? 0 : every(work, ms, ...more);
        }""")
        return self

    def sign_in(self, user=None):
        if user is None:
            self.page.goto(self.plant.link())
        else:
            self.page.goto(self.plant.url + "/console/")
            self.page.get_by_label("User", exact=True).fill(user)
            self.page.get_by_label("Password", exact=True).fill(PASSWORD)
            self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("heading", name="Fleet").wait_for()
        return self

    def go(self, path, heading):
        self.page.evaluate("path => { location.hash = path }", path)
        self.page.get_by_role("heading", name=heading, level=1).wait_for()
        self.settle()
        return self.page

    def settle(self):
        """Until every question of the page has its answer, and drawing that asks no other."""
        self.page.wait_for_load_state("load")
        wait_until(self._is_quiet, "the answers to what the page asks")

    def _is_quiet(self):
        return self.page.evaluate("""() => new Promise(done => {
            const isQuiet = () => !Number(document.documentElement.dataset.asking ?? 0);
            const drawn = then => requestAnimationFrame(() => setTimeout(then));
            drawn(() => isQuiet() ? drawn(() => done(isQuiet())) : done(false));
        })""")

    def close(self):
        self.context.close()


@pytest.fixture
def visit(chromium, plant):
    opened = []

    def make(**options):
        opened.append(Watched(chromium, plant, **options))
        return opened[-1]
    yield make
    for one in opened:
        one.close()


class Alone:
    """A server of its own, for what disturbs others; restarted it has the same port."""

    def __init__(self, directory, *options):
        self.server = Server(directory / "data", *options).start()
        self.url = self.server.info["api"]
        self.thing = ""

    def link(self):
        status, answer = self.server.call("POST", "/andon/v1/console-links", {})
        assert status == 200
        return self.url + answer["path"]

    def restart(self):
        port = urllib.parse.urlsplit(self.url).port
        self.server.kill()
        command = self.server.command()
        command[command.index("--api-port") + 1] = str(port)
        self.server.command = lambda: command
        self.server.start()


@pytest.fixture
def alone(tmp_path):
    made = Alone(tmp_path)
    yield made
    made.server.kill()


@pytest.fixture
def watched(chromium, alone):
    made = Watched(chromium, alone)
    yield made
    made.close()
