"""A mixer's input projection taken into its function, and given back.

A mixer's `xz` is one product of tokens and a matrix, whose two halves go different ways. On a CPU
it takes as long to cut the result in two as a third of the product does, and nothing to cut the
matrix, which is constant. The function of a mixer alone cannot do that: its input is the result.
So in a float32 file the product belongs to the function (`ProjectedMixer`), and an engine, which
multiplies and cuts at once, gets it back.
"""

from onnx import ModelProto, NodeProto, TensorProto, helper

from edgesr.export.graph import producers, remove_unused
from edgesr.export.lower import define_mixers
from edgesr.export.mixer import MIXER, is_mixer, is_projected
from edgesr.export.names import Names


def take_in_projections(model: ModelProto) -> ModelProto:
    """Return a copy of a float32 `model` whose mixers multiply what they are given themselves.

    A mixer keeps its form where its `xz` is no product with a constant matrix, or is read by
    another node too.

    Raises:
        ExportError: a mixer whose weights are no constants, so that their sizes are not known.
    """
    result = ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    made_by, readers = producers(graph), [name for node in graph.node for name in node.input]
    matrices = {
        tensor.name
        for tensor in graph.initializer
        if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) == 2
    }
    for node in filter(is_mixer, graph.node):
        product = made_by.get(node.input[0])
        if is_projected(node) or product is None or product.op_type != "MatMul":
            continue
        if product.input[1] in matrices and readers.count(node.input[0]) == 1:
            weights = list(node.input[1:])
            del node.input[:]
            node.input.extend([*product.input, *weights])
    remove_unused(graph)
    return define_mixers(result)


def give_back_projections(model: ModelProto) -> ModelProto:
    """Return `model` if no mixer has its projection, else a copy in which none has.

    Raises:
        ExportError: a mixer whose weights are no constants, so that their sizes are not known.
    """
    if not any(is_mixer(node) and is_projected(node) for node in model.graph.node):
        return model
    result = ModelProto()
    result.CopyFrom(model)
    names = Names.of_values(result.graph)
    nodes: list[NodeProto] = []
    for node in result.graph.node:
        if is_mixer(node) and is_projected(node):
            tokens, matrix, *weights = node.input
            xz = names.fresh(f"{node.output[0]}/xz")
            nodes.append(helper.make_node("MatMul", [tokens, matrix], [xz], xz))
            del node.input[:]
            node.input.extend([xz, *weights])
            node.op_type = MIXER
        nodes.append(node)
    kept = list(map(_copy, nodes))
    del result.graph.node[:]
    result.graph.node.extend(kept)
    return define_mixers(result)


def _copy(node: NodeProto) -> NodeProto:
    result = NodeProto()
    result.CopyFrom(node)
    return result
