#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Follows documents word for word in a fresh Debian 12: usage: walk.py [--quick] [DOCUMENT...]

The commands are taken out of the Markdown (blocks indented by four spaces), never written here a
second time. A root file system is made by debootstrap with git in it and nothing else, the
repository is cloned into it, and each document's blocks run in one shell, in namespaces of their
own, the network's too; when the last block has ended, or one has failed, everything is torn down. Needs root.

Of this machine it takes the mirror and apt's settings, pip's settings, further certificates, and
the compiler's cache where there is one; so it runs behind proxies and mirrors, too.
"""
import argparse
import dataclasses
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import debian_root  # noqa: E402

DOCUMENTS = ("README.md", "docs/walkthrough.md")
LIMIT_S = 3600
# Commands that a reader ends: what they print when there is nothing more to see.
UNTIL_INTERRUPTED = {"./dev demo": "Ctrl-C ends the demo"}
# What --quick leaves out, because CI does it on its own machine in the same run.
LONG = ("./dev test",)


@dataclasses.dataclass
class Block:
    """Lines of a document that a reader would paste."""
    document: str
    line: int
    text: str


def blocks_of(markdown, document):
    """Its indented code blocks. What is indented below an item of a list is none."""
    found, lines, begin, in_list = [], [], 0, False
    for number, line in enumerate([*markdown.splitlines(), "the end"], 1):
        if line.startswith("    ") and not in_list:
            begin = begin if lines else number
            lines.append(line[4:])
        elif not line.strip():
            if lines:
                lines.append("")
        else:
            if lines:
                found.append(Block(document, begin, "\n".join(lines).rstrip() + "\n"))
                lines = []
            in_list = bool(re.match(r"([-*]|\d+\.) ", line)) or (in_list and line.startswith("  "))
    return found


def without_comment(line):
    return re.sub(r"\s+#.*$", "", line).strip()


def script_of(blocks, is_quick):
    """A shell's script that runs the blocks as they stand and ends at the first command that fails."""
    parts = [
        "set -euE -o pipefail",
        "at() { where=$1; printf '\\n### %s, after %d s\\n' \"$where\" \"$SECONDS\"; }",
        "trap 'code=$?; printf \"### FAILED (%d) at %s: %s\\n\" $code \"$where\" \"$BASH_COMMAND\" >&2;"
        " exit $code' ERR",
        # Runs what its reader interrupts, until it has printed $1.
        "until_said() {",
        "  local text=$1 log pid; shift",
        "  log=$(mktemp)",
        # A job of its own group takes SIGINT, which the background else ignores.
        "  set -m; bash -c \"$1\" >\"$log\" 2>&1 & pid=$!; set +m",
        "  until grep -q \"$text\" \"$log\"; do",
        "    kill -0 $pid 2>/dev/null || { cat \"$log\"; return 1; }; sleep 1",
        "  done",
        "  kill -INT -- -$pid; wait $pid; cat \"$log\"",
        "}",
    ]
    for block in blocks:
        parts.append(f"at {shlex.quote(f'{block.document}:{block.line}')}")
        parts.append(f"cat <<'END-OF-BLOCK'\n{block.text}END-OF-BLOCK")
        for line in block.text.splitlines():
            command = without_comment(line)
            if command in UNTIL_INTERRUPTED:
                parts.append(f"until_said {shlex.quote(UNTIL_INTERRUPTED[command])} "
                             f"{shlex.quote(line)}")
            elif is_quick and command in LONG:
                parts.append(f"echo '(left out: {command})'")
            else:
                parts.append(line)
    parts.append("printf '### followed to its end, after %d s\\n' \"$SECONDS\"")
    return "\n".join(parts) + "\n"


def run_in(root, script, limit_s):
    """The script's exit code. Its namespaces end with it, and so does what it left running. Where that
    can be it has a network of its own, for its servers have the ports of one that is told nothing."""
    (root / "root/walk.sh").write_text(script)
    cache = debian_root.compiler_cache()
    binds = {cache: "root/.cache/ccache"} if cache else {}
    command = "cd /root/andon && bash /root/walk.sh"
    if not debian_root.Network.is_possible():
        return debian_root.enter(root, command, binds, limit_s)
    with debian_root.Network() as network:
        network.let_in(root)
        return debian_root.enter(root, command, binds, limit_s, network)


def follow(root, scripts):
    deadline = time.monotonic() + LIMIT_S
    debian_root.make(root)
    subprocess.run(["git", "clone", "--quiet", f"file://{ROOT}", str(root / "root/andon")],
                   check=True)
    for name, script in scripts.items():
        debian_root.say(f"Following {name}")
        started = time.monotonic()
        code = run_in(root, script, max(1, int(deadline - time.monotonic())))
        debian_root.say(f"{name}: {f'exit code {code}' if code else 'followed'}, "
                        f"{time.monotonic() - started:.0f} s")
        if code != 0:
            return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"leave out {', '.join(LONG)}")
    parser.add_argument("--print", action="store_true", help="print the script and end")
    parser.add_argument("--here", action="store_true", help="run the script in this shell's place")
    parser.add_argument("documents", nargs="*", default=DOCUMENTS)
    options = parser.parse_args()
    # Whose parent ignores SIGINT (a job in the background) has children that cannot take it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    scripts = {}
    for name in options.documents:
        blocks = blocks_of(Path(ROOT, name).read_text(encoding="utf-8"), name)
        if not blocks:
            sys.exit(f"walk: {name} has no block of commands")
        scripts[name] = script_of(blocks, options.quick)
    if options.print:
        print("".join(scripts.values()), end="")
        return 0
    if options.here:
        return max(subprocess.run(["bash", "-c", script], check=False).returncode
                   for script in scripts.values())
    if os.geteuid() != 0:
        sys.exit("walk: making a root file system needs root")
    (ROOT / "build").mkdir(exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="fresh-", dir=ROOT / "build"))
    root.chmod(0o755)  # as the root of any system: not all programs run as root
    try:
        return follow(root, scripts)
    finally:
        # What was mounted went with its namespace; were something left, it would not be entered.
        subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=True)


if __name__ == "__main__":
    sys.exit(main())
