"""Names of a graph, and new ones that none of its values has: a file may call a tensor anything."""

from collections.abc import Iterable, Iterator
from itertools import chain, count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto


class Names:
    """Names that are taken, to which each new one is added.

    Attributes:
        taken: what no new name can be.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)

    @classmethod
    def of_values(cls, graph: "GraphProto") -> "Names":
        """Take the names of all values of a graph, those inside its branches and loops too."""
        return cls(_values(graph))

    def fresh(self, wanted: str) -> str:
        """Return a name that was free: the wanted one, else that with a number behind."""
        return self.first(chain([wanted], (f"{wanted}/again{i}" for i in count(2))))

    def first(self, candidates: Iterable[str]) -> str:
        """Return the first of endlessly many candidates that was free."""
        name = next(name for name in candidates if name not in self.taken)
        self.taken.add(name)
        return name


def _values(graph: "GraphProto") -> Iterator[str]:
    """Yield the names of a graph's values; ONNX lets those of an inner graph hide none of them."""
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        yield value.name
    for sparse in graph.sparse_initializer:
        yield sparse.values.name
    for node in graph.node:
        yield from node.input
        yield from node.output
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _values(inner)
