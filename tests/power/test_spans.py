"""Busy and idle spans of real logs and of loads made up."""

from pathlib import Path

import numpy as np
import pytest

from edgesr.power.sample import Sample
from edgesr.power.spans import Spans, find_spans
from edgesr.power.tegrastats_log import read_tegrastats_log

LOGS = Path(__file__).parent / "data" / "logs"


def loads(*parts: tuple[float, float], period: float = 0.1) -> list[Sample]:
    """Parts of (seconds, load in percent), one after the other."""
    load = np.concatenate([np.full(round(seconds / period), value) for seconds, value in parts])
    return [Sample(period * i, {}, {"gpu": float(value)}) for i, value in enumerate(load)]


def rounded(spans: Spans | None) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    assert spans is not None
    return (
        [(round(a, 1), round(b, 1)) for a, b in spans.busy],
        [(round(a, 1), round(b, 1)) for a, b in spans.idle],
    )


def test_idle_work_idle() -> None:
    spans = find_spans(loads((5, 0), (10, 99), (5, 0)))
    assert rounded(spans) == ([(5.0, 14.9)], [(0.0, 3.9), (16.0, 19.9)])


def test_short_pause_does_not_end_work_and_a_blip_is_none() -> None:
    spans = find_spans(loads((5, 0), (3, 99), (0.4, 0), (3, 99), (5, 0), (0.3, 60), (5, 0)))
    assert rounded(spans)[0] == [(5.0, 11.3)]


def test_load_in_between_is_neither() -> None:
    spans = find_spans(loads((10, 12)))
    assert rounded(spans) == ([], [])


def test_no_load_at_all() -> None:
    """Thor prints no percentage for its GPU."""
    assert find_spans([Sample(float(i), {"VIN": 1.0}) for i in range(9)]) is None
    assert find_spans([]) is None


@pytest.mark.parametrize(
    ("log", "busy", "idle"),
    [
        ("orin_nano_maxn_super_100ms_tensorrt", [(37.8, 47.2), (52.8, 70.5)], [(0.0, 35.7)]),
        ("orin_nano_25w_idle", [], [(0.0, 14.1)]),
        ("orin_nano_25w_load", [(0.0, 17.0)], []),
    ],
)
def test_logs_of_a_board(
    log: str, busy: list[tuple[float, float]], idle: list[tuple[float, float]]
) -> None:
    found = rounded(find_spans(read_tegrastats_log(LOGS / f"{log}.txt").samples))
    for spans, expected in zip(found, (busy, idle), strict=True):
        assert len(spans) == len(expected)
        for span, wanted in zip(spans, expected, strict=True):
            assert span == pytest.approx(wanted, abs=0.15)


def test_two_samples_with_a_gap_between_them_are_no_span() -> None:
    busy = {"gpu": 99.0}
    samples = [Sample(0.0, {}, busy), Sample(2e9, {}, busy)]
    found = find_spans(samples, interval_s=1.0)
    assert found is not None and found.busy == ()
