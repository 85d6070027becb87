"""The FP16 graph of the shipped student against its FP32 graph, in ONNX Runtime."""

import os
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgesr.evaluate.datasets import open_sets
from edgesr.evaluate.metrics import psnr_y
from edgesr.export.exporter import ExportRequest, export
from edgesr.export.fp16 import ISLANDS, to_fp16
from edgesr.export.parity import run_tiles
from edgesr.imaging.patches import hard_tiles, real_tiles
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
from edgesr.runtime.upscale import upscale
from edgesr.weights import shipped

TILE = 64
MIN_PSNR_DB = 50.0
MAX_LOSS_DB = 0.02
SCALE = 4


@pytest.fixture(
    scope="module", params=["shipped", pytest.param("exported", marks=pytest.mark.long)]
)
def graphs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shared_traces: None
) -> dict[str, Path]:
    """Both precisions: the files that ship, or their weights exported, which takes long.

    tests/export/test_exporter.py exports small networks in fp16 every time.
    """
    if request.param == "shipped":
        single = shipped("student", 4, "onnx")
        return {"fp32": single, "fp16": single.with_name(f"{single.stem}_fp16.onnx")}
    folder = tmp_path_factory.mktemp("fp16")
    paths = {precision: folder / f"student_{precision}.onnx" for precision in ("fp32", "fp16")}
    for precision, path in paths.items():
        export(ExportRequest("student", precision=precision, output=path))
    return paths


def _psnr_db(a: np.ndarray, b: np.ndarray) -> float:
    return -10 * np.log10(max(((a - b) ** 2).mean(), 1e-20))


def test_close_on_real_tiles_and_finite_on_hard_ones(graphs: dict[str, Path]) -> None:
    half, single = onnx.load(graphs["fp16"]), onnx.load(graphs["fp32"])
    tiles = [real_tiles(TILE), *hard_tiles(TILE).values()]
    outputs = run_tiles(half, tiles, None), run_tiles(single, tiles, None)
    for name, a, b in zip(("real tiles", *hard_tiles(TILE)), *outputs, strict=True):
        assert np.isfinite(a).all(), name
        assert _psnr_db(a, b) >= MIN_PSNR_DB, name


@pytest.mark.parametrize("name", ["Set5", pytest.param("Set14", marks=pytest.mark.long)])
def test_nothing_is_lost_on_benchmark_sets(name: str, graphs: dict[str, Path]) -> None:
    root = os.environ.get("EDGESR_DATA")
    if root is None:
        pytest.skip("EDGESR_DATA names no folder with Set5 and Set14")
    half, single = (OnnxRuntimeSession(graphs[p]) for p in ("fp16", "fp32"))
    (benchmark,) = open_sets([Path(root) / name], SCALE)
    losses, distances = [], []
    for pair in benchmark.pairs:
        lr, hr = pair.load()
        a, b = (upscale(s, np.float32(lr.colour) / np.float32(255)) for s in (half, single))
        distances.append(_psnr_db(a, b))
        scores = [psnr_y(np.uint8(np.rint(y * 255)), hr.colour, SCALE) for y in (a, b)]
        losses.append(scores[1] - scores[0])
    assert min(distances) >= MIN_PSNR_DB
    assert np.mean(losses) <= MAX_LOSS_DB


def test_islands_can_be_chosen(graphs: dict[str, Path]) -> None:
    """A benchmark asks for others; each kind asked for computes in float32, and is named."""
    single = onnx.load(graphs["fp32"])
    _, usual = to_fp16(single)
    half, wider = to_fp16(single, islands=ISLANDS | {"Conv"})
    assert set(wider) == {*usual, "Conv"}
    types = {tensor.name: tensor.data_type for tensor in half.graph.initializer}
    taps = [node.input[1] for node in half.graph.node if node.op_type == "Conv"]
    assert taps and {types[name] for name in taps} == {onnx.TensorProto.FLOAT}
