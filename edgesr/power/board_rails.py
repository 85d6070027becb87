"""Which rail is the total: what the board's data say, or what the rails themselves tell."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edgesr.boards.board import Board, PowerRails, all_boards
from edgesr.decode import Amount, Text
from edgesr.power.tegrastats_line import RAIL_PREFIXES

# Boards without a file of their own in boards: Xavier NX, TX2 and TX1; Nano; Thor; and
# what jtop calls its total.
_TOTAL_RAILS = ("VDD_IN", "POM_5V_IN", "VIN", "TOT")
_JETPACK_4 = (
    "sys/bus/i2c/drivers/ina3221x/*/iio:device*",
    "sys/bus/i2c/drivers/ina3221x/*/iio_device",
)
_NO_ACCIDENT = 2  # lines with a name that a cut line cannot have left in all of them
_NOT_CONNECTED = "NC"
_DEFAULT_LAG_S = 0.3  # measured on an Orin Nano; other boards carry the same sensor, the INA3221


@dataclass(frozen=True)
class Total:
    """How a board's total is made of its rails.

    Attributes:
        rails: one rail that carries everything, or those that are added; empty: there is no power.
        sensor_lag_s: seconds by which the readings follow the load.
    """

    rails: tuple[Text, ...]
    sensor_lag_s: Amount

    @property
    def is_sum(self) -> bool:
        """Whether no rail carries everything, so that the total misses what no rail measures."""
        return len(self.rails) > 1

    @property
    def name(self) -> str:
        """`VDD_IN`, or `sum of VDD_GPU_SOC + VDD_CPU_CV + VIN_SYS_5V0`."""
        return f"sum of {' + '.join(self.rails)}" if self.is_sum else "".join(self.rails)


def find_total(seen: Iterable[str], board: Board | None = None) -> Total:
    """Return how the total is made of the rails that a sensor gives.

    Args:
        seen: names of the rails.
        board: the board, where it is known; else one whose rails are those seen is looked for.

    Returns:
        The total. It may need a rail that is not among those seen: of a board without a rail that
        carries everything, fewer rails are no total.
    """
    rails = tuple(dict.fromkeys(seen))
    known = [board] if board else all_boards()
    for candidate in known:
        if candidate.power is not None and (found := _by_data(rails, candidate.power)):
            return found
    for name in _TOTAL_RAILS:
        if name in rails:
            return Total((name,), _DEFAULT_LAG_S)
    if (whole := _incomplete(rails)) is not None:
        return whole
    connected = tuple(name for name in rails if name.split("#")[0] != _NOT_CONNECTED)
    return Total(connected, _DEFAULT_LAG_S)


def rails_of_total(counts: Mapping[str, int], lines: int) -> tuple[str, ...]:
    """Return the names among which the total of a log is looked for.

    These are the rails that are usual in it, and rarer ones whose name is a rail's: such a rail is
    missing elsewhere, and so is the total.

    Args:
        counts: in how many lines each name stands, whether its power can be read or not.
        lines: how many hold any rail.
    """
    known = {rail for board in all_boards() if board.power for rail in board.power.rails}
    known.update(_TOTAL_RAILS)
    return tuple(
        name
        for name, count in counts.items()
        if 2 * count >= lines
        or name in known
        or (count >= _NO_ACCIDENT and name.startswith(RAIL_PREFIXES))
    )


def _incomplete(rails: tuple[str, ...]) -> Total | None:
    """Return the sum of a board that has exactly such rails, though one of the sum is missing."""
    for board in all_boards():
        power = board.power
        if power is not None and power.sum_rails and rails and set(rails) < set(power.sum_rails):
            return Total(power.sum_rails, power.sensor_lag_s)
    return None


def _by_data(rails: tuple[str, ...], power: PowerRails) -> Total | None:
    named = (power.total_rail,) if power.total_rail else power.sum_rails
    return Total(named, power.sensor_lag_s) if set(named) <= set(rails) else None


def hwmon_globs(board: Board | None = None) -> tuple[str, ...]:
    """Return where a board's power sensors may lie, relative to the root of the file system."""
    boards = [board] if board else all_boards()
    globs = [glob for known in boards if known.power for glob in known.power.hwmon]
    return tuple(dict.fromkeys((*globs, *_JETPACK_4)))
