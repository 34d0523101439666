#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs and runs the packages for arm64 on a machine of another kind: usage: arm64.py PACKAGES

PACKAGES is a folder that `./dev package --architecture arm64 --out PACKAGES` filled. In a fresh
Debian apt brings what they depend on, of arm64 alone; their programs are run by qemu, which the
kernel is told of in a namespace of its own: the server enrols a device; the agent enrols at a server
of this machine, carries out deployments and inspects pictures with a model that it is sent. With
--device it is what devices need alone: the agent, ONNX Runtime and the inference program. What cannot
be seen so: speed, memory (qemu's own is in it), and what the kernel would refuse. Needs root.
"""
import argparse
import gzip
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]
import debian_root  # noqa: E402
from harness import Server, program, wait_until  # noqa: E402

EXAMPLE = ROOT / "examples/metal-tags"
QEMU = "/usr/bin/qemu-aarch64-static"
AARCH64 = 183  # e_machine of ELF
# ELF of 64 bits for that machine, to be run or shared; F: the interpreter is opened now, wherever its reader is then.
BINFMT = (r":andon-arm64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:"
          r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:{}:F")
BUILT = ROOT / "build/arm64/bin"
DEVICES = ("andon-edge", "andon-onnxruntime")
ALL = ("andon", *DEVICES, "andon-server")
INSTALLED_EXAMPLE = "/usr/share/andon/metal-tags"
IMAGES = f"{INSTALLED_EXAMPLE}/images"
PICTURES, COUNT = "/srv/pictures", 6
THING, ROOT_OF_DEVICE = "arm-1", "/var/lib/andon/edge"
LIMIT_S = 300
INSTALL = "apt-get -qq -o DPkg::Use-Pty=0 install -y --no-install-recommends"


def run(*command, limit_s=LIMIT_S * 2):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, timeout=limit_s).stdout


def require(condition, text):
    if not condition:
        sys.exit(f"arm64: {text}")


def require_emulation():
    """That another machine's programs can be run in a namespace, without a word to the whole machine."""
    done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "binfmt_misc", "binfmt_misc",
                           "/proc/sys/fs/binfmt_misc"], capture_output=True, text=True, check=False)
    require(done.returncode == 0, "this kernel has no binfmt_misc for a namespace of its own (Linux has it from 6.7 on): "
            + done.stderr.strip())


def check_packages(packages, place):
    """Each says arm64, and so does each program and library in it."""
    for package in packages:
        require(run("dpkg-deb", "-f", package, "Architecture").strip() == "arm64", f"{package.name} is not for arm64")
        tree = place / package.stem
        run("dpkg-deb", "--extract", package, tree)
        found = 0
        for path in sorted(tree.rglob("*")):
            with open(path, "rb") if path.is_file() and not path.is_symlink() else open(os.devnull, "rb") as file:
                head = file.read(20)
            if head[:4] == b"\x7fELF":
                found += 1
                require(struct.unpack_from("<H", head, 18)[0] == AARCH64,
                        f"{path.name} of {package.name} is not for arm64")
        require(found > 0, f"{package.name} has no program and no library")
        bill = json.loads(next(tree.glob("usr/share/doc/*/sbom.cdx.json")).read_text(encoding="utf-8"))
        notices = gzip.decompress(next(tree.glob("usr/share/doc/*/third-party-notices.txt.gz")).read_bytes())
        for part in bill["components"]:
            require(part["name"].lower().encode() in notices.lower().replace(b" ", b""),
                    f"{package.name} has no notice of {part['name']}")
        require("arch=amd64" not in json.dumps(bill), f"the bill of {package.name} names parts of another architecture")
        print(f"### {package.name}: {found} programs and libraries, all for arm64, "
              f"{package.stat().st_size / 1e6:.1f} MB to fetch")


def check_lintian(packages):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", *packages],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    require(done.returncode == 0 and not done.stdout, f"lintian says:\n{done.stdout}")
    print("### lintian has nothing to say of them")


