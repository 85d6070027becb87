"""Which values of a graph are too large for float16? Measured on real and synthetic tiles."""

import numpy as np
from onnx import ModelProto, TensorProto, helper, shape_inference

from edgesr.export.patches import hard_tiles, in_batches, real_tiles

LIMIT = float(np.finfo(np.float16).max) / 4
"""A quarter of the largest float16: other photographs reach further than the tiles measured."""

SUFFIX = ".largest"


def too_large_for_half(model: ModelProto, tile: int, batch: int | None) -> frozenset[str]:
    """Return the names of the values that exceed `LIMIT`.

    A network whose last normalisation divides by the size of what comes in can grow there without
    bound while it is trained: float16 then gives infinity, and NaN behind it.

    Args:
        model: a float32 graph of standard operators.
        tile: side of its input.
        batch: tiles it takes at once; None: any number.
    """
    import onnxruntime as ort

    probe = shape_inference.infer_shapes(model)
    computed = {name for node in probe.graph.node for name in node.output}
    names = [
        value.name
        for value in probe.graph.value_info
        if value.name in computed and value.type.tensor_type.elem_type == TensorProto.FLOAT
    ]
    for name in names:  # one number each, so that no value is kept longer than the graph needs it
        size = f"{name}.size"
        probe.graph.node.append(helper.make_node("Abs", [name], [size]))
        probe.graph.node.append(helper.make_node("ReduceMax", [size], [name + SUFFIX], keepdims=0))
        probe.graph.output.append(
            helper.make_tensor_value_info(name + SUFFIX, TensorProto.FLOAT, [])
        )
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(
        probe.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    wanted = [name + SUFFIX for name in names]
    found = np.zeros(len(names))
    for tiles in (real_tiles(tile), *hard_tiles(tile).values()):
        for part in in_batches(tiles, batch or 1):
            largest = session.run(wanted, {session.get_inputs()[0].name: part})
            found = np.maximum(found, np.array(largest, np.float64))
    return frozenset(name for name, largest in zip(names, found, strict=True) if largest > LIMIT)
