"""TIFF files strip by strip: deflate with differences (TIFF 6.0, Adobe's supplement of 2002).

The sample stays as it is at the start of the file, so that what its tags point to lies where they
say. A new directory at the end has its tags, except those that speak of how pixels are stored.
"""

import struct
import zlib
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from edgesr.imaging.picture import Samples

MOST_BYTES = (1 << 32) - (1 << 27)
"""Of pixels: offsets have 32 bits, and deflate, tags and tables need some room."""

_STRIP_BYTES = 1 << 20
_LEVEL = 3
_SHORT, _LONG = 3, 4
_HEIGHT, _COMPRESSION, _OFFSETS, _ROWS, _COUNTS, _PREDICTOR = 257, 259, 273, 278, 279, 317
_TILES = (322, 323, 324, 325)
_DEFLATE, _DIFFERENCES = 8, 2


class TiffRows:
    """A TIFF file that is written row by row.

    Args:
        file: to be written from its start.
        sample: a TIFF file of a few rows of the picture, with 32-bit offsets.
        height: rows of the picture.
        first: the first rows, which tell width, depth and channels.
    """

    def __init__(self, file: BinaryIO, sample: bytes, height: int, first: Samples) -> None:
        self._file, self._height = file, height
        self._order = "<" if sample[:2] == b"II" else ">"
        self._tags = _entries(sample, self._order)
        self._rows = max(1, _STRIP_BYTES // max(1, first[:1].nbytes))
        self._waiting: list[Samples] = []
        self._offsets: list[int] = []
        self._counts: list[int] = []
        file.write(sample)

    def write(self, rows: Samples) -> None:
        """Append (n, width) grey or (n, width, 3 or 4) RGB and alpha, 8 or 16 bits."""
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= self._rows:
            held = np.concatenate(self._waiting)
            whole = len(held) // self._rows * self._rows
            for top in range(0, whole, self._rows):
                self._append(held[top : top + self._rows])
            self._waiting = [held[whole:]]

    def finish(self) -> None:
        """Write what is left, and the directory."""
        rest = np.concatenate(self._waiting)
        if len(rest):
            self._append(rest)
        tables = [self._table(self._offsets), self._table(self._counts)]
        strips = len(self._offsets)
        changed = {
            _HEIGHT: (_LONG, 1, self._number(self._height)),
            _COMPRESSION: (_SHORT, 1, self._number(_DEFLATE, short=True)),
            _OFFSETS: (_LONG, strips, tables[0]),
            _ROWS: (_LONG, 1, self._number(self._rows)),
            _COUNTS: (_LONG, strips, tables[1]),
            _PREDICTOR: (_SHORT, 1, self._number(_DIFFERENCES, short=True)),
        }
        entries = sorted({**self._tags, **changed}.items())
        at = self._place()
        self._file.write(struct.pack(f"{self._order}H", len(entries)))
        for tag, (kind, count, value) in entries:
            self._file.write(struct.pack(f"{self._order}HHI", tag, kind, count) + value)
        self._file.write(bytes(4))
        self._file.seek(4)
        self._file.write(self._number(at))

    def _append(self, strip: Samples) -> None:
        stored = np.ascontiguousarray(_differences(strip))
        packed = zlib.compress(stored.astype(self._type(strip)).tobytes(), _LEVEL)
        self._offsets.append(self._place())
        self._counts.append(len(packed))
        self._file.write(packed)

    def _type(self, strip: Samples) -> np.dtype[np.unsignedinteger]:
        return np.dtype(f"{self._order}u{strip.itemsize}")

    def _place(self) -> int:
        """Return where the file ends, at an even offset as the standard wants it."""
        if self._file.tell() % 2:
            self._file.write(b"\0")
        return self._file.tell()

    def _table(self, numbers: list[int]) -> bytes:
        """Return the four bytes of an entry for numbers: one of them, or where they lie."""
        if len(numbers) == 1:
            return self._number(numbers[0])
        at = self._place()
        self._file.write(struct.pack(f"{self._order}{len(numbers)}I", *numbers))
        return self._number(at)

    def _number(self, number: int, short: bool = False) -> bytes:
        return struct.pack(f"{self._order}{'Hxx' if short else 'I'}", number)


def _entries(tiff: bytes, order: str) -> dict[int, tuple[int, int, bytes]]:
    """Return type, count and the four bytes behind them, of every tag in the first directory."""
    (at,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, at)
    entries = {}
    for place in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(f"{order}HHI", tiff, place)
        if tag not in _TILES:
            entries[tag] = kind, values, tiff[place + 8 : place + 12]
    return entries


def _differences(rows: Samples) -> NDArray[np.unsignedinteger]:
    """Return each sample less the one a pixel further left (TIFF 6.0, section 14)."""
    result = rows.copy()
    result[:, 1:] -= rows[:, :-1]
    return result
