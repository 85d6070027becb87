"""What a TensorRT's parser cannot read, rewritten before it sees the file.

Parsers before TensorRT 9.0 know no functions; of those that do, some prefer a function to a plugin
and some a plugin to a function. So a file never has both when it is parsed: each mixer and norm is
a node for a plugin, or each mixer's definition is put in its place. What is computed from constants
alone is computed here, because a convolution is faster with weights than with a value.
LayerNormalization came with TensorRT 8.6, and the parser before it reads files of opset 17 as the
latest; what else came later is written as onnx defines it. A Slice becomes some twenty layers that
compute its ends, a Split none, and a batch that is open as many.

The types are the file's throughout: `node_types` tells what each node computes in.

Sources: docs/operators.md, docs/Changelog.md, ModelImporter.cpp and ImporterContext.cpp of
onnx-tensorrt, releases 8.5 to 10.1; https://github.com/onnx/onnx-tensorrt.
"""

import re
from typing import TYPE_CHECKING

import numpy as np

from edgesr.engine.constants import fold
from edgesr.engine.images import use_images
from edgesr.engine.inference import inferred, opset_of
from edgesr.engine.negative_pads import crop_before_padding
from edgesr.engine.newer_operators import known_opset, write_newer
from edgesr.engine.norms import write_norms
from edgesr.engine.older_opset import to_older_opset
from edgesr.engine.plugin_nodes import DOMAIN, MIXER, use_plugins
from edgesr.export.names import Names

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

LAYER_NORM_SINCE = (8, 6)

SIZES_ARE_INPUT_SINCE = 13
"""The opset since which a Split takes its sizes as an input."""

COMPUTED_BY_TENSORRT = frozenset({"DequantizeLinear", MIXER})
"""Operators that stay though they read constants alone."""

NUMBERED = re.compile(r"_\d+$")
"""How a parser tells apart the layers that it makes of one node."""

FLOATS = {1: "fp32", 10: "fp16"}
"""Element types of ONNX."""


def prepare(data: bytes, tensorrt: str, *, plugin: bool, batch: int = 1) -> bytes:
    """Rewrite an ONNX file for the parser of one TensorRT.

    Args:
        data: content of the file.
        tensorrt: version of TensorRT, such as `8.5.3.1`.
        plugin: mixers become nodes of the plugin; else they are written out.
        batch: what the first axis of input and output becomes where the file leaves it open.

    Returns:
        the file's new content: no functions, every node with a name of its own.

    Raises:
        ValueError: not an ONNX file, or one that contradicts itself.
    """
    model = _read(data)
    try:
        return _prepared(model, tensorrt, plugin, batch)
    except (ValueError, ModuleNotFoundError):
        raise
    except Exception:
        _check(data)
        raise


def _prepared(model: "ModelProto", tensorrt: str, plugin: bool, batch: int) -> bytes:
    from edgesr.export.graph import remove_unused

    model = _as_traced(model)
    _fix_batch(model.graph, batch)
    model = write_newer(model, known_opset(_version(tensorrt)))
    model = _without_functions(model) if plugin else _inline(model)
    fold(model, COMPUTED_BY_TENSORRT)
    if plugin:
        use_plugins(model)
    crop_before_padding(model)
    _split_slices(model)
    knows_norms = _version(tensorrt) >= LAYER_NORM_SINCE
    if not knows_norms:
        write_norms(model)
        to_older_opset(model)
    model = inferred(model)
    is_half = graph_precision(model.SerializeToString()) == "fp16"
    if is_half if plugin else not knows_norms:
        use_images(model)
    remove_unused(model.graph)
    _name(model.graph)
    return bytes(model.SerializeToString())


def node_types(data: bytes) -> dict[str, str]:
    """Return what each node of a prepared file computes in: `fp32`, `fp16`, or `int8`.

    That is the type of its first output. A convolution or a product of dequantised values is
    `int8`, as the builder does it. Nodes that give integers or truth values are left out.
    """
    model = inferred(_read(data))
    kinds = _element_types(model)
    dequantised: set[str] = set()
    types = {}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" or (
            node.op_type in ("Reshape", "Transpose") and node.input[0] in dequantised
        ):
            dequantised.update(node.output)
        kind = FLOATS.get(kinds.get(node.output[0], 0))
        if node.op_type in ARITHMETIC and dequantised.issuperset(node.input[:2]):
            kind = "int8"
        if kind is not None:
            types[node.name] = kind
    return types


ARITHMETIC = frozenset({"Conv", "ConvTranspose", "Einsum", "Gemm", "MatMul", MIXER})
"""Operators that carry the multiply-adds: their type is what people call a network's precision."""


