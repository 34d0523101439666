# SPDX-License-Identifier: Apache-2.0
"""Versions of a model beside each other, each with the report that `andon model eval` has made of it,
and what is asked of somebody before one of them goes on."""
import json
import subprocess

import pytest

from conftest import EXAMPLE, Alone, Watched
from harness import PATIENCE_S, program, wait_until
from test_fleet import put_devices
from test_screens import accessible

NAME = "tags"
CONFIDENCES = {1: 0.25, 2: 0.6, 3: 0.4}
INFERENCE_MS = {1: 21.0, 2: 34.5}


def evaluate(confidence, directory):
    subprocess.run(
        [program("andon"), "model", "eval", EXAMPLE / "model/model.onnx", "--images", EXAMPLE / "images",
         "--labels", EXAMPLE / "annotations.json", "--confidence", str(confidence), "--report", directory],
        check=True, capture_output=True, timeout=4 * PATIENCE_S)
    return json.loads((directory / "report.json").read_text())


class Models(Alone):
    """Three versions of a model with their reports; two run on a device each, which has told results."""

    def __init__(self, directory):
        super().__init__(directory)
        self.reports = {}
        s3, sagemaker = self.server.aws("s3"), self.server.aws("sagemaker")
        for picture in (EXAMPLE / "images").iterdir():
            s3.upload_file(str(picture), "andon-uploads", f"pictures/{picture.name}")
        sagemaker.create_model_package_group(ModelPackageGroupName=NAME)
        for version, confidence in CONFIDENCES.items():
            report = self.reports[version] = evaluate(confidence, directory / f"report-{version}")
            key = f"reports/{version}.json"
            s3.put_object(Bucket="andon-uploads", Key=key, Body=json.dumps(report).encode())
            sagemaker.create_model_package(
                ModelPackageGroupName=NAME, ModelApprovalStatus="Approved",
                ModelPackageDescription=f"at {confidence}",
                ModelMetrics={"ModelQuality": {"Statistics": {
                    "ContentType": "application/json", "S3Uri": f"s3://andon-uploads/{key}"}}},
                CustomerMetadataProperties={
                    "dataset": "s3://andon-uploads/pictures", "epochs": str(10 * version),
                    "qa.verdict": "passed", "qa.median-ms": str(version)})
        for version, ms in INFERENCE_MS.items():
            self._runs(version, ms, directory)

    def _runs(self, version, ms, directory):
        thing = f"line-{version}"
        device = self.server.device(thing, directory)
        put_devices(self.server, [thing], f"{version}.0.0", component=f"{NAME}.Model")
        device.mqtt().publish(f"andon/things/{thing}/results", {
            "timestamp": f"2026-11-22T10:00:0{version}.123Z",
            "image": {"name": "x.jpg", "width": 100, "height": 100}, "detections": [],
            "model": {"component": f"{NAME}.Model", "version": f"{version}.0.0"},
            "ms": {"inference": ms}})
        wait_until(lambda: self.server.results(f"thing={thing}"), "the result")


@pytest.fixture(scope="module", name="models")
def fixture_models(tmp_path_factory):
    made = Models(tmp_path_factory.mktemp("models"))
    yield made
    made.server.kill()


@pytest.fixture(name="watched")
def fixture_watched(chromium, models):
    made = Watched(chromium, models)
    yield made.sign_in()
    assert not made.problems
    made.close()


