"""Constant scales and shifts of images, put into the convolutions before or behind them.

A norm that is written out ends in a product and a sum with constants, and a 1x1 convolution reads
it; another sum with a constant stands behind a product with a matrix. TensorRT makes a layer of
each of these and one more of its constant. A convolution does the same by other weights.
"""

from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgesr.export.branches import reads
from edgesr.export.names import Names

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

WEIGHTS, BIAS = 1, 2
"""Which inputs of a convolution they are."""


def into_convolutions(graph: "GraphProto") -> None:
    """Fold what scales or shifts the channels of images (B, C, H, W) by constants, in place.

    Only float32 weights are changed: rounded ones would not keep what they are multiplied by. A
    convolution that pads does so with zeros, which a shift before it would have made others; so
    it takes only what stands behind it.

    Args:
        graph: every shape in it is fixed and listed; its nodes are in the order in which they run.
    """
    from edgesr.export.graph import remove_unused

    folding = _Folding(graph)
    for node in reversed(graph.node):  # a shift before the scale whose result it reads
        operands = folding.operands(node)
        if operands is not None and not folding.into_readers(node, *operands):
            folding.into_maker(node, *operands)
    remove_unused(graph)


class _Folding:
    """One folding of a graph.

    Attributes:
        graph: what is changed.
        constants: values of the float32 initializers, by name.
        channels: of every value that is listed as an image; 0: not known.
        makers: the node that makes a value, by its name.
        readers: the nodes that read a value, by its name; a node as often as it does.
        outputs: names of the graph's outputs.
        names: of the graph's values, and of the new constants.
    """

    def __init__(self, graph: "GraphProto") -> None:
        from onnx import TensorProto, numpy_helper

        from edgesr.export.graph import producers, value_types

        given = {value.name for value in graph.input}  # whoever runs it may give another constant
        shapes = {name: value.shape.dim for name, value in value_types(graph).items()}
        self.graph = graph
        self.constants: dict[str, NDArray[np.float32]] = {
            tensor.name: numpy_helper.to_array(tensor)
            for tensor in graph.initializer
            if tensor.data_type == TensorProto.FLOAT and tensor.name not in given
        }
        self.channels = {name: dims[1].dim_value for name, dims in shapes.items() if len(dims) == 4}
        self.makers = producers(graph)
        self.readers: dict[str, list[NodeProto]] = defaultdict(list)
        for node in graph.node:
            for name in reads(node):
                self.readers[name].append(node)
        self.outputs = {value.name for value in graph.output}
        self.names = Names.of_values(graph)

    def operands(self, node: "NodeProto") -> tuple[str, NDArray[np.float64]] | None:
        """Return the image that a node scales or shifts, and the constant of each channel.

        None: it does something else, or makes another shape or different pixels of the image.
        """
        if node.op_type not in ("Mul", "Add") or len(node.input) != 2:
            return None
        for x, name in (node.input, reversed(node.input)):
            channels, values = self.channels.get(x), self.constants.get(name)
            if not channels or values is None:
                continue
            shape = (1,) * (4 - values.ndim) + values.shape
            if shape in ((1, 1, 1, 1), (1, channels, 1, 1)):
                return x, np.broadcast_to(values.astype(np.float64).reshape(-1), channels)
        return None

    def into_readers(self, node: "NodeProto", x: str, values: NDArray[np.float64]) -> bool:
        """Fold a node into the convolutions that read its result, if all can; tell whether so."""
        result = node.output[0]
        readers = self.readers[result]
        if not readers or result in self.outputs or not all(map(self._mixes_channels, readers)):
            return False
        for reader in readers:
            weights = self.constants[reader.input[WEIGHTS]]
            if node.op_type == "Mul":
                self._set(reader, WEIGHTS, weights * values[:, None, None])
            else:
                self._shift(reader, weights[:, :, 0, 0] @ values)
            reader.input[0] = x
        self.readers[x].remove(node)
        self.readers[x].extend(readers)
        return True

    def into_maker(self, node: "NodeProto", x: str, values: NDArray[np.float64]) -> None:
        """Fold a shift into the convolution that makes what it shifts, if nothing else reads it."""
        maker = self.makers.get(x)
        if maker is None or maker.op_type != "Conv" or not self._knows_bias(maker):
            return
        if node.op_type == "Add" and x not in self.outputs and self.readers[x] == [node]:
            self._shift(maker, values)
            maker.output[0], node.output[0] = node.output[0], x  # which is unused then

    def _mixes_channels(self, node: "NodeProto") -> bool:
        """Tell whether a node is a 1x1 convolution of constants, without padding or groups."""
        from edgesr.export.graph import attributes_of

        if node.op_type != "Conv" or not self._knows_bias(node):
            return False
        weights = self.constants.get(node.input[WEIGHTS])
        given = attributes_of(node)
        return (
            weights is not None
            and weights.shape[2:] == (1, 1)
            and given.get("group", 1) == 1
            and not any(given.get("pads", ()))
            and given.get("auto_pad", b"NOTSET") == b"NOTSET"
        )

    def _knows_bias(self, convolution: "NodeProto") -> bool:
        return all(name in self.constants for name in convolution.input[BIAS:])

    def _shift(self, convolution: "NodeProto", values: NDArray[np.float64]) -> None:
        """Add to the bias of a convolution, or give it one."""
        bias = (self.constants[name] for name in convolution.input[BIAS:])
        self._set(convolution, BIAS, sum(bias, values))

    def _set(self, convolution: "NodeProto", which: int, values: NDArray[Any]) -> None:
        """Give a convolution weights or a bias of its own, for others may read what it reads."""
        from onnx import numpy_helper

        name = self.names.first(f"{convolution.output[0]}/folded{i}" for i in count())
        self.constants[name] = values.astype(np.float32)
        self.graph.initializer.append(numpy_helper.from_array(self.constants[name], name))
        convolution.input[which : which + 1] = [name]
