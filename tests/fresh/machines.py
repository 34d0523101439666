#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Follows docs/install.md and docs/operations.md on fresh Debian machines: usage: machines.py
REPOSITORY [--base ROOT]

Two roots of a minimal Debian, each with systemd as its first process (machine.py), joined by one cable
and by nothing else: no mirror, no internet. Then a third, whose one cable leads to a proxy. REPOSITORY
is what `./dev package --repository DIR --with-dependencies` made. A block of the document runs on
the machine that its heading or sentence names ("On the machine", "On the server", "On the device"). Needs root.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import walk
from machine import PACKAGES, Machine

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
import debian_root  # noqa: E402

# Sections that are followed.
ONE, TWO, PROXIED = "One machine", "Two machines, without internet", "Behind a proxy"
AT_DEVICE, BACKUP = "The device's files", "Backup"
DOCUMENTS = {"docs/install.md": {ONE, TWO, PROXIED}, "docs/operations.md": {AT_DEVICE, BACKUP}}
SERVER_NAME = "server.plant.example"
PROXY_NAME = "proxy.plant.example"
# The first three numbers of the addresses on each cable; who is named first has .1 there.
CABLES = {("server", "device"): "10.77.0", ("proxy", "shielded"): "10.79.0", ("proxy", "server"): "10.80.0"}


def run(*command, **options):
    return subprocess.run(list(map(str, command)), check=True, **options)


