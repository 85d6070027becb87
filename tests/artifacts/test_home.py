"""One place for exports, engines and caches, whichever folder a command is run in."""

import os
import sys
from pathlib import Path

import pytest
import simulated_cuda
from nearest_network import write_nearest_engine

from edgesr.artifacts import home
from edgesr.boards.gpu import Gpu
from edgesr.engine import find
from edgesr.errors import ConfigError
from edgesr.runtime.select import open_session

_OPENED: list[str] = []
"""Paths of files that were opened while `_watching`."""

_watching = [False]


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _watching[0] and event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        _OPENED.append(os.fsdecode(arguments[0]))


sys.addaudithook(_note)  # once: it cannot be removed


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"EDGESR_HOME": "/own"}, "/own"),
        ({"EDGESR_HOME": "~/own"}, "/people/ada/own"),
        ({"XDG_DATA_HOME": "/data"}, "/data/edgesr"),
        ({"EDGESR_HOME": "", "XDG_DATA_HOME": ""}, "/people/ada/.local/share/edgesr"),
        ({"XDG_DATA_HOME": "data"}, "/people/ada/.local/share/edgesr"),
    ],
)
def test_the_place(variables: dict[str, str], place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EDGESR_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"HOME": "/people/ada"} | variables).items():
        monkeypatch.setenv(name, value)
    assert home.home() == Path(place)
    parts = (home.exports(), home.engines(), home.timing_caches(), home.plugins())
    assert [path.parent for path in parts] == [Path(place)] * 4
    assert len(set(parts)) == 4


def test_a_place_that_moves_with_the_person_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGESR_HOME", "my engines")
    with pytest.raises(ConfigError, match="relative") as error:
        home.home()
    assert error.value.fix == f"export EDGESR_HOME='{tmp_path}/my engines'"


@pytest.fixture
def model(make_nearest, edgesr_home, monkeypatch):
    """Return an ONNX file whose engine lies in the person's place, on a simulated Orin."""
    simulated_cuda.install(monkeypatch, simulated_cuda.Gpu())
    monkeypatch.setattr(find, "first_gpu", lambda: Gpu("Orin", "8.7", "12.6"))
    onnx = make_nearest(scale=4, tile=8, batch=2)
    (edgesr_home / "engines").mkdir(parents=True)
    write_nearest_engine(edgesr_home / "engines/nearest.engine", onnx)
    return onnx


def test_the_same_model_opens_in_the_same_backend_wherever_one_stands(
    model, edgesr_home, tmp_path, monkeypatch
):
    for name in ("elsewhere", "elsewhere/engines"):
        (tmp_path / name).mkdir()
    for folder in (model.parent, tmp_path / "elsewhere", edgesr_home, Path("/")):
        monkeypatch.chdir(folder)
        for name in (str(model), os.path.relpath(model)):
            session = open_session(name)
            assert session.backend == "tensorrt", (folder, name)
            session.close()


def test_an_engine_below_the_working_folder_is_used_only_when_it_is_named(
    model, edgesr_home, tmp_path, monkeypatch
):
    """What lies in a folder that someone else made must not decide how a model runs."""
    (edgesr_home / "engines").rename(tmp_path / "engines")
    monkeypatch.chdir(tmp_path)
    session = open_session(str(model))
    assert session.backend == "onnxruntime"
    session.close()
    session = open_session("engines/nearest.engine")
    assert session.backend == "tensorrt"
    session.close()


@pytest.mark.parametrize("backend", ["auto", "tensorrt"])
@pytest.mark.parametrize("by_engine", [False, True])
def test_an_engine_is_read_once_an_opening(model, edgesr_home, backend, by_engine):
    """Hashing it is reading it; an engine of a board has up to 150 MB."""
    engine = edgesr_home / "engines/nearest.engine"
    _OPENED.clear()
    _watching[0] = True
    try:
        session = open_session(str(engine if by_engine else model), backend)
    finally:
        _watching[0] = False
    session.close()
    assert session.backend == "tensorrt"
    assert _OPENED.count(str(engine)) == 1


def test_what_is_loaded_is_what_was_hashed(model, edgesr_home):
    engine = edgesr_home / "engines/nearest.engine"
    read = find.read_engine(engine)
    engine.write_bytes(b"swapped")
    assert read.content != b"swapped"
    from edgesr.runtime.tensorrt_session import TensorRTSession

    TensorRTSession(read).close()
