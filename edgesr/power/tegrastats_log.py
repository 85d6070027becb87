"""A recorded tegrastats log as samples with times.

tegrastats stamps its lines with whole seconds, or (before L4T 35) not at all, while it prints up
to ten of them a second. Within a stretch without gaps it prints at an even pace, so the times are
those of the straight line through the stamps; where the stamps do not follow one, the lines of each
second are spread evenly over it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from edgesr.errors import PowerError
from edgesr.power.sample import Array, Sample
from edgesr.power.tegrastats import parse_line
from edgesr.power.tegrastats_line import TegrastatsLine

DEFAULT_INTERVAL_S = 1.0
"""What tegrastats does without `--interval`."""

# Where a run was killed in the middle of a line and another appended, two lines share one.
_SECOND_LINE = re.compile(r"(?<=\S)(?=[0-9]{2}-[0-9]{2}-[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} RAM )")
_STRAIGHT_S = 0.1


@dataclass(frozen=True)
class PowerLog:
    """A log that was read.

    Attributes:
        samples: in order of time, which starts at 0.
        start: the board's local time at time 0; None where the log has no time stamps.
        times_from: how the times were found, for people.
        unknown_lines: lines that are not from tegrastats; empty ones are not counted.
        cut_lines: lines that break off in the middle of a field.
    """

    samples: tuple[Sample, ...]
    start: datetime | None
    times_from: str
    unknown_lines: int = 0
    cut_lines: int = 0


def read_tegrastats_log(path: Path, interval_s: float = DEFAULT_INTERVAL_S) -> PowerLog:
    """Read a log file.

    Args:
        path: what `tegrastats --logfile` wrote, or its redirected output.
        interval_s: time between lines, used only where the lines have no time stamps.

    Raises:
        PowerError: the file cannot be read, or no line of it is from tegrastats.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PowerError(f"cannot read the log ({error.strerror})", where=path) from error
    # PowerShell's `>` writes UTF-16.
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    log = parse_tegrastats_log(data.decode(encoding, errors="replace"), interval_s)
    if not log.samples:
        raise PowerError(
            "no line of it is from tegrastats",
            where=path,
            fix="sudo tegrastats --interval 100 --logfile power.log",
        )
    return log


def parse_tegrastats_log(text: str, interval_s: float = DEFAULT_INTERVAL_S) -> PowerLog:
    """Read the text of a log; see `read_tegrastats_log`. Never raises."""
    lines: list[TegrastatsLine] = []
    unknown = 0
    *whole, rest = text.split("\n")
    for number, row in enumerate((*whole, rest)):
        parts = _SECOND_LINE.split(row) if "RAM " in row else [row]
        for part in parts:
            is_last = part is parts[-1]
            line = parse_line(part, complete=is_last and number < len(whole))
            if line is not None:
                lines.append(line)
            elif part.strip():
                unknown += 1
    stamps = [line.time for line in lines]
    times, start = line_times(stamps, interval_s)
    return PowerLog(
        samples=tuple(line.to_sample(float(time)) for line, time in zip(lines, times, strict=True)),
        start=start,
        times_from=f"no time stamps: one line every {interval_s:g} s"
        if start is None
        else "the lines' time stamps of 1 s, evenly paced",
        unknown_lines=unknown,
        cut_lines=sum(line.is_cut for line in lines),
    )


def line_times(
    stamps: Sequence[datetime | None], interval_s: float
) -> tuple[Array, datetime | None]:
    """Return each line's time in s from the first, and the clock's time at the first.

    Args:
        stamps: what the lines say, in whole seconds; None where a line says nothing.
        interval_s: time between lines, used where no line says anything.
    """
    known = [stamp for stamp in stamps if stamp is not None]
    if not known:
        return np.arange(len(stamps), dtype=np.float64) * interval_s, None
    first = known[0]
    seconds = np.zeros(len(stamps))
    latest = 0.0
    for index, stamp in enumerate(stamps):
        latest = latest if stamp is None else (stamp - first).total_seconds()
        seconds[index] = latest
    period = _typical_period_s(seconds)
    steps = np.diff(seconds)
    breaks = np.flatnonzero((steps > 1 + 1.5 * period) | (steps < 0)) + 1
    times = np.zeros(len(stamps))
    previous_end = -np.inf
    shift = 0.0
    for part in np.split(np.arange(len(stamps)), breaks):
        stretch = _pace(seconds[part])
        if stretch[0] + shift <= previous_end:  # the clock was set back, and time went on
            shift = previous_end + period - float(stretch[0])
        times[part] = stretch + shift
        previous_end = float(times[part][-1])
    return times - times[0], first + timedelta(seconds=float(times[0]))


def _typical_period_s(seconds: Array) -> float:
    """Time between lines: the usual step of the stamps over the usual number of lines in one."""
    changes = np.flatnonzero(np.diff(seconds)) + 1
    if len(changes) < 2:
        return 1.0 / len(seconds)
    lines = np.median(np.diff(changes))
    return float(np.median(np.abs(np.diff(seconds[changes]))) / lines)


def _pace(seconds: Array) -> Array:
    """Return times within [second, second + 1) of the lines of a stretch without gaps."""
    index = np.arange(len(seconds))
    changes = np.flatnonzero(np.diff(seconds)) + 1
    if len(changes) > 1:
        if 2 * len(changes) < len(seconds):
            # Several lines a second: the clock struck between a stamp's last line and the next's
            # first, which says more than the stamps themselves.
            slope, offset = np.polyfit(changes - 0.5, seconds[changes], 1)
        else:
            slope, offset = np.polyfit(index, seconds + 0.5, 1)
        line: Array = slope * index + offset
        late = line - seconds
        if late.min() > -_STRAIGHT_S and late.max() < 1 + _STRAIGHT_S:
            return line
    starts = np.flatnonzero(np.diff(seconds, prepend=seconds[0] - 1))
    counts = np.diff(starts, append=len(seconds))
    place = index - np.repeat(starts, counts)
    spread: Array = seconds + (place + 0.5) / np.repeat(counts, counts)
    return spread
