# SPDX-License-Identifier: Apache-2.0
"""Single sign-on: a token of an OpenID provider takes a role, as far as the provider's keys, the
token's claims and the role's trust policy say. Keys come from a file, or from the issuer itself."""
import base64
import http.server
import json
import subprocess
import threading
import time

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from browser import Browser
from harness import Server, http as ask
from test_iam import ACCOUNT, allow, checked, client_of, code_of, document, message_of

ISSUER = "https://login.plant.example/realms/line"
NAME = ISSUER.removeprefix("https://")
SERVED = "https://other.plant.example"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    """An issuer's key: what it publishes, and tokens."""

    def __init__(self, directory, issuer, kid="k1"):
        self.issuer, self.kid, self.key = issuer, kid, directory / f"{kid}.pem"
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True, capture_output=True)
        modulus = subprocess.run(["openssl", "rsa", "-in", self.key, "-noout", "-modulus"], check=True,
                                 capture_output=True, text=True).stdout.strip().partition("=")[2]
        self.jwk = {"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "e": "AQAB",
                    "n": b64(bytes.fromhex(modulus))}

    def token(self, header=None, **claims):
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "eva-7f3a", "aud": "andon", "iat": now, "exp": now + 600, **claims}
        claims = {key: value for key, value in claims.items() if value is not None}
        text = ".".join(b64(json.dumps(part).encode()) for part in (
            {"alg": "RS256", "kid": self.kid, **(header or {})}, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], check=True,
                                   input=text.encode(), capture_output=True).stdout
        return text + "." + b64(signature)


@pytest.fixture(scope="module")
def keys_served():
    """A key set behind a URL, and how often it was asked for."""
    state = {"keys": [], "status": 200, "asked": 0}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            state["asked"] += 1
            body = json.dumps({"keys": state["keys"]}).encode()
            self.send_response(state["status"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        state["url"] = f"http://127.0.0.1:{served.server_address[1]}/jwks"
        yield state
        served.shutdown()


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    directory = tmp_path_factory.mktemp("provider")
    made = Provider(directory, ISSUER)
    made.file = directory / "jwks.json"
    made.file.write_text(json.dumps({"keys": [made.jwk]}))
    return made


@pytest.fixture(scope="module")
def server(tmp_path_factory, provider, keys_served):
    with Server(tmp_path_factory.mktemp("server") / "data", "--oidc-keys", f"{ISSUER}={provider.file}",
                "--oidc-keys", f"{SERVED}={keys_served['url']}") as running:
        checked(running.aws("iam")).create_open_id_connect_provider(
            Url=ISSUER, ClientIDList=["andon", "console"], ThumbprintList=["a" * 40])
        yield running


@pytest.fixture
def iam(server):
    return checked(server.aws("iam"))


@pytest.fixture
def sts(server):
    return checked(boto3.client("sts", endpoint_url=server.info["api"], region_name="us-east-1",
                                config=Config(signature_version=UNSIGNED, proxies={},
                                              retries={"total_max_attempts": 1})))


def provider_arn(name=NAME):
    return f"arn:aws:iam::{ACCOUNT}:oidc-provider/{name}"


def trust(condition=None, federated=None):
    return document({"Effect": "Allow", "Principal": {"Federated": federated or provider_arn()},
                     "Action": "sts:AssumeRoleWithWebIdentity", **({"Condition": condition} if condition else {})})


@pytest.fixture
def role(iam, fresh):
    def make(condition=None, *statements, federated=None):
        name = fresh("role")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(condition, federated))
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(
            *(statements or [allow("iot:ListThings")])))
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"
    return make


def take(sts, role, token, **more):
    return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="eva@plant",
                                             WebIdentityToken=token, **more)


def test_a_provider_from_creation_to_deletion(iam):
    url = "https://idp.example/a"
    arn = iam.create_open_id_connect_provider(Url=url, ClientIDList=["x"])["OpenIDConnectProviderArn"]
    assert arn == provider_arn("idp.example/a")
    assert code_of(iam.create_open_id_connect_provider, Url=url) == "EntityAlreadyExists"
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="y")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="x")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["b" * 40])
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert found["Url"] == "idp.example/a" and found["ClientIDList"] == ["y"]
    assert found["ThumbprintList"] == ["b" * 40]
    assert {"Arn": arn} in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert code_of(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn) == "NoSuchEntity"
    for bad in ("http://idp.example", "https://", "https://idp.example/?a=b"):
        assert code_of(iam.create_open_id_connect_provider, Url=bad) == "ValidationError", bad


