"""Read one line of NVIDIA's `tegrastats`: any Jetson from TK1 to Thor, any JetPack from 3 to 7.2.

A line is a row of `NAME VALUE` pairs in no fixed order; which ones it holds depends on the board,
the version and on being root. The shape of a value says what it is:

    VDD_IN 3056/3056             power now / mean since start; the unit is printed since L4T 35
    VDD_IN 9761mW/9761mW/9761mW  L4T 39 adds the peak
    gpu@49.593C, cpu@58C/61.75C  temperature now / peak (L4T 39); -256: the sensor is off
    GR3D_FREQ 62%@306            load and clock; also `0%`, `@3199`, `0%@[1300,1300]`, `off`, `729`
    CPU [16%@204,off]            cores; TK1 and old documents: `[25%,off]@2218`
    RAM 519/7607MB (lfb 61x4MB)  memory; SWAP has `(cached 0MB)`, IRAM `(lfb 252kB)`

So names need no table: a rail called CPU (AGX Xavier) cannot be mistaken for the cores, and a field
that does not exist yet is read by its shape or kept under its name.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from edgesr.power.tegrastats_line import (
    RAIL_PREFIXES,
    CpuCore,
    HardwareEngine,
    Memory,
    PowerReading,
    TegrastatsLine,
    Temperature,
)
from edgesr.power.tegrastats_values import (
    POWER,
    Bare,
    Cells,
    Note,
    Sensor,
    Value,
    looks_like_power,
    read_value,
)
from edgesr.power.wrapping import iso_stamp, undress

LONGEST_LINE = 16_384
"""Characters; no board prints a tenth of it, so a longer line is not from tegrastats."""

_SENSOR_OFF_C = -250.0

# Old documents print spaces inside the list of cores.
_SPACE_IN_LIST = re.compile(r"\s+(?=[,\]])|(?<=[,\[])\s+")
_STAMP = re.compile(
    r"(?<![\w/-])([0-9]{2}-[0-9]{2}-[0-9]{4}) +([0-9]{2}:[0-9]{2}:[0-9]{2})(?=\s|$)"
)
_IN_POWER = re.compile(r"\S*mW/-?[0-9]*m?")
_WORDS = re.compile(r"\w+")
# Only these print a clock without a percent sign or an `@` before it.
_BARE_CLOCK = re.compile(r"(?:APE|AVP|MSENC|NV[A-Z]+|OFA|PVA|SE|VDE|VI|VIC|ISP)[0-9]*(?:_FREQ)?")
_MEMORIES = frozenset({"RAM", "SWAP", "IRAM"})
_SECOND_WORDS = frozenset({"fg", "limit"})
_MTS = frozenset({"MTS fg", "MTS bg"})


def parse_line(text: str, complete: bool = True) -> TegrastatsLine | None:
    """Read one line; never raises.

    Args:
        text: the line, with or without its end.
        complete: False for the last line of a stream that broke off: a number at its very end may
            be cut, so it is not believed.

    Returns:
        The record, or None where the line is not from tegrastats.
    """
    if len(text) > LONGEST_LINE:
        return None
    line_time, text = _stamp_and_rest(text)
    if ", " in text or " ]" in text:
        text = _SPACE_IN_LIST.sub("", text)
    tokens = text.split()
    fields = _Fields()
    cut = tokens.pop() if tokens and not complete and tokens[-1][-1].isdigit() else None
    name = ""
    for token in tokens:
        found = _field(name, token)
        if found is not None:
            add, word, value = found
            add(fields, word, value, token)
            name = ""
        elif token in _SECOND_WORDS and (name, token) in {("MTS", "fg"), ("EDP", "limit")}:
            name = f"{name} {token}"
        elif token == "bg":
            name = "MTS bg"
        elif name and looks_like_power(token):
            fields.unknown.append((name, token))
            name = ""
        else:
            if name:
                fields.unknown.append((name, ""))
            name = token
    if cut is not None and (match := POWER.fullmatch(cut)) and name:
        fields.add_bare(_last_word(name), Bare(PowerReading(int(match[1])), 0), cut)
    elif cut is not None or name:
        fields.unknown.append((name, cut or ""))
    if not fields.is_tegrastats:
        return None
    in_power = bool(tokens) and _IN_POWER.fullmatch(tokens[-1]) is not None
    return TegrastatsLine(
        time=line_time,
        ram=fields.memory.get("RAM"),
        swap=fields.memory.get("SWAP"),
        iram=fields.memory.get("IRAM"),
        cpus=fields.cpus,
        engines=fields.engines,
        temperatures=fields.temperatures,
        sensors_off=tuple(fields.sensors_off),
        rails=fields.rails,
        unknown=tuple(fields.unknown),
        unread_rails=fields.unread_rails(),
        is_cut=cut is not None or bool(name) or in_power,
    )


@dataclass(slots=True)
class _Fields:
    """A line while it is read.

    `is_tegrastats` turns true at a field that no other program prints like this; numbers without
    a unit (`step 3/100`) do not count.
    """

    memory: dict[str, Memory] = field(default_factory=dict)
    cpus: tuple[CpuCore, ...] = ()
    engines: dict[str, HardwareEngine] = field(default_factory=dict)
    temperatures: dict[str, Temperature] = field(default_factory=dict)
    sensors_off: list[str] = field(default_factory=list)
    rails: dict[str, PowerReading] = field(default_factory=dict)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    is_tegrastats: bool = False
    _last_memory: str = ""

    def add_temperature(self, name: str, sensor: Sensor, token: str) -> None:
        """File a temperature, whose name is its own; the one before it had no value."""
        del token
        self.is_tegrastats = True
        if sensor.temperature.current_c < _SENSOR_OFF_C:
            self.sensors_off.append(sensor.name)
        else:
            self.temperatures.setdefault(sensor.name, sensor.temperature)
        if name:
            self.unknown.append((name, ""))

    def add_rail(self, name: str, reading: PowerReading, token: str) -> None:
        """File a power with its unit."""
        del token
        self._put_rail(name, reading)
        self.is_tegrastats = True

    def add_bare(self, name: str, bare: Bare, token: str) -> None:
        """File numbers without a unit: a rail, or the clock of a unit that prints nothing else."""
        if bare.power and name.isupper() and name not in _MEMORIES:
            self._put_rail(name, bare.power)
            self.is_tegrastats |= name.startswith(RAIL_PREFIXES)
        elif not bare.power and _BARE_CLOCK.fullmatch(name):
            self.add_engine(name, HardwareEngine(clocks_mhz=(bare.number,)), token)
        else:
            self.unknown.append((name, token))

    def _put_rail(self, name: str, reading: PowerReading) -> None:
        """AGX Orin prints its unconnected channels as `NC` twice; no reading is lost."""
        unique = name
        number = 1
        while unique in self.rails:
            number += 1
            unique = f"{name}#{number}"
        self.rails[unique] = reading

    def add_engine(self, name: str, engine: HardwareEngine, token: str) -> None:
        """File a load, a clock or both."""
        del token
        short = name.removesuffix("_FREQ").removesuffix("_LOAD")
        self.is_tegrastats |= short in {"GR3D", "EMC"}
        other = self.engines.get(short)
        if other is not None:  # load and clock printed apart
            load = engine.load_percent if other.load_percent is None else other.load_percent
            engine = replace(
                other, load_percent=load, clocks_mhz=other.clocks_mhz or engine.clocks_mhz
            )
        self.engines[short] = engine

    def add_cells(self, name: str, cells: Cells, token: str) -> None:
        """Cores, also where the line's head with the name `CPU` is cut off; else an engine."""
        if name.upper() == "CPU" or (not name and not self.memory):
            self.cpus = self.cpus or cells.cores
            self.is_tegrastats = True
        elif name.isupper():
            loads = [core.load_percent for core in cells.cores if core.load_percent is not None]
            clocks = tuple(core.clock_mhz for core in cells.cores if core.clock_mhz is not None)
            load = max(loads, default=None)
            self.add_engine(name, HardwareEngine(load, clocks, not loads), token)
        else:
            self.unknown.append((name, token))

    def add_memory(self, name: str, memory: Memory, token: str) -> None:
        """File a size of memory."""
        del token
        self.memory.setdefault(name, memory)
        self._last_memory = name
        self.is_tegrastats = True

    def add_note(self, name: str, note: Note, token: str) -> None:
        """File what stands in parentheses behind a size of memory."""
        if not self._last_memory:
            self.unknown.append((name, token))
            return
        memory = self.memory[self._last_memory]
        self.memory[self._last_memory] = _noted(memory, name == "cached", note)
        self._last_memory = ""

    def unread_rails(self) -> tuple[str, ...]:
        """Return the names among the unknown that are those of rails, or stand before a power."""
        return tuple(
            name
            for name, text in self.unknown
            if name.startswith(RAIL_PREFIXES)
            or (name.isupper() and name not in _MEMORIES and looks_like_power(text))
        )

    def add_unknown(self, name: str, value: Value, token: str) -> None:
        """Keep what has no place."""
        del value
        self.unknown.append((name, token))


