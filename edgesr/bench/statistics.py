"""Figures of a set of times, and whether two sets differ. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgesr.power.sample import Array

PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True)
class Times:
    """Times in ms. Nothing is clipped, and the slowest sample counts as much as any.

    Attributes:
        p50: median; half of the samples took at most this long.
        p90: of nine in ten. As all percentiles, interpolated linearly between samples.
        p95: of nineteen in twenty.
        p99: of 99 in 100.
        max: slowest.
        min: fastest.
        mean: of all.
        std: standard deviation.
    """

    p50: float
    p90: float
    p95: float
    p99: float
    max: float
    min: float
    mean: float
    std: float


def times_of(values_ms: Array) -> Times:
    """Return the figures of at least one time."""
    p50, p90, p95, p99 = (float(value) for value in np.percentile(values_ms, PERCENTILES))
    return Times(
        p50,
        p90,
        p95,
        p99,
        max=float(values_ms.max()),
        min=float(values_ms.min()),
        mean=float(values_ms.mean()),
        std=float(values_ms.std()),
    )


def chance_of_no_difference(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the exact two-sided p-value of the Mann-Whitney U test.

    It asks only which values are larger, so it holds for any distribution. Of all ways to deal the
    values to two groups of these sizes, it is the share that separates them at least as far.
    Equal values count half to either side.

    Args:
        first: values of one group, at least one.
        second: of the other.
    """
    n, m = len(first), len(second)
    wins = sum((a > b) + 0.5 * (a == b) for a in first for b in second)
    extreme = int(min(wins, n * m - wins))
    ways = _ways(n, m)
    return min(1.0, 2.0 * sum(ways[: extreme + 1]) / sum(ways))


def _ways(n: int, m: int) -> list[int]:
    """Return how many dealings have each U from 0 to n*m: Gauss's binomial coefficients."""
    ways = [1] + [0] * (n * m)
    for i in range(1, n + 1):
        for u in range(n * m, m + i - 1, -1):  # times (1 - q^(m+i))
            ways[u] -= ways[u - m - i]
        for u in range(i, n * m + 1):  # over (1 - q^i)
            ways[u] += ways[u - i]
    return ways
