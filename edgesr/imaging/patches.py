"""Real and synthetic tiles on which an exported graph, or an engine made from it, is checked."""

from collections.abc import Iterator
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

NAMES = ("city", "flowers", "girl", "night", "prudential")


def real_tiles(tile: int) -> NDArray[np.float32]:
    """Return bundled photographs cut to tiles: (5, 3, tile, tile) RGB in [0, 1].

    Larger tiles than the photographs (96 pixels) are filled by reflection.
    """
    import cv2

    tiles = []
    for name in NAMES:
        data = np.frombuffer(
            (files(__package__) / "patches" / f"{name}.png").read_bytes(), np.uint8
        )
        rgb = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]  # type: ignore[index]
        side = rgb.shape[0]
        missing, start = max(0, tile - side), max(0, side - tile) // 2
        padded = np.pad(rgb, ((0, missing), (0, missing), (0, 0)), mode="symmetric")
        tiles.append(padded[start : start + tile, start : start + tile])
    stack: NDArray[np.float32] = np.stack(tiles).astype(np.float32) / np.float32(255)
    return stack.transpose(0, 3, 1, 2)


def in_batches(tiles: NDArray[np.float32], batch: int) -> Iterator[NDArray[np.float32]]:
    """Yield tiles (n, 3, h, w) in batches of a fixed size; the last is filled with the first ones.

    Args:
        tiles: at least one.
        batch: tiles in each.
    """
    filled = np.resize(tiles, (-(-len(tiles) // batch) * batch, *tiles.shape[1:]))
    for start in range(0, len(filled), batch):
        yield filled[start : start + batch]


def hard_tiles(tile: int) -> dict[str, NDArray[np.float32]]:
    """Return tiles that provoke large values, each (1, 3, tile, tile) in [0, 1], by name."""
    shape = (1, 3, tile, tile)
    rows, columns = np.indices((tile, tile))
    patterns = {
        "checkerboard of pixels": rows + columns,
        "checkerboard of 8x8 blocks": rows // 8 + columns // 8,
        "rows of pixels": rows,
        "columns of pixels": columns,
    }
    return {
        "black": np.zeros(shape, np.float32),
        "white": np.ones(shape, np.float32),
        "noise": np.random.default_rng(0).random(shape, dtype=np.float32),
        **{
            name: np.broadcast_to((pattern % 2).astype(np.float32), shape).copy()
            for name, pattern in patterns.items()
        },
    }
