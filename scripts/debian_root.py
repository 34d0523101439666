# SPDX-License-Identifier: Apache-2.0
"""A root file system of a fresh Debian, and programs in it. Needs root.

Of this machine it takes the mirror and apt's settings, pip's settings, further certificates, and
the compiler's cache where there is one; so it works behind proxies and mirrors, too."""
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

RELEASE = "bookworm"


def say(text):
    print(f"==> {text}", flush=True)


def host_mirrors():
    """deb lines of this machine's own mirrors for the release, or Debian's default mirror."""
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT) $(ORIGIN)",
         "Created-By: Packages"], capture_output=True, text=True, check=False).stdout
    wanted = []
    for line in targets.splitlines():
        site, release, component, origin = (line.split() + ["", "", "", ""])[:4]
        if release.startswith(RELEASE) and component == "main" and origin in ("Debian", ""):
            entry = f"deb {site} {release} main"
            if entry not in wanted:
                wanted.append(entry)
    base = next((entry.split()[1] for entry in wanted if entry.split()[2] == RELEASE), None)
    return base, wanted


def copy_settings(root):
    """What lets this machine reach packages: it must hold in the fresh one too."""
    settings = subprocess.run(["apt-config", "dump"], capture_output=True, text=True,
                              check=True).stdout
    kept = [line for line in settings.splitlines()
            if re.match(r"Acquire::(http|https|Check-|Retries|ForceIPv4|ForceIPv6)", line)]
    (root / "etc/apt/apt.conf.d/90host").write_text("\n".join(kept) + "\n")
    for source, target in ((Path("/etc/pip.conf"), "etc/pip.conf"),
                           (Path.home() / ".config/pip/pip.conf", "root/.config/pip/pip.conf"),
                           (Path("/etc/resolv.conf"), "etc/resolv.conf"),
                           (Path("/etc/hosts"), "etc/hosts")):
        if source.is_file():
            (root / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, root / target)
    certificates = Path("/usr/local/share/ca-certificates")
    if certificates.is_dir():  # taken in when ca-certificates is installed
        shutil.copytree(certificates, root / "usr/local/share/ca-certificates", dirs_exist_ok=True)


def environment():
    """Nothing of this machine's but what its network wants."""
    kept = {name: value for name, value in os.environ.items()
            if name.lower() in ("http_proxy", "https_proxy", "no_proxy")
            or (name.startswith("PIP_") and name != "PIP_FIND_LINKS")}
    return {"HOME": "/root", "LANG": "C.UTF-8", "TERM": "dumb",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **kept}


def make(root, packages=("git",)):
    """With `packages` beside what every Debian has."""
    base, mirrors = host_mirrors()
    say(f"Making a fresh Debian ({RELEASE}) in {root}")
    started = time.monotonic()
    made = subprocess.run(["debootstrap", "--variant=minbase", f"--include={','.join(packages)}",
                           RELEASE, str(root),
                           *([base] if base else [])], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        sys.exit(f"debootstrap failed:\n{made.stdout[-3000:]}{made.stderr}")
    if mirrors:
        (root / "etc/apt/sources.list").write_text("\n".join(mirrors) + "\n")
    copy_settings(root)
    # A root that a power failure damages is made anew: nothing needs syncing file by file.
    (root / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")
    say(f"It took {time.monotonic() - started:.0f} s")


def compiler_cache():
    directory = os.environ.get("CCACHE_DIR") or Path.home() / ".cache" / "ccache"
    return Path(directory) if Path(directory).is_dir() else None


def compiler_cache_settings():
    """For ccache in a root: without a word it would cut the cache down to the size that is usual."""
    if not shutil.which("ccache"):
        return {}
    size = subprocess.run(["ccache", "--get-config", "max_size"], capture_output=True, text=True, check=False).stdout
    return {"CCACHE_MAXSIZE": size.strip().replace(" ", "").removesuffix("B")} if size.strip() else {}


class Network:
    """A network of its own until its block ends, whose way out is this machine's by slirp4netns: no
    port is taken there, whatever runs here. In it this machine's loopback is at HERE."""
    HERE, NAMES = "10.0.2.2", "10.0.2.3"
    LOOPBACK = r"(?<=://)(127\.0\.0\.1|localhost)\b"  # of a proxy or a mirror

    @staticmethod
    def is_possible():
        """Not in a container that was given no such device."""
        return Path("/dev/net/tun").exists()

    def __enter__(self):
        self.holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo up; exec sleep infinity"], stdout=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "up\n":
            sys.exit("a network of its own could not be made: this needs root")
        ready, told = os.pipe()
        self.way_out = subprocess.Popen(
            ["slirp4netns", "--configure", "--mtu=65520", f"--ready-fd={told}", str(self.holder.pid), "tap0"],
            pass_fds=(told, ), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        os.close(told)
        is_ready = os.read(ready, 1)
        os.close(ready)
        if not is_ready:
            sys.exit(f"slirp4netns ended: {self.way_out.communicate()[1]}")
        return self

    def __exit__(self, *_):
        for process in (self.way_out, self.holder):
            process.kill()
            process.wait()

    def let_in(self, root):
        """What a root says of proxies, mirrors and names holds in here."""
        for name in ("etc/apt/apt.conf.d/90host", "etc/apt/sources.list", "etc/pip.conf",
                     "root/.config/pip/pip.conf"):
            if (root / name).is_file():
                (root / name).write_text(self.seen((root / name).read_text()))
        (root / "etc/resolv.conf").write_text(f"nameserver {self.NAMES}\n")

    def seen(self, text):
        """What names a proxy or a mirror on this machine's loopback, as it is reached from in here."""
        return re.sub(self.LOOPBACK, self.HERE, text)

    def entry(self):
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]


def enter(root, command, binds, limit_s, network=None):
    """Exit code of a line for its bash, with directories of this machine bound into it (`binds`:
    where each lies in there), in this machine's network or in `network`. Its namespaces end with it,
    and so does what it left running."""
    # Itself a mount, as any system's root: what makes namespaces in there asks for that.
    mounts = ["mount --make-rprivate /", f"mount --bind {root} {root}", f"mount -t proc proc {root}/proc",
              f"mount --rbind /dev {root}/dev", f"mount -t tmpfs tmpfs {root}/run"]
    for outside, inside in binds.items():
        place = root / str(inside).lstrip("/")
        place.mkdir(parents=True, exist_ok=True)
        mounts.append(f"mount --bind {shlex.quote(str(outside))} {shlex.quote(str(place))}")
    variables = [f"{name}={value}" for name, value in {**environment(), **compiler_cache_settings()}.items()]
    if network:
        variables = [network.seen(variable) for variable in variables]
    entry = shlex.join(["chroot", str(root), "env", "-i", *variables, "bash", "-c", command])
    return subprocess.run(
        [*(network.entry() if network else []), "timeout", "--kill-after=10", str(limit_s),
         "unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--",
         "bash", "-c", " && ".join([*mounts, entry])],
        stdin=subprocess.DEVNULL, check=False).returncode
