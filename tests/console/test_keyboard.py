# SPDX-License-Identifier: Apache-2.0
"""What one does with hands on the keyboard alone: through the states of a workflow, the topics of the broker, the
gallery and the threshold of a result, and back to the deployment of before. Nothing here is clicked, and nothing is
given the focus but by keys."""
import json

import pytest

from agent import Fleet
from conftest import Alone, Watched
from harness import wait_until
from test_fleet import message, say_results
from test_models import put_user
from test_versions import tab_to

THING = "arn:aws:iot:us-east-1:000000000000:thing/line-1"


class Line(Alone):
    """A device with results, an execution that has ended, two deployments."""

    def __init__(self, directory):
        super().__init__(directory)
        server = self.server
        put_user(server, "otto", "AndonOperatorAccess")
        device = server.device("line-1", directory / "devices")
        found = [{"class_id": 0, "label": "scratch", "confidence": confidence, "box": [10, 10 + at, 30, 30]}
                 for at, confidence in enumerate((0.3, 0.6, 0.9))]
        say_results(server, device, [{**message(number, seconds=60 * number), "detections": found}
                                     for number in range(5)])
        self.results = server.results()
        self._flow()
        self._deployments()

    def _flow(self):
        states = self.server.aws("stepfunctions")
        machine = states.create_state_machine(
            name="sort", roleArn="arn:aws:iam::000000000000:role/andon-workflows", definition=json.dumps({
                "StartAt": "Look", "States": {
                    "Look": {"Type": "Pass", "Result": {"grams": 17}, "Next": "Weigh"},
                    "Weigh": {"Type": "Choice", "Default": "Keep", "Choices": [
                        {"Variable": "$.grams", "NumericGreaterThan": 20, "Next": "Throw away"}]},
                    "Keep": {"Type": "Succeed"}, "Throw away": {"Type": "Fail"}}}))["stateMachineArn"]
        self.execution = states.start_execution(stateMachineArn=machine)["executionArn"]
        wait_until(lambda: states.describe_execution(executionArn=self.execution)["status"] == "SUCCEEDED",
                   "the execution")

    def _deployments(self):
        self.fleet = Fleet(self.server)
        for version in ("1.0.0", "2.0.0"):
            self.fleet.component("com.example.Lamp", version, {"run": "true"})
            self.fleet.deploy({"com.example.Lamp": version}, "thing/line-1")

    def deployed(self):
        """(id, version) of the newest."""
        (latest,) = [one for one in self.fleet.greengrass.list_deployments(targetArn=THING)["deployments"]
                     if one["isLatestForTarget"]]
        told = self.fleet.greengrass.get_deployment(deploymentId=latest["deploymentId"])
        return latest["deploymentId"], told["components"]["com.example.Lamp"]["componentVersion"]


@pytest.fixture(scope="module", name="line")
def fixture_line(tmp_path_factory):
    made = Line(tmp_path_factory.mktemp("line"))
    yield made
    made.server.kill()


@pytest.fixture(scope="module", name="watched")
def fixture_watched(chromium, line):
    made = Watched(chromium, line).sign_in("otto")
    yield made
    assert not made.problems
    made.close()


def screen(watched, key, heading):
    """To a screen by its keys, from wherever one is."""
    page = watched.page
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press(key)
    page.get_by_role("heading", name=heading, level=1).wait_for()
    watched.settle()
    return page


def to_text(page, text):
    tab_to(page, f"one.textContent.trim().startsWith({json.dumps(text)})")


def has_a_ring(page):
    """That who looks sees where the focus is."""
    return page.evaluate("""() => {
      const one = document.activeElement, box = one.querySelector(':scope > rect');
      const ring = getComputedStyle(one).outlineStyle !== 'none' && parseFloat(getComputedStyle(one).outlineWidth) >= 2;
      return ring || (box !== null && parseFloat(getComputedStyle(box).strokeWidth) >= 3);
    }""")


def test_the_states_of_an_execution_are_gone_through(watched, line):
    page = screen(watched, "w", "Workflows")
    to_text(page, "sort")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="sort", level=1).wait_for()
    watched.settle()
    tab_to(page, f"one.title === '{line.execution.rsplit(':', 1)[1]}'")
    page.keyboard.press("Enter")
    page.locator("g.state").first.wait_for()
    watched.settle()
    for state, told in (("Look", '"grams": 17'), ("Throw away", "Not reached")):
        tab_to(page, f"one.getAttribute('role') === 'button' && one.querySelector('.name')?.textContent === '{state}'")
        assert has_a_ring(page)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name=state, level=2).wait_for()
        page.locator(".split").get_by_text(told).first.wait_for()
        assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    # Once more, and one is back at the whole.
    page.keyboard.press("Space")
    page.get_by_role("heading", name="Throw away", level=2).wait_for(state="detached")
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "false"


