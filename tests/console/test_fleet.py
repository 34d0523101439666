# SPDX-License-Identifier: Apache-2.0
"""The fleet as a whole: what devices lack, how they fare by shift, and how seldom a page asks for that
however fast things change. Devices are rows and messages here, as a thousand of them would leave."""
import datetime
import json
import re
import sqlite3
import threading
import time
from typing import NamedTuple

from conftest import PASSWORD
from harness import ROOT, wait_until

MANY = 1000
LOOK_S = 30
# Of a page: what is put together of much, and lists; of 1,001 devices two pages each five seconds.
MOST_A_MINUTE = {"CountResults": 10, "ListDeviceStates": 26, "ListResults": 35,
                 "ListMachineStates": 14, "ListModelStates": 14}
MANY_MACHINES = 60  # and models


def message(number, verdict=None, label="scratch", seconds=0):
    moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    told = {"timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{number % 1000:03}Z",
            "image": {"name": f"image-{number}.jpg", "width": 100, "height": 100},
            "detections": [{"class_id": 0, "label": label, "confidence": 0.9,
                            "box": [10, 10, 30, 30]}] if label else []}
    return told if verdict is None else {**told, "verdict": verdict}


def say_results(server, device, messages):
    mqtt = device.mqtt()
    before = len(server.results())
    for one in messages:
        mqtt.publish(f"andon/things/{device.thing}/results", one)
    wait_until(lambda: len(server.results()) >= before + len(messages),
               "the results")


def put_devices(server, names, version="1.0.0", connected=True, component="com.example.Hello"):
    """As health messages and connections leave them."""
    now = int(time.time() * 1000)
    iot = server.aws("iot")
    for name in names:
        iot.create_thing(thingName=name)
    with sqlite3.connect(server.data / "andon.db", timeout=60) as database:
        for name in names:
            database.execute(
                "INSERT INTO core_devices VALUES (?, '0.1.0', 'linux', 'amd64', '', 'HEALTHY', 1, 0, ?, ?)",
                (name, now, now - 20 * 3_600_000))
            database.execute("INSERT INTO thing_connectivity VALUES (?, ?, ?, '')",
                             (name, int(connected), now))
            database.execute(
                "INSERT INTO installed_components VALUES (?, ?, ?, 'RUNNING', '', '[]', 1, '[]', ?, ?)",
                (name, component, version, now, now))


def add_component(server, version):
    recipe = {"RecipeFormatVersion": "2020-01-25", "ComponentName": "com.example.Hello",
              "ComponentVersion": version, "Manifests": [
                  {"Platform": {"os": "linux"}, "Lifecycle": {"run": "true"}}]}
    server.aws("greengrassv2").create_component_version(inlineRecipe=json.dumps(recipe).encode())


def test_fleet_shows_who_is_there_and_what_lacks_what_was_deployed(alone, watched):
    server = alone.server
    put_devices(server, ["line-1", "line-2"])
    put_devices(server, ["line-3"], connected=False)
    server.aws("iot").create_thing(thingName="line-4")
    add_component(server, "1.1.0")
    made = server.aws("greengrassv2").create_deployment(
        targetArn="arn:aws:iot:us-east-1:000000000000:thing/line-1", deploymentName="newer",
        components={"com.example.Hello": {"componentVersion": "1.1.0"}})["deploymentId"]
    watched.sign_in()
    page = watched.page

    def row(name):
        return page.get_by_role("row").filter(has_text=name)
    row("line-1").get_by_text("1.0.0 → 1.1.0").wait_for()
    assert "on its way" in row("line-1").inner_text()
    assert row("line-1").get_by_role("link", name="com.example.Hello").get_attribute("href") == \
        f"#/deployments/{made}"
    # It has said how it is 20 hours ago, and is connected: that is what counts.
    assert "connected" in row("line-1").inner_text() and "as deployed" in row("line-2").inner_text()
    assert "Gone" in row("line-3").inner_text() and "Never seen" in row("line-4").inner_text()
    page.get_by_label("State").select_option("OUTDATED")
    page.get_by_role("link", name="line-2").wait_for(state="detached")
    assert page.locator("tbody tr").count() == 1


