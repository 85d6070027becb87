"""The SVG writer and the two plots."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from recordings import recording

from edgesr.bench.plots import latency_plot, power_plot
from edgesr.bench.result import compute
from edgesr.pages.svg import Svg, log_ticks, nice_ticks, number

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("value", "text"), [(1, "1"), (1.5, "1.5"), (1.006, "1.01"), (-0.001, "0"), (100, "100")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


@example(1.0, 4001.0, 2)
@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4), st.integers(2, 10))
def test_ticks_lie_within_at_even_steps(low: float, width: float, count: int) -> None:
    ticks = nice_ticks(low, low + width, count)
    assert 1 <= len(ticks) <= count + 1
    assert all(low - 1e-6 * width <= tick <= low + width * (1 + 1e-6) for tick in ticks)
    if len(ticks) > 2:
        np.testing.assert_allclose(np.diff(ticks), ticks[1] - ticks[0], rtol=1e-6)


def test_ticks_of_a_logarithmic_axis() -> None:
    assert log_ticks(0.4, 60) == pytest.approx([0.5, 1, 2, 5, 10, 20, 50])
    assert log_ticks(24, 31) == pytest.approx([24, 26, 28, 30])


def test_text_is_escaped() -> None:
    svg = Svg(10, 10, "<a & b>")
    svg.text(1, 2, "x < y")
    svg.rect(0, 0, 1, 1, "idle", '"quoted" & more')
    root = ET.fromstring(str(svg))
    assert root.find(f"{SVG}title").text == "<a & b>"  # type: ignore[union-attr]
    assert root.find(f"{SVG}text").text == "x < y"  # type: ignore[union-attr]


def test_the_power_plot_shows_every_span_and_sample() -> None:
    run = recording()
    root = ET.fromstring(power_plot(run, compute(run)))
    spans = [r for r in root.iter(f"{SVG}rect") if r.get("class", "").startswith("span")]
    assert len(spans) == len(run.spans)
    tips = [span.find(f"{SVG}title").text for span in spans]  # type: ignore[union-attr]
    assert tips[0] == "idle, 0.0 s to 10.0 s"
    assert "student, round 1, 13.0 s to 25.0 s" in tips
    (line,) = root.iter(f"{SVG}polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.get("points", "").split()]
    end_s = run.spans[-1].end_s
    assert len(points) == sum(sample.time_s <= end_s for sample in run.samples)
    # Of two heights one is three times the other above the axis: 15 W of work, 5 W of idling.
    axis = next(e for e in root.iter(f"{SVG}line") if e.get("class") == "axis")
    floor = float(axis.get("y1", ""))
    heights = [floor - y for _, y in points]
    assert max(heights) / min(heights) == pytest.approx(3.0, rel=1e-3)
    means = [e for e in root.iter(f"{SVG}line") if e.get("class", "").startswith("mean")]
    assert len(means) == 6


def test_the_power_plot_says_why_it_is_empty() -> None:
    run = recording()
    run = replace(run, samples=(), power=replace(run.power, failure="no sensor is here"))
    texts = [text.text for text in ET.fromstring(power_plot(run, compute(run))).iter(f"{SVG}text")]
    assert "no power: no sensor is here" in texts


def test_the_histogram_counts_every_call() -> None:
    run = recording(scatter=0.05)
    values = run.latencies.latency_ms.copy()
    values[7] = 5000.0
    run = replace(run, latencies=replace(run.latencies, latency_ms=values))
    root = ET.fromstring(latency_plot(run, compute(run)))
    tips = [rect.find(f"{SVG}title").text or "" for rect in root.iter(f"{SVG}rect")]  # type: ignore[union-attr]
    counts = [int(tip.split(": ")[1].split()[0]) for tip in tips]
    assert sum(counts) == len(values)
    assert any(tip.endswith(": 1 calls") and "to 5" in tip for tip in tips)
