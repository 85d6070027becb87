"""WebP files chunk by chunk: their size, frames and metadata (RFC 9649, section 2.7)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from edgesr.imaging.limits import check_size
from edgesr.imaging.metadata import MOST_BYTES
from edgesr.imaging.png import DamagedError

ICC_FLAG, ALPHA_FLAG, EXIF_FLAG, XMP_FLAG = 0x20, 0x10, 0x08, 0x04
"""Flags of VP8X."""

_METADATA = (b"ICCP", b"EXIF", b"XMP ")


@dataclass(frozen=True)
class WebP:
    """What the chunks of a file say.

    Attributes:
        size: width and height of the canvas, in pixels.
        still: the file without what stands behind its picture.
        frames: of an animation, 0 for a still picture.
        lossy: its compression changed the pixels.
        blocks: metadata by the name of its chunk.
    """

    size: tuple[int, int]
    still: bytes
    frames: int
    lossy: bool
    blocks: dict[bytes, bytes]


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, first byte of the content, its length) of every chunk.

    Raises:
        DamagedError: the file, or its last chunk, is cut short.
        struct.error: the same.
    """
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise DamagedError
    at = 12
    while at + 8 <= end:
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
    frames, opaque, lossy, size = 0, False, False, (0, 0)
    blocks: dict[bytes, bytes] = {}
    for name, at, length in chunks(data):
        if name in _SIZES:
            stated = _SIZES[name](data[at : at + 10])
            check_size("WebP", *stated)
            size = size if any(size) else stated
        elif name in _METADATA and length <= MOST_BYTES:
            blocks.setdefault(name, data[at : at + length])
        frames += name == b"ANMF"
        lossy |= name == b"VP8 " or (
            name == b"ANMF" and data.find(b"VP8 ", at + 16, at + length) >= 0
        )
        if name == b"VP8X":
            opaque = not data[at] & ALPHA_FLAG
        if name == b"ALPH" and opaque:
            raise DamagedError  # a flag was lost, and the decoder would leave the alpha out
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    # Cut, because the decoder would go on into what stands behind the picture.
    return WebP(size, data[:end], frames, lossy, blocks)


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
