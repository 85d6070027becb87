"""A strongly typed FP16 graph: every value float16, but for islands of float32 between Casts.

The types are written into the graph, so every runtime computes the same: TensorRT 10.3 to 11 with
strong typing, TensorRT for RTX, ONNX Runtime. Input and output stay float32.

`onnxruntime.transformers.float16` makes the same nodes of a network of standard operators (ESPCN:
outputs equal to the bit). It does not know of a function that takes both types: around each mixer
it puts two casts, 16 in the student, which a plugin would then run beside its own.
"""

from collections.abc import Generator

import numpy as np
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgesr.export.graph import value_types
from edgesr.export.mixer import INPUTS, MIXER, kind_of

HALF, SINGLE = TensorProto.FLOAT16, TensorProto.FLOAT

ISLANDS = frozenset({MIXER, "LayerNormalization"})
"""Kinds of nodes that compute in float32; chosen by measurement."""

KEPT_INPUTS = {"Resize": {1, 2}, MIXER: set(range(1, len(INPUTS)))}
"""Inputs that are float32 by the operator: region and scales of a resize, weights of a mixer."""

CASTS_ITSELF = frozenset({MIXER})
"""Islands that take float16 and give it, and cast inside."""


def to_fp16(
    model: ModelProto,
    large: frozenset[str] = frozenset(),
    islands: frozenset[str] = ISLANDS,
) -> tuple[ModelProto, tuple[str, ...]]:
    """Convert a float32 graph; the functions of its mixers stay as they were.

    Args:
        model: the graph.
        large: values too large for float16; what computes them is an island too.
        islands: kinds of nodes that compute in float32.

    Returns:
        the typed graph, and its islands: kinds of nodes, then single nodes as "Conv NAME".
    """
    result = ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    types = {name: value.elem_type for name, value in value_types(graph).items()}
    types.update((tensor.name, tensor.data_type) for tensor in graph.initializer)
    constants = {tensor.name: tensor for tensor in graph.initializer}
    converter = _Converter(types, constants, large, islands)
    nodes = [new for node in graph.node for new in converter.convert(node)]
    for output in graph.output:
        nodes += converter.restore(output.name, nodes)
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(converter.halves.values())
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    for value in graph.value_info:
        value.type.tensor_type.elem_type = converter.types[value.name]
    kinds = set(map(kind_of, model.graph.node))
    single = [
        f"{node.op_type} {node.output[0]}"
        for node in model.graph.node
        if kind_of(node) not in islands and not large.isdisjoint(node.output)
    ]
    return result, (*sorted(islands & kinds), *single)


class _Converter:
    """Walks the nodes in order and knows the type every value has by then."""

    def __init__(
        self,
        types: dict[str, int],
        constants: dict[str, TensorProto],
        large: frozenset[str],
        islands: frozenset[str],
    ) -> None:
        self.types = types
        self.constants = constants
        self.large = large
        self.islands = islands
        self.halves: dict[str, TensorProto] = {}
        self.casts: dict[tuple[str, int], str] = {}

    def convert(self, node: NodeProto) -> Generator[NodeProto, None, None]:
        """Yield the Casts a node needs before it, and the node with its new types."""
        kind = kind_of(node)
        island = kind in self.islands - CASTS_ITSELF or not self.large.isdisjoint(node.output)
        wanted = SINGLE if island else HALF
        new = NodeProto()
        new.CopyFrom(node)
        for i, name in enumerate(node.input):
            if name and i not in KEPT_INPUTS.get(kind, ()):
                new.input[i] = yield from self._as(name, wanted)
        if wanted == HALF:
            _retype(new)
        for name in node.output:
            if self.types.get(name, SINGLE) == SINGLE:
                self.types[name] = wanted
        yield new

    def _as(self, name: str, wanted: int) -> Generator[NodeProto, None, str]:
        """Return (by `yield from`) the name under which `name` has the type wanted."""
        if self.types[name] not in (HALF, SINGLE) or self.types[name] == wanted:
            return name
        if name in self.constants:
            half = f"{name}.fp16"
            values = numpy_helper.to_array(self.constants[name]).astype(np.float16)
            self.halves[half] = numpy_helper.from_array(values, half)
            self.types[half] = HALF
            return half
        key = (name, wanted)
        if key not in self.casts:
            self.casts[key] = f"{name}.{'fp16' if wanted == HALF else 'fp32'}"
            self.types[self.casts[key]] = wanted
            yield _cast(name, self.casts[key], wanted)
        return self.casts[key]

    def restore(self, output: str, nodes: list[NodeProto]) -> list[NodeProto]:
        """Return the Cast that keeps a graph output in float32 under its name."""
        if self.types[output] != HALF:
            return []
        half = f"{output}.fp16"
        for node in nodes:
            for i, name in enumerate(node.output):
                if name == output:
                    node.output[i] = half
            for i, name in enumerate(node.input):
                if name == output:
                    node.input[i] = half
        self.types[output] = SINGLE
        return [_cast(half, output, SINGLE)]


def _cast(name: str, output: str, kind: int) -> NodeProto:
    return helper.make_node("Cast", [name], [output], name=output, to=kind)


def _retype(node: NodeProto) -> None:
    """Change the float32 a node's attributes ask for to float16."""
    for attribute in node.attribute:
        if node.op_type == "Cast" and attribute.name == "to" and attribute.i == SINGLE:
            attribute.i = HALF
        if attribute.type == AttributeProto.TENSOR and attribute.t.data_type == SINGLE:
            values = numpy_helper.to_array(attribute.t).astype(np.float16)
            attribute.t.CopyFrom(numpy_helper.from_array(values))
