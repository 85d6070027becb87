import numpy as np

from edgesr.imaging.seams import seam_ratio
from edgesr.imaging.tiling import plan_tiles

PLAN = plan_tiles(112, 112, (64, 64), 16, 4)


def noise() -> np.ndarray:
    return np.random.default_rng(0).random((448, 448, 3), np.float32)


def test_a_picture_without_seams_measures_one() -> None:
    assert abs(seam_ratio(noise(), PLAN) - 1.0) < 0.03


def test_a_step_at_a_tile_border_shows() -> None:
    picture = noise() * 0.1
    picture[4 * 48 :] += 0.1
    picture[:, 4 * 64 :] += 0.1
    assert seam_ratio(picture, PLAN) > 1.5


def test_the_same_step_elsewhere_does_not_raise_it() -> None:
    picture = noise() * 0.1
    picture[4 * 30 :] += 0.1
    assert seam_ratio(picture, PLAN) < 1.0


def test_the_grid_of_enlarged_pixels_is_no_seam() -> None:
    """A network that repeats pixels has steps every four lines; all of them are alike."""
    small = np.random.default_rng(1).random((112, 112, 3), np.float32)
    assert abs(seam_ratio(small.repeat(4, axis=0).repeat(4, axis=1), PLAN) - 1.0) < 0.05


def test_nothing_to_compare_is_one() -> None:
    assert seam_ratio(noise(), plan_tiles(112, 112, (112, 112), 0, 4)) == 1.0
    assert seam_ratio(np.zeros((448, 448, 3), np.float32), PLAN) == 1.0
