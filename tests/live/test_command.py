"""`edgesr live` as users run it, and as cameras, disks and impatient people end it."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from gst import children_of, ended, frames_of, has_rows, is_alive, live, needs_gst, until
from x_windows import close_windows

from edgesr.cli import main

Maker = Callable[..., Path]
RECORDED = 25  # frames, at 5 a second
# Which networks there are, beside those that come with weights, is known with torch alone.
HAS_TORCH = importlib.util.find_spec("torch") is not None
UNKNOWN = "no network is called 'nothing'" if HAS_TORCH else "no onnx file of 'nothing'"
SMALL = ("--size", "64x48", "--fps", "10", "--power", "none")


@pytest.fixture(scope="module")
def nearest(make_nearest: Maker) -> str:
    """A network that repeats every pixel four times, in tiles of 64."""
    return str(make_nearest(tile=64))


def recorded(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start the command with a record of its frames, which `has_rows` reads while it runs."""
    return live(*arguments, *SMALL, "--record", folder / "rows.csv")


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
@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_a_recording_through_a_network(ending: str, nearest: str, tmp_path: Path) -> None:
    """Colours of a recording come out enlarged, in order, at its pace; and the figures add up."""
    source, sink, rows = tmp_path / "in.avi", tmp_path / f"out.{ending}", tmp_path / "rows.csv"
    writer = cv2.VideoWriter(str(source), cv2.VideoWriter_fourcc(*"MJPG"), 5, (96, 64))
    assert writer.isOpened()
    for number in range(RECORDED):
        frame = np.full((64, 96, 3), 8 * number + 20, np.uint8)
        writer.write(frame)
    writer.release()
    process = live(
        *("--source", source, "--sink", sink, "-m", nearest, "--power", "none"),
        *("--record", rows, "--json"),
    )
    with ended(process):
        status, out, err = result(process)
    assert (status, err) == (0, "")
    figures = json.loads(out)
    frames = frames_of(sink)
    assert figures["ended"] == "end of the stream"
    assert figures["input_size"] == [96, 64] and figures["output_size"] == [384, 256]
    assert figures["interval_ms"] == pytest.approx(200) and figures["limit_ms"] == 400
    assert figures["power"] == {
        "source": "none",
        "mean_w": None,
        "reason": "power was not asked for",
    }
    assert figures["captured"] == RECORDED
    assert figures["shown"] + figures["superseded"] + figures["expired"] == RECORDED
    assert figures["shown"] == len(frames) >= 5
    assert figures["shown_late"] == 0 and figures["age_ms"]["max"] <= 400
    table = [line.split(",") for line in rows.read_text().splitlines()[1:]]
    numbers = [int(row[0]) for row in table if row[1] == "shown"]
    grey = [float(frame[-64:, -64:].mean()) for frame in frames]
    np.testing.assert_allclose(grey, [8 * number + 20 for number in numbers], atol=2)
    assert frames[0].shape == (256, 384, 3)
    assert (frames[0][:40, :200] > 220).any()  # letters
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.avi", sink.name, "rows.csv"]


@needs_gst
def test_power_and_temperature_of_the_board(nearest: str, tmp_path: Path) -> None:
    log = tmp_path / "tegrastats.log"
    log.write_text(
        "".join(
            f"07-21-2025 16:33:{second:02d} RAM 1000/7620MB (lfb 2x4MB) CPU [5%@1510,2%@1510] "
            "cpu@41C tj@52.5C VDD_IN 7250mW/7250mW VDD_SOC 900mW/900mW\n"
            for second in range(60)
        )
    )
    process = live(
        *("--source", "test://red", "--sink", tmp_path / "out.mkv", "-m", nearest, "--json"),
        *("--size", "160x90", "--fps", "5", "--duration-s", "6", "--power", f"replay:{log}"),
    )
    with ended(process):
        status, out, err = result(process)
    assert (status, err) == (0, "")
    figures = json.loads(out)
    assert figures["power"]["source"] == "replay"
    assert figures["power"]["mean_w"] == pytest.approx(7.25)
    assert figures["temperature_max_c"] == 52.5


@needs_gst
@pytest.mark.parametrize(
    ("ending", "number"),
    [
        ("mkv", signal.SIGINT),
        ("mp4", signal.SIGINT),
        ("mp4", signal.SIGTERM),
        ("mkv", signal.SIGHUP),
    ],
)
def test_ctrl_c_or_a_closed_terminal_leaves_a_whole_file(
    ending: str, number: signal.Signals, nearest: str, tmp_path: Path
) -> None:
    sink = tmp_path / f"out.{ending}"
    process = live(
        *("--source", "test", "--sink", sink, "-m", nearest, *SMALL),
        *("--record", tmp_path / "rows.csv"),
    )
    with ended(process):
        until(lambda: has_rows(tmp_path, "shown", 5))
        children = children_of(process.pid)
        assert len(children) == 2
        process.send_signal(number)
        status, out, err = result(process)
        assert (status, err) == (0, "")
        assert not any(is_alive(pid) for pid in children.values())
    shown = int(out.split()[0])
    assert shown >= 5 and len(frames_of(sink)) == shown
    assert out.count("\n") == 1 and "power unknown" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == [sink.name, "rows.csv"]


@needs_gst
def test_a_source_that_dies_leaves_what_was_shown(nearest: str, tmp_path: Path) -> None:
    sink = tmp_path / "out.mkv"
    process = recorded(tmp_path, "--source", "test", "--sink", sink, "-m", nearest)
    with ended(process):
        until(lambda: has_rows(tmp_path, "shown", 5))
        os.kill(children_of(process.pid)["source"], signal.SIGKILL)
        status, out, err = result(process)
    assert status == 1
    assert err == "error: test: GStreamer's process of the source ended with status -9\n"
    assert int(out.split()[0]) == len(frames_of(sink)) >= 5


