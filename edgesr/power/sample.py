"""The one record that every sensor gives, whatever it reads."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LARGEST = 1e15
"""Largest value that is read from a table, in whatever unit; sums of squares stay finite."""


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


@dataclass(frozen=True)
class RailTable:
    """The rails of many samples as columns.

    Attributes:
        time_s: of each sample, shape (n,).
        power_mw: of each rail, NaN in samples that lack it, shape (n,).
    """

    time_s: Array
    power_mw: Mapping[str, Array]

    @classmethod
    def of(cls, samples: Sequence[Sample], rails: Iterable[str]) -> "RailTable":
        """Return the columns of these rails."""
        columns = {
            rail: np.array([sample.rails_mw.get(rail, np.nan) for sample in samples], np.float64)
            for rail in rails
        }
        times = np.array([sample.time_s for sample in samples], np.float64)
        return cls(times, columns)

    def held(self, rails: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return which samples hold all of these rails, shape (n,)."""
        held = np.ones(len(self.time_s), np.bool_)
        for rail in rails:
            held &= ~np.isnan(self.power_mw[rail])
        return held

    def series(self, rails: Sequence[str]) -> tuple[Array, Array]:
        """Return times in s and the summed power in mW of the samples that hold all these rails."""
        held = self.held(rails)
        power = np.zeros(int(held.sum()))
        for rail in rails:
            power += self.power_mw[rail][held]
        return self.time_s[held], power


def rail_series(samples: Sequence[Sample], rails: Sequence[str]) -> tuple[Array, Array]:
    """Return times in s and the summed power of `rails` in mW, of samples that hold all of them."""
    return RailTable.of(samples, rails).series(rails)
