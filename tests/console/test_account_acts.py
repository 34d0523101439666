# SPDX-License-Identifier: Apache-2.0
"""What who looks after a plant does in its settings and its audit log, each act seen on the server afterwards: rights,
passwords and keys of a user, sessions and certificates that end, the audit log's chain; and the page's own colours."""
import json
import sqlite3

import botocore.exceptions
import pytest

from conftest import PASSWORD, Alone, Watched, ask
from harness import wait_until
from test_models import put_user
from test_screens import accessible

OTHER_PASSWORD = "Line-4-is-green"


@pytest.fixture(scope="module", name="plant")
def fixture_plant(tmp_path_factory):
    made = Alone(tmp_path_factory.mktemp("account"))
    for name in ("eva", "kai", "otto"):
        put_user(made.server, name, "AndonViewerAccess")
    yield made
    made.server.kill()


@pytest.fixture(scope="module", name="signed_in")
def fixture_signed_in(chromium, plant):
    """The page of the account's owner."""
    watched = Watched(chromium, plant).sign_in()
    yield watched
    assert not watched.problems
    watched.close()


def section(page, heading):
    return page.locator("section, form").filter(has=page.get_by_role("heading", name=heading, exact=True))


def begin_session(plant, user, password=PASSWORD):
    """(HTTP status, its answer, the session's cookie), as of a browser of that user."""
    status, headers, answer = ask(plant.url, "POST", "/console/sign-in", {"Content-Type": "application/json"},
                                  json.dumps({"user": user, "password": password}))
    return status, json.loads(answer or "{}"), headers.get("Set-Cookie", "").split(";")[0]


def test_a_policy_is_attached_to_a_user_and_detached(signed_in, plant):
    iam = plant.server.aws("iam")

    def attached():
        return {one["PolicyName"] for one in iam.list_attached_user_policies(UserName="eva")["AttachedPolicies"]}
    page = signed_in.go("#/settings/users/eva", "eva")
    policies = section(page, "Policies")
    add = policies.get_by_role("button", name="Add the policy")
    assert add.is_disabled()
    policies.get_by_label("May do").select_option(label="AndonOperatorAccess")
    add.click()
    held = policies.locator(".row.apart").filter(has_text="AndonOperatorAccess")
    held.wait_for()
    assert attached() == {"AndonViewerAccess", "AndonOperatorAccess"}
    held.get_by_role("button", name="Remove").click()
    held.wait_for(state="detached")
    assert attached() == {"AndonViewerAccess"}


def test_a_users_password_is_set_and_has_to_be_changed_at_the_first_sign_in(signed_in, plant):
    page = signed_in.go("#/settings/users/kai", "kai")
    form = section(page, "Set a password")

    def set_password(must_change):
        form.get_by_label("Password").fill(OTHER_PASSWORD)
        form.get_by_label("must be changed at the first sign-in").set_checked(must_change)
        form.get_by_role("button", name="Set a password").click()
        wait_until(lambda: form.get_by_label("Password").input_value() == "", "the answer")
        page.get_by_text("The password is set").last.wait_for()
    set_password(True)
    assert begin_session(plant, "kai")[0] != 200  # with the one before
    status, told, _ = begin_session(plant, "kai", OTHER_PASSWORD)
    assert (status, told["code"]) == (403, "PasswordResetRequired"), told
    set_password(False)
    assert begin_session(plant, "kai", OTHER_PASSWORD)[0] == 200


def test_an_access_key_is_deactivated_activated_and_deleted(signed_in, plant):
    iam = plant.server.aws("iam")
    made = iam.create_access_key(UserName="eva")["AccessKey"]
    key = {"accessKeyId": made["AccessKeyId"], "secretAccessKey": made["SecretAccessKey"]}

    def is_accepted():
        try:
            return bool(plant.server.aws("iot", key).list_things())
        except botocore.exceptions.ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
            return False
    assert is_accepted()
    page = signed_in.go("#/settings/users/eva", "eva")
    row = section(page, "Access keys").locator(".row.apart").filter(has_text=made["AccessKeyId"])
    row.get_by_role("button", name="Deactivate").click()
    row.get_by_text("Inactive", exact=True).wait_for()
    assert not is_accepted()
    row.get_by_role("button", name="Activate", exact=True).click()
    row.get_by_text("Active", exact=True).wait_for()
    assert is_accepted()
    row.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    assert made["AccessKeyId"] in dialog.inner_text()
    dialog.get_by_role("button", name="Delete").click()
    row.wait_for(state="detached")
    assert not is_accepted()
    assert iam.list_access_keys(UserName="eva")["AccessKeyMetadata"] == []


