"""Tokens as images: what lies between convolutions, written without reshaping and turning.

A network of tokens turns an image (B, C, H, W) into tokens (B, H*W, C) and back around each of its
convolutions. With channels last both are the same memory, in which TensorRT convolves float16 with
tensor cores and which the plugins take. So here every value that an image became is followed, and
what works on tokens is written for images: a product with a matrix is a convolution of 1x1. Where
something needs tokens all the same, the image is turned for it, and where images meet other tokens,
these are turned.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgesr.engine.plugin_nodes import PLUGINS, TOKEN_AXES
from edgesr.export.branches import read_instead, reads
from edgesr.export.names import Names

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

PACKED_CHANNELS = 8
"""Channels of float16 images come in packs; the plugins take only whole ones."""

ELEMENTWISE = frozenset(
    {"Add", "Cast", "Div", "Exp", "Max", "Min", "Mul", "Neg", "Relu", "Sigmoid", "Sqrt", "Sub"}
)

Shape = tuple[int, ...]


def use_images(model: "ModelProto") -> None:
    """Write a prepared graph for images, in place, unless it has a plugin that cannot take them.

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
    if all(len(shapes[v]) == 3 and shapes[v][2] % PACKED_CHANNELS == 0 for v in values):
        _Images(model, shapes).rewrite()


def _shapes(graph: "GraphProto") -> dict[str, Shape]:
    values = (*graph.input, *graph.value_info, *graph.output)
    shapes = {v.name: tuple(a.dim_value for a in v.type.tensor_type.shape.dim) for v in values}
    return {**shapes, **{tensor.name: tuple(tensor.dims) for tensor in graph.initializer}}


def _given(node: "NodeProto", name: str, otherwise: Any) -> Any:
    from onnx import helper

    found = (a for a in node.attribute if a.name == name)
    attribute = next(found, None)
    return otherwise if attribute is None else helper.get_attribute_value(attribute)