@needs_gst
def test_a_source_or_a_sink_that_stalls_is_given_up(nearest: str, tmp_path: Path) -> None:
    """Both after the same ten seconds, so both at once."""
    runs = {}
    with ExitStack() as both:
        for part in ("source", "sink"):
            folder = tmp_path / part
            folder.mkdir()
            sink = folder / "out.mkv"
            process = recorded(folder, "--source", "test", "--sink", sink, "-m", nearest)
            both.enter_context(ended(process))
            runs[part] = process, sink
        children = {}
        for part, (process, sink) in runs.items():
            until(partial(has_rows, sink.parent, "shown", 5))
            children[part] = children_of(process.pid)
            os.kill(children[part][part], signal.SIGSTOP)
        process, sink = runs["source"]
        status, out, err = result(process)
        assert (status, err) == (1, "error: test: the source has sent no frame for 10 s\n")
        assert int(out.split()[0]) == len(frames_of(sink)) >= 5
        process, sink = runs["sink"]
        status, out, err = result(process)
        assert (status, out) == (1, "")
        assert err == f"error: {sink}: the sink has taken nothing for 10 s\n"
        assert list(sink.parent.iterdir()) == []
        assert not any(is_alive(pid) for each in children.values() for pid in each.values())


@needs_gst
def test_a_sink_that_dies_leaves_no_half_file(nearest: str, tmp_path: Path) -> None:
    sink = tmp_path / "out.mp4"
    sink.write_bytes(b"precious")
    process = recorded(tmp_path, "--source", "test", "--sink", sink, "--overwrite", "-m", nearest)
    with ended(process):
        until(lambda: has_rows(tmp_path, "shown", 5))
        children = children_of(process.pid)
        os.kill(children["sink"], signal.SIGKILL)
        status, out, err = result(process)
        assert not any(is_alive(pid) for pid in children.values())
    assert (status, out) == (1, "")
    assert err == f"error: {sink}: GStreamer's process of the sink ended with status -9\n"
    assert sink.read_bytes() == b"precious"
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@needs_gst
def test_a_full_disk(nearest: str, tiny_disk: Path) -> None:
    sink = tiny_disk / "out.mkv"
    message = wrong("--source", "test://snow", "--sink", sink, "-m", nearest, *SMALL)
    assert message.startswith(f"{sink}: the sink failed: ")
    assert "No space left" in message
    assert list(tiny_disk.iterdir()) == []


@needs_gst
def test_nothing_lives_on_when_it_is_killed(nearest: str, tmp_path: Path) -> None:
    sink = tmp_path / "a.mkv"
    process = recorded(tmp_path, "--source", "test", "--sink", sink, "-m", nearest)
    with ended(process):
        until(lambda: has_rows(tmp_path, "shown"))
        children = children_of(process.pid)
        process.kill()
        process.wait()
        until(lambda: not any(is_alive(pid) for pid in children.values()), 20)


@needs_gst
def test_an_engine_that_is_too_slow_is_told_with_the_rate_that_it_holds(
    make_nearest: Maker, tmp_path: Path
) -> None:
    """Tiles of 4 pixels: some thousands of calls a frame."""
    slow = make_nearest(tile=4)
    message = wrong(
        *("--source", "test", "--size", "320x240", "--fps", "60", "--power", "none"),
        *("--sink", tmp_path / "a.mkv", "-m", slow, "--duration-s", "2"),
    )
    assert "no frame could be shown in time: one takes " in message
    assert "two intervals of the source are 33 ms\n  try: " in message
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def screen() -> Iterator[str]:
    """A virtual screen of 512x384, as DISPLAY names it."""
    if shutil.which("Xvfb") is None or shutil.which("ffmpeg") is None:
        pytest.skip("Xvfb or ffmpeg is not installed")
    name = f":{90 + os.getpid() % 900}"
    server = subprocess.Popen(
        ["Xvfb", name, "-screen", "0", "512x384x24", "-nolisten", "tcp", "-noreset"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: Path(f"/tmp/.X11-unix/X{name[1:]}").exists(), 20)
        yield name
    finally:
        server.terminate()
        server.wait()


@needs_gst
def test_a_window_shows_the_picture_until_it_is_closed(
    screen: str, nearest: str, tmp_path: Path
) -> None:
    """What stands on a screen, as another program sees it; its user then closes the window."""
    process = live(
        *("--source", "test://red", "--sink", "window", "-m", nearest, *SMALL, "--json"),
        *("--record", tmp_path / "rows.csv"),
        environment={**os.environ, "DISPLAY": screen},
    )
    with ended(process):
        until(lambda: has_rows(tmp_path, "shown", 10) or process.poll() is not None)
        shot = tmp_path / "shot.png"
        subprocess.run(
            [
                *("ffmpeg", "-v", "error", "-f", "x11grab", "-video_size", "512x384"),
                *("-i", screen, "-frames:v", "1", str(shot)),
            ],
            check=True,
        )
        close_windows(screen)
        status, out, err = result(process)
    assert (status, err) == (0, "")
    figures = json.loads(out)
    assert figures["ended"] == "window closed" and figures["shown"] >= 10
    picture = cv2.imread(str(shot)).astype(int)
    red = (picture[:, :, 2] > 200) & (picture[:, :, 1] < 40) & (picture[:, :, 0] < 40)
    light = (picture > 200).all(axis=2)
    assert red.sum() > 256 * 192 / 2 and light.sum() > 50, (red.sum(), light.sum())
