"""A picture file written as its rows come, with what the format's encoder says of the picture.

The encoder of `encode.py` makes a small file of the first row. What that file holds besides pixels
is kept as it is; the pixels are written anew behind it, rows after rows, and what states their
number is mended. Formats that need the whole picture at once get it.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from edgesr.files import atomic_path
from edgesr.imaging.encode import FileFormat, encode, stored
from edgesr.imaging.jpeg_rows import JpegRows
from edgesr.imaging.picture import Picture, Samples
from edgesr.imaging.png_rows import PngRows
from edgesr.imaging.quality import DEFAULT_QUALITY
from edgesr.imaging.tiff_rows import MOST_BYTES, TiffRows

_BLOCK = 16  # rows that are filtered and packed together


class Rows(Protocol):
    """A picture file that is written row by row."""

    def write(self, rows: Samples) -> None:
        """Append rows: (n, width) grey or (n, width, 3 or 4) RGB and alpha."""
        ...

    def finish(self) -> None:
        """Write what is left."""
        ...


def write_rows(
    path: Path,
    bands: Iterator[Picture],
    height: int,
    target: FileFormat,
    quality: int = DEFAULT_QUALITY,
) -> tuple[str, ...]:
    """Write a picture that comes in bands, atomically, and return what could not be kept.

    The memory that it takes does not depend on the height, for PNG, JPEG and TIFF below 4 GB.

    Args:
        path: of the file.
        bands: parts of full width from top to bottom, each with the metadata of the whole.
        height: rows of the whole.
        target: of the file.
        quality: 1 to 100, where the format has it.

    Returns:
        One sentence for each loss.

    Raises:
        ImageError: it cannot be encoded.
        EdgesrError: it cannot be written.
    """
    first = next(bands)
    everything = chain([first], bands)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        one_row = first.band(slice(1))
        row = stored(one_row, target)
        if not _grows(target, height * row.nbytes):
            data, notes = encode(_joined(everything), target, quality)
            file.write(data)
            return notes
        sample, notes = encode(one_row, target, quality)
        rows = _rows(file, sample, height, row, target, quality)
        for band in everything:
            for top in range(0, band.height, _BLOCK):
                rows.write(stored(band.band(slice(top, top + _BLOCK)), target))
        rows.finish()
    return notes


def _grows(target: FileFormat, size_bytes: int) -> bool:
    """Tell whether a format is written by rows, for so many bytes of samples."""
    return target.name in ("PNG", "JPEG") or (target.name == "TIFF" and size_bytes <= MOST_BYTES)


def _rows(
    file: BinaryIO, sample: bytes, height: int, row: Samples, target: FileFormat, quality: int
) -> Rows:
    """Return what writes a format that grows."""
    if target.name == "PNG":
        return PngRows(file, sample, height, row)
    if target.name == "JPEG":
        return JpegRows(file, sample, height, row, quality)
    return TiffRows(file, sample, height, row)


def _joined(bands: Iterator[Picture]) -> Picture:
    """Return the whole picture."""
    parts = list(bands)
    alphas = [part.alpha for part in parts if part.alpha is not None]
    return replace(
        parts[0],
        colour=np.concatenate([part.colour for part in parts]),
        alpha=np.concatenate(alphas) if alphas else None,
    )
