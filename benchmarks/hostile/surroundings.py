"""What some commands need around them: a GPU, power modes, or somebody who asks a server."""

import ctypes
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.hostile import simulated_board
from benchmarks.hostile.simulated_driver import Libraries
from benchmarks.shared.folders import ROOT

GPU, BOARD, CLIENT = "gpu", "board", "client"
_PHOTO = ROOT / "tests/data/photo.png"
_WRONG_ANSWER = 70
_LOOK_S = 0.02
_ANSWERS = (200, 500, 503, 507)


def put_around(what: str) -> None:
    """Put it around the command that this process is about to run; "" is nothing."""
    if what == GPU:
        _simulate_gpu()
    elif what == BOARD:
        simulated_board.install(Path.cwd())
    elif what == CLIENT:
        _await_server()


def _simulate_gpu() -> None:
    sys.path.append(str(ROOT / "tests"))
    import pytest
    import simulated_cuda  # type: ignore[import-not-found]

    patch = pytest.MonkeyPatch()
    simulated_cuda.install(patch, simulated_cuda.Gpu())
    patch.setattr(ctypes, "CDLL", Libraries)


def _await_server() -> None:
    """Once the command listens, send it a photograph twice, then Ctrl-C.

    The interpreter tells of every socket that gets an address; the first is the server's.
    """
    heard: list[socket.socket] = []

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.bind" and not heard:
            heard.append(arguments[0])
            threading.Thread(target=_ask, args=(heard[0],), daemon=True).start()

    sys.addaudithook(hear)


def _ask(listener: socket.socket) -> None:
    """End this process where the server gives no proper answer."""
    while (port := listener.getsockname()[1]) == 0 or not _listens(port):
        time.sleep(_LOOK_S)
    answers = [_answer(port) for _ in range(2)]
    if not all(status in _ANSWERS and (status == 200) == is_png for status, is_png in answers):
        os.write(2, f"answers: {answers}\n".encode())
        os._exit(_WRONG_ANSWER)
    os.kill(os.getpid(), signal.SIGINT)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answer(port: int) -> tuple[int, bool]:
    """Return (status, whether a PNG came) for one photograph."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/upscale",
        _PHOTO.read_bytes(),
        {"Content-Type": "application/octet-stream"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().startswith(b"\x89PNG")
    except urllib.error.HTTPError as error:
        return error.code, False
