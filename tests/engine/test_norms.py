"""A norm that is written out gives what the operator gives, whatever the operator is told."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgesr.engine.norms import write_norms
from edgesr.engine.older_opset import OPSET_BEFORE, to_older_opset
from edgesr.engine.rewrite import prepare

rng = np.random.default_rng(0)


def norm(shape, bias, scale=None, opset=18, kind=np.float32, **attributes):
    """Return a model of one LayerNormalization, whose scale is of the last axis or of a shape."""
    names = ("gain", "shift")[: 1 + bias]
    element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    sides = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("LayerNormalization", ["x", *names], ["y"], "norm", **attributes)],
        "norm",
        [sides("x", element, shape)],
        [sides("y", element, shape)],
        [
            numpy_helper.from_array(rng.normal(1, 1, scale or shape[-1:]).astype(kind), name)
            for name in names
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def run(model, x):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize("attributes", [{}, {"axis": -1, "epsilon": 0.25}], ids=str)
@pytest.mark.parametrize("bias", [False, True], ids=["no bias", "bias"])
@pytest.mark.parametrize("shape", [(7,), (2, 5, 60), (1, 3, 4, 8), (2, 3, 1)], ids=str)
def test_a_norm_is_its_formula(shape, bias, attributes):
    model = norm(shape, bias, **attributes)
    x = rng.normal(0.5, 1, shape).astype(np.float32)
    expected = run(model, x)
    write_norms(model)
    to_older_opset(model)
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == OPSET_BEFORE
    assert "LayerNormalization" not in {node.op_type for node in model.graph.node}
    np.testing.assert_allclose(run(model, x), expected, atol=1e-5)


def test_a_norm_may_name_the_last_axis_and_leave_its_shift_empty():
    model = norm((2, 5, 8), bias=False, axis=2)
    x = rng.normal(0.5, 1, (2, 5, 8)).astype(np.float32)
    expected = run(model, x)
    model.graph.node[0].input.append("")  # with which onnxruntime 1.32 itself would crash
    write_norms(model)
    onnx.checker.check_model(model, full_check=True)
    np.testing.assert_allclose(run(model, x), expected, atol=1e-5)


def test_a_norm_of_halves_squares_in_single_precision():
    """The squares of these overflow as float16."""
    model = norm((2, 5, 60), bias=True, kind=np.float16)
    x = rng.normal(0, 1000, (2, 5, 60)).astype(np.float16)
    expected = run(model, x)
    write_norms(model)
    to_older_opset(model)
    onnx.checker.check_model(model, full_check=True)
    np.testing.assert_allclose(run(model, x), expected, atol=4e-3)


SEVERAL = [
    ((2, 3, 4, 5), {"axis": 1}, (3, 4, 5)),
    ((2, 3, 4, 5), {"axis": 1}, (3, 1, 1)),
    ((2, 3, 4, 5), {"axis": -2, "epsilon": 0.25}, (4, 5)),
    ((2, 3, 4, 5), {"axis": -2}, (5,)),
    ((2, 6, 8), {"axis": 0}, (2, 6, 8)),
    ((2, 6, 8), {"axis": 2}, (1,)),
    ((2, 6, 8), {}, (1, 8)),
    ((2, 6, 8), {}, (1,)),
]
"""Shape, attributes, and the shape of scale and shift: of several axes, or not one for each."""


@pytest.mark.parametrize("kind", [np.float32, np.float16])
@pytest.mark.parametrize("opset", [17, 18])
@pytest.mark.parametrize("bias", [False, True], ids=["no bias", "bias"])
@pytest.mark.parametrize(("shape", "attributes", "scale"), SEVERAL, ids=str)
def test_a_norm_of_several_axes_is_its_formula(shape, attributes, scale, bias, opset, kind):
    model = norm(shape, bias, scale, opset, kind, **attributes)
    data = model.SerializeToString()
    size = 1 if kind is np.float32 else 1000  # the squares of the halves overflow as such
    x = rng.normal(0.5 * size, size, shape).astype(kind)
    prepared = onnx.load_model_from_string(prepare(data, "8.5.3", plugin=False))
    onnx.checker.check_model(prepared, full_check=True)
    assert prepared.opset_import[0].version == OPSET_BEFORE
    assert "LayerNormalization" not in {node.op_type for node in prepared.graph.node}
    limit = 1e-5 if kind is np.float32 else 8e-3
    np.testing.assert_allclose(run(prepared, x), run(model, x), atol=limit, rtol=limit)
    assert prepare(data, "8.6.1", plugin=False).count(b"LayerNormalization")


def test_a_scale_may_be_computed():
    model = norm((2, 6, 8), bias=False)
    model.graph.initializer[0].name = "raw"
    model.graph.node.insert(0, helper.make_node("Abs", ["raw"], ["gain"]))
    model.graph.input.append(helper.make_tensor_value_info("raw", TensorProto.FLOAT, [8]))
    x = rng.normal(0.5, 1, (2, 6, 8)).astype(np.float32)
    expected = run(model, x)
    write_norms(model)
    onnx.checker.check_model(model, full_check=True)
    assert "ReduceMean" in {node.op_type for node in model.graph.node}
    np.testing.assert_allclose(run(model, x), expected, atol=1e-5)


def test_a_mean_that_is_given_besides_is_refused_if_something_reads_it():
    model = norm((2, 6, 8), bias=False, axis=1)
    model.graph.node[0].output.append("mean")
    assert "ReduceMean" in str(prepare(model.SerializeToString(), "8.5.3", plugin=False))
    model.graph.node.append(helper.make_node("Abs", ["mean"], ["size"]))
    model.graph.output.append(helper.make_tensor_value_info("size", TensorProto.FLOAT, [2, 1, 1]))
    with pytest.raises(ValueError, match="norm gives its mean or deviation"):
        prepare(model.SerializeToString(), "8.5.3", plugin=False)


def test_axes_that_are_counted_from_the_first_need_a_shape():
    model = norm((2, 6, 8), bias=False, axis=1)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.ClearField("shape")
    with pytest.raises(ValueError, match="norm normalises a shape that the file does not tell"):
        write_norms(model)
