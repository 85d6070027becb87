"""shapes/directions.py as it is run, and the rule of its table on figures that are known."""

import json
import shutil
from pathlib import Path

import cv2
import pytest

from benchmarks.scan.text import step_models
from benchmarks.shapes import directions as shapes
from benchmarks.shapes import directions_text as shapes_text
from benchmarks.shapes.directions_text import FIRST, MOST_PARAMETERS, SHAPES, Candidate, picked
from benchmarks.training.evaluated import SETS
from benchmarks.training.results import Finished, read_run
from edgesr.cli import main
from edgesr.files import sha256
from edgesr.models import get_network
from edgesr.models.network import parameter_count

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "benchmarks/TRAINING.md"
TINY = ("D8-G1-B1-N1-TURN", "D8-G1-B2-N1-C3")
STEPS = 3


def edgesr(*arguments: object) -> None:
    with pytest.raises(SystemExit) as done:
        main([str(argument) for argument in arguments])
    assert done.value.code == 0


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of seconds, of which the second was not evaluated yet."""
    folder = tmp_path_factory.mktemp("shapes")
    city = cv2.imread(str(ROOT / "tests/data/city_512.jpg"))
    for corner, name in enumerate(("pictures", *(f"sets/{each}/HR" for each in SETS))):
        (folder / name).mkdir(parents=True)
        piece = city[100 * corner :, 100 * corner :][:96, :96]
        cv2.imwrite(str(folder / name / "a.png"), piece)
    for shape in TINY:
        out = folder / "runs" / shape.lower()
        edgesr("train", "--data", folder / "pictures", "--model", f"mambalitesr:{shape}", "-o",
               out, "--steps", STEPS, "--batch", 2, "--patch", 8, "--device", "cpu")  # fmt: skip
    return folder


def evaluate(runs: Path, shape: str, capsys: pytest.CaptureFixture[str]) -> Path:
    out = runs / "runs" / shape.lower()
    (weights,) = out.glob("*.safetensors")
    capsys.readouterr()
    edgesr(
        "eval",
        "-m",
        f"mambalitesr:{shape}",
        "--weights",
        weights,
        "--data",
        runs / "sets",
        "--json",
    )
    (out / "eval.json").write_text(capsys.readouterr().out)
    return weights


@pytest.mark.long  # test_distillation.py makes rows of runs every time
def test_runs_become_rows(
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(shapes_text, "SHAPES", TINY)
    weights = evaluate(runs, TINY[0], capsys)
    results, page = tmp_path / "results", tmp_path / "page.md"
    results.mkdir()
    shutil.copy(PAGE, page)
    place = ["--results", str(results), "--page", str(page)]
    shapes.main(["time", "--repeats", "1", *place], TINY)
    take = ["take", "--runs", str(runs / "runs"), *place]
    shapes.main(take, TINY)
    assert "fewer than 40,000 steps" in capsys.readouterr().err
    assert not (results / "training").exists()
    shapes.main([*take, "--least-steps", str(STEPS)], TINY)
    assert f"{TINY[1].lower()}: it has no eval.json" in capsys.readouterr().err

    folder = results / f"training/shape_{TINY[0].lower()}"
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "metrics.csv.xz",
        "result.json",
    }
    kept = read_run(folder)
    assert kept is not None
    scored = json.loads((runs / "runs" / TINY[0].lower() / "eval.json").read_text())
    exact = {each["protocol"]["dataset"]: each["psnr_y_db"] for each in scored}
    assert {name: kept.result["scores"][name]["psnr_y_db"] for name in SETS} == pytest.approx(
        exact, abs=1e-5
    )
    assert kept.result["weights_sha256"] == sha256(weights)
    assert str(runs) not in (folder / "config.json").read_text()
    rows = {
        line.split("`")[1]: [cell.strip() for cell in line.split("|")[2:-1]]
        for line in page.read_text().splitlines()
        if line.startswith("| `D8-")
    }
    assert list(rows) == list(TINY)
    trained, other = rows.values()
    assert trained[3:6] == [f"{exact[name]:.2f}" for name in SETS]
    assert other[0] == "0" and other[3:7] == ["-"] * 4
    assert all(float(row[7]) > 0 and row[8] == "-" for row in rows.values())
    assert f"Still to be trained: `{TINY[1]}`." in page.read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "no JSON"), ("[]", "has no Set5, Set14, BSD100"), (None, "is of student")],
)
def test_an_evaluation_of_something_else_is_refused(
    runs: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    message: str,
) -> None:
    evaluate(runs, TINY[0], capsys)
    shutil.copytree(runs / "runs", tmp_path / "runs")
    path = tmp_path / "runs" / TINY[0].lower() / "eval.json"
    right = path.read_text().replace(f"mambalitesr:{TINY[0]}", "student")
    path.write_text(right if content is None else content)
    page = shutil.copy(PAGE, tmp_path / "page.md")
    results = tmp_path / "results"
    results.mkdir()
    with pytest.raises(SystemExit, match=message):
        shapes.main(
            ["take", "--runs", str(tmp_path / "runs"), "--least-steps", "1", "--results",
             str(results), "--page", str(page)], TINY
        )  # fmt: skip
    assert list(results.iterdir()) == []
    assert page.read_text() == PAGE.read_text()


def test_candidates_are_what_they_must_be() -> None:
    assert SHAPES[0] == FIRST
    counts = [parameter_count(get_network(f"mambalitesr:{shape}").module(4)) for shape in SHAPES]
    assert max(counts) <= MOST_PARAMETERS
    words = {word for shape in SHAPES for word in shape.split("-")}
    assert {"D32", "D36", "D40", "D48", "B1", "B2", "N1", "N2", "N4"} <= words
    assert {"TURN", "C3", "SEP", "GATE"} <= words


def candidate(
    shape: str, db: float | None, device_ms: float | None, parameters: int = 100
) -> Candidate:
    scores = {name: {"psnr_y_db": db} for name in SETS}
    found = [] if db is None else [Finished({"scores": scores}, [], [])]
    return Candidate(shape, (parameters, 100), found, None, device_ms)


def test_the_rule_names_the_best_in_time_and_the_fastest_near_the_best() -> None:
    first, slow = candidate("first", 29.00, 0.20), candidate("slow", 29.04, 0.30)
    better, small = candidate("better", 29.02, 0.20), candidate("small", 28.99, 0.10)
    poor, large = candidate("poor", 28.98, 0.05), candidate("large", 30.0, 0.01, 150_001)
    unknown = candidate("unknown", None, 0.01), candidate("unmeasured", 30.0, None)
    most, fastest = picked([first, slow, better, small, poor, large, *unknown])
    assert (most, fastest) == (better, small)
    assert picked([first, slow]) == (first, first)
    assert picked([candidate("first", 29.0, None), slow]) == (None, None)


def test_the_page_names_both_or_that_nothing_is_decided() -> None:
    measured = {
        path.parent.name: run
        for path in (ROOT / "benchmarks/results/training").glob("shape_*/result.json")
        if (run := read_run(path.parent)) is not None
    }
    found = {run.result["network"]: [run] for run in measured.values()}
    undecided = shapes_text.shapes(found, None, None, lambda name: (1, 1))
    assert undecided.startswith("**Not decided yet")
    times = {name: 0.1 if name.endswith("C3") else 0.05 for name in found}
    engines = {"device": "a GPU", "device_ms": times}
    decided = shapes_text.shapes(found, None, engines, lambda name: (1, 1))
    assert decided.startswith(
        "**By this rule, most dB in the first one's time: `mambalitesr:D36-G4-B2-N1-SKIP-TURN-C3`, "
        "0.100 ms, 0.000 dB behind the best; fastest: "
        "`mambalitesr:D40-G4-B2-N1-SKIP-TURN-C3-SEP-GATE`, 0.0500 ms, 0.018 dB behind the best.**"
    )
    assert decided.count("most dB in time") == decided.count("**fastest**") == 1
    assert "One seed of each was run" in decided
    twice = {name: runs * 2 for name, runs in found.items()}
    assert "One seed" not in shapes_text.shapes(twice, None, engines, lambda name: (1, 1))


def test_steps_of_networks_stand_beside_the_first() -> None:
    rows = [
        {"network": name, "batch": 128, "step_ms": ms, "least_ms": ms - 0.1, "rounds": 5}
        for name, ms in (("student", 20.0), ("mambalitesr:C3", 21.0))
    ]
    document = {"device": "a GPU", "torch": "2", "optimizer": "adamw", "steps": rows}
    text = step_models(document)
    assert "| `mambalitesr:C3` | 128 | 21.0 | 20.9 | +5.0 % |" in text
    assert "benchmarks.scan.step --model student --model mambalitesr:C3 --batch 128 --out " in text
    assert step_models(None).startswith("- Not run yet. `python -m benchmarks.scan.step --model ")
