# SPDX-License-Identifier: Apache-2.0
"""Each screen of the console in a real browser, over a real plant: what it shows, and pictures of it."""
import io
import math
import os
import time
from pathlib import Path

import pytest
from PIL import Image

from harness import wait_until
from looks import PHONE, accessible, faults

MOST_PICTURE = 150_000


def execution_of(plant):
    states = plant.server.aws("stepfunctions")
    for machine in states.list_state_machines()["stateMachines"]:
        for one in states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]:
            if one["status"] == "SUCCEEDED":
                return machine["stateMachineArn"], one["executionArn"]
    raise AssertionError("the demo left no execution")


def quoted(text):
    return text.replace("/", "%2F").replace(":", "%3A")


def screens(plant):
    """(name, address, heading) of every screen that has something to show."""
    machine, execution = execution_of(plant)
    sagemaker = plant.server.aws("sagemaker")
    group = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"][0]
    name = group["ModelPackageGroupName"]
    version = sagemaker.list_model_packages(
        ModelPackageGroupName=name, ModelApprovalStatus="Approved", SortBy="CreationTime",
        SortOrder="Descending")["ModelPackageSummaryList"][0]["ModelPackageVersion"]
    deployment = plant.server.aws("greengrassv2").list_deployments(
        targetArn=f"arn:aws:iot:us-east-1:000000000000:thing/{plant.thing}",
        historyFilter="LATEST_ONLY")["deployments"][0]
    day = f"{plant.thing}/{time.strftime('%Y/%m/%d', time.gmtime())}/"
    # One with something to see.
    result = max(plant.server.results(f"thing={plant.thing}"), key=lambda one: one.get("score", 0))
    return [
        ("fleet", "#/fleet", "Fleet"),
        ("device", f"#/devices/{plant.thing}", plant.thing),
        ("metrics", f"#/devices/{plant.thing}", plant.thing),
        ("live", f"#/live/{plant.thing}", "Live"),
        ("results", f"#/results?thing={plant.thing}", "Results"),
        ("result", f"#/results/{result['resultId']}", result["image"]),
        ("alerts", "#/alerts", "Alerts"),
        ("models", "#/models", "Models"),
        ("model", f"#/models/{name}/{version}", f"{name}@{version}"),
        ("approve", f"#/approve/{name}/{version}", f"{name}@{version}"),
        ("deployments", "#/deployments", "Deployments"),
        ("deployment", f"#/deployments/{deployment['deploymentId']}",
         deployment.get("deploymentName") or deployment["deploymentId"]),
        ("new-deployment", f"#/deployments/new?target={quoted(deployment['targetArn'])}",
         "New deployment"),
        ("workflows", "#/workflows", "Workflows"),
        ("machine", f"#/workflows/{quoted(machine)}", machine.rsplit(":", 1)[1]),
        ("execution", f"#/workflows/executions/{quoted(execution)}", execution.rsplit(":", 1)[1]),
        ("functions", "#/workflows/functions", "Functions"),
        ("triggers", "#/workflows/triggers", "Schedules and webhooks"),
        ("pushes", "#/workflows/triggers/code", "code"),
        ("mqtt", "#/mqtt?filters=" + quoted("hall-1/%23"), "MQTT"),
        ("objects", f"#/objects/andon-uploads?prefix={quoted(day)}", "andon-uploads"),
        ("audit", "#/audit", "Audit"),
        ("settings", "#/settings/users", "Settings"),
        ("certificates", "#/settings/certificates", "Settings"),
        ("storage", "#/settings/storage", "Settings"),
    ]


def tell_an_hour(plant):
    """What the device would have told within an hour, as one message of Greengrass' telemetry."""
    now = int(time.time() * 1000)
    spaces = []
    for minute in range(58):
        wave = math.sin(minute / 6)
        figures = {
            "SystemMetrics": {"CpuUsage": 34 + 18 * wave + minute % 5, "SystemMemUsage": 2210 + 6 * minute,
                              "TotalNumberOfFDs": 2080 + 40 * wave},
            "GreengrassComponents": {"NumberOfComponentsRunning": 1 if minute in (31, 32) else 2,
                                     "NumberOfComponentsErrored": 1 if minute in (31, 32) else 0,
                                     "NumberOfComponentsFinished": 1, "NumberOfComponentsBroken": 0},
            "Andon": {"MemorySize": 7823, "DiskFree": 18240 - 14 * minute, "DiskSize": 59800,
                      "Temperature": 51 + 5 * wave, "Sent": 5200 + 3000 * (minute % 7 == 0) + 900 * wave,
                      "Received": 2100 + 140000 * (minute in (12, 13)), "AgentMemory": 13.4, "AgentCpu": 0.6,
                      "Spool": 0 if minute < 40 or minute > 48 else 21000 * (minute - 39),
                      "SpoolDropped": 0, "MqttConnections": 2, "MqttLosses": 1}}
        for space, values in figures.items():
            spaces.append({"TS": now - 60_000 * (58 - minute), "NS": space, "M": [
                {"N": name, "Average": round(value, 2)} for name, value in values.items()]})
    assert plant.server.operator_mqtt().publish(
        f"$aws/things/{plant.thing}/greengrass/health/json", {"Schema": "2022-06-30", "ADP": spaces})


