"""A file whose tensors are called as preparation would call its own; ONNX Runtime judges both."""

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgesr.engine.rewrite import prepare
from edgesr.engine.weak_types import without_casts
from edgesr.export.names import Names
from edgesr.weights import shipped

SHAPE = [1, 8, 6, 8]
KINDS = {"fp32": TensorProto.FLOAT, "fp16": TensorProto.FLOAT16}
VERSIONS = ["8.5.3", "8.6.1", "10.3.0"]


def network(opset: int, precision: str) -> ModelProto:
    """Return a network of everything that preparation writes otherwise, its ends float32."""
    rng = np.random.default_rng(0)
    kind = KINDS[precision]

    def floats(*shape: int) -> Any:
        values = rng.normal(0, 0.3, shape)
        return values.astype(helper.tensor_dtype_to_np_dtype(kind))

    constants = {
        "w": floats(8, 8, 1, 1),
        **{name: np.array([value]) for name, value in {"one": 1, "five": 5, "two": 2}.items()},
        "pads": np.array([0, 0, 0, -1, 0, 0, 0, 1]),
        "flat": np.array([1, 32, 8]),
        "back": np.array([1, 4, 8, 8]),
        "gain": 1 + floats(8),
        "shift": floats(8),
        "matrix": floats(8, 8),
        "gains": 1 + floats(8, 4, 8),
        "shifts": floats(8, 4, 8),
        "channels": 1 + floats(1, 8, 1, 1),
    }
    node = helper.make_node
    parts: dict[str, Any] = {"num_outputs": 3} if opset >= 18 else {}
    nodes = [
        node("Cast", ["lr"], ["h"], to=kind),
        node("Conv", ["h", "w"], ["c"]),
        node("Slice", ["c", "one", "five", "two"], ["cut"]),
        node("Pad", ["cut", "pads"], ["moved"]),
        node("Split", ["moved"], ["p", "q", "r"][: 3 if parts else 2], axis=1, **parts),
        node("Concat", ["r", "q", "p"][0 if parts else 1 :], ["joined"], axis=1),
        node("Transpose", ["joined"], ["turned"], perm=[0, 2, 3, 1]),
        node("Reshape", ["turned", "flat"], ["t"]),
        node("LayerNormalization", ["t", "gain", "shift"], ["n"]),
        node("MatMul", ["n", "matrix"], ["m"]),
        node("Add", ["m", "shift"], ["a"]),
        node("Gelu", ["a"], ["g"]) if opset >= 20 else node("Sigmoid", ["a"], ["g"]),
        node("Softmax", ["g"], ["soft"], axis=1),
        node("Mul", ["soft", "g"], ["weighed"]),
        node("Reshape", ["weighed", "back"], ["image"]),
        node("Transpose", ["image"], ["i"], perm=[0, 3, 1, 2]),
        node("LayerNormalization", ["i", "gains", "shifts"], ["norm"], axis=1),
        node("Mul", ["norm", "channels"], ["scaled"]),
        node("Conv", ["scaled", "w"], ["last"]),
        node("Cast", ["last"], ["hr"], to=TensorProto.FLOAT),
    ]
    graph = helper.make_graph(
        nodes,
        "names",
        [helper.make_tensor_value_info("lr", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info("hr", TensorProto.FLOAT, [1, 8, 4, 8])],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def made(model: ModelProto, version: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names that preparation gives and that no value of the model has."""
    found = set()
    first = Names.first

    def noted(names: Names, candidates: Any) -> str:
        name = first(names, candidates)
        found.add(name)
        return name

    with monkeypatch.context() as patch:
        patch.setattr(Names, "first", noted)
        data = without_casts(prepare(model.SerializeToString(), version, plugin=False))
    found |= Names.of_values(onnx.load_model_from_string(data).graph).taken  # the inliner's too
    return sorted(found - Names.of_values(model.graph).taken)


def call(model: ModelProto, names: list[str], place: str) -> ModelProto:
    """Return a model with one more value of each name, behind its first node.

    Args:
        model: whose first node gives what the values are added to.
        names: all different.
        place: what is called so: results of sums, constants, or results in a branch; nodes too.
    """
    result = ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    start = graph.node[0]
    kind = next((a.i for a in start.attribute if a.name == "to"), TensorProto.FLOAT)
    type_ = helper.tensor_dtype_to_np_dtype(kind)
    end, start.output[0] = start.output[0], "chain/start"
    value, chain = start.output[0], list[NodeProto]()
    for i, name in enumerate(names):
        constant, total = (name, f"chain/{i}") if place == "constants" else (f"chain/{i}", name)
        graph.initializer.append(numpy_helper.from_array(np.array(0.01 * i, type_), constant))
        chain.append(helper.make_node("Add", [value, constant], [total], name))
        value = total
    if place == "branch":
        empty = helper.make_empty_tensor_value_info
        otherwise = [helper.make_node("Identity", ["chain/start"], ["chain/else"])]
        branches = {
            "then_branch": helper.make_graph(chain, "then", [], [empty(value)]),
            "else_branch": helper.make_graph(otherwise, "else", [], [empty("chain/else")]),
        }
        chain = [
            helper.make_node("ReduceMax", ["chain/start"], ["chain/max"], keepdims=0),
            helper.make_node("Cast", ["chain/max"], ["chain/if"], to=TensorProto.BOOL),
            helper.make_node("If", ["chain/if"], ["chain/end"], **branches),
        ]
        value = "chain/end"
    chain.append(helper.make_node("Identity", [value], [end]))
    nodes = [start, *chain, *graph.node[1:]]
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)
    return result


def run(data: bytes, shape: list[int]) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return session.run(None, {"lr": np.random.default_rng(1).random(shape, np.float32)})[0]


@pytest.mark.parametrize("place", ["results", "constants", "branch"])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("precision", KINDS)
@pytest.mark.parametrize("opset", [17, 20])
def test_a_file_may_call_its_values_as_preparation_would(
    opset: int, precision: str, version: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = network(opset, precision)
    names = made(plain, version, monkeypatch)
    wanted = {"cut/sizes", "cut/before", "moved/added", "moved/cropped3/from"}
    wanted |= (
        {"n/centre", "norm/variance", "a/image", "shift/of_images"} if "8.5" in version else set()
    )
    assert wanted <= set(names)
    data = call(plain, names, place).SerializeToString()
    onnx.checker.check_model(data, full_check=True)
    expected = run(data, SHAPE)
    prepared = prepare(data, version, plugin=False)
    limit = {"fp32": 1e-5, "fp16": 2e-2}[precision]
    for out in (prepared, without_casts(prepared)):
        model = onnx.load_model_from_string(out)
        onnx.checker.check_model(model, full_check=True)
        nodes = [node.name for node in model.graph.node]
        assert len(set(nodes)) == len(nodes)
        np.testing.assert_allclose(run(out, SHAPE), expected, atol=limit, rtol=limit)


def test_so_may_a_file_with_mixers(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = onnx.load(shipped("student", 4, "onnx"))
    names = made(plain, "8.5.3", monkeypatch)
    products = [name for name in names if name.endswith("/xz")]
    assert len(products) == 8
    data = call(plain, products, "results").SerializeToString()
    out = prepare(data, "8.5.3", plugin=False)
    onnx.checker.check_model(onnx.load_model_from_string(out), full_check=True)
    shape = [1, 3, 64, 64]
    np.testing.assert_allclose(run(out, shape), run(data, shape), atol=1e-4, rtol=1e-4)


def test_nodes_of_one_name_get_one_each_that_no_other_has() -> None:
    names = ["n", "n", "n/again2", "n"]
    values = ["lr", *(f"v{i}" for i in range(3)), "hr"]
    nodes = [
        helper.make_node("Abs", [values[i]], [values[i + 1]], name) for i, name in enumerate(names)
    ]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in ("lr", "hr")]
    model = helper.make_model(helper.make_graph(nodes, "names", ends[:1], ends[1:]))
    out = onnx.load_model_from_string(prepare(model.SerializeToString(), "10.3.0", plugin=False))
    found = [node.name for node in out.graph.node]
    assert found == ["n", "n/again2", "n/again2/again2", "n/again3"]
