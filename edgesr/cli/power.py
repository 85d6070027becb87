"""`edgesr power LOG`: what a recorded power log says."""

import json
from pathlib import Path
from typing import Annotated

import typer

from edgesr.cli._console import say


def command(
    log: Annotated[
        Path,
        typer.Argument(
            metavar="LOG",
            readable=False,
            help="Of tegrastats, jtop, zeus, CodeCarbon, or a bench's power.csv.",
        ),
    ],
    begin: Annotated[
        str | None,
        typer.Option("--from", help="Begin: seconds from the first line, or the board's HH:MM:SS."),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="End, written like --from.")] = None,
    interval: Annotated[
        float, typer.Option(min=1, help="Milliseconds between lines, if they have no time stamps.")
    ] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Mean, peak and energy of every rail in a power log, with idle and busy spans."""
    from edgesr.power.energy_windows import windows_report, windows_table
    from edgesr.power.log_report import moment_s, report, table
    from edgesr.power.power_log import read_power_log, read_windows

    found = read_windows(log)
    if found is not None:
        tool, windows = found
        energies = windows_report(windows, tool, log.name)
        say(json.dumps(energies, indent=2) if as_json else windows_table(energies))
        return
    recorded = read_power_log(log, interval / 1000)
    begin_s = None if begin is None else moment_s(begin, recorded.start, "--from")
    end_s = None if end is None else moment_s(end, recorded.start, "--to")
    result = report(recorded, begin_s, end_s, where=log)
    say(json.dumps(result, indent=2) if as_json else table(result))
