# SPDX-License-Identifier: Apache-2.0
"""What people do in the console, each act seen on the server afterwards; and what a viewer may not."""
import io
import json
import subprocess
import urllib.parse

from PIL import Image

from conftest import PASSWORD, Alone, Watched
from harness import PATIENCE_S, ROOT, wait_until


def read_qr_code(picture):
    """What a camera would read, by the reader that stands beside the writer in its library."""
    image = Image.open(io.BytesIO(picture)).convert("RGBA")
    read = subprocess.run(
        ["node", "--input-type=module", "-e", """
            import decode from 'qr/decode.js';
            const [width, height] = process.argv.slice(1).map(Number);
            const chunks = [];
            for await (const chunk of process.stdin) chunks.push(chunk);
            console.log(decode({width, height, data: new Uint8Array(Buffer.concat(chunks))}));""",
         str(image.width), str(image.height)],
        input=image.tobytes(), cwd=ROOT / "console", capture_output=True, timeout=PATIENCE_S, check=True)
    return read.stdout.decode().strip()


def test_the_demo_opens_the_console_signed_in(visit, plant):
    link = wait_until(lambda: plant.opened.exists() and plant.opened.read_text(), "the browser").strip()
    assert link.startswith(plant.url + "/console/#link=") and link in plant.log.read_text()
    page = visit().page
    page.goto(link)
    page.get_by_role("heading", name="Fleet").wait_for()


def test_a_link_signs_in_once_and_leaves_the_address(visit, plant):
    link = plant.link()
    watched = visit()
    watched.page.goto(link)
    watched.page.get_by_role("heading", name="Fleet").wait_for()
    assert "link=" not in watched.page.url
    other = visit()
    other.page.goto(link)
    other.page.get_by_role("alert").wait_for()
    assert other.page.get_by_role("button", name="Sign in").is_visible()


def test_user_and_password_and_key_sign_in_and_sign_out_ends_it(visit, plant):
    watched = visit().sign_in("otto")
    assert watched.page.get_by_text("otto", exact=True).is_visible()
    watched.page.get_by_role("button", name="Sign out").click()
    watched.page.get_by_role("button", name="Sign in").wait_for()
    key = plant.server.operator_key
    watched.page.get_by_role("tab", name="Access key").click()
    watched.page.get_by_label("Access key ID").fill(key["accessKeyId"])
    watched.page.get_by_label("Secret access key").fill(key["secretAccessKey"])
    watched.page.get_by_role("button", name="Sign in").click()
    watched.page.get_by_role("heading", name="Fleet").wait_for()
    watched.page.get_by_role("button", name="Sign out").click()
    watched.page.get_by_role("tab", name="Password").click()
    watched.page.get_by_label("User", exact=True).fill("otto")
    watched.page.get_by_label("Password", exact=True).fill("wrong")
    watched.page.get_by_role("button", name="Sign in").click()
    assert "wrong" in watched.page.get_by_role("alert").inner_text()


def test_a_device_is_added_and_removed(visit, plant):
    page = visit().sign_in().page
    page.get_by_role("button", name="Add a device").click()
    page.get_by_label("Name of the device").fill("line-9")
    page.get_by_role("button", name="Make a token").click()
    line = page.get_by_text("andon-edge provision").inner_text()
    token = line.split()[2]
    # By the shell's own printf: as an argument it would be in the list of processes.
    assert line == f"printf %s {token} | andon-edge provision --root /var/lib/andon/edge --token-file -"
    assert read_qr_code(page.get_by_role("img", name="The token of line-9").screenshot()) == token
    assert plant.server.aws("iot").describe_thing(thingName="line-9")["thingName"] == "line-9"
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.get_by_role("link", name="line-9").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    page.get_by_role("heading", name="Fleet").wait_for()
    things = plant.server.aws("iot").list_things()["things"]
    assert "line-9" not in [thing["thingName"] for thing in things]


