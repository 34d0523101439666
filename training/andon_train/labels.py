# SPDX-License-Identifier: Apache-2.0
"""COCO's annotations, with the checks that `andon model eval` makes (src/evaluate/labels).

Both readers take and refuse the same: tests/data/labels.json is their one table of cases. Needs
nothing but Python.
"""
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from .errors import DataError

SECTIONS = ("images", "annotations", "categories")
MAX_DEPTH = 32          # of the document
MAX_TEXT = 4096         # bytes of a name
MAX_SIDE = 1 << 20      # pixels
MAX_COORDINATE = 1e9
MAX_DIGITS = 400        # of a number that is read exactly
BORDER_TOLERANCE = 1.0  # labels are often rounded outwards


@dataclass
class Category:
    id: int
    name: str


@dataclass
class Truth:
    place: str
    category: Category
    box: tuple       # x, y, width, height in pixels
    is_crowd: bool   # a region of many: neither right nor wrong


@dataclass
class LabelledImage:
    place: str
    id: int
    file_name: str
    size: tuple      # width, height; None where the labels do not say
    truths: list = field(default_factory=list)


@dataclass
class Labels:
    categories: list  # by id
    images: list      # by id
    warnings: list    # what is odd and was kept


class _Wrong(Exception):
    """A record that cannot be used: its member and the cause."""


def _refuse_constant(text):
    raise ValueError(f"{text} is no number in JSON")


def _whole_number(text):
    return int(text) if len(text) <= MAX_DIGITS else float(text)


def _no_section_twice(pairs):
    members = dict(pairs)
    if len(members) < len(pairs):
        for section in SECTIONS:
            if sum(key == section for key, _ in pairs) > 1:
                raise DataError(f'has "{section}" twice')
    return members


def _has_half_a_pair(text):
    """A \\ud800 without its other half is no character."""
    if "\\ud" not in text.lower():
        return False
    high = False
    for escape in re.finditer(r"\\(?:u([0-9a-fA-F]{4})|.)", text, re.DOTALL):
        code = int(escape[1], 16) if escape[1] else 0
        follows = high and escape.start() == end
        if 0xDC00 <= code < 0xE000:
            if not follows:
                return True
            high = False
            continue
        if high:
            return True
        high, end = 0xD800 <= code < 0xDC00, escape.end()
    return high


def _is_too_deep(document):
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [inner for value in level
                 for inner in (value.values() if isinstance(value, dict) else value)
                 if isinstance(inner, (dict, list))]
        if not level:
            return False
    return True


def _read_json(content, name):
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{name}:{line}: not valid JSON: byte {error.start} is not UTF-8") from None
    text = text.removeprefix("\ufeff")
    try:
        document = json.loads(text, parse_constant=_refuse_constant, parse_int=_whole_number,
                              object_pairs_hook=_no_section_twice)
    except json.JSONDecodeError as error:
        raise DataError(f"{name}:{error.lineno}: not valid JSON: {error.msg}") from None
    except ValueError as error:
        raise DataError(f"{name}: not valid JSON: {error}") from None
    except RecursionError:
        raise DataError(f"{name}: not valid JSON: it is too deep") from None
    except DataError as error:
        raise DataError(f"{name} {error}") from None
    if _has_half_a_pair(text):
        raise DataError(f"{name}: not valid JSON: a text has half a pair of surrogates")
    return document


def _sections(document, name):
    if not isinstance(document, dict):
        raise DataError(f"{name} is not COCO's annotations: it is not an object")
    for section in SECTIONS:
        if section not in document:
            raise DataError(f'{name} is not COCO\'s annotations: it has no "{section}"')
        if not isinstance(document[section], list):
            raise DataError(f"{name} is not COCO's annotations: {section} is not a list")
        for i, entry in enumerate(document[section]):
            if not isinstance(entry, dict):
                raise DataError(f"{name}: {section}[{i}] is not an object")
    if _is_too_deep(document):
        raise DataError(f"{name}: not valid JSON: it is too deep")
    return [document[section] for section in SECTIONS]


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _whole(record, member):
    value = record.get(member)
    if value is None:
        raise _Wrong(member, "is missing")
    if _is_number(value):
        if isinstance(value, int) and -2**63 <= value < 2**63:
            return value
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            return int(value)
    raise _Wrong(member, "must be a whole number")


def _text(record, member):
    value = record.get(member)
    if value is None:
        raise _Wrong(member, "is missing")
    if not isinstance(value, str) or not value or len(value.encode()) > MAX_TEXT:
        raise _Wrong(member, "must be a text of sensible length")
    return value


def _side(record, member):
    if record.get(member) is None:
        return 0
    try:
        value = _whole(record, member)
    except _Wrong:
        value = 0
    if not 1 <= value <= MAX_SIDE:
        raise _Wrong(member, f"must be a whole number from 1 to {MAX_SIDE}")
    return value


def _box(record):
    value = record.get("bbox")
    if value is None:
        raise _Wrong("bbox", "is missing")
    if not isinstance(value, list) or len(value) != 4 or not all(map(_is_number, value)):
        raise _Wrong("bbox", "must be [x, y, width, height]")
    for number in value:
        if not abs(number) <= MAX_COORDINATE:
            raise _Wrong("bbox", f"{number} is no coordinate")
    x, y, width, height = map(float, value)
    if width < 0 or height < 0:
        raise _Wrong("bbox", f"the size is negative ({width:g} x {height:g}); it must be "
                             "[x, y, width, height]")
    return x, y, width, height


