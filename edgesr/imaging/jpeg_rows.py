"""Baseline JPEG files strip by strip (ITU-T T.81, annexes B and F).

With restart markers every row of blocks is coded for itself, so a strip of eight of them is the
same bytes in a file of its own as in the file of the whole picture, whose markers count to eight.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import cv2
import numpy as np

from edgesr.errors import Argument, ImageError
from edgesr.imaging.picture import Samples

_ROWS_OF_BLOCKS = 8  # in a strip: restart markers are numbered 0 to 7
_SOI, _EOI, _SOS, _SOF0, _LAST_RESTART = b"\xff\xd8", b"\xff\xd9", 0xDA, 0xC0, b"\xff\xd7"
_COMMENT, _APP = 0xFE, range(0xE0, 0xF0)
_SIDE = 8  # of a block


class JpegRows:
    """A JPEG file that is written row by row.

    Args:
        file: to be written from its start.
        sample: a JPEG file of a few rows of the picture, whose metadata are kept.
        height: rows of the picture.
        first: the first rows, which tell width and channels.
        quality: 1 to 100.
    """

    def __init__(
        self, file: BinaryIO, sample: bytes, height: int, first: Samples, quality: int
    ) -> None:
        self._file, self._height, self._quality = file, height, quality
        self._metadata = [
            whole for kind, whole in _segments(sample) if kind in _APP or kind == _COMMENT
        ]
        self._blocks = 0
        probe = dict(_segments(self._encoded(first[:1])))
        factors = probe[_SOF0][11 : 11 + 3 * probe[_SOF0][9] : 3]  # of each component
        self._strip = _ROWS_OF_BLOCKS * _SIDE * max(factor & 15 for factor in factors)
        across = _SIDE * max(factor >> 4 for factor in factors)
        self._blocks = -(-first.shape[1] // across)
        self._waiting: list[Samples] = []
        self._begun = False

    def write(self, rows: Samples) -> None:
        """Append (n, width) grey or (n, width, 3) RGB, 8 bits."""
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= self._strip:
            held = np.concatenate(self._waiting)
            whole = len(held) // self._strip * self._strip
            for top in range(0, whole, self._strip):
                self._append(held[top : top + self._strip])
            self._waiting = [held[whole:]]

    def finish(self) -> None:
        """Write what is left."""
        rest = np.concatenate(self._waiting)
        if len(rest):
            self._append(rest)
        self._file.write(_EOI)

    def _append(self, strip: Samples) -> None:
        data = self._encoded(strip)
        segments = list(_segments(data))
        if self._begun:
            self._file.write(_LAST_RESTART)
        else:
            self._write_head(segments)
        coded = len(_SOI) + sum(len(whole) for _, whole in segments)
        self._file.write(data[coded : -len(_EOI)])
        self._begun = True

    def _write_head(self, segments: list[tuple[int, bytes]]) -> None:
        self._file.write(_SOI + b"".join(self._metadata))
        for kind, whole in segments:
            if kind == _SOF0:
                self._file.write(whole[:5] + struct.pack(">H", self._height) + whole[7:])
            elif kind not in _APP:
                self._file.write(whole)

    def _encoded(self, rows: Samples) -> bytes:
        pixels = rows if rows.ndim == 2 else np.ascontiguousarray(rows[:, :, ::-1])
        settings = [cv2.IMWRITE_JPEG_QUALITY, self._quality]
        if self._blocks:
            settings += [cv2.IMWRITE_JPEG_RST_INTERVAL, self._blocks]
        ok, data = cv2.imencode(".jpg", pixels, settings)
        if not ok:
            raise ImageError("OpenCV cannot write it as JPEG", fix=Argument("format", "png"))
        return data.tobytes()


def _segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (marker, whole segment) up to that before the coded pixels."""
    at, kind = len(_SOI), 0
    while kind != _SOS:
        kind = jpeg[at + 1]
        (size,) = struct.unpack_from(">H", jpeg, at + 2)
        yield kind, jpeg[at : at + 2 + size]
        at += 2 + size
