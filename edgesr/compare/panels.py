"""A part of a photograph through several networks.

Only the part and a margin around it are enlarged, so that it takes seconds. A network that looks
further than the margin sees less than it would in the whole photograph.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgesr.compare.crop import Crop, with_context
from edgesr.errors import Argument, ConfigError, ModelError, shell
from edgesr.evaluate.model import CONTROL, EvaluatedModel, EvaluationRequest, open_evaluated
from edgesr.imaging.picture import Picture
from edgesr.runtime.select import DEFAULT_SCALE
from edgesr.weights import shipped_names

INPUT = "input"
"""Name of the panel that shows the photograph's own pixels."""

MARGIN = 16
"""Pixels of the photograph around the part that are enlarged with it and then cut off."""

LARGEST = 2**24
"""Most pixels of an enlarged part: pictures of that size can still be looked at side by side."""

_WARM_UP = 16  # side of the picture that is enlarged before the clock starts


@dataclass(frozen=True)
class Panel:
    """The part as one network enlarges it.

    Attributes:
        name: of the network or its file; no two of a comparison are equal.
        run: what ran it, in words.
        picture: 8 bits a channel.
        latency_ms: enlarging the part with its surroundings, once; None: no network.
        photo_s: what the whole photograph would take at this speed; None: no network.
    """

    name: str
    run: str
    picture: Picture
    latency_ms: float | None
    photo_s: float | None


@dataclass(frozen=True)
class PhotoComparison:
    """A part of a photograph, side by side.

    Attributes:
        photo: the photograph, 8 bits a channel, without alpha.
        crop: the part.
        scale: output side over input side.
        panels: the photograph's own pixels first, then the networks in the order asked for.
    """

    photo: Picture
    crop: Crop
    scale: int
    panels: tuple[Panel, ...]


def compare_on_photo(
    photo: Picture,
    crop: Crop,
    requests: Sequence[EvaluationRequest],
    on_model: Callable[[str], None] = lambda name: None,
) -> PhotoComparison:
    """Enlarge a part of a photograph by every network.

    All networks are loaded before the first is run, so that a wrong name costs no time.

    Args:
        photo: the photograph.
        crop: lies within it.
        requests: the networks, at least one.
        on_model: told each network's name before it runs.

    Raises:
        ConfigError: no such network, not all have one scale, or the part is too large.
        MissingError: a backend is not installed.
        ModelError: a model cannot be loaded, or a tile came out broken.
        WeightsError: a checkpoint does not fit.
    """
    photo = _plain(photo)
    check_shipped(requests)
    names = _names([request.model for request in requests])
    with ExitStack() as stack:
        subjects = [stack.enter_context(open_evaluated(request)) for request in requests]
        scale = _one_scale(names, subjects)
        _check_size(crop.times(scale))
        around = with_context(crop, MARGIN, photo)
        panels = []
        for name, subject in zip(names, subjects, strict=True):
            on_model(name)
            panels.append(_panel(name, subject, photo, crop, around))
    return PhotoComparison(photo, crop, scale, (_own_pixels(photo, crop, scale), *panels))


def check_shipped(requests: Sequence[EvaluationRequest]) -> None:
    """Refuse networks that come without weights, all of them in one message.

    Raises:
        ModelError: the message lists what is shipped.
    """
    known = [(name, scale) for name, scale in shipped_names() if name != CONTROL]
    missing = [
        request.model
        for request in requests
        if request.weights is None
        and request.model != CONTROL
        and not Path(request.model).suffix
        and (request.model, request.scale or DEFAULT_SCALE) not in known
    ]
    if missing:
        listed = ", ".join([*(f"{name} x{scale}" for name, scale in known), f"{CONTROL} (any)"])
        here = [name for name, scale in known if scale == (requests[0].scale or DEFAULT_SCALE)]
        raise ModelError(
            f"no weights come with edgesr for {', '.join(map(shell, missing))}; shipped are "
            f"{listed}",
            where=Argument("model"),
            fix=f"{' '.join(f'-m {shell(name)}' for name in [*here, CONTROL])}, or the path of an "
            "exported .onnx file",
        )


def _plain(photo: Picture) -> Picture:
    """Return the photograph with 8 bits a channel and without alpha."""
    colour = photo.colour
    if colour.dtype == np.uint16:
        colour = np.rint(colour / 257.0).astype(np.uint8)
    return replace(photo, colour=colour, alpha=None, exif=None, notes=())


def _names(models: Sequence[str]) -> list[str]:
    """Return short names; the whole path where the file's name is not enough."""
    short = [Path(model).name for model in models]
    return [
        name if short.count(name) == 1 else model for name, model in zip(short, models, strict=True)
    ]


def _one_scale(names: Sequence[str], subjects: Sequence[EvaluatedModel]) -> int:
    scales = [subject.scale for subject in subjects]
    if len(set(scales)) > 1:
        each = ", ".join(f"{n} x{s}" for n, s in zip(names, scales, strict=True))
        raise ConfigError(f"the models enlarge differently: {each}", where=Argument("model"))
    return scales[0]


def _check_size(enlarged: Crop) -> None:
    if enlarged.width * enlarged.height > LARGEST:
        raise ConfigError(
            f"the part becomes {enlarged.width}x{enlarged.height} pixels for each model; at most "
            f"{LARGEST / 1e6:.0f} megapixels can be put side by side",
            where=Argument("crop"),
            fix="a smaller --crop; edgesr upscale enlarges whole photos",
        )


def _panel(name: str, subject: EvaluatedModel, photo: Picture, crop: Crop, around: Crop) -> Panel:
    part = around.of(photo)
    first = Crop(0, 0, min(_WARM_UP, part.width), min(_WARM_UP, part.height))
    subject.enlarge(first.of(part))
    begin = time.perf_counter()
    enlarged = subject.enlarge(part)
    latency_ms = 1e3 * (time.perf_counter() - begin)
    share = part.width * part.height / (photo.width * photo.height)
    inside = Crop(crop.x - around.x, crop.y - around.y, crop.width, crop.height)
    picture = inside.times(subject.scale).of(enlarged)
    return Panel(name, subject.run, picture, latency_ms, 1e-3 * latency_ms / share)


def _own_pixels(photo: Picture, crop: Crop, scale: int) -> Panel:
    part = crop.of(photo)
    colour = part.colour.repeat(scale, axis=0).repeat(scale, axis=1)
    return Panel(INPUT, "the photograph's own pixels", replace(part, colour=colour), None, None)
