"""Pad that takes away, written as Slice and Pad: parsers of TensorRT refuse a negative number.

A shift by one step is a Pad of 1 before and -1 behind. ONNX allows that; `convertOnnxPadding` of
onnx-tensorrt (release 8.5, https://github.com/onnx/onnx-tensorrt) does not.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto

TO_THE_END = np.iinfo(np.int64).max


def crop_before_padding(model: "ModelProto") -> None:
    """Let a Slice for each axis take away what a Pad would, and the Pad only add, in place."""
    from onnx import helper, numpy_helper

    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        pads = constants.get(node.input[1]) if node.op_type == "Pad" else None
        if pads is None or len(node.input) > 3:  # of the axes that a fourth input names
            nodes.append(node)
            continue
        before, after = numpy_helper.to_array(pads).reshape(2, -1).tolist()
        value = node.input[0]
        for axis, (first, last) in enumerate(zip(before, after, strict=True)):
            if min(first, last) >= 0:
                continue
            name = f"{node.output[0]}/cropped{axis}"
            given = {"from": max(0, -first), "to": last if last < 0 else TO_THE_END, "axis": axis}
            graph.initializer.extend(
                numpy_helper.from_array(np.array([number], np.int64), f"{name}/{part}")
                for part, number in given.items()
            )
            inputs = [value, *(f"{name}/{part}" for part in given)]
            nodes.append(helper.make_node("Slice", inputs, [name], name))
            value = name
        added = np.maximum([*before, *after], 0).astype(np.int64)
        graph.initializer.append(numpy_helper.from_array(added, f"{node.output[0]}/added"))
        node.input[0], node.input[1] = value, f"{node.output[0]}/added"
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