def with_an_hour(page, plant):
    """With the metrics of an hour."""
    tell_an_hour(plant)
    wait_until(lambda: len(plant.server.call(
        "GET", f"/andon/v1/things/{plant.thing}/metrics")[1]["points"]) > 50, "an hour of figures")
    page.reload()
    page.get_by_role("img", name="Temperature").wait_for()
    page.get_by_role("heading", name="Metrics").evaluate(
        "heading => heading.closest('section').scrollIntoView()")


def at_the_device(page, _plant):
    """With what the device answers."""
    page.get_by_role("button", name="Show").click()
    page.get_by_text("Lines come as they are written.").wait_for()
    page.get_by_role("button", name="Take a frame").click()
    page.get_by_alt_text("The newest frame", exact=False).wait_for()
    page.evaluate("scrollTo(0, 0)")


def with_a_frame(page, plant):
    page.get_by_text("frame 1 of 1").wait_for()
    plant.look_at_a_picture()
    page.get_by_text("frame 2 of 2").wait_for()
    page.get_by_role("button", name="Pause").click()


def with_what_is_retained(page, _plant):
    page.locator('ol pre').filter(has_text='"pressure": 5.2').wait_for()


def with_outcomes(page, _plant):
    page.get_by_text("github", exact=False).wait_for()


LOOKED_AT = {"device": at_the_device, "metrics": with_an_hour, "live": with_a_frame, "mqtt": with_what_is_retained,
             "triggers": with_outcomes, "pushes": with_outcomes}


def picture(page, path):
    """Small enough for a repository: of 256 colours. Those of the page are as they are, and what a
    photograph has beside them comes near."""
    drawn = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    common = sorted(drawn.getcolors(drawn.width * drawn.height), reverse=True)[:128]
    others = drawn.quantize(128, Image.Quantize.MAXCOVERAGE).getpalette("RGB")
    palette = Image.new("P", (1, 1))
    palette.putpalette(([part for _, colour in common for part in colour] + others)[:768])
    drawn.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)
    assert path.stat().st_size < MOST_PICTURE, path


def test_every_screen_of_a_plant_fits_a_phone(visit, plant, tmp_path):
    plant.look_at_a_picture()
    watched = visit(**PHONE).sign_in()
    folder = Path(os.environ.get("ANDON_PICTURES", tmp_path))
    wrong = []
    for name, address, heading in screens(plant):
        page = watched.go(address, heading)
        picture(page, folder / f"{name}-phone.png")
        # A heading has the room for its words.
        box = page.get_by_role("heading", level=1).bounding_box()
        if box["height"] > 60:
            wrong.append(f"the heading of {name} is {box['height']} pixels high")
        wrong += [f"{name}: {problem}" for problem in faults(page)]
    assert not wrong, "\n".join(wrong)
    assert not watched.problems


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_screen_shows_what_is_there_and_axe_finds_nothing_serious(
        visit, plant, theme, tmp_path):
    plant.look_at_a_picture()
    watched = visit(color_scheme=theme).sign_in()
    folder = Path(os.environ.get("ANDON_PICTURES", tmp_path))
    wrong = []
    for name, address, heading in screens(plant):
        page = watched.go(address, heading)
        LOOKED_AT.get(name, lambda page, plant: None)(page, plant)
        picture(page, folder / f"{name}-{theme}.png")
        if page.get_by_role("alert").count():
            wrong.append(f"{name}: {page.get_by_role('alert').all_inner_texts()}")
        wrong += [f"{name}: {problem}" for problem in accessible(page)]
    assert not wrong, "\n".join(wrong)
    assert not watched.problems
    assert all(url.startswith((plant.url, "blob:")) for url in watched.asked), "asked another server"