def test_a_token_is_a_session_of_a_role_that_trusts_its_provider(server, sts, role, provider):
    arn = role({"StringEquals": {NAME + ":aud": "andon", NAME + ":sub": "eva-7f3a"}})
    taken = take(sts, arn, provider.token(), DurationSeconds=900)
    assert taken["SubjectFromWebIdentityToken"] == "eva-7f3a" and taken["Audience"] == "andon"
    assert taken["Provider"] == provider_arn()
    assert taken["AssumedRoleUser"]["Arn"] == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/{arn.rpartition('/')[2]}/eva@plant")
    mine = client_of(server, "iot", taken["Credentials"])
    mine.list_things()
    assert code_of(mine.create_thing, thingName="x") == "AccessDeniedException"


@pytest.mark.parametrize("claims, code", [
    ({"exp": 1000, "iat": 900}, "ExpiredTokenException"),
    ({"exp": None}, "InvalidIdentityToken"),
    ({"iat": None}, "InvalidIdentityToken"),
    ({"iat": 4_000_000_000, "exp": 4_000_001_000}, "InvalidIdentityToken"),
    ({"nbf": 4_000_000_000}, "InvalidIdentityToken"),
    ({"exp": "tomorrow"}, "InvalidIdentityToken"),
    ({"aud": "other"}, "InvalidIdentityToken"),
    ({"aud": None}, "InvalidIdentityToken"),
    ({"aud": ["other", "andon"], "azp": "other"}, "InvalidIdentityToken"),
    ({"sub": None}, "InvalidIdentityToken"),
    ({"sub": "mallory"}, "AccessDenied"),
    ({"aud": "console"}, "AccessDenied"),
    ({"iss": "https://nobody.example"}, "InvalidIdentityToken"),
    ({"iss": "login.plant.example/realms/line"}, "InvalidIdentityToken"),
    ({"aud": ["other", "andon"]}, ""),
    ({"nbf": 1000}, ""),
])
def test_each_claim_counts(sts, role, provider, claims, code):
    arn = role({"StringEquals": {NAME + ":aud": "andon", NAME + ":sub": "eva-7f3a"}})
    assert code_of(take, sts=sts, role=arn, token=provider.token(**claims)) == code


def test_only_a_signature_of_the_provider_counts(sts, role, provider, tmp_path):
    arn = role()
    token = provider.token()
    header, payload, signature = token.split(".")
    other = Provider(tmp_path, ISSUER)
    changed = b64(json.dumps({**json.loads(base64.urlsafe_b64decode(payload + "==")), "sub": "admin"}).encode())
    secret = b64(json.dumps({"alg": "HS256", "kid": "k1"}).encode())
    none = b64(json.dumps({"alg": "none"}).encode())
    for bad in (other.token(), f"{header}.{changed}.{signature}", f"{header}.{payload}.{b64(b'x' * 256)}",
                f"{secret}.{payload}.{signature}", f"{none}.{payload}.", f"{none}.{payload}.{signature}",
                provider.token(header={"kid": "unknown"}), provider.token(header={"alg": "RS512"}),
                "nonsense", "a.b.c", "....", "x" * 19_000):
        assert code_of(take, sts=sts, role=arn, token=bad) == "InvalidIdentityToken", bad[:80]
    take(sts, arn, token)


