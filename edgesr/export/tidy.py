"""Rewriting what the torch exporter writes at length into what runs fast and exactly.

ONNX Runtime computes `Softplus` one value at a time, three times slower than the five vectorised
operations used here. A causal convolution needs no values behind the sequence, and over an image of
one row it is twice as fast as over a sequence, for only images have a channels-last kernel. A
projection that is cut into halves at once is two projections, and nothing has to be copied apart.
"""

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

from edgesr.export.graph import Builder, producers, remove_unused, value_types

SOFTPLUS_BOUND = 80.0  # exp of it is a float32

LONG_SCAN = 4096
"""Steps after which small errors of softplus add up: the student's graph for tiles of 64, of 4096
steps, is 1e-5 from float64, for 128 6e-5, for 256 4e-4. With `write_softplus` it is 2e-6."""


def tidy(model: ModelProto) -> ModelProto:
    """Return a rewritten copy of `model`, equal up to rounding."""
    result = ModelProto()
    result.CopyFrom(model)
    _drop_softplus_threshold(result.graph)
    _pad_causally(result.graph)
    _convolve_rows(result.graph)
    _project_apart(result.graph)
    remove_unused(result.graph)
    return result


def write_softplus(model: ModelProto) -> ModelProto:
    """Return a copy with softplus(u) = max(u, log(1 + exp(min(u, 80)))), which never overflows.

    Beyond 17 softplus(u) is u in float32, so what the bound of 80 cuts off does not show. The
    logarithm's argument w = 1 + e is rounded, so the result is exact to half an ulp of 1: 6e-8.
    For more steps than `LONG_SCAN`, along axis 1, what was rounded off is added to the logarithm:
    log(1 + e) = log(w) + (e - (w - 1)), to first order, and the difference w - 1 is exact.
    """
    result = ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    nodes: list[NodeProto] = []
    shapes = {name: value.shape.dim for name, value in value_types(graph).items()}
    for node in graph.node:
        if node.op_type != "Softplus":
            nodes.append(node)
            continue
        g = Builder(node.output[0], np.dtype(np.float32))
        (u,) = node.input
        grown = g.op("Exp", g.op("Min", u, g.constant(np.full((), SOFTPLUS_BOUND))))
        one = g.constant(np.ones(()))
        argument = g.add(grown, one)
        logarithm = g.op("Log", argument)
        shape = shapes.get(node.output[0], ())
        if len(shape) > 1 and shape[1].dim_value > LONG_SCAN:
            rounded_off = g.op("Sub", grown, g.op("Sub", argument, one))
            logarithm = g.add(logarithm, rounded_off)
        nodes += g.nodes
        nodes.append(helper.make_node("Max", [u, logarithm], node.output, name=f"{g.prefix}/Max"))
        graph.initializer.extend(g.constants.values())
    del graph.node[:]
    graph.node.extend(nodes)
    return result


def _drop_softplus_threshold(graph: GraphProto) -> None:
    """Where(u > 20, u, Softplus(u)) -> Softplus(u): they differ by less than 3e-9."""
    made_by = producers(graph)
    for node in graph.node:
        if node.op_type != "Where":
            continue
        condition, u, otherwise = node.input
        greater, softplus = made_by.get(condition), made_by.get(otherwise)
        if (
            greater is not None
            and softplus is not None
            and (greater.op_type, softplus.op_type) == ("Greater", "Softplus")
            and greater.input[0] == u == softplus.input[0]
        ):
            softplus_output = node.output[0]
            node.CopyFrom(helper.make_node("Softplus", [u], [softplus_output], name=node.name))


