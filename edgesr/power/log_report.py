"""What `edgesr power` says of a log: a document for JSON, and the same as a table. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesr.errors import Argument, ConfigError, PowerError
from edgesr.power.board_rails import Total, find_total, rails_of_total
from edgesr.power.energy import COVERAGE, Energy
from edgesr.power.power_curve import Gap, PowerCurve
from edgesr.power.sample import RailTable, Sample, rail_names
from edgesr.power.spans import find_spans
from edgesr.power.tegrastats_log import PowerLog

FORMAT = "edgesr-power/1"


def moment_s(text: str, start: datetime | None, field: str) -> float:
    """Return a moment of a log in s from its first line.

    Args:
        text: seconds, or the board's `HH:MM:SS`.
        start: the board's local time at the first line.
        field: name of the argument, for messages.

    Raises:
        ConfigError: neither of the two, or a time of day for a log without time stamps.
    """
    clock = re.fullmatch(r"([01]?[0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9](?:\.[0-9]+)?))?", text)
    if clock is None:
        if re.fullmatch(r"[0-9]+(\.[0-9]*)?", text) is None:
            raise ConfigError(f"'{text}' is neither seconds nor HH:MM:SS", where=Argument(field))
        return float(text)
    if start is None:
        raise ConfigError("the log has no time stamps: give seconds", where=Argument(field))
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
        PowerError: the log holds no power there, or never the whole of it.
    """
    last = log.samples[-1].time_s
    begin = log.samples[0].time_s if begin_s is None else begin_s
    end = last if end_s is None else min(end_s, last)
    samples = [sample for sample in log.samples if begin <= sample.time_s <= end]
    names = rail_names(samples)
    if not names:
        raise _no_power(log, begin, end, where)
    total = _find_total(log, samples)
    known = RailTable.of(log.samples, dict.fromkeys((*names, *total.rails)))

    def curve(rails: Sequence[str]) -> PowerCurve:
        return PowerCurve.of(
            *known.series(rails),
            interval_s=log.interval_s,
            breaks_s=log.set_back_s,
            resolution_s=log.resolution_s,
            limits=None if log.limits is None else log.limits.of_lines(known.held(rails)),
        )

    def whole(of: PowerCurve, made: Total) -> tuple[Energy, tuple[Gap, ...]]:
        held = of.time_s[(of.time_s >= begin) & (of.time_s <= end)]
        if len(held) < 2:
            raise _too_few(len(held), made, where)
        first, final = float(of.time_s[0]), float(of.time_s[-1])
        return of.integrate_seen(max(begin, first), min(end, final))

    def within(span: tuple[float, float]) -> dict[str, Any] | None:
        known_s = of_total.time_s
        start, stop = max(span[0], float(known_s[0])), min(span[1], float(known_s[-1]))
        if ((known_s >= start) & (known_s <= stop)).sum() < 2:
            return None  # its lines do not hold the total
        energy, _ = of_total.integrate_seen(start, stop)
        return {"from_s": _round(start), "to_s": _round(stop), **_numbers(energy)}

    def all_within(spans: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
        return [found for found in map(within, spans) if found is not None]

    of_total = curve(total.rails)
    if not len(of_total.time_s):
        raise _too_few(0, total, where)
    missing = _without_total(known, total, (known.time_s >= begin) & (known.time_s <= end))
    energy, gaps = whole(of_total, total)
    spans = find_spans(samples, log.interval_s)
    return {
        "format": FORMAT,
        "log": where.name,
        "tool": log.tool,
        "start": None if log.start is None else log.start.isoformat(timespec="milliseconds"),
        "times_from": log.times_from,
        "from_s": _round(begin),
        "to_s": _round(end),
        "samples": len(samples),
        "period_ms": _round(1e3 * float(np.median(of_total.usual_s))),
        "unknown_lines": log.unknown_lines,
        "cut_lines": log.cut_lines,
        "copied_lines": log.copied_lines,
        "gaps_s": [[_round(gap.start_s), _round(gap.end_s)] for gap in gaps],
        "clock_set_back_s": [_round(time) for time in log.set_back_s],
        "coverage_factor": COVERAGE,
        "total": {
            "of": total.name,
            "is_sum": total.is_sum,
            **_numbers(energy),
            "in_gaps": _in_gaps(gaps),
            "unknown_in_lines": sum(missing.values()),
            "missing_rails": missing,
        },
        "rails": {name: _numbers(whole(curve([name]), Total((name,), 0.0))[0]) for name in names},
        "busy": None if spans is None else all_within(spans.busy),
        "idle": None if spans is None else all_within(spans.idle),
    }


def _no_power(log: PowerLog, begin_s: float, end_s: float, where: Path) -> PowerError:
    """Return the error of a part of a log without power: of all of it, or of this part only."""
    if any(sample.rails_mw for sample in log.samples):
        last = log.samples[-1].time_s
        return PowerError(
            f"no power between {begin_s:.1f} s and {end_s:.1f} s of {last:.1f} s", where=where
        )
    return PowerError(
        f"none of its {len(log.samples)} lines from {log.tool} holds a power rail (before "
        "JetPack 6 tegrastats prints them only as root)",
        where=where,
        fix="record it anew: sudo tegrastats --interval 100 --logfile power.log",
    )


def _too_few(lines: int, total: Total, where: Path) -> PowerError:
    """Return the error of a log, or of the part asked for, in which a power has no duration."""
    held = "a single line holds" if lines else "no line holds"
    what = f"all rails of the {total.name}" if total.is_sum else total.name
    return PowerError(
        f"{held} {what}, and a duration takes two",
        where=where,
        fix="bring each line of tegrastats onto one row, or take more lines",
    )


def _find_total(log: PowerLog, samples: Sequence[Sample]) -> Total:
    """Return how the total is made, also of rails that not all lines hold."""
    counts = Counter(rail for sample in samples for rail in sample.rails_mw)
    counts.update(log.unread_rails)
    held = sum(bool(sample.rails_mw) for sample in samples)
    return find_total(rails_of_total(counts, held))


def _without_total(known: RailTable, total: Total, asked: npt.NDArray[np.bool_]) -> dict[str, int]:
    """Count the lines asked for that lack a rail of the total, by the first such rail."""
    missing = {}
    rest = asked
    for rail in total.rails:
        held = known.held([rail])
        if lacking := int((rest & ~held).sum()):
            missing[rail] = lacking
        rest = rest & held
    return missing


def _in_gaps(gaps: Sequence[Gap]) -> dict[str, Any]:
    """Return what is not in the energy, because no reading tells what flowed, nor how long."""
    return {
        "duration_s": _round(sum(gap.uncounted_s for gap in gaps)),
        "energy_j": _round(sum(gap.energy_j for gap in gaps)),
        "uncertainty_j": _round(sum(gap.uncertainty_j for gap in gaps)),
    }


def table(result: dict[str, Any]) -> str:
    """Return the document as text of at most 80 columns for people."""
    total = result["total"]
    seconds = total["duration_s"]
    lines = [
        f"{result['log']}, by {result['tool']}",
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
    lines += _not_counted(result)
    for count, what in (
        (result["unknown_lines"], f"not from {result['tool']}"),
        (result["cut_lines"], "cut short"),
        (result["copied_lines"], "written twice, counted once"),
    ):
        if count:
            lines.append(f"lines {what}: {count}")
    return "\n".join(lines)


def _not_counted(result: dict[str, Any]) -> list[str]:
    """Say what the energy leaves out, and where the total is not known."""
    total = result["total"]
    lines = [f"gap: {begin:.1f} s to {end:.1f} s" for begin, end in result["gaps_s"]]
    lines += [
        f"clock set back at {time:.1f} s: how long nothing was read is not known"
        for time in result["clock_set_back_s"]
    ]
    left_out = total["in_gaps"]
    if left_out["duration_s"]:
        lines.append(
            f"not counted: {left_out['duration_s']:.1f} s of gaps; "
            f"{left_out['energy_j']:.1f} ± {left_out['uncertainty_j']:.1f} J if the clock was right"
        )
    lines += [
        f"total unknown in {count} of {result['samples']} lines: no {rail}"
        for rail, count in total["missing_rails"].items()
    ]
    return lines


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


def _numbers(energy: Energy) -> dict[str, Any]:
    return {
        "duration_s": _round(energy.duration_s),
        "mean_mw": _round(energy.mean_mw),
        "peak_mw": _round(energy.peak_mw),
        "energy_j": _round(energy.energy_j),
        "uncertainty_j": _round(energy.uncertainty_j),
    }


def _round(value: float) -> float:
    return round(float(value), 3)
