"""`edgesr live` as cameras, disks and impatient people end it."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from gst import (
    SMALL,
    children_of,
    ended,
    frames_of,
    has_rows,
    is_alive,
    live,
    needs_gst,
    result,
    until,
    wrong,
)

Maker = Callable[..., Path]


def recorded(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start the command with a record of its frames, which `has_rows` reads while it runs."""
    return live(*arguments, *SMALL, "--record", folder / "rows.csv")


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
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_before_a_frame_came(number: signal.Signals, nearest: str, tmp_path: Path) -> None:
    """Nothing has failed: it ends as by Ctrl-C everywhere. The server of the source is silent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x"
        process = live("--source", source, "--sink", tmp_path / "out.mkv", "-m", nearest, *SMALL)
        with ended(process):
            until(lambda: "source" in children_of(process.pid))
            process.send_signal(number)
            status, out, err = result(process)
    assert (status, out, err) == (130, "", f"{source}: stopped before a frame came\n")
    assert not list(tmp_path.iterdir())


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


@pytest.mark.long
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
