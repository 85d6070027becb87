"""Pad that takes away, written as Slice and Pad: parsers of TensorRT refuse a negative number.

A shift by one step is a Pad of 1 before and -1 behind. ONNX allows that; `convertOnnxPadding` of
onnx-tensorrt (release 8.5, https://github.com/onnx/onnx-tensorrt) does not. Nor does it read the
axes that a Pad may name since opset 18, so each is given numbers of all axes.
"""

from typing import TYPE_CHECKING

import numpy as np

from edgesr.engine.inference import inferred
from edgesr.export.names import Names

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

TO_THE_END = np.iinfo(np.int64).max


def crop_before_padding(model: "ModelProto") -> None:
    """Let a Slice for each axis take away what a Pad would, and the Pad only add, in place."""
    from onnx import helper, numpy_helper

    from edgesr.export.graph import value_types

    graph = model.graph
    if not any(node.op_type == "Pad" for node in graph.node):
        return
    constants = {tensor.name: tensor for tensor in graph.initializer}
    known = value_types(inferred(model).graph)
    ranks = {name: len(value.shape.dim) for name, value in known.items()}
    names, nodes = Names.of_values(graph), []
    for node in graph.node:
        pads = _pads(node, constants, ranks) if node.op_type == "Pad" else None
        if pads is None:
            nodes.append(node)
            continue
        before, after = pads
        del node.input[3:]
        value = node.input[0]
        for axis, (first, last) in enumerate(zip(before, after, strict=True)):
            if min(first, last) >= 0:
                continue
            name = names.fresh(f"{node.output[0]}/cropped{axis}")
            given = {"from": max(0, -first), "to": last if last < 0 else TO_THE_END, "axis": axis}
            inputs = [value]
            for part, number in given.items():
                inputs.append(names.fresh(f"{name}/{part}"))
                tensor = numpy_helper.from_array(np.array([number], np.int64), inputs[-1])
                graph.initializer.append(tensor)
            nodes.append(helper.make_node("Slice", inputs, [name], name))
            value = name
        added = np.maximum([*before, *after], 0).astype(np.int64)
        name = names.fresh(f"{node.output[0]}/added")
        graph.initializer.append(numpy_helper.from_array(added, name))
        node.input[0], node.input[1] = value, name
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def _pads(
    node: "NodeProto", constants: dict[str, "TensorProto"], ranks: dict[str, int]
) -> tuple[list[int], list[int]] | None:
    """Return what a Pad adds before and behind each axis; None: the file does not tell."""
    from onnx import numpy_helper

    named = [name for name in node.input[3:] if name]
    if not all(name in constants for name in (*node.input[1:2], *named)) or len(node.input) < 2:
        return None  # they are an attribute before opset 11
    pads = numpy_helper.to_array(constants[node.input[1]]).reshape(2, -1)
    if not named:
        return pads[0].tolist(), pads[1].tolist()
    rank = ranks.get(node.input[0], 0)
    if not rank:
        return None
    of_all = np.zeros((2, rank), np.int64)
    of_all[:, numpy_helper.to_array(constants[named[0]])] = pads
    return of_all[0].tolist(), of_all[1].tolist()
