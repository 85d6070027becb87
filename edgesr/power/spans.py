"""Find where a log shows work and where it shows idling, by the load of the GPU. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgesr.power.power_curve import GAP_PERIODS
from edgesr.power.sample import Array, Sample

BUSY_PERCENT = 20.0
"""At least this load is work. At 100 ms the load of steady work reads 99, of idling 0."""

IDLE_PERCENT = 5.0
"""Less than this is idling; what lies between is neither."""

SHORTEST_S = 1.0
SETTLE_S = 1.0
"""The power sensors follow for about this long after the load has changed."""

_JOIN_S = 0.5


@dataclass(frozen=True)
class Spans:
    """Begin and end in s of each span; None: the log does not hold the GPU's load."""

    busy: tuple[tuple[float, float], ...]
    idle: tuple[tuple[float, float], ...]


def find_spans(samples: Sequence[Sample], interval_s: float = np.inf) -> Spans | None:
    """Return the busy and idle spans of at least a second, or None without the GPU's load.

    A busy span lasts from its first to its last busy sample; pauses of half a second, or of one
    sample, do not end it. Idle spans keep a second's distance from any load, because the readings
    follow it.

    Args:
        samples: in order of time.
        interval_s: interval that is believed where a single pair of samples shows one.
    """
    held = [sample for sample in samples if "gpu" in sample.loads_percent]
    if len(held) < 2:
        return None
    times = np.array([sample.time_s for sample in held])
    load = np.array([sample.loads_percent["gpu"] for sample in held])
    period = float(np.median(np.diff(times)))
    period = min(period, interval_s) if len(held) == 2 else period
    reach = max(_JOIN_S, GAP_PERIODS * period)
    loaded = times[load >= IDLE_PERCENT]
    before = np.searchsorted(loaded, times, side="right") - 1
    padded = np.concatenate(([-np.inf], loaded, [np.inf]))
    quiet = np.minimum(times - padded[before + 1], padded[before + 2] - times) > SETTLE_S
    return Spans(
        busy=_group(times[load >= BUSY_PERCENT], reach),
        idle=_group(times[quiet], GAP_PERIODS * period),
    )


def _group(times: Array, reach_s: float) -> tuple[tuple[float, float], ...]:
    """Join times that follow each other within `reach_s`."""
    if not len(times):
        return ()
    parts = np.split(times, np.flatnonzero(np.diff(times) > reach_s) + 1)
    spans = ((float(part[0]), float(part[-1])) for part in parts)
    return tuple((start, end) for start, end in spans if end - start >= SHORTEST_S)
