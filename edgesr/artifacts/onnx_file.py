"""What an ONNX file holds, looked at before anything runs it, without the package onnx.

An ONNX file is a protobuf message (onnx/onnx.proto3, ONNX 1.16). Only the fields that matter here
are followed: nodes and their operators, graphs inside nodes, and where tensors keep their values.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from edgesr.artifacts.onnx_constants import Constants, follow_constants
from edgesr.artifacts.onnx_graph import OnnxGraph, read_graph
from edgesr.artifacts.protobuf import BrokenError, fields
from edgesr.errors import ModelError

FIRST_BYTE = b"\x08"  # an ONNX file is a protobuf message that begins with its field ir_version

EXPORT = "edgesr export -m NETWORK"
"""What to type where nothing tells which network a file is. It names no file to write: what is in
the way may be another program's, and the only copy."""

_MAX_FIELDS = 300_000  # the largest file that edgesr exports has some 60,000
_MAX_DEPTH = 32  # messages within each other; a loop's body lies six deep

_CHILDREN: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "inner node", 10: "function domain", 11: "inner attribute"},
    "node": {4: "operator", 5: "attribute", 7: "domain"},
    "inner node": {4: "inner operator", 5: "inner attribute", 7: "inner domain"},
    "attribute": {
        1: "name",
        5: "tensor",
        6: "graph",
        9: "text",
        10: "tensor",
        11: "graph",
        22: "sparse",
        23: "sparse",
    },
    "inner attribute": {
        1: "name",
        5: "tensor",
        6: "inner graph",
        9: "text",
        10: "tensor",
        11: "inner graph",
        22: "sparse",
        23: "sparse",
    },
    "tensor": {6: "text", 13: "external"},
}
"""Message -> number of a field -> what that field holds; all others are passed over."""

_LOOPS = frozenset({"Loop", "If", "Scan", "SequenceMap"})
"""Operators that run a graph of their own; a `Loop` for ever. edgesr writes none of them."""

_OPERATORS = frozenset(
    {"Abs", "Add", "And", "Cast", "Ceil", "Clip", "Concat", "Constant", "ConstantOfShape", "Conv"}
    | {"ConvTranspose", "Cos", "CumSum", "DepthToSpace", "DequantizeLinear", "Div", "Elu", "Equal"}
    | {"Erf", "Exp", "Expand", "Flatten", "Floor", "Gather", "Gelu", "Gemm", "GlobalAveragePool"}
    | {"Greater", "GreaterOrEqual", "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization"}
    | {"LayerNormalization", "LeakyRelu", "Less", "LessOrEqual", "Log", "MatMul", "Max", "MaxPool"}
    | {
        "Mean",
        "Min",
        "Mish",
        "Mul",
        "Neg",
        "Not",
        "Or",
        "PRelu",
        "Pad",
        "Pow",
        "QuantizeLinear",
        "Range",
    }
    | {"Reciprocal", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "Relu"}
    | {"Reshape", "Resize", "Round", "Shape", "Sigmoid", "Sign", "Sin", "Size", "Slice", "Softmax"}
    | {"Softplus", "SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tanh", "Tile"}
    | {"Transpose", "Unsqueeze", "Where"}
)
"""Operators of the standard that a network may use. Their results are arrays of numbers, which
ONNX Runtime keeps where its memory is bounded, and the time of one of them follows from the sizes
of these: not that of `Unique` (a set), `StringConcat`, `AveragePool` (windows of any size)."""

_STANDARD = frozenset({"", "ai.onnx"})
_DOMAINS: Mapping[str, frozenset[str]] = {
    "domain": _STANDARD | {"edgesr"},
    "inner domain": _STANDARD,
    "function domain": frozenset({"edgesr"}),
}
"""What a field may name: a function that called functions could ask for any number of nodes, and
one of the standard domain could call itself."""

_MAX_INNER = 1_000_000
"""Most nodes after each call of a function is replaced by its nodes; the student has 936."""

