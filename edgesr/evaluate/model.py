"""The model that is evaluated: a shipped network or an .onnx file as users run it, or weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgesr.errors import Argument, ConfigError, shell
from edgesr.evaluate.evaluate import Enlarge, bicubic
from edgesr.imaging.picture import Picture
from edgesr.runtime.photograph import upscale_picture
from edgesr.runtime.select import DEFAULT_SCALE, open_session
from edgesr.runtime.session import Session
from edgesr.runtime.upscale import plan_for

CONTROL = "bicubic"  # the network of this name computes what `imresize` does, so that is used


@dataclass(frozen=True)
class EvaluatedModel:
    """A model ready to be evaluated.

    Attributes:
        name: what was asked for.
        scale: factor between input and output sides.
        run: how it runs, in words.
        enlarge: the model.
    """

    name: str
    scale: int
    run: str
    enlarge: Enlarge


@dataclass(frozen=True)
class EvaluationRequest:
    """Which model to evaluate, and how to run it.

    Attributes:
        model: name of a network, or a model file.
        weights: a checkpoint for the network; it then runs in torch.
        scale: None: the file's, or 4 for a name.
        tile: side of a tile; None: the model's own, or whole pictures where any size will do.
        overlap: pixels that neighbouring tiles share; None: as in upscaling.
        backend: for a model without `weights`, as in upscaling.
        device: for `weights`: `cpu`, `cuda`; None: a GPU where there is one.
    """

    model: str
    weights: Path | None = None
    scale: int | None = None
    tile: int | None = None
    overlap: int | None = None
    backend: str = "auto"
    device: str | None = None


@contextmanager
def open_evaluated(request: EvaluationRequest) -> Iterator[EvaluatedModel]:
    """Load the model for as long as the block runs.

    Raises:
        ConfigError: no such network, or the options do not go together.
        MissingError: the backend or torch is not installed.
        ModelError: the model file cannot be used.
        WeightsError: the checkpoint cannot be read or does not fit.
    """
    if request.model == CONTROL and request.weights is None:
        scale = DEFAULT_SCALE if request.scale is None else request.scale
        yield EvaluatedModel(CONTROL, scale, "MATLAB's imresize", bicubic(scale))
        return
    if request.weights is None:
        session = open_session(request.model, request.backend, request.scale)
    else:
        session = _open_weights(request, request.weights)

    def enlarge(picture: Picture) -> Picture:
        return upscale_picture(session, picture, request.tile, request.overlap).picture

    try:
        yield EvaluatedModel(request.model, session.scale, _in_words(session, request), enlarge)
    finally:
        session.close()


def _open_weights(request: EvaluationRequest, weights: Path) -> Session:
    if Path(request.model).suffix in (".onnx", ".engine"):
        raise ConfigError(
            f"an {Path(request.model).suffix} file holds its own weights",
            where=Argument("weights"),
            fix=f"edgesr eval -m student --weights {shell(weights)}, or leave --weights out",
        )
    from edgesr.models.checkpoint import load_network
    from edgesr.runtime.torch_session import TorchSession

    network = load_network(request.model, request.scale or DEFAULT_SCALE, weights)
    return TorchSession(network, request.model, request.device or _best_device())


def _best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _in_words(session: Session, request: EvaluationRequest) -> str:
    side = session.tile or request.tile
    if side is None:
        tiles = "whole pictures"
    else:
        overlap = plan_for(session, side, side, request.tile, request.overlap).rows.overlap
        tiles = f"tiles of {side} overlapping by {overlap}"
    weights = "" if request.weights is None else f", weights {request.weights}"
    return f"{session.backend}, {tiles}{weights}"
