"""A recorded log in place of a sensor: its samples come at the pace at which they were taken."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgesr.errors import PowerError
from edgesr.power.board_rails import Total, find_total
from edgesr.power.power_log import read_power_samples
from edgesr.power.sample import Sample, rail_names


class ReplaySampler:
    """Replays a file from the moment of `start`.

    Args:
        path: a tegrastats log, or samples as CSV.
        clock: monotonic clock in s.

    Raises:
        PowerError: the file cannot be read or holds no power.
    """

    source = "replay"
    step_mw = 0.0
    failed_reads = 0

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._recorded = read_power_samples(path).samples
        names = rail_names(self._recorded)
        if not names:
            raise PowerError("no line of it holds power", where=path)
        times = [sample.time_s for sample in self._recorded]
        self.interval_s = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
        self._duration_s = times[-1] - times[0]
        self._total = find_total(names)
        self._clock = clock
        self._begin_s: float | None = None
        self._end_s = np.inf

    @property
    def total(self) -> Total:
        """How the total power is made, found from the rails."""
        return self._total

    @property
    def failure(self) -> str | None:
        """That the log is over, once it is."""
        if self._begin_s is None or self._now() - self._begin_s <= self._duration_s:
            return None
        return f"the log that is replayed ended after {self._duration_s:.1f} s"

    def start(self) -> None:
        """Let the log begin now."""
        self._begin_s = self._clock()

    def stop(self) -> None:
        """Let no more samples come."""
        self._end_s = min(self._end_s, self._clock())

    def samples(self) -> tuple[Sample, ...]:
        """Return the samples whose time has come, on this clock."""
        if self._begin_s is None:
            return ()
        shift = self._begin_s - self._recorded[0].time_s
        until = self._now() - shift
        return tuple(
            replace(sample, time_s=sample.time_s + shift)
            for sample in self._recorded
            if sample.time_s <= until
        )

    def _now(self) -> float:
        return min(self._clock(), self._end_s)
