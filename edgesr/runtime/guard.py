"""Tiles that came out broken: not-a-number, infinite, or black where the picture is not.

Half precision overflows without a word; the tile is then black or full of NaN.
"""

import numpy as np
from numpy.typing import NDArray

BLACK = 1 / 255  # an output that stays below shows nothing
DARK = 8 / 255  # an input below may rightly become black


def fault(
    tile: NDArray[np.float32], enlarged: NDArray[np.float32], total: float | None = None
) -> str | None:
    """Say what is wrong with an enlarged tile, None if nothing is.

    Args:
        tile: (3, height, width) as given to the network, in [0, 1].
        enlarged: (3, scale*height, scale*width) as it came out.
        total: the sum of `enlarged`, if it is known.
    """
    # One pass tells of nearly every tile: with NaN or infinity in it a sum is neither finite, and
    # twice BLACK on average, sums round, some value is above it. einsum is quicker than sum.
    if total is None:
        total = float(np.einsum("chw->", enlarged))
    if np.isfinite(total) and total >= 2 * BLACK * enlarged.size:
        return None
    highest, lowest = enlarged.max(), enlarged.min()  # both are NaN if any value is
    if np.isnan(highest):
        return "has values that are not numbers (NaN)"
    if np.isinf(highest) or np.isinf(lowest):
        return "has infinite values"
    if highest < BLACK and tile.mean() > DARK:
        return "is black where the picture is not"
    return None