@dataclass
class _Images:
    """One rewriting of a graph.

    Attributes:
        model: what is rewritten.
        shapes: of every value before, and of the images.
        images: name of tokens (B, L, C) -> name of the image that holds them.
        last: name of a value (B, H, W, C), an image with its channels last -> name of the image.
        rows: name of tokens with an axis more, (B, 1, L, C), of an image -> name of that.
        left_out: name of a value -> the node that gives it, which is written if something needs it.
        flat: name of an image -> name of the same with one axis (B, C, H*W), if it was written.
        wide: name of a constant of channels -> name of the same for images (1, C, 1, 1).
        nodes: written so far.
        written: values that these nodes give.
        names: of the graph's values, and those that are made.
    """

    model: "ModelProto"
    shapes: dict[str, Shape]
    images: dict[str, str] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    rows: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, "NodeProto"] = field(default_factory=dict)
    flat: dict[str, str] = field(default_factory=dict)
    wide: dict[str, str] = field(default_factory=dict)
    nodes: list["NodeProto"] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    names: Names = field(init=False)

    def __post_init__(self) -> None:
        self.names = Names.of_values(self.model.graph)

    def rewrite(self) -> None:
        from edgesr.export.graph import remove_unused

        graph = self.model.graph
        for node in graph.node:
            if self._follows(node):
                self.left_out[node.output[0]] = node
            elif not (self._returns(node) or self._on_images(node)):
                self._write(node)
        for value in graph.output:
            self._need(value.name)
        nodes = list(self.nodes)
        del graph.node[:]
        graph.node.extend(nodes)
        remove_unused(graph)

    def _write(self, node: "NodeProto") -> None:
        for name in reads(node):
            self._need(name)
        self.nodes.append(node)
        self.written.update(node.output)

    def _need(self, name: str) -> None:
        """Write what gives a value, if it was left out or stands for an image."""
        if name in self.written:
            return
        if name in self.left_out:
            self._write(self.left_out[name])
        elif name in self.images:
            image = self.images[name]
            batch, channels, height, width = self.shapes[image]
            if image not in self.flat:
                self.flat[image] = self.names.fresh(f"{image}/flat")
                self._reshape(image, self.flat[image], batch, channels, height * width)
            self._add("Transpose", [self.flat[image]], name, perm=[0, 2, 1])

    def _follows(self, node: "NodeProto") -> bool:
        """Return whether a node only shows an image in another shape, which is remembered."""
        if node.op_type not in ("Reshape", "Transpose"):
            return False
        given, result = node.input[0], node.output[0]
        before, after = self.shapes.get(given, ()), self.shapes.get(result, ())
        if node.op_type == "Transpose":
            if len(before) != 4 or list(_given(node, "perm", [])) != [0, 2, 3, 1]:
                return False
            self.last[result] = given
        elif given in self.last and after == (before[0], before[1] * before[2], before[3]):
            self.images[result] = self.last[given]
        elif given in self.images and after == self._channels_last(self.images[given]):
            self.last[result] = self.images[given]
        elif given in self.images and after == (before[0], 1, *before[1:]):
            self.rows[result] = self.images[given]
        else:
            return False
        return True

    def _channels_last(self, image: str) -> Shape:
        batch, channels, height, width = self.shapes[image]
        return batch, height, width, channels

    def _returns(self, node: "NodeProto") -> bool:
        """Write what makes an image again of what an image became; return whether it did."""
        given, result = node.input[0] if node.input else "", node.output[0]
        if node.op_type != "Transpose" or list(_given(node, "perm", [])) != [0, 3, 1, 2]:
            return False
        if given in self.last:
            self._rename(result, self.last[given])
        elif given in self.rows:
            self._reshape(self.rows[given], result, *self.shapes[result])
        else:
            return False
        return True

    def _rename(self, name: str, image: str) -> None:
        """Let what reads a value read an image, which is the same."""
        for node in self.model.graph.node:
            read_instead(node, {name: image})
        if name in {value.name for value in self.model.graph.output}:
            self._add("Identity", [image], name)

    def _on_images(self, node: "NodeProto") -> bool:
        """Write a node for images if it reads tokens that are one; return whether it did."""
        from onnx import helper

        tokens = [name for name in node.input if name in self.images]
        if not tokens:
            return False
        changed: dict[str, Any] = {}
        kind, inputs = node.op_type, [self.images.get(node.input[0], "")]
        if node.op_type == "MatMul":
            kind, inputs = "Conv", self._convolved(node)
            changed = {"kernel_shape": [1, 1]}
        elif node.op_type == "Split" and _given(node, "axis", 0) in (-1, 2):
            inputs.extend(node.input[1:])
            changed = {"axis": 1}
        elif node.op_type == "ReduceMean":
            of_channels = list(_given(node, "axes", [])) in ([-1], [2])
            if not of_channels or not _given(node, "keepdims", 1):
                return False
            changed = {"axes": [1]}
        elif node.op_type in ELEMENTWISE:
            inputs = self._side_by_side(node, self.shapes[self.images[tokens[0]]])
        elif node.op_type not in PLUGINS:
            return False
        if not all(inputs):
            return False
        written = type(node)()
        written.CopyFrom(node)
        kept = [a for a in node.attribute if a.name not in changed]
        del written.attribute[:], written.input[:], written.output[:]
        written.op_type = kind
        written.attribute.extend(kept)
        written.attribute.extend(helper.make_attribute(k, v) for k, v in changed.items())
        written.input.extend(inputs)
        written.output.extend(self._image_of(name, tokens[0]) for name in node.output)
        self._write(written)
        return True

    def _image_of(self, tokens: str, like: str) -> str:
        """Name the image of tokens, with its shape, after the image of others."""
        from onnx import helper

        name = self.names.fresh(f"{tokens}/image")
        batch, _, channels = self.shapes[tokens]
        shape = (batch, channels, *self.shapes[self.images[like]][2:])
        graph = self.model.graph
        listed = next(v for v in (*graph.value_info, *graph.output) if v.name == tokens)
        kind = listed.type.tensor_type.elem_type
        graph.value_info.append(helper.make_tensor_value_info(name, kind, shape))
        self.shapes[name] = shape
        self.images[tokens] = name
        return name

    def _convolved(self, node: "NodeProto") -> list[str]:
        """Return image and kernel of a convolution that multiplies tokens by a matrix."""
        from onnx import numpy_helper

        matrix = self._constant(node.input[1])
        if matrix is None or matrix.ndim != 2:
            return [""]
        name = self.names.fresh(f"{node.output[0]}/kernel")
        kernel = np.ascontiguousarray(matrix.T[:, :, None, None])
        self.model.graph.initializer.append(numpy_helper.from_array(kernel, name))
        return [self.images[node.input[0]], name]

    def _side_by_side(self, node: "NodeProto", image: Shape) -> list[str]:
        """Return what stands for the operands of images of a shape; nothing for what cannot."""
        values = [self._beside(name, image) for name in node.input]
        if "" in values:
            return [""]
        for name in dict.fromkeys(n for n, v in zip(node.input, values, strict=True) if v is None):
            batch, _, channels = self.shapes[name]
            turned, made = (self.names.fresh(f"{name}/{part}") for part in ("turned", "image"))
            self._add("Transpose", [name], turned, perm=[0, 2, 1])
            self._reshape(turned, made, batch, channels, *image[2:])
            self.shapes[made] = (batch, channels, *image[2:])
            self.images[name] = made
        return [value or self.images[n] for n, value in zip(node.input, values, strict=True)]

    def _beside(self, name: str, image: Shape) -> str | None:
        """Return what stands for an operand; nothing: it cannot be; None: tokens to be turned."""
        from onnx import numpy_helper

        if name in self.images:
            return self.images[name] if self.shapes[self.images[name]][2:] == image[2:] else ""
        values = self._constant(name)
        shape = self.shapes.get(name, ())
        if values is None:
            return None if shape[:-1] == (image[0], image[2] * image[3]) else ""
        if values.ndim > TOKEN_AXES:  # the result has as many axes
            return ""
        if values.size == 1:
            return name
        if values.size != values.shape[-1]:
            return ""
        if name not in self.wide:
            self.wide[name] = self.names.fresh(f"{name}/of_images")
            turned = values.reshape(1, -1, 1, 1)
            self.model.graph.initializer.append(numpy_helper.from_array(turned, self.wide[name]))
            self.shapes[self.wide[name]] = turned.shape
        return self.wide[name]

    def _constant(self, name: str) -> Any:
        from onnx import numpy_helper

        found = (tensor for tensor in self.model.graph.initializer if tensor.name == name)
        tensor = next(found, None)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def _reshape(self, name: str, result: str, *shape: int) -> None:
        from onnx import numpy_helper

        values = np.array(shape, np.int64)
        wanted = numpy_helper.from_array(values, self.names.fresh(f"{result}/shape"))
        self.model.graph.initializer.append(wanted)
        self._add("Reshape", [name, wanted.name], result)

    def _add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        from onnx import helper

        self._write(helper.make_node(kind, inputs, [output], output, **attributes))
