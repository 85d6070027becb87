"""What one line of tegrastats says, as immutable records."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from edgesr.power.sample import Sample

RAIL_PREFIXES = ("VDD", "VIN", "POM_")
"""How the names of rails begin that no other field can have."""


@dataclass(frozen=True, slots=True)
class PowerReading:
    """Power of one rail.

    Attributes:
        current_mw: now, that is over the sensor's own averaging time.
        average_mw: mean since tegrastats was started, idle time and all; None where not printed.
        peak_mw: highest since then (Jetson Linux 39); None where not printed.
    """

    current_mw: int
    average_mw: int | None = None
    peak_mw: int | None = None


@dataclass(frozen=True, slots=True)
class Temperature:
    """Temperature of one sensor; `peak_c` only where printed (Jetson Linux 39)."""

    current_c: float
    peak_c: float | None = None


@dataclass(frozen=True, slots=True)
class HardwareEngine:
    """Load and clocks of a hardware unit: GPU (GR3D), memory controller (EMC), encoder, ...

    Attributes:
        load_percent: None where not printed (always so for Thor's GPU, and while it is off).
        clocks_mhz: one value, or one per cluster (`@[1300,1300]`); empty where not printed.
        is_off: printed as `off`.
    """

    load_percent: int | None = None
    clocks_mhz: tuple[int, ...] = ()
    is_off: bool = False


@dataclass(frozen=True, slots=True)
class CpuCore:
    """One CPU core; both values are None while it is off."""

    is_on: bool
    load_percent: int | None = None
    clock_mhz: int | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """RAM, SWAP or IRAM in MiB (tegrastats prints `MB` and `kB` for powers of 1024).

    Attributes:
        used_mb: in use.
        total_mb: available to programs.
        free_blocks: number of free blocks of the largest size; None where not printed.
        free_block_mb: that size; None where not printed.
        cached_mb: SWAP only.
    """

    used_mb: float
    total_mb: float
    free_blocks: int | None = None
    free_block_mb: float | None = None
    cached_mb: float | None = None


@dataclass(frozen=True, slots=True)
class TegrastatsLine:
    """Everything one line holds; what the line lacks is None or empty.

    Attributes:
        time: local time of the board, whole seconds; not printed before Jetson Linux 35.
        ram: memory shared by CPU and GPU.
        swap: not printed while swap is off.
        iram: TX1 and Nano only.
        cpus: in order of their numbers.
        engines: by printed name without `_FREQ` and `_LOAD`: GR3D, EMC, VIC, NVENC0, `MTS fg`, ...
        temperatures: by printed name.
        sensors_off: temperature sensors that print -256 because their unit has no power.
        rails: by printed name; a name that occurs again becomes `NC#2`, `NC#3`, ...
        unknown: name and text of whatever else stands in the line; the name may be empty.
        unread_rails: those that the line names and whose power cannot be read from it.
        is_cut: the line ends in the middle of a field.
    """

    time: datetime | None
    ram: Memory | None
    swap: Memory | None
    iram: Memory | None
    cpus: tuple[CpuCore, ...]
    engines: Mapping[str, HardwareEngine]
    temperatures: Mapping[str, Temperature]
    sensors_off: tuple[str, ...]
    rails: Mapping[str, PowerReading]
    unknown: tuple[tuple[str, str], ...]
    unread_rails: tuple[str, ...]
    is_cut: bool

    def to_sample(self, time_s: float) -> Sample:
        """Return the line as a sample of the given time; the GPU's clock is its fastest cluster."""
        loads: dict[str, float] = {}
        clocks: dict[str, float] = {}
        for printed, engine in self.engines.items():
            name = _unit_name(printed)
            if engine.load_percent is not None:
                loads[name] = engine.load_percent
            if engine.clocks_mhz:
                clocks[name] = max(engine.clocks_mhz)
        for core, name in zip(self.cpus, _core_names(len(self.cpus)), strict=True):
            if core.load_percent is not None:
                loads[name] = core.load_percent
            if core.clock_mhz is not None:
                clocks[name] = core.clock_mhz
        return Sample(
            time_s=time_s,
            rails_mw={name: reading.current_mw for name, reading in self.rails.items()},
            loads_percent=loads,
            clocks_mhz=clocks,
            temperatures_c={name: value.current_c for name, value in self.temperatures.items()},
        )


@functools.lru_cache(maxsize=64)
def _core_names(count: int) -> tuple[str, ...]:
    return tuple(f"cpu{index}" for index in range(count))


@functools.lru_cache(maxsize=1024)
def _unit_name(printed: str) -> str:
    return "gpu" if printed == "GR3D" else printed.lower()
