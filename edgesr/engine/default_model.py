"""The model that is built when the user names none: the shipped student, in the right precision."""

from importlib.util import find_spec
from pathlib import Path

from edgesr import weights
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.errors import ModelError

NETWORK = "student"
SCALE = 4


def default_model(precision: str, batch: int | None) -> Path:
    """Return an ONNX file of the student: a shipped one, else a fresh export where torch is there.

    Args:
        precision: `fp32`, `fp16` or `int8`.
        batch: tiles a call takes; None: any.

    Raises:
        ModelError: none is shipped in this precision and batch, and none can be exported here.
    """
    for path in sorted(weights.FOLDER.glob(f"{NETWORK}_x{SCALE}*.onnx")):
        manifest = OnnxManifest.read(path)
        fits = batch is None or manifest.batch in (None, batch)  # an open batch takes any number
        if manifest.precision == precision and fits:
            return path
    if find_spec("torch") is not None and find_spec("onnx") is not None:
        from edgesr.export.exporter import ExportRequest, export

        request = ExportRequest(NETWORK, precision=precision, batch=batch or 1, scale=SCALE)
        export(request)
        return request.path
    size = f" --batch {batch}" if batch else ""
    raise ModelError(
        f"no {NETWORK} x{SCALE} in {precision}{f', batch {batch},' if batch else ''} comes with "
        "edgesr, and exporting one needs torch",
        fix=f"edgesr export --model {NETWORK} --precision {precision}{size} -o {NETWORK}.onnx  "
        f"(on any machine with torch), then edgesr build-engine {NETWORK}.onnx",
    )
