"""Constants of a graph, computed before the parser sees it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto


def fold(model: "ModelProto", kept_operators: frozenset[str]) -> None:
    """Replace the nodes that compute with constants alone by what they give, in place.

    Args:
        model: what to change.
        kept_operators: types of nodes that stay whatever they read.
    """
    from onnx import numpy_helper
    from onnx.reference import ReferenceEvaluator

    graph = model.graph
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    kept = []
    for node in graph.node:
        constant = node.op_type not in kept_operators and all(
            name in known for name in _reads(node)
        )
        if not constant or node.domain:
            kept.append(node)
            continue
        feed = {name: known[name] for name in node.input}
        values: Any = ReferenceEvaluator(_alone(node, model, feed)).run(None, feed)
        known.update(zip(node.output, values, strict=True))
    outputs = {value.name for value in graph.output}
    needed = outputs.union(*map(_reads, kept))
    constants = [numpy_helper.from_array(v, n) for n, v in known.items() if n in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(constants)


def _reads(node: "NodeProto") -> set[str]:
    """Return the names that a node reads, those inside its loops and branches too."""
    inner = [inside for a in node.attribute if a.HasField("g") for inside in a.g.node]
    return set(node.input).union(*map(_reads, inner))


def _alone(node: "NodeProto", model: "ModelProto", feed: dict[str, Any]) -> "ModelProto":
    """Return a model of one node."""
    from onnx import helper

    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
        for name, v in feed.items()
    ]
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.output]
    graph = helper.make_graph([node], "alone", inputs, outputs)
    return helper.make_model(graph, opset_imports=model.opset_import)
