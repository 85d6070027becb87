"""Products of int8 are added up in 32 bits, on processors too that have instructions for 16."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")

from model_parts import LARGE, SCALE, TILE, put, value
from onnx import ModelProto, helper, numpy_helper

from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession


@pytest.fixture
def model() -> ModelProto:
    """A network whose every product is as large as it can be."""
    node = helper.make_node
    constants = {
        "step": np.float32(1 / 127),
        "zero": np.int8(0),
        "weights": np.full((TILE, LARGE), 127, np.int8),
        "scales": np.array([1, 1, SCALE, 1], np.float32),
    }
    graph = helper.make_graph(
        [
            node("QuantizeLinear", ["lr", "step", "zero"], ["q"]),
            node("DequantizeLinear", ["q", "step", "zero"], ["x"]),
            node("DequantizeLinear", ["weights", "step", "zero"], ["w"]),
            node("MatMul", ["x", "w"], ["y"]),
            node("Resize", ["y", "", "scales"], ["hr"], mode="nearest"),
        ],
        "sums",
        [value("lr", [1, 3, TILE, TILE])],
        [value("hr", [1, 3, LARGE, LARGE])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)


WHITE = np.ones((1, 3, TILE, TILE), np.float32)


def test_sums_in_a_session(model: ModelProto, tmp_path: Path) -> None:
    put(tmp_path, model.SerializeToString())
    session = OnnxRuntimeSession(tmp_path / "m.onnx")
    np.testing.assert_allclose(session.run(WHITE), TILE, rtol=1e-5)
    session.close()


def test_sums_when_a_graph_is_judged(model: ModelProto) -> None:
    pytest.importorskip("torch")
    from edgesr.export.parity import run_tiles

    (found,) = run_tiles(model, [WHITE], 1)
    np.testing.assert_allclose(found, TILE, rtol=1e-5)
