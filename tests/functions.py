# SPDX-License-Identifier: Apache-2.0
"""Functions for tests: packages from sources, roles, and calls."""
import base64
import io
import json
import time
import zipfile

from harness import checked, wait_until

ACCOUNT = "000000000000"


def zipped(files):
    """{"app.py": "def handler ..."} as a ZIP archive; a bootstrap is executable."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o755 if name == "bootstrap" else 0o644) << 16
            writer.writestr(entry, content)
    return archive.getvalue()


def trust(service="lambda.amazonaws.com"):
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]})


def make_role(server, name, *statements, service="lambda.amazonaws.com"):
    iam = server.aws("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": list(statements)}))
    return role["Arn"]


class Functions:
    """Makes and calls functions of one server."""

    def __init__(self, server, fresh):
        self.server = server
        self.fresh = fresh
        self.client = checked(server.aws("lambda"))
        self.role = make_role(server, fresh("role"))

    def create(self, source, name=None, files=None, **more):
        name = name or self.fresh("function")
        options = {"Runtime": "python3.12", "Role": self.role, "Handler": "app.handler", **more}
        package = zipped({"app.py": source, **(files or {})} if source is not None else files)
        self.client.create_function(FunctionName=name, Code={"ZipFile": package}, **options)
        self.wait(name)
        return name

    def wait(self, name):
        wait_until(lambda: self.client.get_function_configuration(FunctionName=name)["State"] ==
                   "Active", f"{name} to be active")

    def call(self, name, event=None, **more):
        """(answer, None), or (the error's payload, "Unhandled")."""
        answer = self.client.invoke(FunctionName=name, Payload=json.dumps(event), **more)
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    def call_with_log(self, name, event=None):
        answer = self.client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        return (json.loads(answer["Payload"].read()), answer.get("FunctionError"),
                base64.b64decode(answer["LogResult"]).decode())

    def lines(self, group):
        logs = self.server.aws("logs")
        try:
            events = logs.filter_log_events(logGroupName=group)["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in events]


def milliseconds(work, count):
    """How long each of `count` calls took, sorted."""
    took = []
    for _ in range(count):
        begun = time.perf_counter()
        work()
        took.append((time.perf_counter() - begun) * 1000)
    return sorted(took)
