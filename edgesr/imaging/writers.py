"""One writer for each kind of picture file: pixels by a library, all that is said of them by us.

A writer returns the file and the names of what it had no room for: `exif`, `icc`, or an attribute
of `Metadata`.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgesr.errors import Argument, ImageError
from edgesr.imaging.code_points import state_code_points
from edgesr.imaging.directory import read_directory
from edgesr.imaging.exif_block import X_RESOLUTION, describing
from edgesr.imaging.jpeg import EXIF, ICC, XMP
from edgesr.imaging.jxl_write import encode_jxl
from edgesr.imaging.mark import with_mark
from edgesr.imaging.metadata import Density, Metadata
from edgesr.imaging.photoshop import JPEG_HEADER, wrap_iptc
from edgesr.imaging.picture import Picture
from edgesr.imaging.png_chunks import COMMENT_KEY, INCH_M, IPTC_KEY, XMP_KEY
from edgesr.imaging.quiet import captured_stderr
from edgesr.imaging.tiff_write import encode_tiff
from edgesr.imaging.webp import ALPHA_FLAG, EXIF_FLAG, ICC_FLAG, XMP_FLAG, chunks

Written = tuple[bytes, frozenset[str]]
"""The content of a file, and what it does not hold.

A writer takes the pixels as OpenCV orders them, (height, width) or (height, width, channels) of
uint8 or uint16; the picture they belong to, for its profile and metadata; and the quality of a JPEG
or WebP file from 1 to 100, which the others leave unread.
"""

_SEGMENT = 0xFFFF - 2  # most bytes of a JPEG segment
_PNG_HEAD = 33  # bytes of the signature and IHDR
_BMP_DENSITY = 38  # where it stands in the file


def write_png(pixels: NDArray[Any], picture: Picture, quality: int) -> Written:
    """Write a PNG file; it holds everything but a density that is no whole number a metre."""
    data, said = _encoded(".png", pixels), picture.metadata
    exif = with_mark(picture).exif
    parts: list[bytes] = []
    if picture.icc is not None:
        parts.append(b"iCCP" + b"ICC profile\0\0" + zlib.compress(picture.icc))
    # Beside a profile, what else is said of colours must not contradict it.
    parts.extend(c for c in said.colour if picture.icc is None or not c.startswith(b"sRGB"))
    if exif is not None:
        parts.append(b"eXIf" + exif)
    if said.density is not None:
        across, down = (round(side / INCH_M) for side in _sides(said.density))
        parts.append(b"pHYs" + struct.pack(">IIB", across, down, 1))
    if said.xmp is not None:
        parts.append(b"iTXt" + XMP_KEY + bytes(5) + said.xmp)
    if said.iptc is not None:
        wrapped = wrap_iptc(said.iptc)
        text = f"\niptc\n{len(wrapped):8}\n{wrapped.hex()}\n"
        parts.append(b"zTXt" + IPTC_KEY + b"\0\0" + zlib.compress(text.encode("ascii")))
    parts.extend(said.texts)
    if said.comment is not None and not _has_comment(said):
        parts.append(b"iTXt" + COMMENT_KEY + bytes(5) + said.comment.encode())
    inserted = b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in parts
    )
    return b"".join([data[:_PNG_HEAD], inserted, data[_PNG_HEAD:]]), frozenset({"tags"})


def _sides(density: Density) -> tuple[float, float]:
    return density.across, density.down


def _has_comment(said: Metadata) -> bool:
    return any(text[4:].startswith(COMMENT_KEY + b"\0") for text in said.texts)


def write_jpeg(pixels: NDArray[Any], picture: Picture, quality: int) -> Written:
    """Write a JPEG file; it has segments for profile, EXIF, XMP, IPTC data and a comment."""
    data = _encoded(".jpg", pixels, cv2.IMWRITE_JPEG_QUALITY, quality)
    said, lost = picture.metadata, {"texts", "colour", "tags"}
    parts: list[tuple[int, bytes, str]] = []
    exif = with_mark(picture).exif or b""
    if len(EXIF + exif) > _SEGMENT:
        lost.add("exif")
        exif = with_mark(replace(picture, exif=None)).exif or b""
    parts.append((0xE1, EXIF + exif, "exif"))
    if said.xmp is not None:
        parts.append((0xE1, XMP + said.xmp, "xmp"))
    if said.iptc is not None:
        parts.append((0xED, JPEG_HEADER + wrap_iptc(said.iptc), "iptc"))
    parts.extend((0xE2, part, "icc") for part in _profile_parts(picture.icc or b""))
    if said.comment is not None:
        parts.append((0xFE, said.comment.encode(), "comment"))
    segments = []
    for marker, content, name in parts:
        if len(content) > _SEGMENT:
            lost.add(name)
            continue
        segments.append(struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content)
    if len(picture.icc or b"") > 255 * (_SEGMENT - len(ICC) - 2):
        lost.add("icc")
    start, behind = data[:2], 4 + struct.unpack_from(">H", data, 4)[0]
    jfif = bytearray(data[2:behind])
    if said.density is not None and jfif[4:9] == b"JFIF\0":
        across, down = (min(max(round(side), 1), 0xFFFF) for side in _sides(said.density))
        struct.pack_into(">BHH", jfif, 11, 1, across, down)
    return b"".join([start, jfif, *segments, data[behind:]]), frozenset(lost)


def _profile_parts(icc: bytes) -> Iterator[bytes]:
    """Yield a profile in numbered parts (ICC.1:2022, B.4), none where it needs more than 255."""
    room = _SEGMENT - len(ICC) - 2
    count = -(-len(icc) // room)
    if count <= 255:
        for number in range(count):
            part = icc[number * room : (number + 1) * room]
            yield ICC + bytes([number + 1, count]) + part


def write_webp(pixels: NDArray[Any], picture: Picture, quality: int) -> Written:
    """Write a WebP file; it has chunks for profile, EXIF and XMP data."""
    data = _encoded(".webp", pixels, cv2.IMWRITE_WEBP_QUALITY, quality)
    said, (exif, lost) = picture.metadata, _described(picture)
    blocks = [(b"ICCP", picture.icc, ICC_FLAG), (b"EXIF", exif, EXIF_FLAG)]
    blocks.append((b"XMP ", said.xmp, XMP_FLAG))
    lost |= {"iptc", "texts", "colour", "tags"}
    if all(block is None for _, block, _ in blocks):
        return data, lost
    flags = ALPHA_FLAG if picture.alpha is not None else 0
    flags |= sum(flag for _, block, flag in blocks if block is not None)
    height, width = pixels.shape[:2]
    canvas = struct.pack("<I", flags) + _three_bytes(width - 1) + _three_bytes(height - 1)
    frame = [data[at - 8 : at + n + n % 2] for name, at, n in chunks(data) if name != b"VP8X"]
    before, behind = blocks[:1], blocks[1:]
    content = b"".join(
        [b"WEBP", _chunk(b"VP8X", canvas), *_chunks(before), *frame, *_chunks(behind)]
    )
    return b"RIFF" + struct.pack("<I", len(content)) + content, lost


def _three_bytes(number: int) -> bytes:
    return struct.pack("<I", number)[:3]


def _chunks(blocks: list[tuple[bytes, bytes | None, int]]) -> list[bytes]:
    return [_chunk(name, block) for name, block, _ in blocks if block is not None]


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def write_tiff(pixels: NDArray[Any], picture: Picture, quality: int) -> Written:
    """Write a TIFF file; it has tags for everything but PNG's."""
    if pixels.ndim == 3:
        order = [2, 1, 0, *range(3, pixels.shape[2])]
        pixels = pixels[:, :, order]
    data = encode_tiff(pixels, picture.exif, picture.icc, picture.metadata)
    return data, frozenset({"texts", "colour", "tags"})


