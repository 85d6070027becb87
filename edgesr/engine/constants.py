"""Constants of a graph: computed before the parser sees it, and each kept once.

A parser makes a layer of every matrix that is multiplied from the left, and one of a name that it
met before. So equal matrices get one name, and the axes that a product would give them anyway.
"""

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


def share_matrices(model: "ModelProto") -> None:
    """Let products with equal constants on their left, of three axes, read one constant, in place.

    Args:
        model: its graph lists the shapes of its values.
    """
    from onnx import numpy_helper

    graph = model.graph
    axes = {v.name: len(v.type.tensor_type.shape.dim) for v in graph.value_info}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    names: dict[tuple[int, tuple[int, ...], bytes], str] = {}
    for node in graph.node:
        left = constants.get(node.input[0]) if node.op_type == "MatMul" else None
        if left is None or len(left.dims) != 2 or axes.get(node.input[1]) != 3:
            continue
        matrix = numpy_helper.to_array(left)
        key = left.data_type, matrix.shape, matrix.tobytes()
        if key not in names:
            names[key] = f"{left.name}/shared"
            graph.initializer.append(numpy_helper.from_array(matrix[None], names[key]))
        node.input[0] = names[key]
