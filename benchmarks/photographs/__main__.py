"""Measure models on degraded benchmark pictures, and make the table from what was measured.

    python -m benchmarks.photographs measure --sets SETS --model student
    python -m benchmarks.photographs measure --sets SETS --model student --weights FILE --label A
    python -m benchmarks.photographs render

`measure` writes results/photographs/A_xSCALE.json.xz and fills README.md; `render` fills it again.
"""

import argparse
from pathlib import Path

from benchmarks.photographs.measuring import measure
from benchmarks.photographs.page import PAGE, PLACE, render
from benchmarks.shared.commands import errors_in_one_line
from benchmarks.shared.results import write_result
from edgesr.evaluate.model import EvaluationRequest


def main(arguments: list[str] | None = None) -> None:
    """Run one of the commands; end with a message where it cannot be."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure", help="measure one model")
    measuring.add_argument("--sets", type=Path, action="append", required=True)
    measuring.add_argument("--model", required=True, help="as `edgesr eval` takes it")
    measuring.add_argument("--weights", type=Path, help="a checkpoint; it runs in torch")
    measuring.add_argument("--scale", type=int)
    measuring.add_argument("--label", help="what the table calls it; default: the model's name")
    rendering = commands.add_parser("render", help="fill README.md from the results")
    for command in (measuring, rendering):
        command.add_argument("--results", type=Path, default=PLACE)
        command.add_argument("--page", type=Path, default=PAGE)
    args = parser.parse_args(arguments)
    with errors_in_one_line():
        if args.command == "measure":
            request = EvaluationRequest(args.model, args.weights, args.scale)
            label = args.label or args.model
            document = measure(request, label, args.sets, lambda line: print(line, flush=True))
            write_result(args.results / f"{label}_x{document['scale']}.json.xz", document)
        print(render(args.results, args.page))


if __name__ == "__main__":
    main()
