#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy on sources of src/ and remembers which were clean.

    scripts/tidy.py BUILD [--since COMMIT | --all | --turn K/N] [--jobs N]

BUILD holds compile_commands.json of a configuration without precompiled headers (preset `lint`).
It takes what differs from --since, by default from where the branch left main, or on main from the
last commit. --turn adds the K-th of N shares of the tree, so that N runs see all of it.
A source is checked again when it, a header of src/ that it includes, .clang-tidy, its command or
clang-tidy itself changed: clean ones have a file in BUILD/clean named by the digest of all these.
Exits 1 where there are findings.
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
TIDY = ["clang-tidy", "--quiet", "--extra-arg=-Wno-unknown-warning-option", "--warnings-as-errors=*"]


@functools.cache
def text_and_includes(path):
    text = path.read_bytes()
    return text, [SOURCE / name for name in INCLUDE.findall(text.decode()) if (SOURCE / name).is_file()]


def digest(path, command, common):
    """Of all that clang-tidy's answer depends on, but for the headers of other projects."""
    seen, waiting = {path}, [path]
    while waiting:
        for included in text_and_includes(waiting.pop())[1]:
            if included not in seen:
                seen.add(included)
                waiting.append(included)
    summed = hashlib.sha256(common + command.encode())
    for part in sorted(seen):
        summed.update(str(part.relative_to(ROOT)).encode() + b"\0" + text_and_includes(part)[0])
    return summed.hexdigest()


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True,
                          text=True).stdout.split()


def default_commit():
    head = git("rev-parse", "HEAD")
    for branch in ("origin/main", "main"):
        found = subprocess.run(["git", "merge-base", "HEAD", branch], cwd=ROOT, capture_output=True,
                               text=True)
        if found.returncode == 0 and found.stdout.split() != head:
            return found.stdout.strip()
    return "HEAD~1" if git("rev-list", "-2", "HEAD")[1:] else "HEAD"


def changed_since(commit):
    """Stems of what differs, so that a header brings the source that implements it."""
    names = git("diff", "--name-only", commit, "--", "src") + \
        git("ls-files", "--others", "--exclude-standard", "--", "src")
    return {(ROOT / name).with_suffix("") for name in names}


def check(path, build):
    done = subprocess.run([*TIDY, "-p", str(build), str(path)], capture_output=True, text=True)
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def main():
    parser = argparse.ArgumentParser(description="clang-tidy, for what changed")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--since")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--turn", help="K/N: the K-th of N shares, counted from 0")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()

    commands = {pathlib.Path(entry["file"]): entry["command"]
                for entry in json.loads((options.build / "compile_commands.json").read_text())}
    sources = sorted(file for file in commands if SOURCE in file.parents)
    if not options.all:
        turn, shares = map(int, options.turn.split("/")) if options.turn else (0, 0)
        stems = changed_since(options.since or default_commit())
        sources = [file for file in sources if file.with_suffix("") in stems or
                   (shares and zlib.crc32(str(file.relative_to(ROOT)).encode()) % shares == turn)]

    clean = options.build / "clean"
    clean.mkdir(exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    common = version + (ROOT / ".clang-tidy").read_bytes()
    stamps = {file: clean / digest(file, commands[file], common) for file in sources}
    waiting = [file for file in sources if not stamps[file].exists()]
    print(f"{len(waiting)} of {len(sources)} sources to check, the others were clean before",
          flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        futures = {pool.submit(check, file, options.build): file for file in waiting}
        for future in concurrent.futures.as_completed(futures):
            code, output = future.result()
            if code == 0:
                stamps[futures[future]].touch()
            else:
                failed += 1
                print(output, flush=True)
    print(f"{failed} of {len(waiting)} sources with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
