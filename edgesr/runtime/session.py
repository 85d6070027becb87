"""The one protocol behind which every backend runs a network."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Session(Protocol):
    """A loaded network that upscales batches of equal tiles.

    Attributes:
        backend: `onnxruntime`, `tensorrt` or `torch`.
        model: name of the network, from its manifest.
        scale: factor between input and output sides.
        tile: side of the square tile the network was built for; None: any height and width.
        batch: the fixed number of tiles a call takes; None: any.
    """

    backend: str
    model: str
    scale: int
    tile: int | None
    batch: int | None

    def run(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Upscale tiles: (n, 3, h, w) RGB in [0, 1] -> (n, 3, scale*h, scale*w), not clipped."""
        ...

    def close(self) -> None:
        """Give back what the session holds on a device."""
        ...
