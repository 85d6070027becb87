"""A call that goes on for long is ended by a second Ctrl-C; the first lets it come to its end.

Every step waits for what it needs to see in /proc, none for a time that a busy machine stretches.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")


from model_parts import put
from strange_graphs import multiplying

from edgesr.errors import ModelError
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
from edgesr.runtime.time_limit import limit_s, stop_all_calls

PHOTO = Path(__file__).parents[1] / "data/photo.png"
TILE = 256
TICKS = os.sysconf("SC_CLK_TCK")
WAIT_S = 120.0


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A network of which a call takes minutes, and is allowed two of a processor."""
    assert limit_s(TILE**2) == 128
    put(tmp_path, multiplying(8000, 1024, TILE).SerializeToString(), tile=TILE)
    return tmp_path / "m.onnx"


@contextmanager
def upscaling(endless: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "edgesr", "upscale", PHOTO, "-m", endless, "-o", "x.png"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=endless.parent, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def until(comes: Callable[[], bool], process: "subprocess.Popen[bytes] | None" = None) -> None:
    deadline = time.monotonic() + WAIT_S
    while not comes():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def thread_s(pid: int, thread: str) -> float:
    """Return the seconds of a processor that a thread has taken."""
    fields = Path(f"/proc/{pid}/task/{thread}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def network_s(pid: int) -> float:
    """Return what the thread took that took most, of those that are not the first."""
    threads = (path.name for path in Path(f"/proc/{pid}/task").iterdir())
    return max((thread_s(pid, name) for name in threads if name != str(pid)), default=0.0)


def times_asleep(pid: int) -> int:
    """Return how often the first thread went to sleep: once more for each signal it answers."""
    lines = Path(f"/proc/{pid}/task/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("voluntary_ctxt_switches"))
    return int(line.split()[1])


def test_upscale_ends_at_the_second(endless: Path) -> None:
    with upscaling(endless) as process:
        until(lambda: network_s(process.pid) > 0.5, process)
        before = times_asleep(process.pid)
        process.send_signal(signal.SIGINT)
        until(lambda: times_asleep(process.pid) > before, process)
        begun_s = network_s(process.pid)
        until(lambda: network_s(process.pid) > begun_s + 0.5, process)  # the first let it go on
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130, output + errors  # its own limit would give 1
    assert (output, errors) == (b"", b"")
    assert not (endless.parent / "x.png").exists()


def test_calls_of_other_threads_are_stopped(endless: Path) -> None:
    session = OnnxRuntimeSession(endless, threads=1)
    tiles = np.full((2, 3, TILE, TILE), 0.5, np.float32)  # the second may begin just then
    with ThreadPoolExecutor(1) as pool:
        called = pool.submit(session.run, tiles)
        began = time.process_time()
        until(lambda: called.done() or time.process_time() - began > 0.5)
        stop_all_calls()
        with pytest.raises(ModelError, match="terminate"):
            called.result(timeout=WAIT_S)
        assert time.process_time() - began < 6.0
    session.close()
