"""Writes TRAINING.md's tables and the figures beside them from results/ alone."""

import argparse
import json
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.scan.text import scan_gpu, several_gpus, step_gpu, step_models
from benchmarks.shapes.directions_text import shapes
from benchmarks.shapes.student_text import student_shape
from benchmarks.shared import pareto
from benchmarks.shared.folders import BENCHMARKS, RESULTS
from benchmarks.shared.markdown import fill_blocks
from benchmarks.shared.paper import PAPER
from benchmarks.training.distillation_text import distillation, verdict
from benchmarks.training.figures import Line, draw
from benchmarks.training.plan import Plan, paper_runs
from benchmarks.training.results import Finished, read_log, read_run
from benchmarks.training.runs import say
from benchmarks.training.text import SETS, row2500, seeds_of, table3, table4
from edgesr.files import make_folder, write_text

SHAPE_RUN = "shape_"  # begins the folder of a run of shapes/directions.py
DISTILLED_RUN = "distilled_"  # and this of one of distillation.py

PSNR, POWER = "training/figure4a_psnr.svg", "training/figure4b_power.svg"
ALPHA, SHAPES = "training/figure5_alpha.svg", "shapes/student_shape_pareto.svg"
_ALT = {
    PSNR: "PSNR over iterations by rank",
    POWER: "GPU power over iterations by rank",
    ALPHA: "PSNR over alpha",
    SHAPES: "PSNR over latency by shape",
}


def add_places(parser: argparse.ArgumentParser) -> None:
    """Let a command be told where results and page lie: `args.results` and `args.page`."""
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path, default=BENCHMARKS / "TRAINING.md")


def write_page(args: argparse.Namespace, plan: Plan | None = None) -> None:
    """Render the page where `add_places` says, and tell what was written.

    Args:
        args: of a command with `add_places`.
        plan: of the paper's tables; None: the whole.
    """
    for path in render_page(args.results, args.page, plan or Plan()):
        say(f"wrote {path}")


def render_page(results: Path, page: Path, plan: Plan) -> list[Path]:
    """Write the figures into `results` and fill the marks of `page`; return what was written."""
    written = [page]
    for name, drawing in figures(results, plan).items():
        target = results / name
        if drawing is None:
            target.unlink(missing_ok=True)
        else:
            make_folder(target.parent)
            write_text(target, drawing)
            written.append(target)
    write_text(page, fill_blocks(page.read_text(), blocks(results, plan)))
    return written


def blocks(results: Path, plan: Plan) -> dict[str, str]:
    """Return name of a mark -> what belongs between it and its end."""
    found = _found(results)
    taught = [run for name, run in found.items() if name.startswith(DISTILLED_RUN)]
    shape, drawings = _read(results / "shapes/student_shape.json"), figures(results, plan)

    def with_figures(text: str, *names: str) -> str:
        shown = [f"![{_ALT[name]}](results/{name})\n\n" for name in names if drawings[name]]
        return "".join(shown) + text

    return {
        "distillation_verdict": verdict(taught),
        "distillation": distillation(taught),
        "table3": with_figures(table3(plan, found, _parameters), PSNR, POWER),
        "table4": with_figures(table4(plan, found), ALPHA),
        "row2500": row2500(plan, found, _parameters),
        "student_shape": with_figures(student_shape(shape), SHAPES),
        "shapes": shapes(
            _by_network(found),
            _read(results / "shapes/directions.json"),
            _read(results / "tensorrt/shapes.json"),
            _size,
        ),
        "scan_gpu": scan_gpu(_hosts(results, "scan/gpu"), _hosts(results, "scan/peer")),
        "step_gpu": step_gpu(_read(results / "scan/step.json")),
        "step_models": step_models(_read(results / "scan/step_models.json")),
        **{
            block: several_gpus(
                [read_log(run) for run in sorted(results.glob(f"{folder}/*"))], folder
            )
            for block, folder in SEVERAL_GPUS.items()
        },
    }


SEVERAL_GPUS = {"several_gpus": "scan/two_gpus", "teacher_gpus": "scan/four_gpus"}


def _hosts(results: Path, name: str) -> list[dict[str, Any]]:
    """Return what a script measured on the host of the tables, then on others of such a GPU."""
    files = [results / f"{name}.json", *sorted(results.glob(f"{name}_hosts/*.json"))]
    return [json.loads(path.read_text()) for path in files if path.exists()]


def figures(results: Path, plan: Plan) -> dict[str, str | None]:
    """Return file name -> SVG, None where nothing was measured that it could show."""
    found, shape = _found(results), _read(results / "shapes/student_shape.json")
    ranks = [run for run in paper_runs(plan) if run.table == "table3" and run.name in found]
    psnr = [Line(f"rank {run.rank}", found[run.name].psnr_y_db) for run in ranks]
    power = [Line(f"rank {run.rank}", found[run.name].power_by_step) for run in ranks]
    return {
        PSNR: draw("PSNR-Y on Set5 in dB", "iteration", psnr),
        POWER: draw("GPU power in W", "iteration", power, from_zero=True),
        ALPHA: draw("PSNR-Y of the student in dB", "alpha", _over_alpha(found, plan)),
        SHAPES: None if shape is None else pareto.plot(shape, "latency_ms"),
    }


def _over_alpha(found: dict[str, Finished], plan: Plan) -> list[Line]:
    """Return measured lines, a mean over seeds each, and the paper's; nothing if none was run."""
    runs = [run for run in paper_runs(plan) if run.table == "table4" and run.alpha is not None]
    lines = []
    for name in SETS:
        scores = {
            run.alpha: [each.result["scores"][name]["psnr_y_db"] for each in seeds]
            for run in runs
            if run.alpha is not None
            and (seeds := [r for r in seeds_of(run, found) if name in r.result["scores"]])
        }
        points = [(alpha, fmean(values)) for alpha, values in scores.items()]
        lines.append(Line(name, points, dots=True))
    if not any(line.points for line in lines):
        return []
    published = PAPER["table4"]["psnr_y_db"].items()
    points = [(float(alpha), psnr_y_db) for alpha, psnr_y_db in published]
    return [*lines, Line("the paper, on 100 pictures of DIV2K", points, dots=True)]


def _found(results: Path) -> dict[str, Finished]:
    """Return the finished runs of the tables by name."""
    folders = sorted((results / "training").glob("*/"))
    runs = {folder.name: read_run(folder) for folder in folders}
    return {name: run for name, run in runs.items() if run is not None}


def _by_network(found: dict[str, Finished]) -> dict[str, list[Finished]]:
    """Return network -> the runs of shapes/directions.py."""
    runs: dict[str, list[Finished]] = {}
    for name, run in found.items():
        if name.startswith(SHAPE_RUN):
            runs.setdefault(run.result["network"], []).append(run)
    return runs


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path.is_file() else None


def _parameters(name: str) -> int:
    from edgesr.models import get_network
    from edgesr.models.network import parameter_count

    return parameter_count(get_network(name).module(4))


@cache
def _size(name: str) -> tuple[int, int]:
    from edgesr.models import get_network
    from edgesr.models.cost import multiply_adds

    return _parameters(name), multiply_adds(get_network(name), 4, 64, 64)
