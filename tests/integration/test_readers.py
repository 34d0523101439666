# SPDX-License-Identifier: Apache-2.0
"""Labels and pictures have two readers, that of `andon model eval` and the trainer's: they take and
refuse the same, by one table of cases (tests/data/labels.json), and name the same place."""
import base64
import copy
import io
import json
import os
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image

from harness import ROOT, program

TRAINING = ROOT / "training"
MODEL = ROOT / "examples" / "metal-tags" / "model" / "model.onnx"
FILES = ROOT / "tests" / "data" / "vision"
TABLE = json.loads((ROOT / "tests" / "data" / "labels.json").read_text(encoding="utf-8"))
REFUSED = {"andon": 3, "trainer": 1}


def labels_of(case):
    """The bytes of the labels that a case of the table means."""
    if "base64" in case:
        return base64.b64decode(case["base64"])
    if "text" in case:
        repeated = case.get("repeat", "") * case.get("times", 0)
        return case["text"].replace("@", repeated).encode()
    document = copy.deepcopy(TABLE["base"])

    def parent(pointer):
        *way, last = pointer.strip("/").split("/")
        at = document
        for step in way:
            at = at[int(step)] if isinstance(at, list) else at[step]
        return at, int(last) if isinstance(at, list) else last

    for pointer, value in case.get("set", {}).items():
        at, last = parent(pointer)
        at[last] = value
    for pointer in case.get("remove", []):
        at, last = parent(pointer)
        del at[last]
    return json.dumps(document).encode()


def read_by_andon(labels, folder):
    (folder / "labels.json").write_bytes(labels)
    (folder / "results.json").write_text("[]")
    return run([program("andon"), "model", "eval", "--labels", folder / "labels.json",
                "--detections", folder / "results.json"])


def read_by_trainer(labels, folder):
    (folder / "labels.json").write_bytes(labels)
    script = ("import sys\n"
              "from pathlib import Path\n"
              "from andon_train import errors, labels\n"
              "try:\n"
              "    read = labels.read(Path(sys.argv[1]), errors.Problems('stop'))\n"
              "except errors.DataError as error:\n"
              "    sys.exit(str(error))\n"
              "print(*read.warnings, file=sys.stderr)\n")
    return run([sys.executable, "-c", script, folder / "labels.json"])


def run(command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60,
                          check=False, env={**os.environ, "PYTHONPATH": f"{TRAINING}:{os.environ.get('PYTHONPATH', '')}"})


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
@pytest.mark.parametrize("reader", [read_by_andon, read_by_trainer],
                         ids=["andon", "trainer"])
def test_labels_are_taken_and_refused_as_the_table_says(reader, case, tmp_path):
    ended = reader(labels_of(case), tmp_path)
    refused = REFUSED["andon" if reader is read_by_andon else "trainer"]
    assert ended.returncode == (0 if case.get("taken") else refused), ended.stderr
    assert "Traceback" not in ended.stderr
    says = case.get("says", [])
    for part in [says] if isinstance(says, str) else says:
        assert part in ended.stderr
    if case.get("taken") and "says" not in case:
        assert "boxes" not in ended.stderr


