"""Which frames are begun and shown, when they were captured, and what it sums up to."""

import io
import math

import numpy as np
import pytest

from edgesr.errors import Argument
from edgesr.live.capture import CapturePace, Frame
from edgesr.live.figures import Fate, FrameRow, Record
from edgesr.live.loop import less_work
from edgesr.live.policy import Estimate, age_limit_s, last_moment_s, worth_starting


def frame(number: int, captured_s: float) -> Frame:
    return Frame(number, np.zeros((2, 2, 3), np.uint8), captured_s, captured_s, captured_s + 0.01)


@pytest.mark.parametrize(
    ("age_s", "work_s", "just_came", "expected"),
    [
        (0.00, 0.05, True, True),
        (0.02, 0.99, True, True),  # no later frame is fresher: it is worth a try
        (0.20, 0.00, True, False),  # too old before any work
        (0.09, 0.10, False, True),
        (0.09, 0.12, False, False),  # the next one is waited for
    ],
)
def test_what_is_worth_starting(
    age_s: float, work_s: float, just_came: bool, expected: bool
) -> None:
    assert worth_starting(age_s, work_s, 0.1, just_came) is expected


def test_two_intervals_are_the_limit() -> None:
    assert age_limit_s(1 / 30) == pytest.approx(2 / 30)
    assert last_moment_s(50.0, 0.06, 0.1) == pytest.approx(50.14)
    assert last_moment_s(50.0, 0.001, 0.1) == pytest.approx(50.175)  # a quarter is kept free


def test_an_estimate_is_the_longest_of_the_latest_and_can_be_forgotten() -> None:
    estimate = Estimate()
    assert estimate.longest_s == 0
    assert Estimate(first_s=0.5).longest_s == 0.5
    estimate.add(9.0)
    for _ in range(7):
        estimate.add(0.1)
    assert estimate.longest_s == 9.0
    estimate.forget()  # one slow display must not end the picture for good
    assert estimate.longest_s == 0.1
    for _ in range(9):
        estimate.forget()
    assert estimate.longest_s == 0


@pytest.mark.parametrize(
    ("needed_s", "model", "expected"),
    [
        (0.3, "student", Argument("fps", 5)),
        (0.3, "esr-fast", Argument("fps", 5)),
        (3.5, "student", "-m esr-fast, or a smaller --size"),
        (3.5, "esr-fast", "a smaller --size"),  # it is the fastest network already
    ],
)
def test_what_a_slow_machine_is_advised(
    needed_s: float, model: str, expected: Argument | str
) -> None:
    assert less_work(needed_s, model) == expected


@pytest.mark.parametrize("work_s", [0.3, 0.9, 1.1, 1.7])
def test_whatever_the_engine_takes_no_frame_is_shown_too_old(work_s: float) -> None:
    """A source of one frame a second, simulated: all are young, and as many as can be are shown."""
    work = Estimate()
    now, next_frame, waiting = 0.0, 0, -1
    shown: list[float] = []
    while next_frame < 100:
        came = math.floor(now)  # frame n comes at n seconds
        just_came = came <= waiting
        if just_came:
            now = came = waiting + 1
        waiting = came
        next_frame = came
        age = now - came
        if not worth_starting(age, work.longest_s, 1.0, just_came):
            continue
        now += work_s
        work.add(work_s)
        if now <= last_moment_s(came, 0.0, 1.0):
            shown.append(now - came)
    assert max(shown) <= 2.0
    per_second = 1 if work_s < 1 else 1 / 2
    assert len(shown) >= 95 * per_second


def test_capture_is_the_time_stamp_on_the_monotonic_clock() -> None:
    pace = CapturePace(0.1)
    assert pace.captured_s(0.0, 50.3, base_time_s=50.0) == 50.0
    assert pace.captured_s(0.1, 50.15, base_time_s=50.0) == pytest.approx(50.1)


def test_without_a_base_time_the_quickest_frame_came_at_once() -> None:
    pace = CapturePace(0.1)
    assert pace.captured_s(0.0, 50.3, None) == pytest.approx(50.3)
    assert pace.captured_s(0.1, 50.2, None) == pytest.approx(50.2)
    assert pace.captured_s(0.2, 50.9, None) == pytest.approx(50.3)  # 0.6 s late


def test_a_base_time_of_another_clock_is_not_believed() -> None:
    """No frame comes before it was captured."""
    pace = CapturePace(0.1)
    assert pace.captured_s(0.0, 50.3, base_time_s=1.7e9) == pytest.approx(50.3)


def test_an_interval_that_is_not_declared_is_the_median() -> None:
    pace = CapturePace(None)
    seen = []
    for time_s in (0.0, 0.04, 0.08, 0.12, 0.20, 0.24):
        pace.captured_s(time_s, 10 + time_s, 10.0)
        seen.append(pace.interval_s)
    assert seen[:3] == [None, None, None]
    assert seen[-1] == pytest.approx(0.04)
    assert pace.lost == 1  # between 0.12 and 0.20


def test_gaps_in_the_time_stamps_are_frames_lost() -> None:
    pace = CapturePace(0.1)
    for time_s in (0.0, 0.1, 0.2, 0.6, 0.7):
        pace.captured_s(time_s, 10 + time_s, 10.0)
    assert pace.lost == 3


def test_record_counts_and_writes_every_frame() -> None:
    file = io.StringIO()
    record = Record(file)
    for number, (fate, times) in enumerate(
        [
            (Fate.SHOWN, (0.02, 0.05, 0.05, 0.06)),
            (Fate.SUPERSEDED, ()),
            (Fate.EXPIRED, (0.02, 0.4)),
            (Fate.SHOWN, (0.02, 0.06, 0.07, 0.09)),
        ]
    ):
        start = float(10 * number)
        record.add(FrameRow.of(frame(number, start), fate, *(start + time for time in times)))
    assert record.counts == {Fate.SHOWN: 2, Fate.SUPERSEDED: 1, Fate.EXPIRED: 1}
    assert record.dropped == 2
    assert record.ages_ms() == {"p50": 75.0, "p95": 88.5, "max": 90.0}
    assert record.work_ms() == {"p50": 40.0, "p95": pytest.approx(346.0)}
    assert record.fps() == pytest.approx(1 / 30.03)
    head, *rows = file.getvalue().splitlines()
    assert head == ("number,fate,time_s,captured_s,arrived_s,taken_s,enlarged_s,sent_s,shown_s")
    assert rows[1] == "1,superseded,10.000000,10.000000,10.010000,,,,"
    assert rows[3].endswith("30.020000,30.060000,30.070000,30.090000")


def test_the_rate_on_screen_is_that_of_the_last_three_seconds() -> None:
    record = Record()
    for number in range(100):
        start = number / 10
        record.add(FrameRow.of(frame(number, start), Fate.SHOWN, *[start] * 4))
    assert record.fps_at(9.9) == pytest.approx(10)
    assert record.fps_at(20.0) is None
