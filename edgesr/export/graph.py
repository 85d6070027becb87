"""Writing ONNX nodes by hand: a builder with unique names and shared constants.

`onnx_ir.passes` and `onnxscript.rewriter` do the same work, but do not give the same files.
`RemoveUnusedNodesPass` keeps the nodes and constants that `remove_unused` keeps (the twelve shipped
files, prepared for TensorRT 8.5 and 10.3, with the plugin and without), and a rule of the rewriter
folds what residual.py folds, with outputs equal to the bit. Yet a file that onnx_ir has merely read
and written again is another one: none of the twelve stays equal, since it drops empty texts and
lists the types of constants; and a rule gives the constants that it changes another name. Besides,
edgesr/engine/ calls `remove_unused` on boards, where `onnx` alone is installed.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, TypeProto, helper, numpy_helper

from edgesr.export.branches import reads


class GraphBuilder:
    """Collects nodes and constants of one piece of a graph, under a prefix of its own.

    Attributes:
        nodes: in the order of their making, which is a valid order to run them.
        constants: name -> tensor, equal integer constants only once.
    """

    def __init__(self, prefix: str, dtype: np.dtype[Any]) -> None:
        self.prefix = prefix
        self.dtype = dtype
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output and return the name of that."""
        return self.ops(kind, 1, *inputs, **attributes)[0]

    def ops(self, kind: str, count: int, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node with `count` outputs and return their names."""
        stem = f"{self.prefix}/{kind}_{len(self.nodes)}"
        outputs = [f"{stem}:{i}" if i else stem for i in range(count)]
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=stem, **attributes))
        return outputs

    def constant(self, values: NDArray[Any]) -> str:
        """Return the name of a tensor in the builder's floating-point type."""
        name = f"{self.prefix}/constant_{len(self.constants)}"
        self.constants[name] = numpy_helper.from_array(values.astype(self.dtype), name)
        return name

    def integers(self, *values: int) -> str:
        """Return the name of a one-dimensional int64 tensor."""
        name = f"{self.prefix}/{'_'.join(map(str, values))}"
        array = np.asarray(values, np.int64)
        return self.constants.setdefault(name, numpy_helper.from_array(array, name)).name

    def indices(self, values: NDArray[np.int64]) -> str:
        """Return the name of an int64 tensor of any shape."""
        name = f"{self.prefix}/indices_{len(self.constants)}"
        self.constants[name] = numpy_helper.from_array(values.astype(np.int64), name)
        return name

    def reshape(self, x: str, *shape: int) -> str:
        """Reshape; -1 stands for one axis as usual."""
        return self.op("Reshape", x, self.integers(*shape))

    def split(self, x: str, parts: int, size: int, axis: int) -> list[str]:
        """Cut an axis of parts * size into `parts` equal pieces."""
        if parts == 1:
            return [x]
        return self.ops("Split", parts, x, self.integers(*[size] * parts), axis=axis)

    def concat(self, parts: Sequence[str], axis: int) -> str:
        """Join along an axis."""
        return parts[0] if len(parts) == 1 else self.op("Concat", *parts, axis=axis)

    def add(self, a: str, b: str) -> str:
        """Return a + b."""
        return self.op("Add", a, b)

    def mul(self, a: str, b: str) -> str:
        """Return a * b."""
        return self.op("Mul", a, b)


def value_types(graph: GraphProto) -> dict[str, TypeProto.Tensor]:
    """Return the element type and the shape of each value that a graph lists them for."""
    return {
        value.name: value.type.tensor_type
        for value in (*graph.input, *graph.value_info, *graph.output)
    }


def producers(graph: GraphProto) -> dict[str, NodeProto]:
    """Return the node that makes each tensor of a graph."""
    return {output: node for node in graph.node for output in node.output}


def attributes_of(node: NodeProto) -> dict[str, Any]:
    """Return the values of the attributes that a node states, by name; a text is bytes."""
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def remove_unused(graph: Any) -> None:
    """Drop the nodes and initializers of a GraphProto that no output needs."""
    needed = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(reads(node))
    used = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(used)
