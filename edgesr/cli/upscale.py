"""`edgesr upscale`: photographs through a network, in tiles."""

import os
import re
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgesr.cli import _network as options
from edgesr.errors import Argument, ConfigError
from edgesr.runtime.select import why_not_tensorrt

if TYPE_CHECKING:
    from edgesr.cli._jobs import Job, JobList
    from edgesr.cli._upscale_report import Report
    from edgesr.library.model import Model
    from edgesr.library.upscaled import Upscaled

_INTERRUPTED = 130


class FormatName(str, Enum):
    """Kind of the result's file."""

    png = "png"
    jpg = "jpg"
    webp = "webp"
    tiff = "tiff"


@dataclass(frozen=True)
class Settings:
    """How a picture is enlarged and written."""

    tile: int | None
    overlap: int | None
    width: int | None
    height: int | None
    tta: bool
    quality: int
    check: bool
    at_once: int


def command(
    inputs: Annotated[
        list[Path],
        # Not checked by typer: one that cannot be read must not stop the others.
        typer.Argument(
            metavar="INPUT...",
            readable=False,
            help="Pictures and folders of pictures; - for standard input.",
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="File, folder/ or - for standard output. Default: beside the input.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "-m",
            "--model",
            help="Name of a network or an .onnx file. Default: photo for pictures stored with "
            "loss, such as JPEG, and student for others.",
        ),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(
            "-s",
            "--scale",
            help="Enlargement, any number from 1 to 8: by the network of the nearest scale, and "
            "a bicubic resize if there is none of this one. Default: the file's, 4 for a name.",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="Largest result that fits into this many pixels."),
    ] = None,
    width: Annotated[
        int | None, typer.Option(min=1, help="Of the result in pixels, instead of --scale.")
    ] = None,
    tta: Annotated[
        bool,
        typer.Option(
            "--tta",
            help="Run each tile turned and mirrored in eight ways and average: eight times the "
            "tiles, for some 0.1 dB.",
        ),
    ] = False,
    tile: options.Tile = None,
    overlap: options.Overlap = None,
    backend: options.Backend = "auto",
    engine: Annotated[
        Path | None, typer.Option(help="TensorRT engine, in place of --model and --backend.")
    ] = None,
    threads: options.Threads = None,
    jobs: Annotated[
        int,
        typer.Option(
            "-j", "--jobs", min=1, help="Pictures that are read, run or written at a time."
        ),
    ] = 2,
    format: Annotated[
        FormatName | None,
        typer.Option("-f", "--format", help="Kind of the result. Default: that of -o, or png."),
    ] = None,
    suffix: Annotated[
        str | None, typer.Option(help="Put behind the name. Default: _x and the scale.")
    ] = None,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of JPEG and WebP.")] = 95,
    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="Take the folders in folders too.")
    ] = False,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Leave out pictures whose result is there.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that are there.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Take pictures that edgesr wrote, too.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Measure seams at tile borders (doubles the time).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON a file.")] = False,
) -> None:
    """Enlarge photographs, in tiles, on any machine.

    The result of photo.jpg is photo_x4.png beside it. No file is replaced without --overwrite, and
    what edgesr wrote is not enlarged again without --again. Exit code 1 if a picture failed; the
    others are done all the same.
    """
    from edgesr.cli._jobs import Wishes, plan_jobs
    from edgesr.cli._pipes import PIPE, piped
    from edgesr.cli._upscale_report import Report
    from edgesr.library.model import open_model

    if engine is not None:
        model, backend = _engine(engine, backend)
    across, down = _sides(scale, size, width)
    settings = Settings(tile, overlap, across, down, tta, quality, check, jobs)
    ending = None if format is None else f".{format.value}"
    to_pipe = output == PIPE or (output is None and Path(PIPE) in inputs)
    report = Report(as_json, to_error=to_pipe)
    with (
        open_model(model, scale=scale, backend=backend, threads=threads) as opened,
        piped(inputs, output, ending or ".png") as (files, target, report.unnamed),
    ):
        wishes = Wishes(
            output=None if target is None else Path(target),
            suffix=_suffix(opened.scale, across, down) if suffix is None else suffix,
            ending=ending,
            recursive=recursive,
            overwrite=overwrite,
            skip_existing=skip_existing,
            to_folder=target is not None and target.endswith(os.sep),
            again=again,
        )
        plan = plan_jobs(files, wishes)
        _run(opened, plan, settings, report)
        used = opened.backends
    if backend == "auto" and find_spec("tensorrt") is not None and plan.jobs and not as_json:
        _say_why_no_engine(used, scale, report)
    if report.stopped:
        report.closing(len(plan.jobs))
        raise typer.Exit(_INTERRUPTED)
    if report.failed:
        raise typer.Exit(1)


