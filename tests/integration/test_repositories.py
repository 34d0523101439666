# SPDX-License-Identifier: Apache-2.0
"""Watched Git repositories, where no forge can call: a ref that has moved is a push event, once."""
import base64
import functools
import http.server
import json
import signal
import ssl
import subprocess
import threading

import pytest

from harness import PATIENCE_S, Server, program, wait_until

TOKEN = "token-of-the-plant"


def git(work, *words):
    return subprocess.run(["git", "-C", work, "-c", "user.name=n", "-c", "user.email=e@example.com", *words],
                          check=True, capture_output=True, text=True).stdout.strip()


def commit(work, text):
    (work / "file").write_text(text)
    git(work, "add", "file")
    git(work, "commit", "--quiet", "-m", text)
    git(work, "update-server-info")
    return git(work, "rev-parse", "HEAD")


def repository(directory):
    directory.mkdir(parents=True)
    git(directory, "init", "--quiet", "--initial-branch=main")
    commit(directory, "first")
    return directory


def catch_events(server):
    server.aws("logs").create_log_group(logGroupName="pushes")
    events = server.aws("events")
    events.put_rule(Name="pushes", EventPattern=json.dumps({"source": ["andon.webhooks"]}))
    events.put_targets(Rule="pushes", Targets=[{
        "Id": "log", "Arn": "arn:aws:logs:us-east-1:000000000000:log-group:pushes"}])


def pushes(server, name):
    return [event for one in server.aws("logs").filter_log_events(logGroupName="pushes")["events"]
            if (event := json.loads(one["message"]))["resources"][0].endswith(f":repository/{name}")]


def watched(server, name):
    status, told = server.call("GET", "/andon/v1/repositories")
    assert status == 200
    return next((one for one in told["repositories"] if one["name"] == name), None)


def put(server, name, **more):
    return server.call("PUT", f"/andon/v1/repositories/{name}", {"intervalSeconds": 10, **more})


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return tmp_path_factory.mktemp("places")


@pytest.fixture(scope="module")
def server(tmp_path_factory, places):
    (places / "allowed").mkdir()
    with Server(tmp_path_factory.mktemp("watch") / "data", "--git-allow", places / "allowed") as running:
        catch_events(running)
        yield running


def test_a_ref_that_moves_is_a_push_event_once_also_over_a_crash(server, places):
    work = repository(places / "allowed" / "code")
    first = git(work, "rev-parse", "HEAD")
    assert put(server, "code", url=f"file://{work}", ref="main") == (200, {"name": "code", "ref": "refs/heads/main"})
    wait_until(lambda: watched(server, "code").get("commit") == first, "the first look")
    assert pushes(server, "code") == []
    second = commit(work, "second")
    event = wait_until(lambda: pushes(server, "code"), "the event")[0]
    assert (event["source"], event["detail-type"]) == ("andon.webhooks", "push")
    detail = event["detail"]
    assert (detail["ref"], detail["before"], detail["after"]) == ("refs/heads/main", first, second)
    assert detail["repository"] == {"name": "code", "clone_url": f"file://{work}"}
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(PATIENCE_S)
    third = commit(work, "third")
    server.start()
    wait_until(lambda: len(pushes(server, "code")) == 2, "the event after the crash")
    assert pushes(server, "code")[1]["detail"]["before"] == second
    wait_until(lambda: watched(server, "code")["commit"] == third, "the commit that is remembered")
    assert len(pushes(server, "code")) == 2
    # Another branch does not count.
    git(work, "branch", "other")
    git(work, "tag", "v1")
    assert server.call("DELETE", "/andon/v1/repositories/code")[0] == 200
    assert server.call("DELETE", "/andon/v1/repositories/code")[0] == 404


@pytest.mark.parametrize("url", [
    "ext::sh -c 'touch /tmp/x'", "--upload-pack=touch /tmp/x", "-oProxyCommand=x", "file:///etc", "ssh://host/a",
    "git@host:a.git", "git://host/a", "https://forge.example/a.git", "https://user:word@forge.example/a.git",
    "http://127.0.0.1/a.git", "fd::3", "/etc", "PLACES/other", "file://PLACES/other", "file://PLACES/allowed/../other",
    "file://PLACES/allowed/link", ""])
