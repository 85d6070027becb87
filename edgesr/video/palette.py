"""Pictures of at most 256 colours, as GIF has them."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

_COLOURS = 256
_HALF = 128


def to_palette(pixels: NDArray[Any]) -> "Image":
    """Return a picture with a palette of its own.

    Colours are kept as they are if there are few enough, else the median cut chooses. A pixel that
    is less than half opaque becomes the one transparent colour.

    Args:
        pixels: (height, width, 3) RGB or (height, width, 4) RGBA, uint8.
    """
    from PIL import Image

    hidden = pixels[:, :, 3] < _HALF if pixels.shape[2] == 4 else np.zeros(pixels.shape[:2], bool)
    room = _COLOURS - int(hidden.any())
    colours, numbers = _few_colours(pixels, hidden, room)
    if colours is None:
        shown = np.ascontiguousarray(pixels[:, :, :3])
        if hidden.any() and not hidden.all():
            shown[hidden] = shown[~hidden][0]  # no colour of the palette for what is not seen
        cut = Image.fromarray(shown).quantize(room, Image.Quantize.MEDIANCUT, kmeans=1)
        colours = np.array(cut.getpalette(), np.uint8).reshape(-1, 3)[:room]
        numbers = np.array(cut)
    if hidden.any():
        numbers[hidden] = len(colours)
        colours = np.concatenate([colours, np.zeros((1, 3), np.uint8)])
    result = Image.fromarray(numbers.astype(np.uint8), "P")
    result.putpalette(colours.tobytes())
    if hidden.any():
        result.info["transparency"] = len(colours) - 1
    return result


def _few_colours(
    pixels: NDArray[Any], hidden: NDArray[np.bool_], room: int
) -> tuple[NDArray[np.uint8] | None, NDArray[Any]]:
    """Return the colours that are seen and each pixel's number; None if they are more than fit."""
    packed = pixels[:, :, :3].astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    known = np.unique(packed[~hidden])
    if len(known) > room:
        return None, packed
    if len(known) == 0:
        known = np.zeros(1, np.uint32)
    numbers = np.minimum(np.searchsorted(known, packed), len(known) - 1)
    colours = np.stack([known >> 16, known >> 8 & 255, known & 255], axis=1)
    return colours.astype(np.uint8), numbers
