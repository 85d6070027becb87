"""Mode and clocks are put back however a sweep ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sweep_board import AS_IT_WAS, FEW, START, SWEEP, Board, stop

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_all_is_put_back(board: Board, number: signal.Signals) -> None:
    process = board.start(*SWEEP, "--samples", "100000")
    board.wait_for(board.state / "locked")
    time.sleep(1)
    stop(process, number)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 130, output + errors
    assert "Traceback" not in errors, errors
    assert board.stands == AS_IT_WAS


@pytest.mark.parametrize(
    "program", ["nvpmodel", pytest.param("jetson_clocks", marks=pytest.mark.long)]
)
def test_ctrl_c_while_a_program_of_the_board_is_at_work(board: Board, program: str) -> None:
    """A terminal sends it to all of them; that program is not cut off, and nothing has failed."""
    process = board.start(*SWEEP, SLOW_S="2")
    board.wait_for(board.state / f"begun-{program}")
    stop(process, signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 130, output + errors
    told = "stopped before any power mode was measured; nothing is written\n"
    assert (output, errors) == ("", told)
    assert not (board.folder / "out").exists()
    assert "nvpmodel -m 0 no" in board.calls and board.stands == AS_IT_WAS


def test_ctrl_c_while_a_set_is_measured(board: Board) -> None:
    """All 2,000 pictures would take minutes; it ends after the one it is at."""
    (board.folder / "Own/HR").mkdir(parents=True)
    picture = shutil.copy(DATA / "photo.png", board.folder / "Own/HR/0.png")
    for number in range(1, 2000):
        os.link(picture, board.folder / f"Own/HR/{number}.png")
    process = board.start(*START, *FEW, "--power", "none", "--data", "Own")
    board.wait_for(board.folder / "out")
    time.sleep(1)
    stop(process, signal.SIGINT)
    output, errors = process.communicate(timeout=40)
    told = "stopped before any power mode was measured; nothing is written\n"
    assert (process.returncode, output, errors) == (130, "", told)
    assert not (board.folder / "out").exists() and board.stands == AS_IT_WAS


@pytest.mark.long
def test_ctrl_c_between_two_modes_reports_the_first(board: Board) -> None:
    process = board.start(*START, *FEW, "--power", "none", SLOW_S="2")
    board.wait_for(board.state / "begun-jetson_clocks")
    (board.state / "begun-nvpmodel").unlink()
    board.wait_for(board.state / "begun-nvpmodel")
    stop(process, signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 130, output + errors
    assert "the sweep was stopped before its end" in output
    assert "Traceback" not in errors and "failed" not in errors, errors
    first, second = json.loads((board.folder / "out/sweep.json").read_text())["modes"]
    assert first["folder"] == "0-15W" and second["folder"] is None
    assert second["failure"].startswith("stopped before")  # and no "may ask for a reboot"
    assert sorted(path.name for path in (board.folder / "out").iterdir() if path.is_dir()) == [
        "0-15W"
    ]
    assert board.stands == AS_IT_WAS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_two_signals_at_once(board: Board, number: signal.Signals) -> None:
    process = board.start(*SWEEP, "--samples", "100000")
    board.wait_for(board.state / "locked")
    stop(process, number)
    time.sleep(0.2)
    stop(process, number)
    process.communicate(timeout=120)
    assert process.returncode != 0
    board.wait_until_put_back()
    assert board.stands == AS_IT_WAS


def test_kill_9(board: Board) -> None:
    process = board.start(*SWEEP, "--samples", "100000")
    board.wait_for(board.state / "locked")
    assert board.stands == ("0", "locked")
    process.kill()
    process.communicate()
    board.wait_until_put_back()
    assert board.stands == AS_IT_WAS


@pytest.mark.long  # it waits for programs that outlive the sweep; test_kill_9 has none at work
@pytest.mark.parametrize("program", ["nvpmodel", "jetson_clocks"])
def test_kill_9_while_a_program_of_the_board_is_at_work(board: Board, program: str) -> None:
    """That program outlives the sweep, and what it does comes after the sweep's end."""
    process = board.start(*SWEEP, "--samples", "100000", SLOW_S="2")
    board.wait_for(board.state / f"begun-{program}")
    process.kill()
    process.communicate()
    board.wait_until_put_back()
    time.sleep(2.5)  # what is still at work ends now
    assert board.stands == AS_IT_WAS


def test_kill_9_of_the_guard_as_well_is_mended_by_the_next_sweep(board: Board) -> None:
    process = board.start(*SWEEP, "--samples", "100000")
    board.wait_for(board.state / "locked")
    (guard,) = children(process.pid, "mode_guard")
    os.kill(guard, signal.SIGKILL)
    process.kill()
    process.communicate()
    time.sleep(0.5)
    assert board.stands == ("0", "locked")
    code, output, errors = board.sweep_without_power("--power-mode", "maxn-super", "--overwrite")
    assert code == 0, output + errors
    assert board.stands == AS_IT_WAS


def children(pid: int, name: str) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=True
    ).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if name in line]


def test_an_error_in_a_run_puts_all_back(board: Board) -> None:
    (board.folder / "bad.onnx").write_bytes(b"x")
    code, _, errors = board.sweep("-m", "bad.onnx")
    assert code != 0
    assert "Traceback" not in errors, errors
    assert board.stands == AS_IT_WAS


def test_a_second_sweep_meanwhile_is_refused(board: Board) -> None:
    process = board.start(*SWEEP, "--samples", "100000")
    board.wait_for(board.state / "locked")
    code, _, errors = board.sweep("-o", "other")
    assert code != 0
    assert "another sweep, or jetson/setup.sh, is under way" in errors
    assert board.stands == ("0", "locked")
    stop(process, signal.SIGINT)
    process.communicate(timeout=120)
    assert board.stands == AS_IT_WAS


def test_a_mode_that_cannot_be_put_back_says_so(board: Board) -> None:
    code, _, errors = board.sweep_without_power("--power-mode", "15w", REFUSED="1")
    assert code != 0
    assert "could not be put back" in errors
    assert "sudo nvpmodel -m 1" in errors
    assert (board.state / "kept/mode").read_text() == "1\n"  # the next one tries again
    code, _, errors = board.sweep_without_power("--power-mode", "15w", "--overwrite")
    assert code == 0, errors
    assert board.stands == AS_IT_WAS


@pytest.mark.parametrize("left", ["clocks", "words", "nothing"])
def test_what_a_loss_of_power_left_damaged(board: Board, left: str) -> None:
    """The mode is put back though the clocks cannot be; a file without a number is said."""
    kept = board.state / "kept"
    kept.mkdir()
    (kept / "mode").write_text({"clocks": "1\n", "words": "15W\n", "nothing": ""}[left])
    (kept / "clocks.conf").mkdir()  # no program can read that
    (board.state / "mode").write_text("0\n")
    guard = [sys.executable, "-m", "edgesr.sweep.mode_guard", str(kept)]
    done = subprocess.run(
        guard, env=board.environment, input="", capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert (kept / "mode").exists()
    if left == "clocks":
        assert "jetson_clocks --restore" in done.stdout
        assert board.stands == ("1", "as it was")
    else:
        assert "no power mode" in done.stdout
        assert board.stands == ("0", "as it was")