class Proxy:
    """proxy.py in a network of its own, until the block ends."""
    name = "proxy"

    def __init__(self, files, place):
        self.files, self.log = files, place / "proxy.log"

    def __enter__(self):
        hosts = f"{SERVER_NAME}={address_of('server', 'proxy')}"
        self.process = subprocess.Popen(
            ["unshare", "--net", sys.executable, HERE / "proxy.py", self.files, self.log, hosts],
            stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "up\n":
            raise SystemExit("machines: the proxy could not be made")
        self.pid = self.process.pid
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def passed(self):
        return self.log.read_text(encoding="utf-8")


def address_of(name, other):
    """On the cable between the two."""
    if (name, other) in CABLES:
        return CABLES[name, other] + ".1"
    return CABLES[other, name] + ".2"


def join(first, second):
    """One cable between the two, and nothing else; on each end it is called as the other."""
    run("ip", "link", "add", second.name, "netns", first.pid, "type", "veth", "peer", "name", first.name,
        "netns", second.pid)
    for machine, other in ((first, second), (second, first)):
        inside = ["nsenter", "--target", str(machine.pid), "--net"]
        run(*inside, "ip", "address", "add", f"{address_of(machine.name, other.name)}/24", "dev", other.name)
        run(*inside, "ip", "link", "set", other.name, "up")


def blocks_by_section(document):
    """{heading: [(machine, block)]} of the sections that machines without a network can follow."""
    markdown = (ROOT / document).read_text(encoding="utf-8")
    lines = markdown.splitlines()
    found = {}
    for block in walk.blocks_of(markdown, document):
        before = lines[:block.line - 1]
        heading = max((number for number, line in enumerate(before) if line.startswith("## ")), default=0)
        section = before[heading].removeprefix("## ")
        place = re.findall(r"On the (machine|server|device)\b", " ".join(before[heading:]))
        if place and section.endswith(" (followed)"):
            found.setdefault(section.removesuffix(" (followed)"), []).append((place[-1], block))
    return found


def follow(machines, blocks):
    line = None
    for name, block in blocks:
        print(f"### {name}, {block.document}:{block.line}\n{block.text}")
        text = block.text
        if text.startswith("andon device add"):
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
    # As docs/operations.md has it: nothing else listens, and no broker on 1883.
    ports = re.findall(r"^\| (\d+) \|", (ROOT / "docs/operations.md").read_text(encoding="utf-8"), re.MULTILINE)
    sockets = re.findall(r"^ *\d+: (\w+):(\w+) \w+:\w+ 0A", server.shell("cat /proc/net/tcp /proc/net/tcp6"),
                         re.MULTILINE)
    listening = {int(port, 16): address for address, port in sockets}
    assert set(listening) == set(map(int, ports)) - {8884}, listening
    assert listening[8080] == "0100007F", "operators are let in from elsewhere without TLS"
    owner = server.shell("stat -c '%U %a' /var/lib/andon/server").split()
    assert owner == ["andon", "700"], owner
    shown = device.shell("cat /proc/[0-9]*/cmdline | tr '\\0' ' '; journalctl --no-pager")
    assert "andon1." not in shown, "the token is where others see it"
    print("### what is promised of installed machines holds")


FUNCTION = """
AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: next-version
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: next-version
      Role: !GetAtt Role.Arn
      Runtime: python3.11
      Handler: index.handler
      Code:
        ZipFile: "def handler(event, context): return {'next': event['version'] + 1}"
"""
JOB = {"StartAt": "Job", "States": {"Job": {
    "Type": "Task", "Resource": "arn:andon:states:::job:run.sync", "End": True, "Parameters": {
        "Command": ["sleep", "3000"]}}}}


def check_sandboxes(server):
    """What the unit allows is what functions and workflows' commands need, and they are held all the same."""
    exposure = server.shell("systemd-analyze security --no-pager andon-server").split("andon-server.service: ")[1]
    assert float(exposure.split()[0]) <= 3.0, exposure
    server.shell(f"cat >/tmp/function.yaml <<'END'\n{FUNCTION}\nEND\nandon apply -f /tmp/function.yaml")
    invoke = """andon function invoke next-version --payload '{"version": 4}' 2>&1"""
    assert '{"next": 5}' in server.shell(invoke)
    drop_in = "/etc/systemd/system/andon-server.service.d"
    server.shell(f"mkdir -p {drop_in}; cp /usr/share/doc/andon-server/examples/no-functions.conf {drop_in}; "
                 "systemctl daemon-reload; systemctl restart andon-server")
    refused = server.shell(f"{invoke} && exit 99 || :")
    assert "cannot hold a job in its sandbox" in refused and "no-functions.conf" in refused, refused
    server.shell(f"rm -r {drop_in}; systemctl daemon-reload; systemctl restart andon-server")
    assert '{"next": 5}' in server.shell(invoke)
    print(f"### functions run at an exposure of {exposure.split()[0]}; with no-functions.conf they are refused by name")


def check_restarts(server, device):
    """systemd starts anew what died or fell silent; components and workflows' commands go on meanwhile."""
    deploy(server, "line-1", "com.example.GoesOn", "exec sleep 100000")
    server.shell(f"cd /tmp; cat >job.asl.json <<'END'\n{json.dumps(JOB)}\nEND\n"
                 "andon workflow create job job.asl.json; andon workflow start job --name goes-on")
    job = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c '[s]leep 3000' || :"
    wait_until("the workflow's command", lambda: int(server.shell(job)) > 0)

    def pid_of_component():
        (one, ) = (one for one in status_of(device)["components"] if one["name"] == "com.example.GoesOn")
        return one["pid"]

    before = pid_of_component()
    for machine, unit, silent in ((device, "andon-edge", "1min"), (server, "andon-server", "5min")):
        assert machine.property_of(unit, "WatchdogUSec") == silent
        # So that nobody waits for minutes.
        drop_in = f"/run/systemd/system/{unit}.service.d"
        machine.shell(f"mkdir -p {drop_in}; printf '[Service]\\nWatchdogSec=5\\nTimeoutAbortSec=2\\n' >{drop_in}/soon.conf; "
                      f"systemctl daemon-reload; systemctl restart {unit}; sleep 6; systemctl is-active {unit}")
        assert machine.property_of(unit, "NRestarts") == "0", f"{unit} does not tell its watchdog"
        for times, signal in ((1, "KILL"), (2, "STOP")):
            machine.shell(f"kill -{signal} $(systemctl show --value --property=MainPID {unit})")
            wait_until(f"{unit} after SIG{signal}", lambda: machine.property_of(unit, "NRestarts") == str(times)
                       and machine.property_of(unit, "ActiveState") == "active")
        machine.shell(f"rm -r {drop_in}; systemctl daemon-reload; systemctl restart {unit}")
    wait_until("the device", lambda: status_of(device)["connected"])
    assert pid_of_component() == before
    groups = device.shell(f"cat /proc/{before}/cgroup")
    assert "andon" in groups, groups
    assert int(server.shell(job)) > 0
    print("### killed and stopped services are started anew; a component and a workflow's command went on")


# What makes the packages has run before, on the machine that has the sources.
MADE_BEFORE = "./dev package"


def check_one_machine(alone, blocks):
    """The section of one machine: what it installs, and the demo beside the services."""
    ((_, block), ) = blocks
    commands = block.text.splitlines()
    assert commands.pop(0) == MADE_BEFORE, block
    alone.shell("echo 'deb [trusted=yes] file:/media/andon stable main' >/etc/apt/sources.list; apt-get -qq update\n"
                # Nobody is there to say yes.
                "echo 'APT::Get::Assume-Yes true;' >/etc/apt/apt.conf.d/50yes\n"
                "mkdir -p /root/andon/build; ln -s /media/andon/pool /root/andon/build/packages")
    took = {}
    for command in commands:
        print(f"### alone, {block.document}:{block.line}\n{command}")
        started = time.monotonic()
        said = alone.shell(f"cd /root/andon; DEBIAN_FRONTEND=noninteractive {command} 2>&1")
        took[command.split()[0]] = time.monotonic() - started
    assert "Every image has its result" in said, said
    print(said)
    assert alone.shell("systemctl is-active andon-server") == "active\n"
    seen = float(re.search(r"^\[ *([\d.]+) s\] Every image", said, re.MULTILINE).group(1))
    print(f"### one machine: {took['apt']:.0f} s to install, {seen:.0f} s of demo until all detections are there, at a "
          f"load of {os.getloadavg()[0]:.0f}")


def report_memory(machine):
    """For the table of docs/install.md: at rest, for an agent that has connected gives memory back after a while."""
    time.sleep(20)
    said = machine.shell("cat /proc/[0-9]*/status 2>/dev/null || :")
    for name, kib in re.findall(r"^Name:\t(andon\S*|mosquitto)$.*?^VmRSS:\s+(\d+) kB", said, re.MULTILINE | re.DOTALL):
        print(f"### RSS on the {machine.name}: {name} {int(kib) / 1024:.1f} MiB")


def status_of(device):
    return json.loads(device.shell("andon-edge status --root /var/lib/andon/edge --json"))


def wait_until(what, condition, limit_s=60):
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"machines: waited {limit_s} s in vain for {what}")
        time.sleep(0.2)


