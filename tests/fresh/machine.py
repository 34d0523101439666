# SPDX-License-Identifier: Apache-2.0
"""Machines over a minimal Debian: `Root`, whose processes are among this machine's, and `Machine`, with systemd
as its first process, control groups and namespaces of its own, where units run as on any machine: their
filters, limits, restarts, watchdogs. Needs root."""
import os
import re
import subprocess
import time
from pathlib import Path

# What a base must have beside what is minimal: every Debian that boots has it.
PACKAGES = ("systemd",)
LIMIT_S = 900
BOOT_LIMIT_S = 120
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


class ControlGroups:
    """A group in each hierarchy of this machine; what starts in them sees them as their root."""

    def __init__(self, name):
        found = re.findall(r"^(?:\S+ ){4}(\S+) .* - (cgroup2?) \S+ (\S+)$",
                           Path("/proc/self/mountinfo").read_text(encoding="utf-8"), re.MULTILINE)
        # A cpuset would have to be given processors first, and systemd does without.
        self.hierarchies = [(Path(place), kind, options.removeprefix("rw,").removeprefix("ro,"))
                            for place, kind, options in found if "cpuset" not in options]
        self.folders = [place / f"andon-{os.getpid()}-{name}" for place, _, _ in self.hierarchies]

    def make(self):
        for folder in self.folders:
            folder.mkdir()

    def enter(self):
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()), encoding="utf-8")

    def mounts(self, root):
        """Lines of a shell: the hierarchies at the same places below `root`, from the own groups on."""
        lines = []
        if all(kind == "cgroup" or place.parent == Path("/sys/fs/cgroup") for place, kind, _ in self.hierarchies):
            lines.append(f"mount -t tmpfs -o mode=755 tmpfs {root}/sys/fs/cgroup")
        for place, kind, options in self.hierarchies:
            which = f"-o none,{options}" if options.startswith("name=") else f"-o {options}"
            lines.append(f"mkdir -p {root}{place} && mount -t {kind} {which if kind == 'cgroup' else ''} "
                         f"{kind} {root}{place}")
        return lines

    def remove(self):
        """What ran in them has ended, or ends now."""
        for folder in self.folders:
            below = sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True)
            for one in [*below, folder]:
                for _ in range(50):
                    try:
                        one.rmdir()
                        break
                    except FileNotFoundError:
                        break
                    except OSError:
                        time.sleep(0.1)


class Root:
    """A root over `base` in namespaces that end with it, its processes among this machine's."""
    NAMESPACES = ("mount", "net", "uts", "ipc")

    def __init__(self, name, base, place, media, hosts=None):
        """`media`: a directory that is mounted there as /media/andon; `hosts`: address by name."""
        self.name, self.media = name, media
        self.hosts = {"localhost": "127.0.0.1", name: "127.0.1.1", **(hosts or {})}
        self.root = place / name / "root"
        for part in ("root", "upper", "work"):
            (place / name / part).mkdir(parents=True)
        self.options = (f"lowerdir={base},upperdir={place / name / 'upper'},"
                        f"workdir={place / name / 'work'}")
        self.init = self.pid = None

    def __enter__(self):
        self.start()
        return self

    def start(self, before=None):
        self.init = subprocess.Popen(
            ["unshare", *(f"--{name}" for name in self.NAMESPACES), "--fork", "--kill-child", "setsid",
             "bash", "-e", "-c", "\n".join([*self.mounts(), *self.begins()])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, preexec_fn=before)
        if self.init.stdout.readline() != "up\n":
            raise SystemExit(f"machines: {self.name} could not be made")
        self.pid = int(subprocess.run(["pgrep", "-P", str(self.init.pid)], check=True,
                                      capture_output=True, text=True).stdout.split()[0])

    def mounts(self):
        """Lines of a shell that make the root."""
        root = self.root
        names = "".join(f"{address} {name}\\n" for name, address in self.hosts.items())
        return ["mount --make-rprivate /", f"mount -t overlay overlay -o {self.options} {root}",
                f"mount -t proc proc {root}/proc", f"mount -t tmpfs tmpfs {root}/run",
                f"mkdir -p {root}/media/andon; mount --bind -o ro {self.media} {root}/media/andon",
                f"ip link set lo up; hostname {self.name}; printf '{names}' >{root}/etc/hosts",
                f"rm -f {root}/etc/resolv.conf"]

    def begins(self):
        return [f"mount --rbind /dev {self.root}/dev", "echo up", "while :; do sleep 0.2; done"]

    def __exit__(self, *_):
        self.init.kill()  # and with it all that runs in its namespaces
        self.init.wait()

    def way_in(self):
        return ["chroot", str(self.root)]

    def enter(self):
        return ["nsenter", "--target", str(self.pid), *(f"--{name}" for name in self.NAMESPACES), *self.way_in(),
                "env", "-i", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb",
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


class Machine(Root):
    """With processes, control groups and a systemd of its own."""
    NAMESPACES = ("mount", "pid", "net", "uts", "ipc", "cgroup")

    def __init__(self, name, base, place, media, hosts=None, mirror=None):
        """`mirror`: a line for apt, of what is no mirror of Debian's."""
        super().__init__(name, base, place, media, hosts)
        self.mirror = mirror
        self.groups = ControlGroups(name)

    def __enter__(self):
        self.groups.make()
        self.start(self.groups.enter)
        end = time.monotonic() + BOOT_LIMIT_S
        while self.shell("systemctl is-system-running || :").strip() not in ("running", "degraded"):
            if time.monotonic() > end:
                raise SystemExit(f"machines: systemd did not start {self.name} in {BOOT_LIMIT_S} s")
            time.sleep(0.1)
        return self

    def begins(self):
        root = self.root
        return [
            f"mount -t sysfs sysfs {root}/sys; mount -t tmpfs -o mode=1777 tmpfs {root}/tmp",
            f"mount -t tmpfs -o mode=755 tmpfs {root}/dev", f"mkdir {root}/dev/pts {root}/dev/shm",
            *(f"touch {root}/dev/{name}; mount --bind /dev/{name} {root}/dev/{name}" for name in DEVICES),
            f"mount -t devpts -o newinstance,ptmxmode=0666 devpts {root}/dev/pts; ln -s pts/ptmx {root}/dev/ptmx",
            f"mount -t tmpfs -o mode=1777 tmpfs {root}/dev/shm", f"ln -s /proc/self/fd {root}/dev/fd",
            *self.groups.mounts(root),
            # Without a mirror what is installed comes from what is given alone.
            f"echo '{self.mirror or ''}' >{root}/etc/apt/sources.list; rm -f {root}/etc/apt/apt.conf.d/90host",
            f"rm -rf {root}/var/lib/apt/lists/*",
            f"cd {root}; mkdir -p mnt/host; pivot_root . mnt/host; umount -l /mnt/host", "echo up",
            # Its words go to its journal.
            "exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin "
            "/lib/systemd/systemd --log-target=journal --show-status=no >/dev/null 2>&1"]

    def __exit__(self, *_):
        super().__exit__()
        self.groups.remove()

    def way_in(self):
        return []

    def property_of(self, unit, name):
        return self.shell(f"systemctl show --value --property={name} {unit}").strip()
