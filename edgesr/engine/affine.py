"""Constant scales and shifts of images, put into the convolutions before or behind them.

A norm that is written out ends in a product and a sum with constants, and a 1x1 convolution reads
it; another sum with a constant stands behind a product with a matrix. TensorRT makes a layer of
each of these and one more of its constant. A convolution does the same by other weights.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto


def into_convolutions(graph: "GraphProto") -> None:
    """Fold what scales or shifts the channels of images (B, C, H, W) by constants, in place.

    Only float32 weights are changed: rounded ones would not keep what they are multiplied by. A
    convolution that pads does so with zeros, which a shift would have made others; it is left.

    Args:
        graph: of fixed shapes; its nodes are in the order in which they run.
    """
    _Folding(graph).run()


@dataclass
class _Folding:
    """One folding of a graph.

    Attributes:
        graph: what is changed.
        constants: values of the float32 initializers by name.
        channels: of every value that is listed as an image.
        readers: nodes that read a value, by its name; as often as they do.
        makers: node that makes a value, by its name.
        outputs: names of the graph's outputs.
    """

    graph: "GraphProto"
    constants: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    channels: dict[str, int] = field(default_factory=dict)
    readers: dict[str, list["NodeProto"]] = field(default_factory=lambda: defaultdict(list))
    makers: dict[str, "NodeProto"] = field(default_factory=dict)
    outputs: set[str] = field(default_factory=set)

    def run(self) -> None:
        from onnx import TensorProto, numpy_helper

        from edgesr.export.graph import remove_unused, value_types

        shapes = {name: value.shape.dim for name, value in value_types(self.graph).items()}
        self.channels = {name: dim[1].dim_value for name, dim in shapes.items() if len(dim) == 4}
        self.outputs = {value.name for value in self.graph.output}
        for tensor in self.graph.initializer:
            if tensor.data_type == TensorProto.FLOAT:
                self.constants[tensor.name] = numpy_helper.to_array(tensor)
        for node in self.graph.node:
            self.makers.update(dict.fromkeys(node.output, node))
            for name in node.input:
                self.readers[name].append(node)
        folded = set()
        for node in reversed(self.graph.node):  # a shift before the scale that it reads
            if self._into_what_reads(node) or self._into_what_makes(node):
                folded.add(node.name)
        kept = [node for node in self.graph.node if node.name not in folded]
        del self.graph.node[:]
        self.graph.node.extend(kept)
        remove_unused(self.graph)

    def _into_what_reads(self, node: "NodeProto") -> bool:
        """Fold a scale or shift into the convolutions that read its result; tell whether so."""
        readers = self.readers[node.output[0]]
        convolutions = [self._convolution(reader) for reader in readers]
        if not readers or node.output[0] in self.outputs or None in convolutions:
            return False
        channels = self.constants[readers[0].input[1]].shape[1]
        operands = self._operands(node, channels)
        if operands is None:
            return False
        x, values = operands
        for reader in readers:
            weights = self.constants[reader.input[1]]
            if node.op_type == "Mul":
                self._set(reader, 1, weights * values[:, None, None])
            else:
                self._shift(reader, weights[:, :, 0, 0].astype(np.float64) @ values)
            reader.input[0] = x
            self.readers[x].append(reader)
        self.readers[x].remove(node)
        return True

    def _into_what_makes(self, node: "NodeProto") -> bool:
        """Fold a shift into the convolution whose result it alone reads; tell whether so."""
        makers = [name for name in node.input if name in self.makers]
        if node.op_type != "Add" or len(makers) != 1 or makers[0] in self.outputs:
            return False
        made = self.makers[makers[0]]
        weights = self.constants.get(made.input[1]) if made.op_type == "Conv" else None
        if weights is None or len(self.readers[makers[0]]) != 1 or not self._has_bias(made):
            return False
        operands = self._operands(node, weights.shape[0])
        if operands is None:
            return False
        self._shift(made, operands[1])
        made.output[0] = node.output[0]
        self.makers[node.output[0]] = made
        return True

    def _operands(self, node: "NodeProto", channels: int) -> tuple[str, NDArray[np.float64]] | None:
        """Return the image and the constant of each channel; None: it is no such node."""
        if node.op_type not in ("Mul", "Add"):
            return None
        for x, name in (tuple(node.input), tuple(reversed(node.input))):
            values = self.constants.get(name)
            if values is None or self.channels.get(x) != channels or values.ndim > 4:
                continue
            if values.size == 1 or values.shape[-3:] == (channels, 1, 1):
                return x, np.broadcast_to(values.astype(np.float64).reshape(-1), channels)
        return None

    def _convolution(self, node: "NodeProto") -> Any:
        """Return a node if it is a 1x1 convolution of float32 constants without padding."""
        from onnx import helper

        if node.op_type != "Conv" or node.input[1] not in self.constants:
            return None
        given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        weights = self.constants[node.input[1]]
        plain = given.get("group", 1) == 1 and not any(given.get("pads", ()))
        plain = plain and given.get("auto_pad", b"NOTSET") == b"NOTSET" and self._has_bias(node)
        return node if plain and weights.shape[2:] == (1, 1) else None

    def _has_bias(self, convolution: "NodeProto") -> bool:
        """Tell whether a convolution's bias is a float32 constant, or may become one."""
        return all(name in self.constants for name in convolution.input[2:])

    def _shift(self, convolution: "NodeProto", values: NDArray[np.float64]) -> None:
        bias = [self.constants[name] for name in convolution.input[2:]]
        self._set(convolution, 2, sum(bias, values))

    def _set(self, convolution: "NodeProto", which: int, values: NDArray[Any]) -> None:
        """Give a convolution weights or a bias of its own."""
        from onnx import numpy_helper

        name = f"{convolution.output[0]}/{('', 'weights', 'bias')[which]}{len(self.constants)}"
        self.constants[name] = values.astype(np.float32)
        self.graph.initializer.append(numpy_helper.from_array(self.constants[name], name))
        del convolution.input[which : which + 1]
        convolution.input.insert(which, name)
