"""Files whose nodes are none of ONNX: refused in words, or left to a parser, which names them."""

import pytest
from onnx import NodeProto, TensorProto, helper

from edgesr.engine.rewrite import prepare
from edgesr.engine.weak_types import without_casts


def file_of(*nodes: NodeProto) -> bytes:
    """Return a file of nodes that read `lr` and give `hr`."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 3, 2, 2)) for name in "xy"]
    ends[0].name, ends[1].name = "lr", "hr"
    graph = helper.make_graph(list(nodes), "broken", ends[:1], ends[1:])
    opset = [helper.make_opsetid("", 18)]
    data: bytes = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    return data


def test_a_norm_without_a_scale_is_a_value_error() -> None:
    data = file_of(helper.make_node("LayerNormalization", ["lr"], ["hr"], "broken"))
    with pytest.raises(ValueError, match="it contradicts itself"):
        prepare(data, "8.5.3.1", plugin=False)


def test_a_sum_of_one_is_not_folded_into_a_convolution() -> None:
    assert without_casts(file_of(helper.make_node("Add", ["lr"], ["hr"], "broken")))
