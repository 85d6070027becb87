"""Recorded logs, also those that are not as they should be."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgesr.errors import PowerError
from edgesr.power.tegrastats_log import parse_tegrastats_log, read_tegrastats_log

LOGS = Path(__file__).parent / "data" / "logs"


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


@pytest.mark.parametrize(
    ("stamp", "is_read"),
    [
        ("Jul 21 16:33:4{}", False),  # syslog's of old, as docs/bench.md says
        ("2025-07-21T16:33:4{}+0200", True),  # journalctl -o short-iso
        ("2025-07-21T16:33:4{}.123456+02:00", True),  # rsyslog's RSYSLOG_FileFormat
    ],
)
def test_stamps_of_syslog_are_read_where_they_hold_a_year(stamp: str, is_read: bool) -> None:
    log = parse_tegrastats_log(
        "".join(
            f"{stamp.format(2 * second)} tegra-ubuntu tegrastats[812]: "
            "RAM 519/7607MB CPU [0%@1728] VDD_IN 4000mW/4000mW\n"
            for second in range(5)
        )
    )
    assert (log.start is not None) is is_read
    assert log.is_paced_by_interval is not is_read
    assert log.samples[-1].time_s == pytest.approx(8 if is_read else 4, abs=0.5)
