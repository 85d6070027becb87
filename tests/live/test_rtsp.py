"""Streams from, and to, a real RTSP server on this machine."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest
from gst import ended, frames_of, has_rows, live, needs_gst, until

SYSTEM_PYTHON = "/usr/bin/python3"
NEEDED = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0');"
    "from gi.repository import Gst, GstRtspServer; Gst.init(None);"
    "assert all(map(Gst.ElementFactory.find, ('rtspclientsink', 'rtspsrc', 'avdec_h264')))"
)


@pytest.fixture(scope="module")
def nearest(make_nearest: Callable[..., Path]) -> str:
    return str(make_nearest(tile=64))


def has_server() -> bool:
    try:
        return (
            subprocess.run(
                [SYSTEM_PYTHON, "-c", NEEDED], capture_output=True, check=False
            ).returncode
            == 0
        )
    except OSError:
        return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """A server: its process, its address, and the folder of published frames."""
    if not has_server():
        pytest.skip("python3-gi, gir1.2-gst-rtsp-server-1.0 or gstreamer1.0-rtsp is missing")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path / "published"
    folder.mkdir()
    script = Path(__file__).parent / "rtsp_server.py"
    process = subprocess.Popen(
        [SYSTEM_PYTHON, str(script), str(port), str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield process, f"rtsp://127.0.0.1:{port}", folder
    finally:
        process.kill()
        process.communicate()


@needs_gst
def test_a_stream_is_read_until_its_server_is_gone(
    server: tuple[subprocess.Popen[str], str, Path], nearest: str, tmp_path: Path
) -> None:
    process, address, _ = server
    sink = tmp_path / "out.mkv"
    command = live(
        *("--source", f"{address}/ball", "--sink", sink, "-m", nearest, "--power", "none"),
        *("--record", tmp_path / "rows.csv", "--fps", "5"),
    )
    with ended(command):
        until(lambda: has_rows(tmp_path, "shown", 10) or command.poll() is not None)
        process.kill()
        out, err = command.communicate(timeout=60)
    assert command.returncode == 1
    assert err.startswith(f"error: {address}/ball: ") and err.count("\n") == 1
    frames = frames_of(sink)
    assert len(frames) == int(out.split()[0]) >= 10
    assert frames[0].shape == (480, 640, 3)
    assert any((frame[200:] > 200).any() for frame in frames)  # the ball


@needs_gst
def test_a_stream_that_the_server_does_not_have(
    server: tuple[subprocess.Popen[str], str, Path], nearest: str, tmp_path: Path
) -> None:
    _, address, _ = server
    command = live("--source", f"{address}/no", "--sink", tmp_path / "a.mkv", "-m", nearest)
    with ended(command):
        out, err = command.communicate(timeout=60)
    assert (command.returncode, out) == (1, "")
    assert err == f"error: {address}/no: the source failed: Not found (Not Found (404))\n"


@needs_gst
def test_frames_that_are_shown_are_published(
    server: tuple[subprocess.Popen[str], str, Path], nearest: str
) -> None:
    _, address, folder = server
    command = live(
        *("--source", "test://red", "--size", "64x48", "--fps", "5", "--power", "none"),
        *("--sink", f"{address}/live", "-m", nearest, "--duration-s", "6"),
    )
    with ended(command):
        out, err = command.communicate(timeout=60)
    assert (command.returncode, err) == (0, ""), err
    shown = int(out.split()[0])
    assert shown >= 5
    until(lambda: len(list(folder.iterdir())) >= shown - 1, 20)
    time.sleep(0.5)
    # This server may stop before it has decoded the last frame.
    assert shown - 1 <= len(list(folder.iterdir())) <= shown
    picture = cv2.imread(str(folder / "00002.png"))
    assert picture.shape == (192, 256, 3)
    blue, green, red = picture[-30:, -30:].reshape(-1, 3).mean(axis=0)
    assert red > 240 and green < 15 and blue < 15
