"""`edgesr power LOG`: what a recorded power log says."""

import json
from pathlib import Path
from typing import Annotated

import typer

from edgesr.cli._console import say
from edgesr.errors import EdgesrError


def command(
    log: Annotated[
        Path,
        typer.Argument(
            metavar="LOG",
            readable=False,
            help="Log of tegrastats, jtop, zeus or CodeCarbon, or power.csv of `edgesr bench`.",
        ),
    ],
    begin: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Where to begin: seconds after the first line, or the time of day on the "
            "board as HH:MM:SS.",
        ),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Where to end, written like --from.")
    ] = None,
    interval_s: Annotated[
        float | None,
        typer.Option(min=0.001, help="Time between lines that have no time stamps. Default: 1."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Sum up a power log: mean, peak and energy of every rail, and when the board was busy."""
    from edgesr.library.power import read_power_log
    from edgesr.power.energy_windows import FORMAT, windows_table
    from edgesr.power.log_report import table

    try:
        result = read_power_log(log, begin, end, interval_s=interval_s)
    except EdgesrError as error:
        raise error.as_options({"begin": "from", "end": "to"}) from error
    if as_json:
        say(json.dumps(result, indent=2))
        return
    say(windows_table(result) if result["format"] == FORMAT else table(result))
