"""Text on pictures, by OpenCV's own letters: no font file is needed. ASCII only."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edgesr.files import utf8_text

Pixels = NDArray[np.uint8]
"""(height, width, 3) RGB."""

Colour = tuple[int, int, int]

INK: Colour = (27, 31, 36)
SOFT: Colour = (92, 102, 114)

_REGULAR, _BOLD = cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX
_SIZE_AT_1 = 30.0  # height of a line in pixels at OpenCV's font scale 1


def text_width(text: str, size: float, bold: bool = False) -> int:
    """Return how wide a line of text is, in pixels.

    Args:
        text: one line.
        size: height of a line in pixels.
        bold: strong letters.
    """
    (width, _), _ = cv2.getTextSize(
        utf8_text(text), _BOLD if bold else _REGULAR, size / _SIZE_AT_1, 1
    )
    return int(width)


def fit(text: str, width: int, size: float, bold: bool = False) -> str:
    """Return as much of a line as fits into a width, with `...` for what does not."""
    if text_width(text, size, bold) <= width:
        return text
    while text and text_width(f"{text}...", size, bold) > width:
        text = text[:-1]
    return f"{text.rstrip()}..."


def write(
    canvas: Pixels,
    text: str,
    at: tuple[int, int],
    size: float,
    colour: Colour = INK,
    bold: bool = False,
) -> None:
    """Write a line of text into a picture.

    Args:
        canvas: is changed.
        text: one line.
        at: x of its begin and y of its base line.
        size: height of a line in pixels.
        colour: RGB.
        bold: strong letters.
    """
    font = _BOLD if bold else _REGULAR
    # Lone surrogates end OpenCV's process.
    cv2.putText(canvas, utf8_text(text), at, font, size / _SIZE_AT_1, colour, 1, cv2.LINE_AA)
