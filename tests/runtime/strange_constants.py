"""ONNX files whose constants take gigabytes or hours to work out, by name, as in strange_graphs.

ONNX Runtime 1.32 took up to 4 GB, or went on for hours, while it loaded most of them.
"""

from collections.abc import Callable

import numpy as np
from model_parts import Write, constants, enlarge, model, put
from onnx import ModelProto, NodeProto, SparseTensorProto, TensorProto, helper, numpy_helper
from strange_functions import calling, function

_MANY = 1_500_000_000
node = helper.make_node


def beside(*nodes: NodeProto, tensors: tuple[TensorProto, ...] = (), **named: object) -> ModelProto:
    """A network beside which `nodes` make `big` of constants; the result depends on it."""
    given = [numpy_helper.from_array(np.array(value), name) for name, value in named.items()]
    return model(
        [
            *nodes,
            node("Cast", ["big"], ["numbers"], to=TensorProto.FLOAT),
            node("ReduceMin", ["numbers"], ["least"], keepdims=0),
            node("Mul", ["least", "nothing"], ["none"]),
            enlarge(result="e"),
            node("Add", ["e", "none"], ["hr"]),
        ],
        tensors=[
            *constants(),
            numpy_helper.from_array(np.array(0, np.float32), "nothing"),
            *given,
            *tensors,
        ],
    )


def _chain(operator: str, count: int, second: str = "", **attributes: object) -> list[NodeProto]:
    """`x0` through an operator again and again to `big`, with itself or with `second`."""
    names = [*(f"x{n}" for n in range(count)), "big"]
    return [
        node(operator, [names[n], second or names[n]], [names[n + 1]], **attributes)
        for n in range(count)
    ]


def _short(kind: int, *dims: int) -> TensorProto:
    """A tensor that says it is long and holds one value."""
    tensor = TensorProto(name="x0", data_type=kind, dims=dims)
    if kind == TensorProto.STRING:
        tensor.string_data.append(b"x")
    else:
        tensor.raw_data = b"\0\0\0\0"
    return tensor


def _sparse() -> SparseTensorProto:
    return SparseTensorProto(
        values=numpy_helper.from_array(np.ones(1, np.float32), "big"),
        indices=numpy_helper.from_array(np.zeros(1, np.int64), "at"),
        dims=[_MANY],
    )


def _sparse_tensor() -> ModelProto:
    made = beside()
    made.graph.sparse_initializer.append(_sparse())
    return made


def _sharing(count: int) -> ModelProto:
    """Convolutions that share one weight of 1 MB; a factor after each asks for a copy of it."""
    weights = np.ones((512, 512, 1, 1), np.float32)
    nodes = [
        node("ReduceMin", ["lr"], ["m"], keepdims=1),
        node("Expand", ["m", "shape"], ["x0"]),
    ]
    for n in range(count):
        nodes.append(node("Conv", [f"x{n}", "weights"], [f"y{n}"]))
        nodes.append(node("Mul", [f"y{n}", "half"], [f"x{n + 1}"]))
    half = np.full((1, 512, 1, 1), 0.5, np.float32)
    last = node("Identity", [f"x{count}"], ["big"])
    return beside(*nodes, last, weights=weights, half=half, shape=[1, 512, 1, 1])


def _backwards() -> ModelProto:
    """Nodes in an order that a reader who goes from first to last cannot follow."""
    made = beside(*_chain("Concat", 31, axis=0), x0=np.ones(1, np.float32))
    nodes = list(made.graph.node)[::-1]
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    return made


def _in_two_parts() -> bytes:
    """How often to repeat stands in two messages, of which the second counts."""
    attribute = helper.make_attribute("value", numpy_helper.from_array(np.array([1]), "x"))
    second = helper.make_attribute("value", TensorProto(raw_data=_MANY.to_bytes(8, "little")))
    attribute.MergeFromString(second.SerializeToString())
    repeats = NodeProto(op_type="Constant", output=["times"], attribute=[attribute])
    return beside(
        repeats, node("Tile", ["one", "times"], ["big"]), one=np.ones(1, np.float32)
    ).SerializeToString()


def _in_a_function() -> bytes:
    """Doubled thirty-one times in a function, of a constant and without one."""
    names = ["c", *(f"c{n}" for n in range(31))]
    doubling = [node("Concat", [names[n], names[n]], [names[n + 1]], axis=0) for n in range(31)]
    one = numpy_helper.from_array(np.ones(1, np.float32), "one")
    return calling(
        function(
            "F",
            [
                node("Constant", [], ["c"], value=one),
                *doubling,
                node("ReduceMin", [names[31]], ["least"], keepdims=0),
                node("Mul", ["x", "least"], ["y"]),
            ],
        )
    )


def multiplied() -> ModelProto:
    """Large matrices of constants, multiplied one after the other."""
    zeros = node("ConstantOfShape", ["n"], ["x0"])
    return beside(zeros, *_chain("MatMul", 400, "x0"), n=[1024, 1024])


