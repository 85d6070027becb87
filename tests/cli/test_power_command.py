"""`edgesr power` from the outside."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgesr.cli import main

LOGS = Path(__file__).parents[1] / "power" / "data" / "logs"
TENSORRT = LOGS / "orin_nano_maxn_super_100ms_tensorrt.txt"


def edgesr(*arguments: object) -> Any:
    """Run the command in this process; return what a shell would see of it."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(["power", *map(str, arguments)])
            code: object = 0
        except SystemExit as end:
            code = end.code
    return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


def document(*arguments: object) -> dict[str, Any]:
    run = edgesr(*arguments, "--json")
    assert run.returncode == 0, run.stderr
    result: dict[str, Any] = json.loads(run.stdout)
    return result


def test_as_a_program() -> None:
    command = [sys.executable, "-m", "edgesr", "power"]
    run = subprocess.run([*command, TENSORRT], capture_output=True, text=True, check=False)
    assert run.returncode == 0 and "mean 21.15 W" in run.stdout
    run = subprocess.run([*command, "absent.log"], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and run.stderr.startswith("error: absent.log: cannot read the log")


def test_orin_nano_running_tensorrt() -> None:
    result = document(TENSORRT)
    assert result["format"] == "edgesr-power/1"
    assert result["samples"] == 661
    assert result["period_ms"] == pytest.approx(109.5, abs=0.5)
    assert result["start"].startswith("2026-04-19T01:31:10")
    assert result["total"]["of"] == "VDD_IN" and not result["total"]["is_sum"]
    assert list(result["rails"]) == ["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"]
    rail = result["rails"]["VDD_IN"]
    assert rail["mean_mw"] == pytest.approx(12133, rel=0.002)  # the log's own mean: 12128 mW
    assert rail["peak_mw"] == 21663
    assert rail["duration_s"] == pytest.approx(72.2, abs=0.1)
    assert rail["energy_j"] == pytest.approx(876.6, rel=0.003)
    assert rail["uncertainty_j"] < 0.005 * rail["energy_j"]
    (idle,) = result["idle"]
    assert idle["mean_mw"] == pytest.approx(6250, rel=0.01)
    assert len(result["busy"]) == 2
    joules = sum(span["energy_j"] for span in result["busy"])
    seconds = sum(span["duration_s"] for span in result["busy"])
    assert joules / seconds == pytest.approx(21.1, abs=0.1)
    assert result["gaps_s"] == []


def test_same_log_gives_the_same_bytes() -> None:
    first, second = (edgesr(TENSORRT, "--json") for _ in range(2))
    assert first.stdout == second.stdout and first.stdout


def test_table_for_people() -> None:
    run = edgesr(TENSORRT)
    assert run.returncode == 0
    assert "busy: 27.1 s, mean 21.15 W" in run.stdout
    assert "VDD_CPU_GPU_CV" in run.stdout
    assert max(map(len, run.stdout.splitlines())) <= 80


def test_part_of_a_log_by_seconds_and_by_the_clock() -> None:
    by_seconds = document(TENSORRT, "--from", "55.26", "--to", "65.26")
    by_clock = document(TENSORRT, "--from", "01:32:06", "--to", "01:32:16")
    assert by_seconds["total"]["mean_mw"] == pytest.approx(21450, rel=0.005)
    assert by_seconds["total"]["duration_s"] == pytest.approx(10.0)
    assert by_clock["from_s"] == pytest.approx(55.26, abs=0.05)
    assert by_clock["total"]["energy_j"] == pytest.approx(
        by_seconds["total"]["energy_j"], rel=0.002
    )


def test_foreign_and_cut_lines_are_counted(tmp_path: Path) -> None:
    log = tmp_path / "power.log"
    log.write_text(
        (LOGS / "orin_nano_25w_load.txt").read_text() + "05-13-2026 14:23:40 RAM 1/2MB CPU [3%@"
    )
    result = document(log)
    assert (result["unknown_lines"], result["cut_lines"]) == (1, 1)
    text = edgesr(log).stdout
    assert "lines not from tegrastats: 1" in text and "lines cut short: 1" in text


def test_board_without_a_total_says_sum(tmp_path: Path) -> None:
    rails = "GPU 0/0 CPU 216/216 SOC 864/864 CV 0/0 VDDRQ 144/144 SYS5V 1889/1889"
    log = tmp_path / "xavier.log"
    log.write_text(f"RAM 1/2MB (lfb 1x4MB) {rails}\n" * 30)
    result = document(log, "--interval-s", "0.5")
    assert result["total"]["is_sum"]
    assert result["total"]["mean_mw"] == pytest.approx(216 + 864 + 144 + 1889)
    assert result["total"]["duration_s"] == pytest.approx(14.5)
    assert result["start"] is None
    assert result["busy"] is None and result["idle"] is None
    text = edgesr(log).stdout
    assert "no rail carries the whole board" in text
    assert "one line every 1 s" in text
    assert "does not hold the GPU's load" in text


def test_gap_is_reported(tmp_path: Path) -> None:
    rows = TENSORRT.read_text().splitlines()
    log = tmp_path / "gap.log"
    log.write_text("\n".join(rows[:100] + rows[200:]) + "\n")
    result = document(log)
    ((begin, end),) = result["gaps_s"]
    assert end - begin == pytest.approx(101 * 0.1095, abs=0.3)
    assert "gap: " in edgesr(log).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["absent.log"], "No such file"),
        ([LOGS.parent / "README.md"], "no line of it is from tegrastats"),
        ([TENSORRT, "--from", "soon"], "neither seconds nor HH:MM:SS"),
        ([TENSORRT, "--to", "10:75"], "'10:75' is neither seconds nor HH:MM:SS"),
        ([TENSORRT, "--from", "500"], "no power between"),
        ([TENSORRT, "--from", "9", "--to", "3"], "no power between"),
        ([TENSORRT, "--from", "9", "--to", "9.2"], ""),
    ],
)
def test_what_cannot_be_is_said_without_a_traceback(arguments: list[object], words: str) -> None:
    run = edgesr(*arguments)
    assert run.returncode == (1 if words else 0)
    assert "Traceback" not in run.stderr
    if words:
        assert words in run.stderr and not run.stdout


def test_clock_for_a_log_without_stamps(tmp_path: Path) -> None:
    log = tmp_path / "nano.log"
    log.write_text("RAM 1/2MB (lfb 1x4MB) POM_5V_IN 900/943\n" * 5)
    run = edgesr(log, "--from", "10:00:00")
    assert run.returncode == 1 and "no time stamps" in run.stderr
    single = tmp_path / "single.log"
    single.write_text("RAM 1/2MB (lfb 1x4MB) POM_5V_IN 900/943\n")
    run = edgesr(single)
    assert run.returncode == 1 and "single line" in run.stderr
