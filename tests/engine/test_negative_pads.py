"""Pads that take away, judged by ONNX Runtime on the model before and after."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgesr.engine.negative_pads import crop_before_padding
from edgesr.engine.rewrite import prepare


def padded(pads: list[int], axes: list[int] | None = None) -> onnx.ModelProto:
    """Return a model of one Pad of a (2, 5, 3) value, of all axes or of those that it names."""
    named = [] if axes is None else ["", "axes"]
    graph = helper.make_graph(
        [helper.make_node("Pad", ["x", "pads", *named], ["y"], "pad")],
        "pad",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (2, 5, 3))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [
            numpy_helper.from_array(np.array(numbers, np.int64), name)
            for name, numbers in (("pads", pads), ("axes", axes or []))
        ],
    )
    opset = helper.make_opsetid("", 17 if axes is None else 18)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8)


def run(model: onnx.ModelProto) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    x = np.arange(30, dtype=np.float32).reshape(2, 5, 3) + 1
    result: np.ndarray = session.run(None, {"x": x})[0]
    return result


@pytest.mark.parametrize(
    "pads",
    [
        [0, 1, 0, 0, -1, 0],
        [0, -1, 0, 0, 1, 0],
        [0, -2, 1, 0, -1, 0],
        [-1, 0, -1, 0, 2, -1],
        [0, 1, 0, 0, 2, 0],
    ],
)
def test_a_pad_that_takes_away_becomes_slice_and_pad(pads: list[int]) -> None:
    model = padded(pads)
    want = run(model)
    crop_before_padding(model)
    np.testing.assert_array_equal(run(model), want)
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    (pad,) = (node for node in model.graph.node if node.op_type == "Pad")
    assert constants[pad.input[1]].min() >= 0


def test_no_prepared_pad_takes_away() -> None:
    model = onnx.load_model_from_string(
        prepare(padded([0, 1, 0, 0, -1, 0]).SerializeToString(), "8.5.3.1", plugin=False)
    )
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    kinds = [node.op_type for node in model.graph.node]
    assert kinds == ["Split", "Pad"]
    assert constants[model.graph.node[-1].input[1]].min() >= 0
    np.testing.assert_array_equal(run(model), run(padded([0, 1, 0, 0, -1, 0])))


@pytest.mark.parametrize("version", ["8.5.3.1", "10.3.0"])
@pytest.mark.parametrize(("pads", "axes"), [([1, 2], [1]), ([1, -1, -2, 3], [-1, 1])])
def test_a_pad_that_names_its_axes_is_one_of_all(
    pads: list[int], axes: list[int], version: str
) -> None:
    made = padded(pads, axes)
    model = onnx.load_model_from_string(prepare(made.SerializeToString(), version, plugin=False))
    onnx.checker.check_model(model, full_check=True)
    assert [len(node.input) for node in model.graph.node if node.op_type == "Pad"] == [3]
    np.testing.assert_array_equal(run(model), run(made))


def test_a_pad_of_a_file_before_opset_11_stays() -> None:
    shape = (1, 3, 4, 4)
    graph = helper.make_graph(
        [helper.make_node("Pad", ["x"], ["y"], "pad", pads=[0, 0, 1, 1, 0, 0, 1, 1])],
        "pad",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 10)], ir_version=5)
    model = onnx.load_model_from_string(prepare(made.SerializeToString(), "8.5.3.1", plugin=False))
    assert model.graph.node == made.graph.node