def check_same_bytes(packages, again):
    others = sorted(again.glob("andon*_arm64.deb"))
    require(others, f"there is nothing to compare with in {again}")
    for other in others:
        package = next(one for one in packages if one.name == other.name)
        require(package.read_bytes() == other.read_bytes(), f"{package.name} made twice has different bytes")
        print(f"### {package.name} made twice is the same, byte by byte")


def check_same_needs(packages, others):
    """What a package needs on arm64 is what it needs on this machine."""
    for package in packages:
        name = package.name.split("_")[0]
        twin = next(others.glob(f"{name}_*_amd64.deb"), None)
        require(twin, f"there is no {name} of this machine to compare with in {others}")
        needs = [sorted(need.split()[0] for need in run("dpkg-deb", "-f", one, "Depends").split(", "))
                 for one in (package, twin)]
        require(needs[0] == needs[1], f"{name} needs {needs[0]} on arm64 and {needs[1]} on amd64")
        print(f"### {name} needs the same {len(needs[0])} packages on both")


def make_root(root, packages, base):
    if base:
        run("cp", "--archive", "--reflink=auto", f"{base}/.", root)
    else:
        debian_root.make(root, ["ca-certificates"])
    names = " ".join(f"/root/packages/{package.name}" for package in packages)
    (root / "root/packages").mkdir()
    # No service starts with its package: outside of Emulated nothing runs its programs.
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    code = debian_root.enter(
        root, "export DEBIAN_FRONTEND=noninteractive; dpkg --add-architecture arm64 && apt-get -qq update && "
        f"{INSTALL} qemu-user-static >/root/apt.log 2>&1 && {INSTALL} {names} >>/root/apt.log 2>&1 || "
        "{ tail -n 20 /root/apt.log; exit 1; }", {packages[0].parent: "/root/packages"}, LIMIT_S * 3)
    require(code == 0, "the packages could not be installed")
    if not (root / INSTALLED_EXAMPLE.lstrip("/")).exists():
        run("mkdir", "--parents", root / "usr/share/andon")
        run("cp", "--archive", EXAMPLE, root / INSTALLED_EXAMPLE.lstrip("/"))
    print("### installed by apt, with what they need of Debian's arm64")


class Emulated:
    """A shell in the root, in whose namespaces arm64's programs are run by qemu; ends with its block."""

    def __init__(self, root, log):
        self.root, self.log = root, log

    def __enter__(self):
        root = self.root
        script = " && ".join([
            "read -r _", f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev",
            f"mount -t tmpfs tmpfs {root}/run", "mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc",
            f"printf %s '{BINFMT.format(f'{root}{QEMU}')}' >/proc/sys/fs/binfmt_misc/register",
            f"exec chroot {root} env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -e"])
        self.process = subprocess.Popen(
            ["unshare", "--user", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "sh", "-ec", script],
            stdin=subprocess.PIPE, stdout=self.log, stderr=subprocess.STDOUT, text=True)
        own, its = Path("/proc/self/ns/user"), Path(f"/proc/{self.process.pid}/ns/user")
        wait_until(lambda: its.readlink() != own.readlink(), "namespaces")
        for kind in ("uid", "gid"):  # the same users in there
            Path(f"/proc/{self.process.pid}/{kind}_map").write_text("0 0 65536\n", encoding="ascii")
        self.say("")
        return self

    def say(self, script):
        self.process.stdin.write(script + "\n")
        self.process.stdin.flush()

    def __exit__(self, *_):
        # The first process of the namespace, with which all others end: a program that changes whom it runs as is no
        # longer ended with its parent.
        pid = self.process.pid
        if self.process.poll() is None:
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
                os.kill(int(child), signal.SIGKILL)
        self.process.kill()
        self.process.wait()


def andon(server, *words):
    return run(program("andon"), *words, "--data", server.data)


def recipe():
    """Of a component that fails on all but arm64."""
    return {"RecipeFormatVersion": "2020-01-25", "ComponentName": "com.example.Arm", "ComponentVersion": "1.0.0",
            "Manifests": [{"Platform": {"os": "linux", "architecture": "aarch64"},
                           "Lifecycle": {"run": "echo on an arm; exec sleep 100000"}},
                          {"Lifecycle": {"run": "exit 1"}}]}