def test_a_fresh_machine_is_enrolled_by_the_line_of_a_server_that_offers_packages(chromium, tmp_path):
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "andon.gpg").write_bytes(b"\x98key")
    alone = Alone(tmp_path, "--packages", packages)
    watched = Watched(chromium, alone)
    try:
        page = watched.sign_in().page
        page.get_by_role("button", name="Add a device").first.click()
        page.get_by_label("Name of the device").fill("line-1")
        page.get_by_role("button", name="Make a token").click()
        line = page.get_by_text("/usr/lib/andon/enrol").inner_text()
        token = line.rsplit("printf %s '", 1)[1].split("'")[0]
        assert read_qr_code(page.get_by_role("img", name="The token of line-1").screenshot()) == token
        assert subprocess.run(["sh", "-n", "-c", line], check=False).returncode == 0
        page.get_by_role("dialog").get_by_role("button", name="Close").click()
        # Its machine is replaced by another one.
        page.get_by_role("link", name="line-1").click()
        page.get_by_role("button", name="Enrol anew").click()
        page.get_by_role("button", name="Make a token").click()
        assert token not in page.get_by_text("/usr/lib/andon/enrol").inner_text()
        assert not watched.problems
    finally:
        watched.close()
        alone.server.kill()


def test_devices_are_filtered_and_put_into_a_group_together(visit, plant):
    plant.server.aws("iot").create_thing_group(thingGroupName="hall-2")
    page = visit().sign_in().page
    page.get_by_label("Name or attribute").fill("line-2")
    page.get_by_role("checkbox", name="Choose line-2").check()
    assert page.get_by_role("link", name=plant.thing).count() == 0
    page.get_by_label("Group").nth(1).select_option("hall-2")
    page.get_by_role("button", name="Add to the group").click()
    page.get_by_text("Done").wait_for()
    assert plant.server.aws("iot").list_things_in_thing_group(
        thingGroupName="hall-2")["things"] == ["line-2"]


def test_a_result_is_confirmed_by_key_and_overruled_with_a_note(visit, plant):
    watched = visit().sign_in("otto")
    result = plant.server.results(f"thing={plant.thing}")[0]
    page = watched.go(f"#/results/{result['resultId']}", result["image"])
    page.keyboard.press("c")
    page.get_by_text("Confirmed", exact=True).first.wait_for()
    page.get_by_role("button", name="Overrule").click()
    page.get_by_label("What it is").fill("scratch")
    page.get_by_label("Note").fill("seen by hand")
    page.get_by_role("dialog").get_by_role("button", name="Overrule").click()
    page.get_by_text("seen by hand").wait_for()
    status, told = plant.server.call("GET", f"/andon/v1/results/{result['resultId']}")
    assert status == 200
    assert [review["kind"] for review in told["reviews"]].count("OVERRULED") == 1
    assert {review["by"] for review in told["reviews"]} == {"otto"}
    assert page.get_by_text("otto · ").count() == len(told["reviews"])
    page.get_by_label("Threshold").fill("1")
    page.get_by_text("0 of", exact=False).wait_for()


def test_a_waiting_model_is_rejected_with_its_reason(visit, plant):
    sagemaker = plant.server.aws("sagemaker")
    group = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"][0]
    name = group["ModelPackageGroupName"]
    old = sagemaker.describe_model_package(ModelPackageName=sagemaker.list_model_packages(
        ModelPackageGroupName=name)["ModelPackageSummaryList"][0]["ModelPackageArn"])
    arn = sagemaker.create_model_package(
        ModelPackageGroupName=name, ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification=old["InferenceSpecification"],
        CustomerMetadataProperties={"MAP": "0.71"})["ModelPackageArn"]
    version = arn.rsplit("/", 1)[1]
    watched = visit().sign_in("otto")
    page = watched.go("#/approve", "Approve")
    page.get_by_role("link", name=f"{name}@{version}").click()
    page.get_by_label("Reason").fill("below the line")
    page.get_by_role("button", name="Reject").click()
    page.get_by_text("Rejected", exact=True).first.wait_for()
    told = wait_until(lambda: (found := sagemaker.describe_model_package(ModelPackageName=arn))
                      and found["ModelApprovalStatus"] == "Rejected" and found, "the rejection")
    assert told["ApprovalDescription"] == "below the line"


