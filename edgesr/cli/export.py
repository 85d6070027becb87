"""`edgesr export`: from weights to an ONNX file that runs anywhere, with its manifest."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from edgesr.errors import ConfigError, MissingError

FREE = "free"


def command(
    model: Annotated[str, typer.Option(help="Network, see `edgesr models`.")] = "student",
    weights: Annotated[
        Path | None, typer.Option(help="Checkpoint. Default: the shipped one.")
    ] = None,
    precision: Annotated[str, typer.Option(help="fp32 or fp16.")] = "fp32",
    tile: Annotated[int, typer.Option(help="Side of the input tile, in pixels.")] = 64,
    batch: Annotated[
        str, typer.Option(metavar="N|free", help="Tiles a call takes: a number, or free.")
    ] = FREE,
    scale: Annotated[int, typer.Option(help="Output side over input side.")] = 4,
    form: Annotated[
        str,
        typer.Option(help="How scans are written: unrolled, doubling, or loop (not for boards)."),
    ] = "unrolled",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write. Default: engines/NAME_xSCALE.onnx."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Export a network to ONNX, check it against torch, and write its manifest."""
    size = _batch(batch)
    try:
        from edgesr.export.exporter import ExportRequest, export
    except ModuleNotFoundError as error:
        raise MissingError(
            f"exporting needs the Python package {error.name}", fix='pip install "edgesr[train]"'
        ) from error

    request = ExportRequest(model, weights, precision, tile, size, scale, form, output)
    manifest = export(request)
    if as_json:
        typer.echo(json.dumps({"file": str(request.path), **asdict(manifest)}, indent=2))
        return
    written = request.path
    typer.echo(f"{written}  {written.stat().st_size / 1e6:.2f} MB, {manifest.precision}")
    typer.echo(
        f"largest difference from {manifest.parity.against}: "
        f"{manifest.parity.max_abs_difference:.1e} on {manifest.parity.patches} real tiles"
    )


def _batch(text: str) -> int | None:
    if text == FREE:
        return None
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"'{text}' is neither a number nor '{FREE}'", where="--batch") from None
