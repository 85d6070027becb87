"""How much memory a build took, on a machine where CPU and GPU share it."""

import threading
from pathlib import Path
from types import TracebackType

from edgesr.boards.free_memory import machine_available_bytes

PERIOD_S = 0.05


class PeakMemory:
    """Measure how far the system's available memory falls while the block runs.

    On a Jetson the GPU allocates from the same memory, so the process's resident size would miss
    most of what the builder takes; other programs are counted in.

    Attributes:
        mib: largest fall seen, in MiB; None where /proc/meminfo does not tell.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._before = self._available_mib()
        self._lowest = self._before

    @property
    def mib(self) -> int | None:
        """Largest fall so far."""
        if self._before is None or self._lowest is None:
            return None
        return max(0, self._before - self._lowest)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._stop.wait(PERIOD_S):
            self._look()

    def _look(self) -> None:
        now = self._available_mib()
        if now is not None and self._lowest is not None:
            self._lowest = min(self._lowest, now)

    def _available_mib(self) -> int | None:
        available = machine_available_bytes(self._root)
        return None if available is None else available >> 20