def deploy(server, device, name, script):
    """A component that runs this, by what an operator has."""
    recipe = {"RecipeFormatVersion": "2020-01-25", "ComponentName": name, "ComponentVersion": "1.0.0",
              "Manifests": [{"Lifecycle": {"run": script}}]}
    server.shell(f"cd /tmp; cat >recipe.json <<'END'\n{json.dumps(recipe)}\nEND\n"
                 f"andon component create --recipe recipe.json\n"
                 f"andon deploy {device} --component {name} --wait")


def bring_agent(server, device):
    """An agent that is newer than the package's, by a deployment: as docs/agent.md has its recipe."""
    recipe = re.search(r"```yaml\n(RecipeFormatVersion.*?)```", (ROOT / "docs/agent.md").read_text(encoding="utf-8"),
                       re.DOTALL).group(1).replace("s3://artifacts/agent/1.0.0/", "")
    server.shell("mkdir /tmp/agent; cd /tmp/agent; dpkg-deb -x /media/andon/pool/andon-edge_*.deb x\n"
                 "cp x/usr/bin/andon-edge x/usr/lib/andon/andon-keeper .; rm -r x; echo another >>andon-edge\n"
                 f"cat >recipe.yaml <<'END'\n{recipe}END\nandon component import /tmp/agent\n"
                 "andon deploy line-1 --component andon.Edge --wait")
    assert status_of(device)["launcher"] == {"runs": "a"}, status_of(device)


def follow_operations(server, device, sections):
    """A backup is made, gone back to, and the device that was enrolled before knows its server."""
    machines = {"server": server, "device": device}
    follow(machines, sections[AT_DEVICE])
    deploy(server, "line-1", "com.example.Before", "exec sleep 100000")
    follow(machines, sections[BACKUP])
    wait_until("the device at the restored server", lambda: status_of(device)["connected"])
    deploy(server, "line-1", "com.example.Restored", "exec sleep 100000")
    names = {one["name"] for one in status_of(device)["components"]}
    assert {"com.example.Before", "com.example.Restored"} <= names, names
    print("### docs/operations.md followed: a backup, and back to it")


def make_mirror(repository, place):
    """What Debian's mirrors have for the packages, as files."""
    mirror = place / "mirror"
    mirror.mkdir()
    shutil.copytree(repository / "debian", mirror / "debian")
    with open(mirror / "Packages", "wb") as listing:
        run("apt-ftparchive", "packages", "debian", cwd=mirror, stdout=listing)
    return mirror


