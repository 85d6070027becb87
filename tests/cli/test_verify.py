import dataclasses
import json

import pytest
import simulated_cuda
from nearest_network import write_nearest_engine

from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.boards.gpu import Gpu
from edgesr.cli import main
from edgesr.engine import find


@pytest.fixture
def edgesr(capsys):
    """Run a command line: (exit code, standard output, standard error)."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return stop.value.code, out, err

    return run


@pytest.fixture
def on_a_board(monkeypatch, tmp_path, make_nearest):
    """Return (ONNX file, engine) of a network that repeats pixels, on the simulated GPU."""
    gpu = simulated_cuda.Gpu()
    simulated_cuda.install(monkeypatch, gpu)
    monkeypatch.setattr(find, "first_gpu", lambda: Gpu("Orin", "8.7", "12.6"))
    onnx = make_nearest(scale=4, tile=8, batch=1)
    engine = tmp_path / "nearest.engine"
    write_nearest_engine(engine, onnx)
    return gpu, onnx, engine


def test_the_result_is_shown_and_written_into_the_manifest(edgesr, on_a_board):
    _, onnx, engine = on_a_board
    code, out, _ = edgesr("verify", "-m", engine, "--against", onnx)
    assert code == 0
    assert "150.0 dB against onnxruntime fp32 on 5 patches" in out
    verification = EngineManifest.read(engine).verification
    assert (verification.psnr_db, verification.patches) == (150.0, 5)
    code, out, _ = edgesr("verify", "-m", engine, "--against", onnx, "--json")
    assert json.loads(out)["max_abs_difference"] == 0


def test_an_engine_far_off_is_shown_written_and_refused(edgesr, on_a_board):
    gpu, onnx, engine = on_a_board
    gpu.gain = 0.9
    code, out, err = edgesr("verify", "-m", engine, "--against", onnx)
    assert code == 1
    assert "worst: " in out
    assert "is below 45" in err
    assert EngineManifest.read(engine).verification.psnr_db < 45


def test_what_int8_costs_is_told_from_what_the_engine_does(edgesr, on_a_board):
    gpu, onnx, engine = on_a_board
    gpu.gain = 0.9
    built = dataclasses.replace(EngineManifest.read(engine), precision="int8")
    built.write(engine)
    code, _, err = edgesr("verify", "-m", engine, "--against", onnx)
    assert code == 1
    assert f"try: edgesr verify -m {engine}  (against its own file, without what int8 costs)" in err


def test_an_engine_of_another_onnx_file(edgesr, on_a_board, small_onnx):
    _, _, engine = on_a_board
    code, out, err = edgesr("verify", "-m", engine, "--against", small_onnx())
    assert code == 1
    assert out == ""
    assert "is another network" in err
    assert "edgesr build-engine" in err


@pytest.mark.parametrize("content", [b"", b"text"])
def test_a_file_that_is_no_model(edgesr, on_a_board, tmp_path, content):
    (tmp_path / "model.onnx").write_bytes(content)
    code, _, err = edgesr("verify", "-m", on_a_board[2], "--against", tmp_path / "model.onnx")
    assert code == 1
    assert "model.onnx" in err


def test_a_truncated_engine(edgesr, on_a_board):
    _, onnx, engine = on_a_board
    engine.write_bytes(b"pl")
    code, _, err = edgesr("verify", "-m", engine, "--against", onnx)
    assert code == 1
    assert "truncated" in err
    assert f"-o {engine}" in err


def test_a_real_engine_on_a_machine_without_gpu(edgesr, small_onnx, tmp_path):
    pytest.importorskip("tensorrt_rtx")
    if find.first_gpu() is not None:
        pytest.skip("this machine has a GPU")
    onnx, engine = small_onnx(), tmp_path / "small.engine"
    assert edgesr("build-engine", "-m", onnx, "--board", "rtx", "-o", engine)[0] == 0
    code, _, err = edgesr("verify", "-m", engine, "--against", onnx)
    assert code == 1
    assert "there is no GPU here" in err


def test_the_file_it_was_built_from_is_found_beside_it_and_in_the_exports(
    edgesr, on_a_board, tmp_path, monkeypatch
):
    _, onnx, built = on_a_board
    engine = onnx.with_name("beside.engine")
    write_nearest_engine(engine, onnx)
    assert edgesr("verify", "-m", engine)[0] == 0
    engine = built
    exports = tmp_path / "home" / "exports"
    exports.mkdir(parents=True)
    for file in (onnx, onnx.with_suffix(".json")):
        file.rename(exports / file.name)
    code, _, err = edgesr("verify", "-m", engine)
    assert code == 1
    assert "small.onnx, which it was built from, lies neither beside it nor in" in err
    monkeypatch.setenv("EDGESR_HOME", str(tmp_path / "home"))
    code, out, _ = edgesr("verify", "-m", engine)
    assert code == 0
    assert "150.0 dB against onnxruntime fp32" in out
