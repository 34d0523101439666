# SPDX-License-Identifier: Apache-2.0
"""Before a deployment goes: what changes, what other targets have put there, and whether it fits a
device: a real one, on a disk of its own."""
import json
import subprocess

import pytest
from agent import Agent, Fleet

from conftest import Alone, Watched
from harness import program, wait_until
from test_screens import accessible

DEVICE = "edge-1"
TARGET = f"arn:aws:iot:us-east-1:000000000000:thing/{DEVICE}"
DISK = "40m"
LARGE = 32 << 20  # with what deployments leave free it is more than the disk has
RUNS = {"run": "sleep 100000"}


class Line(Alone):
    """A server with a device that runs what its group has been given."""

    def __init__(self, directory, disk):
        super().__init__(directory)
        self.thing = DEVICE
        self.fleet = Fleet(self.server)
        self.agent = Agent(self.server, disk / DEVICE, DEVICE)
        self.fleet.component("com.example.Base", "1.0.0", RUNS)
        self.fleet.component("com.example.Base", "1.1.0", RUNS)
        self.fleet.component("com.example.Fits", "1.0.0", RUNS,
                             dependencies={"com.example.Base": {"VersionRequirement": ">=1.0.0"}})
        self._recipe("com.example.Foreign", {"os": "linux", "architecture": "sparc"})
        self._recipe("com.example.Hungry", {"os": "linux", "memory": ">=99999999"})
        self.fleet.component("com.example.Large", "1.0.0", RUNS, artifacts=[
            self.fleet.put_artifact("large.bin", bytes(LARGE))])
        self.fleet.component("com.example.Needy", "1.0.0", RUNS, dependencies={
            "com.example.Missing": {"VersionRequirement": ">=2.0.0"}})
        self.fleet.component("com.example.Newer", "1.0.0", RUNS, dependencies={
            "com.example.Base": {"VersionRequirement": ">=1.1.0"}})
        self.agent.__enter__()
        self.fleet.iot.create_thing_group(thingGroupName="hall-1")
        self.fleet.iot.add_thing_to_thing_group(thingName=DEVICE, thingGroupName="hall-1")
        self.fleet.outcome(self.fleet.deploy({"com.example.Base": "1.0.0"}, "thinggroup/hall-1"), DEVICE)
        self.agent.wait_for("com.example.Base", "1.0.0")

    def _recipe(self, name, platform):
        self.fleet.greengrass.create_component_version(inlineRecipe=json.dumps({
            "RecipeFormatVersion": "2020-01-25", "ComponentName": name, "ComponentVersion": "1.0.0",
            "Manifests": [{"Platform": platform, "Lifecycle": RUNS}]}))


@pytest.fixture(scope="module", name="line")
def fixture_line(tmp_path_factory):
    disk = tmp_path_factory.mktemp("disk")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", disk],
                          capture_output=True, text=True, check=False)
    assert made.returncode == 0, f"a small disk needs the right to mount: {made.stderr}"
    line = Line(tmp_path_factory.mktemp("line"), disk)
    yield line
    line.agent.__exit__()
    line.server.kill()
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.fixture(name="page")
def fixture_page(chromium, line):
    """The form of a new deployment to the device, as one comes to it."""
    watched = Watched(chromium, line)
    page = watched.sign_in().go("#/deployments", "Deployments")
    page.get_by_role("link", name="New deployment").click()
    page.get_by_label("Target").select_option(label=DEVICE)
    page.get_by_text("Also deployed to edge-1").wait_for()
    yield page
    assert not watched.problems
    watched.close()


def add(page, name, version=None):
    page.get_by_label("Add a component").select_option(name)
    page.get_by_role("button", name="Add", exact=True).click()
    if version:
        page.get_by_label("Version").last.select_option(version)


def fit_of(page):
    return page.locator("section").filter(has=page.get_by_role("heading", name="Does it fit?"))


def ask(page):
    """Who says what of which component: [who, component and reasons, verdict] of each row."""
    page.get_by_role("button", name="Look whether it fits").click()
    wait_until(page.get_by_role("button", name="Look whether it fits").is_enabled, "the answers")
    return [row.locator("td").all_inner_texts() for row in fit_of(page).locator("tbody tr").all()]


