"""Models and manifests that are not what they say, by name; each is made by one function.

Every function writes `m.onnx` and `m.json` into a folder.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
    save_model,
)

TILE, SCALE = 16, 4
LARGE = TILE * SCALE
FLOAT = TensorProto.FLOAT
Write = Callable[[Path], None]


def value(name: str, shape: list[Any], kind: int = FLOAT) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def manifest(content: bytes, **changes: Any) -> dict[str, Any]:
    fields = {
        "network": "nearest",
        "scale": SCALE,
        "precision": "fp32",
        "tile": TILE,
        "batch": 1,
        "scan_form": None,
        "fp32_islands": [],
        "opset": 17,
        "parameters": 0,
        "multiply_adds_per_tile": 0,
        "parent": None,
        "onnx_sha256": hashlib.sha256(content).hexdigest(),
        "parity": {"max_abs_difference": 0.0, "patches": 1, "against": "x", "psnr_db": 100.0},
        "versions": {},
        "quantization": None,
        "psnr_loss": [],
        "input_range": [0.0, 1.0],
        "colour_order": "RGB",
        "layout": "NCHW",
        "format": "edgesr-onnx/1",
    }
    return fields | changes


def put(folder: Path, content: bytes, text: str | bytes | None = None, **changes: Any) -> None:
    (folder / "m.onnx").write_bytes(content)
    if text is None:
        text = json.dumps(manifest(content, **changes))
    (folder / "m.json").write_bytes(text if isinstance(text, bytes) else text.encode())


def enlarge(source: str = "lr", result: str = "hr", scale: int = SCALE) -> NodeProto:
    return helper.make_node("Resize", [source, "", "scales"], [result], mode="nearest")


def constants(scale: float = SCALE) -> list[TensorProto]:
    return [numpy_helper.from_array(np.array([1, 1, scale, scale], np.float32), "scales")]


def model(
    nodes: list[NodeProto] | None = None,
    inputs: list[ValueInfoProto] | None = None,
    outputs: list[ValueInfoProto] | None = None,
    tensors: list[TensorProto] | None = None,
) -> ModelProto:
    graph = helper.make_graph(
        [enlarge()] if nodes is None else nodes,
        "g",
        [value("lr", [1, 3, TILE, TILE])] if inputs is None else inputs,
        [value("hr", [1, 3, LARGE, LARGE])] if outputs is None else outputs,
        constants() if tensors is None else tensors,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def good() -> bytes:
    return model().SerializeToString()


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


_DEEP = 100_000
TEXTS: dict[str, str | bytes] = {
    "empty": "",
    "no JSON": "{",
    "null": "null",
    "a number": "5",
    "a text": '""',
    "a list": "[]",
    "an empty object": "{}",
    "deep list": "[" * _DEEP,
    "deep object": '{"a":' * _DEEP,
    "deep and closed": "[" * _DEEP + "]" * _DEEP,
    "deep inside": '{"format": "edgesr-onnx/1", "versions": ' + "[" * _DEEP + "]" * _DEEP + "}",
    "NaN": "NaN",
    "no UTF-8": b"\xff\xfe{}",
    "zeros": b"\0" * 1000,
    "huge": b" " * (17 << 20),
    "long number": '{"format": "edgesr-onnx/1", "tile": ' + "9" * 100_000 + "}",
    "another format": '{"format": "edgesr-onnx/2"}',
    "surrogate": '{"format": "\\ud800"}',
}

_WRONG: dict[str, tuple[Any, ...]] = {
    "network": (5, None, [], "x" * 10_000),
    "scale": (0, -1, 3, 17, 4.5, "4", None, True, 1e30),
    "precision": ("fp64", 5, None),
    "tile": (0, -16, 64, 10_000, 10**30, "16", None),
    "batch": (0, -1, 2, 10_000, 10**30, "1"),
    "scan_form": (5, [], {}),
    "fp32_islands": (5, None, [5], "abc"),
    "opset": ("17", -1, None),
    "parameters": ("0", -1, 1e300),
    "parent": (5, [], {}, {"file": "../x", "sha256": "0" * 64}, {"file": "x", "sha256": "0"}),
    "onnx_sha256": (5, None, "", "0" * 64, "x" * 64),
    "parity": (5, None, {}, {"max_abs_difference": "x", "patches": 1, "against": "x"}),
    "versions": (5, [], {"a": 5}),
    "quantization": (5, [], {}, "x"),
    "psnr_loss": (5, None, [5], [{}]),
    "input_range": ([0, 255], [0], 5, None),
    "colour_order": ("BGR", 5),
    "layout": ("NHWC", None),
}

KINDS: dict[str, Write] = {}
for _name, _graph in GRAPHS.items():
    KINDS[_name] = lambda folder, graph=_graph: put(folder, graph().SerializeToString())  # type: ignore[misc]
for _name, _text in TEXTS.items():
    KINDS[f"manifest: {_name}"] = lambda folder, text=_text: put(folder, good(), text)  # type: ignore[misc]
for _name, _values in _WRONG.items():
    for _value in _values:
        KINDS[f"{_name}: {_value!r:.30}"] = (  # type: ignore[misc]
            lambda folder, name=_name, value=_value: put(folder, good(), **{name: value})
        )
KINDS |= {
    "averages its batch": lambda folder: put(folder, averaging().SerializeToString(), batch=2),
    "endless loop": lambda folder: put(folder, endless().SerializeToString()),
    "endless loop in a branch": lambda folder: put(folder, nested().SerializeToString()),
    "scan": lambda folder: put(folder, scan().SerializeToString()),
    "external data": external,
    "unknown field": lambda folder: put(folder, good(), surprise=1),
    "cut": lambda folder: put(folder, good()[:-40]),
    "empty model": lambda folder: put(folder, b""),
    "a picture": lambda folder: put(folder, b"\x89PNG\r\n\x1a\n" + b"\0" * 100),
    "first byte only": lambda folder: put(folder, b"\x08"),
    "endless varint": lambda folder: put(folder, b"\x08" + b"\xff" * 1000),
    "many parts": lambda folder: put(folder, b"\x08\x01" * 2_000_000),
    "long length": lambda folder: put(folder, b"\x08\x01\x3a\xff\xff\xff\xff\x0f"),
}
