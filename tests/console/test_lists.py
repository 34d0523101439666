# SPDX-License-Identifier: Apache-2.0
"""Lists that are longer than a page shows, logs that are longer than a list, and pages that are open
while somebody else changes what they show."""
import json
import time

import pytest

from conftest import PASSWORD, ask
from harness import wait_until
from test_fleet import message, say_results
from test_models import put_version

ROLE = "arn:aws:iam::000000000000:role/andon-workflows"


def put_machine(server, name, states=None):
    definition = {"StartAt": "A", "States": states or {"A": {"Type": "Pass", "End": True}}}
    return server.aws("stepfunctions").create_state_machine(
        name=name, roleArn=ROLE, definition=json.dumps(definition))["stateMachineArn"]


def test_one_goes_from_result_to_result_with_a_filter_and_far_from_the_newest(alone, watched):
    server = alone.server
    device = server.device("line-1", server.data.parent / "devices")
    # One a second, the newest now; every third is another class.
    mqtt = device.mqtt()
    for number in range(260):
        mqtt.publish("andon/things/line-1/results", message(
            number, label="dent" if number % 3 == 0 else "scratch", seconds=260 - number))
    wait_until(lambda: len(server.results()) == 260, "the results")
    at = {int(one["image"].split("-")[1].split(".")[0]): one["resultId"]
          for one in server.results()}
    watched.sign_in()
    page = watched.page
    hour = time.strftime("%Y-%m-%dT%H:00", time.localtime(time.time() - 3600))
    for query in ("", f"?from={hour}"):
        watched.go(f"#/results/{at[5]}{query}", "image-5.jpg")
        page.get_by_role("link", name="Next").click()
        page.get_by_role("heading", name="image-4.jpg", level=1).wait_for()
        page.get_by_role("link", name="Previous").click()
        page.get_by_role("heading", name="image-5.jpg", level=1).wait_for()
        page.get_by_role("link", name="Previous").click()
        page.get_by_role("heading", name="image-6.jpg", level=1).wait_for()
    watched.go(f"#/results/{at[6]}?class=dent&from={hour}", "image-6.jpg")
    page.get_by_role("link", name="Previous").click()
    page.get_by_role("heading", name="image-9.jpg", level=1).wait_for()
    watched.go(f"#/results/{at[0]}", "image-0.jpg")
    page.get_by_role("link", name="Previous").wait_for()
    assert page.get_by_role("link", name="Next").count() == 0
    watched.go(f"#/results/{at[259]}", "image-259.jpg")
    page.get_by_role("link", name="Next").wait_for()
    assert page.get_by_role("link", name="Previous").count() == 0
    assert not watched.problems


def test_the_newest_lines_of_a_busy_log_are_shown_and_followed(alone, watched):
    logs = alone.server.aws("logs")
    group = "/aws/lambda/busy"
    logs.create_log_group(logGroupName=group)
    now = int(time.time() * 1000)
    for stream in ("one", "two"):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
            {"timestamp": now - 3_000_000 + number * 1000, "message": f"{stream} {number}"}
            for number in range(3000)])
    page = watched.sign_in().go("#/workflows/functions?name=busy", "Functions")
    log = page.locator("pre").first
    wait_until(lambda: "two 2999" in log.inner_text(), "its newest line")
    shown = log.inner_text().splitlines()
    assert len(shown) == 300 and "one 2850" in shown[0] and "one 2999" in log.inner_text()
    assert page.get_by_text("The newest 300 lines").is_visible()
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=[
        {"timestamp": int(time.time() * 1000), "message": "written since"}])
    wait_until(lambda: log.inner_text().splitlines()[-1].endswith("written since"), "the line that came")
    assert len(log.inner_text().splitlines()) == 300
    page.get_by_label("Follow").uncheck()
    watched.settle()


def test_a_device_shows_the_log_groups_of_its_own_name_alone(alone, watched):
    for thing in ("line-1", "line-10"):
        alone.server.aws("iot").create_thing(thingName=thing)
    logs = alone.server.aws("logs")
    for group in ("/plant/line-1", "/plant/line-1/oven", "line-1", "/plant/line-10", "/plant/line-1-camera",
                  "/plant/outline-1", "/line-10/line-1.press"):
        logs.create_log_group(logGroupName=group)
    watched.sign_in()
    for thing, groups in (("line-1", ["/line-10/line-1.press", "/plant/line-1", "/plant/line-1/oven", "line-1"]),
                          ("line-10", ["/line-10/line-1.press", "/plant/line-10"])):
        page = watched.go(f"#/devices/{thing}", thing)
        card = page.locator("section").filter(has=page.get_by_role("heading", name="Log groups of its name"))
        card.wait_for()
        if len(groups) > 3:
            card.get_by_role("button", name="Show more").click()
        assert card.get_by_role("heading", level=3).all_inner_texts() == groups


