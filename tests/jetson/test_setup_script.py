"""The logic of jetson/setup.sh, with stand-ins for the programs that only a Jetson has."""

import os
import signal

import pytest


def test_the_whole_run_in_order_and_put_back(board):
    code, output = board.run("--power-mode", "maxn-super", "--samples", "50")
    assert code == 0, output
    assert board.calls == [
        "jetson_clocks --show",
        "jetson_clocks --store",
        "nvpmodel -m 2 (reboot? no)",
        "jetson_clocks ",
        "edgesr doctor",
        "edgesr build-engine",
        "edgesr verify",
        "edgesr bench",
        "jetson_clocks --restore",
        "nvpmodel -m 1 (reboot? no)",
    ]
    assert board.mode == "1"
    assert "--samples 50" in board.edgesr_calls[-1]
    assert "send this one file: " in output
    assert board.archive() >= {
        "setup.log",
        "environment.txt",
        "doctor.json",
        "engine.json",
        "verify.json",
        "x.engine.json",
        "result.json",
    }
    assert "exit code 0" in board.file("setup.log")
    assert "p3767-0005" in board.file("environment.txt")


def test_without_a_wish_the_mode_stays_and_only_clocks_are_fixed(board):
    code, _ = board.run("--no-bench")
    assert code == 0
    assert not [call for call in board.calls if call.startswith("nvpmodel -m")]
    assert "jetson_clocks --restore" in board.calls
    assert "edgesr bench" not in board.calls


def test_a_model_is_handed_on(board, tmp_path):
    model = tmp_path / "my model.onnx"
    model.write_text("x")
    assert board.run(str(model), "--no-bench")[0] == 0
    assert f"edgesr build-engine -m {model} --json" in board.edgesr_calls


@pytest.mark.parametrize("step", ["build-engine", "verify", "bench"])
def test_a_step_that_fails_ends_the_run_and_all_is_put_back(board, step):
    code, output = board.run("--power-mode", "15w", FAILING=step)
    assert code == 1
    assert board.mode == "1"
    assert "jetson_clocks --restore" in board.calls
    assert board.calls.count(f"edgesr {step}") == 1
    assert "setup.log" in board.archive()
    assert "error: no" in board.file("setup.log")
    assert "send this one file: " in output


def test_a_doctor_that_finds_something_missing_does_not_end_the_run(board):
    assert board.run("--no-bench", FAILING="doctor")[0] == 0


def test_ctrl_c_puts_all_back(board):
    process = board.start("--power-mode", "7w", SLOW="verify")
    board.wait_until_started()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    output, _ = process.communicate(timeout=60)
    assert process.returncode != 0, output
    assert board.mode == "1"
    assert board.calls[-2:] == ["jetson_clocks --restore", "nvpmodel -m 1 (reboot? no)"]
    assert "setup.log" in board.archive()


def test_a_mode_that_needs_a_reboot_says_so(board):
    code, output = board.run("--power-mode", "7w", REFUSED="3")
    assert code == 1
    assert "may need a reboot" in output
    assert "sudo nvpmodel -m 3" in output
    assert board.mode == "1"
    assert "edgesr build-engine" not in board.calls


def test_a_mode_that_cannot_be_put_back_says_how(board):
    code, output = board.run("--power-mode", "15w", "--no-bench", REFUSED="1")
    assert code == 0
    assert "could not be put back" in output
    assert "sudo nvpmodel -m 1; reboot" in output


def test_names_of_modes_are_those_of_the_boards_table(board):
    table = board.root / "etc/nvpmodel.conf"
    table.write_text("< POWER_MODEL ID=5 NAME=MODE_15W >\n")
    assert board.run("--power-mode", "15W", "--no-bench")[0] == 0
    assert "nvpmodel -m 5 (reboot? no)" in board.calls
    code, output = board.run("--power-mode", "99w")
    assert code == 1
    assert "no power mode '99w'" in output
    assert "exit code" not in output  # nothing was begun


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--samples", "many"], "takes a whole number"),
        (["--samples"], "needs a value"),
        (["--samples", "0"], "measures nothing"),
        (["--samples", "000"], "measures nothing"),
        (["--samples", "-5"], "takes a whole number"),
        (["--samples", "1e3"], "takes a whole number"),
        (["--power-mode", ""], "needs a value"),
        (["--power-mode", "99w"], "no power mode '99w'"),
        (["--frobnicate"], "unknown option"),
        (["absent.onnx"], "no such file"),
    ],
)
def test_wrong_options_change_nothing(board, arguments, message):
    code, output = board.run(*arguments)
    assert code == 1
    assert message in output
    assert "try: " in output
    assert board.calls == []


def test_a_pc_is_refused(board):
    (board.root / "etc/nv_tegra_release").unlink()
    code, output = board.run()
    assert code == 1
    assert "this is no Jetson" in output
    assert board.calls == []


def test_jetpack_5_is_refused(board):
    (board.root / "etc/nv_tegra_release").write_text("# R35 (release), REVISION: 4.1, GCID: 1\n")
    code, output = board.run()
    assert code == 1
    assert "JetPack 5 or older" in output
