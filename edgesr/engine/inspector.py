"""What an engine really computes in, layer by layer, from TensorRT's engine inspector."""

import json
import re
from typing import Any

from edgesr.engine.layers import Layer
from edgesr.engine.stack import Stack

# Newer releases print a Datatype (`Half`), older ones a sentence (`Row major linear FP16 format`).
_TYPES = (
    ("fp16", r"\bhalf\b|\bfp16\b|float16"),
    ("bf16", r"\bbf16\b|bfloat16"),
    ("fp8", r"\bfp8\b"),
    ("int8", r"\bint8\b"),
    ("int4", r"\bint4\b"),
    ("int64", r"\bint64\b"),
    ("int32", r"\bint32\b"),
    ("bool", r"\bbool\b"),
    ("fp32", r"\bfloat\b|\bfp32\b|float32"),
)


def engine_layers(stack: Stack, engine: bytes) -> tuple[Layer, ...] | None:
    """Return the engine's layers.

    Returns:
        None where this machine cannot load the engine (no GPU) or the inspector tells names only.
    """
    logger, _ = stack.logger()
    runtime = stack.module.Runtime(logger)
    loaded = None if runtime is None else runtime.deserialize_cuda_engine(engine)
    if loaded is None or not hasattr(loaded, "create_engine_inspector"):
        return None
    inspector = loaded.create_engine_inspector()
    text = inspector.get_engine_information(stack.module.LayerInformationFormat.JSON)
    return read_layers(text)


def read_layers(text: str) -> tuple[Layer, ...] | None:
    """Read the layers from the inspector's JSON.

    Returns:
        None if it is not JSON or holds names only.
    """
    try:
        layers = json.loads(text)["Layers"]
    except (ValueError, KeyError, TypeError):
        return None
    return (
        tuple(
            Layer(str(row.get("Name", "?")), str(row.get("LayerType", "?")), _precision(row))
            for row in layers
            if isinstance(row, dict)
        )
        or None
    )


def _precision(layer: dict[str, Any]) -> str:
    outputs = layer.get("Outputs") or [{}]
    first = outputs[0] if isinstance(outputs[0], dict) else {}
    text = str(first.get("Datatype") or first.get("Format/Datatype") or "")
    for name, pattern in _TYPES:
        if re.search(pattern, text, re.IGNORECASE):
            return name
    return "unknown"
