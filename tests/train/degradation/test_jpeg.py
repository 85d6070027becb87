"""The simulated JPEG against OpenCV's, which is libjpeg: the same decoded pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from edgesr.train.degradation.jpeg import UNIT, through_jpeg

Rgb = np.ndarray
DATA = Path(__file__).parents[2] / "data"


def opencv(rgb: Rgb, quality: int) -> Rgb:
    options = [
        cv2.IMWRITE_JPEG_QUALITY, quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    ]  # fmt: skip
    _, encoded = cv2.imencode(".jpg", rgb[:, :, ::-1], options)
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded[:, :, ::-1]


def psnr_db(one: Rgb, other: Rgb) -> float:
    error = np.square(one.astype(float) - other.astype(float)).mean()
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


def ours(pictures: list[Rgb], qualities: list[int]) -> list[Rgb]:
    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()
    decoded = through_jpeg(batch, torch.tensor(qualities, dtype=torch.float32))
    assert decoded.shape == batch.shape
    assert torch.equal(decoded, decoded.round().clamp(0, 255))
    return [*decoded.permute(0, 2, 3, 1).byte().numpy()]


@pytest.fixture(scope="module")
def pictures() -> list[Rgb]:
    """A photograph, the same small and sharp, and colours without any order."""
    city = cv2.imread(str(DATA / "city_512.jpg"))
    assert city is not None
    small = cv2.resize(city, (128, 128), interpolation=cv2.INTER_AREA)
    draw = np.random.default_rng(0)
    confetti = draw.integers(0, 256, (16, 16, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    return [city[100:228, 60:188, ::-1], small[:, :, ::-1], confetti]


@pytest.mark.parametrize("quality", range(30, 96, 5))
def test_it_decodes_to_what_opencv_decodes(pictures: list[Rgb], quality: int) -> None:
    decoded = ours(pictures, [quality] * len(pictures))
    for picture, got in zip(pictures, decoded, strict=True):
        real = opencv(picture, quality)
        # The file itself loses much more than the simulation is wrong by.
        assert psnr_db(got, real) > max(47, psnr_db(picture, real) + 6)


def test_every_picture_has_its_own_quality(pictures: list[Rgb]) -> None:
    qualities = [10, 49, 50, 51, 75, 100]
    decoded = ours([pictures[0]] * len(qualities), qualities)
    for quality, got in zip(qualities, decoded, strict=True):
        assert psnr_db(got, opencv(pictures[0], quality)) > 50


def test_one_colour_stays(pictures: list[Rgb]) -> None:
    grey = np.full((UNIT, 2 * UNIT, 3), 77, dtype=np.uint8)
    np.testing.assert_array_equal(ours([grey], [30])[0], grey)
