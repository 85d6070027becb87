"""The logic of jetson/setup.sh, with stand-ins for the programs that only a Jetson has."""

import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "jetson" / "setup.sh"

STAND_IN = Path(__file__).parent / "stand_in"

EDGESR = """
echo "edgesr $1" >>"$STATE/calls"
echo "edgesr $*" >>"$STATE/edgesr"
case "$1" in
"$FAILING") echo "error: no" >&2; exit 1 ;;
"$SLOW") : >"$STATE/started"; exec sleep 30 ;;
build-engine) echo '{}' >"$STATE/x.engine.json"
    printf '{"engine": "%s", "onnx": "student.onnx"}' "$STATE/x.engine" ;;
bench) mkdir -p "${@: -1}"; echo '{}' >"${@: -1}/result.json" ;;
esac
"""


@pytest.fixture
def board(tmp_path, orin_nano):
    """Return a function that runs the script: (arguments, **environment) -> finished process."""
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    tools, state, work = (tmp_path / name for name in ("bin", "state", "work"))
    for folder in (tools, state, work):
        folder.mkdir()
    programs = {
        "nvpmodel": (STAND_IN / "nvpmodel").read_text(),
        "jetson_clocks": (STAND_IN / "jetson_clocks").read_text(),
        "edgesr": EDGESR,
        "sudo": 'exec "$@"',
        "tegrastats": "echo VDD_IN 4904mW/4904mW",
    }
    for name, text in programs.items():
        path = tools / name
        path.write_text(text if text.startswith("#!") else f"#!/usr/bin/env bash\n{text}")
        path.chmod(0o755)
    (state / "mode").write_text("1\n")
    (state / "calls").touch()
    environment = os.environ | {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "STATE": str(state),
        "REFUSED": "",
        "FAILING": "-",
        "SLOW": "-",
    }

    class Board:
        root = orin_nano

        @property
        def tools(self):
            return tools

        def start_as(self, script, *arguments):
            process = subprocess.run(
                ["sh", script, *arguments],
                check=False,
                cwd=work,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            return process.returncode, process.stdout

        def start(self, *arguments, **extra):
            return subprocess.Popen(
                ["bash", SCRIPT, "--no-install", "--root", str(self.root), *arguments],
                cwd=work,
                env=environment | extra,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

        def run(self, *arguments, **extra):
            process = self.start(*arguments, **extra)
            output, _ = process.communicate(timeout=60)
            return process.returncode, output

        @property
        def mode(self):
            return (state / "mode").read_text().strip()

        @property
        def calls(self):
            return (state / "calls").read_text().splitlines()

        @property
        def edgesr_calls(self):
            return (state / "edgesr").read_text().splitlines()

        def wait_until_started(self):
            deadline = time.monotonic() + 30
            while not (state / "started").exists():
                assert time.monotonic() < deadline, "the slow step never began"
                time.sleep(0.05)

        def archive(self):
            (path,) = work.glob("*.tar.gz")
            with tarfile.open(path) as archive:
                return {Path(name).name for name in archive.getnames()}

        def file(self, name):
            (path,) = work.glob(f"edgesr-jetson-*/{name}")
            return path.read_text()

    return Board()


def test_the_whole_run_in_order_and_put_back(board):
    code, output = board.run("--power-mode", "maxn-super", "--samples", "50")
    assert code == 0, output
    assert board.calls == [
        "jetson_clocks --show",
        "nvpmodel -m 2 (reboot? no)",
        "jetson_clocks --store",
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
    assert f"edgesr build-engine {model} --json" in board.edgesr_calls


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--samples", "many"], "takes a whole number"),
        (["--samples"], "needs a value"),
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


def test_shellcheck_finds_nothing():
    if shutil.which("shellcheck") is None:
        pytest.skip("no shellcheck")
    found = subprocess.run(["shellcheck", SCRIPT], check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "bash --posix"])
def test_any_shell_may_start_it(board, shell):
    program, *options = shell.split()
    if shutil.which(program) is None:
        pytest.skip(f"no {program}")
    found = subprocess.run(
        [program, *options, SCRIPT, "--samples", "0"], check=False, capture_output=True, text=True
    )
    assert found.returncode == 1
    assert "--samples 0 measures nothing" in found.stdout
    assert found.stderr == ""


def test_without_edgesr_nothing_is_changed(board):
    (board.tools / "edgesr").unlink()
    code, output = board.run("--power-mode", "15w", PATH=f"{board.tools}:/usr/bin:/bin")
    assert code == 1
    assert "there is no edgesr on the PATH" in output
    assert board.calls == []


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


def test_an_environment_that_cannot_see_tensorrt_is_made_anew(board, tmp_path):
    """`sh setup.sh demo` makes one without the system's packages; the second run keeps its own."""
    checkout = tmp_path / "checkout"
    (checkout / "jetson").mkdir(parents=True)
    script = shutil.copy(SCRIPT, checkout / "jetson")
    python = board.root / "usr/bin/python3"
    python.parent.mkdir(parents=True)
    python.symlink_to(Path(sys.base_prefix) / "bin/python3")
    subprocess.run([python, "-m", "venv", "--without-pip", checkout / ".venv"], check=True)
    (checkout / ".venv/of_the_demo").touch()
    (board.tools / "sudo").write_text('#!/bin/sh\n[ "$1" = apt-get ] || exec "$@"\n')
    code, output = board.start_as(script, "--root", str(board.root), "--no-bench")
    assert "cannot be seen from it" in output
    assert not (checkout / ".venv/of_the_demo").exists()
    configuration = (checkout / ".venv/pyvenv.cfg").read_text()
    assert "include-system-site-packages = true" in configuration
    (checkout / ".venv/of_this").touch()
    code, output = board.start_as(script, "--root", str(board.root), "--no-bench")
    assert "cannot be seen from it" not in output
    assert (checkout / ".venv/of_this").exists()
    assert code != 0  # the checkout holds no package to install
    assert board.calls == []