def test_a_deployment_is_made_with_its_merged_result_shown_and_rolled_back(visit, plant):
    greengrass = plant.server.aws("greengrassv2")
    target = f"arn:aws:iot:us-east-1:000000000000:thing/{plant.thing}"

    def newest():
        return next(one for one in greengrass.list_deployments(targetArn=target)["deployments"]
                    if one["isLatestForTarget"])
    before = newest()
    watched = visit().sign_in("otto")
    page = watched.go("#/deployments/new", "New deployment")
    page.get_by_label("Target").select_option(target)
    page.get_by_text("Nothing changes.").wait_for()
    field = page.get_by_label("Configuration to merge").first
    merge = json.loads(field.input_value() or "{}")
    field.fill(json.dumps({**merge, "confidence": 0.3}))
    page.get_by_text("changed", exact=True).first.wait_for()
    page.get_by_role("button", name="Deploy").click()
    page.get_by_role("heading", name="Devices").wait_for()
    made = wait_until(lambda: (one := newest())["deploymentId"] != before["deploymentId"] and one,
                      "the deployment")
    assert made["deploymentId"] in page.url
    page.get_by_text("Succeeded").first.wait_for()  # by an event: nothing is asked for here
    page.get_by_role("button", name="Roll back to this").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back to this").click()
    back = wait_until(lambda: (one := newest())["deploymentId"] != made["deploymentId"] and one,
                      "the way back")
    assert greengrass.get_deployment(deploymentId=back["deploymentId"])["components"] == \
        greengrass.get_deployment(deploymentId=before["deploymentId"])["components"]


def test_an_execution_is_started_and_its_states_are_shown_as_they_went(visit, plant):
    states = plant.server.aws("stepfunctions")
    roles = plant.server.aws("iam").list_roles()["Roles"]
    role = next(one["Arn"] for one in roles if one["RoleName"] == "andon-workflows")
    arn = states.create_state_machine(name="sorted", roleArn=role, definition=json.dumps({
        "StartAt": "Look", "States": {
            "Look": {"Type": "Choice", "Choices": [{"Variable": "$.good", "BooleanEquals": True,
                                                    "Next": "Keep"}], "Default": "Throw away"},
            "Keep": {"Type": "Succeed"},
            "Throw away": {"Type": "Fail", "Error": "Scrap", "Cause": "it is bent"}}}))[
                "stateMachineArn"]
    watched = visit().sign_in("otto")
    page = watched.go("#/workflows", "Workflows")
    page.get_by_role("link", name="sorted").click()
    page.get_by_role("button", name="Start").click()
    page.get_by_label("Input").fill('{"good": false}')
    page.get_by_role("dialog").get_by_role("button", name="Start").click()
    page.locator("g.failed", has_text="Throw away").click()
    page.get_by_text("it is bent").first.wait_for()
    assert page.locator("g.unreached", has_text="Keep").is_visible()
    assert states.list_executions(stateMachineArn=arn)["executions"][0]["status"] == "FAILED"


def test_a_model_is_approved_with_its_reason(visit, plant):
    sagemaker = plant.server.aws("sagemaker")
    group = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"][0]
    old = sagemaker.describe_model_package(ModelPackageName=sagemaker.list_model_packages(
        ModelPackageGroupName=group["ModelPackageGroupName"])["ModelPackageSummaryList"][0][
            "ModelPackageArn"])
    # Of a group of its own: nothing is deployed by it.
    sagemaker.create_model_package_group(ModelPackageGroupName="screws")
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="screws", ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification=old["InferenceSpecification"])["ModelPackageArn"]
    page = visit().sign_in("otto").go("#/approve/screws/1", "screws@1")
    page.get_by_label("Reason").fill("as good as the old one")
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("Approved", exact=True).first.wait_for()
    told = sagemaker.describe_model_package(ModelPackageName=arn)
    assert told["ModelApprovalStatus"] == "Approved"
    assert told["ApprovalDescription"] == "as good as the old one"


def test_a_deployment_that_waits_is_cancelled(visit, plant):
    greengrass = plant.server.aws("greengrassv2")
    target = f"arn:aws:iot:us-east-1:000000000000:thing/{plant.thing}"
    newest = greengrass.list_deployments(targetArn=target)["deployments"][0]["deploymentId"]
    waiting = greengrass.create_deployment(
        targetArn="arn:aws:iot:us-east-1:000000000000:thing/line-3", deploymentName="for line 3",
        components=greengrass.get_deployment(deploymentId=newest)["components"])["deploymentId"]
    page = visit().sign_in("otto").go(f"#/deployments/{waiting}", "for line 3")
    page.get_by_role("button", name="Cancel it").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    page.get_by_text("Cancelled").first.wait_for()
    wait_until(lambda: greengrass.get_deployment(deploymentId=waiting)["deploymentStatus"]
               == "CANCELED", "the end of the deployment")


