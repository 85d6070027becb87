"""Constants that are worked out before the parser sees them are right, and few."""

import numpy as np
import pytest

pytest.importorskip("onnx")

from onnx import ModelProto, TensorProto, helper, numpy_helper

from edgesr.engine.constants import fold

node = helper.make_node


def model(*nodes, **constants) -> ModelProto:
    """Add to the input `x` what the nodes make of constants, `big`."""
    graph = helper.make_graph(
        [*nodes, node("Add", ["x", "big"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_what_is_constant_is_replaced_by_its_value():
    made = model(
        node("Tile", ["a", "times"], ["b"]),
        node("Neg", ["b"], ["c"]),
        node("Gather", ["c", "at"], ["big"]),
        a=np.array([1, 2], np.float32),
        times=[3],
        at=[1, 4],
    )
    fold(made, frozenset())
    assert [one.op_type for one in made.graph.node] == ["Add"]
    (constant,) = made.graph.initializer
    np.testing.assert_array_equal(numpy_helper.to_array(constant), np.float32([-2, -1]))


@pytest.mark.parametrize(
    ("operator", "constants"),
    [
        ("Tile", {"a": np.ones(1, np.float32), "b": [10**9]}),
        ("Expand", {"a": np.ones(1, np.float32), "b": [10**9]}),
        ("ConstantOfShape", {"a": [10**9]}),
        ("Range", {"a": np.float32(0), "b": np.float32(1e9), "c": np.float32(1)}),
        ("Pad", {"a": np.ones(1, np.float32), "b": [0, 10**9]}),
        ("MatMul", {"a": np.ones((4000, 1), np.float32), "b": np.ones((1, 4000), np.float32)}),
    ],
)
def test_what_would_be_too_much_is_refused_before_it_is_made(operator, constants):
    made = model(node(operator, list(constants), ["big"]), **constants)
    with pytest.raises(ValueError, match=f"its {operator} of constants gives too many values"):
        fold(made, frozenset())


def test_what_cannot_be_computed_is_named():
    made = model(node("Gather", ["a", "at"], ["big"]), a=np.ones(1, np.float32), at=[1])
    with pytest.raises(ValueError, match="its Gather of constants fails"):
        fold(made, frozenset())


def test_a_branch_that_reads_constants_is_one():
    value = helper.make_tensor_value_info
    branches = {
        name: helper.make_graph(
            [helper.make_node(kind, ["c"], [kind])],
            name,
            [],
            [value(kind, TensorProto.FLOAT, [2])],
        )
        for name, kind in (("then_branch", "Abs"), ("else_branch", "Neg"))
    }
    nodes = [
        helper.make_node("If", ["no"], ["d"], **branches),
        helper.make_node("Add", ["x", "d"], ["y"]),
    ]
    ends = [value(name, TensorProto.FLOAT, [2]) for name in "xy"]
    values = {"c": np.array([1, -2], np.float32), "no": np.array(False)}
    tensors = [numpy_helper.from_array(array, name) for name, array in values.items()]
    graph = helper.make_graph(nodes, "branch", ends[:1], ends[1:], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    fold(made, frozenset())
    assert [node.op_type for node in made.graph.node] == ["Add"]
    np.testing.assert_array_equal(numpy_helper.to_array(made.graph.initializer[0]), [-1, 2])
