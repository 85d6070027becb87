"""What a parser is given: operators that it has, the same values, the same types."""

from collections import Counter
from functools import cache

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from plugin_meaning import in_standard_operators

from edgesr.engine import rewrite
from edgesr.engine.plugin_nodes import WEIGHTS
from edgesr.engine.rewrite import graph_precision, node_of, node_types
from edgesr.weights import shipped

BEFORE_8_6 = {"LayerNormalization", "GroupNormalization", "IsInf", "CastLike", "Gelu", "Mish"}
"""Of onnx-tensorrt's docs/operators.md for TensorRT 8.5: not supported, or not in the table."""

prepare = cache(rewrite.prepare)  # whose answers are bytes, and the same every time

VERSIONS = (
    "8.5.3.1",
    *(pytest.param(version, marks=pytest.mark.long) for version in ("8.6.2", "10.3.0")),
    "11.1.0",
)


@pytest.fixture(scope="module", params=["fp32", "fp16"])
def student(request):
    suffix = "" if request.param == "fp32" else "_fp16"
    path = shipped("student", 4, "onnx")
    return path.with_name(f"{path.stem}{suffix}.onnx").read_bytes(), request.param


@pytest.fixture(scope="module")
def enlarged(student):
    """What the student's file gives for the tile of `run`."""
    return run(student[0])


def run(data, batch=1):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    tile = np.random.default_rng(0).random((batch, 3, 64, 64), np.float32)
    return session.run(None, {"lr": tile})[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_without_a_plugin_it_is_standard_and_gives_the_same(student, enlarged, version):
    data, precision = student
    out = prepare(data, version, plugin=False)
    model = onnx.load_model_from_string(out)
    onnx.checker.check_model(model, full_check=True)
    assert not model.functions
    assert {node.domain for node in model.graph.node} == {""}
    old = version.startswith("8.5")
    assert BEFORE_8_6.isdisjoint(node.op_type for node in model.graph.node) == old
    assert model.opset_import[0].version == (17 if old else 18)
    assert graph_precision(out) == precision
    limit = 1e-5 if precision == "fp32" else 2e-3  # a norm that is written out rounds otherwise
    assert np.abs(run(out) - enlarged).max() < limit


@pytest.mark.parametrize("version", VERSIONS)
def test_with_plugins_it_gives_the_same_and_no_weight_is_an_input(student, enlarged, version):
    data, precision = student
    out = prepare(data, version, plugin=True)
    model = onnx.load_model_from_string(out)
    assert not model.functions
    plugins = [node for node in model.graph.node if node.domain == "edgesr"]
    assert Counter(node.op_type for node in plugins) == {"MambaMixer": 8, "TokenNorm": 10}
    assert all(len(node.input) == len(node.output) == 1 for node in plugins)
    types = node_types(out)
    assert {types[node.name] for node in plugins} == {precision}
    assert graph_precision(out) == precision
    limit = 1e-5 if precision == "fp32" else 2e-3  # norms round to half where they meet
    standard = in_standard_operators(model).SerializeToString()
    assert np.abs(run(standard) - enlarged).max() < limit


def test_a_mixer_keeps_its_path_and_its_weights_to_the_last_bit(student):
    source = onnx.load_model_from_string(student[0])
    model = onnx.load_model_from_string(prepare(student[0], "8.5.3.1", plugin=True))
    constants = {t.name: numpy_helper.to_array(t) for t in source.graph.initializer}
    before = [node for node in source.graph.node if node.domain == "edgesr"]
    after = [node for node in model.graph.node if node.op_type == "MambaMixer"]
    for old, new in zip(before, after, strict=True):
        given = {a.name: helper.get_attribute_value(a) for a in new.attribute}
        assert given.pop("plugin_version") == b"2"
        assert given.pop("plugin_namespace") == b""
        for field, name in zip(WEIGHTS, old.input[-len(WEIGHTS) :], strict=True):
            if name in constants:  # the others are computed in the file, from constants
                expected = constants[name].astype(np.float32).reshape(-1)
                np.testing.assert_array_equal(np.array(given[field], np.float32), expected)
            del given[field]
        assert given == {a.name: helper.get_attribute_value(a) for a in old.attribute}


def test_half_precision_with_plugins_is_made_of_images(student):
    """Nothing is reshaped or turned between the first convolution and the last."""
    data, precision = student
    model = onnx.load_model_from_string(prepare(data, "8.5.3.1", plugin=True))
    kinds = Counter(node.op_type for node in model.graph.node)
    if precision == "fp16":
        assert not {"Reshape", "Transpose", "MatMul"} & set(kinds)
        assert kinds["Cast"] == 2  # of input and output
        assert len(model.graph.node) <= 75
    else:
        assert kinds["MatMul"] == 16
        assert len(model.graph.node) <= 125


@pytest.mark.parametrize("plugin", [False, True])
def test_names_lead_from_layers_to_nodes(student, plugin):
    out = prepare(student[0], "8.5.3.1", plugin=plugin)
    names = [node.name for node in onnx.load_model_from_string(out).graph.node]
    assert len(set(names)) == len(names)
    for name in names:
        assert node_of(name) == name
        assert node_of(f"{name}_12") == name


def test_islands_are_single_and_the_rest_is_half(student):
    data, precision = student
    out = prepare(data, "8.5.3.1", plugin=False)
    types = node_types(out)
    model = onnx.load_model_from_string(out)
    assert set(types) == {node.name for node in model.graph.node}
    exponentials = {types[n.name] for n in model.graph.node if n.op_type in ("Exp", "Sqrt")}
    assert exponentials == {"fp32"}
    whole = {types[n.name] for n in model.graph.node if n.op_type == "Conv" and len(n.input) == 3}
    assert ("fp16" in whole) == (precision == "fp16")


def test_a_batch_that_is_open_gets_a_number(student):
    data, _ = student
    out = prepare(data, "10.3.0", plugin=False, batch=3)
    model = onnx.load_model_from_string(out)
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_value == 3
    assert run(out, 3).shape == (3, 3, 256, 256)


def test_without_a_plugin_constants_are_kernels(student):
    """A builder makes a layer of any other constant of several values that is multiplied."""
    data, precision = student
    model = onnx.load_model_from_string(prepare(data, "8.5.3.1", plugin=False))
    kinds = Counter(node.op_type for node in model.graph.node)
    assert not {"Gemm", "Pad", "Slice"} & set(kinds)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    products = [node for node in model.graph.node if node.op_type == "MatMul"]
    assert not {node.input[0] for node in products} & set(constants)
    multiplied = [
        name
        for node in model.graph.node
        if node.op_type == "Mul"
        for name in node.input
        if name in constants and np.prod(constants[name].dims) > 1
    ]
    assert len(multiplied) == 8 + 10  # A of the mixers, the factors of the norms
    assert len(model.graph.node) <= (681 if precision == "fp16" else 643)


def test_no_slice_is_left_whose_ends_are_known(student):
    model = onnx.load_model_from_string(prepare(student[0], "8.5.3.1", plugin=False))
    assert "Slice" not in {node.op_type for node in model.graph.node}


def test_what_changed_its_form_after_17_is_written_as_before():
    nodes = [
        helper.make_node("ReduceMax", ["lr", "axes"], ["m"], keepdims=1),
        helper.make_node("Split", ["lr"], ["a", "b"], axis=2, num_outputs=2),
        helper.make_node("Add", ["a", "b"], ["c"]),
        helper.make_node("Sub", ["c", "m"], ["hr"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "newer",
        [value("lr", TensorProto.FLOAT, [1, 3, 64, 64])],
        [value("hr", TensorProto.FLOAT, [1, 3, 32, 64])],
        [numpy_helper.from_array(np.array([2, 3]), "axes")],
    )
    opset = [helper.make_opsetid("", 18)]
    data = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    out = prepare(data, "8.5.2", plugin=False)
    model = onnx.load_model_from_string(out)
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 17
    np.testing.assert_array_equal(run(out), run(data))


@pytest.mark.parametrize(("rows", "parts"), [(64, 3), (64, 2), (7, 3)])
def test_parts_of_a_split_before_18_are_as_large_as_since(rows: int, parts: int) -> None:
    """Since opset 18 the last part may be smaller; before, all of them were of one size."""
    names = [f"p{number}" for number in range(parts)]
    nodes = [
        helper.make_node("Split", ["lr"], names, axis=-2, num_outputs=parts),
        helper.make_node("Concat", names[::-1], ["hr"], axis=2),
    ]
    shape = [1, 3, rows, 8]
    lr, hr = (helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in ("lr", "hr"))
    graph = helper.make_graph(nodes, "uneven", [lr], [hr])
    opset = [helper.make_opsetid("", 18)]
    data = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    out = prepare(data, "8.5.3", plugin=False)
    onnx.checker.check_model(onnx.load_model_from_string(out), full_check=True)
    tile = np.random.default_rng(0).random(shape, np.float32)
    results = [
        ort.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"lr": tile})[0]
        for file in (data, out)
    ]
    np.testing.assert_array_equal(*results)


def test_parts_of_a_length_that_nothing_tells_are_a_value_error() -> None:
    nodes = [helper.make_node("Split", ["lr"], ["a", "b"], axis=2, num_outputs=2)]
    nodes.append(helper.make_node("Add", ["a", "b"], ["hr"]))
    lr, hr = (
        helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, "rows", 8]) for n in ("lr", "hr")
    )
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(
        helper.make_graph(nodes, "open", [lr], [hr]), opset_imports=opset, ir_version=8
    )
    with pytest.raises(ValueError, match="splits a length that the file does not tell"):
        prepare(model.SerializeToString(), "8.5.3", plugin=False)


