"""The committed page about INT8 says what its raw result says, and the script still measures it."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from random_weights import save_random_weights

from benchmarks.precision.int8 import files, operations, ranges
from benchmarks.precision.int8_judge import quantised
from benchmarks.precision.int8_text import PLACE, page
from edgesr.export import int8
from edgesr.export.exporter import ExportRequest, export
from edgesr.export.projection import give_back_projections
from edgesr.imaging.psnr import psnr_db

REPORT = json.loads((PLACE / "int8.json").read_text())
NETWORK = "mambalitesr:D16-G1-B1-N1-SKIP"


def test_the_page_is_made_from_the_result() -> None:
    again = "python -m benchmarks.precision.int8_text"
    assert (PLACE / "int8.md").read_text() == page(REPORT), again


def test_what_is_exported_is_what_the_result_favours() -> None:
    """Of all that quantise as much, the chosen operations lose least; the two ends cost more."""
    losses = {row["operations"]: row["loss_db"]["Set5"] for row in REPORT["operations"]}
    chosen = next(kind for kind in losses if kind.endswith("(chosen)"))
    assert losses[chosen] < losses["chosen and first convolution"]
    assert losses[chosen] < losses["chosen and last convolution"]
    assert losses[chosen] < losses["first convolution"] + losses["last convolution"]
    assert losses[chosen] < losses["all"]


def test_ranges_and_smoothing_are_what_the_result_favours() -> None:
    """No other smoothing is better on photographs, their worst and patterns at once."""
    rows = {
        (row["tiles"], row["smoothing"]): (
            row["to_fp32_db"]["Set5"],
            row["worst_tile_db"],
            min(row["hard_db"].values()),
        )
        for row in REPORT["ranges"]
        if row["method"] == int8.METHOD
    }
    chosen = rows["bundled", int8.MIGRATION]
    assert not any(np.greater(row, chosen).all() for row in rows.values())
    assert chosen[-1] > 35
    assert rows["bundled photographs", int8.MIGRATION][-1] < 25


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    folder = tmp_path_factory.mktemp("int8")
    path = folder / "small.onnx"
    weights = save_random_weights(folder / "small.safetensors", NETWORK)
    export(ExportRequest(NETWORK, weights, tile=64, batch=1, output=path))
    return give_back_projections(onnx.load(path))


@pytest.mark.long  # tests/export/test_int8.py looks at what is quantised
def test_every_row_of_operations_quantises_what_it_says(graph: onnx.ModelProto) -> None:
    made = {str(row["operations"]): set(quantised(make())) for row, make in operations(graph)}
    groups = [made[kind] for kind in REPORT_KINDS]
    assert [len(names) for names in groups] == [1, 1, 2, 2]
    assert set().union(*groups) == made["all"]
    assert len(made["all"]) == sum(map(len, groups))


REPORT_KINDS = (
    "first convolution",
    "last convolution",
    "projections",
    "inner convolutions",
)


@pytest.mark.long  # a dozen calibrations; tests/export/test_int8.py makes those that ship
def test_ranges_are_found_by_every_method(
    graph: onnx.ModelProto, data: Path, tmp_path: Path
) -> None:
    shutil.copy(data / "photo.png", tmp_path)
    made = {tuple(row.values()): make() for row, make in ranges(graph, tmp_path)}
    assert {method for method, _, _ in made} == {"MinMax", "Percentile", "Entropy"}
    assert len(made) == len(REPORT["ranges"])
    assert all(len(quantised(model)) == 4 for model in made.values())
    different = {model.SerializeToString() for model in made.values()}
    assert len(different) >= len(made) - 1  # Entropy may find the ranges of MinMax


def test_psnr() -> None:
    assert psnr_db(0.01) == pytest.approx(20)
    assert np.isfinite(psnr_db(0.0))


def test_files_are_weighed(graph: onnx.ModelProto) -> None:
    pytest.importorskip("tensorrt_rtx")
    from benchmarks.precision.int8 import quantise

    rows = files({"fp32": graph, "int8": quantise(graph)})
    assert [row["precision"] for row in rows] == ["fp32", "int8"]
    assert all(row["engine_bytes"] > 0 and row["onnxruntime_ms"] > 0 for row in rows)
    assert rows[-1]["optimised_to_plain_db"] > 40
