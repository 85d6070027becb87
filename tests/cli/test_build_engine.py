import json
import os

import numpy as np
import pytest

from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.cli import main

onnx = pytest.importorskip("onnx")
pytest.importorskip("tensorrt_rtx")


@pytest.fixture
def edgesr(capsys, monkeypatch, tmp_path):
    """Run a command line: (exit code, standard output, standard error)."""
    monkeypatch.setenv("EDGESR_HOME", str(tmp_path / "home"))

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return stop.value.code, out, err

    return run


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_builds_an_engine_and_says_what_next(edgesr, small_onnx, tmp_path):
    onnx, engine = small_onnx(precision="fp16"), tmp_path / "small.engine"
    code, out, _ = edgesr("build-engine", "-m", onnx, "--board", "rtx", "-o", engine)
    assert code == 0
    assert f"edgesr verify -m {engine}" in out
    manifest = EngineManifest.read(engine)
    assert manifest.precision == "fp16"
    layers = sum(sum(row.values()) for row in manifest.layers.values())
    assert f"  3 of {layers} layers compute in fp32: island_in, island, to_float\n" in out


def test_json_is_the_manifest_and_nothing_else(edgesr, small_onnx, tmp_path):
    engine = tmp_path / "small.engine"
    code, out, _ = edgesr("build-engine", "-m", small_onnx(), "--board=rtx", "-o", engine, "--json")
    assert code == 0
    document = json.loads(out)
    assert document["engine"] == str(engine)
    assert document["board"] == "rtx"
    assert document["layers"]["CONVOLUTION"] == {"fp32": 2}


def test_check_lists_layers_and_builds_nothing(edgesr, small_onnx, tmp_path):
    onnx = small_onnx(precision="fp16")
    before = files(tmp_path)
    code, out, _ = edgesr("build-engine", "-m", onnx, "--jetson-orin-nano", "--check")
    assert code == 0
    assert "ACTIVATION   fp32   island" in out
    assert "not the Jetson Orin Nano 8 GB's own TensorRT" in out
    assert files(tmp_path) == before
    code, out, _ = edgesr("build-engine", "-m", onnx, "--board=rtx", "--check", "--json")
    document = json.loads(out)
    assert {"name": "island", "kind": "ACTIVATION", "dtype": "fp32"} in document["layers"]


