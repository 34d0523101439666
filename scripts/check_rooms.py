#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds every #include of src/ to src/floors.txt. Exits 1 and lists what breaks it."""

import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent / "src"
MOST_FILES = 25
MOST_LINES = 4000
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


class House:
    def __init__(self, text):
        self.floors = {}
        self.rooms = {}
        for line in text.splitlines():
            words = line.split("#")[0].split()
            if words:
                floor, folder, *rooms = words
                self.floors[folder] = int(floor)
                self.rooms[folder] = rooms

    def place(self, path):
        """(folder, room) of a path below src/; room is "" for a file of the folder itself."""
        folder, *inner = path.split("/")[:-1]
        return folder, "/".join(inner)

    def position(self, folder, room):
        return len(self.rooms[folder]) if room == "" else self.rooms[folder].index(room)

    def objection(self, path, included):
        """Why `path` may not include `included`, or None."""
        folder, room = self.place(path)
        other_folder, other_room = self.place(included)
        is_test = path.endswith("_test.cpp") or room == "testing"
        if other_room == "testing" and not is_test:
            return "only tests may include a testing room"
        if folder != other_folder:
            if self.floors[other_folder] < self.floors[folder]:
                return None
            return (f"{folder} (floor {self.floors[folder]}) may not include {other_folder} "
                    f"(floor {self.floors[other_folder]})")
        if is_test or self.position(folder, other_room) <= self.position(folder, room):
            return None
        return f"the room {other_room or 'of the folder itself'} comes after {room}"


def main():
    house = House((SOURCE / "floors.txt").read_text())
    problems = []
    checked = 0
    files, lines = {}, {}
    for file in sorted(SOURCE.rglob("*.[ch]pp")):
        path = file.relative_to(SOURCE).as_posix()
        folder, room = house.place(path)
        if folder not in house.floors or (room and room not in house.rooms[folder]):
            problems.append(f"src/{path}: its room is not in src/floors.txt")
            continue
        text = file.read_text()
        files[folder, room] = files.get((folder, room), 0) + 1
        lines[folder, room] = lines.get((folder, room), 0) + text.count("\n")
        for match in INCLUDE.finditer(text):
            included = match.group(1)
            checked += 1
            if not (SOURCE / included).is_file():
                problems.append(f"src/{path}: no such header: {included}")
                continue
            reason = house.objection(path, included)
            if reason:
                problems.append(f"src/{path} includes {included}: {reason}")
    for place, count in files.items():
        name = "/".join(filter(None, place))
        if count > MOST_FILES:
            problems.append(f"src/{name} has {count} files: at most {MOST_FILES}; make two rooms of it")
        if lines[place] > MOST_LINES:
            problems.append(f"src/{name} has {lines[place]} lines: at most {MOST_LINES}; make two rooms of it")
    print("\n".join(problems + [f"{checked} includes in {len(files)} rooms checked, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
