"""From the samples of a TIFF picture to colour and alpha, by what its directory says they mean."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.imaging import tiff as tags
from edgesr.imaging.cmyk import to_rgb
from edgesr.imaging.layers import Layers, Samples
from edgesr.imaging.tiff import Tiff

_BLOCK_SAMPLES = 1 << 22  # turned at a time, since each takes eight bytes meanwhile


def to_layers(samples: NDArray[Any], tiff: Tiff, profile: bytes | None) -> Layers:
    """Return the picture of samples.

    Args:
        samples: (height, width, samples), as stored.
        tiff: what they mean.
        profile: of CMYK colours.
    """
    colours = tags.COLOURS[tiff.photometric]
    notes: list[str] = []
    if tiff.format in (tags.UNSIGNED, tags.UNTYPED) and tiff.bits <= 16:
        values = _whole(samples, tiff)
        colour, rest = values[:, :, :colours], values[:, :, colours:]
    else:
        colour, note = _by_range(samples[:, :, :colours], tiff)
        rest, _ = _by_range(samples[:, :, colours:], tiff)
        notes.append(note)
    if tiff.photometric == tags.PALETTE:
        colour = _palette(samples[:, :, 0], tiff)
        rest = (rest // (257 if rest.dtype == np.uint16 else 1)).astype(np.uint8)
    if tiff.photometric == tags.WHITE_IS_ZERO:
        colour = np.subtract(np.iinfo(colour.dtype).max, colour, dtype=colour.dtype)
    if tiff.photometric == tags.CMYK:
        colour, note = to_rgb(colour, profile)
        notes.append(note)
    grey = colour.shape[2] == 1
    if grey:
        colour = np.repeat(colour, 3, axis=2)
    elif tiff.photometric == tags.PALETTE:
        grey = bool((colour == colour[:, :, :1]).all())
    alpha, note = _alpha(rest, tiff)
    if alpha is not None and tags.ALPHA_MULTIPLIED in tiff.extra:
        colour = _straight(colour, alpha)
    return Layers(np.ascontiguousarray(colour), alpha, grey, tuple(filter(None, (*notes, note))))


def _blocks(height: int, width: int) -> Iterator[slice]:
    step = max(1, _BLOCK_SAMPLES // max(1, width))
    for top in range(0, height, step):
        yield slice(top, top + step)


def _whole(samples: NDArray[Any], tiff: Tiff) -> Samples:
    """Return unsigned samples of up to 16 bits with white at 255 or 65535."""
    if tiff.bits in (8, 16):
        return samples
    white = 255 if tiff.bits < 8 else 65535
    kind = np.uint8 if tiff.bits < 8 else np.uint16
    most = (1 << tiff.bits) - 1
    table = np.rint(np.arange(most + 1) * (white / most)).astype(kind)
    whole: Samples = table[samples]
    return whole


def _palette(numbers: NDArray[Any], tiff: Tiff) -> Samples:
    """Return 8 bit colours; some writers fill the map's 16 bits with values below 256."""
    entries = np.array(tiff.directory.numbers(tags.COLOUR_MAP), np.uint16).reshape(3, -1).T
    colours = entries if entries.max(initial=0) < 256 else entries >> 8
    palette: Samples = colours.astype(np.uint8)[numbers]
    return palette


def _by_range(samples: NDArray[Any], tiff: Tiff) -> tuple[Samples, str]:
    """Return 16 bits in place of other samples, which have no white of their own.

    Values from 0 to 1 are taken to mean black and white; others by the range they fill.
    """
    low, high, broken = np.inf, -np.inf, 0
    for rows in _blocks(*samples.shape[:2]):
        part = samples[rows]
        finite = np.isfinite(part)
        if not finite.all():
            broken += int((~finite).sum())
            part = part[finite]
        if part.size:
            low, high = min(low, float(part.min())), max(high, float(part.max()))
    if low >= 0 and high <= 1 and samples.dtype.kind == "f":
        low, high = 0.0, 1.0
    result = np.empty(samples.shape, np.uint16)
    span = high - low if high > low else 1.0
    for rows in _blocks(*samples.shape[:2]):
        share = (samples[rows].astype(np.float64) - low) / span
        share = np.nan_to_num(share, nan=0.0, posinf=1.0, neginf=0.0)
        result[rows] = np.rint(np.clip(share, 0.0, 1.0) * 65535)
    kind = {"f": "float", "i": "signed"}.get(samples.dtype.kind, "whole")
    note = f"its {tiff.bits} bit {kind} values became 16 bits: {low:g} black, {high:g} white"
    if broken:
        note += f", {broken} that are no numbers black"
    return result, note


def _alpha(rest: Samples, tiff: Tiff) -> tuple[Samples | None, str]:
    known = (tags.ALPHA_MULTIPLIED, tags.ALPHA_STRAIGHT)
    at = next((number for number, kind in enumerate(tiff.extra) if kind in known), None)
    alpha = None if at is None else np.ascontiguousarray(rest[:, :, at])
    others = len(tiff.extra) - (at is not None)
    if not others:
        return alpha, ""
    return (
        alpha,
        f"{others} further samples of its pixels, whose meaning it does not say, were left out",
    )


def _straight(colour: Samples, alpha: Samples) -> Samples:
    """Divide the alpha out of colours that it was multiplied into."""
    white = np.iinfo(colour.dtype).max
    result = np.empty_like(colour)
    for rows in _blocks(*colour.shape[:2]):
        share = colour[rows] * (white / np.maximum(alpha[rows], 1))[:, :, None]
        result[rows] = np.minimum(np.rint(share), white)
    return result
