# SPDX-License-Identifier: Apache-2.0
"""Acts on many devices at once, with real ones: restarted together, and what one of them refuses."""
import pytest
from agent import Agent, Fleet

from conftest import PASSWORD, Alone, Watched
from harness import wait_until
from test_screens import accessible

NAME = "com.example.Talker"
HAVE, LACKS = ("edge-1", "edge-2"), "edge-3"


class Hall(Alone):
    """Three devices; the component runs on two of them."""

    def __init__(self, directory):
        super().__init__(directory)
        fleet = Fleet(self.server)
        fleet.component(NAME, "1.0.0", {"run": "echo $$ > new; mv new started; exec sleep 100000"})
        self.agents = {}
        for thing in (*HAVE, LACKS):
            self.agents[thing] = Agent(self.server, directory / thing, thing)
            self.agents[thing].__enter__()
        for thing in HAVE:
            fleet.deploy_and_wait({NAME: "1.0.0"}, thing)
            wait_until((self.agents[thing].root / "work" / NAME / "started").exists, "the component")
        iam = self.server.aws("iam")
        for name, policy in (("otto", "AndonOperatorAccess"), ("vera", "AndonViewerAccess")):
            iam.create_user(UserName=name)
            iam.create_login_profile(UserName=name, Password=PASSWORD)
            iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")

    def started(self, thing):
        """What the component's process has written when it began."""
        return (self.agents[thing].root / "work" / NAME / "started").read_text()

    def restarts(self):
        """{device: how its newest restart ended}, of those that were asked for in the console."""
        found = {}
        for thing in (*HAVE, LACKS):
            _, told = self.server.call("GET", f"/andon/v1/commands?thing={thing}&maxResults=50")
            found[thing] = [(one["status"], one["askedBy"]) for one in told["commands"]
                            if one["kind"] == "restart"]
        return found

    def end(self):
        for agent in self.agents.values():
            agent.__exit__()
        self.server.kill()


@pytest.fixture(scope="module", name="hall")
def fixture_hall(tmp_path_factory):
    made = Hall(tmp_path_factory.mktemp("hall"))
    yield made
    made.end()


def open_dialog(page, *things):
    for thing in things:
        page.get_by_role("checkbox", name=f"Choose {thing}").check()
    page.get_by_role("button", name="Restart a component").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Component").locator("option", has_text=NAME).wait_for(state="attached")
    return dialog


def test_the_chosen_are_restarted_together_and_no_other(chromium, hall):
    watched = Watched(chromium, hall)
    page = watched.sign_in("otto").page
    before = {thing: hall.started(thing) for thing in HAVE}
    dialog = open_dialog(page, *HAVE)
    assert "2" in dialog.inner_text()
    assert not accessible(page)
    dialog.get_by_label("Component").select_option(NAME)
    dialog.get_by_role("button", name="Restart", exact=True).click()
    page.get_by_text("Done").wait_for()
    dialog.wait_for(state="detached")
    for thing in HAVE:
        wait_until(lambda: hall.started(thing) != before[thing], f"another process on {thing}")  # noqa: B023
    assert hall.restarts() == {**{thing: [("SUCCEEDED", "otto")] for thing in HAVE}, LACKS: []}
    assert page.get_by_role("checkbox", name=f"Choose {HAVE[0]}").is_checked() is False
    watched.close()


def test_what_one_of_the_chosen_refuses_is_named_and_keeps_no_other_from_it(chromium, hall):
    watched = Watched(chromium, hall)
    page = watched.sign_in("otto").page
    before = {thing: hall.started(thing) for thing in HAVE}
    dialog = open_dialog(page, *HAVE, LACKS)
    dialog.get_by_label("Component").select_option(NAME)
    dialog.get_by_role("button", name="Restart", exact=True).click()
    told = page.get_by_text(f"{LACKS}: ", exact=False)
    told.wait_for()
    assert NAME in told.inner_text() and HAVE[0] not in told.inner_text()
    for thing in HAVE:
        wait_until(lambda: hall.started(thing) != before[thing], f"another process on {thing}")  # noqa: B023
    assert hall.restarts()[LACKS][0][0] == "FAILED"
    watched.close()


def test_a_viewer_restarts_nothing(chromium, hall):
    watched = Watched(chromium, hall)
    page = watched.sign_in("vera").page
    page.get_by_role("checkbox", name=f"Choose {HAVE[0]}").check()
    button = page.get_by_role("button", name="Restart a component")
    wait_until(button.is_disabled, "the button being off")
    assert "andon:StartCommand" in button.get_attribute("title")
    watched.close()
