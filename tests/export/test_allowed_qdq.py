"""Q/DQ that TensorRT would refuse is refused here, and the node is named."""

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from edgesr.errors import ExportError
from edgesr.export.allowed_qdq import check_qdq

CONSTANTS = {
    "scale": np.float16(0.1),
    "zero": np.int8(0),
    "weights": np.ones((4, 3), np.int8),
    "scales": np.full(4, 0.01, np.float16),
    "zeros": np.zeros(4, np.int8),
}


def _model(opset: int = 19, reader: str = "DequantizeLinear", **changes: np.generic) -> ModelProto:
    """x (2, 3) quantised, times the transposed weights (4, 3)."""
    node = helper.make_node
    read = ["xq", "scale", "zero"] if reader == "DequantizeLinear" else ["xq"]
    nodes = [
        node("QuantizeLinear", ["x", "scale", "zero"], ["xq"], name="quantise"),
        node(reader, read, ["xd"], name="dequantise"),
        node("DequantizeLinear", ["weights", "scales", "zeros"], ["wd"], name="unpack", axis=0),
        node("Transpose", ["wd"], ["wt"], perm=[1, 0]),
        node("MatMul", ["xd", "wt"], ["y"], name="multiply"),
    ]
    constants = [
        numpy_helper.from_array(np.asarray(array), name)
        for name, array in {**CONSTANTS, **changes}.items()
        if array is not None
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT16, [2, 3])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT16, [2, 4])
    graph = helper.make_graph(nodes, "g", [x], [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def test_what_tensorrt_builds_passes() -> None:
    check_qdq(_model())
    check_qdq(_model(18, scale=np.float32(0.1), scales=np.full(4, 0.01, np.float32)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"zero": np.int8(3)}, r"quantise.*zero point other than 0"),
        ({"zero": np.uint8(0)}, r"quantise.*zero point of int8"),
        ({"zero": None}, r"quantise.*constant zero point"),
        ({"scale": None}, r"quantise.*no constant"),
        ({"scale": np.float16(0)}, r"quantise.*not positive"),
        ({"scales": np.float16([1, 1, np.nan, 1])}, r"unpack.*not positive"),
        ({"scale": np.full(3, 0.1, np.float16)}, r"quantise.*only constants"),
        ({"scales": np.full(3, 0.1, np.float16)}, r"unpack.*3 scales for a constant of \[4, 3\]"),
        ({"opset": 18}, r"quantise.*opset 19"),
        ({"reader": "Relu"}, r"dequantise.*Relu reads an int8 value"),
    ],
)
def test_what_it_refuses_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ExportError, match=message):
        check_qdq(_model(**changes))