def test_the_topics_of_the_broker_are_gone_through(watched, line):
    data = line.server.aws("iot-data")
    for topic, value in (("hall-1/press/state/deep", 5.2), ("hall-1/oven", 184.5)):
        data.publish(topic=topic, payload=json.dumps(value).encode(), retain=True)
    page = screen(watched, "q", "MQTT")
    tab_to(page, "one.getAttribute('aria-label') === 'Filter'")
    page.keyboard.press("Control+a")
    page.keyboard.type("hall-1/#")
    page.keyboard.press("Enter")
    page.get_by_text("184.5").first.wait_for()
    to_text(page, "hall-1")
    assert has_a_ring(page)
    oven = page.locator("li button", has_text="oven")
    page.keyboard.press("Enter")
    wait_until(lambda: not oven.is_visible(), "the level being closed")
    page.keyboard.press("Space")
    oven.wait_for()
    messages = page.locator("section", has=page.get_by_role("heading", name="Messages")).locator("ol > li")
    assert messages.count() == 2
    to_text(page, "oven")
    assert has_a_ring(page)
    page.keyboard.press("Enter")
    wait_until(lambda: messages.count() == 1, "the messages of that topic")
    assert "hall-1/oven" in messages.inner_text() and "184.5" in messages.inner_text()
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    page.keyboard.press("Enter")
    wait_until(lambda: messages.count() == 2, "all messages")
    # The third level is opened by who wants to see it.
    deep = page.locator("li button", has_text="deep")
    assert not deep.is_visible()
    tab_to(page, "one.tagName === 'SUMMARY' && one.textContent.trim().startsWith('state')")
    page.keyboard.press("Enter")
    deep.wait_for()


def test_the_gallery_leads_to_a_result_and_its_threshold_is_moved(watched, line):
    page = screen(watched, "r", "Results")
    newest, second = line.results[:2]
    tab_to(page, f"one.tagName === 'A' && /\\/results\\/{newest['resultId']}(\\?|$)/.test(one.href)")
    assert has_a_ring(page)
    page.keyboard.press("Tab")
    assert f"/results/{second['resultId']}" in page.evaluate("document.activeElement.href")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=second["image"], level=1).wait_for()
    watched.settle()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("heading", name=newest["image"], level=1).wait_for()
    watched.settle()
    tab_to(page, "one.type === 'range'")
    assert has_a_ring(page)
    before = page.url
    picture = "document.querySelector('main canvas').toDataURL()"
    drawn = page.evaluate(picture)
    page.keyboard.press("PageUp")
    for _ in range(21):
        page.keyboard.press("ArrowRight")
    value = float(page.locator("output").inner_text())
    assert 0.3 < value < 0.6
    page.get_by_text("2 of 3 boxes").wait_for()
    assert page.evaluate(picture) != drawn
    page.keyboard.press("End")
    page.get_by_text("0 of 3 boxes").wait_for()
    page.keyboard.press("Home")
    page.get_by_text("3 of 3 boxes").wait_for()
    wait_until(lambda: page.evaluate(picture) == drawn, "the first picture")
    assert page.url == before  # the slider's keys leaf through no results


def test_a_deployment_is_rolled_back(watched, line):
    newest, version = line.deployed()
    assert version == "2.0.0"
    page = screen(watched, "d", "Deployments")
    tab_to(page, f"one.tagName === 'A' && one.href.includes('{newest}')")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Earlier").wait_for()
    to_text(page, "Roll back to this")
    assert has_a_ring(page)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    # Without meaning it, first.
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    assert line.deployed() == (newest, "2.0.0")
    page.keyboard.press("Enter")
    dialog.wait_for()
    tab_to(page, "one.closest('dialog') !== null && one.textContent.trim() === 'Roll back to this'")
    page.keyboard.press("Enter")
    made, version = wait_until(lambda: (one := line.deployed())[0] != newest and one, "the way back")
    assert version == "1.0.0"
    page.wait_for_url(lambda url: made in url)