def write_bmp(pixels: NDArray[Any], picture: Picture, quality: int) -> Written:
    """Write a BMP file; it holds a density."""
    data, said = _encoded(".bmp", pixels), picture.metadata
    lost = frozenset({"exif", "icc", "xmp", "iptc", "comment", "texts", "colour", "tags"})
    if said.density is None:
        return data, lost
    changed = bytearray(data)
    across, down = (round(side / INCH_M) for side in _sides(said.density))
    struct.pack_into("<ii", changed, _BMP_DENSITY, across, down)
    return bytes(changed), lost


def write_avif(pixels: NDArray[Any], picture: Picture, quality: int) -> Written:
    """Write an AVIF file of 8 bits; it has boxes for profile or colours, EXIF and XMP data.

    Raises:
        ImageError: Pillow is not installed, or its encoder refuses the picture.
    """
    import io

    from edgesr.imaging.modern import missing

    try:
        from PIL import Image
    except ImportError:
        raise missing("AVIF", "Pillow 11.3") from None
    order = [2, 1, 0, *range(3, pixels.shape[2])]
    exif, lost = _described(picture)
    file, optional = io.BytesIO(), {"exif": exif, "icc_profile": picture.icc}
    optional["xmp"] = picture.metadata.xmp
    try:
        Image.fromarray(np.ascontiguousarray(pixels[:, :, order])).save(
            file, "AVIF", quality=quality, subsampling="4:4:4",
            **{name: block for name, block in optional.items() if block is not None},
        )  # fmt: skip
    except (KeyError, ValueError, OSError) as error:
        raise ImageError(
            f"Pillow cannot write it as AVIF ({error})", fix=Argument("format", "png")
        ) from None
    data, stated = file.getvalue(), False
    if picture.icc is None:
        data, stated = state_code_points(data, picture.metadata.colour)
    return data, lost | {"iptc", "texts", "tags"} | (set() if stated else {"colour"})


