"""A clip's run that is ended and begun again: the result is that of an undisturbed run."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.video.judge import clip
from benchmarks.video.kills import command, digest, kill_once, undisturbed
from edgesr.video import segments
from edgesr.video.segments import finish_earlier, folder_for, open_segments

Run = Callable[..., Any]
FRAMES = 130  # three segments


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    clip(tmp_path / "clip.mp4", FRAMES / 25, "64x48", "-c:v", "libx264", "-bf", "2", "-c:a", "aac")
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def wait_for_segments(folder: Path, count: int, process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + 120
    while len(list(folder.glob(".edgesr-clip-*/[0-9]*.segment"))) < count:
        assert process.poll() is None, "it ended before it could be disturbed"
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_an_ended_run_goes_on(
    folder: Path, nearest: str, ending: signal.Signals, upscale: Run
) -> None:
    expected, _ = undisturbed(folder, nearest)
    process = subprocess.Popen(
        command(folder, nearest), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_for_segments(folder, 1, process)
    process.send_signal(ending)
    process.communicate()
    assert process.returncode != 0
    assert not (folder / "result.mp4").exists()
    (left,) = folder.glob(".edgesr-clip-*")
    kept = len(list(left.glob("[0-9]*.segment")))
    assert kept >= 1
    done = upscale("clip.mp4", "-o", "result.mp4")
    assert done.returncode == 0, done.stderr
    assert f"{FRAMES} frames ({min(kept * 48, FRAMES)} of an earlier run)" in done.stdout
    assert digest(folder / "result.mp4") == expected
    assert names(folder) == ["clip.mp4", "result.mp4"]


@pytest.mark.long  # test_an_ended_run_goes_on kills it once
def test_killed_at_some_moments(folder: Path, nearest: str) -> None:
    """benchmarks/video/kills.py does the same at twenty."""
    expected, took_s = undisturbed(folder, nearest)
    for share in (0.5, 0.8, 0.95):
        assert kill_once(folder, nearest, share * took_s, expected).wrong == ""


def test_segments_of_other_options_are_dropped(
    folder: Path, upscale: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert upscale("clip.mp4", "-o", "fine.mp4", "--quality", 60).returncode == 0
    expected = digest(folder / "fine.mp4")
    (folder / "fine.mp4").unlink()
    with open_segments(folder / "fine.mp4", {"of": "another run"}) as found:
        found.path(0).write_bytes(b"not a segment of this run")
        left = folder_for(folder / "fine.mp4")
        monkeypatch.setattr(segments.shutil, "rmtree", lambda *_, **__: None)
    monkeypatch.undo()
    assert left.is_dir()
    monkeypatch.chdir(folder)
    done = upscale("clip.mp4", "-o", "fine.mp4", "--quality", 60)
    assert done.returncode == 0
    assert "earlier run" not in done.stdout
    assert digest(folder / "fine.mp4") == expected
    assert names(folder) == ["clip.mp4", "fine.mp4"]


def test_killed_between_the_result_and_its_tidying(folder: Path, upscale: Run) -> None:
    result = folder / "clip_x2.mp4"
    result.write_bytes(b"the result")
    left = folder_for(result)
    left.mkdir()
    segments.Segments(left).mark_joined(result)
    (left / "000000.segment").write_bytes(b"a segment")
    done = upscale("clip.mp4")
    assert (done.returncode, done.stdout) == (0, "1 skipped, whose results are there\n")
    assert names(folder) == ["clip.mp4", "clip_x2.mp4"]
    left.mkdir()
    segments.Segments(left).mark_joined(folder / "clip.mp4")
    assert not finish_earlier(result)  # the file that stands there is another one


def test_two_runs_of_one_result_do_not_mix(folder: Path, upscale: Run) -> None:
    with open_segments(folder / "clip_x2.mp4", {}):
        done = upscale("clip.mp4")
    assert done.returncode == 1
    assert done.stderr == "error: clip_x2.mp4: another edgesr makes this result already\n"


def test_a_result_that_is_there_stays(folder: Path, upscale: Run) -> None:
    (folder / "clip_x2.mp4").write_bytes(b"mine")
    done = upscale("clip.mp4")
    assert done.returncode == 1
    assert "the result is there already (clip_x2.mp4)\n  try: --overwrite" in done.stderr
    assert (folder / "clip_x2.mp4").read_bytes() == b"mine"
    assert upscale("clip.mp4", "--skip-existing").returncode == 0
    assert (folder / "clip_x2.mp4").read_bytes() == b"mine"
