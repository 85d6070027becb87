"""Ctrl-C is heard wherever it comes: in code that cannot raise, and before anything is measured."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgesr.cli._signals import stop_on_signals

PHOTO = Path(__file__).parents[1] / "data/photo.png"
POWER = Path(__file__).parents[1] / "power"
LOG = POWER / "data/logs/orin_nano_maxn_super_100ms_tensorrt.txt"

IN_DEL = """\
import logging, os, signal

class Press:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass

def begin(*_, **__):  # the command line calls it once it is imported
    Press()

logging.basicConfig = begin
"""


def test_what_code_drops_that_cannot_raise_is_sent_again(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(IN_DEL)
    paths = (str(tmp_path), os.environ.get("PYTHONPATH", ""))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-m", "edgesr", "upscale", PHOTO, "-o", tmp_path / "x.png", "--tta"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    told = done.stderr.decode()
    assert done.returncode == 130, told
    assert told == "" or told.startswith("stopped: 0 of 1 done, 1 left\n"), told
    assert not (tmp_path / "x.png").exists()


def test_other_errors_that_are_dropped_are_still_printed(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        IN_DEL.replace("os.kill(os.getpid(), signal.SIGINT)", "raise OSError('lost')")
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "edgesr", "power", LOG]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "OSError: lost" in done.stderr


def test_it_may_come_as_soon_as_it_is_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    real = signal.signal
    presses = iter([signal.SIGINT])

    def pressed(number: signal.Signals, handler: signal.Handlers) -> object:
        before = real(number, handler)
        if number == signal.SIGINT:
            for press in presses:  # once
                os.kill(os.getpid(), press)
        return before

    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(signal, "signal", pressed)
        listening = stop_on_signals()
        wants_stop = listening.__enter__()
    with contextlib.ExitStack() as stack:
        stack.push(listening)
        assert wants_stop()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_bench_that_has_measured_nothing(
    number: signal.Signals, make_nearest: Callable[..., Path], tmp_path: Path
) -> None:
    """A terminal sends Ctrl-C to tegrastats too; neither is an error, and no folder is left."""
    folder = tmp_path / "run"
    command = [
        sys.executable, "-m", "edgesr", "bench", "-m", make_nearest(tile=16), "--input", "16x16",
        "--power", "tegrastats", "--idle-s", "100", "-o", folder,
    ]  # fmt: skip
    path = f"{POWER / 'stand_in'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "STAND_IN_LOG": str(LOG)}
    terminal, of_child = os.openpty()  # the bar on it tells what is done
    with subprocess.Popen(
        command, env=environment, stdout=of_child, stderr=of_child, start_new_session=True
    ) as child:
        os.close(of_child)
        shown = b""
        while b"idle" not in shown:
            shown += os.read(terminal, 4096)
        os.killpg(child.pid, number)
        with contextlib.suppress(OSError):  # at its end a terminal raises
            while read := os.read(terminal, 4096):
                shown += read
        assert child.wait(timeout=60) == 130, shown
    os.close(terminal)
    assert b"stopped before the first measured sample; nothing is written" in shown
    assert b"error" not in shown and b"Traceback" not in shown
    assert not folder.exists()
