"""What an engine really computes in, layer by layer, from TensorRT's engine inspector."""

import json
import re
from collections import Counter
from typing import Any

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


def engine_layers(stack: Stack, engine: bytes) -> dict[str, dict[str, int]] | None:
    """Return the engine's layers, counted by type and precision.

    Returns:
        `{"CaskConvolution": {"fp16": 12}}`; None where this machine cannot load the engine (no GPU)
        or the inspector tells names only.
    """
    logger, _ = stack.logger()
    runtime = stack.module.Runtime(logger)
    loaded = None if runtime is None else runtime.deserialize_cuda_engine(engine)
    if loaded is None or not hasattr(loaded, "create_engine_inspector"):
        return None
    inspector = loaded.create_engine_inspector()
    text = inspector.get_engine_information(stack.module.LayerInformationFormat.JSON)
    return count_layers(text)


def count_layers(text: str) -> dict[str, dict[str, int]] | None:
    """Count layers by type and precision of the first output, from the inspector's JSON.

    Returns:
        None if it is not JSON or holds names only.
    """
    try:
        layers = json.loads(text)["Layers"]
    except (ValueError, KeyError, TypeError):
        return None
    rows = [layer for layer in layers if isinstance(layer, dict)]
    counts = Counter((str(row.get("LayerType", "?")), _precision(row)) for row in rows)
    table: dict[str, dict[str, int]] = {}
    for (kind, precision), number in sorted(counts.items()):
        table.setdefault(kind, {})[precision] = number
    return table or None


def _precision(layer: dict[str, Any]) -> str:
    outputs = layer.get("Outputs") or [{}]
    first = outputs[0] if isinstance(outputs[0], dict) else {}
    text = str(first.get("Datatype") or first.get("Format/Datatype") or "")
    for name, pattern in _TYPES:
        if re.search(pattern, text, re.IGNORECASE):
            return name
    return "unknown"
