"""Lines that were sent again within the second that they are stamped with. Pure.

A log shipper that connects anew sends its last lines once more. Where they are of one second no
stamp goes back, and what shows them is that a stretch of lines is the one before it again. Three
different lines do not come again by themselves. One or two may: an idle board says the same thing
over and over, and a power that hardly changes is printed as the same number of whole mW. How often
it does so nearby is seen where the second changes, since a line of the next second is no copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from edgesr.power.tegrastats_line import TegrastatsLine

_LONGEST = 20
"""Lines of a second that are looked at; tegrastats prints ten."""

_DIFFERENT = 3
_SECONDS_AROUND = 30
_OFTEN = 0.1
"""Share of lines that repeat the one before, from which on this is how the board is."""

_NEAR_MW = 50
"""A power that changes by no more from line to line repeats itself now and then: the sensors of an
Orin Nano step by 40 mW, and a smooth power is the same on either side of its top."""


@dataclass(frozen=True)
class SentOnce:
    """Lines without those that were sent again.

    Attributes:
        kept: which they are, in order.
        in_doubt: those of them that may be copies all the same.
    """

    kept: tuple[int, ...]
    in_doubt: frozenset[int]


def sent_once(lines: Sequence[TegrastatsLine]) -> SentOnce:
    """Return which lines are not directly behind themselves, stamp and all.

    Args:
        lines: in order. Those without a stamp are all kept.
    """
    changes = [
        index
        for index in range(1, len(lines))
        if lines[index].time is not None and lines[index].time != lines[index - 1].time
    ]
    kept: list[int] = []
    in_doubt: set[int] = set()
    begin = 0
    for number, end in enumerate([*changes, len(lines)]):
        own: list[int] = []
        index = begin
        while index < end:
            length = _repeated(lines, own, index, end) if own else 0
            if length == 0:
                own.append(index)
                index += 1
                continue
            again = range(index, index + length)
            if _count_different(lines, again) < _DIFFERENT:
                around = changes[max(0, number - _SECONDS_AROUND) : number + _SECONDS_AROUND]
                share = _share_repeated(lines, around, length)
                if share or _is_near(lines, own[-length], again):
                    in_doubt.update(again if share < _OFTEN else ())
                    own += again
            index += length
        kept += own
        begin = end
    return SentOnce(tuple(kept), frozenset(in_doubt))


def _repeated(lines: Sequence[TegrastatsLine], before: list[int], index: int, end: int) -> int:
    """Return how many lines from `index` on are the last ones before it again, at most; 0: none."""
    if lines[index].time is None:
        return 0
    for length in range(min(len(before), end - index, _LONGEST), 0, -1):
        old = before[-length:]
        if all(_says_the_same(lines[at], lines[index + n]) for n, at in enumerate(old)):
            return length
    return 0


def _says_the_same(line: TegrastatsLine, other: TegrastatsLine) -> bool:
    return (
        line.rails == other.rails
        and line.temperatures == other.temperatures
        and line.cpus == other.cpus
    )


def _share_repeated(lines: Sequence[TegrastatsLine], at: Sequence[int], distance: int) -> float:
    """Return the share of some lines that say what the one so many before them says."""
    same = [
        _says_the_same(lines[index], lines[index - distance]) for index in at if index >= distance
    ]
    return sum(same) / len(same) if same else 0.0


def _count_different(lines: Sequence[TegrastatsLine], which: Sequence[int]) -> int:
    different: list[TegrastatsLine] = []
    for index in which:
        if not any(_says_the_same(lines[index], line) for line in different):
            different.append(lines[index])
    return len(different)


def _is_near(lines: Sequence[TegrastatsLine], first: int, again: Sequence[int]) -> bool:
    """Return whether the power hardly changed from the line before or to the one behind, if any.

    Args:
        lines: all of them.
        first: where the repeated stretch begins.
        again: the lines that repeat it, and may be repeated themselves.
    """
    behind = again[-1] + 1
    limit = min(behind + _LONGEST, len(lines))
    while behind < limit and any(_says_the_same(lines[behind], lines[at]) for at in again):
        behind += 1
    changes = [
        abs(_power_mw(lines[at]) - _power_mw(lines[next_to]))
        for at, next_to in ((first, first - 1), (again[-1], behind))
        if 0 <= next_to < len(lines)
    ]
    return not changes or min(changes) <= _NEAR_MW


def _power_mw(line: TegrastatsLine) -> int:
    return sum(reading.current_mw for reading in line.rails.values())
