"""Latest frame first, and none that is too old. Pure: times in, decisions out.

A frame is too old once two intervals of the source have passed since its capture. It is then not
shown, whatever work it has cost; and work does not begin on a frame that would be too old at its
end, while a fresher one is on its way.
"""

from collections import deque

LIMIT_INTERVALS = 2
"""Age, in intervals of the source, beyond which a frame is not shown."""

RESERVE = 0.25
"""Part of an interval kept free for whatever else the machine does while a frame is handed over."""

_REMEMBERED = 8  # a single slow frame is forgotten after so many


class Estimate:
    """How long a step may take: as long as the longest of its latest.

    Args:
        first_s: stands for the first, before anything is known.
    """

    def __init__(self, first_s: float = 0.0) -> None:
        self._latest_s: deque[float] = deque([first_s], maxlen=_REMEMBERED)

    def add(self, duration_s: float) -> None:
        """Take note of how long it took."""
        self._latest_s.append(duration_s)

    def forget(self) -> None:
        """Forget the oldest: a frame was dropped for this estimate, which may hold no longer."""
        if self._latest_s:
            self._latest_s.popleft()

    @property
    def longest_s(self) -> float:
        """The longest of the latest; 0 once all are forgotten."""
        return max(self._latest_s, default=0.0)


def age_limit_s(interval_s: float) -> float:
    """Return the age beyond which a frame of a source with this interval is not shown."""
    return LIMIT_INTERVALS * interval_s


def worth_starting(age_s: float, work_s: float, interval_s: float, just_came: bool) -> bool:
    """Decide whether work on a frame begins, or the next one is waited for.

    Args:
        age_s: of the frame, now.
        work_s: how long work and display may take.
        interval_s: of the source.
        just_came: whether it has not waited; no later frame will be fresher, so it is worth a try
            even where the work has lately taken too long.
    """
    limit = age_limit_s(interval_s)
    return age_s < limit if just_came else age_s + work_s <= limit


def last_moment_s(captured_s: float, display_s: float, interval_s: float) -> float:
    """Return until when a frame may go to its sink, so as not to be too old once it is shown.

    Args:
        captured_s: when it was captured.
        display_s: how long the sink may take to take it in.
        interval_s: of the source.
    """
    reserve_s = max(display_s, RESERVE * interval_s)
    return captured_s + age_limit_s(interval_s) - reserve_s
