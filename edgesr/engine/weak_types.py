"""A prepared file for a weakly typed TensorRT, which takes types from its builder, not from casts.

There every layer's type is chosen, or pinned (edgesr.engine.network), so a cast between floats is
one more layer that does nothing. It is not free: before it times kernels, TensorRT 8.5.3 walks over
all layers of a network several times.
"""

from typing import TYPE_CHECKING

import numpy as np

from edgesr.engine.affine import into_convolutions
from edgesr.engine.rewrite import FLOATS
from edgesr.export.branches import read_instead

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto


def without_casts(data: bytes) -> bytes:
    """Return a prepared file with all floats as float32 and no cast between them.

    Constants that only scale or shift are folded as well, for no rounding lies between any more.
    The nodes that are left keep their names, by which the types of the file still can be told. A
    file whose ends are not float32 stays as it is: it is no network for pictures, and is refused.

    Args:
        data: what `edgesr.engine.rewrite.prepare` returned.
    """
    import onnx
    from onnx import TensorProto

    model = onnx.load_model_from_string(data)
    ends = (*model.graph.input, *model.graph.output)
    if any(value.type.tensor_type.elem_type != TensorProto.FLOAT for value in ends):
        return data
    _drop_casts(model.graph)
    _widen(model.graph)
    into_convolutions(model.graph)
    return bytes(model.SerializeToString())


def _drop_casts(graph: "GraphProto") -> None:
    """Take the casts between floats away; what gives an output of the graph takes its name."""
    from edgesr.export.graph import value_types

    floats = {name for name, value in value_types(graph).items() if value.elem_type in FLOATS}
    outputs = {value.name for value in graph.output}
    given = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    same: dict[str, str] = {}
    nodes = []
    for node in graph.node:
        read_instead(node, same)
        to = _target(node) if node.op_type == "Cast" else None
        if to not in FLOATS or node.input[0] not in floats:
            nodes.append(node)
        elif node.output[0] not in outputs:
            same[node.output[0]] = node.input[0]
        elif node.input[0] in given | outputs:
            nodes.append(node)
        else:
            same.update({k: node.output[0] for k, v in same.items() if v == node.input[0]})
            same[node.input[0]] = node.output[0]
            for earlier in nodes:
                read_instead(earlier, same)
                earlier.output[:] = [same.get(name, name) for name in earlier.output]
    del graph.node[:]
    graph.node.extend(nodes)


def _target(node: "NodeProto") -> int | None:
    """Return the element type that a Cast gives; None where the node does not say it."""
    return next((attribute.i for attribute in node.attribute if attribute.name == "to"), None)


def _widen(graph: "GraphProto") -> None:
    """Make every float16 of a graph and its branches float32, also what nodes are told to give."""
    from onnx import TensorProto, numpy_helper

    told = [attribute for node in graph.node for attribute in node.attribute]
    for attribute in told:
        if attribute.name == "to" and attribute.i == TensorProto.FLOAT16:
            attribute.i = TensorProto.FLOAT
        if attribute.HasField("g"):
            _widen(attribute.g)
    for tensor in (*graph.initializer, *(a.t for a in told if a.HasField("t"))):
        if tensor.data_type == TensorProto.FLOAT16:
            wide = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(wide, tensor.name))
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT16:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
