"""From a picture in memory to the bytes of a file, with all that is said of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import Argument, ConfigError, ImageError
from edgesr.imaging.metadata import NAMES, Metadata, present
from edgesr.imaging.modern import EXTRA
from edgesr.imaging.picture import Picture, Samples
from edgesr.imaging.png_chunks import COMMENT_KEY
from edgesr.imaging.quality import DEFAULT_QUALITY
from edgesr.imaging.writers import (
    Written,
    write_avif,
    write_bmp,
    write_jpeg,
    write_jxl,
    write_png,
    write_tiff,
    write_webp,
)

_SHOWN_TAGS = 5
_NAMES = {"exif": "the EXIF data", "icc": "the colour profile", **NAMES}


@dataclass(frozen=True)
class FileFormat:
    """What a kind of picture file can hold.

    Attributes:
        name: as users call it.
        suffixes: file name endings; the first is the one we give.
        longest_side: limit of the format or its library, in pixels.
        write: writes it, from pixels as OpenCV wants them, the picture and the quality 1..100.
        bits: most bits a sample can have.
        alpha: whether it holds an alpha channel.
        grey: whether it holds a single channel.
        package: what must be installed to write it, by the name it is imported by.
        lossy: its writer follows the quality.
        tags: it holds the tags of a TIFF file that can go into a new one.
    """

    name: str
    suffixes: tuple[str, ...]
    longest_side: int
    write: Callable[[NDArray[Any], Picture, int], Written]
    bits: int = 8
    alpha: bool = True
    grey: bool = True
    package: str | None = None
    lossy: bool = False
    tags: bool = False


FORMATS = (
    FileFormat("PNG", (".png",), 1_000_000, write_png, bits=16),
    FileFormat("JPEG", (".jpg", ".jpeg"), 65_500, write_jpeg, alpha=False, lossy=True),
    FileFormat("WebP", (".webp",), 16_383, write_webp, grey=False, lossy=True),
    FileFormat("TIFF", (".tiff", ".tif"), 1_000_000, write_tiff, bits=16, tags=True),
    FileFormat("BMP", (".bmp",), 1_000_000, write_bmp, alpha=False),
    FileFormat(
        "AVIF",
        (".avif",),
        16_384,
        write_avif,
        grey=False,
        package="PIL.AvifImagePlugin",
        lossy=True,
    ),
    FileFormat("JPEG XL", (".jxl",), 1_000_000, write_jxl, bits=16, lossy=True),
)


def format_of_path(output: Path) -> FileFormat:
    """Return the format of a file by the ending of its name.

    Raises:
        ConfigError: as for `format_for`.
    """
    other = output.with_suffix(".png") if output.name else "FILE.png"
    return format_for(output.suffix, Argument("output", other))


def format_for(suffix: str, instead: Argument | None = None) -> FileFormat:
    """Return the format of a file name ending such as `.png`.

    Args:
        suffix: the ending.
        instead: what to give where it is none; None: `format="png"`.

    Raises:
        ConfigError: no format that is written has this ending, or its package is not installed.
    """
    for candidate in FORMATS:
        if suffix.lower() in candidate.suffixes:
            if candidate.package is not None and not _is_installed(candidate.package):
                raise ConfigError(
                    f"{candidate.name} pictures need Pillow 11.3, which is not installed",
                    fix=EXTRA,
                )
            return candidate
    known = ", ".join(candidate.suffixes[0] for candidate in FORMATS)
    raise ConfigError(
        f"pictures are written as {known}, not '{suffix}'",
        fix=instead or Argument("format", "png"),
    )


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ImportError:
        return False


def check_fits(picture: Picture, scale: float, target: FileFormat) -> None:
    """Check before the work that the enlarged picture can be written.

    Raises:
        ImageError: the format is too small for it, or has no alpha channel.
    """
    longest = round(scale * max(picture.height, picture.width))
    if longest > target.longest_side:
        png = FORMATS[0]
        raise ImageError(
            f"the result would be {longest} pixels long; {target.name} ends at "
            f"{target.longest_side}",
            fix=Argument("format", "png") if longest <= png.longest_side else None,
        )
    if not target.alpha and not picture.is_opaque:
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
        quality: 1 to 100, for JPEG, WebP, AVIF and JPEG XL.

    Raises:
        ImageError: the library of the format cannot encode it.
    """
    notes: list[str] = []
    pixels = _reversed(stored(picture, target))
    if picture.colour.dtype == np.uint16 and target.bits == 8:
        notes.append(f"{target.name} holds 8 bits a channel; the picture had 16")
    kept, lost = picture, frozenset[str]()
    if picture.icc is not None and not _profile_fits(picture.icc, pixels.ndim == 2):
        kept, lost = replace(picture, icc=None), frozenset({"icc"})
    data, unheld = target.write(pixels, kept, quality)
    missing = _names(lost | unheld, _without_kept_tags(picture) if target.tags else picture)
    if missing:
        article = "an" if target.name[0] in "AEIO" else "a"
        notes.append(f"{missing} could not be kept in {article} {target.name} file")
    return data, tuple(notes)


