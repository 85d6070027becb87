"""Channels of one size before int8: what is divided out of a value is multiplied into the weights.

An int8 value has one scale, that of its largest channel, while the weights behind it have one for
each output channel: small channels lose the most. Dividing every channel of the value by a factor
and multiplying the weights that read it by the same changes nothing but the rounding. SmoothQuant
(Xiao et al. 2023, https://arxiv.org/abs/2211.10438, equation 4): s = a^m / w^(1 - m), with a and w
the largest magnitudes of a channel in the value and in the weights.

Behind a LayerNorm the factor goes into its weights and costs nothing; elsewhere it is a product,
which an engine carries out in the kernel that quantises.
"""

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    helper,
    numpy_helper,
    shape_inference,
)

from edgesr.export.graph import producers, remove_unused, value_types
from edgesr.export.ranges import largest_sizes

MIGRATION = 0.8
"""m above, by measurement (benchmarks/results/precision/int8.md); at 1.0 all channels are equal."""


def smooth(
    model: ModelProto,
    chosen: Container[str],
    tiles: NDArray[np.float32],
    batch: int | None,
    migration: float = MIGRATION,
) -> ModelProto:
    """Return the graph, shapes inferred, with the channels alike that chosen multiplications read.

    Args:
        model: of opset 18 or later.
        chosen: names of Conv and MatMul nodes with constant weights; a convolution in groups is
            left as it is.
        tiles: (n, 3, tile, tile) RGB in [0, 1], on which the channels are measured.
        batch: tiles the graph takes at once; None: any number.
        migration: m above, from 0 to 1.
    """
    result = shape_inference.infer_shapes(model)
    graph = result.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    types, makers = value_types(graph), producers(graph)
    readers: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        if node.name in chosen and not _grouped(node):
            readers.setdefault(node.input[0], []).append(node)
    axes = {
        value: 1 if group[0].op_type == "Conv" else len(types[value].shape.dim) - 1
        for value, group in readers.items()
    }
    sizes = largest_sizes(result, axes, [tiles], batch)
    products: dict[str, NodeProto] = {}
    for value, group in readers.items():
        weights = [_weight_sizes(node, constants) for node in group]
        factors = _factors(sizes[value], weights, migration)
        norm = _norm_before(graph, makers, value, group)
        if norm is None:
            by = _along(factors, axes[value], len(types[value].shape.dim))
            dtype = helper.tensor_dtype_to_np_dtype(types[value].elem_type)
            products[group[0].name] = _divide(graph, group, (1 / by).astype(dtype))
        else:
            _multiply(graph, norm, range(1, len(norm.input)), 1 / factors, constants)
        for node in group:
            rank = len(constants[node.input[1]].dims)
            _multiply(graph, node, [1], _along(factors, _input_axis(node), rank), constants)
    _insert(graph, products)
    remove_unused(graph)
    return shape_inference.infer_shapes(result)


def _factors(
    values: NDArray[np.float32], weights: Sequence[NDArray[np.float32]], migration: float
) -> NDArray[np.float32]:
    """Return what each channel is divided by, around 1; 1 where a channel is 0 or is not read."""
    read = np.max(weights, axis=0)
    alive = (values > 0) & (read > 0)
    factors = np.ones_like(values)
    factors[alive] = values[alive] ** migration / read[alive] ** (1 - migration)
    if alive.any():
        factors[alive] /= np.exp(np.log(factors[alive]).mean())
    return factors


def _grouped(node: NodeProto) -> bool:
    """Tell whether each input channel meets only some of the weights."""
    return any(attribute.name == "group" and attribute.i != 1 for attribute in node.attribute)


def _input_axis(node: NodeProto) -> int:
    """Return the axis of a multiplication's weights that its input channels run along."""
    return 1 if node.op_type == "Conv" else 0


def _weight_sizes(node: NodeProto, constants: Mapping[str, TensorProto]) -> NDArray[np.float32]:
    """Return the largest magnitude of what reads each input channel."""
    weights = np.abs(numpy_helper.to_array(constants[node.input[1]]).astype(np.float32))
    axes = tuple(axis for axis in range(weights.ndim) if axis != _input_axis(node))
    largest: NDArray[np.float32] = weights.max(axis=axes)
    return largest


def _norm_before(
    graph: GraphProto, makers: Mapping[str, NodeProto], value: str, group: list[NodeProto]
) -> NodeProto | None:
    """Return the LayerNorm whose output, cast or not, only `group` reads; None if there is none."""
    readers = {node.name for node in group}
    while {node.name for node in graph.node if value in node.input} <= readers:
        maker = makers.get(value)
        if maker is None or maker.op_type == "LayerNormalization":
            return maker
        if maker.op_type != "Cast":
            return None
        value, readers = maker.input[0], {maker.name}
    return None


def _along(factors: NDArray[np.float32], axis: int, rank: int) -> NDArray[np.float32]:
    """Return factors in a shape that multiplies an axis of a tensor of `rank` axes."""
    return factors.reshape(-1, *[1] * (rank - 1 - axis))


def _divide(graph: GraphProto, group: list[NodeProto], by: NDArray[Any]) -> NodeProto:
    """Return a product of what `group` reads and a constant, which it then reads instead."""
    value = group[0].input[0]
    constant, name = f"{value}/smoothing", f"{value}/smooth"
    graph.initializer.append(numpy_helper.from_array(by, constant))
    for node in group:
        node.input[0] = name
    return helper.make_node("Mul", [value, constant], [name], name=name)


def _multiply(
    graph: GraphProto,
    node: NodeProto,
    inputs: Sequence[int],
    factors: NDArray[Any],
    constants: Mapping[str, TensorProto],
) -> None:
    """Give a node its own constants, multiplied by factors."""
    for place in inputs:
        old = numpy_helper.to_array(constants[node.input[place]])
        node.input[place] = f"{node.name}/smooth_{place}"
        new = (old * factors).astype(old.dtype)
        graph.initializer.append(numpy_helper.from_array(new, node.input[place]))


def _insert(graph: GraphProto, new: Mapping[str, NodeProto]) -> None:
    """Put each new node before the node that it is listed under."""
    nodes = [one for node in graph.node for one in (new.get(node.name), node) if one is not None]
    del graph.node[:]
    graph.node.extend(nodes)
