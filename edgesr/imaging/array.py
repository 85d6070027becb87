"""Pictures as NumPy arrays of the caller: which shapes and types are taken, and given back."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import Argument, ImageError
from edgesr.imaging.picture import Picture, Samples

Array = NDArray[Any]
"""(height, width) grey, or (height, width, channels): 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and
alpha, which the colour is not multiplied by. uint8 or uint16 from 0 to the type's largest value;
float32 in [0, 1]."""

_TYPES = ("uint8", "uint16", "float32")
_SHAPES = "(height, width) or (height, width, channels) with 1 to 4 channels"


def picture_of(array: Array) -> Picture:
    """Return the picture that an array holds.

    Args:
        array: as `Array` says.

    Raises:
        ImageError: another type or shape, no pixels, or floats that are not in [0, 1].
    """
    where = Argument("picture")
    if array.dtype.name not in _TYPES:
        raise ImageError(
            f"an array of {array.dtype} is no picture; there are {', '.join(_TYPES)}", where=where
        )
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or not 1 <= channels <= 4 or array.size == 0:
        raise ImageError(f"an array of shape {array.shape} is no picture: {_SHAPES}", where=where)
    if array.dtype.kind == "f" and not (array.min() >= 0.0 and array.max() <= 1.0):  # or NaN
        raise ImageError(
            "floats of a picture lie from 0 to 1",
            where=where,
            fix="numpy.clip(picture, 0, 1), or divide by 255",
        )
    # The type says integers, because all files hold those; floats come in here and nowhere else.
    planes = cast(Samples, array.reshape(*array.shape[:2], channels))
    grey = channels <= 2
    colour = planes[:, :, :1].repeat(3, axis=2) if grey else planes[:, :, :3]
    alpha = planes[:, :, -1] if channels in (2, 4) else None
    return Picture(colour, alpha, grey)


def array_of(picture: Picture) -> Array:
    """Return a picture as an array, with the channels that it has: `Array`."""
    colour = picture.colour[:, :, :1] if picture.grey else picture.colour
    if picture.alpha is None:
        return np.ascontiguousarray(colour[:, :, 0] if picture.grey else colour)
    return np.concatenate([colour, picture.alpha[:, :, None]], axis=2)