def _without_kept_tags(picture: Picture) -> Picture:
    left = tuple(tag for tag in picture.metadata.tags if tag.entry is None)
    return replace(picture, metadata=replace(picture.metadata, tags=left))


def _there(picture: Picture) -> frozenset[str]:
    """Return the names of what is said of a picture and would be missed."""
    metadata = picture.metadata
    texts = tuple(text for text in metadata.texts if not text[4:].startswith(COMMENT_KEY + b"\0"))
    colour = tuple(chunk for chunk in metadata.colour if not _is_plain(chunk, metadata))
    blocks = {"exif": picture.exif, "icc": picture.icc}
    there = {name for name, block in blocks.items() if block is not None}
    return present(replace(metadata, texts=texts, colour=colour)) | there


def _is_plain(chunk: bytes, metadata: Metadata) -> bool:
    """Tell whether a PNG chunk says only what is taken for granted without it, sRGB."""
    name, content = chunk[:4], chunk[4:]
    plain = {
        b"sRGB": content,
        b"gAMA": (45_455).to_bytes(4, "big"),
        b"cHRM": b"".join(
            value.to_bytes(4, "big")
            for value in (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
        ),
        b"cICP": bytes([1, 13, 0, 1]),
    }
    srgb = any(other.startswith(b"sRGB") for other in metadata.colour)
    return content == plain[name] or (srgb and name != b"cICP")


def _names(lost: frozenset[str], picture: Picture) -> str:
    """Return what people call the things that are there and lost, `A, B and C`."""
    missed = lost & _there(picture)
    names = [_NAMES[name] for name in _NAMES if name in missed]
    if "tags" in missed:
        tags = dict.fromkeys(tag.name for tag in picture.metadata.tags)
        names[-1] += f" {', '.join(list(tags)[:_SHOWN_TAGS])}"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def stored(picture: Picture, target: FileFormat) -> Samples:
    """Return the samples as a format holds them.

    Args:
        picture: `check_fits` holds.
        target: of the file.

    Returns:
        (height, width) grey, or (height, width, 3 or 4) RGB and alpha, of the format's depth.
    """
    pixels = picture.colour
    if picture.alpha is not None and target.alpha:
        pixels = np.dstack([pixels, picture.alpha])
    elif picture.grey and target.grey:
        pixels = np.ascontiguousarray(pixels[:, :, 0])
    if pixels.dtype == np.uint16 and target.bits == 8:
        pixels = np.rint(pixels / 257.0).astype(np.uint8)
    return pixels


def _reversed(pixels: Samples) -> Samples:
    """Return RGB as OpenCV wants it: BGR, alpha last as before."""
    if pixels.ndim == 2:
        return pixels
    return np.ascontiguousarray(pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]])


def _profile_fits(icc: bytes, single_channel: bool) -> bool:
    """Tell by its header (ICC.1:2022, 7.2) whether a profile is whole and speaks of such pixels."""
    stated = int.from_bytes(icc[:4], "big")
    model = b"GRAY" if single_channel else b"RGB "
    return icc[36:40] == b"acsp" and stated == len(icc) and icc[16:20] == model
