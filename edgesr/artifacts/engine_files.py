"""The engines of a folder, and which files were made from the same weights."""

import logging
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.artifacts.file_set import waiting_members
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.errors import EdgesrError, EngineError, shell

_log = logging.getLogger(__name__)


def engine_paths(folder: Path) -> list[Path]:
    """Return the engines of a folder; none if it does not exist. Hidden files are temporary.

    Raises:
        EngineError: the folder cannot be read.
    """
    try:
        paths = list(folder.iterdir())  # `glob` passes over a folder that it may not read
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise EngineError(
            f"cannot be read ({error.strerror})", where=folder, fix=f"ls -ld {shell(folder)}"
        ) from error
    shown = {path for path in paths if path.suffix == ".engine" and path.name[0] != "."}
    return sorted(shown | set(waiting_members(folder, "*.engine")))


def engines_in(folder: Path) -> list[tuple[Path, EngineManifest]]:
    """Return the engines of a folder and their manifests; log what cannot be read of them."""
    try:
        engines = engine_paths(folder)
    except EngineError as error:
        _say_skipped(error)
        return []
    read = ((engine, _read_or_skip(engine)) for engine in engines)
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


def find_parent(manifest: EngineManifest, folders: Iterable[Path]) -> Path | None:
    """Return the ONNX file that an engine was built from, or None where it is in no folder."""
    for folder in folders:
        for onnx in sorted(folder.glob("*.onnx")):
            with suppress(EdgesrError, OSError):
                if OnnxManifest.read(onnx).onnx_sha256 == manifest.onnx_sha256:
                    return onnx
    return None


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
