"""Degraded benchmark pictures: what each case does, and the page that its raw results make."""

import json
import lzma
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.photographs.__main__ import main
from benchmarks.photographs.degraded import CASES, degraded
from benchmarks.photographs.measuring import piqe_of
from benchmarks.photographs.page import GAINS, JUDGED, PAGE, PLACE, mean, page, read_results, render
from edgesr.errors import DataError
from edgesr.evaluate.datasets import ImagePair, open_sets
from edgesr.imaging.picture import Picture, read_picture

SETS = ("Set14", "BSD100")


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets of one picture each, the second of them grey."""
    folder = tmp_path_factory.mktemp("sets")
    city = cv2.imread(str(Path(__file__).parents[1] / "data" / "city_512.jpg"))
    assert city is not None
    grey = cv2.cvtColor(city[:160, :200], cv2.COLOR_BGR2GRAY)
    for name, picture in zip(SETS, (city[100:260, 50:250], grey), strict=True):
        (folder / name / "HR").mkdir(parents=True)
        cv2.imwrite(str(folder / name / "HR" / "one.png"), picture)
    return folder


@pytest.fixture
def pairs(sets: Path) -> list[ImagePair]:
    return [benchmark.pairs[0] for benchmark in open_sets([sets / name for name in SETS], 4)]


def lr_of(pair: ImagePair, case: str) -> np.ndarray:
    return degraded(pair, case).lr.colour.astype(float)


def rmse(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(np.square(one - other).mean()))


def test_cases_do_what_they_say(pairs: list[ImagePair], tmp_path: Path) -> None:
    colour, grey = pairs
    clean = lr_of(colour, "clean")
    np.testing.assert_array_equal(clean, colour.load().lr.colour)
    losses = [rmse(lr_of(colour, f"JPEG {quality}"), clean) for quality in (90, 75, 50, 30)]
    assert 0.5 < losses[0] < losses[1] < losses[2] < losses[3]
    for level in (5, 15):
        noise = lr_of(colour, f"noise {level}") - clean
        inner = noise[(clean > 50) & (clean < 205)]
        assert inner.std() == pytest.approx(level, rel=0.05) and abs(inner.mean()) < 0.1 * level
    blurred = [np.abs(np.diff(lr_of(colour, case), axis=1)).mean() for case in
               ("clean", "blur 0.8", "blur 1.6")]  # fmt: skip
    assert blurred[0] > blurred[1] > blurred[2]
    for case in CASES:
        picture = lr_of(grey, case)
        assert picture.shape == (40, 50, 3) and np.ptp(picture, axis=2).max() == 0

    # The file that a person would have made is the same picture.
    file = tmp_path / "lr.jpg"
    cv2.imwrite(str(file), clean[:, :, ::-1].astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 50])
    np.testing.assert_array_equal(lr_of(colour, "JPEG 50"), read_picture(file).colour)


def test_noise_is_the_same_every_time_and_another_for_every_picture(pairs: list[ImagePair]) -> None:
    np.testing.assert_array_equal(lr_of(pairs[0], "noise 5"), lr_of(pairs[0], "noise 5"))
    noises = [lr_of(pair, "noise 5")[..., 0] - lr_of(pair, "clean")[..., 0] for pair in pairs]
    assert not np.array_equal(*noises)


def test_piqe_sees_blocks_and_noise(pairs: list[ImagePair]) -> None:
    pytest.importorskip("pypiqe")
    picture = pairs[0].load().hr
    piqe = piqe_of()
    sharp = piqe(picture)
    bgr = np.ascontiguousarray(picture.colour[:, :, ::-1])
    blocky = cv2.imdecode(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 8])[1], 1)
    assert blocky is not None
    assert piqe(Picture(blocky[:, :, ::-1])) > sharp + 5
    noise = 40 * np.random.default_rng(0).standard_normal(picture.colour.shape)
    noisy = (picture.colour + noise).clip(0, 255).astype(np.uint8)
    assert piqe(Picture(noisy)) > sharp + 5


def test_measuring_and_rendering(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pypiqe")
    target = tmp_path / "README.md"
    target.write_text("Before\n<!-- photographs -->\n<!-- end of photographs -->\nAfter\n")
    places = ["--results", str(tmp_path / "results"), "--page", str(target)]
    for model in ("bicubic", "espcn"):
        main(["measure", "--sets", str(sets), "--model", model, *places])
    bicubic, espcn = read_results(tmp_path / "results")
    assert (bicubic["label"], espcn["run"]) == (
        "bicubic",
        "onnxruntime, tiles of 64 overlapping by 8",
    )
    text = target.read_text()
    assert text.startswith("Before\n") and text.endswith("After\n")
    gain = [mean(r, JUDGED, "JPEG 90", "psnr_y_db") for r in (espcn, bicubic)]
    assert gain[0] is not None and gain[1] is not None
    assert f"`espcn` over bicubic: {gain[0] - gain[1]:+.2f} dB at JPEG 90" in text
    row = next(line for line in text.splitlines() if line.startswith("| clean |"))
    assert f"| {mean(bicubic, JUDGED, 'clean', 'psnr_y_db'):.2f} |" in row

    before = text
    capsys.readouterr()
    main(["render", *places])
    assert target.read_text() == before and capsys.readouterr().out.strip() in before

    (tmp_path / "results" / "more.json.xz").write_bytes(lzma.compress(b"{}"))
    with pytest.raises(SystemExit, match="is no edgesr-photographs/1"):
        main(["render", *places])


def test_no_result_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no result"):
        read_results(tmp_path)


def test_the_readme_is_made_from_the_results(tmp_path: Path) -> None:
    results = read_results(PLACE)
    assert [result["label"] for result in results[:2]] == ["bicubic", "student"]
    copy = tmp_path / "README.md"
    copy.write_text(PAGE.read_text())
    assert render(PLACE, copy) == page(results)
    assert copy.read_text() == PAGE.read_text(), "python -m benchmarks.photographs render"
    for result in results:
        assert {name: len(rows["clean"]) for name, rows in result["sets"].items()} == {
            "Set5": 5, "Set14": 14, "BSD100": 100,
        }  # fmt: skip
        assert all(list(cases) == list(CASES) for cases in result["sets"].values())
    assert len(GAINS) == 4


def test_results_are_json_of_every_picture() -> None:
    for path in PLACE.glob("*.json"):
        for cases in json.loads(path.read_text())["sets"].values():
            for rows in cases.values():
                assert all({"name", "psnr_y_db", "ssim_y", "piqe"} == set(row) for row in rows)
