"""Which networks are compared, and at which scale each is asked for."""

from collections.abc import Sequence
from pathlib import Path

from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.evaluate.model import CONTROL, EvaluationRequest
from edgesr.runtime.select import DEFAULT_SCALE
from edgesr.weights import shipped_names


def requests_for(
    models: Sequence[str] | None, scale: int | None, backend: str
) -> list[EvaluationRequest]:
    """Return what to open for a comparison.

    Args:
        models: names of networks and model files, each taken once; none: all that ship, and
            bicubic.
        scale: output side over input side; None: the files', or 4 for names.
        backend: what runs them, as in upscaling.

    Raises:
        ModelError: a file cannot be used.
        EngineError: an engine cannot be used.
    """
    if not models:
        wanted = scale or DEFAULT_SCALE
        shipped = [name for name, factor in shipped_names() if factor == wanted]
        names = [*dict.fromkeys([*shipped, CONTROL])]
    else:
        names = [*dict.fromkeys(models)]
    return [
        EvaluationRequest(name, scale=_scale(names, name, scale), backend=backend) for name in names
    ]


def _scale(names: list[str], name: str, scale: int | None) -> int | None:
    """Return the scale to ask for: bicubic, which has all, follows the first file beside it."""
    files = [Path(other) for other in names if Path(other).suffix in (".onnx", ".engine")]
    if scale is not None or name != CONTROL or not files:
        return scale
    if files[0].suffix == ".onnx":
        return OnnxManifest.read(files[0]).scale
    return EngineManifest.read(files[0]).scale
