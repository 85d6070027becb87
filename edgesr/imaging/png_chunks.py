"""The chunks of a PNG file that say something of its picture (PNG specification, section 11.3).

Texts are kept as they are stored, since inflating them all may take minutes; the few whose meaning
other formats share are read.
"""

import re
import struct
import zlib
from dataclasses import dataclass

from edgesr.imaging.metadata import MOST_BYTES, MOST_TEXT, NOTHING, Density, Metadata
from edgesr.imaging.photoshop import read_iptc

TEXTS = (b"tEXt", b"zTXt", b"iTXt")
COLOURS = (b"cICP", b"sRGB", b"gAMA", b"cHRM")
SAID_IN = (*TEXTS, *COLOURS, b"pHYs", b"iCCP", b"eXIf")
"""Names of the chunks that are read here."""

XMP_KEY = b"XML:com.adobe.xmp"
IPTC_KEY = b"Raw profile type iptc"
COMMENT_KEY = b"Comment"
INCH_M = 0.0254
_RAW_EXIF = (b"Raw profile type exif", b"Raw profile type APP1")  # ImageMagick, before eXIf was
_RAW = re.compile(rb"\s*[^\n]+\n\s*\d+\s([0-9a-fA-F\s]*)")
_PER_METRE = 1


@dataclass
class Said:
    """What the chunks of one file say; filled chunk by chunk."""

    exif: bytes | None = None
    icc: bytes | None = None
    metadata: Metadata = NOTHING
    notes: tuple[str, ...] = ()


def read_chunks(chunks: list[tuple[bytes, memoryview]]) -> Said:
    """Read chunks named in `SAID_IN`.

    Args:
        chunks: name and content; the first counts where the standard allows one only.
    """
    first: dict[bytes, bytes] = {}
    texts: dict[bytes, bytes] = {}
    kept: list[bytes] = []
    room, left_out = MOST_TEXT, False
    for name, content in chunks:
        if name not in TEXTS:
            first.setdefault(name, bytes(content[: MOST_BYTES + 1]))
            continue
        room -= len(content)
        if room < 0:
            left_out = True
            continue
        chunk = bytes(content)
        key = chunk.partition(b"\0")[0]
        if key in (XMP_KEY, IPTC_KEY, *_RAW_EXIF, COMMENT_KEY) and key not in texts:
            text = _text_of(name, chunk)
            if text is not None:
                texts[key] = text
                if key != COMMENT_KEY:
                    continue
        kept.append(name + chunk)
    raw_exif = next((texts[key] for key in _RAW_EXIF if key in texts), None)
    comment = texts.get(COMMENT_KEY)
    iptc = _unwrapped(texts.get(IPTC_KEY))
    metadata = Metadata(
        xmp=texts.get(XMP_KEY),
        iptc=None if iptc is None else read_iptc(iptc) if iptc[:4] == b"8BIM" else iptc,
        comment=None if comment is None else comment.decode("utf-8", "replace"),
        texts=tuple(kept),
        colour=tuple(name + first[name] for name in COLOURS if name in first),
        density=_density(first.get(b"pHYs", b"")),
    )
    exif = first.get(b"eXIf") or _unwrapped(raw_exif)
    icc = _profile(first.get(b"iCCP"))
    notes = []
    if left_out:
        notes.append(f"its texts take more than {MOST_TEXT} bytes; only the first were kept")
    if icc is None and b"iCCP" in first:
        notes.append("its colour profile cannot be read and was left out")
    return Said(
        exif=None if exif is None else exif.removeprefix(b"Exif\0\0"),
        icc=icc,
        metadata=metadata,
        notes=tuple(notes),
    )


def _text_of(name: bytes, chunk: bytes) -> bytes | None:
    """Return a text as UTF-8, None where it is malformed or inflates to too much."""
    _, _, rest = chunk.partition(b"\0")
    if name == b"tEXt":
        return rest.decode("latin-1").encode()
    if name == b"zTXt":
        text = None if rest[:1] != b"\0" else inflated(rest[1:])
        return None if text is None else text.decode("latin-1").encode()
    if len(rest) < 2:
        return None
    packed, (_, _, behind) = rest[0], rest[2:].partition(b"\0")
    text = behind.partition(b"\0")[2]
    return inflated(text) if packed else text


def _unwrapped(text: bytes | None) -> bytes | None:
    """Return the bytes that ImageMagick wrote in hexadecimal digits behind a name and a length."""
    found = None if text is None else _RAW.fullmatch(text)
    try:
        return None if found is None else bytes.fromhex(found[1].decode("ascii"))
    except ValueError:
        return None


def _profile(chunk: bytes | None) -> bytes | None:
    _, _, packed = (chunk or b"").partition(b"\0")
    return inflated(packed[1:]) if packed[:1] == b"\0" else None


def inflated(packed: bytes) -> bytes | None:
    """Return what a zlib stream holds, None where it is broken or holds more than is kept."""
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(packed, MOST_BYTES)
    except zlib.error:
        return None
    return found if stream.eof else None


def _density(chunk: bytes) -> Density | None:
    if len(chunk) != 9:
        return None
    across, down, unit = struct.unpack(">IIB", chunk)
    if unit != _PER_METRE or not across or not down:
        return None
    return Density(across * INCH_M, down * INCH_M)
