"""jetson/setup.sh where the clocks, or what a killed run has left, are not what they should be."""

import fcntl
import os
import signal
import subprocess
import sys

import pytest

CAPPED = """
< POWER_MODEL ID=0 NAME=15W >
GPU MIN_FREQ 0
GPU MAX_FREQ 612000000
< POWER_MODEL ID=1 NAME=25W >
GPU MAX_FREQ 918000000
< POWER_MODEL ID=2 NAME=MAXN_SUPER >
GPU MAX_FREQ -1
"""


def test_a_mode_whose_clock_was_not_applied_is_set_anew(board):
    """After boot the id says 25W and the GPU may reach 1020 MHz."""
    (board.root / "etc/nvpmodel.conf").write_text(CAPPED)
    limit = board.root / "sys/class/devfreq/17000000.gpu/max_freq"
    code, output = board.run("--power-mode", "25w", "--no-bench")
    assert code == 1
    assert "nvpmodel -m 1 (reboot? no)" in board.calls
    assert "may reach 1020000000 Hz; power mode 25w allows 918000000" in output
    assert "edgesr build-engine" not in board.calls
    code, output = board.run("--power-mode", "25w", "--no-bench", LIMIT_FILE=str(limit))
    assert code == 0, output
    assert limit.read_text() == "918000000\n"


def test_a_clock_above_the_mode_that_is_left_as_it_is(board):
    (board.root / "etc/nvpmodel.conf").write_text(CAPPED)
    code, output = board.run("--no-bench")
    assert code == 0
    assert "warning: the GPU may reach 1020000000 Hz; its power mode allows 918000000" in output


def test_a_mode_without_a_cap_allows_every_clock(board):
    (board.root / "etc/nvpmodel.conf").write_text(CAPPED)
    code, output = board.run("--power-mode", "maxn-super", "--no-bench")
    assert code == 0, output


@pytest.mark.parametrize("arguments", [("--power-mode", "15w"), ()])
def test_what_a_killed_run_left_is_put_back_by_the_next(board, arguments):
    process = board.start("--power-mode", "7w", SLOW="verify")
    board.wait_until_started()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert board.mode == "3"
    before = len(board.calls)
    code, output = board.run(*arguments, "--no-bench")
    assert code == 0, output
    assert "putting back what a killed run left: power mode 1" in output
    assert board.calls[before:][:2] == ["jetson_clocks --restore", "nvpmodel -m 1 (reboot? no)"]
    assert board.mode == "1"
    assert not (board.root / "var/lib/edgesr/power/mode").exists()


def test_a_sweep_that_is_under_way_is_left_alone(board):
    state = board.root / "var/lib/edgesr/power"
    state.mkdir(parents=True)
    (state / "mode").write_text("2\n")
    with (state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, output = board.run("--no-bench")
    assert code == 1
    assert "edgesr bench --sweep, or another run of this, is under way" in output
    assert board.calls == []
    assert (state / "mode").read_text() == "2\n"


def test_a_run_that_is_under_way_is_left_alone(board):
    """By a second run of the script and by a sweep alike."""
    state = board.root / "var/lib/edgesr/power"
    process = board.start("--power-mode", "7w", SLOW="verify")
    board.wait_until_started()
    before = board.calls
    code, output = board.run("--power-mode", "15w")
    assert code == 1
    assert "edgesr bench --sweep, or another run of this, is under way" in output
    guard = [sys.executable, "-m", "edgesr.sweep.mode_guard", state]
    done = subprocess.run(guard, input="", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (
        1,
        "another sweep, or jetson/setup.sh, is under way\n",
    )
    assert (board.calls, board.mode) == (before, "3")
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert board.mode == "1"
    assert board.run("--no-bench")[0] == 0
