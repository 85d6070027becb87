"""Constants of a graph, computed before the parser sees it."""

import math
from typing import TYPE_CHECKING, Any

from edgesr.artifacts.onnx_constants import MAX_FOLDED
from edgesr.engine.inference import inferred
from edgesr.export.branches import reads

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto


def fold(model: "ModelProto", kept_operators: frozenset[str]) -> None:
    """Replace the nodes that compute with constants alone by what they give, in place.

    Args:
        model: what to change.
        kept_operators: types of nodes that stay whatever they read.

    Raises:
        ValueError: a node would give more than `MAX_FOLDED` values, or nobody can tell how many; or
            it cannot be computed.
    """
    from onnx import numpy_helper
    from onnx.reference import ReferenceEvaluator

    graph = model.graph
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    kept = []
    for node in graph.node:
        constant = node.op_type not in kept_operators and all(name in known for name in reads(node))
        if not constant or node.domain:
            kept.append(node)
            continue
        feed = {name: known[name] for name in reads(node)}
        alone = _alone(node, model, feed)
        if _size(alone) > MAX_FOLDED:
            raise ValueError(f"its {node.op_type} of constants gives too many values")
        try:
            values: Any = ReferenceEvaluator(alone).run(None, {})
        except Exception as error:  # whatever numpy says to such numbers
            raise ValueError(f"its {node.op_type} of constants fails ({error})") from error
        known.update(zip(node.output, values, strict=True))
    outputs = {value.name for value in graph.output}
    needed = outputs.union(*map(reads, kept))
    constants = [numpy_helper.from_array(v, n) for n, v in known.items() if n in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(constants)


def _alone(node: "NodeProto", model: "ModelProto", feed: dict[str, Any]) -> "ModelProto":
    """Return a model of one node and the constants that it reads."""
    from onnx import helper, numpy_helper

    constants = [numpy_helper.from_array(value, name) for name, value in feed.items()]
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.output]
    graph = helper.make_graph([node], "alone", [], outputs, constants)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def _size(alone: "ModelProto") -> float:
    """Return how many values the outputs of a model have; infinite: its shapes do not tell."""
    size = 0.0
    for value in inferred(alone, data_prop=True).graph.output:
        if not value.type.tensor_type.HasField("shape"):
            return math.inf
        dims = value.type.tensor_type.shape.dim
        size += math.prod(d.dim_value if d.HasField("dim_value") else math.inf for d in dims)
    return size
