"""What a tile may take is bounded by what the machine has free, by a network that ships."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from edgesr.cli import main
from edgesr.errors import ModelError
from edgesr.runtime import onnxruntime_memory, onnxruntime_session
from edgesr.runtime.onnxruntime_memory import memory_limit
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession

MIB = 1 << 20
TILE = 256


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`esr-fast` for tiles of 256; what it makes of one is 12.6 MB, and it takes more."""
    path = tmp_path_factory.mktemp("large") / "m.onnx"
    with pytest.raises(SystemExit) as ended:
        main(["export", "--model", "esr-fast", "--tile", str(TILE), "-o", str(path)])
    assert ended.value.code == 0
    return path


def has_free(monkeypatch: pytest.MonkeyPatch, mib: int) -> None:
    monkeypatch.setattr(onnxruntime_session, "available_bytes", lambda: mib * MIB)


def test_a_machine_that_is_large_enough_runs_it(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_free(monkeypatch, 1000)
    session = OnnxRuntimeSession(large, threads=1)
    tile = np.random.default_rng(0).random((1, 3, TILE, TILE), np.float32)
    assert session.run(tile).shape == (1, 3, 4 * TILE, 4 * TILE)
    session.close()


def test_a_machine_that_is_too_small_says_which_field_and_how_much(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20 MiB are free; the 256 MiB that any network may take would be plenty for this one."""
    monkeypatch.setattr(onnxruntime_memory, "_BASE_BYTES", 4 * MIB)
    has_free(monkeypatch, 20)
    with pytest.raises(ModelError) as caught:
        session = OnnxRuntimeSession(large, threads=1)
        session.run(np.zeros((1, 3, TILE, TILE), np.float32))
    first, second = str(caught.value).splitlines()
    told = re.fullmatch(
        rf"{re.escape(str(large))}: its manifest says tile {TILE}, and that takes more than the "
        r"(\d+) MiB of memory that are free on this machine",
        first,
    )
    assert told and int(told[1]) == 18
    assert re.match(r"  try: edgesr export -m \S+ -s \d --precision fp32 --tile 64, or ", second)


def test_what_cannot_fit_is_refused_before_anything_is_taken(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manifest that says tiles of 1,024 at scale 16: the result of one is 3.2 GB."""
    has_free(monkeypatch, 2000)
    fields = json.loads(large.with_suffix(".json").read_text()) | {"tile": 1024, "scale": 16}
    (tmp_path / "m.onnx").write_bytes(large.read_bytes())
    (tmp_path / "m.json").write_text(json.dumps(fields))
    monkeypatch.setattr(onnxruntime_session, "bound", pytest.fail)  # nothing is loaded
    with pytest.raises(ModelError, match="says tile 1024, and that takes more than the 1800 MiB"):
        OnnxRuntimeSession(tmp_path / "m.onnx", threads=1)


@pytest.mark.parametrize("free", [None, 64 << 30])
def test_the_size_of_a_network_bounds_it_where_there_is_plenty(free: int | None) -> None:
    """The student's eight tiles of 64 and its file of 2 MB."""
    told = memory_limit(8 * 64 * 64, 2 * MIB, free)
    assert not told.is_machines
    assert told.bytes == (256 + 8 + 2048) * MIB


def test_a_tile_of_1024_may_never_take_more_than_is_free() -> None:
    told = memory_limit(1024 * 1024, 2 * MIB, 8 << 30)
    assert told.is_machines
    assert told.bytes == int(0.9 * (8 << 30))
