"""`edgesr bench --sweep power-mode`, whole, on a board of stand-ins."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sweep_board import AS_IT_WAS, Board

from edgesr.cli import main

SET5 = "| Set5 | 5 | "


def card_db(name: str) -> float:
    """What a card says, read in another way than the product does."""
    text = (Path(__file__).parents[2] / f"edgesr/weights/{name}.md").read_text()
    return float(text.split(SET5)[1].split("|")[0])


@pytest.mark.long
def test_all_modes_networks_and_a_budget(board: Board) -> None:
    code, output, errors = board.sweep("-m", "student", "--budget", "1000J")
    assert code == 0, output + errors
    result = json.loads((board.folder / "out/result.json").read_text())
    cells = result["cells"]
    assert [(cell["mode"], cell["model"]) for cell in cells] == [
        (mode, model)
        for mode in ("15W", "25W", "MAXN_SUPER")
        for model in ("esr-fast", "student", "bicubic")
    ]
    decibels = {cell["model"]: cell["psnr_y_db"] for cell in cells}
    assert decibels["student"] == card_db("student_x4")
    assert decibels["esr-fast"] == card_db("esr-fast_x4")
    assert decibels["bicubic"] == 28.42
    for cell in cells:
        folder = board.folder / "out" / f"{cell['mode_id']}-{cell['mode']}"
        run = json.loads((folder / "result.json").read_text())
        (model,) = [one for one in run["models"] if one["model"]["label"] == cell["model"]]
        assert cell["energy_per_image_j"] == model["power"]["energy_per_image_j"]
        assert cell["average_mw"] == model["power"]["average_mw"]
        assert cell["latency_ms"] == model["end_to_end_ms"]["p50"]
    assert result["best"]["model"] == "student"
    assert "best within 1000 J an image: student" in output
    assert any("7W was not measured" in note for note in result["notes"])
    assert board.stands == AS_IT_WAS
    # Before each mode the clocks are free, and then locked.
    assert board.calls[:4] == [
        "jetson_clocks --store", "jetson_clocks --restore", "nvpmodel -m 0 no", "jetson_clocks ",
    ]  # fmt: skip
    before = (board.folder / "out/report.html").read_bytes()
    assert board.run("report", "out")[0] == 0
    assert (board.folder / "out/report.html").read_bytes() == before


def test_budget_that_nothing_meets_says_the_least(board: Board) -> None:
    code, output, _ = board.sweep("--power-mode", "15w", "--budget", "0.001mJ")
    assert code == 0
    assert "none; the least is" in output
    assert json.loads((board.folder / "out/result.json").read_text())["best"] is None


@pytest.mark.long
def test_tiles_and_measured_quality(
    board: Board,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A network in torch takes any tile; one of a file its own, and the report says so."""
    pytest.importorskip("torch")
    photo = Path(__file__).parents[1] / "data/photo.png"
    (tmp_path / "Own/HR").mkdir(parents=True)
    shutil.copy(photo, tmp_path / "Own/HR/a.png")
    code, output, errors = board.sweep_without_power(
        "--backend", "torch", "--tile", "48", "--tile", "96", "--input", "96x96",
        "--power-mode", "MODE_15W", "--data", "Own",
    )  # fmt: skip
    assert code == 0, output + errors
    result = json.loads((board.folder / "out/result.json").read_text())
    assert [(cell["model"], cell["tile"]) for cell in result["cells"]][:2] == [
        ("esr-fast", 48), ("esr-fast#2", 96),
    ]  # fmt: skip
    monkeypatch.chdir(board.folder)
    network = ["-m", "esr-fast", "--backend", "torch", "--tile", "96"]
    with pytest.raises(SystemExit) as ended:
        main(["eval", *network, "--data", "Own", "--json"])
    assert ended.value.code == 0
    own = json.loads(capsys.readouterr().out)
    assert result["cells"][1]["psnr_y_db"] == pytest.approx(own["psnr_y_db"], abs=1e-4)
    assert "measured on Own, 1 images" in output
    code, output, errors = board.sweep_without_power(
        "--tile", "64", "--tile", "96", "--input", "96x96", "--power-mode", "15w", "--overwrite",
    )  # fmt: skip
    assert code == 0, output + errors
    assert "tiles of 96 are left out for esr-fast, which has 64 only" in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--power-mode", "99w"), "this board has 15w, 25w, maxn-super, 7w; not '99w'"),
        (("--budget", "much"), "'much' is no energy above 0"),
        (("--budget", "0mJ"), "no energy above 0"),
        (("--tile", "96"), "tiles of 96 do not fit into 64x64"),
        (("--data", "absent"), "no such folder"),
    ],
)
def test_wrong_options_change_nothing(
    refused: Callable[..., str], arguments: tuple[str, ...], words: str
) -> None:
    assert words in refused(*arguments)


def test_needs_root_and_a_board(board: Board, refused: Callable[..., str]) -> None:
    assert "only root may set power modes" in refused(is_root=False)
    (board.folder / "nvpmodel.conf").unlink()
    assert "power modes are those of a Jetson" in refused()


def test_options_of_a_sweep_alone_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "--budget", "50mJ"])
    assert ended.value.code == 1
    assert "does nothing without --sweep" in capsys.readouterr().err


def test_a_folder_with_other_files_is_left_alone(board: Board, refused: Callable[..., str]) -> None:
    (board.folder / "out").mkdir()
    (board.folder / "out/letter.txt").write_text("dear")
    assert "other files" in refused()
