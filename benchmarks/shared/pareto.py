"""Quality over cost as a plot: who is best at what he takes. Pure."""

import math
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from edgesr.pages.svg import SERIES, Svg, log_ticks, nice_ticks, tick_label

Json = dict[str, Any]

_WIDTH, _HEIGHT = 760.0, 430.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 130.0, 44.0, 56.0
_DOT = 9.0
_LINE = 15.0  # height of a label


@dataclass(frozen=True)
class Point:
    """One network.

    Attributes:
        name: its label.
        cost: ms or J.
        psnr_db: mean over the sets.
    """

    name: str
    cost: float
    psnr_db: float


def points(document: Json, figure: str) -> list[Point]:
    """Return a point for every network that was measured in cost and on all sets.

    Args:
        document: a result of benchmarks.table1, or one of its shape.
        figure: `latency_ms` or `energy_j`.
    """
    sets = [item["name"] for item in document["sets"]]
    found = []
    for row in document["networks"]:
        cost = document["cost"].get(row["name"], {}).get(figure)
        if sets and cost is not None and all(name in row["quality"] for name in sets):
            psnr_db = fmean(row["quality"][name]["psnr_y_db"] for name in sets)
            found.append(Point(row["name"], cost, psnr_db))
    return found


def frontier(found: list[Point]) -> list[Point]:
    """Return the points that no other beats in cost and quality at once, by cost."""
    best: list[Point] = []
    for point in sorted(found, key=lambda p: (p.cost, -p.psnr_db)):
        if not best or point.psnr_db > best[-1].psnr_db:
            best.append(point)
    return best


def plot(document: Json, figure: str) -> str | None:
    """Draw the plot as SVG; None where fewer than two networks have both figures.

    Args:
        document: a result of benchmarks.table1, or one of its shape.
        figure: `latency_ms` or `energy_j`.
    """
    found = points(document, figure)
    if len(found) < 2:
        return None
    axis = {"latency_ms": "latency of a tile in ms", "energy_j": "energy of a tile in J"}[figure]
    names = [item["name"] for item in document["sets"]]
    sets = f"on {names[0]}" if len(names) == 1 else f"mean of {', '.join(names)}"
    svg = Svg(_WIDTH, _HEIGHT, f"PSNR over {axis}")
    low, high = 0.7 * min(p.cost for p in found), 1.4 * max(p.cost for p in found)
    bottom, top = min(p.psnr_db for p in found) - 0.25, max(p.psnr_db for p in found) + 0.25
    right, floor = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def place(point: Point) -> tuple[float, float]:
        x = _LEFT + (right - _LEFT) * math.log(point.cost / low) / math.log(high / low)
        return x, floor - (floor - _TOP) * (point.psnr_db - bottom) / (top - bottom)

    for tick in nice_ticks(bottom, top, 6):
        _, y = place(Point("", low, tick))
        svg.line(_LEFT, y, right, y, "grid")
        svg.text(_LEFT - 8, y + 4, tick_label(tick), anchor="end")
    for tick in log_ticks(low, high):
        x, _ = place(Point("", tick, bottom))
        svg.line(x, _TOP, x, floor, "grid")
        svg.text(x, floor + 18, tick_label(tick), anchor="middle")
    svg.line(_LEFT, floor, right, floor, "axis")
    svg.text(_LEFT, 20, f"PSNR-Y in dB, {sets}", "title")
    svg.text(right, floor + 38, f"{axis} (logarithmic), {document['machine']['model']}", "", "end")
    svg.path((place(point) for point in frontier(found)), "line")
    for number, point in enumerate(found):
        x, y = place(point)
        tip = f"{point.name}: {point.cost:.4g}, {point.psnr_db:.2f} dB"
        svg.rect(x - _DOT / 2, y - _DOT / 2, _DOT, _DOT, f"s{number % SERIES}", tip)
    for name, x, y in _labels([(point.name, *place(point)) for point in found]):
        svg.text(x + 0.6 * _DOT, y + _LINE, name, "strong")  # below the line
    return str(svg)


def _labels(wanted: list[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """Move labels that would lie on each other apart, downwards."""
    placed: list[tuple[str, float, float]] = []
    for name, x, y in sorted(wanted, key=lambda item: item[2]):
        for other, left, line in placed:
            near = left - 8 * len(name) < x < left + 8 * len(other)
            if near and abs(y - line) < _LINE:
                y = line + _LINE  # noqa: PLW2901
        placed.append((name, x, y))
    return placed
