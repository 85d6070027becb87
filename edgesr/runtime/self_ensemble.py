"""Geometric self-ensemble: a tile is run in all eight orientations and the results are averaged.

B. Lim et al., "Enhanced deep residual networks for single image super-resolution" (CVPR workshops,
2017), section 3.4. What a network does differently to turned and mirrored pictures is error, and
averages out in part; it costs eight times the work.
"""

import numpy as np
from numpy.typing import NDArray

from edgesr.runtime.session import Session

ORIENTATIONS = 8


class SelfEnsemble:
    """A session that runs another one eight times; `edgesr.runtime.session.Session`.

    Args:
        session: the network.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.backend, self.model = session.backend, session.model
        self.scale, self.tile, self.batch = session.scale, session.tile, session.batch

    def run(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Upscale tiles: (n, 3, h, w) RGB in [0, 1] -> (n, 3, scale*h, scale*w), not clipped.

        Raises:
            ModelError: as the network's.
        """
        total: NDArray[np.float32] | None = None
        for mirrored in (False, True):
            seen = tiles[..., ::-1] if mirrored else tiles
            for quarters in range(4):
                turned = np.ascontiguousarray(np.rot90(seen, quarters, axes=(2, 3)))
                back = np.rot90(self._session.run(turned), -quarters, axes=(2, 3))
                back = back[..., ::-1] if mirrored else back
                total = back.copy() if total is None else total + back
        assert total is not None
        return total / np.float32(ORIENTATIONS)

    def close(self) -> None:
        """Leave the network open; it belongs to somebody else."""