def test_what_wants_a_hand_comes_first_and_a_count_shows_whom_it_counts(alone, watched):
    server = alone.server
    put_devices(server, ["line-1", "line-2"])
    put_devices(server, ["line-3"], connected=False)
    watched.sign_in()
    page = watched.page
    page.get_by_role("link", name="line-3", exact=True).wait_for()
    assert "line-3" in page.locator("tbody tr").first.inner_text()
    page.get_by_role("link", name="1 gone").click()
    page.get_by_role("link", name="line-1", exact=True).wait_for(state="detached")
    assert page.locator("tbody tr").count() == 1
    assert page.get_by_label("State").input_value() == "GONE"
    page.get_by_role("link", name="3 devices").click()
    page.get_by_role("link", name="line-1", exact=True).wait_for()


def test_a_group_is_made_of_the_chosen_and_left_again(alone, watched):
    server = alone.server
    put_devices(server, ["line-1", "line-2"])
    watched.sign_in()
    page = watched.page
    page.get_by_role("checkbox", name="Choose line-1").check()
    page.get_by_role("checkbox", name="Choose line-2").check()
    page.get_by_role("button", name="Group and deploy").click()
    page.get_by_label("Name of the group").fill("hall-9")
    page.get_by_role("dialog").get_by_role("button", name="New group").click()
    page.get_by_role("dialog").wait_for(state="detached")
    members = server.aws("iot").list_things_in_thing_group(thingGroupName="hall-9")["things"]
    assert sorted(members) == ["line-1", "line-2"]
    page.get_by_role("checkbox", name="Choose line-2").check()
    page.get_by_role("button", name="Take out of hall-9").click()
    page.get_by_role("dialog").get_by_role("button", name="Take out of hall-9").click()
    wait_until(lambda: server.aws("iot").list_things_in_thing_group(
        thingGroupName="hall-9")["things"] == ["line-1"], "line-2 leaving")


def test_more_devices_than_a_page_holds_are_paged(alone, watched):
    for number in range(205):
        alone.server.aws("iot").create_thing(thingName=f"line-{number:04}")
    watched.sign_in()
    page = watched.page
    page.get_by_text("1 to 200 of 205").wait_for()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("link", name="line-0204").wait_for()
    assert page.locator("tbody tr").count() == 5


def test_rejects_are_what_verdicts_say_by_device_hour_and_shift(alone, watched):
    server = alone.server
    device = server.device("line-1", server.data.parent / "devices")
    # A presence check: what is found is good, what is missing is not.
    say_results(server, device, [message(number, verdict, label) for number, (verdict, label) in
                                 enumerate([("OK", "tag")] * 6 + [("NG", "")] * 2)])
    watched.sign_in()
    page = watched.page
    page.get_by_text("rejected (NG), of 8 verdicts in 24 h").first.wait_for()
    assert "25 %" in page.get_by_role("row").filter(has_text="line-1").inner_text()
    page = watched.go("#/results", "Results")
    page.get_by_text("2 rejected (NG)").wait_for()
    assert page.get_by_text("6 good (OK)").is_visible()
    assert page.get_by_text("Counts per shift").count() == 0
    page = watched.go("#/settings/shifts", "Settings")
    page.get_by_label("Time zone").select_option("UTC")
    for name, start in (("early", "06:00"), ("late", "14:00"), ("night", "22:00")):
        page.get_by_role("button", name="Add a shift").click()
        page.get_by_label("Name").last.fill(name)
        page.get_by_label("Begins at").last.fill(start)
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The shifts are saved").wait_for()
    status, told = server.call("GET", "/andon/v1/result-shifts")
    assert status == 200 and [one["start"] for one in told["shifts"]] == ["06:00", "14:00", "22:00"]
    page = watched.go("#/results", "Results")
    page.get_by_text("Counts per shift").click()
    row = page.locator("details tbody tr").first
    cells = row.locator("td").all_inner_texts()
    assert cells[1] in ("early", "late", "night") and cells[2:7] == ["8", "6", "0", "2", "25 %"]
    # Of a line alone.
    iot = server.aws("iot")
    iot.create_thing_group(thingGroupName="hall-1")
    iot.add_thing_to_thing_group(thingName="line-1", thingGroupName="hall-1")
    iot.create_thing_group(thingGroupName="hall-2")
    other = server.device("line-2", server.data.parent / "others")
    iot.add_thing_to_thing_group(thingName="line-2", thingGroupName="hall-2")
    say_results(server, other, [message(number, "OK", "tag") for number in range(3)])
    for line, pictures in (("hall-1", "8"), ("hall-2", "3")):
        page = watched.go(f"#/results?group={line}", "Results")
        page.get_by_text("Counts per shift").wait_for()
        if not row.is_visible():
            page.get_by_text("Counts per shift").click()
        wait_until(lambda want=pictures: row.locator("td").all_inner_texts()[2] == want,
                   f"the counts of {line}")


