"""Power of a Jetson from sysfs: the INA3221 (Thor: INA238 too) under hwmon, or iio on JetPack 4.

Reading needs no root. Nothing is written: the limits beside the readings can throttle the board.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgesr.boards.board import Board, all_boards
from edgesr.errors import MissingError, PowerError
from edgesr.power.board_rails import find_total, hwmon_globs
from edgesr.power.sample import Sample
from edgesr.power.sampler_polling import BUSY_S, PollingSampler


@dataclass(frozen=True)
class Channel:
    """One rail of a chip: its power is the product of the numbers in `files`, times `to_mw`."""

    rail: str
    files: tuple[Path, ...]
    to_mw: float
    chip: str = ""

    def read_mw(self) -> float:
        """Read it.

        Raises:
            OSError: the sensor does not answer, or may not be read.
            PowerError: it answers, and not with a number.
        """
        power = self.to_mw
        for file in self.files:
            text = file.read_text("ascii", errors="replace")
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
    channels = list(find_channels(root, hwmon_globs(board), board))
    if not channels:
        raise MissingError(
            "no INA3221 power sensor under /sys (this is not a Jetson, or its kernel lacks the "
            "driver)",
            fix="edgesr bench --power none",
        )
    obstacles = _obstacles(channels)
    readable = [channel for channel, why in zip(channels, obstacles, strict=True) if why is None]
    if not readable:
        raise PowerError(
            f"no power sensor can be read ({channels[0].rail}: {obstacles[0]})",
            fix="run the same command with sudo",
        )
    total = find_total((channel.rail for channel in channels), board)
    if not set(total.rails) <= {channel.rail for channel in readable}:
        raise PowerError(
            f"the total is the {total.name}, and not all of it can be read",
            fix="run the same command with sudo, or --power tegrastats",
        )
    return PollingSampler("hwmon", _reader(readable), interval_s, total)


def find_channels(
    root: Path, globs: Iterable[str], board: Board | None = None
) -> Iterator[Channel]:
    """Find the rails of every power sensor below `root`; names that recur get `#2`, `#3`, ...

    A sensor of one channel without a label is the board's input where the board has one that no
    label names: Thor's INA238, which its device tree leaves without a label (so does jetson_stats,
    pull request 900). Elsewhere it keeps the name of its chip.

    Args:
        root: root of the file system.
        globs: where sensors may lie.
        board: the board; None: found by the rails that are labelled.
    """
    found = list(_all_channels(root, globs))
    labels = [channel.rail for channel in found if channel.rail]
    unnamed = sum(not channel.rail for channel in found)
    total_rail = _unlabelled_rail(labels, board) if unnamed == 1 else ""
    names: dict[str, int] = {}
    for channel in found:
        rail = channel.rail or total_rail or channel.chip
        number = names[rail] = names.get(rail, 0) + 1
        yield replace(channel, rail=rail if number == 1 else f"{rail}#{number}")


def _unlabelled_rail(labels: Sequence[str], board: Board | None) -> str:
    """Return the board's total rail, if no label names it."""
    for known in [board] if board else all_boards():
        power = known.power
        if power is None or not power.total_rail or power.total_rail in labels:
            continue
        if board or (labels and set(labels) <= set(power.rails)):
            return power.total_rail
    return ""


def _all_channels(root: Path, globs: Iterable[str]) -> Iterator[Channel]:
    seen: set[Path] = set()
    for glob in globs:
        for folder in sorted(root.glob(glob)):
            device = folder.resolve()  # the same sensor can be reached by several paths
            chip = _text(folder / "name")
            if device in seen or not chip.startswith("ina"):
                continue
            seen.add(device)
            for channel in (*_hwmon_channels(folder), *_iio_channels(folder)):
                yield replace(channel, chip=chip)


def _hwmon_channels(folder: Path) -> Iterator[Channel]:
    has_labels = any(folder.glob("in*_label"))
    labels = {
        file.name.removeprefix("in").removesuffix("_label"): _text(file)
        for file in sorted(folder.glob("in*_label"))
    } or {"1": _text(folder / "label")}
    for number, label in labels.items():
        power = folder / f"power{number}_input"
        product = (folder / f"in{number}_input", folder / f"curr{number}_input")
        if has_labels and not label:
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


def _obstacles(channels: Sequence[Channel]) -> list[str | None]:
    """Return why each rail cannot be read, or None; one that a busy bus refuses is asked again."""
    deadline = time.monotonic() + BUSY_S
    found = [_obstacle(channel) for channel in channels]
    while any(found) and time.monotonic() < deadline:
        time.sleep(BUSY_S / 10)
        found = [why and _obstacle(channel) for channel, why in zip(channels, found, strict=True)]
    return found


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
