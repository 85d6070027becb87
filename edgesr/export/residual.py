"""What a depthwise convolution gives, added to what it was given, as one convolution.

x + depthwise(x) is a depthwise convolution whose middle taps are larger by one. That is a node
less everywhere, and TensorRT 8.5 needs it: for such a sum in float16 it may choose a kernel that it
then cannot use ("Cask (canImplement)"), and gives up the engine.
"""

from collections import Counter

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from edgesr.export.graph import producers, value_types

FROM_IMAGE, TO_IMAGE = [0, 2, 3, 1], [0, 3, 1, 2]
"""Axes of an image (batch, channels, height, width), channels put last, as tokens are; and back."""


def fold_residuals(graph: GraphProto) -> int:
    """Fold every such sum into the convolution's weights, in place.

    Both ways are found: of images, and of tokens that become an image for the convolution and
    tokens again for the sum.

    Args:
        graph: in float32, with the shapes of its values, as the exporter gives them.

    Returns:
        How many were folded.
    """
    weights = {tensor.name: tensor for tensor in graph.initializer}
    shapes = _shapes(graph)
    made_by = producers(graph)
    readers = Counter(name for node in graph.node for name in node.input)
    readers.update(output.name for output in graph.output)
    folded = []
    for total in (node for node in graph.node if node.op_type == "Add"):
        for given, added in (total.input, reversed(total.input)):
            way = _way(given, added, made_by)
            if (
                way
                and _is_depthwise(way[-1], weights)
                and given in shapes
                and shapes[given] == shapes.get(added)
                and all(readers[node.output[0]] == 1 for node in way)
            ):
                kernel = weights[way[-1].input[1]]
                if readers[kernel.name] > 1:  # equal kernels are one tensor of a file
                    readers[kernel.name] -= 1
                    name = f"{kernel.name}/{total.output[0]}"
                    graph.initializer.add().CopyFrom(kernel)
                    kernel = graph.initializer[-1]
                    kernel.name = way[-1].input[1] = name
                _raise_middle(kernel)
                way[0].output[0] = total.output[0]
                folded.append(total)
                break
    for node in folded:
        graph.node.remove(node)
    return len(folded)


def _way(given: str, added: str, made_by: dict[str, NodeProto]) -> list[NodeProto]:
    """Return the nodes from `added` back to a convolution of `given`; none if it is not one."""
    last = made_by.get(added)
    if last is None:
        return []
    if last.op_type == "Conv":
        return [last] if last.input[0] == given else []
    nodes, name = [], added
    for kind, order in (
        ("Reshape", None),
        ("Transpose", FROM_IMAGE),
        ("Conv", None),
        ("Transpose", TO_IMAGE),
        ("Reshape", None),
    ):
        node = made_by.get(name)
        if node is None or node.op_type != kind:
            return []
        if order and helper.get_node_attr_value(node, "perm") != order:
            return []
        nodes.append(node)
        name = node.input[0]
    return nodes[:3] if name == given else []


def _is_depthwise(node: NodeProto, weights: dict[str, TensorProto]) -> bool:
    """Say whether a convolution has a middle tap for each channel and keeps the size."""
    if node.input[1] not in weights:
        return False
    channels, inputs, *sides = weights[node.input[1]].dims
    given = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    margins = [side // 2 for side in sides]
    return (
        inputs == 1
        and given.get("group", 1) == channels
        and all(side % 2 for side in sides)
        and given.get("pads") == margins * 2
        and set(given.get("strides", [1])) == set(given.get("dilations", [1])) == {1}
    )


def _shapes(graph: GraphProto) -> dict[str, list[int | str]]:
    return {
        name: [axis.dim_param or axis.dim_value for axis in type_.shape.dim]
        for name, type_ in value_types(graph).items()
    }


def _raise_middle(tensor: TensorProto) -> None:
    values = numpy_helper.to_array(tensor).copy()
    rows, columns = values.shape[2:]
    values[:, 0, rows // 2, columns // 2] += np.float32(1)
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
