"""The pixels of a file as they are stored, before they are turned upright."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.unsignedinteger[Any]]
"""8 or 16 bits a sample."""


@dataclass(frozen=True)
class Layers:
    """Decoded pixels, colour and alpha apart.

    Attributes:
        colour: (height, width, 3) RGB, uint8 or uint16, not multiplied by alpha.
        alpha: (height, width) of the same type, None if the file has no alpha channel.
        grey: the file holds grey values only; the three channels of `colour` are equal.
        notes: what was changed or lost in decoding, one sentence each.
    """

    colour: Samples
    alpha: Samples | None = None
    grey: bool = False
    notes: tuple[str, ...] = ()