def shows_its_report(page, models, version):
    """Whether all of a version's report stands under its name, with its own figures."""
    report = models.reports[version]
    side = page.get_by_role("group", name=f"{NAME}@{version}")
    curve = side.get_by_role("img", name="Precision over recall").locator("polyline")
    assert len(curve.get_attribute("points").split()) == len(
        [one for one in report["curve"] if one["precision"] is not None])
    text = side.inner_text()
    at = report["atConfidence"]
    for name, value in (("mAP50-95", report["averagePrecision"]["mAP50_95"]), ("Precision", at["precision"]),
                        ("Recall", at["recall"]), ("F1", at["f1"]), ("Confidence", at["confidence"])):
        assert f"{value:.3f}\n{name}" in text, (name, value, text)
    by_class = side.get_by_role("row").filter(has_text="scratch").first.inner_text()
    assert f"{report['classes'][0]['mAP50_95']:.4f}" in by_class
    thresholds = side.locator("table").filter(has=page.get_by_role("columnheader", name="Missed")).first
    assert thresholds.locator("tbody tr").count() >= 5
    confusion = side.locator("table").filter(has=page.get_by_role("columnheader", name="nothing"))
    assert [[int(cell) for cell in row.locator("td").all_inner_texts()]
            for row in confusion.locator("tbody tr").all()] == report["confusion"]["foundByThere"]
    for one in report["worstImages"]:
        assert one["fileName"] in text
    pictures = side.locator("td img")
    assert pictures.count() == len(report["worstImages"])
    pictures.first.scroll_into_view_if_needed()
    wait_until(lambda: pictures.first.evaluate("one => one.naturalWidth") > 100, "the picture")
    row = side.locator("table").filter(has_text="Type of device").locator("tbody tr").inner_text()
    assert "linux amd64" in row and f"{INFERENCE_MS[version]:.1f} ms" in row
    assert "QA stage" in text and f"line-{version}" in text


def register(models, name, report):
    subprocess.run(
        [program("andon"), "model", "register", EXAMPLE / "model/model.onnx", "--name", name, "--report", report,
         "--data", models.server.data], check=True, capture_output=True, timeout=4 * PATIENCE_S)


def test_a_model_that_is_registered_with_a_report_shows_the_pictures_of_it(watched, models, tmp_path):
    report = evaluate(0.6, tmp_path)
    register(models, "registered", tmp_path / "report.json")
    page = watched.go("#/models/registered/1", "registered@1")

    def shows_pictures():
        page.get_by_role("heading", name="Pictures with most mistakes").wait_for()
        pictures = page.locator("td img")
        assert pictures.count() == len(report["worstImages"]) > 1
        for at, one in enumerate(report["worstImages"]):
            assert one["fileName"] in page.locator("main").inner_text()
            pictures.nth(at).scroll_into_view_if_needed()
            wait_until(lambda at=at: pictures.nth(at).evaluate("one => one.naturalWidth") > 100, "the picture")

    shows_pictures()
    # Also where what is noted as its data has no pictures in it.
    sagemaker = models.server.aws("sagemaker")
    [package] = sagemaker.list_model_packages(ModelPackageGroupName="registered")["ModelPackageSummaryList"]
    sagemaker.update_model_package(ModelPackageArn=package["ModelPackageArn"],
                                   CustomerMetadataProperties={"DataSet": "s3://andon-uploads/data.tar"})
    page.reload()
    shows_pictures()
    assert any("data.tar/" in url for url in watched.asked)


