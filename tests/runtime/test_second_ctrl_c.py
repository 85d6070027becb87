"""A call that goes on for long is ended by a second Ctrl-C; the first lets it come to its end."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")


from model_parts import TILE, put
from strange_graphs import multiplying

from edgesr.errors import ModelError
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
from edgesr.runtime.time_limit import stop_all_calls

PHOTO = Path(__file__).parents[1] / "data/photo.png"
STARTED_S = 5.0  # of a processor; starting takes one or two, the limit is eight more
TICKS = os.sysconf("SC_CLK_TCK")


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A network that takes minutes, so that only its limit of eight seconds would end it."""
    put(tmp_path, multiplying(4000, 1024).SerializeToString())
    return tmp_path / "m.onnx"


def test_upscale_ends_at_the_second(endless: Path) -> None:
    command = [sys.executable, "-m", "edgesr", "upscale", PHOTO, "-m", endless, "-o", "x.png"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=endless.parent, stdout=pipe, stderr=pipe) as process:
        try:
            while _processor_s(process.pid) < STARTED_S:
                assert process.poll() is None
                time.sleep(0.05)
            for _ in range(2):
                process.send_signal(signal.SIGINT)
                time.sleep(0.2)
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, output + errors  # its own limit would give 1
    assert b"Traceback" not in errors
    assert not (endless.parent / "x.png").exists()


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def test_calls_of_other_threads_are_stopped(endless: Path) -> None:
    session = OnnxRuntimeSession(endless, threads=1)
    with ThreadPoolExecutor(1) as pool:
        called = pool.submit(session.run, np.full((1, 3, TILE, TILE), 0.5, np.float32))
        began = time.process_time()
        while time.process_time() - began < 0.5:
            time.sleep(0.05)
        stop_all_calls()
        with pytest.raises(ModelError):
            called.result(timeout=60)
        assert time.process_time() - began < 6.0
    session.close()
