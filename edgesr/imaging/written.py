"""Whether edgesr wrote a file: its EXIF data or TIFF directory is found and looked at.

Of the file only the places are read that lead there, so that a folder of large pictures is sorted
out in no time. What is damaged was not written by edgesr; whoever reads the picture says so.
"""

import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from edgesr.files import open_regular
from edgesr.imaging.box_exif import avif_exif, jxl_exif
from edgesr.imaging.jxl_boxes import SIGNATURE
from edgesr.imaging.mark import MARK, SOFTWARE, is_marked

_MOST_PARTS = 100_000  # chunks or segments of a file; a PNG of 10^9 pixels has as many
_MOST_BYTES = 1 << 20  # of a block of EXIF data, and of entries of a TIFF directory


def wrote(path: Path) -> bool:
    """Tell whether a file has the mark of edgesr; False of what is no readable picture file."""
    try:
        with open_regular(path) as file:
            find = _finder(file.read(12))
            return find is not None and find(file)
    except (OSError, OverflowError, IndexError, struct.error):
        return False


def _finder(head: bytes) -> Callable[[BinaryIO], bool] | None:
    return next((find for at, start, find in _FINDERS if head[at:].startswith(start)), None)


def _png(file: BinaryIO) -> bool:
    """Look at the chunk eXIf (PNG, third edition, 11.3.4.5)."""
    at = 8
    for _ in range(_MOST_PARTS):
        file.seek(at)
        size, name = struct.unpack(">I4s", file.read(8))
        if name == b"eXIf":
            return is_marked(file.read(min(size, _MOST_BYTES)))
        if name == b"IEND":
            break
        at += 12 + size
    return False


def _jpeg(file: BinaryIO) -> bool:
    """Look at the segment APP1 that begins with Exif (Exif 2.32, 4.7.2)."""
    at = 2
    for _ in range(_MOST_PARTS):
        file.seek(at)
        start, marker, size = struct.unpack(">BBH", file.read(4))
        if start != 0xFF or marker in (0xDA, 0xD9):
            break
        if marker == 0xE1:
            content = file.read(size - 2)
            if content.startswith(b"Exif\0\0"):
                return is_marked(content[6:])
        at += 2 + size
    return False


def _webp(file: BinaryIO) -> bool:
    """Look at the chunk EXIF (RFC 9649, 2.7.1.5)."""
    at = 12
    for _ in range(_MOST_PARTS):
        file.seek(at)
        name, size = struct.unpack("<4sI", file.read(8))
        if name == b"EXIF":
            return is_marked(file.read(min(size, _MOST_BYTES)).removeprefix(b"Exif\0\0"))
        at += 8 + size + size % 2
    return False


def _tiff(file: BinaryIO, big: bool) -> bool:
    """Look for the field Software in the first directory (TIFF 6.0, section 2; BigTIFF)."""
    at, letter, counter, size_bytes = (8, "Q", "Q", 20) if big else (4, "I", "H", 12)
    file.seek(0)
    order = "<" if file.read(2) == b"II" else ">"

    def number(kind: str) -> int:
        layout = f"{order}{kind}"
        (value,) = struct.unpack(layout, file.read(struct.calcsize(layout)))
        return int(value)

    file.seek(at)
    file.seek(number(letter))
    for _ in range(min(number(counter), _MOST_PARTS)):
        entry = f"{order}HH{letter}{letter}"
        tag, _kind, size, place = struct.unpack(entry, file.read(size_bytes))
        if tag == SOFTWARE and size > len(MARK):
            if big and size <= 8:  # short values stand in the entry itself
                file.seek(-8, 1)
            else:
                file.seek(place)
            return file.read(len(MARK)) == MARK
    return False


_FINDERS: tuple[tuple[int, bytes, Callable[[BinaryIO], bool]], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", _png),
    (0, b"\xff\xd8", _jpeg),
    (8, b"WEBP", _webp),
    (0, b"II*\0", partial(_tiff, big=False)),
    (0, b"MM\0*", partial(_tiff, big=False)),
    (0, b"II+\0", partial(_tiff, big=True)),
    (0, b"MM\0+", partial(_tiff, big=True)),
    (0, SIGNATURE, lambda file: is_marked(jxl_exif(file))),
    (4, b"ftypavif", lambda file: is_marked(avif_exif(file))),
)
"""Where in a file what bytes tell its kind, and who looks for the mark in one."""
