"""A recorded tegrastats log as samples with times."""

import gc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from edgesr.errors import PowerError
from edgesr.power.line_order import in_order, without_copies
from edgesr.power.line_times import line_times
from edgesr.power.line_zones import on_one_clock
from edgesr.power.log_rows import log_rows, read_text
from edgesr.power.one_board import host_of, two_boards, two_clocks
from edgesr.power.sample import Sample
from edgesr.power.sent_again import sent_once
from edgesr.power.tegrastats import parse_line
from edgesr.power.tegrastats_line import TegrastatsLine
from edgesr.power.time_limits import TimeLimits

_FEWEST_HEADS = 0.75
"""Share of the lines that hold RAM, CPU or GR3D; a board that is cut off damages fewer."""

DEFAULT_INTERVAL_S = 1.0
"""What tegrastats does without `--interval`."""


@dataclass(frozen=True)
class PowerLog:
    """A log that was read.

    Attributes:
        samples: in order of time, which starts at 0.
        start: the board's local time at time 0; None where the log has no time stamps.
        times_from: how the times were found, for people.
        tool: the program that wrote it.
        interval_s: interval that is believed where a single pair of lines shows one.
        unknown_lines: lines that are not from the tool; empty ones are not counted.
        cut_lines: lines that break off in the middle of a field.
        copied_lines: lines that are copies of others, and are left out.
        unread_rails: in how many lines a rail is named and its power cannot be read.
        set_back_s: times before which the clock was set back, so that nobody knows how long it was.
        limits: by how much the samples' times may be off; None: they are right.
        resolution_s: how finely the tool tells the time.
        mixed: what shows that more than one board wrote it, so that it has no total; None: nothing.
        in_pieces: whether its lines are broken over several rows that cannot be joined.
    """

    samples: tuple[Sample, ...]
    start: datetime | None
    times_from: str
    tool: str = "tegrastats"
    interval_s: float = DEFAULT_INTERVAL_S
    unknown_lines: int = 0
    cut_lines: int = 0
    copied_lines: int = 0
    unread_rails: Mapping[str, int] = field(default_factory=dict)
    set_back_s: tuple[float, ...] = ()
    limits: TimeLimits | None = None
    resolution_s: float = 0.0
    mixed: str | None = None
    in_pieces: bool = False

    @property
    def is_paced_by_interval(self) -> bool:
        """Whether the times are multiples of an interval, because the lines have none."""
        return self.start is None and self.tool == "tegrastats"


def read_tegrastats_log(path: Path, interval_s: float = DEFAULT_INTERVAL_S) -> PowerLog:
    """Read a log file.

    Args:
        path: what `tegrastats --logfile` wrote, or its output on any way into a file.
        interval_s: time between lines, used only where the lines have no time stamps.

    Raises:
        PowerError: the file cannot be read, no line of it is from tegrastats, its lines are in
            pieces, or lines of more than one board are in it.
    """
    log = parse_tegrastats_log(read_text(path), interval_s)
    if not log.samples:
        raise PowerError(
            "no line of it is from tegrastats",
            where=path,
            fix="sudo tegrastats --interval 100 --logfile power.log",
        )
    if log.in_pieces:
        raise PowerError(
            "its lines are broken into pieces, and do not say which belong together",
            where=path,
            fix="bring each line of tegrastats onto one row, or record with --logfile",
        )
    if log.mixed is not None:
        raise PowerError(
            f"more than one board wrote it: {log.mixed}",
            where=path,
            fix="put each board's lines into a file of its own",
        )
    return log


def parse_tegrastats_log(text: str, interval_s: float = DEFAULT_INTERVAL_S) -> PowerLog:
    """Read the text of a log; see `read_tegrastats_log`. Never raises."""
    read: list[TegrastatsLine] = []
    hosts: list[str | None] = []
    unknown = 0
    with _without_collector():
        for row, is_whole in log_rows(text):
            line = parse_line(row, complete=is_whole)
            if line is not None:
                read.append(line)
                hosts.append(host_of(row))
            elif row.strip():
                unknown += 1
    mixed = two_boards(read, hosts)
    if mixed is None and two_clocks(read):
        mixed = "its stamps go back and forth between two clocks"
    lines = [read[index] for index in without_copies(read)]
    once = sent_once(lines)
    lines = [lines[index] for index in once.kept]
    stamps = on_one_clock([line.time for line in lines])
    order = in_order(stamps)
    in_doubt = [once.kept[index] in once.in_doubt for index in order]
    lines = [lines[index] for index in order]
    found = line_times([stamps[index] for index in order], interval_s, in_doubt)
    rows = zip(lines, found.times_s, strict=True)
    return PowerLog(
        samples=tuple(line.to_sample(float(time)) for line, time in rows),
        start=found.start,
        times_from=f"no time stamps: one line every {interval_s:g} s"
        if found.start is None
        else "the lines' time stamps of 1 s, evenly paced",
        interval_s=interval_s,
        unknown_lines=unknown,
        cut_lines=sum(line.is_cut for line in lines),
        copied_lines=len(read) - len(lines),
        unread_rails=Counter(name for line in lines for name in line.unread_rails),
        set_back_s=tuple(float(found.times_s[index]) for index in found.set_back),
        limits=found.limits,
        resolution_s=0.0 if found.start is None else 1.0,
        mixed=mixed,
        in_pieces=_in_pieces(read),
    )


def _in_pieces(lines: Sequence[TegrastatsLine]) -> bool:
    """Return whether too many lines lack what each line holds, though some of them do hold it."""
    most = max(
        sum(line.ram is not None for line in lines),
        sum(bool(line.cpus) for line in lines),
        sum("GR3D" in line.engines for line in lines),
    )
    return 0 < most < _FEWEST_HEADS * len(lines)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Read without the cycle collector: lines hold no cycles, and it would walk them all anew."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
