"""What is shipped is whole, small, and what its card and its committed figures speak of."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.release import ship
from benchmarks.release.ship import Place, add, card_blocks_of, trained_places
from benchmarks.shared.results import read_result
from benchmarks.table1.networks import RIVALS, STUDENT
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.cli import main
from edgesr.engine.named_model import NETWORK, SCALE
from edgesr.errors import ConfigError, DataError
from edgesr.files import sha256
from edgesr.models import get_network
from edgesr.models.checkpoint import load_metadata, load_network
from edgesr.models.network import parameter_count
from edgesr.weights import FOLDER, shipped_names

MOST_BYTES = 2_000_000  # of all files of a network
PLACES = [Place(name, scale) for name, scale in shipped_names()]
TRAINED = trained_places()


def test_the_folder_holds_nothing_else() -> None:
    known = {place.file(suffix) for place in PLACES for suffix in ("onnx", "json")}
    known |= {place.file(suffix) for place in TRAINED for suffix in ("safetensors", "md")}
    known |= {FOLDER / f"{NETWORK}_x{SCALE}_fp16.{suffix}" for suffix in ("onnx", "json")}
    found = {path for path in FOLDER.iterdir() if path.suffix not in (".py", "")}
    assert found == known


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.stem)
def test_the_onnx_file_is_that_network(place: Place) -> None:
    manifest = OnnxManifest.read(place.file("onnx"))  # refuses a file that was changed
    assert (manifest.network, manifest.scale, manifest.batch) == (place.name, place.scale, None)
    assert manifest.precision == "fp32"
    module = get_network(place.name).module(place.scale)
    assert manifest.parameters == parameter_count(module)
    assert sum(path.stat().st_size for path in FOLDER.glob(f"{place.stem}.*")) < MOST_BYTES
    if module.state_dict():
        assert place in TRAINED


@pytest.mark.parametrize("place", TRAINED, ids=lambda place: place.stem)
def test_weights_onnx_figures_and_card_belong_together(place: Place) -> None:
    weights = place.file("safetensors")
    load_network(place.name, place.scale, None)
    parent = OnnxManifest.read(place.file("onnx")).parent
    assert parent is not None
    assert (parent.file, parent.sha256) == (weights.name, sha256(weights))
    figures = read_result(place.quality)
    again = "python -m benchmarks.release.ship measure --sets SETS"
    assert figures["onnx_sha256"] == sha256(place.file("onnx")), again
    assert {found["protocol"]["dataset"] for found in figures["sets"]} >= {
        "Set5",
        "Set14",
        "BSD100",
    }
    card = place.card.read_text()
    for name, content in card_blocks_of(place).items():
        block = re.search(f"<!-- {name} -->\n(.*?)<!-- end of {name} -->", card, re.DOTALL)
        assert block is not None, f"the mark of {name} is gone"
        assert block[1] == content, "python -m benchmarks.release.ship render"
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", card):
        assert (FOLDER / target).exists(), target


@pytest.mark.parametrize("rival", [p for p in TRAINED if p.name in RIVALS], ids=lambda p: p.stem)
def test_the_student_is_ahead_of_every_row_of_table_1(rival: Place) -> None:
    ours, theirs = (
        {found["protocol"]["dataset"]: found for found in read_result(path)["sets"]}
        for path in (Place(STUDENT, rival.scale).quality, rival.quality)
    )
    for name in theirs:
        for figure in ("psnr_y_db", "ssim_y"):
            assert ours[name][figure] > theirs[name][figure], f"{figure} on {name}"


@pytest.fixture
def photos(tmp_path: Path, data: Path) -> Path:
    """A folder with one picture that is large enough for a patch, and a set."""
    (tmp_path / "photos").mkdir()
    shutil.copy(data / "city_512.jpg", tmp_path / "photos/city.jpg")
    (tmp_path / "sets/Set5/HR").mkdir(parents=True)
    picture = cv2.imread(str(data / "photo.png"))
    cv2.imwrite(str(tmp_path / "sets/Set5/HR/one.png"), np.ascontiguousarray(picture[:64, :64]))
    return tmp_path


def train(folder: Path, model: str, *more: str) -> Path:
    run = folder / "run"
    options = ["--data", folder / "photos", "-o", run, "--model", model, "--steps", 2]
    options += ["--batch", 1, "--patch", 16, "--lr", 2e-3, *more]
    with pytest.raises(SystemExit) as end:
        main(["train", *map(str, options)])
    assert end.value.code == 0
    return run


def script(*arguments: object) -> None:
    command = [sys.executable, "-m", ship.__name__, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.long
def test_a_run_becomes_a_shipped_network(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, results = photos / "weights", photos / "results"
    weights.mkdir()
    results.mkdir()
    folders = ["--weights-dir", weights, "--results", results]
    script("add", train(photos, "espcn", "--scale", "3"), "--sets", photos / "sets", *folders)
    (place,) = trained_places(weights, results)
    assert place.stem == "espcn_x3"
    assert load_metadata(place.file("safetensors"))["step"] == "2"
    # It was not validated, so there is no curve of it to draw.
    assert sorted(path.name for path in place.log.iterdir()) == ["config.json", "metrics.csv.xz"]
    assert str(photos) not in (place.log / "config.json").read_text()
    figures = read_result(place.quality)
    assert figures["onnx_sha256"] == sha256(place.file("onnx"))
    assert [found["images"] for found in figures["sets"]] == [1]
    card = place.card.read_text()
    assert "# Model card: espcn x3" in card
    assert "photographs enlarged three times" in card
    assert f"| Set5 | 1 | {figures['sets'][0]['psnr_y_db']:.2f} |" in card
    assert "2 steps of 1 patches of 16x16" in card
    recipe = "edgesr train --data PHOTOS --model espcn -o runs/espcn --scale 3"
    assert f"{recipe} --batch 1 --patch 16 --steps 2 --lr 0.002\n" in card
    # It is found by its name, runs without torch, and a card's own words survive.
    monkeypatch.setattr("edgesr.weights.FOLDER", weights)
    assert shipped_names() == [("espcn", 3)]
    with pytest.raises(SystemExit) as end:
        main(
            [
                "upscale",
                str(photos / "sets/Set5/HR/one.png"),
                "-m",
                "espcn",
                "-s",
                "3",
                "-o",
                str(photos),
            ]
        )
    assert end.value.code == 0
    place.card.write_text(card + "\nBy hand.\n")
    script("measure", "--sets", photos / "sets", *folders)
    script("render", *folders)
    assert place.card.read_text() == card + "\nBy hand.\n"


def test_what_cannot_be_shipped_changes_nothing(photos: Path) -> None:
    empty, weights = photos / "empty", photos / "weights"
    empty.mkdir()
    weights.mkdir()
    with pytest.raises(DataError, match=r"no \.safetensors file"):
        add(empty, [photos / "sets"], weights, empty)
    run = train(photos, "espcn:D8-S4")
    with pytest.raises(ConfigError, match="short name"):
        add(run, [photos / "sets"], weights, empty)
    assert list(weights.iterdir()) == [] == list(empty.iterdir())
