"""Animations through `edgesr upscale`, judged by ffmpeg and OpenCV, which did not make them."""

import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

Run = Callable[..., Any]
TIMES_MS = [40, 100, 250, 70, 500]


def drawn(transparent: bool) -> list[Image.Image]:
    """A disc that moves, over nothing or over blue."""
    frames = []
    for step in range(len(TIMES_MS)):
        frame = Image.new("RGBA", (40, 30), (0, 0, 0, 0) if transparent else (20, 90, 200, 255))
        place = (5 * step, 5, 5 * step + 12, 17)
        ImageDraw.Draw(frame).ellipse(place, fill=(255, 40 * step, 10, 255))
        frames.append(frame)
    return frames


def save(path: Path, transparent: bool = True, **options: Any) -> Path:
    frames = drawn(transparent)
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=TIMES_MS, **options)
    return path


def shown(path: Path) -> tuple[np.ndarray, list[int], int]:
    """Return what OpenCV shows: frames over black, their times and the count of plays."""
    ok, animation = cv2.imreadanimation(str(path))
    assert ok
    frames = np.stack(animation.frames).astype(np.float64)
    return (
        frames[..., :3] * (frames[..., 3:] / 255) if frames.shape[3] == 4 else frames,
        [int(ms) for ms in animation.durations],
        int(animation.loop_count),
    )


@pytest.mark.parametrize("transparent", [True, False])
@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_frames_times_and_plays_are_kept(
    name: str, transparent: bool, upscale: Run, tmp_path: Path
) -> None:
    source = save(
        tmp_path / name, transparent, loop=3, **({"lossless": True} if "w" in name else {})
    )
    done = upscale(name)
    assert done.returncode == 0, done.stderr
    result = tmp_path / name.replace(".", "_x2.")
    before, times, plays = shown(source)
    after, result_times, result_plays = shown(result)
    assert result_times == times == TIMES_MS
    assert result_plays == plays
    np.testing.assert_array_equal(after, before.repeat(2, axis=1).repeat(2, axis=2))


@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_ffmpeg_shows_the_same_gif(disposal: int, upscale: Run, tmp_path: Path) -> None:
    source = save(tmp_path / "a.gif", disposal=disposal)
    assert upscale("a.gif").returncode == 0

    def decode(path: Path, width: int, height: int) -> np.ndarray:
        command = ["ffmpeg", "-v", "error", "-i", str(path), "-vsync", "passthrough"]
        command += ["-f", "rawvideo", "-pix_fmt", "rgba", "-"]
        raw = subprocess.run(command, capture_output=True, check=True).stdout
        pixels = np.frombuffer(raw, np.uint8).reshape(-1, height, width, 4)
        return np.where(pixels[..., 3:] > 0, pixels, 0)  # the colour of nothing is anyone's

    small = decode(source, 40, 30).repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(decode(tmp_path / "a_x2.gif", 80, 60), small)


def test_a_gif_without_a_count_is_shown_once(upscale: Run, tmp_path: Path) -> None:
    save(tmp_path / "a.gif")
    assert upscale("a.gif").returncode == 0
    assert b"NETSCAPE2.0" not in (tmp_path / "a_x2.gif").read_bytes()


@pytest.mark.parametrize(("wanted", "loop"), [("webp", 4), ("png", 4)])
def test_a_gif_becomes_another_kind(wanted: str, loop: int, upscale: Run, tmp_path: Path) -> None:
    save(tmp_path / "a.gif", loop=3)  # three repeats: four plays
    assert upscale("a.gif", "-f", wanted).returncode == 0
    _, times, plays = shown(tmp_path / f"a_x2.{wanted}")
    assert (times, plays) == (TIMES_MS, loop)


def test_many_colours_become_a_palette(upscale: Run, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2, 30, 40, 3), np.uint8)
    frames = [Image.fromarray(cv2.GaussianBlur(frame, (9, 9), 3)) for frame in noise]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:], duration=100)
    assert upscale("a.png", "-o", "a.gif").returncode == 0
    large, _, _ = shown(tmp_path / "a.gif")
    small, _, _ = shown(tmp_path / "a.png")
    assert np.abs(large - small.repeat(2, axis=1).repeat(2, axis=2)).mean() < 4


