# SPDX-License-Identifier: Apache-2.0
"""Every dialog of the console, over the screen that opens it: by keyboard alone it opens, keeps the focus,
closes and gives it back; axe finds nothing serious in it. Which there are is counted in the sources: those of
whoever is signed in are in test_own.py."""
import json
import re

import pytest

from conftest import Alone, Watched
from harness import ROOT, wait_until
from test_fleet import message, say_results
from test_screens import accessible


class Line(Alone):
    """Something of everything that a dialog is about."""

    def __init__(self, directory):
        super().__init__(directory)
        server = self.server
        device = server.device("line-1", directory / "devices")
        say_results(server, device, [message(1)])
        self.result = server.results()[0]
        self.machine = server.aws("stepfunctions").create_state_machine(
            name="line", roleArn="arn:aws:iam::000000000000:role/andon-workflows", definition=json.dumps({
                "StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}))["stateMachineArn"]
        server.aws("iam").create_user(UserName="eva")


@pytest.fixture(scope="module", name="line")
def fixture_line(tmp_path_factory):
    made = Line(tmp_path_factory.mktemp("line"))
    yield made
    made.server.kill()


def screens(line):
    """{dialog: (address, heading, button, what it opens over)}."""
    return {
        "Add a device": ("#/fleet", "Fleet", "Add a device", None),
        "New group": ("#/fleet", "Fleet", "New group", None),
        "Restart a component": ("#/fleet", "Fleet", "Restart a component", "Choose line-1"),
        "New alert": ("#/alerts", "Alerts", "New alert", None),
        "Overrule": (f"#/results/{line.result['resultId']}", line.result["image"], "Overrule", None),
        "Start": ("#/workflows/" + line.machine.replace(":", "%3A"), "line", "Start", None),
        "Add a user": ("#/settings/users", "Settings", "Add a user", None),
        "Add a group": ("#/settings/groups", "Settings", "Add a group", None),
        "New webhook": ("#/workflows/triggers", "Schedules and webhooks", "New webhook", None),
        "Are you sure?": ("#/devices/line-1", "line-1", "Remove", None),
    }


NAMES = ("Add a device", "New group", "Restart a component", "New alert", "Overrule", "Start", "Add a user",
         "Add a group", "New webhook", "Are you sure?")


def opener(watched, line, name):
    address, heading, button, chosen = screens(line)[name]
    page = watched.go(address, heading)
    if chosen:
        page.get_by_role("checkbox", name=chosen).check()
    found = page.get_by_role("button", name=button, exact=True).first
    wait_until(found.is_enabled, f"{button} being on")
    return found


def test_the_sources_have_no_other_dialogs():
    found = sum(len(re.findall(r"<Dialog\b", path.read_text())) for path in (ROOT / "console/src").rglob("*.svelte"))
    assert found == len(NAMES) + 2


@pytest.mark.parametrize("name", NAMES)
def test_each_dialog_opens_keeps_the_focus_and_closes_by_keyboard(chromium, line, name):
    watched = Watched(chromium, line).sign_in()
    page, button = watched.page, opener(watched, line, name)
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    assert dialog.get_attribute("aria-label")
    inside = "document.activeElement.closest('dialog') !== null || document.activeElement === document.body"
    wait_until(lambda: page.evaluate("document.activeElement.closest('dialog') !== null"), "the focus")
    reached = set()
    for _ in range(15):
        page.keyboard.press("Tab")
        assert page.evaluate(inside), page.evaluate("document.activeElement.outerHTML")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
    assert reached & {"Cancel", "No"}, reached
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert page.evaluate("one => document.activeElement === one", button.element_handle())
    assert not watched.problems
    watched.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, {"width": 390, "height": 780}])
def test_axe_finds_nothing_serious_in_any_dialog(chromium, line, theme, size):
    watched = Watched(chromium, line, viewport=size, color_scheme=theme).sign_in()
    page, wrong = watched.page, []
    for name in NAMES:
        opener(watched, line, name).click()
        page.get_by_role("dialog").wait_for()
        wrong += [f"{name}: {problem}" for problem in accessible(page)]
        wide = page.get_by_role("dialog").evaluate("one => one.getBoundingClientRect().right")
        assert wide <= size["width"], f"{name} is {wide} pixels wide"
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
    # What an added device is given: a line to type, and a picture of it.
    opener(watched, line, "Add a device").click()
    page.get_by_label("Name of the device").fill(f"line-{theme}-{size['width']}")
    page.keyboard.press("Enter")
    page.get_by_role("img", name="The token of", exact=False).wait_for()
    wrong += [f"the token: {problem}" for problem in accessible(page)]
    page.keyboard.press("Escape")
    # Over a page whose session has ended.
    _, told = line.server.call("GET", "/andon/v1/console-sessions")
    for session in told["sessions"]:
        line.server.call("POST", "/andon/v1/console-sessions/end", {"sessionId": session["sessionId"]})
    page.get_by_text("Your session has ended").wait_for()
    wrong += [f"signing in again: {problem}" for problem in accessible(page)]
    assert not wrong, "\n".join(wrong)
    watched.close()