_ONE = np.ones(1, np.float32)
GRAPHS: dict[str, Callable[[], ModelProto]] = {
    "filled": lambda: beside(
        node("ConstantOfShape", ["shape"], ["c"]), node("Exp", ["c"], ["big"]), shape=[_MANY]
    ),
    "expanded": lambda: beside(
        node("Expand", ["one", "shape"], ["c"]), node("Neg", ["c"], ["big"]),
        one=_ONE, shape=[_MANY],
    ),
    "tiled": lambda: beside(node("Tile", ["one", "n"], ["big"]), one=_ONE, n=[_MANY]),
    "tiled past any length": lambda: beside(
        node("Tile", ["one", "n"], ["big"]), one=_ONE, n=[1 << 62]
    ),
    "counted": lambda: beside(
        node("Range", ["start", "end", "step"], ["big"]),
        start=np.int64(0), end=np.int64(10**10), step=np.int64(1),
    ),
    "gathered": lambda: beside(
        node("ConstantOfShape", ["n"], ["at"], value=helper.make_tensor("v", 7, [1], [0])),
        node("Gather", ["one", "at"], ["big"]),
        one=_ONE, n=[_MANY // 3],
    ),
    "padded": lambda: beside(node("Pad", ["one", "n"], ["big"]), one=_ONE, n=[0, _MANY]),
    "enlarged": lambda: beside(
        node("Resize", ["one", "", "by"], ["big"], mode="nearest"),
        one=np.ones((1, 1, 1, 1), np.float32), by=np.array([1, 1, 30000, 30000], np.float32),
    ),
    "doubled": lambda: beside(*_chain("Concat", 31, axis=0), x0=_ONE),
    "an outer product": lambda: beside(
        node("ConstantOfShape", ["m"], ["a"]), node("ConstantOfShape", ["n"], ["b"]),
        node("MatMul", ["a", "b"], ["big"]),
        m=[40_000, 1], n=[1, 40_000],
    ),
    "texts doubled": lambda: beside(
        node("Cast", ["one"], ["x0"], to=TensorProto.STRING), *_chain("StringConcat", 32), one=_ONE
    ),
    "texts": lambda: beside(
        *_chain("Identity", 1), tensors=(_short(TensorProto.STRING, 1),)
    ),
    "texts of no length": lambda: beside(
        *_chain("Identity", 1), tensors=(_short(TensorProto.STRING, _MANY // 20),)
    ),
    "a text that is a value": lambda: beside(
        node("Constant", [], ["c"], value_string="x" * 1000),
        node("Tile", ["c", "n"], ["big"]),
        n=[_MANY // 1000],
    ),
    "a set of numbers": lambda: beside(
        node("Range", ["start", "end", "step"], ["r"]), node("Unique", ["r"], ["big"]),
        start=np.int64(0), end=np.int64(30_000_000), step=np.int64(1),
    ),
    "numbers that are not there": lambda: beside(
        *_chain("Identity", 1), tensors=(_short(TensorProto.FLOAT, _MANY),)
    ),
    "a constant that is not there": lambda: beside(
        node("Constant", [], ["big"], value=_short(TensorProto.FLOAT, _MANY))
    ),
    "a length below nothing": lambda: beside(
        *_chain("Identity", 1), tensors=(_short(TensorProto.FLOAT, -1),)
    ),
    "a sparse tensor": _sparse_tensor,
    "a sparse constant": lambda: beside(node("Constant", [], ["big"], sparse_value=_sparse())),
    "a kernel that is made": lambda: beside(
        node("ConstantOfShape", ["m"], ["a"]), node("ConstantOfShape", ["n"], ["b"]),
        node("Conv", ["a", "b"], ["big"]),
        m=[1, 1, 3000, 3000], n=[1, 1, 1500, 1500],
    ),
    "a kernel of 100x100": lambda: beside(
        node("ConstantOfShape", ["m"], ["a"]), node("Conv", ["a", "kernel"], ["big"]),
        m=[1, 1, 8000, 8000], kernel=np.ones((1, 1, 100, 100), np.float32),
    ),
    "a wide window": lambda: beside(
        node("ConstantOfShape", ["n"], ["a"]),
        node("AveragePool", ["a"], ["big"], kernel_shape=[1500, 1500]),
        n=[1, 1, 3000, 3000],
    ),
    "a wide window of the largest": lambda: beside(
        node("ConstantOfShape", ["n"], ["a"]),
        node("MaxPool", ["a"], ["big"], kernel_shape=[1500, 1500]),
        n=[1, 1, 3000, 3000],
    ),
    "a shared weight": lambda: _sharing(1000),
    "out of order": _backwards,
}  # fmt: skip

CONTENTS: dict[str, Callable[[], bytes]] = {
    "repeats in two parts": _in_two_parts,
    "doubled in a function": _in_a_function,
}

KINDS: dict[str, Write] = {
    f"constants {name}": lambda folder, graph=graph: put(folder, graph().SerializeToString())  # type: ignore[misc]
    for name, graph in GRAPHS.items()
} | {
    f"constants {name}": lambda folder, content=content: put(folder, content())  # type: ignore[misc]
    for name, content in CONTENTS.items()
}
