"""The two plots of a report: power over time, and how latencies spread. Pure."""

import math

import numpy as np

from edgesr.bench.figures import BenchResult
from edgesr.bench.recording import Recording, Span, SpanKind
from edgesr.pages.svg import SERIES, Svg, log_axis, nice_ticks, tick_label
from edgesr.power.sample import Array, rail_series

_WIDTH, _LEFT, _RIGHT = 960.0, 56.0, 16.0
_PLOT = _WIDTH - _LEFT - _RIGHT
_BINS = 80


def power_plot(recording: Recording, result: BenchResult) -> str:
    """Draw power over time with idle, warm-up and measured spans: the paper's figure 3b."""
    height, top, bottom = 340.0, 46.0, 60.0
    svg = Svg(_WIDTH, height, "Power over time")
    end_s = max(span.end_s for span in recording.spans)
    total = recording.power.total
    times, power = rail_series(recording.samples, total.rails) if total.rails else _NOTHING
    shown = times <= end_s
    times, watts = times[shown], power[shown] / 1000
    highest = 1.08 * float(watts.max()) if len(watts) else 1.0
    scale_x, scale_y = _PLOT / end_s, (height - top - bottom) / highest
    floor = height - bottom

    for span in recording.spans:
        kind, name = _look(recording, span)
        width = (span.end_s - span.start_s) * scale_x
        tip = f"{name}, {span.start_s:.1f} s to {span.end_s:.1f} s"
        svg.rect(_LEFT + span.start_s * scale_x, top, width, floor - top, f"span {kind}", tip)
    for tick in nice_ticks(0, highest, 5):
        y = floor - tick * scale_y
        svg.line(_LEFT, y, _WIDTH - _RIGHT, y, "grid")
        svg.text(_LEFT - 8, y + 4, tick_label(tick), anchor="end")
    for tick in nice_ticks(0, end_s, 10):
        svg.text(_LEFT + tick * scale_x, floor + 18, tick_label(tick), anchor="middle")
    svg.path(
        ((_LEFT + t * scale_x, floor - w * scale_y) for t, w in zip(times, watts, strict=True)),
        "line",
    )
    for figures in result.models:
        index = recording.models.index(figures.model)
        for span, row in zip(recording.windows(index), figures.rounds, strict=True):
            if row.average_mw is not None:
                begin, stop = (_LEFT + at * scale_x for at in (span.start_s, span.end_s))
                y = floor - row.average_mw / 1000 * scale_y
                svg.line(begin, y, stop, y, f"mean l{index % SERIES}")
    svg.line(_LEFT, floor, _WIDTH - _RIGHT, floor, "axis")
    svg.text(_LEFT, 18, f"Power in W ({total.name})" if total.rails else "Power in W", "title")
    svg.text(_WIDTH - _RIGHT, floor + 18 + 18, "seconds", anchor="end")
    if not len(watts):
        why = result.power.why_none or "no samples"
        svg.text(_WIDTH / 2, (top + floor) / 2, f"no power: {_short(why)}", "strong", "middle")
    _legend(svg, recording, height - 12)
    return str(svg)


_NOTHING: tuple[Array, Array] = (np.empty(0), np.empty(0))


def _look(recording: Recording, span: Span) -> tuple[str, str]:
    """Return the class and the name of a span."""
    if span.kind is SpanKind.MEASURED and span.model is not None:
        label = recording.models[span.model].label
        return f"s{span.model % SERIES}", f"{label}, round {(span.round or 0) + 1}"
    if span.kind is SpanKind.IDLE or span.model is None:
        return "idle", "idle"
    return "work", f"{span.kind.value} {recording.models[span.model].label}"


def _legend(svg: Svg, recording: Recording, y: float) -> None:
    entries = [("idle", "idle"), ("work", "load and warm-up")]
    entries += [(f"s{index % SERIES}", model.label) for index, model in enumerate(recording.models)]
    x = _LEFT
    for kind, name in entries:
        svg.rect(x, y - 10, 12, 12, kind, name)
        svg.text(x + 17, y, _short(name, 28))
        x += 17 + 7.2 * min(len(name), 28) + 18


def latency_plot(recording: Recording, result: BenchResult) -> str:
    """Draw a histogram of each model's latencies over one logarithmic axis; nothing is cut off."""
    row, top, bottom = 104.0, 34.0, 46.0
    height = top + row * len(result.models) + bottom
    svg = Svg(_WIDTH, height, "Latency histogram")
    svg.text(_LEFT, 18, "Latency of a call in ms, host to host (logarithmic axis)", "title")
    latencies = recording.latencies
    low, high = 0.97 * float(latencies.latency_ms.min()), 1.03 * float(latencies.latency_ms.max())
    floor = height - bottom
    at = log_axis(svg, low, high, (_LEFT, _LEFT + _PLOT), (top, floor))
    edges = low * np.exp(np.linspace(0.0, math.log(high / low), _BINS + 1))
    for place, figures in enumerate(result.models):
        index = recording.models.index(figures.model)
        base = top + row * (place + 1)
        values = latencies.latency_ms[latencies.model == index]
        counts, _ = np.histogram(values, edges)
        most = int(counts.max())
        for count, left, right in zip(counts, edges[:-1], edges[1:], strict=True):
            if count:
                tall = max(1.5, (row - 40) * int(count) / most)
                tip = f"{left:.4g} to {right:.4g} ms: {count} calls"
                svg.rect(
                    at(left), base - tall, at(right) - at(left) - 1, tall, f"s{index % SERIES}", tip
                )
        svg.line(_LEFT, base, _WIDTH - _RIGHT, base, "axis")
        times = figures.latency_ms
        for value in (times.p50, times.p99):
            svg.line(at(value), base - row + 34, at(value), base, "mark")
        svg.text(_LEFT, base - row + 26, _short(figures.model.label, 32), "strong")
        svg.text(
            _WIDTH - _RIGHT,
            base - row + 26,
            f"p50 {times.p50:.4g} · p99 {times.p99:.4g} · max {times.max:.4g} ms",
            anchor="end",
        )
    svg.text(
        _LEFT,
        height - 10,
        "dashed: median and 99th percentile; bars of a row are relative to its tallest",
    )
    return str(svg)


def _short(text: str, limit: int = 110) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
