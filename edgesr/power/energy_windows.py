"""Energies that zeus and CodeCarbon wrote: of windows and runs, without power over time.

zeus (ZeusMonitor, log_file=): a row for each window, with J of each GPU.
CodeCarbon (emissions.csv): a row whenever it was asked to write, with kWh since the run began, so
that the last row of a run holds all of it; the power of the memory is an assumption of it.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edgesr.errors import PowerError
from edgesr.power.sample import LARGEST

FORMAT = "edgesr-energy/1"
ZEUS_HEADER = "start_time,window_name,elapsed_time,"
_CODECARBON = {"run_id", "duration", "cpu_energy", "gpu_energy", "ram_energy", "energy_consumed"}
_J_PER_KWH = 3.6e6
_SHORTEST_S = 1e-6  # no tool measures less, and a mean power is the energy over it


@dataclass(frozen=True)
class EnergyWindow:
    """One window or run.

    Attributes:
        name: as the tool names it.
        duration_s: its length.
        parts_j: energy by part: `gpu0`, or `cpu`, `gpu`, `ram`.
        total_j: what the tool takes for all of it.
    """

    name: str
    duration_s: float
    parts_j: Mapping[str, float]
    total_j: float


def tool_of(header: str) -> str | None:
    """Return which of the two wrote a file with this first line, or None."""
    if header.startswith(ZEUS_HEADER):
        return "zeus"
    return "CodeCarbon" if set(header.strip().split(",")) >= _CODECARBON else None


def parse_windows(text: str, tool: str) -> tuple[EnergyWindow, ...]:
    """Read the text of such a file.

    Args:
        text: the file's.
        tool: as `tool_of` named it.

    Raises:
        PowerError: a row cannot be read, or there is none.
    """
    rows = csv.DictReader(io.StringIO(text))
    try:
        windows = tuple(_zeus(rows) if tool == "zeus" else _codecarbon(rows))
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise PowerError(f"a row that cannot be read ({error})") from error
    if not windows:
        raise PowerError("it holds no measurement")
    return windows


def windows_report(windows: tuple[EnergyWindow, ...], tool: str, log: str) -> dict[str, Any]:
    """Return the document."""
    return {
        "format": FORMAT,
        "log": log,
        "tool": tool,
        "windows": [
            {
                "name": window.name,
                "duration_s": round(window.duration_s, 3),
                "mean_mw": round(1e3 * window.total_j / window.duration_s, 3),
                "energy_j": round(window.total_j, 3),
                "parts_j": {name: round(value, 3) for name, value in window.parts_j.items()},
            }
            for window in windows
        ],
    }


def windows_table(result: dict[str, Any]) -> str:
    """Return the document as text for people."""
    lines = [
        f"{result['log']}, by {result['tool']}: energies without an uncertainty, and no power over "
        "time",
        "",
        f"{'':26}{'seconds':>10}{'mean W':>9}{'energy J':>12}",
    ]
    for window in result["windows"]:
        lines.append(
            f"{window['name'][:25]:26}{window['duration_s']:10.1f}{window['mean_mw'] / 1e3:9.3f}"
            f"{window['energy_j']:12.2f}"
        )
        lines += [f"  {name:43}{value:12.2f}" for name, value in window["parts_j"].items()]
    return "\n".join(lines)


def _zeus(rows: "csv.DictReader[str]") -> Iterator[EnergyWindow]:
    for row in rows:
        parts = {
            name.removesuffix("_energy"): _finite(cell)
            for name, cell in row.items()
            if name and name.endswith("_energy")  # cells beyond the header have no name
        }
        if not parts:
            raise ValueError("no GPU was measured")
        yield EnergyWindow(
            row["window_name"], _length(row["elapsed_time"]), parts, sum(parts.values())
        )


def _codecarbon(rows: "csv.DictReader[str]") -> Iterator[EnergyWindow]:
    last: dict[str, dict[str, str]] = {}
    for row in rows:
        key = f"{row['run_id']} {row.get('task_name', '')}"
        if key not in last or _finite(row["duration"]) >= _finite(last[key]["duration"]):
            last[key] = row
    for row in last.values():
        yield EnergyWindow(
            name=row.get("task_name") or f"{row.get('project_name', '')} {row['run_id'][:8]}",
            duration_s=_length(row["duration"]),
            parts_j={
                part: _J_PER_KWH * _finite(row[f"{part}_energy"]) for part in ("cpu", "gpu", "ram")
            },
            total_j=_J_PER_KWH * _finite(row["energy_consumed"]),
        )


def _length(text: str) -> float:
    value = _finite(text)
    if value < _SHORTEST_S:
        raise ValueError(f"a duration of {text[:20]} s")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not abs(value) <= LARGEST:
        raise ValueError(f"'{text[:20]}' is no energy or time")
    return value
