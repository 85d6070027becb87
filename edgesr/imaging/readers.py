"""One reader for each kind of picture file: headers first, and then what decodes the pixels.

Every header is checked before a decoder sees the file, and what the file says of its picture is
taken from the headers, since no decoder hands all of it over.
"""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ImageError
from edgesr.imaging.bmp import decode_bmp, read_bmp
from edgesr.imaging.cmyk import WITHOUT_PROFILE, is_cmyk
from edgesr.imaging.container import Container, readable_kind
from edgesr.imaging.exif_block import from_directory
from edgesr.imaging.jpeg import EXIF, read_jpeg
from edgesr.imaging.jpeg_cmyk import decode_cmyk
from edgesr.imaging.jxl import read_jxl
from edgesr.imaging.layers import Layers
from edgesr.imaging.metadata import MOST_BYTES, Metadata
from edgesr.imaging.modern import read_avif, read_heic
from edgesr.imaging.opencv import decode_samples, no_memory
from edgesr.imaging.palette import LACKING, blacken
from edgesr.imaging.png import DamagedError, Png, read_png
from edgesr.imaging.tiff import CMYK, Tiff, read_tiff
from edgesr.imaging.tiff_colour import to_layers
from edgesr.imaging.tiff_pictures import has_lossy_segments
from edgesr.imaging.tiff_pixels import read_tiff_samples
from edgesr.imaging.tiff_tags import ICC, metadata_of
from edgesr.imaging.webp import read_webp


def inspect(data: bytes) -> Container:
    """Read the headers of a picture file, and check what can be checked without decoding.

    Raises:
        ImageError: no picture, of a kind that is not read or whose package is not installed,
            damaged, or too large; without a place.
    """
    kind = readable_kind(data)
    with reasons(kind):
        return _READERS[kind](data)


@contextmanager
def reasons(kind: str) -> Iterator[None]:
    """Say in words what fails in the block, which reads a file of this kind.

    Raises:
        ImageError: the file is damaged, or the memory too small for it.
    """
    try:
        yield
    except (DamagedError, struct.error, IndexError):
        raise ImageError(f"the {kind} file is damaged or cut short") from None
    except MemoryError:
        raise no_memory(kind) from None


def _png(data: bytes) -> Container:
    png = read_png(data)
    return Container(
        "PNG",
        partial(_decode_png, png),
        exif=png.said.exif,
        icc=png.said.icc,
        metadata=png.said.metadata,
        notes=(*_first_of(png.frames), *png.said.notes),
    )


def _decode_png(png: Png) -> Layers:
    # Without its animation, whose damaged first frame OpenCV would make up without a word, and
    # without its texts, all of which it would inflate.
    pixels, notes = decode_samples(png.still, "PNG")
    if png.filler is not None and pixels.ndim == 3 and blacken(pixels, png.filler):
        notes = (*notes, LACKING)
    if pixels.ndim == 3:
        return _layers(pixels, notes, grey=png.colour == 4)
    alpha = None
    if png.transparent is not None:
        white = int(np.iinfo(pixels.dtype).max)
        value = png.transparent
        if png.depth < 8:
            value = value * 255 // (2**png.depth - 1)  # as OpenCV scales it
        alpha = np.where(pixels == value, 0, white).astype(pixels.dtype)
    return Layers(np.repeat(pixels[:, :, None], 3, axis=2), alpha, True, notes)


def _jpeg(data: bytes) -> Container:
    jpeg = read_jpeg(data)
    cmyk = jpeg.components == 4
    if cmyk and jpeg.icc is not None and is_cmyk(jpeg.icc):
        decode: Callable[[], Layers] = partial(decode_cmyk, data, jpeg.icc, jpeg.inverted)
    else:
        decode = partial(_decode_plain, data, "JPEG")
    return Container(
        "JPEG",
        decode,
        exif=jpeg.exif,
        icc=None if cmyk else jpeg.icc,
        metadata=jpeg.metadata,
        lossy=True,
        notes=(*jpeg.notes, *((WITHOUT_PROFILE,) if cmyk and not is_cmyk(jpeg.icc) else ())),
    )


def _webp(data: bytes) -> Container:
    webp = read_webp(data)
    exif = webp.blocks.get(b"EXIF")
    return Container(
        "WebP",
        partial(_decode_plain, webp.still, "WebP"),
        exif=None if exif is None else exif.removeprefix(EXIF),
        icc=webp.blocks.get(b"ICCP"),
        metadata=Metadata(xmp=webp.blocks.get(b"XMP ")),
        lossy=webp.lossy,
        notes=_first_of(webp.frames) + webp.notes,
    )


def _bmp(data: bytes) -> Container:
    bmp = read_bmp(data)
    return Container(
        "BMP", partial(decode_bmp, data, bmp), icc=bmp.icc, metadata=Metadata(density=bmp.density)
    )


def _tiff(data: bytes) -> Container:
    tiff = read_tiff(data)
    profile = tiff.directory.block(ICC, MOST_BYTES)
    exif, whole = from_directory(tiff.directory, data)
    notes = [] if whole else [f"only the first {MOST_BYTES >> 20} MiB of its EXIF data were kept"]
    if tiff.directory.lost:
        lost = ", ".join(map(str, sorted(tiff.directory.lost)[:5]))
        notes.append(f"TIFF tags that cannot be read were left out: {lost}")
    if tiff.directory.next_offset != 0:
        notes.append("only the first of its pages was taken")
    return Container(
        "TIFF",
        partial(_decode_tiff, data, tiff, profile),
        exif=exif,
        icc=None if tiff.photometric == CMYK else profile,
        metadata=metadata_of(tiff.directory),
        lossy=has_lossy_segments(data, tiff),
        notes=tuple(notes),
    )


def _decode_tiff(data: bytes, tiff: Tiff, profile: bytes | None) -> Layers:
    samples, notes = read_tiff_samples(data, tiff)
    layers = to_layers(samples, tiff, profile)
    return replace(layers, notes=notes + layers.notes)


def _decode_plain(data: bytes, kind: str) -> Layers:
    return _layers(*decode_samples(data, kind))


def _layers(pixels: NDArray[Any], notes: tuple[str, ...], grey: bool = False) -> Layers:
    """Take OpenCV's pixels apart: grey, BGR or BGRA."""
    if pixels.ndim == 2:
        return Layers(np.repeat(pixels[:, :, None], 3, axis=2), None, True, notes)
    colour = np.ascontiguousarray(pixels[:, :, 2::-1])
    alpha = np.ascontiguousarray(pixels[:, :, 3]) if pixels.shape[2] == 4 else None
    return Layers(colour, alpha, grey, notes)


def _first_of(frames: int) -> tuple[str, ...]:
    return () if frames < 2 else (f"only the first of its {frames} frames was taken",)


_READERS: dict[str, Callable[[bytes], Container]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "WebP": _webp,
    "TIFF": _tiff,
    "BMP": _bmp,
    "AVIF": read_avif,
    "HEIC": read_heic,
    "JPEG XL": read_jxl,
}
"""The one place where a kind of picture is registered for reading; `container.READ` names them."""
