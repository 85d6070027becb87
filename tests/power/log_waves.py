"""Logs of a power that is a known wave, so that their energy is known exactly."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fresh_examples import FRESH_SEEDS

from edgesr.power.log_report import report
from edgesr.power.tegrastats_log import parse_tegrastats_log

START = datetime(2026, 3, 29, 1, 20, 0)
HERE = Path("power.log")
PERIODS_S = (0.109, 0.522, 1.007)
SEEDS = pytest.mark.parametrize("count", [20, pytest.param(100, marks=pytest.mark.long)])
"""How many seeds stay the same, for `seeds`."""


def power_mw(time_s: float, phase: float) -> float:
    """A slow wave: 12 W with 5 W up and down in 60 s."""
    return 12000 + 5000 * float(np.sin(2 * np.pi * time_s / 60 + phase))


def energy_j(begin_s: float, end_s: float, phase: float) -> float:
    """Its integral."""
    turn = 2 * np.pi / 60
    swing = (np.cos(turn * begin_s + phase) - np.cos(turn * end_s + phase)) / turn
    return float(1e-3 * (12000 * (end_s - begin_s) + 5000 * swing))


def line(shown: datetime, mw: float) -> str:
    rail = round(mw)
    return (
        f"{shown:%m-%d-%Y %H:%M:%S} RAM 519/7607MB (lfb 61x4MB) CPU [0%@1728] GR3D_FREQ 99%@[1018] "
        f"cpu@48.906C VDD_IN {rail}mW/{rail}mW VDD_SOC {rail // 4}mW/{rail // 4}mW"
    )


def lines_at(times: np.ndarray, phase: float, set_s: np.ndarray | float = 0.0) -> list[str]:
    """Lines printed at these times, by a clock that is ahead by `set_s`."""
    ahead = np.broadcast_to(set_s, times.shape)
    return [
        line(START + timedelta(seconds=float(at + shift)), power_mw(float(at), phase))
        for at, shift in zip(times, ahead, strict=True)
    ]


def read(rows: list[str]) -> dict[str, Any]:
    return report(parse_tegrastats_log("\n".join(rows) + "\n"), None, None, HERE)


def moments(
    random: np.random.Generator, periods_s: tuple[float, ...] = PERIODS_S
) -> tuple[np.ndarray, float]:
    period = float(random.choice(periods_s))
    times = random.uniform(0, 1) + period * np.arange(int(random.uniform(40, 120) / period))
    return times + 0.1 * period * random.uniform(-1, 1, len(times)), random.uniform(0, 6)


def seeds(count: int) -> list[list[int]]:
    """The same `count` at every run, and fresh ones where they are asked for."""
    fresh = np.random.SeedSequence().generate_state(FRESH_SEEDS)
    return [[seed] for seed in range(count)] + [[0, int(seed)] for seed in fresh]


def spread(
    case: Callable[[np.random.Generator], tuple[list[str], float]], count: int
) -> list[float]:
    """Return the uncertainty over the energy of each of `count` seeds that stay the same.

    Before that the energies of all seeds, fresh ones too, lay within theirs.
    """
    outside, shares = [], []
    for seed in seeds(count):
        rows, truth = case(np.random.default_rng(seed))
        total = read(rows)["total"]
        if abs(total["energy_j"] - truth) > total["uncertainty_j"]:
            outside.append((seed, round(total["energy_j"], 1), round(truth, 1)))
        shares.append(total["uncertainty_j"] / truth)
    assert outside == [], outside
    return shares[:count]
