"""The pictures that are measured are real ones."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgesr.bench.inputs import read_input, shown_picture
from edgesr.errors import ConfigError, ImageError


def test_patches_are_five_different_photographs() -> None:
    source = read_input("64x64")
    assert (source.width, source.height, source.is_photo) == (64, 64, False)
    pixels = [picture.colour for picture in source.pictures]
    assert len(pixels) == 5
    for place, patch in enumerate(pixels):
        assert patch.dtype == np.uint8
        assert patch.std() > 20
        assert all((patch != other).mean() > 0.5 for other in pixels[:place])


def test_patches_are_cut_from_the_bundled_files() -> None:
    import edgesr.imaging.patches as bundled

    folder = Path(bundled.__file__).with_name("patches")
    photo = cv2.imread(str(folder / f"{bundled.NAMES[0]}.png"))[:, :, ::-1]
    patch = read_input("64x64").pictures[0].colour
    np.testing.assert_array_equal(patch, photo[16:80, 16:80])


@pytest.mark.parametrize(("text", "width", "height"), [("48x32", 48, 32), ("200x130", 200, 130)])
def test_any_size_will_do(text: str, width: int, height: int) -> None:
    source = read_input(text)
    assert (source.width, source.height) == (width, height)
    assert all(picture.colour.std() > 20 for picture in source.pictures)


def test_a_photo(data: Path) -> None:
    source = read_input(str(data / "photo.png"))
    assert (source.name, source.width, source.height) == ("photo.png", 144, 108)
    assert source.is_photo
    shown = shown_picture(source)
    assert (shown.width, shown.height) == (128, 108)
    np.testing.assert_array_equal(shown.colour, source.pictures[0].colour[:, 8:136])


def test_a_16_bit_photo_is_shown_in_8_bits(data: Path) -> None:
    source = read_input(str(data / "pictures/rgba_16.png"))
    shown = shown_picture(source)
    assert shown.colour.dtype == np.uint8
    assert shown.alpha is None
    exact = source.pictures[0].colour.astype(np.float64) / 257
    assert np.abs(shown.colour - exact).max() <= 0.5


def test_sizes_that_cannot_be() -> None:
    for text in ("0x64", "64x0", "9000x64"):
        with pytest.raises(ConfigError, match="each from 1 to 8192 pixels, not"):
            read_input(text)


def test_a_missing_photo(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such file"):
        read_input(str(tmp_path / "64 x 64.png"))
