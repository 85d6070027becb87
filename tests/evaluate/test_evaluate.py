import json
import math
import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgesr.errors import ImageError
from edgesr.evaluate.datasets import BenchmarkSet, open_sets
from edgesr.evaluate.evaluate import ImageScores, Score, bicubic, evaluate, score
from edgesr.imaging.picture import Picture
from edgesr.imaging.psnr import IDENTICAL_DB
from edgesr.imaging.resize import imresize

CORNERS = Path(__file__).parents[1] / "imaging/data"

# Bicubic x4 as quoted by Y. Zhang et al. (RCAN, ECCV 2018). Pipelines differ in where they round,
# which is worth 0.01 dB and 0.001.
PUBLISHED = {"Set5": (28.42, 0.8104), "Set14": (26.00, 0.7027), "BSD100": (25.96, 0.6675)}


@pytest.fixture
def benchmark(tmp_path: Path) -> BenchmarkSet:
    """Two corners of Set5's butterfly, the second as a grey file."""
    (tmp_path / "HR").mkdir()
    for name, mode in (("top_left", cv2.IMREAD_COLOR), ("bottom_right", cv2.IMREAD_GRAYSCALE)):
        corner = cv2.imread(str(CORNERS / f"imresize_{name}_hr.png"), mode)
        cv2.imwrite(str(tmp_path / f"HR/{name}.png"), corner)
    (found,) = open_sets([tmp_path], 4)
    return found


@pytest.mark.parametrize("name", ["Set5", "Set14", pytest.param("BSD100", marks=pytest.mark.long)])
def test_bicubic_gives_the_published_figures(name: str):
    root = os.environ.get("EDGESR_DATA")
    if root is None:
        pytest.skip("EDGESR_DATA names no folder with Set5, Set14 and BSD100")
    (found,) = open_sets([Path(root) / name], 4)
    assert found.lr_source == "read from LRx4/"
    result = evaluate("bicubic", "imresize", bicubic(4), found)
    psnr, ssim = PUBLISHED[name]
    assert result.score == result.bicubic
    assert result.score.psnr_y_db == pytest.approx(psnr, abs=0.01)
    assert result.score.ssim_y == pytest.approx(ssim, abs=0.001)


def test_model_and_bicubic_are_scored_on_the_same_pictures(benchmark: BenchmarkSet):
    def nearest(picture: Picture) -> Picture:
        return replace(picture, colour=picture.colour.repeat(4, axis=0).repeat(4, axis=1))

    seen: list[ImageScores] = []
    result = evaluate("nearest", "in a test", nearest, benchmark, seen.append)
    assert [image.name for image in result.images] == ["bottom_right", "top_left"]
    assert tuple(seen) == result.images
    for pair, image in zip(benchmark.pairs, result.images, strict=True):
        lr, hr = pair.load()
        assert image.model == score(nearest(lr), hr, 4)
        assert image.bicubic == score(Picture(imresize(lr.colour, 4)), hr, 4)
        assert image.model.psnr_y_db < image.bicubic.psnr_y_db
        assert image.model.ssim_y < image.bicubic.ssim_y
    for of in (lambda i: i.model.psnr_y_db, lambda i: i.bicubic.psnr_y_db):
        assert len({of(image) for image in result.images}) == 2
    psnrs = [image.model.psnr_y_db for image in result.images]
    assert result.score.psnr_y_db == pytest.approx(sum(psnrs) / 2, abs=1e-12)


def test_a_grey_file_is_compared_by_its_own_values_and_colour_by_luma(benchmark: BenchmarkSet):
    (_, grey), (_, colour) = (pair.load() for pair in benchmark.pairs)
    assert (grey.grey, colour.grey) == (True, False)
    values = grey.colour.astype(int)
    off_by_ten = Picture(np.where(values > 100, values - 10, values + 10).astype(np.uint8))
    assert score(off_by_ten, grey, 4).psnr_y_db == pytest.approx(20 * math.log10(255 / 10))
    as_colour = score(off_by_ten, replace(grey, grey=False), 4).psnr_y_db
    assert as_colour == pytest.approx(20 * math.log10(255 / (10 * 219 / 255)), abs=0.2)


def test_json_has_the_documented_keys(benchmark: BenchmarkSet):
    originals = iter([pair.load().hr for pair in benchmark.pairs])
    result = evaluate("perfect", "in a test", lambda _: next(originals), benchmark)
    assert result.score == Score(IDENTICAL_DB, 1.0)
    document = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert list(document) == [
        "model",
        "images",
        "psnr_y_db",
        "ssim_y",
        "bicubic_psnr_y_db",
        "bicubic_ssim_y",
        "per_image",
        "protocol",
    ]
    assert document["psnr_y_db"] == IDENTICAL_DB
    assert document["images"] == len(document["per_image"]) == 2
    first = document["per_image"][0]
    scores = ["psnr_y_db", "ssim_y", "bicubic_psnr_y_db", "bicubic_ssim_y"]
    assert list(first) == ["name", *scores]
    assert first["bicubic_psnr_y_db"] == result.images[0].bicubic.psnr_y_db
    assert document["protocol"] == {
        "dataset": benchmark.name,
        "scale": 4,
        "lr": "made from HR by MATLAB-exact bicubic",
        "run": "in a test",
        "metrics": document["protocol"]["metrics"],
    }
    assert "BT.601" in document["protocol"]["metrics"]


def test_a_picture_of_the_wrong_size_or_too_small_is_named(benchmark: BenchmarkSet, tmp_path: Path):
    with pytest.raises(ImageError, match=r"bottom_right\.png: cannot compare shapes"):
        evaluate("m", "r", lambda lr: lr, benchmark)
    small = tmp_path / "small/HR"
    small.mkdir(parents=True)
    cv2.imwrite(str(small / "a.png"), np.zeros((16, 16, 3), np.uint8))
    (found,) = open_sets([small.parent], 4)
    with pytest.raises(ImageError, match=r"a\.png: 16x16 pixels are too few"):
        evaluate("m", "r", bicubic(4), found)
