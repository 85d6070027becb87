"""`edgesr upscale`: photographs through a network, in tiles."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgesr.cli import _network as options
from edgesr.cli._console import progress, say
from edgesr.errors import ConfigError, EdgesrError, ImageError
from edgesr.runtime.select import why_not_tensorrt
from edgesr.video.result import MovingResult, MovingSettings

if TYPE_CHECKING:
    from edgesr.runtime.jobs import Job, JobList
    from edgesr.runtime.sessions import Sessions

    Outcomes = Iterator[tuple[Job, "Result | MovingResult | EdgesrError"]]


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
    quality: int
    check: bool


@dataclass(frozen=True)
class Result:
    """What is reported of a picture; sizes are (width, height), times in milliseconds.

    `model_reason` says why the network was chosen, None if it was named. `load_ms` is the opening
    of the model, once for all pictures; `latency_ms` is from the decoded picture to the enlarged
    one, without reading and writing files.
    """

    input: str
    output: str
    input_size: tuple[int, int]
    output_size: tuple[int, int]
    model: str
    model_reason: str | None
    backend: str
    scale: int
    tile: tuple[int, int]
    overlap: int
    tiles: int
    load_ms: float
    read_ms: float
    latency_ms: float
    write_ms: float
    seam_ratio: float | None
    notes: tuple[str, ...]


def command(
    inputs: Annotated[
        list[Path],
        # Not checked by typer: one that cannot be read must not stop the others.
        typer.Argument(
            metavar="INPUT...", readable=False, help="Pictures, folders of pictures, clips."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File or folder. Default: beside the input."),
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
    scale: options.Scale = None,
    tile: options.Tile = None,
    overlap: options.Overlap = None,
    backend: options.Backend = "auto",
    engine: Annotated[
        Path | None, typer.Option(help="TensorRT engine, in place of --model and --backend.")
    ] = None,
    threads: options.Threads = None,
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
    check: Annotated[
        bool, typer.Option("--check", help="Measure seams at tile borders (doubles the time).")
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
    from edgesr.cli._moving import part, plan_moving
    from edgesr.runtime.jobs import Wishes, plan_jobs
    from edgesr.runtime.sessions import Sessions

    if engine is not None:
        model, backend = _engine(engine, backend)
    settings = Settings(tile, overlap, quality, check)
    with Sessions(model, backend, scale, threads) as sessions:
        wishes = Wishes(
            output=output,
            suffix=f"_x{sessions.scale}" if suffix is None else suffix,
            ending=None if format is None else f".{format.value}",
            recursive=recursive,
            overwrite=overwrite,
            skip_existing=skip_existing,
        )
        moving, stills = part(inputs, wishes)
        plan = plan_moving(moving, wishes, several=bool(stills))
        if stills:
            plan = plan.with_more(plan_jobs(stills, wishes))
        if ray is None:
            outcomes = _on_this_machine(sessions, plan, settings)
        else:
            if check:
                raise ConfigError("--check runs on one machine", where="--ray")
            from edgesr.cli._ray import spread_pictures
            from edgesr.cluster.spread import order_for

            order = order_for(model, scale, backend, threads, tile, overlap, quality)
            outcomes = (
                (job, told if isinstance(told, EdgesrError) else Result(**told, seam_ratio=None))
                for job, told in spread_pictures(ray, plan.jobs, order)
            )
        ok = _run(outcomes, plan, as_json)
        used = sessions.backends
    if backend == "auto" and plan.jobs and ray is None and not as_json:
        reasons = {
            f"on {name}: {why_not_tensorrt(used_model, scale)}"
            for used_model, name in used.items()
            if name != "tensorrt"
        }
        for reason in sorted(reasons):
            say(reason)
    if not ok:
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


def _on_this_machine(sessions: "Sessions", plan: "JobList", settings: Settings) -> "Outcomes":
    """Do the jobs one after the other."""
    from edgesr.cli._moving import MovingJob, upscale_moving

    moving = MovingSettings(settings.tile, settings.overlap, settings.quality)
    for job in plan.jobs:
        outcome: Result | MovingResult | EdgesrError
        try:
            if isinstance(job, MovingJob):
                outcome = upscale_moving(sessions, job, moving)
            else:
                outcome = _upscale_file(sessions, job, settings)
        except MemoryError:
            outcome = ImageError("not enough memory for its enlargement", where=job.input)
        except EdgesrError as error:
            outcome = error
        yield job, outcome


def _run(outcomes: "Outcomes", plan: "JobList", as_json: bool) -> bool:
    """Report the outcome of each job; return whether all went well."""
    results: list[Result | MovingResult] = []
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
            "failed": [{"input": str(path), "error": str(error)} for path, error in failed],
        }
        say(json.dumps(document, indent=2, ensure_ascii=False))
    elif plan.skipped:
        say(f"{len(plan.skipped)} skipped, whose results are there")
    return not failed


def _upscale_file(sessions: "Sessions", job: "Job", settings: Settings) -> Result:
    """Read, enlarge and write one picture.

    Raises:
        EdgesrError: it cannot be done.
    """
    from edgesr.files import write_bytes
    from edgesr.imaging.encode import check_fits, encode, format_for
    from edgesr.imaging.picture import read_picture
    from edgesr.runtime.check import check_seams
    from edgesr.runtime.jobs import make_folder_for
    from edgesr.runtime.photograph import passes, upscale_picture
    from edgesr.runtime.upscale import plan_for

    start = time.perf_counter()
    picture = read_picture(job.input)
    read_ms = _since(start)
    target = format_for(job.output.suffix)
    check_fits(picture, sessions.scale, target)
    opened = sessions.session_for(picture)
    session = opened.session
    plan = plan_for(session, picture.height, picture.width, settings.tile, settings.overlap)
    tiles = passes(picture) * len(plan)
    start = time.perf_counter()
    with progress(job.input.name, tiles) as advance:
        enlarged = upscale_picture(session, picture, plan, advance)
    latency_ms = _since(start)
    start = time.perf_counter()
    data, notes = encode(enlarged, target, settings.quality)
    make_folder_for(job)
    write_bytes(job.output, data)
    return Result(
        input=str(job.input),
        output=str(job.output),
        input_size=(picture.width, picture.height),
        output_size=(enlarged.width, enlarged.height),
        model=session.model,
        model_reason=opened.reason,
        backend=session.backend,
        scale=session.scale,
        tile=(plan.columns.tile, plan.rows.tile),
        overlap=plan.rows.overlap,
        tiles=tiles,
        load_ms=opened.load_ms,
        read_ms=read_ms,
        latency_ms=latency_ms,
        write_ms=_since(start),
        seam_ratio=check_seams(session, picture, enlarged, plan) if settings.check else None,
        notes=(*picture.notes, *notes),
    )


def _since(start: float) -> float:
    return round((time.perf_counter() - start) * 1000.0, 3)


def _print_result(result: Result | MovingResult) -> None:
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
    say(f"error: {error}", err=True)
