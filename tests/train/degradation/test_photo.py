"""LR patches of whole batches: in place, repeatable, and what OpenCV makes of the same pictures."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from test_jpeg import opencv, psnr_db

from edgesr.train.cut import gather, slices
from edgesr.train.degradation import Photo
from edgesr.train.degradation import photo as photo_module
from edgesr.train.degradation.draw import Draw, draw
from edgesr.train.feeder import Feeder
from edgesr.train.pixels import Pixels, load
from edgesr.train.sampler import Crops, PatchSampler

CPU = torch.device("cpu")
PATCH, BATCH = 16, 6
Told = Callable[..., Draw]


def unseen(pictures: int, of: int) -> None: ...


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of two crops of a photograph, larger than the patches and their JPEG blocks."""
    folder = tmp_path_factory.mktemp("photographs")
    city = cv2.imread(str(Path(__file__).parents[2] / "data" / "city_512.jpg"))
    assert city is not None
    cv2.imwrite(str(folder / "one.png"), city[:201, :240])
    cv2.imwrite(str(folder / "two.png"), city[250:490, 200:464])
    return folder


@pytest.fixture(params=[2, 3, 4])
def pixels(photographs: Path, request: pytest.FixtureRequest) -> Pixels:
    return load(photographs, request.param, None, unseen).pixels


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Let every picture have what the test says, and nothing else happen to it."""

    def tell(**values: float) -> None:
        def drawn(seed: int, step: int, batch: int) -> Draw:
            nothing = {field.name: torch.zeros(batch) for field in fields(Draw)}
            drawn = Draw(**{**nothing, "former_size": torch.ones(batch)})
            return replace(
                drawn, **{name: torch.full((batch,), value) for name, value in values.items()}
            )

        monkeypatch.setattr(photo_module, "draw", drawn)

    return tell  # type: ignore[return-value]


def corners(pixels: Pixels, patch: int) -> Crops:
    """Return the four corners of a picture and two places inside, not turned."""
    number = 1
    height, width = int(pixels.heights[number]), int(pixels.widths[number])
    low, far = height - patch, width - patch
    places = [(0, 0), (0, far), (low, 0), (low, far), (low // 2, far // 2), (low // 3, 0)]
    rows, columns = (torch.tensor(line) for line in zip(*places, strict=True))
    same = [torch.full((BATCH,), v) for v in (int(pixels.offsets[number]), height, width)]
    return Crops(*same, rows, columns, torch.zeros(BATCH, dtype=torch.long))


def degraded(pixels: Pixels, crops: Crops, patch: int = PATCH) -> tuple[np.ndarray, np.ndarray]:
    """Return LR by MATLAB's bicubic and by `Photo`, (batch, patch, patch, 3) each."""
    photo = Photo(0, BATCH, patch, pixels.scale, CPU)
    lr, hr = gather(pixels, crops, patch, photo.margin)
    made = photo(0, lr, hr)
    return tuple(x.permute(0, 2, 3, 1).numpy().astype(float) for x in (lr, made))  # type: ignore[return-value]


def test_without_any_step_it_is_the_bicubic_picture_of_the_benchmarks(
    pixels: Pixels, told: Told
) -> None:
    told()
    lr, made = degraded(pixels, corners(pixels, PATCH))
    assert np.abs(lr - made).max() <= 1  # rounded once, where MATLAB rounds after each axis
    assert np.abs(lr - made).mean() < 0.2


@pytest.mark.parametrize("grid", [(0, 0), (3, 13)])
def test_jpeg_is_that_of_a_file_cut_at_its_grid(
    pixels: Pixels, told: Told, grid: tuple[int, int]
) -> None:
    crops = corners(pixels, PATCH)
    told()
    _, before = degraded(pixels, crops)  # rounded once, where MATLAB rounds twice
    told(jpeg=40, grid_row=grid[0], grid_column=grid[1])
    lr, made = degraded(pixels, crops)
    start, height, width = (int(f[0]) for f in (crops.offset, crops.height, crops.width))
    whole = pixels.lr[start : start + height * width].view(height, width, 3).numpy().copy()
    row, column = int(crops.row[4]), int(crops.column[4])
    whole[row : row + PATCH, column : column + PATCH] = before[4]
    file = opencv(np.ascontiguousarray(whole[row - grid[0] :, column - grid[1] :]), 40)
    wanted = file[grid[0] :, grid[1] :][:PATCH, :PATCH]
    assert psnr_db(lr[4], wanted) < 35 and psnr_db(made[4], wanted) > 40


