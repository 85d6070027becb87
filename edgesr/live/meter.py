"""Power and temperature while frames run, read once a second in a thread."""

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from edgesr.bench.environment import temperatures_c
from edgesr.boards.device import ROOT
from edgesr.errors import EdgesrError
from edgesr.power.sampler import NoPower, PowerSampler, open_sampler

_INTERVAL_S = 1.0
_STALE_S = 5.0
_RENEWED_S = 3600.0  # a sampler keeps all its samples, and a live picture may run for weeks


@dataclass(frozen=True)
class Reading:
    """What is known at a moment.

    Attributes:
        power_w: total of the board; None: unknown.
        temperature_c: of the hottest sensor; None: unknown.
    """

    power_w: float | None = None
    temperature_c: float | None = None


class Meter:
    """Reads a power sampler, and the temperatures that it, or else the kernel, gives.

    Args:
        choice: as `edgesr.power.sampler.open_sampler` takes it.
        runs_on: what the network runs on.
        root: root of the file system that sensors are read from.

    Raises:
        ConfigError, MissingError, PowerError: the choice cannot be had.
    """

    def __init__(self, choice: str, runs_on: Literal["gpu", "cpu"], root: Path = ROOT) -> None:
        self._choice: str = choice
        self._runs_on: Literal["gpu", "cpu"] = runs_on
        self._root = root
        self._stack = ExitStack()
        self._sampler = self._open()
        self._stopping = threading.Event()
        self._sum_w, self._count = 0.0, 0
        self.hottest_c: float | None = None
        self.now = Reading()
        self._read()
        self._thread = threading.Thread(target=self._run, name="live-meter", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Meter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self._stack.close()

    @property
    def source(self) -> str:
        """The sensor of the power: `tegrastats`, `hwmon`, ..., `none`."""
        return self._sampler.source

    @property
    def failure(self) -> str | None:
        """Why there is no power."""
        return self._sampler.failure

    @property
    def mean_w(self) -> float | None:
        """Mean of all readings of the power."""
        return self._sum_w / self._count if self._count else None

    def _open(self) -> PowerSampler:
        self._opened_s = time.monotonic()
        sampler = open_sampler(self._choice, _INTERVAL_S, self._runs_on, self._root)
        return self._stack.enter_context(sampler)

    def _run(self) -> None:
        while not self._stopping.wait(_INTERVAL_S):
            if time.monotonic() - self._opened_s > _RENEWED_S:
                self._stack.close()
                try:
                    self._sampler = self._open()
                except EdgesrError as error:
                    self._sampler = NoPower(error.what)
            self._read()

    def _read(self) -> None:
        samples = self._sampler.samples()
        rails = self._sampler.total.rails
        power_w = None
        heat = {}
        if samples and time.monotonic() - samples[-1].time_s < _STALE_S:
            latest = samples[-1]
            heat = dict(latest.temperatures_c)
            if rails and latest.rails_mw.keys() >= set(rails):
                power_w = sum(latest.rails_mw[rail] for rail in rails) / 1000
                self._sum_w += power_w
                self._count += 1
        hottest = max((heat or temperatures_c(self._root)).values(), default=None)
        if hottest is not None:
            self.hottest_c = max(hottest, self.hottest_c or hottest)
        self.now = Reading(power_w, hottest)
