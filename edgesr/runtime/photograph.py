"""Upscaling a photograph: colour and alpha, 8 and 16 bits, grey, EXIF data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

import numpy as np
from numpy.typing import NDArray

from edgesr.imaging.exif import for_new_size
from edgesr.imaging.local_range import ALPHA
from edgesr.imaging.picture import Picture, Samples
from edgesr.imaging.tiling import Indices, TilePlan
from edgesr.runtime.session import Session
from edgesr.runtime.upscale import Cut, OnTile, Tile, plan_for, upscale_bands

_DEEPEST = 65535  # floats are taken as that many steps where alpha is all but none
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


@dataclass(frozen=True)
class Enlarged:
    """A photograph that was enlarged, and how.

    Attributes:
        picture: the enlarged photograph.
        plan: the tiles it was cut into.
        tiles: tiles that went through the network, those of varying alpha among them.
    """

    picture: Picture
    plan: TilePlan
    tiles: int


def passes(picture: Picture) -> int:
    """Return how often a picture's tiles go through the network: twice where alpha varies."""
    alpha = picture.alpha
    return 1 if alpha is None or bool((alpha == alpha[0, 0]).all()) else 2


def upscale_picture(
    session: Session,
    picture: Picture,
    tile: Tile | None = None,
    overlap: int | None = None,
    on_tile: OnTile | None = None,
) -> Enlarged:
    """Upscale a photograph with its alpha channel, depth and metadata: plan its tiles and run them.

    A grey picture becomes the luma of what the network gives.

    Args:
        session: the network.
        picture: to enlarge.
        tile: as in `plan_for`.
        overlap: as in `plan_for`.
        on_tile: called after every tile with how many are done, and how many there are.

    Raises:
        ConfigError: tile or overlap do not fit.
        ModelError: a tile came out broken.
    """
    plan = plan_for(session, picture.height, picture.width, tile, overlap)
    bands = enlarged_bands(session, picture, tile, overlap, on_tile)
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
    whole = replace(band, colour=colour, alpha=alpha)
    return Enlarged(whole, plan, passes(picture) * len(plan))


def enlarged_bands(
    session: Session,
    picture: Picture,
    tile: Tile | None = None,
    overlap: int | None = None,
    on_tile: OnTile | None = None,
) -> Iterator[Picture]:
    """Upscale a photograph as `upscale_picture` does, band by band.

    Args:
        session: the network.
        picture: to enlarge.
        tile: as in `plan_for`.
        overlap: as in `plan_for`.
        on_tile: called after every tile with how many are done, and how many there are.

    Yields:
        Parts of full width from top to bottom, each with the metadata of the whole.

    Raises:
        ConfigError: tile or overlap do not fit.
        ModelError: a tile came out broken.
    """
    plan = plan_for(session, picture.height, picture.width, tile, overlap)
    height, width = session.scale * picture.height, session.scale * picture.width
    whole = replace(
        picture,
        exif=None if picture.exif is None else for_new_size(picture.exif, width, height),
        metadata=picture.metadata.for_new_size((picture.width, picture.height), (width, height)),
    )
    run = partial(
        upscale_bands,
        session,
        (picture.height, picture.width),
        tile=tile,
        overlap=overlap,
        on_tile=_counting(on_tile, passes(picture) * len(plan)),
    )
    for band, opacity in _layers(picture, run):
        values = band
        if picture.grey:
            values = np.broadcast_to((band @ LUMA)[:, :, None], band.shape)
        colour = _stored(values, picture)
        alpha = None if opacity is None else _stored(opacity, picture)
        if picture.alpha is not None and opacity is None:
            alpha = np.full(colour.shape[:2], picture.alpha[0, 0], picture.alpha.dtype)
        yield replace(whole, colour=colour, alpha=alpha)


def _counting(on_tile: OnTile | None, tiles: int) -> OnTile | None:
    """Return what counts the tiles of colour and of alpha together, which run in turns."""
    if on_tile is None:
        return None
    done = count(1)
    return lambda number, of: on_tile(next(done), tiles)


def _layers(
    picture: Picture, run: Callable[..., Iterator[NDArray[np.float32]]]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32] | None]]:
    """Yield bands of straight colour (rows, width, 3) and of varying alpha (rows, width), or None.

    Where alpha varies, colour is multiplied by it before the network and divided by it after, so
    that the hidden colour of transparent pixels does not bleed into the edges.
    """
    if passes(picture) == 1 or picture.alpha is None:
        for band in run(_cutter(picture.colour)):
            yield band, None
        return
    colours = run(_cutter(picture.colour, picture.alpha))
    alphas = run(_cutter(_three_channels(picture.alpha)), near=ALPHA)
    for band, layer in zip(colours, alphas, strict=True):
        opacity = np.minimum(layer @ LUMA, 1.0)
        faintest = 0.5 / (_DEEPEST if picture.is_float else picture.white)
        visible = np.maximum(opacity, faintest)[:, :, None]
        yield np.minimum(band / visible, 1.0), opacity


def _stored(values: NDArray[np.float32], picture: Picture) -> Samples:
    """Return values in [0, 1] as the picture's samples hold them."""
    steps = values if picture.is_float else np.rint(values * picture.white)
    return steps.astype(picture.colour.dtype, copy=False)


def _three_channels(alpha: Samples) -> Samples:
    return np.broadcast_to(alpha[:, :, None], (*alpha.shape, 3))


def _cutter(samples: Samples, alpha: Samples | None = None) -> Cut:
    """Return what cuts float tiles from (height, width, 3) samples, multiplied by any alpha."""
    white = np.float32(1 if samples.dtype.kind == "f" else np.iinfo(samples.dtype).max)

    def cut(rows: Indices, columns: Indices) -> NDArray[np.float32]:
        at = np.ix_(rows, columns)
        tile = samples[at].astype(np.float32) / white
        return tile if alpha is None else tile * (alpha[at].astype(np.float32) / white)[:, :, None]

    return cut
