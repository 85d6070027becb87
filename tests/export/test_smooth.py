"""Smoothing changes the sizes of channels and nothing else, at no cost behind a LayerNorm."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper, shape_inference

from edgesr.export.parity import run_tiles
from edgesr.export.ranges import largest_sizes
from edgesr.export.smooth import smooth
from edgesr.imaging.patches import real_tiles
from edgesr.imaging.psnr import psnr_db

TILE = 16
WIDTH = 6
CHOSEN = ("inner", "left", "right")


def _graph(*, read_elsewhere: bool = False, half: bool = False) -> onnx.ModelProto:
    """A convolution, one in groups, one inside, a LayerNorm, two projections that read it, a sum.

    The channels of the first one's output differ a hundredfold, and one of them is always 0.
    """
    rng = np.random.default_rng(0)
    sizes = np.array([100, 30, 10, 3, 1, 0])
    weights = {
        "first.w": rng.normal(size=(WIDTH, 3, 3, 3)) * sizes[:, None, None, None],
        "deep.w": np.ones((WIDTH, 1, 1, 1)),
        "inner.w": rng.normal(size=(WIDTH, WIDTH, 3, 3)),
        "gain": sizes + 1.0,
        "shift": rng.normal(size=WIDTH),
        "left.w": rng.normal(size=(WIDTH, WIDTH)),
        "right.w": rng.normal(size=(WIDTH, WIDTH)),
    }
    to = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    nodes = [
        helper.make_node("Conv", ["lr", "first.w"], ["a"], "first", pads=[1] * 4),
        helper.make_node("Conv", ["a", "deep.w"], ["b"], "deep", group=WIDTH),
        helper.make_node("Conv", ["b", "inner.w"], ["c"], "inner", pads=[1] * 4),
        helper.make_node("Transpose", ["c"], ["d"], "turn", perm=[0, 2, 3, 1]),
        helper.make_node("LayerNormalization", ["d", "gain", "shift"], ["e"], "norm"),
        helper.make_node("Cast", ["e"], ["f"], "cast", to=to),
        helper.make_node("MatMul", ["f", "left.w"], ["g"], "left"),
        helper.make_node("MatMul", ["f", "right.w"], ["h"], "right"),
        helper.make_node("Add", ["g", "h"], ["i"], "sum"),
        helper.make_node("Add", ["i", "f" if read_elsewhere else "h"], ["j"], "more"),
        helper.make_node("Cast", ["j"], ["sr"], "last", to=TensorProto.FLOAT),
    ]
    lr = helper.make_tensor_value_info("lr", TensorProto.FLOAT, ["n", 3, TILE, TILE])
    sr = helper.make_tensor_value_info("sr", TensorProto.FLOAT, ["n", TILE, TILE, WIDTH])
    types = {
        name: np.float16 if half and name in ("left.w", "right.w") else np.float32
        for name in weights
    }
    constants = [numpy_helper.from_array(w.astype(types[n]), n) for n, w in weights.items()]
    graph = helper.make_graph(nodes, "channels", [lr], [sr], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=10)
    return shape_inference.infer_shapes(model)


def _values(model: onnx.ModelProto, names: dict[str, int | None]) -> dict[str, np.ndarray]:
    return largest_sizes(model, names, [real_tiles(TILE)], None)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("read_elsewhere", [False, True])
@pytest.mark.parametrize("batch", [None, 2])
def test_the_graph_computes_the_same(half: bool, read_elsewhere: bool, batch: int | None) -> None:
    model = _graph(half=half, read_elsewhere=read_elsewhere)
    tiles = real_tiles(TILE)
    found = smooth(model, CHOSEN, tiles, batch)
    onnx.checker.check_model(found, full_check=True)
    (before,), (after,) = run_tiles(model, [tiles], None), run_tiles(found, [tiles], None)
    scale = float(np.abs(before).max())
    assert np.abs(before - after).max() > 0
    assert psnr_db(float((((before - after) / scale) ** 2).mean())) > (60 if half else 120)


def test_channels_become_alike() -> None:
    sizes = _values(_graph(), {"b": 1, "f": 3})
    assert sizes["b"][0] > 50 * sizes["b"][4]
    found = _values(smooth(_graph(), CHOSEN, real_tiles(TILE), None, 1.0), {"b/smooth": 1, "f": 3})
    alive, dead = np.split(found["b/smooth"], [WIDTH - 1])
    np.testing.assert_allclose(alive, alive[0], rtol=1e-5)
    np.testing.assert_allclose(np.log(alive).mean(), np.log(sizes["b"][:-1]).mean(), rtol=1e-5)
    assert dead == 0
    np.testing.assert_allclose(found["f"], found["f"][0], rtol=1e-5)


def test_migration_shares_the_difference_with_the_weights() -> None:
    spread = []
    for migration in (0.0, 0.5, 0.8, 1.0):
        found = smooth(_graph(), CHOSEN, real_tiles(TILE), None, migration)
        alive = _values(found, {"b/smooth": 1})["b/smooth"][:-1]
        spread.append(alive.max() / alive.min())
    assert spread == sorted(spread, reverse=True)


def test_a_factor_behind_a_layer_norm_costs_nothing() -> None:
    def products(**how: bool) -> list[str]:
        found = smooth(_graph(**how), CHOSEN, real_tiles(TILE), None)
        return [node.name for node in found.graph.node if node.op_type == "Mul"]

    assert products() == ["b/smooth"]
    assert products(half=True) == ["b/smooth"]
    assert products(read_elsewhere=True) == ["b/smooth", "f/smooth"]


def test_what_is_not_chosen_or_works_in_groups_stays_as_it_is() -> None:
    model = _graph()
    found = smooth(model, ("first", "deep"), real_tiles(TILE), None)
    kept = {tensor.name: tensor for tensor in found.graph.initializer}
    for name in ("deep.w", "inner.w", "gain", "shift", "left.w", "right.w"):
        assert kept[name] in list(model.graph.initializer)
    assert [node.input[0] for node in found.graph.node if node.name == "deep"] == ["a"]
    assert [node.name for node in found.graph.node if node.op_type == "Mul"] == ["lr/smooth"]


def test_where_all_that_is_chosen_works_in_groups_nothing_changes() -> None:
    model = _graph()
    found = smooth(model, ("deep",), real_tiles(TILE), None)
    assert [node.name for node in found.graph.node] == [node.name for node in model.graph.node]
    assert list(found.graph.initializer) == list(model.graph.initializer)
