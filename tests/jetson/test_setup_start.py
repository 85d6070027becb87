"""How jetson/setup.sh is started: by any shell, with or without an environment of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "jetson" / "setup.sh"


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


def test_a_link_may_start_it_from_anywhere(board, tmp_path):
    link = tmp_path / "measure this board"
    link.symlink_to(SCRIPT)
    found = subprocess.run(
        ["sh", link.name, "--help"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"CDPATH": "/"},  # with which `cd` prints where it goes
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("Check this Jetson")


def test_without_edgesr_nothing_is_changed(board):
    (board.tools / "edgesr").unlink()
    code, output = board.run("--power-mode", "15w", PATH=f"{board.tools}:/usr/bin:/bin")
    assert code == 1
    assert "there is no edgesr on the PATH" in output
    assert board.calls == []


@pytest.mark.long
def test_an_environment_that_cannot_see_tensorrt_is_made_anew(board, tmp_path):
    """`sh setup.sh demo` makes one without the system's packages; the second run keeps its own."""
    checkout = tmp_path / "checkout"
    (checkout / "jetson").mkdir(parents=True)
    shutil.copy(SCRIPT.with_name("power_mode.sh"), checkout / "jetson")
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
