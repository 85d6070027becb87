"""A mixer's input projection: inside its function in a file, outside it in an engine."""

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import ModelProto

from edgesr.engine.rewrite import prepare
from edgesr.export.fp16 import to_fp16
from edgesr.export.lower import define_mixers
from edgesr.export.mixer import is_mixer, is_projected
from edgesr.export.projection import give_back_projections, take_in_projections
from edgesr.export.torch_graph import trace
from edgesr.models import get_network

NETWORK, TILE = "mambalitesr:D16-G2-B1-N1-SKIP-TURN-C3", 16
TENSORRT = "8.5.3.1"


@pytest.fixture(scope="module")
def traced() -> ModelProto:
    torch.manual_seed(0)
    return define_mixers(trace(get_network(NETWORK).module(2).eval(), TILE, None))


def run(model: ModelProto) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    tiles = np.random.default_rng(0).random((3, 3, TILE, TILE), np.float32)
    (result,) = session.run(None, {session.get_inputs()[0].name: tiles})
    return result


def mixers_of(model: ModelProto) -> list[bool]:
    """Return of every mixer whether it has its projection."""
    return [is_projected(node) for node in model.graph.node if is_mixer(node)]


def test_the_function_has_the_product_and_the_same_result(traced: ModelProto) -> None:
    projected = take_in_projections(traced)
    assert set(mixers_of(traced)) == {False}
    assert set(mixers_of(projected)) == {True}
    products = [
        sum(node.op_type == "MatMul" for node in model.graph.node) for model in (traced, projected)
    ]
    assert products[0] - products[1] == len(mixers_of(traced))
    np.testing.assert_allclose(run(projected), run(traced), atol=1e-6)


def test_nothing_is_cut_in_two_but_a_constant(traced: ModelProto) -> None:
    for function in take_in_projections(traced).functions:
        made_by = {name: node for node in function.node for name in node.output}
        cut = [node.input[0] for node in function.node if node.op_type == "Split"]
        assert "in_proj" in cut
        assert all(name == "in_proj" or made_by[name].op_type == "Gemm" for name in cut)


def test_there_and_back_is_what_was_traced(traced: ModelProto) -> None:
    back = give_back_projections(take_in_projections(traced))
    assert set(mixers_of(back)) == {False}
    np.testing.assert_array_equal(run(back), run(traced))


@pytest.mark.parametrize("plugin", [False, True])
def test_an_engine_is_built_of_what_was_traced(traced: ModelProto, plugin: bool) -> None:
    """The same operators in the same order; only names of values may differ."""
    kinds = []
    for model in (traced, take_in_projections(traced)):
        prepared = ModelProto()
        prepared.ParseFromString(
            prepare(model.SerializeToString(), TENSORRT, plugin=plugin, batch=1)
        )
        kinds.append([node.op_type for node in prepared.graph.node])
    assert kinds[0] == kinds[1]


def test_a_product_that_others_read_stays(traced: ModelProto) -> None:
    model = ModelProto()
    model.CopyFrom(traced)
    first = next(node for node in model.graph.node if is_mixer(node))
    second = next(node for node in model.graph.node if is_mixer(node) and node is not first)
    second.input[0] = first.input[0]
    assert mixers_of(take_in_projections(model))[:2] == [False, False]


def test_half_precision_stays_outside(traced: ModelProto) -> None:
    half = define_mixers(to_fp16(traced)[0])
    assert set(mixers_of(take_in_projections(half))) == {False}