def test_an_execution_is_stopped_and_redriven(visit, plant):
    states = plant.server.aws("stepfunctions")
    roles = plant.server.aws("iam").list_roles()["Roles"]
    role = next(one["Arn"] for one in roles if one["RoleName"] == "andon-workflows")
    machine = states.create_state_machine(name="patient", roleArn=role, definition=json.dumps({
        "StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 86400, "End": True}}}))[
            "stateMachineArn"]
    arn = states.start_execution(stateMachineArn=machine)["executionArn"]

    def status():
        return states.describe_execution(executionArn=arn)["status"]
    page = visit().sign_in("otto").go(
        "#/workflows/executions/" + arn.replace(":", "%3A"), arn.rsplit(":", 1)[1])
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    wait_until(lambda: status() == "ABORTED", "the end of the execution")
    page.get_by_role("button", name="Redrive").click()
    wait_until(lambda: status() == "RUNNING", "the execution going on")
    page.get_by_role("button", name="Stop").wait_for()
    states.stop_execution(executionArn=arn)


def test_a_user_is_added_with_a_key_that_works_and_deleted(visit, plant):
    page = visit().sign_in().go("#/settings/users", "Settings")
    page.get_by_role("button", name="Add a user").click()
    page.get_by_label("Name").fill("udo")
    page.get_by_label("May do").select_option(label="AndonViewerAccess")
    page.get_by_role("dialog").get_by_role("button", name="Add a user").click()
    page.get_by_role("heading", name="udo").wait_for()
    page.get_by_role("button", name="New key").click()
    note = page.locator(".note.good").filter(has_text="shown once")
    secret = note.locator("code").inner_text()
    key = plant.server.aws("iam").list_access_keys(UserName="udo")["AccessKeyMetadata"][0]
    assert plant.server.aws("iot", {"accessKeyId": key["AccessKeyId"], "secretAccessKey": secret}
                            ).list_things()["things"]
    page.get_by_role("button", name="Delete the user").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the user").click()
    page.get_by_role("heading", name="Settings").wait_for()
    assert "udo" not in [u["UserName"] for u in plant.server.aws("iam").list_users()["Users"]]


def test_a_viewer_sees_and_is_refused_every_change_with_the_reason(visit, plant):
    watched = visit().sign_in("vera")
    page = watched.page
    wait_until(page.get_by_role("button", name="Add a device").is_disabled, "the button being off")
    result = plant.server.results(f"thing={plant.thing}")[0]
    watched.go(f"#/results/{result['resultId']}", result["image"])
    confirm = page.get_by_role("button", name="Confirm")
    wait_until(confirm.is_disabled, "the button being off")
    assert "andon:ConfirmResult" in confirm.get_attribute("title")
    page.keyboard.press("c")  # its key neither
    refused = page.evaluate("""async () => {
      const {csrfToken} = await (await fetch('/console/session')).json();
      const ask = (method, path, body) => fetch(path, {method, body: body && JSON.stringify(body),
        headers: {'X-Andon-Csrf': csrfToken, 'Content-Type': 'application/json'}})
        .then((answer) => answer.status);
      return Promise.all([
        ask('POST', '/console/call/iot/CreateThing', {thingName: 'line-8'}),
        ask('POST', '/console/call/iot/DeleteThing', {thingName: 'line-2'}),
        ask('POST', '/console/call/greengrass/CreateDeployment', {targetArn: 'x', components: {}}),
        ask('POST', '/console/call/sagemaker/UpdateModelPackage', {ModelPackageArn:
          'arn:aws:sagemaker:us-east-1:000000000000:model-package/x/1'}),
        ask('POST', '/console/call/states/StartExecution', {stateMachineArn: 'x'}),
        ask('POST', '/console/call/iam/CreateUser', {UserName: 'x'}),
        ask('POST', '/console/call/iam/ListUsers', {}),
        ask('DELETE', '/console/s3/andon-uploads/x'),
      ]);
    }""")
    assert refused == [403] * len(refused)
    assert PASSWORD not in page.content()


def test_results_are_filtered_by_line_and_the_address_and_the_command_have_it(visit, plant):
    watched = visit().sign_in("vera")
    page = watched.go("#/results", "Results")
    cards = page.locator("main .gallery > *")
    cards.first.wait_for()
    page.get_by_role("combobox", name="Line or group").select_option("hall-1")
    wait_until(lambda: "group=hall-1" in page.url, "the address")
    cards.first.wait_for()
    devices = page.get_by_role("combobox", name="Device")
    wait_until(lambda: devices.locator("option").all_inner_texts() == [
        "All devices", "line-1-camera-1", "line-2", "line-3"], "the devices of the line")
    page.get_by_label("Score to").fill("0.99")
    page.keyboard.press("Enter")
    command = page.get_by_role("button", name="Copy as CLI")
    wait_until(lambda: command.get_attribute("title")
               == "andon result list --group hall-1 --max-score 0.99", "the command")
    page.get_by_label("Score to").fill("")
    page.keyboard.press("Enter")
    # Of a result one goes on within the line, and back to it.
    cards.first.click()
    page.get_by_role("link", name="Next").wait_for()
    assert "group=hall-1" in page.url
    page.locator("main").get_by_role("link", name="Results").click()
    page.get_by_role("heading", name="Results", level=1).wait_for()
    assert page.get_by_role("combobox", name="Line or group").input_value() == "hall-1"
    # A line without any.
    page.get_by_role("combobox", name="Device").select_option("line-2")
    page.get_by_text("Nothing fits").first.wait_for()
    assert "thing=line-2" in page.url
    page.get_by_role("combobox", name="Line or group").select_option("")
    wait_until(lambda: "thing" not in page.url and "group" not in page.url, "the address without them")
    cards.first.wait_for()


def test_schedules_and_webhooks_are_shown_with_what_came_of_them(visit, plant):
    page = visit().sign_in("vera").go("#/workflows", "Workflows")
    page.get_by_role("link", name="Schedules and webhooks").click()
    once = page.get_by_role("row").filter(has_text="once")
    once.get_by_text("at(", exact=False).wait_for()
    arn = "arn:aws:scheduler:us-east-1:000000000000:schedule/default/once"
    told = wait_until(lambda: plant.server.call(
        "GET", f"/andon/v1/event-deliveries?sourceArn={urllib.parse.quote(arn, safe='')}")[1]["deliveries"], "the delivery")
    page.reload()
    once.get_by_text("ago", exact=False).wait_for()
    assert told[0]["status"].lower() in once.inner_text().lower()
    assert "not yet" in page.get_by_role("row").filter(has_text="nightly").first.inner_text()
    hook = page.get_by_role("row").filter(has_text="/hooks/code")
    assert "from github" in hook.inner_text()


def test_a_version_shows_its_worst_pictures_and_how_long_each_type_of_device_takes(visit, plant):
    sagemaker = plant.server.aws("sagemaker")
    name = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"][0]["ModelPackageGroupName"]
    versions = sagemaker.list_model_packages(
        ModelPackageGroupName=name, ModelApprovalStatus="Approved", SortBy="CreationTime",
        SortOrder="Descending")["ModelPackageSummaryList"]
    version = versions[0]["ModelPackageVersion"]
    page = visit().sign_in("vera").go(f"#/models/{name}/{version}", f"{name}@{version}")
    page.get_by_role("heading", name="Inference, by type of device").wait_for()
    row = page.get_by_role("row").filter(has_text=" ms").first.inner_text()
    assert "linux" in row.lower() and float(row.split(" ms")[0].split()[-1]) > 0
    described = sagemaker.describe_model_package(ModelPackageName=versions[0]["ModelPackageArn"])
    uri = described["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    report = json.load(plant.server.aws("s3").get_object(Bucket=bucket, Key=key)["Body"])
    shown = page.locator("main").inner_text()
    assert ("Pictures with most mistakes" in shown) == bool(report["worstImages"])
    for one in report["worstImages"]:
        assert one["fileName"] in shown
