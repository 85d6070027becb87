"""Which networks the plugins take, and what becomes of norms between types."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, shape_inference

sys.path.append(str(Path(__file__).parents[1] / "export"))

from mixer_models import model, weights

from edgesr.artifacts.plugin import read_sources
from edgesr.engine.plugin_build import scan_plugin
from edgesr.engine.plugin_nodes import LIMITS, too_large, use_plugins
from edgesr.engine.stack import Stack, Typing
from edgesr.scan.path import ScanPath

STACK = Stack(None, "tensorrt", "8.5.3.1", Typing.WEAK)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({}, None),
        ({"channels": 132}, "132 channels, the scan's plugin takes 128"),
        ({"state": 17}, "17 states, the scan's plugin takes 16"),
        ({"rank": 5}, "5 rank"),
        ({"height": 300, "width": 256}, "76800 steps"),
    ],
)
def test_a_mixer_beyond_the_kernel_is_built_without_it_and_said(sizes, said):
    given = {"channels": 128, "state": 16, "rank": 4, "height": 256, "width": 256, **sizes}
    path = ScanPath(given["height"], given["width"])
    arrays = weights(given["channels"], given["state"], given["rank"], -2.0)
    data = model(path, arrays).SerializeToString()
    found = too_large(data)
    assert found is None if said is None else said in found
    if said is not None:
        notices = []
        assert scan_plugin(data, STACK, "--no-plugin", lambda *step: None, notices.append) is None
        (line,) = notices
        assert said in line
        assert "longer" in line


def test_the_limits_are_those_of_the_kernel():
    source = read_sources()["mixer_launch.cuh"].decode()
    stated = dict(re.findall(r"\b(MAX_[A-Z]+) = (\d+)", source))
    names = {"channels": "CHANNELS", "states": "STATES", "rank": "RANK", "taps": "TAPS"}
    wanted = {f"MAX_{end}": str(LIMITS[name]) for name, end in names.items()}
    assert stated == {**wanted, "MAX_LENGTH": str(LIMITS["steps"])}


def norms(casts_behind):
    """Two norms behind a cast to float32, and behind each whether there is a cast to float16."""
    nodes = [helper.make_node("Cast", ["x"], ["single"], "single", to=TensorProto.FLOAT)]
    given, outputs = "single", []
    for number, cast in enumerate(casts_behind):
        name = f"norm{number}"
        nodes.append(helper.make_node("LayerNormalization", [given, "w", "b"], [name], name))
        kind, out = ("Cast", f"half{number}") if cast else ("Sqrt", f"root{number}")
        to = {"to": TensorProto.FLOAT16} if cast else {}
        nodes.append(helper.make_node(kind, [name], [out], out, **to))
        nodes.append(helper.make_node("Neg", [out], [f"y{number}"], f"y{number}"))
        outputs.append(helper.make_empty_tensor_value_info(f"y{number}"))
        given = name
    graph = helper.make_graph(
        nodes,
        "norms",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT16, [1, 6, 8])],
        outputs,
        [numpy_helper.from_array(np.ones(8, np.float32), name) for name in "wb"],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return shape_inference.infer_shapes(made)


@pytest.mark.parametrize(
    ("casts_behind", "reads"),
    [
        ([True, True], ["x", "norm0"]),  # halves all the way
        ([True, False], ["single", "norm0"]),  # the second gives float32, so the first does
        ([False, True], ["single", "norm0"]),
        ([True], ["x"]),
        ([False], ["single"]),
    ],
)
def test_norms_take_halves_only_where_all_around_are_halves(casts_behind, reads):
    made = norms(casts_behind)
    use_plugins(made)
    plugins = [node for node in made.graph.node if node.op_type == "TokenNorm"]
    assert [node.input[0] for node in plugins] == reads
    kinds = {v.name: v.type.tensor_type.elem_type for v in made.graph.value_info}
    halves = reads[0] == "x"
    wanted = TensorProto.FLOAT16 if halves else TensorProto.FLOAT
    assert {kinds[node.output[0]] for node in plugins} == {wanted}
    read = {name for node in made.graph.node if node.op_type == "Neg" for name in node.input}
    assert read == {f"norm{i}" if halves else f"{'half' if cast else 'root'}{i}"
                    for i, cast in enumerate(casts_behind)}  # fmt: skip


@pytest.mark.parametrize("axis", [-1, 3], ids=str)
def test_a_norm_of_four_axes_is_left_for_the_plugin_would_take_them_for_an_image(axis):
    made = norms([False])
    for value, shape in ((made.graph.input[0], [1, 2, 6, 8]), (made.graph.output[0], [1, 2, 6, 8])):
        typed = helper.make_tensor_value_info(value.name, value.type.tensor_type.elem_type, shape)
        value.CopyFrom(typed)
    del made.graph.value_info[:]
    made.graph.node[1].attribute.append(helper.make_attribute("axis", axis))
    made = shape_inference.infer_shapes(made)
    use_plugins(made)
    assert made.graph.node[1].op_type == "LayerNormalization"


@pytest.mark.parametrize("left_out", [[], [""]], ids=["left out", "empty"])
def test_a_norm_without_a_bias_gets_none_and_one_of_no_constants_is_refused(left_out):
    made = norms([False])
    made.graph.node[1].input[2:] = left_out
    use_plugins(made)
    given = {a.name: helper.get_attribute_value(a) for a in made.graph.node[1].attribute}
    assert given["weight"] == [1.0] * 8
    assert given["bias"] == [0.0] * 8
    made = norms([False])
    made.graph.node[1].input[1] = "x"
    with pytest.raises(ValueError, match="x of norm0 is no constant"):
        use_plugins(made)
