"""What a picture inside a TIFF file may fill."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgesr.imaging.png import DamagedError


@dataclass(frozen=True)
class Room:
    """What a segment's picture may fill.

    Attributes:
        width: in pixels.
        rows: of pixels.
        samples: of a pixel.
        dtype: of a sample.
    """

    width: int
    rows: int
    samples: int
    dtype: np.dtype[Any]

    def check(self, width: int, rows: int, samples: int) -> None:
        """Refuse a picture that is larger, or of other samples, before it is decoded.

        Raises:
            DamagedError: it is.
        """
        if samples != self.samples or not (0 < width <= self.width and 0 < rows <= self.rows):
            raise DamagedError