def test_a_report_names_no_picture_but_those_beside_it(watched, models, tmp_path):
    report = evaluate(0.6, tmp_path)
    report["worstImages"] = [{**report["worstImages"][0], "picture": place} for place in (
        "../../../andon-uploads/pictures/tag-7.jpg", "/andon-uploads/pictures/tag-7.jpg", 7, "", ".")]
    models.server.aws("s3").put_object(Bucket="andon-uploads", Key="reports/elsewhere.json",
                                       Body=json.dumps(report).encode())
    sagemaker = models.server.aws("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="elsewhere")
    sagemaker.create_model_package(
        ModelPackageGroupName="elsewhere", ModelMetrics={"ModelQuality": {"Statistics": {
            "ContentType": "application/json", "S3Uri": "s3://andon-uploads/reports/elsewhere.json"}}})
    page = watched.go("#/models/elsewhere/1", "elsewhere@1")
    page.get_by_role("heading", name="Pictures with most mistakes").wait_for()
    assert page.locator("td img").count() == 0


def test_two_versions_are_chosen_by_clicks_and_stand_side_by_side_with_their_reports(watched, models):
    page = watched.page
    page.get_by_role("link", name="Models").click()
    page.get_by_role("link", name=NAME).click()
    page.get_by_role("checkbox", name="Choose @2").check()
    assert page.get_by_role("link", name="Side by side").count() == 0
    page.get_by_role("checkbox", name="Choose @1").check()
    assert page.get_by_role("checkbox", name="Choose @3").is_disabled()
    page.get_by_role("link", name="Side by side").click()
    page.get_by_role("heading", name=f"{NAME} @1 and @2").wait_for()
    assert page.url.endswith(f"#/models/{NAME}/1...2")
    watched.settle()
    for version in (1, 2):
        shows_its_report(page, models, version)
    # What differs, by how much.
    precision = [models.reports[version]["atConfidence"]["precision"] for version in (1, 2)]
    row = page.locator("table").first.get_by_role("row").filter(has_text="Precision").inner_text().split()
    assert row == ["Precision", *(f"{one:.4f}" for one in precision), f"{precision[1] - precision[0]:+.4f}"]
    assert "+10" in page.get_by_role("row").filter(has_text="epochs").first.inner_text()


def test_the_address_of_two_versions_is_for_others_and_by_phone(chromium, watched, models):
    there = f"{models.url}/console/#/models/{NAME}/2...3"
    page = watched.page
    page.goto(there)
    page.get_by_role("heading", name=f"{NAME} @2 and @3").wait_for()
    assert page.get_by_role("button", name="Copy as CLI").get_attribute("title") == \
        f"andon model show {NAME}@2; andon model show {NAME}@3"
    page.get_by_role("link", name="@3").first.click()
    page.get_by_role("heading", name=f"{NAME}@3", exact=True).wait_for()
    page.go_back()
    page.get_by_role("heading", name=f"{NAME} @2 and @3").wait_for()
    # A version that is not there is said to be so.
    page.evaluate("path => { location.hash = path }", f"#/models/{NAME}/2...9")
    page.get_by_role("alert").wait_for()
    assert f"{NAME}/9" in page.get_by_role("alert").inner_text()
    phone = Watched(chromium, models, viewport={"width": 390, "height": 780})
    page = phone.sign_in().go(f"#/models/{NAME}/1...2", f"{NAME} @1 and @2")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.close()


def tab_to(page, condition):
    """By the keyboard alone, to the first element that fits."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(f"(one => {condition})(document.activeElement)"):
            return
    raise AssertionError(f"the keyboard does not come to what fits {condition}")


def test_two_versions_are_compared_by_keyboard_alone(watched):
    page = watched.page
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.get_by_role("heading", name="Models").wait_for()
    page.get_by_role("link", name=NAME).wait_for()
    tab_to(page, f"one.textContent === '{NAME}'")
    page.keyboard.press("Enter")
    page.get_by_role("checkbox", name="Choose @3").wait_for()
    for version in (3, 1):
        tab_to(page, f"one.getAttribute('aria-label') === 'Choose @{version}'")
        page.keyboard.press("Space")
    tab_to(page, "one.textContent === 'Side by side'")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"{NAME} @1 and @3").wait_for()
    watched.settle()
    # What is wider than its place is scrolled by keys.
    tab_to(page, "one.tabIndex === 0 && getComputedStyle(one).overflowX === 'auto'")
    tab_to(page, "one.tagName === 'A' && one.href.includes('tag-7')")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_model_of_several_versions_and_two_of_them(chromium, models, theme):
    for size in ({"width": 1280, "height": 800}, {"width": 390, "height": 780}):
        watched = Watched(chromium, models, viewport=size, color_scheme=theme)
        watched.sign_in()
        for path, heading in ((f"#/models/{NAME}", NAME), (f"#/models/{NAME}/1...2", f"{NAME} @1 and @2"),
                              (f"#/models/{NAME}/1", f"{NAME}@1"), (f"#/approve/{NAME}/2", f"{NAME}@2")):
            page = watched.go(path, heading)
            if path == f"#/models/{NAME}":
                page.get_by_role("checkbox", name="Choose @1").check()
                page.get_by_role("checkbox", name="Choose @2").check()
            assert not accessible(page), path
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
        watched.close()
