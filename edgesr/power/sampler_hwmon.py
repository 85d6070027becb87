"""Power of a Jetson from sysfs: the INA3221 (Thor: INA238 too) under hwmon, or iio on JetPack 4.

Reading needs no root. Nothing is written: the limits beside the readings can throttle the board.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgesr.engine.board import Board
from edgesr.errors import MissingError, PowerError
from edgesr.power.board_rails import find_total, hwmon_globs
from edgesr.power.sample import Sample
from edgesr.power.sampler_polling import PollingSampler


@dataclass(frozen=True)
class Channel:
    """One rail: its power is the product of the numbers in `files`, times `to_mw`."""

    rail: str
    files: tuple[Path, ...]
    to_mw: float

    def read_mw(self) -> float:
        """Read it.

        Raises:
            OSError: the sensor does not answer, or may not be read.
        """
        power = self.to_mw
        for file in self.files:
            text = file.read_text("ascii")
            try:
                power *= int(text)
            except ValueError as error:
                raise PowerError(f"{file.name} holds '{text.strip()}'", where=file) from error
        return power


def hwmon_sampler(interval_s: float, root: Path, board: Board | None) -> PollingSampler:
    """Return a sampler of all rails that can be read.

    Args:
        interval_s: time between samples.
        root: root of the file system.
        board: decides where to look and which rail is the total; None: everywhere.

    Raises:
        MissingError: no power sensor is there.
        PowerError: sensors are there, and none can be read.
    """
    channels = list(find_channels(root, hwmon_globs(board)))
    if not channels:
        raise MissingError(
            "no INA3221 power sensor under /sys (this is not a Jetson, or its kernel lacks the "
            "driver)",
            fix="edgesr bench --power none",
        )
    obstacles = [_obstacle(channel) for channel in channels]
    readable = [channel for channel, why in zip(channels, obstacles, strict=True) if why is None]
    if not readable:
        raise PowerError(
            f"no power sensor can be read ({channels[0].rail}: {obstacles[0]})",
            fix="run the same command with sudo",
        )
    total = find_total((channel.rail for channel in readable), board)
    return PollingSampler("hwmon", _reader(readable), interval_s, total)


def find_channels(root: Path, globs: Iterable[str]) -> Iterator[Channel]:
    """Find the rails of every power sensor below `root`; names that recur get `#2`, `#3`, ..."""
    seen: set[Path] = set()
    names: dict[str, int] = {}
    for glob in globs:
        for folder in sorted(root.glob(glob)):
            device = folder.resolve()  # the same sensor can be reached by several paths
            if device in seen or not _text(folder / "name").startswith("ina"):
                continue
            seen.add(device)
            for channel in (*_hwmon_channels(folder), *_iio_channels(folder)):
                number = names[channel.rail] = names.get(channel.rail, 0) + 1
                name = channel.rail if number == 1 else f"{channel.rail}#{number}"
                yield Channel(name, channel.files, channel.to_mw)


def _hwmon_channels(folder: Path) -> Iterator[Channel]:
    labels = {
        file.name.removeprefix("in").removesuffix("_label"): _text(file)
        for file in sorted(folder.glob("in*_label"))
    } or {"1": _text(folder / "label")}
    for number, label in labels.items():
        power = folder / f"power{number}_input"
        product = (folder / f"in{number}_input", folder / f"curr{number}_input")
        if not label:
            continue
        if power.exists():
            yield Channel(label, (power,), 1e-3)  # in uW
        elif all(file.exists() for file in product):  # the sum of shunt voltages has no current
            yield Channel(label, product, 1e-3)  # mV times mA


def _iio_channels(folder: Path) -> Iterator[Channel]:
    for file in sorted(folder.glob("rail_name_*")):
        power = folder / f"in_power{file.name.removeprefix('rail_name_')}_input"
        if power.exists():
            yield Channel(_text(file), (power,), 1.0)


def _obstacle(channel: Channel) -> str | None:
    """Return why a rail cannot be read, or None; channels that are switched off give errors."""
    try:
        channel.read_mw()
    except OSError as error:
        return error.strerror
    except PowerError as error:
        return error.what
    return None


def _reader(channels: list[Channel]) -> Callable[[], Sample]:
    def read() -> Sample:
        before = time.monotonic()
        rails = {channel.rail: channel.read_mw() for channel in channels}
        return Sample((before + time.monotonic()) / 2, rails)

    return read


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii", errors="replace").strip()
    except OSError:
        return ""
