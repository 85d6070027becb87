"""What differs between boards, as data: one TOML file beside this one per board.

Adding a board is adding a file there; nothing else in the package names one.
"""

import functools
import sys
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from importlib import resources
from typing import Any, TypeVar

from edgesr.errors import Argument, ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Table = TypeVar("Table")


@dataclass(frozen=True)
class PowerMode:
    """One line of the board's `nvpmodel` table: caps on clocks and cores, not on watts.

    Attributes:
        id: number that `nvpmodel -m` takes; on a board its own /etc/nvpmodel.conf decides.
        name: name that `nvpmodel -q` prints.
        cpu_cores: CPU cores that stay on; None where unknown, as for the clocks.
        cpu_mhz: highest CPU clock.
        gpu_mhz: highest GPU clock.
        emc_mhz: highest memory clock.
    """

    id: int
    name: str
    cpu_cores: int | None = None
    cpu_mhz: int | None = None
    gpu_mhz: int | None = None
    emc_mhz: int | None = None

    @property
    def option(self) -> str:
        """The name as `--power-mode` takes it: MAXN_SUPER -> maxn-super, MODE_15W -> 15w."""
        return self.name.lower().replace("_", "-").removeprefix("mode-")


@dataclass(frozen=True)
class Software:
    """A JetPack release and what comes with it; versions as printed, cut where they vary."""

    jetpack: str
    l4t: str
    cuda: str
    tensorrt: str
    python: str


@dataclass(frozen=True)
class PowerRails:
    """Where a board's power is read.

    Attributes:
        rails: names of the rails, as tegrastats and hwmon label them.
        total_rail: the rail that carries the whole module; None where no such rail exists.
        sum_rails: without a total rail, those whose sum comes closest to it.
        hwmon: globs of the sensors' hwmon folders, relative to the root of the file system.
        sensor_lag_s: seconds by which the total rail follows the load.
    """

    rails: tuple[str, ...]
    total_rail: str | None = None
    sum_rails: tuple[str, ...] = ()
    hwmon: tuple[str, ...] = ()
    sensor_lag_s: float = 0.0


@dataclass(frozen=True)
class Board:
    """What is known of a board, read from its TOML file.

    Attributes:
        name: what `--board` takes.
        title: what people call it.
        family: name of the boards that one option of `build-engine` means; the device says which of
            them it is.
        tensorrt_modules: Python modules that may build for it, the preferred one first.
        compute_capabilities: of its GPU as CUDA prints them; several where that depends on the card
            or on the CUDA version. None in the file of a board that is read from the device.
        workspace_mib: builder workspace, largest first; the next is tried when memory runs out.
        optimization_levels: builder levels, tried after the smallest workspace has failed too.
        memory_mib: memory of the GPU; on a Jetson that which CPU and GPU share, as the system sees
            it. None where it varies.
        tactic_sources: libraries that the builder may take kernels from, by their names in
            `tensorrt.TacticSource`; none: the builder's own default.
        any_gpu: whether it is any machine with an NVIDIA GPU, whose facts the device fills in.
        tactic_dram_mib: cap on what a single tactic may allocate; None: the builder's own default.
        compatible: parts of the device tree's `compatible` strings that identify the module.
        software: releases known to support it.
        power_modes: its nvpmodel table.
        power: its rails; None where the board has no sensors of its own.
        video_encoder: whether a Jetson has NVENC, its hardware encoder of H.264.
        gpu_clock: globs of the GPU's devfreq folders, relative to the root of the file system.
        unconfirmed: dotted names of values above that no primary source confirms.
    """

    name: str
    title: str
    family: str
    tensorrt_modules: tuple[str, ...]
    compute_capabilities: tuple[str, ...]
    workspace_mib: tuple[int, ...]
    optimization_levels: tuple[int, ...]
    memory_mib: int | None = None
    tactic_dram_mib: int | None = None
    tactic_sources: tuple[str, ...] = ()
    any_gpu: bool = False
    compatible: tuple[str, ...] = ()
    software: tuple[Software, ...] = ()
    power_modes: tuple[PowerMode, ...] = ()
    power: PowerRails | None = None
    video_encoder: bool = True
    gpu_clock: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()

    @property
    def is_jetson(self) -> bool:
        """Whether engines for it are built on the board itself."""
        return bool(self.compatible)

    def power_mode(self, option: str) -> PowerMode:
        """Return the mode called `option`, as in `--power-mode maxn-super`.

        Raises:
            ConfigError: the board has no such mode.
        """
        for mode in self.power_modes:
            if option.lower() in {mode.option, mode.name.lower()}:
                return mode
        known = ", ".join(mode.option for mode in self.power_modes) or "no power modes"
        raise ConfigError(f"{self.title} has {known}; not '{option}'", where=Argument("power_mode"))


