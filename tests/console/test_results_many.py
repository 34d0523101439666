# SPDX-License-Identifier: Apache-2.0
"""The results of a year of pictures in the gallery: 100,000 of 20 devices, put into the store as
devices do. Says how long what people wait for took."""
import datetime
import json
import subprocess
import time

import pytest

from conftest import Alone, Watched
from harness import PATIENCE_S, wait_until

MANY = 100_000
DEVICES = 20
BATCH = 20_000
CARDS, MOST_CARDS = 48, 480
MOST_HEAP = 100_000_000
START = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(hours=40)


def message(number):
    moment = START + datetime.timedelta(seconds=number)
    label = "scratch" if number % 10 == 0 else "dent" if number % 97 == 0 else ""
    found = [{"class_id": 0, "label": label, "confidence": round(0.5 + number % 50 / 100, 2),
              "box": [12.5, 40.25, 80.5, 33.75]}] if label else []
    return json.dumps({
        "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "component": {"name": "com.example.Inspect", "version": "1.0.0"},
        "model": {"component": "com.example.Model", "version": "1.0.0", "sha256": "0" * 64},
        "image": {"name": f"image-{number}.jpg", "width": 450, "height": 300}, "detections": found,
        "ms": {"decode": 0.6, "preprocess": 0.2, "inference": 17.1, "postprocess": 0.1}})


def kept(server):
    _, page = server.get("/metrics")
    return int(next(line.split()[1] for line in page.decode().splitlines()
                    if line.startswith("andon_results_kept ")))


def fill(server, devices):
    for first in range(0, MANY, BATCH):
        def send():
            # What the server had no room for comes again, as from a device; it is kept once.
            for index, device in enumerate(devices):
                lines = "\n".join(message(number) for number in range(first, first + BATCH)
                                  if number % DEVICES == index)
                subprocess.run(["mosquitto_pub", *device.mqtt().connection, "-t",
                                f"andon/things/{device.thing}/results", "-l"],
                               input=lines, text=True, check=True, timeout=10 * PATIENCE_S)
            deadline = time.monotonic() + PATIENCE_S
            before = -1
            while kept(server) < first + BATCH and time.monotonic() < deadline:
                now = kept(server)
                if now == before:
                    break
                before = now
                time.sleep(0.2)
            return kept(server) >= first + BATCH
        wait_until(send, f"{first + BATCH} results", 20 * PATIENCE_S)


@pytest.fixture(scope="module", name="year")
def fixture_year(tmp_path_factory):
    made = Alone(tmp_path_factory.mktemp("year"))
    directory = tmp_path_factory.mktemp("devices")
    fill(made.server, [made.server.device(f"line-{index:02}", directory) for index in range(DEVICES)])
    yield made
    made.server.kill()


def heap(page):
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    return session.send("Runtime.getHeapUsage")["usedSize"]


def say(what, start, capsys):
    with capsys.disabled():
        print(f"\n    {what}: {time.monotonic() - start:.2f} s", end="")


