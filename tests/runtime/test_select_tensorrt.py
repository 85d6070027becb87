import pytest
import simulated_cuda
from nearest_network import write_nearest_engine

from edgesr.boards.gpu import Gpu
from edgesr.cli import main
from edgesr.engine import find
from edgesr.errors import EngineError
from edgesr.runtime.select import Request, find_engine_for, open_session


@pytest.fixture
def board(tmp_path, monkeypatch, make_nearest):
    """Return (ONNX file, engine built from it, in another folder) on a simulated Orin."""
    simulated_cuda.install(monkeypatch, simulated_cuda.Gpu())
    monkeypatch.setattr(find, "first_gpu", lambda: Gpu("Orin", "8.7", "12.6"))
    monkeypatch.setenv("EDGESR_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    onnx = make_nearest(scale=4, tile=8, batch=2)
    engine = tmp_path / "engines" / "nearest.engine"
    engine.parent.mkdir()
    write_nearest_engine(engine, onnx)
    return onnx, engine


def test_auto_takes_the_engine_of_this_file_and_board(board):
    onnx, engine = board
    session = open_session(str(onnx))
    assert (session.backend, session.model, session.scale) == ("tensorrt", "nearest", 4)
    session.close()
    assert open_session(str(engine)).backend == "tensorrt"


def test_upscale_runs_on_the_engine_it_is_given(board, data, tmp_path, capsys):
    _, engine = board
    arguments = [str(data / "photo.png"), "-o", "out.png", "--backend", "tensorrt"]
    with pytest.raises(SystemExit) as done:
        main(["upscale", *arguments, "-m", str(engine)])
    captured = capsys.readouterr()
    assert done.value.code == 0, captured.err
    assert captured.out.endswith(" ms (nearest, tensorrt)\n")
    assert (tmp_path / "out.png").exists()


def test_auto_falls_back_and_the_reason_is_one_line(board, monkeypatch):
    onnx, _ = board
    monkeypatch.setattr(find, "first_gpu", lambda: Gpu("Thor", "11.0", "13.0"))
    assert open_session(str(onnx)).backend == "onnxruntime"
    reason = find_engine_for(Request(str(onnx))).reason
    assert "this GPU has 11.0" in reason
    assert "\n" not in reason
    with pytest.raises(EngineError, match=r"this GPU has 11\.0"):
        open_session(str(onnx), backend="tensorrt")


def test_no_engine_at_all(board):
    onnx, engine = board
    engine.unlink()
    assert open_session(str(onnx)).backend == "onnxruntime"
    with pytest.raises(EngineError, match="no engine here was built from") as error:
        open_session(str(onnx), backend="tensorrt")
    assert error.value.fix == f"edgesr build-engine -m {onnx}"


def test_an_engine_that_is_not_there(board):
    with pytest.raises(EngineError, match="no such engine"):
        open_session("absent.engine")
