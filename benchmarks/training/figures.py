"""Figures 4 and 5 of the paper, from the runs made here: lines over iterations or alpha. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgesr.pages.svg import SERIES, Svg, nice_ticks, tick_label

_WIDTH, _HEIGHT = 760.0, 400.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 24.0, 62.0, 56.0
_DOT = 7.0
_LETTER = 7.2  # width of a letter of the legend


@dataclass(frozen=True)
class Line:
    """One series.

    Attributes:
        name: in the legend.
        points: (x, y), by x.
        dots: mark every point, for series of few.
    """

    name: str
    points: Sequence[tuple[float, float]]
    dots: bool = False


def draw(title: str, across: str, lines: Sequence[Line], from_zero: bool = False) -> str | None:
    """Draw lines over common axes as SVG; None without any point.

    Args:
        title: what is on the vertical axis, with its unit.
        across: what is on the horizontal axis.
        lines: series; those without points are left out.
        from_zero: let the vertical axis begin at zero.
    """
    lines = [line for line in lines if line.points]
    if not lines:
        return None
    xs, ys = zip(*(point for line in lines for point in line.points), strict=True)
    left, right = min(0.0, *xs), max(xs)
    margin = 0.06 * (max(ys) - min(ys)) or 0.5
    low, high = 0.0 if from_zero else min(ys) - margin, max(ys) + margin
    svg = Svg(_WIDTH, _HEIGHT, f"{title} over {across}")
    edge, floor = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x = _LEFT + (edge - _LEFT) * (point[0] - left) / ((right - left) or 1.0)
        return x, floor - (floor - _TOP) * (point[1] - low) / (high - low)

    for tick in nice_ticks(low, high, 6):
        _, y = place((left, tick))
        svg.line(_LEFT, y, edge, y, "grid")
        svg.text(_LEFT - 8, y + 4, tick_label(tick), anchor="end")
    for tick in nice_ticks(left, right, 8):
        x, _ = place((tick, low))
        svg.text(x, floor + 18, tick_label(tick), anchor="middle")
    svg.line(_LEFT, floor, edge, floor, "axis")
    svg.text(_LEFT, 20, title, "title")
    svg.text(edge, floor + 38, across, anchor="end")
    at = _LEFT
    for number, line in enumerate(lines):
        colour = number % SERIES
        svg.rect(at, 32, 12, 12, f"s{colour}", line.name)
        svg.text(at + 17, 42, line.name)
        at += 17 + _LETTER * len(line.name) + 18
        svg.path(map(place, line.points), f"line l{colour}")
        for point in line.points if line.dots else ():
            x, y = place(point)
            tip = f"{line.name}: {point[0]:g}, {point[1]:.2f}"
            svg.rect(x - _DOT / 2, y - _DOT / 2, _DOT, _DOT, f"s{colour}", tip)
    return str(svg)
