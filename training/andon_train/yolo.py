# SPDX-License-Identifier: Apache-2.0
"""YOLO's labels, with the checks that `andon model eval` makes (src/evaluate/labels/yolo.cpp).

Both readers take and refuse the same: tests/data/yolo.json is their one table of cases. Needs
nothing but Python, and so no data.yaml: classes.txt names the classes.
"""
import re

from .errors import DataError
from .labels import BORDER_TOLERANCE, Category, LabelledImage, Labels, Truth, _Oddity

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")
MAX_BYTES = 16 << 20
MAX_ROWS = 100_000
MAX_CLASSES = 10_000
TOLERANCE = 0.01  # as Ultralytics has it
NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def is_set(directory):
    return (directory / "labels").is_dir() and not (directory / "annotations.json").exists()


def _read(path, what):
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; {what}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    return content.decode("utf-8", "replace").removeprefix("\ufeff")


def classes(directory):
    path = directory / "classes.txt"
    if not path.exists():
        path = directory / "labels" / "classes.txt"
    text = _read(path, "it names the classes of YOLO's labels, a line each")
    names = [line.strip(" \t\r") for line in text.split("\n") if line.strip(" \t\r")]
    if not names or len(names) > MAX_CLASSES or len(set(names)) < len(names):
        raise DataError(f"{path} must name 1 to {MAX_CLASSES} classes, a line each and none twice")
    return [Category(i, name) for i, name in enumerate(names)]


def pictures(directory):
    """The pictures below images/, by path, each with its label file. Hidden ones are left out."""
    images = directory / "images"
    found = sorted(path for path in images.rglob("*")
                   if path.suffix.lower() in PICTURES and path.is_file()
                   and not any(part.startswith(".") for part in path.relative_to(images).parts))
    if not found:
        raise DataError(f"{images} holds no pictures")
    return [(path, (directory / "labels" / path.relative_to(images)).with_suffix(".txt"))
            for path in found]


class Reader:
    """Reads the label files of a set; counts what is odd in them."""

    def __init__(self, categories, problems):
        self.categories = categories
        self.problems = problems
        self.without_area, self.over_border, self.doubled = _Oddity(), _Oddity(), _Oddity()

    def truths(self, path, size):
        """The objects of a picture of this size, in pixels."""
        if not path.exists():
            return []
        text = _read(path, "")
        rows = [(i, line.strip(" \t\r")) for i, line in enumerate(text.split("\n"), 1)
                if line.strip(" \t\r")]
        if len(text) > MAX_BYTES or len(rows) > MAX_ROWS:
            raise DataError(f"{path}: it is too large")
        seen, found = set(), []
        for number, line in rows:
            place = f"{path}:{number}"
            try:
                category, parts = self._row(line)
            except ValueError as error:
                self.problems.report(place, error)
                continue
            if line in seen:
                self.doubled.note(place)
                continue
            seen.add(line)
            found.append(self._truth(place, category, parts, size))
        return found

    def _row(self, line):
        word, *words = re.split(r"[ \t,\r]+", line.strip(","))
        if not NUMBER.fullmatch(word) or float(word) < 0 or not float(word).is_integer():
            raise ValueError(f"'{word[:40]}' is no class; a row is CLASS X Y WIDTH HEIGHT")
        if float(word) >= len(self.categories):
            raise ValueError(f"there is no class {word}; there are {len(self.categories)}, from 0")
        for text in words:
            if not NUMBER.fullmatch(text):
                raise ValueError(f"'{text[:40]}' is no number")
        values = [float(text) for text in words]
        if len(values) == 5:
            raise ValueError("5 values stand behind the class: a detection with its confidence is "
                             "no label")
        if len(values) < 4 or len(values) % 2:
            raise ValueError(f"{len(values)} values stand behind the class, not 4 of a box or "
                             "pairs of an outline (6 or more)")
        if len(values) == 4 and min(values[2:]) < 0:
            raise ValueError(f"the size is negative ({values[2]:g} x {values[3]:g})")
        for value in values:
            if not -TOLERANCE <= value <= 1 + TOLERANCE:
                raise ValueError(f"{value:g} is not within 0 and 1; coordinates are parts of the "
                                 "picture's width and height")
        category = self.categories[int(float(word))]
        if len(values) == 4:
            x, y, width, height = values
            return category, (x - width / 2, y - height / 2, width, height)
        across, down = values[::2], values[1::2]
        return category, (min(across), min(down), max(across) - min(across), max(down) - min(down))

    def _truth(self, place, category, parts, size):
        width, height = size
        box = parts[0] * width, parts[1] * height, parts[2] * width, parts[3] * height
        if not box[2] * box[3] > 0:
            self.without_area.note(place)
        if (min(box[0], box[1]) < -BORDER_TOLERANCE or box[0] + box[2] > width + BORDER_TOLERANCE
                or box[1] + box[3] > height + BORDER_TOLERANCE):
            self.over_border.note(place)
        return Truth(place, category, box, False)

    def warnings(self):
        told = []
        self.without_area.tell(told, "boxes have no area and can never be found")
        self.over_border.tell(told, "boxes reach over the border of their picture")
        self.doubled.tell(told, "rows are in their file twice and count once")
        return told


def images(directory, problems, size_of):
    """A set as labels.read() gives one. `size_of` tells a picture's width and height."""
    directory_classes = classes(directory)
    reader = Reader(directory_classes, problems)
    found = pictures(directory)
    if not any(labels.exists() for _, labels in found):
        raise DataError(f"{directory}: none of its {len(found)} pictures has a label file; that of "
                        f"{found[0][0]} would be {found[0][1]}")
    entries = []
    for number, (path, labels) in enumerate(found, 1):
        try:
            size = size_of(path)
        except DataError as error:
            problems.report(str(path), error)
            continue
        name = str(path.relative_to(directory / "images"))
        entries.append(LabelledImage(str(path), number, name, size, reader.truths(labels, size)))
    return Labels(directory_classes, entries, reader.warnings())
