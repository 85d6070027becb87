"""What a precision costs on benchmark sets: PSNR of an export against the fp32 graph it came from.

Both graphs run as users run them: in ONNX Runtime, in tiles.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from edgesr.artifacts.onnx_manifest import OnnxManifest, PsnrLoss
from edgesr.evaluate.datasets import BenchmarkSet
from edgesr.evaluate.evaluate import Enlarge, score
from edgesr.evaluate.model import EvaluationRequest, open_evaluated
from edgesr.export.exporter import ExportRequest, export
from edgesr.files import temporary_folder


def measure_loss(
    request: ExportRequest,
    sets: Sequence[BenchmarkSet],
    on_image: Callable[[], None] = lambda: None,
) -> OnnxManifest:
    """Measure an export on benchmark sets and write the result into its manifest.

    Args:
        request: what was exported; the file and its manifest are there.
        sets: of the same scale.
        on_image: called after every picture of each of the two graphs.

    Returns:
        the manifest as written.

    Raises:
        DataError: a pair of pictures does not fit.
        ImageError: a picture is damaged or too small.
    """
    with temporary_folder() as folder:
        exact = folder / "fp32.onnx"
        export(replace(request, precision="fp32", output=exact, calibrate=None))
        fp32_db, own_db = (_psnr_db(onnx, sets, on_image) for onnx in (exact, request.path))
    losses = tuple(
        PsnrLoss(one.name, len(one.pairs), round(a, 4), round(b, 4), round(a - b, 4))
        for one, a, b in zip(sets, fp32_db, own_db, strict=True)
    )
    manifest = replace(OnnxManifest.read(request.path), psnr_loss=losses)
    manifest.write(request.path)
    return manifest


def _psnr_db(onnx: Path, sets: Sequence[BenchmarkSet], on_image: Callable[[], None]) -> list[float]:
    """Return the mean PSNR of Y on each set."""
    request = EvaluationRequest(str(onnx), backend="onnxruntime")
    with open_evaluated(request) as subject:
        return [fmean(_psnr_of_images(subject.enlarge, one, on_image)) for one in sets]


def _psnr_of_images(
    enlarge: Enlarge, benchmark: BenchmarkSet, on_image: Callable[[], None]
) -> Iterator[float]:
    for pair in benchmark.pairs:
        lr, hr = pair.load()
        yield score(enlarge(lr), hr, pair.scale).psnr_y_db
        on_image()
