"""Percentiles of everything, and the exact rank test against all dealings counted one by one."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr.bench.statistics import chance_of_no_difference, times_of


def test_an_outlier_is_never_clipped() -> None:
    values = np.array([10.0] * 999 + [1000.0])
    times = times_of(values)
    assert (times.p50, times.p99, times.max, times.min) == (10.0, 10.0, 1000.0, 10.0)
    assert times.mean == pytest.approx(10.99)
    assert times.std == pytest.approx(31.29, abs=0.01)


def test_percentiles_of_a_ramp() -> None:
    times = times_of(np.random.default_rng(0).permutation(np.arange(1001) / 10))
    assert (times.p50, times.p90, times.p95, times.p99) == pytest.approx((50, 90, 95, 99))


def _by_counting(first: list[int], second: list[int]) -> float:
    """Deal the values in every possible way; count those at least as far apart."""
    n, m = len(first), len(second)

    def distance(group: set[int]) -> int:
        values = first + second
        ours = [values[at] for at in group]
        theirs = [values[at] for at in range(n + m) if at not in group]
        wins = sum(a > b for a in ours for b in theirs)
        return min(wins, n * m - wins)

    seen = distance(set(range(n)))
    dealings = [set(group) for group in combinations(range(n + m), n)]
    # Both tails are counted by the minimum in `distance`; a U in the very middle is in both.
    return min(1.0, sum(distance(group) <= seen for group in dealings) / len(dealings))


@settings(max_examples=60)
@given(st.permutations(range(9)), st.integers(min_value=1, max_value=8))
def test_the_chance_is_exact(order: list[int], n: int) -> None:
    first, second = list(order[:n]), list(order[n:])
    assert chance_of_no_difference(first, second) == pytest.approx(_by_counting(first, second))


def test_separated_rounds() -> None:
    """Known values: two of all dealings are completely separated."""
    assert chance_of_no_difference([1, 2, 3], [4, 5, 6]) == pytest.approx(2 / 20)
    assert chance_of_no_difference([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) == pytest.approx(2 / 252)
    assert chance_of_no_difference([1.0], [2.0]) == 1.0
    assert chance_of_no_difference([5.0, 5.0], [5.0, 5.0]) == 1.0
