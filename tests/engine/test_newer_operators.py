"""Operators that a parser does not know, written out; ONNX Runtime judges both files."""

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, defs, helper

from edgesr.engine.newer_operators import known_opset
from edgesr.engine.rewrite import prepare

SHAPE = [1, 4, 6, 5]
Case = tuple[str, int, dict[str, Any]]
CASES: list[Case] = [
    ("Gelu", 20, {}),
    ("Gelu", 20, {"approximate": "none"}),
    ("Gelu", 21, {"approximate": "tanh"}),
    ("Mish", 18, {}),
]
# An older onnx leaves to the parser what it does not know either.
CASES = [case for case in CASES if case[1] <= defs.onnx_opset_version()]
FLOATS = {"fp32": TensorProto.FLOAT, "fp16": TensorProto.FLOAT16}


def model_of(nodes: list[onnx.NodeProto], opset: int, kind: int) -> bytes:
    x, y = (helper.make_tensor_value_info(n, kind, SHAPE) for n in ("lr", "hr"))
    graph = helper.make_graph(nodes, "newer", [x], [y])
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    return bytes(model.SerializeToString())


def result(data: bytes, precision: str) -> np.ndarray:
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(0).normal(0, 3, SHAPE)
    kind = np.float32 if precision == "fp32" else np.float16
    return np.asarray(session.run(None, {"lr": x.astype(kind)})[0], np.float32)


@pytest.mark.parametrize("precision", FLOATS)
@pytest.mark.parametrize("version", ["8.5.3.1", "8.6.1", "10.3.0"])
@pytest.mark.parametrize(("kind", "opset", "attributes"), CASES)
def test_an_operator_gives_the_same(
    kind: str,
    opset: int,
    attributes: dict[str, Any],
    version: str,
    precision: str,
) -> None:
    nodes = [
        helper.make_node(kind, ["lr"], ["a"], **attributes),
        helper.make_node(kind, ["a"], ["hr"], **attributes),
    ]
    data = model_of(nodes, opset, FLOATS[precision])
    out = prepare(data, version, plugin=False)
    model = onnx.load_model_from_string(out)
    onnx.checker.check_model(model, full_check=True)
    left = {node.op_type for node in model.graph.node}
    major, minor = map(int, version.split(".")[:2])
    assert (kind in left) == (opset <= known_opset((major, minor)))
    assert not model.functions and "CastLike" not in left
    allowed = {"fp32": 2e-6, "fp16": 1e-2}[precision]
    np.testing.assert_allclose(
        result(out, precision), result(data, precision), atol=allowed, rtol=allowed
    )


def test_what_nobody_defines_is_left_to_the_parser() -> None:
    nodes = [
        helper.make_node("Shape", ["lr"], ["s"]),
        helper.make_node("BitwiseNot", ["s"], ["n"]),
        helper.make_node("Cast", ["n"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["f"], ["t"], keepdims=0),
        helper.make_node("Add", ["lr", "t"], ["hr"]),
    ]
    data = model_of(nodes, 18, TensorProto.FLOAT)
    out = onnx.load_model_from_string(prepare(data, "8.6.1", plugin=False))
    assert "BitwiseNot" in {node.op_type for node in out.graph.node}
