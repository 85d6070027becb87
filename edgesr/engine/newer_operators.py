"""Operators that came after a parser was written, by their definitions in older ones.

ONNX defines many operators as functions of others: Gelu and Mish, which exporters write as nodes
since the opsets 20 and 18, consist of operators that every parser knows. The definitions come from
onnx itself.

Sources: docs/Changelog.md of onnx-tensorrt, which names the version of onnx in each TensorRT;
https://github.com/onnx/onnx-tensorrt.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgesr.engine.inference import inferred, opset_of

if TYPE_CHECKING:
    from onnx import FunctionProto, ModelProto, NodeProto, TypeProto

OPSETS = (((8, 6), 17), ((10, 0), 18))
"""Before which TensorRT a parser knows no operator of a later opset."""

LATEST_OPSET = 21
"""What all later parsers know; some know more, and take the definition as well."""

DOMAIN = "edgesr.written"
"""Of the functions, while there are any."""


def known_opset(tensorrt: tuple[int, int]) -> int:
    """Return the latest opset whose operators the parser of a TensorRT surely knows."""
    return next((opset for before, opset in OPSETS if tensorrt < before), LATEST_OPSET)


def write_newer(model: "ModelProto", opset: int) -> "ModelProto":
    """Return a model without operators that came after an opset, as far as onnx defines them.

    Args:
        model: its batch has a number; what is in its branches and loops stays.
        opset: the latest whose operators may stay.

    Raises:
        ValueError: the model contradicts itself.
    """
    from edgesr.export.graph import value_types

    written = model
    while any(_is_newer(node, opset) for node in written.graph.node):
        typed = inferred(written)
        names = _name_definitions(written, typed, opset)
        if not names:  # the parser says that it does not know the rest
            break
        written = _inlined(written, names)
        # What reads a definition's result may be defined by the type of that: once more.
        _write_casts(written, value_types(typed.graph))
    return written


def _name_definitions(
    model: "ModelProto", typed: "ModelProto", opset: int
) -> list[tuple[str, str]]:
    """Turn newer operators into calls of functions, in place; return domains and names of these.

    Args:
        model: what is changed.
        typed: the same with the types of its values.
        opset: the latest whose operators stay.
    """
    from onnx import helper

    known = {
        value.name: value.type
        for value in (*typed.graph.input, *typed.graph.value_info, *typed.graph.output)
        if value.type.tensor_type.elem_type
    }
    for tensor in model.graph.initializer:
        known[tensor.name] = helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
    names = []
    for number, node in enumerate(model.graph.node):
        body = _definition(node, model, known) if _is_newer(node, opset) else None
        if body is None:
            continue
        node.op_type = body.name = f"{node.op_type}_{number}"
        node.domain = body.domain = DOMAIN
        model.functions.append(body)
        names.append((DOMAIN, body.name))
    return names


def _inlined(model: "ModelProto", names: list[tuple[str, str]]) -> "ModelProto":
    from onnx import helper, inliner

    model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    written = inliner.inline_selected_functions(model, names)
    kept = [item for item in written.opset_import if item.domain != DOMAIN]
    del written.opset_import[:]
    written.opset_import.extend(kept)
    return written


def _is_newer(node: "NodeProto", opset: int) -> bool:
    from onnx import defs

    if node.domain not in ("", "ai.onnx"):
        return False
    try:
        defs.get_schema(node.op_type, opset, "")
    except defs.SchemaError:
        return True
    else:
        return False


def _definition(
    node: "NodeProto", model: "ModelProto", known: Mapping[str, "TypeProto"]
) -> "FunctionProto | None":
    """Return a node as a function of the model's opset; None: onnx does not define it."""
    from onnx import FunctionProto, defs

    opset = opset_of(model)
    try:
        schema: Any = defs.get_schema(node.op_type, opset, "")
    except defs.SchemaError:  # newer than the onnx that is here
        return None
    given = {attribute.name for attribute in node.attribute}
    for name, attribute in schema.attributes.items():
        if name not in given and attribute.default_value.name:
            node.attribute.append(attribute.default_value)
    body = FunctionProto()
    if schema.has_function:
        body.CopyFrom(schema.function_body)
    elif schema.has_context_dependent_function and all(name in known for name in node.input):
        types = [known[name].SerializeToString() for name in node.input]
        body.ParseFromString(schema.get_context_dependent_function(node.SerializeToString(), types))
    else:
        return None
    for item in body.opset_import:
        if item.domain in ("", "ai.onnx"):
            item.version = opset
    return body


def _write_casts(model: "ModelProto", before: Mapping[str, "TypeProto.Tensor"]) -> None:
    """CastLike, by which definitions give their constants a type -> Cast to that type, in place.

    Args:
        model: what is changed.
        before: types of values while the operators told them; a definition may hide them.
    """
    from onnx import helper

    from edgesr.export.graph import value_types

    kinds = {name: tensor.elem_type for name, tensor in value_types(inferred(model).graph).items()}
    kinds |= {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    kinds |= {name: tensor.elem_type for name, tensor in before.items()}
    for node in model.graph.node:
        if node.op_type == "CastLike" and kinds.get(node.input[1]):
            to = kinds[node.input[1]]
            node.CopyFrom(helper.make_node("Cast", node.input[:1], node.output, node.name, to=to))
