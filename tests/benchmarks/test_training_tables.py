"""training.tables and shapes.student as they are run, with networks and runs of seconds."""

import json
import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import cv2
import pytest

from benchmarks.shapes import student as student_shape
from benchmarks.training import tables as training_tables
from benchmarks.training.plan import Plan, paper_runs
from benchmarks.training.results import read_run
from benchmarks.training.runs import RESULT
from edgesr.train.record import read_metrics

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "benchmarks/TRAINING.md"
TINY = Plan(
    teacher="mambalitesr:D8-G1-B1-N2-R{rank}",
    student="mambalitesr:D8-G1-B1-N2",
    ranks=(4, 2),
    alphas=(0.0, 0.8),
    rank_steps=50,
    alpha_steps=12,
    row_steps=12,
    batch=8,
    patch=8,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `pictures` and with `sets`, in which Set5 and Set14 have a picture each."""
    folder = tmp_path_factory.mktemp("place")
    city = cv2.imread(str(ROOT / "tests/data/city_512.jpg"))
    for name, side, corner in (
        ("pictures", 96, 0),
        ("sets/Set5/HR", 64, 100),
        ("sets/Set14/HR", 64, 300),
    ):
        (folder / name).mkdir(parents=True)
        piece = city[corner : corner + side, corner : corner + side]
        cv2.imwrite(str(folder / name / "a.png"), piece)
    return folder


def run(place: Path, *more: object, plan: Plan = TINY) -> None:
    arguments = ["run", "--data", place / "pictures", "--sets", place / "sets", "--runs",
                 place / "runs", "--cache", place / "cache", "--device", "cpu", *more]  # fmt: skip
    training_tables.main([str(argument) for argument in arguments], plan)


def finished(place: Path) -> set[str]:
    return {path.parent.name for path in (place / "runs").glob(f"*/{RESULT}")}


@pytest.fixture(scope="module")
def runs(place: Path) -> Path:
    """All runs: the first was stopped once, the row of 2,500 was shared by two parts."""
    run(place, "--time-limit-s", 1e-3)
    assert not (place / "runs").exists() or not finished(place)
    run(place, "--only", "row2500", "--part", "1/2", "--time-limit-s", 0.1)  # no teacher yet
    run(place, "--only", "row2500", "--part", "0/2")
    assert finished(place) == {"row2500-teacher"}
    run(place, "--only", "row2500", "--part", "1/2")
    assert finished(place) == {"row2500-teacher", "row2500-student"}
    run(place)
    return place / "runs"


@pytest.fixture
def rendered(runs: Path, tmp_path: Path) -> Path:
    """A folder with `results` and with the page made from them."""
    shutil.copy(PAGE, tmp_path / "page.md")
    (tmp_path / "results").mkdir()
    render(tmp_path, "--runs", runs)
    return tmp_path


def render(folder: Path, *more: object) -> None:
    arguments = ["render", "--results", folder / "results", "--page", folder / "page.md", *more]
    training_tables.main([str(argument) for argument in arguments], TINY)


def test_every_run_is_made_once(
    runs: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert finished(place) == {each.name for each in paper_runs(TINY)}
    before = {path: path.stat().st_mtime_ns for path in runs.rglob("*.safetensors")}
    run(place)
    assert {path: path.stat().st_mtime_ns for path in runs.rglob("*.safetensors")} == before
    assert capsys.readouterr().err == "all runs of this part are finished\n"
    assert not list(runs.rglob("checkpoint.pt"))


@pytest.mark.long  # tests/cli/test_train_processes.py stops a run with a signal every time
def test_a_signal_stops_with_a_checkpoint_and_the_same_command_goes_on(
    place: Path, tmp_path: Path
) -> None:
    for name in ("pictures", "sets"):
        (tmp_path / name).symlink_to(place / name)
    plan = replace(TINY, ranks=(2,), rank_steps=200)
    folder = tmp_path / "runs/table3-rank2"

    def interrupt() -> None:
        while not read_metrics(folder / "metrics.csv"):
            time.sleep(0.002)
        os.kill(os.getpid(), signal.SIGTERM)

    interrupter = Thread(target=interrupt)
    interrupter.start()
    run(tmp_path, "--only", "table3", plan=plan)
    interrupter.join()
    assert (folder / "checkpoint.pt").exists() and not (folder / RESULT).exists()
    run(tmp_path, "--only", "table3", plan=plan)
    assert not (folder / "checkpoint.pt").exists() and (folder / RESULT).exists()
    begun = json.loads((folder / "config.json").read_text())["invocations"]
    first, second = (invocation["from_step"] for invocation in begun)
    assert first == 0 and 25 <= second < 200
    steps = [row["step"] for row in read_metrics(folder / "metrics.csv")]
    assert steps == sorted({*range(25, 201, 25), second})


def test_students_learn_from_their_teacher_and_scores_are_those_of_the_validation(
    runs: Path,
) -> None:
    for each in paper_runs(TINY):
        found = read_run(runs / each.name)
        assert found is not None
        assert found.result["scores"]["Set5"]["psnr_y_db"] == pytest.approx(
            found.psnr_y_db[-1][1], abs=1e-3
        )
        assert set(found.result["scores"]) == {"Set5", "Set14"}
        distillation = found.config["distillation"]
        if each.teacher is None:
            assert distillation is None
        else:
            assert Path(distillation["teacher"]).parent == runs / each.teacher
            assert distillation["alpha"] == each.alpha


def test_the_page_follows_from_what_is_kept(rendered: Path) -> None:
    page = (rendered / "page.md").read_text()
    kept = rendered / "results/training"
    folders = {path.name for path in kept.iterdir() if path.is_dir()}
    assert folders == {run.name for run in paper_runs(TINY)}
    assert str(Path("/tmp")) not in "".join(path.read_text() for path in kept.rglob("*.json"))
    student = json.loads((kept / "table4-alpha0.8" / RESULT).read_text())["scores"]
    assert f"| 0.8 | {student['Set5']['psnr_y_db']:.2f} | " in page
    assert "Not run yet: table" not in page and "Not run yet: row" not in page
    assert "![PSNR over alpha](results/training/figure5_alpha.svg)" in page
    assert "figure4b_power" not in page  # a CPU has no such meter
    render(rendered)
    assert (rendered / "page.md").read_text() == page


def test_another_result_is_another_page_and_none_is_said(rendered: Path) -> None:
    shutil.rmtree(rendered / "results/training/table4-alpha0.0")
    path = rendered / "results/training/row2500-student" / RESULT
    result = json.loads(path.read_text())
    result["scores"]["Set5"]["psnr_y_db"] = 12.34
    path.write_text(json.dumps(result))
    render(rendered)
    page = (rendered / "page.md").read_text()
    assert "| 12.34 / " in page
    assert "- Not run yet: table4-alpha0.0. `python -m benchmarks.training.tables run" in page


def test_other_seeds_repeat_the_students(runs: Path, place: Path, tmp_path: Path) -> None:
    try:
        run(place, "--seed", 1)
        assert {"table4-alpha0.0-seed1", "table4-alpha0.8-seed1"} <= finished(place)
        shutil.copy(PAGE, tmp_path / "page.md")
        render(tmp_path, "--runs", runs)
    finally:
        for folder in runs.glob("*-seed1"):
            shutil.rmtree(folder)
    first, second = (
        json.loads((tmp_path / "results/training" / name / RESULT).read_text())["scores"]["Set14"]
        for name in ("table4-alpha0.8", "table4-alpha0.8-seed1")
    )
    assert first != second
    page = (tmp_path / "page.md").read_text()
    assert f" | {first['psnr_y_db']:.2f}, {second['psnr_y_db']:.2f} | " in page
    assert "Seeds of one alpha differ by up to" in page


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--part", "2/2"), "--part: '2/2' is no part"),
        (("--sets", "/"), "/: holds no Set5/HR"),
        (("--seed", 1, "--only", "table3"), "--seed: only the students of table4"),
        (("--precision", "fp8"), "--precision: must be one of"),
        (("--data", "/nowhere"), "/nowhere: is no folder"),
    ],
)
def test_what_cannot_be_is_said(place: Path, tmp_path: Path, more: Any, message: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run(place, "--runs", tmp_path / "runs", "--cache", tmp_path / "cache", *more)
    assert str(ended.value.code).startswith(f"error: {message}")


@pytest.mark.long
def test_the_shape_is_decided(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(student_shape, "FAMILY", "mambalitesr:D8-G1-B1-")
    shapes = ("N1-SKIP", "N2")
    where = ["--data", place / "pictures", "--sets", place / "sets", "--runs", tmp_path / "runs"]
    tiny = ["--steps", 3, "--batch", 2, "--patch", 8, "--device", "cpu", "--cache", place / "cache"]
    for part in ("0/2", "1/2"):
        arguments = ["train", *where, *tiny, "--part", part]
        student_shape.main([str(argument) for argument in arguments], shapes)
    shutil.copy(PAGE, tmp_path / "page.md")
    (tmp_path / "results").mkdir()
    table = ["table", "--runs", tmp_path / "runs", "--results", tmp_path / "results", "--page",
             tmp_path / "page.md", "--repeats", 2, "--threads", 1]  # fmt: skip
    student_shape.main([str(argument) for argument in table], shapes)
    document = json.loads((tmp_path / "results/shapes/student_shape.json").read_text())
    assert [row["name"] for row in document["networks"]] == list(shapes)
    assert all(document["cost"][shape]["latency_ms"] > 0 for shape in shapes)
    page = (tmp_path / "page.md").read_text()
    assert "**The student's shape by this rule: `mambalitesr:D8-G1-B1-" in page
    assert page.count("| **chosen** |") == 1
    assert (tmp_path / "results/shapes/student_shape_pareto.svg").read_text().count("<rect") == 2
    kept = read_run(tmp_path / "results/training/student_shape/N2")
    assert kept is not None and kept.config["steps"] == 3
