"""What TRAINING.md's tables say, from runs whose figures are known."""

from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.shapes.student_text import SCHEMA, SHAPES, student_shape
from benchmarks.training.figures import Line, draw
from benchmarks.training.plan import Plan
from benchmarks.training.results import Finished
from benchmarks.training.text import row2500, table3, table4

Json = dict[str, Any]
SVG = "{http://www.w3.org/2000/svg}"


def run(
    psnr: float,
    rows: list[tuple[float, float, float]] = [(10, 64.0, 300.0), (20, 128.0, 300.0)],  # noqa: B006
    begun: tuple[int, ...] = (0,),
    batch: int = 128,
) -> Finished:
    """A run by its Set5 dB and its (step, patches per second, watts)."""
    score = {"psnr_y_db": psnr, "ssim_y": 0.8, "bicubic_psnr_y_db": 28.42, "bicubic_ssim_y": 0.81}
    invocations = [
        {
            "from_step": step,
            "pictures": 1089,
            "hr_megapixels": 346.8,
            "versions": {"gpu": "NVIDIA H100", "torch": "2.13.0"},
            "config": {"batch": batch, "precision": "auto"},
        }
        for step in begun
    ]
    names = ("step", "images_per_s", "power_w")
    nan = float("nan")
    table = [{**dict(zip(names, row, strict=True)), "psnr_y_db": nan} for row in rows]
    return Finished({"scores": {"Set5": score}}, invocations, table)


def count(name: str) -> int:
    return {"mambalitesr:D60-G8-B2-N16-R30": 673308, "student-paper": 141008}.get(name, 458268)


def test_costs_are_means_over_the_iterations_without_the_first_row_of_an_invocation() -> None:
    rows = [
        (10, 1.0, 1.0),
        (20, 128.0, 100.0),
        (40, 64.0, 400.0),
        (50, 1.0, 1.0),
        (60, 128.0, 100.0),
    ]
    found = run(28.0, rows, begun=(0, 40))
    # 10 steps in 10 s, 20 in 40 s, 10 in 10 s
    assert found.step_ms == pytest.approx(1000 * 60 / 40)
    assert found.power_w == pytest.approx((10 * 100 + 40 * 400 + 10 * 100) / 60)
    assert found.step_energy_j == pytest.approx(300 * 1.5)


def test_without_a_meter_or_a_second_row_there_is_no_figure() -> None:
    nan = float("nan")
    dark = run(28.0, [(10, 64.0, nan), (20, 128.0, nan)])
    assert (dark.power_w, dark.step_energy_j) == (None, None)
    assert dark.step_ms == pytest.approx(1000)
    short = run(28.0, [(10, 64.0, 300.0)])
    assert (short.power_w, short.step_ms) == (None, None)


def test_table_3_compares_watts_joules_and_decibels() -> None:
    found = {
        "table3-rank30": run(28.9, [(10, 1.0, 1.0), (20, 128.0, 400.0)]),
        "table3-rank2": run(28.7, [(10, 1.0, 1.0), (20, 160.0, 300.0)]),
    }
    text = table3(Plan(), found, count)
    assert text.startswith(
        "**Rank 2 draws 300 W where rank 30 draws 400 W (-25 %; the paper: -42 %). Energy of an "
        "iteration: -40 %. PSNR on Set5: -0.20 dB (the paper, on its pictures: -0.07 dB).**"
    )
    assert (
        "| **mambalitesr:D60-G8-B2-N16-R2** | 2 | 458,268 | 1,500 | 28.70 | - | - | - | 300 | 800 "
        "| 240 |" in text
    )
    assert "| *paper: Config 1* | 30 | 370k | 1,500 | - | - | - | 28.88 | 103 | - | - |" in text
    assert text.endswith(
        "- Trained on NVIDIA H100, torch 2.13.0, bfloat16; 1,089 pictures of a patch or more in a "
        "folder of 347 megapixels: table3-rank30 and table3-rank2.\n"
    )


def test_what_was_not_run_is_said() -> None:
    text = table3(Plan(), {"table3-rank30": run(28.9)}, count)
    assert not text.startswith("**")
    assert "| 2 | 458,268 | 1,500 | not run | not run | not run | - | not run |" in text
    assert "- Not run yet: table3-rank2. `python -m benchmarks.training.tables run" in text
    assert "Not run yet: row2500-teacher and row2500-student." in row2500(Plan(), {}, count)


def test_table_4_says_where_it_is_best_and_what_seeds_do() -> None:
    scores = {0.0: 27.0, 0.2: 27.5, 0.4: 27.4, 0.5: 27.2, 0.6: 27.1, 0.8: 26.9, 1.0: 26.5}
    found = {f"table4-alpha{alpha:.1f}": run(psnr) for alpha, psnr in scores.items()}
    found["table4-alpha0.4-seed1"] = run(27.8)
    text = table4(Plan(), found)
    assert text.startswith(
        "**The best alpha is 0.4 (27.60 dB on Set5), the worst 1.0 (26.50 dB): a spread of 1.10 "
        "dB, where the paper has 2.36 dB. Seeds of one alpha differ by up to 0.40 dB.**"
    )
    assert "| 0.4 | 27.40, 27.80 | -, - | -, - | 26.35 |" in text
    assert "| 1.0 | 26.50 | - | - | - |" in text
    assert "- Not run yet: table4-teacher." in text


