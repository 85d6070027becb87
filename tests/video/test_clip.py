"""Clips through `edgesr upscale`, judged by ffprobe and ffmpeg, which are not what made them."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.video.judge import clip, differences, probe, see

Run = Callable[..., Any]
X264 = ("-c:v", "libx264", "-bf", "3")


def ffmpeg(*arguments: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


def pixels(path: Path, size: tuple[int, int], pixel_format: str = "rgb24") -> np.ndarray:
    """Decode with ffmpeg: (frames, height, width, 3)."""
    command = ["ffmpeg", "-v", "error", "-noautorotate", "-i", str(path), "-map", "0:v:0"]
    command += ["-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", pixel_format, "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, size[1], size[0], 3)


@pytest.fixture
def rich(tmp_path: Path) -> Path:
    """A clip with all that a phone and an editor put into one; a frame in seven is missing."""
    (tmp_path / "words.srt").write_text("1\n00:00:00,200 --> 00:00:00,900\nGrüße\n")
    chapters = "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n"
        for start, end, title in ((0, 800, "First"), (800, 2400, "Second"))
    )
    (tmp_path / "chapters.txt").write_text(f";FFMETADATA1\ntitle=A clip\n{chapters}")
    plain = clip(tmp_path / "plain.mp4", 2.4, "64x48", *X264, "-c:a", "aac")
    mixed = tmp_path / "mixed.mp4"
    ffmpeg(
        *("-i", plain, "-i", tmp_path / "words.srt", "-i", tmp_path / "chapters.txt"),
        *("-map", "0:v", "-map", "0:a", "-map", "1", "-map_metadata", 2, "-map_chapters", 2),
        *("-vf", r"select=not(eq(mod(n\,7)\,3)),setpts=PTS+0.013/TB*mod(N\,2),setsar=4/3"),
        *(
            "-vsync",
            "passthrough",
            "-enc_time_base",
            "1/12800",
            *X264,
            "-c:a",
            "copy",
            "-c:s",
            "mov_text",
        ),
        *("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"),
        *("-color_range", "tv", "-metadata:s:a", "language=deu", mixed),
    )
    turned = tmp_path / "turned.mp4"
    ffmpeg(
        "-i", mixed, "-map", 0, "-map", "-0:d", "-c", "copy", "-metadata:s:v", "rotate=90", turned
    )
    for path in (plain, mixed, tmp_path / "words.srt", tmp_path / "chapters.txt"):
        path.unlink()
    return turned


def test_all_that_a_clip_holds_is_kept(rich: Path, upscale: Run, tmp_path: Path) -> None:
    done = upscale("turned.mp4")
    assert done.returncode == 0, done.stderr
    result = tmp_path / "turned_x2.mp4"
    before, after = see(rich), see(result)
    assert len(before.frame_times) == 51
    assert len(set(np.diff([float(time) for time in before.frame_times]).round(4))) > 2
    assert before.stated["rotation"]
    assert {kind for kind, *_ in before.copied} == {"audio", "subtitle"}
    assert [title for *_, title in before.chapters] == ["First", "Second"]
    assert differences(before, after, 2) == []
    assert "note:" not in done.stdout
    tags = probe("-show_entries", "format_tags=title:stream_tags=language", result)
    assert tags["format"]["tags"]["title"] == "A clip"
    assert tags["streams"][1]["tags"]["language"] == "deu"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["turned.mp4", "turned_x2.mp4"]


def test_frames_are_those_of_the_network(rich: Path, upscale: Run, tmp_path: Path) -> None:
    exact = ("-pix_fmt", "yuv444p", "-c:v", "ffv1", tmp_path / "exact.mkv")
    ffmpeg("-noautorotate", "-i", rich, "-map", "0:v", *exact)
    assert upscale("exact.mkv").returncode == 0
    small = pixels(tmp_path / "exact.mkv", (64, 48)).repeat(2, axis=1).repeat(2, axis=2)
    large = pixels(tmp_path / "exact_x2.mkv", (128, 96))
    assert large.shape == small.shape
    # Colours went from YUV to RGB and back, each rounded to 8 bits.
    assert np.abs(small.astype(int) - large).max() <= 4


@pytest.mark.parametrize(
    ("encoder", "pixel_format", "ending", "codec"),
    [
        ("libx264", "yuv420p10le", ".mp4", "h264"),
        pytest.param("libx265", "yuv420p10le", ".mp4", "hevc", marks=pytest.mark.long),
        pytest.param("libx264", "yuv444p", ".mkv", "h264", marks=pytest.mark.long),
        ("libvpx-vp9", "yuv420p", ".webm", "vp9"),
        ("libsvtav1", "yuv420p10le", ".mkv", "av1"),
        pytest.param("ffv1", "yuv422p10le", ".mkv", "ffv1", marks=pytest.mark.long),
        ("ffv1", "bgra", ".mkv", "ffv1"),
    ],
)
def test_codec_and_depth_are_kept(
    encoder: str, pixel_format: str, ending: str, codec: str, upscale: Run, tmp_path: Path
) -> None:
    source = tmp_path / f"clip{ending}"
    sound = "libopus" if ending == ".webm" else "aac"
    options = ("-c:v", encoder, "-pix_fmt", pixel_format, "-c:a", sound)
    clip(source, 0.24, "64x64", *options)
    done = upscale(source.name)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    result = tmp_path / f"clip_x2{ending}"
    (stream,) = probe("-select_streams", "v", "-show_streams", result)["streams"]
    assert (stream["codec_name"], stream["pix_fmt"]) == (codec, pixel_format)
    assert differences(see(source), see(result), 2) == []


def test_full_range_and_wide_primaries_are_kept(upscale: Run, tmp_path: Path) -> None:
    source = tmp_path / "wide.mp4"
    colours = ("-color_range", "pc", "-colorspace", "bt2020nc", "-color_primaries", "bt2020")
    depth = ("-pix_fmt", "yuv420p10le", "-color_trc", "smpte2084", "-tag:v", "hvc1")
    clip(source, 0.2, "64x64", "-c:v", "libx265", *depth, *colours)
    assert upscale(source.name).returncode == 0
    assert see(source).stated["color_transfer"] == "smpte2084"
    assert differences(see(source), see(tmp_path / "wide_x2.mp4"), 2) == []


def test_what_a_result_does_not_hold_is_said(upscale: Run, tmp_path: Path) -> None:
    source = tmp_path / "old.avi"
    clip(source, 0.2, "64x64", "-c:v", "mpeg4", "-c:a", "libmp3lame")
    done = upscale(source.name)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("old_x2.mkv  64x64 -> 128x128, 5 frames, ")
    assert "note: mpeg4 is not written here; the result is h264" in done.stdout
    assert len(see(tmp_path / "old_x2.mkv").frame_times) == 5


def test_video_with_loss_gets_the_network_for_such_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from edgesr.cli import main

    clip(tmp_path / "clip.mp4", 0.04, "32x32", *X264)
    with pytest.raises(SystemExit) as exit_:
        main(["upscale", str(tmp_path / "clip.mp4")])
    assert not exit_.value.code
    assert "(photo because h264 stores it with loss, onnxruntime)" in capsys.readouterr().out


def test_photos_and_clips_are_done_side_by_side(upscale: Run, tmp_path: Path, data: Path) -> None:
    clip(tmp_path / "clip.mp4", 0.08, "32x32", *X264)
    (tmp_path / "photo.png").write_bytes((data / "photo.png").read_bytes())
    done = upscale("photo.png", "clip.mp4", "-o", "results")
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (tmp_path / "results").iterdir())
    assert names == ["clip_x2.mp4", "photo_x2.png"]
