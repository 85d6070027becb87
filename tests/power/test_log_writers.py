"""Logs that several programs wrote, or that were fetched twice: every moment counts once."""

from collections.abc import Callable

import numpy as np
import pytest
from log_waves import SEEDS, energy_j, lines_at, moments, read, spread

ZONES_S = (-34200.0, -18000.0, 3600.0, 20700.0, 32400.0)
"""Adelaide to New York and Nepal, as a container's clock sees them from UTC."""


def mixed(
    times: np.ndarray, phase: float, others: list[tuple[np.ndarray, float]]
) -> tuple[list[str], float]:
    """Lines of a first program, and of others by clocks that are ahead, as they come."""
    rows = lines_at(times, phase)
    for at, ahead_s in others:
        rows += lines_at(at, phase, ahead_s)
    order = np.argsort(np.concatenate((times, *(at for at, _ in others))), kind="stable")
    return [rows[index] for index in order], energy_j(float(times[0]), float(times[-1]), phase)


def two_zones(random: np.random.Generator) -> tuple[list[str], float]:
    """A container logs in UTC what its host logs in local time."""
    times, phase = moments(random)
    return mixed(times, phase, [(times + 0.02, float(random.choice(ZONES_S)))])


def two_zones_for_a_while(random: np.random.Generator) -> tuple[list[str], float]:
    times, phase = moments(random)
    begin, end = np.sort(random.uniform(0, times[-1], 2))
    some = times[(times > begin) & (times < end)] + random.uniform(0, 2)
    return mixed(times, phase, [(some, float(random.choice(ZONES_S)))])


def three_zones(random: np.random.Generator) -> tuple[list[str], float]:
    times, phase = moments(random)
    return mixed(times, phase, [(times + 0.02, -7200.0), (times + 0.04, 32400.0)])


def two_zones_from_1970(random: np.random.Generator) -> tuple[list[str], float]:
    """Both clocks are set once, and together."""
    times, phase = moments(random)
    step = np.where(times > random.uniform(0.2, 0.8) * times[-1], 1e9, 0.0)
    rows = [
        row
        for pair in zip(
            lines_at(times, phase, step), lines_at(times, phase, step - 7200), strict=True
        )
        for row in pair
    ]
    return rows, energy_j(float(times[0]), float(times[-1]), phase)


def overlapping(random: np.random.Generator) -> tuple[list[str], float]:
    """The log of a container, fetched twice into one file."""
    times, phase = moments(random)
    rows = lines_at(times, phase)
    begin, end = np.sort(random.integers(0, len(rows), 2))
    return rows[:end] + rows[begin:], energy_j(float(times[0]), float(times[-1]), phase)


def overlapping_a_little(random: np.random.Generator) -> tuple[list[str], float]:
    """A shipper that connects anew sends the last lines again."""
    times, phase = moments(random)
    rows = lines_at(times, phase)
    sent = []
    at = 0
    while at < len(rows):
        sent.append(rows[at])
        at += 1
        if random.uniform() < 0.02:
            at = max(0, at - int(random.integers(1, 7)))
    return sent, energy_j(float(times[0]), float(times[-1]), phase)


def a_part_again(random: np.random.Generator) -> tuple[list[str], float]:
    times, phase = moments(random)
    rows = lines_at(times, phase)
    begin, end, at = np.sort(random.integers(0, len(rows), 3))
    energy = energy_j(float(times[0]), float(times[-1]), phase)
    return rows[:at] + rows[begin:end] + rows[at:], energy


def newest_first(random: np.random.Generator) -> tuple[list[str], float]:
    """As the table of a log's viewer is saved."""
    times, phase = moments(random)
    return lines_at(times, phase)[::-1], energy_j(float(times[0]), float(times[-1]), phase)


CASES: dict[str, Callable[[np.random.Generator], tuple[list[str], float]]] = {
    case.__name__: case
    for case in (
        two_zones,
        two_zones_for_a_while,
        three_zones,
        two_zones_from_1970,
        overlapping,
        overlapping_a_little,
        a_part_again,
        newest_first,
    )
}


@SEEDS
@pytest.mark.parametrize("case", CASES)
def test_energy_lies_within_its_uncertainty(case: str, count: int) -> None:
    shares = spread(CASES[case], count)
    assert np.median(shares) < 0.07
    assert max(shares) < 0.5


@pytest.mark.parametrize("seed", [1259, 2031, 2086])
def test_a_power_that_is_the_same_on_either_side_of_its_top_is_no_copy(seed: int) -> None:
    """Seeds whose log holds two lines of a second that say the same, to whole mW."""
    times, phase = moments(np.random.default_rng([7, seed]))
    rows = lines_at(times, phase)
    assert len(set(rows)) == len(rows) - 1
    result = read(rows)
    assert result["copied_lines"] == 0
    total = result["total"]
    truth = energy_j(float(times[0]), float(times[-1]), phase)
    assert abs(total["energy_j"] - truth) <= total["uncertainty_j"]


@pytest.mark.parametrize("seed", [236, 351, 370, 438, 478, 799, 849])
def test_one_line_that_was_sent_again_within_its_second(seed: int) -> None:
    """Seeds whose energy was off by a period: no stamp goes back where the line comes again."""
    rows, truth = overlapping_a_little(np.random.default_rng([7, seed]))
    printed = len(moments(np.random.default_rng([7, seed]))[0])
    result = read(rows)
    assert result["samples"] == printed
    assert result["copied_lines"] == len(rows) - printed
    total = result["total"]
    assert abs(total["energy_j"] - truth) <= total["uncertainty_j"]
    assert total["uncertainty_j"] < 0.05 * truth


def test_a_clock_that_is_set_and_set_right_is_no_second_program() -> None:
    """An hour ahead by mistake, then right again: the energy counts, the hour does not."""
    times = np.arange(0.5, 90)
    wrong = np.where((times > 30) & (times < 60), 3600.0, 0.0)
    total = read(lines_at(times, 0.0, wrong))["total"]
    truth = energy_j(0.5, 89.5, 0.0)
    assert total["energy_j"] == pytest.approx(truth, abs=total["uncertainty_j"])
    assert total["in_gaps"]["duration_s"] == pytest.approx(3600, abs=3)
