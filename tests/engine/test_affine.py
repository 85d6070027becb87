"""Constant scales and shifts are put into convolutions where these give the same, nowhere else."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgesr.engine.affine import into_convolutions

FLOAT = TensorProto.FLOAT
IMAGE = (2, 3, 4, 5)
rng = np.random.default_rng(0)


def values(*shape):
    return rng.standard_normal(shape).astype(np.float32)


C = values(3, 1, 1)
W = values(6, 3, 1, 1)
B = values(6)


def node(kind, given, result, name=None, **attributes):
    return helper.make_node(kind, given.split(), result.split(), name or result, **attributes)


def model(nodes, constants, outputs=("y",), shape=IMAGE, inputs=()):
    """Return a small model of an image `x`, whose shapes are listed."""
    given = [helper.make_tensor_value_info("x", FLOAT, shape)]
    given += [helper.make_tensor_value_info(name, FLOAT, constants[name].shape) for name in inputs]
    graph = helper.make_graph(
        nodes,
        "small",
        given,
        [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnx.shape_inference.infer_shapes(made, strict_mode=True)


def run(made):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(made.SerializeToString(), options, ["CPUExecutionProvider"])
    shape = session.get_inputs()[0].shape
    return session.run(None, {"x": np.random.default_rng(1).standard_normal(shape, np.float32)})


def fold(made):
    """Fold a model, see that it is whole and gives the same, and return its operators in order."""
    expected = run(made)
    into_convolutions(made.graph)
    onnx.checker.check_model(made, full_check=True)
    for one, other in zip(run(made), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    return [node.op_type for node in made.graph.node]


def stays(made):
    before = made.graph.SerializeToString()
    fold(made)
    return made.graph.SerializeToString() == before


SCALE, SHIFT = node("Mul", "x c", "s"), node("Add", "x c", "s")
BEFORE = pytest.mark.parametrize("before", [SCALE, SHIFT], ids=["scale", "shift"])
CONV = node("Conv", "s w", "y")


@BEFORE
@pytest.mark.parametrize("bias", [{}, {"b": B}], ids=["no bias", "bias"])
@pytest.mark.parametrize(
    "constant", [C, C[None], values(), values(1), values(1, 1, 1, 1)], ids=lambda c: str(c.shape)
)
def test_what_stands_before_a_1x1_convolution_is_folded(before, bias, constant):
    conv = node("Conv", " ".join(["s", "w", *bias]), "y", strides=[1, 2])
    assert fold(model([before, conv], {"c": constant, "w": W, **bias})) == ["Conv"]


@BEFORE
def test_the_constant_may_come_first(before):
    turned = node(before.op_type, "c x", "s")
    assert fold(model([turned, CONV], {"c": C, "w": W})) == ["Conv"]


def test_the_end_of_a_norm_is_folded_and_names_are_kept():
    nodes = [node("Mul", "x c", "a"), node("Add", "a d", "s"), node("Conv", "s w b", "y")]
    made = model(nodes, {"c": C, "d": values(1, 3, 1, 1), "w": W, "b": B})
    assert fold(made) == ["Conv"]
    assert made.graph.node[0].name == "y"
    assert len(made.graph.initializer) == 2


def test_a_shift_before_a_scale_is_folded_too():
    nodes = [node("Add", "x d", "a"), node("Mul", "a c", "s"), node("Conv", "s w b", "y")]
    assert fold(model(nodes, {"c": C, "d": values(3, 1, 1), "w": W, "b": B})) == ["Conv"]


def test_nodes_without_names_are_told_apart():
    nodes = [node("Relu", "x", "r"), node("Mul", "r c", "s"), CONV, node("Exp", "y", "z")]
    made = model(nodes, {"c": C, "w": W}, ("z",))
    for unnamed in made.graph.node:
        unnamed.ClearField("name")
    assert fold(made) == ["Relu", "Conv", "Exp"]


@BEFORE
def test_all_convolutions_that_read_it_take_it_and_what_they_share_stays(before):
    """The weights and the bias of three, one of which reads something else."""
    nodes = [
        before,
        *(node("Conv", f"{given} w b", result) for given, result in ("sy", "sz", "xv")),
        node("Mul", "c x", "u"),
    ]
    made = model(nodes, {"c": C, "w": W, "b": B}, ("y", "z", "v", "u"))
    assert fold(made) == ["Conv", "Conv", "Conv", "Mul"]


def test_what_is_scaled_may_be_read_elsewhere():
    nodes = [SCALE, CONV, node("Exp", "x", "z")]
    assert fold(model(nodes, {"c": C, "w": W}, ("y", "z"))) == ["Conv", "Exp"]


@pytest.mark.parametrize("bias", [{}, {"b": B}], ids=["no bias", "bias"])
@pytest.mark.parametrize("constant", [values(6, 1, 1), values()], ids=["of channels", "of all"])
@pytest.mark.parametrize(
    ("weights", "attributes"),
    [
        (W, {}),
        (values(6, 3, 3, 3), {"pads": [1, 1, 1, 1]}),
        (values(6, 1, 3, 3), {"group": 3, "auto_pad": "SAME_UPPER"}),
    ],
    ids=["1x1", "padded", "of groups"],
)
def test_a_shift_behind_a_convolution_is_folded(bias, constant, weights, attributes):
    conv = node("Conv", " ".join(["x", "w", *bias]), "a", **attributes)
    nodes = [conv, node("Add", "c a", "y"), node("Exp", "y", "z")]
    made = model(nodes, {"c": constant, "w": weights, **bias}, ("y", "z"))
    assert fold(made) == ["Conv", "Exp"]


def test_a_shift_between_two_convolutions_is_folded_once():
    nodes = [node("Conv", "x w b", "a"), node("Add", "a c", "s"), node("Conv", "s v", "y")]
    made = model(nodes, {"c": values(6, 1, 1), "w": W, "b": B, "v": values(2, 6, 1, 1)})
    assert fold(made) == ["Conv", "Conv"]


@BEFORE
@pytest.mark.parametrize(
    ("weights", "attributes"),
    [
        (values(6, 3, 3, 3), {}),
        (values(6, 3, 1, 3), {}),
        (values(6, 1, 1, 1), {"group": 3}),
        (W, {"pads": [0, 1, 0, 0]}),
        (W, {"auto_pad": "SAME_UPPER"}),
    ],
    ids=["3x3", "1x3", "of groups", "padded", "padded by itself"],
)
def test_other_convolutions_take_nothing_before_them(before, weights, attributes):
    conv = node("Conv", "s w", "y", **attributes)
    assert stays(model([before, conv], {"c": C, "w": weights}))


@BEFORE
@pytest.mark.parametrize("reader", [node("Exp", "s", "z"), node("Conv", "x s", "z")], ids=str)
def test_what_others_read_as_well_stays(before, reader):
    square = (3, 3, 1, 1)
    assert stays(model([before, CONV, reader], {"c": C, "w": W}, ("y", "z"), square))


@BEFORE
def test_what_a_branch_reads_as_well_stays(before):
    branch = helper.make_graph(
        [node("Exp", "s", "e")], "branch", [], [helper.make_tensor_value_info("e", FLOAT, IMAGE)]
    )
    either = node("If", "is", "z", then_branch=branch, else_branch=branch)
    made = model([before, CONV, either], {"c": C, "w": W, "is": np.array(True)}, ("y", "z"))
    assert stays(made)


@BEFORE
def test_what_the_graph_gives_stays(before):
    assert stays(model([before, CONV], {"c": C, "w": W}, ("y", "s")))


@pytest.mark.parametrize(
    ("more", "output"), [([], "a"), ([node("Exp", "a", "z")], "z")], ids=["an output", "read twice"]
)
def test_a_convolution_that_is_wanted_without_the_shift_stays(more, output):
    nodes = [node("Conv", "x w", "a"), node("Add", "a c", "y"), *more]
    assert stays(model(nodes, {"c": values(6, 1, 1), "w": W}, ("y", output)))


def test_a_scale_behind_a_convolution_stays():
    nodes = [node("Conv", "x w", "a"), node("Mul", "a c", "y")]
    assert stays(model(nodes, {"c": values(6, 1, 1), "w": W}))


@BEFORE
@pytest.mark.parametrize(
    "constant", [values(5), values(4, 1), values(3, 4, 5), values(2, 3, 1, 1)], ids=np.shape
)
def test_constants_of_more_than_channels_stay(before, constant):
    assert stays(model([before, CONV], {"c": constant, "w": W}))


@BEFORE
@pytest.mark.parametrize(
    ("shape", "constant"), [((1, 3, 4, 5), (2, 3, 1, 1)), ((2, 1, 4, 5), (3, 1, 1))], ids=str
)
def test_constants_that_widen_the_image_stay(before, shape, constant):
    assert stays(model([before, CONV], {"c": values(*constant), "w": W}, shape=shape))


def test_a_constant_that_adds_an_axis_stays():
    nodes = [node("Conv", "x w", "a"), node("Add", "a c", "y")]
    assert stays(model(nodes, {"c": values(1, 1, 1, 1, 1), "w": W}))


@BEFORE
@pytest.mark.parametrize("sides", [(4,), (4, 5, 6)], ids=["one side", "three sides"])
def test_what_is_no_image_of_two_sides_stays(before, sides):
    ones = (1,) * len(sides)
    constants = {"c": values(3, *ones), "w": values(6, 3, *ones)}
    assert stays(model([before, CONV], constants, shape=(2, 3, *sides)))


def test_images_of_unknown_channels_stay():
    made = model([SCALE, CONV], {"c": values(), "w": W}, shape=(2, "channels", 4, 5))
    into_convolutions(made.graph)
    assert len(made.graph.node) == 2


@pytest.mark.parametrize("kind", ["Mul", "Add"])
def test_a_value_with_itself_stays(kind):
    assert stays(model([node(kind, "x x", "s"), CONV], {"w": W}))
    assert stays(model([node("Conv", "x w", "a"), node(kind, "a a", "y")], {"w": W}))


@pytest.mark.parametrize("name", ["c", "w", "b"])
@BEFORE
def test_constants_that_whoever_runs_it_may_replace_stay(before, name):
    conv = node("Conv", "s w b", "y")
    assert stays(model([before, conv], {"c": C, "w": W, "b": B}, inputs=[name]))


@BEFORE
def test_weights_that_are_computed_or_rounded_stay(before):
    cast = node("Cast", "half", "w", to=FLOAT)
    assert stays(model([cast, before, CONV], {"c": C, "half": W.astype(np.float16)}))


@BEFORE
def test_a_bias_that_is_computed_stays(before):
    nodes = [before, node("Exp", "b", "e"), node("Conv", "s w e", "y")]
    assert stays(model(nodes, {"c": C, "w": W, "b": B}))


def test_a_shift_behind_a_convolution_whose_bias_is_computed_stays():
    nodes = [node("Exp", "b", "e"), node("Conv", "x w e", "a"), node("Add", "a c", "y")]
    assert stays(model(nodes, {"c": values(6, 1, 1), "w": W, "b": B}))


@pytest.mark.parametrize("kind", ["Mul", "Add"])
def test_a_graph_in_half_precision_stays(kind):
    half = {name: array.astype(np.float16) for name, array in {"c": C, "w": W, "b": B}.items()}
    nodes = [node("Cast", "x", "h", to=TensorProto.FLOAT16), node(kind, "h c", "s")]
    nodes += [node("Conv", "s w b", "r"), node("Cast", "r", "y", to=FLOAT)]
    assert stays(model(nodes, half))


@BEFORE
def test_a_constant_that_is_also_an_image_is_none_the_less_folded(before):
    constants = {"c": values(1, 3, 1, 1), "w": W}
    made = model([node("Conv", "c w", "z"), before, CONV], constants, ("y", "z"))
    assert fold(made) == ["Conv", "Conv"]


@BEFORE
def test_new_constants_take_no_name_that_there_is(before):
    nodes = [before, CONV, node("Add", "y y/folded0", "z"), node("Exp", "z", "y/folded1")]
    made = model(nodes, {"c": C, "w": W, "y/folded0": values(5)}, ("z", "y/folded1"))
    assert fold(made) == ["Conv", "Add", "Exp"]
