# SPDX-License-Identifier: Apache-2.0
"""The console's one file of words: `npm run check` refuses what nothing shows."""
import shutil
import subprocess

import pytest

from harness import PATIENCE_S, ROOT

CHECK = ROOT / "console" / "check-text.mjs"


def problems(folder):
    ended = subprocess.run(["node", CHECK], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (ended.returncode == 0) == (ended.stderr == ""), ended
    return ended.stderr.splitlines()


def test_every_word_of_the_console_is_shown_somewhere():
    assert problems(ROOT / "console") == []


@pytest.mark.parametrize("after, word", [("  more: 'More',\n", "more2"), ("  alerts: {\n", "alerts.more2")])
def test_a_word_that_nothing_shows_is_refused_by_its_name(tmp_path, after, word):
    shutil.copytree(ROOT / "console" / "src", tmp_path / "src")
    text = tmp_path / "src" / "text.ts"
    assert after in text.read_text()
    text.write_text(text.read_text().replace(after, f"{after}more2: 'Even more',\n", 1))
    assert problems(tmp_path) == [f"src/text.ts: nothing shows t.{word}: remove it"]


def test_a_word_is_not_kept_by_a_longer_one_of_the_same_beginning(tmp_path):
    shutil.copytree(ROOT / "console" / "src", tmp_path / "src")
    text = tmp_path / "src" / "text.ts"
    text.write_text(text.read_text().replace("  alerts: {\n", "  alerts: {\n    rul: 'R',\n", 1))
    assert problems(tmp_path) == ["src/text.ts: nothing shows t.alerts.rul: remove it"]
