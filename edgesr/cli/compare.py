"""`edgesr compare`: one photograph through several networks, side by side."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgesr.cli import _network as options
from edgesr.cli._console import progress, say
from edgesr.errors import ConfigError, shell
from edgesr.text_table import align

if TYPE_CHECKING:
    from edgesr.compare.panels import PhotoComparison
    from edgesr.imaging.encode import FileFormat

_PAGES = (".html", ".htm")


def command(
    photo: Annotated[
        Path,
        typer.Argument(metavar="PHOTO", readable=False, help="Photo of which a part is shown."),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--model",
            help="Name of a network, an .onnx or an .engine file; may be repeated. Default: all "
            "shipped ones, and bicubic.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="File to write: a picture, or an .html page with a slider. Default: "
            "PHOTO_compare.png.",
        ),
    ] = None,
    crop: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y,W,H",
            help="Part of the photo to show: left, top, width and height in pixels. "
            "Default: where most detail is.",
        ),
    ] = None,
    scale: options.Scale = None,
    backend: options.Backend = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a result that exists already.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show a part of a photo as several networks enlarge it: a labelled sheet or an HTML page."""
    from edgesr.compare.crop import detailed_crop, parse_crop
    from edgesr.compare.networks import requests_for
    from edgesr.compare.panels import compare_on_photo
    from edgesr.compare.render import render
    from edgesr.files import write_bytes
    from edgesr.imaging.picture import read_picture

    target = output or photo.with_name(f"{photo.stem}_compare.png")
    form = _format(target, overwrite)
    picture = read_picture(photo)
    part = detailed_crop(picture) if crop is None else parse_crop(crop, picture)
    requests = requests_for(model, scale, backend)
    with progress("compare", len(requests)) as advance:
        comparison = compare_on_photo(picture, part, requests, lambda name: advance(1, name))
    write_bytes(target, render(comparison, photo.name, form))
    if as_json:
        say(json.dumps(_document(comparison, photo, target), indent=2, ensure_ascii=False))
        return
    _print(comparison)
    say(target)


def _format(target: Path, overwrite: bool) -> "FileFormat | None":
    """Return the kind of picture, None for a page; refuse what could not be written at the end."""
    from edgesr.imaging.encode import format_of_path

    form = None if target.suffix.lower() in _PAGES else format_of_path(target)
    if target.is_dir():
        raise ConfigError(
            "a folder, not a file", where=target, fix=f"-o {shell(target / 'compare.png')}"
        )
    if target.exists() and not overwrite:
        raise ConfigError("is there already", where=target, fix="--overwrite, or another -o")
    if not target.parent.is_dir():
        raise ConfigError(
            "the folder does not exist", where=target.parent, fix=f"mkdir -p {shell(target.parent)}"
        )
    return form


def _document(comparison: "PhotoComparison", photo: Path, target: Path) -> dict[str, object]:
    crop = comparison.crop
    return {
        "input": str(photo),
        "output": str(target),
        "crop": [crop.x, crop.y, crop.width, crop.height],
        "scale": comparison.scale,
        "models": [
            {
                "name": panel.name,
                "run": panel.run,
                "latency_ms": round(panel.latency_ms, 3),
                "photo_s": round(panel.photo_s, 6),
            }
            for panel in comparison.panels
            if panel.latency_ms is not None and panel.photo_s is not None
        ],
    }


def _print(comparison: "PhotoComparison") -> None:
    from edgesr.compare.text import ONCE, note, under

    say(f"{under(comparison)}\n")
    rows = [(panel.name, note(panel), f"({panel.run})") for panel in comparison.panels[1:]]
    say("\n".join(align(rows, left=range(3))))
    say(f"\n{ONCE}")
