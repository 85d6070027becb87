"""Pixels that name a colour which the palette of their file does not have: they are black.

Decoders show them so without a word (PNG specification, third edition, 11.2.2, calls it an error).
"""

import struct
import zlib
from typing import Any

from numpy.typing import NDArray

LACKING = "its palette lacks the colour of some of its pixels, these became black"
"""The note for such a picture."""

_ENTRY = 3  # bytes, RGB
_PIXELS = 1 << 22  # looked at together


def filled_up(chunk: bytes, depth: int) -> tuple[bytes, int | None]:
    """Fill the palette of a PNG file up, so that pixels outside of it have a colour of their own.

    Args:
        chunk: the whole PLTE chunk.
        depth: bits a pixel.

    Returns:
        The chunk with an entry for every number, and the grey value of the new ones, which none of
        the old has; the chunk as it is and None where there is nothing to fill up.
    """
    entries = chunk[8:-4]
    missing = (1 << depth) - len(entries) // _ENTRY
    if missing <= 0 or not entries or len(entries) % _ENTRY:
        return chunk, None
    greys = {entry[0] for entry in zip(*[iter(entries)] * _ENTRY, strict=True) if len({*entry}) < 2}
    filler = next(value for value in range(256) if value not in greys)
    named = b"PLTE" + entries + bytes([filler]) * (_ENTRY * missing)
    size, checksum = struct.pack(">I", len(named) - 4), struct.pack(">I", zlib.crc32(named))
    return size + named + checksum, filler


def blacken(pixels: NDArray[Any], filler: int) -> bool:
    """Make the pixels black that have the colour of the new entries, in place.

    Args:
        pixels: (height, width, 3 or 4) uint8, colour first.
        filler: as `filled_up` returned it.

    Returns:
        Whether there were any.
    """
    step = max(1, _PIXELS // pixels.shape[1])
    found = False
    for top in range(0, len(pixels), step):
        part = pixels[top : top + step, :, :3]
        lacking = part[:, :, 0] == filler
        lacking &= part[:, :, 1] == filler
        lacking &= part[:, :, 2] == filler
        if lacking.any():
            part[lacking] = 0
            found = True
    return found
