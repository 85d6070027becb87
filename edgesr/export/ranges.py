"""Which values of a graph are too large for float16? Measured on real and synthetic tiles."""

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper, shape_inference

from edgesr.export.parity import run_tiles
from edgesr.export.patches import hard_tiles, real_tiles

LIMIT = float(np.finfo(np.float16).max) / 4
"""A quarter of the largest float16: other photographs reach further than the tiles measured."""


def too_large_for_half(model: ModelProto, tile: int, batch: int | None) -> frozenset[str]:
    """Return the names of the values that exceed `LIMIT`.

    A network whose last normalisation divides by the size of what comes in can grow there without
    bound while it is trained: float16 then gives infinity, and NaN behind it.

    Args:
        model: a float32 graph of standard operators.
        tile: side of its input.
        batch: tiles it takes at once; None: any number.
    """
    probe, names = _probe(model)
    stacks = [real_tiles(tile), *hard_tiles(tile).values()]
    largest = np.concatenate(run_tiles(probe, stacks, batch)).max(axis=0)
    return frozenset(name for name, size in zip(names, largest, strict=True) if size > LIMIT)


def _probe(model: ModelProto) -> tuple[ModelProto, list[str]]:
    """Return a graph whose one output (1, n) is the largest size of each of n values, and these.

    One number a value, so that the runtime keeps none longer than the graph itself needs it.
    """
    probe = shape_inference.infer_shapes(model)
    graph = probe.graph
    computed = {name for node in graph.node for name in node.output}
    names = [
        value.name
        for value in (*graph.value_info, *graph.output)
        if value.name in computed and value.type.tensor_type.elem_type == TensorProto.FLOAT
    ]
    graph.initializer.append(numpy_helper.from_array(np.array([1, 1]), "probe.shape"))
    for name in names:
        graph.node.extend(
            (
                helper.make_node("Abs", [name], [f"{name}.size"]),
                helper.make_node("ReduceMax", [f"{name}.size"], [f"{name}.max"], keepdims=0),
                helper.make_node("Reshape", [f"{name}.max", "probe.shape"], [f"{name}.largest"]),
            )
        )
    largest = [f"{name}.largest" for name in names]
    graph.node.append(helper.make_node("Concat", largest, ["probe.largest"], axis=1))
    del graph.output[:]
    graph.output.append(
        helper.make_tensor_value_info("probe.largest", TensorProto.FLOAT, [1, len(names)])
    )
    return probe, names
