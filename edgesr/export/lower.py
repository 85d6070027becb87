"""The definition of every node `edgesr::MambaMixer`, put into the file as a local function."""

from dataclasses import replace

from onnx import FunctionProto, ModelProto, NodeProto, TensorProto, checker, helper

from edgesr.errors import ExportError
from edgesr.export.graph import producers, value_types
from edgesr.export.mixer import Mixer, is_mixer, is_projected, write_function
from edgesr.scan.path import Direction, ScanPath

IR_VERSION = 8
"""The first that has functions in a file."""


def count_mixers(model: ModelProto) -> int:
    """Return the number of mixers."""
    return sum(map(is_mixer, model.graph.node))


def define_mixers(model: ModelProto) -> ModelProto:
    """Return a copy of `model` with one function for all mixers that are alike.

    Raises:
        ExportError: a mixer whose weights are no constants, so that their sizes are not known.
    """
    result = ModelProto()
    result.CopyFrom(model)
    del result.functions[:]
    opset = next(item.version for item in result.opset_import if item.domain in ("", "ai.onnx"))
    constants = {tensor.name: tensor for tensor in result.graph.initializer}
    halves = _halves(result)
    functions: dict[str, FunctionProto] = {}
    for node in filter(is_mixer, result.graph.node):
        mixer = _mixer(node, constants, node.input[0] in halves)
        node.op_type = mixer.function
        if mixer.function not in functions:
            functions[mixer.function] = write_function(mixer, opset)
    result.functions.extend(functions.values())
    if functions:
        result.ir_version = max(result.ir_version, IR_VERSION)
    checker.check_model(result)
    return result


def _mixer(node: NodeProto, constants: dict[str, TensorProto], half: bool) -> Mixer:
    weights = node.input[1:]
    missing = [name for name in weights if name not in constants]
    if missing:
        raise ExportError(f"'{missing[0]}' must be constant to define the mixer", where=node.name)
    conv, _, _, dt_proj, _, A, _ = (constants[name].dims for name in weights[-7:])
    given = {attribute.name: attribute.i for attribute in node.attribute}
    direction = Direction(bool(given["columns"]), bool(given["reverse"]))
    return Mixer(
        ScanPath(given["height"], given["width"], direction),
        channels=conv[0],
        state=A[1],
        rank=dt_proj[1],
        taps=conv[1],
        half=half,
        projected=is_projected(node),
    )


def _halves(model: ModelProto) -> set[str]:
    """Return the values that are known to be float16."""
    listed = {
        name
        for name, value in value_types(model.graph).items()
        if value.elem_type == TensorProto.FLOAT16
    }
    cast = {
        name
        for name, node in producers(model.graph).items()
        if node.op_type == "Cast" and helper.get_node_attr_value(node, "to") == TensorProto.FLOAT16
    }
    return listed | cast


def define_for_engine(model: ModelProto) -> ModelProto:
    """Return a copy of `model` whose mixers are defined for an engine, other functions as before.

    The scan has few layers there, see `edgesr.export.engine_levels`.

    Args:
        model: with the types of its values, as inference gives them.

    Raises:
        ExportError: a mixer whose weights are no constants, so that their sizes are not known.
    """
    result = ModelProto()
    result.CopyFrom(model)
    opset = next(item.version for item in result.opset_import if item.domain in ("", "ai.onnx"))
    constants = {tensor.name: tensor for tensor in result.graph.initializer}
    halves = _halves(result)
    names: dict[Mixer, str] = {}
    for node in filter(is_mixer, result.graph.node):
        mixer = replace(_mixer(node, constants, node.input[0] in halves), for_engine=True)
        if mixer not in names:
            names[mixer] = f"EngineMixer{len(names)}"
            function = write_function(mixer, opset)
            function.name = names[mixer]
            function.ClearField("overload")
            result.functions.append(function)
        node.op_type = names[mixer]
        node.ClearField("overload")
    return result
