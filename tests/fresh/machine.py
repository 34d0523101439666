# SPDX-License-Identifier: Apache-2.0
"""A machine: a root over a minimal Debian that has systemd, which is its first process, in namespaces and
control groups of its own. Units run as on any machine: their filters, limits, restarts, watchdogs. Needs root."""
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


class Machine:
    """A root over `base`, in namespaces that end with it."""
    NAMESPACES = ("mount", "pid", "net", "uts", "ipc", "cgroup")

    def __init__(self, name, base, place, media, hosts=None, mirror=None):
        """`media`: a directory that is mounted there as /media/andon; `hosts`: address by name; `mirror`: a
        line for apt, of what is no mirror of Debian's."""
        self.name, self.hosts, self.mirror, self.media = name, hosts or {}, mirror, media
        self.root = place / name / "root"
        for part in ("root", "upper", "work"):
            (place / name / part).mkdir(parents=True)
        self.options = (f"lowerdir={base},upperdir={place / name / 'upper'},"
                        f"workdir={place / name / 'work'}")
        self.groups = ControlGroups(name)
        self.init = self.pid = None

    def __enter__(self):
        self.groups.make()
        self.init = subprocess.Popen(
            ["unshare", *(f"--{name}" for name in self.NAMESPACES), "--fork", "--kill-child", "setsid",
             "bash", "-e", "-c", self.boot_script()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, preexec_fn=self.groups.enter)
        if self.init.stdout.readline() != "up\n":
            raise SystemExit(f"machines: {self.name} could not be made")
        self.pid = int(subprocess.run(["pgrep", "-P", str(self.init.pid)], check=True,
                                      capture_output=True, text=True).stdout.split()[0])
        end = time.monotonic() + BOOT_LIMIT_S
        while self.shell("systemctl is-system-running || :").strip() not in ("running", "degraded"):
            if time.monotonic() > end:
                raise SystemExit(f"machines: systemd did not start {self.name} in {BOOT_LIMIT_S} s")
            time.sleep(0.1)
        return self

    def boot_script(self):
        root = self.root
        hosts = {"localhost": "127.0.0.1", self.name: "127.0.1.1", **self.hosts}
        names = "".join(f"{address} {name}\\n" for name, address in hosts.items())
        return "\n".join([
            "mount --make-rprivate /", f"mount -t overlay overlay -o {self.options} {root}",
            f"mount -t proc proc {root}/proc", f"mount -t sysfs sysfs {root}/sys",
            f"mount -t tmpfs tmpfs {root}/run", f"mount -t tmpfs -o mode=1777 tmpfs {root}/tmp",
            f"mount -t tmpfs -o mode=755 tmpfs {root}/dev", f"mkdir {root}/dev/pts {root}/dev/shm",
            *(f"touch {root}/dev/{name}; mount --bind /dev/{name} {root}/dev/{name}" for name in DEVICES),
            f"mount -t devpts -o newinstance,ptmxmode=0666 devpts {root}/dev/pts; ln -s pts/ptmx {root}/dev/ptmx",
            f"mount -t tmpfs -o mode=1777 tmpfs {root}/dev/shm", f"ln -s /proc/self/fd {root}/dev/fd",
            *self.groups.mounts(root),
            f"mkdir -p {root}/media/andon; mount --bind -o ro {self.media} {root}/media/andon",
            f"ip link set lo up; hostname {self.name}; printf '{names}' >{root}/etc/hosts",
            # Without a mirror what is installed comes from what is given alone.
            f"echo '{self.mirror or ''}' >{root}/etc/apt/sources.list; rm -f {root}/etc/apt/apt.conf.d/90host",
            f"rm -rf {root}/var/lib/apt/lists/*; rm -f {root}/etc/resolv.conf",
            f"cd {root}; mkdir -p mnt/host; pivot_root . mnt/host; umount -l /mnt/host", "echo up",
            # Its words go to its journal.
            "exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin "
            "/lib/systemd/systemd --log-target=journal --show-status=no >/dev/null 2>&1"])

    def __exit__(self, *_):
        self.init.kill()  # and with it all that runs in its namespaces
        self.init.wait()
        self.groups.remove()

    def enter(self):
        return ["nsenter", "--target", str(self.pid), *(f"--{name}" for name in self.NAMESPACES),
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

    def property_of(self, unit, name):
        return self.shell(f"systemctl show --value --property={name} {unit}").strip()
