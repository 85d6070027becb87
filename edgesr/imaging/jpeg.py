"""JPEG files marker by marker: size, metadata, and how much work their decoding is (ITU T.81)."""

import re
import struct
from dataclasses import dataclass

from edgesr.errors import ImageError
from edgesr.imaging.limits import MAX_SCANS, check_size
from edgesr.imaging.metadata import Density, Metadata
from edgesr.imaging.photoshop import JPEG_HEADER, read_iptc

ICC, EXIF, XMP = b"ICC_PROFILE\0", b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
"""How the segments begin that hold a part of the profile (ICC.1:2022, B.4), EXIF data, XMP."""

_XMP_MORE = b"http://ns.adobe.com/xmp/extension/\0"
_NOT_FILL = re.compile(rb"[^\xff]")
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # no stuffed or fill byte, no restart marker
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_SCAN, _END, _ALONE = 0xDA, 0xD9, (0x01, *range(0xD0, 0xD9))
_APP0, _APP1, _APP2, _APP13, _APP14, _COMMENT = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE
_KEPT = (_APP0, _APP1, _APP2, _APP13, _APP14, _COMMENT)
_MARKERS = 10_000  # of one picture; cameras write a few hundred at most, each of up to 64 KiB
_PIXEL_BYTES = 6  # more than the noisiest pixels take at the best quality
_OTHER_BYTES = 32 << 20  # for metadata, previews and fill bytes
_UNREAD = {0xC3: "lossless", 0xC5: "hierarchical", 0xC6: "hierarchical", 0xC7: "hierarchical"}
_UNREAD |= {0xCB: "lossless", 0xCD: "hierarchical", 0xCE: "hierarchical", 0xCF: "hierarchical"}
_UNREAD |= {0xF7: "JPEG-LS"}
_DENSITY_UNITS = {1: 1.0, 2: 2.54}  # of JFIF, in pixels an inch


@dataclass(frozen=True)
class Jpeg:
    """What the segments of a file say.

    Attributes:
        width: in pixels.
        height: in pixels.
        components: of a pixel: 1 grey, 3 colour, 4 CMYK.
        inverted: its CMYK values are 0 for full ink, as Adobe's programs write them.
        exif: EXIF block.
        icc: colour profile.
        metadata: all else.
        notes: what is left out, one sentence each.
    """

    width: int
    height: int
    components: int
    inverted: bool
    exif: bytes | None
    icc: bytes | None
    metadata: Metadata
    notes: tuple[str, ...]


def read_jpeg(data: bytes) -> Jpeg:
    """Check size and scans, and read the segments.

    Raises:
        IndexError, struct.error: damaged or cut short.
        ImageError: more pixels, scans, markers or bytes than the limits, or a process of coding
            that is not read.
    """
    at, width, height, components, scans, room = 2, 0, 0, 0, 0, _OTHER_BYTES
    segments: list[tuple[int, bytes]] = []
    for _ in range(_MARKERS):
        if data[at] != 0xFF:
            # Some cameras leave bytes between segments; a decoder passes over them, and says so.
            if not components:
                raise IndexError
            at = _find(_MARKER, data, at, room)
        at = _find(_NOT_FILL, data, at, room)
        marker = data[at]
        at += 1
        if marker == _END:
            if not components or not scans:
                raise IndexError
            return _summary((width, height, components), segments)
        if marker in _ALONE:
            continue
        (size,) = struct.unpack_from(">H", data, at)
        if (marker in _FRAMES or marker in _UNREAD) and not components:
            bits, height, width, components = struct.unpack_from(">BHHB", data, at + 2)
            check_size("JPEG", width, height)
            _check_process(marker, bits)
            room += _PIXEL_BYTES * width * height
        if marker in _KEPT:
            segments.append((marker, data[at + 2 : at + size]))
        at += size
        if marker == _SCAN:
            scans += 1
            if scans > MAX_SCANS:
                raise _too_much(f"{MAX_SCANS} scans")
            at = _find(_MARKER, data, at, room)  # without an end marker the rest is missing
    raise _too_much(f"{_MARKERS} markers")


def _check_process(marker: int, bits: int) -> None:
    """Refuse what is valid JPEG but not what the decoder was built for.

    Raises:
        ImageError: it is of another process or depth.
    """
    name = _UNREAD.get(marker) or (f"{bits} bit" if bits in (12, 16) else None)
    if name is not None:
        raise ImageError(f"{name} JPEG files are not read", fix="convert it to PNG first")


def _summary(frame: tuple[int, int, int], segments: list[tuple[int, bytes]]) -> Jpeg:
    icc, notes = _profile([part for marker, part in segments if marker == _APP2])
    exif = xmp = iptc = comment = density = None
    adobe = False
    resources = []
    for marker, part in segments:
        if marker == _APP1 and part.startswith(EXIF):
            exif = exif or part.removeprefix(EXIF)
        elif marker == _APP1 and part.startswith(XMP):
            xmp = xmp or part.removeprefix(XMP)
        elif marker == _APP1 and part.startswith(_XMP_MORE):
            notes["the part of its XMP data that did not fit into one segment was left out"] = None
        elif marker == _APP13 and part.startswith(JPEG_HEADER):
            resources.append(part.removeprefix(JPEG_HEADER))
        elif marker == _COMMENT and comment is None:
            comment = _text(part)
        elif marker == _APP0 and part.startswith(b"JFIF\0") and density is None:
            density = _density(part)
        adobe |= marker == _APP14 and part.startswith(b"Adobe")
    if resources:
        iptc = read_iptc(b"".join(resources))  # a long row goes on in the next segment
    metadata = Metadata(xmp=xmp, iptc=iptc, comment=comment or None, density=density)
    return Jpeg(*frame, adobe, exif or None, icc, metadata, tuple(notes))


def _profile(parts: list[bytes]) -> tuple[bytes | None, dict[str, None]]:
    """Put the parts of the profile in their order; other formats use APP2 segments as well."""
    start = len(ICC) + 2
    numbered = {
        part[len(ICC)]: part for part in parts if part.startswith(ICC) and len(part) > start
    }
    if not numbered:
        return None, {}
    count = next(iter(numbered.values()))[start - 1]
    if sorted(numbered) != [*range(1, count + 1)]:
        return None, {"its colour profile has missing parts and was left out": None}
    return b"".join(numbered[number][start:] for number in sorted(numbered)), {}


def _density(jfif: bytes) -> Density | None:
    if len(jfif) < 12:
        return None
    unit, across, down = struct.unpack_from(">BHH", jfif, 7)
    per_inch = _DENSITY_UNITS.get(unit)
    if per_inch is None or not across or not down:
        return None
    return Density(across * per_inch, down * per_inch)


def _text(block: bytes) -> str:
    """Return a comment, whose encoding no standard states: UTF-8 where it can be, else Latin-1."""
    try:
        return block.decode().rstrip("\0")
    except UnicodeDecodeError:
        return block.decode("latin-1").rstrip("\0")


def _find(pattern: re.Pattern[bytes], data: bytes, at: int, room: int) -> int:
    """Return where the pattern begins, at `at` or behind it.

    Raises:
        IndexError: nowhere in the file.
        ImageError: not within the first `room` bytes.
    """
    found = pattern.search(data, at, room)
    if found is not None:
        return found.start()
    if len(data) > room:
        raise _too_much(f"{room} bytes before its end")
    raise IndexError


def _too_much(limit: str) -> ImageError:
    return ImageError(f"the JPEG file has more than {limit}", fix="save it as PNG first")
