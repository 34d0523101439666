# SPDX-License-Identifier: Apache-2.0
"""console/console.pack: the built console, as the server has it inside (src/api/console).

    console_pack.py pack      make it of console/dist
    console_pack.py check     does it fit the sources? (without Node)
    console_pack.py same      is it, byte for byte, what console/dist makes?

The file: the line "andon console 1"; a line of JSON, {"sources": SHA-256 of what it was built from,
"files": [{"name", "type", "bytes", "gzipped", "sha256", "immutable"}]}; then the files, each
compressed with gzip, one after the other. The same build gives the same bytes.
"""
import gzip
import hashlib
import json
import sys
from pathlib import Path

CONSOLE = Path(__file__).resolve().parent.parent / "console"
PACK = CONSOLE / "console.pack"
MAGIC = b"andon console 1\n"
SOURCES = ("index.html", "package.json", "package-lock.json", "vite.config.ts", "svelte.config.js",
           "tsconfig.json")
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
         ".txt": "text/plain; charset=utf-8"}


def sources_digest():
    files = [CONSOLE / name for name in SOURCES]
    for folder in ("public", "src"):
        files += sorted(path for path in (CONSOLE / folder).rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        name = path.relative_to(CONSOLE).as_posix()
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def packed():
    """Its bytes, of console/dist, and how many files it has."""
    dist = CONSOLE / "dist"
    index, content = [], b""
    for path in sorted(dist.rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        packed = gzip.compress(data, 9, mtime=0)
        name = path.relative_to(dist).as_posix()
        index.append({"name": name, "type": TYPES[path.suffix], "bytes": len(data),
                      "gzipped": len(packed), "sha256": hashlib.sha256(data).hexdigest(),
                      "immutable": name.startswith("assets/")})
        content += packed
    head = json.dumps({"sources": sources_digest(), "files": index}, separators=(",", ":"))
    return MAGIC + head.encode() + b"\n" + content, len(index)


def pack():
    content, files = packed()
    PACK.write_bytes(content)
    print(f"{PACK.name}: {files} files, {len(content)} bytes")


def same():
    if packed()[0] != PACK.read_bytes():
        sys.exit("console/console.pack is not what its sources make: run ./dev console, and commit what it made")
    print("console/console.pack is what its sources make")


def check():
    if not PACK.exists():
        sys.exit("console/console.pack is missing: run ./dev console")
    head = PACK.read_bytes().removeprefix(MAGIC).split(b"\n", 1)[0]
    if json.loads(head)["sources"] != sources_digest():
        sys.exit("console/console.pack was built from other sources than these: run ./dev console, "
                 "and commit what it made")
    print("console/console.pack fits its sources")


if __name__ == "__main__":
    {"pack": pack, "check": check, "same": same}[sys.argv[1]]()