def check_proxied(server, shielded, proxy):
    """What went through the proxy, which is the device's only way."""
    passed = proxy.passed()
    assert re.search(r"^GET http://mirror\.debian\.example/\S*/libcurl4_\S+\.deb$", passed, re.MULTILINE), passed
    for port in (8443, 8883):
        assert re.search(rf"^CONNECT {SERVER_NAME}:{port}$", passed, re.MULTILINE), passed
    deploy(server, "line-2", "com.example.Shielded", 'echo "by $HTTPS_PROXY"; exec sleep 100000')
    said = shielded.shell("andon-edge logs com.example.Shielded --root /var/lib/andon/edge")
    assert f"by http://{PROXY_NAME}:3128" in said, said
    print("### the device has no way but the proxy: installed, enrolled, and what is deployed arrives")


def check_upgrade(server, device, newer):
    """Both to a later version, in which all that was is still there."""
    deploy(server, "line-1", "com.example.Stays", "exec sleep 100000")
    bring_agent(server, device)

    def kept():
        files = "/var/lib/andon/edge/config/device.json /var/lib/andon/edge/config/device.key"
        pids = {one["name"]: one.get("pid") for one in status_of(device)["components"]}
        return (device.shell(f"sha256sum {files}"), pids["com.example.Stays"],
                server.shell("cd /var/lib/andon/server; sha256sum ca/ca.crt; andon component list --json"),
                [line.split()[0] for line in server.shell("andon device list").splitlines()])

    before = kept()
    device.shell(f"echo '# mine' >>/etc/andon/edge.yaml; dpkg -i {newer}/andon-edge_*.deb; "
                 "grep -q '# mine' /etc/andon/edge.yaml; systemctl is-active andon-edge")
    wait_until("the agent being back", lambda: status_of(device)["connected"])
    # Of another time than the one before: who installs a package means it to run.
    assert status_of(device)["launcher"] == {"runs": "base"}, status_of(device)
    server.shell(f"echo '# mine' >>/etc/andon/server.yaml; dpkg -i {newer}/andon-server_*.deb; "
                 "grep -q '# mine' /etc/andon/server.yaml; systemctl is-active andon-server")
    wait_until("the device at the newer server",
               lambda: "9.0.0" in server.shell("dpkg-query -W andon-server") and status_of(device)["connected"])
    assert kept() == before, (kept(), before)
    deploy(server, "line-1", "com.example.After", "exec sleep 100000")
    print("### an upgrade keeps data, configuration and running components, and what is deployed arrives")


def installed(machine, package):
    return machine.shell(f"dpkg-query -W -f '${{db:Status-Status}} ${{Version}}' {package} 2>/dev/null || :")


def check_downgrade(machine, unit, package):
    """Of a package that does not know what a later version has made of the data."""
    notes = f"/var/lib/andon/{unit.removeprefix('andon-')}.migrations"
    before = installed(machine, unit)
    machine.shell(f"echo '9 of a later version' >>{notes}")
    refused = machine.shell(f"dpkg -i {package} 2>&1 && exit 99 || :")
    assert "is older than the data" in refused and "9 of a later version" in refused, refused
    assert installed(machine, unit) == before and before.startswith("installed "), installed(machine, unit)
    assert machine.shell(f"systemctl is-active {unit}") == "active\n"
    # One that knows the data is nobody's to refuse.
    machine.shell(f"sed -i '/9 of a later/d' {notes}; dpkg -i {package}; systemctl is-active {unit}")
    print(f"### a downgrade of {unit} below its data is refused with the reason, another one is not")


def require_gone(machine, *paths):
    left = machine.shell(f"for path in {' '.join(paths)}; do if [ -e $path ] || [ -L $path ]; then find $path; fi; done")
    assert left == "", left


def check_removal_of_the_agent(server, device):
    """Removed it is off and leaves the data; installed again the device is who it was; purged nothing is left."""
    running = [one["name"] for one in status_of(device)["components"] if one["state"] == "RUNNING"]
    identity = "sha256sum /var/lib/andon/edge/config/device.key /etc/andon/edge.yaml"
    before = device.shell(identity)
    own = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -E '[/]andon-[elk]|[s]leep 100000' || :"
    assert "com.example.After" in running and "andon-edge" in device.shell(own), running
    device.shell("DEBIAN_FRONTEND=noninteractive apt-get -y remove andon-edge")
    assert device.shell(own) == "" and device.shell(identity) == before, device.shell(own)
    # From the server, by what the line has left.
    device.shell("apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -y install andon-edge")
    wait_until("the device that was installed again", lambda: status_of(device)["connected"])
    wait_until("its components", lambda: running == [
        one["name"] for one in status_of(device)["components"] if one["state"] == "RUNNING"])
    deploy(server, "line-1", "com.example.Again", "exec sleep 100000")
    device.shell("DEBIAN_FRONTEND=noninteractive apt-get -y purge andon-edge")
    require_gone(device, "/var/lib/andon", "/etc/andon", "/usr/lib/andon")
    assert device.shell("find /etc/apt -name '*andon*'") == ""
    assert device.shell(own) == "" and not installed(device, "andon-edge").startswith("installed "), device.shell(own)
    print("### the agent: remove keeps data and identity, installed again it goes on, purge leaves nothing")


