"""Times of lines that follow no pace, as where two programs write. Pure."""

import numpy as np

from edgesr.power.sample import Array
from edgesr.power.stretch import Stretch


def spread_lines(seconds: Array, usual_s: float) -> Stretch:
    """Spread lines over their seconds; the first second ends with its lines, the last begins so.

    Args:
        seconds: what the lines say, in whole s, not decreasing, shape (n,).
        usual_s: usual time between them.
    """
    starts = np.flatnonzero(np.diff(seconds, prepend=seconds[0] - 1))
    counts = np.diff(starts, append=len(seconds))
    place = np.arange(len(seconds)) - np.repeat(starts, counts)
    steps = np.repeat(1.0 / counts, counts)
    room = np.zeros(len(seconds))  # of a second, before its first line
    if counts[0] * usual_s < 1.0:
        own = slice(0, counts[0])
        steps[own] = usual_s
        room[own] = (1.0 - counts[0] * usual_s) / (1 if len(counts) > 1 else 2)
    if len(counts) > 1:
        own = slice(starts[-1], None)
        steps[own] = np.minimum(steps[own], usual_s)
    times: Array = seconds + room + (place + 0.5) * steps
    # A line may have come at any moment of its second.
    limits = np.maximum(times - seconds, seconds + 1 - times)
    return Stretch(times, 0.0, limits, float(limits[0]), float(limits[-1]), is_even=False)
