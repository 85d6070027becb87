"""What `edgesr live` shows and writes: the frames, figures, power, a window."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from gst import SMALL, ended, frames_of, has_rows, live, needs_gst, result, until
from x_windows import close_windows

Maker = Callable[..., Path]
RECORDED = 25  # frames, at 5 a second


@needs_gst
@pytest.mark.parametrize("ending", [pytest.param("mkv", marks=pytest.mark.long), "mp4"])
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
