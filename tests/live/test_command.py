"""What `edgesr live` refuses, and what it says of sources and sinks that cannot be used."""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gst import (
    SMALL,
    needs_gst,
    wrong,
)

from edgesr.cli import main

Maker = Callable[..., Path]
# Which networks there are, beside those that come with weights, is known with torch alone.
HAS_TORCH = importlib.util.find_spec("torch") is not None
UNKNOWN = "no network is called 'nothing'" if HAS_TORCH else "no onnx file of 'nothing'"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--source", "/dev/video77"],
            "/dev/video77: there is no such camera\n  try: ls /dev/video*",
        ),
        (["--source", "/dev/null"], "/dev/null: the source failed: "),
        (["--source", "no.mp4"], "no.mp4: cannot be read (No such file or directory)\n  try: "),
        (["--source", "."], ".: is no file\n  try: "),
        (["--source", "empty.mp4"], "empty.mp4: the file is empty\n  try: ls -l empty.mp4"),
        (["--source", "http://a/b"], "--source: 'http://a/b' cannot be used\n  try: "),
        (["--source", "rtsp://"], "--source: 'rtsp://' cannot be used\n  try: "),
        (["--source", "rtsp://a:b/c"], "--source: 'rtsp://a:b/c' cannot be used\n  try: "),
        (["--source", "test", "--sink", "a.avi"], "--sink: no sink is called 'a.avi'\n  try: "),
        (["--source", "test", "--sink", "udp://a"], "--sink: 'udp://a' cannot be used\n  try: "),
        (["--source", "test", "--sink", "no/a.mkv"], "no/a.mkv: cannot write here (No such file"),
        (
            ["--source", "test", "--sink", "there.mkv"],
            "there.mkv: is there already\n  try: --overw",
        ),
        (["--source", "test", "--record", "there.mkv"], "there.mkv: is there already\n  try: --ov"),
        (
            ["--source", "test", "--size", "8x8"],
            "--size: a size is width x height, each from 16 ",
        ),
        (["--source", "test", "--sink", "rtsp", "--overwrite"], "--overwrite: does nothing where"),
        (["--source", "test", "--sink", "window"], "--sink window: there is no screen here"),
        (["--source", "test", "-m", "nothing"], UNKNOWN),
        (["--source", "test", "--power", "guess"], "--power: no power source is called 'guess'"),
    ],
)
def test_what_cannot_be_is_said_before_anything_starts(
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "there.mkv").write_bytes(b"precious")
    if "--sink" not in options:
        options = [*options, "--sink", "out.mkv"]
    with pytest.raises(SystemExit) as stopped:
        main(["live", "-m", "esr-fast", *options])
    out, err = capsys.readouterr()
    assert (stopped.value.code, out) == (1, "")
    assert err.startswith(f"error: {message}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.mp4", "there.mkv"]
    assert (tmp_path / "there.mkv").read_bytes() == b"precious"


def test_without_gstreamer_the_packages_are_named(nearest: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": str(tmp_path)}
    message = wrong(
        *("--source", "test", "--sink", tmp_path / "a.mkv", "-m", nearest, *SMALL),
        environment=environment,
    )
    assert message.startswith("GStreamer's gst-launch-1.0 is not installed\n  try: sudo apt instal")
    assert list(tmp_path.iterdir()) == []


@needs_gst
def test_an_element_that_is_missing_names_its_package(nearest: str, tmp_path: Path) -> None:
    """A Jetson's elements are not here: the board can be named, as in a container."""
    video = tmp_path / "a.mkv"
    video.write_bytes(b"no matter")
    environment = {**os.environ, "EDGESR_BOARD": "jetson-agx-orin"}
    message = wrong(
        *("--source", video, "--sink", tmp_path / "b.mkv", "-m", nearest, *SMALL),
        environment=environment,
    )
    assert message == (
        f"{video}: GStreamer has no element nvv4l2decoder here\n"
        "  try: sudo apt install nvidia-l4t-gstreamer"
    )


@needs_gst
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("text.mp4", "This appears to be a text file"),
        ("noise.mp4", "Could not determine type of stream"),
        ("sound.wav", "failed"),
        ("test://nothing", 'could not set property "pattern"'),
        ("rtsp://127.0.0.1:9/x", "Failed to connect"),
    ],
)
def test_a_source_without_video_is_one_line(
    source: str, words: str, nearest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.mp4").write_text("Dear diary,\n" * 100)
    Path("noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    Path("sound.wav").write_bytes(
        b"RIFF" + (36 + 8000).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0"
        b"\x80\x3e\0\0\2\0\x10\0data" + (8000).to_bytes(4, "little") + bytes(8000)
    )
    message = wrong("--source", source, "--sink", "out.mkv", "-m", nearest, "--power", "none")
    assert message.startswith(f"{source}: ") and words in message
    assert not Path("out.mkv").exists()
    assert not list(tmp_path.glob(".*"))


@needs_gst
def test_a_server_that_is_not_there(nearest: str) -> None:
    sink = "rtsp://127.0.0.1:9/live"
    message = wrong("--source", "test", "--sink", sink, "-m", nearest, *SMALL)
    assert message.startswith(f"{sink}: the sink failed: ") and "Failed to connect" in message


@needs_gst
def test_an_engine_that_is_too_slow_is_told_with_the_rate_that_it_holds(
    make_nearest: Maker, tmp_path: Path
) -> None:
    """Tiles of 4 pixels: more than a thousand calls a frame."""
    slow = make_nearest(tile=4)
    message = wrong(
        *("--source", "test", "--size", "160x120", "--fps", "60", "--power", "none"),
        *("--sink", tmp_path / "a.mkv", "-m", slow, "--duration-s", "2"),
    )
    assert "no frame could be shown in time: one takes " in message
    assert "two intervals of the source are 33 ms\n  try: " in message
    assert list(tmp_path.iterdir()) == []
