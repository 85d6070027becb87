"""On which tiles the ranges of int8 are measured."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgesr.errors import DataError, ImageError
from edgesr.export.calibration import PHOTO_TILES, calibration_for
from edgesr.imaging.patches import hard_tiles, real_tiles

TILE = 16
BUNDLED = 12


def _bundled(tile: int) -> np.ndarray:
    return np.concatenate([real_tiles(tile), *hard_tiles(tile).values()])


def _photo(path: Path, height: int, width: int, seed: int = 0, dtype: type = np.uint8) -> None:
    top = np.iinfo(dtype).max
    values = np.random.default_rng(seed).integers(0, top, (height, width, 3), endpoint=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), values.astype(dtype))


def test_without_a_folder_the_bundled_tiles_serve() -> None:
    calibration = calibration_for(None, 32)
    np.testing.assert_array_equal(calibration.tiles, _bundled(32))
    assert calibration.source == "12 bundled tiles, 7 of them synthetic"


def test_a_folder_adds_to_them(tmp_path: Path) -> None:
    for number in range(3):
        _photo(tmp_path / "album" / f"{number}.png", 100, 90, number)
    calibration = calibration_for(tmp_path / "album", TILE)
    bundled, own = np.split(calibration.tiles, [BUNDLED])
    np.testing.assert_array_equal(bundled, _bundled(TILE))
    assert own.shape == (3 * 22, 3, TILE, TILE)  # 64 tiles, shared out evenly
    assert own.dtype == np.float32
    assert 0 <= own.min() < own.max() <= 1
    assert len(np.unique(own, axis=0)) == len(own)
    assert calibration.source == (
        "12 bundled tiles, 7 of them synthetic, and 66 of 3 photos in album"
    )


def test_tiles_are_the_photos_own_pixels_and_the_same_every_time(tmp_path: Path) -> None:
    _photo(tmp_path / "one.png", TILE, TILE)
    tiles = calibration_for(tmp_path, TILE).tiles
    expected = cv2.imread(str(tmp_path / "one.png"))[..., ::-1].transpose(2, 0, 1) / 255
    np.testing.assert_allclose(tiles[BUNDLED], expected, atol=1e-6)
    assert len(tiles) == BUNDLED + 1
    np.testing.assert_array_equal(calibration_for(tmp_path, TILE).tiles, tiles)


def test_of_many_photos_the_first_to_the_last_give_one_tile_each(tmp_path: Path) -> None:
    for number in range(PHOTO_TILES + 40):
        cv2.imwrite(str(tmp_path / f"{number:03}.png"), np.full((TILE, TILE, 3), number, np.uint8))
    own = calibration_for(tmp_path, TILE).tiles[BUNDLED:]
    assert len(own) == PHOTO_TILES
    levels = np.rint(own[:, 0, 0, 0] * 255)
    assert levels[0] == 0
    assert levels[-1] >= PHOTO_TILES + 37
    assert (np.diff(levels) > 0).all()


def test_sixteen_bits_and_photos_smaller_than_a_tile(tmp_path: Path) -> None:
    _photo(tmp_path / "deep.png", 20, 20, dtype=np.uint16)
    _photo(tmp_path / "small.png", 5, 7)
    own = calibration_for(tmp_path, TILE).tiles[BUNDLED:]
    assert own.shape[1:] == (3, TILE, TILE)
    assert own.max() <= 1
    assert own.std() > 0.2


def test_no_folder_no_photo_and_a_damaged_photo(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder") as error:
        calibration_for(tmp_path / "nowhere", TILE)
    assert error.value.as_options().fix == "--calibrate FOLDER_OF_PHOTOS"
    with pytest.raises(DataError, match="holds no picture"):
        calibration_for(tmp_path, TILE)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ImageError, match=r"broken\.png"):
        calibration_for(tmp_path, TILE)
