"""No frame of a live picture is shown when it is older than two intervals.

Committed runs show it, and a run here shows that edgesr did what it can beside other work.
"""

import copy
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.live import ages, tap
from benchmarks.live.judging import judge, judge_beside_load, shown_rows
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
def test_no_frame_is_sent_that_would_be_older_than_two_intervals() -> None:
    """esr-fast on this CPU, at a size and a rate that it holds beside whatever else it does.

    A sink that is kept from a processor takes a frame in late: what edgesr decides and tells is
    judged, and three frames are in time.
    """
    fps, width, height = (3, 640, 360) if seconds_for_a_frame() < 0.3 else (1, 160, 90)
    result = ages.measure(fps, 12.0, size=f"{width}x{height}")
    assert judge_beside_load(result) == []
    assert result["figures"]["shown"] - result["figures"]["shown_late"] >= 3
    assert result["figures"]["input_size"] == [width, height]
    assert result["figures"]["output_size"] == [4 * width, 4 * height]


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.name)
def test_committed_runs(path: Path) -> None:
    assert judge(read_result(path)) == []


def test_there_is_a_committed_run() -> None:
    assert RESULTS


def shift_last(result: dict[str, Any], column: str, shift_s: float) -> None:
    """Change a time of the last frame that was shown."""
    head = result["rows"][0].split(",")
    rows = [line.split(",") for line in result["rows"][1:]]
    row = [row for row in rows if row[1] == "shown"][-1]
    row[head.index(column)] = f"{float(row[head.index(column)]) + shift_s:.6f}"
    result["rows"][1:] = [",".join(line) for line in rows]


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
    shift_last(result, column, shift_s)
    assert any(expected in line for line in judge(result))


@pytest.fixture
def without_wait() -> dict[str, Any]:
    """A committed run, with a tap that saw each frame 50 ms before it was shown, and a file."""
    result = copy.deepcopy(read_result(RESULTS[-1]))
    shown = shown_rows(result)
    for row, sight in zip(shown, result["seen"], strict=True):
        shown_wall_s = float(row["shown_s"]) + result["wall_minus_monotonic_s"]
        sight["awaited_wall_s"] = shown_wall_s - 0.05
    sent_s = [float(row["sent_s"]) for row in shown]
    result["file_times_s"] = [moment_s - sent_s[0] for moment_s in sent_s]
    assert judge_beside_load(result) == []
    return result


@pytest.mark.parametrize(
    ("column", "shift_s", "expected"),
    [
        ("sent_s", 0.5, "was sent at an age of"),
        ("sent_s", -5.0, "run backwards"),
        ("sent_s", 0.01, "in the file"),
        ("shown_s", -0.2, "is said to be shown before it was"),
        ("shown_s", 2.0, "1 frames were late, and 0 are said to be"),
        ("shown_s", 2.0, "the oldest was"),
        ("captured_s", 0.2, "before it is said to be"),
    ],
)
def test_a_record_that_lies_is_found_out_beside_load(
    without_wait: dict[str, Any], column: str, shift_s: float, expected: str
) -> None:
    shift_last(without_wait, column, shift_s)
    assert any(expected in line for line in judge_beside_load(without_wait))


@pytest.mark.parametrize(("column", "shift_s"), [("arrived_s", 0.001), ("captured_s", -0.02)])
def test_what_load_does_is_no_lie(
    without_wait: dict[str, Any], column: str, shift_s: float
) -> None:
    """A frame that came a little later; one that was drawn when it was due already."""
    shift_last(without_wait, column, shift_s)
    assert judge_beside_load(without_wait) == []


def test_a_frame_too_few_or_with_no_fate_is_found_out() -> None:
    whole = read_result(RESULTS[0])
    for part in ("seen", "file_times_s"):
        result = copy.deepcopy(whole)
        result[part].pop()
        assert any("are said to be shown" in line for line in judge(result))
    result = copy.deepcopy(whole)
    del result["rows"][1]
    assert "a frame has no fate, or two" in judge(result)


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