def test_a_hundred_thousand_results_are_paged_and_filtered_in_bounded_memory(chromium, year, capsys):
    watched = Watched(chromium, year)
    watched.sign_in()
    page = watched.page
    cards = page.locator("main .gallery > *")

    def begins_with(number):
        wait_until(lambda: f"image-{number}.jpg" in cards.first.inner_html(), f"picture {number} first")

    start = time.monotonic()
    page.evaluate("location.hash = '#/results'")
    cards.nth(CARDS - 1).wait_for()
    say("first page of 100,000 results", start, capsys)
    assert cards.count() == CARDS
    begins_with(MANY - 1)
    page.locator("main canvas").first.wait_for()
    say("with its chart", start, capsys)

    start = time.monotonic()
    pages = MOST_CARDS // CARDS + 2
    for number in range(2, pages + 1):
        page.get_by_role("button", name="Older").click()
        # Each picture once: what is shown goes on exactly where the page before has ended.
        wait_until(lambda: f"image-{MANY - number * CARDS}.jpg" in cards.last.inner_html(), f"page {number}")
        assert cards.count() == min(number * CARDS, MOST_CARDS)
    say(f"{pages - 1} pages more", start, capsys)
    assert heap(page) < MOST_HEAP

    start = time.monotonic()
    page.get_by_role("combobox", name="Device").select_option("line-10")
    begins_with(99_990)
    say("of one device", start, capsys)
    assert cards.count() == CARDS
    page.get_by_role("combobox", name="Device").select_option("")
    # Where one had gone back to.
    begins_with(MANY - 1 - 2 * CARDS)
    page.get_by_role("button", name="To the newest").click()
    begins_with(MANY - 1)

    start = time.monotonic()
    page.get_by_role("searchbox", name="Class").fill("dent")
    page.keyboard.press("Enter")
    dents = [number for number in range(MANY) if number % 97 == 0 and number % 10]
    begins_with(dents[-1])
    say("of one class", start, capsys)
    start = time.monotonic()
    page.get_by_label("Score from").fill("0.95")
    page.keyboard.press("Enter")
    begins_with([number for number in dents if round(0.5 + number % 50 / 100, 2) >= 0.95][-1])
    say("and of a score", start, capsys)
    assert not watched.problems
    watched.close()


def test_the_results_of_a_line_are_found_among_a_hundred_thousand(chromium, year, capsys):
    iot = year.server.aws("iot")
    for group, members in (("hall-1", [3, 7]), ("plant", range(DEVICES))):
        iot.create_thing_group(thingGroupName=group)
        for member in members:
            iot.add_thing_to_thing_group(thingName=f"line-{member:02}", thingGroupName=group)
    # A line that has found something once, before all others.
    late = year.server.device("late", year.server.data.parent / "late")
    assert late.mqtt().publish("andon/things/late/results", json.loads(message(-7)))
    iot.create_thing_group(thingGroupName="rare")
    iot.add_thing_to_thing_group(thingName="late", thingGroupName="rare")
    wait_until(lambda: year.server.results("thing=late"), "the one result")
    watched = Watched(chromium, year)
    page = watched.sign_in().go("#/results", "Results")
    cards = page.locator("main .gallery > *")
    groups = page.get_by_role("combobox", name="Line or group")

    def begins_with(number):
        wait_until(lambda: f"image-{number}.jpg" in cards.first.inner_html(), f"picture {number} first")
    start = time.monotonic()
    groups.select_option("hall-1")
    begins_with(99_987)
    say("of a line of two devices", start, capsys)
    assert cards.count() == CARDS
    page.get_by_role("button", name="Older").click()
    wait_until(lambda: cards.count() == 2 * CARDS, "the next page")
    start = time.monotonic()
    groups.select_option("rare")
    begins_with(-7)
    say("of a line with one picture, the oldest", start, capsys)
    assert cards.count() == 1
    start = time.monotonic()
    groups.select_option("plant")
    begins_with(MANY - 1)
    say("of a group of all devices", start, capsys)
    page.get_by_role("searchbox", name="Class").fill("dent")
    page.keyboard.press("Enter")
    begins_with([number for number in range(MANY) if number % 97 == 0 and number % 10][-1])
    start = time.monotonic()
    status, told = year.server.call("GET", "/andon/v1/result-counts?thingGroupName=hall-1&groupBy=none")
    say("its count", start, capsys)
    assert status == 200 and told["counts"] == [{"count": 2 * MANY // DEVICES}]
    assert not watched.problems
    watched.close()


def test_the_export_of_a_hundred_thousand_results_is_whole(chromium, year, tmp_path, capsys):
    watched = Watched(chromium, year, accept_downloads=True)
    page = watched.sign_in().go("#/results?class=scratch", "Results")
    start = time.monotonic()
    with page.expect_download(timeout=10 * PATIENCE_S * 1000) as download:
        page.get_by_role("button", name="Export", exact=False).click()
    download.value.save_as(tmp_path / "results.csv")
    say("10,000 results as CSV", start, capsys)
    lines = (tmp_path / "results.csv").read_text().splitlines()
    assert len(lines) == 1 + MANY // 10
    assert len(set(line.split(",")[0] for line in lines)) == len(lines)
    watched.close()
