"""The block of TRAINING.md about the student's shape: table, Pareto front, choice. Pure."""

from collections.abc import Sequence
from typing import Any

from benchmarks.shared.markdown import listed, markdown
from benchmarks.shared.pareto import Point, frontier, points
from edgesr.bench.text import significant

Json = dict[str, Any]

SCHEMA = "edgesr-student-shape/1"
FAMILY = "mambalitesr:D32-G4-B2-"
SHAPES = (
    "N16-SKIP",
    "N8-SKIP",
    "N4-SKIP",
    "N2-SKIP",
    "N1-SKIP",
    "N16",
    "N4",
    "N16-R16-SKIP",
    "N16-R8-SKIP",
    "N16-R2-SKIP",
    "N16-H4-SKIP",
    "N16-H16-SKIP",
    "N16-H64-SKIP",
)
"""State size, rank, heads of SSD, skip around each block: what is added to FAMILY."""

WITHIN_DB = 0.05  # of the best mean: the shipped student may be behind by so much
PAPER_SHAPE = "N16"  # `student-paper`
COMMAND = "python -m benchmarks.shapes.student train --data PHOTOS --sets SETS --runs RUNS"


def chosen(front: Sequence[Point]) -> Point:
    """Return the point of the front that is within `WITHIN_DB` of the best at the least cost."""
    best_db = max(point.psnr_db for point in front)
    close = [point for point in front if point.psnr_db >= best_db - WITHIN_DB - 1e-9]
    return min(close, key=lambda point: point.cost)


def student_shape(document: Json | None) -> str:
    """Return the table with what it decides.

    Args:
        document: results/shapes/student_shape.json; None: nothing was measured.
    """
    measured = [] if document is None else [row["name"] for row in document["networks"]]
    missing = [shape for shape in SHAPES if shape not in measured]
    not_run = f"- Not run yet: {listed(missing)}. `{COMMAND}` runs them.\n" if missing else ""
    if document is None:
        return not_run
    found = points(document, "latency_ms")
    front = frontier(found)
    best_db = max(point.psnr_db for point in found)
    choice = chosen(front)
    sets = [item["name"] for item in document["sets"]]
    header = ["shape", "parameters", *(f"{name} dB" for name in sets), "mean to the best dB"]
    header += ["ONNX Runtime CPU ms", "on the front"]
    by_name = {point.name: point for point in found}
    rows = []
    for row in document["networks"]:
        point = by_name[row["name"]]
        mark = "**chosen**" if point == choice else "yes" if point in front else ""
        rows.append(
            [
                f"`{row['name']}`" + (", `student-paper`" * (row["name"] == PAPER_SHAPE)),
                f"{row['parameters']:,}",
                *(f"{row['quality'][name]['psnr_y_db']:.2f}" for name in sets),
                f"{point.psnr_db - best_db:.3f}",
                significant(point.cost, 3),
                mark,
            ]
        )
    network = next(row for row in document["networks"] if row["name"] == choice.name)
    lines = [
        f"**The student's shape by this rule: `{network['network']}`**, "
        f"{significant(choice.cost, 3)} ms a tile, "
        f"{best_db - choice.psnr_db:.3f} dB behind the best (mean of {listed(sets)}).",
        "",
        markdown(header, rows),
        "",
    ]
    machine = document["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    trained = listed(list(dict.fromkeys(row["trained_on"] for row in document["networks"])))
    steps = listed(
        list(dict.fromkeys(f"{r['steps']:,} of {r['batch']} patches" for r in document["networks"]))
    )
    lines += [
        f"- Trained on {trained}; steps: {steps}.",
        f"- Time: {document['latency_protocol']}; {machine['model']}, load "
        f"{machine['load_at_start']} at the start; {packages}.",
        f"- Made by `{document['command']}`.",
    ]
    return "\n".join(lines) + "\n" + not_run
