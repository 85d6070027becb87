"""Two disorders of a log at once, against exact integrals; each alone: test_log_energy.py."""

from collections.abc import Callable

import numpy as np
import pytest
from log_waves import energy_j, lines_at, moments, read

Case = Callable[[np.random.Generator], tuple[list[str], float]]
SEEDS = 10


def two_steps(random: np.random.Generator) -> tuple[list[str], float]:
    """From 1970 to the time of a server, and later daylight saving or a small correction."""
    times, phase = moments(random)
    first, second = np.sort(random.uniform(0.15, 0.85, 2)) * times[-1]
    later_s = random.choice([-3600, -40, 25, 3600])
    ahead = np.where(times > first, 1e9, 0) + np.where(times > second, later_s, 0)
    return lines_at(times, phase, ahead), energy_j(float(times[0]), float(times[-1]), phase)


def step_and_gap(random: np.random.Generator) -> tuple[list[str], float]:
    """Lines are missing for some seconds, and later the clock is set."""
    times, phase = moments(random)
    begin = random.uniform(0.2, 0.4) * times[-1]
    end = begin + random.uniform(8, 15)
    ahead = np.where(times > random.uniform(0.7, 0.9) * times[-1], random.choice([-500, 700]), 0)
    is_there = (times <= begin) | (times >= end)
    rows = np.array(lines_at(times, phase, ahead))[is_there]
    return list(rows), outside(times, begin, end, phase)


def doubled_and_set_back(random: np.random.Generator) -> tuple[list[str], float]:
    """Two loggers, while the clock goes back by an hour."""
    times, phase = moments(random)
    order = np.argsort(np.concatenate((times, times + 0.2)), kind="stable")
    twice = np.concatenate((times, times))
    ahead = np.where(twice > random.uniform(0.3, 0.7) * times[-1], -3600, 0)
    rows = np.array(lines_at(twice, phase, ahead))[order]
    return list(rows), energy_j(float(times[0]), float(times[-1]), phase)


def without_a_rail(random: np.random.Generator) -> tuple[list[str], float]:
    """Some seconds without the rail of the total, in the middle or at an end."""
    times, phase = moments(random)
    begin = random.choice([-1.0, random.uniform(0.2, 0.4) * times[-1]])
    end = random.choice([begin + random.uniform(8, 15), times[-1] + 1])
    rows = [
        row if at <= begin or at >= end else row.split(" VDD_IN")[0]
        for row, at in zip(lines_at(times, phase), times, strict=True)
    ]
    if begin < 0 and end > times[-1]:  # nothing would be left
        return lines_at(times, phase), energy_j(float(times[0]), float(times[-1]), phase)
    return rows, outside(times, begin, end, phase)


def torn(random: np.random.Generator) -> tuple[list[str], float]:
    """A line that lost its begin or its end when the log was rotated."""
    times, phase = moments(random)
    rows = lines_at(times, phase)
    at, lost = int(len(rows) * random.uniform(0.3, 0.7)), int(random.integers(5, 60))
    rows[at] = rows[at][lost:] if random.uniform() < 0.5 else rows[at][:-lost]
    return rows, energy_j(float(times[0]), float(times[-1]), phase)


def outside(times: np.ndarray, begin_s: float, end_s: float, phase: float) -> float:
    """Return the energy between the first and the last line, but for a part that is not seen."""
    before, behind = times[times <= begin_s], times[times >= end_s]
    parts = [part for part in (before, behind) if len(part)]
    return sum(energy_j(float(part[0]), float(part[-1]), phase) for part in parts)


@pytest.mark.parametrize(
    "case", [two_steps, step_and_gap, doubled_and_set_back, without_a_rail, torn]
)
def test_energy_lies_within_its_uncertainty(case: Case) -> None:
    wrong = []
    for seed in range(SEEDS):
        rows, truth_j = case(np.random.default_rng([18, seed]))
        total = read(rows)["total"]
        assert total["uncertainty_j"] < 0.5 * truth_j  # or anything would lie within it
        if abs(total["energy_j"] - truth_j) > total["uncertainty_j"]:
            wrong.append((seed, total["energy_j"], truth_j))
    assert wrong == []
