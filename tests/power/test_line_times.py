"""Times of a log's lines, given whole seconds or nothing."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgesr.power.line_times import line_times
from edgesr.power.power_curve import PowerCurve
from edgesr.power.time_limits import TimeLimits

START = datetime(2026, 4, 19, 23, 59, 30)


def gaps(times: np.ndarray) -> list[tuple[float, float]]:
    curve = PowerCurve.of(times, np.ones(len(times)))
    _, found = curve.integrate_seen(float(times[0]), float(times[-1]))
    return [(gap.start_s, gap.end_s) for gap in found]


def stamps_of(times: np.ndarray) -> list[datetime | None]:
    """What tegrastats prints for lines at these seconds after START: whole seconds, cut off."""
    return [START + timedelta(seconds=int(time)) for time in times]


@pytest.mark.parametrize("period", [0.0109, 0.109, 0.522, 1.007, 1.5, 5.02])
@pytest.mark.parametrize("offset", [0.0, 0.3, 0.9])
def test_even_lines_get_their_times_back(period: float, offset: float) -> None:
    true = np.arange(200) * period + offset
    found = line_times(stamps_of(true), 1.0)
    times, start = found.times_s, found.start
    assert start is not None
    assert times[0] == 0
    assert np.abs(times - (true - offset)).max() < max(0.2, 0.2 * period)
    assert times[-1] == pytest.approx(true[-1] - true[0], abs=0.25)
    assert abs((start - START).total_seconds() - offset) < 0.5


def test_gap_stays_a_gap() -> None:
    true = np.concatenate((np.arange(0, 10, 0.109), np.arange(25, 40, 0.109)))
    found = line_times(stamps_of(true), 1.0)
    times = found.times_s
    ((begin, end),) = gaps(times)
    assert begin == pytest.approx(true[91], abs=0.25)
    assert end - begin == pytest.approx(25 - true[91], abs=0.5)


def test_clock_that_is_set_back_lets_time_go_on() -> None:
    true = np.arange(0, 20, 0.109)
    shown = np.where(true < 10, true, true - 3600)
    stamps = [START + timedelta(seconds=float(np.floor(time))) for time in shown]
    found = line_times(stamps, 1.0)
    times = found.times_s
    assert np.all(np.diff(times) > 0)
    assert times[-1] == pytest.approx(true[-1], abs=1.0)


def test_uneven_lines_are_spread_over_their_seconds() -> None:
    random = np.random.default_rng(0)
    true = np.sort(random.uniform(0, 30, 40))
    found = line_times(stamps_of(true), 1.0)
    times, start = found.times_s, found.start
    assert start is not None
    shown = times + (start - START).total_seconds()
    late = shown - np.floor(true)
    assert late.min() > -0.11 and late.max() < 1.11


def test_gap_after_the_clock_was_set_back() -> None:
    true = np.concatenate((np.arange(0, 20, 0.109), np.arange(40, 50, 0.109)))
    shown = np.where(true < 10, true, true - 3600)
    stamps = [START + timedelta(seconds=float(np.floor(time))) for time in shown]
    found = line_times(stamps, 1.0)
    times = found.times_s
    assert times[-1] == pytest.approx(true[-1], abs=1.0)


def test_no_stamps_at_all() -> None:
    found = line_times([None] * 4, 0.5)
    times, start = found.times_s, found.start
    assert start is None
    assert list(times) == [0.0, 0.5, 1.0, 1.5]


@given(st.lists(st.one_of(st.none(), st.integers(-100_000, 100_000)), min_size=1, max_size=40))
def test_times_increase_whatever_the_stamps_say(seconds: list[int | None]) -> None:
    stamps = [None if s is None else START + timedelta(seconds=s) for s in seconds]
    found = line_times(stamps, 1.0)
    times = found.times_s
    assert len(times) == len(stamps)
    assert times[0] == 0
    assert np.all(np.diff(times) > 0)


@pytest.mark.parametrize("period", [0.1, 0.109, 0.522, 1.0, 1.007, 5.0])
@pytest.mark.parametrize("gap_s", [0.0, 1.2, 1.5, 4.0])
def test_duration_lies_inside_its_limit(period: float, gap_s: float) -> None:
    """Lines that jitter by 20 %, with a gap that may hide between two stamps."""
    for seed in range(100):
        random = np.random.default_rng(seed)
        true = np.arange(0.0, 20.0, period) + random.uniform(0, 1)
        true += 0.2 * period * random.uniform(-1, 1, len(true))
        begin = random.uniform(3, 14)
        true = true[(true < begin) | (true > begin + gap_s)] - true.min()
        true += random.uniform(0, 1)
        found = line_times(stamps_of(true), 1.0)
        limit = limit_s(found.limits)
        assert abs(found.times_s[-1] - (true[-1] - true[0])) <= limit
        assert limit < 2.58 * period + (gap_s and gap_s + 2 * max(1.0, period))


def limit_s(limits: TimeLimits) -> float:
    """How much longer or shorter it may have been from the first to the last line."""
    return float(limits.pace_s[-1] + limits.edge_s[0] + limits.edge_s[-1])


def test_a_gap_can_hide_between_two_stamps() -> None:
    true = np.concatenate((np.arange(0.05, 10.2, 0.109), np.arange(11.6, 20, 0.109)))
    assert set(np.diff(np.floor(true))) == {0.0, 1.0}
    ((begin, end),) = gaps(line_times(stamps_of(true), 1.0).times_s)
    assert end - begin == pytest.approx(1.4, abs=0.2)


def test_a_line_alone_can_lie_anywhere_in_its_second() -> None:
    found = line_times(stamps_of(np.array([3.0, 3.1, 90.0])), 1.0)
    assert 0.3 < found.limits.pace_s[1] + 2 * found.limits.edge_s[0] <= 1.0
    lonely = line_times(stamps_of(np.array([3.0, 90.0])), 1.0)
    assert lonely.limits.pace_s[-1] > 80  # the clock may have been set between them


def test_two_lines_of_a_second_are_at_most_a_second_apart() -> None:
    found = line_times(stamps_of(np.array([3.1, 3.2])), 1.0)
    assert 0 < found.times_s[1] < 1
    assert limit_s(found.limits) <= max(found.times_s[1], 1 - found.times_s[1]) + 1e-9
