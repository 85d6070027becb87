"""What cannot be done is refused in one line, before the work where that is possible."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.video.judge import clip

Run = Callable[..., Any]


def made(path: Path, *options: str) -> Path:
    return clip(path, 1.0, "64x48", "-c:v", "libx264", "-g", "5", "-c:a", "aac", *options)


def ffmpeg(*arguments: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


def refusal(done: Any) -> str:
    """Return the one line of a refusal, without the hint below it."""
    assert done.returncode == 1
    first, *rest = done.stderr.splitlines()
    assert all(line.startswith("  try: ") for line in rest)
    assert first.startswith("error: clip")
    return str(first)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("no film at all\n" * 100)


def cut(path: Path) -> None:
    data = made(path).read_bytes()
    path.write_bytes(data[: len(data) // 2])


def cut_behind_its_head(path: Path) -> None:
    data = made(path, "-movflags", "+faststart").read_bytes()
    path.write_bytes(data[: len(data) // 2])


def sound_only(path: Path) -> None:
    tone = ("-f", "lavfi", "-i", "sine=duration=1")
    ffmpeg(*tone, "-c:a", "aac", path)


def sound_with_a_cover(path: Path) -> None:
    cover = path.with_name("cover.png")
    ffmpeg("-f", "lavfi", "-i", "color=s=32x32:d=0.04", "-frames:v", 1, cover)
    tone = ("-f", "lavfi", "-i", "sine=duration=1", "-i", cover, "-map", 0, "-map", 1)
    ffmpeg(*tone, "-c:a", "aac", "-c:v", "copy", "-disposition:v", "attached_pic", path)
    cover.unlink()


def encrypted(path: Path) -> None:
    plain = made(path.with_name("plain.mp4"))
    key = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "0" * 31 + "1")
    ffmpeg("-i", plain, "-c", "copy", *key, "-encryption_kid", "0" * 32, path)
    plain.unlink()


def without_frames(path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc2=size=64x48:duration=1")
    ffmpeg(*picture, "-c:v", "libx264", "-frames:v", 0, path)


def noise_in_its_middle(path: Path) -> None:
    data = bytearray(made(path, "-movflags", "+faststart", "-bf", "0").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(range(250)) * 16
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (empty, "the file is empty"),
        (text, "no clip, damaged or cut short"),
        (cut, "no clip, damaged or cut short"),
        (cut_behind_its_head, "cut short"),
        (sound_only, "no video stream in it"),
        (sound_with_a_cover, "no video stream in it"),
        (encrypted, "it is encrypted (DRM) and cannot be read"),
        (noise_in_its_middle, "damaged"),
    ],
)
def test_bad_clips(make: Callable[[Path], None], said: str, upscale: Run, tmp_path: Path) -> None:
    make(tmp_path / "clip.mp4")
    before = (tmp_path / "clip.mp4").read_bytes()
    assert said in refusal(upscale("clip.mp4"))
    assert (tmp_path / "clip.mp4").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".mp4"] == ["clip.mp4"]


def test_no_frames(upscale: Run, tmp_path: Path) -> None:
    without_frames(tmp_path / "clip.mkv")
    refusal(upscale("clip.mkv"))


def test_a_cut_matroska(upscale: Run, tmp_path: Path) -> None:
    data = clip(tmp_path / "clip.mkv", 8.0, "64x48", "-c:v", "libx264", "-c:a", "aac").read_bytes()
    (tmp_path / "clip.mkv").write_bytes(data[: len(data) // 2])
    assert "the file is cut short: it ends after " in refusal(upscale("clip.mkv"))


def test_missing_and_folders(upscale: Run, tmp_path: Path) -> None:
    assert refusal(upscale("clip.mp4")).endswith("no such file")
    (tmp_path / "clip.mp4").mkdir()
    assert upscale("clip.mp4").returncode == 1


def test_huge_frames(upscale: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path / "clip.mp4")
    monkeypatch.setenv("EDGESR_MAX_MEGAPIXELS", "0.002")
    assert "more than the limit of 0.002" in refusal(upscale("clip.mp4"))


def test_a_result_that_is_larger_than_its_codec_holds(upscale: Run, tmp_path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "color=size=8200x16:duration=0.04")
    ffmpeg(*picture, "-c:v", "libx264", tmp_path / "clip.mp4")
    assert "the result would be 16400x32; h264 ends at 16384" in refusal(upscale("clip.mp4"))


def test_a_container_that_does_not_hold_the_sound(upscale: Run, tmp_path: Path) -> None:
    made(tmp_path / "clip.mp4")
    said = refusal(upscale("clip.mp4", "-o", "result.webm"))
    assert "webm does not hold its audio (aac" in said
    assert not (tmp_path / "result.webm").exists()


def test_an_ending_that_no_clip_has(upscale: Run, tmp_path: Path) -> None:
    made(tmp_path / "clip.mp4")
    done = upscale("clip.mp4", "-o", "result.avi")
    assert done.returncode == 1
    assert "clips are written as .mp4, .m4v, .mov, .mkv, .webm, not '.avi'" in done.stderr
