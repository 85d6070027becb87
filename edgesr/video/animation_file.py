"""Animations as Pillow reads and writes them."""

import math
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import Argument, ImageError, LimitError
from edgesr.files import open_regular
from edgesr.imaging.limits import check_size, max_megapixels
from edgesr.imaging.picture import Picture
from edgesr.imaging.readers import inspect
from edgesr.video.palette import to_palette

if TYPE_CHECKING:
    from PIL.Image import Image

FOREVER = 0
"""Plays of an animation without an end."""

_LONGEST_SIDE = {"GIF": 65_535, "WebP": 16_383, "PNG": 1_000_000}
_GIF_TICK_MS = 10
_LEAST_PIXELS = 64 * 64  # a frame costs the time of a tile at least
_OPAQUE = 255
_KEEP, _CLEAR = 1, 2  # disposal of GIF: the frame stays, or its place becomes transparent
_APNG_NONE, _APNG_SOURCE = 0, 0  # dispose_op and blend_op of APNG: nothing is cleared or mixed
_METADATA = {
    "GIF": ("comment",),
    "WebP": ("icc_profile", "exif", "xmp"),
    "PNG": ("icc_profile", "exif"),
}


@dataclass(frozen=True)
class Survey:
    """What an animation holds, found before it is enlarged.

    Attributes:
        kind: `GIF`, `WebP` or `PNG`.
        width: of the canvas, in pixels.
        height: of the canvas, in pixels.
        durations_ms: of every frame.
        plays: how often it is shown; `FOREVER`.
        alpha: a pixel of some frame is not opaque.
        grey: the file holds grey values only.
        lossy: its compression changed the pixels.
        metadata: blocks by Pillow's name of each.
        notes: what was lost in reading, one sentence each.
    """

    kind: str
    width: int
    height: int
    durations_ms: tuple[float, ...]
    plays: int
    alpha: bool
    grey: bool
    lossy: bool
    metadata: dict[str, Any]
    notes: tuple[str, ...]


def survey(path: Path, kind: str) -> Survey:
    """Decode an animation once, frame by frame.

    Raises:
        ImageError: it is damaged or cut short; without frames; more pixels than the limit.
    """
    with _opened(path, kind) as image:
        durations: list[float] = []
        alpha = False
        for frame in _frames(image):
            durations.append(float(image.info.get("duration", 0)))
            alpha = alpha or bool((np.asarray(frame)[:, :, 3] < _OPAQUE).any())
            _check_sum(path, kind, len(durations), frame.size)
        notes = []
        if _first(image):
            notes.append("its picture for viewers without animation was not kept")
        if kind == "GIF" and not _has_end(path):
            notes.append("the file has no end mark; frames may be missing")
        return Survey(
            kind=kind,
            width=image.width,
            height=image.height,
            durations_ms=tuple(durations),
            plays=_plays(image, kind),
            alpha=alpha,
            grey=image.mode in ("L", "LA", "1") and kind == "PNG",
            lossy=kind == "WebP" and _is_lossy(path),
            metadata={name: image.info[name] for name in _METADATA[kind] if name in image.info},
            notes=tuple(notes),
        )


def pictures(path: Path, source: Survey) -> Iterator[Picture]:
    """Yield the frames of an animation as they are shown.

    Raises:
        ImageError: it is damaged.
    """
    with _opened(path, source.kind) as image:
        for frame in _frames(image):
            pixels = np.asarray(frame)
            yield Picture(
                colour=np.ascontiguousarray(pixels[:, :, :3]),
                alpha=np.ascontiguousarray(pixels[:, :, 3]) if source.alpha else None,
                grey=source.grey,
                kind=source.kind,
                lossy=source.lossy,
            )


def check_fits(path: Path, source: Survey, target: str, scale: int) -> tuple[str, ...]:
    """Check before the work that a result can be written; return what it will not keep.

    Raises:
        ImageError: it would be larger than its kind of file holds.
    """
    longest = scale * max(source.width, source.height)
    if longest > _LONGEST_SIDE[target]:
        raise ImageError(
            f"the result would be {longest} pixels long; {target} ends at {_LONGEST_SIDE[target]}",
            where=path,
            fix=Argument("format", "png"),
        )
    notes = []
    if target == "GIF" and any(ms % _GIF_TICK_MS for ms in source.durations_ms):
        notes.append("GIF holds times in hundredths of a second; they were rounded")
    lost = [name for name in source.metadata if name not in _METADATA[target]]
    notes += [f"{name} could not be kept in a {target} file" for name in lost]
    return tuple(notes)


