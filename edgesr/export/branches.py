"""What a node reads, where the nodes inside its branches and loops read values around it too."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import NodeProto


def reads(node: "NodeProto") -> Iterator[str]:
    """Yield the names that a node reads, then those that the nodes inside it do."""
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from reads(inner)


def read_instead(node: "NodeProto", same: Mapping[str, str]) -> None:
    """Let a node and those inside it read other values: name -> name of the other."""
    node.input[:] = [same.get(name, name) for name in node.input]
    for attribute in node.attribute:
        for inner in attribute.g.node:
            read_instead(inner, same)
