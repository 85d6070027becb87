from dataclasses import astuple

import pytest
import torch

from edgesr.errors import DataError
from edgesr.train.pixels import Pixels
from edgesr.train.sampler import PatchSampler

HEIGHTS, WIDTHS = (20, 40, 5, 16), (20, 30, 90, 16)


@pytest.fixture
def pixels() -> Pixels:
    heights, widths = torch.tensor(HEIGHTS), torch.tensor(WIDTHS)
    count = int((heights * widths).sum())
    empty = torch.zeros(count, 3, dtype=torch.uint8)
    return Pixels(empty.repeat(4, 1), empty, heights, widths, 2)


def test_a_step_has_the_same_crops_whatever_came_before(pixels: Pixels) -> None:
    first, second = (PatchSampler(pixels, 16, 8, 3, None) for _ in range(2))
    for step in range(5):
        first.crops(step)
    for a, b in zip(astuple(first.crops(7)), astuple(second.crops(7)), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.crops(7).row, first.crops(8).row)
    assert not torch.equal(first.crops(7).row, PatchSampler(pixels, 16, 8, 4, None).crops(7).row)


def test_small_pictures_are_left_out_and_crops_stay_inside(pixels: Pixels) -> None:
    sampler = PatchSampler(pixels, 16, 512, 0, None)
    assert (sampler.skipped, sampler.pictures) == (1, 3)
    crops = sampler.crops(0)
    height_at = {int(o): h for o, h in zip(pixels.offsets, HEIGHTS, strict=True)}
    heights = torch.tensor([height_at[int(offset)] for offset in crops.offset])
    assert (crops.row >= 0).all() and (crops.row + 16 <= heights).all()
    assert (crops.column >= 0).all() and (crops.column + 16 <= crops.width).all()
    wide = crops.width == 30
    assert crops.row[wide].max() == 24 and crops.column[wide].max() == 14  # the last places too
    assert sorted(crops.turn.unique().tolist()) == list(range(8))


def test_pictures_come_by_their_area(pixels: Pixels) -> None:
    crops = PatchSampler(pixels, 16, 20_000, 0, None).crops(0)
    areas = {20: 400, 30: 1200, 16: 256}
    for width, area in areas.items():
        share = (crops.width == width).double().mean().item()
        assert share == pytest.approx(area / sum(areas.values()), abs=0.02)


def test_patches_per_image_go_through_every_picture_in_turn(pixels: Pixels) -> None:
    sampler = PatchSampler(pixels, 16, 8, 0, patches_per_image=4)  # 2 of 3 pictures a step
    drawn = torch.cat([sampler.crops(step).offset for step in range(6)])
    assert (drawn.view(-1, 4) == drawn.view(-1, 4)[:, :1]).all()
    passes = drawn.view(-1, 4)[:, 0].view(4, 3)
    assert all(len(set(row.tolist())) == 3 for row in passes)
    assert len({tuple(row.tolist()) for row in passes}) > 1  # in another order


def test_parts_make_up_the_batch(pixels: Pixels) -> None:
    whole = PatchSampler(pixels, 16, 8, 0, None).crops(2)
    parts = [whole.part(rank, 2) for rank in range(2)]
    assert torch.equal(torch.cat([part.column for part in parts]), whole.column)
    assert len(parts[0].turn) == 4


def test_no_picture_is_large_enough(pixels: Pixels) -> None:
    with pytest.raises(DataError, match="all 4 pictures are smaller than a patch of 82x82"):
        PatchSampler(pixels, 41, 8, 0, None)
