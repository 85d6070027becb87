"""Replacing `edgesr::SelectiveScan` nodes by a form of standard operators."""

from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

from edgesr.errors import ExportError
from edgesr.export.forms import Form
from edgesr.export.forms.chunks import ScanNode
from edgesr.export.graph import Builder, remove_unused, value_types
from edgesr.export.tidy import write_softplus

DOMAIN = "edgesr"
SCAN = "SelectiveScan"


def count_scans(model: ModelProto) -> int:
    """Return the number of scan nodes not yet written out."""
    return sum(_is_scan(node) for node in model.graph.node)


def write_out(model: ModelProto, form: Form) -> ModelProto:
    """Return a copy of `model` in the operators that boards have: softplus and scans written out.

    Raises:
        ExportError: as `write_scans`.
    """
    return write_scans(write_softplus(model), form)


def write_scans(model: ModelProto, form: Form) -> ModelProto:
    """Return a copy of `model` in which every scan node is written in `form`.

    Raises:
        ExportError: a scan whose A or D is no constant, or whose length is unknown.
    """
    result = ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    types = value_types(graph)
    nodes: list[NodeProto] = []
    number = 0
    for node in graph.node:
        if not _is_scan(node):
            nodes.append(node)
            continue
        x, dt, a, b, c, d = node.input
        A, D = (_constant(constants, name, node) for name in (a, d))
        known = [types[name] for name in (x, *node.output) if name in types]
        length = max((tensor.shape.dim[1].dim_value for tensor in known), default=0)
        if not length:
            raise ExportError("the length of a scan is not static", where=node.name)
        builder = Builder(f"scan{number}", A.dtype)
        y = form.write(builder, ScanNode(x, dt, b, c, A, D, length), form.steps)
        nodes += builder.nodes
        nodes.append(helper.make_node("Identity", [y], node.output, name=f"scan{number}/y"))
        graph.initializer.extend(builder.constants.values())
        number += 1
    del graph.node[:]
    graph.node.extend(nodes)
    kept = [opset for opset in result.opset_import if opset.domain != DOMAIN]
    del result.opset_import[:]
    result.opset_import.extend(kept)
    remove_unused(graph)
    onnx.checker.check_model(result)
    return result


def _is_scan(node: NodeProto) -> bool:
    return node.domain == DOMAIN and node.op_type == SCAN


def _constant(constants: dict[str, Any], name: str, node: NodeProto) -> NDArray[Any]:
    if name not in constants:
        raise ExportError(f"'{name}' must be constant to write the scan out", where=node.name)
    return numpy_helper.to_array(constants[name])