def _pad_causally(graph: GraphProto) -> None:
    """Conv padded on both sides and cut to the length of its input -> Conv padded before it."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    made_by = producers(graph)
    uses = [name for node in graph.node for name in node.input]
    for node in graph.node:
        conv = made_by.get(node.input[0]) if node.op_type == "Slice" else None
        if conv is None or conv.op_type != "Conv" or uses.count(conv.output[0]) != 1:
            continue
        attributes = {a.name: helper.get_attribute_value(a) for a in conv.attribute}
        (before, *after), (width, *more) = attributes["pads"], attributes["kernel_shape"]
        starts, _ends, axes, *steps = (
            numpy_helper.to_array(constants[name]).tolist()
            for name in node.input[1:]
            if name in constants
        )
        if more or after != [before] or before != width - 1 or starts != [0] or axes != [2]:
            continue
        if steps not in ([], [[1]]) or attributes["strides"] != [1]:
            continue
        attributes["pads"] = [before, 0]
        causal = helper.make_node("Conv", conv.input, node.output, name=conv.name, **attributes)
        node.CopyFrom(causal)


def _convolve_rows(graph: GraphProto) -> None:
    """Transpose, 1-D Conv, Transpose of tokens (b, L, E) -> the same over images (b, E, 1, L)."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    made_by = producers(graph)
    number = 0
    for node in list(graph.node):
        conv = made_by.get(node.input[0]) if _swaps_tokens(node) else None
        before = made_by.get(conv.input[0]) if conv is not None else None
        if conv is None or before is None or conv.op_type != "Conv" or not _swaps_tokens(before):
            continue
        attributes = {a.name: helper.get_attribute_value(a) for a in conv.attribute}
        weight, *bias = conv.input[1:]
        g = Builder(f"row{number}", np.dtype(np.float32))
        image = g.op("Unsqueeze", before.input[0], g.integers(1))
        channels_first = g.op("Transpose", image, perm=[0, 3, 1, 2])
        start, end = attributes["pads"]
        filtered = g.op(
            "Conv",
            channels_first,
            g.constant(numpy_helper.to_array(constants[weight])[:, :, None]),
            *bias,
            group=attributes["group"],
            kernel_shape=[1, *attributes["kernel_shape"]],
            pads=[0, start, 0, end],
            strides=[1, *attributes["strides"]],
            dilations=[1, *attributes["dilations"]],
        )
        channels_last = g.op("Transpose", filtered, perm=[0, 2, 3, 1])
        squeeze = helper.make_node("Squeeze", [channels_last, g.integers(1)], node.output)
        squeeze.name = f"{g.prefix}/Squeeze"
        place = list(graph.node).index(node)
        nodes = [*graph.node[:place], *g.nodes, squeeze, *graph.node[place + 1 :]]
        del graph.node[:]
        graph.node.extend(nodes)
        graph.initializer.extend(g.constants.values())
        number += 1


def _swaps_tokens(node: NodeProto) -> bool:
    """Tell whether a node exchanges tokens and channels: (b, L, E) <-> (b, E, L)."""
    if node.op_type != "Transpose":
        return False
    return list(helper.get_attribute_value(node.attribute[0])) == [0, 2, 1]


def _project_apart(graph: GraphProto) -> None:
    """MatMul by a constant, Split into equal parts along the columns -> a MatMul for each part."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    made_by = producers(graph)
    ranks = {name: len(value.shape.dim) for name, value in value_types(graph).items()}
    uses = [name for node in graph.node for name in node.input]
    nodes: list[NodeProto] = []
    for node in graph.node:
        product = made_by.get(node.input[0]) if node.op_type == "Split" else None
        if (
            product is None
            or product.op_type != "MatMul"
            or product.input[1] not in constants
            or uses.count(product.output[0]) != 1
            or not _splits_columns_evenly(node, ranks.get(product.output[0], 0))
        ):
            nodes.append(node)
            continue
        x, weight = product.input
        values = numpy_helper.to_array(constants[weight])
        for part, (columns, output) in enumerate(
            zip(np.split(values, len(node.output), axis=1), node.output, strict=True)
        ):
            name = f"{weight}/{part}"
            graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(columns), name))
            nodes.append(
                helper.make_node("MatMul", [x, name], [output], name=f"{product.name}/{part}")
            )
    del graph.node[:]
    graph.node.extend(nodes)


def _splits_columns_evenly(split: NodeProto, rank: int) -> bool:
    """Tell whether a Split cuts the last axis of a tensor of `rank` axes into equal parts."""
    attributes = {a.name: helper.get_attribute_value(a) for a in split.attribute}
    return "num_outputs" in attributes and attributes.get("axis", 0) in (-1, rank - 1)
