"""Many files through `edgesr upscale`: one that is wrong, an end that is asked for, the bar."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EDGESR = [sys.executable, "-m", "edgesr"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def save(path: Path, side: int, seed: int = 0) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def upscale(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [*EDGESR, "upscale", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def is_enlarged(path: Path, source: Path) -> bool:
    with Image.open(path) as image, Image.open(source) as before:
        expected = np.asarray(before).repeat(4, axis=0).repeat(4, axis=1)
        return np.array_equal(np.asarray(image), expected)


def test_a_folder_is_stopped_by_no_entry(here: Path, nearest: str) -> None:
    names = ["photo.png", "[final].png", "n" * 240 + ".png", "m" * 248 + ".png"]
    album = here / "album"
    album.mkdir()
    for number, name in enumerate(names):
        save(album / name, 20, number)
    save(album / ("o" * 251 + ".png"), 20)
    os.mkfifo(album / "pipe.png")
    (album / "loop.png").symlink_to("loop.png")
    (here / "empty").mkdir()
    done = upscale("empty", "album", "-m", nearest)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    reasons = done.stderr
    for name, reason in [
        ("empty", "no picture in this folder"),
        ("o" * 251 + ".png", "would take 258 bytes, more than 255"),
        ("pipe.png", "neither a file nor a link to one"),
        ("loop.png", "Too many levels of symbolic links"),
    ]:
        assert f"{name}: " in reasons
        assert reason in reasons
    for name in names:
        assert is_enlarged(album / f"{Path(name).stem}_x4.png", album / name)
    assert len(done.stdout.splitlines()) == len(names)


def test_a_second_run_leaves_out_what_the_first_wrote(here: Path, nearest: str) -> None:
    save(here / "cat.png", 20)
    save(here / "cat_x4.jpg", 30)  # a person's own
    assert upscale(here, "-m", nearest).returncode == 0
    first = sorted(path.name for path in here.iterdir())
    assert first == ["cat.png", "cat_x4.jpg", "cat_x4.png", "cat_x4_x4.png"]
    again = upscale(here, "-m", nearest, "--skip-existing", "--json")
    assert again.returncode == 0
    told = {entry["input"]: entry["status"] for entry in map(json.loads, again.stdout.splitlines())}
    assert told == {
        str(here / "cat.png"): "skipped",
        str(here / "cat_x4.jpg"): "skipped",
        str(here / "cat_x4.png"): "own",
        str(here / "cat_x4_x4.png"): "own",
    }
    halves = upscale(*sorted(here.glob("*")), "-m", nearest, "--scale", 2)
    assert "2 left out, which edgesr wrote; --again takes them too" in halves.stdout
    assert sorted(path.name for path in here.iterdir()) == sorted(
        [*first, "cat_x2.png", "cat_x4_x2.png"]
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_it_leaves_nothing_half_done_and_says_how_far_it_came(
    here: Path, nearest: str, number: signal.Signals
) -> None:
    save(here / "a.png", 20)
    for name in "bcd":
        save(here / f"{name}.png", 900)
    process = subprocess.Popen(
        [*EDGESR, "upscale", *(f"{name}.png" for name in "abcd"), "-m", nearest, "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())  # the others have begun
    time.sleep(0.3)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert (first["status"], first["input"]) == ("done", "a.png")
    rest = [json.loads(line) for line in out.splitlines()]
    assert [entry["input"] for entry in rest] == ["b.png", "c.png", "d.png"]
    stopped = [entry for entry in rest if entry["status"] == "stopped"]
    assert len(stopped) >= 1
    assert f"stopped: {4 - len(stopped)} of 4 done, {len(stopped)} left" in err
    results = {path.name for path in here.iterdir()} - {f"{name}.png" for name in "abcd"}
    assert results == {"a_x4.png"} | {
        Path(entry["output"]).name for entry in rest if entry["status"] == "done"
    }
    for name in results:
        assert is_enlarged(here / name, here / name.replace("_x4", ""))


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.long)])
def test_killed_at_any_moment_and_run_again_everything_is_whole(
    here: Path, nearest: str, kills: int
) -> None:
    rng = np.random.default_rng(17)
    names = [f"{number}.png" for number in range(6)]
    for number, name in enumerate(names):
        save(here / name, 150, number)
    command = [*EDGESR, "upscale", str(here), "-m", nearest, "-o", "out/"]
    begun = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    whole_s = time.monotonic() - begun
    undisturbed = {path.name: path.read_bytes() for path in (here / "out").iterdir()}
    assert len(undisturbed) == len(names)
    caught = 0
    for share in rng.uniform(0.2, 1.0, kills):
        shutil.rmtree(here / "out")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(share * whole_s)
        caught += process.poll() is None
        process.kill()
        process.communicate()
        subprocess.run([*command, "--skip-existing"], check=True, capture_output=True)
        after = {path.name: path.read_bytes() for path in (here / "out").iterdir()}
        assert after == undisturbed  # no temporary file among them
    assert caught >= max(1, kills // 4)


def on_terminal(*arguments: object) -> str:
    """Run `edgesr upscale` with a terminal behind standard error; return what it shows."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [*EDGESR, "upscale", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=child,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
    )  # fmt: skip
    os.close(child)
    shown = b""
    try:
        while select.select([parent], [], [], 60)[0] and (block := os.read(parent, 4096)):
            shown += block
    except OSError:  # Linux reports the end of a terminal as an error
        pass
    finally:
        os.close(parent)
    assert process.wait() == 0
    return shown.decode()


def test_a_bar_of_one_file_counts_its_tiles(here: Path, nearest: str) -> None:
    save(here / "[final].png", 100)
    shown = on_terminal("[final].png", "-m", nearest)
    assert "[final].png" in shown
    assert "144/144" in shown


def test_one_bar_for_many_files(here: Path, nearest: str) -> None:
    for name in ("a", "b", "[bold]c"):
        save(here / f"{name}.png", 150)
    shown = on_terminal("a.png", "b.png", "[bold]c.png", "-m", nearest, "-j", 1)
    for count in range(4):
        assert f"{count} of 3" in shown
    assert "[bold]c.png" in shown
