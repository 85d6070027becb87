"""`edgesr upscale`: photographs through a network, in tiles."""

import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgesr.cli import _network as options
from edgesr.cli._exit_codes import FAILED, INTERRUPTED
from edgesr.cli._ignored import refuse_ignored, refuse_ignored_naming
from edgesr.cli._overlap import AT_ONCE
from edgesr.errors import ConfigError
from edgesr.imaging.pixel_size import parse_size
from edgesr.imaging.quality import DEFAULT_QUALITY
from edgesr.runtime.select import why_not_tensorrt

if TYPE_CHECKING:
    from edgesr.cli._upscale_report import Report

_LARGEST_SIDE = 1_000_000  # in pixels; PNG and TIFF files end there


def command(
    context: typer.Context,
    inputs: Annotated[
        list[Path],
        # Not checked by typer: one that cannot be read must not stop the others.
        typer.Argument(
            metavar="INPUT...",
            readable=False,
            help="Pictures, folders of pictures, clips; - for standard input.",
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
            help="Name of a network, an .onnx or an .engine file. Default: photo for pictures "
            "stored with loss, such as JPEG, and student for others.",
        ),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(
            "-s",
            "--scale",
            help="How many times wider and higher the result is, from 1 to 8. Where there is no "
            "network of this scale, that of the nearest one runs and a bicubic resize follows. "
            "Default: what the model file was made for; 4 for a network's name.",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="Largest result that fits into this many pixels."),
    ] = None,
    width: Annotated[
        int | None, typer.Option(min=1, help="Width of the result in pixels, instead of --scale.")
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
    threads: options.Threads = None,
    jobs: Annotated[
        int,
        typer.Option(
            "-j", "--jobs", min=1, help="Pictures that are read, run or written at a time."
        ),
    ] = AT_ONCE,
    format: Annotated[
        str | None,
        typer.Option(
            "-f",
            "--format",
            metavar="ENDING",
            help="Kind of the result: png, jpg, webp, tiff, bmp, avif or jxl. Default: as -o, "
            "or png.",
        ),
    ] = None,
    suffix: Annotated[
        str | None,
        typer.Option(
            help="Text that is put behind each input's name to name its result. Default: "
            "_x and the scale."
        ),
    ] = None,
    quality: Annotated[
        int,
        typer.Option(
            min=1,
            max=100,
            help="Quality of a JPEG, WebP, AVIF or JPEG XL file; 100 keeps a JPEG XL one exact.",
        ),
    ] = DEFAULT_QUALITY,
    background: Annotated[
        str | None,
        typer.Option(
            metavar="COLOUR",
            help="Colour behind transparent parts, for a format without transparency: white, "
            "black or #rrggbb.",
        ),
    ] = None,
    recursive: Annotated[
        bool,
        typer.Option(
            "-r", "--recursive", help="Search the folders inside a given folder too, at any depth."
        ),
    ] = False,
    skip_existing: Annotated[
        bool,
        typer.Option("--skip-existing", help="Leave out pictures whose result exists already."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that exist already.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Take pictures that edgesr wrote, too.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Measure how visible the borders of tiles are in the result; doubles the time.",
        ),
    ] = False,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Spread the pictures over a Ray cluster."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each file.")
    ] = False,
) -> None:
    """Enlarge photographs, in tiles, on any machine.

    The result of photo.jpg is photo_x4.png beside it. No file is replaced without --overwrite, and
    what edgesr wrote is not enlarged again without --again. Exit code 1 if a picture failed; the
    others are done all the same.
    """
    from edgesr.cli._jobs import OutputOptions, plan_jobs
    from edgesr.cli._moving import name_moving, part
    from edgesr.cli._pipes import PIPE, piped
    from edgesr.cli._upscale_report import Report
    from edgesr.cli._upscale_run import UpscaleSettings, run_here, run_on_ray
    from edgesr.imaging.background import parse_colour
    from edgesr.library.model import Model
    from edgesr.library.scales import Scales

    if suffix is not None and os.sep in suffix:
        raise ConfigError(
            f"names no folder, as {suffix!r} does", where="--suffix", fix="-o ANOTHER_FOLDER/"
        )
    if background is not None:
        parse_colour(background)  # one that is none fails once, not with every picture
    if ray is not None:
        refuse_ignored(context, "with --ray", "jobs")
    across, down = _sides(scale, size, width)
    settings = UpscaleSettings(tile, overlap, across, down, tta, quality, background, check, jobs)
    ending = None if format is None else f".{format.removeprefix('.')}"
    to_pipe = output == PIPE or (output is None and Path(PIPE) in inputs)
    sides = {} if size is None else {"width": "size", "height": "size"}
    report = Report(as_json, to_error=to_pipe, renamed=sides)
    scales = Scales(model, backend, scale, threads)
    with (
        Model(scales) as opened,
        piped(inputs, output, ending or ".png") as (files, target, report.unnamed),
    ):
        output_options = OutputOptions(
            output=None if target is None else Path(target),
            suffix=_suffix(opened.scale, across, down) if suffix is None else suffix,
            ending=ending,
            recursive=recursive,
            overwrite=overwrite,
            skip_existing=skip_existing,
            to_folder=target is not None and target.endswith(os.sep),
            again=again,
        )
        moving, stills = part(files, output_options)
        named, finished = name_moving(moving, files, output_options)
        plan = plan_jobs(stills, output_options, named)
        plan = replace(plan, skipped=(*finished, *plan.skipped))
        refuse_ignored_naming(context, output_options, plan)
        if ray is None:
            run_here(scales, opened, plan, settings, report)
        else:
            run_on_ray(ray, (model, scale, backend, threads), plan, settings, report)
        used = opened.backends
    has_tensorrt = find_spec("tensorrt") is not None
    if backend == "auto" and has_tensorrt and plan.jobs and ray is None and not as_json:
        _say_why_no_engine(used, scale, report)
    if report.stopped:
        report.closing(len(plan.jobs))
        raise typer.Exit(INTERRUPTED)
    if report.failed:
        raise typer.Exit(FAILED)


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
    return parse_size(size, "size", 1, _LARGEST_SIDE, "1920x1080")


def _suffix(scale: float, width: int | None, height: int | None) -> str:
    """Return what stands behind the names of results: `_x4`, `_x2.5`, `_1920w`, `_1920x1080`."""
    if width is None:
        return f"_x{scale:g}"
    return f"_{width}w" if height is None else f"_{width}x{height}"


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
