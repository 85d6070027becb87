"""Whether an engine fits a model on this machine, and where such an engine lies."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edgesr import weights
from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.artifacts.file_set import waiting_members
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.boards.gpu import first_gpu
from edgesr.engine.stack import find_stack
from edgesr.errors import EdgesrError, MissingError

if TYPE_CHECKING:
    from edgesr.runtime.tensorrt_session import TensorRTSession

_log = logging.getLogger(__name__)

FOLDER = Path("engines")
"""Where `build-engine` puts engines that were given no name."""


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


def engine_paths(folder: Path) -> list[Path]:
    """Return the engines of a folder; none if it does not exist. Hidden files are temporary."""
    shown = {path for path in folder.glob("*.engine") if not path.name.startswith(".")}
    return sorted(shown | set(waiting_members(folder, "*.engine")))


def engines_in(folder: Path) -> list[tuple[Path, EngineManifest]]:
    """Return the engines of a folder and their manifests; log those whose manifest is wrong."""
    read = ((engine, _read_or_skip(engine)) for engine in engine_paths(folder))
    return [(engine, manifest) for engine, manifest in read if manifest is not None]


def _read_or_skip(engine: Path) -> EngineManifest | None:
    try:
        return EngineManifest.read(engine)
    except EdgesrError as error:
        _say_skipped(error)
        return None


@lru_cache(maxsize=256)  # a folder is searched several times in a command
def _say_skipped_once(text: str) -> None:
    _log.warning("skipped: %s", text)


def _say_skipped(error: EdgesrError) -> None:
    """Log in one line that a file nobody named was passed over."""
    _say_skipped_once(error.line)


def is_export_of(model: OnnxManifest, engine: EngineManifest) -> bool:
    """Return whether an ONNX file holds the weights that an engine was made from."""
    parent = None if model.parent is None else model.parent.sha256
    named = (model.network, model.scale) == (engine.network, engine.scale)
    return named and parent is not None and parent == engine.weights_sha256


def find_fp32_model(manifest: EngineManifest, folders: Iterable[Path]) -> Path | None:
    """Return an ONNX file that repeats an engine's tiles in float32, or None.

    It holds the same weights for the same tile.
    """
    for folder in folders:
        for onnx in sorted(folder.glob("*.onnx")):
            try:
                model = OnnxManifest.read(onnx)
            except EdgesrError as error:
                _say_skipped(error)
                continue
            own = model.onnx_sha256 == manifest.onnx_sha256 or is_export_of(model, manifest)
            if own and model.precision == "fp32" and model.tile == manifest.tile:
                return onnx
    return None


def open_engine(engine: Path, threads: int | None = None) -> "TensorRTSession":
    """Open an engine, with ONNX Runtime behind it for tiles that come out broken.

    Args:
        engine: the engine.
        threads: CPU threads of the repeat; None: one for each core.

    Raises:
        EngineError: it does not fit its manifest or this machine, or cannot be loaded.
        MissingError: TensorRT or pycuda is not installed.
    """
    from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
    from edgesr.runtime.tensorrt_session import TensorRTSession

    folders = dict.fromkeys((engine.parent, FOLDER, weights.FOLDER))
    onnx = find_fp32_model(EngineManifest.read(engine), folders)
    if onnx is None:
        return TensorRTSession(engine)
    model = onnx
    return TensorRTSession(engine, repeat=lambda: OnnxRuntimeSession(model, threads))
