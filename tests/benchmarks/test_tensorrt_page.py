"""The page about TensorRT is made from the committed results, and the tools make such results."""

import copy
import json
import re
from pathlib import Path

import pytest
import torch

from benchmarks.release.readme_table import psnr
from benchmarks.tensorrt import (
    engine_times,
    engine_variants,
    mixer_kernel,
    norm_kernel,
)
from benchmarks.tensorrt import page as tensorrt_page
from benchmarks.tensorrt.asked import SETS, by_name
from benchmarks.tensorrt.mixer_cases import NAMES, Case, cases, draw, error, reference
from benchmarks.tensorrt.mixer_library import compile_build, load
from edgesr.artifacts.plugin import source_sha256
from edgesr.engine.nvcc import find_nvcc
from edgesr.engine.plugin_build import COST
from edgesr.files import sha256
from edgesr.models.mamba import Mamba
from edgesr.scan.path import TURNS, ScanPath
from edgesr.weights import shipped

ROOT = Path(__file__).parents[2]


@pytest.fixture
def results():
    return {name: tensorrt_page.read(name) for name in tensorrt_page.PARTS}


def test_the_page_is_made_from_the_results():
    again = "python -m benchmarks.tensorrt.page"
    assert tensorrt_page.PAGE.read_text() == tensorrt_page.committed(), again


def altered(results, part, name, **values):
    """Return results with other values in the row of an engine."""
    found = copy.deepcopy(results)
    next(row for row in found[part]["engines"] if row["name"] == name).update(values)
    return found


PLUGIN, COMPACT, ESPCN = "student_fp16_plugin_b1", "student_fp16_compact_b1", "espcn_fp16_b1"


@pytest.mark.parametrize(
    ("part", "name", "values", "cell"),
    [
        ("alone", PLUGIN, {"parse_s": 5.01}, "5.01 s in FP16"),
        ("alone", COMPACT, {"parse_s": 10.4}, "10.40 s in FP16"),
        ("alone", PLUGIN, {"build_s": 1.51}, "1.51 in FP16"),
        ("alone", COMPACT, {"build_s": 3.01}, "3.01 in FP16"),
        ("student", PLUGIN, {"layer_count": 201}, "201 in FP16"),
        ("student", PLUGIN, {"layer_count": 201}, "201"),
        ("student", COMPACT, {"layer_count": 501}, "501 in FP16"),
        ("student", PLUGIN, {"device_ms": 0.601}, "0.601 ms in FP16"),
        ("student", PLUGIN, {"device_ms": 0.45}, "9.00 in FP16"),
        ("student", COMPACT, {"device_ms": 3.01}, "3.010 ms in FP16"),
        ("student", PLUGIN, {"verification": {"psnr_db": 49.9}}, f"49.9 dB (worst: {PLUGIN})"),
        ("student", PLUGIN, {"verification": {"psnr_db": 49.9}}, "49.9"),
        ("student", ESPCN, {"host_ms": 0.151}, "0.151 ms in FP16"),
    ],
)
def test_what_misses_its_figure_is_bold(results, part, name, values, cell):
    part = f"engines_{part}"
    for row in (*results["engines_alone"]["engines"], *results[part]["engines"]):
        device_ms = 0.05 if row["network"] == "espcn" else 0.1
        row.update(parse_s=1.0, build_s=1.0, layer_count=1, host_ms=0.1, device_ms=device_ms)
        row["verification"] = {"psnr_db": 99.0}
    told = f"**{cell}: missed**"
    assert told not in tensorrt_page.page(results)
    assert told in tensorrt_page.page(altered(results, part, name, **values))


def test_a_slow_kernel_and_a_lossy_engine_are_bold(results):
    for row in results["mixer_kernel"]["triton"]:
        row["us"] = 1.0
    run = results["table_gpu"]["runs"]["1"]
    exact = psnr("student")
    for row in run["networks"]:
        row["weights_sha256"] = sha256(shipped("student", 4, "safetensors"))
        row["quality"] = {name: {"psnr_y_db": exact[name], "ssim_y": 1.0} for name in SETS}
    page = tensorrt_page.page(results)
    assert "| 0.0000 dB (worst: student " in page
    assert re.search(r"Triton mixer \| at most 1 \| \*\*[\d.]+ in FP32: missed", page)
    run["networks"][0]["quality"]["Set14"]["psnr_y_db"] -= 0.021
    name = run["networks"][0]["name"]
    assert f"**0.0210 dB (worst: {name}, Set14): missed**" in tensorrt_page.page(results)