def graph_precision(data: bytes) -> str:
    """Return the narrowest type in which a prepared file multiplies: `int8`, `fp16` or `fp32`.

    A mixer takes and gives what it is given, so it tells as much as a product.
    """
    types = node_types(data)
    arithmetic = {node.name for node in _read(data).graph.node if node.op_type in ARITHMETIC}
    found = {kind for name, kind in types.items() if name in arithmetic or not arithmetic}
    return next((kind for kind in ("int8", "fp16") if kind in found), "fp32")


def node_of(layer: str) -> str:
    """Return the node of a prepared file of which a parser made a layer, by the layer's name."""
    return NUMBERED.sub("", layer)


def _read(data: bytes) -> "ModelProto":
    import onnx
    from google.protobuf.message import DecodeError

    try:
        return onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ValueError("not an ONNX file, or a damaged one") from error


def _check(data: bytes) -> None:
    """Say what is wrong with a file that no step expects to be so.

    Raises:
        ValueError: something is.
    """
    from onnx import checker

    try:
        checker.check_model(data, full_check=True)
    except Exception as error:  # of two classes, one of which onnx does not export
        raise ValueError(f"it contradicts itself ({str(error).splitlines()[0]})") from error


def _version(text: str) -> tuple[int, int]:
    major, minor = (int(part) for part in text.split(".")[:2])
    return major, minor


def _element_types(model: "ModelProto") -> dict[str, int]:
    graph = model.graph
    values = (*graph.input, *graph.value_info, *graph.output)
    return {value.name: value.type.tensor_type.elem_type for value in values}


def _fix_batch(graph: "GraphProto", batch: int) -> None:
    """Give an open batch a number, and forget the shapes that were inferred without it."""
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        axes = value.type.tensor_type.shape.dim
        if axes and not axes[0].HasField("dim_value"):
            axes[0].dim_value = batch


def _as_traced(model: "ModelProto") -> "ModelProto":
    """Give a mixer's projection back, which an engine multiplies and cuts at once."""
    if not any(node.domain == DOMAIN for node in model.graph.node):
        return model
    from edgesr.export.projection import give_back_projections

    return give_back_projections(model)


def _without_functions(model: "ModelProto") -> "ModelProto":
    """Take the functions away, but keep the types of what they gave."""
    typed = inferred(model)
    del typed.functions[:]
    return typed


def _inline(model: "ModelProto") -> "ModelProto":
    """Put the definitions of all functions in place, of mixers one that suits an engine."""
    from onnx import inliner

    if any(node.domain == DOMAIN for node in model.graph.node):
        from edgesr.export.lower import define_for_engine

        model = define_for_engine(inferred(model))
        del model.graph.value_info[:]
    inlined = inliner.inline_local_functions(model) if model.functions else model
    kept = [opset for opset in inlined.opset_import if opset.domain != DOMAIN]
    del inlined.opset_import[:]
    inlined.opset_import.extend(kept)
    return inlined


def _split_slices(model: "ModelProto") -> None:
    """Slice of every step along one axis of a known length -> the part of a Split.

    A Split has its sizes as an input since opset 13; a Slice of a file before that stays.
    """
    from onnx import helper, numpy_helper

    if opset_of(model) < SIZES_ARE_INPUT_SINCE:
        return
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    lengths = {
        value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *inferred(model).graph.value_info)
    }
    names = Names.of_values(graph)
    for node in graph.node:
        if node.op_type != "Slice" or len(node.input) < 4 or not lengths.get(node.input[0]):
            continue
        given = node.input[1:] if any(node.input[4:]) else node.input[1:4]
        if not all(name in constants for name in given):  # nor is it so where axes are left out
            continue
        values = [numpy_helper.to_array(constants[name]).tolist() for name in given]
        if any(len(value) != 1 for value in values) or values[3:] not in ([], [[1]]):
            continue
        (start,), (end,), (axis,) = values[:3]
        length = lengths[node.input[0]][axis]
        start, end, _ = slice(start, end).indices(length)
        sizes = {"before": start, "kept": end - start, "after": length - end}
        if not length or sizes["kept"] <= 0:
            continue
        result = node.output[0]
        parts = [part for part, size in sizes.items() if size]
        wanted = np.array([sizes[part] for part in parts], np.int64)
        wanted_name = names.fresh(f"{result}/sizes")
        graph.initializer.append(numpy_helper.from_array(wanted, wanted_name))
        node.CopyFrom(
            helper.make_node(
                "Split",
                [node.input[0], wanted_name],
                [result if part == "kept" else names.fresh(f"{result}/{part}") for part in parts],
                node.name,
                axis=axis,
            )
        )


def _name(graph: "GraphProto") -> None:
    """Give each node a name of its own, none of which ends in a number: see `node_of`."""
    names = Names()
    for node in graph.node:
        name = node.name or node.output[0]
        if NUMBERED.search(name):
            name = f"{name}/{node.op_type}"
        node.name = names.fresh(name)
