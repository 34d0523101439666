#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes andon's Debian packages out of a build: usage: build.py [--out DIR] [--repository DIR]

Everything in a package is of the commit and of the build: files have the commit's time, owners are
root, lists are sorted, so that the same programs give the same bytes. Dependencies are what
dpkg-shlibdeps finds; man pages and completions are what the programs say of themselves; each package
has a bill of materials (CycloneDX) and the notices of what was linked into it.
"""
import argparse
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bill
import manual
import repository

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "packaging"
# Nobody's address: who gives packages to others names themselves, as Debian's own tools are told.
NOBODY = ("andon", "nobody@andon.invalid")
MULTIARCH = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
# What runs arm64's programs, for what they say of themselves, where the machine is another (cross.py).
RUNNER = ["qemu-aarch64-static"]
SYSTEMD_PACKAGES = {"andon-server": "andon-server.service", "andon-edge": "andon-edge.service"}

# Names of the packages, in the order in which they are made.
PACKAGES = {
    "andon-server": {
        "summary": "ships vision models to devices: the server",
        "text": "Registry of models, deployments, object store, device plane with mutual TLS and\n"
                "its own certificate authority; configures and supervises a mosquitto of its own\n"
                "on port 8883.",
        "programs": ["andon-server"],
        "private": ["andon-job", "andon-broker.so"],
        "depends": ["adduser", "mosquitto (>= 2.0.11)", "tzdata"],
        "recommends": ["python3"],  # functions are run by it
        "documents": ["operations.md", "install.md", "broker.md"],
        "also": {"andon-server/jobs.conf": "usr/share/doc/andon-server/examples/jobs.conf",
                 "andon-server/no-functions.conf": "usr/share/doc/andon-server/examples/no-functions.conf",
                 "monitoring/alerts.yaml": "usr/share/doc/andon-server/examples/alerts.yaml",
                 "monitoring/dashboard.json": "usr/share/doc/andon-server/examples/dashboard.json"},
        "configuration": "server.yaml",
        "migrations": "server",
        "section": "net",
    },
    "andon-edge": {
        "summary": "ships vision models to devices: the device agent",
        "text": "Carries out deployments with rollback, verifies what it fetched before it runs,\n"
                "supervises components and takes their results to the broker, also after it was\n"
                "offline.",
        "programs": ["andon-edge"],
        "private": ["andon-keeper", "andon-launcher"],
        "own": ["andon-broker.so"],  # andon-server has it, too: both may be on one machine
        "depends": ["adduser"],
        "recommends": ["ca-certificates"],
        # The broker of client devices; keys on tokens and in TPMs.
        "suggests": ["mosquitto (>= 2.0.11)", "tpm2-openssl"],
        "documents": ["agent.md", "operations.md"],
        "scripts": {"andon-edge/enrol": "usr/lib/andon/enrol"},
        "configuration": "edge.yaml",
        "migrations": "edge",
        "section": "net",
    },
    "andon": {
        "summary": "ships vision models to devices: command line and inference",
        "text": "The operator's command line (devices, models, state machines, the demo), the\n"
                "inference program andon-inspect and the example that the demo ships.",
        "programs": ["andon", "andon-inspect"],
        "optional": ["andon-inspect-gstreamer.so", "andon-inspect-modbus.so",
                     "andon-inspect-gpio.so", "andon-inspect-aravis.so"],
        "recommends": ["andon-onnxruntime"],
        "suggests": ["andon-server", "andon-edge", "gstreamer1.0-plugins-base",
                     "gstreamer1.0-plugins-good"],
        "documents": ["inspect.md", "reject.md", "evaluate.md", "optimise.md", "install.md", "edge-deployment.md"],
        "example": "metal-tags",
        "section": "science",
    },
    "andon-onnxruntime": {
        "summary": "ships vision models to devices: ONNX Runtime for inference",
        "text": "Microsoft's own build of ONNX Runtime, as andon was tried with it. Found by\n"
                "andon-inspect and andon, and by the inference component on a device.",
        "runtime": True,
        "section": "libs",
    },
}


def run(*command, **options):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True,
                          **options).stdout


def git(*arguments):
    return run("git", "-C", ROOT, *arguments).strip()


def own_architecture():
    return run("dpkg", "--print-architecture").strip()


def project_version():
    """0.1.0+git20261129132646.bfe4a50: later commits are newer."""
    released = re.search(r"project\(andon VERSION ([\d.]+)",
                         (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
    moment = time.strftime("%Y%m%d%H%M%S", time.gmtime(commit_time()))
    return f"{released}+git{moment}.{git('rev-parse', '--short=10', 'HEAD')}"


def maintainer():
    """Who makes the packages, by the variables that dch and dpkg-buildpackage read."""
    name, address = (os.environ.get(variable) or usual
                     for variable, usual in zip(("DEBFULLNAME", "DEBEMAIL"), NOBODY))
    if not re.fullmatch(r"[^<>@\n]+", name) or not re.fullmatch(r"[^<>@\s]+@[^<>@\s]+", address):
        raise SystemExit("package: DEBFULLNAME must be a name and DEBEMAIL an address: "
                         f"{name!r} and {address!r} are not")
    return f"{name} <{address}>"


def commit_time():
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return int(given) if given else int(git("log", "-1", "--format=%ct"))


def migrations(which):
    """Names of the migrations that a program's databases go through, as its sources have them."""
    folders = {"server": ("src/control", "src/workflow", "src/events", "src/functions", "src/builds",
                          "src/features", "src/store", "src/server"),
               "edge": ("src/edge", )}[which]
    names = set()
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.cpp")):
            text = path.read_text(encoding="utf-8")
            if path.name.endswith("_test.cpp") or not re.search(r"\bmigrate\(|Migration>", text):
                continue
            names.update(re.findall(r'\{"([a-z0-9][a-z0-9 -]*)",\s*(?:R"|k[A-Z]|"[A-Z])', text))
    return sorted(names)


