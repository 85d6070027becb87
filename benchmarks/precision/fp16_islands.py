"""Which operations of the FP16 student must stay in float32? PSNR against FP32 by set of islands.

    python -m benchmarks.precision.fp16_islands [WEIGHTS.safetensors]

Real tiles in ONNX Runtime, once as it optimises graphs (it computes most of FP16 in float32 on a
CPU) and once without, where every value is rounded. Writes results/precision/fp16_islands.json.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto

from benchmarks.shared.commands import parser_of
from benchmarks.shared.folders import RESULTS
from edgesr.export.fp16 import to_fp16
from edgesr.export.lower import define_mixers
from edgesr.export.mixer import MIXER
from edgesr.export.ranges import too_large_for_half
from edgesr.export.torch_graph import trace
from edgesr.files import sha256, write_json
from edgesr.imaging.patches import hard_tiles, real_tiles
from edgesr.imaging.psnr import psnr_db
from edgesr.models.checkpoint import load_network
from edgesr.weights import shipped

OUTPUT = RESULTS / "precision/fp16_islands.json"
TILE = 64
SETS = (
    {MIXER},
    {MIXER, "LayerNormalization"},
    {MIXER, "LayerNormalization", "MatMul"},
    {MIXER, "LayerNormalization", "Add"},
    {MIXER, "LayerNormalization", "Conv"},
)


def main() -> None:
    """Measure every set of islands, print the table and write it."""
    parser = parser_of(__doc__)
    usual = shipped("student", 4, "safetensors")
    parser.add_argument("weights", type=Path, nargs="?", default=usual, help="of a student at x4")
    weights: Path = parser.parse_args().weights
    single = define_mixers(trace(load_network("student", 4, weights), TILE, None))
    exact = run(single, optimise=True)
    large = too_large_for_half(single, TILE, None)
    rows = []
    for islands in SETS:
        model = define_mixers(to_fp16(single, large, frozenset(islands))[0])
        row: dict[str, object] = {
            "islands": sorted(islands),
            "casts": sum(node.op_type == "Cast" for node in model.graph.node),
            "file_bytes": model.ByteSize(),
        }
        for optimise in (True, False):
            outputs = run(model, optimise)
            word = "optimised" if optimise else "every value rounded"
            row[f"psnr_db, {word}"] = [
                round(psnr_db(float(((a - b) ** 2).mean())), 1)
                for a, b in zip(outputs, exact, strict=True)
            ]
        rows.append(row)
        print(row)
    report = {
        "protocol": f"student against its FP32 graph, {TILE}x{TILE}; each PSNR list: real tiles, "
        + ", ".join(hard_tiles(TILE)),
        "weights": {"file": weights.name, "sha256": sha256(weights)},
        "in float32 in every row, for their size": sorted(large),
        "versions": {name: version(name) for name in ("onnxruntime", "torch", "onnx")},
        "rows": rows,
    }
    write_json(OUTPUT, report)


def run(model: ModelProto, optimise: bool) -> list[NDArray[np.float32]]:
    """Run real and hard tiles through `model`."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    levels = ort.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimise else levels.ORT_DISABLE_ALL
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    stacks = [real_tiles(TILE), *hard_tiles(TILE).values()]
    return [session.run(None, {"lr": tiles})[0] for tiles in stacks]


if __name__ == "__main__":
    main()
