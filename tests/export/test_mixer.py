"""The mixer's definition in a file is the mixer: everywhere, for every step size, in few nodes."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
import torch
from mixer_models import expected, largest_error, model, run, values, weights
from onnx import helper, inliner

from edgesr.export.allowed import check_no_loops, check_operators
from edgesr.export.lower import define_for_engine
from edgesr.export.mixer import MIXER
from edgesr.scan.path import TURNS, Direction, ScanPath

Write = Callable[..., onnx.ModelProto]

MAX_ERROR = 1e-5
MAX_NODES = 101  # of a mixer in half precision, columns of 251x256; the scan in it has some 70
RANK = 2
SHAPES = {  # height, width, channels, state: by the levels that they make
    "one chunk": (1, 5, 4, 2),
    "one token": (1, 1, 3, 1),
    "pairs": (4, 16, 4, 1),
    "two levels of chunks, no rest": (32, 32, 6, 1),
    "three, as shipped": (64, 64, 4, 1),
    "odd sides": (17, 13, 6, 3),
    "rests on every level": (31, 67, 3, 1),
    "a large state": (16, 16, 8, 16),
}


@pytest.fixture(params=TURNS, ids=str)
def direction(request: pytest.FixtureRequest) -> Direction:
    return request.param


@pytest.fixture(params=["file", "engine"])
def write(request: pytest.FixtureRequest) -> Write:
    """Return what writes one mixer: as it stands in a file, or as an engine is built of it."""
    if request.param == "file":
        return model
    return lambda *given, **others: define_for_engine(model(*given, **others))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_it_is_the_specification(
    direction: Direction, write: Write, shape: tuple[int, int, int, int]
) -> None:
    height, width, channels, state = shape
    path = ScanPath(height, width, direction)
    given = weights(channels, state, RANK, -2.0)
    xz = values(path, channels)
    assert largest_error(run(write(path, given), xz), expected(path, given, xz)) < MAX_ERROR


@pytest.mark.parametrize(
    "dt_bias",
    [-1e4, *(pytest.param(bias, marks=pytest.mark.long) for bias in (-7.0, 0.0, 8.0)), 60.0, 1e4],
)
def test_no_step_size_is_too_extreme(direction: Direction, write: Write, dt_bias: float) -> None:
    """No decay, decays that round to 1, steps of 60, decays that underflow."""
    path = ScanPath(20, 24, direction)
    given = weights(5, 4, RANK, dt_bias)
    xz = values(path, 5)
    assert largest_error(run(write(path, given), xz), expected(path, given, xz)) < MAX_ERROR


@pytest.mark.parametrize("overflows", [False, True], ids=["operator", "operator that overflows"])
@pytest.mark.parametrize("state", [1, 2])
def test_an_engine_takes_every_step_size_as_it_is(state: int, overflows: bool) -> None:
    """Channel by channel, with nothing beside the scan, which is in proportion to small steps.

    An operator Softplus may be written so that it overflows beyond 80 or below -80. Steps of less
    than a float32 holds add nothing to see.
    """
    steps = np.array([-1e4, -100.0, -81.0, -20.0, 0.0, 20.0, 79.0, 81.0, 100.0, 1e4])
    path = ScanPath(20, 24)
    given = of_steps(steps, state)
    xz = values(path, len(steps))
    built = define_for_engine(model(path, given))
    if overflows:
        let_softplus_overflow(only_function(built))
    got = run(built, xz)
    assert np.isfinite(got).all()
    exact = expected(path, given, xz)
    peaks = np.abs(exact).max((0, 1))
    assert (np.abs(got - exact).max((0, 1)) <= MAX_ERROR * peaks + 1e-30).all()


def of_steps(steps: np.ndarray, state: int) -> list[np.ndarray]:
    """Return weights that make nothing but a scan whose channels have these steps, always."""
    given = weights(len(steps), state, RANK, 0.0)
    given[3] = np.zeros_like(given[3])
    given[4] = steps
    given[6] = np.zeros_like(given[6])
    return given


def only_function(built: onnx.ModelProto) -> onnx.FunctionProto:
    """Return the one function that a model uses."""
    (function,) = [f for f in built.functions if f.name == built.graph.node[0].op_type]
    return function


@pytest.mark.parametrize(("width", "found"), [(64, "Softplus"), (65, "Log")])
def test_an_engine_has_the_operator_in_no_long_scan(width: int, found: str) -> None:
    """Small errors add up there, and how exact an operator is, TensorRT does not say."""
    built = define_for_engine(model(ScanPath(64, width), weights(4, 1, RANK, 0.0)))
    kinds = [node.op_type for node in only_function(built).node]
    assert [kind for kind in kinds if kind in ("Softplus", "Log")] == [found]


def test_a_long_scan_takes_large_steps_as_they_are(write: Write) -> None:
    """These make exp just less than a power of two, where 1 + exp loses half of the 1."""
    steps = np.array([9.7039995, 12.476648, 14.55609, 16.635532])
    path = ScanPath(64, 65)
    given, xz = of_steps(steps, 1), values(path, len(steps), 1)
    exact = expected(path, given, xz)
    peaks = np.abs(exact).max((0, 1))
    assert (np.abs(run(write(path, given), xz) - exact).max((0, 1)) <= MAX_ERROR * peaks).all()


def let_softplus_overflow(function: onnx.FunctionProto) -> None:
    """Let Softplus be no number beyond 80 and below -80: add 0 exp(|x| + 8.7) to it."""
    at = next(i for i, node in enumerate(function.node) if node.op_type == "Softplus")
    nodes = list(function.node)
    (x,), (y,) = nodes[at].input, nodes[at].output
    nodes[at].output[0] = "exact"
    nodes[at + 1 : at + 1] = [
        helper.make_node("Constant", [], ["zero"], value_float=0.0),
        helper.make_node("Constant", [], ["most"], value_float=8.7),
        helper.make_node("Abs", [x], ["size"]),
        helper.make_node("Add", ["size", "most"], ["exponent"]),
        helper.make_node("Exp", ["exponent"], ["grown"]),
        helper.make_node("Mul", ["zero", "grown"], ["nothing"]),
        helper.make_node("Add", ["exact", "nothing"], [y]),
    ]
    del function.node[:]
    function.node.extend(nodes)


def test_steps_that_change_by_thousands_from_one_to_the_next(
    direction: Direction, write: Write
) -> None:
    path = ScanPath(32, 32, direction)
    given = weights(6, 2, RANK, -3.0)
    given[3] = given[3] * 200
    xz = values(path, 6)
    assert largest_error(run(write(path, given), xz), expected(path, given, xz)) < MAX_ERROR


def test_a_long_walk_adds_up_no_errors(write: Write) -> None:
    path = ScanPath(128, 128)
    given = weights(4, 1, RANK, -6.0)
    xz = values(path, 4, batch=1)
    assert largest_error(run(write(path, given), xz), expected(path, given, xz)) < MAX_ERROR


@pytest.mark.parametrize("dt_bias", [-7.0, -2.0, 0.0, 8.0])
@pytest.mark.parametrize("shape", [(32, 32, 6, 1), (64, 64, 4, 1), (16, 16, 8, 16)], ids=str)
def test_value_by_value_it_loses_no_more_than_a_digit_on_a_plain_loop(
    shape: tuple[int, int, int, int], dt_bias: float
) -> None:
    """Where a value is near zero, D x and the scan cancel, and any form in float32 loses digits.

    By |error| / (|value| + 0.001 peak) a loop in float32 reaches 2.2e-5 here, and this form 2.3e-5.
    Case by case it is up to nine times as far from float64 as the loop.
    """
    height, width, channels, state = shape
    path = ScanPath(height, width)
    given = weights(channels, state, RANK, dt_bias)
    xz = values(path, channels)
    exact = expected(path, given, xz)
    scale = np.abs(exact) + 1e-3 * np.abs(exact).max()
    got, loop = run(model(path, given), xz), expected(path, given, xz, torch.float32)
    ours, theirs = (float((np.abs(y - exact) / scale).max()) for y in (got, loop))
    assert theirs > 1e-7, "float64"
    assert ours < max(10 * theirs, MAX_ERROR)


def test_half_precision_is_outside_alone(direction: Direction, write: Write) -> None:
    path = ScanPath(16, 24, direction)
    given = weights(4, 1, RANK, -2.0)
    xz = values(path, 4).astype(np.float16)
    got = run(write(path, given, half=True), xz)
    assert got.dtype == np.float16
    rounded = expected(path, given, xz).astype(np.float16)
    np.testing.assert_allclose(got, rounded, rtol=1e-3, atol=1e-4)  # a unit of float16


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("state", [1, 16])
@pytest.mark.parametrize(
    "sides",
    [
        (16, 16),
        *(pytest.param(sides, marks=pytest.mark.long) for sides in ((63, 65), (128, 128))),
        (64, 64),
        (251, 256),
    ],
)
def test_it_has_few_nodes(
    direction: Direction, sides: tuple[int, int], state: int, half: bool
) -> None:
    built = model(ScanPath(*sides, direction), weights(4, state, RANK, 0.0), half)
    onnx.checker.check_model(built, full_check=True)
    check_operators(built)
    check_no_loops(built)
    (function,) = built.functions
    # A constant is written as a node only because functions have no initializers.
    assert sum(node.op_type != "Constant" for node in function.node) <= MAX_NODES


def test_an_engine_gets_fewer_nodes(direction: Direction) -> None:
    """A level less, for a tile of 64, and what weights alone give is computed before."""
    built = model(ScanPath(64, 64, direction), weights(4, 1, RANK, 0.0))
    for_engine = define_for_engine(built)
    (node,) = for_engine.graph.node
    own = [function for function in for_engine.functions if function.name == node.op_type]
    sizes = [sum(n.op_type != "Constant" for n in f.node) for f in (*built.functions, *own)]
    assert len(sizes) == 2
    assert sizes[1] <= sizes[0] - 10
    # TensorRT before 10.8 runs a cumulative sum as a loop.
    assert "CumSum" not in {n.op_type for n in own[0].node}


def test_products_have_three_axes_at_most(direction: Direction) -> None:
    built = model(ScanPath(24, 40, direction), weights(4, 3, RANK, 0.0))
    inlined = inliner.inline_local_functions(built)
    del inlined.graph.value_info[:]
    typed = onnx.shape_inference.infer_shapes(inlined, data_prop=True)
    ranks = {v.name: len(v.type.tensor_type.shape.dim) for v in typed.graph.value_info}
    products = [node for node in typed.graph.node if node.op_type in ("MatMul", "Gemm")]
    assert products
    assert all(ranks[node.output[0]] <= 3 for node in products)


def test_another_picture_is_another_function() -> None:
    names = set()
    for turn in TURNS:
        for sides in ((4, 8), (8, 4)):
            built = model(ScanPath(*sides, turn), weights(4, 1, RANK, 0.0))
            (node,) = built.graph.node
            assert node.op_type.startswith(MIXER)
            assert node.op_type == built.functions[0].name
            names.add(node.op_type)
    assert len(names) == 8
