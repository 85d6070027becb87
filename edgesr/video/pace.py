"""How fast frames are done."""

import time


class ProgressPace:
    """Counts frames from now on."""

    def __init__(self) -> None:
        self._begin_s = time.perf_counter()
        self._frames = 0

    def count(self) -> str:
        """Count one more frame; return the pace as a line."""
        self._frames += 1
        return f"{self.frames_per_s:.3g} frames/s"

    @property
    def frames_per_s(self) -> float | None:
        """Frames a second so far; None before the first."""
        if self._frames == 0:
            return None
        return round(self._frames / (time.perf_counter() - self._begin_s), 4)
