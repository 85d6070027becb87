"""The usual interval around each place of a log, which may change on the way. Pure."""

import numpy as np

from edgesr.power.sample import Array

_NEIGHBOURS = 21
_CLUSTER = 4


def usual_near(values: Array) -> Array:
    """Return the lower median of each value and its neighbours, shape as `values`, (n,).

    The lower one, so that a single gap among few values is not taken for usual.
    """
    if not len(values):
        return values
    count = min(_NEIGHBOURS, len(values))
    middle = (count - 1) // 2
    windows = np.lib.stride_tricks.sliding_window_view(values, count)
    medians = np.partition(windows, middle, axis=1)[:, middle]
    place = np.clip(np.arange(len(values)) - count // 2, 0, len(medians) - 1)
    found: Array = medians[place]
    return found


def evened(steps: Array) -> Array:
    """Return the mean of each step and three neighbours, as coarse times come in clusters.

    Args:
        steps: times between readings, shape (n,); too few of them are returned as they are.
    """
    if len(steps) <= _NEIGHBOURS:
        return steps
    means = np.convolve(steps, np.full(_CLUSTER, 1 / _CLUSTER), mode="valid")
    found: Array = means[np.clip(np.arange(len(steps)) - 1, 0, len(means) - 1)]
    return found
