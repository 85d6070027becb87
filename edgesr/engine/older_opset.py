"""What a parser reads that knows no LayerNormalization: TensorRT's before 8.6, up to opset 17."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from edgesr.engine.inference import inferred
from edgesr.export.names import Names

if TYPE_CHECKING:
    from onnx import AttributeProto, ModelProto

OPSET_BEFORE = 17
"""The latest opset that the parser reads which knows no LayerNormalization."""


def to_older_opset(model: "ModelProto") -> None:
    """Write what changed its form after `OPSET_BEFORE` as it was; nothing changed its meaning.

    What an operator had then, onnx knows: axes that have become an input were an attribute, and an
    attribute that came since goes where it says what was so without it.

    Raises:
        ValueError: axes that were an attribute are computed, or the sizes of a Split's parts; or an
            attribute that came since says something else, which the parser would not look at.
    """
    from onnx import defs, helper, numpy_helper

    opset = next(item for item in model.opset_import if item.domain in ("", "ai.onnx"))
    if opset.version <= OPSET_BEFORE:
        return
    _write_sizes_of_parts(model)
    now, opset.version = opset.version, OPSET_BEFORE
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        domain = "" if node.domain == opset.domain else node.domain
        try:
            then = defs.get_schema(node.op_type, OPSET_BEFORE, domain).attributes
        except defs.SchemaError:  # a plugin, or newer
            continue
        newer = defs.get_schema(node.op_type, now, domain).attributes
        given = [a for a in node.attribute if a.name in then or not _is_default(a, newer)]
        kept = [a for a in given if a.name in then]
        if "axes" in then and len(node.input) > 1:
            name = node.input.pop()
            if name and name not in constants:
                raise ValueError(f"{node.name or node.op_type} has no constant axes")
            axes = numpy_helper.to_array(constants[name]).tolist() if name else []
            if axes:  # without them it is all, then as now
                kept.append(helper.make_attribute("axes", axes))
                given = [a for a in given if a.name != "noop_with_empty_axes"]
        unknown = [a.name for a in given if a.name not in then]
        if unknown:
            raise ValueError(
                f"{node.name or node.op_type} has {unknown[0]}, newer than opset {OPSET_BEFORE}"
            )
        kept = list(map(_copy, kept))
        del node.attribute[:]
        node.attribute.extend(kept)


def _write_sizes_of_parts(model: "ModelProto") -> None:
    """Give a Split its parts' sizes where the last may be smaller, as it may since opset 18.

    Raises:
        ValueError: the length that is split is not known.
    """
    from onnx import numpy_helper

    from edgesr.export.graph import attributes_of, value_types

    splits = [n for n in model.graph.node if n.op_type == "Split" and not any(n.input[1:])]
    if not splits:
        return
    shapes = {
        name: [axis.dim_value for axis in tensor.shape.dim]
        for name, tensor in value_types(inferred(model).graph).items()
    }
    names = Names.of_values(model.graph)
    for node in splits:
        given = attributes_of(node)
        axis = given.get("axis", 0)
        sizes = [shapes[name][axis] if shapes.get(name) else 0 for name in node.output]
        if not all(sizes):
            raise ValueError(
                f"{node.name or node.op_type} splits a length that the file does not tell"
            )
        if len(set(sizes)) == 1:  # as it is without them
            del node.input[1:]
            continue
        name = names.fresh(f"{node.output[0]}/sizes")
        sized = numpy_helper.from_array(np.array(sizes, np.int64), name)
        model.graph.initializer.append(sized)
        node.input[1:] = [name]


def _is_default(attribute: "AttributeProto", known: Mapping[str, Any]) -> bool:
    """Return whether an attribute says what was so without it."""
    from onnx import helper

    if attribute.name == "num_outputs":  # of a Split: see `_write_sizes_of_parts`
        return True
    if attribute.name not in known or not known[attribute.name].default_value.name:
        return False
    default = helper.get_attribute_value(known[attribute.name].default_value)
    return bool(helper.get_attribute_value(attribute) == default)


def _copy(message: Any) -> Any:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy
