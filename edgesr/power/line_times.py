"""When the lines of a log were printed, from stamps cut to whole seconds, or from none. Pure.

tegrastats prints up to ten lines a second and stamps them with whole seconds, or (before L4T 35)
not at all. Within a stretch without gaps it prints at an even pace, so the times are those of the
straight line through the moments at which the stamp changes; where they do not follow one, the
lines of each second are spread over it. A gap is where even slow lines would have come before the
stamp that is printed: one of a second can hide between two stamps that follow each other.

How long a gap was is only as sure as the clock; where the clock was set back nothing says it, and
the line after it is put one usual interval behind the line before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from edgesr.power.even_pace import JITTER, even_pace
from edgesr.power.intervals import usual_near
from edgesr.power.sample import Array
from edgesr.power.stretch import Stretch
from edgesr.power.time_limits import EVEN, TimeLimits
from edgesr.power.uneven import spread_lines

_SLOW = 1.5
"""A line that comes after more than so many usual periods has a gap before it."""

_OFTEN_S = 60.0
_OFTEN = 2
"""So many short gaps within so long on either side are how two programs write, and no gaps; a time
server sets a clock once."""

_ASSUMED_PACE = 0.1
"""Share by which the time between lines may be off where no line tells it. An Orin Nano that was
asked for a line every 100 ms prints one every 109 ms (tests/power/data/logs/)."""


@dataclass(frozen=True)
class LineTimes:
    """When the lines of a log were written.

    Attributes:
        times_s: seconds from the first line, increasing, shape (lines,).
        start: the clock's time at the first line; None where no line says anything.
        limits: by how much the times may be off.
        set_back: lines before which the clock was set back.
    """

    times_s: Array
    start: datetime | None
    limits: TimeLimits
    set_back: tuple[int, ...] = ()


def line_times(
    stamps: Sequence[datetime | None], interval_s: float, in_doubt: Sequence[bool] = ()
) -> LineTimes:
    """Return the times of lines.

    Args:
        stamps: what at least one line says, in whole seconds; None where a line says nothing.
        interval_s: time between lines, used where no line says anything.
        in_doubt: which lines may be copies of the one before, so that no time went by; empty: none.
    """
    known = [stamp for stamp in stamps if stamp is not None]
    if not known:
        times = np.arange(len(stamps), dtype=np.float64) * interval_s
        own = np.full(len(times), JITTER * interval_s)
        limits = TimeLimits(_ASSUMED_PACE * times, own, np.full(len(times), EVEN))
        return LineTimes(times, None, limits)
    seconds = stamp_seconds(stamps, known[0])
    periods = _periods_s(seconds)
    begins = [0, *_breaks(seconds, periods)]
    stretches = []
    usual = []
    for begin, end in pairwise([*begins, len(seconds)]):
        usual.append(float(np.median(periods[begin:end])))
        stretches.append(_stretch(seconds[begin:end], usual[-1]))
    times, set_back = _join(stretches, usual)
    start = known[0] + timedelta(seconds=float(times[0]))
    doubts = np.where(in_doubt, periods, 0.0) if len(in_doubt) else np.zeros(len(periods))
    limits = _limits(stretches, usual, times, seconds, doubts)
    return LineTimes(times - times[0], start, limits, tuple(begins[index] for index in set_back))


def _stretch(seconds: Array, usual_s: float) -> Stretch:
    """Return the times of lines without a gap."""
    found = even_pace(seconds, usual_s)
    return spread_lines(seconds, usual_s) if found is None else found


def _join(stretches: Sequence[Stretch], usual_s: Sequence[float]) -> tuple[Array, list[int]]:
    """Return the times of all lines, and the stretches before which the clock was set back."""
    shift = 0.0
    previous_end = -np.inf
    set_back = []
    parts = []
    for index, (stretch, period) in enumerate(zip(stretches, usual_s, strict=True)):
        first = float(stretch.times_s[0])
        if first + shift <= previous_end:  # and time went on
            shift = previous_end + period - first
            set_back.append(index)
        parts.append(stretch.times_s + shift)
        previous_end = float(parts[-1][-1])
    return np.concatenate(parts), set_back


def _limits(
    stretches: Sequence[Stretch],
    usual_s: Sequence[float],
    times: Array,
    seconds: Array,
    doubts_s: Array,
) -> TimeLimits:
    """Return by how much the times may be off.

    Between two stretches either both clock times are right, or the clock was set and no more than
    the usual time went by. Before each line, `doubts_s` may not have gone by.
    """
    steps = [np.zeros(0)]
    end = 0
    for index, (stretch, period) in enumerate(zip(stretches, usual_s, strict=True)):
        between = 0.0
        if index:
            by_clock = stretches[index - 1].last_limit_s + stretch.first_limit_s
            between = max(by_clock, float(times[end] - times[end - 1]) - period)
        within = np.full(len(stretch.times_s) - 1, stretch.pace_limit_s)
        steps += [np.array([between]), within]
        end += len(stretch.times_s)
    is_new = np.diff(seconds, prepend=seconds[0] - 1) != 0
    is_new[np.cumsum([0, *(len(stretch.times_s) for stretch in stretches[:-1])])] = True
    is_even = np.concatenate([np.full(len(one.times_s), one.is_even) for one in stretches])
    return TimeLimits(
        pace_s=np.cumsum(np.concatenate(steps) + doubts_s),
        edge_s=np.concatenate([stretch.edge_limits_s for stretch in stretches]),
        second=np.where(is_even, EVEN, np.cumsum(is_new)),
    )


def stamp_seconds(stamps: Sequence[datetime | None], first: datetime) -> Array:
    """Return what lines say in s after `first`; a line that says nothing repeats the last."""
    seconds = np.zeros(len(stamps))
    latest = 0.0
    for index, stamp in enumerate(stamps):
        latest = latest if stamp is None else (stamp - first).total_seconds()
        seconds[index] = latest
    return seconds


def _periods_s(seconds: Array) -> Array:
    """Return the time between lines around each of them, shape (lines,).

    It is the usual step of the stamps over the usual number of lines in one, among neighbours: a
    log may change its interval on the way, and a second program may write into it for a while.
    """
    starts = np.concatenate(([0], np.flatnonzero(np.diff(seconds)) + 1))
    if len(starts) < 3:
        return np.full(len(seconds), len(starts) / len(seconds))
    steps = np.abs(np.diff(seconds[starts]))
    counts = np.diff(starts).astype(np.float64)
    if len(counts) > 1:
        counts[0] = counts[1]  # the first second may have begun before the log
    period = usual_near(steps) / usual_near(counts)
    per_line: Array = np.repeat(period, np.diff(starts))
    rest = np.full(len(seconds) - len(per_line), period[-1])
    return np.concatenate((per_line, rest))


def _breaks(seconds: Array, periods: Array) -> list[int]:
    """Return the lines before which there is a gap, or the clock was set back.

    Gaps that come again and again, and are no longer than two programs leave that print at the same
    moments, are none.
    """
    found = []
    latest = seconds[0] + 1.0  # that the line before can have been printed
    for index in range(1, len(seconds)):
        reach = latest + _SLOW * periods[index]
        if seconds[index] < seconds[index - 1] or reach <= seconds[index]:
            found.append(index)
            reach = np.inf
        latest = min(reach, seconds[index] + 1.0)
    place = np.array(found, dtype=np.int64)
    steps = seconds[place] - seconds[place - 1]
    is_short = (steps >= 0) & (steps <= 1.0 + 2 * (1 + 2 * JITTER) * periods[place])
    at = np.sort(seconds[place[is_short]])
    around = np.searchsorted(at, seconds[place] + _OFTEN_S) - np.searchsorted(
        at, seconds[place] - _OFTEN_S
    )
    return [int(index) for index in place[~(is_short & (around >= _OFTEN))]]
