"""No frame of a live picture is shown when it is older than two intervals; committed runs too."""

import copy
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.live import (
    ages,
    tap,
)
from benchmarks.shared.results import read_result

ROOT = Path(__file__).parents[2]

RESULTS = sorted((ROOT / "benchmarks/results/live").glob("*.json.xz"))


def seconds_for_a_frame() -> float:
    from edgesr.live.enlarge import Enlarger
    from edgesr.runtime.select import open_session

    session = open_session("esr-fast", "onnxruntime")
    try:
        enlarger = Enlarger(session, 360, 640)
        frame = np.zeros((360, 640, 3), np.uint8)
        times = []
        for _ in range(4):
            begin = time.perf_counter()
            enlarger.run(frame)
            times.append(time.perf_counter() - begin)
    finally:
        session.close()
    return max(times[1:])


@pytest.mark.skipif(shutil.which("gst-launch-1.0") is None, reason="gst-launch-1.0 is missing")
@pytest.mark.long
def test_no_frame_is_older_than_two_intervals() -> None:
    """640x360 and esr-fast on this CPU, at a rate that it holds beside whatever else it does."""
    needed_s = seconds_for_a_frame()
    fps = 1 if needed_s > 0.5 else 2 if needed_s > 0.3 else 3
    result = ages.measure(fps, 12.0)
    assert ages.judge(result) == []
    assert result["figures"]["shown"] >= 3
    assert result["figures"]["shown_late"] == 0
    assert result["figures"]["input_size"] == [640, 360]
    assert result["figures"]["output_size"] == [2560, 1440]


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.name)
def test_committed_runs(path: Path) -> None:
    assert ages.judge(read_result(path)) == []


def test_there_is_a_committed_run() -> None:
    assert RESULTS


@pytest.mark.parametrize(
    ("column", "shift_s", "expected"),
    [
        ("shown_s", 1.0, "old, by the record"),
        ("shown_s", 0.2, "later than said"),
        ("captured_s", 0.2, "before it is said to be captured"),
        ("captured_s", -5.0, "old, by its pixels"),
        ("sent_s", 0.2, "in the file"),
    ],
)
def test_a_record_that_lies_is_found_out(column: str, shift_s: float, expected: str) -> None:
    result = copy.deepcopy(read_result(RESULTS[0]))
    head = result["rows"][0].split(",")
    rows = [line.split(",") for line in result["rows"][1:]]
    row = [row for row in rows if row[1] == "shown"][-1]
    row[head.index(column)] = f"{float(row[head.index(column)]) + shift_s:.6f}"
    result["rows"][1:] = [",".join(line) for line in rows]
    assert any(expected in line for line in ages.judge(result))


def test_a_frame_too_few_or_with_no_fate_is_found_out() -> None:
    whole = read_result(RESULTS[0])
    for part in ("seen", "file_times_s"):
        result = copy.deepcopy(whole)
        result[part].pop()
        assert any("are said to be shown" in line for line in ages.judge(result))
    result = copy.deepcopy(whole)
    del result["rows"][1]
    assert "a frame has no fate, or two" in ages.judge(result)


@pytest.mark.parametrize("part", [0.0, 0.13, 0.5, 0.77])
def test_the_tap_reads_the_ball(part: float) -> None:
    """A ball drawn by OpenCV: at the top at 0.0, on the right a quarter of a second later."""
    import cv2

    frame = np.zeros((360 * 4, 640 * 4), np.uint8)
    angle = 2 * np.pi * (part - 0.25)
    centre = (round(4 * (320 + 90 * np.cos(angle))), round(4 * (180 + 90 * np.sin(angle))))
    cv2.circle(frame, centre, 4 * 90, 255, -1)
    cv2.line(frame, (0, centre[1]), (2559, centre[1]), 255, 2)
    frame[:150, :1100] //= 3  # the overlay's ground
    found = tap.drawn_part(frame)
    assert found is not None
    assert abs((found - part + 0.5) % 1 - 0.5) < 0.006


def test_a_frame_without_a_ball_tells_no_time() -> None:
    assert tap.drawn_part(np.zeros((1440, 2560), np.uint8)) is None
