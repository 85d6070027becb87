"""Files that belong together, killed before every change that writing them makes."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from small_disk import small_disk

from edgesr.artifacts.file_set import check_folder, settle, waiting_members, write_set
from edgesr.errors import ConfigError, EdgesrError

ROOT = Path(__file__).parents[2]
OLD = {"a.bin": b"old a" * 1000, "b.bin": b"old b" * 1000}
NEW = {"a.bin": b"new a" * 1000, "b.bin": b"new b" * 1000, "c.bin": b"new c" * 1000}
CHILD = """
import json, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from benchmarks.hostile.changes import Counter
from edgesr.artifacts.file_set import write_set
folder, content = Path(sys.argv[1]), json.load(sys.stdin)
counter = Counter(int(sys.argv[2]), folder, lambda: os.kill(os.getpid(), signal.SIGKILL))
counter.install()
write_set(folder / "index.json", content["index"],
          {folder / name: text.encode() for name, text in content["members"].items()})
print(len(counter.changes))
"""


def index(members: dict[str, bytes]) -> str:
    return json.dumps({name: hashlib.sha256(data).hexdigest() for name, data in members.items()})


def write(folder: Path, members: dict[str, bytes]) -> None:
    paths = {folder / name: data for name, data in members.items()}
    write_set(folder / "index.json", index(members), paths)


def read(folder: Path) -> dict[str, bytes]:
    """Read as every reader does: the index, and each member once it is settled."""
    digests = json.loads((folder / "index.json").read_text())
    for name, digest in digests.items():
        settle(folder / name, digest)
    return {name: (folder / name).read_bytes() for name in digests}


def child(folder: Path, stop_at: int) -> subprocess.CompletedProcess[str]:
    content = {"index": index(NEW), "members": {k: v.decode() for k, v in NEW.items()}}
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), str(stop_at), str(ROOT)],
        input=json.dumps(content),
        capture_output=True,
        text=True,
        check=False,
    )


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("before", [{}, OLD], ids=["nothing", "an old set"])
def test_killed_before_every_change(before: dict[str, bytes], tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    changes = int(child(whole, 0).stdout)
    assert changes > 10
    seen = set()
    for stop_at in range(1, changes + 1):
        folder = tmp_path / str(stop_at)
        folder.mkdir()
        if before:
            write(folder, before)
        assert child(folder, stop_at).returncode == -9
        if (folder / "index.json").exists():
            found = read(folder)
            assert found in (before, NEW)
            seen.add("new" if found == NEW else "old")
        else:
            assert not before
            seen.add("nothing")
        write(folder, NEW)
        assert read(folder) == NEW
        assert names(folder) == {"index.json", *NEW}
    assert len(seen) == 2


def test_a_full_disk_leaves_the_old_set(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    for limit in (0, 3000, 5000):  # before a member, within one, within the second
        large = {"a.bin": b"x" * 4000, "b.bin": b"y" * 6000}
        with small_disk(limit), pytest.raises(EdgesrError, match=r"[ab]\.bin: cannot write"):
            write(tmp_path, large)
        assert read(tmp_path) == OLD
        assert names(tmp_path) == {"index.json", *OLD}


def test_a_leftover_is_taken_only_if_it_is_what_the_index_names(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    digest = hashlib.sha256(OLD["a.bin"]).hexdigest()
    (tmp_path / f".a.bin.{digest[:16]}.new").write_bytes(b"of a stranger")
    assert read(tmp_path) == OLD
    assert waiting_members(tmp_path, "*.bin") == [tmp_path / "a.bin"]


def test_a_missing_folder_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file") as caught:
        check_folder(tmp_path / "no/m.onnx")
    assert "mkdir -p" in (caught.value.fix or "")
