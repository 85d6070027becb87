"""Energy over a window of power samples and its uncertainty: what is stated, and how it is read.

    E = integral of P dt        trapezoid through the samples, interpolated at both edges

The stated uncertainty is wide enough to hold the true value about 99 times in 100 (COVERAGE times
the standard uncertainty). Its parts are computed in power_curve.py, and one more in measure.py:

- sampling: what the power does between two samples is not seen. How far each reading lies from the
  line through its neighbours tells how rough the curve is (Gasser, Sroka and Jennen-Steinmetz,
  Biometrika 73, 1986): exact for readings that scatter independently, generous for steps, nothing
  for ramps. Work that repeats in step with the sampling is missed by the same amount each time, so
  where the roughness repeats, its parts are added and not pooled. In a gap the power may have been
  anywhere between the lowest and the highest reading all along, and the stated uncertainty reaches
  so far. Whatever no sample ever met, no estimate can know.
- step: readings are multiples of the sensor's step q, and for a constant power all are off by the
  same amount: u(E) = T q / sqrt(12).
- times, in logs only, whose stamps are whole seconds: time_limits.py.

The sensor's own calibration error is not part of it.
"""

from dataclasses import dataclass

import numpy as np

from edgesr.errors import PowerError

COVERAGE = 2.58
"""Stated over standard uncertainty: 99 % of a normal distribution."""

MIN_WINDOW_S = 10.0
"""A shorter window is repeated until it is as long (the rule of MLPerf Tiny)."""

SETTLING_LAGS = 3.0
"""The sensors smooth like a first-order filter: after three lags 5 % of a step are left."""


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
        uncounted_s: part of it whose energy is left out; only a log leaves its gaps out.
        limit_j: as much more or less may have flowed because times may be off and gaps are left
            out; a limit, which is added, and not a standard uncertainty.
    """

    start_s: float
    end_s: float
    energy_j: float
    sampling_j: float
    step_j: float
    peak_mw: float
    samples: int
    gap_s: float
    uncounted_s: float = 0.0
    limit_j: float = 0.0

    @property
    def duration_s(self) -> float:
        """Length of the window, without what is left out."""
        return self.end_s - self.start_s - self.uncounted_s

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
        return self.limit_j + COVERAGE * self.standard_uncertainty_j

    @property
    def uncertainty_mw(self) -> float:
        """The stated uncertainty of `mean_mw`."""
        return 1e3 * self.uncertainty_j / self.duration_s


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
