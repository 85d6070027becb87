"""Values that float16 cannot hold are found, and stay in float32."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgesr.export.fp16 import to_fp16
from edgesr.export.parity import run_tiles
from edgesr.export.ranges import LIMIT, too_large_for_half
from edgesr.imaging.patches import hard_tiles, real_tiles
from edgesr.imaging.psnr import psnr_db

TILE = 16
CHANNELS = 4


@pytest.fixture
def growing() -> onnx.ModelProto:
    """Two convolutions and a sum whose last values a normalisation makes small again.

    The second convolution's largest value is some 1e5 on a white tile, the first one's is 3.
    """
    rising = np.linspace(0.5, 1, CHANNELS)[:, None, None, None]
    weights = {
        "small.w": np.ones((CHANNELS, 3, 1, 1)) * rising,
        "large.w": np.eye(CHANNELS)[:, :, None, None] * rising * 4e4,
        "gain": np.ones(CHANNELS),
    }
    nodes = [
        helper.make_node("Conv", ["lr", "small.w"], ["small"]),
        helper.make_node("Conv", ["small", "large.w"], ["large"]),
        helper.make_node("Add", ["large", "small"], ["sum"]),
        helper.make_node("Transpose", ["sum"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("LayerNormalization", ["last", "gain"], ["normal"]),
        helper.make_node("Mul", ["normal", "gain"], ["sr"]),
    ]
    lr = helper.make_tensor_value_info("lr", TensorProto.FLOAT, ["n", 3, TILE, TILE])
    sr = helper.make_tensor_value_info("sr", TensorProto.FLOAT, ["n", TILE, TILE, CHANNELS])
    constants = [numpy_helper.from_array(np.float32(w), name) for name, w in weights.items()]
    graph = helper.make_graph(nodes, "growing", [lr], [sr], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def _outputs(model: onnx.ModelProto) -> list[np.ndarray]:
    return run_tiles(model, [real_tiles(TILE), *hard_tiles(TILE).values()], None)


def test_what_exceeds_the_limit_is_named_and_nothing_else(growing: onnx.ModelProto) -> None:
    assert too_large_for_half(growing, TILE, None) == {"large", "sum", "last"}
    assert too_large_for_half(growing, TILE, 2) == {"large", "sum", "last"}


def test_what_stays_below_the_limit_is_not_named(growing: onnx.ModelProto) -> None:
    weights = next(t for t in growing.graph.initializer if t.name == "large.w")
    small = numpy_helper.to_array(weights) * np.float32(0.9 * LIMIT / (3 * 4e4))
    weights.CopyFrom(numpy_helper.from_array(small, "large.w"))
    assert too_large_for_half(growing, TILE, None) == frozenset()


def test_they_become_islands_and_the_graph_stays_finite(growing: onnx.ModelProto) -> None:
    exact = _outputs(growing)
    lost = _outputs(to_fp16(growing)[0])
    assert not all(np.isfinite(output).all() for output in lost)
    half, islands = to_fp16(growing, too_large_for_half(growing, TILE, None))
    assert islands == ("LayerNormalization", "Conv large", "Add sum", "Transpose last")
    types = {tensor.name: tensor.data_type for tensor in half.graph.initializer}
    assert types["large.w"] == TensorProto.FLOAT and types["small.w.fp16"] == TensorProto.FLOAT16
    for got, expected in zip(_outputs(half), exact, strict=True):
        assert np.isfinite(got).all()
        assert psnr_db(float(((got - expected) ** 2).mean())) > 50
