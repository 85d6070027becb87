import numpy as np

from edgesr.imaging.seams import border_lines, seam_ratio
from edgesr.imaging.tiling import Axis, plan_tiles

PLAN = plan_tiles(112, 112, (64, 64), 16, 4)
LINES = border_lines(PLAN.rows)
NOISE = np.random.default_rng(0).random((448, 448, 3), np.float32)


def test_borders_are_where_tiles_begin_and_end() -> None:
    assert PLAN.rows.starts == (0, 48)
    assert {4 * 48 - 1, 4 * 64 - 1} == LINES
    assert border_lines(PLAN.rows, offset=10) == {4 * 58 - 1, 4 * 74 - 1}
    assert border_lines(Axis(40, 64, 16, 4)) == set()


def test_the_same_picture_measures_one() -> None:
    assert seam_ratio(NOISE, NOISE, LINES, LINES) == 1.0


def test_a_step_at_a_border_shows() -> None:
    stepped = NOISE.copy()
    stepped[4 * 48 :] += 0.2
    assert seam_ratio(stepped, NOISE, LINES, LINES) > 1.02
    assert seam_ratio(NOISE, stepped, LINES, LINES) < 0.98


def test_a_step_elsewhere_and_an_edge_of_the_photograph_do_not() -> None:
    elsewhere, edge = NOISE.copy(), NOISE.copy()
    elsewhere[4 * 30 :] += 0.2
    edge[4 * 48 :] += 1.0
    assert abs(seam_ratio(elsewhere, NOISE, LINES, LINES) - 1.0) < 0.01
    assert abs(seam_ratio(edge + 0.01, edge, LINES, LINES) - 1.0) < 1e-3


def test_contrast_alone_is_no_seam() -> None:
    assert abs(seam_ratio(NOISE * 2, NOISE, LINES, LINES) - 1.0) < 1e-6


def test_whole_numbers_do_not_wrap() -> None:
    small, large = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    small[1], large[1] = 10, 245  # a step of 10 up, and a step of 10 down
    assert seam_ratio(small, large, {0}, ()) == 1.0


def test_nothing_to_compare_is_one() -> None:
    assert seam_ratio(NOISE, NOISE, (), ()) == 1.0
    assert seam_ratio(NOISE * 0, NOISE * 0, LINES, LINES) == 1.0
