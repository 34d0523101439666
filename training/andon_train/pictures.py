# SPDX-License-Identifier: Apache-2.0
"""Pictures from files, with the checks of andon's own decoders (src/vision/image).

JPEG, PNG, BMP and TIFF, told by their content; whole or not at all. A JPEG of which only the end is
wrong is taken, as there; half of one never is. The orientation that the file says is applied.
"""
import io
import struct
import warnings
import zlib

import numpy as np
import simplejpeg
from PIL import Image, ImageFile, UnidentifiedImageError

from .errors import DataError

MAX_BYTES = 256 << 20
MAX_SIDE = 16384
MAX_PIXELS = 100_000_000

ORIENTATION = 0x0112
STAND_ALONE = {0x01, 0xD8, 0xD9, *range(0xD0, 0xD8)}
HUFFMAN_FRAMES = (0xC0, 0xC1, 0xC2)

Image.MAX_IMAGE_PIXELS = None  # the limits here are andon's
ImageFile.LOAD_TRUNCATED_IMAGES = False


def _segments(jpeg):
    """(marker, content, where it begins, where it ends) up to the end, or to what is no marker."""
    at = 0
    while True:
        begin = at
        while at < len(jpeg) and jpeg[at] == 0xFF:
            at += 1
        if at == begin or at == len(jpeg) or jpeg[at] == 0:
            yield None, b"", begin, begin
            return
        marker, at = jpeg[at], at + 1
        content = b""
        if marker not in STAND_ALONE:
            length = int.from_bytes(jpeg[at:at + 2], "big")
            if length < 2 or at + length > len(jpeg):
                yield None, b"", begin, begin
                return
            content, at = jpeg[at + 2:at + length], at + length
        if marker == 0xDA:
            data, at = at, _end_of_scan(jpeg, at)
            yield marker, content, data, at
        else:
            yield marker, content, begin, at


def _end_of_scan(jpeg, at):
    while True:
        at = jpeg.find(b"\xff", at)
        if at < 0 or at + 1 == len(jpeg):
            return len(jpeg) if at < 0 else at
        after = jpeg[at + 1]
        if after == 0 or 0xD0 <= after <= 0xD7:
            at += 2
        elif after == 0xFF:
            at += 1
        else:
            return at


def _mended(jpeg):
    """Forms of a JPEG whose end alone may be wrong, with a right end. None where a scan is missing,
    or where it could not be noticed that data are."""
    wanted, is_progressive, data, end = None, False, 0, 0
    for marker, content, begin, after in _segments(jpeg):
        if marker is None or marker == 0xD9:
            if marker is None and len(jpeg) - begin > 1:
                return
            end = begin
            break
        if marker in HUFFMAN_FRAMES and len(content) >= 6:
            is_progressive = marker == 0xC2
            wanted = {content[6 + 3 * i]: set(range(64)) for i in range(content[5])
                      if 6 + 3 * i < len(content)}
        elif marker == 0xDA:
            data = begin
            count = content[0]
            first, last, bits = content[1 + 2 * count:4 + 2 * count]
            if wanted is None or (is_progressive and bits & 15):
                continue
            brought = range(first, last + 1) if is_progressive else range(64)
            for i in range(count):
                wanted.get(content[1 + 2 * i], set()).difference_update(brought)
    if not wanted or any(wanted.values()):
        return
    kept = len(jpeg[data:end].rstrip(b"\0")) + data
    if kept < end and jpeg[kept - 1] == 0xFF:
        kept += 1  # a zero that follows 0xFF belongs to it
    zeros = end - kept
    if len(jpeg) - end >= 2 and not zeros:
        return
    for zeros_kept in range(min(zeros, 1) + 1):
        yield jpeg[:kept + zeros_kept] + b"\xff\xd9"


def _strictly(jpeg):
    """BGR; raises ValueError at whatever libjpeg only warns of."""
    *_, colours, _ = simplejpeg.decode_jpeg_header(jpeg, strict=True)
    if colours not in ("CMYK", "YCCK"):
        return simplejpeg.decode_jpeg(jpeg, colorspace="BGR", strict=True)
    cmyk = simplejpeg.decode_jpeg(jpeg, colorspace="CMYK", strict=True).astype(np.int32)
    black = cmyk[..., 3:]
    return (black - ((255 - cmyk[..., :3]) * black >> 8)).astype(np.uint8)[..., ::-1]


