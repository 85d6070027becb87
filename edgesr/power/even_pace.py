"""The evenly paced lines that stamps of whole seconds allow: all of them, and the likeliest. Pure.

tegrastats prints at an even pace and cuts the time to whole seconds. So line k, printed at
a + b k + e_k with |e_k| at most `jitter_s`, must lie within its second [s_k, s_k + 1). The pairs
(a, b) that do this for all lines form a convex polygon; its lowest and highest b bound the pace,
and its corners there bound the first and the last line's time. These are limits and not standard
uncertainties: whatever pace was true lies within them, and where it lies is not random, as a pace
close to a second errs in the same direction in every stretch.
"""

from dataclasses import dataclass

import numpy as np

from edgesr.power.sample import Array
from edgesr.power.stretch import Stretch

JITTER = 0.2
"""Largest distance of a line from its even pace, in periods. The two real logs under
tests/power/data/logs/ that are long enough to tell, of 661 and 103 lines, need 0.04 and 0.01."""

_WELL_BOUND = 1.5
"""Longest over shortest time between lines, below which the stamps alone tell it."""


def even_pace(seconds: Array, usual_s: float) -> Stretch | None:
    """Return the even pace of lines, or None where the stamps follow none.

    Args:
        seconds: what the lines say, in whole s, not decreasing, shape (n,).
        usual_s: time between lines that is taken where the stamps allow many.
    """
    last = len(seconds) - 1
    span = float(seconds[-1] - seconds[0])
    if last == 0:
        return Stretch(seconds + 0.5, 0.0, np.zeros(1), 0.5, 0.5)
    jitter = JITTER * usual_s
    bounds = _Bounds.of(seconds, jitter)
    slowest = bounds.limit((span + 1 + 2 * jitter) / last, -1)
    fastest = bounds.limit(max(0.0, (span - 1 - 2 * jitter) / last), 1)
    if slowest is None or fastest is None:
        return None
    is_well_bound = slowest <= _WELL_BOUND * fastest
    pace = min(max(_slope(seconds) if is_well_bound else usual_s, fastest), slowest)
    times: Array = bounds.start_s(pace) + pace * np.arange(len(seconds), dtype=np.float64)
    whole = max(slowest - pace, pace - fastest) * last
    # Whatever the pace: both outer lines lie within their seconds.
    longest = max(span + 1 - pace * last, pace * last - max(span - 1, 0.0))
    edge = min(jitter, longest / 2)
    firsts = bounds.start_s(slowest), bounds.start_s(fastest)
    lasts = firsts[0] + slowest * last, firsts[1] + fastest * last
    return Stretch(
        times_s=times,
        pace_limit_s=min(whole, longest - 2 * edge) / last,
        edge_limits_s=np.full(len(times), edge),
        first_limit_s=_farthest(float(times[0]), firsts) + jitter,
        last_limit_s=_farthest(float(times[-1]), lasts) + jitter,
    )


def _slope(seconds: Array) -> float:
    """Return the pace of the straight line through what the stamps say, in s, by least squares."""
    changes = np.flatnonzero(np.diff(seconds)) + 1
    if 4 < 2 * len(changes) < len(seconds):
        # Several lines a second: the clock struck between a stamp's last line and the next's
        # first, which says more than the stamps themselves.
        return float(np.polyfit(changes - 0.5, seconds[changes], 1)[0])
    return float(np.polyfit(np.arange(len(seconds)), seconds, 1)[0])


def _farthest(time_s: float, ends: tuple[float, float]) -> float:
    return max(abs(time_s - end) for end in ends)


@dataclass(frozen=True)
class _Bounds:
    """What bounds a pace: the first line of each second from below, the last from above."""

    first: Array
    earliest_s: Array
    last: Array
    latest_s: Array

    @classmethod
    def of(cls, seconds: Array, jitter_s: float) -> "_Bounds":
        changes = np.flatnonzero(np.diff(seconds)) + 1
        first = np.concatenate(([0], changes))
        last = np.concatenate((changes - 1, [len(seconds) - 1]))
        earliest, latest = seconds[first] - jitter_s, seconds[last] + 1 + jitter_s
        return cls(first.astype(np.float64), earliest, last.astype(np.float64), latest)

    def limit(self, pace_s: float, side: int) -> float | None:
        """Return the first pace from `pace_s` on that is allowed, or None where none is.

        The room that a pace leaves for the first line is the lowest of some straight lines less
        the highest of others, so it is concave in the pace, and Newton's method comes to its zero
        from outside in a few steps without passing it.

        Args:
            pace_s: one that is outside or at the limit.
            side: 1 to search upwards, -1 downwards.
        """
        while True:
            below = self.earliest_s - pace_s * self.first
            above = self.latest_s - pace_s * self.last
            low, high = int(below.argmax()), int(above.argmin())
            room = float(above[high] - below[low])
            if room >= -1e-9:
                return pace_s
            slope = float(self.first[low] - self.last[high])
            if slope * side <= 0:
                return None
            pace_s -= room / slope

    def start_s(self, pace_s: float) -> float:
        """Return the middle of the times that the first line may have at this pace."""
        earliest = float((self.earliest_s - pace_s * self.first).max())
        latest = float((self.latest_s - pace_s * self.last).min())
        return (earliest + latest) / 2
