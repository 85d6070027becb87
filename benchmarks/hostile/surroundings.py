"""What some commands need around them: a GPU, or somebody who asks a server for something."""

import os
import signal
import socket
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
GPU, CLIENT = "gpu", "client"
_PHOTO = ROOT / "tests/data/photo.png"
_WRONG_ANSWER = 70
_ANSWERS = (200, 500, 503, 507)


def put_around(what: str) -> None:
    """Put it around the command that this process is about to run; "" is nothing."""
    if what == GPU:
        _simulate_gpu()
    elif what == CLIENT:
        _await_server()


def _simulate_gpu() -> None:
    sys.path.append(str(ROOT / "tests"))
    import pytest
    import simulated_cuda

    from edgesr.boards.gpu import Gpu
    from edgesr.engine import find

    patch = pytest.MonkeyPatch()
    simulated_cuda.install(patch, simulated_cuda.Gpu())
    patch.setattr(find, "first_gpu", lambda: Gpu("Orin", "8.7", "12.6"))


def _await_server() -> None:
    """Once the command listens, send it a photograph twice, then Ctrl-C."""
    from edgesr.serve import server

    listen = server.listen

    def heard(*arguments: Any) -> socket.socket:
        listener = listen(*arguments)
        port = listener.getsockname()[1]
        threading.Thread(target=_ask, args=(port,), daemon=True).start()
        return listener

    server.listen = heard


def _ask(port: int) -> None:
    """End this process where the server gives no proper answer."""
    answers = [_answer(port) for _ in range(2)]
    if not all(status in _ANSWERS and (status == 200) == is_png for status, is_png in answers):
        os.write(2, f"answers: {answers}\n".encode())
        os._exit(_WRONG_ANSWER)
    os.kill(os.getpid(), signal.SIGINT)


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
