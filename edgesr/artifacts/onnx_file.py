"""What an ONNX file holds, looked at before anything runs it, without the package onnx.

An ONNX file is a protobuf message (onnx/onnx.proto3, ONNX 1.16). Only the fields that matter here
are followed: nodes and their operators, graphs inside nodes, and where tensors keep their values.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from edgesr.errors import ModelError, shell

FIRST_BYTE = b"\x08"  # an ONNX file is a protobuf message that begins with its field ir_version

_MAX_FIELDS = 300_000  # the largest file that edgesr exports has some 60,000
_MAX_DEPTH = 32  # messages within each other; a loop's body lies six deep

_CHILDREN: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "inner node", 10: "function domain", 11: "inner attribute"},
    "node": {4: "operator", 5: "attribute", 7: "domain"},
    "inner node": {4: "inner operator", 5: "inner attribute", 7: "inner domain"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "inner attribute": {
        5: "tensor",
        6: "inner graph",
        10: "tensor",
        11: "inner graph",
        22: "sparse",
        23: "sparse",
    },
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "external"},
}
"""Message -> number of a field -> what that field holds; all others are passed over."""

_LOOPS = frozenset({"Loop", "If", "Scan", "SequenceMap"})
"""Operators that run a graph of their own; a `Loop` for ever. edgesr writes none of them."""

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

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def check_content(content: bytes, path: Path) -> None:
    """Refuse an ONNX file that may run or grow without end, or keeps values outside of itself.

    Values in other files are not part of what the manifest's SHA-256 describes.

    Args:
        content: of the file.
        path: the file, for messages.

    Raises:
        ModelError: it is refused, or is not ONNX.
    """
    again = f"edgesr export -o {shell(path)}"
    calls = inner = 0
    try:
        for kind, value in _walk(content):
            name = value.decode("utf-8", "replace")
            calls += kind == "domain" and name not in _STANDARD
            inner += kind == "inner operator"
            if calls * inner > _MAX_INNER:
                raise _BrokenError("its functions stand for too many operators")
            reason = _refused(kind, name)
            if reason:
                raise ModelError(f"it holds {reason}", where=path, fix=again)
    except (IndexError, _BrokenError) as error:
        reason = str(error) if isinstance(error, _BrokenError) else "it ends early"
        raise ModelError(f"not an ONNX file ({reason})", where=path, fix=again) from None


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
    return ""


class _BrokenError(ValueError):
    """The bytes are no protobuf message, or one beyond our bounds."""


def _walk(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the content of every field that is not a message, by what the field holds."""
    open_messages = [("model", 0, len(content), 0)]
    fields = 0
    while open_messages:
        kind, at, end, depth = open_messages.pop()
        if depth > _MAX_DEPTH:
            raise _BrokenError(f"graphs lie more than {_MAX_DEPTH} deep")
        children = _CHILDREN[kind]
        while at < end:
            fields += 1
            if fields > _MAX_FIELDS:
                raise _BrokenError(f"it has more than {_MAX_FIELDS} parts")
            key, at = _varint(content, at)
            wire = key & 7
            if wire == _BYTES:
                length, at = _varint(content, at)
                start, at = at, at + length
                child = children.get(key >> 3)
                if at > end:
                    raise _BrokenError("a part is longer than what holds it")
                if child is not None and child not in _CHILDREN:
                    yield child, content[start:at]
                elif child is not None:
                    open_messages.append((child, start, at, depth + 1))
            elif wire == _VARINT:
                _, at = _varint(content, at)
            elif wire in (_FIXED32, _FIXED64):
                at += 4 if wire == _FIXED32 else 8
            else:
                raise _BrokenError(f"a part of the unknown kind {wire}")
        if at != end:
            raise _BrokenError("a part is longer than what holds it")


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """Return (value, position behind it) of a number of variable length, at most ten bytes."""
    value = 0
    for shift in range(0, 70, 7):
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _BrokenError("a number is too long")
