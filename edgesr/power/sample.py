"""The one record that every sensor gives, whatever it reads."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LARGEST = 1e15
"""Largest size of a value that is read from a table, in whatever unit; sums of squares stay finite."""


@dataclass(frozen=True)
class Sample:
    """What a sensor said at one moment.

    Attributes:
        time_s: monotonic clock at the moment it describes; in a log, seconds since its first line.
        rails_mw: power by rail.
        loads_percent: busy share by unit: `gpu`, `emc`, `cpu0`, ...
        clocks_mhz: clock by unit, named as the loads are.
        temperatures_c: temperature by sensor, names as printed.
    """

    time_s: float
    rails_mw: Mapping[str, float]
    loads_percent: Mapping[str, float] = field(default_factory=dict)
    clocks_mhz: Mapping[str, float] = field(default_factory=dict)
    temperatures_c: Mapping[str, float] = field(default_factory=dict)


def rail_names(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Return the rails of at least half the samples with power.

    A rarer name is what a cut line left. Samples without any rail were taken without the right to
    read them, and say nothing of which rails there are.
    """
    counts = Counter(rail for sample in samples for rail in sample.rails_mw)
    held = sum(bool(sample.rails_mw) for sample in samples)
    return tuple(rail for rail, count in counts.items() if 2 * count >= held)


def rail_series(samples: Sequence[Sample], rails: Sequence[str]) -> tuple[Array, Array]:
    """Return times in s and the summed power of `rails` in mW, of samples that hold all of them."""
    wanted = frozenset(rails)
    held = [sample for sample in samples if sample.rails_mw.keys() >= wanted]
    times = np.array([sample.time_s for sample in held], dtype=np.float64)
    power = np.zeros(len(held))
    for rail in rails:
        power += [sample.rails_mw[rail] for sample in held]
    return times, power
