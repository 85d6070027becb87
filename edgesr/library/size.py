"""How large a result shall be, and which network comes nearest to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgesr.errors import Argument, ConfigError

SMALLEST, LARGEST = 1, 8
"""Output side over input side, at least and at most."""


@dataclass(frozen=True)
class Size:
    """A size that was asked for, with the shape of the picture kept.

    Attributes:
        scale: output side over input side, where neither width nor height is given.
        width: of the result in pixels, at most; None: any.
        height: of the result in pixels, at most; None: any.

    Raises:
        ConfigError: a scale that is not from 1 to 8, or a side without pixels.
    """

    scale: float
    width: int | None = None
    height: int | None = None

    def __post_init__(self) -> None:
        if not SMALLEST <= self.scale <= LARGEST:
            raise ConfigError(
                f"an enlargement lies from {SMALLEST} to {LARGEST}, not at {self.scale:g}",
                where=Argument("scale"),
            )
        for name, side in (("width", self.width), ("height", self.height)):
            if side is not None and side < 1:
                raise ConfigError(f"a side has 1 pixel at least, not {side}", where=Argument(name))

    def factor(self, width: int, height: int) -> float:
        """Return output side over input side for a picture of (width, height) pixels.

        Raises:
            ConfigError: it is not from 1 to 8.
        """
        sides = (("width", self.width, width), ("height", self.height, height))
        asked = [(wanted / side, name) for name, wanted, side in sides if wanted is not None]
        factor, name = min(asked, default=(self.scale, "scale"))
        if not SMALLEST <= factor <= LARGEST:
            raise ConfigError(
                f"a picture of {width}x{height} would be enlarged by {factor:.3g}, "
                f"which is not from {SMALLEST} to {LARGEST}",
                where=Argument(name),
            )
        return factor

    def of(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height) of the result for a picture of (width, height) pixels.

        Raises:
            ConfigError: as `factor`.
        """
        factor = self.factor(width, height)
        return round(factor * width), round(factor * height)


def nearest(factor: float, scales: Sequence[int]) -> int:
    """Return the scale of the network for an enlargement: the smallest that is not below it.

    What the network gives is then shrunk; where none is as large, the largest, and its result is
    enlarged on.

    Args:
        factor: output side over input side.
        scales: of the networks that there are, at least one.
    """
    return min((scale for scale in scales if scale >= factor), default=max(scales))
