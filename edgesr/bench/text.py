"""The tables that the terminal shows. Pure."""

import math

from edgesr.bench.compare import RunComparison
from edgesr.bench.figures import BenchResult, ModelFigures
from edgesr.text_table import align

COLUMNS = (
    "Model", "p50 ms", "p90", "p95", "p99", "max", "mean", "images/s", "MP/s", "Power W",
    "Dynamic W", "J/image",
)  # fmt: skip
"""Of the table of figures: the model's name, then what `figure_cells` gives."""

NONE = "-"
"""What stands where there is no figure."""


def significant(value: float | None, digits: int = 4) -> str:
    """Return a number with so many significant digits and no exponent; a dash for None."""
    if value is None:
        return NONE
    text = f"{value:#.{digits}g}"
    if "e" in text:
        return f"{float(text):.0f}" if abs(value) >= 1 else f"{float(text):.10f}".rstrip("0")
    return text.removesuffix(".")


def with_uncertainty(value: float | None, uncertainty: float | None) -> str:
    """Return `14.07 ± 0.13`: the uncertainty with two digits, the value to the same place.

    Five significant digits of the value are enough, and the uncertainty is then rounded up to them.
    """
    if value is None or not uncertainty:
        return significant(value)
    exponent = math.floor(math.log10(abs(value))) if value else 0
    places = max(0, min(1 - math.floor(math.log10(uncertainty)), 4 - exponent))
    shown = math.ceil(uncertainty * 10**places * (1 - 1e-9)) / 10**places
    return f"{value:.{places}f} ± {shown:.{places}f}"


def summary(result: BenchResult) -> str:
    """Return the lines that `edgesr bench` and `edgesr report` print."""
    rows = [(item.model.label, *figure_cells(item)) for item in result.models]
    lines = align([COLUMNS, *rows], left={0})
    lines.append("")
    lines += [_cold(figures) for figures in result.models]
    power = result.power
    if power.why_none is None:
        idle = with_uncertainty(watts(power.idle_mw), watts(power.idle_uncertainty_mw))
        lines.append(f"power: {power.total} by {power.source}, idle {idle} W")
    if result.settings.rounds > 1:
        lines.append(f"{result.settings.rounds} rounds, models interleaved")
    lines += [f"note: {note}" for note in result.notes]
    lines += [f"INVALID: {reason}" for reason in result.invalid_reasons]
    return "\n".join(lines)


def figure_cells(figures: ModelFigures) -> tuple[str, ...]:
    """Return a model's figures as text, in the order of `COLUMNS`."""
    times, power = figures.latency_ms, figures.power
    columns = [times.p50, times.p90, times.p95, times.p99, times.max, times.mean]
    columns += [figures.images_per_s, figures.output_megapixels_per_s]
    cells = [significant(value) for value in columns]
    if power is None:
        return (*cells, NONE, NONE, NONE)
    return (
        *cells,
        with_uncertainty(watts(power.average_mw), watts(power.average_uncertainty_mw)),
        with_uncertainty(watts(power.dynamic_mw), watts(power.dynamic_uncertainty_mw)),
        with_uncertainty(power.energy_per_image_j, power.energy_per_image_uncertainty_j),
    )


def _cold(figures: ModelFigures) -> str:
    model = figures.model
    parts = [
        f"{model.label}: {model.backend}, {model.runs}",
        f"load {significant(model.load_ms)} ms",
        f"first image {significant(model.first_image_ms)} ms",
        f"end to end p50 {significant(figures.end_to_end_ms.p50)} ms",
        f"{figures.samples} samples",
    ]
    if figures.device_ms is not None:
        parts.insert(-1, f"device p50 {significant(figures.device_ms.p50)} ms")
    return "; ".join(parts)


def watts(power_mw: float | None) -> float | None:
    """Return mW as W."""
    return None if power_mw is None else power_mw / 1000


def comparison_table(comparison: RunComparison) -> str:
    """Return the lines that `edgesr compare-runs` prints."""
    header = ("Model", "Figure", "A", "B", "B/A", "chance", "by control", "")
    rows = [
        (
            item.model,
            item.figure,
            significant(item.first),
            significant(item.second),
            f"{item.ratio:.3f}",
            NONE if item.chance is None else f"{item.chance:.3f}",
            NONE if item.chance_by_control is None else f"{item.chance_by_control:.3f}",
            item.verdict,
        )
        for item in comparison.differences
    ]
    lines = align([header, *rows], left={0, 1, 7})
    lines += [f"only in A: {name}" for name in comparison.only_first]
    lines += [f"only in B: {name}" for name in comparison.only_second]
    lines += [f"note: {caution}" for caution in comparison.cautions]
    return "\n".join(lines)
