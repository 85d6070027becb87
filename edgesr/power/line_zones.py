"""Stamps of two programs whose clocks are in different time zones, put on one clock. Pure.

A container writes UTC and its host the local time; with both in one file the stamps jump by whole
quarter hours, to and fro. A clock that was set jumps too, but does not come back again and again.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from edgesr.power.line_times import stamp_seconds

_ZONE_S = 900
"""Zones are whole multiples of a quarter hour apart."""

_LATE_S = 3.0
"""By how much two programs may print apart, besides."""

_RETURNS = 2
"""A clock that was set by mistake and set right returns once."""


def on_one_clock(stamps: Sequence[datetime | None]) -> list[datetime | None]:
    """Return the stamps as the program that wrote the first line would have printed them.

    Args:
        stamps: what each line says, in the order of the file; None where a line says nothing.
    """
    known = [stamp for stamp in stamps if stamp is not None]
    if not known:
        return list(stamps)
    steps = np.diff(stamp_seconds(stamps, known[0]), prepend=0.0)
    zones = np.rint(steps / _ZONE_S).astype(np.int64)
    zones[np.abs(steps - zones * _ZONE_S) > _LATE_S] = 0
    jumps = np.flatnonzero(zones)
    levels = [0, *np.cumsum(zones[jumps]).tolist()]
    entered = Counter(levels)
    if sum(entered.values()) - len(entered) < _RETURNS:
        return list(stamps)
    shift = np.zeros(len(stamps), dtype=np.int64)
    for index, before, after in zip(jumps, levels, levels[1:], strict=False):
        if entered[before] > 1 and entered[after] > 1:
            shift[index] = after - before
    ahead_s = np.cumsum(shift) * _ZONE_S
    return [
        None if stamp is None else stamp - timedelta(seconds=int(ahead))
        for stamp, ahead in zip(stamps, ahead_s, strict=True)
    ]
