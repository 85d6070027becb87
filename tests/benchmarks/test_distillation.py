"""distillation.py as it is run, and its table and verdict on figures that are known."""

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import pytest
from test_shapes import PAGE, ROOT, edgesr

from benchmarks.training import distillation
from benchmarks.training.distillation_text import (
    ALPHAS,
    NONE_TAUGHT,
    PAYS_DB,
    lesson,
    tables,
    verdict,
)
from benchmarks.training.distillation_text import distillation as text
from benchmarks.training.evaluated import SETS
from benchmarks.training.results import Finished
from edgesr.files import sha256

STUDENT, TEACHER, STEPS = "mambalitesr:D8-G1-B1-N1", "espcn", 3


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student without a teacher and one with, an ESPCN, which is a run of another network."""
    folder = tmp_path_factory.mktemp("distillation")
    city = cv2.imread(str(ROOT / "tests/data/city_512.jpg"))
    for corner, name in enumerate(("pictures", *(f"sets/{each}/HR" for each in SETS))):
        (folder / name).mkdir(parents=True)
        piece = city[100 * corner :, 100 * corner :][:96, :96]
        cv2.imwrite(str(folder / name / "a.png"), piece)
    common = ["--data", folder / "pictures", "--steps", STEPS, "--batch", 2, "--patch", 8,
              "--device", "cpu"]  # fmt: skip
    edgesr("train", *common, "--model", TEACHER, "-o", folder / "runs/teacher")
    edgesr("train", *common, "--model", STUDENT, "-o", folder / "runs/plain")
    (weights,) = (folder / "runs/teacher").glob("*.safetensors")
    edgesr("distill", *common, "--model", STUDENT, "-o", folder / "runs/half",
           "--teacher", weights, "--alpha", 0.5)  # fmt: skip
    return folder


def test_runs_become_rows(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exact = {}
    for name in ("plain", "half"):
        (weights,) = (runs / "runs" / name).glob("*.safetensors")
        capsys.readouterr()
        edgesr("eval", "-m", STUDENT, "--weights", weights, "--data", runs / "sets", "--json")
        (runs / "runs" / name / "eval.json").write_text(scored := capsys.readouterr().out)
        found = {each["protocol"]["dataset"]: each["psnr_y_db"] for each in json.loads(scored)}
        exact[name] = [found[each] for each in SETS]
    results, page = tmp_path / "results", Path(shutil.copy(PAGE, tmp_path / "page.md"))
    results.mkdir()
    place = ["--results", str(results), "--page", str(page)]
    take = ["take", "--runs", str(runs / "runs"), "--student", STUDENT, *place]
    distillation.main(take)
    assert "fewer than 40,000 steps" in capsys.readouterr().err
    assert not (results / "training").exists()
    distillation.main([*take, "--least-steps", str(STEPS)])
    assert f"its network is {TEACHER}, not {STUDENT}" in capsys.readouterr().err
    assert {folder.name for folder in (results / "training").iterdir()} == {
        "distilled_plain", "distilled_half"
    }  # fmt: skip

    written = page.read_text()
    (teacher,) = (runs / "runs/teacher").glob("*.safetensors")
    table = [
        line for line in written.splitlines() if line.startswith(("| none |", f"| `{TEACHER}"))
    ]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table]
    assert [row[1] for row in cells] == ["0", "0.2", "0.5", "0.8"]
    assert cells[2][0] == f"`{TEACHER}` {sha256(teacher)[:8]}" and cells[2][3] == "once"
    for row, name in ((cells[0], "plain"), (cells[2], "half")):
        assert row[4:8] == ["1", *(f"{db:.2f}" for db in exact[name])]
        assert row[8] == f"{sum(exact[name]) / len(SETS):.3f}"
    gain = (sum(exact["half"]) - sum(exact["plain"])) / len(SETS)
    assert float(cells[2][9]) == pytest.approx(gain, abs=6e-4)
    assert "Still to be trained: `espcn` at alpha 0.2, `espcn` at alpha 0.8, `dvmsr`" in written

    before = page.read_text()
    page.write_text(before.replace("| none | 0 |", "| none | 1 |"))
    distillation.main(["render", *place])
    assert page.read_text() == before


def run(
    db: float,
    teacher: str | None = None,
    alpha: float = 0.5,
    affinity: float = 0.0,
    seed: int = 0,
    sha: str = "ab" * 32,
    **options: Any,
) -> Finished:
    """Return a finished run with the same PSNR on every set."""
    told = None
    notes: dict[str, Any] = {}
    if teacher is not None:
        told = {"teacher": "weights", "network": None, "alpha": alpha, "feature_affinity": affinity}
        notes = {"teacher": teacher, "teacher_sha256": sha, "teacher_runs": "once"}
        if affinity:
            notes["teacher_runs"] = "every step"
    config = {"model": STUDENT, "scale": 4, "batch": 32, "patch": 64, "steps": 40_000, "lr": 1e-3,
              "precision": "auto", "seed": seed, "distillation": told, **options}  # fmt: skip
    invocation = {"from_step": 0, "pictures": 1295, "hr_megapixels": 410.0, **notes,
                  "versions": {"gpu": "a GPU", "torch": "2"}, "config": config}  # fmt: skip
    rows = [{"step": step, "images_per_s": 3200.0, "power_w": 300.0} for step in (100, 200)]
    return Finished({"scores": {name: {"psnr_y_db": db} for name in SETS}}, [invocation], rows)


def test_a_table_compares_what_differs_in_the_teacher_alone() -> None:
    found = [run(30.0), run(30.02, seed=1), run(30.05, "dvmsr"), run(30.2, lr=2e-3),
             run(29.0, steps=50_000)]  # fmt: skip
    longest, most, other = tables(found)
    assert longest.base.mean_db == 29.0 and longest.best is None
    assert len(most.base.seeds) == 2 and most.base.spread_db == pytest.approx(0.02)
    assert most.best is not None and most.best.lesson.teacher == "dvmsr"
    assert most.gain_db(most.best) == pytest.approx(0.04)
    assert other.base.mean_db == 30.2
    (plain, *taught) = most.rows
    assert plain.lesson == NONE_TAUGHT
    planned = [(row.lesson.teacher, row.lesson.alpha) for row in taught[:-1]]
    assert planned == [(t, a) for t in ("teacher", "dvmsr", "smfanet-plus") for a in ALPHAS]
    assert taught[-1].lesson.affinity is None and not taught[-1].seeds
    assert most.base.step_ms == pytest.approx(10.0)  # 32 patches at 3,200 a second


def test_two_files_of_one_network_are_two_teachers() -> None:
    found = [run(30.0), run(30.1, "teacher"), run(30.2, "teacher", sha="cd" * 32)]
    (table,) = tables(found)
    assert [row.lesson.weights for row in table.rows if row.seeds] == ["", "abababab", "cdcdcdcd"]
    assert "| `teacher` cdcdcdcd | 0.5 | 0 | once | 1 | 30.20 |" in text(found)


def test_alpha_zero_is_no_teacher_and_an_old_log_names_it_otherwise() -> None:
    assert lesson(run(30.0, "dvmsr", alpha=0.0).invocations[0]) == NONE_TAUGHT
    assert lesson(run(30.0, "dvmsr", alpha=0.0, affinity=1.0).invocations[0]) != NONE_TAUGHT
    old = run(30.0, "dvmsr").invocations[0]
    for key in ("teacher", "teacher_sha256", "teacher_runs"):
        del old[key]
    assert lesson(old) is None
    old["config"]["distillation"]["network"] = "smfanet-plus"
    found = lesson(old)
    assert found is not None
    assert (found.teacher, found.runs) == ("smfanet-plus", "every step")


def test_the_verdict_is_about_the_mean_gain() -> None:
    assert "not measured yet" in verdict([]) and "not measured yet" in verdict([run(30.0)])
    assert "not measured yet" in verdict([run(30.0, "dvmsr")])
    pays = verdict([run(30.0), run(30.0 + 2.5 * PAYS_DB, "dvmsr"), run(30.01, "smfanet-plus")])
    assert pays.startswith(
        "**The student learns from a teacher: `dvmsr` at alpha 0.5, +0.075 dB over no teacher "
        "(mean of Set5, Set14 and BSD100, 40,000 steps each).**"
    )
    little = [run(30.0), run(30.02, "dvmsr", affinity=1.0)]
    assert verdict(little).startswith("**No teacher gains 0.03 dB: the best is `dvmsr`")
    assert "with feature affinity, +0.020 dB" in verdict(little)
    assert "may be chance" in verdict(little)
    twice = [*little, run(30.0, seed=1), run(30.02, "dvmsr", affinity=1.0, seed=1)]
    assert "may be chance" not in verdict(twice)
    # A longer run without its counterpart decides nothing.
    assert verdict([*twice, run(31.0, "dvmsr", steps=90_000)]) == verdict(twice)