def test_a_hostile_url_is_refused(server, places, url):
    link = places / "allowed" / "link"
    if not link.is_symlink():
        repository(places / "other")
        link.symlink_to(places / "other")
    status, told = put(server, "hostile", url=url.replace("PLACES", str(places)))
    assert status == 400 and watched(server, "hostile") is None, told


@pytest.mark.parametrize("change, word", [
    ({"ref": "--upload-pack=x"}, "ref"), ({"ref": "a..b"}, "ref"), ({"ref": "refs/heads/a b"}, "ref"),
    ({"intervalSeconds": 9}, "intervalSeconds"), ({"secretId": "s"}, "https"), ({"colour": "red"}, "colour")])
def test_what_is_wrong_is_refused_by_name(server, places, change, word):
    status, told = put(server, "wrong", **{"url": f"file://{places}/allowed/any", **change})
    assert status == 400 and word in json.dumps(told), told


def test_what_cannot_be_asked_says_why_and_is_asked_again(server, places):
    work = places / "allowed" / "later"
    assert put(server, "later", url=f"file://{work}")[0] == 200
    told = wait_until(lambda: (one := watched(server, "later")).get("error") and one, "the reason")
    assert "later" in told["error"] and told["failures"] >= 1
    repository(work)
    wait_until(lambda: watched(server, "later").get("commit"), "the commit", 90)
    assert watched(server, "later")["failures"] == 0


class Handler(http.server.SimpleHTTPRequestHandler):
    """A repository behind a password; it counts who came without."""
    refused = 0

    def do_GET(self):
        wanted = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") == wanted:
            return super().do_GET()
        type(self).refused += 1
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="plant"')
        self.end_headers()

    def log_message(self, *_):
        pass


def certificate(directory):
    key, pem = directory / "key.pem", directory / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", pem, "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    return key, pem


def test_a_password_is_a_secret_and_is_sent_by_https_alone(tmp_path):
    work = repository(tmp_path / "git" / "code")
    key, pem = certificate(tmp_path)
    forge = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(tmp_path / "git")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    forge.socket = context.wrap_socket(forge.socket, server_side=True)
    threading.Thread(target=forge.serve_forever, daemon=True).start()
    place = f"localhost:{forge.server_port}"
    try:
        with Server(tmp_path / "data", "--git-allow", place, "--http-ca", pem) as server:
            catch_events(server)
            secrets = server.aws("secretsmanager")
            secrets.create_secret(Name="forge", SecretString=json.dumps({"Token": "a wrong one"}))
            url = f"https://{place}/code/.git"
            assert put(server, "code", url=url, secretId="nosuch")[0] == 200
            wait_until(lambda: watched(server, "code")["failures"] > 0, "the missing secret")
            assert put(server, "code", url=url, ref="main", secretId="forge")[0] == 200
            wait_until(lambda: Handler.refused > 0 and watched(server, "code")["failures"] > 0, "the refusal")
            assert TOKEN not in json.dumps(watched(server, "code"))
            secrets.put_secret_value(SecretId="forge", SecretString=TOKEN)
            put(server, "code", url=url, ref="main", secretId="forge")
            wait_until(lambda: watched(server, "code").get("commit") == git(work, "rev-parse", "HEAD"), "the commit")
            second = commit(work, "second")
            assert wait_until(lambda: pushes(server, "code"), "the event")[0]["detail"]["after"] == second
            assert TOKEN not in server.log()
    finally:
        forge.shutdown()


def test_the_command_line_watches_lists_and_removes(server, places):
    work = repository(places / "allowed" / "cli")

    def andon(*words):
        return subprocess.run([program("andon"), "repository", *words, "--data", server.data], capture_output=True,
                              text=True, timeout=60)
    assert andon("watch", "cli", f"file://{work}", "--ref", "main", "--every", "10").returncode == 0
    wait_until(lambda: watched(server, "cli").get("commit"), "the commit")
    shown = andon("list")
    assert "refs/heads/main" in shown.stdout and git(work, "rev-parse", "--short=10", "HEAD") in shown.stdout
    assert json.loads(andon("list", "--json").stdout)[0]["name"]
    assert andon("watch", "cli", "ext::sh").returncode == 3
    assert andon("remove", "cli").returncode == 0 and andon("remove", "cli").returncode == 6
