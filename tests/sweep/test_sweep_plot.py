"""What is read in the report of a sweep: labels that do not touch, figures without exponents."""

from itertools import combinations
from xml.etree import ElementTree

import pytest

from edgesr.pages.svg import Svg, log_axis, text_width, tick_label
from edgesr.sweep.plot import energy_plot
from edgesr.sweep.record import Sweep
from edgesr.sweep.result import SweepCell, SweepResult
from edgesr.sweep.text import energy


def labels(drawing: str) -> list[tuple[float, float, str]]:
    """Return (middle, baseline, text) of every label that is centred on a value."""
    found = ElementTree.fromstring(drawing).iter()
    return [
        (float(node.get("x", 0)), float(node.get("y", 0)), node.text or "")
        for node in found
        if node.tag.endswith("text") and node.get("text-anchor") == "middle"
    ]


def overlaps(drawing: str) -> list[tuple[str, str]]:
    """Return the labels that would touch each other."""
    return [
        (one[2], other[2])
        for one, other in combinations(labels(drawing), 2)
        if abs(one[1] - other[1]) < 10
        and abs(one[0] - other[0]) < (text_width(one[2]) + text_width(other[2])) / 2
    ]


@pytest.mark.parametrize("high", [30.0, 1e3, 1e6, 1e9])
def test_labels_of_a_logarithmic_axis_do_not_touch(high: float) -> None:
    svg = Svg(960, 100, "axis")
    log_axis(svg, 9.0, high, (200.0, 920.0), (10.0, 80.0))
    assert overlaps(str(svg)) == []
    assert len(labels(str(svg))) >= 2


@pytest.mark.parametrize("value", [1e3, 1e6, 2.5e9])
def test_a_large_tick_has_no_exponent(value: float) -> None:
    assert tick_label(value) == f"{value:.0f}"


@pytest.mark.parametrize(
    ("value_j", "text"),
    [(1000, "1000 J"), (1e5, "100000 J"), (2.617, "2.62 J"), (0.05, "50 mJ"), (4e-6, "0.004 mJ")],
)
def test_an_energy_is_in_plain_figures(value_j: float, text: str) -> None:
    assert energy(value_j) == text


@pytest.mark.parametrize("spread", [1.0, 1.1, 2.0])
def test_the_names_of_modes_close_to_each_other_do_not_touch(spread: float) -> None:
    cells = tuple(
        SweepCell(
            mode_id=index,
            mode=mode,
            model=model,
            backend="tensorrt",
            tile=64,
            psnr_y_db=30.0,
            latency_ms=5.0,
            images=1,
            images_per_s=200.0,
            average_mw=8000.0,
            average_uncertainty_mw=10.0,
            energy_per_image_j=energy_j * spread**index,
            energy_per_image_uncertainty_j=0.001,
            is_valid=True,
        )
        for model, energy_j in (("student", 0.4), ("esr-fast", 0.05), ("bicubic", 0.01))
        for index, mode in enumerate(("7W", "15W", "25W", "MAXN_SUPER"))
    )
    sweep = Sweep("edgesr bench", "2026-01-01T00:00:00", False, 1000.0, (), ())
    drawing = energy_plot(SweepResult(sweep, "board", "input", cells, (), None))
    assert {text for _, _, text in labels(drawing)} >= {"7W", "MAXN_SUPER", "budget"}
    assert overlaps(drawing) == []
