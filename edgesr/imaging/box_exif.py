"""Where EXIF data lie in files of boxes: JPEG XL (ISO/IEC 18181-2), AVIF (ISO/IEC 23008-12).

Only what leads there is read, never the picture.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

_MOST_BOXES, _MOST_BYTES = 10_000, 1 << 20
_HEAD = 8


def jxl_exif(file: BinaryIO) -> bytes | None:
    """Return the EXIF block of a JPEG XL file in boxes, None if it has none.

    Raises:
        struct.error: the boxes end too early.
    """
    for name, start, size in _boxes(file, 0, None):
        if name == b"Exif":
            file.seek(start)
            return _block(file.read(min(size, _MOST_BYTES)))
    return None


def avif_exif(file: BinaryIO) -> bytes | None:
    """Return the EXIF block of an AVIF file, None if it has none.

    Raises:
        struct.error: the boxes end too early.
    """
    found = (place for name, *place in _boxes(file, 0, None) if name == b"meta")
    start, size = next(found, (0, 0))
    parts = {name: (at, n) for name, at, n in _boxes(file, start + 4, start + size)}
    if not {b"iinf", b"iloc"} <= parts.keys():
        return None
    item = _exif_item(_read(file, *parts[b"iinf"]))
    place = None if item is None else _place(_read(file, *parts[b"iloc"]), item)
    return None if place is None else _block(_read(file, *place))


def _boxes(file: BinaryIO, start: int, end: int | None) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and size of the content of boxes, to the end of the file if it is None."""
    for _ in range(_MOST_BOXES):
        if end is not None and start + _HEAD > end:
            return
        file.seek(start)
        head = file.read(_HEAD)
        if end is None and not head:
            return
        size, name = struct.unpack(">I4s", head)
        inner = _HEAD
        if size == 1:
            (size,), inner = struct.unpack(">Q", file.read(8)), 16
        if size == 0:  # up to the end of the file
            size = file.seek(0, 2) - start
        if size < inner:
            return
        yield name, start + inner, size - inner
        start += size


def _read(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(min(size, _MOST_BYTES))


def _block(content: bytes) -> bytes:
    """Return what stands behind the four bytes that tell where the TIFF header lies."""
    (offset,) = struct.unpack_from(">I", content)
    return content[4 + int(offset) :].removeprefix(b"Exif\0\0")


def _exif_item(iinf: bytes) -> int | None:
    """Return the number of the item of kind `Exif` (ISO/IEC 14496-12, 8.11.6)."""
    at = 6 if iinf[0] == 0 else 8
    while at + 20 <= len(iinf):
        size, name, version = struct.unpack_from(">I4sB", iinf, at)
        if name != b"infe" or size < 20:
            return None
        number, kind = struct.unpack_from(">H2x4s" if version == 2 else ">I2x4s", iinf, at + 12)
        if kind == b"Exif":
            return int(number)
        at += size
    return None


def _place(iloc: bytes, item: int) -> tuple[int, int] | None:
    """Return start and size of an item that lies in the file in one piece (8.11.3)."""
    version, sizes, more = iloc[0], iloc[4], iloc[5]
    number = "H" if version < 2 else "I"
    (count,) = struct.unpack_from(f">{number}", iloc, 6)
    at = 6 + struct.calcsize(number)
    length, offset = sizes & 15, sizes >> 4
    base, index = more >> 4, (more & 15 if version else 0)
    for _ in range(count):
        (found,) = struct.unpack_from(f">{number}", iloc, at)
        at += struct.calcsize(number)
        method = 0
        if version:
            (method,) = struct.unpack_from(">H", iloc, at)
            at += 2
        start = int.from_bytes(iloc[at + 2 : at + 2 + base], "big")  # behind the data reference
        at += 2 + base
        (extents,) = struct.unpack_from(">H", iloc, at)
        at += 2
        if found == item:
            if extents != 1 or method & 15:
                return None
            at += index
            start += int.from_bytes(iloc[at : at + offset], "big")
            return start, int.from_bytes(iloc[at + offset : at + offset + length], "big")
        at += extents * (index + offset + length)
    return None
