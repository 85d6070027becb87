"""Windows of work over idle, and joules per image."""

import numpy as np
import pytest

from edgesr.errors import PowerError
from edgesr.power.board_rails import Total
from edgesr.power.measure import SteadyWindow, measure, per_image
from edgesr.power.sample import Array, Sample

LAG_S = 0.3
IDLE_MW, WORK_MW = 6000.0, 21000.0
WORK = (15.0, 27.0)


def sensor_reads(time_s: Array) -> Array:
    """A load of 15 W over idle during WORK, seen through a first-order filter of LAG_S."""
    rise = 1 - np.exp(-np.clip(time_s - WORK[0], 0, None) / LAG_S)
    fall = np.clip(time_s - WORK[1], 0, None) / LAG_S
    at_end = 1 - np.exp(-(WORK[1] - WORK[0]) / LAG_S)
    share = np.where(time_s < WORK[1], rise, at_end * np.exp(-fall))
    return IDLE_MW + (WORK_MW - IDLE_MW) * share


def record(scatter_mw: float = 0.0, seed: int = 0) -> list[Sample]:
    random = np.random.default_rng(seed)
    times = np.arange(0.0, 30.0, 0.109)
    power = sensor_reads(times) + random.normal(0, scatter_mw, len(times))
    return [
        Sample(float(time), {"VDD_IN": float(mw), "VDD_SOC": float(mw) / 4})
        for time, mw in zip(times, power, strict=True)
    ]


def test_settled_part_shows_the_work_and_nothing_else() -> None:
    window = measure(record(), *WORK)
    assert window.total_of == Total(("VDD_IN",), LAG_S)
    assert window.duration_s == 12.0
    assert window.is_long_enough
    assert window.total.start_s == pytest.approx(15.9)
    assert window.total.end_s == pytest.approx(26.1)
    # What the filter has not yet risen to after three lags is 5 % at first, 0.15 % of the mean.
    assert window.total.mean_mw == pytest.approx(WORK_MW, rel=0.003)
    assert window.rails["VDD_SOC"].mean_mw == pytest.approx(window.total.mean_mw / 4)


def test_gross_and_net_per_image() -> None:
    samples = record()
    idle, work = measure(samples, 0.0, 14.0), measure(samples, *WORK)
    energy = per_image([work], [600], idle)
    assert energy.gross.value_j == pytest.approx(21.0 * 12 / 600, rel=0.003)
    assert energy.net is not None
    assert energy.net.value_j == pytest.approx(15.0 * 12 / 600, rel=0.004)
    assert energy.net.uncertainty_j > energy.gross.uncertainty_j > 0
    assert energy.images == 600 and not energy.is_run_to_run_known
    assert per_image([work], [600]).net is None


def test_uncertainty_holds_the_truth_over_several_runs() -> None:
    """Runs differ by 1 % and readings scatter by 300 mW: at least 95 of 100 times inside."""
    inside = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        windows: list[SteadyWindow] = []
        for run in range(3):
            times = np.arange(0.0, 13.0, 0.109)
            level = 21000.0 * (1 + random.normal(0, 0.01))
            readings = level + random.normal(0, 300, len(times))
            windows.append(
                measure(
                    [
                        Sample(float(time), {"VDD_IN": float(mw)})
                        for time, mw in zip(times, np.round(readings / 40) * 40, strict=True)
                    ],
                    0.0,
                    12.9,
                    step_mw=40,
                )
            )
            assert windows[run].is_long_enough
        energy = per_image(windows, [500] * 3)
        inside += abs(energy.gross.value_j - 21.0 * 12.9 / 500) <= energy.gross.uncertainty_j
    assert inside >= 95


def test_more_spread_between_runs_states_more_uncertainty() -> None:
    def window(mw: float) -> SteadyWindow:
        samples = [Sample(0.1 * index, {"VDD_IN": mw}) for index in range(130)]
        return measure(samples, 0.0, 12.0)

    alike = per_image([window(20000), window(20000)], [100, 100])
    apart = per_image([window(19000), window(21000)], [100, 100])
    assert apart.gross.value_j == pytest.approx(alike.gross.value_j)
    assert apart.gross.uncertainty_j > 10 * alike.gross.uncertainty_j
    assert apart.is_run_to_run_known


def test_short_window_says_so() -> None:
    assert not measure(record(), 16.0, 22.0).is_long_enough


def test_sum_where_no_rail_carries_everything() -> None:
    samples = [
        Sample(0.1 * i, {"VDD_GPU_SOC": 3000.0, "VDD_CPU_CV": 1000.0, "VIN_SYS_5V0": 4000.0})
        for i in range(150)
    ]
    window = measure(samples, 0.0, 14.0)
    assert window.total_of.is_sum
    assert window.total_of.name == "sum of VDD_GPU_SOC + VDD_CPU_CV + VIN_SYS_5V0"
    assert window.total.mean_mw == pytest.approx(8000)


def test_rail_left_by_a_cut_line_is_ignored() -> None:
    samples = record()
    samples[40] = Sample(samples[40].time_s, {"DD_IN": 7.0, "VDD_SOC": 1500.0})
    window = measure(samples, *WORK)
    assert set(window.rails) == {"VDD_IN", "VDD_SOC"}


def test_nothing_to_measure() -> None:
    with pytest.raises(PowerError, match="hold no power"):
        measure([Sample(0.0, {}), Sample(1.0, {})], 0.0, 1.0)
    with pytest.raises(PowerError, match="at least one image"):
        per_image([], [])
    with pytest.raises(PowerError, match="at least one image"):
        per_image([measure(record(), *WORK)], [0])
