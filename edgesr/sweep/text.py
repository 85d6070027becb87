"""What the terminal shows of a sweep. Pure."""

from edgesr.bench.text import NONE, significant, watts, with_uncertainty
from edgesr.sweep.result import SweepCell, SweepResult
from edgesr.text_table import align

COLUMNS = ("Power mode", "Model", "Tile", "dB", "p50 ms", "images/s", "Power W", "J/image")
_LEFT = (0, 1)


def summary(result: SweepResult) -> str:
    """Return the figures as a table, what a reader should know, and the answer to the budget."""
    rows = [COLUMNS, *((cell.mode, *cell_texts(cell)) for cell in result.cells)]
    lines = [*align(rows, _LEFT), ""]
    lines += [f"note: {note}" for note in result.notes]
    lines += [f"dB: {source}" for source in sources(result)]
    if result.sweep.budget_j is not None:
        lines.append(verdict(result))
    return "\n".join(lines)


def cell_texts(cell: SweepCell) -> tuple[str, ...]:
    """Return the texts of a row but for its mode."""
    return (
        cell.model if cell.is_valid else f"{cell.model} (INVALID)",
        NONE if cell.tile is None else str(cell.tile),
        NONE if cell.psnr_y_db is None else f"{cell.psnr_y_db:.2f}",
        significant(cell.latency_ms),
        significant(cell.images_per_s),
        with_uncertainty(watts(cell.average_mw), watts(cell.average_uncertainty_mw)),
        with_uncertainty(cell.energy_per_image_j, cell.energy_per_image_uncertainty_j),
    )


def sources(result: SweepResult) -> list[str]:
    """Return where the PSNR of the networks is from, each source once."""
    return list(dict.fromkeys(quality.source for quality in result.sweep.qualities))


def verdict(result: SweepResult) -> str:
    """Return the best network within the budget in a sentence, or why there is none."""
    budget, best = energy(result.sweep.budget_j or 0.0), result.best
    if best is not None and best.energy_per_image_j is not None:
        tile = "" if best.tile is None else f", tiles of {best.tile}"
        return (
            f"best within {budget} an image: {best.model}{tile} in {best.mode}, "
            f"{best.psnr_y_db:.2f} dB with {energy(best.energy_per_image_j)}"
        )
    known = [cell for cell in result.cells if cell.psnr_y_db is not None and cell.is_valid]
    energies = [cell.highest_j for cell in known if cell.highest_j is not None]
    if not energies:
        return f"best within {budget} an image: none, as nothing valid has both dB and energy"
    return (
        f"best within {budget} an image: none; the least is {energy(min(energies))} with its "
        "uncertainty"
    )


def energy(value_j: float) -> str:
    """Return an energy in the unit that suits it."""
    value, unit = (value_j, "J") if value_j >= 1 else (1e3 * value_j, "mJ")
    text = f"{value:.3g}"
    return f"{float(text):.0f} {unit}" if "e+" in text else f"{text} {unit}"