def test_a_machines_executions_are_paged_and_filtered_by_their_state(alone, watched):
    states = alone.server.aws("stepfunctions")
    arn = put_machine(alone.server, "ship", {
        "A": {"Type": "Choice", "Choices": [
            {"Variable": "$.bad", "BooleanEquals": True, "Next": "B"}], "Default": "C"},
        "B": {"Type": "Fail"}, "C": {"Type": "Succeed"}})
    for number in range(130):
        states.start_execution(stateMachineArn=arn, name=f"run-{number:03}",
                               input=json.dumps({"bad": number < 2}))
    page = watched.sign_in().go(f"#/workflows/{arn.replace(':', '%3A')}", "ship")
    page.get_by_text("The first 100 are shown; there are more.").wait_for()
    assert page.get_by_role("link", name="run-").count() == 100
    page.get_by_role("button", name="Show more").click()
    wait_until(lambda: page.get_by_role("link", name="run-").count() == 130, "all of them")
    assert page.get_by_text("there are more").count() == 0
    page.get_by_label("State").select_option("FAILED")
    wait_until(lambda: sorted(page.get_by_role("link", name="run-").all_inner_texts()) ==
               ["run-000", "run-001"], "those that failed")
    assert "status=FAILED" in page.url
    # They are among what is wrong, of all machines in one answer.
    page = watched.go("#/alerts", "Alerts")
    page.get_by_text("an execution failed").first.wait_for()
    assert page.get_by_role("row").filter(has_text="an execution failed").count() == 2


def test_a_list_that_is_cut_says_so_and_shows_more(alone, watched):
    iam = alone.server.aws("iam")
    for number in range(302):
        iam.create_user(UserName=f"user-{number:03}")
    page = watched.sign_in().go("#/settings/users", "Settings")
    page.get_by_text("The first 300 are shown; there are more.").wait_for()
    page.get_by_role("button", name="Show more").click()
    page.get_by_role("link", name="user-301").wait_for()
    assert page.get_by_text("there are more").count() == 0


def cut_at(page, shown):
    page.get_by_text(f"The first {shown} are shown; there are more.").first.wait_for()


