#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every test named in docs/behaviours.md, docs/migrate-from-aws.md and SECURITY.md
exists. Exit code 1 where one does not."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("docs/behaviours.md", "docs/migrate-from-aws.md", "SECURITY.md")
# `base.ParseJson.NamesLine...` (folder, suite, test) or `tests/faults/test_x.py::test_name`
CXX = re.compile(r"`([a-z_]+)\.([A-Z]\w*)\.([A-Z]\w*)`")
PYTHON = re.compile(r"`((?:tests|training)/[\w/]+\.py)::(\w+)`")


def cxx_tests():
    files = subprocess.run(["git", "ls-files", "*_test.cpp"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.split()
    found = set()
    for name in files:
        text = (ROOT / name).read_text(encoding="utf-8")
        for suite, test in re.findall(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", text):
            found.add((suite, test))
    return found


def main():
    known = cxx_tests()
    missing = []
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        missing += [(document, f"{folder}.{suite}.{test}")
                    for folder, suite, test in CXX.findall(text) if (suite, test) not in known]
        for path, test in PYTHON.findall(text):
            file = ROOT / path
            if not file.exists() or f"def {test}(" not in file.read_text(encoding="utf-8"):
                missing.append((document, f"{path}::{test}"))
    for document, name in missing:
        print(f"{document} names a test that does not exist: {name}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
