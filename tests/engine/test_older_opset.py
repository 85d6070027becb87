"""A file of a later opset gives the same as one of an older, or is refused."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgesr.engine.older_opset import to_older_opset

rng = np.random.default_rng(0)


def run(model, x):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def mean(axes, constants):
    """Return a model of a mean over axes of that name, all where it has none."""
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["x", axes], ["y"], "mean", keepdims=1)],
        "mean",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (2, 3, 4))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["a", "b", "c"])],
        [numpy_helper.from_array(np.array(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


@pytest.mark.parametrize("axes", ["", "a"], ids=["all axes", "one axis"])
def test_axes_that_were_an_attribute_become_one(axes):
    model = mean(axes, {"a": [-1]} if axes else {})
    x = rng.normal(0, 1, (2, 3, 4)).astype(np.float32)
    expected = run(model, x)
    to_older_opset(model)
    onnx.checker.check_model(model, full_check=True)
    np.testing.assert_allclose(run(model, x), expected, atol=1e-6)


def test_axes_that_are_computed_are_refused():
    with pytest.raises(ValueError, match="mean has no constant axes"):
        to_older_opset(mean("computed", {}))


@pytest.mark.parametrize("noop", [0, 1])
@pytest.mark.parametrize("axes", [[], [-1]], ids=["all axes", "one axis"])
def test_no_axes_are_all_unless_a_node_says_that_they_are_none(axes, noop):
    model = mean("a", {"a": np.array(axes, np.int64)})
    model.graph.node[0].attribute.append(helper.make_attribute("noop_with_empty_axes", noop))
    x = rng.normal(0, 1, (2, 3, 4)).astype(np.float32)
    expected = run(model, x)
    if noop and not axes:
        with pytest.raises(ValueError, match="mean has noop_with_empty_axes, newer than opset 17"):
            to_older_opset(model)
        return
    to_older_opset(model)
    onnx.checker.check_model(model, full_check=True)
    np.testing.assert_allclose(run(model, x), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("attribute", "value", "is_refused"),
    [
        ("antialias", 0, False),
        ("keep_aspect_ratio_policy", "stretch", False),
        ("antialias", 1, True),
        ("axes", [1, 2], True),
    ],
)
def test_what_the_parser_would_not_look_at_is_refused(attribute, value, is_refused):
    scales = np.ones(2 if attribute == "axes" else 3, np.float32)
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], mode="linear")
    node.attribute.append(helper.make_attribute(attribute, value))
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 4, 4]) for n in "xy"]
    tensors = [numpy_helper.from_array(scales, "s")]
    graph = helper.make_graph([node], "resize", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    if is_refused:
        with pytest.raises(ValueError, match=f"Resize has {attribute}, newer than opset 17"):
            to_older_opset(model)
        return
    to_older_opset(model)
    onnx.checker.check_model(model, full_check=True)


def test_a_split_may_leave_its_sizes_empty():
    parts = ["a", "b", "c"]
    nodes = [
        helper.make_node("Split", ["x", ""], parts, num_outputs=3),
        helper.make_node("Concat", parts[::-1], ["y"], axis=0),
    ]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [8, 2]) for n in "xy"]
    graph = helper.make_graph(nodes, "split", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    x = rng.normal(0, 1, (8, 2)).astype(np.float32)
    expected = run(model, x)
    to_older_opset(model)
    onnx.checker.check_model(model, full_check=True)
    np.testing.assert_array_equal(run(model, x), expected)
