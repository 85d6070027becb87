"""A network under measurement, and how one sample of it is timed.

A sample is one call with a batch of patches or, where the pictures do not fit the network's tile,
one whole picture in tiles. It is timed by up to three clocks:

    end_to_end_ms   8-bit (or 16-bit) pictures in memory -> enlarged pictures in memory
    latency_ms      float32 tiles in host memory -> float32 tiles in host memory
    device_ms       the network alone, by the device's own clock, where the backend tells it
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesr.bench.inputs import Input
from edgesr.errors import Argument, ConfigError, shell
from edgesr.imaging.picture import Picture
from edgesr.runtime.photograph import upscale_picture
from edgesr.runtime.session import Session
from edgesr.runtime.upscale import DEFAULT_BATCH, plan_for


@dataclass(frozen=True)
class Timing:
    """How long one sample took; see the module's docstring. `device_ms` is None where unknown."""

    end_to_end_ms: float
    latency_ms: float
    device_ms: float | None


class Stopwatch:
    """A session that adds up how long its calls take.

    Args:
        session: to be timed.
        batch: tiles in a call where the session leaves it open.

    Attributes:
        host_ms: time in calls since the last `reset`.
        device_ms: the same by the device's clock; None where the session does not tell. A session
            tells by an attribute `device_ms`, which holds the time of its latest call.
    """

    def __init__(self, session: Session, batch: int | None = None) -> None:
        self.backend, self.model = session.backend, session.model
        self.scale, self.tile = session.scale, session.tile
        self.batch = session.batch if batch is None else batch
        self._session = session
        self.reset()

    def reset(self) -> None:
        """Start again at zero."""
        self.host_ms = 0.0
        self.device_ms: float | None = None

    def run(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Call the session with (n, 3, tile, tile) tiles and add the time."""
        begin = time.perf_counter()
        enlarged = self._session.run(tiles)
        self.host_ms += 1e3 * (time.perf_counter() - begin)
        device_ms: float | None = getattr(self._session, "device_ms", None)
        if device_ms is not None:
            self.device_ms = (self.device_ms or 0.0) + device_ms
        return enlarged

    def close(self) -> None:
        """Close the session."""
        self._session.close()


@dataclass(frozen=True)
class BenchSubject:
    """A loaded network with its work.

    Attributes:
        session: the network, timed.
        images: pictures in one sample.
        runs: what one sample is, in words.
        work: does sample number n, without keeping the result.
    """

    session: Stopwatch
    images: int
    runs: str
    work: Callable[[int], None]

    def sample(self, number: int) -> Timing:
        """Do one sample and time it."""
        self.session.reset()
        begin = time.perf_counter()
        self.work(number)
        end_to_end_ms = 1e3 * (time.perf_counter() - begin)
        return Timing(end_to_end_ms, self.session.host_ms, self.session.device_ms)

    def enlarge(self, picture: Picture) -> Picture:
        """Upscale any picture, in tiles.

        Raises:
            ModelError: a tile comes out broken, which makes its speed meaningless.
        """
        return upscale_picture(self.session, picture).picture


def prepare(
    session: Session, source: Input, batch: int | None, tile: int | None = None
) -> BenchSubject:
    """Return the work of a session on pictures.

    Args:
        session: a loaded network.
        source: the pictures.
        batch: patches, or tiles, in a call; None: the session's own, else 1 patch, or tiles as in
            upscaling.
        tile: side of a tile; None: the session's own, or the whole picture where any size will do.

    Raises:
        ConfigError: the session has another batch or tile.
    """
    if batch is not None and session.batch not in (None, batch):
        raise ConfigError(
            f"{session.model} was made for batches of {session.batch}, not {batch}",
            where=Argument("batch"),
            fix=f"edgesr export -m {shell(session.model)} -s {session.scale} --batch {batch}",
        )
    watch = Stopwatch(session, batch)
    side = session.tile if tile is None else tile
    fits = side is None or source.width == source.height == side
    if fits and not source.is_photo and session.tile in (None, side):
        return _with_patches(watch, source)
    return _with_tiles(watch, source, tile)


def _with_patches(session: Stopwatch, source: Input) -> BenchSubject:
    images = session.batch or 1
    pixels = np.stack([picture.colour for picture in source.pictures])
    stacks = [
        pixels[np.arange(first, first + images) % len(pixels)] for first in range(len(pixels))
    ]

    def work(number: int) -> None:
        tiles = stacks[number % len(stacks)].transpose(0, 3, 1, 2).astype(np.float32)
        tiles /= 255.0
        enlarged = session.run(tiles)
        values = np.clip(enlarged.transpose(0, 2, 3, 1), 0.0, 1.0)
        values *= 255.0
        np.rint(values, out=values)
        values.astype(np.uint8)

    large = f"{session.scale * source.width}x{session.scale * source.height}"
    patches = "1 patch" if images == 1 else f"{images} patches"
    return BenchSubject(
        session, images, f"{patches} of {source.width}x{source.height} to {large}, one call", work
    )


def _with_tiles(session: Stopwatch, source: Input, tile: int | None) -> BenchSubject:
    plan = plan_for(session, source.height, source.width, tile)

    def work(number: int) -> None:
        upscale_picture(session, source.pictures[number % len(source.pictures)], tile)

    large = f"{session.scale * source.width}x{session.scale * source.height}"
    tiles = "1 tile" if len(plan) == 1 else f"{len(plan)} tiles"
    side = f"{plan.columns.tile}x{plan.rows.tile}"
    together = min(session.batch or DEFAULT_BATCH, len(plan))
    calls = "" if together == 1 else f", {together} a call"
    return BenchSubject(
        session,
        1,
        f"1 picture of {source.width}x{source.height} to {large}, {tiles} of {side}{calls}",
        work,
    )
