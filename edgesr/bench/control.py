"""Bicubic, the control of every bench: as a shipped network where there is one, else in NumPy."""

import numpy as np
from numpy.typing import NDArray

from edgesr.bench.config import CONTROL
from edgesr.imaging.resize import imresize
from edgesr.runtime.select import open_session
from edgesr.runtime.session import Session
from edgesr.weights import FOLDER


class NumpyBicubic:
    """Keys' bicubic by `edgesr.imaging.resize`, on one CPU core."""

    backend = "numpy"
    model = CONTROL
    tile: int | None = None
    batch: int | None = None

    def __init__(self, scale: int) -> None:
        self.scale = scale

    def run(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Upscale tiles: (n, 3, h, w) -> (n, 3, scale*h, scale*w), not clipped."""
        pictures = (imresize(tile.transpose(1, 2, 0), self.scale) for tile in tiles)
        return np.stack([picture.transpose(2, 0, 1) for picture in pictures])

    def close(self) -> None:
        """Nothing to give back."""


def open_control(scale: int, threads: int | None) -> Session:
    """Load the control.

    Args:
        scale: factor between input and output sides.
        threads: CPU threads; None: the backend's choice.

    Raises:
        ModelError: the shipped network cannot be loaded.
    """
    if (FOLDER / f"{CONTROL}_x{scale}.onnx").is_file():
        return open_session(CONTROL, "onnxruntime", scale, threads)
    return NumpyBicubic(scale)
