"""By how much the times of a log's lines may be off, and what that does to an energy. Pure.

With P(t) read at times that are off by d(t), the energy E = integral of P dt is off by the integral
of P dd. Two kinds of error are known by their limits, and limits are added and not squared:

- pace: a stretch of even lines may be shorter or longer as a whole, so that each interval adds its
  share of d times its power;
- edge: the first and the last line of what is integrated may be off by themselves, and add their
  own d times their power.

Within an uneven stretch only the second of each line is known. m lines at random moments of a
second leave m + 1 spacings that are evenly distributed over all that add up to it (a Dirichlet
distribution), so the second's energy has the variance (1 s)^2 var / (m + 2), where var is that of
the mean powers of its m + 1 intervals. The outer lines of such a stretch are edges. Where the
moment wanders through the second slowly, as that of a line every 1.007 s does, it is not random:
with d the same for some seconds, d times what the power changes by is added as a limit.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgesr.power.sample import Array

_HALF_S = 0.5
"""Lines are spread over their second, so that all of it together is off by no more than this."""

_WANDER_S = 10
"""Seconds in which a wandering moment stays the same, but for 0.07 s at a pace of 1.007 s."""

EVEN = -1
"""The second of a line that stands in no uneven stretch."""


@dataclass(frozen=True)
class TimeLimits:
    """What is known of the times of lines; every array has the shape (lines,).

    Attributes:
        pace_s: limit of the time between any two lines, as the difference of their values.
        edge_s: limit of each line's own time.
        second: which second a line of an uneven stretch belongs to; EVEN for all others.
    """

    pace_s: Array
    edge_s: Array
    second: npt.NDArray[np.int64]

    @classmethod
    def none(cls, lines: int) -> "TimeLimits":
        """Return those of times that are right."""
        return cls(np.zeros(lines), np.zeros(lines), np.full(lines, EVEN))

    def of_lines(self, held: npt.NDArray[np.bool_]) -> "TimeLimits":
        """Return those of some lines; `held` has the shape (lines,)."""
        return TimeLimits(self.pace_s[held], self.edge_s[held], self.second[held])

    def wander_mws(self, power_mw: Array) -> Array:
        """Return the limit of what wandering moments within seconds add to an integral.

        Args:
            power_mw: reading of each line, shape (lines,).

        Returns:
            Values in mW s, shape (lines,), whose sum over any lines it is.
        """
        found = np.zeros(len(power_mw))
        if (self.second == EVEN).all():
            return found
        block = np.where(self.second == EVEN, EVEN, self.second // _WANDER_S)
        starts = np.concatenate(([0], np.flatnonzero(np.diff(block)) + 1, [len(block) - 1]))
        before, after = starts[:-1], starts[1:]
        change = np.abs(power_mw[after] - power_mw[before]) * _HALF_S
        np.add.at(found, after, np.where(block[before] == EVEN, 0.0, change))
        return found

    def spread_mws(self, power_mw: Array) -> Array:
        """Return what unknown moments within seconds add to an integral's standard uncertainty.

        Args:
            power_mw: reading of each line, shape (lines,).

        Returns:
            Values in mW s, shape (lines,), whose root sum of squares over any lines it is.
        """
        found = np.zeros(len(power_mw))
        if (self.second == EVEN).all():
            return found
        edges = np.flatnonzero(np.diff(self.second)) + 1
        begins, ends = np.concatenate(([0], edges)), np.concatenate((edges, [len(power_mw)]))
        padded = np.concatenate((power_mw[:1], power_mw, power_mw[-1:]))
        middles = (padded[1:] + padded[:-1]) / 2
        counts = ends - begins
        mean = _sums(middles, begins, ends + 1) / (counts + 1)
        square = _sums(middles**2, begins, ends + 1) / (counts + 1)
        variance = np.maximum(square - mean**2, 0.0) / (counts + 2)
        variance[self.second[begins] == EVEN] = 0.0
        return np.repeat(np.sqrt(variance / counts), counts)


def _sums(values: Array, begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Array:
    """Return the sum of each run of values."""
    totals = np.concatenate(([0.0], np.cumsum(values)))
    found: Array = totals[ends] - totals[begins]
    return found
