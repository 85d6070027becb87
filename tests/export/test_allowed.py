"""Graphs a board cannot run are refused, and the node is named."""

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from edgesr.errors import ExportError
from edgesr.export.allowed import LOOPS, OPERATORS, check_no_loops, check_operators


def _model(kind: str, domain: str = "", dtype: type = np.float32) -> ModelProto:
    node = helper.make_node(kind, ["x", "w"], ["y"], name="the-node", domain=domain)
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy")
    w = numpy_helper.from_array(np.ones(2, dtype), "w")
    return helper.make_model(helper.make_graph([node], "g", [x], [y], [w]))


def test_known_operators_pass() -> None:
    check_operators(_model("Add"))
    check_no_loops(_model("Add"))


@pytest.mark.parametrize(
    ("kind", "domain"),
    [("MambaMixer", "edgesr"), ("FusedMatMul", "com.microsoft"), ("Attention", ""), ("Det", "")],
)
def test_unknown_operators_are_named(kind: str, domain: str) -> None:
    with pytest.raises(ExportError, match=rf"the-node.*{kind}"):
        check_operators(_model(kind, domain))


def test_operators_inside_a_loop_are_checked_too() -> None:
    inner = _model("Det").graph
    outer = helper.make_node("If", ["x"], ["y"], name="choice", then_branch=inner)
    model = helper.make_model(helper.make_graph([outer], "g", [], []))
    with pytest.raises(ExportError, match="Det"):
        check_operators(model)


@pytest.mark.parametrize("kind", sorted(LOOPS))
def test_loops_are_read_but_not_for_boards(kind: str) -> None:
    assert kind in OPERATORS
    with pytest.raises(ExportError, match="the-node"):
        check_no_loops(_model(kind))


def test_double_constants_are_refused() -> None:
    with pytest.raises(ExportError, match="DOUBLE"):
        check_operators(_model("Add", dtype=np.float64))


def _defined(*inner: str) -> ModelProto:
    """A model whose one node is a function of others."""
    nodes = [
        helper.make_node(kind, ["a", "b"], ["c"], name=f"inner-{kind}", domain="") for kind in inner
    ]
    function = helper.make_function(
        "edgesr", "MambaMixer", ["a", "b"], ["c"], nodes, [helper.make_opsetid("", 18)]
    )
    model = _model("MambaMixer", "edgesr")
    model.functions.append(function)
    return model


def test_what_a_file_defines_is_known_if_its_definition_is() -> None:
    check_operators(_defined("Add"))
    with pytest.raises(ExportError, match="inner-Det"):
        check_operators(_defined("Det"))
    other = _defined("Add")
    other.graph.node[0].overload = "of another picture"
    with pytest.raises(ExportError, match="the-node"):
        check_operators(other)


@pytest.mark.parametrize("kind", sorted(LOOPS))
def test_loops_inside_a_function_are_not_for_boards(kind: str) -> None:
    with pytest.raises(ExportError, match=f"inner-{kind}"):
        check_no_loops(_defined(kind))