def test_a_thousand_devices_and_a_stream_of_results_do_not_flood_the_server(alone, watched):
    """Health and results flow; each page asks a bounded number of times a minute."""
    server = alone.server
    put_devices(server, [f"line-{number:04}" for number in range(MANY)])
    device = server.device("source", server.data.parent / "devices")
    states, sagemaker = server.aws("stepfunctions"), server.aws("sagemaker")
    machines = [states.create_state_machine(
        name=f"machine-{number:02}", roleArn="arn:aws:iam::000000000000:role/andon-workflows",
        definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
        )["stateMachineArn"] for number in range(MANY_MACHINES)]
    for number in range(MANY_MACHINES):
        sagemaker.create_model_package_group(ModelPackageGroupName=f"model-{number:02}")
    stop = threading.Event()

    def flow():
        mqtt, iot, number = device.mqtt(), server.aws("iot"), 0
        while not stop.wait(0.3):
            number += 1
            mqtt.publish("andon/things/source/results", message(number, "NG"))
            iot.update_thing(thingName=f"line-{number % MANY:04}",
                             attributePayload={"attributes": {"seen": str(number)}})
            states.start_execution(stateMachineArn=machines[number % MANY_MACHINES])
            sagemaker.create_model_package_group(ModelPackageGroupName=f"more-{number}")
    source = threading.Thread(target=flow)
    source.start()
    try:
        watched.sign_in()
        for path, heading in (("#/fleet", "Fleet"), ("#/results", "Results"), ("#/alerts", "Alerts"),
                              ("#/devices/source", "source"), ("#/workflows", "Workflows"),
                              ("#/models", "Models"), ("#/approve", "Approve")):
            watched.page.evaluate("path => { location.hash = path }", path)
            watched.page.get_by_role("heading", name=heading, level=1).wait_for()
            watched.page.wait_for_timeout(5000)  # what it asks to be there
            before = len(watched.asked)
            watched.page.wait_for_timeout(LOOK_S * 1000)
            asked = [url.rsplit("/", 1)[1] for url in watched.asked[before:] if "/console/call/" in url]
            a_minute = len(asked) * 60 / LOOK_S
            assert a_minute <= 130, (path, a_minute, sorted(set(asked)))
            for operation, most in MOST_A_MINUTE.items():
                assert asked.count(operation) * 60 / LOOK_S <= most, (path, operation)
            print(f"{path}: {a_minute:.0f} requests a minute")
    finally:
        stop.set()
        source.join()


