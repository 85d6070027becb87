"""Table I and figure 6 as they are run, on two small pictures and networks known exactly."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from recordings import recording

from benchmarks.table1.measuring import ScoreFile, cost
from benchmarks.table1.measuring import again as again_of
from benchmarks.table1.networks import find_runnables
from benchmarks.table1.text import apart
from edgesr.bench.raw_files import read_raw
from edgesr.errors import ConfigError, EdgesrError
from edgesr.evaluate.datasets import open_sets
from edgesr.evaluate.evaluate import evaluate
from edgesr.evaluate.model import EvaluationRequest, open_evaluated
from edgesr.weights import shipped_names

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
CORNERS = ROOT / "tests/imaging/data"


def script(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Set5 of two pieces of a picture."""
    folder = tmp_path_factory.mktemp("sets")
    (folder / "Set5/HR").mkdir(parents=True)
    for name in ("top_left", "bottom_right"):
        piece = cv2.imread(str(CORNERS / f"imresize_{name}_hr.png"))
        cv2.imwrite(str(folder / f"Set5/HR/{name}.png"), piece[:48, :48])
    return folder


@pytest.fixture(scope="module")
def weights(make_nearest: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two networks that repeat pixels, the one as student, the other as espcn."""
    folder = tmp_path_factory.mktemp("weights")
    for name, tile in (("student", 64), ("espcn", 16)):
        made = make_nearest(tile=tile)
        shutil.copy(made, folder / f"{name}_x4.onnx")
        shutil.copy(made.with_suffix(".json"), folder / f"{name}_x4.json")
    return folder


@pytest.fixture(scope="module")
def measured(
    sets: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Json]:
    folder = tmp_path_factory.mktemp("results")
    done = script(
        "table1", "measure", "--name", "table1_test", "--sets", sets, "--weights-dir", weights,
        "--networks", "student", "espcn", "esr-tm", "--samples", 4, "--rounds", 2, "--warmup", 1,
        "--threads", 1, "--power", "none", "--results", folder, "--work", folder / "work",
        "--twice",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads((folder / "table1_test.json").read_text())
    assert done.stdout.splitlines()[0].startswith("**The student loses on latency")
    return folder, document


def test_quality_is_that_of_edgesr_eval(
    measured: tuple[Path, Json], sets: Path, weights: Path
) -> None:
    _, document = measured
    (benchmark,) = open_sets([sets / "Set5"], 4)
    with open_evaluated(EvaluationRequest(str(weights / "espcn_x4.onnx"))) as subject:
        expected = evaluate("espcn", subject.run, subject.enlarge, benchmark)
    rows = {row["name"]: row for row in document["networks"]}
    assert list(rows) == ["student", "espcn", "bicubic"]
    scores = rows["espcn"]["quality"]["Set5"]
    assert scores["psnr_y_db"] == pytest.approx(expected.score.psnr_y_db, abs=1e-4)
    bicubic = rows["bicubic"]["quality"]["Set5"]
    assert bicubic["ssim_y"] == pytest.approx(expected.bicubic.ssim_y, abs=1e-5)
    assert document["sets"] == [
        {"name": "Set5", "images": 2, "lr": "made from HR by MATLAB-exact bicubic"}
    ]


def test_every_network_is_in_the_one_run(measured: tuple[Path, Json]) -> None:
    _, document = measured
    assert document["schema"] == "edgesr-table1/1"
    assert set(document["cost"]) == {"student", "espcn", "bicubic"}
    assert document["cost"]["student"]["latency_ratio"] == 1.0
    assert document["cost"]["student"]["latency_ms"] > 0
    assert document["left_out"].keys() == {"esr-tm"}
    assert document["why_no_power"] == "power was not asked for"
    assert "/tmp" not in json.dumps(document["command"])


def test_the_costs_follow_from_the_raw_files(measured: tuple[Path, Json]) -> None:
    folder, document = measured
    recorded = read_raw(folder / "table1_test_bench")
    again = json.loads(json.dumps(cost(document["networks"], recorded)))
    assert {key: document[key] for key in again} == again
    second = again_of(document["networks"], read_raw(folder / "table1_test_second_bench"))
    assert document["second_run"] == json.loads(json.dumps(second))
    assert set(second["latency_ratio"]) == {"student", "espcn", "bicubic"}
    assert "A second run of the bench, begun 20" in (folder / "table1_test.md").read_text()


def test_a_second_run_agrees_with_the_first_or_fails(
    measured: tuple[Path, Json], tmp_path: Path
) -> None:
    folder, document = measured
    first = folder / "table1_test.json"
    assert script("table1", "agree", first, first).returncode == 0
    document = json.loads(json.dumps(document))
    document["cost"]["espcn"]["latency_ratio"] *= 1.06
    other = tmp_path / "table1_other.json"
    other.write_text(json.dumps(document))
    done = script("table1", "agree", first, other)
    assert done.returncode == 1
    assert "largest difference 6.0 %, allowed 5 %" in done.stdout


def test_other_programs_change_medians_but_not_ratios() -> None:
    """Two thirds of the long calls are held up by half; the short ones fit between two switches."""
    quiet = recording(rounds=3, latency_ms=(20.0, 1.0))
    latencies = quiet.latencies
    held_up = (latencies.model == 0) & (np.arange(len(latencies.model)) % 3 > 0)
    busy = replace(
        quiet,
        latencies=replace(
            latencies,
            latency_ms=np.where(held_up, 30.0, 1.0) + (latencies.model == 0) * ~held_up * 19,
        ),
    )
    rows = [{"name": "student", "file": "student"}, {"name": "bicubic", "file": None}]
    before, after = (cost(rows, recorded)["cost"]["bicubic"] for recorded in (quiet, busy))
    assert cost(rows, busy)["cost"]["student"]["latency_ms"] == pytest.approx(30.0)
    assert apart({"x": before["latency_ratio"]}, {"x": after["latency_ratio"]})["x"] < 0.01


def test_energy_comes_from_rounds() -> None:
    recorded = recording(rounds=3, latency_ms=(20.0, 10.0))
    rows = [{"name": "student", "file": "student"}, {"name": "bicubic", "file": None}]
    found = cost(rows, recorded)
    assert found["power_source"] == "VDD_IN by tegrastats"
    assert found["reference"] == "student"
    bicubic = found["cost"]["bicubic"]
    assert bicubic["latency_ratio"] == pytest.approx(0.5)
    assert bicubic["power_mw"] == pytest.approx(9000, rel=0.01)
    assert bicubic["energy_ratio"] == pytest.approx(0.5 * 9 / 15, rel=0.02)
    assert found["cost"]["student"]["energy_j"] == pytest.approx(0.3, rel=0.02)


def test_kept_scores_are_found_again(tmp_path: Path) -> None:
    ScoreFile(tmp_path / "q.json").put("a", {"x": 1})
    assert ScoreFile(tmp_path / "q.json").get("a") == {"x": 1}
    assert ScoreFile(tmp_path / "q.json").get("b") is None


def test_weights_are_exported_once(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from edgesr.models import get_network
    from edgesr.models.checkpoint import save_weights

    network = get_network("esr-fast").module(4)
    save_weights(tmp_path / "esr-fast_x4.safetensors", network, "esr-fast", {"step": "12"})
    said: list[str] = []
    for _ in range(2):
        (found,), _ = find_runnables(["esr-fast"], tmp_path, tmp_path / "work", said.append)
    assert said == ["export esr-fast"]
    assert found.file == tmp_path / "work/esr-fast_x4.onnx"
    assert (found.parameters, found.steps, found.precision) == (288, 12, "fp32")


def test_shipped_networks_are_taken_from_the_package(tmp_path: Path) -> None:
    if ("student", 4) not in shipped_names():
        pytest.skip("no student is shipped")
    (found,), left_out = find_runnables(["student", "esr-tr"], None, tmp_path, print)
    assert found.file.name == "student_x4.onnx"
    assert list(left_out) == ["esr-tr"]


def test_what_cannot_be_measured_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no weights of esr-tr"):
        find_runnables(["esr-tr"], None, tmp_path, print)
    for board in ("a", "b"):
        (tmp_path / f"espcn_x4_fp16_b1.{board}.engine").write_bytes(b"")
    with pytest.raises(EdgesrError, match="several engines of espcn"):
        find_runnables(["espcn"], tmp_path, tmp_path, print)
    done = script("table1", "measure", "--name", "table1_x", "--sets", tmp_path)
    assert done.returncode == 1
    assert "holds none of Set5, Set14, BSD100, Urban100" in done.stderr


def test_the_figure_shows_every_version(weights: Path, tmp_path: Path) -> None:
    hr = CORNERS / "imresize_top_left_hr.png"
    done = script(
        "table1.figure6", hr, "--crop", "1,2,6,5", "--weights-dir", weights, "--networks", "espcn",
        "student", "esr-tm", "-o", tmp_path / "f.png", "--work", tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.split() == ["bicubic", "espcn", "student"]
    canvas = cv2.imread(str(tmp_path / "f.png"))
    truth = cv2.imread(str(hr))[8:28, 4:28]
    zoomed = truth.repeat(13, axis=0).repeat(13, axis=1)
    *_, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(canvas, zoomed, cv2.TM_SQDIFF))
    assert (canvas[y : y + zoomed.shape[0], x : x + zoomed.shape[1]] == zoomed).all()
