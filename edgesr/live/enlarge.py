"""A frame through a session, in the tiles in which a photograph goes through it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edgesr.imaging.tiling import Indices
from edgesr.runtime.session import Session
from edgesr.runtime.upscale import upscale_planes

_WHITE = np.float32(255)


class Enlarger:
    """Upscales frames of one size.

    Args:
        session: the network.
        height: of a frame in pixels.
        width: likewise.
    """

    def __init__(self, session: Session, height: int, width: int) -> None:
        self._session = session
        self._size = height, width
        self.height, self.width = session.scale * height, session.scale * width

    def run(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Upscale a frame: (height, width, 3) -> (scale*height, scale*width, 3), 8 bits.

        The same values as `edgesr upscale` writes.

        Raises:
            ModelError: a tile came out broken.
        """

        def cut(rows: Indices, columns: Indices) -> NDArray[np.float32]:
            return rgb[np.ix_(rows, columns)].astype(np.float32) / _WHITE

        enlarged = np.empty((self.height, self.width, 3), np.uint8)
        top = 0
        for planes in upscale_planes(self._session, self._size, cut):
            part = enlarged[top : top + planes.shape[1]]
            cv2.merge([_bytes(plane) for plane in planes], part)
            top += len(part)
        return enlarged


def _bytes(plane: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return values in [0, 1] as 8 bits, clipped; rounds as np.rint does."""
    clipped = np.maximum(
        plane, np.float32(0)
    )  # convertScaleAbs takes the absolute value, and stops at 255
    return np.asarray(cv2.convertScaleAbs(clipped, alpha=255.0), np.uint8)