def test_the_newest_picture_of_a_day_with_many_uploads_is_shown(alone, watched):
    server = alone.server
    device = server.device("line-1", server.data.parent / "devices")
    say_results(server, device, [message(1)])
    result = server.results()[0]
    day = result["timestamp"][:10].replace("-", "/")
    s3 = server.aws("s3")
    for number in range(1100):  # by their names before it
        s3.put_object(Bucket="andon-uploads", Key=f"line-1/{day}/earlier-{number:04}.jpg", Body=b"x")
    s3.put_object(Bucket="andon-uploads", Key=f"line-1/{day}/{result['image']}",
                  Body=(ROOT / "examples/metal-tags/images").iterdir().__next__().read_bytes())
    watched.sign_in()
    page = watched.go("#/results", "Results")
    wait_until(lambda: any(url.endswith("/" + result["image"]) for url in watched.asked),
               "its picture being asked for")
    assert page.get_by_text("No picture was uploaded").count() == 0


def test_a_deployment_based_on_another_keeps_what_that_has_beside_its_components(alone, watched):
    server = alone.server
    put_devices(server, ["line-1"])
    add_component(server, "1.0.0")
    add_component(server, "1.1.0")
    target = "arn:aws:iot:us-east-1:000000000000:thing/line-1"
    greengrass = server.aws("greengrassv2")
    policies = {"failureHandlingPolicy": "DO_NOTHING",
                "componentUpdatePolicy": {"action": "SKIP_NOTIFY_COMPONENTS", "timeoutInSeconds": 77},
                "configurationValidationPolicy": {"timeoutInSeconds": 33}}
    job = {"timeoutConfig": {"inProgressTimeoutInMinutes": 11}}
    greengrass.create_deployment(
        targetArn=target, deploymentPolicies=policies, iotJobConfiguration=job, components={
            "com.example.Hello": {"componentVersion": "1.0.0", "runWith": {"posixUser": "nobody"}}})
    watched.sign_in()
    page = watched.go("#/deployments/new", "New deployment")
    page.get_by_label("Target").select_option(target)
    page.get_by_text("Nothing changes.").wait_for()
    assert page.get_by_label("If it fails").input_value() == "DO_NOTHING"
    page.get_by_label("Version").select_option("1.1.0")
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("heading", name="Devices").wait_for()
    told = greengrass.get_deployment(deploymentId=page.url.rsplit("/", 1)[1].split("?")[0])
    assert told["deploymentPolicies"] == policies
    assert told["iotJobConfiguration"] == job
    assert told["components"]["com.example.Hello"] == {
        "componentVersion": "1.1.0", "runWith": {"posixUser": "nobody"}}
    assert page.get_by_text("do not ask them; 77 s").is_visible()


class Row(NamedTuple):
    who: str
    writes: bool


def operations():
    """{(service, operation): Row} of the server's table."""
    source = (ROOT / "src/api/table/catalogue/access_rows.cpp").read_text().split("kRows", 1)[1]
    rows = re.findall(r'\{"([\w-]+)",\s*"(\w+)",([^;]*?)\},?(?=\s*(?://.*)?\s*(?:\{"|\}\)))', source)
    assert len(rows) == len(re.findall(r'^    \{"', source, re.MULTILINE)) > 500
    return {(service, operation): Row(
        who="anybody" if "Who::anybody" in rest else "decided" if "Who::decided" in rest else "permitted",
        # Behind the resources stands what has changed, if anything.
        writes=re.match(r'\s*(?:"[^"]*"\s*)+,\s*\w', rest) is not None)
        for service, operation, rest in rows}


def test_the_console_calls_nothing_but_rows_of_the_table():
    """So what is refused of the table is refused to the console."""
    called = set()
    for path in (ROOT / "console/src").rglob("*"):
        if path.suffix in (".svelte", ".ts"):
            called |= set(re.findall(r"\b(?:call|all)\(\s*'(\w+)',\s*(?:[\w.]+ === '\w+' \? )?'(\w+)'",
                                     path.read_text()))
    table = operations()
    assert called <= set(table)
    assert len([one for one in called if table[one].writes]) > 30