def test_who_is_not_trusted_is_refused_alike(iam, sts, role, provider, fresh):
    other = role(federated=provider_arn("another.example"))
    no_role = f"arn:aws:iam::{ACCOUNT}:role/{fresh('none')}"
    users_only = fresh("role")
    iam.create_role(RoleName=users_only, AssumeRolePolicyDocument=document(
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:*"}))
    refusals = {message_of(take, sts=sts, role=arn, token=provider.token()) for arn in (
        other, no_role, f"arn:aws:iam::{ACCOUNT}:role/{users_only}")}
    assert len(refusals) == 1 and "Not authorized to perform sts:AssumeRoleWithWebIdentity" in refusals.pop()
    # And the token is no way to take a role by any other action.
    assert code_of(sts.assume_role, RoleArn=other, RoleSessionName="xx") == "MissingAuthenticationToken"


def test_a_key_that_is_new_is_fetched_and_one_that_is_made_up_asks_nobody_again(
        iam, sts, role, keys_served, tmp_path):
    iam.create_open_id_connect_provider(Url=SERVED, ClientIDList=["andon"])
    arn = role(federated=provider_arn(SERVED.removeprefix("https://")))
    good = Provider(tmp_path, SERVED)
    keys_served.update(status=500)
    assert code_of(take, sts=sts, role=arn, token=good.token()) == "IDPCommunicationError"
    asked = keys_served["asked"]
    keys_served.update(status=200, keys=[good.jwk])
    for _ in range(5):
        assert code_of(take, sts=sts, role=arn, token=good.token()) == "IDPCommunicationError"
    assert keys_served["asked"] == asked  # once a minute


def test_a_key_set_behind_a_url_is_kept(server, iam, sts, role, keys_served, tmp_path_factory, tmp_path):
    issuer = "https://third.example"
    good = Provider(tmp_path, issuer)
    keys_served.update(status=200, keys=[good.jwk], asked=0)
    with Server(tmp_path_factory.mktemp("second") / "data", "--oidc-keys",
                f"{issuer}={keys_served['url']}") as second:
        theirs = checked(second.aws("iam"))
        theirs.create_open_id_connect_provider(Url=issuer, ClientIDList=["andon"])
        theirs.create_role(RoleName="r", AssumeRolePolicyDocument=trust(federated=provider_arn("third.example")))
        anonymous = boto3.client("sts", endpoint_url=second.info["api"], region_name="us-east-1",
                                 config=Config(signature_version=UNSIGNED, proxies={}))
        for _ in range(3):
            take(anonymous, f"arn:aws:iam::{ACCOUNT}:role/r", good.token())
        assert keys_served["asked"] == 1
        for _ in range(3):
            assert code_of(take, sts=anonymous, role=f"arn:aws:iam::{ACCOUNT}:role/r",
                           token=good.token(header={"kid": "made-up"})) == "InvalidIdentityToken"
        assert keys_served["asked"] == 1


def test_nothing_else_is_answered_without_a_signature(server):
    for form in ("Action=GetCallerIdentity&Version=2011-06-15", "Action=ListUsers&Version=2010-05-08",
                 "Action=AssumeRoleWithSAML&Version=2011-06-15", "Action=", "", "x" * 70_000):
        status, answer = ask(server.info["api"], "POST", form.encode(),
                             {"Content-Type": "application/x-www-form-urlencoded"})
        assert status in (400, 403, 413), (form[:60], status, answer[:200])
        assert b"Credentials" not in answer


def test_a_session_by_token_ends_and_is_its_own(server, sts, role, provider):
    taken = take(sts, role(), provider.token())["Credentials"]
    other = take(sts, role(), provider.token())["Credentials"]
    mixed = client_of(server, "sts", {**taken, "SessionToken": other["SessionToken"]})
    assert code_of(mixed.get_caller_identity) == "InvalidClientTokenId"
    without = client_of(server, "sts", {key: value for key, value in taken.items() if key != "SessionToken"})
    assert code_of(without.get_caller_identity) == "InvalidClientTokenId"
    longest = (400, "ValidationError")
    assert code_of(take, sts=sts, role=role(), token=provider.token(), DurationSeconds=43_200) == longest[1]


def test_a_token_signs_in_to_the_console_as_the_role(server, provider, iam, fresh):
    role = fresh("role")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust(
        {"StringEquals": {f"{NAME}:aud": "andon"}}))
    iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document(allow("iot:List*")))
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    browser = Browser(server)
    status, who = browser.sign_in(roleArn=arn, roleSessionName="eva", webIdentityToken=provider.token())
    assert status == 200 and who["kind"] == "role", who
    assert who["principal"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/eva"
    assert browser.call("iot", "ListThings")[0] == 200
    assert browser.call("iot", "CreateThing", thingName="x")[0] == 403
    for token in (provider.token(aud="console"), provider.token(exp=int(time.time()) - 600),
                  provider.token()[:-8] + "AAAAAAAA", "a.b.c"):
        assert Browser(server).sign_in(roleArn=arn, webIdentityToken=token)[0] in (400, 401, 403)
    # The session ends with the role.
    iam.delete_role_policy(RoleName=role, PolicyName="own")
    assert browser.call("iot", "ListThings")[0] == 403
    iam.delete_role(RoleName=role)
    assert browser.call("iot", "ListThings")[0] == 401
