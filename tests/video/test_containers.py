"""Which containers are opened: all that the names of clips promise, and no lists of other files."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgesr.errors import ImageError
from edgesr.video.kinds import CLIPS
from edgesr.video.source import opened, video_stream

Run = Callable[..., Any]
LISTS = {
    "concat": "ffconcat version 1.0\nfile private.mp4\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nprivate.mp4\n#EXT-X-ENDLIST\n",
}


def make(path: Path) -> Path:
    source = ("-f", "lavfi", "-i", "testsrc2=size=176x144:rate=25:duration=0.4")
    subprocess.run(["ffmpeg", "-v", "error", *source, path], check=True)
    return path


@pytest.mark.parametrize("ending", CLIPS)
def test_every_ending_of_a_clip_opens(ending: str, tmp_path: Path) -> None:
    path = make(tmp_path / f"clip{ending}")
    with opened(path) as container:
        stream = video_stream(container, path)
        assert (stream.width, stream.height) == (176, 144)
        assert next(container.decode(stream)).width == 176


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".m3u8"])
def test_a_list_of_other_files_is_no_clip(kind: str, ending: str, tmp_path: Path) -> None:
    """FFmpeg would show another clip of the folder, which nobody asked for."""
    make(tmp_path / "private.mp4")
    path = tmp_path / f"clip{ending}"
    path.write_text(LISTS[kind])
    with pytest.raises(ImageError, match="no clip"), opened(path):
        pass


def test_the_command_says_one_line(upscale: Run, tmp_path: Path) -> None:
    make(tmp_path / "private.mp4")
    (tmp_path / "clip.mp4").write_text(LISTS["concat"])
    done = upscale("clip.mp4", "-o", "x.mp4")
    assert done.returncode == 1
    assert done.stderr.startswith("error: clip.mp4: no clip, damaged or cut short")
    assert not (tmp_path / "x.mp4").exists()
