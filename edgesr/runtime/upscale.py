"""Upscaling pictures of any size through a session that takes small tiles.

At any moment there are a batch of tiles and one row of tiles in memory beside input and output.
"""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ConfigError, ModelError
from edgesr.imaging.local_range import COLOUR, LocalRange
from edgesr.imaging.tiling import Indices, TilePlan, plan_tiles, stitch, stitch_planes
from edgesr.runtime.guard import fault
from edgesr.runtime.session import Session

DEFAULT_OVERLAP = 8
"""Input pixels that neighbouring tiles share at least: the fewest that keep the gradient across
tile borders within about 1 % of the untiled picture's (benchmarks/results/tile_overlap.json)."""

DEFAULT_BATCH = 12
"""Tiles in a call where the session leaves it open: whole rounds on 1, 2, 3, 4, 6 or 12 cores."""

Cut = Callable[[Indices, Indices], NDArray[np.float32]]
"""(row positions, column positions) -> (rows, columns, 3) float32 RGB in [0, 1]."""


def plan_for(
    session: Session, height: int, width: int, tile: int | None, overlap: int | None
) -> TilePlan:
    """Plan the tiles that a session needs for a picture.

    Args:
        session: a network for one tile size, or for any.
        height: of the picture.
        width: of the picture.
        tile: side of a tile; None: the session's own, or the whole picture where any size will do.
        overlap: pixels that neighbours share; None: `DEFAULT_OVERLAP`, or half a smaller tile.

    Raises:
        ConfigError: the session has another tile size, or the overlap does not fit the tile.
    """
    if tile is not None and tile < 1:
        raise ConfigError(f"a tile has at least 1 pixel, not {tile}", where="--tile")
    if tile is not None and session.tile not in (None, tile):
        raise ConfigError(
            f"{session.model} was made for tiles of {session.tile}, not {tile}",
            where="--tile",
            fix=f"edgesr export --tile {tile}",
        )
    side = session.tile if tile is None else tile
    shape = (height, width) if side is None else (side, side)
    if overlap is None:
        overlap = min(DEFAULT_OVERLAP, min(shape) // 2)
    return plan_tiles(height, width, shape, overlap, session.scale)


def upscale_bands(
    session: Session,
    plan: TilePlan,
    cut: Cut,
    on_tile: Callable[[], None] | None = None,
    near: LocalRange | None = COLOUR,
) -> Iterator[NDArray[np.float32]]:
    """Upscale what `cut` gives, band by band.

    Args:
        session: the network.
        plan: from `plan_for`.
        cut: gives a tile of the picture.
        on_tile: called after every tile.
        near: how far a value may go from the input's values around it; None: as far as it likes.

    Yields:
        (rows, scale*width, 3) RGB in [0, 1], from top to bottom.

    Raises:
        ModelError: a tile came out black or with values that are not finite.
    """
    for band in stitch(plan, _enlarged_tiles(session, plan, cut, on_tile, near)):
        yield np.clip(band, 0.0, 1.0, out=band)


def upscale_planes(session: Session, plan: TilePlan, cut: Cut) -> Iterator[NDArray[np.float32]]:
    """Upscale what `cut` gives, with the colours apart; see `upscale_bands`.

    Yields:
        (3, rows, scale*width) R, G and B, not clipped, from top to bottom; good until the next.
    """
    return stitch_planes(plan, _enlarged_tiles(session, plan, cut, on_tile=None, near=COLOUR))


def _enlarged_tiles(
    session: Session,
    plan: TilePlan,
    cut: Cut,
    on_tile: Callable[[], None] | None,
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
                on_tile()
            yield enlarged if near is None else near.keep(tile, enlarged)


def upscale(
    session: Session,
    rgb: NDArray[np.float32],
    tile: int | None = None,
    overlap: int | None = None,
    on_tile: Callable[[], None] | None = None,
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
    plan = plan_for(session, rgb.shape[0], rgb.shape[1], tile, overlap)

    def cut(rows: Indices, columns: Indices) -> NDArray[np.float32]:
        return rgb[np.ix_(rows, columns)]

    return np.concatenate(list(upscale_bands(session, plan, cut, on_tile)))
