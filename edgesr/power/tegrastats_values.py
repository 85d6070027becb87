"""The values of a tegrastats line: what a token means, by its shape alone. See tegrastats.py."""

import functools
import re
from dataclasses import dataclass

from edgesr.power.tegrastats_line import CpuCore, HardwareEngine, Memory, PowerReading, Temperature

_POWER_MW = re.compile(r"(-?[0-9]{1,9})mW(?:/(-?[0-9]{1,9})mW)?(?:/(-?[0-9]{1,9})mW)?(/[-0-9m]*)?")
POWER = re.compile(r"(-?[0-9]{1,9})/(-?[0-9]{1,9})(?:/(-?[0-9]{1,9}))?")
_CLOCKS = r"-?[0-9]{1,6}(?:,-?[0-9]{1,6})*"
_LOAD = re.compile(rf"(?:([0-9]{{1,3}})%)?(?:@(?:(-?[0-9]{{1,6}})|\[({_CLOCKS})\]))?")
_CELLS = re.compile(r"\[([^\[\]]*)\](?:@(-?[0-9]{1,6}))?")
_CELL = re.compile(r"(?:off|([0-9]{1,3})%(?:@(-?[0-9]{1,6}))?|)", re.IGNORECASE)
_MEMORY = re.compile(r"([0-9]{1,9})/([0-9]{1,9})(kB|MB|GB)(?:\(lfb)?")
_NOTE = re.compile(r"(?:([0-9]{1,9})x)?([0-9]{1,9})(kB|MB|GB)\)")
_TEMPERATURE = re.compile(
    r"([^\s@\[\]()]+)@(-?[0-9]{1,4}(?:\.[0-9]{1,6})?)C(?:/(-?[0-9]{1,4}(?:\.[0-9]{1,6})?)C)?"
)
_MB = {"kB": 1 / 1024, "MB": 1.0, "GB": 1024.0}

# What is glued to a power reading by whatever the line was wrapped in: `3315mW/3315mW"}`.
# Behind a unit a number is whole, whatever follows it.
_GLUED = re.compile(
    r"(-?[0-9]{1,9}mW(?:/-?[0-9]{1,9}mW){0,2})[^\w/].*"
    r"|(-?[0-9]{1,9}(?:mW)?(?:/-?[0-9]{1,9}(?:mW)?){0,2})[^\w./+%@-].*"
)
_LIKE_POWER = re.compile(r"-?[0-9]{1,9}(?:mW|/-?[0-9]+(?![0-9]|[kMG]B))")


@dataclass(frozen=True, slots=True)
class Cells:
    """A bracketed list: CPU cores, or the units of one engine."""

    cores: tuple[CpuCore, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """What stands in parentheses behind a memory size; its name is `lfb` or `cached`."""

    blocks: int | None
    size_mb: float


@dataclass(frozen=True, slots=True)
class Sensor:
    """A temperature, whose name is part of the token."""

    name: str
    temperature: Temperature


@dataclass(frozen=True, slots=True)
class Bare:
    """Numbers without a unit: a rail before L4T 35, or a clock."""

    power: PowerReading | None
    number: int


Value = PowerReading | HardwareEngine | Memory | Cells | Note | Sensor | Bare


def read_value(token: str) -> Value | None:
    """Read a token by its shape; None where it is a name."""
    first = token[0]
    if first == "[":
        return _cells(token)
    if first.isdigit() or first in "-@":
        return _number(token)
    if token.lower() == "off":
        return HardwareEngine(is_off=True)
    match = _TEMPERATURE.fullmatch(token)
    if match is None:
        return None
    peak = None if match[3] is None else float(match[3])
    return Sensor(match[1], Temperature(float(match[2]), peak))


def looks_like_power(token: str) -> bool:
    """Return whether a token begins as the power of a rail does, whether or not it can be read."""
    return _LIKE_POWER.match(token) is not None


def _number(token: str) -> Value | None:
    if match := _POWER_MW.fullmatch(token):
        return _power(match)
    if match := _LOAD.fullmatch(token):
        clocks = [int(text) for text in (match[2] or match[3] or "").split(",") if text]
        load = None if match[1] is None else int(match[1])
        return HardwareEngine(load, tuple(clock for clock in clocks if clock >= 0))
    if match := POWER.fullmatch(token):
        return Bare(_power(match), 0)
    return _size_or_clock(token)


def _size_or_clock(token: str) -> Value | None:
    if match := _MEMORY.fullmatch(token):
        return Memory(int(match[1]) * _MB[match[3]], int(match[2]) * _MB[match[3]])
    if match := _NOTE.fullmatch(token):
        return Note(None if match[1] is None else int(match[1]), int(match[2]) * _MB[match[3]])
    # `isdecimal` alone would take digits of other scripts.
    if token.isascii() and token.isdecimal():
        return Bare(None, int(token)) if len(token) < 7 else None
    glued = _GLUED.fullmatch(token)
    inside = "" if glued is None else glued[1] or glued[2]
    return _number(inside) if looks_like_power(inside) else None


def _power(match: re.Match[str]) -> PowerReading:
    now, mean, peak = match.group(1, 2, 3)
    return PowerReading(
        int(now), None if mean is None else int(mean), None if peak is None else int(peak)
    )


def _cells(token: str) -> Cells | None:
    match = _CELLS.fullmatch(token)
    if match is None:
        return None
    cores = [_core(cell, match[2]) for cell in match[1].split(",")]
    known = tuple(core for core in cores if core is not None)
    return Cells(known) if len(known) == len(cores) else None


@functools.lru_cache(maxsize=4096)
def _core(cell: str, common_clock: str | None) -> CpuCore | None:
    """A core's own clock comes before the one printed behind the list; -1 is no clock."""
    match = _CELL.fullmatch(cell)
    if match is None:
        return None
    if match[1] is None:
        return CpuCore(is_on=False)
    clock = int(match[2] or common_clock or -1)
    return CpuCore(True, int(match[1]), None if clock < 0 else clock)
