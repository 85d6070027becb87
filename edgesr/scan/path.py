"""The order in which a scan walks over the pixels of a picture.

Tokens lie in raster order: pixel (row, column) of a height x width picture is token
row * width + column. A scan may walk along rows or along columns, forward or backward; the tokens
stay where they are, and the scan computes where step t reads and writes.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Direction:
    """How a scan walks.

    Attributes:
        columns: along columns, each from top to bottom; else along rows, each from left to right.
        reverse: the same walk from its end to its beginning.
    """

    columns: bool = False
    reverse: bool = False


FORWARD = Direction()
TURNS = (
    FORWARD,
    Direction(reverse=True),
    Direction(columns=True),
    Direction(columns=True, reverse=True),
)
"""The four directions, in the order in which the blocks of a network take turns."""


@dataclass(frozen=True)
class ScanPath:
    """The walk of one scan over one picture size.

    Attributes:
        height: rows of pixels.
        width: columns of pixels.
        direction: how it walks.
    """

    height: int
    width: int
    direction: Direction = FORWARD

    @property
    def length(self) -> int:
        """Return the number of steps, one for each token."""
        return self.height * self.width

    def token(self, step: int) -> int:
        """Return the token that step `step` reads and writes; the specification of every form."""
        step = self.length - 1 - step if self.direction.reverse else step
        if not self.direction.columns:
            return step
        column, row = divmod(step, self.height)
        return row * self.width + column
