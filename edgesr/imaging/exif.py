"""EXIF data: the orientation applied to the pixels, and the block made true for a new picture.

An EXIF block is a small TIFF file: a header naming the byte order, then directories of 12-byte
entries (Exif 2.32, CIPA DC-008, section 4.6.2). Only fields that became wrong are changed, in
place, so maker notes and everything else stay as the camera wrote them.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ORIENTATION = 0x0112
EXIF_DIRECTORY = 0x8769
PIXEL_X_DIMENSION = 0xA002
PIXEL_Y_DIMENSION = 0xA003

_SHORT, _LONG = 3, 4
_MOST_NUMBERS = 1 << 20  # in one entry; a picture of the largest size has as many tiles of 16x16
_TYPE_BYTES = {1: 1, 2: 1, _SHORT: 2, _LONG: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}


@dataclass(frozen=True)
class Field:
    """One entry of a directory.

    Attributes:
        position: of the 12-byte entry in the block.
        kind: the TIFF type, 3 for 16-bit and 4 for 32-bit whole numbers.
        count: number of values.
        value: the values, in the byte order of the block; a view, since a small file can name one
            large value in every one of its entries.
    """

    position: int
    kind: int
    count: int
    value: memoryview


@dataclass(frozen=True)
class Directory:
    """The entries of one image file directory.

    Attributes:
        order: `<` or `>`, as `struct` writes byte orders.
        fields: tag -> entry.
        next_position: where the offset of the following directory is stored.
        next_offset: that offset, 0 for none.
    """

    order: str
    fields: dict[int, Field]
    next_position: int
    next_offset: int

    def number(self, tag: int) -> int | None:
        """Return the first value of a whole-number tag, None where there is none."""
        field = self.fields.get(tag)
        if field is None or field.kind not in (_SHORT, _LONG):
            return None
        letter = "H" if field.kind == _SHORT else "I"
        return int(struct.unpack_from(f"{self.order}{letter}", field.value)[0])

    def is_number(self, tag: int) -> bool:
        """Tell whether a tag that is there holds whole numbers of 16 or 32 bits, a million at most.

        In a small file several tags may name the same hundred megabytes.
        """
        field = self.fields.get(tag)
        return field is None or (field.kind in (_SHORT, _LONG) and field.count <= _MOST_NUMBERS)

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the values of a whole-number tag, empty where `is_number` is false or none are."""
        field = self.fields.get(tag)
        if field is None or not self.is_number(tag):
            return ()
        letter = "H" if field.kind == _SHORT else "I"
        return struct.unpack(f"{self.order}{field.count}{letter}", field.value)


def byte_order(block: bytes) -> str | None:
    """Return the byte order of a TIFF-structured block, None if it is not one."""
    return {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])


def read_directory(block: bytes, offset: int | None = None) -> Directory | None:
    """Read the directory at `offset`, by default the first one; None if it is not whole.

    An entry whose values lie outside the block is left out.
    """
    order = byte_order(block)
    if order is None:
        return None
    try:
        if offset is None:
            (offset,) = struct.unpack_from(f"{order}I", block, 4)
        (count,) = struct.unpack_from(f"{order}H", block, offset)
        end = offset + 2 + 12 * count
        (following,) = struct.unpack_from(f"{order}I", block, end)
    except struct.error:
        return None
    fields = {}
    view = memoryview(block)
    for position in range(offset + 2, end, 12):
        tag, kind, values, at = struct.unpack_from(f"{order}HHII", block, position)
        size = _TYPE_BYTES.get(kind, 0) * values
        start = position + 8 if size <= 4 else at
        if 0 < size <= len(block) - start:
            fields[tag] = Field(position, kind, values, view[start : start + size])
    return Directory(order, fields, end, following)


def orientation(block: bytes | None) -> int:
    """Return the orientation 1..8 that an EXIF block states, 1 where it states none."""
    directory = None if block is None else read_directory(block)
    stated = None if directory is None else directory.number(ORIENTATION)
    return stated if stated is not None and 1 <= stated <= 8 else 1


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and mirror (height, width, ...) pixels from the stored `orientation` to 1.

    Values of the tag: 1 upright, 2 mirrored, 3 turned by 180 degrees, 4 upside down mirrored,
    5 to 8 with rows and columns exchanged.
    """
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def for_new_size(block: bytes, width: int, height: int) -> bytes:
    """Return the block for an upright picture of another size.

    The orientation becomes 1, the pixel dimensions become the new ones, and the link to the
    thumbnail, which shows the old picture, is cut. A block that cannot be read stays as it is.
    """
    main = read_directory(block)
    if main is None:
        return block
    changed = bytearray(block)
    _set_number(changed, main, ORIENTATION, 1)
    struct.pack_into(f"{main.order}I", changed, main.next_position, 0)
    detail = main.number(EXIF_DIRECTORY)
    directory = None if detail is None else read_directory(block, detail)
    if directory is not None:
        _set_number(changed, directory, PIXEL_X_DIMENSION, width)
        _set_number(changed, directory, PIXEL_Y_DIMENSION, height)
    return bytes(changed)


def _set_number(block: bytearray, directory: Directory, tag: int, value: int) -> None:
    """Overwrite a single whole number; as 32 bits, which every entry has room for."""
    field = directory.fields.get(tag)
    if field is None or field.count != 1 or field.kind not in (_SHORT, _LONG):
        return
    entry = (_SHORT, 1, value) if value <= 0xFFFF else (_LONG, 1, value)
    letters = "HIHxx" if value <= 0xFFFF else "HII"
    struct.pack_into(f"{directory.order}{letters}", block, field.position + 2, *entry)
