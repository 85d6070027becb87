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

import numpy as np

from edgesr.power.intervals import usual_near
from edgesr.power.sample import Array

_STRAIGHT_S = 0.1
_SLOW = 1.5
"""A line that comes after more than so many usual periods has a gap before it."""

_UNEVEN_S = 0.4
"""Standard uncertainty of the outer lines of an uneven stretch with a line a second."""

_MIXED_S = 0.45
"""The same where two programs may have written them, which only logs with gaps left out ask for."""

_EDGE_PERIODS = 0.3
"""Standard uncertainty of the first and of the last line's time, in periods; for lines that jitter
by 20 % (tests/power/test_line_times.py)."""


@dataclass(frozen=True)
class LineTimes:
    """Times of a log's lines.

    Attributes:
        times_s: seconds from the first line, increasing, shape (lines,).
        start: the clock's time at the first line; None where no line says anything.
        uncertainty_s: standard uncertainty of the time between the first and the last line.
        seen_uncertainty_s: the same of the time that the lines cover, gaps left out.
        set_back: lines before which the clock was set back.
    """

    times_s: Array
    start: datetime | None
    uncertainty_s: float
    seen_uncertainty_s: float
    set_back: tuple[int, ...] = ()


def line_times(stamps: Sequence[datetime | None], interval_s: float) -> LineTimes:
    """Return the times of lines.

    Args:
        stamps: what at least one line says, in whole seconds; None where a line says nothing.
        interval_s: time between lines, used where no line says anything.
    """
    both_edges = _EDGE_PERIODS * np.sqrt(2.0)
    known = [stamp for stamp in stamps if stamp is not None]
    if not known:
        times = np.arange(len(stamps), dtype=np.float64) * interval_s
        uncertainty_s = float(both_edges * interval_s)
        return LineTimes(times, None, uncertainty_s, uncertainty_s)
    first = known[0]
    seconds = stamp_seconds(stamps, first)
    periods = _periods_s(seconds)
    stretches = np.split(np.arange(len(stamps)), _breaks(seconds, periods))
    times = np.zeros(len(stamps))
    previous_end = -np.inf
    shift = 0.0
    set_back = []
    for part in stretches:
        period = float(np.median(periods[part]))
        stretch = _pace(seconds[part], period)
        if stretch[0] + shift <= previous_end:  # the clock was set back, and time went on
            shift = previous_end + period - float(stretch[0])
            set_back.append(int(part[0]))
        times[part] = stretch + shift
        previous_end = float(times[part][-1])
    edges_s = [_edge_s(seconds[part], float(periods[part].max())) for part in stretches]
    start = first + timedelta(seconds=float(times[0]))
    outer_s = float(np.hypot(edges_s[0], edges_s[-1]))
    mixed_s = [_MIXED_S * (_straight(seconds[part]) is None) for part in stretches]
    seen_s = float(np.sqrt(2.0) * np.linalg.norm(np.hypot(edges_s, mixed_s)))
    return LineTimes(times - times[0], start, outer_s, seen_s, tuple(set_back))


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
        return np.full(len(seconds), 1.0 / len(seconds))
    steps = np.abs(np.diff(seconds[starts]))
    counts = np.diff(starts).astype(np.float64)
    if len(counts) > 1:
        counts[0] = counts[1]  # the first second may have begun before the log
    period = usual_near(steps) / usual_near(counts)
    per_line: Array = np.repeat(period, np.diff(starts))
    rest = np.full(len(seconds) - len(per_line), period[-1])
    return np.concatenate((per_line, rest))


def _breaks(seconds: Array, periods: Array) -> list[int]:
    """Return the lines before which there is a gap, or the clock was set back."""
    found = []
    latest = seconds[0] + 1.0  # that the line before can have been printed
    for index in range(1, len(seconds)):
        reach = latest + _SLOW * periods[index]
        if seconds[index] < seconds[index - 1] or reach <= seconds[index]:
            found.append(index)
            reach = np.inf
        latest = min(reach, seconds[index] + 1.0)
    return found


def _pace(seconds: Array, period: float) -> Array:
    """Return times of the lines of a stretch without gaps, within their seconds or close to it."""
    line = _straight(seconds)
    return _spread(seconds, period) if line is None else line


def _straight(seconds: Array) -> Array | None:
    """Return times at an even pace, or None where the stamps do not follow one."""
    index = np.arange(len(seconds))
    changes = np.flatnonzero(np.diff(seconds)) + 1
    if len(changes) < 2:
        return None
    if 2 * len(changes) < len(seconds):
        # Several lines a second: the clock struck between a stamp's last line and the next's
        # first, which says more than the stamps themselves.
        slope, offset = np.polyfit(changes - 0.5, seconds[changes], 1)
    else:
        slope, offset = np.polyfit(index, seconds + 0.5, 1)
    line: Array = slope * index + offset
    late = line - seconds
    return line if late.min() > -_STRAIGHT_S and late.max() < 1 + _STRAIGHT_S else None


def _spread(seconds: Array, period: float) -> Array:
    """Spread lines over their seconds; the first second ends with its lines, the last begins so."""
    starts = np.flatnonzero(np.diff(seconds, prepend=seconds[0] - 1))
    counts = np.diff(starts, append=len(seconds))
    place = np.arange(len(seconds)) - np.repeat(starts, counts)
    steps = np.repeat(1.0 / counts, counts)
    room = np.zeros(len(seconds))  # of a second, before its first line
    if counts[0] * period < 1.0:
        own = slice(0, counts[0])
        steps[own] = period
        room[own] = (1.0 - counts[0] * period) / (1 if len(counts) > 1 else 2)
    if len(counts) > 1:
        own = slice(starts[-1], None)
        steps[own] = np.minimum(steps[own], period)
    times: Array = seconds + room + (place + 0.5) * steps
    return times


def _edge_s(seconds: Array, period: float) -> float:
    """Standard uncertainty of a stretch's outer lines.

    The lines of one second can lie anywhere in it, and so can an uneven stretch's outer lines.
    """
    anywhere = 0.0
    if seconds[0] == seconds[-1]:
        anywhere = max(0.0, 1.0 - len(seconds) * period) / np.sqrt(12.0)
    elif _straight(seconds) is None:
        anywhere = _UNEVEN_S * min(1.0, period)
    return float(np.hypot(_EDGE_PERIODS * period, anywhere))
