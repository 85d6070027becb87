"""Is the exported graph the network? Measured on real tiles in ONNX Runtime, before it is kept."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import ModelProto

from edgesr.errors import ExportError
from edgesr.export.manifest import Parity
from edgesr.export.patches import hard_tiles, real_tiles
from edgesr.models.network import SRNetwork

MAX_DIFFERENCE_FP32 = 1e-4
MIN_PSNR_FP16_DB = 50.0


def check_parity(
    model: ModelProto, network: SRNetwork, tile: int, batch: int | None, precision: str
) -> Parity:
    """Run `model` in ONNX Runtime and `network` in torch on the same tiles and compare.

    An fp32 graph may differ by at most 1e-4 anywhere; an fp16 graph must reach 50 dB. Neither may
    give a value that is not finite, on real tiles nor on black, white, noise and checkerboards.

    Args:
        model: the finished graph.
        network: in float32, on the CPU.
        tile: side of the graph's input.
        batch: tiles the graph takes at once; None: any number.
        precision: `fp32` or `fp16`.

    Raises:
        ExportError: the graph fails.
    """
    real = real_tiles(tile)
    got = run_tiles(model, [real, *hard_tiles(tile).values()], batch)
    for name, output in zip(("real tiles", *hard_tiles(tile)), got, strict=True):
        if not np.isfinite(output).all():
            raise ExportError(f"the {precision} graph gives NaN or infinity", where=name)
    with torch.inference_mode():
        expected = network(torch.from_numpy(real)).numpy()
    difference = np.abs(got[0] - expected)
    worst = float(difference.max())
    if precision == "fp32" and worst > MAX_DIFFERENCE_FP32:
        raise ExportError(
            f"the graph differs from torch by {worst:.1e} on real tiles, more than "
            f"{MAX_DIFFERENCE_FP32:.0e} of full scale"
        )
    psnr_db = -10 * np.log10(max(float((difference**2).mean()), 1e-20))
    if precision == "fp16" and psnr_db < MIN_PSNR_FP16_DB:
        raise ExportError(
            f"the fp16 graph is {psnr_db:.1f} dB from torch on real tiles, "
            f"less than {MIN_PSNR_FP16_DB:.0f} dB",
            fix="edgesr export --precision fp32",
        )
    return Parity(worst, len(real), "torch float32")


def run_tiles(
    model: ModelProto, stacks: Iterable[NDArray[np.float32]], batch: int | None
) -> list[NDArray[np.float32]]:
    """Run stacks of tiles (n, 3, h, w) through `model` in ONNX Runtime on the CPU, in batches."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    results = []
    for tiles in stacks:
        size = len(tiles) if batch is None else batch
        filled = np.resize(tiles, (-(-len(tiles) // size) * size, *tiles.shape[1:]))
        parts = [
            session.run(None, {name: filled[i : i + size]})[0] for i in range(0, len(filled), size)
        ]
        results.append(np.concatenate(parts)[: len(tiles)])
    return results
