from pathlib import Path

import numpy as np
import pytest
import torch

from edgesr.train.cut import gather, slices
from edgesr.train.feeder import Feeder
from edgesr.train.images import degrade
from edgesr.train.pixels import Pixels, load
from edgesr.train.sampler import Crops, PatchSampler

CPU = torch.device("cpu")


def unseen(pictures: int, of: int) -> None: ...


@pytest.fixture(params=[2, 3, 4])
def pixels(pictures: Path, request: pytest.FixtureRequest) -> Pixels:
    return load(pictures, request.param, None, unseen).pixels


def test_both_ways_of_cutting_agree(pixels: Pixels) -> None:
    crops = PatchSampler(pixels, 8, 64, 0, None).crops(0)
    for a, b in zip(gather(pixels, crops, 8), slices(pixels, crops, 8, pin=False), strict=True):
        assert torch.equal(a, b)
        assert a.is_contiguous(memory_format=torch.channels_last)


def _turned(square: np.ndarray, turn: int) -> np.ndarray:
    square = np.flip(square, 0) if turn & 1 else square
    square = np.flip(square, 1) if turn & 2 else square
    return np.swapaxes(square, 0, 1) if turn & 4 else square


def test_crops_are_the_named_regions_of_both_pictures(pixels: Pixels) -> None:
    scale, patch, number = pixels.scale, 8, 1
    height, width = int(pixels.heights[number]), int(pixels.widths[number])
    start = int(pixels.offsets[number])
    lr = pixels.lr[start : start + height * width].view(height, width, 3).numpy()
    hr = pixels.hr[scale**2 * start : scale**2 * (start + height * width)]
    hr = hr.view(scale * height, scale * width, 3).numpy()
    turn = torch.arange(8)
    constant = [torch.full((8,), value) for value in (start, height, width, 5, 3)]
    got_lr, got_hr = gather(pixels, Crops(*constant, turn), patch)
    for n in range(8):
        region = lr[5 : 5 + patch, 3 : 3 + patch]
        np.testing.assert_array_equal(got_lr[n].permute(1, 2, 0), _turned(region, n))
        region = hr[5 * scale : (5 + patch) * scale, 3 * scale : (3 + patch) * scale]
        np.testing.assert_array_equal(got_hr[n].permute(1, 2, 0), _turned(region, n))
    assert len({got.numpy().tobytes() for got in got_lr}) == 8


def test_lr_crops_are_the_degraded_hr_crops(pixels: Pixels) -> None:
    """Away from the crop's border, where the kernel sees pixels that the crop lacks."""
    patch, border = 12, 3
    crops = PatchSampler(pixels, patch, 32, 1, None).crops(0)
    straight = Crops(
        crops.offset,
        crops.height,
        crops.width,
        crops.row,
        crops.column,
        torch.zeros_like(crops.row),
    )
    inside = slice(border, patch - border)
    for lr, hr in zip(*gather(pixels, straight, patch), strict=True):
        degraded = degrade(hr.permute(1, 2, 0).numpy(), pixels.scale).lr
        np.testing.assert_array_equal(
            lr.permute(1, 2, 0).numpy()[inside, inside], degraded[inside, inside]
        )


@pytest.mark.parametrize("on_device", [True, False])
def test_processes_feed_their_slices_of_the_same_batch(pixels: Pixels, on_device: bool) -> None:
    sampler = PatchSampler(pixels, 8, 6, 0, None)
    whole = Feeder(pixels, sampler, 8, CPU, not on_device).batches(first_step=5)
    parts = [
        Feeder(pixels, sampler, 8, CPU, on_device, rank, 3).batches(first_step=5)
        for rank in range(3)
    ]
    for _ in range(7):  # beyond what is cut ahead
        lr, hr = next(whole)
        slices_of_lr, slices_of_hr = zip(*(next(part) for part in parts), strict=True)
        assert torch.equal(torch.cat(slices_of_lr), lr)
        assert torch.equal(torch.cat(slices_of_hr), hr)
        assert lr.dtype == torch.float32 and 0.3 < hr.max() <= 1.0


def test_a_set_of_the_size_of_df2k(tmp_path: Path) -> None:
    """3,450 pictures of 2040x1356: the last begin beyond what 32 bits count, in pixels and bytes.

    The files are sparse: they have their full length and take no room but that of the last picture.
    """
    height, width, count, scale, patch = 339, 510, 3450, 4, 64
    area = height * width
    buffers = []
    for name, pixels_each in (("hr", scale**2 * area), ("lr", area)):
        shape = (count * pixels_each, 3)
        buffers.append(np.memmap(tmp_path / name, np.uint8, "w+", shape=shape))
        last = buffers[-1][-pixels_each:]
        last[:] = np.random.default_rng(0).integers(0, 256, last.shape, dtype=np.uint8)
    hr, lr = map(torch.from_numpy, buffers)
    table = [torch.full((count,), side) for side in (height, width)]
    pixels = Pixels(hr, lr, *table, scale)
    assert hr.nbytes > 28e9 and int(scale**2 * pixels.offsets[-1]) > 2**33

    turn = torch.arange(8)
    start, row, column = int(pixels.offsets[-1]), height - patch, width - patch
    place = (start, height, width, row, column)
    crops = Crops(*(torch.full((8,), value) for value in place), turn)
    square = hr[-(scale**2) * area :].view(scale * height, scale * width, 3)[-256:, -256:].numpy()
    for cut in (gather(pixels, crops, patch), slices(pixels, crops, patch, pin=False)):
        for n in range(8):
            np.testing.assert_array_equal(cut[1][n].permute(1, 2, 0), _turned(square, n))
    drawn = PatchSampler(pixels, patch, 128, 0, patches_per_image=8).crops(
        215
    )  # the last of an epoch
    assert len(drawn.offset.unique()) == 16 and scale**2 * int(drawn.offset.max()) > 2**32
    for one, other in zip(
        gather(pixels, drawn, patch), slices(pixels, drawn, patch, False), strict=True
    ):
        assert torch.equal(one, other)


def test_a_mapped_file_feeds_the_same(pictures: Path, tmp_path: Path) -> None:
    memory, cached = (
        load(pictures, 4, None, unseen).pixels,
        load(pictures, 4, tmp_path / "c", unseen).pixels,
    )
    sampler = PatchSampler(memory, 8, 4, 0, None)
    for pixels in (memory, cached):
        lr, _ = next(Feeder(pixels, sampler, 8, CPU, False).batches(0))
        assert torch.equal(lr, next(Feeder(memory, sampler, 8, CPU, True).batches(0))[0])
