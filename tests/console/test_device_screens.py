# SPDX-License-Identifier: Apache-2.0
"""What the console does at a device, by commands: log, restart, stop, doctor, support bundle, frames;
and what who may not is shown instead."""
import io
import tarfile
import time

import pytest
from PIL import Image

from conftest import PASSWORD
from harness import wait_until

COMPONENT = "com.example.MetalTags.Inspect"


def commands_of(plant, kind):
    """Newest first."""
    status, told = plant.server.call("GET", f"/andon/v1/commands?thing={plant.thing}&maxResults=200")
    assert status == 200, told
    return [one for one in told["commands"] if one["kind"] == kind]


def wait_for_process(plant, is_it, what):
    """The component's state and process, as the device says: asked twice a second, not to use up
    the commands that a device may have at a time."""
    def asked():
        now = process_of(plant)
        return is_it(*now) or time.sleep(0.5)
    wait_until(asked, what, 90)


def process_of(plant):
    status, begun = plant.server.call("POST", f"/andon/v1/things/{plant.thing}/commands",
                                      {"kind": "components"})
    assert status == 200, begun
    rows, after = [], 0
    while True:
        status, page = plant.server.call("GET", f"/andon/v1/commands/{begun['commandId']}/answers"
                                         f"?after={after}&waitSeconds=20")
        assert status == 200, page
        rows += [one["row"] for one in page["answers"] if "row" in one]
        after = page["after"]
        if page["isOver"]:
            row = next(row for row in rows if row["name"] == COMPONENT)
            return row["state"], row.get("pid")


def device_of(visit, plant, user="otto"):
    return visit().sign_in(user).go(f"#/devices/{plant.thing}", plant.thing)


def test_a_component_is_restarted_and_stopped(visit, plant):
    page = device_of(visit, plant)
    before = process_of(plant)
    page.get_by_role("button", name=f"Restart {COMPONENT}").click()
    page.get_by_text(f"{COMPONENT} is restarted").wait_for()
    wait_for_process(plant, lambda state, pid: state == "RUNNING" and pid != before[1], "another process")
    page.get_by_role("button", name=f"Stop {COMPONENT}").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    page.get_by_text(f"{COMPONENT} is stopped").wait_for()
    wait_for_process(plant, lambda state, _: state != "RUNNING", "the component standing still")
    page.get_by_role("button", name=f"Restart {COMPONENT}").click()
    wait_for_process(plant, lambda state, _: state == "RUNNING", "the component running again")
    assert commands_of(plant, "restart")[0]["askedBy"] == "otto"


def test_a_log_is_followed_until_one_stops_or_leaves(visit, plant):
    page = device_of(visit, plant)
    page.get_by_role("button", name=f"Log of {COMPONENT}").click()
    assert page.get_by_label("Component", exact=True).input_value() == COMPONENT
    page.get_by_role("button", name="Show").click()
    log = page.locator("#log pre")
    page.get_by_text("Lines come as they are written.").wait_for()
    wait_until(lambda: log.inner_text().strip(), "what it has written before")
    before = len(log.inner_text())
    page.get_by_role("button", name=f"Restart {COMPONENT}").click()
    wait_until(lambda: len(log.inner_text()) > before, "a line that was written since")
    page.get_by_role("button", name="Stop following").click()
    page.get_by_role("button", name="Show").wait_for()
    wait_until(lambda: commands_of(plant, "logs")[0]["status"] == "CANCELED", "its end")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("Lines come as they are written.").wait_for()
    page.evaluate("location.hash = '#/fleet'")
    wait_until(lambda: commands_of(plant, "logs")[0]["status"] == "CANCELED", "its end")
    wait_for_process(plant, lambda state, _: state == "RUNNING", "the component running again")


def test_a_device_looks_itself_over_and_gives_its_support_bundle(visit, plant):
    page = device_of(visit, plant)
    page.get_by_role("button", name="Doctor").click()
    page.get_by_text("The device finds itself").wait_for()
    assert page.get_by_role("columnheader", name="Check").is_visible()
    page.get_by_role("button", name="Support bundle").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == f"{plant.thing}-support.tar"
    with tarfile.open(download.value.path()) as archive:
        assert "status.json" in archive.getnames()


def test_an_error_of_the_device_is_shown_with_its_name(visit, plant):
    page = visit().sign_in("otto").go("#/devices/line-2", "line-2")
    # Nobody is there to answer: given up here, not waited for.
    page.get_by_role("button", name="Doctor").click()
    page.get_by_text("the device is at it").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("the device is at it").wait_for(state="detached")
    page.get_by_role("button", name="Doctor").click()
    alert = page.get_by_role("alert")
    alert.wait_for(timeout=90_000)
    assert "line-2 did not answer" in alert.inner_text()
    assert "deadline_exceeded" in alert.inner_text()


