"""Mixers and norms as nodes of TensorRT plugins: edgesr/scan/plugin, `MambaMixer` and `TokenNorm`.

Weights become attributes. A parser gives them to the plugin, which writes them into the engine; as
inputs each would be a layer of its own. Both plugins compute in float32 inside whatever type they
take and give. So a norm between two halves takes and gives halves, without casts around it.

Source for what a parser makes of attributes: `loadFields` and `FallbackPluginImporter` of
onnx-tensorrt, releases 8.5 to 10.1; https://github.com/onnx/onnx-tensorrt.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from edgesr.engine.norms import is_of_last_axis
from edgesr.export.names import Names

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, TypeProto

DOMAIN = "edgesr"
MIXER, NORM = "MambaMixer", "TokenNorm"
PLUGINS = frozenset({MIXER, NORM})
PLUGIN_VERSION = "2"

WEIGHTS = ("conv", "conv_bias", "x_proj", "dt_proj", "dt_bias", "A", "D")
"""Inputs of a mixer behind the first, which are the plugin's fields too."""

LIMITS = {"channels": 128, "states": 16, "rank": 4, "taps": 8, "steps": 65536}
"""The largest mixer that the plugin's kernel takes: edgesr/scan/plugin/mixer_launch.cuh."""

TOKEN_AXES = 3
"""Batch, length and channels."""

FLOAT, HALF = 1, 10
"""Element types of ONNX."""


def use_plugins(model: "ModelProto") -> None:
    """Turn mixers and norms of tokens' channels into nodes of plugins, in place.

    Args:
        model: without functions; its graph lists the types of its values.

    Raises:
        ValueError: weights of a mixer or norm are no constants.
    """
    from edgesr.export.graph import value_types

    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.domain == DOMAIN and node.op_type.startswith(MIXER):
            node.op_type = MIXER  # without what tells its function from others
            _take_in(node, dict(zip(WEIGHTS, node.input[1:], strict=True)), constants)
    known = value_types(graph)
    norms = [node for node in graph.node if _is_norm(node, known)]
    halves = _between_halves(graph, norms)
    for node in norms:
        _norm(node, constants)
    for node in norms:
        if node.output[0] in halves:
            _make_half(graph, node)
    if norms and DOMAIN not in {opset.domain for opset in model.opset_import}:
        model.opset_import.add(domain=DOMAIN, version=1)


def too_large(data: bytes) -> str | None:
    """Say what of an ONNX file's mixers is beyond the plugin's kernel; None: nothing is.

    What cannot be read, or has weights that are no constants, is left to `use_plugins`.
    """
    from google.protobuf.message import DecodeError
    from onnx import load_model_from_string

    try:
        graph = load_model_from_string(data).graph
    except DecodeError:
        return None
    shapes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        if node.domain != DOMAIN or not node.op_type.startswith(MIXER):
            continue
        weights = dict(zip(WEIGHTS, map(shapes.get, node.input[-len(WEIGHTS) :]), strict=True))
        conv, dt_proj, A = (weights[name] for name in ("conv", "dt_proj", "A"))
        if conv is None or dt_proj is None or A is None:
            continue
        path = {attribute.name: attribute.i for attribute in node.attribute}
        steps = path.get("height", 0) * path.get("width", 0)
        sizes = zip(LIMITS, (conv[0], A[1], dt_proj[1], conv[1], steps), strict=True)
        for name, size in sizes:
            if size > LIMITS[name]:
                return f"{node.name} has {size} {name}, the scan's plugin takes {LIMITS[name]}"
    return None


def _take_in(
    node: "NodeProto", weights: dict[str, str], constants: dict[str, "TensorProto"]
) -> None:
    """Make a plugin's node of one whose inputs but the first are weights."""
    from onnx import helper, numpy_helper

    for field, name in weights.items():
        if name not in constants:
            raise ValueError(f"{name} of {node.name} is no constant")
        values = numpy_helper.to_array(constants[name]).astype(np.float32)
        node.attribute.append(helper.make_attribute(field, values.reshape(-1).tolist()))
    del node.input[1:]
    node.attribute.append(helper.make_attribute("plugin_version", PLUGIN_VERSION))
    node.attribute.append(helper.make_attribute("plugin_namespace", ""))


def _is_norm(node: "NodeProto", known: Mapping[str, "TypeProto.Tensor"]) -> bool:
    """Tell whether the plugin does what a node does; it takes four axes for those of an image."""
    return (
        node.op_type == "LayerNormalization"
        and is_of_last_axis(node, known)
        and node.input[0] in known
        and len(known[node.input[0]].shape.dim) == TOKEN_AXES
    )


def _norm(node: "NodeProto", constants: dict[str, "TensorProto"]) -> None:
    from onnx import helper, numpy_helper

    epsilon = next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5)
    weights = dict(zip(("weight", "bias"), filter(None, node.input[1:]), strict=False))
    if "bias" not in weights and weights["weight"] in constants:
        nothing = np.zeros(constants[weights["weight"]].dims, np.float32)
        weights["bias"] = Names(constants).fresh(f"{node.output[0]}/no_bias")
        constants = {**constants, weights["bias"]: numpy_helper.from_array(nothing)}
    del node.attribute[:]
    node.op_type, node.domain = NORM, DOMAIN
    node.attribute.append(helper.make_attribute("epsilon", float(epsilon)))
    _take_in(node, weights, constants)


def _readers(graph: "GraphProto") -> dict[str, list["NodeProto"]]:
    readers = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            readers[name].append(node)
    return readers


def _casts_to(kind: int, node: "NodeProto") -> bool:
    return node.op_type == "Cast" and node.attribute[0].i == kind


def _between_halves(graph: "GraphProto", norms: list["NodeProto"]) -> set[str]:
    """Return what the norms give whose float32 lies between casts from float16 and to it.

    One may also read another of them: the casts around make a half of the value between as well.
    """
    values = (*graph.input, *graph.value_info)
    kinds = {value.name: value.type.tensor_type.elem_type for value in values}
    halves = {
        node.output[0]
        for node in graph.node
        if _casts_to(FLOAT, node) and kinds.get(node.input[0]) == HALF
    }
    readers = _readers(graph)
    outputs = {value.name for value in graph.output}
    found = {node.output[0]: node for node in norms}
    while True:
        read = halves | set(found)
        left = {
            name: node
            for name, node in found.items()
            if node.input[0] in read
            and outputs.isdisjoint(node.output)
            and all(_casts_to(HALF, r) or r.output[0] in found for r in readers[node.output[0]])
        }
        if len(left) == len(found):
            return set(left)
        found = left


def _make_half(graph: "GraphProto", node: "NodeProto") -> None:
    """Take the casts before and behind a norm away, which then reads and gives float16."""
    casts: dict[str, Any] = {n.output[0]: n for n in graph.node if _casts_to(FLOAT, n)}
    if node.input[0] in casts:
        node.input[0] = casts[node.input[0]].input[0]
    output = node.output[0]
    replaced = {
        reader.output[0]
        for reader in graph.node
        if _casts_to(HALF, reader) and reader.input[0] == output
    }
    for reader in graph.node:
        for i, name in enumerate(reader.input):
            if name in replaced:
                reader.input[i] = output
    for value in graph.value_info:
        if value.name == output:
            value.type.tensor_type.elem_type = HALF
