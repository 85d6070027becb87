"""WebP files part by part: their size, and the file without what a decoder would run into.

The decoder of lossy pixels is told where they begin but not where they end: of a damaged picture it
takes what stands behind them, EXIF data for instance, for more of them, without a word (RFC 9649,
section 2.7, has the order of the parts). So the pixels are put last.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from edgesr.imaging.limits import check_size
from edgesr.imaging.png import DamagedError

_PARTS = 100_000  # an animation of an hour has as many
_PIXELS = (b"ALPH", b"VP8 ", b"VP8L")
_ALPHA, _EXIF = 0x10, 0x08  # flags of VP8X


@dataclass(frozen=True)
class WebP:
    """What the parts of a file say.

    Attributes:
        frames: of an animation; a still picture has none.
        lossy: its compression changed the pixels.
        still: the file with its pixels last and nothing behind them.
        unmarked_exif: there is EXIF data that the header denies, so that decoders leave it out.
    """

    frames: int
    lossy: bool
    still: bytes
    unmarked_exif: bool


def read_webp(data: bytes) -> WebP:
    """Read and check a WebP file.

    Raises:
        DamagedError: it is cut short, or its parts do not add up.
        ImageError: more pixels than the limit.
        struct.error: a part is too short for what it must hold.
    """
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise DamagedError
    view, at, flags, frames, lossy = memoryview(data), 12, None, 0, False
    parts: list[tuple[bytes, memoryview]] = []
    while at + 8 <= end:
        name, size = struct.unpack_from("<4sI", data, at)
        behind = at + 8 + size + size % 2
        if name in _SIZES:
            check_size("WebP", *_SIZES[name](data[at + 8 : at + 18]))
        if name == b"VP8X":
            flags = data[at + 8]
        frames += name == b"ANMF"
        lossy |= name == b"VP8 " or (
            name == b"ANMF" and data.find(b"VP8 ", at + 24, at + 8 + size) >= 0
        )
        parts.append((name, view[at:behind]))
        at = behind
        if len(parts) > _PARTS:
            raise DamagedError
    # The decoder makes up what a part that was cut lacks; what was cut off it then reads as a part.
    if not end <= at <= end + 1:
        raise DamagedError
    names = {name for name, _ in parts}
    if b"ALPH" in names and flags is not None and not flags & _ALPHA:
        raise DamagedError  # a flag was lost, and the decoder would leave the alpha out
    denied = flags is not None and not flags & _EXIF
    return WebP(
        frames, lossy, _pixels_last(data, parts, flags is None), b"EXIF" in names and denied
    )


def _pixels_last(data: bytes, parts: list[tuple[bytes, memoryview]], simple: bool) -> bytes:
    """Return the file with the pixels of a still picture behind all else.

    Args:
        data: the file.
        parts: its parts, by name and with their headers.
        simple: it is of the simple format, whose first part are the pixels.
    """
    if simple:
        parts = parts[:1]
    content = b"".join(part for _, part in sorted(parts, key=lambda part: part[0] in _PIXELS))
    return data[:4] + struct.pack("<I", 4 + len(content)) + data[8:12] + content


def _lossy_size(block: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", block, 6)
    return width & 0x3FFF, height & 0x3FFF


def _lossless_size(block: bytes) -> tuple[int, int]:
    (packed,) = struct.unpack_from("<I", block, 1)
    return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1


def _canvas_size(block: bytes) -> tuple[int, int]:
    width, height = (
        struct.unpack("<I", block[4:7] + b"\0"),
        struct.unpack("<I", block[7:10] + b"\0"),
    )
    return width[0] + 1, height[0] + 1


_SIZES: dict[bytes, Callable[[bytes], tuple[int, int]]] = {
    b"VP8 ": _lossy_size,
    b"VP8L": _lossless_size,
    b"VP8X": _canvas_size,
}