def _engine(engine: Path, backend: str) -> tuple[str, str]:
    """Return model and backend for an engine.

    Raises:
        ConfigError: another backend was asked for, or the file is named like no engine.
    """
    if backend not in ("auto", "tensorrt"):
        raise ConfigError(
            f"engines run on tensorrt, not {backend}", where="--engine", fix="--backend tensorrt"
        )
    if engine.suffix != ".engine":
        raise ConfigError("an engine's name ends in .engine", where=engine, fix="-m MODEL.onnx")
    return str(engine), "tensorrt"


def _sides(
    scale: float | None, size: str | None, width: int | None
) -> tuple[int | None, int | None]:
    """Return width and height that the result fits into, None for any.

    Raises:
        ConfigError: two sizes are asked for, or --size is not WxH.
    """
    if sum(asked is not None for asked in (scale, size, width)) > 1:
        raise ConfigError("--scale, --size and --width contradict each other")
    if size is None:
        return width, None
    sides = re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", size)
    if sides is None:
        raise ConfigError(
            f"a size is width x height in pixels, not '{size}'",
            where=Argument("size"),
            fix=Argument("size", "1920x1080"),
        )
    return int(sides[1]), int(sides[2])


def _suffix(scale: float, width: int | None, height: int | None) -> str:
    """Return what stands behind the names of results: `_x4`, `_x2.5`, `_1920w`, `_1920x1080`."""
    if width is None:
        return f"_x{scale:g}"
    return f"_{width}w" if height is None else f"_{width}x{height}"


def _run(model: "Model", plan: "JobList", settings: Settings, report: "Report") -> None:
    """Do the jobs, some at a time, and tell of each."""
    from edgesr.cli._files_bar import files_bar
    from edgesr.cli._overlap import StoppedError, overlapped
    from edgesr.cli._signals import stop_on_signals

    report.planned(plan)
    with stop_on_signals() as wants_stop, files_bar(len(plan.jobs)) as bar_of:

        def work(job: "Job") -> "Upscaled":
            show = bar_of(job.input)

            def on_tile(done: int, tiles: int) -> None:
                if wants_stop():
                    raise StoppedError
                show(done, tiles)

            return model.upscale(
                job.input,
                job.output,
                tile=settings.tile,
                overlap=settings.overlap,
                width=settings.width,
                height=settings.height,
                tta=settings.tta,
                quality=settings.quality,
                overwrite=True,  # the jobs leave out what may not be replaced
                make_folders=True,
                check_seams=settings.check,
                on_tile=on_tile,
            )

        for job, outcome in overlapped(plan.jobs, work, settings.at_once, wants_stop):
            report.outcome(job, outcome)


def _say_why_no_engine(used: dict[str, str], scale: float | None, report: "Report") -> None:
    """Tell those who have TensorRT why it was not taken."""
    from edgesr.cli._console import say

    factor = int(scale) if scale is not None and scale.is_integer() else None
    reasons = {
        f"on {name}: {why_not_tensorrt(used_model, factor)}"
        for used_model, name in used.items()
        if name != "tensorrt"
    }
    for reason in sorted(reasons):
        say(reason, err=report.to_error)
