"""`edgesr report`: a run's figures, plots and page from its raw samples, on any machine."""

import json
from pathlib import Path
from typing import Annotated

import typer

from edgesr.cli._console import say


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder that `edgesr bench -o` wrote.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Folder to write the report to. Default: the run's own folder."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compute a bench's report again from its raw samples, byte for byte."""
    from edgesr.bench.report import PAGE, write_report
    from edgesr.bench.text import summary
    from edgesr.cli._sweep import show_sweep
    from edgesr.sweep.report import is_sweep, write_sweep_report

    if is_sweep(folder):
        show_sweep(write_sweep_report(folder, output), output or folder, as_json)
        return
    result = write_report(folder, output)
    if as_json:
        say(json.dumps(result.to_json(), indent=2, ensure_ascii=False, allow_nan=False))
        return
    say(summary(result))
    say((output or folder) / PAGE)
