"""A recorded tegrastats log as samples with times."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edgesr.errors import PowerError
from edgesr.power.line_times import line_times
from edgesr.power.sample import Sample
from edgesr.power.tegrastats import parse_line
from edgesr.power.tegrastats_line import TegrastatsLine

DEFAULT_INTERVAL_S = 1.0
"""What tegrastats does without `--interval`."""

# Where a run was killed in the middle of a line and another appended, two lines share one.
_SECOND_LINE = re.compile(r"(?<=\S)(?=[0-9]{2}-[0-9]{2}-[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} RAM )")


@dataclass(frozen=True)
class PowerLog:
    """A log that was read.

    Attributes:
        samples: in order of time, which starts at 0.
        start: the board's local time at time 0; None where the log has no time stamps.
        times_from: how the times were found, for people.
        unknown_lines: lines that are not from tegrastats; empty ones are not counted.
        cut_lines: lines that break off in the middle of a field.
        uncertainty_s: standard uncertainty of the time between the first and the last line.
    """

    samples: tuple[Sample, ...]
    start: datetime | None
    times_from: str
    unknown_lines: int = 0
    cut_lines: int = 0
    uncertainty_s: float = 0.0


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
    found = line_times([line.time for line in lines], interval_s)
    rows = zip(lines, found.times_s, strict=True)
    return PowerLog(
        samples=tuple(line.to_sample(float(time)) for line, time in rows),
        start=found.start,
        times_from=f"no time stamps: one line every {interval_s:g} s"
        if found.start is None
        else "the lines' time stamps of 1 s, evenly paced",
        unknown_lines=unknown,
        cut_lines=sum(line.is_cut for line in lines),
        uncertainty_s=found.uncertainty_s,
    )
