# SPDX-License-Identifier: Apache-2.0
"""http:invoke with connections: against endpoints in plain text and with TLS, and what is refused."""
import base64
import http.server
import json
import ssl
import subprocess
import threading

import pytest

from aws_client import code_and_message
from harness import Server, checked, wait_until

ROLE = "arn:aws:iam::000000000000:role/andon-workflows"
SECRET = "a very secret password"


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Says what it got; /status/N answers with N, /wait when it is let go."""
    protocol_version = "HTTP/1.1"
    let_go = threading.Event()
    seen = []

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        Endpoint.seen.append((self.command, self.path, dict(self.headers), body.decode()))
        status, kind = 200, "application/json"
        text = json.dumps({"path": self.path, "headers": dict(self.headers),
                           "body": body.decode()}).encode()
        if self.path.startswith("/status/"):
            status, kind, text = int(self.path.split("/")[2]), "text/plain", b"as asked for"
        if self.path.startswith("/wait"):
            Endpoint.let_go.wait(60)
        if self.path.startswith("/image"):
            kind = "image/png"
        if self.path.startswith("/large"):
            text = b'"' + b"x" * 300_000 + b'"'
        if self.path.startswith("/moved"):
            status = 302
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        if status == 302:
            self.send_header("Location", "/")
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

    def log_message(self, *_):
        pass


def serving(tls=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory):
    directory = tmp_path_factory.mktemp("endpoints")
    certificate, key = directory / "tls.crt", directory / "tls.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key,
                    "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    plain, secure = serving(), serving(context)
    yield {"plain": f"http://127.0.0.1:{plain.server_port}",
           "secure": f"https://localhost:{secure.server_port}", "ca": certificate}
    for one in (plain, secure):
        one.shutdown()


@pytest.fixture(scope="module")
def server(tmp_path_factory, endpoints):
    with Server(tmp_path_factory.mktemp("server") / "data",
                "--http-allow", endpoints["plain"],
                "--http-allow", endpoints["secure"].removeprefix("https://"),
                "--http-ca", endpoints["ca"]) as running:
        yield running


@pytest.fixture
def events(server):
    return checked(server.aws("events"))


@pytest.fixture
def states(server):
    return server.aws("stepfunctions")


@pytest.fixture
def connect(events, fresh):
    def make(kind="BASIC", **more):
        own = {"BASIC": {"BasicAuthParameters": {"Username": "user", "Password": SECRET}},
               "API_KEY": {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key",
                                                    "ApiKeyValue": SECRET}}}[kind]
        return events.create_connection(Name=fresh("connection"), AuthorizationType=kind,
                                        AuthParameters={**own, **more})["ConnectionArn"]
    return make


@pytest.fixture
def invoke(states, fresh):
    """The execution that made one call, when it has ended."""
    def call(connection, url, method="GET", wait=True, state=None, **parameters):
        machine = states.create_state_machine(
            name=fresh("machine"), roleArn=ROLE, definition=json.dumps({
                "StartAt": "Call", "States": {"Call": {
                    "Type": "Task", "Resource": "arn:aws:states:::http:invoke", "End": True,
                    "Parameters": {"ApiEndpoint": url, "Method": method,
                                   "Authentication": {"ConnectionArn": connection}, **parameters},
                    **(state or {})}}}))["stateMachineArn"]
        arn = states.start_execution(stateMachineArn=machine)["executionArn"]
        if not wait:
            return arn
        return wait_until(lambda: (d := states.describe_execution(executionArn=arn))["status"] !=
                          "RUNNING" and d, "the call")
    return call


def test_connections_are_kept_without_telling_their_secrets(events, fresh):
    prefix = fresh("plant") + "-"
    names = [prefix + x for x in "abc"]
    for name in names:
        made = events.create_connection(
            Name=name, Description="the MES", AuthorizationType="API_KEY", AuthParameters={
                "ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": SECRET},
                "InvocationHttpParameters": {"HeaderParameters": [
                    {"Key": "X-Line", "Value": "1"},
                    {"Key": "X-Pin", "Value": SECRET, "IsValueSecret": True}]}})
        assert made["ConnectionState"] == "AUTHORIZED"
    told = events.describe_connection(Name=names[0])
    assert told["ConnectionArn"].split(":")[2] == "events" and f":connection/{names[0]}/" in (
        told["ConnectionArn"])
    assert told["AuthorizationType"] == "API_KEY" and told["Description"] == "the MES"
    assert told["AuthParameters"]["ApiKeyAuthParameters"] == {"ApiKeyName": "X-Key"}
    assert told["AuthParameters"]["InvocationHttpParameters"]["HeaderParameters"] == [
        {"Key": "X-Line", "Value": "1", "IsValueSecret": False},
        {"Key": "X-Pin", "IsValueSecret": True}] or SECRET not in str(told)
    pages = [events.list_connections(NamePrefix=prefix, Limit=2)]
    while "NextToken" in pages[-1]:
        pages.append(events.list_connections(NamePrefix=prefix, Limit=2,
                                             NextToken=pages[-1]["NextToken"]))
    assert [c["Name"] for page in pages for c in page["Connections"]] == names
    assert events.list_connections(NamePrefix=prefix,
                                   ConnectionState="DEAUTHORIZED")["Connections"] == []
    updated = events.update_connection(Name=names[0], Description="other")
    assert updated["LastModifiedTime"] >= updated["CreationTime"]
    assert events.delete_connection(Name=names[0])["ConnectionState"] == "DELETING"
    assert code_and_message(events.describe_connection, Name=names[0])[0] == "ResourceNotFoundException"
    assert code_and_message(events.create_connection, Name=names[1], AuthorizationType="BASIC",
                   AuthParameters={"BasicAuthParameters": {"Username": "u", "Password": "p"}}) == (
                       "ResourceAlreadyExistsException",
                       f"Connection {names[1]} already exists.")


def test_what_a_connection_cannot_be_is_said_by_name(events, fresh):
    code, message = code_and_message(
        events.create_connection, Name=fresh("c"), AuthorizationType="OAUTH_CLIENT_CREDENTIALS",
        AuthParameters={"OAuthParameters": {
            "ClientParameters": {"ClientID": "i", "ClientSecret": SECRET},
            "AuthorizationEndpoint": "https://h/", "HttpMethod": "POST"}})
    assert code == "ValidationException" and "OAUTH_CLIENT_CREDENTIALS is not supported" in message
    code, message = code_and_message(
        events.create_connection, Name=fresh("c"), AuthorizationType="BASIC",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": SECRET}})
    assert code == "ValidationException" and "does not belong to AuthorizationType BASIC" in message
    assert SECRET not in message


@pytest.mark.parametrize("kind", ["plain", "secure"])
def test_an_endpoint_is_called_with_the_connections_credentials(connect, invoke, endpoints, kind):
    connection = connect(InvocationHttpParameters={
        "QueryStringParameters": [{"Key": "plant", "Value": "7"}],
        "BodyParameters": [{"Key": "line", "Value": "1"}]})
    Endpoint.seen.clear()
    told = invoke(connection, endpoints[kind] + "/parts", "POST", RequestBody={"n": 1},
                  Headers={"X-Own": "yes"}, QueryParameters={"q": "a b"})
    assert told["status"] == "SUCCEEDED", told
    [(method, path, headers, body)] = Endpoint.seen
    assert method == "POST" and path == "/parts?q=a%20b&plant=7"
    assert json.loads(body) == {"n": 1, "line": "1"}
    assert headers["Authorization"] == "Basic " + base64.b64encode(
        f"user:{SECRET}".encode()).decode()
    assert headers["X-Own"] == "yes" and headers["User-Agent"].startswith(
        "Amazon|StepFunctions|HttpInvoke|")
    output = json.loads(told["output"])
    assert output["StatusCode"] == 200 and output["StatusText"] == "OK"
    assert output["Headers"]["content-type"] == ["application/json"]
    assert output["ResponseBody"]["path"] == "/parts?q=a%20b&plant=7"


def test_secrets_are_in_no_answer_history_log_or_file(connect, invoke, endpoints, states, server):
    for kind in ("BASIC", "API_KEY"):
        told = invoke(connect(kind), endpoints["plain"] + "/echo")
        assert told["status"] == "SUCCEEDED" and "***" in told["output"]
        history = states.get_execution_history(executionArn=told["executionArn"])["events"]
        token = base64.b64encode(f"user:{SECRET}".encode()).decode()
        for text in (str(told), str(history)):
            assert SECRET not in text and token not in text
    assert SECRET not in server.log()
    for path in server.data.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    assert (server.data / "credentials" / "sealing.key").stat().st_mode & 0o777 == 0o600


def test_what_the_endpoint_answers_becomes_an_errors_name(connect, invoke, endpoints):
    connection = connect()
    told = invoke(connection, endpoints["plain"] + "/status/404")
    assert (told["error"], told["cause"]) == ("States.Http.StatusCode.404", "as asked for")
    assert invoke(connection, endpoints["plain"] + "/status/503")["error"] == (
        "States.Http.StatusCode.503")
    assert invoke(connection, endpoints["plain"] + "/moved")["error"] == (
        "States.Http.StatusCode.302")  # not followed
    assert invoke(connection, endpoints["plain"] + "/image")["error"] == "States.Runtime"
    assert invoke(connection, endpoints["plain"] + "/large")["error"] == "States.DataLimitExceeded"
    caught = invoke(connection, endpoints["plain"] + "/status/429", state={
        "Retry": [{"ErrorEquals": ["States.Http.StatusCode.429"], "IntervalSeconds": 1,
                   "MaxAttempts": 1}]})
    assert caught["error"] == "States.Http.StatusCode.429"


def test_only_allowed_hosts_are_called(connect, invoke, endpoints):
    connection = connect()
    for url in ("https://example.invalid/", "http://127.0.0.1:1/",
                endpoints["secure"].replace("localhost", "127.0.0.1"),
                endpoints["secure"].replace("https:", "http:"),
                "http://169.254.169.254/latest/meta-data"):
        told = invoke(connection, url)
        assert told["error"] == "States.Permissions" and "--http-allow" in told["cause"], told
    for url in (endpoints["plain"].replace("//", "//user@"), "file:///etc/passwd"):
        assert invoke(connection, url)["error"] == "States.Runtime"


def test_a_connection_must_be_there(invoke, endpoints, events, fresh):
    told = invoke("arn:aws:events:us-east-1:000000000000:connection/none/1", endpoints["plain"])
    assert told["error"] == "Events.ConnectionResource.ResourceNotFound"


def test_an_endpoint_that_cannot_be_reached_is_a_socket_error(connect, states, fresh,
                                                              tmp_path_factory):
    with Server(tmp_path_factory.mktemp("alone") / "data", "--http-allow",
                "http://127.0.0.1:9") as server:
        events, states = server.aws("events"), server.aws("stepfunctions")
        connection = events.create_connection(
            Name="c", AuthorizationType="BASIC", AuthParameters={
                "BasicAuthParameters": {"Username": "u", "Password": SECRET}})["ConnectionArn"]
        machine = states.create_state_machine(
            name="m", roleArn=ROLE, definition=json.dumps({"StartAt": "A", "States": {"A": {
                "Type": "Task", "Resource": "arn:aws:states:::http:invoke", "End": True,
                "Parameters": {"ApiEndpoint": "http://127.0.0.1:9/", "Method": "GET",
                               "InvocationConfig": {"ConnectionArn": connection}}}}}))
        arn = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
        told = wait_until(lambda: (d := states.describe_execution(executionArn=arn))["status"] !=
                          "RUNNING" and d, "the call")
        assert told["error"] == "States.Http.Socket" and "127.0.0.1:9" in told["cause"]


def test_stopping_an_execution_breaks_its_call_off(connect, invoke, endpoints, states):
    Endpoint.let_go.clear()
    Endpoint.seen.clear()
    arn = invoke(connect(), endpoints["plain"] + "/wait", wait=False)
    wait_until(lambda: Endpoint.seen, "the call")
    states.stop_execution(executionArn=arn)
    assert states.describe_execution(executionArn=arn)["status"] == "ABORTED"
    Endpoint.let_go.set()


def test_a_server_without_the_setting_calls_nobody(tmp_path):
    with Server(tmp_path / "data") as server:
        events, states = server.aws("events"), server.aws("stepfunctions")
        connection = events.create_connection(
            Name="c", AuthorizationType="BASIC", AuthParameters={
                "BasicAuthParameters": {"Username": "u", "Password": SECRET}})["ConnectionArn"]
        machine = states.create_state_machine(
            name="m", roleArn=ROLE, type="EXPRESS", definition=json.dumps({
                "StartAt": "A", "States": {"A": {
                    "Type": "Task", "Resource": "arn:aws:states:::http:invoke", "End": True,
                    "Parameters": {"ApiEndpoint": "https://h/", "Method": "GET",
                                   "Authentication": {"ConnectionArn": connection}}}}}))
        told = states.start_sync_execution(stateMachineArn=machine["stateMachineArn"])
        assert told["error"] == "States.Permissions"
        assert "Workflows may call no host yet" in told["cause"]


def test_a_setting_that_is_no_host_ends_the_start(tmp_path):
    server = Server(tmp_path / "data", "--http-allow", "https://h/path")
    ended = subprocess.run(server.command(), capture_output=True, text=True, timeout=30,
                           check=False)
    assert ended.returncode == 2 and "--http-allow: 'https://h/path'" in ended.stderr, ended.stderr


def test_secrets_do_not_come_into_definitions(states, fresh):
    code, message = code_and_message(states.create_state_machine, name=fresh("m"), roleArn=ROLE,
                            definition=json.dumps({"StartAt": "A", "States": {"A": {
                                "Type": "Task", "End": True, "Parameters": {},
                                "Resource": "arn:aws:states:::aws-sdk:eventbridge:"
                                            "createConnection"}}}))
    assert code == "InvalidDefinition" and "is not recognized" in message
