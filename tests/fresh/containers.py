#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes and runs packaging/container/ on a fresh Debian: usage: containers.py REPOSITORY

REPOSITORY is what `./dev package --repository DIR --with-dependencies` made; the base image is a
minimal Debian by debootstrap. buildah makes the images and runs them, each in a change of root and
the namespaces that it has for that, in the network of this machine. Needs root.
"""
import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import debian_root  # noqa: E402

LIMIT_S = 600


class Buildah:
    """With images and containers of its own, below one directory."""

    def __init__(self, place):
        self.options = ["--root", place / "storage", "--runroot", place / "run", "--storage-driver",
                        "vfs"]
        self.environment = {**os.environ, "BUILDAH_ISOLATION": "chroot"}

    def command(self, *words):
        return ["buildah", *map(str, self.options), *map(str, words)]

    def __call__(self, *words, **options):
        done = subprocess.run(self.command(*words), check=False, text=True, timeout=LIMIT_S,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=self.environment, **options)
        if done.returncode != 0:
            sys.exit(f"containers: buildah {words[0]} ended with {done.returncode}:\n"
                     f"{done.stdout[-6000:]}")
        return done.stdout.strip()


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def entry_of(buildah, container):
    """What the image runs, as an engine would."""
    return json.loads(buildah("inspect", container))["OCIv1"]["config"]["Entrypoint"]


def wait_until(what, condition):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            if condition():
                return
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pass
        time.sleep(0.5)
    sys.exit(f"containers: {what} did not happen")


class Container:
    """A running one; ends with its block."""

    def __init__(self, buildah, image, arguments, log, given=""):
        self.buildah, self.log = buildah, log
        self.name = buildah("from", "--pull-never", f"localhost/{image}")
        words = ["run", "--network", "host", self.name, "--", *entry_of(buildah, self.name), *arguments]
        with open(log, "wb") as out:
            self.process = subprocess.Popen(buildah.command(*words), stdin=subprocess.PIPE, stdout=out,
                                            stderr=out, env=buildah.environment)
        self.process.stdin.write(given.encode())
        self.process.stdin.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def run(self, *words):
        return subprocess.run(
            self.buildah.command("run", "--network", "host", self.name, "--", *words), check=True,
            capture_output=True, text=True, timeout=60, env=self.buildah.environment).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--base", type=Path, help="a minimal Debian that is there already")
    options = parser.parse_args()
    (ROOT / "build").mkdir(exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="containers-", dir=ROOT / "build"))
    try:
        base = options.base
        if base is None:
            base = place / "base"
            base.mkdir()
            debian_root.make(base)
        buildah = Buildah(place)
        empty = buildah("from", "scratch")
        buildah("copy", empty, base, "/")
        buildah("commit", empty, "localhost/debian")
        for name in ("andon-server", "andon-edge"):
            buildah("build", "--build-arg", "BASE=localhost/debian", "--network", "none", "-t",
                    f"localhost/{name}", "-f", ROOT / f"packaging/container/{name}.Containerfile",
                    options.repository.resolve())
            print(f"### image {name} is made, without a network", flush=True)
        api, device_plane, mqtt, users = free_ports(4)
        with Container(buildah, "andon-server",
                       ["--host", "localhost", "--api-port", str(api), "--device-port",
                        str(device_plane), "--mqtt-port", str(mqtt), "--mqtt-users-port", str(users)],
                       place / "server.log") as server:
            data = ("--data", "/var/lib/andon/server")
            wait_until("the server in its container", lambda: server.run("andon", "status", *data))
            token = server.run("andon", "device", "add", "line-1", "--only-token", *data)
            with Container(buildah, "andon-edge", [], place / "edge.log", token) as edge:
                wait_until("the device in its container", lambda: '"connected":true' in edge.run(
                    "andon-edge", "status", "--root", "/var/lib/andon/edge", "--json"))
                assert "line-1" in server.run("andon", "device", "list", *data)
        print("### a server and a device run in their containers")
    finally:
        for log in ("server.log", "edge.log"):
            if (place / log).exists():
                print(f"### the end of {log}\n{(place / log).read_text(errors='replace')[-1500:]}")
        shutil.rmtree(place, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
