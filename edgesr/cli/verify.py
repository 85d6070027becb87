"""`edgesr verify`: an engine against ONNX Runtime on real patches, on the board that runs it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgesr.cli._console import say

if TYPE_CHECKING:
    from edgesr.artifacts.engine_manifest import Verification


def command(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL.onnx", help="ONNX file whose output is taken to be right."),
    ],
    engine: Annotated[
        Path, typer.Argument(metavar="ENGINE", help="TensorRT engine that is compared with it.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare an engine with ONNX Runtime on real patches.

    MODEL.onnx is the file the engine was built from, or the same weights exported in another
    precision. The result is written into the engine's manifest; below 45 dB the exit code is 1.
    """
    from edgesr.verify import verify_engine

    result, problem = verify_engine(model, engine)
    if as_json:
        say(json.dumps({"engine": str(engine)} | asdict(result), indent=2))
    else:
        _print(result)
    if problem is not None:
        raise problem


def _print(result: "Verification") -> None:
    say(
        f"{result.psnr_db:.1f} dB against {result.against} on {result.patches} patches, "
        f"largest difference {result.max_abs_difference:.2e}"
    )
    say(f"  worst: {result.worst_patch}, {result.worst_psnr_db:.1f} dB")
