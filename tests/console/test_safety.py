# SPDX-License-Identifier: Apache-2.0
"""What a page of the console does not do: run what others have named, be used by another site, give
up when its session or its server goes; and what it weighs."""
import json
import sqlite3
import urllib.parse

import pytest

from conftest import HOSTILE, Watched, ask
from harness import wait_until

MOST_FIRST_PAGE = 120_000


def test_the_first_page_weighs_little_and_asks_nobody_else(alone, watched):
    sizes = []
    watched.page.on("requestfinished",
                    lambda request: sizes.append((request.url, request.sizes()["responseBodySize"])))
    watched.sign_in()
    watched.settle()
    files = {url: size for url, size in sizes if "/assets/" in url or url.endswith("/console/")}
    assert sum(files.values()) < MOST_FIRST_PAGE, files
    assert len(files) > 3
    assert all(url.startswith(alone.url) for url in watched.asked)


def test_a_browser_is_led_to_the_console_and_s3_clients_list_buckets(alone):
    status, headers, _ = ask(alone.url, "GET", "/", {"Accept": "text/html,*/*;q=0.8"})
    assert (status, headers["Location"]) == (303, "/console/")
    assert ask(alone.url, "GET", "/")[0] == 403
    assert ask(alone.url, "GET", "/", {"Accept": "text/html", "Host": "pictures.localhost"})[0] == 403
    buckets = alone.server.aws("s3").list_buckets()["Buckets"]
    assert "andon-uploads" in [bucket["Name"] for bucket in buckets]


def test_hashed_files_may_be_kept_and_pages_have_the_headers_that_keep_others_out(alone):
    status, headers, page = ask(alone.url, "GET", "/console/")
    assert status == 200 and headers["Cache-Control"] == "no-cache"
    policy = headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'",
                 "base-uri 'none'", "form-action 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    script = page.decode().split('src="', 1)[1].split('"', 1)[0]
    status, headers, content = ask(alone.url, "GET", script, {"Accept-Encoding": "gzip"})
    assert status == 200 and "immutable" in headers["Cache-Control"]
    assert headers["Content-Encoding"] == "gzip" and content.startswith(b"\x1f\x8b")
    assert ask(alone.url, "GET", script)[2].startswith((b"import", b"(", b"var", b"const", b"function"))
    assert ask(alone.url, "GET", script, {"If-None-Match": headers["ETag"]})[0] == 304


@pytest.mark.parametrize("path", [
    "/console/../andon.db", "/console/%2e%2e/andon.db", "/console/assets/..%2f..%2fandon.db",
    "/console/assets/", "/console//etc/passwd", "/console/index.html%00", "/console/assets\\x",
    "/console/s3/../../etc/passwd", "/console/console.pack"])
def test_no_path_leads_out_of_the_archive(alone, path):
    status, _, content = ask(alone.url, "GET", path)
    assert status in (400, 401, 404)
    assert b"SQLite" not in content and b"root:" not in content


def test_nor_does_one_of_somebody_who_is_signed_in(alone, watched):
    """Objects are named by the rest of the path: nothing of it is a file of the machine."""
    watched.sign_in()
    cookie = next(one for one in watched.context.cookies() if one["name"] == "andon_session")
    session = {"Cookie": f"andon_session={cookie['value']}"}
    key = (alone.server.data / "credentials" / "operator.json").read_bytes()
    for path in ("andon-uploads/../../andon.db", "andon-uploads/..%2f..%2fandon.db", "../andon.db",
                 "..%2f..%2fetc%2fpasswd", "/etc/passwd", "andon-uploads//etc/passwd", "andon-uploads/%00",
                 "andon-uploads/%2e%2e/%2e%2e/credentials/operator.json", "andon-uploads/../credentials/operator.json",
                 "%2e%2e/credentials/operator.json", "andon-artifacts/../../credentials/operator.json"):
        status, _, content = ask(alone.url, "GET", "/console/s3/" + path, session)
        assert status in (400, 403, 404), path
        assert b"SQLite" not in content and b"root:" not in content and key not in content, path
    for path in ("call/../../andon.db", "call/iot/..%2f..%2fListThings", "s3"):
        assert ask(alone.url, "GET", "/console/" + path, session)[0] in (400, 401, 404, 405), path


