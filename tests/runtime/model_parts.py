"""A small ONNX network that enlarges by repetition, and its manifest, whole or changed."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

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
