"""Packages that are installed and cannot be loaded, as on a board without a desktop's libraries."""

import importlib.machinery
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgesr.engine.loading import load_failure, load_fix

PHOTO = Path(__file__).parents[1] / "data/photo.png"
SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A folder that comes first in Python's path, for other processes too."""
    old = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path) + (f":{old}" if old else ""))
    return tmp_path


def link_to_nothing(library):
    """Write a library that links to one which is on no machine, as a compiler does it."""
    compiler = shutil.which("cc") or pytest.skip("no C compiler")
    absent = library.with_name("libabsent.so.1")
    for target, more in ((absent, []), (library, [str(absent)])):
        soname = f"-Wl,-soname,{target.name},--no-as-needed"
        empty = ["-x", "c", os.devnull, "-x", "none"]
        subprocess.run([compiler, "-shared", soname, "-o", target, *empty, *more], check=True)
    absent.unlink()


def edgesr(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "edgesr", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_loads_has_no_failure():
    assert load_failure("numpy") is None


def test_a_library_of_the_system_that_is_missing_is_named(path, tmp_path):
    link_to_nothing(path / f"cv2{SUFFIX}")
    reason = load_failure("cv2")
    assert reason is not None
    assert "libabsent.so.1: cannot open shared object file" in reason
    assert load_fix("cv2", reason) == "sudo apt install libgl1 libglib2.0-0"
    done = edgesr("upscale", PHOTO, "-o", tmp_path / "out.png")
    assert done.returncode == 1
    assert done.stderr.startswith("error: the Python package cv2 cannot be loaded: libabsent.so.1")
    assert done.stderr.endswith("try: edgesr doctor\n")
    done = edgesr("doctor")
    assert done.returncode == 1
    assert "missing  opencv-python  installed, but it cannot be loaded" in done.stdout
    assert "  sudo apt install libgl1 libglib2.0-0\n" in done.stdout.partition("next:")[2]
    assert done.stderr == ""


def test_a_library_of_another_processor_is_to_be_installed_again(path):
    (path / f"cv2{SUFFIX}").write_bytes(b"\x7fELF" + bytes(60))
    reason = load_failure("cv2")
    assert reason is not None
    assert load_fix("cv2", reason) is None
    done = edgesr("doctor")
    assert done.returncode == 1
    assert "pip install --force-reinstall 'opencv-python'" in done.stdout.partition("next:")[2]


def test_a_library_that_ends_the_process_is_told_by_the_signal(path):
    text = "import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n"
    (path / "onnxruntime.py").write_text(text)
    assert load_failure("onnxruntime") == "Python ends with SIGILL"
    done = edgesr("doctor")
    assert done.returncode == 1
    assert "installed, but it cannot be loaded: Python ends with SIGILL" in done.stdout
