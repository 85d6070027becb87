"""What `edgesr power` says of a log: a document for JSON, and the same as a table. Pure."""

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from edgesr.errors import ConfigError, PowerError
from edgesr.power.board_rails import find_total
from edgesr.power.energy import COVERAGE, Energy, gaps, integrate
from edgesr.power.sample import Sample, rail_names, rail_series
from edgesr.power.spans import find_spans
from edgesr.power.tegrastats_log import PowerLog

FORMAT = "edgesr-power/1"


def moment_s(text: str, start: datetime | None, option: str) -> float:
    """Return a moment of a log in s from its first line.

    Args:
        text: seconds, or the board's `HH:MM:SS`.
        start: the board's local time at the first line.
        option: name of the option, for messages.

    Raises:
        ConfigError: neither of the two, or a time of day for a log without time stamps.
    """
    clock = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]+)?))?", text)
    if clock is None:
        if re.fullmatch(r"[0-9]+(\.[0-9]*)?", text) is None:
            raise ConfigError(f"'{text}' is neither seconds nor HH:MM:SS", where=option)
        return float(text)
    if start is None:
        raise ConfigError("the log has no time stamps: give seconds", where=option)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    hours, minutes, seconds = int(clock[1]), int(clock[2]), float(clock[3] or 0)
    at = midnight + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if at + timedelta(seconds=1) < start:  # a second: the first line's stamp is cut to whole ones
        at += timedelta(days=1)
    return max(0.0, (at - start).total_seconds())


def report(
    log: PowerLog, begin_s: float | None, end_s: float | None, where: Path
) -> dict[str, Any]:
    """Return the document.

    Args:
        log: what was read.
        begin_s: begin in s from the first line; None: there.
        end_s: end; None: the last line.
        where: the file, for messages.

    Raises:
        PowerError: the log holds no power there.
    """
    last = log.samples[-1].time_s
    begin = log.samples[0].time_s if begin_s is None else begin_s
    end = last if end_s is None else min(end_s, last)
    samples = [sample for sample in log.samples if begin <= sample.time_s <= end]
    names = rail_names(samples)
    if not names:
        raise PowerError(
            f"no power between {begin:.1f} s and {end:.1f} s of {last:.1f} s", where=where
        )
    total = find_total(names)
    spans = find_spans(samples)
    times, _ = rail_series(samples, total.rails)

    def whole(rails: Sequence[str]) -> Energy:
        series = rail_series(log.samples, rails)
        first, final = float(series[0][0]), float(series[0][-1])
        return integrate(*series, max(begin, first), min(end, final))

    def within(span: tuple[float, float]) -> dict[str, Any]:
        energy = integrate(*rail_series(log.samples, total.rails), *span)
        return {"from_s": _round(span[0]), "to_s": _round(span[1]), **numbers(energy)}

    def numbers(energy: Energy) -> dict[str, Any]:
        return _numbers(energy, log.uncertainty_s)

    if len(times) < 2:
        raise PowerError("a single line with power has no duration", where=where)
    return {
        "format": FORMAT,
        "log": where.name,
        "start": None if log.start is None else log.start.isoformat(timespec="milliseconds"),
        "times_from": log.times_from,
        "from_s": _round(begin),
        "to_s": _round(end),
        "samples": len(samples),
        "period_ms": _round(1e3 * _median_step(samples)),
        "unknown_lines": log.unknown_lines,
        "cut_lines": log.cut_lines,
        "gaps_s": [[_round(edge) for edge in gap] for gap in gaps(times)],
        "coverage_factor": COVERAGE,
        "total": {"of": total.name, "is_sum": total.is_sum, **numbers(whole(total.rails))},
        "rails": {name: numbers(whole([name])) for name in names},
        "busy": None if spans is None else [within(span) for span in spans.busy],
        "idle": None if spans is None else [within(span) for span in spans.idle],
    }


def table(result: dict[str, Any]) -> str:
    """Return the document as text of at most 80 columns for people."""
    total = result["total"]
    seconds = result["to_s"] - result["from_s"]
    lines = [
        result["log"],
        f"{result['samples']} samples over {seconds:.1f} s, one every {result['period_ms']:.0f} ms",
        f"times: {result['times_from']}",
        "",
        f"{'':26}{'mean W':>9}{'peak W':>9}{'energy J':>12}",
    ]
    lines += [_row(name, rail) for name, rail in result["rails"].items()]
    if total["is_sum"]:
        lines += [_row("sum", total), f"no rail carries the whole board: {total['of']}"]
    lines.append("")
    for kind in ("busy", "idle"):
        lines += _spans(kind, result[kind], total["of"])
    if result["busy"] is None:
        lines.append("spans: the log does not hold the GPU's load")
    lines += [f"gap: {begin:.1f} s to {end:.1f} s" for begin, end in result["gaps_s"]]
    for count, what in (
        (result["unknown_lines"], "not from tegrastats"),
        (result["cut_lines"], "cut short"),
    ):
        if count:
            lines.append(f"lines {what}: {count}")
    return "\n".join(lines)


def _row(name: str, numbers: dict[str, Any]) -> str:
    return (
        f"{name:26}{numbers['mean_mw'] / 1e3:9.3f}{numbers['peak_mw'] / 1e3:9.3f}"
        f"{numbers['energy_j']:12.2f} ± {numbers['uncertainty_j']:.2f}"
    )


def _spans(kind: str, spans: list[dict[str, Any]] | None, rail: str) -> list[str]:
    """One line for all spans of a kind, and one for each where there are several."""
    if not spans:
        return [] if spans is None else [f"{kind}: no span of a second or more"]
    seconds = sum(span["duration_s"] for span in spans)
    joules = sum(span["energy_j"] for span in spans)
    summary = f"{kind}: {seconds:.1f} s, mean {joules / seconds:.2f} W, {joules:.1f} J ({rail})"
    rows = [
        f"  {span['from_s']:.1f} s to {span['to_s']:.1f} s: mean {span['mean_mw'] / 1e3:.2f} W, "
        f"peak {span['peak_mw'] / 1e3:.2f} W"
        for span in spans
    ]
    return [summary, *rows]


def _numbers(energy: Energy, time_uncertainty_s: float) -> dict[str, Any]:
    """Return the figures of a window, whose length is as uncertain as the log's times are."""
    of_time_j = 1e-3 * energy.mean_mw * time_uncertainty_s
    uncertainty_j = COVERAGE * math.hypot(energy.standard_uncertainty_j, of_time_j)
    return {
        "duration_s": _round(energy.duration_s),
        "mean_mw": _round(energy.mean_mw),
        "peak_mw": _round(energy.peak_mw),
        "energy_j": _round(energy.energy_j),
        "uncertainty_j": _round(uncertainty_j),
    }


def _median_step(samples: Sequence[Sample]) -> float:
    steps = sorted(after.time_s - before.time_s for before, after in pairwise(samples))
    return steps[len(steps) // 2] if steps else 0.0


def _round(value: float) -> float:
    return round(float(value), 3)
