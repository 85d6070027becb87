"""Which part of a photograph is compared."""

import numpy as np
import pytest

from edgesr.compare.crop import Crop, detailed_crop, parse_crop, with_context
from edgesr.errors import ConfigError
from edgesr.imaging.picture import Picture


def flat(height: int, width: int) -> Picture:
    return Picture(np.full((height, width, 3), 90, np.uint8))


def test_the_part_with_the_most_detail_is_found() -> None:
    picture = flat(300, 400)
    rng = np.random.default_rng(3)
    picture.colour[150:230, 220:330] = rng.integers(0, 256, (80, 110, 3))
    crop = detailed_crop(picture)
    assert (crop.width, crop.height) == (128, 96)
    assert crop.x <= 220 and crop.x + 128 >= 330
    assert crop.y <= 150 and crop.y + 96 >= 230


def test_a_small_picture_is_taken_whole() -> None:
    assert detailed_crop(flat(20, 30)) == Crop(0, 0, 30, 20)
    assert detailed_crop(flat(20, 300)).height == 20


def test_detail_of_16_bits_counts_like_that_of_8() -> None:
    picture = flat(120, 300)
    picture.colour[10:60, 200:260:2] = 255
    deep = Picture(picture.colour.astype(np.uint16) * 257)
    assert detailed_crop(deep) == detailed_crop(picture)


def test_a_rectangle_is_read_and_cut() -> None:
    picture = Picture(np.arange(20 * 30 * 3, dtype=np.uint16).reshape(20, 30, 3))
    crop = parse_crop("25,12,5,8", picture)
    assert crop == Crop(25, 12, 5, 8)
    np.testing.assert_array_equal(crop.of(picture).colour, picture.colour[12:20, 25:30])
    assert crop.times(4) == Crop(100, 48, 20, 32)


@pytest.mark.parametrize("text", ["", "1,2,3", "a,b,c,d", "-1,0,4,4", "1, 2, 3, 4"])
def test_what_is_no_rectangle_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ConfigError, match="is not X,Y,W,H") as caught:
        parse_crop(text, flat(20, 30))
    assert str(caught.value.as_options().fix) == "--crop 0,0,30,20"


@pytest.mark.parametrize("text", ["26,0,5,5", "0,16,5,5", "0,0,0,5", "0,0,5,0", "99,99,1,1"])
def test_a_rectangle_outside_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="do not lie in the photo, which is 30x20"):
        parse_crop(text, flat(20, 30))


def test_context_ends_at_the_border_of_the_photograph() -> None:
    assert with_context(Crop(10, 2, 5, 6), 4, flat(20, 30)) == Crop(6, 0, 13, 12)
    assert with_context(Crop(25, 12, 5, 8), 4, flat(20, 30)) == Crop(21, 8, 9, 12)
