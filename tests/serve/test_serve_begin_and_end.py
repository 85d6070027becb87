"""From the command line to Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from running_server import Running

EDGESR = [sys.executable, "-m", "edgesr"]


@pytest.fixture
def large() -> bytes:
    """A picture that takes a while."""
    noise = np.random.default_rng(1).integers(0, 256, (400, 500, 3), np.uint8)
    ok, data = cv2.imencode(".png", noise)
    assert ok
    return data.tobytes()


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, marks=pytest.mark.long), signal.SIGTERM]
)
def test_what_is_in_line_is_finished(
    start: Callable[..., Running], large: bytes, number: signal.Signals
) -> None:
    server = start("-m", "espcn")
    with ThreadPoolExecutor(2) as clients:
        asked = [clients.submit(server.ask, "POST", "/upscale", large) for _ in range(2)]
        server.wait_until_taken(2)
        assert server.end(number) == 0
        for answer in asked:
            assert answer.result().status == 200
            pixels = cv2.imdecode(np.frombuffer(answer.result().body, np.uint8), -1)
            assert pixels.shape == (1600, 2000, 3)
    assert server.text().endswith("ended\n")


def test_a_second_ctrl_c_ends_at_once(start: Callable[..., Running], large: bytes) -> None:
    server = start("-m", "student", "--threads", "1")  # many seconds of work
    with ThreadPoolExecutor(1) as client:
        asked = client.submit(server.ask, "POST", "/upscale", large)
        server.wait_until_taken(1)
        server.process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(1)
        assert server.end(signal.SIGINT) == 0
        assert isinstance(asked.exception(), OSError)


def run(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*EDGESR, *options],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.usefixtures("extra")
def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run("serve", "-m", "esr-fast", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr == (
        f"error: 127.0.0.1:{port}: cannot listen there (Address already in use)\n"
        f"  try: --port {port + 1}\n"
    )


@pytest.mark.usefixtures("extra")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host", "no.such.host.invalid"], "--host no.such.host.invalid: no such address"),
        (["--host", "192.0.2.1"], "(Cannot assign requested address)\n  try: --host 0"),
        (["-m", "student", "--tile", "7"], "made for tiles of 64, not 7"),
        (["-m", "student", "--overlap", "64"], "overlap"),
        (["-m", "no/such.onnx"], "no/such.onnx"),
    ],
)
def test_what_cannot_be_started(options: list[str], message: str) -> None:
    done = run("serve", *(["--port", "0"] if "--host" not in options else []), *options)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_extra(tmp_path: Path) -> None:
    """A machine without the packages is told which extra brings them."""
    for package in ("starlette", "uvicorn"):
        (tmp_path / f"{package}.py").write_text(
            f"raise ModuleNotFoundError('gone', name={package!r})"
        )
    done = run("serve", "-m", "esr-fast", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "needs the Python package" in done.stderr
    assert "pip install 'edgesr[serve]'" in done.stderr


def test_localhost_unless_told_otherwise(start: Callable[..., Running]) -> None:
    server = start("-m", "esr-fast")
    listening = Path(f"/proc/{server.process.pid}/net/tcp").read_text()
    assert f"0100007F:{server.port:04X} 00000000:0000 0A" in listening
    everywhere = start("-m", "esr-fast", "--host", "0.0.0.0")
    assert f"http://localhost:{everywhere.port}/" in everywhere.text()
    assert everywhere.ask("GET", "/health").status == 200


def test_the_limit_on_pixels_can_be_raised(start: Callable[..., Running]) -> None:
    """The same limit, from the same option, as for all commands."""
    noise = np.zeros((2100, 2000, 3), np.uint8)
    ok, data = cv2.imencode(".png", noise)
    assert ok
    os.environ["EDGESR_MAX_MEGAPIXELS"] = "4"
    try:
        server = start("-m", "esr-fast")
    finally:
        del os.environ["EDGESR_MAX_MEGAPIXELS"]
    answer = server.ask("POST", "/upscale", data.tobytes())
    assert answer.status == 413
    assert "4.2 megapixels, more than the limit of 4" in answer.refusal()["what"]
    ok, data = cv2.imencode(".png", np.zeros((1400, 1500, 4), np.uint16))  # 17 MB in memory
    assert ok
    answer = server.ask("POST", "/upscale", data.tobytes())
    assert answer.status == 413
    assert answer.refusal()["what"] == (
        "a picture of 16 bits and 4 channels counts 2.7 times here: 5.6 megapixels, "
        "more than the limit of 4"
    )


@pytest.mark.usefixtures("extra")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_terminal_that_is_gone(unbuffered: str, tmp_path: Path) -> None:
    """Lines that nobody takes are no reason to end, nor to say so at the end."""
    with Path("/dev/full").open("w") as full:
        code = [*EDGESR, "serve", "-m", "esr-fast", "--port", str(free_port())]
        environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
        process = subprocess.Popen(code, stdout=full, stderr=subprocess.PIPE, env=environment)
        other = Running(int(code[-1]), process, tmp_path / "none")
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                try:
                    assert other.ask("GET", "/health").status == 200
                    break
                except ConnectionRefusedError:
                    assert process.poll() is None
                    time.sleep(0.05)
            assert other.ask("GET", "/health").status == 200
            assert other.end() == 0
        finally:
            process.kill()
            process.wait()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        process.stderr.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
