"""`edgesr upscale`: photographs through a network, in tiles."""

import json
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgesr.cli import _network as options
from edgesr.cli._console import progress, say
from edgesr.cli._exit_codes import FAILED
from edgesr.errors import ConfigError, EdgesrError, ImageError
from edgesr.runtime.select import why_not_tensorrt

if TYPE_CHECKING:
    from edgesr.cli._jobs import Job, JobList
    from edgesr.library.model import Model
    from edgesr.library.upscaled import Upscaled


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


def command(
    inputs: Annotated[
        list[Path],
        # Not checked by typer: one that cannot be read must not stop the others.
        typer.Argument(
            metavar="INPUT...",
            readable=False,
            help="Pictures, and folders of pictures, to enlarge.",
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
            help="Name of a network or an .onnx file. Default: photo for pictures stored with "
            "loss, such as JPEG, and student for others.",
        ),
    ] = None,
    scale: options.Scale = None,
    tile: options.Tile = None,
    overlap: options.Overlap = None,
    backend: options.Backend = "auto",
    engine: Annotated[
        Path | None,
        typer.Option(
            help="TensorRT engine that enlarges the pictures, in place of --model and --backend."
        ),
    ] = None,
    threads: options.Threads = None,
    format: Annotated[
        FormatName | None,
        typer.Option(
            "-f",
            "--format",
            help="File format of the results, such as webp. Default: that of -o, or png.",
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
            help="Quality of the JPEG and WebP files that are written, from 1 to 100.",
        ),
    ] = 95,
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Enlarge photographs, in tiles, on any machine.

    The result of photo.jpg is photo_x4.png beside it. No file is replaced without --overwrite.
    Exit code 1 if a picture failed; the others are done all the same.
    """
    from edgesr.cli._jobs import Wishes, plan_jobs
    from edgesr.library.model import open_model

    if engine is not None:
        model, backend = _engine(engine, backend)
    settings = Settings(tile, overlap, quality, check)
    with open_model(model, scale=scale, backend=backend, threads=threads) as opened:
        wishes = Wishes(
            output=output,
            suffix=f"_x{opened.scale}" if suffix is None else suffix,
            ending=None if format is None else f".{format.value}",
            recursive=recursive,
            overwrite=overwrite,
            skip_existing=skip_existing,
        )
        plan = plan_jobs(inputs, wishes)
        ok = _run(opened, plan, settings, as_json)
        used = opened.backends
    if backend == "auto" and plan.jobs and not as_json:
        reasons = {
            f"on {name}: {why_not_tensorrt(used_model, scale)}"
            for used_model, name in used.items()
            if name != "tensorrt"
        }
        for reason in sorted(reasons):
            say(reason)
    if not ok:
        raise typer.Exit(FAILED)


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


def _run(model: "Model", plan: "JobList", settings: Settings, as_json: bool) -> bool:
    """Do the jobs, report each; return whether all went well."""
    results: list[Upscaled] = []
    failed: list[tuple[Path, EdgesrError]] = [(entry.input, entry.error) for entry in plan.refused]
    for _, error in failed:
        _complain(error)
    for job in plan.jobs:
        try:
            result = _upscale(model, job, settings)
        except MemoryError:
            error = ImageError("not enough memory for its enlargement", where=job.input)
        except EdgesrError as caught:
            error = caught
        else:
            results.append(result)
            if not as_json:
                _print_result(result)
            continue
        failed.append((job.input, error))
        _complain(error)
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
            overwrite=True,  # the jobs leave out what may not be replaced
            make_folders=True,
            check_seams=settings.check,
            on_tile=lambda done, tiles: advance(total=tiles),
        )


def _print_result(result: "Upscaled") -> None:
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
