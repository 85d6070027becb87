"""How rough a power curve is, which tells what happens between readings. Pure; see energy.py."""

import numpy as np

from edgesr.power.sample import Array

_FEWEST_TO_REPEAT = 20
_ALIKE = 0.5


def roughness(time_s: Array, steps_s: Array, power_mw: Array) -> Array:
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


def repeats(rough: Array) -> float:
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
