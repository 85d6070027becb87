"""Whether a loaded ONNX graph is the network that its manifest describes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.errors import ModelError

FLOAT = "tensor(float)"
INDEPENDENCE = 1e-3
"""Largest difference that a neighbour in the batch may make to a tile; half precision stays below,
values are in [0, 1]."""


class SessionTensor(Protocol):
    """An input or output as ONNX Runtime describes it; an axis of open length is a text or None."""

    name: str
    type: str
    shape: Sequence[int | str | None]


def check_interface(
    inputs: Sequence[SessionTensor],
    outputs: Sequence[SessionTensor],
    manifest: OnnxManifest,
    path: Path,
) -> None:
    """Refuse a graph whose inputs and outputs are not those of the manifest.

    There must be one float32 input (batch, 3, tile, tile) and one float32 output
    (batch, 3, scale * tile, scale * tile); lengths that the graph leaves open are checked when it
    runs.

    Raises:
        ModelError: they are not.
    """
    batch = 1 if manifest.batch is None else manifest.batch
    large = manifest.scale * manifest.tile
    wanted = {"input": (batch, 3, manifest.tile, manifest.tile), "output": (batch, 3, large, large)}
    for side, found in (("input", inputs), ("output", outputs)):
        if len(found) != 1:
            raise _unlike(f"it has {len(found)} {side}s instead of one", manifest, path)
        tensor, shape = found[0], wanted[side]
        if tensor.type != FLOAT:
            raise _unlike(f"its {side} is a {tensor.type}, not a {FLOAT}", manifest, path)
        is_open = [not isinstance(length, int) for length in tensor.shape]
        fits = len(tensor.shape) == len(shape) and all(
            free or own == length
            for free, own, length in zip(is_open, tensor.shape, shape, strict=True)
        )
        if not fits:
            wrong = f"its {side} is {list(tensor.shape)}, not {list(shape)}"
            raise _unlike(wrong, manifest, path)


def check_output(
    tiles: NDArray[np.float32], enlarged: object, manifest: OnnxManifest, path: Path
) -> NDArray[np.float32]:
    """Return an output that has the shape and type that its input asks for.

    Args:
        tiles: (n, 3, h, w) as given.
        enlarged: what the graph returned.
        manifest: of the file, which says how much larger the output is.
        path: the file, for messages.

    Raises:
        ModelError: it is anything but float32 (n, 3, scale*h, scale*w).
    """
    (count, channels, height, width), scale = tiles.shape, manifest.scale
    wanted = (count, channels, scale * height, scale * width)
    if not isinstance(enlarged, np.ndarray) or enlarged.dtype != np.float32:
        raise _unlike("its output is no array of float32", manifest, path)
    if enlarged.shape != wanted:
        wrong = f"its output is {list(enlarged.shape)}, not {list(wanted)}"
        raise _unlike(wrong, manifest, path)
    return enlarged


def check_independence(
    run: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    batch: int,
    manifest: OnnxManifest,
    path: Path,
) -> None:
    """Refuse a network of a fixed batch in which a tile's result depends on its neighbours.

    Two batches (batch, 3, tile, tile) are run that share their first tile. It costs two calls, and
    only where tiles share a call at all.

    Raises:
        ModelError: the first tile comes out differently.
    """
    tile = manifest.tile
    ramp = np.linspace(0.0, 1.0, 3 * tile * tile, dtype=np.float32).reshape(1, 3, tile, tile)
    dark, light = np.zeros_like(ramp), np.ones_like(ramp)
    first, second = (
        run(np.concatenate([ramp, *([other] * (batch - 1))]))[0] for other in (dark, light)
    )
    difference = float(np.abs(first - second).max())
    if not difference <= INDEPENDENCE:
        wrong = f"a tile changes by {difference:.2g} with the other tiles of its batch"
        raise _unlike(wrong, manifest, path)


def _unlike(reason: str, manifest: OnnxManifest, path: Path) -> ModelError:
    return ModelError(
        f"it is not the network that its manifest describes: {reason}",
        where=path,
        fix=manifest.again(),
    )
