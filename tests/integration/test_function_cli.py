# SPDX-License-Identifier: Apache-2.0
"""`andon function ...` against a real server."""
import json
import subprocess

import pytest

from functions import make_role
from harness import PATIENCE_S, program, wait_until


@pytest.fixture
def andon(shared_server):
    def run(*words, stdin=""):
        return subprocess.run(
            [program("andon"), "function", words[0], "--data", str(shared_server.data), *words[1:]],
            input=stdin, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return run


def test_a_function_is_made_called_shown_and_deleted(shared_server, andon, tmp_path):
    role = make_role(shared_server, "cli")
    code = tmp_path / "code"
    (code / "lib").mkdir(parents=True)
    (code / "app.py").write_text("import os\nfrom lib.more import twice\ndef handler(e, c):\n"
                                 "    print('seen', e)\n    return [twice(e), os.environ['WORD']]\n")
    (code / "lib" / "more.py").write_text("def twice(x): return 2 * x\n")
    made = andon("create", "ship", str(code), "--role", role, "--env", "WORD=hello", "--timeout", "30")
    assert made.returncode == 0 and "Active" in made.stdout, made.stderr
    assert "already" in andon("create", "ship", str(code), "--role", role).stderr
    assert "ship" in andon("list").stdout
    shown = json.loads(andon("show", "ship", "--json").stdout)
    assert shown["Timeout"] == 30 and shown["Environment"]["Variables"] == {"WORD": "hello"}
    assert "app.handler" in andon("show", "ship").stdout
    called = andon("invoke", "ship", "--payload", "-", stdin="21")
    assert called.returncode == 0 and json.loads(called.stdout) == [42, "hello"]
    assert "seen 21" in called.stderr and "REPORT RequestId: " in called.stderr
    failed = andon("invoke", "ship", "--payload", "{}")
    assert failed.returncode == 1 and json.loads(failed.stdout)["errorType"] == "TypeError"
    assert andon("invoke", "ship", "--payload", "5", "--event").returncode == 0
    wait_until(lambda: "seen 5" in andon("logs", "ship").stdout, "the event's line")
    assert andon("delete", "ship").returncode == 0
    gone = andon("invoke", "ship")
    assert gone.returncode != 0 and "Function not found" in gone.stderr


def test_logs_are_followed(shared_server, andon, tmp_path):
    role = make_role(shared_server, "follow")
    file = tmp_path / "app.py"
    file.write_text("def handler(e, c): print('line', e)\n")
    assert andon("create", "talk", str(file), "--role", role).returncode == 0
    with subprocess.Popen([program("andon"), "function", "logs", "talk", "-f", "--data",
                           str(shared_server.data)], stdout=subprocess.PIPE, text=True) as following:
        for number in ("1", "2"):
            andon("invoke", "talk", "--payload", number)
            assert any(f"line {number}" in line for line in iter(following.stdout.readline, ""))
        following.kill()


def test_what_cannot_be_packed_is_named(shared_server, andon, tmp_path):
    role = make_role(shared_server, "pack")
    missing = andon("create", "x", str(tmp_path / "none"), "--role", role)
    assert missing.returncode != 0 and "none" in missing.stderr
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "link").symlink_to("/etc/passwd")
    link = andon("create", "x", str(tmp_path / "code"), "--role", role)
    assert link.returncode != 0 and "no plain file" in link.stderr
