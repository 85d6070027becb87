"""From a picture in memory to the bytes of a file, with its EXIF data and colour profile."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgesr.errors import Argument, ConfigError, ImageError
from edgesr.imaging.mark import HOLDERS, marked, with_mark
from edgesr.imaging.picture import KEEPS_METADATA, Picture, Samples
from edgesr.imaging.quiet import captured_stderr

DEFAULT_QUALITY = 95


@dataclass(frozen=True)
class FileFormat:
    """What a kind of picture file can hold.

    Attributes:
        name: as users call it.
        suffixes: file name endings; the first is the one we give.
        longest_side: limit of the format or its library, in pixels.
        bits: most bits a sample can have.
        alpha: whether it holds an alpha channel.
        grey: whether it holds a single channel.
        metadata: whether OpenCV writes EXIF data and colour profiles into it.
        quality: OpenCV's parameter for the quality 1..100, None for lossless formats.
    """

    name: str
    suffixes: tuple[str, ...]
    longest_side: int
    bits: int = 8
    alpha: bool = True
    grey: bool = True
    metadata: bool = True
    quality: int | None = None


FORMATS = (
    FileFormat("PNG", (".png",), 1_000_000, bits=16),
    FileFormat("JPEG", (".jpg", ".jpeg"), 65_500, alpha=False, quality=cv2.IMWRITE_JPEG_QUALITY),
    FileFormat("WebP", (".webp",), 16_383, grey=False, quality=cv2.IMWRITE_WEBP_QUALITY),
    FileFormat("TIFF", (".tiff", ".tif"), 1_000_000, bits=16, metadata=False),
    FileFormat("BMP", (".bmp",), 1_000_000, alpha=False, metadata=False),
)
SUFFIXES = frozenset(suffix for kind in FORMATS for suffix in kind.suffixes)
"""Endings of names, in lower case, by which a file in a folder is taken for a picture."""


def format_for(suffix: str) -> FileFormat:
    """Return the format of a file name ending such as `.png`.

    Raises:
        ConfigError: no format that is written has this ending.
    """
    for candidate in FORMATS:
        if suffix.lower() in candidate.suffixes:
            return candidate
    known = ", ".join(candidate.suffixes[0] for candidate in FORMATS)
    raise ConfigError(
        f"pictures are written as {known}, not '{suffix}'", fix=Argument("format", "png")
    )


def check_fits(picture: Picture, scale: float, target: FileFormat) -> None:
    """Check before the work that the enlarged picture can be written.

    Raises:
        ImageError: the format is too small for it, or has no alpha channel.
    """
    longest = round(scale * max(picture.height, picture.width))
    if longest > target.longest_side:
        raise ImageError(
            f"the result would be {longest} pixels long; {target.name} ends at "
            f"{target.longest_side}",
            fix=Argument("format", "png"),
        )
    if picture.alpha is not None and not target.alpha:
        raise ImageError(f"{target.name} has no alpha channel", fix=Argument("format", "png"))


def encode(
    picture: Picture, target: FileFormat, quality: int = DEFAULT_QUALITY
) -> tuple[bytes, tuple[str, ...]]:
    """Return the file's content and what it could not keep, one sentence each.

    Grey pictures become single-channel files where the format has them, and 16 bits become 8 where
    it has no more. The file says that edgesr wrote it, if its format has a place for that: mark.py.

    Args:
        picture: `check_fits` holds.
        target: of the file.
        quality: 1 to 100, for JPEG and WebP.

    Raises:
        ImageError: OpenCV cannot encode it.
    """
    notes: list[str] = []
    pixels = _channels(picture, target)
    if pixels.dtype == np.uint16 and target.bits == 8:
        pixels = np.rint(pixels / 257.0).astype(np.uint8)
        notes.append(f"{target.name} holds 8 bits a channel; the picture had 16")
    parameters = [] if target.quality is None else [target.quality, quality]
    suffix = target.suffixes[0]
    complaint = ""
    for kept, lost in _metadata_choices(picture, target, pixels.ndim == 2):
        said = with_mark(kept) if target.name in HOLDERS and KEEPS_METADATA else kept
        data, complaint = _imencode(suffix, pixels, said, parameters)
        if data is not None:
            return marked(data) if target.name == "TIFF" else data, (*notes, *lost)
    raise ImageError(
        f"OpenCV cannot write it as {target.name} ({complaint})", fix=Argument("format", "png")
    )


def _channels(picture: Picture, target: FileFormat) -> Samples:
    """Arrange as OpenCV wants it: grey, BGR or BGRA."""
    if picture.alpha is not None:
        return np.dstack([picture.colour[:, :, ::-1], picture.alpha])
    if picture.grey and target.grey:
        return np.ascontiguousarray(picture.colour[:, :, 0])
    return np.ascontiguousarray(picture.colour[:, :, ::-1])


def _metadata_choices(
    picture: Picture, target: FileFormat, single_channel: bool
) -> Iterator[tuple[Picture, tuple[str, ...]]]:
    """Yield the picture with all the metadata the format takes, then with less, and what is lost.

    Less, because OpenCV refuses blocks over 64 KiB in a JPEG and profiles that libpng finds wrong.
    """
    profile_lost = f"the colour profile could not be kept in a {target.name} file"
    exif_lost = f"the EXIF data could not be kept in a {target.name} file"
    lost: tuple[str, ...] = ()
    if picture.icc is not None and not _profile_fits(picture.icc, single_channel):
        picture, lost = replace(picture, icc=None), (profile_lost,)
    if target.metadata and KEEPS_METADATA:
        yield picture, lost
        if picture.exif is not None:
            yield replace(picture, exif=None), (*lost, exif_lost)
        if picture.icc is not None:
            yield replace(picture, icc=None), (*lost, profile_lost)
    if picture.exif is not None:
        lost = (*lost, exif_lost)
    if picture.icc is not None:
        lost = (*lost, profile_lost)
    yield replace(picture, exif=None, icc=None), lost


def _profile_fits(icc: bytes, single_channel: bool) -> bool:
    """Tell by its header (ICC.1:2022, 7.2.6) whether a profile speaks of such pixels."""
    return icc[16:20] == (b"GRAY" if single_channel else b"RGB ")


def _imencode(
    suffix: str, pixels: NDArray[Any], metadata: Picture, parameters: list[int]
) -> tuple[bytes | None, str]:
    """Return the encoded bytes, or None and the library's complaint."""
    kept = [(0, metadata.exif), (2, metadata.icc)]
    types = [kind for kind, block in kept if block is not None]
    blocks = [np.frombuffer(block, np.uint8)[None] for _, block in kept if block is not None]
    failure = ""
    ok = False
    with captured_stderr() as complaints:
        try:
            if types:
                ok, data = cv2.imencodeWithMetadata(suffix, pixels, types, blocks, parameters)
            else:
                ok, data = cv2.imencode(suffix, pixels, parameters)
        except cv2.error as error:
            failure = str(error)
    if ok:
        return data.tobytes(), ""
    lines = (failure + complaints.text).strip().splitlines()
    return None, lines[0] if lines else "no reason given"
