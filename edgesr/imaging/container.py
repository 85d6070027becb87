"""What a picture file is, by its first bytes, and what its headers say."""

from collections.abc import Callable
from dataclasses import dataclass

from edgesr.errors import ImageError
from edgesr.imaging.directory import byte_order
from edgesr.imaging.layers import Layers
from edgesr.imaging.metadata import NOTHING, Metadata

ENDINGS = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "WebP": (".webp",),
    "TIFF": (".tiff", ".tif"),
    "BMP": (".bmp", ".dib"),
    "AVIF": (".avif",),
    "HEIC": (".heic", ".heif", ".hif"),
    "JPEG XL": (".jxl",),
}
"""Kinds that are read, and how the names of their files end."""

SUFFIXES = frozenset(ending for endings in ENDINGS.values() for ending in endings)
"""Endings of names, in lower case, by which every command takes a file for a picture."""

READ = tuple(ENDINGS)
READABLE = f"{', '.join(READ[:-1])} and {READ[-1]}"
HEAD = 32
"""Bytes at the start of a file that tell what it is."""


@dataclass(frozen=True)
class Container:
    """How a file stores its picture, and what it says of it.

    Attributes:
        kind: `PNG`, `JPEG`, `WebP`, `TIFF`, `BMP`, `AVIF`, `HEIC` or `JPEG XL`.
        decode: decodes the pixels, as they are stored; raises what `inspect` raises, and what
            `readers.reasons` puts in words.
        exif: EXIF block, starting with its TIFF header.
        icc: colour profile of the decoded values.
        metadata: all else.
        lossy: its compression changed the pixels.
        notes: what is lost in reading, one sentence each.
    """

    kind: str
    decode: Callable[[], Layers]
    exif: bytes | None = None
    icc: bytes | None = None
    metadata: Metadata = NOTHING
    lossy: bool = False
    notes: tuple[str, ...] = ()


def identify(head: bytes) -> str | None:
    """Return the kind of picture by the first `HEAD` bytes of a file, None if it is none we know.

    Names kinds that cannot be read as well, so that a message can say what the file is.
    """
    if head[:4] == b"RIFF":
        return "WebP" if head[8:12] == b"WEBP" else None
    if head[4:8] == b"ftyp":
        return _FTYP_BRANDS.get(head[8:12])
    if byte_order(head):
        return "TIFF"
    return next((kind for start, kind in _SIGNATURES.items() if head.startswith(start)), None)


_FTYP_BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"crx ": "Canon RAW (CR3)"}
_FTYP_BRANDS |= dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"mif1", b"hevc"), "HEIC")
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"BM": "BMP",
    b"GIF8": "GIF",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"IIRO": "Olympus RAW (ORF)",
    b"IIRS": "Olympus RAW (ORF)",
    b"MMOR": "Olympus RAW (ORF)",
    b"IIU\0": "Panasonic RAW (RW2)",
    b"FUJIFILM": "Fujifilm RAW (RAF)",
    b"FOVb": "Sigma RAW (X3F)",
    b"\0MRM": "Minolta RAW (MRW)",
    b"8BPS": "Photoshop (PSD)",
}


def readable_kind(head: bytes) -> str:
    """Return the kind of picture that a file is.

    Args:
        head: the first `HEAD` bytes of the file, or more.

    Raises:
        ImageError: none that is read; without a place.
    """
    kind = identify(head)
    if kind is None:
        raise ImageError(f"not a picture ({READABLE} are read)")
    if kind not in READ:
        fix = "convert it to PNG first"
        if kind == "GIF":  # in a folder, or where a still picture is asked for
            fix += ", or upscale it as a GIF: edgesr upscale FILE.gif"
        raise ImageError(f"{kind} pictures are not read, only {READABLE}", fix=fix)
    return kind
