"""The student's shape with directions and locality: long runs, and what each shape costs.

    edgesr train --data PHOTOS --model mambalitesr:SHAPE -o RUNS/NAME --steps 40000 ...
    edgesr eval -m mambalitesr:SHAPE --weights FILE --data SETS --json > RUNS/NAME/eval.json
    python -m benchmarks.shapes.directions take --runs RUNS
    python -m benchmarks.shapes.directions time
    python -m benchmarks.shapes.directions gpu ENGINE_TIMES.json ...

Candidates are the SHAPES of directions_text.py; TRAINING.md has the whole recipe. `take` takes
every finished run of a candidate that has its eval.json over to results/training/shape_NAME,
without its weights. `time` times one tile of every candidate in ONNX Runtime with one thread on
this CPU, graphs in turns, with random weights, on which time does not depend, and writes
results/shapes/directions.json. `gpu` takes the device times of one tile from results of
tensorrt/engine_times.py, of one GPU, into results/tensorrt/shapes.json; where two have a shape, the
first counts. All write the table of TRAINING.md.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.shapes.directions_text import FAMILY, SHAPES, TIME
from benchmarks.shared.commands import errors_in_one_line, parser_of
from benchmarks.shared.results import write_result
from benchmarks.training.evaluated import take_all
from benchmarks.training.page import SHAPE_RUN, add_places, write_page
from benchmarks.training.results import Json
from benchmarks.training.runs import say
from edgesr.errors import ConfigError

TILE, THREADS = 64, 1


def take(args: argparse.Namespace, shapes: Sequence[str]) -> None:
    """Take over what is finished, and write the page."""
    networks = [f"{FAMILY}{shape}" for shape in shapes]

    def judge(invocation: Json) -> str | None:
        config = invocation["config"]
        if config["model"] not in networks or config["distillation"] is not None:
            return f"{config['model']} is no candidate, or was distilled"
        return None

    take_all(args.runs, args.results, SHAPE_RUN, args.least_steps, judge)
    write_page(args)


def measure(args: argparse.Namespace, shapes: Sequence[str]) -> None:
    """Time every candidate in ONNX Runtime and write result and page."""
    import torch

    from benchmarks.scan.cost import cpu_name, run_in_turns
    from edgesr.export.projection import take_in_projections
    from edgesr.export.torch_graph import trace
    from edgesr.models import get_network

    load, models = os.getloadavg()[0], []
    for shape in shapes:
        torch.manual_seed(0)
        say(f"exporting {shape}")
        models.append(
            take_in_projections(trace(get_network(f"{FAMILY}{shape}").module(4).eval(), TILE, 1))
        )
    found = run_in_turns(models, args.repeats, THREADS, time.perf_counter)
    document = {
        "command": f"{TIME} --repeats {args.repeats}",
        "protocol": f"one {TILE}x{TILE} tile, float32, {THREADS} thread, median of "
        f"{args.repeats}, graphs in turns, random weights",
        "machine": f"{cpu_name()}, {os.cpu_count()} cores, load {load:.1f} at the start; "
        f"onnxruntime {version('onnxruntime')}",
        "latency_ms": {
            f"{FAMILY}{shape}": round(float(ms), 2) for shape, ms in zip(shapes, found, strict=True)
        },
    }
    write_result(args.results / "shapes/directions.json", document)
    write_page(args)


def device_times(args: argparse.Namespace, shapes: Sequence[str]) -> None:
    """Take device times over and write the page.

    Raises:
        ConfigError: the results are of several devices.
    """
    from edgesr.models import get_network

    results = [json.loads(path.read_text()) for path in args.results_of_engines]
    devices = {result["device"] for result in results}
    if len(devices) != 1:
        raise ConfigError(f"times of {len(devices)} devices cannot be compared")
    alike = {get_network(f"{FAMILY}{shape}").summary: f"{FAMILY}{shape}" for shape in shapes}
    found: dict[str, float] = {}
    for engine in (engine for result in results for engine in result["engines"]):
        name = alike.get(get_network(engine["network"]).summary)  # `student` is one of them
        if name and engine["plugin"] and (engine["batch"], engine["precision"]) == (1, "fp16"):
            found.setdefault(name, engine["device_ms"])
    names = [path.name for path in args.results_of_engines]
    document = {"device": devices.pop(), "from": names, "device_ms": found}
    write_result(args.results / "tensorrt/shapes.json", document)
    write_page(args)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = parser_of(__doc__)
    commands = parser.add_subparsers(required=True)
    taking = commands.add_parser("take")
    taking.set_defaults(run=take)
    taking.add_argument("--runs", type=Path, required=True)
    taking.add_argument("--least-steps", type=int, default=40_000)
    timing = commands.add_parser("time")
    timing.set_defaults(run=measure)
    timing.add_argument("--repeats", type=int, default=30)
    devices = commands.add_parser("gpu")
    devices.set_defaults(run=device_times)
    devices.add_argument("results_of_engines", type=Path, nargs="+", metavar="ENGINE_TIMES")
    for each in (taking, timing, devices):
        add_places(each)
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