def write_loop(path):
    """Write a file that halves a tile four times, one after the other, and enlarges it."""
    node, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    tile, large = [1, 3, 16, 16], [1, 3, 64, 64]
    body = onnx.helper.make_graph(
        [
            node("Mul", ["x", "half"], ["halved"], name="halve"),
            node("Identity", ["condition"], ["more"], name="go on"),
        ],
        "body",
        [
            value("turn", onnx.TensorProto.INT64, []),
            value("condition", onnx.TensorProto.BOOL, []),
            value("x", onnx.TensorProto.FLOAT, tile),
        ],
        [
            value("more", onnx.TensorProto.BOOL, []),
            value("halved", onnx.TensorProto.FLOAT, tile),
        ],
    )
    arrays = {
        "half": np.float32(0.5),
        "turns": np.int64(4),
        "true": np.bool_(True),
        "copies": np.array([1, 16, 1, 1]),
    }
    graph = onnx.helper.make_graph(
        [
            node("Loop", ["turns", "true", "lr"], ["faint"], name="loop", body=body),
            node("Tile", ["faint", "copies"], ["many"], name="copy"),
            node("DepthToSpace", ["many"], ["hr"], name="shuffle", blocksize=4, mode="CRD"),
        ],
        "loop",
        [value("lr", onnx.TensorProto.FLOAT, tile)],
        [value("hr", onnx.TensorProto.FLOAT, large)],
        [onnx.numpy_helper.from_array(np.asarray(x), name) for name, x in arrays.items()],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def test_a_graph_with_a_loop_is_for_no_board(edgesr, onnx_manifest, tmp_path):
    path = tmp_path / "loop.onnx"
    write_loop(path)
    onnx_manifest(path)
    for more in (["--check"], ["-o", tmp_path / "loop.engine"]):
        code, out, err = edgesr("build-engine", "-m", path, "--board=rtx", *more)
        assert (code, out) == (1, "")
        assert "it holds the operator Loop" in err
        assert "try: edgesr export" in err
    assert not (tmp_path / "loop.engine").exists()


def test_an_int8_file_is_built_and_counted(edgesr, small_onnx, tmp_path):
    onnx, engine = small_onnx(precision="int8"), tmp_path / "small.engine"
    code, out, _ = edgesr("build-engine", "-m", onnx, "--board=rtx", "--check")
    assert code == 0
    assert "CONVOLUTION  int8   head" in out
    code, _, err = edgesr(
        "build-engine", "-m", onnx, "--board=rtx", "--precision=int8", "-o", engine
    )
    assert (code, err) == (0, "")
    assert EngineManifest.read(engine).precision == "int8"


def test_lists_boards(edgesr):
    code, out, _ = edgesr("build-engine", "--list-boards")
    assert code == 0
    assert "jetson-orin-nano-4gb" in out
    code, out, _ = edgesr("build-engine", "--list-boards", "--json")
    assert {board["name"] for board in json.loads(out)} >= {"rtx", "jetson-thor"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--jetson-orin-nano"], "built on the board itself"),
        (["--jetson-orin-nano", "--board", "rtx"], "name one board"),
        (["--board", "toaster"], "no board is called 'toaster'"),
        (["--board", "rtx", "--precision", "int3"], "there are fp32, fp16, int8"),
        (["--board", "rtx", "--precision", "fp16"], "fp16 was asked for"),
        (["--board", "rtx", "--batch", "7"], "batches of 1, not 7"),
        (["--jetson-orin-nano", "--power-mode", "9w"], "15w, 25w, maxn-super, 7w; not '9w'"),
        ([], "say for which board"),
        (["--board", "rtx", "-o", "/proc/x.engine"], "only 0 MiB are free"),
    ],
)
def test_a_wrong_wish_is_one_clear_error(edgesr, small_onnx, tmp_path, options, message):
    onnx = small_onnx()
    before = files(tmp_path)
    code, out, err = edgesr("build-engine", "-m", onnx, *options)
    assert code == 1
    assert out == ""
    assert message in err
    assert "try: " in err or "--" in err
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "the file is empty"), (b"just text", "not an ONNX file"), (None, "No such file")],
)
def test_a_wrong_file_is_one_clear_error(edgesr, tmp_path, content, message):
    onnx = tmp_path / "model.onnx"
    if content is not None:
        onnx.write_bytes(content)
    code, out, err = edgesr(
        "build-engine", "-m", onnx, "--board", "rtx", "-o", tmp_path / "x.engine"
    )
    assert code == 1
    assert out == ""
    assert message in err
    assert not (tmp_path / "x.engine").exists()


def test_a_path_that_is_no_utf8_reaches_the_parser(edgesr, small_onnx, tmp_path):
    onnx = small_onnx()
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    for path in (onnx, onnx.with_suffix(".json")):
        path.rename(folder / path.name)
    code, out, err = edgesr("build-engine", "-m", folder / onnx.name, "--board=rtx", "--check")
    assert (code, "layers" in out) == (0, True), err


def test_an_onnx_file_without_manifest(edgesr, small_onnx):
    onnx = small_onnx()
    onnx.with_suffix(".json").unlink()
    code, _, err = edgesr("build-engine", "-m", onnx, "--board", "rtx")
    assert code == 1
    assert "no manifest beside it" in err


def test_without_tensorrt(edgesr, small_onnx, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "tensorrt_rtx", None)
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    code, _, err = edgesr("build-engine", "-m", small_onnx(), "--board", "rtx")
    assert code == 1
    assert "TensorRT is not installed" in err
    assert "pip install tensorrt-rtx-cu12" in err
