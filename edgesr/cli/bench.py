"""`edgesr bench`: latency, power and energy per image."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgesr.cli import _network as options
from edgesr.cli._console import progress, say
from edgesr.cli._ignored import refuse_ignored
from edgesr.cli._signals import stop_on_signals
from edgesr.errors import ConfigError

if TYPE_CHECKING:
    from edgesr.bench.config import BenchConfig

_INTERRUPTED = 130  # what a shell expects of a program that Ctrl-C ended


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
    samples: Annotated[int, typer.Option(help="Measured calls of each model.")] = 1000,
    warmup: Annotated[int, typer.Option(help="Uncounted calls before each window.")] = 20,
    rounds: Annotated[int, typer.Option(help="Windows of each model, interleaved.")] = 5,
    batch: Annotated[
        int | None, typer.Option(help="Patches in a call. Default: the model's, or 1.")
    ] = None,
    input: Annotated[
        str, typer.Option("--input", help="Size WxH of bundled real patches, or a photo.")
    ] = "64x64",
    threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None,
    power: options.Power = "auto",
    interval_s: Annotated[float, typer.Option(help="Time between power samples.")] = 0.1,
    idle_s: Annotated[float, typer.Option(help="Length of the idle baseline.")] = 10.0,
    window_s: Annotated[
        float, typer.Option(help="Least measured window, where power is measured.")
    ] = 10.0,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder of the run. Default: runs/bench-TIME."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run in -o.")] = False,
    tile: Annotated[
        list[int] | None,
        typer.Option("-t", "--tile", help="Side of a tile in pixels; may be repeated."),
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(metavar="power-mode", help="Measure in each power mode of a board; as root."),
    ] = None,
    power_mode: Annotated[
        list[str] | None,
        typer.Option(help="Of a sweep: only this mode (15w, maxn-super); may be repeated."),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Of a sweep: name the best network within, e.g. 50mJ.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Of a sweep: set that dB is measured on, as in eval.")
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
    from edgesr.bench.protocol import Hooks, run
    from edgesr.bench.report import PAGE, write_report
    from edgesr.bench.run_folder import claim_folder, keep
    from edgesr.bench.text import summary

    source = read_input(config.input)
    try:
        claim_folder(folder, overwrite, config.samples * (len(config.wanted) + 1))
        with progress("bench", None) as advance, stop_on_signals() as wants_stop:
            hooks = Hooks(
                wants_stop=wants_stop,
                step=lambda note: advance(1, note),
                say=lambda line: say(line, err=True),
            )
            recording, pictures = run(config, source, hooks)
            keep(folder, recording, pictures)
            result = write_report(folder)
    except BaseException:
        with suppress(OSError):
            folder.rmdir()  # only if nothing is in it
        raise
    if as_json:
        say(json.dumps(result.to_json(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        say(summary(result))
        say(folder / PAGE)
    if result.interrupted:
        raise typer.Exit(_INTERRUPTED)