def _build(kind: type[Table], table: Mapping[str, Any], where: str) -> Table:
    """Make a dataclass of a TOML table; lists become tuples, names must match exactly."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    required = {
        field.name
        for field in fields(kind)  # type: ignore[arg-type]
        if field.default is MISSING
    }
    wrong = sorted((table.keys() - known) | (required - table.keys()))
    if wrong:
        raise ConfigError(f"unknown or missing: {', '.join(wrong)}", where=where)
    return kind(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    )


def parse_board(text: str, where: str) -> Board:
    """Read one board from TOML.

    Args:
        text: content of the file.
        where: name of the file, for messages.

    Raises:
        ConfigError: not TOML, a field unknown or missing, or values that contradict each other.
    """
    try:
        table = dict(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}", where=where) from error
    power = table.pop("power", None)
    table["power"] = None if power is None else _build(PowerRails, power, f"{where} [power]")
    detect = table.pop("detect", {})
    table["compatible"] = detect.get("compatible", [])
    table["any_gpu"] = detect.get("any_gpu", False)
    table["gpu_clock"] = table.pop("clocks", {}).get("gpu", [])
    table["software"] = [_build(Software, row, where) for row in table.pop("software", [])]
    table["power_modes"] = [_build(PowerMode, row, where) for row in table.pop("power_modes", [])]
    board = _build(Board, table, where)
    _check(board, where)
    return board


def _check(board: Board, where: str) -> None:
    """Refuse a board whose values cannot work."""
    for field in ("workspace_mib", "optimization_levels"):
        values = getattr(board, field)
        if not values or list(values) != sorted(values, reverse=True):
            raise ConfigError(f"{field} needs values, largest first", where=where)
    if bool(board.compute_capabilities) == board.any_gpu:
        raise ConfigError(
            "compute_capabilities are named, or any_gpu has them read from the device", where=where
        )
    power = board.power
    if power is None:
        return
    named = {power.total_rail} if power.total_rail else set(power.sum_rails)
    if bool(power.total_rail) == bool(power.sum_rails) or not named <= set(power.rails):
        raise ConfigError("[power] needs total_rail or sum_rails, out of its rails", where=where)


@functools.cache
def all_boards() -> tuple[Board, ...]:
    """Return every board of the package, by name.

    Raises:
        ConfigError: a TOML file of `edgesr/boards/` is wrong.
    """
    folder = resources.files("edgesr.boards")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=str)
    return tuple(parse_board(file.read_text("utf-8"), file.name) for file in files)


def get_board(name: str) -> Board:
    """Return the board called `name`.

    Raises:
        ConfigError: no such board; the message lists the names.
    """
    for board in all_boards():
        if board.name == name:
            return board
    names = ", ".join(board.name for board in all_boards())
    raise ConfigError(
        f"no board is called '{name}'; there are {names}", fix="edgesr build-engine --list-boards"
    )


def shared_families() -> tuple[str, ...]:
    """Return the families of several boards, for each of which there is an option `--NAME`."""
    names = [board.family for board in all_boards()]
    return tuple(sorted({name for name in names if names.count(name) > 1}))


def family(name: str) -> tuple[Board, ...]:
    """Return the members of a family of boards, those with the most memory first."""
    members = [board for board in all_boards() if board.family == name]
    return tuple(sorted(members, key=lambda board: -(board.memory_mib or 0)))
