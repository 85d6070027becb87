"""Which part of a photograph is looked at: asked for, or the one with the most detail."""

import re
from dataclasses import dataclass, replace

import numpy as np

from edgesr.errors import Argument, ConfigError
from edgesr.imaging.picture import Picture

WIDTH, HEIGHT = 128, 96
"""Size of the part that is chosen where none is asked for, in pixels of the photograph."""

_TEXT = re.compile(r"(\d+),(\d+),(\d+),(\d+)")


@dataclass(frozen=True)
class Crop:
    """A rectangle of pixels.

    Attributes:
        x: first column.
        y: first row.
        width: columns, at least 1.
        height: rows, at least 1.
    """

    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.x},{self.y},{self.width},{self.height}"

    def times(self, factor: int) -> "Crop":
        """Return the same part of the picture enlarged by a whole factor."""
        return Crop(factor * self.x, factor * self.y, factor * self.width, factor * self.height)

    def of(self, picture: Picture) -> Picture:
        """Cut the rectangle out; alpha and EXIF data are left behind."""
        rows, columns = slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)
        colour = np.ascontiguousarray(picture.colour[rows, columns])
        return replace(picture, colour=colour, alpha=None, exif=None, notes=())


def parse_crop(text: str, picture: Picture) -> Crop:
    """Return the rectangle written as `X,Y,W,H`.

    Raises:
        ConfigError: it is written otherwise, is empty, or leaves the picture.
    """
    match = _TEXT.fullmatch(text)
    size = f"{picture.width}x{picture.height}"
    if match is None:
        raise ConfigError(
            f"'{text}' is not X,Y,W,H in pixels of the photo ({size})",
            where=Argument("crop"),
            fix=Argument("crop", str(detailed_crop(picture))),
        )
    crop = Crop(*(int(number) for number in match.groups()))
    fits = crop.x + crop.width <= picture.width and crop.y + crop.height <= picture.height
    if not (fits and crop.width and crop.height):
        raise ConfigError(
            f"{crop.width}x{crop.height} pixels at {crop.x},{crop.y} do not lie in the photo, "
            f"which is {size}",
            where=Argument("crop"),
            fix=Argument("crop", str(detailed_crop(picture))),
        )
    return crop


def detailed_crop(picture: Picture) -> Crop:
    """Return the part of `WIDTH` x `HEIGHT` with the most detail, or the whole of a small picture.

    Detail is the sum of absolute differences between neighbours, which no network decides, so the
    choice favours none.
    """
    width, height = min(WIDTH, picture.width), min(HEIGHT, picture.height)
    grey = picture.colour.mean(axis=2) / picture.white
    detail = np.zeros(grey.shape)
    detail[1:] += np.abs(np.diff(grey, axis=0))
    detail[:, 1:] += np.abs(np.diff(grey, axis=1))
    sums = np.pad(detail, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width]
    inside += sums[:-height, :-width]
    y, x = np.unravel_index(int(np.argmax(inside)), inside.shape)
    return Crop(int(x), int(y), width, height)


def with_context(crop: Crop, margin: int, picture: Picture) -> Crop:
    """Return the rectangle grown by up to `margin` pixels on each side, within the picture."""
    left, top = max(0, crop.x - margin), max(0, crop.y - margin)
    right = min(picture.width, crop.x + crop.width + margin)
    bottom = min(picture.height, crop.y + crop.height + margin)
    return Crop(left, top, right - left, bottom - top)
