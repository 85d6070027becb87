"""Run-length coded pixels of BMP files: pairs of a count and a value, and escapes (RLE8, RLE4)."""

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ImageError
from edgesr.imaging.png import DamagedError

MOST_BYTES = 4 << 20
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
    numbers = np.zeros((height, width), np.uint8)
    at, x, y = 0, 0, 0
    while at + 2 <= len(data):
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            run = _run(numbers, y, x, count)
            if bits == 8:
                run[:] = value
            else:
                run[::2], run[1::2] = value >> 4, value & 15
            x += count
        elif value == _END_OF_LINE:
            x, y = 0, y + 1
        elif value == _END:
            return numbers
        elif value == _MOVE:
            if at + 2 > len(data):
                raise DamagedError
            right, down = data[at], data[at + 1]
            x, y, at = x + right, y + down, at + 2
            if x > width or y >= height:
                raise DamagedError
        else:
            size = value if bits == 8 else (value + 1) // 2
            block = np.frombuffer(data[at : at + size], np.uint8)
            if len(block) < size:
                raise DamagedError
            if bits == 4:
                block = np.dstack([block >> 4, block & 15]).reshape(-1)[:value]
            _run(numbers, y, x, value)[:] = block
            x, at = x + value, at + size + size % 2
    if y >= height:
        return numbers  # all rows are there, only the end's mark is missing
    if len(runs) > MOST_BYTES:
        raise ImageError(
            f"BMP files of more than {MOST_BYTES >> 20} MiB of runs are not read",
            fix="convert it to PNG first",
        )
    raise DamagedError


def _run(numbers: NDArray[np.uint8], y: int, x: int, count: int) -> NDArray[np.uint8]:
    """Return the part of a row that a run fills, a view.

    Raises:
        DamagedError: it does not fit.
    """
    if y >= numbers.shape[0] or x + count > numbers.shape[1]:
        raise DamagedError
    return numbers[y, x : x + count]
