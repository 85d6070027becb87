"""Which inputs move, told from their first bytes and their names, before any library is loaded."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from edgesr.files import open_regular
from edgesr.imaging.container import HEAD, identify

CLIPS = (
    ".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg",
    ".mpeg", ".vob", ".wmv", ".asf", ".flv", ".ogv", ".y4m", ".mxf", ".nut",
)  # fmt: skip
"""Endings of files that are clips, whatever is in them."""

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""Endings that results of clips have, and FFmpeg's name of each container.

Others are read only: AVI has no time stamps, and streams for broadcast are cut to their carrier.
"""

OTHERWISE = ".mkv"
"""Ending of the result of a clip whose own is none of these: it holds anything."""

ANIMATIONS = {"GIF": ".gif", "WebP": ".webp", "PNG": ".png"}
"""Kinds of pictures that can move, and the ending of each."""

_WEBP_ANIMATED = 0x02  # of the flags of VP8X
_SIGNATURE_BYTES, _CHUNKS = 8, 1000


@dataclass(frozen=True)
class Moving:
    """A clip or an animation and where its enlargement goes.

    Attributes:
        input: what is read.
        output: what is written.
        animation: `GIF`, `WebP` or `PNG`; None: a clip.
    """

    input: Path
    output: Path
    animation: str | None = None


def is_clip(path: Path) -> bool:
    """Tell whether a path is a clip: by its name, unless its content is a picture."""
    return path.suffix.lower() in CLIPS and identify(_head(path)) is None


def animation_kind(path: Path) -> str | None:
    """Return `GIF`, `WebP` or `PNG` for a file that moves; None for any other, or none at all.

    A GIF of a single frame counts: nothing else here reads it.
    """
    kind = identify(_head(path))
    if kind not in ANIMATIONS:
        return None
    try:
        with open_regular(path) as file:
            moves = {"GIF": lambda _: True, "WebP": _webp_moves, "PNG": _png_moves}[kind](file)
    except OSError:
        return None
    return kind if moves else None


def _head(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(HEAD)
    except OSError:
        return b""


def _webp_moves(file: BinaryIO) -> bool:
    head = file.read(HEAD)
    return head[12:16] == b"VP8X" and bool(head[20] & _WEBP_ANIMATED)


def _png_moves(file: BinaryIO) -> bool:
    """An animated PNG has a chunk acTL before its first IDAT."""
    file.seek(_SIGNATURE_BYTES)
    for kind in _png_chunks(file):
        if kind in (b"acTL", b"IDAT"):
            return kind == b"acTL"
    return False


def _png_chunks(file: BinaryIO) -> Iterator[bytes]:
    for _ in range(_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head)
        yield kind
        file.seek(length + 4, 1)
