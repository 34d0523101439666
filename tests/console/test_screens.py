# SPDX-License-Identifier: Apache-2.0
"""Each screen of the console in a real browser, over a real plant: what it shows, and pictures of it."""
import io
import os
import time
from pathlib import Path

import pytest
from PIL import Image

from harness import ROOT

AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
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
        ("mqtt", "#/mqtt?filters=" + quoted("hall-1/%23"), "MQTT"),
        ("objects", f"#/objects/andon-uploads?prefix={quoted(day)}", "andon-uploads"),
        ("audit", "#/audit", "Audit"),
        ("settings", "#/settings/users", "Settings"),
        ("certificates", "#/settings/certificates", "Settings"),
        ("storage", "#/settings/storage", "Settings"),
    ]


def at_the_device(page):
    """With what the device answers."""
    page.get_by_role("button", name="Show").click()
    page.get_by_text("Lines come as they are written.").wait_for()
    page.get_by_role("button", name="Take a frame").click()
    page.get_by_alt_text("The newest frame", exact=False).wait_for()


def with_a_frame(page):
    page.get_by_text("frame 2 of 2").wait_for()
    page.get_by_role("button", name="Pause").click()


def with_what_is_retained(page):
    page.locator('ol pre').filter(has_text='"pressure": 5.2').wait_for()


def with_outcomes(page):
    page.get_by_text("github", exact=False).wait_for()


LOOKED_AT = {"device": at_the_device, "live": with_a_frame, "mqtt": with_what_is_retained,
             "triggers": with_outcomes}


def accessible(page):
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"] if one["impact"] in SERIOUS for node in one["nodes"]]


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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_screen_shows_what_is_there_and_axe_finds_nothing_serious(
        visit, plant, theme, tmp_path):
    plant.look_at_a_picture()
    watched = visit(color_scheme=theme).sign_in()
    folder = Path(os.environ.get("ANDON_PICTURES", tmp_path))
    wrong = []
    for name, address, heading in screens(plant):
        page = watched.go(address, heading)
        LOOKED_AT.get(name, lambda page: None)(page)
        picture(page, folder / f"{name}-{theme}.png")
        if page.get_by_role("alert").count():
            wrong.append(f"{name}: {page.get_by_role('alert').all_inner_texts()}")
        wrong += [f"{name}: {problem}" for problem in accessible(page)]
    assert not wrong, "\n".join(wrong)
    assert not watched.problems
    assert all(url.startswith((plant.url, "blob:")) for url in watched.asked), "asked another server"
