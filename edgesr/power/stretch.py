"""Lines of a log without a gap between them: their times, and how far these may be off."""

from dataclasses import dataclass

from edgesr.power.sample import Array


@dataclass(frozen=True)
class Stretch:
    """Times of lines without a gap between them.

    Attributes:
        times_s: in the seconds of the stamps, shape (n,).
        pace_limit_s: the time from each line to the next may be longer or shorter by so much, all
            of them alike.
        edge_limits_s: each line alone may be off by so much, shape (n,).
        first_limit_s: the first line may have come so much earlier or later by the clock.
        last_limit_s: the last line likewise.
        is_even: the lines follow one pace; if not, only the second of each is known.
    """

    times_s: Array
    pace_limit_s: float
    edge_limits_s: Array
    first_limit_s: float
    last_limit_s: float
    is_even: bool = True
