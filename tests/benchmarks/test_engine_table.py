"""The table of engines: what is built, what is kept, and the page made from it."""

import ctypes
import json
import lzma
import sys
from pathlib import Path

import pytest

from benchmarks.shared.results import compress
from benchmarks.table1.measuring import document, measure_cost
from benchmarks.table1.networks import find_runnables
from benchmarks.tensorrt import (
    eight_sms,
    engine_table,
    engine_variants,
)
from benchmarks.tensorrt.engine_text import page
from edgesr.bench.protocol import BenchHooks
from edgesr.bench.raw_files import read_raw
from edgesr.engine.stack import find_stack
from edgesr.errors import EngineError, MissingError

ROOT = Path(__file__).parents[2]

RESULTS = [
    path
    for path in sorted((ROOT / "benchmarks/results/tensorrt").glob("*.json"))
    if json.loads(path.read_text()).get("schema") == engine_table.SCHEMA
]


def test_the_student_has_both_forms_and_its_rivals_have_one():
    found = engine_variants.variants(engine_variants.NETWORKS, (1, 32))
    assert len({v.engine(Path()) for v in found}) == len(found) == 2 * (2 + 2 * 4) + 2
    names = [v.name for v in found if v.batch == 1]
    assert {"student fp16 plugin", "student fp16 compact", "espcn fp32"} <= set(names)
    student, espcn = found[2], found[4]
    assert "--plugin" in student.build_arguments(Path())
    assert not {"--plugin", "--no-plugin"} & set(espcn.build_arguments(Path()))


def test_without_a_gpu_nothing_is_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(engine_table, "first_gpu", lambda: None)
    arguments = ["engine_table.py", "measure", "--name", "x", "--results", str(tmp_path / "r")]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit, match="shows no GPU"):
        engine_table.main()
    assert not (tmp_path / "r").exists()


def test_the_command_is_told_with_its_options_and_without_folders() -> None:
    words = ["measure", "--name", "my gpu", "--sets", "/home/me/sets", "--window", "2"]
    assert engine_table.command_line(words) == (
        "python -m benchmarks.tensorrt.engine_table measure --name 'my gpu' --sets sets --window 2"
    )


def test_an_engine_that_cannot_be_built_is_named_with_its_reason(tmp_path):
    variant = engine_variants.Variant("espcn", "fp32", 1)
    failed = engine_variants.build_all([variant], tmp_path, 1, lambda line: None)
    assert "error" in failed[variant]
    assert (tmp_path / "espcn_fp32_b1.build.txt").read_text()


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Return a document of ONNX Runtime's figures in the shape of engines', and its raw files."""
    folder = tmp_path_factory.mktemp("table")
    networks, _ = find_runnables(["esr-fast"], None, folder, lambda line: None)
    raw = folder / "bench"
    config = {"samples": 4, "rounds": 2, "warmup": 1, "power": "none"}
    recording = measure_cost(networks, config, raw, BenchHooks())
    table = document("x", "c", networks, {}, [], {"esr-fast": {}, "bicubic": {}}, recording)
    return table | {"more": engine_table.more(table, recording)}, raw


def test_compressed_raw_files_give_the_same_recording(measured):
    _, raw = measured
    before = read_raw(raw).latencies.latency_ms
    compress(raw)
    assert not list(raw.glob("*.csv"))
    packed = {path.name: path.read_bytes() for path in raw.glob("*.xz")}
    assert set(packed) == {"latencies.csv.xz", "power.csv.xz"}
    assert (read_raw(raw).latencies.latency_ms == before).all()
    for path in raw.glob("*.xz"):
        path.with_suffix("").write_bytes(lzma.decompress(path.read_bytes()))
        path.unlink()
    assert (read_raw(raw).latencies.latency_ms == before).all()
    compress(raw)
    assert packed == {path.name: path.read_bytes() for path in raw.glob("*.xz")}


def test_the_page_has_a_row_for_each_engine_and_none_for_the_cpu(measured):
    table, _ = measured
    engine = {"name": "esr-fast", "batch": 1, "build_s": 80.2, "tensorrt": "tensorrt 8.5.3.1"}
    text = page(
        {
            "device": "NVIDIA H200",
            "compute_capability": "9.0",
            "command": "c",
            "remarks": ["a neighbour was at work"],
            "engines": [engine | {"verified_db": 114.04}],
            "failed": {"student fp16 plugin, batch 1": "error: no nvcc"},
            "runs": {"1": table},
            "photo": {"engine": "esr-fast", "picture": "p.png", "failure": None},
        }
    )
    (row,) = [line for line in text.splitlines() if line.startswith("| esr-fast")]
    assert "114.0" in row
    assert "| 80 |" in row
    assert "| bicubic" not in text
    assert "- a neighbour was at work." in text
    assert "- student fp16 plugin, batch 1: error: no nvcc" in text
    assert "Measured on one NVIDIA H200 (compute capability 9.0), tensorrt 8.5.3.1" in text


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_a_committed_result_is_its_page_and_its_raw_files(path):
    found = json.loads(path.read_text())
    assert path.with_suffix(".md").read_text() == page(found)
    readme = engine_table.README.read_text()
    assert f"<!-- {path.stem} -->\n{page(found)}<!-- end of {path.stem} -->" in readme
    for batch, run in found["runs"].items():
        recorded = read_raw(path.with_name(f"{path.stem}_b{batch}_bench"))
        again = json.loads(json.dumps(engine_table.more(run, recorded)))
        assert list(again) == list(run["more"])
        for name, figures in run["more"].items():  # on another machine the last bit differs
            assert again[name] == pytest.approx(figures, rel=1e-12)


def test_rendering_leaves_results_of_other_tools_alone(tmp_path, monkeypatch):
    (path,) = RESULTS
    for name in ("shapes.json", path.name):
        (tmp_path / name).write_bytes(path.with_name(name).read_bytes())
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n<!-- {path.stem} -->\nold\n<!-- end of {path.stem} -->\nafter\n")
    arguments = ["engine_table.py", "render", "--results", str(tmp_path), "--page", str(readme)]
    monkeypatch.setattr(sys, "argv", arguments)
    engine_table.main()
    written = path.with_suffix(".md").read_text()
    assert readme.read_text() == (
        f"before\n<!-- {path.stem} -->\n{written}<!-- end of {path.stem} -->\nafter\n"
    )
    assert not (tmp_path / "kernels.md").exists()


def test_a_resource_has_the_size_that_the_driver_writes():
    assert ctypes.sizeof(eight_sms.Resource) == 4 + 92 + 48


def test_a_folder_named_tensorrt_is_not_taken_for_tensorrt(monkeypatch, tmp_path):
    (tmp_path / "tensorrt").mkdir()
    # So that what is there now, if anything, is there again afterwards, and not that folder.
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    del sys.modules["tensorrt"]
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(MissingError, match="tensorrt: not a package of TensorRT"):
        find_stack(("tensorrt",))


def test_a_driver_without_green_contexts_says_so():
    few = eight_sms.FewMultiprocessors.__new__(eight_sms.FewMultiprocessors)
    few._cuda, few.handle = object(), 1
    with pytest.raises(EngineError, match="green contexts need CUDA"):
        few.synchronize()
