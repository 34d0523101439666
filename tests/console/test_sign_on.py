# SPDX-License-Identifier: Apache-2.0
"""Single sign-on in the page: a browser is led to a real OpenID provider and comes back signed in, as
far as the role's trust policy says; and what others make of its parts is refused."""
import json
import subprocess
import urllib.parse

import pytest

from conftest import Watched, ask
from harness import PATIENCE_S, ROOT, wait_until

SECRET = "the console's secret, there"


class Provider:
    def __init__(self, directory, redirect_uri):
        self.ca = directory / "provider.crt"
        key = directory / "provider.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-keyout", key, "-out", self.ca, "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        with open(ROOT / "tests" / "console" / "provider.mjs", "rb") as script, \
                open(directory / "provider.log", "wb") as log:
            # pylint: disable-next=consider-using-with -- ends with the test
            self.process = subprocess.Popen(
                ["node", "--input-type=module", "-", self.ca, key, redirect_uri, SECRET],
                cwd=ROOT / "console", stdin=script, stdout=subprocess.PIPE, stderr=log, text=True)
        self.issuer = self.process.stdout.readline().strip()
        assert self.issuer, (directory / "provider.log").read_text()

    def end(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)


@pytest.fixture(name="sign_on")
def fixture_sign_on(alone, tmp_path):
    """A server that offers two roles: line, which eva may take, and boss, which nobody may."""
    provider = Provider(tmp_path, alone.url + "/console/sign-on/done")
    iam = alone.server.aws("iam")
    arn = iam.create_open_id_connect_provider(
        Url=provider.issuer, ClientIDList=["andon"])["OpenIDConnectProviderArn"]
    name = provider.issuer.removeprefix("https://")
    for role, subject in (("line", "eva"), ("boss", "nobody")):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": arn}, "Condition": {"StringEquals": {
                    f"{name}:aud": "andon", f"{name}:sub": subject}}}]}))
        iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AndonViewerAccess")
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")
    command = alone.server.command
    alone.server.command = lambda: [
        *command(), "--sign-on", provider.issuer, "--sign-on-client", "andon", "--sign-on-secret",
        str(secret), "--oidc-ca", str(provider.ca),
        *(word for role in ("line", "boss")
          for word in ("--sign-on-role", f"arn:aws:iam::000000000000:role/{role}"))]
    alone.restart()
    yield provider
    provider.end()


@pytest.fixture(name="browser")
def fixture_browser(chromium, alone):
    made = Watched(chromium, alone, ignore_https_errors=True)
    yield made
    made.close()


def log_in(page, issuer, role, user):
    page.get_by_role("link", name=f"Single sign-on as {role}").click()
    page.wait_for_url(f"{issuer}/**")
    page.locator("input[name=login]").fill(user)
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.get_by_role("button", name="Continue").click()


def test_one_signs_in_at_the_provider_and_comes_back_to_where_one_was(alone, sign_on, browser):
    page = browser.page
    page.goto(alone.url + "/console/#/audit?who=eva")
    log_in(page, sign_on.issuer, "line", "eva")
    page.get_by_role("heading", name="Audit").wait_for()
    assert page.url == alone.url + "/console/#/audit?who=eva"
    who = page.evaluate("fetch('/console/session').then((answer) => answer.json())")
    assert who["principal"].endswith(":assumed-role/line/eva") and who["kind"] == "role"
    cookies = {one["name"]: one for one in browser.context.cookies()}
    assert cookies["andon_session"]["httpOnly"] and cookies["andon_session"]["sameSite"] == "Strict"
    assert "andon_sign_on" not in cookies
    status, told = alone.server.call("GET", "/andon/v1/audit?action=SignIn")
    assert status == 200 and told["entries"][0]["entry"]["outcome"] == "ok"
    # What the role does not allow is not offered.
    page = browser.go("#/fleet", "Fleet")
    for name in ("Add a device", "New group"):
        button = page.get_by_role("button", name=name, exact=True).first
        wait_until(button.is_disabled, f"{name} being off")
        assert "Your rights do not allow this" in button.get_attribute("title")
    assert not browser.problems


