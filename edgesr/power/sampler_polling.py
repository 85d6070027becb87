"""A sampler for sensors that are read, not listened to: a thread reads at a fixed pace."""

import threading
import time
from collections.abc import Callable

from edgesr.errors import EdgesrError, PowerError
from edgesr.power.board_rails import Total
from edgesr.power.sample import Sample

GIVE_UP_S = 5.0
"""A sensor that has failed for so long is not asked any more; a busy bus fails for 50 ms."""

BUSY_S = 0.25
"""A first reading that fails is tried again for so long, for the same reason."""

_AGAIN_S = 0.02


class PollingSampler:
    """Calls `read` every `interval_s` in a thread.

    Args:
        source: name of the sensor.
        read: takes one sample; where it raises an OSError or EdgesrError, the sample is skipped
            and counted, and the sampling ends once nothing else has come for GIVE_UP_S.
        interval_s: time between samples; readings that are late are not caught up with.
        total: how the total is made.
        step_mw: the sensor's step.
        close: called once at the end.
    """

    def __init__(
        self,
        source: str,
        read: Callable[[], Sample],
        interval_s: float,
        total: Total,
        step_mw: float = 0.0,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.source = source
        self.interval_s = interval_s
        self.step_mw = step_mw
        self._read = read
        self._total = total
        self._close = close
        self._samples: list[Sample] = []
        self._failure: str | None = None
        self.failed_reads = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"power-{source}", daemon=True)

    @property
    def total(self) -> Total:
        """How the total power is made."""
        return self._total

    @property
    def failure(self) -> str | None:
        """Why the sampling ended before it was stopped."""
        return self._failure

    def start(self) -> None:
        """Take the first sample here, so that a sensor that fails does so at once.

        Raises:
            PowerError: the sensor cannot be read.
        """
        deadline = time.monotonic() + BUSY_S
        while not self._samples:
            try:
                self._samples.append(self._read())
            except (OSError, EdgesrError) as error:  # noqa: PERF203  # asked again after an error
                self.failed_reads += 1
                if time.monotonic() > deadline:
                    if isinstance(error, EdgesrError):
                        raise
                    raise PowerError(self._words(error)) from error
                time.sleep(_AGAIN_S)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and release the sensor."""
        if self._ending.is_set():
            return
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self._close()

    def samples(self) -> tuple[Sample, ...]:
        """Return everything sampled so far."""
        return tuple(self._samples)

    def _run(self) -> None:
        due = time.monotonic() + self.interval_s
        while not self._ending.wait(max(0.0, due - time.monotonic())):
            try:
                sample = self._read()
            except (OSError, EdgesrError) as error:
                self.failed_reads += 1
                if time.monotonic() - self._samples[-1].time_s > GIVE_UP_S:
                    self._failure = self._words(error)
                    return
            else:
                self._samples.append(sample)
            due = max(due + self.interval_s, time.monotonic())

    def _words(self, error: OSError | EdgesrError) -> str:
        if isinstance(error, EdgesrError):
            return error.what
        return f"{self.source} can no longer be read ({error.strerror})"
