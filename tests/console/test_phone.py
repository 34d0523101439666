# SPDX-License-Identifier: Apache-2.0
"""What is looked at on a phone beside the machine, with all that a real device makes of it and names as long as they
are in plants: nothing is cut, nothing scrolls sideways, everything is large enough for a finger."""
import json
import os
from pathlib import Path

import pytest
from agent import Agent, Fleet

from conftest import EXAMPLE, Alone, Watched
from harness import wait_until
from looks import PHONE, faults
from test_fleet import message
from test_versions import evaluate

THING = "line-1-camera-2-behind-the-press"
COMPONENT = "com.example.inspection.SurfaceOfStampedPlates"
MODEL = "surface-of-stamped-plates"
CAUSE = "the plate lies askew: /dev/v4l/by-id/usb-Example_Camera_0123456789abcdef-video-index0 gave no picture in 30 s"


class Line(Alone):
    """One device that a deployment has failed on, a result of it, a model with its report, an execution that failed."""

    def __init__(self, directory):
        super().__init__(directory)
        self.thing = THING
        self.fleet = Fleet(self.server)
        self.agent = Agent(self.server, directory / THING, THING)
        self.agent.__enter__()
        self._deployments()
        self.version = self._version(directory)
        self.execution = self._execution()
        self.result = self._result()

    def _deployments(self):
        self.fleet.iot.create_thing_group(thingGroupName="hall-1-left-of-the-gate")
        self.fleet.iot.add_thing_to_thing_group(thingName=THING, thingGroupName="hall-1-left-of-the-gate")
        runs = {"run": "echo a camera is opened; sleep 100000"}
        self.fleet.component(COMPONENT, "1.0.0", runs, {"confidence": 0.4})
        self.fleet.component(COMPONENT, "1.1.0", {"install": f"echo '{CAUSE}' >&2; exit 7", **runs})
        merge = {"camera": "/dev/v4l/by-id/usb-Example_Camera_0123456789abcdef-video-index0", "confidence": 0.35}
        self.fleet.deploy_and_wait({COMPONENT: ("1.0.0", merge)}, THING, deploymentName="first shift")
        self.failed = self.fleet.deploy({COMPONENT: ("1.1.0", merge)}, f"thing/{THING}",
                                        deploymentName="surface of stamped plates, with the lamp of hall 1")
        told = self.fleet.outcome(self.failed, THING)
        assert told["coreDeviceExecutionStatus"] == "FAILED", told

    def _version(self, directory):
        s3, sagemaker = self.server.aws("s3"), self.server.aws("sagemaker")
        s3.put_object(Bucket="andon-uploads", Key="report.json",
                      Body=json.dumps(evaluate(0.3, directory / "report")).encode())
        sagemaker.create_model_package_group(ModelPackageGroupName=MODEL)
        sagemaker.create_model_package(
            ModelPackageGroupName=MODEL, ModelApprovalStatus="Approved", ModelPackageDescription="of 4,200 plates",
            ModelMetrics={"ModelQuality": {"Statistics": {
                "ContentType": "application/json", "S3Uri": "s3://andon-uploads/report.json"}}},
            CustomerMetadataProperties={"dataset": "s3://andon-uploads/pictures/of/stamped/plates/2026-11-22",
                                        "epochs": "40", "qa.verdict": "passed", "qa.median-ms": "18.2"})
        assert self.server.call("PUT", f"/andon/v1/models/{MODEL}/aliases/champion", {"version": 1})[0] == 200
        return f"{MODEL}@1"

    def _execution(self):
        states = self.server.aws("stepfunctions")
        machine = states.create_state_machine(
            name="train-and-ship", roleArn="arn:aws:iam::000000000000:role/andon-workflows", definition=json.dumps({
                "StartAt": "Are there enough pictures?", "States": {
                    "Are there enough pictures?": {"Type": "Choice", "Default": "Both", "Choices": [
                        {"Variable": "$.pictures", "NumericLessThan": 10, "Next": "Wait for more"}]},
                    "Wait for more": {"Type": "Succeed"},
                    "Both": {"Type": "Parallel", "Next": "Not as good as the champion", "Branches": [
                        {"StartAt": name, "States": {name: {"Type": "Pass", "End": True}}}
                        for name in ("Evaluate the candidate", "Evaluate the champion")]},
                    "Not as good as the champion": {"Type": "Fail", "Error": "Worse", "Cause": CAUSE}}}))
        execution = states.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(
            {"pictures": 4200, "from": "s3://andon-uploads/pictures/of/stamped/plates/2026-11-22"}))["executionArn"]
        wait_until(lambda: states.describe_execution(executionArn=execution)["status"] == "FAILED", "the execution")
        return execution

    def _result(self):
        picture = sorted((EXAMPLE / "images").iterdir())[0]
        name = f"plate-0123456789abcdef-{picture.name}"
        told = {**message(1, "NG"), "verdict_rule": "NG where a scratch is longer than 2 mm, or two are nearer than 5",
                "image": {"name": name, "width": 450, "height": 300},
                "model": {"component": f"{COMPONENT}.Model", "version": "1.0.0", "sha256": "0" * 64},
                "detections": [{"class_id": at, "label": label, "confidence": 0.9 - at / 10, "box": [20 + 150 * at, 60, 120, 90]}
                               for at, label in enumerate(("scratch on the left edge", "dent", "stain"))]}
        assert self.server.operator_mqtt().publish(f"andon/things/{THING}/results", told)
        result = wait_until(lambda: next(iter(self.server.results()), None), "the result")
        day = result["timestamp"][:10].replace("-", "/")
        self.server.aws("s3").upload_file(str(picture), "andon-uploads", f"{THING}/{day}/{name}")
        status, _ = self.server.call("POST", f"/andon/v1/results/{result['resultId']}/overrule", {
            "class": "stain", "note": "wiped off: oil of the press, as on the plates 4,180 to 4,199 of this lot"})
        assert status == 200
        return result


