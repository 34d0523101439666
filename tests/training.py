# SPDX-License-Identifier: Apache-2.0
"""What tests of the example's pipelines share: repositories, data sets, executions."""
import hashlib
import hmac
import io
import json
import os
import subprocess
import tarfile
import uuid
from pathlib import Path

from harness import ROOT, http, program, wait_until

EXAMPLE = ROOT / "examples" / "metal-tags"
ACCOUNT = "000000000000"
SECRET = "a secret of more than sixteen characters"  # of webhooks
ROLE = f"arn:aws:iam::{ACCOUNT}:role/andon-workflows"


def state_machine(name):
    return f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:{name}"


def apply(server, stack, template, parameters):
    """As an operator does. What is substituted becomes part of a JSON text."""
    options = [word for name, value in parameters.items()
               for word in ("--parameter", f"{name}={json.dumps(str(value))[1:-1]}")]
    andon(server, "apply", "-f", EXAMPLE / "workflows" / template, "--stack", stack, *options)


class Repository:
    """A bare repository, as a forge has it, and a clone in which somebody commits."""

    def __init__(self, directory):
        self.path = Path(directory) / "line.git"
        self.clone = Path(directory) / "clone"
        self._git("init", "--quiet", "--bare", "--initial-branch", "main", self.path)
        self._git("clone", "--quiet", self.path, self.clone)

    @staticmethod
    def _git(*arguments, cwd=None):
        who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com",
               "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com",
               "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        return subprocess.run(["git", *map(str, arguments)], cwd=cwd, check=True, text=True,
                              capture_output=True, timeout=60,
                              env={**os.environ, **who}).stdout.strip()

    def commit(self, files):
        """{path: text or bytes}; the commit's id, pushed to main."""
        for name, content in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self._git("checkout", "--quiet", "-B", "main", cwd=self.clone)
        self._git("add", "--all", cwd=self.clone)
        self._git("commit", "--quiet", "--allow-empty", "-m", "change", cwd=self.clone)
        self._git("push", "--quiet", "origin", "main", cwd=self.clone)
        return self._git("rev-parse", "HEAD", cwd=self.clone)


def data_set(parts):
    """The bytes of a tar with train/, val/ and test/ of so many of the example's pictures, each
    with its labels; parts: {name: (first, count)}."""
    labels = json.loads((EXAMPLE / "annotations.json").read_text())
    images = sorted(labels["images"], key=lambda image: image["file_name"])
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        def add(name, content):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        for part, (first, count) in parts.items():
            chosen = images[first:first + count]
            ids = {image["id"] for image in chosen}
            add(f"{part}/annotations.json", json.dumps({
                "images": chosen, "categories": labels["categories"],
                "annotations": [a for a in labels["annotations"] if a["image_id"] in ids]}).encode())
            for image in chosen:
                add(f"{part}/images/{image['file_name']}",
                    (EXAMPLE / "images" / image["file_name"]).read_bytes())
    return out.getvalue()


def _fields(data, begin, end):
    """(number, begin, end) of each length-delimited field of a protobuf message."""
    def varint(at):
        value, shift = 0, 0
        while True:
            value |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
            if not data[at - 1] & 0x80:
                return value, at
    while begin < end:
        key, begin = varint(begin)
        if key & 7 == 0:
            _, begin = varint(begin)
        elif key & 7 == 2:
            length, begin = varint(begin)
            yield key >> 3, begin, begin + length
            begin += length
        else:
            begin += {1: 8, 5: 4}[key & 7]


def forgetful(model):
    """The same network with zeros for what it has learnt: it runs, and finds nothing."""
    changed = bytearray(model)
    weights = 0
    for graph in (f for f in _fields(model, 0, len(model)) if f[0] == 7):  # ModelProto.graph
        for tensor in (f for f in _fields(model, *graph[1:]) if f[0] == 5):  # .initializer
            for number, begin, end in _fields(model, *tensor[1:]):
                if number == 9 and end - begin > 4096:  # .raw_data
                    changed[begin:end] = bytes(end - begin)
                    weights += 1
    assert weights > 10
    return bytes(changed)


def push(server, hook, commit, ref="refs/heads/main"):
    """What a forge says of a push; the status of the answer."""
    body = json.dumps({"ref": ref, "after": commit}).encode()
    sign = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return http(f"{server.info['api']}/hooks/{hook}", "POST", body, {
        "Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={sign}",
        "X-GitHub-Event": "push", "X-GitHub-Delivery": str(uuid.uuid4())}, server.tls())[0]


def describe(server, arn):
    return server.aws("stepfunctions").describe_execution(executionArn=arn)


def wait_for_end(server, arn, limit_s=300):
    return wait_until(lambda: (d := describe(server, arn))["status"] != "RUNNING" and d,
                      f"the end of {arn}", limit_s)


def history(server, arn):
    pages = server.aws("stepfunctions").get_paginator("get_execution_history").paginate(
        executionArn=arn)
    return [event for page in pages for event in page["events"]]


def entered(server, arn):
    """The names of the states that were entered, in their order."""
    return [event["stateEnteredEventDetails"]["name"] for event in history(server, arn)
            if event["type"].endswith("StateEntered")]


def andon(server, *arguments, code=0):
    ended = subprocess.run([program("andon"), *map(str, arguments), "--data", str(server.data)],
                           capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == code, (ended.returncode, ended.stdout, ended.stderr)
    return ended
