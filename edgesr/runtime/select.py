"""Which backend runs a model: the one place where backends are listed.

A new backend is one entry in `BACKENDS`; `auto` takes the first that suits the request.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from edgesr.errors import Argument, ConfigError, EngineError, MissingError, ModelError, shell
from edgesr.weights import shipped, shipped_names

if TYPE_CHECKING:
    from edgesr.engine.find import FoundEngine
    from edgesr.runtime.session import Session

DEFAULT_SCALE = 4


@dataclass(frozen=True)
class Request:
    """What a user asked for.

    Attributes:
        model: name of a network, or path of an .onnx or .engine file.
        scale: factor between input and output sides; None: the file's, or 4 for a name.
        threads: CPU threads; None: the backend's choice.
    """

    model: str
    scale: int | None = None
    threads: int | None = None

    @property
    def path(self) -> Path | None:
        """The file, None if `model` is a name: names have no suffix and no folder."""
        is_path = Path(self.model).suffix != "" or os.sep in self.model
        return Path(self.model) if is_path else None

    @property
    def is_engine(self) -> bool:
        """Whether `model` is the path of a TensorRT engine, which no other backend runs."""
        return self.path is not None and self.path.suffix == ".engine"

    @property
    def scale_of_name(self) -> int:
        """The scale at which a name is looked up."""
        return DEFAULT_SCALE if self.scale is None else self.scale


@dataclass(frozen=True)
class Backend:
    """A way to run networks.

    Attributes:
        name: what the user types.
        offer: what opens a request on this machine, where `auto` may choose this backend for it;
            None: it may not.
        open: loads the network, or says why it cannot.
    """

    name: str
    offer: "Callable[[Request], Callable[[], Session] | None]"
    open: "Callable[[Request], Session]"


def find_engine_for(request: Request) -> "FoundEngine":
    """Return the TensorRT engine that runs a request here, or the reason why there is none.

    An engine was given, or lies beside the model or in the person's own folder of engines
    (`edgesr.artifacts.home`) and was built from this very file; for a network's name, from any
    export of the shipped weights.

    Raises:
        ModelError: the .onnx file or its manifest is wrong, or nothing of this name is shipped.
        EngineError: the engine that was given does not fit.
        MissingError: the engine was given, and TensorRT is not installed.
    """
    from edgesr.engine.find import FoundEngine, find_engine, read_engine

    path = request.path
    if request.is_engine and path is not None:
        return FoundEngine(read_engine(path), "it was given")
    onnx = path or shipped(request.model, request.scale_of_name, "onnx")
    return find_engine(onnx, same_weights=path is None)


def why_not_tensorrt(model: str, scale: int | None) -> str:
    """Return in one line why `auto` finds no engine for a model here."""
    try:
        return find_engine_for(Request(model, scale)).reason
    except ModelError as error:
        return error.what


def _offer_tensorrt(request: Request) -> "Callable[[], Session] | None":
    if request.is_engine:
        return partial(_open_tensorrt, request)
    try:
        found = find_engine_for(request).engine
    except ModelError:  # the backend that is chosen instead says what is wrong with the model
        return None
    if found is None:
        return None
    from edgesr.runtime.tensorrt_repeat import open_engine

    return partial(open_engine, found, request.threads)


def _open_tensorrt(request: Request) -> "Session":
    from edgesr.runtime.tensorrt_repeat import open_engine

    found = find_engine_for(request)
    if found.engine is None:
        raise EngineError(
            found.reason,
            where=request.model,
            fix=f"edgesr build-engine -m {shell(request.model)}",
        )
    return open_engine(found.engine, request.threads)


def _offer_onnxruntime(request: Request) -> "Callable[[], Session] | None":
    if request.path is None and (request.model, request.scale_of_name) not in shipped_names():
        return None
    if request.path is None and not shipped(request.model, request.scale_of_name, "onnx").is_file():
        return None
    return partial(_open_onnxruntime, request)


def _open_onnxruntime(request: Request) -> "Session":
    from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession

    path = request.path or shipped(request.model, request.scale_of_name, "onnx")
    return OnnxRuntimeSession(path, request.threads)


def _offer_torch(request: Request) -> "Callable[[], Session] | None":
    if request.path is not None or find_spec("torch") is None:
        return None
    return partial(_open_torch, request)


def _open_torch(request: Request) -> "Session":
    if request.path is not None:
        raise ConfigError(
            "the torch backend runs networks by name, not files",
            where=request.model,
            fix=Argument("backend", "onnxruntime"),
        )
    if find_spec("torch") is None:
        raise MissingError("torch is not installed", fix="pip install 'edgesr[train]'")
    from edgesr.models.checkpoint import load_network
    from edgesr.runtime.torch_session import TorchSession

    network = load_network(request.model, request.scale_of_name, None)
    return TorchSession(network, request.model, threads=request.threads)


BACKENDS = (
    Backend("tensorrt", _offer_tensorrt, _open_tensorrt),
    Backend("onnxruntime", _offer_onnxruntime, _open_onnxruntime),
    Backend("torch", _offer_torch, _open_torch),
)
"""Every backend, the one that `auto` prefers first."""


def backend_names() -> list[str]:
    """Return what a user can ask for, `auto` first."""
    return ["auto", *(backend.name for backend in BACKENDS)]


def _opener(request: Request, backend: str) -> "Callable[[], Session]":
    """Return what opens a request with the backend asked for, or the best that suits it here.

    Raises:
        ConfigError: no such backend, or it runs no engines.
    """
    named = {candidate.name: candidate for candidate in BACKENDS}
    if backend not in backend_names():
        known = ", ".join(backend_names())
        raise ConfigError(
            f"no backend is called '{backend}'; there are {known}", where=Argument("backend")
        )
    if request.is_engine and backend not in ("auto", "tensorrt"):
        raise ConfigError(
            f"engines run on tensorrt, not {backend}",
            where=Argument("backend"),
            fix=Argument("backend", "tensorrt"),
        )
    if backend != "auto":
        return partial(named[backend].open, request)
    offers = (candidate.offer(request) for candidate in BACKENDS)
    fallback = partial(named["onnxruntime"].open, request)  # its error says what is missing
    return next((offer for offer in offers if offer is not None), fallback)


def open_session(
    model: str, backend: str = "auto", scale: int | None = None, threads: int | None = None
) -> "Session":
    """Load a network with the backend asked for, or the best that suits it here.

    Args:
        model: name of a network, such as `student`, or path of an .onnx or .engine file.
        backend: `auto` or a name in `BACKENDS`.
        scale: factor between input and output sides; None: the file's, or 4 for a name.
        threads: CPU threads; None: the backend's choice.

    Raises:
        ConfigError: no such backend, the backend cannot run such a model, or the file has another
            scale.
        MissingError: the backend is not installed.
        ModelError: the model cannot be loaded.
        EngineError: the engine does not fit this machine, or there is none.
    """
    request = Request(model, scale, threads)
    session = _opener(request, backend)()
    if scale is not None and session.scale != scale:
        raise ConfigError(
            f"{model} enlarges {session.scale} times, not {scale}",
            where=Argument("scale"),
            fix=Argument("scale", session.scale),
        )
    return session
