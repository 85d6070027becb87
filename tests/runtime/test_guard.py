"""Broken tiles are told from good ones, by one pass or by a second look."""

import numpy as np
import pytest

from edgesr.runtime.guard import BLACK, DARK, fault

TILE = np.full((3, 8, 8), 0.5, np.float32)
rng = np.random.default_rng(0)


def enlarged():
    return rng.random((3, 32, 32), np.float32)


def test_a_tile_of_a_picture_is_good():
    assert fault(TILE, enlarged()) is None
    assert fault(TILE, enlarged() * 40 - 20) is None  # out of range, but nothing is broken
    assert fault(TILE, np.full((3, 32, 32), BLACK, np.float32)) is None


@pytest.mark.parametrize("place", [0, 1234, -1])
@pytest.mark.parametrize(
    ("value", "said"), [(np.nan, "NaN"), (np.inf, "infinite"), (-np.inf, "infinite")]
)
def test_a_single_value_that_is_no_number_is_found(place, value, said):
    broken = enlarged()
    broken.reshape(-1)[place] = value
    assert said in fault(TILE, broken)


def test_infinities_that_would_cancel_are_found():
    broken = enlarged()
    broken[0, 0, :2] = np.inf, -np.inf
    assert "infinite" in fault(TILE, broken)


def test_values_whose_sum_is_too_large_are_no_fault():
    assert fault(TILE, np.full((3, 32, 32), 3e38, np.float32)) is None


@pytest.mark.parametrize("value", [0.0, 0.99 * BLACK, -1.0, -1e30])
def test_black_is_a_fault_only_where_the_picture_is_not_black(value):
    black = np.full((3, 32, 32), value, np.float32)
    assert "black" in fault(TILE, black)
    assert fault(TILE * 0, black) is None
    assert fault(np.full_like(TILE, 0.9 * DARK), black) is None
    black[1, 3, 4] = 1.01 * BLACK
    assert fault(TILE, black) is None


def test_black_beside_large_negative_values_is_black():
    black = np.full((3, 32, 32), 0.9 * BLACK, np.float32)
    black[:, ::2] = -1e6
    assert "black" in fault(TILE, black)
