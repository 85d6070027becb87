"""The pictures a bench puts through the networks: real ones, never zeros."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgesr.imaging.patches import NAMES, real_tiles
from edgesr.imaging.picture import Picture, read_picture
from edgesr.imaging.pixel_size import is_size, parse_size

_LARGEST = 8192
_SHOWN = "flowers"
_SHOWN_SIDE = 128


@dataclass(frozen=True)
class Input:
    """Pictures of one size.

    Attributes:
        name: what they are, for people.
        pictures: taken in turn.
        is_photo: one whole photograph of the user, which is upscaled in tiles.
    """

    name: str
    pictures: tuple[Picture, ...]
    is_photo: bool

    @property
    def width(self) -> int:
        """Columns of each picture."""
        return self.pictures[0].width

    @property
    def height(self) -> int:
        """Rows of each picture."""
        return self.pictures[0].height


def read_input(text: str) -> Input:
    """Return the pictures of `--input`.

    Args:
        text: `WxH`, or the path of a photograph.

    Raises:
        ConfigError: a size that cannot be.
        ImageError: the photograph cannot be read.
    """
    if not is_size(text):
        path = Path(text)
        return Input(path.name, (read_picture(path),), is_photo=True)
    width, height = parse_size(text, "input", 1, _LARGEST, "128x128")
    tiles = real_tiles(max(width, height))[:, :, :height, :width]
    pixels = np.rint(tiles * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    pictures = tuple(Picture(np.ascontiguousarray(patch)) for patch in pixels)
    return Input(f"{len(pictures)} bundled photographs", pictures, is_photo=False)


def shown_picture(source: Input) -> Picture:
    """Return what the report shows: the middle of the photograph, or a bundled one.

    Alpha is left out; at most 128x128 pixels, so that the report stays small.
    """
    if not source.is_photo:
        tile = real_tiles(96)[NAMES.index(_SHOWN)].transpose(1, 2, 0)
        return Picture(np.rint(tile * 255).astype(np.uint8))
    picture = source.pictures[0]
    top, left = (max(0, side - _SHOWN_SIDE) // 2 for side in (picture.height, picture.width))
    colour = picture.colour[top : top + _SHOWN_SIDE, left : left + _SHOWN_SIDE]
    if colour.dtype == np.uint16:
        colour = np.rint(colour / 257.0).astype(np.uint8)
    return replace(Picture(np.ascontiguousarray(colour)), grey=picture.grey)
