"""Whether an engine fits a model on this machine, and where such an engine lies."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from edgesr.artifacts import home
from edgesr.artifacts.engine_files import engines_in, is_export_of
from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.boards.gpu import first_gpu
from edgesr.engine.stack import find_stack
from edgesr.errors import EdgesrError, EngineError, MissingError
from edgesr.files import open_regular


@dataclass(frozen=True)
class ReadEngine:
    """An engine that may be loaded here: what was hashed is what will be loaded.

    Attributes:
        path: where it lies.
        manifest: what it is.
        content: the file, of the SHA-256 that the manifest states.
    """

    path: Path
    manifest: EngineManifest
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class FoundEngine:
    """The result of a search for an engine.

    Attributes:
        engine: the engine to use, read; None: none.
        reason: why it was taken, or why none was, in one line.
    """

    engine: ReadEngine | None
    reason: str


def read_engine(engine: Path) -> ReadEngine:
    """Read an engine that may be loaded here; its content is read and hashed once.

    Raises:
        EngineError: it does not fit its manifest, this GPU or this TensorRT, or cannot be read.
        MissingError: TensorRT is not installed.
    """
    manifest = _check_machine(engine)
    try:
        with open_regular(engine) as file:
            content = file.read()
    except OSError as error:
        raise EngineError(f"cannot be read ({error.strerror})", where=engine) from error
    manifest.check_content(engine, hashlib.sha256(content).hexdigest())
    return ReadEngine(engine, manifest, content)


def _check_machine(engine: Path) -> EngineManifest:
    """Return the manifest of an engine that was made for this machine."""
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
    onnx: Path, folders: Iterable[Path] | None = None, same_weights: bool = False
) -> FoundEngine:
    """Look for an engine of a model for this machine: the same from whichever folder it is called.

    Args:
        onnx: the model.
        folders: where to look beside the folder of the model, those that do not exist are skipped;
            None: in the person's own folder of engines.
        same_weights: take an engine of any export of the model's weights (for a model that was
            named), not only of this very file.

    Returns:
        The newest that fits; verified ones go before others.
    """
    model = OnnxManifest.read(onnx)
    candidates = []
    known = (home.engines(),) if folders is None else folders
    for folder in dict.fromkeys((onnx.parent, *known)):
        for engine, manifest in engines_in(folder):
            if manifest.onnx_sha256 == model.onnx_sha256 or (
                same_weights and is_export_of(model, manifest)
            ):
                verified = manifest.verification is not None
                candidates.append((verified, engine.stat().st_mtime, engine))
    reasons = []
    for _, _, engine in sorted(candidates, reverse=True):
        try:
            found = read_engine(engine)
        except EdgesrError as error:
            reasons.append(EdgesrError(error.what, where=engine.name).line)
            continue
        return FoundEngine(found, f"{engine} was built from {onnx.name} for this board")
    if reasons:
        return FoundEngine(None, "; ".join(reasons))
    return FoundEngine(None, f"no engine here was built from {onnx.name}")
