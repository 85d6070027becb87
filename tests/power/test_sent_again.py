"""Lines that come again within their second: copies, an idle board, and what nobody can tell."""

from datetime import timedelta

import numpy as np
import pytest
from log_waves import START, line, read

from edgesr.power.sent_again import sent_once
from edgesr.power.tegrastats import parse_line
from edgesr.power.tegrastats_line import TegrastatsLine


def parsed(rows: list[str]) -> list[TegrastatsLine]:
    lines = [parse_line(row, complete=True) for row in rows]
    return [found for found in lines if found is not None]


def at_10_hz(powers_mw: list[float]) -> list[str]:
    """Ten lines in each second."""
    return [
        line(START + timedelta(seconds=0.05 + index / 10), mw) for index, mw in enumerate(powers_mw)
    ]


WORK = at_10_hz([9000 + 37 * (index * 13 % 97) for index in range(100)])


@pytest.mark.parametrize("length", range(1, 11))
@pytest.mark.parametrize("times", [1, 2, 3])
def test_the_last_lines_are_sent_again(length: int, times: int) -> None:
    rows = WORK[:60] + WORK[60 - length : 60] * times + WORK[60:]
    found = sent_once(parsed(rows))
    assert [rows[index] for index in found.kept] == WORK
    assert not found.in_doubt


@pytest.mark.parametrize("at", [0, 99])
def test_the_outermost_line_is_sent_again(at: int) -> None:
    rows = [row for index, row in enumerate(WORK) for row in [row] * (2 if index == at else 1)]
    assert [rows[index] for index in sent_once(parsed(rows)).kept] == WORK


def test_each_line_was_written_twice() -> None:
    """As by `tee -a` of two loggers that read one pipe."""
    rows = [row for row in WORK for _ in range(2)]
    assert [rows[index] for index in sent_once(parsed(rows)).kept] == WORK


@pytest.mark.parametrize(
    "powers",
    [
        [5000.0] * 300,  # nothing moves
        [5000.0, 5040.0] * 150,  # a sensor between two of its steps
        [5000.0 + 40 * (index // 7 % 2) for index in range(300)],
        [float(mw) for mw in np.random.default_rng(0).choice([5000, 5040, 5080], 300)],
    ],
    ids=["still", "two steps in turn", "two steps now and then", "three steps at random"],
)
def test_an_idle_board_says_the_same_over_and_over(powers: list[float]) -> None:
    rows = at_10_hz(powers)
    result = read(rows)
    assert result["copied_lines"] == 0
    assert result["samples"] == 300
    assert result["total"]["energy_j"] == pytest.approx(29.9e-3 * np.mean(powers), rel=0.01)
    assert result["total"]["uncertainty_j"] < 0.02 * result["total"]["energy_j"]


@pytest.mark.parametrize("is_copy", [True, False])
@pytest.mark.parametrize("at", [1, 58, 112])
def test_what_may_be_a_copy_or_not_is_within_the_uncertainty(is_copy: bool, at: int) -> None:
    """A power that hardly changes repeats itself, in whole mW; and a copy looks the same."""
    times = np.arange(0.3, 60.0, 0.522)
    powers = 9000 + 2.0 * np.arange(len(times))
    shown = np.floor(times)
    assert shown[at] == shown[at - 1]
    if is_copy:
        which = np.sort(np.append(np.arange(len(times)), at - 1))
    else:
        powers[at:] -= 2.0
        which = np.arange(len(times))
    rows = [
        line(START + timedelta(seconds=float(times[index])), float(powers[index]))
        for index in which
    ]
    found = sent_once(parsed(rows))
    assert (len(found.kept), found.in_doubt) == (len(rows), {at})
    total = read(rows)["total"]
    # np.trapezoid is of numpy 2; numpy 1.24 may be installed.
    truth_j = (
        float(np.sum(np.diff(times) * (np.asarray(powers)[1:] + np.asarray(powers)[:-1]) / 2))
        * 1e-3
    )
    assert abs(total["energy_j"] - truth_j) <= total["uncertainty_j"]
    assert 0.5 * 9.0 < total["uncertainty_j"] < 0.04 * truth_j


def test_lines_without_stamps_are_all_kept() -> None:
    rows = [row[20:] for row in WORK[:50] + WORK[45:]]
    assert sent_once(parsed(rows)).kept == tuple(range(len(rows)))
