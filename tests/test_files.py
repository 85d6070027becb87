"""Files are whole or not there, and what stood at their place stays until they are whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_disk import small_disk

from edgesr.artifacts.file_set import check_folder
from edgesr.errors import ConfigError, EdgesrError
from edgesr.files import atomic_path, make_folder, sha256, temporary_folder, write_bytes, write_text


def test_a_file_is_written_with_the_usual_mode(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    write_text(tmp_path / "größe.txt", "1 µm")
    assert (tmp_path / "größe.txt").read_bytes() == "1 µm".encode()
    assert (tmp_path / "größe.txt").stat().st_mode == plain.stat().st_mode
    assert sha256(plain).startswith("e3b0c442")


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"mine")
    with pytest.raises(ZeroDivisionError), atomic_path(path) as temporary:
        temporary.write_bytes(b"half")
        raise ZeroDivisionError
    assert [entry.name for entry in tmp_path.iterdir()] == ["photo.png"]
    assert path.read_bytes() == b"mine"


def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ConfigError, match="no file that could be replaced"):
        write_text(pipe, "text")
    assert pipe.is_fifo()
    assert [entry.name for entry in tmp_path.iterdir()] == ["pipe"]


def test_a_folder_in_the_place_of_a_file_is_refused_before_the_work(tmp_path: Path) -> None:
    place = tmp_path / "photo.png"
    place.mkdir()
    with pytest.raises(ConfigError, match="a folder stands"), atomic_path(place):
        pytest.fail("the work began")
    with pytest.raises(ConfigError, match="a folder stands"):
        check_folder(place)
    assert [entry.name for entry in tmp_path.iterdir()] == ["photo.png"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"mine")
    with pytest.raises(EdgesrError, match=r"cannot write \(") as error, small_disk(4096):
        write_bytes(path, bytes(10_000))
    assert error.value.where == str(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["photo.png"]
    assert path.read_bytes() == b"mine"


def test_what_dead_processes_left_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while it writes a file and a temporary folder; a living one and strangers stay."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = (
        "import os, signal, sys, tempfile; from pathlib import Path\n"
        "from edgesr.files import atomic_path, temporary_folder\n"
        "tempfile.tempdir = sys.argv[1]\n"
        "with temporary_folder() as folder, atomic_path(Path(sys.argv[1]) / 'a.png') as file:\n"
        "    (folder / 'model.onnx').write_text('x'); file.write_text('half')\n"
        "    print(folder.name, file.name, flush=True); sys.stdin.readline()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout is not None
        left = set(child.stdout.readline().split())
        (tmp_path / ".a.edgesr-else-1.x.png").touch()  # of another machine
        strangers = {".a.edgesr-else-1.x.png", "b.png"}
        write_text(tmp_path / "b.png", "another file of the same folder")
        assert {path.name for path in tmp_path.iterdir()} == left | strangers
        child.communicate("\n")
    assert child.returncode == -9
    with temporary_folder() as folder:
        assert {path.name for path in tmp_path.iterdir()} == strangers | {folder.name}
        assert not list(folder.iterdir())
    assert {path.name for path in tmp_path.iterdir()} == strangers


def test_the_way_out_is_one_that_helps(tmp_path: Path) -> None:
    missing = tmp_path / "not/there.png"
    with pytest.raises(ConfigError, match="No such file or directory") as error:
        write_bytes(missing, b"")
    assert error.value.fix == f"mkdir -p {missing.parent}"
    with pytest.raises(ConfigError, match="cannot write here") as error:
        write_bytes(Path("/proc/photo.png"), b"")  # where not even root may
    assert error.value.fix == "another folder"


def test_a_folder_is_made_with_those_above_it_or_it_is_said(tmp_path: Path) -> None:
    for _ in range(2):
        make_folder(tmp_path / "a/b")
    assert (tmp_path / "a/b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file: cannot be made a folder"):
        make_folder(tmp_path / "file")
