# SPDX-License-Identifier: Apache-2.0
"""What follows the documents word for word (walk.py) finds each command, and each that fails."""
import re
import subprocess
import sys
from pathlib import Path

import pytest

import walk

ROOT = Path(__file__).resolve().parents[2]


def follow(tmp_path, text, *options):
    """Follows a document in this machine's own shell."""
    document = tmp_path / "document.md"
    document.write_text(text)
    return subprocess.run([sys.executable, ROOT / "tests/fresh/walk.py", "--here", *options, document],
                          cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)


def test_blocks_are_taken_as_they_stand():
    text = ("# Title\n\n    one \\\n      two\n\n    three\n\nWords.\n\n    four\n"
            "- item\n\n      of a list\n\nWords.\n\n    five")
    found = walk.blocks_of(text, "x.md")
    assert [(block.line, block.text) for block in found] == [
        (3, "one \\\n  two\n\nthree\n"), (10, "four\n"), (17, "five\n")]


@pytest.mark.parametrize("document", walk.DOCUMENTS)
def test_the_documents_have_no_word_to_fill_in(document):
    """A block that says FILE or DIR cannot be pasted."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = walk.blocks_of(text, document)
    assert len(blocks) >= 5
    for block in blocks:
        for line in block.text.splitlines():
            blanks = re.findall(r"(?:^|\s)(FILE|DIR|NAME|TARGET|HOST|THING|<\w+>|\.\.\.)",
                                walk.without_comment(line))
            assert not blanks, f"{document}:{block.line}: {line}"


def test_blocks_share_one_shell_and_run_in_order(tmp_path):
    ended = follow(tmp_path, "# x\n\n    NAME=andon\n\nThen:\n\n    echo \"$NAME\" >out\n")
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "out").read_text() == "andon\n"


@pytest.mark.parametrize("command", [
    "false", "no-such-program-of-this-name", "false | cat", "X=$(false)", "for i in 1; do false; done",
    "exit 3", "(exit 4)"])
def test_a_command_that_fails_ends_the_walk_and_is_named(tmp_path, command):
    ended = follow(tmp_path, f"# x\n\n    true\n\nThen:\n\n    {command}\n    touch after\n")
    assert ended.returncode != 0
    assert not (tmp_path / "after").exists()
    assert "followed to its end" not in ended.stdout
    assert "document.md:7" in ended.stdout


def test_what_its_reader_interrupts_is_interrupted(tmp_path):
    program = tmp_path / "dev"
    program.write_text("#!/bin/bash\ntrap 'touch interrupted; exit 0' INT\n"
                       "echo 'watching; Ctrl-C ends the demo'\nwhile :; do sleep 0.1; done\n")
    program.chmod(0o755)
    ended = follow(tmp_path, "# x\n\n    ./dev demo     # see\n    touch after\n")
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "interrupted").exists() and (tmp_path / "after").exists()


def test_what_should_be_interrupted_but_ends_is_a_failure(tmp_path):
    program = tmp_path / "dev"
    program.write_text("#!/bin/bash\necho broken\n")
    program.chmod(0o755)
    ended = follow(tmp_path, "# x\n\n    ./dev demo\n")
    assert ended.returncode != 0
    assert "broken" in ended.stdout


def test_a_document_without_commands_is_an_error(tmp_path):
    assert follow(tmp_path, "# Nothing\n").returncode != 0