def test_the_results_are_of_one_machine_and_one_tensorrt(results):
    """All but the earlier comparison; a result that has no such field is not asked."""
    own = [found for name, found in results.items() if name != tensorrt_page.EARLIER]
    for field in ("device", "driver"):
        assert len({found[field] for found in own if field in found}) == 1
    engines = [results[f"engines_{part}"]["engines"] for part in ("alone", "student")]
    releases = {row["tensorrt"] for rows in engines for row in rows}
    releases |= {row["tensorrt"].split()[-1] for row in results["table_gpu"]["engines"]}
    assert len(releases) == 1


def test_three_were_built_alone_and_without_a_timing_cache(results):
    alone = results["engines_alone"]["engines"]
    assert {row["name"] for row in alone} == set(tensorrt_page.BUILT)
    assert {(row["built_at_once"], row["timing_cache"]) for row in alone} == {(3, "cold")}


def test_the_same_engines_are_meant_everywhere(results):
    """The three alone are in the larger table too, and engines of a kind are of one ONNX file."""
    alone, engines = (by_name(results[f"engines_{part}"]) for part in ("alone", "student"))
    for name, row in alone.items():
        assert row["engine_sha256"] == engines[name]["engine_sha256"], name
    files = {}
    for row in (*alone.values(), *engines.values()):
        files.setdefault((row["network"], row["precision"], row["batch"]), set()).add(
            row["onnx_sha256"]
        )
    assert all(len(found) == 1 for found in files.values()), files
    variants = engine_variants.variants(("student", "espcn"), (1, 32))
    assert set(engines) == {variant.engine(Path()).stem for variant in variants}


def test_the_kernel_was_checked_in_every_case_that_the_tool_has(results):
    kernel = results["mixer_kernel"]
    assert kernel["check"]["cases"] == len(cases())
    assert kernel["check"]["failed"] == [] and kernel["check"]["concurrent"]["different"] == 0
    is_current = kernel["source_sha256"] == source_sha256()
    assert ("sources have changed since" in tensorrt_page.committed()) != is_current
    for row, case in zip(kernel["check"]["first"], cases(), strict=False):
        assert Case(**{k: row[k] for k in vars(case)}) == case
        assert row["error"] < case.bound


def test_student_weights_that_are_not_those_measured_are_told(results):
    row = next(r for r in results["table_gpu"]["runs"]["1"]["networks"] if "student" in r["name"])
    is_shipped = row["weights_sha256"] == sha256(shipped("student", 4, "safetensors"))
    told = f"The student's weights are {row['weights_sha256'][:8]}, not those that ship"
    assert (told in tensorrt_page.committed()) != is_shipped
    row["weights_sha256"] = "0" * 64
    page = tensorrt_page.page(results)
    assert "weights are 00000000, not those that ship" in page
    assert "| at most 0.02 dB | **not known** |" in page


@pytest.mark.parametrize("direction", TURNS, ids=str)
def test_the_float64_loop_is_the_mixer_of_the_network(direction):
    case = Case(
        batch=2, height=5, width=7, channels=12, states=3, rank=2, taps=4,
        columns=direction.columns, reverse=direction.reverse,
    )  # fmt: skip
    xz, weights = draw(case)
    mixer = Mamba(6, 3, None).double()
    mixer.dt_rank = case.rank
    mixer.x_proj = torch.nn.Linear(12, 8, bias=False, dtype=torch.float64)
    mixer.dt_proj = torch.nn.Linear(2, 12, dtype=torch.float64)
    values = {name: torch.from_numpy(weights[name]).double() for name in NAMES}
    with torch.no_grad():
        mixer.conv1d.weight.copy_(values["conv"][:, None])
        mixer.conv1d.bias.copy_(values["conv_bias"])
        mixer.x_proj.weight.copy_(values["x_proj"])
        mixer.dt_proj.weight.copy_(values["dt_proj"])
        mixer.dt_proj.bias.copy_(values["dt_bias"])
        mixer.A_log.copy_((-values["A"]).log())
        mixer.D.copy_(values["D"])
        path = ScanPath(case.height, case.width, direction)
        expected = mixer._mix(torch.from_numpy(xz).double(), path)
    assert error(reference(case, xz, weights), expected.numpy()) < 1e-12