def test_a_single_gif_is_read(upscale: Run, tmp_path: Path) -> None:
    drawn(transparent=False)[0].convert("RGB").save(tmp_path / "a.gif")
    assert upscale("a.gif").returncode == 0
    with Image.open(tmp_path / "a_x2.gif") as result:
        assert result.size == (80, 60)


def test_a_still_format_takes_the_first_frame(upscale: Run, tmp_path: Path) -> None:
    save(tmp_path / "a.png", transparent=False)
    done = upscale("a.png", "-f", "tiff")
    assert done.returncode == 0
    assert "only the first of its 5 frames was taken" in done.stdout


def test_a_gif_becomes_no_still_picture_and_the_way_out_is_said(
    upscale: Run, tmp_path: Path
) -> None:
    save(tmp_path / "a.gif", transparent=False)
    for arguments in (("a.gif", "-f", "jpg"), (".", "-o", "large/")):
        refused = upscale(*arguments)
        assert refused.returncode == 1
        assert "edgesr upscale FILE.gif" in refused.stderr


def test_no_result_replaces_a_picture_or_another_result(upscale: Run, tmp_path: Path) -> None:
    save(tmp_path / "a.gif", transparent=False)
    save(tmp_path / "b.png", transparent=False)
    drawn(transparent=False)[0].convert("RGB").save(tmp_path / "a.jpg")
    drawn(transparent=False)[0].save(tmp_path / "b_x2.png")
    before = (tmp_path / "b_x2.png").read_bytes()
    one = upscale("a.gif", "a.jpg", "-f", "png")
    assert one.returncode == 1
    assert one.stderr.startswith("error: a.jpg: its result would replace that of a.gif")
    with Image.open(tmp_path / "a_x2.png") as result:
        assert getattr(result, "n_frames", 1) == len(TIMES_MS)
    other = upscale("b.png", "b_x2.png", "--overwrite")
    assert other.returncode == 1
    assert other.stderr.startswith("error: b.png: its result would replace an input")
    assert (tmp_path / "b_x2.png").read_bytes() == before


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_cut_animations_are_refused(name: str, share: float, upscale: Run, tmp_path: Path) -> None:
    data = save(tmp_path / name, transparent=False).read_bytes()
    (tmp_path / name).write_bytes(data[: int(share * len(data))])
    done = upscale(name)
    assert done.returncode == 1 or "no end mark" in done.stdout
    if done.returncode:
        assert "damaged or cut short" in done.stderr
        assert [path.name for path in tmp_path.iterdir()] == [name]


def test_many_large_frames_are_refused(
    upscale: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "a.gif")
    monkeypatch.setenv("EDGESR_MAX_MEGAPIXELS", "0.005")
    done = upscale("a.gif")
    assert done.returncode == 1
    assert "the frames of the GIF file are together more than the limit" in done.stderr


@pytest.mark.long
def test_very_many_tiny_frames_are_refused(upscale: Run, tmp_path: Path) -> None:
    """A network takes as long for a pixel as for a tile, so a frame counts as a tile at least."""
    head = b"GIF89a" + struct.pack("<HH", 24, 20) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    frame = b"\x21\xf9\x04\0\4\0\0\0" + b"\x2c\0\0\0\0\1\0\1\0\0" + b"\x02\x02\x44\x01\0"
    (tmp_path / "a.gif").write_bytes(head + 40_000 * frame + b";")
    done = upscale("a.gif")
    assert done.returncode == 1
    assert "the frames of the GIF file are together more than the limit of 128" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]


@pytest.mark.parametrize("frames", [0, 0xFFFF_FFFF])
def test_a_png_that_says_what_it_cannot_have_is_no_still_picture(
    frames: int, upscale: Run, tmp_path: Path
) -> None:
    data = bytearray(save(tmp_path / "a.png").read_bytes())
    at = data.index(b"acTL")
    data[at + 4 : at + 8] = struct.pack(">I", frames)
    data[at + 12 : at + 16] = struct.pack(">I", zlib.crc32(data[at : at + 12]))
    (tmp_path / "a.png").write_bytes(data)
    done = upscale("a.png")
    assert done.returncode == 1
    assert "the PNG file is damaged or cut short" in done.stderr
