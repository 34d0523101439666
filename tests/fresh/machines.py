#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Follows docs/install.md on two fresh Debian machines: usage: machines.py REPOSITORY [--base ROOT]

Two roots of a minimal Debian, each with namespaces of its own, joined by one cable and by nothing
else: no mirror, no internet. REPOSITORY is what `./dev package --repository DIR --with-dependencies`
made. A block of the document runs on the machine that its heading or sentence names ("On the
server", "On the device"). Needs root.
"""
import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import walk

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DOCUMENT = "docs/install.md"
SERVER_NAME = "server.plant.example"
ADDRESSES = {"server": "10.77.0.1", "device": "10.77.0.2"}
LIMIT_S = 900


def run(*command, **options):
    return subprocess.run(list(map(str, command)), check=True, **options)


class Machine:
    """A root over `base`, in namespaces that end with it."""
    NAMESPACES = ("mount", "pid", "net", "uts", "ipc")

    def __init__(self, name, base, place, repository):
        self.name = name
        self.root = place / name / "root"
        for part in ("root", "upper", "work"):
            (place / name / part).mkdir(parents=True)
        self.options = (f"lowerdir={base},upperdir={place / name / 'upper'},"
                        f"workdir={place / name / 'work'}")
        self.repository = repository
        self.init = None

    def __enter__(self):
        root = self.root
        script = " && ".join([
            "mount --make-rprivate /", f"mount -t overlay overlay -o {self.options} {root}",
            f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev",
            f"mount -t tmpfs tmpfs {root}/run", f"mkdir -p {root}/media/andon {root}/run/systemd/system",
            f"mount --bind -o ro {self.repository} {root}/media/andon", "ip link set lo up",
            f"hostname {self.name}", "echo up", "while :; do sleep 0.2; done"])  # a shell reaps what is left to it
        self.init = subprocess.Popen(
            ["unshare", *(f"--{name}" for name in self.NAMESPACES), "--fork", "--kill-child",
             "bash", "-c", script], stdout=subprocess.PIPE, text=True)
        if self.init.stdout.readline() != "up\n":
            raise SystemExit(f"machines: {self.name} could not be made")
        self.pid = int(subprocess.run(["pgrep", "-P", str(self.init.pid)], check=True,
                                      capture_output=True, text=True).stdout.split()[0])
        self.prepare()
        return self

    def prepare(self):
        stand_in = (HERE / "systemctl").read_text(encoding="utf-8")
        names = "".join(f"{address} {name} {SERVER_NAME if name == 'server' else ''}\n"
                        for name, address in ADDRESSES.items())
        self.shell(f"cat >/usr/bin/systemctl <<'END'\n{stand_in}\nEND\nchmod 755 /usr/bin/systemctl\n"
                   f"printf '127.0.0.1 localhost\\n{names}' >/etc/hosts\n"
                   # No mirror: what is installed comes from the repository alone.
                   ": >/etc/apt/sources.list; rm -rf /var/lib/apt/lists/*; rm -f /etc/resolv.conf\n")

    def __exit__(self, *_):
        self.init.kill()  # and with it all that runs in its namespace
        self.init.wait()

    def enter(self):
        return ["nsenter", "--target", str(self.pid), *(f"--{name}" for name in self.NAMESPACES),
                "chroot", str(self.root), "env", "-i", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]

    def shell(self, script, limit_s=LIMIT_S, check=True):
        """What the script prints; ends everything with it where it fails."""
        done = subprocess.run([*self.enter(), "sh", "-e", "-s"], input=script, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit_s,
                              cwd="/")
        if check and done.returncode != 0:
            raise SystemExit(f"machines: on the {self.name}, exit code {done.returncode} of:\n"
                             f"{script}\n{done.stdout[-6000:]}")
        return done.stdout


def join(first, second):
    """One cable between the two, and nothing else."""
    run("ip", "link", "add", "cable0", "netns", first.pid, "type", "veth", "peer", "name", "cable0",
        "netns", second.pid)
    for machine in (first, second):
        inside = ["nsenter", "--target", str(machine.pid), "--net"]
        run(*inside, "ip", "address", "add", f"{ADDRESSES[machine.name]}/24", "dev", "cable0")
        run(*inside, "ip", "link", "set", "cable0", "up")


def blocks_by_machine(markdown):
    """[(machine, block)] of the sections that two machines without a network can follow."""
    lines = markdown.splitlines()
    found = []
    for block in walk.blocks_of(markdown, DOCUMENT):
        before = " ".join(lines[:block.line - 1])
        place = re.findall(r"On the (server|device)\b", before)
        section = [line for line in lines[:block.line] if line.startswith("## ")]
        if section and place and "(followed)" in section[-1]:
            found.append((place[-1], block))
    return found


def follow(machines, blocks):
    line = None
    for name, block in blocks:
        print(f"### {name}, {block.document}:{block.line}\n{block.text}", flush=True)
        text = block.text
        if "andon device add" in text and "|" not in text:
            line = machines[name].shell(text + "\n").strip().splitlines()[-1]
            print(f"    (a line of {len(line)} bytes)")
        elif "THE LINE" in text:
            # Twice: the second must say that all is there.
            print(machines[name].shell(line))
            second = machines[name].shell(line)
            assert "enrolled already" in second and "is connected" in second, second
        else:
            print(machines[name].shell(text))


def check_what_installed_promises(server, device):
    assert "masked" in server.shell("systemctl is-enabled mosquitto || :")
    listening = server.shell("cat /proc/net/tcp /proc/net/tcp6")
    assert ":075B " not in listening, "a broker listens on 1883"
    for machine, unit in ((server, "andon-server"), (device, "andon-edge")):
        for _ in range(50):
            said = machine.shell(f"cat /run/units/{unit}.service.said 2>/dev/null || :")
            if "WATCHDOG=1" in said:
                break
            time.sleep(0.2)
        assert "WATCHDOG=1" in said, f"{unit} does not tell its watchdog"
    owner = server.shell("stat -c '%U %a' /var/lib/andon/server").split()
    assert owner == ["andon", "700"], owner
    shown = device.shell("cat /proc/[0-9]*/cmdline | tr '\\0' ' '; cat /var/log/*.service.log")
    assert "andon1." not in shown, "the token is where others see it"
    print("### what is promised of installed machines holds")


def check_demo(server):
    """The demo finds its example and its programs where the packages put them."""
    server.shell("DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends install andon-edge "
                 "andon-onnxruntime python3")
    started = time.monotonic()
    said = server.shell("cd /tmp && andon demo --once --out /tmp/demo 2>&1")
    assert "Every image has its result" in said, said
    print(f"### the demo runs from packages, {time.monotonic() - started:.0f} s")


def check_upgrade_and_downgrade(device, same, newer):
    """Packages on the device, of this version and of a later one."""
    identity = "sha256sum /var/lib/andon/edge/config/device.json /var/lib/andon/edge/config/device.key"
    before = device.shell(identity)
    if newer:
        device.shell(f"echo '# mine' >>/etc/andon/edge.yaml; dpkg -i {newer}; "
                     "grep -q '# mine' /etc/andon/edge.yaml; systemctl is-active andon-edge")
        assert before == device.shell(identity)
        device.shell("for i in $(seq 300); do andon-edge status --json | grep -q '\"connected\":true' && "
                     "exit 0; sleep 0.2; done; exit 1")
        print("### an upgrade keeps the device and its configuration, and the agent is back")
    device.shell("echo '9 of a later version' >>/var/lib/andon/edge.migrations")
    refused = device.shell(f"dpkg -i {same} 2>&1 && exit 99 || :")
    assert "is older than the data" in refused and "9 of a later version" in refused, refused
    device.shell("sed -i '/9 of a later/d' /var/lib/andon/edge.migrations; dpkg --configure -a || :; "
                 "systemctl is-active andon-edge || systemctl start andon-edge")
    print("### a downgrade below the data is refused with its reason")


def check_purge(server, device):
    device.shell("DEBIAN_FRONTEND=noninteractive apt-get -y purge andon-edge && "
                 "[ ! -e /var/lib/andon/edge ] && [ ! -e /etc/andon/edge.yaml ]")
    server.shell("DEBIAN_FRONTEND=noninteractive apt-get -y remove andon-server && "
                 "[ -e /var/lib/andon/server/andon.db ] && [ -e /etc/andon/server.yaml ]")
    server.shell("DEBIAN_FRONTEND=noninteractive apt-get -y purge andon-server && "
                 "[ ! -e /var/lib/andon/server ] && [ ! -L /etc/systemd/system/mosquitto.service ]")
    print("### remove keeps data, purge leaves nothing")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--base", type=Path, help="a minimal Debian that is there already")
    parser.add_argument("--newer", type=Path, help="a package andon-edge of a later version")
    options = parser.parse_args()
    repository = options.repository.resolve()
    if options.newer:
        shutil.copyfile(options.newer, repository / "later.deb")
    (ROOT / "build").mkdir(exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="machines-", dir=ROOT / "build"))
    place.chmod(0o755)
    try:
        base = options.base
        if base is None:
            base = place / "base"
            base.mkdir()
            walk.make_root(base)
        blocks = blocks_by_machine((ROOT / DOCUMENT).read_text(encoding="utf-8"))
        if not blocks:
            sys.exit(f"machines: {DOCUMENT} has no block for a machine")
        started = time.monotonic()
        with Machine("server", base, place, repository) as server, \
                Machine("device", base, place, repository) as device:
            join(server, device)
            follow({"server": server, "device": device}, blocks)
            print(f"### followed, {time.monotonic() - started:.0f} s from nothing to a device")
            check_what_installed_promises(server, device)
            check_demo(server)
            same = next((repository / "pool").glob("andon-edge_*.deb"))
            check_upgrade_and_downgrade(device, f"/media/andon/pool/{same.name}",
                                        "/media/andon/later.deb" if options.newer else None)
            check_purge(server, device)
    finally:
        # What was mounted went with its namespace; were something left, it would not be entered.
        subprocess.run(["rm", "-rf", "--one-file-system", str(place)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
