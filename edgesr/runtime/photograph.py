"""Upscaling a photograph: colour and alpha, 8 and 16 bits, grey, EXIF data."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgesr.imaging.exif import for_new_size
from edgesr.imaging.local_range import ALPHA
from edgesr.imaging.picture import Picture, Samples
from edgesr.imaging.tiling import Indices, TilePlan
from edgesr.runtime.session import Session
from edgesr.runtime.upscale import Cut, upscale_bands

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def passes(picture: Picture) -> int:
    """Return how often a picture's tiles go through the network: twice where alpha varies."""
    alpha = picture.alpha
    return 1 if alpha is None or bool((alpha == alpha[0, 0]).all()) else 2


def upscale_picture(
    session: Session,
    picture: Picture,
    plan: TilePlan,
    on_tile: Callable[[], None] | None = None,
) -> Picture:
    """Upscale a photograph with its alpha channel, depth and metadata.

    A grey picture becomes the luma of what the network gives.

    Args:
        session: the network.
        picture: to enlarge.
        plan: from `plan_for`, for the picture's size.
        on_tile: called after every tile, `passes(picture) * len(plan)` times.

    Raises:
        ModelError: a tile came out broken.
    """
    bands = enlarged_bands(session, picture, plan, on_tile)
    height, width = session.scale * picture.height, session.scale * picture.width
    colour = np.empty((height, width, 3), picture.colour.dtype)
    alpha = None if picture.alpha is None else np.empty((height, width), picture.alpha.dtype)
    top = 0
    for band in bands:
        rows = slice(top, top + band.height)
        colour[rows] = band.colour
        if alpha is not None and band.alpha is not None:
            alpha[rows] = band.alpha
        top += band.height
    return replace(band, colour=colour, alpha=alpha)


def enlarged_bands(
    session: Session,
    picture: Picture,
    plan: TilePlan,
    on_tile: Callable[[], None] | None = None,
) -> Iterator[Picture]:
    """Upscale a photograph as `upscale_picture` does, band by band.

    Yields:
        Parts of full width from top to bottom, each with the metadata of the whole.

    Raises:
        ModelError: a tile came out broken.
    """
    height, width = session.scale * picture.height, session.scale * picture.width
    exif = None if picture.exif is None else for_new_size(picture.exif, width, height)
    whole = replace(picture, exif=exif)
    for band, opacity in _layers(session, picture, plan, on_tile):
        values = band
        if picture.grey:
            values = np.broadcast_to((band @ LUMA)[:, :, None], band.shape)
        colour = np.rint(values * picture.white).astype(picture.colour.dtype)
        alpha = None
        if picture.alpha is not None and opacity is None:
            alpha = np.full(colour.shape[:2], picture.alpha[0, 0], picture.alpha.dtype)
        elif opacity is not None:
            alpha = np.rint(opacity * picture.white).astype(colour.dtype)
        yield replace(whole, colour=colour, alpha=alpha)


def _layers(
    session: Session, picture: Picture, plan: TilePlan, on_tile: Callable[[], None] | None
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32] | None]]:
    """Yield bands of straight colour (rows, width, 3) and of varying alpha (rows, width), or None.

    Where alpha varies, colour is multiplied by it before the network and divided by it after, so
    that the hidden colour of transparent pixels does not bleed into the edges.
    """
    if passes(picture) == 1 or picture.alpha is None:
        for band in upscale_bands(session, plan, _cutter(picture.colour), on_tile):
            yield band, None
        return
    colours = upscale_bands(session, plan, _cutter(picture.colour, picture.alpha), on_tile)
    alphas = upscale_bands(session, plan, _cutter(_three_channels(picture.alpha)), on_tile, ALPHA)
    for band, layer in zip(colours, alphas, strict=True):
        opacity = np.minimum(layer @ LUMA, 1.0)
        visible = np.maximum(opacity, 0.5 / picture.white)[:, :, None]
        yield np.minimum(band / visible, 1.0), opacity


def _three_channels(alpha: Samples) -> Samples:
    return np.broadcast_to(alpha[:, :, None], (*alpha.shape, 3))


def _cutter(samples: Samples, alpha: Samples | None = None) -> Cut:
    """Return what cuts float tiles from (height, width, 3) samples, multiplied by any alpha."""
    white = np.float32(np.iinfo(samples.dtype).max)

    def cut(rows: Indices, columns: Indices) -> NDArray[np.float32]:
        at = np.ix_(rows, columns)
        tile = samples[at].astype(np.float32) / white
        return tile if alpha is None else tile * (alpha[at].astype(np.float32) / white)[:, :, None]

    return cut
