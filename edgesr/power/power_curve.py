"""A rail's power over time, and its integral over any window. Pure: arrays in, numbers out.

What does not depend on the window is computed once, so that a log of a day with thousands of spans
takes no longer than one pass over it and one over each span. energy.py explains the uncertainty,
time_limits.py what times add to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edgesr.errors import PowerError
from edgesr.power.energy import COVERAGE, Energy
from edgesr.power.intervals import evened, usual_near
from edgesr.power.roughness import repeats, roughness
from edgesr.power.sample import Array
from edgesr.power.time_limits import TimeLimits

GAP_PERIODS = 2.5
"""Samples further apart than this many usual periods have a gap between them."""

WHOLE_MW = 1.0
"""Smallest step: readings are printed in whole mW."""

_FEWEST_CHANGES = 10
_MOST_MOVED = 0.8
_LARGEST_STEP_MW = (
    500.0  # AGX Orin's rails of 20 V step by 400 mW; more is the work, not the sensor
)


@dataclass(frozen=True)
class Gap:
    """A part of a window without readings, whose energy is not known.

    Attributes:
        start_s: time of the reading before it, or the window's begin if that is later.
        end_s: time of the reading after it, or the window's end if that is earlier.
        uncounted_s: its length but for the usual interval, which a reading stands for.
        mean_mw: power if it went on between both readings.
        reach_mw: as much more or less if it was the lowest or the highest of the window; the
            lowest is none at all in a gap that is longer than all that was read.
    """

    start_s: float
    end_s: float
    uncounted_s: float
    mean_mw: float
    reach_mw: float

    @property
    def energy_j(self) -> float:
        """What flowed in the uncounted time if the power went on."""
        return 1e-3 * self.uncounted_s * self.mean_mw

    @property
    def uncertainty_j(self) -> float:
        """As much more or less may have flowed."""
        return 1e-3 * self.uncounted_s * self.reach_mw


@dataclass(frozen=True)
class PowerCurve:
    """Readings of one rail, or of a sum of rails.

    Attributes:
        time_s: times of the readings, shape (n,), increasing.
        power_mw: readings, shape (n,).
        step_mw: the sensor's step.
        usual_s: interval that is usual around each pair of readings, shape (n - 1,).
        is_gap: whether the interval of a pair is not explained by the usual one, shape (n - 1,).
        limits: by how much the times may be off.
        rough: what each reading adds to the integral's standard uncertainty in mW s, shape (n,).
        spread: what the moments within seconds add to it, likewise.
        counted_s: length of each pair's interval, of a gap one usual interval, shape (n - 1,).
        counted_mws: energy in it in mW s, shape (n - 1,).
        limit_mws: limit of what the times make of it in mW s, but for a window's edges, likewise.
    """

    time_s: Array
    power_mw: Array
    step_mw: float
    usual_s: Array
    is_gap: npt.NDArray[np.bool_]
    limits: TimeLimits
    rough: Array
    spread: Array
    counted_s: Array
    counted_mws: Array
    limit_mws: Array

    @classmethod
    def of(
        cls,
        time_s: Array,
        power_mw: Array,
        step_mw: float = WHOLE_MW,
        interval_s: float = np.inf,
        breaks_s: Sequence[float] = (),
        resolution_s: float = 0.0,
        limits: TimeLimits | None = None,
    ) -> "PowerCurve":
        """Return the curve of readings.

        Args:
            time_s: their times, shape (n,).
            power_mw: power, shape (n,).
            step_mw: the sensor's step; the readings may show a larger one.
            interval_s: interval that is believed where a single pair of readings shows one.
            breaks_s: times before which it is not known how long nothing was read.
            resolution_s: how finely the times were told; a shorter delay proves no gap.
            limits: by how much the times may be off; None: they are right.

        Raises:
            PowerError: the times do not increase.
        """
        steps = np.diff(time_s)
        if len(steps) and steps.min() <= 0:
            raise PowerError("the times of the power readings do not increase")
        limits = TimeLimits.none(len(time_s)) if limits is None else limits
        usual = usual_near(evened(steps) if resolution_s else steps)
        usual = np.minimum(usual, interval_s) if len(steps) == 1 else usual
        is_gap = steps > GAP_PERIODS * usual + resolution_s
        after = np.searchsorted(time_s, np.asarray(breaks_s, dtype=np.float64))
        is_gap[after[(after > 0) & (after < len(time_s))] - 1] = True
        counted = np.where(is_gap, np.minimum(steps, usual), steps)
        middle = (power_mw[1:] + power_mw[:-1]) / 2
        # The reading after a gap stands for none to two intervals, and the stretches at either side
        # end where their outer lines were printed.
        size_mw = np.abs(power_mw)  # a rail that feeds back has a power below zero
        own = limits.edge_s * size_mw
        highest = np.maximum(size_mw[1:], size_mw[:-1])
        of_gap = usual * highest + own[1:] + own[:-1]
        limit = np.where(is_gap, of_gap, np.abs(np.diff(limits.pace_s) * middle))
        limit += limits.wander_mws(power_mw)[1:]
        return cls(
            time_s=time_s,
            power_mw=power_mw,
            step_mw=max(step_mw, WHOLE_MW, reading_step_mw(power_mw)),
            usual_s=usual,
            is_gap=is_gap,
            limits=limits,
            rough=roughness(time_s, np.minimum(steps, usual), power_mw),
            spread=limits.spread_mws(power_mw),
            counted_s=counted,
            counted_mws=counted * middle,
            limit_mws=limit,
        )

    def integrate(self, start_s: float, end_s: float) -> Energy:
        """Integrate over a window on a clock that can be trusted: gaps are counted.

        Args:
            start_s: begin of the window.
            end_s: its end. The readings must cover it but for one usual period at either edge.

        Raises:
            PowerError: no window, or readings that do not cover it.
        """
        seen, gaps = self.integrate_seen(start_s, end_s)
        in_gaps = [1e-3 * (gap.end_s - gap.start_s) * gap.reach_mw / COVERAGE for gap in gaps]
        return replace(
            seen,
            energy_j=seen.energy_j + sum(gap.energy_j for gap in gaps),
            sampling_j=float(np.linalg.norm([seen.sampling_j, *in_gaps])),
            step_j=seen.step_j * (end_s - start_s) / seen.duration_s,
            uncounted_s=0.0,
            limit_j=0.0,
        )

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
        first, last = self._inside(start_s, end_s)
        times, power = self.time_s, self.power_mw
        counted_s = float(self.counted_s[first:last].sum())
        energy_mws = float(self.counted_mws[first:last].sum())
        limit_mws = float(self.limit_mws[first:last].sum())
        peak_mw = float(power[first : last + 1].max())
        edges = self.limits.edge_s
        limit_mws += float(edges[first] * abs(power[first]) + edges[last] * abs(power[last]))
        spans = self._gaps_between(first, last)
        # Parts of an interval, before the first reading and behind the last.
        for edge_s, reading, near in ((start_s, first, first - 1), (end_s, last, last)):
            width = abs(edge_s - float(times[reading]))
            if width:
                pair = min(max(near, 0), len(self.usual_s) - 1)
                at_edge = float(np.interp(edge_s, times, power))
                middle = (at_edge + float(power[reading])) / 2
                if self.is_gap[pair] and width > self.usual_s[pair]:
                    width = float(self.usual_s[pair])
                    begin_s, stop_s = sorted((edge_s, float(times[reading])))
                    spans.append((begin_s, stop_s, width, middle))
                counted_s += width
                energy_mws += width * middle
                peak_mw = max(peak_mw, at_edge)
        begin = first + (float(times[first]) == start_s)
        end = last + (float(times[last]) < end_s)
        rough, spread = self.rough[begin:end], self.spread[begin:end]
        between = float(rough @ rough) * repeats(rough) + float(spread @ spread)
        gaps = self._gaps(first, last, sorted(spans))
        seen = Energy(
            start_s=start_s,
            end_s=end_s,
            energy_j=1e-3 * energy_mws,
            sampling_j=1e-3 * float(np.sqrt(between)),
            step_j=1e-3 * counted_s * self.step_mw / float(np.sqrt(12.0)),
            peak_mw=peak_mw,
            samples=last + 1 - first,
            gap_s=sum(gap.end_s - gap.start_s for gap in gaps),
            uncounted_s=end_s - start_s - counted_s,
            limit_j=1e-3 * limit_mws,
        )
        return seen, gaps

    def _gaps_between(self, first: int, last: int) -> list[tuple[float, float, float, float]]:
        """Return begin, end, what is counted of it and mean power of each gap between readings."""
        return [
            (
                float(self.time_s[pair]),
                float(self.time_s[pair + 1]),
                float(self.counted_s[pair]),
                float(self.power_mw[pair] + self.power_mw[pair + 1]) / 2,
            )
            for pair in first + self.is_gap[first:last].nonzero()[0]
        ]

    def _gaps(
        self, first: int, last: int, spans: Sequence[tuple[float, float, float, float]]
    ) -> tuple[Gap, ...]:
        """Return the gaps of a window, those in which it begins or ends too."""
        power = self.power_mw[first : last + 1]
        low, high = float(power.min()), float(power.max())
        read_s = float(self.counted_s[first:last].sum())
        return tuple(
            Gap(
                start_s=start_s,
                end_s=end_s,
                uncounted_s=end_s - start_s - counted_s,
                mean_mw=middle,
                # Of a longer time than was read the readings say little: it may have been off.
                reach_mw=max(
                    high - middle, middle - (low if end_s - start_s <= read_s else 0.0), 0.0
                ),
            )
            for start_s, end_s, counted_s, middle in spans
        )

    def _inside(self, start_s: float, end_s: float) -> tuple[int, int]:
        """Return the first and the last reading of a window that the readings cover."""
        time_s = self.time_s
        first = int(time_s.searchsorted(start_s, side="left"))
        last = int(time_s.searchsorted(end_s, side="right")) - 1
        inside = max(last + 1 - first, 0)
        if end_s <= start_s or len(time_s) < 2 or inside < 2:
            raise PowerError(
                f"{inside} power readings from {start_s:.2f} s to {end_s:.2f} s are too few",
                fix="measure longer, or sample more often with --interval-s",
            )
        late = float(time_s[0]) - start_s > GAP_PERIODS * float(self.usual_s[0])
        early = end_s - float(time_s[-1]) > GAP_PERIODS * float(self.usual_s[-1])
        if late or early:
            raise PowerError(
                f"power readings from {time_s[0]:.2f} s to {time_s[-1]:.2f} s do not cover "
                f"{start_s:.2f} s to {end_s:.2f} s",
                fix="start the sensor earlier and stop it later than the work",
            )
        return first, last


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
