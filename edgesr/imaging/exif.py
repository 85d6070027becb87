"""EXIF data: the orientation applied to the pixels, and the block made true for a new picture.

An EXIF block is a small TIFF file (Exif 2.32, CIPA DC-008, section 4.6.2). Only fields that became
wrong are changed, in place, so maker notes and everything else stay as the camera wrote them.
"""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.imaging.directory import LONG, SHORT, Directory, read_directory

ORIENTATION = 0x0112
EXIF_DIRECTORY = 0x8769
PIXEL_X_DIMENSION = 0xA002
PIXEL_Y_DIMENSION = 0xA003
EXCHANGED = (5, 6, 7, 8)
"""Orientations in which rows and columns are exchanged."""


def orientation(block: bytes | None) -> int:
    """Return the orientation 1..8 that an EXIF block states, 1 where it states none."""
    return stated_orientation(block) or 1


def stated_orientation(block: bytes | None) -> int | None:
    """Return the orientation 1..8 that an EXIF block states, None where it states none."""
    directory = None if block is None else read_directory(block)
    stated = None if directory is None else directory.number(ORIENTATION)
    return stated if stated is not None and 1 <= stated <= 8 else None


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and mirror (height, width, ...) pixels from the stored `orientation` to 1.

    Values of the tag: 1 upright, 2 mirrored, 3 turned by 180 degrees, 4 upside down mirrored,
    5 to 8 with rows and columns exchanged.
    """
    if orientation in EXCHANGED:
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
    if main is None or main.big:
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
    if field is None or field.count != 1 or field.kind not in (SHORT, LONG):
        return
    entry = (SHORT, 1, value) if value <= 0xFFFF else (LONG, 1, value)
    letters = "HIHxx" if value <= 0xFFFF else "HII"
    struct.pack_into(f"{directory.order}{letters}", block, field.position + 2, *entry)