def inspect(server, root, inspects, runtimes):
    """A few of the example's pictures, by the inference program and the ONNX Runtime that a device is sent, which the
    server has for both architectures."""
    pictures = root / PICTURES.lstrip("/")
    run("mkdir", "--parents", pictures)
    run("cp", *sorted((EXAMPLE / "images").glob("*.jpg"))[:COUNT], pictures)
    andon(server, "model", "register", EXAMPLE / "model/model.onnx", "--name", "tags", "--approve")
    andon(server, "component", "create", "--runtime", *(word for one in runtimes for word in ("--library", one)))
    andon(server, "component", "create", "tags.Inspect", "--inspects", "tags.Model", "--program", inspects)
    print(andon(server, "deploy", THING, "--model", "tags", "--images", PICTURES, "--wait").strip())

    def results():
        return json.loads(andon(server, "result", "list", "--json"))["results"]

    wait_until(lambda: len(results()) >= COUNT, f"results of {COUNT} pictures", LIMIT_S * 2)
    print(f"### results of {len(results())} pictures have come from the inference component")


def own_runtime():
    """The folder with this machine's ONNX Runtime, as ./dev has it."""
    return Path(os.environ.get("ONNXRUNTIME_ROOT", ROOT / "build/onnxruntime"))


def check_server(root, place):
    """With its broker and the command line beside it: it enrols a device."""
    log = place / "server.log"
    with open(log, "wb") as said, Emulated(root, said) as machine:
        machine.say("(andon-server run --data /tmp/server --host localhost --api-port 0 --device-port 0 --mqtt-port 0 "
                    "--mqtt-users-port 0 </dev/null >/tmp/server.log 2>&1; cat /tmp/server.log; kill $$) &\n"
                    f"andon env --data /tmp/server --wait {LIMIT_S} </dev/null >/dev/null\n"
                    "andon status --data /tmp/server </dev/null\n"
                    "andon device add arm-2 --only-token --data /tmp/server </dev/null "
                    "| andon-edge provision --root /tmp/device --token-file -\n"
                    "echo the end; exit")
        wait_until(lambda: machine.process.poll() is not None, "the server and a device", LIMIT_S * 2)
    text = log.read_text(errors="replace")
    require("the end" in text and "This device is arm-2 of https://localhost:" in text,
            f"the server on arm64 enrols nobody:\n{text[-4000:]}")
    print("### andon-server: started with its broker, and a device enrolled at it")


def has_reported(server):
    return THING in andon(server, "device", "list", "--status", "HEALTHY")


def check_device(root, place, inspects, runtimes):
    """From a token to components that run, as the unit and `enrol` do it."""
    log = place / "device.log"
    with Server(place / "data", "--host", "localhost") as server, open(log, "wb") as said, \
            Emulated(root, said) as device:
        token = andon(server, "device", "add", THING, "--only-token").strip()
        device.say("andon-edge --version\n"
                   f"andon-edge provision --root {ROOT_OF_DEVICE} --token-file - <<'END'\n{token}\nEND\n"
                   f"exec /usr/lib/andon/andon-launcher {ROOT_OF_DEVICE} /usr/bin/andon-edge run "
                   "--config /etc/andon/edge.yaml")
        try:
            wait_until(lambda: device.process.poll() is not None or has_reported(server), "the device", LIMIT_S)
            require(device.process.poll() is None, f"the agent ended:\n{log.read_text(errors='replace')[-4000:]}")
            (place / "recipe.json").write_text(json.dumps(recipe()), encoding="utf-8")
            andon(server, "component", "create", "--recipe", place / "recipe.json")
            print(andon(server, "deploy", THING, "--component", "com.example.Arm", "--wait").strip())
            inspect(server, root, inspects, runtimes)
        except (AssertionError, subprocess.SubprocessError) as error:
            sys.exit(f"arm64: {error}: {getattr(error, 'stderr', '')}\n{log.read_text(errors='replace')[-4000:]}")
        require("on an arm" in (root / f"{ROOT_OF_DEVICE}/logs/com.example.Arm.log".lstrip("/")).read_text(),
                "the component has not said that it runs")
        shown = json.loads(andon(server, "device", "show", THING, "--json"))
        require("aarch64" in json.dumps(shown), f"the device does not say that it is an arm: {shown}")
    print(f"### {log.read_text(errors='replace').splitlines()[0]}: enrolled, connected, and a deployment carried out")


