"""What a picture file is, read from its first bytes and its headers.

OpenCV decodes the pixels but does not say how they were stored: whether a colour was transparent,
whether alpha is already multiplied in, whether there are more pictures behind the first.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from edgesr.errors import ImageError
from edgesr.imaging.exif import byte_order, read_directory
from edgesr.imaging.jpeg import read_jpeg
from edgesr.imaging.limits import check_size
from edgesr.imaging.png import DamagedError, read_png
from edgesr.imaging.tiff import is_whole, size_of
from edgesr.imaging.webp import read_webp

READABLE = "PNG, JPEG, WebP, TIFF and BMP"
HEAD = 32
"""Bytes at the start of a file that tell what it is."""
UNREADABLE_EXIF = "its EXIF data cannot be read, so it is not known whether it lies on its side"

# TIFF 6.0 tags
_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLES_PER_PIXEL, _EXTRA_SAMPLES = 258, 262, 277, 338
_COLOUR_MAP, _ICC_PROFILE, _COMPRESSION = 320, 34675, 259
_LOSSY_COMPRESSIONS = (6, 7)  # JPEG, as TIFF 6.0 had it and as its supplement has
_PHOTOMETRIC_COLOUR = {0: 1, 1: 1, 2: 3, 3: 1, 6: 3}  # grey, grey, RGB, palette, YCbCr -> channels
_PHOTOMETRIC_NAMES = {4: "mask", 5: "CMYK", 8: "CIE L*a*b*", 9: "ICC L*a*b*", 10: "ITU L*a*b*"}
_GREYS, _PALETTE = (0, 1), 3
_ALPHA_MULTIPLIED, _ALPHA_STRAIGHT = 1, 2


@dataclass(frozen=True)
class Container:
    """How a file stores its picture.

    Attributes:
        kind: `PNG`, `JPEG`, `WebP`, `TIFF` or `BMP`.
        still: what is decoded in place of the whole file: a PNG without its animation,
            whose damaged first frame OpenCV would make up without a word, and its texts; a WebP
            with its pixels last.
        grey_alpha: grey with an alpha channel, which OpenCV gives as four channels.
        transparent_grey: the one grey value that is transparent (PNG tRNS), as OpenCV scales it.
        multiplied: OpenCV's colours of this file are already multiplied by alpha.
        turned: OpenCV has applied the orientation.
        icc: colour profile where OpenCV does not hand it over.
        lossy: its compression changed the pixels.
        notes: what is lost in reading, one sentence each.
    """

    kind: str
    still: bytes | None = None
    grey_alpha: bool = False
    transparent_grey: int | None = None
    multiplied: bool = False
    turned: bool = False
    icc: bytes | None = None
    lossy: bool = False
    notes: tuple[str, ...] = ()


def identify(head: bytes) -> str | None:
    """Return the kind of picture by the first `HEAD` bytes of a file, None if it is none we know.

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
    if kind not in _readers():
        raise ImageError(
            f"{kind} pictures are not read, only {READABLE}", fix="convert it to PNG first"
        )
    return kind


def _readers() -> dict[str, Callable[[bytes], Container]]:
    return {"PNG": _png, "JPEG": _jpeg, "WebP": _webp, "TIFF": _tiff, "BMP": _bmp}


def inspect(data: bytes) -> Container:
    """Read the headers of a picture file, and check what can be checked without decoding.

    Raises:
        ImageError: no picture, of a kind that is not read, damaged, or too large; without a place.
    """
    kind = readable_kind(data)
    try:
        return _readers()[kind](data)
    except (DamagedError, struct.error, IndexError):
        raise ImageError(f"the {kind} file is damaged or cut short") from None


def _png(data: bytes) -> Container:
    png = read_png(data)
    value = png.transparent
    if value is not None and png.depth < 8:
        value = value * 255 // (2**png.depth - 1)
    return Container(
        "PNG",
        still=png.still,
        grey_alpha=png.colour == 4,
        transparent_grey=value,
        notes=_first_of(png.frames) + ((UNREADABLE_EXIF,) if png.strange_exif else ()),
    )


def _jpeg(data: bytes) -> Container:
    cmyk = read_jpeg(data) == 4
    notes = ("its CMYK colours were converted to RGB without their profile",) if cmyk else ()
    return Container("JPEG", lossy=True, notes=notes)


def _bmp(data: bytes) -> Container:
    """Check the size, which stands behind the file header (height negative: top down)."""
    (header,) = struct.unpack_from("<I", data, 14)
    if header not in _BMP_HEADERS:
        raise DamagedError
    (pixels,) = struct.unpack_from("<I", data, 10)
    short = header == 12
    width, height = struct.unpack_from("<HH" if short else "<ii", data, 18)
    (bits,) = struct.unpack_from("<H", data, 24 if short else 28)
    (packing,) = (0,) if short else struct.unpack_from("<I", data, 30)
    check_size("BMP", width, abs(height))
    (used,) = (0,) if short else struct.unpack_from("<I", data, 46)
    palette = (3 if short else 4) * (used or 1 << bits) if bits <= 8 else 0
    line = (width * bits + 31) // 32 * 4
    if pixels < 14 + header + palette:
        raise DamagedError  # the decoder would take its own header for pixels
    if packing in _BMP_PLAIN and pixels + line * abs(height) > len(data):
        raise DamagedError
    return Container("BMP")


def _webp(data: bytes) -> Container:
    webp = read_webp(data)
    unmarked = ("its EXIF data was left out: its header says there is none",)
    return Container(
        "WebP",
        still=webp.still,
        lossy=webp.lossy,
        notes=_first_of(webp.frames) + (unmarked if webp.unmarked_exif else ()),
    )


_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)  # bytes, by version
_BMP_PLAIN = (0, 3, 6)  # BI_RGB and bit fields: as many bytes as the size says


def _tiff(data: bytes) -> Container:
    """Read the first directory (TIFF 6.0) and refuse what OpenCV would decode wrongly."""
    directory = read_directory(data)
    if directory is None:
        raise DamagedError
    check_size("TIFF", *size_of(directory))
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
    palette = len(directory.numbers(_COLOUR_MAP)) if photometric == _PALETTE else 0
    if samples < (1 if photometric == _PALETTE else colours) or len(bits) > 1:
        raise DamagedError
    if photometric not in (*_GREYS, _PALETTE) and min(bits) < 8:
        raise DamagedError  # RGB and YCbCr have whole bytes
    if photometric == _PALETTE and palette != 3 << max(bits):
        raise DamagedError
    if not is_whole(directory, len(data)):
        raise DamagedError
    profile = directory.fields.get(_ICC_PROFILE)
    # For 8 bits OpenCV lets libtiff make RGBA, which multiplies straight alpha in.
    multiplied = extra == (_ALPHA_MULTIPLIED,) or (extra == (_ALPHA_STRAIGHT,) and bits == {8})
    pages = () if directory.next_offset == 0 else ("only the first of its pages was taken",)
    return Container(
        "TIFF",
        multiplied=multiplied,
        turned=True,
        icc=None if profile is None else bytes(profile.value),
        lossy=directory.number(_COMPRESSION) in _LOSSY_COMPRESSIONS,
        notes=pages,
    )


def _first_of(frames: int) -> tuple[str, ...]:
    return () if frames < 2 else (f"only the first of its {frames} frames was taken",)
