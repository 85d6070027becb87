"""`edgesr verify`: an engine against ONNX Runtime on real patches, on the board that runs it."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgesr.cli._console import say
from edgesr.errors import EngineError, shell

if TYPE_CHECKING:
    from edgesr.artifacts.engine_manifest import Verification


def command(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="What is right.")],
    engine: Annotated[Path, typer.Argument(metavar="ENGINE", help="What is judged.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare an engine with ONNX Runtime on real patches.

    MODEL.onnx is the file the engine was built from, or the same weights exported in another
    precision. The result is written into the engine's manifest; below 45 dB the exit code is 1.
    """
    from edgesr.artifacts.engine_manifest import EngineManifest
    from edgesr.imaging.patches import NAMES, real_tiles
    from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
    from edgesr.runtime.tensorrt_session import TensorRTSession
    from edgesr.verify import LIMIT_DB, check_same_network, compare

    reference = OnnxRuntimeSession(model)
    manifest = EngineManifest.read(engine)
    check_same_network(manifest, engine, reference.manifest, model)
    candidate = TensorRTSession(engine)
    try:
        patches = dict(zip(NAMES, real_tiles(manifest.tile), strict=True))
        result = compare(reference, candidate, patches)
    finally:
        candidate.close()
    result = replace(result, against=f"onnxruntime {reference.manifest.precision}")
    replace(manifest, verification=result).write(engine)
    if as_json:
        say(json.dumps({"engine": str(engine)} | asdict(result), indent=2))
    else:
        _print(result)
    if result.psnr_db < LIMIT_DB:
        fix = f"edgesr export --model {manifest.network} --precision fp32, and build from that"
        if manifest.precision == "int8" and reference.manifest.precision != "int8":
            own = f"{shell(manifest.onnx_file)} {shell(engine)}"
            fix = f"edgesr verify {own}  (without what int8 itself costs)"
        raise EngineError(
            f"{result.psnr_db:.1f} dB is below {LIMIT_DB:.0f}; its pictures are not to be trusted",
            where=engine,
            fix=fix,
        )


def _print(result: "Verification") -> None:
    say(
        f"{result.psnr_db:.1f} dB against {result.against} on {result.patches} patches, "
        f"largest difference {result.max_abs_difference:.2e}"
    )
    say(f"  worst: {result.worst_patch}, {result.worst_psnr_db:.1f} dB")
