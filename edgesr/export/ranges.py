"""How large the values of a graph become on tiles, and which are too large for float16."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper, shape_inference

from edgesr.export.graph import producers, value_types
from edgesr.export.parity import run_tiles
from edgesr.imaging.patches import hard_tiles, real_tiles

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
    typed = shape_inference.infer_shapes(model)
    computed = producers(typed.graph)
    names = [
        name
        for name, value in value_types(typed.graph).items()
        if name in computed and value.elem_type == TensorProto.FLOAT
    ]
    stacks = [real_tiles(tile), *hard_tiles(tile).values()]
    sizes = largest_sizes(typed, dict.fromkeys(names), stacks, batch)
    return frozenset(name for name, size in sizes.items() if size.max() > LIMIT)


def largest_sizes(
    model: ModelProto,
    values: Mapping[str, int | None],
    stacks: Iterable[NDArray[np.float32]],
    batch: int | None,
) -> dict[str, NDArray[np.float32]]:
    """Return the largest magnitude of values of a graph, of each whole or along an axis of it.

    Args:
        model: with the shapes of its values; of opset 18 or later where an axis is asked for.
        values: name -> axis that is kept; None: one number for the whole value.
        stacks: of tiles, (n, 3, tile, tile) each.
        batch: tiles the graph takes at once; None: any number.

    Returns:
        name -> (size of the axis,), or (1,).
    """
    if not values:
        return {}
    probe = ModelProto()
    probe.CopyFrom(model)
    graph = probe.graph
    shapes = {name: value.shape.dim for name, value in value_types(graph).items()}
    counts = [1 if axis is None else shapes[name][axis].dim_value for name, axis in values.items()]
    graph.initializer.append(numpy_helper.from_array(np.array([1, -1]), "probe.shape"))
    for name, axis in values.items():
        axes = [] if axis is None else [i for i in range(len(shapes[name])) if i != axis]
        _probe(graph, name, axes)
    graph.node.append(
        helper.make_node("Concat", [f"{name}.largest" for name in values], ["probe"], axis=1)
    )
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("probe", TensorProto.FLOAT, [1, sum(counts)]))
    # a tile at a time where any number goes: what the graph holds while it runs grows with them
    found = np.concatenate(run_tiles(probe, stacks, batch or 1)).max(axis=0)
    parts = np.split(found, np.cumsum(counts)[:-1])
    return dict(zip(values, parts, strict=True))


def _probe(graph: GraphProto, name: str, axes: list[int]) -> None:
    """Add nodes that reduce a value to a row of its largest magnitudes; only rows are then kept."""
    reduced = [f"{name}.size"]
    if axes:
        graph.initializer.append(numpy_helper.from_array(np.array(axes), f"{name}.axes"))
        reduced.append(f"{name}.axes")
    graph.node.extend(
        (
            helper.make_node("Abs", [name], [f"{name}.size"]),
            helper.make_node("ReduceMax", reduced, [f"{name}.max"], keepdims=0),
            helper.make_node("Cast", [f"{name}.max"], [f"{name}.float"], to=TensorProto.FLOAT),
            helper.make_node("Reshape", [f"{name}.float", "probe.shape"], [f"{name}.largest"]),
        )
    )
