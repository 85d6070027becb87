"""Tokens as images: the same values, and tokens again wherever something needs them."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper, shape_inference
from plugin_meaning import in_standard_operators

from edgesr.engine.images import use_images
from edgesr.engine.plugin_nodes import use_plugins

HEIGHT, WIDTH, CHANNELS = 3, 5, 16
LENGTH = HEIGHT * WIDTH
rng = np.random.default_rng(0)


def model(nodes, constants, channels=CHANNELS, outputs=("out",)):
    """An image that becomes tokens `t`, a norm of them `n`, and what `nodes` make of the two."""
    image = [1, channels, HEIGHT, WIDTH]
    constants = {
        "flat": np.array([1, LENGTH, channels]),
        "back": np.array([1, HEIGHT, WIDTH, channels]),
        "gamma": rng.standard_normal(channels).astype(np.float32),
        "beta": rng.standard_normal(channels).astype(np.float32),
        **constants,
    }
    nodes = [
        helper.make_node("Transpose", ["in"], ["f"], "f", perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["f", "flat"], ["t"], "t"),
        helper.make_node("LayerNormalization", ["t", "gamma", "beta"], ["n"], "n", axis=-1),
        *nodes,
    ]
    opset = 18
    if any(node.op_type == "ReduceMean" for node in nodes):
        opset = 17  # whose axes are an attribute, as preparation leaves them
    graph = helper.make_graph(
        nodes,
        "tokens",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, image)],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    typed = shape_inference.infer_shapes(made)
    onnx.checker.check_model(typed, full_check=True)
    return typed


def run(made):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(
        made.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    shape = session.get_inputs()[0].shape
    return session.run(None, {"in": np.random.default_rng(1).random(shape, np.float32)})


def check(made):
    """Rewrite a model for images, see that it gives the same, and return its nodes by operator."""
    expected = run(made)
    use_plugins(made)
    use_images(made)
    found = run(in_standard_operators(made))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    return [node.op_type for node in made.graph.node]


def to_image(name, output="out"):
    return [
        helper.make_node("Reshape", [name, "back"], [f"{name}_last"], f"{name}_last"),
        helper.make_node("Transpose", [f"{name}_last"], [output], output, perm=[0, 3, 1, 2]),
    ]


def weights(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def test_products_sums_and_products_by_channel_stay_images():
    nodes = [
        helper.make_node("MatMul", ["n", "matrix"], ["m"], "m"),
        helper.make_node("Add", ["m", "vector"], ["a"], "a"),
        helper.make_node("Mul", ["a", "scalar"], ["b"], "b"),
        helper.make_node("Sub", ["vector", "b"], ["c"], "c"),
        helper.make_node("Add", ["c", "t"], ["d"], "d"),
        *to_image("d"),
    ]
    constants = {
        "matrix": weights(CHANNELS, CHANNELS),
        "vector": weights(1, 1, CHANNELS),
        "scalar": weights(),
    }
    kinds = check(model(nodes, constants))
    assert kinds == ["TokenNorm", "Conv", "Add", "Mul", "Sub", "Add", "Identity"]


def test_an_image_between_tokens_goes_straight_to_its_reader():
    nodes = [
        *to_image("n", "image"),
        helper.make_node("Conv", ["image", "kernel"], ["conv"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Transpose", ["conv"], ["cf"], "cf", perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["cf", "flat"], ["ct"], "ct"),
        helper.make_node("Add", ["ct", "n"], ["s"], "s"),
        *to_image("s"),
    ]
    kinds = check(model(nodes, {"kernel": weights(CHANNELS, CHANNELS, 3, 3)}))
    assert kinds == ["TokenNorm", "Conv", "Add", "Identity"]


@pytest.mark.parametrize(
    "reader",
    [
        helper.make_node("Softmax", ["n"], ["out"], "out", axis=-1),
        helper.make_node("MatMul", ["n", "many"], ["out"], "out"),
        helper.make_node("Add", ["n", "each"], ["out"], "out"),
        helper.make_node("Mul", ["n", "of_four"], ["out"], "out"),
        helper.make_node("Sub", ["one_of_four", "n"], ["out"], "out"),
        helper.make_node("Identity", ["n"], ["out"], "out"),
        helper.make_node("ReduceMean", ["n"], ["out"], "out", axes=[1]),
        helper.make_node("ReduceMean", ["n"], ["out"], "out", axes=[-1], keepdims=0),
        helper.make_node("Split", ["n", "ways"], ["out", "rest"], "out", axis=1),
    ],
    ids=lambda node: "".join((node.op_type, *(f" {a.name}" for a in node.attribute))),
)
def test_what_needs_tokens_gets_them(reader):
    constants = {
        "many": weights(1, CHANNELS, 8),
        "each": weights(LENGTH, CHANNELS),
        "of_four": weights(1, 1, 1, CHANNELS),
        "one_of_four": weights(1, 1, 1, 1),
        "ways": np.array([7, LENGTH - 7]),
    }
    kinds = check(model([reader], constants))
    assert kinds == ["TokenNorm", "Reshape", "Transpose", reader.op_type]


def test_parts_and_means_of_channels_stay_images():
    """A norm as other files may write it, and what a mixer does with its two halves."""
    nodes = [
        helper.make_node("ReduceMean", ["n"], ["mean"], "mean", axes=[-1]),
        helper.make_node("Sub", ["n", "mean"], ["apart"], "apart"),
        helper.make_node("Split", ["apart", "halves"], ["x", "z"], "x", axis=2),
        helper.make_node("Sigmoid", ["z"], ["gate"], "gate"),
        helper.make_node("Mul", ["x", "gate"], ["y"], "y"),
        helper.make_node("MatMul", ["y", "matrix"], ["m"], "m"),
        *to_image("m"),
    ]
    half = CHANNELS // 2
    constants = {"halves": np.array([half, half]), "matrix": weights(half, CHANNELS)}
    kinds = check(model(nodes, constants))
    assert kinds == [
        "TokenNorm",
        "ReduceMean",
        "Sub",
        "Split",
        "Sigmoid",
        "Mul",
        "Conv",
        "Identity",
    ]


def test_other_tokens_that_meet_an_image_are_turned():
    nodes = [
        helper.make_node("Softmax", ["n"], ["s"], "s", axis=1),
        helper.make_node("Mul", ["s", "n"], ["y"], "y"),
        *to_image("y"),
    ]
    kinds = check(model(nodes, {}))
    turned = ["Transpose", "Reshape", "Mul", "Identity"]
    assert kinds == ["TokenNorm", "Reshape", "Transpose", "Softmax", *turned]


def test_a_row_of_tokens_is_convolved_without_being_turned_twice():
    nodes = [
        helper.make_node("Reshape", ["n", "row"], ["r"], "r"),
        helper.make_node("Transpose", ["r"], ["c"], "c", perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["c", "taps"], ["out"], "out", group=CHANNELS, pads=[0, 3, 0, 0]),
    ]
    constants = {"row": np.array([1, 1, LENGTH, CHANNELS]), "taps": weights(CHANNELS, 1, 1, 4)}
    assert check(model(nodes, constants)) == ["TokenNorm", "Reshape", "Conv"]


def test_tokens_that_are_an_output_are_given():
    kinds = check(model(to_image("n"), {}, outputs=("n", "out")))
    assert sorted(kinds) == ["Identity", "Reshape", "TokenNorm", "Transpose"]


def test_tokens_of_half_a_pack_stay_tokens():
    made = model(to_image("n"), {}, channels=12)
    assert check(made) == ["Transpose", "Reshape", "TokenNorm", "Reshape", "Transpose"]


@pytest.mark.parametrize("value", ["t", "n", "i"])
def test_a_branch_reads_tokens_and_images_as_other_nodes_do(value):
    operators = {"then_branch": "Abs", "else_branch": "Neg"}
    result = helper.make_empty_tensor_value_info
    branches = {
        name: helper.make_graph([helper.make_node(kind, [value], [kind])], name, [], [result(kind)])
        for name, kind in operators.items()
    }
    nodes = [
        helper.make_node("Reshape", ["n", "back"], ["b"], "b"),
        helper.make_node("Transpose", ["b"], ["i"], "i", perm=[0, 3, 1, 2]),
        helper.make_node("If", ["yes"], ["chosen"], "chosen", **branches),
        helper.make_node("Identity", ["i"], ["out"], "out"),
    ]
    check(model(nodes, {"yes": np.array(True)}, outputs=("chosen", "out")))
