"""What tests of a live picture share: running the command, its children, its results."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

GST = "gst-launch-1.0"
needs_gst = pytest.mark.skipif(shutil.which(GST) is None, reason=f"{GST} is not installed")
EDGESR = [sys.executable, "-m", "edgesr", "live"]
SMALL = ("--size", "64x48", "--fps", "10", "--power", "none")


def live(*arguments: object, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Start the command, which SIGHUP can end although tests may run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        return subprocess.Popen(
            [*EDGESR, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
    finally:
        signal.signal(signal.SIGHUP, before)


def result(process: subprocess.Popen[str], seconds: float = 60.0) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


def wrong(*arguments: object, environment: dict[str, str] | None = None) -> str:
    """Run what must fail; return its one message."""
    process = live(*arguments, environment=environment)
    with ended(process):
        status, out, err = result(process)
        assert (status, out) == (1, ""), err
        assert "Traceback" not in err
        assert err.startswith("error: ") and err.count("error: ") == 1
        return err.removeprefix("error: ").rstrip()


def children_of(pid: int) -> dict[str, int]:
    """Return the GStreamer processes of a process: `source` and `sink`, with their numbers."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if parent == pid and words[0].endswith(GST.encode()):
            found["sink" if b"fdsrc" in words else "source"] = int(folder.name)
    return found


def is_alive(pid: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(what: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def has_rows(folder: Path, fate: str, count: int = 1) -> bool:
    """Tell whether the record that is being written names a fate so often."""
    texts = [path.read_text() for path in folder.glob(".*.edgesr-*.csv")]
    return sum(text.count(f",{fate},") for text in texts) >= count


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Leave nothing behind, whatever a test does."""
    try:
        yield
    finally:
        children = children_of(process.pid)
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        for pid in children.values():
            if is_alive(pid):
                os.kill(pid, 9)


def frames_of(path: Path) -> list[np.ndarray]:
    """Decode a video with OpenCV's own reader: frames (height, width, 3) BGR."""
    video = cv2.VideoCapture(str(path))
    frames = []
    while True:
        ok, frame = video.read()
        if not ok:
            return frames
        frames.append(frame)