def test_the_newest_frame_of_a_device_is_taken(visit, plant):
    plant.look_at_a_picture()
    page = device_of(visit, plant)
    page.get_by_role("button", name="Take a frame").click()
    frame = page.get_by_alt_text(f"The newest frame of {plant.thing}")
    frame.wait_for()
    wait_until(lambda: frame.evaluate("image => image.naturalWidth") > 100, "the picture")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as image:
        assert image.format == "JPEG"


def test_frames_come_one_after_the_other_while_they_are_looked_at(visit, plant):
    plant.look_at_a_picture()
    page = visit().sign_in("otto").go("#/live", "Live")
    page.get_by_role("link", name=plant.thing).click()
    page.get_by_alt_text(f"Frame of {plant.thing}").wait_for()
    page.get_by_text("frame 3 of 3").wait_for()
    assert page.get_by_text("Since it was started").is_visible()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Go on").wait_for()
    wait_until(lambda: commands_of(plant, "frame")[0]["status"] == "SUCCEEDED", "the last one")
    page.keyboard.press("ArrowLeft")
    place = page.get_by_text("frame ", exact=False).filter(has_text=" of ").last.inner_text().split()
    assert int(place[1]) == int(place[3]) - 1
    shown = page.get_by_alt_text(f"Frame of {plant.thing}").get_attribute("src")
    page.keyboard.press("ArrowRight")
    assert page.get_by_alt_text(f"Frame of {plant.thing}").get_attribute("src") != shown
    taken = commands_of(plant, "frame")
    for later, earlier in zip(taken, taken[1:]):
        assert earlier["endedAt"] <= later["startedAt"], "two at once"
    # Nor while nobody sees the page.
    page.evaluate("""() => {
      Object.defineProperty(document, 'hidden', {get: () => true, configurable: true});
      document.dispatchEvent(new Event('visibilitychange'));
    }""")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_timeout(2500)
    assert len(commands_of(plant, "frame")) == len(taken)
    page.evaluate("""() => {
      delete document.hidden;
      document.dispatchEvent(new Event('visibilitychange'));
    }""")
    wait_until(lambda: len(commands_of(plant, "frame")) > len(taken) + 1, "frames again")


@pytest.mark.parametrize("name", [f"Restart {COMPONENT}", f"Stop {COMPONENT}", "Doctor",
                                  "Support bundle", "Take a frame", "Show", "Remove"])
def test_a_viewer_is_not_offered_what_is_refused_at_a_device(visit, plant, name):
    button = device_of(visit, plant, "vera").get_by_role("button", name=name, exact=True)
    wait_until(lambda: button.get_attribute("title"), "the reason")
    assert button.is_disabled()
    action = "iot:DeleteThing" if name == "Remove" else "andon:StartCommand"
    assert button.get_attribute("title") == f"Your rights do not allow this ({action})."


def test_a_viewer_is_refused_every_command_with_the_reason(visit, plant):
    watched = visit().sign_in("vera")
    before = len(commands_of(plant, "frame"))
    page = watched.go(f"#/live/{plant.thing}", "Live")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "Your rights do not allow this." in alert.inner_text()
    assert f"command/frame/{plant.thing}" in alert.inner_text()
    refused = page.evaluate("""async thing => {
      const {csrfToken} = await (await fetch('/console/session')).json();
      return Promise.all(['restart', 'stop', 'logs', 'components', 'doctor', 'support-bundle', 'frame']
        .map(async kind => (await fetch('/console/call/andon/StartCommand', {method: 'POST',
          headers: {'X-Andon-Csrf': csrfToken, 'Content-Type': 'application/json'},
          body: JSON.stringify({thing, kind, component: 'x'})})).status));
    }""", plant.thing)
    assert refused == [403] * 7
    assert len(commands_of(plant, "frame")) == before
    assert PASSWORD not in page.content()


def test_a_role_of_ones_own_is_offered_what_it_may(visit, plant):
    """Restart, and of this device alone; and it may not ask beforehand, so the refusal tells."""
    iam = plant.server.aws("iam")
    iam.create_user(UserName="rita")
    iam.create_login_profile(UserName="rita", Password=PASSWORD)
    iam.put_user_policy(UserName="rita", PolicyName="restart", PolicyDocument="""{
        "Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["iot:Describe*", "iot:List*", "greengrass:List*",
         "greengrass:Get*", "andon:List*", "andon:ReadCommand", "logs:*"], "Resource": "*"},
        {"Effect": "Allow", "Action": "andon:StartCommand",
         "Resource": "arn:aws:andon:*:*:command/restart/%s"}]}""" % plant.thing)
    page = device_of(visit, plant, "rita")
    page.get_by_role("button", name=f"Restart {COMPONENT}").click()
    page.get_by_text(f"{COMPONENT} is restarted").wait_for()
    doctor = page.get_by_role("button", name="Doctor")
    doctor.click()
    title = wait_until(lambda: doctor.get_attribute("title"), "the reason")
    assert "command/doctor/" in title and doctor.is_disabled()
    assert page.get_by_role("button", name=f"Restart {COMPONENT}").is_enabled()
    wait_for_process(plant, lambda state, _: state == "RUNNING", "the component running again")
