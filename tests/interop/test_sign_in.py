# SPDX-License-Identifier: Apache-2.0
"""Passwords for the console by boto3, and signing in with them: what a page of the console does,
over HTTP with a cookie."""
import contextlib
import http.client
import json
import sqlite3
import subprocess
import time

import botocore.exceptions
import pytest

from browser import Browser
from harness import checked, program

PASSWORD = "Line-3-is-red"


def code_of(call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return ""


@pytest.fixture
def user(server, fresh):
    name = fresh("user")
    server.aws("iam").create_user(UserName=name)
    return name


def audited(server, name, operation):
    """What was done is on the disk before its answer goes out."""
    events = server.aws("cloudtrail").lookup_events(LookupAttributes=[
        {"AttributeKey": "EventName", "AttributeValue": operation}])["Events"]
    return [json.loads(event["CloudTrailEvent"]) for event in events if name in event["CloudTrailEvent"]]


def test_login_profiles_are_iams(server, user):
    iam = checked(server.aws("iam"))
    assert code_of(iam.get_login_profile, UserName=user) == "NoSuchEntity"
    assert code_of(iam.create_login_profile, UserName=user, Password="short") == \
        "PasswordPolicyViolation"
    assert code_of(iam.create_login_profile, UserName="nobody", Password=PASSWORD) == "NoSuchEntity"
    made = iam.create_login_profile(UserName=user, Password=PASSWORD,
                                    PasswordResetRequired=True)["LoginProfile"]
    assert made["UserName"] == user and made["PasswordResetRequired"] is True
    assert code_of(iam.create_login_profile, UserName=user, Password=PASSWORD) == \
        "EntityAlreadyExists"
    iam.update_login_profile(UserName=user, PasswordResetRequired=False)
    shown = iam.get_login_profile(UserName=user)["LoginProfile"]
    assert shown["PasswordResetRequired"] is False and shown["CreateDate"] == made["CreateDate"]
    assert code_of(iam.delete_user, UserName=user) == "DeleteConflict"
    iam.delete_login_profile(UserName=user)
    assert code_of(iam.delete_login_profile, UserName=user) == "NoSuchEntity"
    assert code_of(iam.update_login_profile, UserName=user, Password=PASSWORD) == "NoSuchEntity"
    iam.delete_user(UserName=user)


def test_the_password_policy_is_the_accounts(server, user, limited):
    iam = checked(server.aws("iam"))
    assert code_of(iam.get_account_password_policy) == "NoSuchEntity"
    assert code_of(iam.delete_account_password_policy) == "NoSuchEntity"
    iam.update_account_password_policy(
        MinimumPasswordLength=12, RequireSymbols=True, MaxPasswordAge=90, PasswordReusePrevention=3,
        AllowUsersToChangePassword=True)
    try:
        policy = iam.get_account_password_policy()["PasswordPolicy"]
        assert policy == {
            "MinimumPasswordLength": 12, "RequireSymbols": True, "RequireNumbers": False,
            "RequireUppercaseCharacters": False, "RequireLowercaseCharacters": False,
            "AllowUsersToChangePassword": True, "ExpirePasswords": True, "MaxPasswordAge": 90,
            "PasswordReusePrevention": 3, "HardExpiry": False}
        assert code_of(iam.create_login_profile, UserName=user, Password="Line-3-red") == \
            "PasswordPolicyViolation"
        # A user changes their own, since the account lets them.
        own = limited("iam", "iam:GetUser", "*")
        name = own.get_user()["User"]["UserName"]
        iam.create_login_profile(UserName=name, Password=PASSWORD)
        assert code_of(own.change_password, OldPassword="wrong", NewPassword="Line-4-is-red") == \
            "AccessDenied"
        assert code_of(own.change_password, OldPassword=PASSWORD, NewPassword=PASSWORD) == \
            "PasswordPolicyViolation"
        own.change_password(OldPassword=PASSWORD, NewPassword="Line-4-is-red")
        assert Browser(server).sign_in(user=name, password="Line-4-is-red")[0] == 200
        assert code_of(iam.change_password, OldPassword=PASSWORD, NewPassword=PASSWORD) == \
            "InvalidUserType"
    finally:
        iam.delete_account_password_policy()
    assert code_of(own.change_password, OldPassword="Line-4-is-red", NewPassword=PASSWORD) == \
        "AccessDenied"


def test_a_user_signs_in_and_may_what_policies_allow(server, user):
    iam = server.aws("iam")
    iam.create_login_profile(UserName=user, Password=PASSWORD)
    browser = Browser(server)
    assert browser.ask("GET", "/console/session")[0] == 401
    assert browser.sign_in(user=user, password="wrong")[0] == 401
    status, who = browser.sign_in(user=user, password=PASSWORD)
    assert status == 200 and who["principal"].endswith(":user/" + user)
    assert "HttpOnly" in browser.last_cookie and "SameSite=Strict" in browser.last_cookie
    assert browser.ask("GET", "/console/session")[1]["csrfToken"] == browser.csrf

    status, answer = browser.call("iot", "ListThings")
    assert status == 403 and "is not authorized to perform: iot:ListThings" in answer["message"]
    iam.attach_user_policy(UserName=user, PolicyArn="arn:aws:iam::aws:policy/AndonViewerAccess")
    # Of each protocol.
    for service, operation in [("iot", "ListThings"), ("greengrass", "ListComponents"),
                               ("sagemaker", "ListModelPackageGroups"), ("states", "ListStateMachines"),
                               ("sts", "GetCallerIdentity")]:
        status, answer = browser.call(service, operation)
        assert status == 200, answer
    assert answer["Arn"].endswith(":user/" + user)
    status, answer = browser.call("iot", "CreateThing", thingName="x")
    assert status == 403

    # Not without the page's token, not from another page, and a cookie is no signature.
    assert browser.ask("POST", "/console/call/iot/ListThings", {}, **{"X-Andon-Csrf": ""})[0] == 403
    assert browser.ask("POST", "/console/call/iot/ListThings", {}, Origin="http://evil.example")[0] == 403
    for path in ("/things", "/andon-uploads?list-type=2"):
        connection = http.client.HTTPConnection(browser.host, timeout=60)
        connection.request("GET", path, headers={"Cookie": browser.cookie})
        assert connection.getresponse().status == 403
        connection.close()

    assert browser.ask("POST", "/console/sign-out", {})[0] == 200
    assert browser.call("iot", "ListThings")[0] == 401
    for operation in ("SignIn", "SignOut"):
        errors = [entry.get("errorCode") for entry in audited(server, user, operation)]
        assert None in errors, (operation, errors)


def test_a_session_ends_with_its_password_and_by_command(server, user):
    iam = server.aws("iam")
    iam.create_login_profile(UserName=user, Password=PASSWORD)

    def signed_in(password):
        browser = Browser(server)
        assert browser.sign_in(user=user, password=password)[0] == 200
        return browser
    first = signed_in(PASSWORD)
    iam.update_login_profile(UserName=user, Password="Line-4-is-red")
    assert first.call("sts", "GetCallerIdentity")[0] == 401
    second = signed_in("Line-4-is-red")
    listed = json.loads(andon(server, "user", "sessions", user, "--json"))["sessions"]
    assert [one["signedInBy"] for one in listed] == ["password"]
    assert "1 ended" in andon(server, "user", "sign-out", user)
    assert second.call("sts", "GetCallerIdentity")[0] == 401


def test_a_page_that_nobody_uses_keeps_no_session(server, user):
    server.aws("iam").create_login_profile(UserName=user, Password=PASSWORD)
    browser = Browser(server)
    assert browser.sign_in(user=user, password=PASSWORD)[0] == 200

    def last_used(minutes_ago=None):
        with contextlib.closing(sqlite3.connect(server.data / "andon.db", timeout=60)) as database, database:
            of = "WHERE digest = (SELECT digest FROM console_sessions ORDER BY begun_ms DESC LIMIT 1)"
            if minutes_ago:
                database.execute(f"UPDATE console_sessions SET used_ms = ? {of}",
                                 (int((time.time() - minutes_ago * 60) * 1000),))
            return database.execute(f"SELECT used_ms FROM console_sessions {of}").fetchone()[0]
    before = last_used(minutes_ago=50)
    for method, path, body, more in (
            ("GET", "/console/events", None, {}), ("GET", "/console/session", None, {}),
            ("POST", "/console/call/sts/GetCallerIdentity", {}, {"X-Andon-Unattended": "1"})):
        assert browser.ask(method, path, body, **more)[0] == 200, path
        assert last_used() == before, path
    assert browser.call("sts", "GetCallerIdentity")[0] == 200
    assert last_used() > before
    last_used(minutes_ago=61)
    assert browser.ask("GET", "/console/events")[0] == 401


def andon(server, *words, text=None):
    return subprocess.run([program("andon"), *words, "--data", str(server.data)], check=True,
                          capture_output=True, text=True, input=text, timeout=60).stdout


def test_the_command_line_sets_passwords_and_makes_links(server, user):
    assert "has a new password" in andon(server, "user", "password", user, "--must-change",
                                         text=PASSWORD + "\n")
    browser = Browser(server)
    assert browser.sign_in(user=user, password=PASSWORD)[1]["code"] == "PasswordResetRequired"
    assert browser.sign_in(user=user, password=PASSWORD, newPassword="Line-4-is-red")[0] == 200
    andon(server, "user", "password", user, "--remove")
    assert browser.call("sts", "GetCallerIdentity")[0] == 401
    assert browser.sign_in(user=user, password="Line-4-is-red")[0] == 401

    link = json.loads(andon(server, "console", "--json"))["link"]
    status, who = browser.sign_in(link=link)
    assert status == 200 and who["kind"] == "account"
    assert browser.call("iam", "CreateGroup", GroupName="g-" + user)[0] == 200
    assert Browser(server).sign_in(link=link)[0] == 401

    # An access key does, too, until it is taken away; and the user goes with all that they have.
    andon(server, "user", "password", user, text=PASSWORD + "\n")
    key = server.aws("iam").create_access_key(UserName=user)["AccessKey"]
    by_key = Browser(server)
    assert by_key.sign_in(accessKeyId=key["AccessKeyId"],
                          secretAccessKey=key["SecretAccessKey"])[0] == 200
    andon(server, "user", "delete", user)
    assert by_key.call("sts", "GetCallerIdentity")[0] == 401


def test_a_new_server_prints_a_link_once(server):
    log = server.log()
    assert log.count("/console/#link=") == 1
