"""Pictures of kinds that Pillow and OpenCV read but do not write: Adam7, few bits, tiles."""

import struct
import zlib
from itertools import starmap

import numpy as np
from numpy.typing import NDArray

_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
"""Left, top, step across and step down of the passes (PNG specification, section 8)."""


def png(pixels: NDArray[np.uint8], depth: int, interlaced: bool) -> bytes:
    """Return a grey or RGB PNG file.

    Args:
        pixels: (height, width) or (height, width, 3), below 2^depth.
        depth: bits of a sample: 1, 2, 4 or 8.
        interlaced: write the passes of Adam7.
    """
    height, width = pixels.shape[:2]
    passes = [(0, 0, 1, 1)] if not interlaced else [*_ADAM7, (0, 1, 1, 2)]
    parts = (pixels[top::down, left::across] for left, top, across, down in passes)
    lines = b"".join(_line(row, depth) for part in parts if part.size for row in part)
    colour = 0 if pixels.ndim == 2 else 2
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(starmap(_chunk, chunks))


def _line(row: NDArray[np.uint8], depth: int) -> bytes:
    """Return a row behind its filter byte, samples packed from the highest bit."""
    bits = np.unpackbits(row.reshape(-1, 1), axis=1)[:, 8 - depth :]
    return b"\0" + np.packbits(bits.reshape(-1)).tobytes()


def _chunk(name: bytes, content: bytes) -> bytes:
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def tiled_tiff(pixels: NDArray[np.uint8], side: int = 64, deflated: bool = False) -> bytes:
    """Return an RGB TIFF file of tiles (TIFF 6.0, section 15); (height, width, 3) uint8."""
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % side), (0, -width % side), (0, 0)), "edge")
    tiles = [
        padded[top : top + side, left : left + side].tobytes()
        for top in range(0, height, side)
        for left in range(0, width, side)
    ]
    tiles = [zlib.compress(tile) for tile in tiles] if deflated else tiles
    count, entries = len(tiles), 11
    behind = 8 + 2 + 12 * entries + 4
    data = behind + 6 + 8 * count
    offsets = [data + sum(map(len, tiles[:number])) for number in range(count)]
    short, long = 3, 4
    fields = (
        (256, short, 1, width),
        (257, short, 1, height),
        (258, short, 3, behind),
        (259, short, 1, 8 if deflated else 1),
        (262, short, 1, 2),
        (277, short, 1, 3),
        (284, short, 1, 1),
        (322, short, 1, side),
        (323, short, 1, side),
        (324, long, count, behind + 6 if count > 1 else offsets[0]),
        (325, long, count, behind + 6 + 4 * count if count > 1 else len(tiles[0])),
    )
    return (
        b"II*\0"
        + struct.pack("<IH", 8, entries)
        + b"".join(struct.pack("<HHII", *field) for field in fields)
        + struct.pack("<I3H", 0, 8, 8, 8)
        + struct.pack(f"<{2 * count}I", *offsets, *map(len, tiles))
        + b"".join(tiles)
    )


def sealed(data: bytes) -> bytes:
    """Return a PNG file whose chunks have true checksums, as far as its chunks can be followed."""
    result, at = data[:8], 8
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if at + 12 + size > len(data):
            break
        result += _chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + size])
        at += 12 + size
    return result + data[at:]
