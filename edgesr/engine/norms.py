"""LayerNormalization by its formula, for parsers that do not know it: TensorRT's before 8.6."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgesr.engine.inference import inferred, opset_of
from edgesr.export.branches import reads
from edgesr.export.names import Names

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TypeProto

AXES_ARE_INPUT_SINCE = 18
"""The opset since which a ReduceMean takes its axes as an input."""


def write_norms(model: "ModelProto") -> None:
    """LayerNormalization -> its formula, the mean of the squares of x - mean, in place.

    A norm of float16 computes in float32 up to its scale, as the operator does: squares overflow.

    Raises:
        ValueError: something reads the mean or the deviation that a norm may give besides, or the
            file does not tell how many axes a norm is of.
    """
    from edgesr.export.graph import value_types

    graph = model.graph
    if not any(node.op_type == "LayerNormalization" for node in graph.node):
        return
    writing = _Writing(model, value_types(inferred(model).graph))
    for node in graph.node:
        if node.op_type == "LayerNormalization":
            writing.write(node)
        else:
            writing.nodes.append(node)
    del graph.node[:]
    graph.node.extend(writing.nodes)


def is_of_last_axis(node: "NodeProto", known: "Mapping[str, TypeProto.Tensor]") -> bool:
    """Tell whether a LayerNormalization is of the last axis alone; `known`: types of values."""
    from edgesr.export.graph import attributes_of

    axis = attributes_of(node).get("axis", -1)
    name = node.input[0]
    return axis == -1 or (name in known and axis == len(known[name].shape.dim) - 1)


class _Writing:
    """Norms of one graph, written out.

    Attributes:
        model: whose graph gets the constants.
        known: types of the graph's values.
        nodes: of the new graph so far.
        names: of the graph's values, and those that are made.
        scales: shapes of the graph's constants, by name.
        read: what any node reads, and what the graph gives.
    """

    def __init__(self, model: "ModelProto", known: "Mapping[str, TypeProto.Tensor]") -> None:
        graph = model.graph
        self.model = model
        self.known = known
        self.nodes: list[NodeProto] = []
        self.names = Names.of_values(graph)
        self.scales = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
        self.read = {value.name for value in graph.output}.union(*map(reads, graph.node))

    def write(self, node: "NodeProto") -> None:
        """Add the nodes of a norm's formula.

        What is apart from the mean of the last axis is a product with a constant matrix, which is
        one layer of TensorRT where ReduceMean and Sub are two. So is the mean of the squares, for
        as a convolution it adds the epsilon too. Of several axes the matrix would have the square
        of as many rows as an image has values.
        """
        from onnx import TensorProto

        from edgesr.export.graph import attributes_of

        if self.read.intersection(filter(None, node.output[1:])):
            raise ValueError(f"{_title(node)} gives its mean or deviation, which are not written")
        name, x = node.output[0], node.input[0]
        channels = self._channels(node)
        axes = [] if channels else self._axes(node)
        centre = mean = ""
        if channels:
            centre = self._constant(f"{name}/centre", np.eye(channels) - 1 / channels)
            mean = self._constant(f"{name}/mean", np.full((channels, 1), 1 / channels))
        epsilon = self._constant(
            f"{name}/epsilon", np.asarray(attributes_of(node).get("epsilon", 1e-5))
        )
        kind = self.known[name].elem_type if name in self.known else TensorProto.FLOAT
        is_narrow = kind != TensorProto.FLOAT
        if is_narrow:
            x = self._add("Cast", f"{name}/wide", x, to=TensorProto.FLOAT)
        if channels:
            apart = self._add("MatMul", f"{name}/apart", x, centre)
        else:
            apart = self._add("Sub", f"{name}/apart", x, self._mean(f"{name}/mean", x, axes))
        square = self._add("Mul", f"{name}/square", apart, apart)
        if channels:
            variance = self._add("MatMul", f"{name}/variance", square, mean)
        else:
            variance = self._mean(f"{name}/variance", square, axes)
        positive = self._add("Add", f"{name}/positive", variance, epsilon)
        deviation = self._add("Sqrt", f"{name}/deviation", positive)
        result = self._add("Div", f"{name}/normal", apart, deviation)
        if is_narrow:
            result = self._add("Cast", f"{name}/narrow", result, to=kind)
        result = self._add("Mul", f"{name}/scaled", result, node.input[1])
        if any(node.input[2:]):
            self._add("Add", f"{name}/shifted", result, node.input[2])
        self.nodes[-1].output[0] = name

    def _channels(self, node: "NodeProto") -> int:
        """Return the length of the last axis if a norm is of that and scales each; 0: it is not."""
        scale = self.scales.get(node.input[1], [])
        if len(scale) != 1 or not is_of_last_axis(node, self.known):
            return 0
        shape = self.known[node.input[0]].shape.dim if node.input[0] in self.known else []
        length = shape[-1].dim_value if shape else 0
        return scale[0] if length in (0, scale[0]) else 0

    def _axes(self, node: "NodeProto") -> list[int]:
        """Return the axes that a norm is of, counted from the last, which is -1."""
        from edgesr.export.graph import attributes_of

        first = attributes_of(node).get("axis", -1)
        if first >= 0:
            value = self.known.get(node.input[0])
            if value is None or not value.HasField("shape"):
                raise ValueError(f"{_title(node)} normalises a shape that the file does not tell")
            first -= len(value.shape.dim)
        return list(range(first, 0))

    def _mean(self, name: str, x: str, axes: list[int]) -> str:
        """Add a mean over axes, which stay with a length of 1, and return its name."""
        if opset_of(self.model) < AXES_ARE_INPUT_SINCE:
            return self._add("ReduceMean", name, x, axes=axes)
        return self._add("ReduceMean", name, x, self._initializer(f"{name}/axes", np.array(axes)))

    def _constant(self, name: str, values: NDArray[np.float64]) -> str:
        return self._initializer(name, values.astype(np.float32))

    def _initializer(self, name: str, values: NDArray[Any]) -> str:
        from onnx import numpy_helper

        tensor = numpy_helper.from_array(values, self.names.fresh(name))
        self.model.graph.initializer.append(tensor)
        return tensor.name

    def _add(self, kind: str, name: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        output = self.names.fresh(name)
        self.nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output


def _title(node: "NodeProto") -> str:
    return node.name or node.op_type
