"""A photograph at exactly another size: bicubic, with its alpha channel and metadata."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.imaging.exif import for_new_size
from edgesr.imaging.picture import Picture
from edgesr.imaging.resize import resize_to

METHOD = "bicubic"
"""Name of the method: Keys' kernel, widened when shrinking (resize.py)."""

_DEEPEST = 65535  # floats are taken as that many steps where alpha is all but none


def resized(picture: Picture, width: int, height: int) -> Picture:
    """Return the picture with other sides.

    Where alpha varies, colour is multiplied by it before and divided by it after, so that the
    hidden colour of transparent pixels does not bleed into the edges.

    Args:
        picture: to resize.
        width: of the result, in pixels.
        height: of the result, in pixels.
    """
    exif = None if picture.exif is None else for_new_size(picture.exif, width, height)
    said = picture.metadata.for_new_size((picture.width, picture.height), (width, height))
    picture = replace(picture, exif=exif, metadata=said)
    alpha = picture.alpha
    if alpha is None or bool((alpha == alpha[0, 0]).all()):
        colour = _clipped(resize_to(picture.colour, height, width), picture)
        flat = None if alpha is None else np.full((height, width), alpha[0, 0], alpha.dtype)
        return replace(picture, colour=colour, alpha=flat)
    # Not clipped before the division: where opacity overshoots, so does the weighted colour.
    opacity = resize_to(alpha.astype(np.float32), height, width)
    weighted = picture.colour.astype(np.float32) * alpha[:, :, None].astype(np.float32)
    faintest = 0.5 * picture.white / (_DEEPEST if picture.is_float else picture.white)
    colour = resize_to(weighted, height, width) / np.maximum(opacity, faintest)[:, :, None]
    return replace(
        picture,
        colour=_clipped(colour, picture),
        alpha=_clipped(opacity, picture),
    )


def _clipped(values: NDArray[Any], picture: Picture) -> NDArray[Any]:
    """Return values as the picture's samples hold them."""
    clipped = values.clip(0, picture.white)
    whole = clipped if picture.is_float or clipped.dtype.kind == "u" else np.rint(clipped)
    return whole.astype(picture.colour.dtype)
