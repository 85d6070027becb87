"""`edgesr bench --sweep power-mode`: every power mode of a board, networks and tile sizes."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgesr.cli._console import progress, say
from edgesr.cli._exit_codes import INTERRUPTED
from edgesr.cli._signals import stop_on_signals

if TYPE_CHECKING:
    from edgesr.sweep.result import SweepResult
    from edgesr.sweep.sweep import SweepConfig


def run_sweep(config: "SweepConfig", folder: Path, overwrite: bool, as_json: bool) -> None:
    """Sweep, report, and print the result."""
    from edgesr.bench.protocol import BenchHooks
    from edgesr.bench.run_folder import removed_if_empty
    from edgesr.sweep.report import write_sweep_report
    from edgesr.sweep.sweep import sweep

    with (
        removed_if_empty(folder),
        progress("sweep", None) as advance,
        stop_on_signals() as wants_stop,
    ):
        hooks = BenchHooks(
            wants_stop=wants_stop,
            step=lambda note: advance(1, note),
            say=lambda line: say(line, err=True),
        )
        sweep(config, folder, overwrite, hooks)
        result = write_sweep_report(folder)
    show_sweep(result, folder, as_json)
    if result.sweep.interrupted:
        raise typer.Exit(INTERRUPTED)


def show_sweep(result: "SweepResult", folder: Path, as_json: bool) -> None:
    """Print a sweep's figures."""
    from edgesr.bench.report import PAGE
    from edgesr.sweep.text import summary

    if as_json:
        say(json.dumps(result.to_json(), indent=2, ensure_ascii=False, allow_nan=False))
        return
    say(summary(result))
    say(folder / PAGE)
