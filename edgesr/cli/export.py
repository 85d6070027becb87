"""`edgesr export`: from weights to an ONNX file that runs anywhere, with its manifest."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgesr.cli._console import progress, say
from edgesr.errors import ConfigError, MissingError

if TYPE_CHECKING:
    from edgesr.artifacts.onnx_manifest import OnnxManifest

FREE = "free"


def command(
    model: Annotated[
        str, typer.Option("-m", "--model", help="Network to export, as `edgesr models` lists it.")
    ] = "student",
    weights: Annotated[
        Path | None,
        typer.Option(help="File of weights. Default: the weights that come with edgesr."),
    ] = None,
    precision: Annotated[
        str, typer.Option(help="Number format that the model computes in: fp32, fp16 or int8.")
    ] = "fp32",
    tile: Annotated[
        int,
        typer.Option(
            "-t", "--tile", help="Side of the square tiles that the model takes, in pixels."
        ),
    ] = 64,
    batch: Annotated[
        str,
        typer.Option(
            metavar="N|free", help="Number of tiles that a call takes, or `free` for any number."
        ),
    ] = FREE,
    scale: Annotated[
        int,
        typer.Option(
            "-s",
            "--scale",
            help="How many times wider and higher the model's output is than its input.",
        ),
    ] = 4,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write. Default: NAME_xSCALE.onnx in $EDGESR_HOME/exports.",
        ),
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Photos on which the ranges of int8 are measured, beside the bundled tiles. "
            "Default: those alone.",
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="Benchmark set, or folder of sets, on which the loss of fp16 or int8 is measured; "
            "may be repeated. Default: it is not measured."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Export a network to ONNX, check it against torch, and write its manifest.

    With int8 the layers that do most of the arithmetic take 8-bit integers, between explicit nodes
    that quantise and dequantise (Q/DQ); the rest is as in fp16. It needs TensorRT 10 or later on a
    board. With --data the PSNR that fp16 or int8 loses against fp32 is measured in ONNX Runtime,
    printed, and written into the manifest.
    """
    size = _batch(batch)
    if data and precision == "fp32":
        raise ConfigError(
            "fp32 loses nothing against itself",
            where="--data",
            fix="edgesr eval -m FILE.onnx --data SETS",
        )
    try:
        from edgesr.evaluate.datasets import open_sets
        from edgesr.evaluate.loss import measure_loss
        from edgesr.export.exporter import ExportRequest, export
    except ModuleNotFoundError as error:
        raise MissingError(
            f"exporting needs the Python package {error.name}", fix="pip install 'edgesr[train]'"
        ) from error

    request = ExportRequest(model, weights, precision, tile, size, scale, output, calibrate)
    sets = open_sets(data or [], scale)  # before the export, which takes longer than to find fault
    manifest = export(request)
    if sets:
        with progress("measuring", 2 * sum(len(one.pairs) for one in sets)) as advance:
            manifest = measure_loss(request, sets, advance)
    if as_json:
        say(json.dumps({"file": str(request.path), **asdict(manifest)}, indent=2))
        return
    _print(request.path, manifest)


def _print(written: Path, manifest: "OnnxManifest") -> None:
    parity = manifest.parity
    say(f"{written}  {written.stat().st_size / 1e6:.2f} MB, {manifest.precision}")
    say(
        f"largest difference from {parity.against}: {parity.max_abs_difference:.1e}, "
        f"{parity.psnr_db:.1f} dB, on {parity.patches} real tiles"
    )
    if manifest.quantization is not None:
        quantised = manifest.quantization
        say(
            f"in int8: {len(quantised.nodes)} convolutions and projections, calibrated on "
            f"{quantised.calibration}"
        )
    for loss in manifest.psnr_loss:
        say(
            f"{loss.dataset}: {loss.psnr_y_db:.3f} dB PSNR-Y, fp32 {loss.fp32_psnr_y_db:.3f}: "
            f"{loss.loss_db:.4f} dB lost on {loss.images} pictures"
        )


def _batch(text: str) -> int | None:
    if text == FREE:
        return None
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"'{text}' is neither a number nor '{FREE}'", where="--batch") from None
