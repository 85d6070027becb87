"""What of a prepared file its kernels' timings depend on: everything but the values of weights."""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import TensorProto

FLOATS = frozenset({1, 10, 11, 16})
"""Element types of ONNX whose values a kernel's time does not depend on."""


def structure_sha256(data: bytes) -> str:
    """Return a SHA-256 that networks share which differ in the values of their weights alone.

    Args:
        data: a prepared file; integers in it, which are shapes and axes, count.
    """
    from onnx import load_model_from_string

    model = load_model_from_string(data)
    for tensor in model.graph.initializer:
        _forget(tensor)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.floats:
                attribute.floats[:] = [0.0] * len(attribute.floats)
            if attribute.HasField("t"):
                _forget(attribute.t)
    for field in ("producer_name", "producer_version", "doc_string", "model_version"):
        model.ClearField(field)
    return hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()


def _forget(tensor: "TensorProto") -> None:
    """Take the values of floating-point numbers away; type and shape stay."""
    if tensor.data_type in FLOATS:
        for field in ("raw_data", "float_data", "int32_data", "double_data"):
            tensor.ClearField(field)
