"""PNG files chunk by chunk: their size, and whether all of their pixels are there.

The check does not rest on what a decoder says: checksums, and the length of the inflated pixels
(PNG specification, third edition, sections 5, 7 and 11).
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from edgesr.errors import ImageError
from edgesr.imaging.limits import check_size
from edgesr.imaging.palette import filled_up
from edgesr.imaging.png_chunks import SAID_IN, Said, read_chunks

_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PALETTE = 3
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
_ADAM7_LAST = (0, 1, 1, 2)
_CHUNKS = 100_000  # besides the pixels', a file has a few dozen at most
_PIXEL_BYTES = 4096  # in a chunk of pixels, on average, of a file with more of them than that
# A decoder inflates every text that it is handed: seven megabytes of them took half a minute.
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_BLOCK = 1 << 18


class DamagedError(Exception):
    """A PNG file that is not whole."""


@dataclass(frozen=True)
class Png:
    """What the chunks of a file say.

    Attributes:
        depth: bits a sample.
        colour: colour type, 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha.
        transparent: the grey value of tRNS, as stored.
        frames: of an animation, 1 for a still picture.
        still: the file with only those chunks that its pixels are in, its palette filled up.
        filler: the grey value of what its palette was filled up with, None if it was full.
        said: what its other chunks say.
    """

    depth: int
    colour: int
    transparent: int | None
    frames: int
    still: bytes
    filler: int | None
    said: Said


def read_png(data: bytes) -> Png:
    """Read and check a PNG file.

    Raises:
        DamagedError: a chunk is cut short or does not fit its checksum, or pixels are missing.
        ImageError: more pixels than the limit, or Apple's variant of the format.
    """
    view = memoryview(data)
    width, height, depth, colour, interlaced = _header(data)
    check_size("PNG", width, height)
    transparent, frames, filler = None, 1, None
    pixels: list[memoryview] = []
    kept: list[bytes | memoryview] = [view[:8]]
    said = []
    for name, whole in _chunks(view):
        content = whole[8:-4]
        if name == b"PLTE" and colour == _PALETTE:
            full, filler = filled_up(bytes(whole), depth)
            kept.append(full)
        elif name in _KEPT:
            kept.append(whole)
        elif name in SAID_IN:
            said.append((name, content))
        if name == b"IDAT":
            pixels.append(content)
        elif name == b"tRNS" and colour == 0 and len(content) == 2:
            (transparent,) = struct.unpack(">H", content)
        elif name == b"acTL" and len(content) == 8:
            (frames,) = struct.unpack_from(">I", content)
    line_bits = depth * _CHANNELS[colour]
    if not _inflates_to(pixels, _raw_bytes(width, height, line_bits, interlaced)):
        raise DamagedError
    return Png(depth, colour, transparent, frames, b"".join(kept), filler, read_chunks(said))


def _header(data: bytes) -> tuple[int, int, int, int, bool]:
    if data[12:16] == b"CgBI":
        raise ImageError(
            "PNG files as Apple rewrites them for iPhone apps (CgBI) are not read",
            fix="xcrun pngcrush -revert-iphone-optimizations",
        )
    if len(data) < 33 or data[8:16] != b"\0\0\0\x0dIHDR":
        raise DamagedError
    width, height, depth, colour, packing, filtering, order = struct.unpack_from(
        ">IIBBBBB", data, 16
    )
    if depth not in _DEPTHS.get(colour, ()) or packing or filtering or order > 1:
        raise DamagedError
    return width, height, depth, colour, order == 1


def _chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield (name, whole chunk) up to IEND; checks the name and the checksum of every chunk.

    One that is passed over may have been the transparency before its name was damaged.
    """
    at, others, count, name = 8, 0, 0, b""
    most = _CHUNKS + len(view) // _PIXEL_BYTES
    while name != b"IEND":
        if at + 12 > len(view):
            raise DamagedError
        (size,) = struct.unpack_from(">I", view, at)
        name = bytes(view[at + 4 : at + 8])
        whole = view[at : at + 12 + size]
        others += name != b"IDAT"
        count += 1
        if len(whole) < 12 + size or others > _CHUNKS or count > most or not name.isalpha():
            raise DamagedError
        (stated,) = struct.unpack(">I", whole[-4:])
        if zlib.crc32(whole[4:-4]) != stated:
            raise DamagedError
        yield name, whole
        at += 12 + size


def _raw_bytes(width: int, height: int, bits: int, interlaced: bool) -> int:
    """Return the length of the inflated pixels: a filter byte and the samples of every line."""
    total = 0
    for left, top, across, down in (*_ADAM7, _ADAM7_LAST) if interlaced else ((0, 0, 1, 1),):
        columns, lines = -((left - width) // across), -((top - height) // down)
        if columns > 0 and lines > 0:
            total += lines * (1 + (columns * bits + 7) // 8)
    return total


def _inflates_to(pixels: list[memoryview], wanted: int) -> bool:
    """Tell whether a zlib stream is whole and holds that many bytes at least."""
    stream, got = zlib.decompressobj(), 0
    try:
        for part in pixels:
            rest: bytes | memoryview = part
            while len(rest) and not stream.eof and got <= wanted:
                got += len(stream.decompress(rest, _BLOCK))
                rest = stream.unconsumed_tail
        while not stream.eof and got <= wanted and (more := stream.decompress(b"", _BLOCK)):
            got += len(more)
    except zlib.error:
        return False
    return got > wanted or (got == wanted and stream.eof)
