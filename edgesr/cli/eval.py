"""`edgesr eval`: PSNR and SSIM of a model on benchmark sets, beside bicubic."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgesr.cli import _network as options
from edgesr.cli._console import progress, say
from edgesr.cli._ignored import refuse_ignored
from edgesr.text_table import align

if TYPE_CHECKING:
    from edgesr.evaluate.evaluate import Evaluation

_COLUMNS = ("Set", "Images", "Model", "PSNR-Y dB", "SSIM-Y", "over bicubic")
_LEFT = (0, 2)


def command(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Option("-m", "--model", help="Name of a network, an .onnx or an .engine file."),
    ],
    data: Annotated[
        list[Path],
        typer.Option(
            help="Folder of a benchmark set (it holds HR/ and may hold LRx4/), or a folder "
            "of such sets; may be repeated."
        ),
    ],
    weights: Annotated[
        Path | None,
        typer.Option(
            help="File of weights of the network, which then runs in PyTorch, on whole pictures."
        ),
    ] = None,
    scale: options.Scale = None,
    tile: options.Tile = None,
    overlap: options.Overlap = None,
    backend: options.Backend = "auto",
    device: Annotated[
        str | None,
        typer.Option(help="Device for --weights: cpu or cuda. Default: cuda where there is one."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure PSNR and SSIM of a model on benchmark sets, beside bicubic.

    A shipped model or an .onnx file runs in tiles, as `edgesr upscale` runs it. With --json one set
    gives one object, several give a list of them.
    """
    from edgesr.evaluate.datasets import open_sets
    from edgesr.evaluate.evaluate import ImageScores, evaluate
    from edgesr.evaluate.model import CONTROL, EvaluationRequest, open_evaluated

    if weights is not None:
        refuse_ignored(context, "with --weights, which torch runs", "backend")
    else:
        refuse_ignored(context, "without --weights", "device", fix="--weights FILE")
    if model == CONTROL and weights is None:
        refuse_ignored(context, f"for {CONTROL}", "tile", "overlap", "backend")
    request = EvaluationRequest(model, weights, scale, tile, overlap, backend, device)
    with open_evaluated(request) as subject:
        sets = open_sets(data, subject.scale)
        total = sum(len(benchmark.pairs) for benchmark in sets)
        with progress(f"eval {model}", total) as advance:

            def show(image: ImageScores) -> None:
                advance(1, f"{image.name} {image.model.psnr_y_db:.2f} dB")

            results = [
                evaluate(subject.name, subject.run, subject.enlarge, benchmark, show)
                for benchmark in sets
            ]
    if as_json:
        documents = [result.to_json() for result in results]
        document = documents[0] if len(documents) == 1 else documents
        say(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        _print(results)


def _print(results: "list[Evaluation]") -> None:
    from edgesr.evaluate.metrics import PROTOCOL

    rows = [_COLUMNS, *(row for result in results for row in _rows(result))]
    say("\n".join(align(rows, _LEFT)))
    scale = results[0].benchmark.scale
    say(f"\nscale {scale}; {results[0].model}: {results[0].run}")
    for result in results:
        say(f"{result.benchmark.name}: LR {result.benchmark.lr_source}")
    say(f"protocol: {PROTOCOL}")


def _rows(result: "Evaluation") -> list[tuple[str, ...]]:
    """Return the model's row and, below it, that of bicubic."""
    model, control = result.score, result.bicubic
    gain = f"{model.psnr_y_db - control.psnr_y_db:+.2f}"
    name, images = result.benchmark.name, str(len(result.images))
    return [
        (name, images, result.model, f"{model.psnr_y_db:.2f}", f"{model.ssim_y:.4f}", gain),
        (name, images, "bicubic", f"{control.psnr_y_db:.2f}", f"{control.ssim_y:.4f}", ""),
    ]
