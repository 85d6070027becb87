"""`edgesr bench`: latency, power and energy per image."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgesr.cli import _network as options
from edgesr.cli._console import progress, say
from edgesr.cli._exit_codes import INTERRUPTED
from edgesr.cli._ignored import refuse_ignored
from edgesr.cli._signals import stop_on_signals
from edgesr.errors import ConfigError

if TYPE_CHECKING:
    from edgesr.bench.config import BenchConfig


def command(
    context: typer.Context,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--model",
            help="Name of a network, an .onnx or an .engine file; may be repeated. "
            "Default: student.",
        ),
    ] = None,
    backend: options.Backend = "auto",
    scale: options.Scale = None,
    samples: Annotated[
        int, typer.Option(help="Number of calls of each model that are measured.")
    ] = 1000,
    warmup: Annotated[
        int,
        typer.Option(
            help="Number of calls that are made, but not counted, before each window of "
            "measurement."
        ),
    ] = 20,
    rounds: Annotated[
        int,
        typer.Option(
            help="Number of rounds; each round has one window of measurement for every model."
        ),
    ] = 5,
    batch: Annotated[
        int | None,
        typer.Option(
            help="Number of patches in a call. Default: what the model was made for, or 1."
        ),
    ] = None,
    input: Annotated[
        str,
        typer.Option(
            "--input",
            help="What is enlarged: bundled photo patches of WIDTHxHEIGHT pixels, or a "
            "photo of yours.",
        ),
    ] = "64x64",
    threads: Annotated[
        int | None, typer.Option(help="Number of CPU threads that the network may use.")
    ] = None,
    power: options.Power = "auto",
    interval_s: Annotated[
        float, typer.Option(help="Time from one power sample to the next.")
    ] = 0.1,
    idle_s: Annotated[
        float,
        typer.Option(help="Time without work before the run, in which idle power is measured."),
    ] = 10.0,
    window_s: Annotated[
        float,
        typer.Option(
            help="Shortest time that a window of measurement lasts where power is measured."
        ),
    ] = 10.0,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder of the run. Default: runs/bench-TIME."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run that the folder of -o holds.")
    ] = False,
    tile: Annotated[
        list[int] | None,
        typer.Option("-t", "--tile", help="Side of the square tiles, in pixels; may be repeated."),
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(
            metavar="power-mode",
            help="Measure in each power mode of the board, one after another; needs root.",
        ),
    ] = None,
    power_mode: Annotated[
        list[str] | None,
        typer.Option(
            help="With --sweep: measure in this power mode only, such as 15w or "
            "maxn-super; may be repeated."
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            help="With --sweep: name the network with the highest PSNR within this energy "
            "per image, such as 50mJ."
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="With --sweep: benchmark set on which PSNR is measured, as in `edgesr eval`."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure latency, power and energy per image, bicubic beside every model.

    Ctrl-C ends the run after the current call and reports what was done.
    """
    from edgesr.bench.config import BenchConfig, Wanted

    if power == "none":
        refuse_ignored(context, "with --power none", "interval_s", "idle_s", "window_s")
    if sweep is None:
        refuse_ignored(
            context, "without --sweep", "power_mode", "budget", "data", fix="--sweep power-mode"
        )
    files = [Wanted(name, backend) for name in model or ["student"]]
    if any(one.is_engine for one in files) and not all(one.is_engine for one in files):
        files = [replace(one, backend="tensorrt") if one.is_engine else one for one in files]
    tiles = () if sweep is not None or tile is None else tuple(tile)
    config = BenchConfig(
        wanted=tuple(replace(one, tile=side) for one in files for side in tiles or (None,)),
        input=input,
        samples=samples,
        warmup=warmup,
        rounds=rounds,
        batch=batch,
        scale=scale,
        threads=threads,
        power=power,
        interval_s=interval_s,
        idle_s=idle_s,
        window_s=window_s,
    )
    kind = "bench" if sweep is None else "sweep"
    folder = output or Path("runs") / f"{kind}-{datetime.now():%Y%m%d-%H%M%S}"
    if sweep is None:
        _bench(config, folder, overwrite, as_json)
        return
    if sweep != "power-mode":
        raise ConfigError(f"power-mode, not '{sweep}'", where="--sweep")
    from edgesr.cli._sweep import run_sweep
    from edgesr.sweep.result import parse_budget
    from edgesr.sweep.sweep import SweepConfig

    asked = SweepConfig(
        bench=config,
        tiles=tuple(dict.fromkeys(tile or [])),
        mode_names=tuple(power_mode or []),
        budget_j=None if budget is None else parse_budget(budget),
        data=data,
    )
    run_sweep(asked, folder, overwrite, as_json)


def _bench(config: "BenchConfig", folder: Path, overwrite: bool, as_json: bool) -> None:
    from edgesr.bench.inputs import read_input
    from edgesr.bench.protocol import BenchHooks, run
    from edgesr.bench.report import PAGE, write_report
    from edgesr.bench.run_folder import claim_folder, keep, removed_if_empty
    from edgesr.bench.text import summary

    source = read_input(config.input)
    with removed_if_empty(folder):
        claim_folder(folder, overwrite, config.samples * (len(config.wanted) + 1))
        with progress("bench", None) as advance, stop_on_signals() as wants_stop:
            hooks = BenchHooks(
                wants_stop=wants_stop,
                step=lambda note: advance(1, note),
                say=lambda line: say(line, err=True),
            )
            recording, pictures = run(config, source, hooks)
            keep(folder, recording, pictures)
            result = write_report(folder)
    if as_json:
        say(json.dumps(result.to_json(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        say(summary(result))
        say(folder / PAGE)
    if result.interrupted:
        raise typer.Exit(INTERRUPTED)
