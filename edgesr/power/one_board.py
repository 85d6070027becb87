"""Whether all lines of a log are of one board: of two, no total and no energy means anything. Pure.

Two boards that write into one file, or whose logs are joined, leave one of three traces: another
size of memory, rails that the first board does not have, or another host before each line. Boards
of one kind that leave none of them look like one board that is read twice as often.
"""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import TypeVar

from edgesr.power.tegrastats_line import TegrastatsLine

_Value = TypeVar("_Value", bound=Hashable)

_NO_ACCIDENT = 2
"""Lines that say the same; a single one may be damaged."""

_OTHER_MEMORY = 1.25
"""Ratio of two sizes of memory that no setting of one board makes."""

_LATE_S = 3
"""A second program on the same board writes its lines late by at most so much (line_order.py)."""

_MOST_RETURNS = 0.2
"""Share of lines at which the stamps of one clock may go back; of two clocks they do at half."""

_FEWEST_RETURNS = 3

# As syslog, rsyslog, RFC 5424 and journalctl print it, and the journal's own field.
_HOST = re.compile(
    r"\s*(?:<[0-9]{1,3}>[0-9]? ?)?(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,}(?:Z|[+-][0-9:]+))"
    r" ([\w.-]+) (?:[\w./-]+(?:\[[0-9]+\])?: |[\w./-]+ [0-9-]+ \S+ -)"
)
_JOURNAL_HOST = re.compile(r'"_HOSTNAME" *: *"([^"\\]+)"')


def host_of(row: str) -> str | None:
    """Return the host that a log of the system names before a line, None where there is none."""
    found = _JOURNAL_HOST.search(row) if '"_HOSTNAME"' in row else _HOST.match(row)
    # A board is called so until it knows its name.
    return None if found is None or found[1] == "localhost" else found[1]


def two_boards(lines: Sequence[TegrastatsLine], hosts: Sequence[str | None]) -> str | None:
    """Return what shows that lines are of more than one board, None where nothing does.

    Args:
        lines: in the order of the file.
        hosts: what `host_of` says of each.
    """
    named = _common(hosts)
    if len(named) > 1:
        return f"lines of the hosts {' and '.join(sorted(named))}"
    whole = [line for line in lines if line.ram is not None and not line.is_cut]
    sizes = sorted(_common(line.ram.total_mb for line in whole if line.ram is not None))
    if len(sizes) > 1 and sizes[-1] > _OTHER_MEMORY * sizes[0]:
        return f"lines with {sizes[0]:.0f} and with {sizes[-1]:.0f} MB of RAM"
    kinds = _common(tuple(line.rails) for line in whole if line.rails)
    for other in kinds[1:]:
        if not set(kinds[0]) & set(other):
            return f"lines with {', '.join(kinds[0])} and lines with {', '.join(other)}"
    return None


def two_clocks(lines: Sequence[TegrastatsLine]) -> bool:
    """Return whether stamps go back so far and so often that more than one clock made them."""
    stamps = [line.time for line in lines if line.time is not None]
    late = timedelta(seconds=_LATE_S)
    returns = sum(before - after > late for before, after in pairwise(stamps))
    return returns >= _FEWEST_RETURNS and returns > _MOST_RETURNS * len(stamps)


def _common(values: Iterable[_Value | None]) -> list[_Value]:
    """Return the values that are no accident, the most frequent one first."""
    counts = Counter(value for value in values if value is not None)
    return [value for value, count in counts.most_common() if count >= _NO_ACCIDENT]