def test_roles_and_schedules_and_webhooks_that_are_cut_say_so_and_show_more(alone, watched):
    server = alone.server
    iam, scheduler = server.aws("iam"), server.aws("scheduler")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
    for number in range(302):
        role = iam.create_role(RoleName=f"zz-{number:03}", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    server.aws("logs").create_log_group(logGroupName="nightly")
    for number in range(102):
        scheduler.create_schedule(
            Name=f"nightly-{number:03}", ScheduleExpression="cron(0 2 * * ? *)", FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": "arn:aws:logs:us-east-1:000000000000:log-group:nightly", "RoleArn": role})
        assert server.call("PUT", f"/andon/v1/webhooks/forge-{number:03}",
                           {"secret": "a secret of more than sixteen characters"})[0] == 200
    page = watched.sign_in().go("#/settings/roles", "Settings")
    cut_at(page, 300)
    assert page.get_by_text("zz-301").count() == 0
    page.get_by_role("button", name="Show more").click()
    page.get_by_text("zz-301").wait_for()
    assert page.get_by_text("there are more").count() == 0
    page = watched.go("#/workflows/triggers", "Schedules and webhooks")
    for kind, last in (("Schedules", "nightly-101"), ("Webhooks", "forge-101")):
        section = page.locator("section").filter(has=page.get_by_role("heading", name=kind, exact=True))
        cut_at(section, 100)
        assert section.get_by_text(last).count() == 0
        section.get_by_role("button", name="Show more").click()
        section.get_by_text(last).first.wait_for()
        assert section.get_by_text("there are more").count() == 0
    assert not watched.problems


def test_moves_of_aliases_and_revisions_of_a_target_and_log_groups_are_paged(alone, watched):
    server = alone.server
    put_version(server, "tags")
    for number in range(26):
        assert server.call("PUT", f"/andon/v1/models/tags/aliases/of-{number:02}", {"version": 1})[0] == 200
        assert server.call("DELETE", f"/andon/v1/models/tags/aliases/of-{number:02}")[0] == 200
    page = watched.sign_in().go("#/models/tags", "tags")
    cut_at(page, 50)
    assert page.get_by_text("of-00 → @1").count() == 0
    page.get_by_role("button", name="Show more").click()
    page.get_by_text("of-00").last.wait_for()
    assert page.get_by_text("there are more").count() == 0

    device = server.device("line-1", server.data.parent / "devices")
    say_results(server, device, [message(1)])
    greengrass = server.aws("greengrassv2")
    target = "arn:aws:iot:us-east-1:000000000000:thing/line-1"
    for number in range(15):
        newest = greengrass.create_deployment(targetArn=target, deploymentName=f"revision-{number:02}",
                                              components={})["deploymentId"]
    page = watched.go(f"#/deployments/{newest}", "revision-14")
    earlier = page.locator("section").filter(has=page.get_by_role("heading", name="Earlier revisions of this target"))
    earlier.get_by_text("there are more").wait_for()
    assert earlier.get_by_text("revision-00").count() == 0
    earlier.get_by_role("button", name="Show more").click()
    earlier.get_by_text("revision-00").wait_for()
    assert earlier.get_by_text("there are more").count() == 0
    # What changes is compared with what stands now, however many there were before.
    page = watched.go(f"#/deployments/new?target={target.replace(':', '%3A')}", "New deployment")
    page.get_by_text("Nothing changes.").wait_for()

    for number in range(4):
        server.aws("logs").create_log_group(logGroupName=f"/plant/line-1/{number}")
    page = watched.go("#/devices/line-1", "line-1")
    logs = page.locator("section").filter(has=page.get_by_role("heading", name="Log groups of its name"))
    cut_at(logs, 3)
    logs.get_by_role("button", name="Show more").click()
    logs.get_by_text("/plant/line-1/3").wait_for()
    assert logs.get_by_text("there are more").count() == 0
    assert not watched.problems


def test_a_choice_that_has_not_all_there_is_says_so(alone, watched):
    iot = alone.server.aws("iot")
    for number in range(1002):
        iot.create_thing_group(thingGroupName=f"hall-{number:04}")
    page = watched.sign_in().go("#/fleet", "Fleet")
    for path, heading, label in (("#/fleet", "Fleet", "Group"), ("#/results", "Results", "Line or group"),
                                 ("#/deployments/new", "New deployment", "Target")):
        page = watched.go(path, heading)
        choice = page.get_by_label(label, exact=label != "Target").first
        wait_until(lambda: "The first 1000 are shown; there are more." in choice.inner_text(), f"{label} of {path}")
    # One that is not among them is chosen by the address.
    page = watched.go("#/fleet?group=hall-1001", "Fleet")
    wait_until(lambda: page.get_by_label("Group", exact=True).first.input_value() == "hall-1001", "its name")
    target = "arn:aws:iot:us-east-1:000000000000:thinggroup/hall-1001"
    page = watched.go(f"#/deployments/new?target={target.replace(':', '%3A')}", "New deployment")
    wait_until(lambda: page.get_by_label("Target").input_value() == target, "the target")
    assert not watched.problems


def change_alias(server):
    assert server.call("PUT", "/andon/v1/models/tags/aliases/champion", {"version": 1})[0] == 200


def change_rule(server):
    server.aws("events").put_rule(Name="tell-the-plant", EventPattern=json.dumps({"source": ["andon.devices"]}))


def change_webhook(server):
    assert server.call("PUT", "/andon/v1/webhooks/forge",
                       {"secret": "a secret of more than sixteen characters"})[0] == 200


def change_user(server):
    server.aws("iam").create_user(UserName="eva")


def change_backup(server):
    assert server.call("POST", "/andon/v1/backups", {})[0] < 300


@pytest.mark.parametrize("path, heading, change, seen", [
    ("#/models", "Models", change_alias, "champion → @1"),
    ("#/models/tags", "tags", change_alias, "champion"),
    ("#/alerts", "Alerts", change_rule, "tell-the-plant"),
    ("#/workflows/triggers", "Schedules and webhooks", change_webhook, "forge"),
    ("#/settings/users", "Settings", change_user, "eva"),
    ("#/audit", "Audit", change_user, "iam:user/eva"),
    ("#/settings/storage", "Settings", change_backup, "Delete")])
def test_what_somebody_else_changes_appears_on_each_screen(alone, watched, path, heading, change, seen):
    put_version(alone.server, "tags")
    page = watched.sign_in().go(path, heading)
    assert page.get_by_text(seen, exact=True).count() == 0
    change(alone.server)
    page.get_by_text(seen, exact=True).first.wait_for()


def test_a_session_that_begins_appears_among_the_sessions(alone, watched):
    iam = alone.server.aws("iam")
    iam.create_user(UserName="otto")
    iam.create_login_profile(UserName="otto", Password=PASSWORD)
    page = watched.sign_in().go("#/settings/sessions", "Settings")
    page.get_by_role("row").nth(1).wait_for()
    body = json.dumps({"user": "otto", "password": PASSWORD})
    assert ask(alone.url, "POST", "/console/sign-in", {"Content-Type": "application/json"}, body)[0] == 200
    page.get_by_role("row").filter(has_text="otto").wait_for()
