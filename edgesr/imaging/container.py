"""What a picture file is, read from its first bytes and its headers.

OpenCV decodes the pixels but does not say how they were stored: whether a colour was transparent,
whether alpha is already multiplied in, whether there are more pictures behind the first.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edgesr.errors import ImageError
from edgesr.imaging.exif import byte_order, read_directory

READABLE = "PNG, JPEG, WebP, TIFF and BMP"

# TIFF 6.0 tags
_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLES_PER_PIXEL, _EXTRA_SAMPLES = 258, 262, 277, 338
_ICC_PROFILE = 34675
_PHOTOMETRIC_COLOUR = {0: 1, 1: 1, 2: 3, 3: 1, 6: 3}  # grey, grey, RGB, palette, YCbCr -> channels
_PHOTOMETRIC_NAMES = {4: "mask", 5: "CMYK", 8: "CIE L*a*b*", 9: "ICC L*a*b*", 10: "ITU L*a*b*"}
_GREYS = (0, 1)
_ALPHA_MULTIPLIED, _ALPHA_STRAIGHT = 1, 2


@dataclass(frozen=True)
class Container:
    """How a file stores its picture.

    Attributes:
        kind: `PNG`, `JPEG`, `WebP`, `TIFF` or `BMP`.
        grey_alpha: grey with an alpha channel, which OpenCV gives as four channels.
        transparent_grey: the one grey value that is transparent (PNG tRNS), as OpenCV scales it.
        multiplied: OpenCV's colours of this file are already multiplied by alpha.
        turned: OpenCV has applied the orientation.
        icc: colour profile where OpenCV does not hand it over.
        notes: what is lost in reading, one sentence each.
    """

    kind: str
    grey_alpha: bool = False
    transparent_grey: int | None = None
    multiplied: bool = False
    turned: bool = False
    icc: bytes | None = None
    notes: tuple[str, ...] = ()


def identify(head: bytes) -> str | None:
    """Return the kind of picture by the first 32 bytes of a file, None if it is none we know.

    Names kinds that cannot be read as well, so that a message can say what the file is.
    """
    if head[:4] == b"RIFF":
        return "WebP" if head[8:12] == b"WEBP" else None
    if head[4:8] == b"ftyp":
        brands = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC"}
        return brands.get(head[8:12], "HEIC" if head[8:12] in (b"mif1", b"hevc") else None)
    if byte_order(head):
        return "TIFF"
    signatures = {
        b"\x89PNG\r\n\x1a\n": "PNG",
        b"\xff\xd8\xff": "JPEG",
        b"BM": "BMP",
        b"GIF8": "GIF",
        b"\xff\x0a": "JPEG XL",
        b"\0\0\0\x0cJXL ": "JPEG XL",
        b"\0\0\0\x0cjP  ": "JPEG 2000",
        b"II+\0": "BigTIFF",
        b"MM\0+": "BigTIFF",
    }
    return next((kind for start, kind in signatures.items() if head.startswith(start)), None)


def inspect(data: bytes) -> Container:
    """Read the headers of a picture file.

    Raises:
        ImageError: it is not a picture, or of a kind that cannot be read; without a place.
    """
    kind = identify(data[:32])
    readers: dict[str, Callable[[bytes], Container]] = {
        "PNG": _png,
        "JPEG": _jpeg,
        "WebP": _webp,
        "TIFF": _tiff,
        "BMP": lambda data: Container("BMP"),
    }
    if kind is None:
        raise ImageError(f"not a picture ({READABLE} are read)")
    if kind not in readers:
        raise ImageError(
            f"{kind} pictures are not read, only {READABLE}", fix="convert it to PNG first"
        )
    try:
        return readers[kind](data)
    except (struct.error, IndexError):
        raise ImageError(f"the {kind} file is damaged or cut short") from None


def _png(data: bytes) -> Container:
    """Read IHDR, tRNS and acTL (PNG specification, third edition, section 11)."""
    depth, colour = data[24], data[25]
    transparent, frames = None, 1
    for name, start, size in _png_chunks(data):
        if name == b"tRNS" and colour == 0 and size == 2:
            (value,) = struct.unpack_from(">H", data, start)
            transparent = value * 255 // (2**depth - 1) if depth < 8 else value
        elif name == b"acTL":
            (frames,) = struct.unpack_from(">I", data, start)
    return Container(
        "PNG", grey_alpha=colour == 4, transparent_grey=transparent, notes=_first_of(frames)
    )


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, start, size) of the chunks before the pixels."""
    at = 8
    while data[at + 4 : at + 8] != b"IDAT":
        (size,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], at + 8, size
        at += size + 12


def _jpeg(data: bytes) -> Container:
    """Find the frame header, which holds the number of components (ITU T.81, B.2.2)."""
    at = 2
    while True:
        marker = data[at + 1]
        if data[at] != 0xFF:
            raise IndexError
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            break
        (size,) = struct.unpack_from(">H", data, at + 2)
        at += 2 + size
    cmyk = data[at + 9] == 4
    notes = ("its CMYK colours were converted to RGB without their profile",) if cmyk else ()
    return Container("JPEG", notes=notes)


def _webp(data: bytes) -> Container:
    """Count the frames (RFC 9649, section 2.7)."""
    frames, at = 0, 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        frames += name == b"ANMF"
        at += 8 + size + size % 2
    return Container("WebP", notes=_first_of(frames))


def _tiff(data: bytes) -> Container:
    """Read the first directory (TIFF 6.0) and refuse what OpenCV would decode wrongly."""
    directory = read_directory(data)
    if directory is None:
        raise IndexError
    photometric = directory.number(_PHOTOMETRIC) or 0
    samples = directory.number(_SAMPLES_PER_PIXEL) or 1
    bits = set(directory.numbers(_BITS_PER_SAMPLE)) or {1}
    colours = _PHOTOMETRIC_COLOUR.get(photometric)
    convert = "convert it to an 8 or 16 bit RGB PNG first"
    if colours is None:
        name = _PHOTOMETRIC_NAMES.get(photometric, f"kind {photometric}")
        raise ImageError(f"TIFF pictures in {name} colours are not read", fix=convert)
    if not bits <= {1, 2, 4, 8, 16}:
        depth = ", ".join(map(str, sorted(bits)))
        raise ImageError(f"TIFF pictures of {depth} bits a sample are not read", fix=convert)
    extra = directory.numbers(_EXTRA_SAMPLES)[:1]
    if photometric in _GREYS and samples > 1:
        raise ImageError("grey TIFF pictures with alpha are not read", fix=convert)
    profile = directory.fields.get(_ICC_PROFILE)
    # For 8 bits OpenCV lets libtiff make RGBA, which multiplies straight alpha in.
    multiplied = extra == (_ALPHA_MULTIPLIED,) or (extra == (_ALPHA_STRAIGHT,) and bits == {8})
    pages = () if directory.next_offset == 0 else ("only the first of its pages was taken",)
    return Container(
        "TIFF",
        multiplied=multiplied,
        turned=True,
        icc=None if profile is None else profile.value,
        notes=pages,
    )


def _first_of(frames: int) -> tuple[str, ...]:
    return () if frames < 2 else (f"only the first of its {frames} frames was taken",)
