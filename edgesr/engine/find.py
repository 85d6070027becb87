"""Whether an engine fits a model on this machine, and where such an engine lies."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edgesr.engine.gpu import first_gpu
from edgesr.engine.manifest import EngineManifest
from edgesr.engine.stack import find_stack
from edgesr.errors import EdgesrError
from edgesr.files import sha256

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
    stack = find_stack((manifest.tensorrt_module,))
    gpu = first_gpu()
    manifest.check(
        engine,
        module=stack.name,
        tensorrt=stack.version,
        compute_capability=None if gpu is None else gpu.compute_capability,
    )
    return manifest


def find_engine(onnx: Path, folders: Iterable[Path] = (FOLDER,)) -> Found:
    """Look for an engine that was built from `onnx` for this machine.

    Args:
        onnx: the model.
        folders: where to look beside the folder of the model; those that do not exist are skipped.

    Returns:
        The newest that fits; verified ones go before others.
    """
    wanted = sha256(onnx)
    candidates = []
    for folder in dict.fromkeys((onnx.parent, *folders)):
        for engine in sorted(folder.glob("*.engine")):
            try:
                manifest = EngineManifest.read(engine)
            except EdgesrError:
                continue  # a file that is no engine of ours is not an answer, and not an error
            if manifest.onnx_sha256 == wanted:
                verified = manifest.verification is not None
                candidates.append((verified, engine.stat().st_mtime, engine))
    reasons = []
    for _, _, engine in sorted(candidates, reverse=True):
        try:
            check_engine(engine)
        except EdgesrError as error:
            reasons.append(f"{engine.name}: {error.what}")
            continue
        return Found(engine, f"{engine} was built from {onnx.name} for this board")
    if reasons:
        return Found(None, "; ".join(reasons))
    return Found(None, f"no engine here was built from {onnx.name}")