def detections(results):
    """Of each image: (label, confidence, box), those that are surest first."""
    lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    return {one["image"]["name"]: sorted(
        ((found["label"], found["confidence"], found["box"]) for found in one["detections"]),
        key=lambda found: -found[1]) for one in lines}


def check_inference(root, place, inspects):
    """The example's model finds on arm64 what it finds here."""
    run("cp", inspects, root / "root/andon-inspect")
    code = debian_root.enter(
        root, f"cd /tmp && {QEMU} /root/andon-inspect --model {INSTALLED_EXAMPLE}/model/model.onnx --source {IMAGES} "
        "--out /tmp/out --once >/tmp/inspect.log 2>&1 || { tail -n 20 /tmp/inspect.log; exit 1; }", {}, LIMIT_S * 3)
    require(code == 0, "andon-inspect failed")
    run(program("andon-inspect"), "--model", EXAMPLE / "model/model.onnx", "--source", EXAMPLE / "images",
        "--out", place / "out", "--once")
    there, here = detections(root / "tmp/out/results.jsonl"), detections(place / "out/results.jsonl")
    require(there.keys() == here.keys() and any(there.values()), f"it looked at {sorted(there)}, here at {sorted(here)}")
    for image in sorted(here):
        same = len(there[image]) == len(here[image]) and all(
            one[0] == other[0] and abs(one[1] - other[1]) < 0.01 and
            all(abs(a - b) < 1 for a, b in zip(one[2], other[2])) for one, other in zip(there[image], here[image]))
        require(same, f"in {image} it finds {there[image]}, here {here[image]}")
    count = sum(map(len, there.values()))
    print(f"### andon-inspect: in {len(there)} images the {count} detections that are found here, too")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", type=Path, help="a folder with packages for arm64")
    parser.add_argument("--beside", type=Path, required=True, help="a folder with this machine's, to compare with")
    parser.add_argument("--again", type=Path, required=True, help="a folder with some of them made a second time")
    parser.add_argument("--runtime", type=Path, default=ROOT / "build/onnxruntime-aarch64",
                        help="the folder with arm64's ONNX Runtime, which devices are sent")
    parser.add_argument("--device", action="store_true",
                        help="what a device needs alone, and of build/arm64 the inference program that it is sent")
    parser.add_argument("--base", type=Path, help="a minimal Debian that is there already")
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    packages = sorted(options.packages.resolve().glob("andon*_arm64.deb"))
    names, wanted = [package.name.split("_")[0] for package in packages], DEVICES if options.device else ALL
    require(sorted(names) == sorted(wanted),
            f"{options.packages} has {names or 'no packages for arm64'} and must have {sorted(wanted)}")
    require_emulation()
    require((options.runtime / "libonnxruntime.so.1").exists(), f"{options.runtime} has no ONNX Runtime for arm64")
    with tempfile.TemporaryDirectory(prefix="arm64-", dir=ROOT / "build") as name:
        place = Path(name)
        place.chmod(0o755)
        check_packages(packages, place)
        check_lintian(packages)
        check_same_bytes(packages, options.again)
        check_same_needs(packages, options.beside)
        root = place / "root"
        root.mkdir()
        make_root(root, packages, options.base)
        inspects = BUILT / "andon-inspect" if options.device else root / "usr/bin/andon-inspect"
        check_inference(root, place, inspects)
        if not options.device:
            check_server(root, place)
        check_device(root, place, inspects, (own_runtime(), options.runtime))
    return 0


if __name__ == "__main__":
    sys.exit(main())
