# SPDX-License-Identifier: Apache-2.0
"""The test's side of faulty_world.cpp: turns the clock of a program, fills its disk, cuts the power.

The cut is a simulation. It keeps what was fsynced, as POSIX promises it: the content of each file at
its last sync, the names of each directory at its last sync, and nothing else. A real disk also
keeps any part of what was not synced: `cut(random)` draws, for each block of 4096 bytes and each
list of names, whether the newer state had reached the disk. Not simulated: a disk that lies
about a sync, sectors that are torn inside of a block, a file system that is damaged itself.
"""
import ctypes
import os
import shutil
import stat
import struct
from pathlib import Path

from harness import program

BLOCK = 4096


class _Statx(ctypes.Structure):
    _fields_ = [("head", ctypes.c_uint8 * 32), ("ino", ctypes.c_uint64),
                ("middle", ctypes.c_uint8 * 40), ("btime_s", ctypes.c_int64),
                ("btime_ns", ctypes.c_uint32), ("tail", ctypes.c_uint8 * 164)]


def key_of(path):
    """As faulty_world.cpp names a file: its inode and its time of birth."""
    found = _Statx()
    libc = ctypes.CDLL(None, use_errno=True)
    at_fdcwd, symlink_nofollow, ino_and_btime = -100, 0x100, 0x100 | 0x800
    if libc.statx(at_fdcwd, os.fsencode(path), symlink_nofollow, ino_and_btime,
                  ctypes.byref(found)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))
    return f"{found.ino}-{found.btime_s}.{found.btime_ns}"


class World:
    """What a program that is started with `environment()` takes for the world; `root` is the
    directory that has a disk of its own, `own` one for the files of this object."""

    def __init__(self, root, own, watches_syncs=False):
        self.root, self.own = Path(root), Path(own)
        self.own.mkdir(parents=True)
        self.control = self.own / "control"
        self.control.write_bytes(struct.pack("qqqq", 0, -1, 0, -1))
        self.synced = self.own / "synced" if watches_syncs else None
        if watches_syncs:
            self.sync_all()

    def environment(self):
        more = {"ANDON_WORLD_SYNCED": str(self.synced)} if self.synced else {}
        return {**os.environ, "LD_PRELOAD": program("faulty_world.so"),
                "ANDON_WORLD_CONTROL": str(self.control), "ANDON_WORLD_ROOT": str(self.root), **more}

    def _set(self, index, value):
        with open(self.control, "r+b") as file:
            file.seek(8 * index)
            file.write(struct.pack("q", int(value)))

    def _get(self, index):
        return struct.unpack_from("q", self.control.read_bytes(), 8 * index)[0]

    def set_clock_off(self, seconds):
        self._set(0, seconds * 1_000_000_000)

    def fill(self, after_writes=0):
        """The disk has room for so many writes more."""
        self._set(2, 0)
        self._set(1, after_writes)

    def free(self):
        self._set(1, -1)

    def die_before_change(self, number):
        """The program is killed before this change below the root, the first being 0; None: never."""
        self._set(3, -1 if number is None else number)

    @property
    def writes_seen(self):
        return self._get(2)

    # --- the power -------------------------------------------------------------------------------

    def sync_all(self):
        """As sync(1): all that is there now survives."""
        shutil.rmtree(self.synced, ignore_errors=True)
        self.synced.mkdir()
        for directory, _, files in os.walk(self.root):
            (self.synced / key_of(directory)).write_bytes(self._listing(Path(directory)))
            for name in files:
                path = Path(directory) / name
                if stat.S_ISREG(path.lstat().st_mode):
                    shutil.copyfile(path, self.synced / key_of(path))

    @staticmethod
    def _listing(directory):
        parts = []
        for name in os.listdir(directory):
            path = directory / name
            status = path.lstat()
            target = os.readlink(path) if stat.S_ISLNK(status.st_mode) else ""
            parts += [name, key_of(path), str(status.st_mode), str(status.st_uid),
                      str(status.st_gid), target]
        return b"".join(os.fsencode(part) + b"\0" for part in parts)

    def cut(self, random=None):
        """The programs are killed already: `root` becomes what the disk has of it."""
        live = self.own / "live"
        shutil.rmtree(live, ignore_errors=True)
        lists, contents = {}, {}
        for directory, _, files in os.walk(self.root):
            lists[key_of(directory)] = self._listing(Path(directory))
            for name in files:
                path = Path(directory) / name
                if stat.S_ISREG(path.lstat().st_mode):
                    contents[key_of(path)] = path
        root_key = key_of(self.root)
        self.root.rename(live)  # the inodes stay, so that none is used again
        contents = {key: live / path.relative_to(self.root) for key, path in contents.items()}
        self._rebuild(self.root, root_key, live.stat(), lists, contents, random, {})
        shutil.rmtree(live)
        self.sync_all()

    def _rebuild(self, path, key, status, lists, contents, random, made):
        path.mkdir(mode=stat.S_IMODE(status.st_mode), exist_ok=False)
        path.chmod(stat.S_IMODE(status.st_mode))
        os.chown(path, status.st_uid, status.st_gid)
        saved = self.synced / key
        listing = saved.read_bytes() if saved.exists() else b""
        if random and random.random() < 0.5:
            listing = lists.get(key, listing)
        parts = [os.fsdecode(part) for part in listing.split(b"\0")[:-1]]
        for name, child, mode, user, group, target in zip(*[iter(parts)] * 6):
            at, mode = path / name, int(mode)
            if stat.S_ISDIR(mode):
                found = os.stat_result((mode, 0, 0, 1, int(user), int(group), 0, 0, 0, 0))
                self._rebuild(at, child, found, lists, contents, random, made)
            elif stat.S_ISLNK(mode):
                at.symlink_to(target)
            elif stat.S_ISREG(mode):
                if child in made:
                    os.link(made[child], at)
                    continue
                made[child] = at
                at.write_bytes(self._content(child, contents, random))
                os.chown(at, int(user), int(group))
                at.chmod(stat.S_IMODE(mode))

    def _content(self, key, contents, random):
        saved = self.synced / key
        synced = saved.read_bytes() if saved.exists() else b""
        if not random or key not in contents:
            return synced
        live = contents[key].read_bytes()
        size = random.choice((len(synced), len(live)))
        blocks = []
        for at in range(0, size, BLOCK):
            newer, older = live[at:at + BLOCK], synced[at:at + BLOCK]
            chosen = random.choice((newer, older)) or newer or older
            blocks.append(chosen.ljust(min(BLOCK, size - at), b"\0")[:size - at])
        return b"".join(blocks)