def _check_size(width, height):
    if width < 1 or height < 1:
        raise DataError("has no pixels")
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise DataError(f"is too large: {width}x{height} pixels; at most {MAX_SIDE} a side and "
                        f"{MAX_PIXELS // 1_000_000} million in all are accepted")


def _jpeg(content):
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(content, strict=False)
    except (ValueError, KeyError) as error:
        raise DataError(f"its JPEG header cannot be read: {error}") from None
    _check_size(width, height)
    try:
        return _strictly(content)
    except (ValueError, KeyError) as error:
        reason = error
    for form in _mended(content):
        try:
            return _strictly(form)
        except (ValueError, KeyError):
            continue
    raise DataError(f"is a damaged or truncated JPEG: {reason}")


def _jpeg_orientation(content):
    for marker, segment, *_ in _segments(content):
        if marker in (None, 0xDA):
            return 1
        if marker == 0xE1 and segment.startswith(b"Exif\0\0"):
            return _exif_orientation(segment[6:])
    return 1


def _exif_orientation(exif):
    """The first directory of a TIFF structure; upright where it cannot be understood."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None or len(exif) < 8:
        return 1
    try:
        at = struct.unpack_from(order + "I", exif, 4)[0]
        for i in range(struct.unpack_from(order + "H", exif, at)[0]):
            tag, _, _, value = struct.unpack_from(order + "HHIH", exif, at + 2 + 12 * i)
            if tag == ORIENTATION:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _upright(image, orientation):
    """As the EXIF orientation means it (CIPA DC-008, 4.6.4)."""
    if orientation >= 5:
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)


def _png_orientation(content):
    """Also that all of it is there, and that it does not move."""
    at, orientation = 8, 1
    while True:
        if at + 12 > len(content):
            raise DataError("is a damaged or truncated PNG: the file ends too early")
        length, kind = struct.unpack_from(">I4s", content, at)
        body = content[at + 4:at + 8 + length]
        if kind == b"acTL":
            raise DataError("is an animated PNG; a single picture is needed")
        if len(content) < at + 12 + length:
            raise DataError("is a damaged or truncated PNG: the file ends too early")
        is_critical = not kind[0] & 0x20
        if is_critical and zlib.crc32(body) != struct.unpack_from(">I", content, at + 8 + length)[0]:
            raise DataError(f"is a damaged or truncated PNG: {kind.decode('latin-1')} is damaged")
        if kind == b"eXIf":
            orientation = _exif_orientation(body[4:])
        if kind == b"IEND":
            return orientation
        at += 12 + length


def _with_pillow(content):
    """BGR as andon makes it: 16 bits become 8 by their high byte, alpha is dropped."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=("PNG", "BMP", "TIFF")) as image:
                _check_size(*image.size)
                orientation = image.getexif().get(ORIENTATION, 1) if image.format == "TIFF" else 1
                if image.mode.startswith("I"):
                    image.load()
                    grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
                    return np.repeat(grey[..., None], 3, axis=2), orientation
                # Pillow applies a TIFF's orientation itself when it loads it.
                rgb = np.asarray(image.convert("RGB"))
    except UnidentifiedImageError:
        raise DataError("is damaged, or of a kind that is not read") from None
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, MemoryError,
            zlib.error) as error:
        raise DataError(f"is damaged or truncated: {error}") from None
    return rgb[..., ::-1], 1 if image.format == "TIFF" else orientation


def decode(content):
    """[H, W, 3] uint8, BGR. Raises DataError that says what is wrong with the file."""
    if not content:
        raise DataError("is empty (0 bytes)")
    if len(content) > MAX_BYTES:
        raise DataError(f"has {len(content)} bytes; at most {MAX_BYTES} are accepted")
    if content.startswith(b"\xff\xd8\xff"):
        return _upright(_jpeg(content), _jpeg_orientation(content))
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        orientation = _png_orientation(content)
        return _upright(_with_pillow(content)[0], orientation)
    if content.startswith((b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return _upright(*_with_pillow(content))
    raise DataError("is neither JPEG, PNG, BMP nor TIFF")


def read(path):
    try:
        return decode(path.read_bytes())
    except FileNotFoundError:
        raise DataError("there is no such file") from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}") from None
