"""The model that is built when the user names none: the shipped student, in the right precision."""

from pathlib import Path

from edgesr import weights
from edgesr.errors import ModelError
from edgesr.export.manifest import OnnxManifest

NETWORK = "student"
SCALE = 4


def default_model(precision: str, batch: int | None) -> Path:
    """Return the shipped ONNX file of the student.

    Args:
        precision: `fp16` or `fp32`.
        batch: tiles a call takes; None: any.

    Raises:
        ModelError: none is shipped in this precision and batch.
    """
    for path in sorted(weights.FOLDER.glob(f"{NETWORK}*_x{SCALE}.onnx")):
        manifest = OnnxManifest.read(path)
        fits = batch is None or manifest.batch in (None, batch)
        if manifest.precision == precision and fits:
            return path
    asked = f"{precision}, batch {batch}" if batch else precision
    size = f" --batch {batch}" if batch else ""
    raise ModelError(
        f"no {NETWORK} x{SCALE} in {asked} comes with edgesr",
        fix=f"edgesr export {NETWORK} --precision {precision}{size} -o {NETWORK}.onnx  "
        f"(needs torch; on any machine), then edgesr build-engine {NETWORK}.onnx",
    )
