"""The ONNX file that is built for the name of a network, in the precision that was asked for."""

from importlib.util import find_spec
from pathlib import Path

from edgesr import weights
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.errors import ModelError, shell

NETWORK = "student"
"""What is built when no model is named."""

SCALE = 4
"""At which scale, where none is given."""


def named_model(network: str, scale: int, precision: str, batch: int | None) -> Path:
    """Return an ONNX file of a network: a shipped one, else a fresh export where torch is there.

    Args:
        network: its name, such as `student`.
        scale: output side over input side.
        precision: `fp32`, `fp16` or `int8`.
        batch: tiles a call takes; None: any.

    Raises:
        ModelError: none is shipped in this precision and batch, and none can be exported here.
        EdgesrError: the export failed, see `edgesr.export.exporter.export`.
    """
    for path in sorted(weights.FOLDER.glob(f"{network}_x{scale}*.onnx")):
        manifest = OnnxManifest.read(path)
        fits = batch is None or manifest.batch in (None, batch)  # an open batch takes any number
        if manifest.precision == precision and fits:
            return path
    if find_spec("torch") is not None and find_spec("onnx") is not None:
        from edgesr.export.exporter import ExportRequest, export

        request = ExportRequest(network, precision=precision, batch=batch or 1, scale=scale)
        export(request)
        return request.path
    size = f" --batch {batch}" if batch else ""
    file = shell(f"{network}.onnx")
    raise ModelError(
        f"no {network} x{scale} in {precision}{f', batch {batch},' if batch else ''} comes with "
        "edgesr, and exporting one needs torch",
        fix=f"edgesr export -m {shell(network)} -s {scale} --precision {precision}{size} -o {file} "
        f" (on any machine with torch), then edgesr build-engine -m {file}",
    )