@pytest.fixture
def on_host(kernel_on_host):
    """The kernels compiled for the CPU: the same symbols, for tensors in host memory."""
    kernel_on_host.edgesr_host_resident(3)
    return kernel_on_host


def test_cases_are_judged_by_their_bounds(on_host, monkeypatch):
    wanted = [Case(height=9, width=7, repeat=2), Case(height=9, width=7, half=True, columns=True)]
    found = mixer_kernel.check(on_host, wanted, "cpu")
    assert found["failed"] == [] and found["cases"] == 2
    assert 0 < found["worst_fp32"] < 1e-5 < found["worst_fp16"] < 2e-3
    monkeypatch.setattr(Case, "bound", 1e-9)
    assert len(mixer_kernel.check(on_host, wanted, "cpu")["failed"]) == 2


def test_norms_are_judged_by_their_bounds(on_host, monkeypatch):
    found = norm_kernel.check_norms(on_host, "cpu", tokens=20)
    assert len(found) == 2 * len(norm_kernel.WIDTHS)
    assert all(row["ok"] for row in found)
    monkeypatch.setattr(norm_kernel, "BOUNDS", {False: 1e-12})
    failed = norm_kernel.check_norms(on_host, "cpu", tokens=20)
    assert not all(row["ok"] for row in failed)


def test_a_size_that_the_kernel_does_not_take_is_an_error(on_host):
    from edgesr.errors import EngineError

    launch, _ = mixer_kernel.prepare(on_host, Case(height=2, width=2, rank=5), "cpu")
    with pytest.raises(EngineError, match="CUDA's error 1"):
        launch()


@pytest.mark.long
def test_the_library_states_its_sources(tmp_path):
    nvcc = find_nvcc("")
    if nvcc is None:
        pytest.skip("there is no nvcc")
    library = compile_build(nvcc, "9.0", "steps4", tmp_path)
    assert load(library).edgesr_plugin_version().decode() == source_sha256()


def test_a_row_is_the_manifest_and_the_scores_beside_it(tmp_path):
    manifest = {"network": "espcn", "layers": {"Conv": {"fp16": 2, "fp32": 1}}, "plugin": None}
    (tmp_path / "a.engine.json").write_text(json.dumps(manifest))
    score = {"images": 5, "psnr_y_db": 30.0, "ssim_y": 0.9, "per_image": []}
    score["protocol"] = {"dataset": "Set5", "run": "tensorrt"}
    (tmp_path / "a.tensorrt.json").write_text(json.dumps(score))
    row = engine_times.describe(tmp_path / "a.engine", {"device_ms": 1.0}, 3)
    assert (row["name"], row["layer_count"], row["device_ms"]) == ("a", 3, 1.0)
    assert row["scores"]["onnxruntime"] is None and not row["plugin"]
    assert [item["psnr_y_db"] for item in row["scores"]["tensorrt"]] == [30.0]


@pytest.mark.parametrize("tool", [engine_times, mixer_kernel], ids=lambda tool: tool.__name__)
def test_without_a_gpu_nothing_is_measured(tool, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tool, "first_gpu", lambda: None)
    (tmp_path / "a.engine").touch()
    folder = [str(tmp_path)] if tool is engine_times else []
    with pytest.raises(SystemExit) as stopped:
        tool.main([*folder, "--out", str(tmp_path / "r.json")])
    assert stopped.value.code == 1 and "no GPU" in capsys.readouterr().err
    assert not (tmp_path / "r.json").exists()


def test_what_edgesr_and_the_docs_say_of_these_engines_is_what_was_measured(results):
    engines = by_name(results["engines_student"])
    plugin, compact = engines[PLUGIN], engines[COMPACT]
    assert f"{compact['device_ms']:.2f} ms a tile, not {plugin['device_ms']:.2f} ms" in COST
    page = (ROOT / "docs/jetson.md").read_text()
    assert f"{plugin['device_ms']:.2f} ms a tile with the plugin" in page
    assert f"and {compact['device_ms']:.2f} ms without" in page
    assert f"is {plugin['verification']['psnr_db']:.1f} dB from" in page
    readme = (ROOT / "README.md").read_text()
    assert f"takes the student {plugin['device_ms']:.2f} ms in FP16" in readme