def test_what_is_no_model_is_a_value_error():
    with pytest.raises(ValueError, match="not an ONNX file"):
        prepare(b"\x08\x0a\xff\xff\xff", "8.5.3", plugin=False)


def test_every_reduction_has_its_axes_where_an_older_parser_looks():
    torch = pytest.importorskip("torch")
    from edgesr.export.torch_graph import trace
    from edgesr.models import get_network

    torch.manual_seed(0)
    network = get_network("smfanet:D8-B1").module(4).eval()
    data = trace(network, 16, 1).SerializeToString()
    out = prepare(data, "8.5.3.1", plugin=False)
    model = onnx.load_model_from_string(out)
    onnx.checker.check_model(model, full_check=True)
    reductions = [n for n in model.graph.node if n.op_type.startswith("Reduce")]
    assert {n.op_type for n in reductions} >= {"ReduceL2", "ReduceMean"}
    tile = np.random.default_rng(0).random((1, 3, 16, 16), np.float32)
    want, got = (
        ort.InferenceSession(d, providers=["CPUExecutionProvider"]).run(None, {"lr": tile})[0]
        for d in (data, out)
    )
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_a_cast_of_nothing_is_no_onnx_file():
    graph = helper.make_graph(
        [helper.make_node("Cast", [], ["hr"], "broken", to=TensorProto.FLOAT)],
        "broken",
        [],
        [helper.make_tensor_value_info("hr", TensorProto.FLOAT, (1,))],
    )
    with pytest.raises(ValueError):
        rewrite.prepare(helper.make_model(graph).SerializeToString(), "8.5.3.1", plugin=False)
