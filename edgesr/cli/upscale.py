"""`edgesr upscale`: photographs through a network, in tiles."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgesr.cli import _network as options
from edgesr.cli._console import progress, say
from edgesr.cli._exit_codes import FAILED
from edgesr.cli._ignored import refuse_ignored_naming
from edgesr.errors import ConfigError, EdgesrError, ImageError
from edgesr.imaging.quality import DEFAULT_QUALITY
from edgesr.runtime.select import why_not_tensorrt
from edgesr.video.result import MovingResult, MovingSettings

if TYPE_CHECKING:
    from edgesr.cli._jobs import Job, JobList
    from edgesr.library.model import Model
    from edgesr.library.upscaled import Upscaled
    from edgesr.runtime.sessions import Sessions

    Outcomes = Iterator[tuple[Job, "Upscaled | MovingResult | EdgesrError"]]


@dataclass(frozen=True)
class Settings:
    """How a picture is enlarged and written."""

    tile: int | None
    overlap: int | None
    quality: int
    check: bool
    background: str | None


def command(
    context: typer.Context,
    inputs: Annotated[
        list[Path],
        # Not checked by typer: one that cannot be read must not stop the others.
        typer.Argument(
            metavar="INPUT...", readable=False, help="Pictures, folders of pictures, clips."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="File or folder to write to. Default: beside each input."
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
    scale: options.Scale = None,
    tile: options.Tile = None,
    overlap: options.Overlap = None,
    backend: options.Backend = "auto",
    threads: options.Threads = None,
    format: Annotated[
        str | None,
        typer.Option(
            "-f",
            "--format",
            metavar="ENDING",
            help="Kind of the result: png, jpg, webp, tiff, bmp or avif. Default: as -o, or png.",
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
        int, typer.Option(min=1, max=100, help="Quality of a JPEG or WebP file.")
    ] = DEFAULT_QUALITY,
    background: Annotated[
        str | None,
        typer.Option(
            metavar="COLOUR",
            help="Behind transparent parts, where the format has none: white, black, #rrggbb.",
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Enlarge photographs, in tiles, on any machine.

    The result of photo.jpg is photo_x4.png beside it. No file is replaced without --overwrite.
    Exit code 1 if a picture failed; the others are done all the same.
    """
    from edgesr.cli._jobs import Wishes, plan_jobs
    from edgesr.cli._moving import part, plan_moving
    from edgesr.imaging.background import parse_colour
    from edgesr.library.model import Model
    from edgesr.runtime.sessions import Sessions

    if background is not None:
        parse_colour(background)  # one that is none fails once, not with every picture
    settings = Settings(tile, overlap, quality, check, background)
    sessions = Sessions(model, backend, scale, threads)
    with Model(sessions) as opened:
        wishes = Wishes(
            output=output,
            suffix=f"_x{opened.scale}" if suffix is None else suffix,
            ending=None if format is None else f".{format.removeprefix('.')}",
            recursive=recursive,
            overwrite=overwrite,
            skip_existing=skip_existing,
        )
        moving, stills = part(inputs, wishes)
        plan = plan_moving(moving, wishes, several=bool(stills))
        if stills:
            plan = plan.with_more(plan_jobs(stills, wishes))
        refuse_ignored_naming(context, wishes, plan)
        if ray is None:
            outcomes = _on_this_machine(sessions, opened, plan, settings)
        else:
            outcomes = _on_ray(ray, plan, settings, (model, scale, backend, threads))
        ok = _run(outcomes, plan, as_json)
        used = opened.backends
    if backend == "auto" and plan.jobs and ray is None and not as_json:
        reasons = {
            f"on {name}: {why_not_tensorrt(used_model, scale)}"
            for used_model, name in used.items()
            if name != "tensorrt"
        }
        for reason in sorted(reasons):
            say(reason)
    if not ok:
        raise typer.Exit(FAILED)


def _on_this_machine(
    sessions: "Sessions", model: "Model", plan: "JobList", settings: Settings
) -> "Outcomes":
    """Do the jobs one after the other."""
    from edgesr.cli._moving import MovingJob, upscale_moving

    moving = MovingSettings(settings.tile, settings.overlap, settings.quality)
    for job in plan.jobs:
        outcome: Upscaled | MovingResult | EdgesrError
        try:
            if isinstance(job, MovingJob):
                outcome = upscale_moving(sessions, job, moving)
            else:
                outcome = _upscale(model, job, settings)
        except MemoryError:
            outcome = ImageError("not enough memory for its enlargement", where=job.input)
        except EdgesrError as error:
            outcome = error
        yield job, outcome


def _on_ray(
    address: str,
    plan: "JobList",
    settings: Settings,
    network: tuple[str | None, int | None, str, int | None],
) -> "Outcomes":
    """Do the jobs on a cluster.

    Raises:
        ConfigError: seams were to be measured, an engine was named, or no cluster answers.
    """
    from edgesr.cli._ray import spread_pictures
    from edgesr.cluster.spread import order_for

    if settings.check:
        raise ConfigError("--check runs on one machine", where="--ray")
    order = order_for(
        *network, settings.tile, settings.overlap, settings.quality, settings.background
    )
    return spread_pictures(address, plan.jobs, order)


def _run(outcomes: "Outcomes", plan: "JobList", as_json: bool) -> bool:
    """Report the outcome of each job; return whether all went well."""
    results: list[Upscaled | MovingResult] = []
    failed: list[tuple[Path, EdgesrError]] = [(entry.input, entry.error) for entry in plan.refused]
    for _, error in failed:
        _complain(error)
    for job, outcome in outcomes:
        if isinstance(outcome, EdgesrError):
            failed.append((job.input, outcome))
            _complain(outcome)
            continue
        results.append(outcome)
        if not as_json:
            _print_result(outcome)
    if as_json:
        document = {
            "files": [asdict(result) for result in results],
            "skipped": [str(job.input) for job in plan.skipped],
            "failed": [
                {"input": str(path), "error": str(error.as_options())} for path, error in failed
            ],
        }
        say(json.dumps(document, indent=2, ensure_ascii=False))
    elif plan.skipped:
        say(f"{len(plan.skipped)} skipped, whose results are there")
    return not failed


def _upscale(model: "Model", job: "Job", settings: Settings) -> "Upscaled":
    """Do one picture, with a bar that shows its tiles."""
    with progress(job.input.name, None) as advance:
        return model.upscale(
            job.input,
            job.output,
            tile=settings.tile,
            overlap=settings.overlap,
            quality=settings.quality,
            background=settings.background,
            overwrite=True,  # the jobs leave out what may not be replaced
            make_folders=True,
            check_seams=settings.check,
            on_tile=lambda done, tiles: advance(total=tiles),
        )


def _print_result(result: "Upscaled | MovingResult") -> None:
    if isinstance(result, MovingResult):
        say("\n".join(result.lines()))
        return
    size = "{}x{} -> {}x{}".format(*result.input_size, *result.output_size)
    tiles = "1 tile" if result.tiles == 1 else f"{result.tiles} tiles"
    say(
        f"{result.output}  {size}, {tiles}, {result.latency_ms:.0f} ms "
        f"({' '.join(filter(None, (result.model, result.model_reason)))}, {result.backend})"
    )
    if result.seam_ratio is not None:
        say(f"  seams: {result.seam_ratio:.3f} (gradient across tile borders over that without)")
    for note in result.notes:
        say(f"  note: {note}")


def _complain(error: EdgesrError) -> None:
    say(f"error: {error.as_options()}", err=True)