def test_an_object_is_shown_as_a_picture_or_given_as_a_file_and_never_runs(alone, watched):
    s3 = alone.server.aws("s3")
    for key, kind in (("x.html", "text/html"), ("x.svg", "image/svg+xml"), ("x.jpg", "text/html")):
        s3.put_object(Bucket="andon-uploads", Key=key, ContentType=kind,
                      Body=b"<script>document.title='owned'</script>")
    watched.sign_in()
    told = watched.page.evaluate("""async () => Promise.all(['x.html', 'x.svg', 'x.jpg'].map(
      async (key) => { const answer = await fetch('/console/s3/andon-uploads/' + key);
        return [answer.headers.get('content-type'), answer.headers.get('content-disposition'),
                answer.headers.get('content-security-policy')]; }))""")
    assert [one[1] for one in told] == ["attachment", "attachment", None]
    assert told[2][0] == "image/jpeg"
    assert all("sandbox" in one[2] and "script-src" not in one[2] for one in told)


def test_names_that_others_have_chosen_are_shown_as_text(alone, watched):
    iot, iam = alone.server.aws("iot"), alone.server.aws("iam")
    iot.create_thing(thingName="line-1")
    alone.server.aws("s3").put_object(Bucket="andon-uploads", Key=HOSTILE, Body=b"x")
    logs = alone.server.aws("logs")
    logs.create_log_group(logGroupName="/plant/line-1")
    logs.create_log_stream(logGroupName="/plant/line-1", logStreamName="s")
    import time  # of the event, not to wait
    logs.put_log_events(logGroupName="/plant/line-1", logStreamName="s", logEvents=[
        {"timestamp": int(time.time() * 1000), "message": HOSTILE}])
    sagemaker = alone.server.aws("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="tags",
                                         ModelPackageGroupDescription=HOSTILE)
    iam.create_user(UserName="eva")
    alone.server.aws("events").put_rule(Name="tell", Description=HOSTILE,
                                        EventPattern=json.dumps({"source": [HOSTILE]}))
    device = alone.server.device("line-2", alone.server.data.parent / "devices")
    device.mqtt().publish("andon/things/line-2/results", {
        "timestamp": "2026-11-22T10:00:00.123Z", "thing": "line-2",
        "image": {"name": HOSTILE, "width": 100, "height": 100}, "verdict": HOSTILE,
        "model": {"component": HOSTILE, "version": "1.0.0"},
        "detections": [{"class_id": 0, "label": HOSTILE, "confidence": 0.9,
                        "box": [10, 10, 30, 30]}]})
    wait_until(lambda: alone.server.results(), "the result")
    result = alone.server.results()[0]
    watched.sign_in()
    shown = ""
    for address, heading in (
            ("#/fleet?q=" + urllib.parse.quote(HOSTILE), "Fleet"), ("#/results?view=table", "Results"),
            ("#/results", "Results"), (f"#/results/{result['resultId']}", None),
            ("#/devices/line-1", "line-1"), ("#/models", "Models"),
            ("#/objects/andon-uploads", "andon-uploads"), ("#/alerts", "Alerts"),
            ("#/devices/" + urllib.parse.quote(HOSTILE, safe=""), None)):
        if heading:
            watched.go(address, heading)
        else:
            watched.page.evaluate("path => { location.hash = path }", address)
            watched.settle()
        shown += watched.page.locator("main").inner_text()
        assert watched.page.locator("img[src=x]").count() == 0, address
        assert watched.page.title() != "owned", address
    assert shown.count("<img src=x onerror=") >= 6
    assert not watched.problems


