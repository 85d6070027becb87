"""Run-length coded pixels of BMP files: pairs of a count and a value, and escapes (RLE8, RLE4)."""

import struct

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ImageError
from edgesr.imaging.png import DamagedError

MOST_BYTES = 2 << 20
"""Longest row of runs that is followed; they are unpacked one by one."""

_END_OF_LINE, _END, _MOVE = 0, 1, 2


def unpack_runs(runs: memoryview, width: int, height: int, bits: int) -> NDArray[np.uint8]:
    """Return the numbers of the colours (height, width), in the order of the file's rows.

    Pixels that no run covers have number 0.

    Args:
        runs: from the first run to the end of the file.
        width: of the picture.
        height: of the picture.
        bits: of a number, 4 or 8.

    Raises:
        DamagedError: a run leaves its row, or the file ends before the runs do.
        ImageError: too many runs.
    """
    data = runs[:MOST_BYTES].tobytes()
    numbers = bytearray(height * width)
    at, x, y = 0, 0, 0
    while at + 2 <= len(data):
        count, value = data[at], data[at + 1]
        at += 2
        if count == 0 and value == _END:
            break
        if count == 0 and value == _END_OF_LINE:
            x, y = 0, y + 1
            continue
        if count == 0 and value == _MOVE:
            right, down = struct.unpack_from("BB", data, at)
            run, x, y, at = b"", x + right, y + down, at + 2
        elif count == 0:
            run, size = _literal(data, at, value, bits)
            at += size
        else:
            pair = bytes([value]) if bits == 8 else bytes([value >> 4, value & 15])
            run = (pair * count)[:count]
        if y >= height or x + len(run) > width:
            raise DamagedError
        first = y * width + x
        numbers[first : first + len(run)] = run
        x += len(run)
    else:
        if y < height:  # else all rows are there, only the end's mark is missing
            raise _unfinished(len(runs))
    return np.frombuffer(numbers, np.uint8).reshape(height, width)


def _literal(data: bytes, at: int, count: int, bits: int) -> tuple[bytes, int]:
    """Return numbers that are stored one by one, and how many bytes they take."""
    size = count if bits == 8 else (count + 1) // 2
    block = data[at : at + size]
    if len(block) < size:
        raise DamagedError
    if bits == 4:
        packed = np.frombuffer(block, np.uint8)
        block = np.dstack([packed >> 4, packed & 15]).tobytes()[:count]
    return block, size + size % 2


def _unfinished(length: int) -> Exception:
    if length <= MOST_BYTES:
        return DamagedError()
    return ImageError(
        f"BMP files of more than {MOST_BYTES >> 20} MiB of runs are not read",
        fix="convert it to PNG first",
    )
