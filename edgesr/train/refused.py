"""Files of a training folder that are left out: how many, and what is wrong with the first few."""

from dataclasses import dataclass

from edgesr.decode import Count, Text
from edgesr.errors import ImageError

SHOWN = 3  # files that are named


@dataclass(frozen=True)
class Refused:
    """Files that are no picture, or smaller than one LR pixel.

    Attributes:
        count: how many they are.
        reasons: what is wrong with the first of them, `FILE: WHY`.
    """

    count: Count = 0
    reasons: tuple[Text, ...] = ()

    def and_one(self, error: ImageError) -> "Refused":
        """Return these and another one."""
        reasons = self.reasons if self.count >= SHOWN else (*self.reasons, error.line)
        return Refused(self.count + 1, reasons)

    @property
    def lines(self) -> tuple[str, ...]:
        """What to tell of them, line by line; none: there are none."""
        if not self.count:
            return ()
        more = self.count - len(self.reasons)
        files = "1 file" if self.count == 1 else f"{self.count} files"
        return (
            f"left out, as no picture can be read from it: {files}",
            *(f"  {reason}" for reason in self.reasons),
            *([f"  and {more} more"] if more else []),
        )