@functools.lru_cache(maxsize=65_536)
def _field(name: str, token: str) -> tuple[Callable[..., None], str, Value] | None:
    """Return how a value is filed, under which name, and the value; None where it is a name.

    Cached, as names and values recur in a log.
    """
    value = read_value(token)
    if value is None:
        return None
    word = _last_word(name)
    how: Callable[..., None] = _Fields.add_unknown
    if isinstance(value, HardwareEngine) and (word.isupper() or word in _MTS):
        how = _Fields.add_engine
    elif isinstance(value, PowerReading) and word:
        how = _Fields.add_rail
    elif isinstance(value, Memory) and word in _MEMORIES:
        how = _Fields.add_memory
    else:
        how = _HOW.get(type(value), how)
    return how, word, value


@functools.lru_cache(maxsize=4096)
def _noted(memory: Memory, is_cached: bool, note: Note) -> Memory:
    """Return a size of memory with what stands in parentheses behind it."""
    return Memory(
        memory.used_mb,
        memory.total_mb,
        memory.free_blocks if is_cached else note.blocks,
        memory.free_block_mb if is_cached else note.size_mb,
        note.size_mb if is_cached else memory.cached_mb,
    )


_HOW: dict[type, Callable[..., None]] = {
    Sensor: _Fields.add_temperature,
    Note: _Fields.add_note,
    Cells: _Fields.add_cells,
    Bare: _Fields.add_bare,
}
"""How values are filed whatever their name is."""


def _last_word(name: str) -> str:
    """Return a name, without what a wrapper glued to it."""
    if not name or name.isidentifier() or " " in name:
        return name
    words = _WORDS.findall(name)
    return words[-1] if words else name


def _stamp_and_rest(text: str) -> tuple[datetime | None, str]:
    """Return the time of a line, its own before that of a program it went through, and the rest."""
    inner, outer_time = undress(text)
    stamp = _STAMP.search(inner)
    if stamp is None:
        return iso_stamp(inner) or outer_time, inner
    return _local_time(stamp[1], stamp[2]), inner[stamp.end() :]


@functools.lru_cache(maxsize=64)
def _local_time(date: str, clock: str) -> datetime | None:
    """Month first, as tegrastats prints it; None where there is no such moment."""
    try:
        return datetime.fromisoformat(f"{date[6:]}-{date[:5]} {clock}")
    except ValueError:
        return None