@pytest.mark.parametrize(("psnr", "words"), [(28.22, "0.20 dB below"), (29.0, "0.58 dB above")])
def test_the_row_is_held_against_bicubic(psnr: float, words: str) -> None:
    text = row2500(Plan(), {"row2500-student": run(psnr)}, count)
    assert text.startswith(f"**After 2,500 iterations the student is {words} bicubic on Set5.**")
    student, paper, teacher, bicubic = text.splitlines()[4:8]
    assert student.startswith("| **student-paper**, distilled at alpha 0.8 | 141,008 | 2,500 | ")
    assert paper.endswith("| 370k | 2,500 | 28.28 / 0.837 | 25.39 / 0.727 | 25.20 / 0.693 |")
    assert teacher.endswith("| not run | not run | not run |")
    assert bicubic == "| bicubic | 0 | - | 28.42 / 0.810 | - | - |"


def shapes(figures: dict[str, tuple[float, float]]) -> Json:
    """The document of shapes/student.py by shape -> (ms, dB)."""
    networks = [
        {
            "name": name,
            "network": f"mambalitesr:D32-G4-B2-{name}",
            "parameters": 120_000,
            "steps": 2500,
            "batch": 64,
            "trained_on": "NVIDIA H100",
            "quality": {"Set5": {"psnr_y_db": db + 1}, "Set14": {"psnr_y_db": db - 1}},
        }
        for name, (_, db) in figures.items()
    ]
    return {
        "schema": SCHEMA,
        "command": "c",
        "latency_protocol": "p",
        "machine": {"model": "m", "load_at_start": 0.1, "packages": {"torch": "2"}},
        "sets": [{"name": "Set5"}, {"name": "Set14"}],
        "networks": networks,
        "cost": {name: {"latency_ms": ms, "energy_j": None} for name, (ms, _) in figures.items()},
    }


def test_the_fastest_on_the_front_within_a_twentieth_is_chosen() -> None:
    figures = {
        "N16-SKIP": (80.0, 29.50),
        "N8-SKIP": (60.0, 29.46),
        "N4-SKIP": (50.0, 29.46),
        "N1-SKIP": (30.0, 29.30),
        "N16": (79.0, 29.20),
    }
    text = student_shape(shapes(figures))
    assert text.startswith(
        "**The student's shape by this rule: `mambalitesr:D32-G4-B2-N4-SKIP`**, 50.0 ms a tile, "
        "0.040 dB behind the best (mean of Set5 and Set14)."
    )
    lines = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    marks = {name: line.split("|")[-2].strip() for name, line in lines.items()}
    assert marks == {
        "N16-SKIP": "yes", "N8-SKIP": "", "N4-SKIP": "**chosen**", "N1-SKIP": "yes", "N16": ""
    }  # fmt: skip
    assert "`N16`, `student-paper` | 120,000 | 30.20 | 28.20 | -0.300 | 79.0 |" in lines["N16"]
    assert "- Not run yet: N2-SKIP, N4, N16-R16-SKIP" in text


def test_the_shapes_are_those_asked_for() -> None:
    assert {"N1-SKIP", "N2-SKIP", "N4-SKIP", "N8-SKIP", "N16-SKIP"} <= set(SHAPES)
    assert {"N16-R16-SKIP", "N16-R8-SKIP", "N16-R2-SKIP"} <= set(SHAPES)
    assert {"N16-H4-SKIP", "N16-H16-SKIP", "N16-H64-SKIP"} <= set(SHAPES)
    assert "N16" in SHAPES  # the paper's own
    assert student_shape(None).startswith("- Not run yet: N16-SKIP, N8-SKIP")


def test_figures_show_their_series_within_the_axes() -> None:
    series = [
        Line("rank 30", [(25, 400.0), (50, 420.0)]),
        Line("rank 2", [(25, 300.0), (50, 310.0)]),
    ]
    drawing = draw("GPU power in W", "iteration", [*series, Line("none", [])], from_zero=True)
    assert drawing is not None
    root = ElementTree.fromstring(drawing)
    lines = [line.attrib["points"] for line in root.findall(f"{SVG}polyline")]
    assert len(lines) == 2
    heights = [[float(point.split(",")[1]) for point in line.split()] for line in lines]
    floor = 344.0
    assert all(62 <= y <= floor for line in heights for y in line)
    # from zero: 300 W stand three quarters as high as 400 W
    assert (floor - heights[1][0]) / (floor - heights[0][0]) == pytest.approx(0.75, abs=0.001)
    assert [text.text for text in root.iter(f"{SVG}text")].count("rank 2") == 1
    dotted = draw("dB", "alpha", [Line("Set5", [(0.0, 27.0), (1.0, 28.0)], dots=True)])
    assert dotted is not None and dotted.count("<rect") == 3  # with that of the legend
    assert draw("dB", "alpha", [Line("none", [])]) is None