def test_what_fits_is_said_and_goes_beside_what_other_targets_have(page, line):
    add(page, "com.example.Fits")
    changes = page.get_by_role("row").filter(has_text="com.example.Fits")
    assert "added" in changes.first.inner_text() and "1.0.0" in changes.first.inner_text()
    stays = fit_of(page).inner_text()
    assert "com.example.Base 1.0.0" in stays and "hall-1" in stays
    assert ask(page) == [[DEVICE, "com.example.Fits 1.0.0", "ok"]]
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("heading", name="Devices").wait_for()
    page.get_by_text("Succeeded").first.wait_for()
    for name in ("com.example.Fits", "com.example.Base"):
        line.agent.wait_for(name, "1.0.0")


@pytest.mark.parametrize("name, who, reason", [
    ("Foreign", DEVICE, "architecture=sparc"), ("Hungry", DEVICE, "memory=>=99999999"),
    ("Large", DEVICE, "disk: "), ("Needy", "The server", "com.example.Missing")])
def test_what_does_not_fit_is_named_with_what_it_lacks(page, line, name, who, reason):
    newest = line.fleet.greengrass.list_deployments(targetArn=TARGET)["deployments"]
    add(page, f"com.example.{name}")
    told = [row for row in ask(page) if row[2] == "Bad"]
    assert len(told) == 1, told
    assert told[0][0] == who and told[0][1].startswith(f"com.example.{name} 1.0.0"), told
    assert reason in told[0][1], told
    assert not accessible(page)
    # Nothing has gone anywhere.
    assert line.fleet.greengrass.list_deployments(targetArn=TARGET)["deployments"] == newest


def test_the_command_line_says_the_same_of_a_disk_that_is_too_small(line):
    ended = subprocess.run(
        [program("andon"), "device", "fit", DEVICE, "--component", "com.example.Large@1.0.0",
         "--data", line.server.data], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 9 and "MiB are needed" in ended.stdout, ended


def test_it_is_looked_whether_it_fits_by_keyboard_alone(page):
    page.get_by_label("Add a component").focus()
    page.keyboard.type("com.example.Ne")  # nothing is added by going through the names
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    added = page.locator("section").filter(has=page.get_by_role("button", name="Remove", exact=True))
    added.filter(has_text="com.example.Needy").wait_for()
    assert added.filter(has_text="com.example.Newer").count() == 0
    button = page.get_by_role("button", name="Look whether it fits")
    wait_until(button.is_enabled, "the button being on")
    button.focus()
    page.keyboard.press("Enter")
    fit_of(page).locator("tbody tr").first.wait_for()


def test_what_another_target_holds_in_another_version_is_named(page):
    add(page, "com.example.Newer")
    (told,) = [row for row in ask(page) if row[2] == "Bad"]
    assert told[0] == "The server" and 'com.example.Newer wants ">=1.1.0"' in told[1], told
    assert 'what is deployed wants "1.0.0"' in told[1]
    add(page, "com.example.Base", "1.1.0")
    assert fit_of(page).get_by_text("here 1.1.0").is_visible()


def test_a_version_that_is_not_registered_any_more_is_named(page, line):
    versions = {"com.example.Old": "1.0.0", "com.example.Gone": "3.0.0"}
    for name, version in [*versions.items(), ("com.example.Old", "1.0.1")]:
        line.fleet.component(name, version, RUNS)
    line.fleet.iot.create_thing(thingName="line-2")
    for group in ("hall-2", "hall-3"):
        line.fleet.iot.create_thing_group(thingGroupName=group)
        line.fleet.iot.add_thing_to_thing_group(thingName="line-2", thingGroupName=group)
    old = line.fleet.deploy(versions, "thinggroup/hall-2")
    line.fleet.greengrass.cancel_deployment(deploymentId=old)
    for name, version in versions.items():
        line.fleet.greengrass.delete_component(
            arn=f"arn:aws:greengrass:us-east-1:000000000000:components:{name}:versions:{version}")
    page.evaluate("path => { location.hash = path }", f"#/deployments/{old}")
    page.get_by_role("link", name="Change and deploy").click()
    page.get_by_label("Target").select_option(label="hall-3")
    # Its devices are away: what the server lacks is said all the same.
    page.get_by_text("No device of this target is connected", exact=False).wait_for()
    add(page, "com.example.Fits", "1.0.0")
    told = {row[1].split()[0]: row for row in ask(page)}
    assert {row[0] for row in told.values()} == {"The server"}
    assert told["com.example.Fits"][2] == "ok"
    assert 'this deployment wants "1.0.0"; the server has 1.0.1' in told["com.example.Old"][1], told
    assert 'wants "3.0.0"; the server has none' in told["com.example.Gone"][1]
