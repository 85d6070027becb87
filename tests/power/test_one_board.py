"""Lines of two boards in one file: no total means anything, so none is given."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from edgesr.errors import PowerError
from edgesr.power.one_board import host_of
from edgesr.power.tegrastats_log import parse_tegrastats_log, read_tegrastats_log

START = datetime(2025, 7, 21, 16, 33, 42)
ORIN = (
    "RAM 3000/7620MB (lfb 4x4MB) CPU [7%@1728] GR3D_FREQ 39% "
    "VDD_IN 5000mW/5000mW VDD_CPU_GPU_CV 900mW/900mW VDD_SOC 1500mW/1500mW"
)
NANO = ORIN.replace("VDD_IN", "POM_5V_IN").replace("VDD_CPU_GPU_CV", "POM_5V_CPU")
NANO = NANO.replace("VDD_SOC", "POM_5V_GPU")
THOR = ORIN.replace("7620MB", "125771MB")


def line(second: int, text: str = ORIN, shift_s: int = 0) -> str:
    moment = START + timedelta(seconds=second + shift_s)
    return f"{moment:%m-%d-%Y %H:%M:%S} {text}"


def rsyslog(second: int, host: str) -> str:
    return (
        f"{START + timedelta(seconds=second):%Y-%m-%dT%H:%M:%S}.123456+00:00 {host} tegra: {ORIN}"
    )


def syslog(second: int, host: str) -> str:
    return f"Jul 21 16:33:{second:02d} {host} tegrastats[812]: {line(second)}"


def rfc5424(second: int, host: str) -> str:
    return f"<14>1 2025-07-21T16:33:{second:02d}.123Z {host} tegrastats 812 - - {line(second)}"


def journal(second: int, host: str) -> str:
    return json.dumps({"MESSAGE": line(second), "_HOSTNAME": host, "_PID": "812"})


def refusal(tmp_path: Path, rows: list[str]) -> str:
    path = tmp_path / "power.log"
    path.write_text("\n".join(rows))
    with pytest.raises(PowerError) as caught:
        read_tegrastats_log(path)
    assert caught.value.fix == "put each board's lines into a file of its own"
    return caught.value.what


@pytest.mark.parametrize("order", ["one by one", "one after the other"])
@pytest.mark.parametrize(
    ("other", "shown"),
    [
        (THOR, "lines with 7620 and with 125771 MB of RAM"),
        (NANO, "VDD_IN, VDD_CPU_GPU_CV, VDD_SOC and lines with POM_5V_IN, POM_5V_CPU, POM_5V_GPU"),
    ],
)
def test_boards_of_two_kinds(tmp_path: Path, order: str, other: str, shown: str) -> None:
    if order == "one by one":
        rows = [row for n in range(20) for row in (line(n), line(n, other))]
    else:
        rows = [*(line(n) for n in range(20)), *(line(n, other) for n in range(20, 40))]
    assert shown in refusal(tmp_path, rows)


@pytest.mark.parametrize("form", [rsyslog, syslog, rfc5424, journal])
def test_boards_of_one_kind_by_their_hosts(tmp_path: Path, form: Callable[[int, str], str]) -> None:
    assert host_of(form(3, "orin-1.lan")) == "orin-1.lan"
    rows = [form(n, host) for n in range(17) for host in ("orin-1.lan", "orin-2.lan")]
    assert "lines of the hosts orin-1.lan and orin-2.lan" in refusal(tmp_path, rows)
    one = parse_tegrastats_log("\n".join(form(n, "orin-1.lan") for n in range(17)))
    assert one.mixed is None and len(one.samples) == 17
    named_late = [form(n, "localhost" if n < 5 else "orin-1.lan") for n in range(17)]
    assert parse_tegrastats_log("\n".join(named_late)).mixed is None


@pytest.mark.parametrize("shift_s", [60, 600, 10 * 365 * 86_400])
def test_clocks_of_two_boards(tmp_path: Path, shift_s: int) -> None:
    rows = [row for n in range(20) for row in (line(n), line(n, shift_s=shift_s))]
    assert "back and forth between two clocks" in refusal(tmp_path, rows)


@pytest.mark.parametrize(
    "rows",
    [
        [line(n, ORIN if n != 7 else THOR) for n in range(20)],
        [line(n, ORIN if n < 9 else ORIN.replace("7620MB", "7467MB")) for n in range(20)],
        [line(n, ORIN if n % 2 else ORIN.partition(" VDD_IN")[0]) for n in range(20)],
        [line(n, ORIN if n % 3 else ORIN.partition(" VDD_CPU")[0]) for n in range(20)],
        [line(n, shift_s=-3600 * (n > 9)) for n in range(20)],
        [row for n in range(20) for row in (line(n), line(n, shift_s=-1))],
    ],
    ids=["one damaged", "reboot", "without power", "cut", "clock set back", "second logger"],
)
def test_lines_that_differ_and_are_of_one_board(rows: list[str]) -> None:
    assert parse_tegrastats_log("\n".join(rows)).mixed is None
