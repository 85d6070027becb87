"""Energy over a window of power samples, with an uncertainty. Pure: arrays in, numbers out.

    E = integral of P dt        trapezoid through the samples, interpolated at both edges

The stated uncertainty is wide enough to hold the true value about 99 times in 100 (COVERAGE times
the standard uncertainty). It has two parts here, and a third in per_image.py:

- sampling: what the power does between two samples is not seen. How far each reading lies from the
  line through its neighbours tells how rough the curve is (Gasser, Sroka and Jennen-Steinmetz,
  Biometrika 73, 1986): exact for readings that scatter independently, generous for steps, nothing
  for ramps. Work that repeats in step with the sampling is missed by the same amount each time, so
  where the roughness repeats, its parts are added and not pooled. In a gap the power may have been
  anywhere between the lowest and the highest reading all along, and the stated uncertainty reaches
  so far. Whatever no sample ever met, no estimate can know.
- step: readings are multiples of the sensor's step q, and for a constant power all are off by the
  same amount: u(E) = T q / sqrt(12).

The sensor's own calibration error is not part of it.
"""

from dataclasses import dataclass

import numpy as np

from edgesr.errors import PowerError
from edgesr.power.sample import Array

COVERAGE = 2.58
"""Stated over standard uncertainty: 99 % of a normal distribution."""

MIN_WINDOW_S = 10.0
"""A shorter window is repeated until it is as long (the rule of MLPerf Tiny)."""

GAP_PERIODS = 2.5
"""Samples further apart than this many usual periods have a gap between them."""

SETTLING_LAGS = 3.0
"""The sensors smooth like a first-order filter: after three lags 5 % of a step are left."""

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
class Energy:
    """Energy of one rail, or of a sum of rails, over a window.

    Attributes:
        start_s: begin of the window, on the samples' clock.
        end_s: its end.
        energy_j: integral of the power.
        sampling_j: standard uncertainty from what happens between samples.
        step_j: standard uncertainty from the sensor's step.
        peak_mw: highest reading.
        samples: readings within the window.
        gap_s: part of the window that lies in gaps.
    """

    start_s: float
    end_s: float
    energy_j: float
    sampling_j: float
    step_j: float
    peak_mw: float
    samples: int
    gap_s: float

    @property
    def duration_s(self) -> float:
        """Length of the window."""
        return self.end_s - self.start_s

    @property
    def mean_mw(self) -> float:
        """Mean power."""
        return 1e3 * self.energy_j / self.duration_s

    @property
    def standard_uncertainty_j(self) -> float:
        """Both parts together."""
        return float(np.hypot(self.sampling_j, self.step_j))

    @property
    def uncertainty_j(self) -> float:
        """The stated uncertainty of `energy_j`."""
        return COVERAGE * self.standard_uncertainty_j

    @property
    def uncertainty_mw(self) -> float:
        """The stated uncertainty of `mean_mw`."""
        return 1e3 * self.uncertainty_j / self.duration_s


def integrate(
    time_s: Array, power_mw: Array, start_s: float, end_s: float, step_mw: float = WHOLE_MW
) -> Energy:
    """Integrate power over a window.

    Args:
        time_s: times of the readings, shape (n,), increasing.
        power_mw: readings, shape (n,).
        start_s: begin of the window.
        end_s: its end. The readings must cover it but for one usual period at either edge.
        step_mw: the sensor's step; the readings may show a larger one.

    Raises:
        PowerError: no window, or readings that do not cover it.
    """
    inside = int(np.count_nonzero((time_s >= start_s) & (time_s <= end_s)))
    if end_s <= start_s or len(time_s) < 2 or inside < 2:
        raise PowerError(
            f"{inside} power readings from {start_s:.2f} s to {end_s:.2f} s are too few",
            fix="measure longer, or sample more often with --interval",
        )
    steps = np.diff(time_s)
    if steps.min() <= 0:
        raise PowerError("the times of the power readings do not increase")
    period = float(np.median(steps))
    reach = max(period * GAP_PERIODS, float(time_s[0] - start_s), float(end_s - time_s[-1]))
    if reach > period * GAP_PERIODS:
        raise PowerError(
            f"power readings from {time_s[0]:.2f} s to {time_s[-1]:.2f} s do not cover "
            f"{start_s:.2f} s to {end_s:.2f} s",
            fix="start the sensor earlier and stop it later than the work",
        )
    within = (time_s > start_s) & (time_s < end_s)
    edges = np.interp([start_s, end_s], time_s, power_mw)
    times = np.concatenate(([start_s], time_s[within], [end_s]))
    power = np.concatenate((edges[:1], power_mw[within], edges[1:]))
    widths = np.diff(times)
    is_gap = widths > GAP_PERIODS * period
    middle = (power[1:] + power[:-1])[is_gap] / 2
    farthest = np.maximum(power.max() - middle, middle - power.min())
    in_gaps = np.linalg.norm(widths[is_gap] * farthest) / COVERAGE
    rough = _roughness(time_s, np.minimum(steps, period), power_mw)[within]
    between = np.linalg.norm(rough) * np.sqrt(_repeats(rough))
    step = max(step_mw, WHOLE_MW, reading_step_mw(power_mw))
    return Energy(
        start_s=start_s,
        end_s=end_s,
        energy_j=float(1e-3 * np.sum(widths * (power[1:] + power[:-1]) / 2)),
        sampling_j=float(1e-3 * np.hypot(between, in_gaps)),
        step_j=1e-3 * (end_s - start_s) * step / np.sqrt(12.0),
        peak_mw=float(power.max()),
        samples=inside,
        gap_s=float(widths[is_gap].sum()),
    )


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


def settled_window(start_s: float, end_s: float, lag_s: float) -> tuple[float, float]:
    """Return the part of a window of steady work where readings show that work and nothing else.

    Args:
        start_s: begin of the work.
        end_s: its end.
        lag_s: seconds by which the sensor follows the load.

    Raises:
        PowerError: the window is too short to leave anything.
    """
    edge = SETTLING_LAGS * lag_s
    if end_s - start_s <= 2 * edge:
        raise PowerError(
            f"a window of {end_s - start_s:.1f} s is too short: the sensor needs {edge:.1f} s to "
            "settle at either end",
            fix=f"measure for at least {MIN_WINDOW_S:g} s",
        )
    return start_s + edge, end_s - edge


def gaps(time_s: Array) -> tuple[tuple[float, float], ...]:
    """Return begin and end in s of every gap between samples."""
    if len(time_s) < 2:
        return ()
    steps = np.diff(time_s)
    at = np.flatnonzero(steps > GAP_PERIODS * np.median(steps))
    return tuple((float(time_s[index]), float(time_s[index + 1])) for index in at)
