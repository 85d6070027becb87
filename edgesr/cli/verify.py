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
    engine: Annotated[
        Path, typer.Option("-m", "--model", metavar="ENGINE", help="Engine file to judge.")
    ],
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL.onnx",
            help="ONNX file of the same weights to compare the engine with. Default: the file "
            "that the engine was built from.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare an engine with ONNX Runtime on real patches.

    The result is written into the engine's manifest; below 45 dB the exit code is 1.
    """
    from edgesr.verify import verify_engine

    result, problem = verify_engine(engine, against)
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
