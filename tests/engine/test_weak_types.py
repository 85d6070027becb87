"""A file for a weakly typed TensorRT gives what it gave, without casts."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgesr.engine import rewrite
from edgesr.engine.weak_types import FLOATS, without_casts
from edgesr.weights import shipped

FLOAT, HALF, INT64 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64


def run(data):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    tile = np.random.default_rng(0).random(given.shape, np.float32)
    return session.run(None, {given.name: tile})[0]


def file_of(nodes, tensors, outputs=("y",)):
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", FLOAT, (2, 3, 4))],
        [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnx.shape_inference.infer_shapes(model, strict_mode=True).SerializeToString()


def cast(given, result, to):
    return helper.make_node("Cast", [given], [result], result, to=to)


def make(kind, given, result):
    return helper.make_node(kind, given, [result], result)


def check(data):
    """Check what holds of every file, and return the new one."""
    out = onnx.load_model_from_string(without_casts(data))
    onnx.checker.check_model(out, full_check=True)
    typed = onnx.shape_inference.infer_shapes(out, strict_mode=True).graph
    values = (*typed.input, *typed.value_info, *typed.output)
    assert HALF not in {value.type.tensor_type.elem_type for value in values}
    assert HALF not in {tensor.data_type for tensor in typed.initializer}
    return out


def kinds(model):
    return [node.op_type for node in model.graph.node]


def test_a_half_island_computes_in_float32():
    scale = np.full((3, 1), 1.5, np.float16)
    nodes = [
        cast("x", "half", HALF),
        make("Mul", ["half", "scale"], "scaled"),
        make("Exp", ["scaled"], "grown"),
        cast("grown", "y", FLOAT),
    ]
    data = file_of(nodes, {"scale": scale})
    out = check(data)
    assert kinds(out) == ["Mul", "Exp"]
    assert {node.name for node in out.graph.node} == {"scaled", "grown"}
    np.testing.assert_allclose(run(out.SerializeToString()), run(data), rtol=5e-3)
    tile = np.random.default_rng(0).random((2, 3, 4), np.float32)
    np.testing.assert_allclose(run(out.SerializeToString()), np.exp(tile * 1.5), rtol=1e-6)


def test_a_value_that_is_read_and_given_out_is_one():
    nodes = [
        cast("x", "half", HALF),
        make("Exp", ["half"], "grown"),
        cast("grown", "y", FLOAT),
        cast("grown", "again", FLOAT),
        make("Sqrt", ["again"], "z"),
    ]
    out = check(file_of(nodes, {}, ("y", "z")))
    assert [(*node.input, *node.output) for node in out.graph.node] == [("x", "y"), ("y", "z")]


def test_a_cast_that_an_output_cannot_do_without_stays():
    nodes = [make("Exp", ["x"], "grown"), cast("x", "y", FLOAT), cast("grown", "z", FLOAT)]
    out = check(file_of(nodes, {}, ("y", "z")))
    assert kinds(out) == ["Exp", "Cast"]


def test_casts_from_and_to_integers_stay():
    nodes = [cast("x", "whole", INT64), cast("whole", "y", FLOAT)]
    data = file_of(nodes, {})
    out = check(data)
    assert kinds(out) == ["Cast", "Cast"]
    np.testing.assert_array_equal(run(out.SerializeToString()), run(data))


@pytest.mark.parametrize(
    "nodes",
    [
        [make("Greater", ["half", "one"], "is_large"), cast("is_large", "other", HALF)],
        [cast("half", "whole", INT64), cast("whole", "other", HALF)],
        [cast("x", "double", TensorProto.DOUBLE), cast("double", "other", HALF)],
        [
            make("Shape", ["half"], "sizes"),
            helper.make_node(
                "ConstantOfShape",
                ["sizes"],
                ["other"],
                "other",
                value=numpy_helper.from_array(np.array([2], np.float16)),
            ),
        ],
    ],
    ids=["of truth", "of integers", "of double", "of a shape"],
)
def test_what_a_node_is_told_to_give_is_wide_too(nodes):
    around = [make("Mul", ["half", "other"], "product"), cast("product", "y", FLOAT)]
    data = file_of([cast("x", "half", HALF), *nodes, *around], {"one": np.array(0.5, np.float16)})
    out = check(data)
    np.testing.assert_allclose(run(out.SerializeToString()), run(data), atol=4e-3)


def test_a_value_that_became_an_output_is_read_by_its_new_name():
    nodes = [
        make("Exp", ["x"], "grown"),
        cast("grown", "half", HALF),
        cast("grown", "y", FLOAT),
        make("Sqrt", ["half"], "root"),
        cast("root", "z", FLOAT),
    ]
    out = check(file_of(nodes, {}, ("y", "z")))
    assert [(*node.input, *node.output) for node in out.graph.node] == [("x", "y"), ("y", "z")]


def test_a_file_with_half_ends_is_left_to_be_refused():
    graph = helper.make_graph(
        [make("Relu", ["x"], "y")],
        "half",
        [helper.make_tensor_value_info("x", HALF, (1, 3))],
        [helper.make_tensor_value_info("y", HALF, (1, 3))],
    )
    data = helper.make_model(graph).SerializeToString()
    assert without_casts(data) == data


@pytest.mark.parametrize("name", ["student", "espcn", "esr", "photo"])
def test_the_networks_that_ship_keep_their_values_and_node_names(name):
    data = rewrite.prepare(shipped(name, 4, "onnx").read_bytes(), "8.5.3.1", plugin=False)
    out = check(data)
    floats = {node.name for node in out.graph.node}
    assert floats <= {node.name for node in onnx.load_model_from_string(data).graph.node}
    np.testing.assert_allclose(run(out.SerializeToString()), run(data), atol=3e-6)


def student(precision):
    path = shipped("student", 4, "onnx")
    return path.with_name(f"{path.stem}_fp16.onnx" if precision == "fp16" else path.name)


def test_the_student_in_half_is_close_and_needs_no_cast():
    half = student("fp16").read_bytes()
    data = rewrite.prepare(half, "8.5.3.1", plugin=False)
    out = check(data)
    to_floats = [n for n in out.graph.node if n.op_type == "Cast" and n.attribute[0].i in FLOATS]
    assert not to_floats
    assert np.abs(run(out.SerializeToString()) - run(data)).max() < 4e-3


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_student_is_made_of_few_layers(precision):
    """What TensorRT walks over: nodes, parts of Splits, constants that are no weights.

    A Split is a layer of each part that is read; a constant is one each time that it meets values
    element by element, but none as a convolution's weights or a Clip's bound.
    """
    data = rewrite.prepare(student(precision).read_bytes(), "8.5.3.1", plugin=False)
    graph = check(data).graph
    read = {name for node in graph.node for name in node.input}
    splits = [node for node in graph.node if node.op_type == "Split"]
    parts = sum(len(read.intersection(split.output)) for split in splits)
    constants = {tensor.name for tensor in graph.initializer}
    met = [
        f"{node.name} {name}"
        for node in graph.node
        if node.op_type in ("Add", "Div", "Max", "Min", "Mul", "Sub")
        for name in node.input
        if name in constants
    ]
    # The mean of colours, there and back, A of the mixers, and two norms that a residual and a
    # convolution with padding read.
    assert len(met) <= 2 + 8 + 2 * 2, met
    assert len(graph.node) - len(splits) + parts + len(met) <= 679
