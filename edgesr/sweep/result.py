"""From the runs of a sweep to its figures, and to the best network within a budget. Pure."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from edgesr.bench.figures import BenchResult, ModelFigures, rounded
from edgesr.errors import Argument, ConfigError
from edgesr.sweep.record import Quality, Sweep

SCHEMA = "edgesr-sweep-result/1"
_UNITS = {"mJ": 1e-3, "J": 1.0}


@dataclass(frozen=True)
class SweepCell:
    """A network at one tile size in one power mode.

    Attributes:
        mode_id: number of the power mode.
        mode: its name.
        model: label of the network in the runs.
        backend: what ran it.
        tile: side of its tiles in pixels; None: whole inputs.
        psnr_y_db: from the sweep's source; None: unknown.
        latency_ms: end to end for a sample, median; it holds `images` images.
        images: in a sample.
        images_per_s: end to end.
        average_mw: mean power over the measured windows; None: not measured, as the next ones.
        average_uncertainty_mw: of it.
        energy_per_image_j: gross.
        energy_per_image_uncertainty_j: of it.
        is_valid: the machine was not held down during the run.
    """

    mode_id: int
    mode: str
    model: str
    backend: str
    tile: int | None
    psnr_y_db: float | None
    latency_ms: float
    images: int
    images_per_s: float
    average_mw: float | None
    average_uncertainty_mw: float | None
    energy_per_image_j: float | None
    energy_per_image_uncertainty_j: float | None
    is_valid: bool

    @property
    def highest_j(self) -> float | None:
        """Energy of an image with its uncertainty on top."""
        if self.energy_per_image_j is None:
            return None
        return self.energy_per_image_j + (self.energy_per_image_uncertainty_j or 0.0)


@dataclass(frozen=True)
class SweepResult:
    """All figures of a sweep.

    Attributes:
        sweep: what was asked for and done.
        machine: its name.
        input: what was upscaled.
        cells: by mode, in the order of the runs.
        notes: what a reader should know, in words.
        best: within the budget; None: no budget, or nothing is.
    """

    sweep: Sweep
    machine: str
    input: str
    cells: tuple[SweepCell, ...]
    notes: tuple[str, ...]
    best: SweepCell | None

    def to_json(self) -> dict[str, Any]:
        """Return the document of result.json."""
        document: dict[str, Any] = rounded({"schema": SCHEMA} | asdict(self))
        return document


def compute(sweep: Sweep, runs: Sequence[BenchResult | None]) -> SweepResult:
    """Return the figures.

    Args:
        sweep: what was done.
        runs: the result of each mode, of as many networks as the sweep has; None where it has none.
    """
    cells: list[SweepCell] = []
    notes = list(sweep.left_out)
    for mode, run in zip(sweep.modes, runs, strict=True):
        if run is None:
            notes.append(f"{mode.name} was not measured: {mode.failure}")
            continue
        if not run.is_valid:
            notes.append(f"{mode.name} is INVALID: {'; '.join(run.invalid_reasons)}")
        if run.power.why_none is not None:
            notes.append(f"{mode.name} has no power: {run.power.why_none}")
        for figures, quality in zip(run.models, sweep.qualities, strict=True):
            cells.append(_cell(mode.id, mode.name, figures, quality, run.is_valid))
    if any(run is not None and run.machine.l4t is None for run in runs):
        notes.append("the machine is no Jetson: the power modes are not its own")
    if sweep.interrupted:
        notes.append("the sweep was stopped before its end")
    done = next((run for run in runs if run is not None), None)
    machine = "" if done is None else done.machine.board or done.machine.model
    shown = "" if done is None else _input(done)
    best = None if sweep.budget_j is None else best_within(cells, sweep.budget_j)
    return SweepResult(sweep, machine, shown, tuple(cells), tuple(notes), best)


def best_within(cells: Sequence[SweepCell], budget_j: float) -> SweepCell | None:
    """Return the cell of the highest PSNR whose energy with its uncertainty is within a budget.

    Of equal ones the cheaper. An INVALID cell, or one whose PSNR or energy is unknown, is none.
    """
    within = [
        (cell.psnr_y_db, -(cell.energy_per_image_j or 0.0), -number, cell)
        for number, cell in enumerate(cells)
        if cell.is_valid
        and cell.psnr_y_db is not None
        and cell.highest_j is not None
        and cell.highest_j <= budget_j
    ]
    return max(within)[3] if within else None


def parse_budget(text: str) -> float:
    """Return an energy in J from `50mJ` or `0.05 J`.

    Raises:
        ConfigError: it is no energy above 0.
    """
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(mJ|J)\s*", text)
    value = 0.0 if match is None else float(match[1]) * _UNITS[match[2]]
    if value <= 0:
        raise ConfigError(
            f"'{text}' is no energy above 0",
            where=Argument("budget"),
            fix=Argument("budget", "50mJ"),
        )
    return value


def _cell(
    mode_id: int, mode: str, figures: ModelFigures, quality: Quality, is_valid: bool
) -> SweepCell:
    power = figures.power
    return SweepCell(
        mode_id=mode_id,
        mode=mode,
        model=figures.model.label,
        backend=figures.model.backend,
        tile=figures.model.tile,
        psnr_y_db=quality.psnr_y_db,
        latency_ms=figures.end_to_end_ms.p50,
        images=figures.model.images,
        images_per_s=figures.images_per_s,
        average_mw=None if power is None else power.average_mw,
        average_uncertainty_mw=None if power is None else power.average_uncertainty_mw,
        energy_per_image_j=None if power is None else power.energy_per_image_j,
        energy_per_image_uncertainty_j=None
        if power is None
        else power.energy_per_image_uncertainty_j,
        is_valid=is_valid,
    )


def _input(run: BenchResult) -> str:
    settings = run.settings
    return f"{settings.input}, {settings.width}x{settings.height}"
