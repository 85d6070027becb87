"""How far an engine is from ONNX Runtime on real patches, measured and kept in its manifest."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesr import weights
from edgesr.artifacts import home
from edgesr.artifacts.engine_files import find_parent, is_export_of
from edgesr.artifacts.engine_manifest import EngineManifest, Verification
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.errors import EngineError, shell
from edgesr.imaging.patches import NAMES, real_tiles
from edgesr.imaging.psnr import psnr_db
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
from edgesr.runtime.session import Session
from edgesr.runtime.tensorrt_session import TensorRTSession

LIMIT_DB = 45.0
"""An engine below this PSNR to its network is broken, not merely rounded. Two ways to carry an int8
file out, with ONNX Runtime's optimisations and without, are closer
(benchmarks/results/precision/int8.md)."""


def verify_engine(
    engine: Path, onnx: Path | None = None
) -> tuple[Verification, EngineError | None]:
    """Compare an engine with ONNX Runtime on the bundled patches and write that into its manifest.

    Args:
        engine: what is judged.
        onnx: the file it was built from, or the same weights exported in another precision; None:
            the former, found beside the engine, in the person's exports, or among what ships.

    Returns:
        What was measured, and the error that it amounts to; None: the engine is good.

    Raises:
        EngineError: it is of another network, cannot run here, or an output is not finite.
        ModelError: the ONNX file cannot be used.
        MissingError: TensorRT or pycuda is not installed.
    """
    manifest = EngineManifest.read(engine)
    if onnx is None:
        onnx = find_parent(manifest, (engine.parent, home.exports(), weights.FOLDER))
    if onnx is None:
        raise EngineError(
            f"{manifest.onnx_file}, which it was built from, lies neither beside it nor in "
            f"{home.exports()}",
            where=engine,
            fix=f"edgesr verify -m {shell(engine)} --against MODEL.onnx",
        )
    reference = OnnxRuntimeSession(onnx)
    check_same_network(manifest, engine, reference.manifest, onnx)
    candidate = TensorRTSession(engine)
    try:
        patches = dict(zip(NAMES, real_tiles(manifest.tile), strict=True))
        result = compare_with_engine(reference, candidate, patches)
    finally:
        candidate.close()
    result = replace(result, against=f"onnxruntime {reference.manifest.precision}")
    replace(manifest, verification=result).write(engine)
    if result.psnr_db >= LIMIT_DB:
        return result, None
    fix = f"{reference.manifest.again('fp32')}, and build from that"
    if manifest.precision == "int8" and reference.manifest.precision != "int8":
        fix = f"edgesr verify -m {shell(engine)}  (against its own file, without what int8 costs)"
    return result, EngineError(
        f"{result.psnr_db:.1f} dB is below {LIMIT_DB:.0f}; its pictures are not to be trusted",
        where=engine,
        fix=fix,
    )


def compare_with_engine(
    reference: Session, candidate: Session, patches: Mapping[str, NDArray[np.float32]]
) -> Verification:
    """Run both on the same patches and compare the outputs, unclipped, peak 1.0.

    Args:
        reference: what is right.
        candidate: what is judged.
        patches: name -> (3, tile, tile) float32 RGB in [0, 1].

    Raises:
        EngineError: the two are not the same network, or an output is not finite.
    """
    kinds = [(one.model, one.scale, one.tile) for one in (reference, candidate)]
    if kinds[0] != kinds[1]:
        told = [f"{model} x{scale} for tiles of {tile}" for model, scale, tile in kinds]
        raise EngineError(f"the ONNX file is {told[0]}, the engine is {told[1]}")
    squares: dict[str, float] = {}
    largest = 0.0
    for name, patch in patches.items():
        expected, found = (_run(session, patch) for session in (reference, candidate))
        if not np.isfinite(found).all():
            raise EngineError(f"the output for {name} holds values that are not finite")
        difference = found.astype(np.float64) - expected
        squares[name] = float(np.mean(difference**2))
        largest = max(largest, float(np.abs(difference).max()))
    worst = max(squares, key=lambda name: squares[name])
    return Verification(
        psnr_db=round(psnr_db(float(np.mean(list(squares.values())))), 3),
        max_abs_difference=largest,
        patches=len(squares),
        worst_patch=worst,
        worst_psnr_db=round(psnr_db(squares[worst]), 3),
        against=reference.backend,
    )


def _run(session: Session, patch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Run one patch through a session of any batch."""
    outputs = session.run(np.repeat(patch[None], session.batch or 1, axis=0))
    return np.asarray(outputs[0])


def check_same_network(
    engine: EngineManifest, engine_path: Path, model: OnnxManifest, onnx: Path
) -> None:
    """Refuse to compare an engine with another network than its own.

    The ONNX file may be the one the engine was built from, or another export of the same weights
    with the same tile.

    Raises:
        EngineError: it is neither.
    """
    if engine.onnx_sha256 == model.onnx_sha256:
        return
    if is_export_of(model, engine) and model.tile == engine.tile:
        return
    raise EngineError(
        f"it was built from {engine.onnx_file} ({engine.network} x{engine.scale}), and {onnx.name} "
        "is another network, tile or set of weights",
        where=engine_path,
        fix=f"edgesr build-engine -m {shell(onnx)} --board {shell(engine.board)}",
    )