def test_a_viewer_is_refused_every_writing_operation_that_the_console_has(alone, watched):
    """Every one that the table has: a page that was changed may call any."""
    iam = alone.server.aws("iam")
    iam.create_user(UserName="vera")
    iam.create_login_profile(UserName="vera", Password=PASSWORD)
    iam.attach_user_policy(UserName="vera", PolicyArn="arn:aws:iam::aws:policy/AndonViewerAccess")
    writes = sorted(f"{service}/{operation}" for (service, operation), row in operations().items()
                    if row.who == "permitted" and row.writes)
    assert len(writes) > 250
    watched.sign_in("vera")
    told = watched.page.evaluate("""async (writes) => {
      const {csrfToken} = await (await fetch('/console/session')).json();
      const told = {};
      for (const one of writes) {
        const answer = await fetch('/console/call/' + one, {method: 'POST', body: '{}',
          headers: {'X-Andon-Csrf': csrfToken, 'Content-Type': 'application/json'}});
        told[one] = answer.status;
      }
      return told;
    }""", writes)
    assert {one: status for one, status in told.items() if status != 403} == {}


def test_a_viewer_is_offered_no_button_that_is_refused(alone, watched):
    server = alone.server
    iam = server.aws("iam")
    iam.create_user(UserName="vera")
    iam.create_login_profile(UserName="vera", Password=PASSWORD)
    iam.attach_user_policy(UserName="vera", PolicyArn="arn:aws:iam::aws:policy/AndonViewerAccess")
    device = server.device("line-1", server.data.parent / "devices")
    say_results(server, device, [message(1)])
    server.aws("s3").put_object(Bucket="andon-uploads", Key="x.txt", Body=b"x")
    result = server.results()[0]
    watched.sign_in("vera")
    for path, heading, names in (
            ("#/fleet", "Fleet", ["Add a device", "New group"]),
            (f"#/results/{result['resultId']}", result["image"], ["Confirm", "Overrule"]),
            ("#/deployments/new?target=arn:aws:iot:us-east-1:000000000000:thing/line-1",
             "New deployment", ["Deploy"]),
            ("#/objects/andon-uploads", "andon-uploads", ["Delete"]),
            ("#/alerts", "Alerts", ["New alert"]),
            ("#/audit", "Audit", ["Check the chain"]),
            ("#/settings/certificates", "Settings", ["Revoke"]),
            ("#/settings/shifts", "Settings", ["Save"])):
        page = watched.go(path, heading)
        for name in names:
            button = page.get_by_role("button", name=name, exact=True).first
            wait_until(button.is_disabled, f"{name} of {path} being off")
            assert "Your rights do not allow this" in button.get_attribute("title")


def test_a_question_about_rights_that_fails_is_asked_again(alone, watched):
    iam = alone.server.aws("iam")
    iam.create_user(UserName="vera")
    iam.create_login_profile(UserName="vera", Password=PASSWORD)
    iam.attach_user_policy(UserName="vera", PolicyArn="arn:aws:iam::aws:policy/AndonViewerAccess")
    failed = []

    def fail_once(route):
        if failed:
            route.continue_()
        else:
            failed.append(route.request.url)
            route.abort()
    watched.context.route("**/console/call/andon/GetOwnAccess", fail_once)
    page = watched.sign_in("vera").page
    button = page.get_by_role("button", name="Add a device", exact=True).first
    wait_until(button.is_disabled, "the button being off")
    assert failed


def test_certificates_of_the_server_and_those_that_end_are_shown(alone, watched):
    server = alone.server
    server.device("line-1", server.data.parent / "devices")
    with sqlite3.connect(server.data / "andon.db", timeout=60) as database:
        database.execute("UPDATE certificates SET not_after_ms = ?",
                         (int((time.time() + 5 * 86_400) * 1000),))
    watched.sign_in()
    page = watched.go("#/settings/certificates", "Settings")
    page.get_by_text("Its CA").wait_for()
    page.get_by_text("1 end within 30 days").wait_for()
    page = watched.go("#/alerts", "Alerts")
    page.get_by_text("its certificate ends").wait_for()
    assert page.get_by_role("link", name="line-1").first.is_visible()
