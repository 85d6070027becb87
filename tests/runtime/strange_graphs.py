"""ONNX files that are not what their manifests say, by name, and how they are written.

Every function in `KINDS` writes `m.onnx` and `m.json` into a folder.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from model_parts import (
    FLOAT,
    LARGE,
    SCALE,
    TILE,
    Write,
    constants,
    enlarge,
    good,
    model,
    put,
    value,
)
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper, save_model

GRAPHS: dict[str, Callable[[], ModelProto]] = {
    "scale 2": lambda: model(
        tensors=constants(2), outputs=[value("hr", [1, 3, 2 * TILE, 2 * TILE])]
    ),
    "scale 2, open output": lambda: model(
        tensors=constants(2), outputs=[value("hr", ["n", 3, "h", "w"])]
    ),
    "two outputs": lambda: model(
        [enlarge(), helper.make_node("Identity", ["hr"], ["b"])],
        outputs=[value("hr", [1, 3, LARGE, LARGE]), value("b", [1, 3, LARGE, LARGE])],
    ),
    "two inputs": lambda: model(
        [helper.make_node("Add", ["lr", "b"], ["s"]), enlarge("s")],
        inputs=[value("lr", [1, 3, TILE, TILE]), value("b", [1, 3, TILE, TILE])],
    ),
    "no input": lambda: model(
        [
            helper.make_node(
                "Constant",
                [],
                ["hr"],
                value=numpy_helper.from_array(np.zeros((1, 3, LARGE, LARGE), np.float32)),
            )
        ],
        inputs=[],
    ),
    "fixed 32x32": lambda: model(
        inputs=[value("lr", [1, 3, 32, 32])], outputs=[value("hr", [1, 3, 128, 128])]
    ),
    "int64": lambda: model(
        [helper.make_node("Cast", ["lr"], ["f"], to=FLOAT), enlarge("f")],
        inputs=[value("lr", [1, 3, TILE, TILE], TensorProto.INT64)],
    ),
    "uint8 output": lambda: model(
        [enlarge(result="f"), helper.make_node("Cast", ["f"], ["hr"], to=TensorProto.UINT8)],
        outputs=[value("hr", [1, 3, LARGE, LARGE], TensorProto.UINT8)],
    ),
    "half output": lambda: model(
        [enlarge(result="f"), helper.make_node("Cast", ["f"], ["hr"], to=TensorProto.FLOAT16)],
        outputs=[value("hr", [1, 3, LARGE, LARGE], TensorProto.FLOAT16)],
    ),
    "scalar output": lambda: model(
        [helper.make_node("ReduceMean", ["lr"], ["hr"], keepdims=0)], outputs=[value("hr", [])]
    ),
    "sequence output": lambda: model(
        [enlarge(result="a"), helper.make_node("SequenceConstruct", ["a"], ["hr"])],
        outputs=[helper.make_tensor_sequence_value_info("hr", FLOAT, None)],
    ),
    "one channel": lambda: model(
        inputs=[value("lr", [1, 1, TILE, TILE])], outputs=[value("hr", [1, 1, LARGE, LARGE])]
    ),
    "one channel out": lambda: model(
        [helper.make_node("ReduceMean", ["lr"], ["m"], axes=[1]), enlarge("m")],
        outputs=[value("hr", [1, 1, LARGE, LARGE])],
    ),
    "one channel out, open": lambda: model(
        [helper.make_node("ReduceMean", ["lr"], ["m"], axes=[1]), enlarge("m")],
        outputs=[value("hr", ["a", "b", "c", "d"])],
    ),
    "four channels": lambda: model(
        inputs=[value("lr", [1, 4, TILE, TILE])], outputs=[value("hr", [1, 4, LARGE, LARGE])]
    ),
    "rank 3": lambda: model(
        [helper.make_node("Unsqueeze", ["lr", "axis"], ["f"]), enlarge("f")],
        inputs=[value("lr", [3, TILE, TILE])],
        tensors=[*constants(), numpy_helper.from_array(np.array([0]), "axis")],
    ),
    "channels last": lambda: model(
        [helper.make_node("Transpose", ["lr"], ["f"], perm=[0, 3, 1, 2]), enlarge("f")],
        inputs=[value("lr", [1, TILE, TILE, 3])],
    ),
    "unknown operator": lambda: model([helper.make_node("Enlarge", ["lr"], ["hr"])]),
    "foreign domain": lambda: model([helper.make_node("Enlarge", ["lr"], ["hr"], domain="evil")]),
    "no node": lambda: model([]),
    "a circle": lambda: model([helper.make_node("Add", ["lr", "hr"], ["hr"])]),
    "fails when it runs": lambda: model(
        [
            helper.make_node("ReduceMin", ["lr"], ["m"], keepdims=0),
            helper.make_node("Cast", ["m"], ["i"], to=TensorProto.INT64),
            helper.make_node("Add", ["i", "hundred"], ["at"]),
            helper.make_node("Gather", ["scales", "at"], ["x"], axis=0),
            enlarge(result="y"),
            helper.make_node("Mul", ["y", "x"], ["hr"]),
        ],
        tensors=[*constants(), numpy_helper.from_array(np.array(100), "hundred")],
    ),
}


def averaging() -> ModelProto:
    """Batch of two whose tiles are averaged."""
    return model(
        [
            helper.make_node("ReduceMean", ["lr"], ["m"], axes=[0]),
            helper.make_node("Expand", ["m", "shape"], ["e"]),
            enlarge("e"),
        ],
        inputs=[value("lr", [2, 3, TILE, TILE])],
        outputs=[value("hr", [2, 3, LARGE, LARGE])],
        tensors=[*constants(), numpy_helper.from_array(np.array([2, 3, TILE, TILE]), "shape")],
    )


def _body(name: str) -> GraphProto:
    """The body of a loop that goes on for ever."""
    return helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Identity", ["x"], ["y"]),
        ],
        name,
        [
            value("i", [], TensorProto.INT64),
            value("go", [], TensorProto.BOOL),
            value("x", [1, 3, TILE, TILE]),
        ],
        [value("go_on", [], TensorProto.BOOL), value("y", [1, 3, TILE, TILE])],
    )


def endless() -> ModelProto:
    """A loop without end."""
    return model(
        [helper.make_node("Loop", ["", "yes", "lr"], ["x"], body=_body("b")), enlarge("x")],
        tensors=[*constants(), numpy_helper.from_array(np.array(True), "yes")],
    )


def nested() -> ModelProto:
    """The same, in a branch."""
    branch = helper.make_graph(
        [helper.make_node("Loop", ["", "yes", "lr"], ["x"], body=_body("b"))],
        "then",
        [],
        [value("x", [1, 3, TILE, TILE])],
    )
    return model(
        [
            helper.make_node("If", ["yes"], ["z"], then_branch=branch, else_branch=branch),
            enlarge("z"),
        ],
        tensors=[*constants(), numpy_helper.from_array(np.array(True), "yes")],
    )


def scan() -> ModelProto:
    """A loop over the rows."""
    row = [1, 3, TILE]
    body = helper.make_graph(
        [helper.make_node("Identity", ["row"], ["same"])],
        "b",
        [value("row", row)],
        [value("same", row)],
    )
    node = helper.make_node(
        "Scan",
        ["lr"],
        ["x"],
        body=body,
        num_scan_inputs=1,
        scan_input_axes=[2],
        scan_output_axes=[2],
    )
    return model([node, enlarge("x")])


_VALUES = 400_000_000  # 1.6 GB in float32


def _growing(*nodes: NodeProto, **tensors: object) -> ModelProto:
    """A network beside which `nodes` make the large tensor `big`, which the result depends on."""
    node = helper.make_node
    given = [numpy_helper.from_array(np.array(value), name) for name, value in tensors.items()]
    return model(
        [
            *nodes,
            node("ReduceMin", ["big"], ["least"], keepdims=0),
            enlarge(result="e"),
            node("Mul", ["least", "nothing"], ["none"]),
            node("Add", ["e", "none"], ["hr"]),
        ],
        tensors=[*constants(), numpy_helper.from_array(np.array(0, np.float32), "nothing"), *given],
    )


GROWING: dict[str, Callable[[], ModelProto]] = {
    "filled": lambda: _growing(
        helper.make_node("ConstantOfShape", ["shape"], ["big"]), shape=[_VALUES]
    ),
    "expanded": lambda: _growing(
        helper.make_node("Expand", ["lr", "shape"], ["big"]),
        shape=[_VALUES // (3 * TILE * TILE), 3, TILE, TILE],
    ),
    "counted": lambda: _growing(
        helper.make_node("Range", ["start", "end", "step"], ["big"]),
        start=np.float32(0), end=np.float32(_VALUES), step=np.float32(1),
    ),
    "tiled": lambda: _growing(
        helper.make_node("Tile", ["lr", "times"], ["big"]),
        times=[1, 1, _VALUES // (3 * TILE * TILE), 1],
    ),
    "padded": lambda: _growing(
        helper.make_node("Pad", ["lr", "pads"], ["big"]),
        pads=[0, 0, 0, 0, 0, 0, 0, _VALUES // (3 * TILE)],
    ),
}  # fmt: skip
"""Graphs of three hundred bytes that fill 1.6 GB when they run."""


def multiplying(count: int, side: int, tile: int = TILE) -> ModelProto:
    """Multiplies large matrices, which depend on the input, one after the other."""
    node = helper.make_node
    nodes = [
        node("ConstantOfShape", ["shape"], ["zeros"]),
        node("ReduceMin", ["lr"], ["least"], keepdims=0),
        node("Add", ["zeros", "least"], ["x0"]),
        *(node("MatMul", [f"x{n}", "x0"], [f"x{n + 1}"]) for n in range(count)),
        node("ReduceMin", [f"x{count}"], ["last"], keepdims=0),
        node("Mul", ["last", "nothing"], ["none"]),
        enlarge(result="e"),
        node("Add", ["e", "none"], ["hr"]),
    ]
    nothing = numpy_helper.from_array(np.array(0, np.float32), "nothing")
    shape = numpy_helper.from_array(np.array([side, side]), "shape")
    return model(
        nodes,
        inputs=[value("lr", [1, 3, tile, tile])],
        outputs=[value("hr", [1, 3, SCALE * tile, SCALE * tile])],
        tensors=[*constants(), nothing, shape],
    )


def names_that_steer() -> ModelProto:
    """Fails when it runs, in a node whose name would steer a terminal."""
    failing = GRAPHS["fails when it runs"]()
    for node in failing.graph.node:
        node.name = f"{node.output[0]}\x1b]0;title\x07"
    return failing


def external(folder: Path) -> None:
    """Weights in another file, which the manifest's hash does not cover."""
    offset = numpy_helper.from_array(np.zeros((1, 3, LARGE, LARGE), np.float32), "offset")
    graph = model(
        [enlarge(result="e"), helper.make_node("Add", ["e", "offset"], ["hr"])],
        tensors=[*constants(), offset],
    )
    path = folder / "m.onnx"
    save_model(graph, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    put(folder, path.read_bytes())


KINDS: dict[str, Write] = {
    name: lambda folder, graph=graph: put(folder, graph().SerializeToString())  # type: ignore[misc]
    for name, graph in (GRAPHS | {f"{kind} memory": made for kind, made in GROWING.items()}).items()
}
KINDS |= {
    "random memory": lambda folder: put(
        folder,
        _growing(
            helper.make_node("RandomNormal", [], ["big"], shape=[_VALUES])
        ).SerializeToString(),
    ),
    "averages its batch": lambda folder: put(folder, averaging().SerializeToString(), batch=2),
    "endless loop": lambda folder: put(folder, endless().SerializeToString()),
    "endless loop in a branch": lambda folder: put(folder, nested().SerializeToString()),
    "scan": lambda folder: put(folder, scan().SerializeToString()),
    "external data": external,
    "cut": lambda folder: put(folder, good()[:-40]),
    "empty model": lambda folder: put(folder, b""),
    "a picture": lambda folder: put(folder, b"\x89PNG\r\n\x1a\n" + b"\0" * 100),
    "first byte only": lambda folder: put(folder, b"\x08"),
    "endless varint": lambda folder: put(folder, b"\x08" + b"\xff" * 1000),
    "many parts": lambda folder: put(folder, b"\x08\x01" * 2_000_000),
    "long length": lambda folder: put(folder, b"\x08\x01\x3a\xff\xff\xff\xff\x0f"),
}
