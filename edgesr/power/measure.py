"""What a window of work cost: every rail and the total, gross and net of idle, per image. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgesr.errors import PowerError
from edgesr.power.board_rails import Total, find_total
from edgesr.power.energy import COVERAGE, MIN_WINDOW_S, Energy, settled_window
from edgesr.power.power_curve import PowerCurve
from edgesr.power.sample import Sample, rail_names, rail_series

# Student's t over the normal quantile, both for 95 % on two sides, by degrees of freedom: how much
# wider an estimate from so few repeats is. scipy.stats.t.ppf(0.975, n) / 1.960.
_FEW_REPEATS = (6.48, 2.20, 1.62, 1.42, 1.31, 1.25, 1.21, 1.18, 1.15, 1.14)


@dataclass(frozen=True)
class SteadyWindow:
    """Steady work over a window, or idling.

    Attributes:
        duration_s: length of the work; the energies are of its settled part.
        rails: every rail, by name.
        total: the total.
        total_of: how it is made.
    """

    duration_s: float
    rails: Mapping[str, Energy]
    total: Energy
    total_of: Total

    @property
    def is_long_enough(self) -> bool:
        """Whether it needs no repeating."""
        return self.duration_s >= MIN_WINDOW_S


@dataclass(frozen=True)
class Joules:
    """An energy and its stated uncertainty (see energy.py)."""

    value_j: float
    uncertainty_j: float


@dataclass(frozen=True)
class ImageEnergy:
    """Energy of one image.

    Attributes:
        gross: all that flowed.
        net: what flowed above idle; None where idle was not measured.
        images: how many it is the mean of.
        windows: how many windows they came in.
        is_run_to_run_known: whether several windows showed how far runs differ.
    """

    gross: Joules
    net: Joules | None
    images: int
    windows: int
    is_run_to_run_known: bool


def measure(
    samples: Sequence[Sample],
    start_s: float,
    end_s: float,
    total: Total | None = None,
    step_mw: float = 0.0,
) -> SteadyWindow:
    """Integrate every rail over the settled part of a window.

    Args:
        samples: from before `start_s` to after `end_s`.
        start_s: begin of steady work, or of idling, on the samples' clock.
        end_s: its end.
        total: how the total is made; None: found from the rails.
        step_mw: the sensor's step, where it is known.

    Raises:
        PowerError: no power in the samples, or they do not cover the window.
    """
    names = rail_names(samples)
    if not names:
        raise PowerError("the samples hold no power", fix="run as root, or try --power hwmon")
    total = total or find_total(names)
    start, end = settled_window(start_s, end_s, total.sensor_lag_s)

    def energy(rails: Sequence[str]) -> Energy:
        return PowerCurve.of(*rail_series(samples, rails), step_mw).integrate(start, end)

    return SteadyWindow(
        duration_s=end_s - start_s,
        rails={name: energy([name]) for name in names},
        total=energy(total.rails),
        total_of=total,
    )


def per_image(
    windows: Sequence[SteadyWindow], images: Sequence[int], idle: SteadyWindow | None = None
) -> ImageEnergy:
    """Return the energy of one image from one or more windows of the same work.

    The mean power of a window's settled part, times its whole length, is spread over its images.
    Three uncertainties are added in quadrature: of each window (sampling and sensor step), of idle
    for the net figure, and from run to run where there are several windows.

    Args:
        windows: one for every run.
        images: processed in each of them.
        idle: idling, measured before.

    Raises:
        PowerError: no window, or one without images.
    """
    if not windows or len(windows) != len(images) or min(images) < 1:
        raise PowerError("energy per image needs windows with at least one image each")
    gross = _mean_of_runs(
        [window.total.mean_mw for window in windows],
        [_standard_mw(window.total) for window in windows],
        [window.duration_s / count for window, count in zip(windows, images, strict=True)],
        shared_mw=0.0,
    )
    net = None
    if idle is not None:
        net = _mean_of_runs(
            [window.total.mean_mw - idle.total.mean_mw for window in windows],
            [_standard_mw(window.total) for window in windows],
            [window.duration_s / count for window, count in zip(windows, images, strict=True)],
            shared_mw=_standard_mw(idle.total),
        )
    return ImageEnergy(gross, net, sum(images), len(windows), len(windows) > 1)


def _standard_mw(energy: Energy) -> float:
    return 1e3 * energy.standard_uncertainty_j / energy.duration_s


def _mean_of_runs(
    power_mw: Sequence[float],
    standard_mw: Sequence[float],
    seconds_per_image: Sequence[float],
    shared_mw: float,
) -> Joules:
    """Mean energy per image over runs; `shared_mw` is an uncertainty that all of them have."""
    seconds = np.asarray(seconds_per_image)
    joules = 1e-3 * np.asarray(power_mw) * seconds
    # Quantisation errs alike in every run, so the runs' uncertainties are averaged, not pooled.
    within = 1e-3 * float(np.mean(np.asarray(standard_mw) * seconds))
    shared = 1e-3 * shared_mw * float(seconds.mean())
    between = 0.0
    if len(joules) > 1:
        few = _FEW_REPEATS[len(joules) - 2] if len(joules) - 2 < len(_FEW_REPEATS) else 1.0
        between = few * float(np.std(joules, ddof=1)) / np.sqrt(len(joules))
    standard = float(np.linalg.norm([within, shared, between]))
    return Joules(float(joules.mean()), COVERAGE * standard)