def test_a_former_picture_lies_in_the_same_place(pixels: Pixels, told: Told) -> None:
    told(former=1, former_size=2.0)
    lr, made = degraded(pixels, corners(pixels, PATCH))
    for one, other in zip(lr, made, strict=True):
        here = psnr_db(one, other)
        assert here > 30
        for axis in (0, 1):  # half a pixel aside it would be as far from both neighbours
            assert here > psnr_db(np.roll(one, 1, axis), other) + 6


def test_blur_is_the_same_share_of_lr_at_every_scale(pixels: Pixels, told: Told) -> None:
    told(sigma=3.0, other_sigma=3.0)
    crops = corners(pixels, PATCH)
    lr, made = degraded(pixels, crops)
    wanted = cv2.GaussianBlur(lr[4], (0, 0), 3 / 4)
    inner = (slice(4, -4), slice(4, -4))
    assert psnr_db(made[4][inner], wanted[inner]) > psnr_db(lr[4][inner], wanted[inner]) + 6


def test_clean_pictures_stay_as_they_are(pixels: Pixels, told: Told) -> None:
    told(clean=1, jpeg=30, noise=20)
    lr, made = degraded(pixels, corners(pixels, PATCH))
    np.testing.assert_array_equal(lr, made)


def test_a_batch_has_clean_and_degraded_pictures(pixels: Pixels) -> None:
    batch = 40
    sampler = PatchSampler(pixels, PATCH, batch, 0, None)
    photo = Photo(0, batch, PATCH, pixels.scale, CPU)
    lr, hr = gather(pixels, sampler.crops(3), PATCH, photo.margin)
    made = photo(3, lr, hr)
    clean = draw(0, 3, batch).clean.bool()
    assert 0 < clean.sum() < batch
    same = torch.tensor([torch.equal(a.float(), b) for a, b in zip(lr, made, strict=True)])
    assert same[clean].all() and not same[~clean].any()
    assert torch.equal(made, made.round().clamp(0, 255))
    assert made.is_contiguous(memory_format=torch.channels_last)
    for one, other in zip(lr[~clean].float(), made[~clean], strict=True):
        assert psnr_db(one.numpy(), other.numpy()) > 15  # degraded, but the same place


def test_margins_are_cut_alike_on_both_ways(pixels: Pixels) -> None:
    crops = PatchSampler(pixels, 8, 64, 0, None).crops(0)
    ways = gather(pixels, crops, 8, 4), slices(pixels, crops, 8, pin=False, margin=4)
    for one, other in zip(*ways, strict=True):
        assert torch.equal(one, other)
    border = 4 * pixels.scale
    inner = ways[0][1][..., border:-border, border:-border]
    assert torch.equal(inner, gather(pixels, crops, 8)[1])


@pytest.mark.parametrize("on_device", [True, False])
def test_steps_do_not_depend_on_history_or_processes(pixels: Pixels, on_device: bool) -> None:
    def feeder(device: bool, rank: int = 0, size: int = 1) -> Feeder:
        photo = Photo(5, BATCH, PATCH, pixels.scale, CPU, rank, size)
        sampler = PatchSampler(pixels, PATCH, BATCH, 5, None)
        return Feeder(pixels, sampler, PATCH, CPU, device, rank, size, photo)

    whole = feeder(not on_device).batches(first_step=2)
    next(whole)
    lr, hr = next(whole)  # step 3
    parts = [next(feeder(on_device, rank, 3).batches(first_step=3)) for rank in range(3)]
    # A product of matrices may round otherwise for another number of them, and a JPEG's step
    # with it.
    difference = (torch.cat([part[0] for part in parts]) - lr).abs() * 255
    assert (difference > 0).float().mean() < 0.01
    assert torch.equal(torch.cat([part[1] for part in parts]), hr)
    again = next(feeder(not on_device).batches(first_step=3))
    assert torch.equal(again[0], lr) and torch.equal(again[1], hr)
    assert lr.dtype == torch.float32 and lr.shape[-1] * pixels.scale == hr.shape[-1]
    assert lr.max() <= 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA graph needs a GPU")
def test_gpu_replay_gives_what_python_gives(pixels: Pixels) -> None:
    device = torch.device("cuda", 0)
    recorded, plain = (Photo(0, 32, PATCH, pixels.scale, device) for _ in range(2))
    plain._run = plain._degraded  # type: ignore[assignment]
    sampler = PatchSampler(pixels, PATCH, 32, 0, None)
    made = []
    for step in range(4):
        lr, hr = (x.to(device) for x in gather(pixels, sampler.crops(step), PATCH, plain.margin))
        made.append(recorded(step, lr, hr).clone())
        wanted = plain(step, lr, hr)
        # Where a Fourier transform or a product rounds otherwise, a grey level follows, rarely.
        assert (made[-1] != wanted).float().mean() < 0.01
    assert not torch.equal(made[0], made[1])