@pytest.fixture(scope="module", name="line")
def fixture_line(tmp_path_factory):
    made = Line(tmp_path_factory.mktemp("line"))
    yield made
    made.agent.__exit__()
    made.server.kill()


@pytest.fixture(scope="module", name="phone")
def fixture_phone(chromium, line):
    watched = Watched(chromium, line, **PHONE).sign_in()
    yield watched
    assert not watched.problems
    watched.close()


def look_at_device(page, _line):
    page.get_by_text(CAUSE[:20]).first.wait_for()
    page.get_by_role("button", name=f"Log of {COMPONENT}").tap()
    show = page.get_by_role("button", name="Show", exact=True)
    if show.count():
        show.tap()
    page.get_by_text("a camera is opened").first.wait_for()


def look_at_result(page, _line):
    page.get_by_text("3 of 3 boxes").wait_for()
    page.get_by_text("wiped off").wait_for()
    page.locator("summary").tap()


def look_at_execution(page, _line):
    page.locator("svg text.name", has_text="Not as good as the champion").tap()
    page.get_by_role("heading", name="Not as good as the champion", level=2).wait_for()
    page.get_by_text("Worse").first.wait_for()


def look_at_report(page, _line):
    page.get_by_role("img", name="Precision over recall").wait_for()
    page.get_by_text("champion", exact=True).first.wait_for()


def look_at_deployment(page, _line):
    page.get_by_text("with the lamp of hall 1").first.wait_for()
    page.get_by_role("button", name="Roll back to this").tap()
    asked = page.get_by_role("dialog")
    asked.wait_for()
    found = faults(page)
    asked.get_by_role("button", name="No").tap()
    page.locator("dialog").wait_for(state="detached")
    assert found == []


SCREENS = {
    "device": (lambda line: f"#/devices/{THING}", lambda line: THING, look_at_device),
    "result": (lambda line: f"#/results/{line.result['resultId']}", lambda line: line.result["image"], look_at_result),
    "execution": (lambda line: "#/workflows/executions/" + line.execution.replace(":", "%3A"),
                  lambda line: line.execution.rsplit(":", 1)[1], look_at_execution),
    "report": (lambda line: f"#/models/{MODEL}/1", lambda line: line.version, look_at_report),
    "deployment": (lambda line: f"#/deployments/{line.failed}",
                   lambda line: "surface of stamped plates, with the lamp of hall 1", look_at_deployment),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", SCREENS)
def test_what_is_there_is_whole_on_a_phone(phone, line, tmp_path, name, theme):
    address, heading, look = SCREENS[name]
    phone.page.emulate_media(color_scheme=theme)
    page = phone.go(address(line), heading(line))
    look(page, line)
    phone.settle()
    folder = Path(os.environ.get("ANDON_PICTURES", tmp_path))
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=folder / f"whole-{name}-phone-{theme}.png", full_page=True)
    found = faults(page)
    assert not found, "\n".join(found)


def test_what_would_be_wrong_on_a_phone_is_found(phone, line):
    address, heading, _ = SCREENS["result"]
    phone.page.emulate_media(color_scheme="light")
    for spoilt, found in (
            ("document.querySelector('h1').style.whiteSpace = 'nowrap'", "pixels wide"),
            ("document.querySelector('dd').style.cssText = 'width: 40px; overflow: hidden; white-space: nowrap'",
             "is not within"),
            ("document.querySelector('main button').style.minHeight = '20px'", "pixels high"),
            ("document.querySelectorAll('main header button').forEach((one) => {"
             " one.style.cssText = 'min-height: 9px; width: 9px; padding: 0; margin-right: -7px; font-size: 5px' })", "target-size"),
            ("document.querySelector('output').style.color = '#bbb'", "color-contrast")):
        page = phone.go(address(line), heading(line))
        page.reload()
        page.locator("dl a").wait_for()
        phone.settle()
        assert faults(page) == []
        page.evaluate(spoilt)
        assert any(found in one for one in faults(page)), found


def test_buttons_of_objects_are_at_hand_without_scrolling_sideways(phone, line):
    picture = sorted((EXAMPLE / "images").iterdir())[0]
    line.server.aws("s3").upload_file(str(picture), "andon-uploads", "at-hand/" + "a-long-name-" * 6 + picture.suffix)
    page = phone.go("#/objects/andon-uploads?prefix=at-hand/", "andon-uploads")
    for button in (page.get_by_role("link", name="Download"), page.get_by_role("button", name="Delete")):
        button.wait_for()
        box = button.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["viewport"]["width"], box
    assert not faults(page)
