"""A bound on the processor time that ONNX Runtime takes for a call.

A graph of eight hundred bytes may multiply matrices for hours, without a loop. ONNX Runtime can be
told to stop between two operators, so a thread looks at the calls that run.
What it works out while it loads a file is not stopped, nor is a single operator: both are bounded
by what a file may hold (edgesr/artifacts/onnx_file.py).
Processor time is looked at, since other work on the machine is nothing of the network's. A machine
that is slow itself, as an emulated one is by a factor of a hundred, is given as much longer: before
a call is stopped, the machine's speed is measured.
"""

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

_CALL_S = 8.0
_PIXELS = 4096  # of a tile of 64x64, for which the teacher takes a second
_LOOK_S = 1.0
_VALUES = 1 << 20  # whose exponentials take 3 ms of a PC's core, and some 8 ms of a small board's
_VALUES_S = 0.01


def limit_s(pixels: int) -> float:
    """Return the most seconds of a processor that a call may take.

    Args:
        pixels: of its input.
    """
    return _CALL_S * max(1.0, pixels / _PIXELS)


@cache
def slowness() -> float:
    """Return by how much this machine is slower than what the limits are made for: 1 or more."""
    import numpy as np

    values = np.linspace(-4, 4, _VALUES, dtype=np.float32)
    taken_s = []
    for _ in range(3):
        start_s = time.thread_time()
        np.exp(values, out=values)
        taken_s.append(time.thread_time() - start_s)
        np.log(values, out=values)
    return max(1.0, min(taken_s) / _VALUES_S)


class CallWatcher:
    """Stops what takes too long. Its thread lives only while there is something to look at.

    Args:
        limit_s: seconds of a processor that is not slow.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._running: dict[int, tuple[int, float, Callable[[], None]]] = {}
        self._stopped: set[int] = set()
        self._looks = False
        _watchers.add(self)

    @contextmanager
    def watched(self, stop: Callable[[], None]) -> Iterator[Callable[[], bool]]:
        """Call `stop` if the block takes too long; yield what tells whether that happened."""
        thread = threading.get_ident()
        clock = time.pthread_getcpuclockid(thread)
        with self._lock:
            self._stopped.discard(thread)
            self._running[thread] = (clock, time.clock_gettime(clock), stop)
            if not self._looks:
                self._looks = True
                threading.Thread(target=self._look, daemon=True, name="time limit").start()
        try:
            yield lambda: thread in self._stopped
        finally:
            with self._lock:
                del self._running[thread]

    def most_s(self) -> float:
        """Return the most seconds of this machine's processor that a call may take."""
        return self._limit_s * slowness()

    def stop_all(self) -> None:
        """Stop all that runs, however little it has taken: nobody waits for it any more."""
        with self._lock:
            for _, _, stop in self._running.values():
                stop()

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_S)
            with self._lock:
                if not self._running:
                    self._looks = False
                    return
                for thread, (clock, start, stop) in self._running.items():
                    taken_s = time.clock_gettime(clock) - start
                    if taken_s > self._limit_s and taken_s > self.most_s():
                        self._stopped.add(thread)
                        stop()


_watchers: "weakref.WeakSet[CallWatcher]" = weakref.WeakSet()


def stop_all_calls() -> None:
    """Stop every call of this process, as `CallWatcher.stop_all` does for those of one network."""
    for watcher in list(_watchers):
        watcher.stop_all()
