# SPDX-License-Identifier: Apache-2.0
"""What the console does at a device, by commands: log, restart, stop, doctor, support bundle, frames;
and what who may not is shown instead."""
import io
import re
import subprocess
import tarfile
import time

import pytest
from PIL import Image

from conftest import PASSWORD
from harness import program, wait_until

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


def frames_of(page):
    """(which one is shown, of how many)."""
    place = page.get_by_text("frame ", exact=False).filter(has_text=" of ").last.inner_text().split()
    return int(place[1]), int(place[3])


def hide(page, is_hidden):
    page.evaluate("""isHidden => {
      if (isHidden) Object.defineProperty(document, 'hidden', {get: () => true, configurable: true});
      else delete document.hidden;
      document.dispatchEvent(new Event('visibilitychange'));
    }""", is_hidden)


def test_frames_come_while_they_are_looked_at_and_are_stepped_through(visit, plant):
    plant.look_at_a_picture()
    page = visit().sign_in("otto").go("#/live", "Live")
    page.get_by_role("link", name=plant.thing).click()
    page.get_by_alt_text(f"Frame of {plant.thing}").wait_for()
    assert page.get_by_text("Since it was started").is_visible()
    for count in (2, 3):
        plant.look_at_a_picture()
        wait_until(lambda: frames_of(page) == (count, count), "the next frame")
    line, view = (page.locator("dt").filter(has_text=re.compile(f"^{name}$")).locator("xpath=following-sibling::dd[1]")
                  for name in ("Line", "This view"))
    assert re.fullmatch(r"\d+\.\d frames a second", view.inner_text())
    told = re.fullmatch(r"(\d+\.\d) pictures a (second|minute)", line.inner_text())
    a_minute = float(told[1]) * (60 if told[2] == "second" else 1)
    pictures = int(page.locator("dt").filter(has_text=re.compile("^Pictures$")).locator(
        "xpath=following-sibling::dd[1]").inner_text())
    assert 0 < a_minute <= 60 * pictures
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Go on").wait_for()
    wait_until(lambda: commands_of(plant, "frame")[0]["status"] == "CANCELED", "its end")
    page.keyboard.press("ArrowLeft")
    assert frames_of(page) == (2, 3)
    shown = page.get_by_alt_text(f"Frame of {plant.thing}").get_attribute("src")
    page.keyboard.press("ArrowRight")
    assert page.get_by_alt_text(f"Frame of {plant.thing}").get_attribute("src") != shown
    taken = len(commands_of(plant, "frame"))
    # Nor while nobody sees the page.
    hide(page, True)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_timeout(2500)
    assert len(commands_of(plant, "frame")) == taken
    hide(page, False)
    plant.look_at_a_picture()
    wait_until(lambda: frames_of(page)[1] > 3, "frames again")
    look = commands_of(plant, "frame")[0]
    assert look["askedBy"] == "otto" and look["status"] == "RUNNING"
    page.evaluate("location.hash = '#/fleet'")
    wait_until(lambda: commands_of(plant, "frame")[0]["status"] == "CANCELED", "its end")


def test_many_who_look_at_a_device_share_one_take_of_it(visit, plant):
    plant.look_at_a_picture()
    before = len(commands_of(plant, "frame"))
    pages = [visit().sign_in("otto").go(f"#/live/{plant.thing}", "Live") for _ in range(3)]
    for page in pages:
        page.get_by_alt_text(f"Frame of {plant.thing}").wait_for()
    plant.look_at_a_picture()
    for page in pages:
        wait_until(lambda: frames_of(page)[1] >= 2, "the next frame")
    assert len(commands_of(plant, "frame")) == before + 1
    for page in pages[:2]:
        page.evaluate("location.hash = '#/fleet'")
    plant.look_at_a_picture()
    wait_until(lambda: frames_of(pages[2])[1] >= 3, "the next frame")
    assert commands_of(plant, "frame")[0]["status"] == "RUNNING"
    pages[2].evaluate("location.hash = '#/fleet'")
    wait_until(lambda: commands_of(plant, "frame")[0]["status"] == "CANCELED", "its end")
    _, log = plant.server.call("GET", "/andon/v1/audit?action=StartCommand&maxResults=50")
    looks = [one for one in log["entries"] if f"command/frame/{plant.thing}" in str(one)]
    assert len(looks) >= 3


def test_a_look_ends_when_the_right_to_it_does(visit, plant):
    iam = plant.server.aws("iam")
    iam.create_user(UserName="lena")
    iam.create_login_profile(UserName="lena", Password=PASSWORD)
    iam.attach_user_policy(UserName="lena", PolicyArn="arn:aws:iam::aws:policy/AndonViewerAccess")
    iam.put_user_policy(UserName="lena", PolicyName="look", PolicyDocument="""{
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "andon:StartCommand",
         "Resource": "arn:aws:andon:*:*:command/frame/%s"}]}""" % plant.thing)
    plant.look_at_a_picture()
    page = visit().sign_in("lena").go(f"#/live/{plant.thing}", "Live")
    page.get_by_alt_text(f"Frame of {plant.thing}").wait_for()
    iam.delete_user_policy(UserName="lena", PolicyName="look")
    page.get_by_role("alert").wait_for()
    assert "Your rights do not allow this." in page.get_by_role("alert").inner_text()
    wait_until(lambda: commands_of(plant, "frame")[0]["status"] == "CANCELED", "its end")


def test_the_metrics_of_a_device_are_drawn_and_told_on_the_command_line(visit, plant):
    page = device_of(visit, plant, "vera")
    told = wait_until(lambda: plant.server.call(
        "GET", f"/andon/v1/things/{plant.thing}/metrics")[1].get("latest"), "its figures", 120)
    assert told["diskSizeMiB"] > told["diskFreeMiB"] > 0 and told["componentsRunning"] >= 1
    page.reload()
    page.get_by_role("heading", name="Metrics").wait_for()
    page.get_by_text("Disk free").wait_for()
    assert page.get_by_role("img", name="Memory used").locator("canvas").count() == 1
    page.get_by_label("Time").select_option("Last 30 days")
    page.get_by_text(f"andon device metrics {plant.thing} --hours 720").wait_for()
    assert "hours=720" in page.url
    shown = subprocess.run(
        [program("andon"), "device", "metrics", plant.thing, "--data", plant.server.data],
        capture_output=True, text=True, timeout=60, check=True).stdout
    assert "diskFreeMiB" in shown and "cpuPercent" in shown
    # One that has never been there.
    page = page.context.new_page()
    page.goto(f"{plant.url}/console/#/devices/line-3")
    page.get_by_text("No metrics of this time").wait_for()
    assert page.get_by_text("andon device metrics line-3").count()


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
    """Restart, and of this device alone."""
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
    assert "andon:StartCommand" in wait_until(lambda: doctor.get_attribute("title"), "the reason")
    assert doctor.is_disabled()
    assert page.get_by_role("button", name=f"Restart {COMPONENT}").is_enabled()
    wait_for_process(plant, lambda state, _: state == "RUNNING", "the component running again")
