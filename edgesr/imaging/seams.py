"""A meter for seams: is the picture rougher across the borders of its tiles than elsewhere?"""

import numpy as np
from numpy.typing import NDArray

from edgesr.imaging.tiling import Axis, TilePlan


def seam_ratio(picture: NDArray[np.float32], plan: TilePlan) -> float:
    """Return the mean gradient across tile borders over the mean gradient elsewhere.

    A gradient is the absolute difference of two neighbouring values. Elsewhere means the other
    places with the same position in the grid of enlarged pixels, because an enlarged pixel's own
    edge is where networks differ in smoothness. 1.0 is seamless on average; a single picture has
    its own edges, so compare with the untiled picture, or judge over several pictures.

    Args:
        picture: (scale*height, scale*width, channels), enlarged by the plan.
        plan: how it was tiled.

    Returns:
        The ratio; 1.0 for a single tile, which has no borders, and for a picture without contrast.
    """
    at_borders, elsewhere = [], []
    for axis, values in ((plan.rows, picture), (plan.columns, picture.swapaxes(0, 1))):
        gradient = np.abs(np.diff(values, axis=0)).mean(axis=(1, 2))  # [k]: from k to k + 1
        border = np.zeros(len(gradient), bool)
        border[_border_lines(axis)] = True
        comparable = np.zeros(len(gradient), bool)
        comparable[axis.scale - 1 :: axis.scale] = True
        at_borders.append(gradient[border])
        elsewhere.append(gradient[comparable & ~border])
    inside, outside = np.concatenate(at_borders), np.concatenate(elsewhere)
    if not len(inside) or not len(outside) or outside.mean() == 0.0:
        return 1.0
    return float(inside.mean() / outside.mean())


def _border_lines(axis: Axis) -> list[int]:
    """Return the gradients that cross the first or last line of a tile inside the picture."""
    starts = axis.starts[1:]
    ends = [start + axis.tile for start in axis.starts[:-1]]
    return sorted({axis.scale * line - 1 for line in (*starts, *ends)})
