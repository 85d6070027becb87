"""The labelled sheet: what is on it, where, and at which size."""

import cv2
import numpy as np
import pytest

from edgesr.compare.crop import Crop
from edgesr.compare.lettering import fit, text_width, write
from edgesr.compare.sheet import SheetCell, Texts, framed, sheet

TEXTS = Texts("title", "under", "foot")


def noise(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def contains(canvas: np.ndarray, picture: np.ndarray) -> bool:
    *_, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(canvas, picture, cv2.TM_SQDIFF))
    return np.array_equal(canvas[y : y + picture.shape[0], x : x + picture.shape[1]], picture)


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_every_version_is_on_the_sheet_pixel_by_pixel(count: int) -> None:
    cells = [SheetCell(f"n{i}", "note", noise(40, 300, i)) for i in range(count)]
    canvas = sheet(TEXTS, noise(50, 70, 99), Crop(3, 4, 20, 10), cells)
    for cell in cells:
        assert contains(canvas, cell.pixels), cell.name


def test_small_versions_are_enlarged_by_repetition() -> None:
    cell = SheetCell("small", "note", noise(20, 60, 1))
    canvas = sheet(TEXTS, noise(50, 70, 99), Crop(0, 0, 70, 50), [cell])
    assert contains(canvas, cell.pixels.repeat(5, axis=0).repeat(5, axis=1))


def test_a_part_that_is_the_whole_has_no_overview() -> None:
    cells = [SheetCell("a", "note", noise(40, 300, 1)), SheetCell("b", "note", noise(40, 300, 2))]
    whole = noise(50, 70, 99)
    alone = sheet(TEXTS, whole, Crop(0, 0, 70, 50), cells)
    framed_too = sheet(TEXTS, whole, Crop(0, 0, 69, 50), cells)
    assert framed_too.shape[1] > alone.shape[1]


def test_the_frame_lies_around_the_part() -> None:
    whole = np.zeros((100, 200, 3), np.uint8)
    small = framed(whole, Crop(40, 20, 60, 50), 400, 400)
    assert small.shape == (200, 400, 3)
    rows, columns = np.nonzero(small.any(axis=2))
    assert (rows.min(), rows.max()) == (pytest.approx(40, abs=3), pytest.approx(140, abs=3))
    assert (columns.min(), columns.max()) == (pytest.approx(80, abs=3), pytest.approx(200, abs=3))
    assert not small[50:130, 90:190].any()


def test_labels_are_cut_to_their_room() -> None:
    assert fit("student", 300, 20) == "student"
    short = fit("a network with a name that is far too long", 120, 20, True)
    assert short.endswith("...")
    assert 60 < text_width(short, 20, True) <= 120


def test_text_is_written_where_it_is_wanted() -> None:
    canvas = np.full((60, 200, 3), 255, np.uint8)
    write(canvas, "xxxx", (20, 40), 20)
    rows, columns = np.nonzero((canvas < 128).all(axis=2))
    assert columns.min() >= 18
    assert columns.max() <= 24 + text_width("xxxx", 20)
    assert 25 < rows.min() < rows.max() <= 42
