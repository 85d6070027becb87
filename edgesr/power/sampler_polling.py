"""A sampler for sensors that are read, not listened to: a thread reads at a fixed pace."""

import threading
import time
from collections.abc import Callable

from edgesr.errors import EdgesrError
from edgesr.power.board_rails import Total
from edgesr.power.sample import Sample


class PollingSampler:
    """Calls `read` every `interval_s` in a thread.

    Args:
        source: name of the sensor.
        read: takes one sample; an OSError or EdgesrError it raises ends the sampling.
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
        """Take the first sample here, so that a sensor that fails does so at once."""
        self._samples.append(self._read())
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
                self._samples.append(self._read())
            except OSError as error:
                self._failure = f"{self.source} can no longer be read ({error.strerror})"
                return
            except EdgesrError as error:
                self._failure = error.what
                return
            due = max(due + self.interval_s, time.monotonic())