# What debhelper's dh_installsystemd would write.
SYSTEMD = {
    "postinst": """
if [ "$1" = configure ] || [ "$1" = abort-upgrade ]; then
  deb-systemd-helper unmask {unit} >/dev/null || true
  if deb-systemd-helper --quiet was-enabled {unit}; then
    deb-systemd-helper enable {unit} >/dev/null || true
  else
    deb-systemd-helper update-state {unit} >/dev/null || true
  fi
  if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
    if [ -n "$2" ]; then action=restart; else action=start; fi
    deb-systemd-invoke $action {unit} >/dev/null || true
  fi
fi
""",
    "prerm": """
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  deb-systemd-invoke stop {unit} >/dev/null || true
fi
""",
    "postrm": """
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl --system daemon-reload >/dev/null || true
fi
if [ "$1" = purge ] && command -v deb-systemd-helper >/dev/null; then
  deb-systemd-helper purge {unit} >/dev/null || true
  deb-systemd-helper unmask {unit} >/dev/null || true
fi
"""}


class Package:
    """One package on its way: `tree` is what it installs."""

    def __init__(self, name, made):
        self.name = name
        self.facts = PACKAGES[name]
        self.made = made
        self.tree = made.work / name
        self.binaries = []  # ELF files in the tree
        self.tree.mkdir()

    def put(self, source, target, mode=0o644):
        path = self.tree / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
        path.chmod(mode)
        return path

    def write(self, target, text, mode=0o644):
        path = self.tree / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)

    def write_compressed(self, target, text):
        self.write(target + ".gz", gzip.compress(text.encode(), 9, mtime=0))

    def put_binary(self, source, target, mode=0o755):
        path = self.put(source, target, mode)
        kind = ["--strip-unneeded"] if ".so" in path.name else []
        run(self.made.tool("strip"), *kind, "--remove-section=.comment", path)
        self.binaries.append(path)

    def fill(self):
        facts, built = self.facts, self.made.bin
        for program in facts.get("programs", []):
            self.put_binary(built / program, f"usr/bin/{program}")
        for name in facts.get("private", []):
            mode = 0o644 if name.endswith(".so") else 0o755
            self.put_binary(built / name, f"usr/lib/andon/{name}", mode)
        for name in facts.get("own", []):
            self.put_binary(built / name, f"usr/lib/andon/{self.name}/{name}", 0o644)
        for name in facts.get("optional", []):
            if (built / name).exists():
                self.put_binary(built / name, f"usr/lib/andon/{name}", 0o644)
        for source, target in facts.get("scripts", {}).items():
            self.put(HERE / source, target, 0o755)
        for source, target in facts.get("also", {}).items():
            self.put(HERE / source, target)
        if facts.get("runtime"):
            # Components look where the system's linker looks.
            folder = f"usr/lib/{self.made.multiarch}"
            name = f"libonnxruntime.so.{self.made.runtime_version}"
            self.put_binary(self.made.runtime / "libonnxruntime.so.1", f"{folder}/{name}", 0o644)
            (self.tree / folder / "libonnxruntime.so.1").symlink_to(name)
        if self.name in SYSTEMD_PACKAGES:
            unit = SYSTEMD_PACKAGES[self.name]
            self.put(HERE / self.name / unit, f"lib/systemd/system/{unit}")
        if "configuration" in facts:
            name = facts["configuration"]
            self.put(HERE / self.name / name, f"etc/andon/{name}")
        if "example" in facts:
            self.put_example(facts["example"])
        self.put_manuals()
        self.put_documents()

    def put_example(self, name):
        source = ROOT / "examples" / name
        for file in git("ls-files", f"examples/{name}").splitlines():
            path = (ROOT / file).relative_to(source)
            if path.parts[0] not in ("generator", ):
                self.put(ROOT / file, f"usr/share/andon/{name}/{path}")

    def put_manuals(self):
        for program in self.facts.get("programs", []):
            told = manual.Program(self.tree, program, self.made.version, self.made.epoch, self.made.runner)
            self.write_compressed(f"usr/share/man/man1/{program}.1", told.man_page())
            self.write(f"usr/share/bash-completion/completions/{program}", told.completion())

    def put_documents(self):
        folder = f"usr/share/doc/{self.name}"
        for document in self.facts.get("documents", []):
            text = (ROOT / "docs" / document).read_text(encoding="utf-8")
            self.write_compressed(f"{folder}/{document}", text)
        date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(self.made.epoch))
        self.write_compressed(
            f"{folder}/changelog",
            f"{self.name} ({self.made.version}) unstable; urgency=medium\n\n"
            f"  * Built from the commit of this time; its history says what changed.\n\n"
            f" -- {self.made.maintainer}  {date}\n")
        overrides = HERE / self.name / "lintian-overrides"
        if overrides.exists():
            self.put(overrides, f"usr/share/lintian/overrides/{self.name}")
        self.write(f"{folder}/copyright", bill.copyright_of(self))
        self.write(f"{folder}/sbom.cdx.json", bill.of_package(self))
        self.write_compressed(f"{folder}/third-party-notices.txt", bill.notices_of(self))

    def dependencies(self):
        """What dpkg-shlibdeps says, and of modules that are opened on demand apart."""
        on_demand = set(self.facts.get("optional", []))
        needed = [path for path in self.binaries if path.name not in on_demand]
        return self.shlibs(needed), self.shlibs([p for p in self.binaries if p.name in on_demand])

    def shlibs(self, paths):
        if not paths:
            return []
        with tempfile.TemporaryDirectory(dir=self.made.work) as place:
            (Path(place) / "debian").mkdir()
            (Path(place) / "debian/control").write_text(
                f"Source: andon\n\nPackage: {self.name}\nArchitecture: {self.made.architecture}\n")
            environment = {**os.environ, "DEB_HOST_ARCH": self.made.architecture}
            said = run("dpkg-shlibdeps", "-O", *(f"-e{path}" for path in paths), cwd=place, env=environment)
        found = re.search(r"^shlibs:Depends=(.*)$", said, re.MULTILINE)
        return sorted(found.group(1).split(", ")) if found else []

    def control(self):
        depends, on_demand = self.dependencies()
        names = {depend.split()[0] for depend in depends}
        suggests = self.facts.get("suggests", []) + [d for d in on_demand if d.split()[0] not in names]
        size = sum((path.lstat().st_size + 1023) // 1024 if path.is_file() else 1
                   for path in self.tree.rglob("*"))
        fields = [
            ("Package", self.name), ("Source", "andon"), ("Version", self.made.version),
            ("Architecture", self.made.architecture), ("Maintainer", self.made.maintainer),
            ("Installed-Size", str(size)),
            ("Pre-Depends", "init-system-helpers (>= 1.54~)" if self.name in SYSTEMD_PACKAGES else ""),
            ("Depends", ", ".join(depends + self.facts.get("depends", []))),
            ("Recommends", ", ".join(self.facts.get("recommends", []))),
            ("Suggests", ", ".join(suggests)),
            ("Section", self.facts["section"]), ("Priority", "optional"),
            ("Homepage", self.made.homepage)]
        text = "".join(f"{name}: {value}\n" for name, value in fields if value)
        lines = self.facts["text"].split("\n")
        return text + f"Description: {self.facts['summary']}\n" + "".join(f" {line}\n" for line in lines)

    def script(self, name):
        """A maintainer script with its blanks filled in; nothing where there is none."""
        path = HERE / self.name / name
        unit = SYSTEMD_PACKAGES.get(self.name)
        snippet = SYSTEMD.get(name, "").format(unit=unit) if unit else ""
        if path.exists():
            text = path.read_text(encoding="utf-8")
        elif snippet:
            text = "#!/bin/sh\nset -e\n#DEBHELPER#\n"
        else:
            return None
        if "migrations" in self.facts:
            text = text.replace("@MIGRATIONS@", "\n".join(migrations(self.facts["migrations"])))
        return text.replace("@VERSION@", self.made.version).replace("#DEBHELPER#\n", snippet)

    def finish(self, out):
        debian = "DEBIAN"
        control = self.control()  # before DEBIAN is there, which is not installed
        files = sorted(path for path in self.tree.rglob("*") if path.is_file() and not path.is_symlink())
        sums = "".join(run("md5sum", path).split()[0] + f"  {path.relative_to(self.tree)}\n"
                       for path in files if not path.is_relative_to(self.tree / "etc"))
        self.write(f"{debian}/control", control)
        self.write(f"{debian}/md5sums", sums)
        conffiles = [f"/{path.relative_to(self.tree)}\n" for path in files
                     if path.is_relative_to(self.tree / "etc")]
        if conffiles:
            self.write(f"{debian}/conffiles", "".join(conffiles))
        for name in ("preinst", "postinst", "prerm", "postrm"):
            text = self.script(name)
            if text:
                self.write(f"{debian}/{name}", text, 0o755)
        if self.facts.get("runtime"):
            self.write(f"{debian}/triggers", "activate-noawait ldconfig\n")
        for path in [self.tree, *self.tree.rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
            os.utime(path, (self.made.epoch, self.made.epoch), follow_symlinks=False)
        target = out / f"{self.name}_{self.made.version}_{self.made.architecture}.deb"
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(self.made.epoch)}
        run("dpkg-deb", "--root-owner-group", "--threads-max=1", "-Zxz", "--build", self.tree, target,
            env=environment)
        return target


