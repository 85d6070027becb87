"""The student's shape, decided by measurement: the same steps and data for every candidate.

    python -m benchmarks.shapes.student train --data PHOTOS --sets SETS --runs runs/shape
    python -m benchmarks.shapes.student table --runs runs/shape

`train` trains every shape that has no result in RUNS yet and scores it whole on Set5 and Set14,
which SETS holds. A run that was killed goes on from its checkpoint; `--time-limit-s` stops with
one; several GPUs of a machine share the work with `--part 0/2` and `--part 1/2`. `table` times each
shape's exported graph in ONNX Runtime on this CPU, all in turns, and writes
benchmarks/results/shapes/student_shape.json, the plot beside it and the table of TRAINING.md.
"""

import argparse
import os
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.shapes.student_text import FAMILY, SCHEMA, SHAPES
from benchmarks.shared.commands import errors_in_one_line, parser_of
from benchmarks.shared.results import write_result
from benchmarks.training.page import add_places, write_page
from benchmarks.training.results import Finished, collect, read_run
from benchmarks.training.runs import (
    VALIDATION,
    Deadline,
    decoded_once,
    finish,
    is_finished,
    open_score_sets,
    say,
    share,
)
from edgesr.cli._signals import stop_on_signals
from edgesr.errors import DataError
from edgesr.files import make_folder

SETS = ("Set5", "Set14")
TILE = 64


def train_all(args: argparse.Namespace, shapes: Sequence[str]) -> None:
    """Train and score this part's shapes that have no result yet."""
    from edgesr.train.config import TrainConfig

    sets = open_score_sets(args.sets, SETS)
    make_folder(args.runs)
    with stop_on_signals() as asked, decoded_once(args.cache) as cache:
        deadline = Deadline(args.time_limit_s, asked)
        for shape in share(shapes, args.part):
            if is_finished(args.runs / shape):
                continue
            config = TrainConfig(
                data=args.data, out=args.runs / shape, model=f"{FAMILY}{shape}", steps=args.steps,
                batch=args.batch, patch=args.patch, cache=cache, device=args.device, log_every=100,
                validate=args.sets / VALIDATION, validate_every=500, checkpoint_every=500,
            )  # fmt: skip
            if deadline.over or not finish(config, sets, deadline):
                return
    say("all runs of this part are finished")


def table(args: argparse.Namespace, shapes: Sequence[str]) -> None:
    """Time every trained shape in ONNX Runtime and write result and page."""
    found = {shape: run for shape in shapes if (run := read_run(args.runs / shape)) is not None}
    if not found:
        raise DataError(
            "holds no finished run",
            where=args.runs,
            fix="python -m benchmarks.shapes.student train",
        )
    for shape in found:
        collect(args.runs / shape, args.results / "training/student_shape" / shape)
    latencies = latencies_ms([args.runs / shape for shape in found], found, args.repeats, args)
    write_result(args.results / "shapes/student_shape.json", document(found, latencies, args))
    write_page(args)


def latencies_ms(
    folders: Sequence[Path], found: dict[str, Finished], repeats: int, args: argparse.Namespace
) -> list[float]:
    """Return the median time of one tile through each run's exported graph, in ms."""
    import onnx

    from benchmarks.scan.cost import run_in_turns
    from edgesr.export.exporter import ExportRequest, export

    models = []
    for folder, run in zip(folders, found.values(), strict=True):
        path, weights = folder / "model.onnx", next(folder.glob("*.safetensors"))
        say(f"exporting {run.result['network']}")
        export(ExportRequest(run.result["network"], weights, tile=TILE, output=path))
        models.append(onnx.load(path))
    return [float(ms) for ms in run_in_turns(models, repeats, args.threads, time.perf_counter)]


def document(
    found: dict[str, Finished], latencies: Sequence[float], args: argparse.Namespace
) -> dict[str, Any]:
    """Return the result: networks with their quality, and what each costs, as pareto.py reads."""
    from benchmarks.scan.cost import cpu_name

    first = next(iter(found.values()))
    return {
        "schema": SCHEMA,
        "command": "python -m benchmarks.shapes.student table --runs RUNS "
        f"--repeats {args.repeats} --threads {args.threads}",
        "latency_protocol": f"one {TILE}x{TILE} tile, float32, ONNX Runtime on the CPU, "
        f"{args.threads} threads, median of {args.repeats}, graphs in turns",
        "machine": {
            "model": f"{cpu_name()}, {os.cpu_count()} cores",
            "load_at_start": round(os.getloadavg()[0], 1),
            "packages": {name: version(name) for name in ("onnxruntime", "torch")},
        },
        "sets": [{"name": name} for name in first.result["scores"]],
        "networks": [
            {
                "name": shape,
                "network": run.result["network"],
                "parameters": run.result["parameters"],
                "steps": run.result["steps"],
                "batch": run.config["batch"],
                "trained_on": run.machine,
                "quality": run.result["scores"],
            }
            for shape, run in found.items()
        ],
        "cost": {
            shape: {"latency_ms": round(ms, 2), "energy_j": None}
            for shape, ms in zip(found, latencies, strict=True)
        },
    }


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = parser_of(__doc__)
    commands = parser.add_subparsers(required=True)
    training = commands.add_parser("train")
    training.set_defaults(run=train_all)
    training.add_argument("--data", type=Path, required=True)
    training.add_argument("--sets", type=Path, required=True)
    training.add_argument("--cache", type=Path, help="keep the decoded pictures here for next time")
    training.add_argument("--steps", type=int, default=2500)
    training.add_argument("--batch", type=int, default=64)
    training.add_argument("--patch", type=int, default=64)
    training.add_argument("--device", help="as edgesr train --device")
    training.add_argument("--part", default="0/1", metavar="I/N")
    training.add_argument("--time-limit-s", type=float)
    measuring = commands.add_parser("table")
    measuring.set_defaults(run=table)
    measuring.add_argument("--repeats", type=int, default=30)
    measuring.add_argument("--threads", type=int, default=2)
    add_places(measuring)
    for each in (training, measuring):
        each.add_argument("--runs", type=Path, required=True)
    return parser


def main(arguments: list[str] | None = None, shapes: Sequence[str] = SHAPES) -> None:
    """Run one of the commands.

    Args:
        arguments: of the command line; None for this process's.
        shapes: candidates.
    """
    args = build_parser().parse_args(arguments)
    with errors_in_one_line():
        args.run(args, shapes)


if __name__ == "__main__":
    main()
