"""Ctrl-C while Python imports: it ends the command with 130, and no package speaks of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PHOTO = Path(__file__).parents[1] / "data/photo.png"

AT_IMPORT = """\
import os, signal, sys

class Press:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Press())
"""

AS_PYBIND11_DOES = """\
import os, signal, sys, time
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.2)
except KeyboardInterrupt as error:
    raise ImportError("initialization failed") from error
sys.path.remove({folder!r})
del sys.modules["onnxruntime"]
import onnxruntime
"""
"""It turns whatever is raised while a module in C begins into one error."""


def upscaled(folder: Path) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "edgesr", "upscale", PHOTO, "-o", folder / "x.png"]
    command.append("--tta")  # longer than the signal that was held back may take to come
    paths = (str(folder), os.environ.get("PYTHONPATH", ""))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return subprocess.run(command, env=environment, capture_output=True, check=False)


@pytest.mark.parametrize(
    "name",
    [
        "typer.core",
        "edgesr.cli.power",
        "cv2",
        pytest.param("onnxruntime.capi", marks=pytest.mark.long),
    ],
)
def test_it_is_no_traceback(name: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(AT_IMPORT.format(name=name))
    done = upscaled(tmp_path)
    told = done.stderr.decode()
    assert done.returncode == 130, told
    assert told == "" or told.startswith("stopped: 0 of 1 done, 1 left\n"), told
    assert not (tmp_path / "x.png").exists()


def test_it_is_no_missing_package(tmp_path: Path) -> None:
    package = tmp_path / "onnxruntime"
    package.mkdir()
    (package / "__init__.py").write_text(AS_PYBIND11_DOES.format(folder=str(tmp_path)))
    done = upscaled(tmp_path)
    assert done.returncode == 130, done.stderr
    assert b"not installed" not in done.stderr
