"""Slices of other people's files, judged by ONNX Runtime on the file before and after."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgesr.engine.rewrite import prepare


@pytest.mark.parametrize("version", ["8.5.3", "10.3.0"])
@pytest.mark.parametrize(
    ("opset", "inputs", "kind"),
    [
        (11, ["start", "end", "axis"], "Slice"),  # whose Split has its sizes as an attribute
        (13, ["start", "end", "axis"], "Split"),
        (17, ["start", "end", "axis", ""], "Split"),
        (17, ["start", "end", "axis", "one"], "Split"),
        (17, ["start", "end", "", "one"], "Slice"),
        (17, ["start", "end", "", "two"], "Slice"),
    ],
)
def test_a_slice_gives_the_same_whatever_of_it_is_left_out(opset, inputs, kind, version):
    numbers = {"start": 1, "end": 4, "axis": 2, "one": 1, "two": 2}
    shape = [4, 3, 6, 8]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Slice", ["lr", *inputs], ["hr"])],
        "slice",
        [value("lr", TensorProto.FLOAT, shape)],
        [value("hr", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(np.array([n]), name) for name, n in numbers.items()],
    )
    imports = [helper.make_opsetid("", opset)]
    data = helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()
    out = prepare(data, version, plugin=False)
    assert [node.op_type for node in onnx.load_model_from_string(out).graph.node] == [kind]
    tile = np.random.default_rng(0).random(shape, np.float32)
    results = [
        ort.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"lr": tile})[0]
        for file in (data, out)
    ]
    np.testing.assert_array_equal(*results)
