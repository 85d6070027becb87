"""`edgesr compare-runs`: two runs of a bench, figure by figure."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from edgesr.cli._console import say


def command(
    first: Annotated[
        Path, typer.Argument(metavar="A", help="Folder that `edgesr bench -o` wrote.")
    ],
    second: Annotated[Path, typer.Argument(metavar="B", help="Folder of another run.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Put two runs of a bench side by side, and say which figures differ."""
    from edgesr.bench.compare import compare_runs
    from edgesr.bench.report import read_result
    from edgesr.bench.text import comparison_table

    comparison = compare_runs(read_result(first), read_result(second))
    if as_json:
        document = {"first": str(first), "second": str(second)} | asdict(comparison)
        say(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
        return
    say(f"A: {first}\nB: {second}\n")
    say(comparison_table(comparison))
