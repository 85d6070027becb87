"""The plot of quality over cost."""

from typing import Any
from xml.etree import ElementTree

from benchmarks.shared.pareto import Point, frontier, plot, points

SVG = "{http://www.w3.org/2000/svg}"


def document(costs: dict[str, tuple[float, float]]) -> dict[str, Any]:
    rows = [
        {"name": name, "quality": {"A": {"psnr_y_db": db - 1}, "B": {"psnr_y_db": db + 1}}}
        for name, (_, db) in costs.items()
    ]
    return {
        "sets": [{"name": "A"}, {"name": "B"}],
        "networks": [*rows, {"name": "half", "quality": {"A": {"psnr_y_db": 40.0}}}],
        "cost": {n: {"latency_ms": ms, "energy_j": None} for n, (ms, _) in costs.items()},
        "machine": {"model": "a <board>"},
    }


COSTS = {"slow": (600.0, 31.0), "fast": (2.0, 28.0), "best": (20.0, 31.5), "same": (20.5, 31.5)}


def test_points_are_means_over_sets_of_what_was_measured_on_all() -> None:
    found = points(document(COSTS), "latency_ms")
    assert found == [Point(name, ms, db) for name, (ms, db) in COSTS.items()]


def test_the_frontier_holds_what_nobody_beats() -> None:
    found = points(document(COSTS), "latency_ms")
    assert [point.name for point in frontier(found)] == ["fast", "best"]
    twins = [Point("a", 1.0, 30.0), Point("b", 1.0, 31.0)]
    assert [point.name for point in frontier(twins)] == ["b"]


def test_the_plot_shows_every_point_once_inside_the_axes() -> None:
    drawing = plot(document(COSTS), "latency_ms")
    assert drawing is not None
    root = ElementTree.fromstring(drawing)
    dots = root.findall(f"{SVG}rect")
    assert len(dots) == 4
    across = [float(dot.attrib["x"]) for dot in dots]
    assert across[1] < across[2] < across[3] < across[0]
    assert all(62 <= x <= 630 for x in across)
    down = [float(dot.attrib["y"]) for dot in dots]
    assert down[2] == down[3] < down[0] < down[1]
    texts = [(t.text, float(t.attrib["x"]), float(t.attrib["y"])) for t in root.iter(f"{SVG}text")]
    labels = {text: (x, y) for text, x, y in texts if text in COSTS}
    assert set(labels) == set(COSTS)
    assert abs(labels["best"][1] - labels["same"][1]) >= 15  # not on each other
    assert "PSNR-Y in dB, mean of A, B" in [text for text, *_ in texts]


def test_one_point_is_no_plot() -> None:
    assert plot(document({"only": (2.0, 28.0)}), "latency_ms") is None
    assert plot(document(COSTS), "energy_j") is None
