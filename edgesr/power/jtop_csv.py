"""The CSV that jtop's logger writes (jetson_stats, examples/jtop_logger.py): samples with times."""

import csv
import io
import math
from datetime import datetime
from pathlib import Path

from edgesr.errors import PowerError
from edgesr.power.sample import LARGEST, Sample
from edgesr.power.tegrastats_log import PowerLog

HEADER = "time,uptime,"
"""How every such file begins; the columns behind it depend on the board."""

_RAIL = "Power "
_TOTAL = "TOT"
_TEMPERATURE = "Temp "


def parse_jtop(text: str, where: Path) -> PowerLog:
    """Read the text of such a file.

    A rail has a column `Power NAME` in mW. jtop takes the rail that carries the whole board out of
    the rails and calls it `TOT`; where a board has none, `TOT` is the sum of all.

    Args:
        text: the file's.
        where: the file, for messages.

    Raises:
        PowerError: no row can be read, or one is no CSV.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(text)))
    except csv.Error as error:
        raise PowerError(f"a row that cannot be read ({error})", where=where) from error
    moments: list[datetime] = []
    samples: list[Sample] = []
    set_back = []
    time_s = 0.0
    unknown = 0
    for row in rows:
        moment = _moment(row.get("time"))
        if moment is None:
            unknown += 1
            continue
        if moments:
            step_s = (moment - moments[-1]).total_seconds()
            time_s += step_s if step_s > 0 else 1.0  # the clock was set back; jtop's usual interval
            if step_s <= 0:
                set_back.append(time_s)
        moments.append(moment)
        samples.append(_sample(time_s, row))
    if not samples:
        raise PowerError("no row of it has a time", where=where)
    return PowerLog(
        samples=tuple(samples),
        start=moments[0],
        times_from="the rows' own times",
        tool="jtop",
        unknown_lines=unknown,
        set_back_s=tuple(set_back),
    )


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text or "").replace(tzinfo=None)
    except ValueError:
        return None


def _sample(time_s: float, row: dict[str, str]) -> Sample:
    rails = _numbers(row, _RAIL)
    gpu = _number(row.get("GPU"))
    if {"VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"} <= rails.keys():
        rails.pop(_TOTAL, None)  # jtop adds up all rails; the board's own data say which count
    return Sample(
        time_s=time_s,
        rails_mw=rails,
        loads_percent={} if gpu is None else {"gpu": gpu},
        temperatures_c=_numbers(row, _TEMPERATURE),
    )


def _numbers(row: dict[str, str], prefix: str) -> dict[str, float]:
    """Return the columns whose name begins so, without those that hold no number."""
    found = {
        name.removeprefix(prefix): _number(cell)
        for name, cell in row.items()
        if name and name.startswith(prefix)
    }
    return {name: value for name, value in found.items() if value is not None}


def _number(text: object) -> float | None:
    try:
        value = float(text) if isinstance(text, str) else math.nan
    except ValueError:
        return None
    return value if abs(value) <= LARGEST else None
