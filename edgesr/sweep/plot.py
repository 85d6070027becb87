"""Plot of a sweep: energy of an image over power modes, a row for each network and tile. Pure."""

import math
from collections.abc import Sequence

from edgesr.pages.svg import SERIES, Svg, log_axis, text_width
from edgesr.sweep.result import SweepCell, SweepResult
from edgesr.sweep.text import energy

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW, _BOTTOM = 960.0, 200.0, 40.0, 46.0, 58.0, 34.0
_DOT = 11.0
_PLACES = (-12.0, 22.0, -24.0, 34.0)
"""Where the label of a dot may stand below its row's middle, the best first."""


def energy_plot(result: SweepResult) -> str:
    """Draw the plot; where no energy was measured it says so."""
    cells = [cell for cell in result.cells if cell.energy_per_image_j]
    rows = ordered_rows(cells)
    height = _TOP + _ROW * max(len(rows), 1) + _BOTTOM
    svg = Svg(_WIDTH, height, "Energy of an image by network and power mode")
    svg.text(16, 20, "Energy of an image in mJ (logarithmic axis), best dB on top", "title")
    if not cells:
        svg.text(16, _TOP + 20, "no energy was measured")
        return str(svg)
    energies = [1e3 * (cell.energy_per_image_j or 0.0) for cell in cells]
    budget_mj = None if result.sweep.budget_j is None else 1e3 * result.sweep.budget_j
    ends = [*energies, *([] if budget_mj is None else [budget_mj])]
    low, high = 0.7 * min(ends), 1.4 * max(ends)
    floor = height - _BOTTOM
    at = log_axis(svg, low, high, (_LEFT, _WIDTH - _RIGHT), (_TOP, floor))
    if budget_mj is not None:
        svg.line(at(budget_mj), _TOP - 8, at(budget_mj), floor, "mark")
        svg.text(at(budget_mj), _TOP - 12, "budget", "strong", anchor="middle")
    for place, row in enumerate(rows):
        middle = _TOP + _ROW * (place + 0.5)
        svg.line(_LEFT, middle, _WIDTH - _RIGHT, middle, "grid")
        svg.text(16, middle - 2, row[0].model, "strong")
        svg.text(16, middle + 14, _under(row[0]))
        _dots(svg, [(at(1e3 * (cell.energy_per_image_j or 0.0)), cell) for cell in row],
              middle, f"s{place % SERIES}")  # fmt: skip
    svg.line(_LEFT, floor, _WIDTH - _RIGHT, floor, "axis")
    return str(svg)


def ordered_rows(cells: Sequence[SweepCell]) -> list[list[SweepCell]]:
    """Return the cells by network, those of the highest PSNR first, unknown ones last."""
    rows: dict[str, list[SweepCell]] = {}
    for cell in cells:
        rows.setdefault(cell.model, []).append(cell)
    return sorted(rows.values(), key=lambda row: -(row[0].psnr_y_db or 0.0))


def _under(cell: SweepCell) -> str:
    quality = "dB unknown" if cell.psnr_y_db is None else f"{cell.psnr_y_db:.2f} dB"
    return quality if cell.tile is None else f"{quality}, tiles of {cell.tile}"


def _dots(svg: Svg, dots: list[tuple[float, SweepCell]], middle: float, kind: str) -> None:
    """Draw the modes of a row; each label stands at the first place where it touches no other."""
    ends = dict.fromkeys(_PLACES, -math.inf)
    for x, cell in sorted(dots, key=lambda dot: dot[0]):
        half = text_width(cell.mode) / 2
        place = next(
            (at for at in _PLACES if x - half > ends[at]), min(_PLACES, key=ends.__getitem__)
        )
        ends[place] = x + half + 4
        tip = f"{cell.model} in {cell.mode}: {energy(cell.energy_per_image_j or 0.0)}"
        tip += "" if cell.is_valid else ", INVALID"
        svg.rect(x - _DOT / 2, middle - _DOT / 2, _DOT, _DOT, kind, tip)
        svg.text(x, middle + place, cell.mode, anchor="middle")
