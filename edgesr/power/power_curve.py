"""A rail's power over time, and its integral over any window. Pure: arrays in, numbers out.

What does not depend on the window is computed once, so that a log of a day with thousands of spans
takes no longer than one pass over it and one over each span. energy.py explains the uncertainty.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edgesr.errors import PowerError
from edgesr.power.energy import COVERAGE, Energy
from edgesr.power.intervals import evened, usual_near
from edgesr.power.sample import Array

GAP_PERIODS = 2.5
"""Samples further apart than this many usual periods have a gap between them."""

WHOLE_MW = 1.0
"""Smallest step: readings are printed in whole mW."""

_FEWEST_TO_REPEAT = 20
_ALIKE = 0.5
_FEWEST_CHANGES = 10
_MOST_MOVED = 0.8
_LARGEST_STEP_MW = (
    500.0  # AGX Orin's rails of 20 V step by 400 mW; more is the work, not the sensor
)


@dataclass(frozen=True)
class Gap:
    """A part of a window without readings, whose energy is not known.

    Attributes:
        start_s: time of the reading before it.
        end_s: time of the reading after it.
        uncounted_s: its length but for the usual interval, which a reading stands for.
        energy_j: what flowed in the uncounted time if the power went on between both readings.
        uncertainty_j: as much more or less if it was the lowest or the highest of the window.
    """

    start_s: float
    end_s: float
    uncounted_s: float
    energy_j: float
    uncertainty_j: float


@dataclass(frozen=True)
class PowerCurve:
    """Readings of one rail, or of a sum of rails.

    Attributes:
        time_s: times of the readings, shape (n,), increasing.
        power_mw: readings, shape (n,).
        step_mw: the sensor's step.
        usual_s: interval that is usual around each pair of readings, shape (n - 1,).
        is_gap: whether the interval of a pair is not explained by the usual one, shape (n - 1,).
        rough: what each reading adds to the integral's standard uncertainty in mW s, shape (n,).
    """

    time_s: Array
    power_mw: Array
    step_mw: float
    usual_s: Array
    is_gap: npt.NDArray[np.bool_]
    rough: Array

    @classmethod
    def of(
        cls,
        time_s: Array,
        power_mw: Array,
        step_mw: float = WHOLE_MW,
        interval_s: float = np.inf,
        breaks_s: Sequence[float] = (),
        resolution_s: float = 0.0,
    ) -> "PowerCurve":
        """Return the curve of readings.

        Args:
            time_s: their times, shape (n,).
            power_mw: power, shape (n,).
            step_mw: the sensor's step; the readings may show a larger one.
            interval_s: interval that is believed where a single pair of readings shows one.
            resolution_s: how finely the times were told; a shorter delay proves no gap.
            breaks_s: times before which it is not known how long nothing was read.

        Raises:
            PowerError: the times do not increase.
        """
        steps = np.diff(time_s)
        if len(steps) and steps.min() <= 0:
            raise PowerError("the times of the power readings do not increase")
        usual = usual_near(evened(steps) if resolution_s else steps)
        usual = np.minimum(usual, interval_s) if len(steps) == 1 else usual
        is_gap = steps > GAP_PERIODS * usual + resolution_s
        after = np.searchsorted(time_s, np.asarray(breaks_s, dtype=np.float64))
        is_gap[after[(after > 0) & (after < len(time_s))] - 1] = True
        return cls(
            time_s=time_s,
            power_mw=power_mw,
            step_mw=max(step_mw, WHOLE_MW, reading_step_mw(power_mw)),
            usual_s=usual,
            is_gap=is_gap,
            rough=_roughness(time_s, np.minimum(steps, usual), power_mw),
        )

    def integrate(self, start_s: float, end_s: float) -> Energy:
        """Integrate over a window on a clock that can be trusted: gaps are counted.

        Args:
            start_s: begin of the window.
            end_s: its end. The readings must cover it but for one usual period at either edge.

        Raises:
            PowerError: no window, or readings that do not cover it.
        """
        part = self._part(start_s, end_s)
        farthest = np.maximum(part.power.max() - part.middle, part.middle - part.power.min())
        in_gaps = float(np.linalg.norm((part.widths * farthest)[part.is_gap])) / COVERAGE
        return self._energy(part, part.widths, in_gaps)

    def integrate_seen(self, start_s: float, end_s: float) -> tuple[Energy, tuple[Gap, ...]]:
        """Integrate over a window of a log: of a gap one usual interval is counted, and no more.

        Nobody knows how long a gap in a log was: the clock may have been set, or the log been
        appended to. The reading after it stands for at most one interval before it, and the
        uncertainty reaches from none to two of them; that is a limit, and is added as one.

        Args:
            start_s: begin of the window.
            end_s: its end.

        Returns:
            The energy, and the gaps that are not in it.

        Raises:
            PowerError: as `integrate`.
        """
        part = self._part(start_s, end_s)
        counted = np.where(part.is_gap, np.minimum(part.widths, part.usual), part.widths)
        highest = np.maximum(part.power[1:], part.power[:-1])
        reach_j = 1e-3 * float((part.usual * highest)[part.is_gap].sum())
        low, high = part.power.min(), part.power.max()
        gaps = []
        for index in np.flatnonzero(part.is_gap):
            left_out = float(part.widths[index] - counted[index])
            middle = float(part.middle[index])
            either_way = max(high - middle, middle - low)
            gaps.append(
                Gap(
                    start_s=float(part.times[index]),
                    end_s=float(part.times[index + 1]),
                    uncounted_s=left_out,
                    energy_j=1e-3 * left_out * middle,
                    uncertainty_j=1e-3 * left_out * float(either_way),
                )
            )
        return replace(self._energy(part, counted), gaps_j=reach_j), tuple(gaps)

    def _part(self, start_s: float, end_s: float) -> "_Part":
        """Cut a window out, with readings interpolated at both edges."""
        time_s = self.time_s
        window = (start_s, end_s)
        at_start, beyond = (int(place) for place in time_s.searchsorted(window, side="left"))
        first, after_end = (int(place) for place in time_s.searchsorted(window, side="right"))
        inside = after_end - at_start
        if end_s <= start_s or len(time_s) < 2 or inside < 2:
            raise PowerError(
                f"{inside} power readings from {start_s:.2f} s to {end_s:.2f} s are too few",
                fix="measure longer, or sample more often with --interval",
            )
        late = float(time_s[0]) - start_s > GAP_PERIODS * self.usual_s[0]
        early = end_s - float(time_s[-1]) > GAP_PERIODS * self.usual_s[-1]
        if late or early:
            raise PowerError(
                f"power readings from {time_s[0]:.2f} s to {time_s[-1]:.2f} s do not cover "
                f"{start_s:.2f} s to {end_s:.2f} s",
                fix="start the sensor earlier and stop it later than the work",
            )
        within = slice(first, beyond)
        near = slice(max(0, first - 1), beyond + 1)
        times, power = (np.empty(beyond - first + 2) for _ in range(2))
        times[0], times[-1] = window
        times[1:-1], power[1:-1] = time_s[within], self.power_mw[within]
        power[[0, -1]] = np.interp(window, time_s[near], self.power_mw[near])
        pair = np.arange(first - 1, beyond).clip(0, len(self.usual_s) - 1)
        return _Part(
            times=times,
            power=power,
            widths=times[1:] - times[:-1],
            middle=(power[1:] + power[:-1]) / 2,
            usual=self.usual_s[pair],
            is_gap=self.is_gap[pair],
            rough=self.rough[within],
            samples=inside,
        )

    def _energy(self, part: "_Part", counted_s: Array, gaps_mws: float = 0.0) -> Energy:
        """Sum a window up; `gaps_mws` is the standard uncertainty of its gaps in mW s."""
        between = float(np.linalg.norm(part.rough)) * np.sqrt(_repeats(part.rough))
        seconds = float(counted_s.sum())
        return Energy(
            start_s=float(part.times[0]),
            end_s=float(part.times[-1]),
            energy_j=float(1e-3 * np.sum(counted_s * part.middle)),
            sampling_j=float(1e-3 * np.hypot(between, gaps_mws)),
            step_j=1e-3 * seconds * self.step_mw / np.sqrt(12.0),
            peak_mw=float(part.power.max()),
            samples=part.samples,
            gap_s=float(part.widths[part.is_gap].sum()),
            uncounted_s=float((part.widths - counted_s).sum()),
        )


@dataclass(frozen=True)
class _Part:
    """A window of a curve: readings with both edges, shape (m,), and their m - 1 intervals.

    `middle` is the mean power of each interval.
    """

    times: Array
    power: Array
    widths: Array
    middle: Array
    usual: Array
    is_gap: npt.NDArray[np.bool_]
    rough: Array
    samples: int


def _roughness(time_s: Array, steps_s: Array, power_mw: Array) -> Array:
    """Return what each reading adds to the integral's standard uncertainty, in mW s, shape (n,).

    Args:
        time_s: times, shape (n,).
        steps_s: time to the next reading, shape (n - 1,), gaps taken for one period.
        power_mw: readings, shape (n,).
    """
    rough = np.zeros(len(time_s))
    if len(time_s) > 2:
        nearness = np.diff(time_s)[1:] / (time_s[2:] - time_s[:-2])  # weight of the reading before
        line = nearness * power_mw[:-2] + (1 - nearness) * power_mw[2:]
        scatter = (power_mw[1:-1] - line) / np.sqrt(1 + nearness**2 + (1 - nearness) ** 2)
        rough[1:-1] = scatter * (steps_s[1:] + steps_s[:-1]) / 2
    return rough


def _repeats(rough: Array) -> float:
    """Return how often the roughness of a window repeats itself, 1 where it does not.

    It is the sum of its autocorrelations above one half, at lags that are seen at least twice.
    Smooth curves, whose neighbouring roughness has one sign, have no edges to be missed.

    Args:
        rough: of each reading, shape (n,).
    """
    count = len(rough)
    power = float(rough @ rough)
    if count < _FEWEST_TO_REPEAT or power == 0.0 or float(rough[1:] @ rough[:-1]) >= 0.0:
        return 1.0
    padded = 1 << (2 * count - 1).bit_length()  # no wrapping around
    spectrum = np.abs(np.fft.rfft(rough, padded)) ** 2
    alike = np.fft.irfft(spectrum, padded)[2 : count // 2] / power
    overlap = 1.0 - np.arange(2, count // 2) / count
    return 1.0 + 2.0 * float(alike[alike > _ALIKE * overlap].sum())


def reading_step_mw(power_mw: Array) -> float:
    """Return the step that readings show, or 0 where they show none.

    An INA3221 repeats itself exactly until the power has changed by one step of its current (8 mA
    times 5 V on an Orin Nano), or at least its smallest changes but for those of a few mW, which
    come from the voltage alone. Readings that never repeat have no such step.
    """
    changes = np.abs(np.diff(power_mw))
    moved = changes[changes > 0]
    if len(moved) < _FEWEST_CHANGES or len(moved) > _MOST_MOVED * len(changes):
        return 0.0
    step = float(np.quantile(moved, 0.1))
    return step if step <= _LARGEST_STEP_MW else 0.0