YOLO = json.loads((ROOT / "tests" / "data" / "yolo.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", YOLO["cases"], ids=lambda case: case["name"])
@pytest.mark.parametrize("reader", ["andon", "trainer"])
def test_yolos_labels_are_taken_and_refused_as_the_table_says(reader, case, tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (640, 480)).save(tmp_path / "images" / "a.png")
    (tmp_path / "labels" / "a.txt").write_text(case["rows"], encoding="utf-8")
    (tmp_path / "labels" / "classes.txt").write_text("\n".join(YOLO["classes"]))
    (tmp_path / "results.json").write_text("[]")
    script = ("import sys\n"
              "from pathlib import Path\n"
              "from andon_train import errors, yolo\n"
              "problems = errors.Problems('stop')\n"
              "try:\n"
              "    read = yolo.images(Path(sys.argv[1]), problems, lambda path: (640, 480))\n"
              "except errors.DataError as error:\n"
              "    sys.exit(str(error))\n"
              "print(*read.warnings, file=sys.stderr)\n")
    ended = run({"andon": [program("andon"), "model", "eval", "--labels", tmp_path / "labels",
                           "--images", tmp_path / "images", "--detections",
                           tmp_path / "results.json"],
                 "trainer": [sys.executable, "-c", script, tmp_path]}[reader])
    assert ended.returncode == (0 if case.get("taken") else REFUSED[reader]), ended.stderr
    assert "Traceback" not in ended.stderr
    says = case.get("says", [])
    for part in [says] if isinstance(says, str) else says:
        assert part in ended.stderr
    if case.get("taken") and "says" not in case:
        assert "boxes" not in ended.stderr and "rows" not in ended.stderr


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def noise(size, mode="RGB"):
    channels = len(Image.new(mode, (1, 1)).getbands())
    values = bytes((i * i * 37 + i // 7) % 251 for i in range(size[0] * size[1] * channels))
    return Image.frombytes(mode, size, values)


def with_chunk(png, kind, body):
    """Behind the header of a PNG."""
    chunk = struct.pack(">I", len(body)) + kind + body
    return png[:33] + chunk + struct.pack(">I", zlib.crc32(kind + body)) + png[33:]


def pictures():
    """name -> (bytes, the size that is seen; nothing where it is refused)"""
    jpeg = encoded(noise((40, 24)), "JPEG", quality=90)
    progressive = encoded(noise((40, 24)), "JPEG", quality=90, progressive=True)
    last_scan = progressive.rindex(b"\xff\xda")
    png, bmp = encoded(noise((40, 24)), "PNG"), encoded(noise((40, 24)), "BMP")
    tiff = encoded(noise((40, 24)), "TIFF")
    damaged = bytearray(png)
    damaged[png.index(b"IDAT") + 20] ^= 1
    turned = Image.Exif()
    turned[0x0112] = 6
    whole = (40, 24)
    cases = {
        "JPEG": (jpeg, whole), "progressive JPEG": (progressive, whole),
        "grey JPEG": (encoded(noise((40, 24), "L"), "JPEG"), whole),
        "CMYK JPEG": (encoded(noise((40, 24), "CMYK"), "JPEG"), whole),
        "JPEG without its end": (jpeg[:-2], whole),
        "JPEG without half of its end": (jpeg[:-1], whole),
        "progressive JPEG without its end": (progressive[:-2], whole),
        "progressive JPEG without its last scan and end": (progressive[:last_scan], None),
        "JPEG with zeros for its end": (jpeg[:-2] + bytes(64), whole),
        "JPEG with zeros before its end": (jpeg[:-2] + b"\0\0\xff\xd9", whole),
        "JPEG with more before its end": (jpeg[:-2] + b"\1\2" * 20 + b"\xff\xd9", None),
        "JPEG with something behind it": (jpeg + b"more", whole),
        "half a JPEG": (jpeg[:len(jpeg) // 2], None),
        "half a JPEG with an end": (jpeg[:len(jpeg) // 2] + b"\xff\xd9", None),
        "half a JPEG and zeros": (jpeg[:len(jpeg) // 2] + bytes(9000), None),
        "half a JPEG, zeros and an end":
            (jpeg[:len(jpeg) // 2] + bytes(9000) + b"\xff\xd9", None),
        "half a progressive JPEG": (progressive[:len(progressive) // 2], None),
        "a JPEG's beginning": (b"\xff\xd8\xff\xe0", None),
        "JPEG that is turned": (encoded(noise((40, 24)), "JPEG", exif=turned), (24, 40)),
        "JPEG that is turned, behind fill bytes":
            ((FILES / "exif6-after-fill-bytes.jpg").read_bytes(), "turned"),
        "no-eoi.jpg": ((FILES / "no-eoi.jpg").read_bytes(), "any"),
        "stray-00-before-eoi.jpg": ((FILES / "stray-00-before-eoi.jpg").read_bytes(), "any"),
        "PNG": (png, whole), "grey PNG": (encoded(noise((40, 24), "L"), "PNG"), whole),
        "PNG of 16 bits": (encoded(Image.new("I;16", whole, 40000), "PNG"), whole),
        "PNG with alpha": (encoded(noise((40, 24), "RGBA"), "PNG"), whole),
        "PNG of one bit": (encoded(noise((40, 24), "L").convert("1"), "PNG"), whole),
        "PNG that is turned": (encoded(noise((40, 24)), "PNG", exif=turned), (24, 40)),
        "half a PNG": (png[:len(png) // 2], None),
        "PNG without its end": (png[:-12], None),
        "PNG without the last byte": (png[:-1], None),
        "PNG with a damaged byte": (bytes(damaged), None),
        "PNG that moves": (with_chunk(png, b"acTL", struct.pack(">II", 2, 0)), None),
        "BMP": (bmp, whole), "half a BMP": (bmp[:len(bmp) // 2], None),
        "BMP without the last bytes": (bmp[:-200], None),
        "TIFF": (tiff, whole), "half a TIFF": (tiff[:len(tiff) // 2], None),
        "TIFF that is turned": (encoded(noise((40, 24)), "TIFF", exif=turned), (24, 40)),
        "one pixel": (encoded(noise((1, 1)), "PNG"), (1, 1)),
        "one column": (encoded(noise((1, 300)), "PNG"), (1, 300)),
        "one row": (encoded(noise((300, 1)), "JPEG"), (300, 1)),
        "a row that is too long": (encoded(Image.new("L", (16385, 1)), "PNG"), None),
        "GIF": (encoded(noise((40, 24), "L"), "GIF"), None),
        "WebP": (b"RIFF\x10\0\0\0WEBPVP8 ", None),
        "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n", None),
        "a text": (b"not a picture", None), "nothing": (b"", None),
    }
    return cases


PICTURES = pictures()


def picture_by_andon(content, size, folder):
    (folder / "images").mkdir()
    (folder / "images" / "a.jpg").write_bytes(content)
    entry = {"id": 1, "file_name": "a.jpg"}
    if isinstance(size, tuple):
        entry.update(width=size[0], height=size[1])
    (folder / "labels.json").write_text(json.dumps(
        {"images": [entry], "annotations": [], "categories": [{"id": 1, "name": "scratch"}]}))
    return run([program("andon"), "model", "eval", MODEL, "--images", folder / "images",
                "--labels", folder / "labels.json"])


def picture_by_trainer(content, size, folder):
    (folder / "images").mkdir()
    (folder / "images" / "a.jpg").write_bytes(content)
    entry = {"id": 1, "file_name": "a.jpg"}
    if isinstance(size, tuple):
        entry.update(width=size[0], height=size[1])
    (folder / "annotations.json").write_text(json.dumps(
        {"images": [entry], "annotations": [], "categories": [{"id": 1, "name": "scratch"}]}))
    return run([sys.executable, "-m", "andon_train.cli", "check", folder])


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("reader", [picture_by_andon, picture_by_trainer],
                         ids=["andon", "trainer"])
def test_pictures_are_taken_and_refused_alike(reader, name, tmp_path):
    content, size = PICTURES[name]
    ended = reader(content, size, tmp_path)
    refused = REFUSED["andon" if reader is picture_by_andon else "trainer"]
    assert ended.returncode == (refused if size is None else 0), ended.stderr
    assert "Traceback" not in ended.stderr
    if size is None:
        assert "a.jpg" in ended.stderr


@pytest.mark.parametrize("bits, value", [("L", 200), ("I;16", 0x1234), ("RGBA", (1, 2, 3, 0))])
def test_the_trainer_sees_the_pixels_that_andon_sees(bits, value):
    sys.path.insert(0, str(TRAINING))
    try:
        from andon_train import pictures as reader
    finally:
        sys.path.remove(str(TRAINING))
    pixel = reader.decode(encoded(Image.new(bits, (2, 2), value), "PNG"))[0, 0].tolist()
    assert pixel == {"L": [200] * 3, "I;16": [0x12] * 3, "RGBA": [3, 2, 1]}[bits]


def test_the_trainer_says_what_is_missing_and_never_ends_in_a_traceback(tmp_path):
    (tmp_path / "annotations.json").mkdir()
    for arguments in (["check", tmp_path], ["check", tmp_path / "nowhere"], ["check", MODEL],
                      ["check"], ["frobnicate"]):
        ended = run([sys.executable, "-m", "andon_train.cli", *arguments])
        assert ended.returncode in (1, 2), arguments
        assert "andon-train: " in ended.stderr or "usage: " in ended.stderr
        assert "Traceback" not in ended.stderr