def test_what_jobs_browsers_and_pipelines_say_is_shown_as_text(alone, watched):
    """Deployments' names, executions' inputs and causes, lines of functions, browsers, deliveries."""
    server = alone.server
    server.aws("iot").create_thing(thingName="line-1")
    made = server.aws("greengrassv2").create_deployment(
        targetArn="arn:aws:iot:us-east-1:000000000000:thing/line-1", deploymentName=HOSTILE,
        components={})["deploymentId"]
    with sqlite3.connect(server.data / "andon.db", timeout=30) as database:  # as a device says it
        database.execute("UPDATE job_executions SET status = 'FAILED', status_details = ?",
                         (json.dumps({"detailed-deployment-status": "FAILED",
                                      "deployment-failure-cause": HOSTILE}),))
    states = server.aws("stepfunctions")
    role = next(one["Arn"] for one in server.aws("iam").list_roles()["Roles"]
                if one["RoleName"] == "andon-workflows")
    machine = states.create_state_machine(name="bent", roleArn=role, definition=json.dumps({
        "StartAt": "Fail", "States": {"Fail": {"Type": "Fail", "Error": "E", "Cause": HOSTILE}}}))[
            "stateMachineArn"]
    execution = states.start_execution(
        stateMachineArn=machine, input=json.dumps({"text": HOSTILE}))["executionArn"]
    wait_until(lambda: states.describe_execution(executionArn=execution)["status"] == "FAILED",
               "the end of the execution")
    ask(alone.url, "POST", "/console/sign-in", {
        "Content-Type": "application/json", "User-Agent": HOSTILE},
        json.dumps({"link": alone.link().split("link=")[1]}))
    watched.sign_in()
    for address, most in ((f"#/deployments/{made}", None), ("#/deployments", "Deployments"),
                          ("#/devices/line-1", "line-1"), ("#/alerts", "Alerts"),
                          ("#/workflows/executions/" + execution.replace(":", "%3A"), None),
                          ("#/settings/sessions", "Settings"), ("#/audit?kind=all", "Audit")):
        watched.page.evaluate("path => { location.hash = path }", address)
        watched.settle()
        text = watched.page.locator("main").inner_text()
        if address != "#/audit?kind=all":
            assert "<img src=x onerror=" in text, (address, text[:500])
        assert watched.page.locator("img[src=x]").count() == 0, address
        assert "owned" != watched.page.title(), (address, most)
    assert not watched.problems


def test_another_site_cannot_use_the_session(alone, watched):
    watched.sign_in()
    cookie = next(one for one in watched.context.cookies() if one["name"] == "andon_session")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    assert watched.page.evaluate("document.cookie") == ""
    session = {"Cookie": f"andon_session={cookie['value']}", "Content-Type": "application/json"}
    for more in ({}, {"X-Andon-Csrf": "guess"}, {"Origin": "http://elsewhere.example"},
                 {"Sec-Fetch-Site": "cross-site"}):
        status, _, _ = ask(alone.url, "POST", "/console/call/iot/CreateThing", {**session, **more},
                           json.dumps({"thingName": "stolen"}))
        assert status == 403
        assert ask(alone.url, "DELETE", "/console/s3/andon-uploads/x", {**session, **more})[0] == 403
    things = alone.server.aws("iot").list_things()["things"]
    assert "stolen" not in [thing["thingName"] for thing in things]


def test_a_session_that_somebody_else_has_begun_is_not_gone_on_with(alone, watched):
    """Fixation: what was in the cookie before the sign-in is worth nothing after it."""
    other = json.loads(ask(alone.url, "POST", "/console/sign-in", {"Content-Type": "application/json"},
                           json.dumps({"link": alone.link().split("link=")[1]}))[2] or b"{}")
    assert other.get("csrfToken"), other
    for planted in ("andon_session=chosen-by-somebody", "andon_session=" + "A" * 43):
        name, value = planted.split("=", 1)
        watched.context.add_cookies([
            {"name": name, "value": value, "domain": "127.0.0.1", "path": "/console"}])
        watched.sign_in()
        cookies = [one["value"] for one in watched.context.cookies() if one["name"] == name]
        assert value not in cookies and len(cookies) == 1
        status, _, _ = ask(alone.url, "GET", "/console/session", {"Cookie": planted})
        assert status == 401
        watched.page.get_by_role("button", name="Sign out").click()
        watched.page.get_by_role("button", name="Sign in").wait_for()
        # The session that was signed out of is over, too.
        status, _, _ = ask(alone.url, "GET", "/console/session", {"Cookie": f"{name}={cookies[0]}"})
        assert status == 401


