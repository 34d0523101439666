# SPDX-License-Identifier: Apache-2.0
"""The blocks of docs/operations.md that no machine follows (machines.py) are followed here, word for
word, by a shell beside a real server and a real agent. What a reader fills in is filled in."""
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import walk
from agent import Agent
from harness import ROOT, program

DOCUMENT = "docs/operations.md"
THING = "line-1"


def blocks_by_heading():
    """{heading: [block]}, without those of a section that machines.py follows."""
    text = (ROOT / DOCUMENT).read_text(encoding="utf-8")
    lines, found = text.splitlines(), {}
    for block in walk.blocks_of(text, DOCUMENT):
        headings = [line for line in lines[:block.line - 1] if re.match(r"###? ", line)]
        section = next(line for line in reversed(headings) if line.startswith("## "))
        if not section.endswith(" (followed)"):
            found.setdefault(headings[-1].lstrip("# "), []).append(block.text)
    return found


class Shell:
    """As an operator's on the server's machine, with the AWS CLI of the tests."""

    def __init__(self, server, folder):
        self.server = server
        commands = folder / "commands"
        commands.mkdir()
        # By its interpreter: an environment that was moved names another one in its first line.
        aws = commands / "aws"
        aws.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} "
                       f"{shlex.quote(str(Path(sys.executable).parent / 'aws'))} \"$@\"\n")
        aws.chmod(0o755)
        self.environment = {
            "PATH": f"{commands}:{Path(program('andon')).parent}:/usr/bin:/bin", "HOME": str(folder),
            "AWS_PAGER": "", "AWS_EC2_METADATA_DISABLED": "true", "ANDON_DATA": str(server.data),
            **{name: os.environ[name] for name in ("ONNXRUNTIME_ROOT", ) if name in os.environ}}

    def __call__(self, block, **blanks):
        """What the block prints; optional words are said, too."""
        for blank, value in blanks.items():
            block = re.sub(rf"\b{blank}\b", str(value), block)
        block = re.sub(r"\[([^\]]+)\]", r"\1", block)
        script = f"set -euo pipefail\neval \"$(andon env --data {shlex.quote(str(self.server.data))})\"\n{block}"
        done = subprocess.run(["bash", "-c", script], env=self.environment, capture_output=True, text=True,
                              timeout=300, check=False)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(name="shell")
def a_shell(server, tmp_path):
    return Shell(server, tmp_path)


@pytest.fixture(name="device")
def a_device(server, tmp_path):
    with Agent(server, tmp_path / THING, THING) as agent:
        yield agent


def test_the_blocks_are_those_that_are_followed():
    assert {heading: len(blocks) for heading, blocks in blocks_by_heading().items()} == {
        "How devices do": 1, "Alarms": 1, "Certificates of devices": 1}


def test_certificates_of_devices_are_shown_and_revoked(server, device, shell):
    iot = server.aws("iot")
    identity = iot.list_thing_principals(thingName=THING)["principals"][0].split("/")[1]
    (block, ) = blocks_by_heading()["Certificates of devices"]
    said = shell(block, DIR=device.root, THING=THING, ID=identity)
    assert re.search(r"certificate until .*, renewed after ", said), said
    assert f":cert/{identity}" in said
    assert iot.describe_certificate(certificateId=identity)["certificateDescription"]["status"] == "REVOKED"


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("heading", ["How devices do", "Alarms"])
def test_what_is_shown_of_devices_is_there(heading, shell):
    (block, ) = blocks_by_heading()[heading]
    shell(block)
