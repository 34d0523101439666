# SPDX-License-Identifier: Apache-2.0
"""What an engineer does with what a plant has, each act seen on the server afterwards: an alias of a model is moved and
removed, an object taken and deleted, a deployment changed and sent again, a function's lines read."""
import itertools
import json
from pathlib import Path

import botocore.exceptions
import pytest

from agent import Fleet
from conftest import Alone, Watched
from functions import Functions
from harness import wait_until
from test_models import put_user, put_version

THING = "arn:aws:iot:us-east-1:000000000000:thing/line-1"


@pytest.fixture(scope="module", name="plant")
def fixture_plant(tmp_path_factory):
    made = Alone(tmp_path_factory.mktemp("content"))
    put_user(made.server, "otto", "AndonOperatorAccess")
    yield made
    made.server.kill()


@pytest.fixture(scope="module", name="signed_in")
def fixture_signed_in(chromium, plant):
    watched = Watched(chromium, plant).sign_in("otto")
    yield watched
    assert not watched.problems
    watched.close()


def test_an_alias_of_a_model_is_moved_and_removed(signed_in, plant):
    sagemaker = plant.server.aws("sagemaker")
    first = sagemaker.describe_model_package(ModelPackageName=put_version(plant.server, "tags"))
    sagemaker.create_model_package(ModelPackageGroupName="tags", InferenceSpecification=first["InferenceSpecification"])

    def aliases():
        status, told = plant.server.call("GET", "/andon/v1/models/tags/aliases")
        assert status == 200, told
        return {one["alias"]: one["version"] for one in told["aliases"]}
    for version in (1, 2):
        page = signed_in.go(f"#/models/tags/{version}", f"tags@{version}")
        page.get_by_label("Move an alias here").fill("champion")
        page.get_by_role("button", name="Move", exact=True).click()
        page.locator("header .chip", has_text="champion").wait_for()
        assert aliases() == {"champion": version}
    page = signed_in.go("#/models/tags/1", "tags@1")
    assert page.locator("header .chip").count() == 0
    page = signed_in.go("#/models/tags", "tags")
    page.get_by_text("champion → @2").first.wait_for()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove").wait_for(state="detached")
    assert aliases() == {}
    status, told = plant.server.call("GET", "/andon/v1/models/tags/alias-moves")
    assert status == 200, told
    assert [(one["movedBy"], one.get("toVersion")) for one in told["moves"]] == [("otto", None), ("otto", 2), ("otto", 1)]
    assert page.locator("section", has_text="champion → @1").get_by_text("otto · ").count() == 3


def test_an_object_is_downloaded_and_deleted(signed_in, plant):
    s3 = plant.server.aws("s3")
    content = bytes(range(256)) * 40
    kept, gone = "line 1/März & Co/a+b.bin", "line 1/März & Co/c.bin"
    for key in (kept, gone):
        s3.put_object(Bucket="andon-uploads", Key=key, Body=content)
    page = signed_in.go("#/objects", "Objects")
    for name in ("andon-uploads", "line 1/", "März & Co/"):
        page.locator("td").get_by_role("link", name=name).click()
    row = page.get_by_role("row").filter(has_text="a+b.bin")
    with page.expect_download() as download:
        row.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "a+b.bin"
    assert Path(download.value.path()).read_bytes() == content
    row = page.get_by_role("row").filter(has_text="c.bin")
    row.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="No").click()
    dialog.wait_for(state="detached")
    assert s3.head_object(Bucket="andon-uploads", Key=gone)
    row.get_by_role("button", name="Delete").click()
    assert gone in dialog.inner_text()
    dialog.get_by_role("button", name="Delete").click()
    row.wait_for(state="detached")
    with pytest.raises(botocore.exceptions.ClientError):
        s3.head_object(Bucket="andon-uploads", Key=gone)
    assert s3.head_object(Bucket="andon-uploads", Key=kept)


def test_a_deployment_is_changed_and_deployed_with_what_it_had_before(signed_in, plant):
    fleet = Fleet(plant.server)
    plant.server.aws("iot").create_thing(thingName="line-1")
    for version in ("1.0.0", "1.1.0"):
        fleet.component("com.example.Camera", version, {"run": "true"})
    fleet.component("com.example.Lamp", "2.0.0", {"run": "true"})
    made = fleet.greengrass.create_deployment(
        targetArn=THING, deploymentName="for line 1", components={
            "com.example.Camera": {"componentVersion": "1.0.0",
                                   "configurationUpdate": {"merge": json.dumps({"gain": 3})}},
            "com.example.Lamp": {"componentVersion": "2.0.0"}},
        deploymentPolicies={"failureHandlingPolicy": "DO_NOTHING"})["deploymentId"]
    # Another one is the newest by now: what is changed is the one that was looked at.
    fleet.greengrass.create_deployment(targetArn=THING, deploymentName="other", components={})
    page = signed_in.go(f"#/deployments/{made}", "for line 1")
    page.get_by_role("link", name="Change and deploy").click()
    page.get_by_role("heading", name="New deployment").wait_for()
    camera = page.locator("section").filter(has=page.get_by_label("Version")).filter(has_text="Camera")
    merge = camera.get_by_label("Configuration to merge")
    wait_until(lambda: page.get_by_label("Target").input_value() == THING and merge.count() == 1
               and json.loads(merge.input_value() or "{}") == {"gain": 3}, "the form of the one that is changed")
    assert page.get_by_label("Name", exact=True).input_value() == "for line 1"
    camera.get_by_label("Version").select_option("1.1.0")
    merge.fill(json.dumps({"gain": 4}))
    changed = page.get_by_role("row").filter(has_text="Camera")
    assert "1.1.0" in changed.inner_text() and "added" in changed.inner_text()
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("heading", name="for line 1").wait_for()
    (latest,) = [one for one in fleet.greengrass.list_deployments(targetArn=THING)["deployments"]
                 if one["isLatestForTarget"]]
    assert latest["deploymentId"] in page.url and latest["deploymentId"] != made
    sent = fleet.greengrass.get_deployment(deploymentId=latest["deploymentId"])
    camera = sent["components"]["com.example.Camera"]
    assert camera["componentVersion"] == "1.1.0"
    assert json.loads(camera["configurationUpdate"]["merge"]) == {"gain": 4}
    assert sent["components"]["com.example.Lamp"]["componentVersion"] == "2.0.0"
    assert sent["deploymentPolicies"]["failureHandlingPolicy"] == "DO_NOTHING"


def test_the_lines_of_a_function_are_shown_and_followed(signed_in, plant):
    numbers = itertools.count()
    functions = Functions(plant.server, lambda word: f"{word}-{next(numbers)}")
    name = functions.create("def handler(event, context):\n    print('weighed', event['grams'], 'g')\n", "weigh")
    assert functions.call(name, {"grams": 17}) == (None, None)
    page = signed_in.go("#/workflows", "Workflows")
    page.get_by_role("link", name="Functions").click()
    page.get_by_role("button", name=name).click()
    lines = page.locator("pre")
    lines.get_by_text("weighed 17 g").wait_for()
    assert f"name={name}" in page.url
    assert page.get_by_role("button", name="Copy as CLI").get_attribute("title") == f"andon function logs {name}"
    functions.call(name, {"grams": 23})
    lines.get_by_text("weighed 23 g").wait_for()
    # Who has had enough is shown no more of them.
    page.get_by_label("Follow").uncheck()
    page.get_by_role("button", name=name).click()
    lines.wait_for(state="detached")
