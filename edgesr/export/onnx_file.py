"""What an ONNX file holds, looked at before anything runs it, without the package onnx.

An ONNX file is a protobuf message (onnx/onnx.proto3, ONNX 1.16). Only the fields that matter here
are followed: nodes and their operators, graphs inside nodes, and where tensors keep their values.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from edgesr.errors import ModelError

_MAX_FIELDS = 1_000_000  # the largest file that edgesr exports has some 60,000
_MAX_DEPTH = 32  # messages within each other; a loop's body lies six deep

_CHILDREN: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {4: "operator", 5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "external"},
}
"""Message -> number of a field -> what that field holds; all others are passed over."""

_ENDLESS = frozenset({"Loop", "If"})
"""A `Loop` may run for ever; edgesr writes neither. A `Scan` ends with its tensor."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def check_content(content: bytes, path: Path, may_scan: bool) -> None:
    """Refuse an ONNX file that may run for ever, or that keeps values outside of itself.

    Values in other files are not part of what the manifest's SHA-256 describes.

    Args:
        content: of the file.
        path: the file, for messages.
        may_scan: whether its manifest says that it holds a loop over the sequence (`Scan`), which
            no board runs.

    Raises:
        ModelError: it is refused, or is not ONNX.
    """
    again = f"edgesr export -o {path}"
    refused = _ENDLESS if may_scan else _ENDLESS | {"Scan"}
    try:
        for kind, value in _walk(content):
            if kind == "external":
                raise ModelError(
                    "it keeps values in another file, which its manifest does not describe",
                    where=path,
                    fix=again,
                )
            if (name := value.decode("utf-8", "replace")) in refused:
                raise ModelError(
                    f"it holds the operator {name}, which its manifest does not announce",
                    where=path,
                    fix=again,
                )
    except (IndexError, _BrokenError) as error:
        reason = str(error) if isinstance(error, _BrokenError) else "it ends early"
        raise ModelError(f"not an ONNX file ({reason})", where=path, fix=again) from None


class _BrokenError(ValueError):
    """The bytes are no protobuf message, or one beyond our bounds."""


def _walk(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield every ("operator", name) and ("external", entry) of a model."""
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
                if child in ("operator", "external"):
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
