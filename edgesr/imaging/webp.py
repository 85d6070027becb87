"""WebP files chunk by chunk: their size, frames and metadata (RFC 9649, section 2.7).

The decoder of lossy pixels is told where they begin but not where they end: of a damaged picture it
takes what stands behind them, EXIF data for instance, for more of them, without a word. So the
decoder is given a file whose last chunk holds the pixels.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from edgesr.imaging.limits import check_size
from edgesr.imaging.metadata import MOST_BYTES
from edgesr.imaging.png import DamagedError

ICC_FLAG, ALPHA_FLAG, EXIF_FLAG, XMP_FLAG = 0x20, 0x10, 0x08, 0x04
"""Flags of VP8X."""

_FLAGS = {b"ICCP": ICC_FLAG, b"EXIF": EXIF_FLAG, b"XMP ": XMP_FLAG}
_NAMES = {b"ICCP": "colour profile", b"EXIF": "EXIF data", b"XMP ": "XMP data"}
_PIXELS = (b"ALPH", b"VP8 ", b"VP8L")
_CHUNKS = 100_000  # an animation of an hour has as many


@dataclass(frozen=True)
class WebP:
    """What the chunks of a file say.

    Attributes:
        size: width and height of the canvas, in pixels.
        still: the file with its pixels last and nothing behind them.
        frames: of an animation, 0 for a still picture.
        lossy: its compression changed the pixels.
        blocks: metadata by the name of its chunk.
        notes: what was left out of them, one sentence each.
    """

    size: tuple[int, int]
    still: bytes
    frames: int
    lossy: bool
    blocks: dict[bytes, bytes]
    notes: tuple[str, ...]


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, first byte of the content, its length) of every chunk.

    Raises:
        DamagedError: the file, or its last chunk, is cut short, or it has chunks without number.
        struct.error: it is cut short.
    """
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise DamagedError
    at, count = 12, 0
    while at + 8 <= end:
        count += 1
        if count > _CHUNKS:
            raise DamagedError
        name, size = struct.unpack_from("<4sI", data, at)
        yield name, at + 8, size
        at += 8 + size + size % 2
    # The decoder makes up what a part that was cut lacks; what was cut off it then reads as a part.
    if not end <= at <= end + 1:
        raise DamagedError


def read_webp(data: bytes) -> WebP:
    """Check the size, count the frames and take the metadata.

    Raises:
        DamagedError, struct.error, IndexError: it is cut short, or its flags deny what it holds.
        ImageError: more pixels than the limit.
    """
    frames, flags, lossy, size = 0, None, False, (0, 0)
    blocks: dict[bytes, bytes] = {}
    parts: list[tuple[bytes, memoryview]] = []
    view = memoryview(data)
    for name, at, length in chunks(data):
        if name in _SIZES:
            stated = _SIZES[name](data[at : at + 10])
            check_size("WebP", *stated)
            size = size if any(size) else stated
        elif name in _FLAGS and length <= MOST_BYTES:
            blocks.setdefault(name, data[at : at + length])
        frames += name == b"ANMF"
        lossy |= name == b"VP8 " or (
            name == b"ANMF" and data.find(b"VP8 ", at + 16, at + length) >= 0
        )
        if name == b"VP8X":
            flags = data[at]
        if name == b"ALPH" and flags is not None and not flags & ALPHA_FLAG:
            raise DamagedError  # a flag was lost, and the decoder would leave the alpha out
        parts.append((name, view[at - 8 : at + length + length % 2]))
    # What the header denies, other programs leave out as well: they would not turn the picture.
    denied = [name for name in blocks if not (flags or 0) & _FLAGS[name]]
    notes = tuple(
        f"its {_NAMES[name]} was left out: its header says there is none" for name in denied
    )
    kept = {name: block for name, block in blocks.items() if name not in denied}
    return WebP(size, _pixels_last(data, parts, flags is None), frames, lossy, kept, notes)


def _pixels_last(data: bytes, parts: list[tuple[bytes, memoryview]], simple: bool) -> bytes:
    """Return the file with the pixels of a still picture behind all else.

    Args:
        data: the file.
        parts: its chunks, by name and with their headers.
        simple: it is of the simple format, whose first chunk are the pixels.
    """
    if simple:
        parts = parts[:1]
    content = b"".join(part for _, part in sorted(parts, key=lambda part: part[0] in _PIXELS))
    return data[:4] + struct.pack("<I", 4 + len(content)) + data[8:12] + content


def _lossy(block: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", block, 6)
    return width & 0x3FFF, height & 0x3FFF


def _lossless(block: bytes) -> tuple[int, int]:
    (packed,) = struct.unpack_from("<I", block, 1)
    return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1


def _canvas(block: bytes) -> tuple[int, int]:
    width, height = (
        struct.unpack("<I", block[4:7] + b"\0"),
        struct.unpack("<I", block[7:10] + b"\0"),
    )
    return width[0] + 1, height[0] + 1


_SIZES = {b"VP8 ": _lossy, b"VP8L": _lossless, b"VP8X": _canvas}
