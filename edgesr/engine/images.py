"""Tokens as images: what lies between convolutions, written without reshaping and turning.

A network of tokens turns an image (B, C, H, W) into tokens (B, H*W, C) and back around each of its
convolutions. With channels last both are the same memory, in which TensorRT convolves float16 with
tensor cores and which the plugins take. So here every value that an image became is followed, and
what works on tokens is written for images: a product with a matrix is a convolution of 1x1. Where
something needs tokens all the same, the image is turned for it.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgesr.engine.plugin_nodes import MIXER, NORM, PLUGINS

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

PACKED_CHANNELS = 8
"""Channels of float16 images come in packs; the plugins take only whole ones."""

ELEMENTWISE = frozenset(
    {"Add", "Cast", "Div", "Exp", "Max", "Min", "Mul", "Neg", "Relu", "Sigmoid", "Sqrt", "Sub"}
)

Shape = tuple[int, ...]


def use_images(model: "ModelProto") -> None:
    """Write a prepared graph of plugins for images, in place, if all its plugins can take them.

    Args:
        model: every shape in it is fixed and listed, those of the plugins' values too.
    """
    shapes = _shapes(model.graph)
    values = [
        name
        for node in model.graph.node
        if node.op_type in PLUGINS
        for name in (node.input[0], node.output[0])
    ]
    if values and all(len(shapes[v]) == 3 and shapes[v][2] % PACKED_CHANNELS == 0 for v in values):
        _Images(model, shapes).rewrite()


def _shapes(graph: "GraphProto") -> dict[str, Shape]:
    values = (*graph.input, *graph.value_info, *graph.output)
    shapes = {v.name: tuple(a.dim_value for a in v.type.tensor_type.shape.dim) for v in values}
    return {**shapes, **{tensor.name: tuple(tensor.dims) for tensor in graph.initializer}}


@dataclass
class _Images:
    """One rewriting of a graph.

    Attributes:
        model: what is rewritten.
        shapes: of every value before.
        images: name of tokens (B, L, C) -> name of the image that holds them.
        turned: name of a value (B, C, L), flat or not turned yet -> name of that image.
        nodes: written so far.
        written: values that these nodes give, tokens among them only where needed.
    """

    model: "ModelProto"
    shapes: dict[str, Shape]
    images: dict[str, str] = field(default_factory=dict)
    turned: dict[str, str] = field(default_factory=dict)
    nodes: list["NodeProto"] = field(default_factory=list)
    written: set[str] = field(default_factory=set)

    def rewrite(self) -> None:
        from edgesr.export.graph import remove_unused

        graph = self.model.graph
        for node in graph.node:
            if not (self._shuffle(node) or self._on_images(node)):
                for name in node.input:
                    self._need(name)
                self._write(node)
        for value in graph.output:
            self._need(value.name)
        nodes = list(self.nodes)
        del graph.node[:]
        graph.node.extend(nodes)
        remove_unused(graph)

    def _write(self, node: "NodeProto") -> None:
        self.nodes.append(node)
        self.written.update(node.output)

    def _shuffle(self, node: "NodeProto") -> bool:
        """Follow an image through reshaping and turning, both written only if something needs it."""
        if node.op_type not in ("Reshape", "Transpose"):
            return False
        given, result = node.input[0], node.output[0]
        before, after = self.shapes.get(given, ()), self.shapes.get(result, ())
        if node.op_type == "Transpose" and list(node.attribute[0].ints) == [0, 2, 1]:
            if given in self.turned:
                self.images[result] = self.turned[given]
                return True
            if given in self.images:
                self.turned[result] = self.images[given]
                return True
        elif node.op_type == "Reshape" and len(before) == 4 and len(after) == 3:
            if after == (*before[:2], before[2] * before[3]):
                self.turned[result] = given
                return True
        elif given in self.turned and after == self.shapes[self.turned[given]]:
            self._name(result, self.turned[given])
            return True
        return False

    def _name(self, name: str, image: str) -> None:
        """Let what reads a value read an image, which is the same."""
        for node in self.model.graph.node:
            for i, given in enumerate(node.input):
                if given == name:
                    node.input[i] = image
        if name in {value.name for value in self.model.graph.output}:
            self._add("Identity", [image], name)

    def _on_images(self, node: "NodeProto") -> bool:
        """Write a node for images if it reads tokens that are one; return whether it did."""
        tokens = [name for name in node.input if name in self.images]
        if not tokens or len(node.output) != 1:
            return False
        image = self.shapes[self.images[tokens[0]]]
        if node.op_type in (MIXER, NORM):
            inputs = [self.images[node.input[0]]]
        elif node.op_type == "MatMul" and len(tokens) == 1 and node.input[0] in tokens:
            inputs = self._convolved(node)
        elif node.op_type in ELEMENTWISE:
            inputs = [self._beside(name, image) for name in node.input]
        else:
            return False
        if not all(inputs):
            return False
        self._write_image(node, inputs, image)
        return True

    def _convolved(self, node: "NodeProto") -> list[str]:
        """Return image and kernel of a convolution that multiplies tokens by a matrix."""
        from onnx import numpy_helper

        matrix = self._constant(node.input[1])
        if matrix is None or matrix.ndim != 2:
            return [""]
        name = f"{node.output[0]}/kernel"
        kernel = np.ascontiguousarray(matrix.T[:, :, None, None])
        self.model.graph.initializer.append(numpy_helper.from_array(kernel, name))
        return [self.images[node.input[0]], name]

    def _beside(self, name: str, image: Shape) -> str:
        """Return what stands for an operand of images of a shape; nothing: it cannot be one."""
        from onnx import numpy_helper

        if name in self.images:
            fits = self.shapes[self.images[name]][2:] == image[2:]
            return self.images[name] if fits else ""
        values = self._constant(name)
        if values is None or values.size not in (1, values.shape[-1] if values.ndim else 1):
            return ""
        if values.size == 1:
            return name
        wide = f"{name}/of_images"
        if wide not in self.shapes:
            turned = values.reshape(1, -1, 1, 1)
            self.model.graph.initializer.append(numpy_helper.from_array(turned, wide))
            self.shapes[wide] = turned.shape
        return wide

    def _constant(self, name: str) -> Any:
        from onnx import numpy_helper

        found = (tensor for tensor in self.model.graph.initializer if tensor.name == name)
        tensor = next(found, None)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def _write_image(self, node: "NodeProto", inputs: list[str], image: Shape) -> None:
        """Write a node that gives an image in the place of one that gave tokens."""
        from onnx import helper

        tokens = node.output[0]
        name = f"{tokens}/image"
        written = type(node)()
        written.CopyFrom(node)
        if node.op_type == "MatMul":
            written.op_type = "Conv"
            written.attribute.append(helper.make_attribute("kernel_shape", [1, 1]))
        del written.input[:], written.output[:]
        written.input.extend(inputs)
        written.output.append(name)
        self._write(written)
        listed = next(v for v in self.model.graph.value_info if v.name == tokens)
        shape = (image[0], self.shapes[tokens][2], *image[2:])
        kind = listed.type.tensor_type.elem_type
        self.model.graph.value_info.append(helper.make_tensor_value_info(name, kind, shape))
        self.shapes[name] = shape
        self.images[tokens] = name

    def _need(self, name: str) -> None:
        """Write what makes tokens, or what is half way to them, of an image."""
        if name in self.written or not (name in self.images or name in self.turned):
            return
        image = self.images.get(name) or self.turned[name]
        batch, channels, height, width = self.shapes[image]
        if name in self.turned:
            self._flatten(image, name, batch, channels, height * width)
            return
        flat = f"{image}/flat"
        if flat not in self.written:
            self._flatten(image, flat, batch, channels, height * width)
        self._add("Transpose", [flat], name, perm=[0, 2, 1])

    def _flatten(self, image: str, name: str, *shape: int) -> None:
        from onnx import numpy_helper

        wanted = numpy_helper.from_array(np.array(shape, np.int64), f"{name}/shape")
        self.model.graph.initializer.append(wanted)
        self._add("Reshape", [image, wanted.name], name)

    def _add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        from onnx import helper

        self._write(helper.make_node(kind, inputs, [output], output, **attributes))