def write_jxl(pixels: NDArray[Any], picture: Picture, quality: int) -> Written:
    """Write a JPEG XL file; it has boxes for EXIF and XMP data.

    Raises:
        ImageError: imagecodecs has no libjxl, or it refuses the picture.
    """
    if pixels.ndim == 3:
        pixels = pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]
    exif, lost = _described(picture)
    data = encode_jxl(pixels, picture.icc, exif, picture.metadata.xmp, quality)
    return data, lost | {"iptc", "texts", "colour", "tags"}


def _described(picture: Picture) -> tuple[bytes | None, frozenset[str]]:
    """Return EXIF data for formats that hold a density and a comment only there.

    An EXIF block that is there gets the mark alone: its maker's notes know their place in it.
    """
    said = picture.metadata
    if picture.exif is None:
        described = replace(picture, exif=describing(said.density, said.comment))
        return with_mark(described).exif, frozenset()
    directory = read_directory(picture.exif)
    has_density = directory is not None and X_RESOLUTION in directory.fields
    lost = frozenset({"comment"} if has_density else {"comment", "density"})
    return with_mark(picture).exif, lost


def _encoded(suffix: str, pixels: NDArray[Any], *parameters: int) -> bytes:
    """Encode with OpenCV, without metadata.

    Raises:
        ImageError: it refuses, with its reason.
    """
    failure, ok = "", False
    with captured_stderr() as complaints:
        try:
            ok, data = cv2.imencode(suffix, pixels, parameters)
        except cv2.error as error:
            failure = str(error)
    if ok:
        return data.tobytes()
    lines = (failure + complaints.text).strip().splitlines()
    reason = lines[0] if lines else "no reason given"
    raise ImageError(
        f"OpenCV cannot write it as {suffix} ({reason})", fix=Argument("format", "png")
    )
