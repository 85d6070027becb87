"""On which pictures the scales of an INT8 graph are measured: bundled ones, and a user's own."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import Argument
from edgesr.imaging.listing import list_images
from edgesr.imaging.patches import hard_tiles, real_tiles
from edgesr.imaging.picture import read_picture
from edgesr.imaging.tiling import plan_tiles

PHOTO_TILES = 64
"""Tiles taken from a folder, from as many photos if it has them."""


@dataclass(frozen=True)
class Calibration:
    """Tiles, and where they come from.

    Attributes:
        tiles: (n, 3, tile, tile) float32 RGB in [0, 1].
        source: in words.
    """

    tiles: NDArray[np.float32]
    source: str


def calibration_for(folder: Path | None, tile: int) -> Calibration:
    """Collect the tiles: bundled photographs, synthetic ones, and more from a folder of photos.

    The folder's are cut as upscaling cuts them, chosen evenly over the photos by name and at random
    within each, the same at every call. The others are always among them, so that a folder of dark
    or flat photos does not make the network clip others, nor photos alone make it clip patterns.

    Args:
        folder: photos, also in folders below it; None: the bundled photographs alone.
        tile: side of a tile, in pixels.

    Raises:
        DataError: no such folder, or no photo in it.
        ImageError: a photo cannot be read.
    """
    hard = hard_tiles(tile).values()
    bundled = np.concatenate([real_tiles(tile), *hard])
    source = f"{len(bundled)} bundled tiles, {len(hard)} of them synthetic"
    if folder is None:
        return Calibration(bundled, source)
    photos = list_images(folder, fix=Argument("calibrate", "FOLDER_OF_PHOTOS"))
    count = min(len(photos), PHOTO_TILES)
    chosen = [photos[len(photos) * i // count] for i in range(count)]
    each = -(-PHOTO_TILES // count)
    rng = np.random.default_rng(0)
    own = np.concatenate([_tiles(photo, tile, each, rng) for photo in chosen])
    tiles = np.concatenate([bundled, own])
    return Calibration(
        tiles, f"{source}, and {len(own)} of {count} photos in {folder.resolve().name}"
    )


def _tiles(photo: Path, tile: int, most: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Cut at most `most` tiles from a photo: (n, 3, tile, tile)."""
    picture = read_picture(photo)
    plan = plan_tiles(picture.height, picture.width, (tile, tile), overlap=0, scale=1)
    cut = [
        picture.colour[np.ix_(*plan.inputs(int(number)))]
        for number in rng.permutation(len(plan))[:most]
    ]
    return (np.stack(cut) / picture.white).astype(np.float32).transpose(0, 3, 1, 2)