def test_one_session_of_another_is_ended_and_no_other(signed_in, plant):
    def sessions():
        status, told = plant.server.call("GET", "/andon/v1/console-sessions?userName=otto")
        assert status == 200, told
        return {one["sessionId"] for one in told["sessions"]}

    def is_signed_in(cookie):
        return ask(plant.url, "GET", "/console/session", {"Cookie": cookie})[0] == 200
    cookies = [begin_session(plant, "otto")[2] for _ in range(2)]
    before = sessions()
    assert len(before) == 2 and all(is_signed_in(one) for one in cookies)
    page = signed_in.go("#/settings/sessions", "Settings")
    rows = page.get_by_role("row").filter(has_text="otto")
    wait_until(lambda: rows.count() == 2, "the sessions")
    rows.first.get_by_role("button", name="Sign out").click()
    dialog = page.get_by_role("dialog")
    assert "This session of otto ends" in dialog.inner_text()
    dialog.get_by_role("button", name="Sign out").click()
    wait_until(lambda: rows.count() == 1, "one session less")
    assert len(sessions()) == 1 and sessions() < before
    assert [is_signed_in(one) for one in cookies].count(True) == 1


def test_a_certificate_is_revoked_and_its_device_refused(signed_in, plant, tmp_path):
    device = plant.server.device("line-7", tmp_path)
    own = "/greengrass/v2/coreDevices/line-7/thingGroups"
    assert device.https(own)[0] == 200
    page = signed_in.go("#/settings/certificates", "Settings")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="line-7"))
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    row.get_by_text("Revoked", exact=True).wait_for()
    assert row.get_by_role("button", name="Revoke").count() == 0
    iot = plant.server.aws("iot")
    (principal,) = iot.list_thing_principals(thingName="line-7")["principals"]
    told = iot.describe_certificate(certificateId=principal.rsplit("/", 1)[1])["certificateDescription"]
    assert told["status"] == "REVOKED"
    assert device.https(own)[0] == 403


def test_the_chain_of_the_audit_log_is_checked_and_what_was_changed_is_named(signed_in, plant):
    status, told = plant.server.call("GET", "/andon/v1/audit-check")
    assert status == 200 and told["problems"] == [] and told["verified"] > 5
    page = signed_in.go("#/audit", "Audit")
    check = page.get_by_role("button", name="Check the chain")
    check.click()
    whole = page.get_by_text("The log is whole:")
    whole.wait_for()
    assert int(whole.inner_text().split(": ")[1].rstrip(".")) >= told["verified"]
    # By somebody who can write the file, beside the server.
    with sqlite3.connect(plant.server.data / "audit.db", timeout=60) as database:
        (kept,) = database.execute("SELECT content FROM audit_entries WHERE sequence = 5").fetchone()
        database.execute("UPDATE audit_entries SET content = ? WHERE sequence = 5", (kept.replace("root", "eva!"),))
    check.click()
    page.get_by_text("entry 5 does not fit its hash").wait_for()
    with sqlite3.connect(plant.server.data / "audit.db", timeout=60) as database:
        database.execute("UPDATE audit_entries SET content = ? WHERE sequence = 5", (kept,))


def test_the_colours_that_one_has_chosen_are_kept_over_a_reload(chromium, plant):
    watched = Watched(chromium, plant, color_scheme="light").sign_in()
    page = watched.page

    def background():
        return page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = background()
    page.get_by_role("button", name="Dark").click()
    wait_until(lambda: background() != light, "another background")
    dark = background()
    assert accessible(page) == []
    page.reload()
    page.get_by_role("heading", name="Fleet").wait_for()
    assert background() == dark
    page.emulate_media(color_scheme="dark")
    page.get_by_role("button", name="Light", exact=True).click()
    wait_until(lambda: background() == light, "the first background")
    page.reload()  # on a machine that is dark by now
    page.get_by_role("heading", name="Fleet").wait_for()
    assert background() == light
    assert not watched.problems
    watched.close()
