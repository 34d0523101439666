#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds andon for arm64 on a machine of another kind, and makes its packages: usage: cross.py
[--target TARGET] [OPTIONS OF build.py]; what TARGET names is built beside what the packages hold

By Debian's cross compiler, in a root file system of its own (build/arm64-root, made once): some of
Debian's packages are there for one architecture at a time, and arm64's would push out the
machine's own. The programs are run by qemu for what packages take of their `--help`. Needs root.
"""
import argparse
import hashlib
import shlex
import subprocess
import sys
from pathlib import Path

import build

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import debian_root  # noqa: E402

BASE = ROOT / "build" / "arm64-root"
LIMIT_S = 4 * 3600
TOOLS = ("ca-certificates", "g++-aarch64-linux-gnu", "cmake", "ninja-build", "ccache", "pkg-config", "git",
         "python3", "qemu-user-static", "dpkg-dev", "binutils", "apt-utils", "gnupg", "xz-utils", "lintian")
# As ./dev has them for the machine's own architecture; these two are the same for all.
OF_ALL = ("libcli11-dev", "mosquitto-dev")
LIBRARIES = ("libboost1.81-dev", "libboost-json1.81-dev", "libssl-dev", "libmosquitto-dev", "libsqlite3-dev",
             "libcurl4-openssl-dev", "zlib1g-dev", "libargon2-dev", "libarchive-dev", "libp11-kit-dev", "libyaml-cpp-dev",
             "libfmt-dev", "libonnx-dev", "libprotobuf-dev", "libturbojpeg0-dev", "libpng-dev",
             "libgstreamer1.0-dev", "libgstreamer-plugins-base1.0-dev", "libmodbus-dev", "libgpiod-dev",
             "libaravis-dev", "libusb-1.0-0-dev")


def base():
    """The root with the compiler in it; made anew where what it has is another."""
    wanted = [*TOOLS, *OF_ALL, *(f"{name}:arm64" for name in LIBRARIES)]
    told = hashlib.sha256(" ".join(wanted).encode()).hexdigest()
    mark = BASE.with_suffix(".complete")
    if mark.exists() and mark.read_text() == told:
        return BASE
    mark.unlink(missing_ok=True)
    subprocess.run(["rm", "-rf", "--one-file-system", str(BASE)], check=True)
    BASE.mkdir(parents=True)
    debian_root.make(BASE, ["ca-certificates"])
    debian_root.say("Installing the cross compiler and arm64's libraries in it")
    install = "apt-get -qq -o DPkg::Use-Pty=0 install -y --no-install-recommends " + " ".join(wanted)
    code = debian_root.enter(
        BASE, f"export DEBIAN_FRONTEND=noninteractive; dpkg --add-architecture arm64 && "
        f"apt-get -qq update && {install} >/root/apt.log 2>&1 || {{ tail -n 20 /root/apt.log; exit 1; }}", {},
        LIMIT_S)
    if code != 0:
        sys.exit("cross: the cross compiler could not be installed in build/arm64-root")
    mark.write_text(told)
    return BASE


def targets(names):
    """What to build for these packages: programs and modules have their target's name."""
    files = [file for name in names for kind in ("programs", "private", "own", "optional")
             for file in build.PACKAGES[name].get(kind, [])]
    return list(dict.fromkeys(file.removesuffix(".so") for file in files))


def binds(directories):
    """The sources where they are here, their history where a worktree has it elsewhere, and what is
    written to."""
    history = Path(build.git("rev-parse", "--path-format=absolute", "--git-common-dir"))
    places = [ROOT, history, *(Path(one).resolve() for one in directories)]
    for place in places[2:]:
        place.mkdir(parents=True, exist_ok=True)
    outer = [place for place in places if not any(place != other and place.is_relative_to(other)
                                                  for other in places)]
    cache = debian_root.compiler_cache()
    return {**{place: place for place in outer}, **({cache: "/root/.cache/ccache"} if cache else {})}


def parse(arguments):
    """What is said to this program, and what build.py is told."""
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument("--target", action="append", default=[])
    mine, others = own.parse_known_args(arguments)
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--only", action="append", choices=list(build.PACKAGES))
    for option in ("--out", "--repository", "--key-home"):
        parser.add_argument(option)
    parser.add_argument("--architecture", choices=["arm64"])
    options, _ = parser.parse_known_args(others)
    return targets(options.only or build.PACKAGES) + mine.target, options, others


def main():
    wanted, options, others = parse(sys.argv[1:])
    given = [Path(one) for one in (options.out, options.repository, options.key_home) if one]
    root = base()
    steps = ["cmake --preset arm64 >build/configure-arm64.log 2>&1 || "
             "{ tail -n 20 build/configure-arm64.log; exit 1; }"]
    if wanted:
        steps.append("cmake --build --preset arm64 --target " + " ".join(wanted))
    # The last of an option counts.
    steps.append(shlex.join(["python3", "packaging/build.py", "--bin", "build/arm64/bin", "--onnxruntime",
                             "build/onnxruntime-aarch64", *others, "--architecture", "arm64"]))
    return debian_root.enter(root, f"cd {shlex.quote(str(ROOT))} && {' && '.join(steps)}", binds(given), LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
