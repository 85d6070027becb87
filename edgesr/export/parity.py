"""Is the exported graph the network? Measured on real tiles in ONNX Runtime, before it is kept."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import ModelProto

from edgesr.artifacts.onnx_manifest import Parity
from edgesr.errors import ExportError, shell
from edgesr.imaging.patches import hard_tiles, in_batches, real_tiles
from edgesr.imaging.psnr import psnr_db
from edgesr.models.network import SRNetwork
from edgesr.onnx_runtime import EXACT_INT8, import_onnxruntime

MAX_DIFFERENCE_FP32 = 1e-4
MIN_PSNR_DB = {"fp16": 50.0, "int8": 40.0}
"""At 40 dB the error of the graph takes 0.4 dB from a picture that is 30 dB from the truth."""


def check_parity(
    model: ModelProto, network: SRNetwork, tile: int, batch: int | None, precision: str
) -> Parity:
    """Run `model` in ONNX Runtime and `network` in torch on the same tiles and compare.

    An fp32 graph may differ by at most 1e-4 anywhere; an fp16 graph must reach 50 dB, an int8 graph
    40 dB. None may give a value that is not finite, on real tiles nor on black, white, noise,
    checkerboards and stripes.

    Args:
        model: the finished graph.
        network: in float32, on the CPU.
        tile: side of the graph's input.
        batch: tiles the graph takes at once; None: any number.
        precision: `fp32`, `fp16` or `int8`.

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
    found_db = psnr_db(float((difference**2).mean()))
    least_db = MIN_PSNR_DB.get(precision)
    if least_db is not None and found_db < least_db:
        raise ExportError(
            f"the {precision} graph is {found_db:.1f} dB from torch on real tiles, "
            f"less than {least_db:.0f} dB",
            fix=f"edgesr export -m {shell(model.graph.name)} -s {network.scale} "
            f"--precision {'fp16' if precision == 'int8' else 'fp32'}",
        )
    return Parity(worst, len(real), "torch float32", round(found_db, 2))


def run_tiles(
    model: ModelProto, stacks: Iterable[NDArray[np.float32]], batch: int | None
) -> list[NDArray[np.float32]]:
    """Run stacks of tiles (n, 3, h, w) through `model` in ONNX Runtime on the CPU, in batches."""
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry(*EXACT_INT8)
    # in the order of the file, where a value is used soon and freed: any other order may keep many
    options.execution_order = ort.ExecutionOrder.PRIORITY_BASED
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    results = []
    for tiles in stacks:
        size = len(tiles) if batch is None else batch
        parts = [session.run(None, {name: part})[0] for part in in_batches(tiles, size)]
        results.append(np.concatenate(parts)[: len(tiles)])
    return results