def write_animation(
    path: Path, target: str, source: Survey, frames: Iterator[Picture], quality: int
) -> None:
    """Write frames with the times of a source.

    Args:
        path: to write to.
        target: kind of the file.
        source: gives durations and plays.
        frames: as they are to be shown, one for each duration.
        quality: of a WebP whose source has loss, 1 to 100.

    Raises:
        OSError: it cannot be written.
    """
    images = [_image(frame, target) for frame in frames]
    durations = list(source.durations_ms)
    options: dict[str, Any] = {
        name: block for name, block in source.metadata.items() if name in _METADATA[target]
    }
    if target == "GIF":
        durations = [_GIF_TICK_MS * round(ms / _GIF_TICK_MS) for ms in durations]
        options |= {"disposal": _CLEAR if source.alpha else _KEEP, "optimize": False}
        if source.plays != 1:  # a file without a count is shown once
            options["loop"] = max(source.plays - 1, 0)
    elif target == "WebP":
        options |= {"lossless": not source.lossy, "quality": quality, "loop": source.plays}
    else:
        options |= {"disposal": _APNG_NONE, "blend": _APNG_SOURCE, "loop": source.plays}
    images[0].save(
        path,
        format=target,
        save_all=len(durations) > 1,
        append_images=images[1:],
        duration=durations if len(durations) > 1 else durations[0],
        **options,
    )


def _image(picture: Picture, target: str) -> "Image":
    from PIL import Image

    pixels: NDArray[Any] = picture.colour
    if picture.alpha is not None:
        pixels = np.dstack([picture.colour, picture.alpha])
    return to_palette(pixels) if target == "GIF" else Image.fromarray(pixels)


@contextmanager
def _opened(path: Path, kind: str) -> "Iterator[Image]":
    """Open with Pillow, turn its complaints into ours.

    Raises:
        ImageError: it cannot be read, or is larger than the limit.
    """
    from PIL import Image

    damaged = ImageError(f"the {kind} file is damaged or cut short", where=path)
    try:
        with open_regular(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes, which are checked here, and of odd chunks
            warnings.filterwarnings("error", "Invalid APNG")  # it would give a still picture
            with Image.open(file, formats=[kind]) as image:
                try:
                    check_size(kind, image.width, image.height)
                except ImageError as error:
                    raise error.at(path) from error
                yield image
    except Image.DecompressionBombError as error:
        raise LimitError(str(error), where=path, fix="edgesr --max-megapixels N COMMAND") from error
    except FileNotFoundError:
        raise ImageError("no such file", where=path) from None
    except (
        OSError,
        EOFError,
        SyntaxError,
        ValueError,
        IndexError,
        struct.error,
        UserWarning,
    ) as error:
        raise damaged from error


def _first(image: "Image") -> int:
    """Return the first frame that is of the animation: a PNG may hold a picture before it."""
    return int(bool(getattr(image, "default_image", False)))


def _frames(image: "Image") -> "Iterator[Image]":
    for number in range(_first(image), getattr(image, "n_frames", 1)):
        image.seek(number)
        image.load()
        yield image.convert("RGBA")


def _check_sum(path: Path, kind: str, frames: int, size: tuple[int, int]) -> None:
    """Bound all frames together: their enlargements are in memory at the same time.

    Raises:
        LimitError: they are more pixels than a picture may have.
    """
    megapixels = frames * max(size[0] * size[1], _LEAST_PIXELS) / 1e6
    if megapixels > max_megapixels():
        raise LimitError(
            f"the frames of the {kind} file are together more than the limit of "
            f"{max_megapixels():g} megapixels",
            where=path,
            fix=f"edgesr --max-megapixels {math.ceil(2 * megapixels)} COMMAND ...",
        )


def _plays(image: "Image", kind: str) -> int:
    """Return how often it is shown. A GIF counts repeats, and without a count is shown once."""
    loop = image.info.get("loop")
    if kind == "GIF":
        return 1 if loop is None else FOREVER if loop == 0 else int(loop) + 1
    return FOREVER if loop is None else int(loop)


def _is_lossy(path: Path) -> bool:
    with open_regular(path) as file:
        return inspect(file.read()).lossy


def _has_end(path: Path) -> bool:
    with open_regular(path) as file:
        return file.read().rstrip(b"\0").endswith(b";")
