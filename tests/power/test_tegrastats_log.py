"""Times of a log's lines, and logs that are not as they should be."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr.errors import PowerError
from edgesr.power.energy import gaps
from edgesr.power.tegrastats_log import (
    line_times,
    parse_tegrastats_log,
    read_tegrastats_log,
)

LOGS = Path(__file__).parent / "data" / "logs"
START = datetime(2026, 4, 19, 23, 59, 30)


def stamps_of(times: np.ndarray) -> list[datetime | None]:
    """What tegrastats prints for lines at these seconds after START: whole seconds, cut off."""
    return [START + timedelta(seconds=int(time)) for time in times]


@pytest.mark.parametrize("period", [0.0109, 0.109, 0.522, 1.007, 1.5, 5.02])
@pytest.mark.parametrize("offset", [0.0, 0.3, 0.9])
def test_even_lines_get_their_times_back(period: float, offset: float) -> None:
    true = np.arange(200) * period + offset
    times, start = line_times(stamps_of(true), 1.0)
    assert start is not None
    assert times[0] == 0
    assert np.abs(times - (true - offset)).max() < max(0.2, 0.2 * period)
    assert times[-1] == pytest.approx(true[-1] - true[0], abs=0.25)
    assert abs((start - START).total_seconds() - offset) < 0.5


def test_gap_stays_a_gap() -> None:
    true = np.concatenate((np.arange(0, 10, 0.109), np.arange(25, 40, 0.109)))
    times, _ = line_times(stamps_of(true), 1.0)
    ((begin, end),) = gaps(times)
    assert begin == pytest.approx(true[91], abs=0.25)
    assert end - begin == pytest.approx(25 - true[91], abs=0.5)


def test_clock_that_is_set_back_lets_time_go_on() -> None:
    true = np.arange(0, 20, 0.109)
    shown = np.where(true < 10, true, true - 3600)
    stamps = [START + timedelta(seconds=float(np.floor(time))) for time in shown]
    times, _ = line_times(stamps, 1.0)
    assert np.all(np.diff(times) > 0)
    assert times[-1] == pytest.approx(true[-1], abs=1.0)


def test_uneven_lines_are_spread_over_their_seconds() -> None:
    random = np.random.default_rng(0)
    true = np.sort(random.uniform(0, 30, 40))
    times, start = line_times(stamps_of(true), 1.0)
    assert start is not None
    shown = times + (start - START).total_seconds()
    late = shown - np.floor(true)
    assert late.min() > -0.11 and late.max() < 1.11


def test_gap_after_the_clock_was_set_back() -> None:
    true = np.concatenate((np.arange(0, 20, 0.109), np.arange(40, 50, 0.109)))
    shown = np.where(true < 10, true, true - 3600)
    stamps = [START + timedelta(seconds=float(np.floor(time))) for time in shown]
    times, _ = line_times(stamps, 1.0)
    assert times[-1] == pytest.approx(true[-1], abs=1.0)


def test_no_stamps_at_all() -> None:
    times, start = line_times([None] * 4, 0.5)
    assert start is None
    assert list(times) == [0.0, 0.5, 1.0, 1.5]


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.one_of(st.none(), st.integers(-100_000, 100_000)), min_size=1, max_size=40))
def test_times_increase_whatever_the_stamps_say(seconds: list[int | None]) -> None:
    stamps = [None if s is None else START + timedelta(seconds=s) for s in seconds]
    times, _ = line_times(stamps, 1.0)
    assert len(times) == len(stamps)
    assert times[0] == 0
    assert np.all(np.diff(times) > 0)


def test_log_of_an_orin_nano_at_100_ms() -> None:
    log = read_tegrastats_log(LOGS / "orin_nano_maxn_super_100ms_tensorrt.txt")
    assert len(log.samples) == 661
    assert log.unknown_lines == log.cut_lines == 0
    times = [sample.time_s for sample in log.samples]
    assert times[-1] == pytest.approx(72.25, abs=0.1)
    assert np.median(np.diff(times)) == pytest.approx(0.1095, abs=0.0005)
    assert log.start is not None and log.start.replace(microsecond=0) == datetime(
        2026, 4, 19, 1, 31, 10
    )


def test_foreign_line_is_counted() -> None:
    log = read_tegrastats_log(LOGS / "orin_nano_25w_load.txt")
    assert (len(log.samples), log.unknown_lines) == (18, 1)


def test_two_lines_on_one() -> None:
    """A run was killed in the middle of a line, and another appended to the same file."""
    text = (LOGS / "orin_nano_25w_load.txt").read_text().splitlines()
    glued = text[0][: text[0].index("VDD_IN 13588") + 9] + text[1] + "\n" + text[2] + "\n"
    log = parse_tegrastats_log(glued)
    assert [sample.rails_mw.get("VDD_IN") for sample in log.samples] == [None, 15227, 15464]
    assert log.cut_lines == 1


def test_last_line_cut_in_a_number() -> None:
    text = (
        "RAM 1/2MB (lfb 1x4MB) VDD_IN 3056/3056 VIC_FREQ 729\nRAM 1/2MB VDD_IN 3056/3056 VIC_FREQ 7"
    )
    first, last = parse_tegrastats_log(text).samples
    assert first.clocks_mhz == {"vic": 729}
    assert last.clocks_mhz == {}
    assert last.rails_mw == {"VDD_IN": 3056}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_files_that_windows_made(tmp_path: Path, encoding: str, line_end: str) -> None:
    text = (LOGS / "orin_nano_25w_idle.txt").read_text().replace("\n", line_end)
    path = tmp_path / "power.log"
    path.write_bytes(text.encode(encoding))
    log = read_tegrastats_log(path)
    assert len(log.samples) == 14
    assert log.unknown_lines == log.cut_lines == 0
    assert log.samples[0].rails_mw["VDD_SOC"] == 1373


@settings(deadline=None)  # the machine may be busy
@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_our_error(data: bytes) -> None:
    log = parse_tegrastats_log(data.decode("utf-8", errors="replace"))
    assert len(log.samples) + log.unknown_lines <= data.count(b"\n") * 2 + 2


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PowerError, match="No such file"):
        read_tegrastats_log(tmp_path / "absent.log")
    with pytest.raises(PowerError, match="Is a directory"):
        read_tegrastats_log(tmp_path)
    empty = tmp_path / "empty.log"
    empty.write_bytes(b"")
    with pytest.raises(PowerError, match="no line of it is from tegrastats"):
        read_tegrastats_log(empty)
