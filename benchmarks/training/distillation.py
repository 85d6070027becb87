"""What a teacher gives a student: equal steps and pictures, by teacher, alpha and seed.

    edgesr train --data PHOTOS --model STUDENT -o RUNS/plain --steps 40000 ...
    edgesr distill --data PHOTOS --model STUDENT --teacher FILE --alpha 0.5 -o RUNS/NAME ...
    edgesr eval -m STUDENT --weights RUNS/NAME/FILE --data SETS --json > RUNS/NAME/eval.json
    python -m benchmarks.training.distillation take --runs RUNS

`take` takes every finished run of the student that has its eval.json over to
benchmarks/results/training/distilled_NAME, without its weights, and writes verdict and table of
TRAINING.md; `render` only writes them again. Runs that differ in more than teacher, alpha, feature
affinity and seed stand in different tables.
"""

import argparse
from pathlib import Path

from benchmarks.shapes.directions_text import FAMILY, FIRST
from benchmarks.shared.commands import errors_in_one_line, parser_of
from benchmarks.training.distillation_text import lesson
from benchmarks.training.evaluated import take_all
from benchmarks.training.page import DISTILLED_RUN, add_places, write_page
from benchmarks.training.results import Json


def take(args: argparse.Namespace) -> None:
    """Take over what is finished, and write the page."""

    def judge(invocation: Json) -> str | None:
        model = invocation["config"]["model"]
        if model != args.student:
            return f"its network is {model}, not {args.student}"
        if lesson(invocation) is None:
            return "its config.json does not name the teacher's network"
        return None

    take_all(args.runs, args.results, DISTILLED_RUN, args.least_steps, judge)
    write_page(args)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = parser_of(__doc__)
    commands = parser.add_subparsers(required=True)
    taking = commands.add_parser("take")
    taking.set_defaults(run=take)
    taking.add_argument("--runs", type=Path, required=True)
    taking.add_argument("--student", default=f"{FAMILY}{FIRST}", help="network that was trained")
    taking.add_argument("--least-steps", type=int, default=40_000)
    rendering = commands.add_parser("render")
    rendering.set_defaults(run=write_page)
    for each in (taking, rendering):
        add_places(each)
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Run one of the commands.

    Args:
        arguments: of the command line; None for this process's.
    """
    args = build_parser().parse_args(arguments)
    with errors_in_one_line():
        args.run(args)


if __name__ == "__main__":
    main()
