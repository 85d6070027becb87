"""Upscaling pictures of any size through a session that takes small tiles.

At any moment there are a batch of tiles and one row of tiles in memory beside input and output.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import Argument, ConfigError, ModelError, shell
from edgesr.imaging.limits import check_band
from edgesr.imaging.local_range import COLOUR, LocalRange
from edgesr.imaging.tiling import Indices, TilePlan, plan_tiles, stitch, stitch_planes
from edgesr.runtime.guard import fault
from edgesr.runtime.session import Session
from edgesr.runtime.tile_overlap import choose_overlap

DEFAULT_BATCH = 12
"""Tiles in a call where the session leaves it open: whole rounds on 1, 2, 3, 4, 6 or 12 cores."""

Cut = Callable[[Indices, Indices], NDArray[np.float32]]
"""(row positions, column positions) -> (rows, columns, 3) float32 RGB in [0, 1]."""


OnTile = Callable[[int, int], None]
"""Called after every tile with the number of tiles that are done, and of all."""

Tile = int | tuple[int, int]
"""Side of a square tile, or height and width, in input pixels."""


def plan_for(
    session: Session,
    height: int,
    width: int,
    tile: Tile | None = None,
    overlap: int | None = None,
) -> TilePlan:
    """Plan the tiles that a session needs for a picture, without running any.

    Args:
        session: a network for one tile size, or for any.
        height: of the picture.
        width: of the picture.
        tile: of a tile; None: the session's own, or the whole picture where any size will do.
        overlap: pixels that neighbours share; None: as `choose_overlap` says.

    Raises:
        ConfigError: the session has another tile size, or the overlap does not fit the tile.
        LimitError: a row of tiles of the result is too large to be held in memory.
    """
    asked = (tile, tile) if isinstance(tile, int) else tile
    if asked is not None and min(asked) < 1:
        raise ConfigError(f"a tile has at least 1 pixel, not {tile}", where=Argument("tile"))
    if asked is not None and session.tile is not None and asked != (session.tile, session.tile):
        raise ConfigError(
            f"{session.model} was made for tiles of {session.tile}, not {tile}",
            where=Argument("tile"),
            fix=f"edgesr export -m {shell(session.model)} -s {session.scale} --tile {tile}",
        )
    own = None if session.tile is None else (session.tile, session.tile)
    shape = asked or own or (height, width)
    if overlap is None:
        overlap = choose_overlap(shape)
    plan = _plan(height, width, shape, overlap, session.scale)
    if len(plan.columns.starts) > 1:  # a single tile is held by the network anyway
        check_band(session.scale * min(shape[0], height), session.scale * width)
    return plan


_plan = lru_cache(maxsize=16)(plan_tiles)  # frames and the pictures of a bench share one size


def upscale_bands(
    session: Session,
    size: tuple[int, int],
    cut: Cut,
    tile: Tile | None = None,
    overlap: int | None = None,
    on_tile: OnTile | None = None,
    near: LocalRange | None = COLOUR,
) -> Iterator[NDArray[np.float32]]:
    """Upscale what `cut` gives, band by band.

    Args:
        session: the network.
        size: height and width of the picture, in pixels.
        cut: gives a tile of the picture.
        tile: as in `plan_for`.
        overlap: as in `plan_for`.
        on_tile: called after every tile.
        near: how far a value may go from the input's values around it; None: as far as it likes.

    Yields:
        (rows, scale*width, 3) RGB in [0, 1], from top to bottom.

    Raises:
        ConfigError: tile or overlap do not fit.
        ModelError: a tile came out black or with values that are not finite.
    """
    plan = plan_for(session, *size, tile, overlap)
    for band in stitch(plan, _enlarged_tiles(session, plan, cut, on_tile, near)):
        yield np.clip(band, 0.0, 1.0, out=band)


def upscale_planes(
    session: Session, size: tuple[int, int], cut: Cut
) -> Iterator[NDArray[np.float32]]:
    """Upscale what `cut` gives, with the colours apart; see `upscale_bands`.

    Yields:
        (3, rows, scale*width) R, G and B, not clipped, from top to bottom; good until the next.
    """
    plan = plan_for(session, *size)
    return stitch_planes(plan, _enlarged_tiles(session, plan, cut, on_tile=None, near=COLOUR))


def _enlarged_tiles(
    session: Session,
    plan: TilePlan,
    cut: Cut,
    on_tile: OnTile | None,
    near: LocalRange | None,
) -> Iterator[NDArray[np.float32]]:
    """Yield the tiles of a picture, (3, scale*height, scale*width), in the order of the plan."""
    numbers = iter(range(len(plan)))
    size = session.batch or DEFAULT_BATCH
    while batch := list(islice(numbers, size)):
        tiles = np.stack([cut(*plan.inputs(number)).transpose(2, 0, 1) for number in batch])
        missing = (session.batch or 0) - len(batch)
        if missing > 0:  # a network of a fixed batch: repeat the last tile and drop its results
            tiles = np.concatenate([tiles, np.repeat(tiles[-1:], missing, axis=0)])
        results = session.run(tiles)
        for number, tile, enlarged in zip(batch, tiles, results, strict=False):
            problem = fault(tile, enlarged)
            if problem is not None:
                raise ModelError(
                    f"{plan.name(number)} {problem}",
                    where=f"{session.model} on {session.backend}",
                    fix="edgesr upscale --backend onnxruntime, with an fp32 model",
                )
            if on_tile is not None:
                on_tile(number + 1, len(plan))
            yield enlarged if near is None else near.keep(tile, enlarged)


def upscale(
    session: Session,
    rgb: NDArray[np.float32],
    tile: Tile | None = None,
    overlap: int | None = None,
    on_tile: OnTile | None = None,
) -> NDArray[np.float32]:
    """Upscale a picture.

    Args:
        session: the network.
        rgb: (height, width, 3) in [0, 1].
        tile: as in `plan_for`.
        overlap: as in `plan_for`.
        on_tile: called after every tile.

    Returns:
        (scale*height, scale*width, 3) in [0, 1].

    Raises:
        ConfigError: tile or overlap do not fit.
        ModelError: a tile came out broken.
    """

    def cut(rows: Indices, columns: Indices) -> NDArray[np.float32]:
        return rgb[np.ix_(rows, columns)]

    size = rgb.shape[0], rgb.shape[1]
    return np.concatenate(list(upscale_bands(session, size, cut, tile, overlap, on_tile)))
