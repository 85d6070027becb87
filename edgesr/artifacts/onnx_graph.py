"""The nodes, functions and tensors of an ONNX file, without the package onnx (onnx/onnx.proto3)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from edgesr.artifacts.protobuf import BrokenError, MessageField, fields, numbers

_FEW = 16  # most values of a tensor that are read as numbers
_INT64 = 7


@dataclass(frozen=True)
class Known:
    """A value that depends on no picture.

    Attributes:
        size: number of its values, at most; infinite: it cannot be told.
        row: how many of them lie in each row of the first axis.
        values: they themselves, of a few whole numbers.
    """

    size: float
    row: float
    values: tuple[int, ...] | None = None


UNKNOWN = Known(math.inf, math.inf)


@dataclass(frozen=True)
class Node:
    """One operation of a graph.

    Attributes:
        inputs: names of what it takes; "" where it takes nothing.
        outputs: names of what it makes.
        operator: its kind.
        domain: of the operator; "" and `ai.onnx` are the standard.
        constant: the value of a `Constant`.
        window: pixels that a value of a `MaxPool` is the largest of; infinite: it cannot be told.
    """

    inputs: list[str]
    outputs: list[str]
    operator: str
    domain: str
    constant: Known
    window: float = math.inf


@dataclass(frozen=True)
class Function:
    """What a node of the file's own kind stands for.

    Attributes:
        inputs: names of what it takes.
        outputs: names of what it makes.
        nodes: in order.
    """

    inputs: list[str]
    outputs: list[str]
    nodes: list[Node]


@dataclass(frozen=True)
class OnnxGraph:
    """What an ONNX file holds.

    Attributes:
        nodes: in order.
        inputs: names of what it takes from outside.
        tensors: name -> what is known of a tensor in the file.
        functions: (domain, name) -> function.
    """

    nodes: list[Node]
    inputs: list[str]
    tensors: Mapping[str, Known]
    functions: Mapping[tuple[str, str], Function]


def read_graph(content: bytes) -> OnnxGraph:
    """Read the content of an ONNX file.

    Raises:
        BrokenError: it is no ONNX file.
    """
    graph = OnnxGraph([], [], tensors := {}, functions := {})
    for part in fields(content, 0, len(content)):
        if part.number == 7:
            for inner in fields(content, part.start, part.end):
                if inner.number == 1:
                    graph.nodes.append(_node(content, inner))
                elif inner.number == 5:
                    name, tensor = _tensor(content, inner.start, inner.end)
                    tensors[name] = tensor
                elif inner.number == 11:
                    graph.inputs.append(_name(content, inner))
        elif part.number == 25:
            key, function = _function(content, part)
            functions[key] = function
    return graph


def _node(content: bytes, part: MessageField) -> Node:
    inputs, outputs, operator, domain = [], [], "", ""
    constant, attributes, window = UNKNOWN, 0, math.inf
    for own in fields(content, part.start, part.end):
        if own.number == 1:
            inputs.append(_text(content, own))
        elif own.number == 2:
            outputs.append(_text(content, own))
        elif own.number == 4:
            operator = _text(content, own)
        elif own.number == 5:
            name, value = _attribute(content, own)
            constant = UNKNOWN if attributes else value
            attributes += 1
            if name == "kernel_shape" and value.values is not None:
                window = math.prod(value.values)
        elif own.number == 7:
            domain = _text(content, own)
    return Node(inputs, outputs, operator, domain, constant, window)


def _function(content: bytes, part: MessageField) -> tuple[tuple[str, str], Function]:
    texts: dict[int, list[str]] = {1: [], 4: [], 5: [], 10: []}
    nodes = []
    for own in fields(content, part.start, part.end):
        if own.number in texts:
            texts[own.number].append(_text(content, own))
        elif own.number == 7:
            nodes.append(_node(content, own))
    key = "".join(texts[10][-1:]), "".join(texts[1][-1:])
    return key, Function(texts[4], texts[5], nodes)


def _attribute(content: bytes, part: MessageField) -> tuple[str, Known]:
    """Return the name of an attribute and its value, as far as that is told without doubt."""
    name, tensor, numbers_given = "", b"", []
    found: set[int] = set()
    for own in fields(content, part.start, part.end):
        if own.number in (2, 3, 5, 7, 8):  # value_float, value_int, value, value_floats, value_ints
            found.add(own.number)
        if own.number == 1:
            name = _text(content, own)
        elif own.number == 5:
            tensor += content[own.start : own.end]  # a message in two parts is both in a row
        elif own.number == 3:
            numbers_given = [_signed(own.value or 0)]
        elif own.number == 8:
            numbers_given += map(_signed, numbers(content, own))
    if len(found) != 1:
        return name, UNKNOWN
    if found == {5}:
        return name, _tensor(tensor, 0, len(tensor))[1]
    if found & {3, 8}:
        return name, Known(len(numbers_given), len(numbers_given), tuple(numbers_given))
    return name, Known(part.end - part.start, part.end - part.start)  # floats, of four bytes each


def _tensor(content: bytes, start: int, end: int) -> tuple[str, Known]:
    """Return the name of a tensor and what is known of it."""
    name, kind, raw = "", 0, b""
    dims: list[int] = []
    values: list[int] = []
    for own in fields(content, start, end):
        if own.number == 1:
            dims += numbers(content, own)
        elif own.number == 2:
            kind = own.value or 0
        elif own.number == 7 and len(values) <= _FEW:
            values += map(_signed, numbers(content, own))
        elif own.number == 8:
            name = _text(content, own)
        elif own.number == 9:
            raw = content[own.start : own.end]
    if raw:
        few = raw[: 8 * (_FEW + 1)]
        values = [_little_endian(few[at : at + 8]) for at in range(0, len(few), 8)]
    size = math.prod(dims)
    if size > 2 * (end - start):  # two values to a byte, of the smallest type
        raise BrokenError("a tensor is shorter than it says")
    is_small = kind == _INT64 and len(values) == size and size <= _FEW
    return name, Known(size, math.prod(dims[1:]), tuple(values) if is_small else None)


def _little_endian(raw: bytes) -> int:
    return int.from_bytes(raw, "little", signed=True)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _text(content: bytes, part: MessageField) -> str:
    return content[part.start : part.end].decode("utf-8", "surrogateescape")


def _name(content: bytes, part: MessageField) -> str:
    for own in fields(content, part.start, part.end):
        if own.number == 1:
            return _text(content, own)
    return ""
