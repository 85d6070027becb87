"""The figures that are written into a frame: two lines in its upper left corner."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesr.compare.lettering import fit, text_width, write

_INK = (255, 255, 255)
_SHADE = 3  # the picture behind the letters keeps one part in so many
_SMALLEST = 12.0
_LINES_PER_HEIGHT = 30


@dataclass(frozen=True)
class Overlay:
    """What is written into a frame.

    Attributes:
        fps: frames shown per second; None: too few yet.
        power_w: of the board; None: unknown.
        temperature_c: of its hottest sensor; None: unknown.
        age_ms: of the frame before, when it was shown; None: there was none.
        dropped: frames that came and were not shown.
        model: the network, and what runs it.
    """

    fps: float | None
    power_w: float | None
    temperature_c: float | None
    age_ms: float | None
    dropped: int
    model: str

    def lines(self) -> tuple[str, str]:
        """Return the two lines; letters are ASCII."""
        fps = "- fps" if self.fps is None else f"{self.fps:.1f} fps"
        power = "power unknown" if self.power_w is None else f"{self.power_w:.2f} W"
        heat = (
            "temperature unknown" if self.temperature_c is None else f"{self.temperature_c:.1f} C"
        )
        age = "" if self.age_ms is None else f"last age {self.age_ms:.0f} ms, "
        return f"{fps}   {power}   {heat}", f"{self.model}, {age}{self.dropped} dropped"


def draw_lines(rgb: NDArray[np.uint8], lines: tuple[str, ...]) -> None:
    """Write lines into the upper left corner of a frame, on a darkened ground.

    Args:
        rgb: (height, width, 3); is changed.
        lines: of ASCII; what does not fit the width is cut with `...`.
    """
    height, width = rgb.shape[:2]
    size = max(_SMALLEST, height / _LINES_PER_HEIGHT)
    margin = round(size / 2)
    shown = [fit(line, width - 2 * margin, size) for line in lines]
    right = min(width, 2 * margin + max(text_width(line, size) for line in shown))
    bottom = round(margin + len(shown) * 1.4 * size)
    rgb[:bottom, :right] //= _SHADE
    for number, line in enumerate(shown, start=1):
        write(rgb, line, (margin, round(number * 1.4 * size)), size, _INK)
