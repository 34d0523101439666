# SPDX-License-Identifier: Apache-2.0
"""A signed repository of packages as a directory, which any web server serves, or andon-server."""
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

KEY_NAME = "andon packages"
ARCHITECTURES = ("amd64", "arm64")
RELEASE = {"Origin": "andon", "Label": "andon", "Suite": "stable", "Codename": "stable",
           "Components": "main", "Architectures": " ".join(ARCHITECTURES)}
KEY_FILE = "andon.gpg"  # the public key: andon-server's `andon device add` puts it into its line


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"package: {command[0]} failed: {done.stderr.decode(errors='replace')}")
    return done.stdout


def gpg(home, *arguments, **options):
    return run("gpg", "--homedir", home, "--batch", "--quiet", "--no-tty", *arguments, **options)


def require_key(home):
    """An Ed25519 key that only signs, short enough for a line; who has it can make packages."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.chmod(0o700)
    if not gpg(home, "--list-secret-keys", "--with-colons"):
        gpg(home, "--passphrase", "", "--quick-generate-key", KEY_NAME, "ed25519", "sign", "never")


def write_atomically(path, content):
    new = path.with_name("." + path.name + ".new")
    new.write_bytes(content)
    new.chmod(0o644)
    os.replace(new, path)


def minimal_status(architecture):
    """What every Debian of an architecture has, out of this machine's, which may be of another:
    packages that are required, and what they need."""
    stanzas = {}
    for stanza in Path("/var/lib/dpkg/status").read_text(encoding="utf-8").split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): ?(.*)$", stanza, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            stanzas[fields["Package"]] = (stanza, fields)
    wanted = [name for name, (_, fields) in stanzas.items() if fields.get("Essential") == "yes" or
              fields.get("Priority") == "required"]
    kept = set()
    while wanted:
        name = wanted.pop()
        if name in kept or name not in stanzas:
            continue
        kept.add(name)
        fields = stanzas[name][1]
        needs = ",".join(fields.get(kind, "") for kind in ("Depends", "Pre-Depends"))
        for need in filter(None, (need.strip() for need in needs.split(","))):
            names = [re.split(r"[ :(]", other.strip())[0] for other in need.split("|")]
            wanted += [name for name in names if name in stanzas][:1]
    return "\n\n".join(re.sub(r"^Architecture: (?!all$).*$", f"Architecture: {architecture}",
                              stanzas[name][0], flags=re.MULTILINE) for name in sorted(kept)) + "\n"


def recommended(packages):
    """What the packages recommend of Debian: what they do less without."""
    names = set()
    for path in packages:
        said = run("dpkg-deb", "-f", path, "Recommends").decode()
        names.update(re.split(r"[ :(|]", one.strip())[0] for one in said.split(",") if one.strip())
    return sorted(name for name in names if not name.startswith("andon"))


def closure(packages, into, architecture):
    """Fetches what the packages need and recommend beside a minimal Debian, as this machine's apt
    has it."""
    with tempfile.TemporaryDirectory() as place:
        status = Path(place) / "status"
        status.write_text(minimal_status(architecture), encoding="utf-8")
        names = [*(str(path.resolve()) for path in packages), *recommended(packages)]
        listed = run("apt-get", "-o", f"APT::Architecture={architecture}",
                     "-o", f"APT::Architectures::={architecture}", "-o", f"Dir::State::status={status}",
                     "-o", "Debug::NoLocking=1",
                     "-qq", "--no-install-recommends", "--print-uris", "install", *names).decode()
        wanted = []
        for line in listed.splitlines():
            if not line.startswith("'") or line.startswith("'file:"):
                continue
            file = line.split()[1]  # libssl3_3.0.17-1_amd64.deb, an epoch's colon as %3a
            package, version, kind = file.removesuffix(".deb").replace("%3a", ":").split("_")
            if package.startswith("andon") or (into / file.replace("%3a", ".")).exists():
                continue
            wanted.append(f"{package}{'' if kind == 'all' else ':' + kind}={version}")
        if wanted:
            run("apt-get", "-qq", "download", *wanted, cwd=into)


def publish(directory, packages, home, epoch, dependencies_of):
    """`dependencies_of`: the architecture for which Debian's packages come along; None: they do not."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    pool = directory / "pool"
    pool.mkdir(exist_ok=True)
    for path in packages:
        write_atomically(pool / path.name, path.read_bytes())
    if dependencies_of:
        fetched = directory / "debian"
        fetched.mkdir(exist_ok=True)
        closure(packages, fetched, dependencies_of)
        for path in fetched.glob("*.deb"):
            # apt's own names have a % before an epoch; a path is easier without.
            plain = path.with_name(path.name.replace("%3a", "."))
            path.rename(plain)
            plain.chmod(0o644)
    sections = [section for section in ("pool", "debian") if (directory / section).is_dir()]
    dist = directory / "dists" / "stable"
    with tempfile.TemporaryDirectory() as place:  # the Release file names what is in here alone
        for architecture in ARCHITECTURES:
            folder = Path("main") / f"binary-{architecture}"
            (Path(place) / folder).mkdir(parents=True)
            listing = b"".join(run("apt-ftparchive", "--arch", architecture, "packages", section,
                                   cwd=directory) for section in sections)
            (Path(place) / folder / "Packages").write_bytes(listing)
            (Path(place) / folder / "Packages.xz").write_bytes(
                run("xz", "-9", "-T1", "-c", input=listing))
        release = run("apt-ftparchive", *(
            word for name, value in RELEASE.items()
            for word in ("-o", f"APT::FTPArchive::Release::{name}={value}")), "release", ".", cwd=place)
        for path in sorted(Path(place).rglob("Packages*")):
            target = dist / path.relative_to(place)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, path.read_bytes())
    date = time.strftime("%a, %d %b %Y %H:%M:%S UTC", time.gmtime(epoch))
    lines = [f"Date: {date}".encode() if line.startswith(b"Date:") else line
             for line in release.splitlines()]
    require_key(home)
    write_atomically(directory / KEY_FILE, gpg(home, "--export"))
    # The signed one last: apt reads it first, and what it names is there.
    write_atomically(dist / "InRelease",
                     gpg(home, "--clear-sign", input=b"\n".join(lines) + b"\n"))
    print(f"{directory}: deb [signed-by=/etc/apt/keyrings/{KEY_FILE}] "
          "https://HOST:8443/packages/ stable main")
