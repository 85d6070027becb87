import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgesr.errors import ConfigError
from edgesr.imaging.tiling import Axis, TilePlan, plan_tiles, stitch


@st.composite
def axes(draw: st.DrawFn, longest: int = 70) -> Axis:
    tile = draw(st.integers(1, 24))
    return Axis(
        length=draw(st.integers(1, longest)),
        tile=tile,
        overlap=draw(st.integers(0, tile // 2)),
        scale=draw(st.integers(1, 4)),
    )


def nearest_tiles(plan: TilePlan, picture: np.ndarray):
    for number in range(len(plan)):
        tile = picture[np.ix_(*plan.inputs(number))].transpose(2, 0, 1)
        yield tile.repeat(plan.scale, axis=1).repeat(plan.scale, axis=2)


@given(axes())
def test_weights_sum_to_one_at_every_pixel(axis: Axis) -> None:
    total = np.zeros(axis.scale * max(axis.length, axis.tile))
    for start, weight in zip(axis.starts, axis.weights, strict=True):
        total[axis.scale * start :][: len(weight)] += weight
    np.testing.assert_allclose(total, 1.0, atol=2e-7)
    assert axis.weights.min() > 0.0


def test_a_tile_fades_in_from_nothing_and_evenly() -> None:
    """A raised cosine: a tile's edge weighs next to nothing, and half where the two are equal."""
    first, second = Axis(120, 64, 8, 4).weights
    assert second[0] < 0.001
    assert np.diff(second[:32]).min() > 0.0
    np.testing.assert_allclose(second[15:17].mean(), 0.5, atol=1e-6)
    np.testing.assert_allclose(second[:32], first[-32:][::-1], atol=1e-6)
    assert (second[32:] == 1.0).all()


@given(axes(longest=400))
def test_tiles_cover_the_side_and_share_the_overlap(axis: Axis) -> None:
    assert axis.starts[0] == 0
    if axis.length <= axis.tile:
        assert axis.starts == (0,)
        return
    assert axis.starts[-1] + axis.tile == axis.length
    shared = [a + axis.tile - b for a, b in zip(axis.starts, axis.starts[1:], strict=False)]
    assert min(shared) >= axis.overlap
    fewest = -(-(axis.length - axis.overlap) // (axis.tile - axis.overlap))
    assert len(axis.starts) == fewest


@given(axes())
def test_positions_stay_inside_and_turn_back_at_the_edge(axis: Axis) -> None:
    for index in range(len(axis.starts)):
        inputs = axis.inputs(index)
        assert len(inputs) == axis.tile
        assert inputs.min() >= 0
        assert inputs.max() < axis.length
    padding = (0, max(axis.tile - axis.length, 0))
    expected = np.pad(np.arange(axis.length), padding, mode="symmetric")[: axis.tile]
    np.testing.assert_array_equal(axis.inputs(0), expected)


@given(
    height=st.integers(1, 40), width=st.integers(1, 40), tile=st.integers(1, 16),
    share=st.floats(0, 0.5), scale=st.integers(1, 4), seed=st.integers(0, 99),
)  # fmt: skip
def test_a_network_that_repeats_pixels_is_rebuilt_exactly(
    height: int, width: int, tile: int, share: float, scale: int, seed: int
) -> None:
    picture = np.random.default_rng(seed).integers(0, 65536, (height, width, 3))
    values = (picture / 65535).astype(np.float32)
    plan = plan_tiles(height, width, (tile, tile), int(share * tile), scale)
    bands = list(stitch(plan, nearest_tiles(plan, values)))
    expected = picture.repeat(scale, axis=0).repeat(scale, axis=1)
    np.testing.assert_array_equal(np.rint(np.concatenate(bands) * 65535), expected)


@pytest.mark.parametrize("side", range(1, 36))
def test_every_size_from_one_pixel(side: int) -> None:
    values = np.random.default_rng(side).random((side, 36 - side, 3), np.float32)
    plan = plan_tiles(side, 36 - side, (8, 8), 2, 2)
    rebuilt = np.concatenate(list(stitch(plan, nearest_tiles(plan, values))))
    np.testing.assert_allclose(rebuilt, values.repeat(2, axis=0).repeat(2, axis=1), atol=3e-7)


def test_one_tile_is_passed_on_unchanged() -> None:
    values = np.random.default_rng(0).random((5, 7, 3), np.float32)
    plan = plan_tiles(5, 7, (5, 7), 0, 1)
    (band,) = stitch(plan, nearest_tiles(plan, values))
    np.testing.assert_array_equal(band, values)


def test_bands_leave_as_soon_as_they_are_finished() -> None:
    """After one row of tiles everything above the second has left: memory does not grow."""
    plan = plan_tiles(160, 16, (16, 16), 8, 2)
    drawn = 0

    def counted():
        nonlocal drawn
        for tile in nearest_tiles(plan, np.zeros((160, 16, 3), np.float32)):
            drawn += 1
            yield tile

    top = 0
    for band in stitch(plan, counted()):
        assert drawn == sum(2 * start <= top for start in plan.rows.starts)
        assert len(band) <= 16
        top += len(band)
    assert top == 2 * 160


def test_the_blend_has_no_step_where_tiles_disagree() -> None:
    """One tile white, the next black: the result falls evenly over the overlap."""
    plan = plan_tiles(8, 24, (8, 16), 4, 1)
    tiles = [np.ones((1, 8, 16), np.float32), np.zeros((1, 8, 16), np.float32)]
    line = np.concatenate(list(stitch(plan, tiles)))[0, :, 0]
    steps = -np.diff(line)
    assert (steps >= 0).all()
    assert steps.max() <= 1 / 4 + 1e-6


@pytest.mark.parametrize("overlap", [-1, 9])
def test_overlap_out_of_range_is_refused(overlap: int) -> None:
    with pytest.raises(ConfigError, match="from 0 to half a tile"):
        plan_tiles(20, 20, (16, 16), overlap, 4)


def test_two_scales_are_refused() -> None:
    with pytest.raises(ConfigError, match="same scale"):
        TilePlan(Axis(8, 8, 0, 2), Axis(8, 8, 0, 3))


def test_a_tile_is_named_by_its_place() -> None:
    plan = plan_tiles(28, 28, (16, 16), 4, 4)
    assert plan.name(1) == "tile 2 of 4 (rows 0 to 15, columns 12 to 27)"
