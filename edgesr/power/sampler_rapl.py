"""Power of an Intel or AMD CPU from its energy counters (RAPL), through Linux's powercap.

A counter is read twice; the difference over the time between is the mean power in between, so a
sample is stamped with the middle. The counters wrap around within minutes to hours.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgesr.errors import MissingError, PowerError, shell
from edgesr.power.board_rails import Total
from edgesr.power.sample import Sample
from edgesr.power.sampler_polling import PollingSampler

_ZONES = "sys/class/powercap/intel-rapl:*"  # AMD's have this name too


@dataclass(frozen=True)
class Zone:
    """One energy counter of RAPL.

    Attributes:
        rail: `package-0`, or `package-0 dram` for a part of it.
        file: the counter, in uJ.
        range_uj: where it wraps around.
    """

    rail: str
    file: Path
    range_uj: int

    def energy_uj(self) -> int:
        """Read the counter.

        Raises:
            PowerError: it may not be read, or holds no number.
        """
        try:
            return int(self.file.read_text("ascii"))
        except PermissionError as error:
            raise PowerError(
                "only root may read the CPU's energy counters",
                where=self.file,
                fix=f"sudo chmod a+r {shell(self.file.parent.parent)}/intel-rapl*/energy_uj",
            ) from error
        except (OSError, ValueError) as error:
            raise PowerError(
                f"the CPU's energy counter cannot be read ({error})", where=self.file
            ) from error


def rapl_sampler(interval_s: float, root: Path) -> PollingSampler:
    """Return a sampler of all counters; the total is the packages and their memory.

    Raises:
        MissingError: no counter is there.
        PowerError: one may not be read.
    """
    zones = find_zones(root)
    if not zones:
        raise MissingError(
            "no RAPL energy counter under /sys/class/powercap (not an Intel or AMD CPU, or a "
            "virtual machine)",
            fix="edgesr bench --power none",
        )
    rails = [zone.rail for zone in zones]
    total = tuple(rail for rail in rails if " " not in rail or rail.endswith(" dram"))
    return PollingSampler("rapl", _reader(zones, interval_s), interval_s, Total(total, interval_s))


def find_zones(root: Path) -> tuple[Zone, ...]:
    """Find the packages below `root` and their parts; `psys`, which holds both, is left out."""
    zones = []
    for folder in sorted(root.glob(_ZONES)):
        parent = folder.parent / folder.name.rpartition(":")[0]
        names = [_text(parent / "name")] if folder.name.count(":") > 1 else []
        rail = " ".join([*names, _text(folder / "name")])
        range_uj = _text(folder / "max_energy_range_uj")
        if rail.startswith("package") and range_uj.isdecimal():
            zones.append(Zone(rail, folder / "energy_uj", int(range_uj)))
    return tuple(zones)


def _reader(zones: tuple[Zone, ...], interval_s: float) -> Callable[[], Sample]:
    state: dict[str, tuple[float, int]] = {}

    def read() -> Sample:
        if not state:
            state.update({zone.rail: (time.monotonic(), zone.energy_uj()) for zone in zones})
            time.sleep(interval_s)
        rails = {}
        middle = 0.0
        for zone in zones:
            energy, now = zone.energy_uj(), time.monotonic()
            before, last = state[zone.rail]
            rails[zone.rail] = power_mw(energy - last, now - before, zone.range_uj)
            state[zone.rail] = now, energy
            middle = (before + now) / 2
        return Sample(middle, rails)

    return read


def power_mw(difference_uj: int, seconds: float, range_uj: int) -> float:
    """Return the mean power between two readings of a counter that wraps around at `range_uj`."""
    return (difference_uj if difference_uj >= 0 else difference_uj + range_uj) / seconds / 1e3


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except OSError:
        return ""
