"""Power sensors behind one protocol, and the choice between them.

tegrastats   a Jetson, through its own tool: power, clocks, loads, temperatures
hwmon        a Jetson, through sysfs: power
nvml         an NVIDIA card in a PC
rapl         an Intel or AMD CPU
replay:FILE  a recorded log at its own pace
none         no power
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

from edgesr.boards.device import ROOT, detect_board
from edgesr.errors import Argument, ConfigError, EdgesrError
from edgesr.power.board_rails import Total
from edgesr.power.sample import Sample

CHOICES = ("auto", "tegrastats", "hwmon", "nvml", "rapl", "none", "replay:FILE")


class PowerSampler(Protocol):
    """A sensor that takes samples in the background.

    Attributes:
        source: what it is: `tegrastats`, `hwmon`, ...
        interval_s: time between samples that it was asked for.
        step_mw: the sensor's smallest step; 0 where it is not known.
        failed_reads: readings that it did not give so far.
    """

    source: str
    interval_s: float
    step_mw: float
    failed_reads: int

    def start(self) -> None:
        """Begin; returns once there is power to read.

        Raises:
            MissingError: the tool, driver or device is not on this machine.
            PowerError: it is there and gives no power.
        """

    def stop(self) -> None:
        """End; what was sampled stays. May be called again."""

    def samples(self) -> tuple[Sample, ...]:
        """Return everything sampled so far, stamped with the monotonic clock."""

    @property
    def total(self) -> Total:
        """How the total power is made; its rails are empty where there is none."""

    @property
    def failure(self) -> str | None:
        """Why there are no more samples, or none at all; None while all is well."""


class NoPower:
    """The sampler of a run without power."""

    source = "none"
    interval_s = 0.0
    step_mw = 0.0
    failed_reads = 0

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def start(self) -> None:
        """Begin; there is nothing to do."""

    def stop(self) -> None:
        """End; there is nothing to do."""

    def samples(self) -> tuple[Sample, ...]:
        """Return no samples."""
        return ()

    @property
    def total(self) -> Total:
        """No rails."""
        return Total((), 0.0)

    @property
    def failure(self) -> str | None:
        """Why there is no power."""
        return self._reason


@contextmanager
def open_sampler(
    choice: str,
    interval_s: float = 0.1,
    runs_on: Literal["gpu", "cpu"] = "gpu",
    root: Path = ROOT,
) -> Iterator[PowerSampler]:
    """Start the sampler of a name, and stop it at the end of the block.

    Args:
        choice: one of CHOICES. `auto` takes the first that gives power, and `none` with all the
            reasons where none does; any other choice must work.
        interval_s: time between samples.
        runs_on: what the work runs on; decides on a PC whether `auto` tries its card or CPU first.
        root: root of the file system that sensors are read from.

    Raises:
        ConfigError: no such choice.
        MissingError: the tool, driver or device of the choice is not on this machine.
        PowerError: it is there and gives no power.
    """
    if interval_s <= 0:
        raise ConfigError(
            f"an interval of {interval_s:g} s cannot be", where=Argument("interval_s")
        )
    if choice == "auto":
        sampler = _first_that_works(interval_s, runs_on, root)
    else:
        sampler = make_sampler(choice, interval_s, root)
        _start(sampler)
    try:
        yield sampler
    finally:
        sampler.stop()


def make_sampler(choice: str, interval_s: float, root: Path = ROOT) -> PowerSampler:
    """Return the sampler of a name other than `auto`, not started; see `open_sampler`.

    Raises:
        ConfigError: there is no source of this name.
    """
    from edgesr.boards.gpu import first_gpu
    from edgesr.power.sampler_hwmon import hwmon_sampler
    from edgesr.power.sampler_nvml import nvml_sampler
    from edgesr.power.sampler_rapl import rapl_sampler
    from edgesr.power.sampler_replay import ReplaySampler
    from edgesr.power.sampler_tegrastats import TegrastatsSampler

    kind, _, argument = choice.partition(":")
    makers: dict[str, Callable[[], PowerSampler]] = {
        "tegrastats": lambda: TegrastatsSampler(interval_s, board=detect_board(root)),
        "hwmon": lambda: hwmon_sampler(interval_s, root, detect_board(root)),
        "nvml": lambda: nvml_sampler(interval_s, gpu.uuid if (gpu := first_gpu()) else None),
        "rapl": lambda: rapl_sampler(interval_s, root),
        "none": lambda: NoPower("power was not asked for"),
    }
    if kind == "replay" and argument:
        return ReplaySampler(Path(argument), clock=time.monotonic)
    if kind not in makers or argument:
        raise ConfigError(
            f"no power source is called '{choice}'; there are {', '.join(CHOICES)}",
            where=Argument("power"),
        )
    return makers[kind]()


def _first_that_works(interval_s: float, runs_on: str, root: Path) -> PowerSampler:
    pc = ("nvml", "rapl") if runs_on == "gpu" else ("rapl", "nvml")
    reasons = []
    for choice in ("tegrastats", "hwmon", *pc):
        sampler = _try(choice, interval_s, root)
        if not isinstance(sampler, str):
            return sampler
        reasons.append(f"{choice}: {sampler}")
    return NoPower("; ".join(reasons))


def _try(choice: str, interval_s: float, root: Path) -> PowerSampler | str:
    """Return the sampler of that name, started, or why it cannot be."""
    try:
        sampler = make_sampler(choice, interval_s, root)
        _start(sampler)
    except EdgesrError as error:
        return error.what
    return sampler


def _start(sampler: PowerSampler) -> None:
    """Start it, and leave nothing running where that fails."""
    try:
        sampler.start()
    except BaseException:
        sampler.stop()
        raise
