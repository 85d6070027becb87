"""x + depthwise(x) as one convolution, judged by ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from edgesr.export.graph import producers
from edgesr.export.residual import fold_residuals
from edgesr.export.torch_graph import trace
from edgesr.models import get_network

CHANNELS, SIDE = 5, 6


def graph(body, inputs, weights):
    model = helper.make_model(
        helper.make_graph(
            body,
            "residual",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, inputs)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, inputs)],
            [numpy_helper.from_array(value, name) for name, value in weights.items()],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,
    )
    return onnx.shape_inference.infer_shapes(model)


def weights(kernel=(3, 3), groups=CHANNELS):
    rng = np.random.default_rng(0)
    return {"w": rng.normal(size=(CHANNELS, CHANNELS // groups, *kernel)).astype(np.float32)}


def of_an_image(first=True, kernel=(3, 3), groups=CHANNELS, other="x", **attributes):
    pads = [side // 2 for side in kernel] * 2
    conv = helper.make_node("Conv", ["x", "w"], ["c"], group=groups, pads=pads, **attributes)
    terms = [other, "c"] if first else ["c", other]
    nodes = [helper.make_node("Abs", ["x"], ["a"]), conv, helper.make_node("Add", terms, ["y"])]
    return graph(nodes, [2, CHANNELS, SIDE, SIDE], weights(kernel, groups))


def of_tokens():
    shapes = {
        "image": np.array([2, SIDE, SIDE, CHANNELS]),
        "tokens": np.array([2, SIDE * SIDE, CHANNELS]),
    }
    nodes = [
        helper.make_node("Reshape", ["x", "image"], ["t"]),
        helper.make_node("Transpose", ["t"], ["i"], perm=(0, 3, 1, 2)),
        helper.make_node("Conv", ["i", "w"], ["c"], group=CHANNELS, pads=[1] * 4),
        helper.make_node("Transpose", ["c"], ["r"], perm=(0, 2, 3, 1)),
        helper.make_node("Reshape", ["r", "tokens"], ["b"]),
        helper.make_node("Add", ["x", "b"], ["y"]),
    ]
    return graph(nodes, [2, SIDE * SIDE, CHANNELS], {**weights(), **shapes})


def run(model):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    shape = session.get_inputs()[0].shape
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize(
    "model",
    [of_an_image(), of_an_image(first=False), of_an_image(kernel=(5, 3)), of_tokens()],
    ids=["image", "sum turned round", "5x3", "tokens"],
)
def test_it_is_one_convolution_and_the_same(model):
    expected, before = run(model), len(model.graph.node)
    assert fold_residuals(model.graph) == 1
    onnx.checker.check_model(model)
    assert len(model.graph.node) == before - 1
    assert not [node for node in model.graph.node if node.op_type == "Add"]
    np.testing.assert_allclose(run(model), expected, rtol=1e-5, atol=1e-5)


def read_twice():
    model = of_an_image()
    model.graph.output.append(helper.make_tensor_value_info("c", TensorProto.FLOAT, None))
    return model


def shared_weights():
    model = of_an_image()
    other = helper.make_node("Conv", ["a", "w"], ["z"], group=CHANNELS, pads=[1] * 4)
    model.graph.node.insert(1, other)
    model.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, None))
    return model


@pytest.mark.parametrize(
    "model",
    [
        of_an_image(groups=1),
        of_an_image(other="a"),
        read_twice(),
    ],
    ids=["not depthwise", "another value", "result read elsewhere"],
)
def test_what_is_not_such_a_sum_stays(model):
    before = model.SerializeToString()
    assert fold_residuals(model.graph) == 0
    assert model.SerializeToString() == before


def test_a_kernel_that_others_read_stays_theirs():
    model = shared_weights()
    session = onnxruntime.InferenceSession(model.SerializeToString())
    x = np.random.default_rng(1).normal(size=(2, CHANNELS, SIDE, SIDE)).astype(np.float32)
    expected = session.run(None, {"x": x})
    assert fold_residuals(model.graph) == 1
    found = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})
    for got, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("trained", [True, False])
def test_no_such_sum_is_left_in_a_network(trained):
    """What is looked for is what the exporter writes of a network.

    Before training all its kernels are zero, and one tensor of the file.
    """
    network = get_network("mambalitesr:D8-G1-B2-N1-SKIP-TURN-C3").module(2).eval()
    for parameter in network.parameters() if trained else ():
        torch.nn.init.normal_(parameter, std=0.1)
    traced = trace(network, 8, None)
    made_by = producers(traced.graph)

    def unturned(name):
        node = made_by.get(name)
        while node is not None and node.op_type in ("Reshape", "Transpose"):
            name = node.input[0]
            node = made_by.get(name)
        return name

    depthwise = {
        node.output[0]: unturned(node.input[0])
        for node in traced.graph.node
        if node.op_type == "Conv" and any(a.name == "group" and a.i > 1 for a in node.attribute)
    }
    assert len(depthwise) == 2
    for total in (node for node in traced.graph.node if node.op_type == "Add"):
        one, other = map(unturned, total.input)
        assert depthwise.get(one) != other
        assert depthwise.get(other) != one