def test_whom_the_roles_trust_policy_does_not_name_is_refused_and_told(alone, sign_on, browser):
    page = browser.page
    page.goto(alone.url + "/console/")
    log_in(page, sign_on.issuer, "boss", "eva")
    assert "Single sign-on has not worked: AccessDenied" in page.get_by_role("alert").inner_text()
    assert "sign-on=" not in page.url
    assert page.evaluate("fetch('/console/session').then((answer) => answer.status)") == 401


def begun(alone, role="line"):
    """(cookie, parameters of the address at the provider) of somebody who begins."""
    role = urllib.parse.quote(f"arn:aws:iam::000000000000:role/{role}", safe="")
    status, headers, _ = ask(alone.url, "GET", f"/console/sign-on?role={role}")
    assert status == 303
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/console/sign-on;" in cookie
    place = urllib.parse.urlsplit(headers["Location"])
    return cookie.split(";")[0], dict(urllib.parse.parse_qsl(place.query)), place


def came_back(alone, cookie, **parameters):
    status, headers, _ = ask(alone.url, "GET",
                             "/console/sign-on/done?" + urllib.parse.urlencode(parameters),
                             {"Cookie": cookie} if cookie else {})
    assert status == 303
    return headers


def test_what_another_browser_has_begun_and_what_nobody_has_is_refused(alone, sign_on):
    mine, asked, place = begun(alone)
    assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
    assert asked["nonce"] and asked["scope"] == "openid" and asked["response_type"] == "code"
    assert f"{place.scheme}://{place.netloc}" == sign_on.issuer
    others, theirs, _ = begun(alone)
    assert len({asked["state"], theirs["state"], asked["nonce"], theirs["nonce"]}) == 4
    name, _, value = mine.partition("=")
    for cookie, parameters in (
            (None, {"code": "x", "state": asked["state"]}),
            (others, {"code": "x", "state": asked["state"]}),
            (mine, {"code": "x", "state": theirs["state"]}),
            (mine, {"code": "x"}), (mine, {"state": asked["state"]}),
            (f"{name}=A{value[1:]}", {"code": "x", "state": asked["state"]}),
            (mine, {"code": "x", "state": asked["state"], "iss": "https://else.example"}),
            (mine, {"error": "access_denied", "state": asked["state"]})):
        headers = came_back(alone, cookie, **parameters)
        assert headers["Location"].startswith("/console/#sign-on=SignInFailed"), headers
        assert "andon_session" not in headers.get("Set-Cookie", "")


def test_a_code_that_the_provider_did_not_give_is_refused_there(alone, sign_on):
    cookie, asked, _ = begun(alone)
    headers = came_back(alone, cookie, code="made-up", state=asked["state"])
    assert "invalid_grant" in urllib.parse.unquote(headers["Location"])
    assert SECRET not in alone.server.log()


def test_roles_that_are_not_offered_are_refused_and_a_provider_that_is_away_is_named(alone, sign_on):
    status, headers, _ = ask(alone.url, "GET", "/console/sign-on?role=arn:aws:iam::000000000000:role/admin")
    assert status == 303 and "ValidationError" in headers["Location"] and "Set-Cookie" not in headers
    status, _, ways = ask(alone.url, "GET", "/console/sign-in")
    assert json.loads(ways)["singleSignOn"]["issuer"] == sign_on.issuer
    sign_on.end()
    status, headers, _ = ask(alone.url, "GET",
                             "/console/sign-on?role=arn:aws:iam::000000000000:role/line")
    assert status == 303 and "ServiceUnavailable" in headers["Location"]


def test_a_server_without_it_offers_none(alone, watched):
    assert json.loads(ask(alone.url, "GET", "/console/sign-in")[2]) == {}
    assert "NotFound" in ask(alone.url, "GET", "/console/sign-on?role=x")[1]["Location"]
    watched.page.goto(alone.url + "/console/")
    watched.page.get_by_role("button", name="Sign in").wait_for()
    watched.settle()
    assert watched.page.get_by_role("link", name="Single sign-on").count() == 0
    assert not watched.problems
