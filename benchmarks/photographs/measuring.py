"""PSNR, SSIM and PIQE of a model on every degraded picture of the sets."""

import importlib.metadata
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import cv2
import numpy as np

from benchmarks.photographs.degraded import CASES, SEED, degraded
from edgesr.errors import MissingError
from edgesr.evaluate.datasets import BenchmarkSet, open_sets
from edgesr.evaluate.evaluate import Enlarge, score
from edgesr.evaluate.metrics import PROTOCOL
from edgesr.evaluate.model import EvaluationRequest, open_evaluated
from edgesr.files import sha256
from edgesr.imaging.picture import Picture
from edgesr.version import __version__

SCHEMA = "edgesr-photographs/1"
Json = dict[str, Any]
Perceptual = Callable[[Picture], float]
Said = Callable[[str], None]


def measure(request: EvaluationRequest, label: str, folders: Sequence[Path], said: Said) -> Json:
    """Return what one model makes of every case of every set.

    Args:
        request: the model, as `edgesr eval` takes it.
        label: what the table calls it.
        folders: sets, or folders of sets.
        said: told one line a case.

    Raises:
        EdgesrError: the model or a set cannot be used, or pypiqe is not installed.
    """
    piqe = piqe_of()
    with open_evaluated(request) as subject:
        sets = {
            benchmark.name: {
                case: _measured(benchmark, case, subject.enlarge, piqe, said) for case in CASES
            }
            for benchmark in open_sets(folders, subject.scale)
        }
    return {
        "schema": SCHEMA,
        "label": label,
        "model": request.model,
        "weights_sha256": None if request.weights is None else sha256(request.weights),
        "run": "torch, whole pictures" if request.weights is not None else subject.run,
        "scale": subject.scale,
        "seed": SEED,
        "protocol": PROTOCOL,
        "versions": {
            "edgesr": __version__,
            "opencv": cv2.__version__,
            "pypiqe": importlib.metadata.version("pypiqe"),
        },
        "sets": sets,
    }


def piqe_of() -> Perceptual:
    """Return PIQE: 0 for a picture without visible distortions to 100; no weights, no reference.

    Venkatanath et al., "Blind image quality evaluation using perception based features", 2015.

    Raises:
        MissingError: pypiqe is not installed.
    """
    try:
        from pypiqe import piqe
    except ImportError as error:
        raise MissingError("PIQE needs pypiqe", fix="pip install 'edgesr[dev]'") from error

    def value(picture: Picture) -> float:
        bgr = np.ascontiguousarray(np.asarray(picture.colour, np.uint8)[:, :, ::-1])
        return float(piqe(bgr)[0])

    return value


def _measured(
    benchmark: BenchmarkSet, case: str, enlarge: Enlarge, piqe: Perceptual, said: Said
) -> list[Json]:
    rows, scores = [], []
    for pair in benchmark.pairs:
        lr, hr = degraded(pair, case)
        large = enlarge(lr)
        found = score(large, hr, pair.scale)
        scores.append(found)
        rows.append({"name": pair.name, **found.to_json(), "piqe": round(piqe(large), 3)})
    psnr = fmean(found.psnr_y_db for found in scores)
    said(f"{benchmark.name} {case}: {psnr:.2f} dB")
    return rows