def check_removal_of_the_server(server):
    """As the agent's."""
    kept = "sha256sum /var/lib/andon/server/ca/ca.crt /etc/andon/server.yaml; ls /var/lib/andon/packages"
    before = server.shell(kept)
    own = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -E '[/]andon-server|[/]mosquitto' || :"
    assert "andon-server" in server.shell(own)
    server.shell("DEBIAN_FRONTEND=noninteractive apt-get -y remove andon-server")
    assert server.shell(own) == "" and server.shell(kept) == before, server.shell(own)
    server.shell("DEBIAN_FRONTEND=noninteractive apt-get -y install andon-server; systemctl is-active andon-server")
    assert "line-1" in server.shell("andon device list")
    server.shell("DEBIAN_FRONTEND=noninteractive apt-get -y purge andon-server andon")
    # What the operator put there is not the package's.
    assert server.shell("ls -A /var/lib/andon").split() == ["packages", "server.before"]
    require_gone(server, "/etc/andon", "/usr/lib/andon", "/usr/share/andon", "/etc/systemd/system/mosquitto.service")
    assert server.shell(own) == "", server.shell(own)
    print("### the server: remove keeps data, installed again it goes on, purge leaves nothing")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--base", type=Path, help="a minimal Debian that is there already")
    parser.add_argument("--newer", type=Path, help="a folder with andon-server and andon-edge of a later version")
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    repository = options.repository.resolve()
    if options.newer:
        shutil.copytree(options.newer, repository / "later", dirs_exist_ok=True)
    (ROOT / "build").mkdir(exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="machines-", dir=ROOT / "build"))
    place.chmod(0o755)
    try:
        base = options.base
        if base is None:
            base = place / "base"
            base.mkdir()
            debian_root.make(base, PACKAGES)
        sections = {}
        for document, expected in DOCUMENTS.items():
            found = blocks_by_section(document)
            if set(found) != expected:
                sys.exit(f"machines: {document} has blocks to follow in {sorted(found)}")
            sections.update(found)
        names = {"server": {SERVER_NAME: "127.0.1.1"},
                 "device": {SERVER_NAME: address_of("server", "device")},
                 "shielded": {PROXY_NAME: address_of("proxy", "shielded")}}
        started = time.monotonic()
        with Machine("server", base, place, repository, names["server"]) as server:
            with Machine("device", base, place, repository, names["device"]) as device:
                join(server, device)
                follow({"server": server, "device": device}, sections[TWO])
                print(f"### followed, {time.monotonic() - started:.0f} s from nothing to a device")
                check_what_installed_promises(server, device)
                for machine in (server, device):
                    report_memory(machine)
                check_sandboxes(server)
                check_restarts(server, device)
                follow_operations(server, device, sections)
                if options.newer:
                    check_upgrade(server, device, "/media/andon/later")
                for machine, unit in ((device, "andon-edge"), (server, "andon-server")):
                    same = next((repository / "pool").glob(f"{unit}_*.deb"))
                    check_downgrade(machine, unit, f"/media/andon/pool/{same.name}")
                check_removal_of_the_agent(server, device)
            with Proxy(make_mirror(repository, place), place) as proxy, \
                    Machine("shielded", base, place, repository, names["shielded"],
                            "deb [trusted=yes] http://mirror.debian.example/ ./") as shielded:
                for other in (shielded, server):
                    join(proxy, other)
                follow({"server": server, "device": shielded}, sections[PROXIED])
                check_proxied(server, shielded, proxy)
            check_removal_of_the_server(server)
        with Machine("alone", base, place, repository) as alone:
            check_one_machine(alone, sections[ONE])
    finally:
        # What was mounted went with its namespace; were something left, it would not be entered.
        subprocess.run(["rm", "-rf", "--one-file-system", str(place)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
