"""Whether an engine fits a model on this machine, and where such an engine lies."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edgesr.artifacts.engine_files import FOLDER, engines_in, is_export_of
from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.boards.gpu import first_gpu
from edgesr.engine.stack import find_stack
from edgesr.errors import EdgesrError, MissingError


@dataclass(frozen=True)
class Found:
    """The result of a search for an engine.

    Attributes:
        engine: the engine to use; None: none.
        reason: why it was taken, or why none was, in one line.
    """

    engine: Path | None
    reason: str


def check_engine(engine: Path) -> EngineManifest:
    """Return the manifest of an engine that may be loaded here.

    Raises:
        EngineError: it does not fit its manifest, this GPU or this TensorRT.
        MissingError: TensorRT is not installed.
    """
    manifest = EngineManifest.read(engine)
    try:
        stack = find_stack((manifest.tensorrt_module,))
    except MissingError as error:
        raise MissingError(
            f"it was built for {manifest.board}, by {manifest.tensorrt_module} "
            f"{manifest.tensorrt}; {error.what}",
            where=engine,
            fix=error.fix,
        ) from error
    gpu = first_gpu()
    manifest.check(
        engine,
        module=stack.name,
        tensorrt=stack.version,
        compute_capability=None if gpu is None else gpu.compute_capability,
    )
    return manifest


def find_engine(
    onnx: Path, folders: Iterable[Path] = (FOLDER,), same_weights: bool = False
) -> Found:
    """Look for an engine of a model for this machine.

    Args:
        onnx: the model.
        folders: where to look beside the folder of the model; those that do not exist are skipped.
        same_weights: take an engine of any export of the model's weights (for a model that was
            named), not only of this very file.

    Returns:
        The newest that fits; verified ones go before others.
    """
    model = OnnxManifest.read(onnx)
    candidates = []
    for folder in dict.fromkeys((onnx.parent, *folders)):
        for engine, manifest in engines_in(folder):
            if manifest.onnx_sha256 == model.onnx_sha256 or (
                same_weights and is_export_of(model, manifest)
            ):
                verified = manifest.verification is not None
                candidates.append((verified, engine.stat().st_mtime, engine))
    reasons = []
    for _, _, engine in sorted(candidates, reverse=True):
        try:
            check_engine(engine)
        except EdgesrError as error:
            reasons.append(EdgesrError(error.what, where=engine.name).line)
            continue
        return Found(engine, f"{engine} was built from {onnx.name} for this board")
    if reasons:
        return Found(None, "; ".join(reasons))
    return Found(None, f"no engine here was built from {onnx.name}")