class Making:
    """What all packages of one run have in common."""

    def __init__(self, options, work):
        self.bin = Path(options.bin)
        self.runtime = Path(options.onnxruntime)
        self.runtime_version = (ROOT / "scripts/onnxruntime.version").read_text().strip()
        self.version = options.version or project_version()
        self.epoch = commit_time()
        self.commit = git("rev-parse", "HEAD")
        self.maintainer = maintainer()
        self.homepage = options.homepage
        self.architecture = options.architecture
        self.multiarch = MULTIARCH[options.architecture]
        self.runner = [] if own_architecture() == options.architecture else RUNNER
        self.work = work
        self.root = ROOT

    def tool(self, name):
        return shutil.which(f"{self.multiarch}-{name}") or name


def sizes(packages):
    lines = [f"{'package':<20} {'to fetch':>10} {'installed':>10}"]
    for path in packages:
        installed = int(run("dpkg-deb", "-f", path, "Installed-Size"))
        lines.append(f"{path.name.split('_')[0]:<20} {path.stat().st_size / 1e6:>7.1f} MB "
                     f"{installed * 1024 / 1e6:>7.1f} MB")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=ROOT / "build/packages", help="where the packages go")
    parser.add_argument("--bin", default=ROOT / "build/release/bin", help="the programs")
    parser.add_argument("--onnxruntime", default=os.environ.get("ONNXRUNTIME_ROOT",
                                                                ROOT / "build/onnxruntime"))
    parser.add_argument("--version", help="of the packages, else the project's with the commit's time")
    parser.add_argument("--architecture", default=own_architecture(), choices=list(MULTIARCH),
                        help="another one than this machine's is built by cross.py")
    parser.add_argument("--homepage", metavar="URL", default="",
                        help="where who installs them finds more; their maintainer is DEBFULLNAME and "
                             "DEBEMAIL of the environment")
    parser.add_argument("--only", action="append", choices=list(PACKAGES), help="make this one")
    parser.add_argument("--repository", metavar="DIR", help="also put them into a signed repository")
    parser.add_argument("--key-home", metavar="DIR", default=ROOT / "build/packages-key",
                        help="GnuPG's directory with the repository's key; made where it is not there")
    parser.add_argument("--with-dependencies", action="store_true",
                        help="also put Debian's packages that they need into the repository, for "
                             "devices that reach no mirror")
    options = parser.parse_args()
    os.umask(0o022)
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob(f"andon*_{options.architecture}.deb"):
        old.unlink()
    made = []
    with tempfile.TemporaryDirectory(prefix="andon-packages-") as work:
        making = Making(options, Path(work))
        for name in options.only or PACKAGES:
            package = Package(name, making)
            package.fill()
            made.append(package.finish(out))
            print(made[-1])
    print(sizes(made))
    if options.repository:
        repository.publish(Path(options.repository), made, Path(options.key_home), commit_time(),
                           options.architecture if options.with_dependencies else None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
