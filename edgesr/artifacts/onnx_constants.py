"""What of an ONNX file depends on no picture, and how much that comes to, without running it.

ONNX Runtime works such values out while it loads a file (constant folding), where neither its
memory nor its time can be bounded: a file of a few hundred bytes may so take gigabytes or hours.
Sizes are followed here from node to node as upper bounds, in numbers of values.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgesr.artifacts.onnx_graph import UNKNOWN, Function, Known, Node, OnnxGraph
from edgesr.artifacts.protobuf import BrokenError

MAX_FOLDED = 1 << 23
"""Most values that constant folding may work out; the student's file asks for 9,728."""

_KEEPING = frozenset(
    {"Abs", "Cast", "Clip", "DequantizeLinear", "Exp", "Flatten", "Identity", "Neg"}
    | {"QuantizeLinear", "Reciprocal", "Reshape", "Slice", "Split", "Sqrt", "Squeeze"}
    | {"Transpose", "Unsqueeze"}
)
"""Operators of whose outputs none has more values than the first input."""
_AS_IT_IS = frozenset({"Cast", "DequantizeLinear", "Identity", "QuantizeLinear"})
"""Those of them that keep the shape."""
_BROADCASTING = frozenset({"Add", "Div", "Max", "Min", "Mul", "Pow", "Sub"})
_OF_ANY_INPUT = frozenset({"Shape", "Size"})
"""Operators whose output is constant where the shape of the input is, which is not followed."""
_CONVOLUTIONS = frozenset({"Conv", "ConvTranspose"})


@dataclass(frozen=True)
class Constants:
    """What a file's constants come to.

    Attributes:
        folded: values that constant folding works out, at most; infinite: it cannot be told.
        taps: values of which the largest convolution or window makes one; infinite: the weights are
            not in the file.
        taken: values that all nodes take together, where their number can be told; those that
            several nodes take count for each.
    """

    folded: float
    taps: float
    taken: float

    @property
    def are_few(self) -> bool:
        """Whether they may be worked out at once."""
        return self.folded <= MAX_FOLDED


_Scope = dict[str, Known | None]
"""Name of a value -> what is known of it; None: it depends on the picture."""


def follow_constants(graph: OnnxGraph) -> Constants:
    """Follow the constants of a graph whose functions call no others.

    Raises:
        BrokenError: a node stands before what it takes.
    """
    scope: _Scope = dict.fromkeys(graph.inputs)
    scope |= graph.tensors
    return _follow(graph.nodes, scope, graph.functions)


def _follow(
    nodes: Sequence[Node], scope: _Scope, functions: Mapping[tuple[str, str], Function]
) -> Constants:
    """Add to `scope` what the nodes make, and return what they cost."""
    folded = taps = taken = 0.0
    for node in nodes:
        try:
            given = [scope[name] for name in node.inputs if name]
        except KeyError:
            raise BrokenError("an operator stands before what it takes") from None
        function = functions.get((node.domain, node.operator))
        if function is not None:
            inner: _Scope = dict.fromkeys(function.inputs)
            named = zip(function.inputs, node.inputs, strict=False)
            inner |= {name: scope[own] for name, own in named if own}
            cost = _follow(function.nodes, inner, {})
            folded, taps = folded + cost.folded, max(taps, cost.taps)
            taken += cost.taken
            made = [inner.get(name) for name in function.outputs]
            scope |= dict(zip(node.outputs, made, strict=False))
            continue
        taken += sum(value.size for value in given if value is not None and value.size < math.inf)
        if node.operator in _CONVOLUTIONS:
            weights = given[1] if len(given) > 1 else None
            taps = max(taps, math.inf if weights is None else weights.row)
        if node.operator == "MaxPool":
            taps = max(taps, node.window)
        result = _result(node, given)
        if result is not None and node.operator != "Constant":
            folded += result.size * len(node.outputs)
        scope |= dict.fromkeys(node.outputs, result)
    return Constants(folded, taps, taken)


def _result(node: Node, given: list[Known | None]) -> Known | None:
    """Return what is known of each output of a node; None: it depends on the picture."""
    if node.operator == "Constant":
        return node.constant
    known = [value for value in given if value is not None]
    if len(known) < len(given) and node.operator not in _OF_ANY_INPUT:
        return None
    return _worked_out(node.operator, known)


def _worked_out(operator: str, known: Sequence[Known]) -> Known:
    """Return what an operator makes of constants, `UNKNOWN` where that cannot be told."""
    if not known or operator in _OF_ANY_INPUT:
        return UNKNOWN
    first, numbers = known[0], known[1].values if len(known) == 2 else None
    size = math.inf
    if operator in _AS_IT_IS:
        return first
    if operator in _KEEPING:
        rows = numbers[0] if operator == "Reshape" and numbers else 1
        return Known(first.size, first.size / max(1, rows))
    if operator in _BROADCASTING or operator == "Gather":
        size = math.prod(value.size for value in known)
    elif operator == "Concat":
        size = sum(value.size for value in known)
    elif operator == "Tile" and numbers is not None:
        size = first.size * math.prod(map(abs, numbers))
    return Known(size, size)
