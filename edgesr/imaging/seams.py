"""A meter for seams: is the picture rougher across the borders of its tiles than it should be?

Photographs have edges of their own, so a picture is compared with a reference that has no borders
at those lines: the untiled picture, or one whose tiles lie elsewhere.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from edgesr.imaging.tiling import Axis


def border_lines(axis: Axis, offset: int = 0) -> set[int]:
    """Return where tiles begin or end inside a picture: k for the border of lines k and k + 1.

    Args:
        axis: the tiles along one side.
        offset: of the tiled part in the picture, in input pixels.

    Returns:
        Output lines.
    """
    starts = axis.starts[1:]
    ends = (start + axis.tile for start in axis.starts[:-1])
    return {axis.scale * (offset + line) - 1 for line in (*starts, *ends)}


def seam_ratio(
    enlarged: NDArray[np.uint8 | np.uint16 | np.float32],
    reference: NDArray[np.uint8 | np.uint16 | np.float32],
    rows: Collection[int],
    columns: Collection[int],
) -> float:
    """Return how much rougher a picture is across given lines than a reference.

    The gradient across a line is the mean absolute difference of the values on its two sides. Its
    mean over the lines, divided by the mean over all lines, is compared between both pictures.

    Args:
        enlarged: (height, width, channels).
        reference: of the same shape.
        rows: horizontal borders, from `border_lines`.
        columns: vertical borders.

    Returns:
        1.0 where there are no seams, and where there are no borders or no contrast.
    """
    at_borders, everywhere = np.zeros(2), np.zeros(2)
    for lines, axis in ((rows, 0), (columns, 1)):
        for index, picture in enumerate((enlarged, reference)):
            gradient = _gradient(picture, axis)
            at_borders[index] += gradient[sorted(lines)].sum()
            everywhere[index] += gradient.sum()
    if not (at_borders[1] * everywhere[0] > 0.0):
        return 1.0
    return float(at_borders[0] / at_borders[1] * everywhere[1] / everywhere[0])


def _gradient(
    picture: NDArray[np.uint8 | np.uint16 | np.float32], axis: int
) -> NDArray[np.float64]:
    """Return the mean absolute difference between each line and the next."""
    lines = picture.swapaxes(0, axis)
    means = np.empty(max(len(lines) - 1, 0))
    for index in range(len(means)):  # line by line: no second picture in memory
        means[index] = np.abs(np.subtract(lines[index + 1], lines[index], dtype=np.float32)).mean()
    return means
