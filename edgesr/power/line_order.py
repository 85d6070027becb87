"""Lines of a log that more than one program wrote: put in order, and each of them once. Pure.

Two programs that write into one file make lines that are a second or two late, again and again; one
line alone that is late shows a clock that was set back, and stays where it is. A stretch that has
been there before is a copy, which no program prints.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edgesr.power.line_times import stamp_seconds
from edgesr.power.sample import Array
from edgesr.power.tegrastats_line import TegrastatsLine

_LATE_S = 3.0
_AROUND = 20
_NEARLY_ALL = 0.9
_DIFFERENT = 3
_SEVERAL_LATE = 3
"""So many lines, each late by at most so much, among the lines around: a second program wrote."""


def without_copies(lines: Sequence[TegrastatsLine]) -> list[int]:
    """Return which lines are no copies of ones before.

    Looked at are the stretches that begin where the stamps go back, as far as they reach no stamp
    that is new: a log that was fetched twice overlaps there. Such a part is a copy if nearly all of
    its lines were there before, stamp and all, and it does not say the same thing over and over,
    nor what the line before it says, as an idle board does in an hour that the clock shows twice.

    Args:
        lines: in the order of the file.
    """
    stamps = [line.time for line in lines if line.time is not None]
    if all(before <= after for before, after in pairwise(stamps)):
        return list(range(len(lines)))
    seen: set[tuple[datetime | None, int]] = set()
    kept: list[int] = []
    for part, newest in _parts(lines):
        keys = [(lines[index].time, _body(lines[index])) for index in part]
        # Of the second that was the newest there may be more lines than were there before.
        old = [key for key in keys if newest and (key[0] is None or key[0] < newest)]
        known = sum(key in seen for key in old)
        said = {key[1] for key in keys if key in seen}
        if part[0] > 0:
            said.add(_body(lines[part[0] - 1]))
        different = len(said) >= min(_DIFFERENT, len(old))
        if old and different and known >= _NEARLY_ALL * len(old):
            latest = [(lines[index].time, _body(lines[index])) for index in kept[-2:]]
            for place, (index, key) in enumerate(zip(part, keys, strict=True)):
                # A line directly behind one that says the same, and not behind a copy of the line
                # before that one, may be none; sent_again.py tells.
                is_next = (
                    len(latest) == 2 and latest[1] == key and latest[0] != keys[max(0, place - 1)]
                )
                if key not in seen or (is_next and key[0] == newest):
                    kept.append(index)
                    latest = []
        else:
            kept += part
        seen.update(keys)
    return kept


def _parts(lines: Sequence[TegrastatsLine]) -> list[tuple[list[int], datetime | None]]:
    """Cut lines where stamps go back, and behind the newest stamp that was there by then.

    Returns:
        Indices of each part's lines; and that newest stamp, None where the part's are new.
    """
    parts: list[tuple[list[int], datetime | None]] = [([], None)]
    newest = previous = datetime.min
    for index, line in enumerate(lines):
        if line.time is not None:
            if line.time < previous:
                parts.append(([], newest))
            elif parts[-1][1] is not None and line.time > newest:
                parts.append(([], None))
            previous = line.time
            newest = max(newest, previous)
        parts[-1][0].append(index)
    return parts


def _body(line: TegrastatsLine) -> int:
    return hash((*line.rails.items(), *line.temperatures.items(), *line.cpus))


def in_order(stamps: Sequence[datetime | None]) -> list[int]:
    """Return lines in the order of their stamps, where a second program made some late.

    Args:
        stamps: what each line says; a line that says nothing stays with the one before.
    """
    order = np.arange(len(stamps))
    known = [stamp for stamp in stamps if stamp is not None]
    if not known:
        return [int(index) for index in order]
    seconds = stamp_seconds(stamps, known[0])
    steps = np.diff(seconds)
    is_late = (steps < 0) & (steps >= -_LATE_S)
    wrong = is_late & ((_count_around(is_late) >= _SEVERAL_LATE) | _comes_back(seconds))
    is_mixed = _count_around(wrong) > 0
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_mixed, [False]))))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        part = slice(int(begin), int(end) + 1)
        order[part] = order[part][np.argsort(seconds[part], kind="stable")]
    return [int(index) for index in order]


def _comes_back(seconds: Array) -> npt.NDArray[np.bool_]:
    """Return after which lines of many in a second one is of the second before, and two follow."""
    found = np.zeros(max(len(seconds) - 1, 0), dtype=np.bool_)
    if len(seconds) > 3:
        same = (seconds[2:-1] == seconds[:-3]) & (seconds[3:] == seconds[:-3])
        found[:-2] = same & (seconds[1:-2] == seconds[:-3] - 1)
    return found


def _count_around(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return how many flags are set among each one's neighbours and itself."""
    sums = np.concatenate(([0], np.cumsum(flags)))
    place = np.arange(len(flags))
    upper = np.minimum(place + _AROUND + 1, len(flags))
    counts: npt.NDArray[np.int64] = sums[upper] - sums[np.maximum(place - _AROUND, 0)]
    return counts
