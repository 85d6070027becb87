"""A small SVG writer whose output is the same, byte for byte, on every machine.

Numbers have at most two decimals. Colours come from classes; the style below follows the reader's
light or dark setting, in a file of its own as well as within a page.
"""

import math
from collections.abc import Callable, Iterable
from html import escape
from itertools import pairwise

SERIES = 8
"""Colours of models; further ones start again."""

_LIGHT = ("#2a6fdb", "#d9622b", "#168f6a", "#8a4fd3", "#b8860b", "#c2407e", "#4d7c0f", "#0e8aa8")
_DARK = ("#7aa9f7", "#f2935f", "#4fc79f", "#b893f0", "#e0b54a", "#ec86b4", "#9cc653", "#5cc3dc")
_INK = {
    "ink": "#1b1f24",
    "soft": "#5c6672",
    "grid": "#dfe3e8",
    "idle": "#8b96a3",
    "work": "#c9a227",
}
_INK_DARK = {
    "ink": "#e8ebef",
    "soft": "#9aa5b1",
    "grid": "#2c333b",
    "idle": "#768291",
    "work": "#d8b548",
}


def _variables(ink: dict[str, str], series: tuple[str, ...]) -> str:
    names = {**ink, **{f"s{index}": colour for index, colour in enumerate(series)}}
    return "".join(f"--{name}:{colour};" for name, colour in names.items())


COLOURS = (
    f":root{{{_variables(_INK, _LIGHT)}}}"
    f"@media(prefers-color-scheme:dark){{:root{{{_variables(_INK_DARK, _DARK)}}}}}"
)
"""CSS variables of ink, grid and series, for light and dark."""

_STYLE = (
    COLOURS
    + ".plot text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;"
    "fill:var(--soft)}"
    ".plot .title{font-weight:600;font-size:13px;fill:var(--ink)}.plot .strong{fill:var(--ink)}"
    ".plot .grid{stroke:var(--grid);stroke-width:1}.plot .axis{stroke:var(--soft);stroke-width:1}"
    ".plot .line{fill:none;stroke:var(--ink);stroke-width:1.4;stroke-linejoin:round}"
    ".plot .mean{stroke-width:3;stroke-linecap:round}.plot .mark{stroke-width:1.2;"
    "stroke-dasharray:4 3;stroke:var(--ink)}"
    ".plot .idle{fill:var(--idle)}.plot .work{fill:var(--work)}.plot .span{fill-opacity:.16}"
    + "".join(
        f".plot .s{index}{{fill:var(--s{index})}}.plot .l{index}{{stroke:var(--s{index})}}"
        for index in range(SERIES)
    )
)


def number(value: float) -> str:
    """Return a coordinate with at most two decimals, `-0` never."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


class Svg:
    """A drawing under construction; the origin is at the top left, units are pixels.

    Args:
        width: of the drawing.
        height: of it.
        title: what it shows, for people who cannot see it.
    """

    def __init__(self, width: float, height: float, title: str) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" '
            f'viewBox="0 0 {number(width)} {number(height)}" font-size="12">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
        ]

    def rect(self, x: float, y: float, width: float, height: float, kind: str, tip: str) -> None:
        """Draw a filled rectangle whose `tip` shows when the pointer rests on it."""
        self._parts.append(
            f'<rect class="{kind}" x="{number(x)}" y="{number(y)}" width="{number(width)}" '
            f'height="{number(height)}"><title>{escape(tip)}</title></rect>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """Draw a straight line."""
        self._parts.append(
            f'<line class="{kind}" x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" '
            f'y2="{number(y2)}"/>'
        )

    def path(self, points: Iterable[tuple[float, float]], kind: str) -> None:
        """Draw a line through points."""
        text = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        self._parts.append(f'<polyline class="{kind}" points="{text}"/>')

    def text(self, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
        """Write a line of text; `anchor` is start, middle or end."""
        self._parts.append(
            f'<text class="{kind}" x="{number(x)}" y="{number(y)}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    def __str__(self) -> str:
        return "\n".join([*self._parts, "</svg>"]) + "\n"


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """Return about `count` round values in [low, high], 1, 2 or 5 times a power of ten apart.

    There is at least one wherever `high` is above `low`.
    """
    step = _nice_step((high - low) / max(count, 1))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    ticks = [index * step for index in range(first, last + 1)]
    if ticks or high <= low:
        return ticks
    return nice_ticks(low, high, 2 * max(count, 1))  # the step was wider than the range


def _nice_step(least: float) -> float:
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def log_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten within [low, high], or even steps in a narrow range."""
    if high / low < 5:
        return nice_ticks(low, high, 6)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    return [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]


def log_axis(
    svg: Svg, low: float, high: float, across: tuple[float, float], down: tuple[float, float]
) -> Callable[[float], float]:
    """Draw the grid and labels of a logarithmic axis from left to right.

    Args:
        svg: is drawn into.
        low: value at the left end.
        high: value at the right end.
        across: where it begins and ends.
        down: top and floor of the grid.

    Returns:
        What places a value on it.
    """
    left, right = across
    top, floor = down
    scale = (right - left) / math.log(high / low)

    def at(value: float) -> float:
        return left + scale * math.log(value / low)

    ticks = log_ticks(low, high)
    widest = max((text_width(tick_label(tick)) for tick in ticks), default=0.0)
    is_narrow = any(at(after) - at(before) < widest + 8 for before, after in pairwise(ticks))
    for tick in ticks:
        svg.line(at(tick), top, at(tick), floor, "grid")
        if not is_narrow or math.isclose(math.log10(tick), round(math.log10(tick)), abs_tol=1e-9):
            svg.text(at(tick), floor + 18, tick_label(tick), anchor="middle")
    return at


def text_width(text: str) -> float:
    """Return about how many pixels a label takes."""
    return 6.8 * len(text)


def tick_label(value: float) -> str:
    """Return a tick's value without needless digits, a large one without an exponent."""
    text = f"{value:.6g}"
    return f"{value:.0f}" if "e+" in text else text