_MAX_TAPS = 4096
"""Most values of which a convolution or a window makes one; 64 channels and 3x3 pixels are 576. A
single operator cannot be stopped, and one with a kernel of 1,500x1,500 would go on for hours."""

_MAX_TAKEN = 1 << 23
"""Most values that nodes take of constants again: ONNX Runtime lays weights out anew for each."""

_TEXTS = frozenset({"value_string", "value_strings"})
"""Attributes of a `Constant` that is a text, whose copies no bound of ours holds."""


def check_content(content: bytes, path: Path, again: str = EXPORT) -> Constants:
    """Refuse an ONNX file that may run or grow without end, or keeps values outside of itself.

    Values in other files are not part of what the manifest's SHA-256 describes.

    Args:
        content: of the file.
        path: the file, for messages.
        again: what exports the network again, for messages.

    Returns:
        What its constants come to.

    Raises:
        ModelError: it is refused, or is not ONNX.
    """
    calls = inner = 0
    try:
        for kind, value in _walk(content):
            name = value.decode("utf-8", "replace")
            calls += kind == "domain" and name not in _STANDARD
            inner += kind == "inner operator"
            if calls * inner > _MAX_INNER:
                raise BrokenError("its functions stand for too many operators")
            reason = _refused(kind, name)
            if reason:
                raise ModelError(f"it holds {reason}", where=path, fix=again)
        graph = read_graph(content)
        reason = _refused_operator(graph)
        constants = follow_constants(graph)
    except BrokenError as error:
        raise ModelError(f"not an ONNX file ({error})", where=path, fix=again) from None
    reason = reason or _refused_weights(constants, len(content))
    if reason:
        raise ModelError(f"it holds {reason}", where=path, fix=again)
    return constants


def _refused(kind: str, name: str) -> str:
    """Return what a field holds that no file may; empty: it may."""
    if kind == "external":
        return "values in another file, which its manifest does not describe"
    if kind == "inner graph":
        return "a graph in a function, which may run without end"
    if kind in ("operator", "inner operator") and name in _LOOPS:
        return f"the operator {name}, which may run without end"
    if kind in _DOMAINS and name not in _DOMAINS[kind]:
        return f"something of the {kind} '{name[:80]}', which edgesr does not write"
    if kind in ("sparse", "text") or (kind == "name" and name in _TEXTS):
        return f"a {'sparse tensor' if kind == 'sparse' else 'text'}, which edgesr does not write"
    return ""


def _refused_operator(graph: OnnxGraph) -> str:
    """Return which operator a file holds that no file may; empty: none."""
    inner = [node for function in graph.functions.values() for node in function.nodes]
    for node in (*graph.nodes, *inner):
        if node.domain in _STANDARD and node.operator not in _OPERATORS:
            return f"the operator {node.operator[:80]!r}, which edgesr does not write"
    return ""


def _refused_weights(constants: Constants, content_bytes: int) -> str:
    """Return what is wrong with how a file uses its constants; empty: nothing."""
    if constants.taps > _MAX_TAPS:
        return "a convolution or window that is too large, or whose weights are not in the file"
    if constants.taken > content_bytes + _MAX_TAKEN:
        return "constants that come to too many values for a file of its size"
    return ""


def _walk(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the content of every field that is not a message, by what the field holds."""
    open_messages = [("model", 0, len(content), 0)]
    count = 0
    while open_messages:
        kind, start, end, depth = open_messages.pop()
        if depth > _MAX_DEPTH:
            raise BrokenError(f"graphs lie more than {_MAX_DEPTH} deep")
        children = _CHILDREN[kind]
        for field in fields(content, start, end):
            count += 1
            if count > _MAX_FIELDS:
                raise BrokenError(f"it has more than {_MAX_FIELDS} parts")
            child = children.get(field.number)
            if not field.is_bytes or child is None:
                continue
            if child in _CHILDREN:
                open_messages.append((child, field.start, field.end, depth + 1))
            else:
                yield child, content[field.start : field.end]