def _is_crowd(record):
    area = record.get("area")
    if area is not None and not (_is_number(area) and area >= 0 and math.isfinite(area)):
        raise _Wrong("area", "must be a number, 0 or more")
    crowd = record.get("iscrowd")
    if crowd is not None and not (isinstance(crowd, (int, float)) and crowd in (0, 1)):
        raise _Wrong("iscrowd", "must be 0 or 1")
    return bool(crowd)


def _leaves_folder(file_name):
    path = PurePosixPath(file_name)
    return (path.is_absolute() or ".." in path.parts
            or any(character < " " for character in file_name))


class _Oddity:
    """Counts what is odd, and remembers where it was first."""

    def __init__(self):
        self.count = 0
        self.first = ""

    def note(self, place):
        self.first = self.first or place
        self.count += 1

    def tell(self, warnings, what):
        if self.count:
            warnings.append(f"{self.count} {what} (first: {self.first})")


class _Reader:
    def __init__(self, name, problems):
        self.name = name
        self.problems = problems
        self.images = {}
        self.categories = {}
        self.without_area = _Oddity()
        self.over_border = _Oddity()

    def each(self, records, section, take):
        for i, record in enumerate(records):
            place = f"{self.name}: {section}[{i}]"
            try:
                take(record, place)
            except _Wrong as wrong:
                member, cause = wrong.args
                self.problems.report(f"{place}.{member}", cause)

    def category(self, record, place):
        """A class that cannot be read leaves nothing to go on with."""
        try:
            category = Category(_whole(record, "id"), _text(record, "name"))
        except _Wrong as wrong:
            raise DataError(f"{place}.{wrong.args[0]} {wrong.args[1]}") from None
        if category.id in self.categories:
            raise DataError(f"{place}: another category has the id {category.id} too")
        if any(other.name == category.name for other in self.categories.values()):
            raise DataError(f"{place}: another category has the name '{category.name}' too")
        self.categories[category.id] = category

    def image(self, record, place):
        id, file_name = _whole(record, "id"), _text(record, "file_name")
        size = _side(record, "width"), _side(record, "height")
        if _leaves_folder(file_name):
            raise _Wrong("file_name", "must be the name of a file below the folder of pictures")
        if id in self.images:
            raise _Wrong("id", f"another picture has the id {id} too")
        if file_name in self.file_names:
            raise _Wrong("file_name", f"'{file_name}' occurs twice")
        self.file_names.add(file_name)
        self.images[id] = LabelledImage(place, id, file_name, size if all(size) else None)

    def annotation(self, record, place):
        id, image_id = _whole(record, "id"), _whole(record, "image_id")
        category_id, box = _whole(record, "category_id"), _box(record)
        if id in self.annotation_ids:
            raise _Wrong("id", f"another annotation has the id {id} too")
        self.annotation_ids.add(id)
        is_crowd = _is_crowd(record)
        if image_id not in self.images:
            raise _Wrong("image_id", f"there is no picture with the id {image_id}")
        if category_id not in self.categories:
            raise _Wrong("category_id", f"there is no category with the id {category_id}")
        image = self.images[image_id]
        if image.size:
            self.check_border(box, image.size, place)
        if not box[2] * box[3] > 0:
            self.without_area.note(place)
        image.truths.append(Truth(place, self.categories[category_id], box, is_crowd))

    def check_border(self, box, size, place):
        """A box outside its picture tells of labels for other pictures, or of another order."""
        x, y, width, height = box
        if x >= size[0] or y >= size[1] or x + width < 0 or y + height < 0:
            raise _Wrong("bbox", f"the box {list(box)} lies outside its picture "
                                 f"({size[0]}x{size[1]})")
        if (min(x, y) < -BORDER_TOLERANCE or x + width > size[0] + BORDER_TOLERANCE
                or y + height > size[1] + BORDER_TOLERANCE):
            self.over_border.note(place)

    def read(self, document):
        images, annotations, categories = _sections(document, self.name)
        self.file_names, self.annotation_ids = set(), set()
        self.each(categories, "categories", self.category)
        self.each(images, "images", self.image)
        if not self.categories:
            raise DataError(f"{self.name}: categories is empty: there is nothing to detect")
        if not self.images:
            raise DataError(f"{self.name}: images is empty")
        self.each(annotations, "annotations", self.annotation)
        warnings = []
        self.without_area.tell(warnings, "boxes have no area and can never be found")
        self.over_border.tell(warnings, "boxes reach over the border of their picture")
        return Labels([self.categories[id] for id in sorted(self.categories)],
                      [self.images[id] for id in sorted(self.images)], warnings)


def parse(content, name, problems):
    """Labels out of the bytes of a file. What cannot be used is told to `problems` (errors.py)."""
    return _Reader(name, problems).read(_read_json(content, name))


def read(path, problems):
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; a data set is a directory with "
                        "annotations.json (COCO) and images/") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    return parse(content, str(path), problems)