def test_a_page_whose_session_has_ended_asks_to_sign_in_and_goes_on_where_it_was(alone, watched):
    watched.sign_in()
    watched.go("#/audit", "Audit")
    _, told = alone.server.call("GET", "/andon/v1/console-sessions")
    for session in told["sessions"]:
        alone.server.call("POST", "/andon/v1/console-sessions/end",
                          {"sessionId": session["sessionId"]})
    page = watched.page
    page.get_by_label("User", exact=True).fill("somebody")  # the page still has what it had
    page.get_by_text("Your session has ended").wait_for()
    page.get_by_role("tab", name="Link").click()
    page.get_by_label("Link, or its token").fill(alone.link())
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Audit").wait_for()
    page.get_by_role("dialog").wait_for(state="detached")


def test_a_page_at_which_nothing_happens_asks_for_nothing(alone, chromium):
    """For half a minute: then it looks whether there is what nobody has told it of."""
    watched = Watched(chromium, alone).sign_in()
    watched.settle()
    seen = len(watched.asked)
    watched.page.wait_for_timeout(8_000)
    assert [url for url in watched.asked[seen:] if not url.endswith("/console/events")] == []
    watched.close()


def test_a_server_that_is_started_anew_under_an_open_page_is_found_again(alone, watched):
    watched.sign_in()
    page = watched.page
    alone.server.kill()
    page.get_by_text("The server is away").wait_for()
    alone.restart()
    page.get_by_text("The server is away").wait_for(state="detached")
    alone.server.aws("iot").create_thing(thingName="line-77")
    page.get_by_role("link", name="line-77").wait_for()


def test_a_page_that_nobody_uses_says_so_with_each_call(alone, watched):
    page = watched.page
    page.clock.install()
    watched.sign_in().settle()
    told = []
    page.on("request", lambda request: told.append(request.headers.get("x-andon-unattended"))
            if "/console/call/" in request.url else None)

    def changed(name):
        told.clear()
        alone.server.aws("iot").create_thing(thingName=name)
        page.get_by_text(name).first.wait_for()
        return set(told)
    assert changed("press-1") == {None}
    page.clock.fast_forward("02:00")
    watched.settle()
    assert changed("press-2") == {"1"}
    page.mouse.move(300, 300)
    assert changed("press-3") == {None}


def test_what_somebody_else_changes_appears_by_itself(alone, watched):
    watched.sign_in()
    watched.settle()
    alone.server.aws("iot").create_thing(thingName="line-5")
    watched.page.get_by_role("link", name="line-5").wait_for()


def test_an_open_page_holds_nothing_up_when_the_server_stops(alone, watched):
    watched.sign_in()
    watched.settle()
    assert alone.server.stop() == 0


def test_a_thousand_devices_are_shown_and_found(alone, watched):
    iot = alone.server.aws("iot")
    for number in range(1000):
        iot.create_thing(thingName=f"line-{number:04}")
    watched.sign_in()
    page = watched.page
    page.get_by_role("link", name="line-0000").wait_for()
    assert page.locator("tbody tr").count() <= 200
    page.get_by_label("Name or attribute").fill("line-0999")
    page.get_by_role("link", name="line-0999").wait_for()
    assert page.locator("tbody tr").count() == 1


def test_the_console_is_used_by_keyboard_alone(alone, watched):
    watched.sign_in()
    page = watched.page
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.get_by_role("heading", name="Audit").wait_for()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("f")
    page.get_by_role("heading", name="Fleet").wait_for()
    page.evaluate("document.activeElement.blur()")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Add a device":
            break
    page.keyboard.press("Enter")
    page.get_by_label("Name of the device").fill("line-6")
    page.keyboard.press("Enter")
    page.get_by_text("andon-edge provision").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")


def test_a_phone_shows_every_screen_without_scrolling_sideways(chromium, alone):
    phone = Watched(chromium, alone, viewport={"width": 390, "height": 780})
    phone.sign_in()
    for name in ("fleet", "live", "results", "alerts", "models", "approve", "deployments", "workflows",
                 "mqtt", "objects", "audit", "settings"):
        page = phone.go(f"#/{name}", {"mqtt": "MQTT"}.get(name, name.capitalize()))
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"{name} is {wide} pixels wide"
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Fleet", exact=True).click()
    page.get_by_role("heading", name="Fleet").wait_for()
    phone.close()
