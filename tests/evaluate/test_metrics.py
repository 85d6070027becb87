import math

import numpy as np
import pytest

from edgesr.errors import ImageError
from edgesr.evaluate.metrics import luma, psnr_y, ssim_y
from edgesr.imaging.psnr import IDENTICAL_DB


def pictures(*shape: int) -> tuple[np.ndarray, np.ndarray]:
    """A smooth picture with texture, and the same with noise."""
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    clean = 128 + 60 * np.sin(rows / 5) + 40 * np.cos(columns / 3)
    if len(shape) == 3:
        clean = clean[..., None] * np.array([1.0, 0.8, 0.6])
    noisy = clean + rng.normal(0, 12, shape)
    return tuple(np.clip(np.rint(x), 0, 255).astype(np.uint8) for x in (clean, noisy))


def ssim_window_by_window(x: np.ndarray, y: np.ndarray) -> float:
    """The paper's formulas, one 11x11 window after the other, with deviations from the mean."""
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets[:, None] ** 2 + offsets[None, :] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for row in range(x.shape[0] - 10):
        for column in range(x.shape[1] - 10):
            a, b = (p[row : row + 11, column : column + 11].astype(float) for p in (x, y))
            mean_a, mean_b = np.sum(window * a), np.sum(window * b)
            variance_a = np.sum(window * (a - mean_a) ** 2)
            variance_b = np.sum(window * (b - mean_b) ** 2)
            covariance = np.sum(window * (a - mean_a) * (b - mean_b))
            light = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
            values.append(light * (2 * covariance + c2) / (variance_a + variance_b + c2))
    return float(np.mean(values))


def test_luma_has_the_levels_of_bt_601():
    # MATLAB: rgb2ycbcr(uint8(...)), first channel
    colours = {
        (0, 0, 0): 16,
        (255, 255, 255): 235,
        (255, 0, 0): 81,
        (0, 255, 0): 145,
        (0, 0, 255): 41,
        (128, 128, 128): 126,
    }
    image = np.array([list(colours)], np.uint8)
    np.testing.assert_array_equal(luma(image)[0], list(colours.values()))


def test_grey_is_taken_as_it_is_and_replicated_grey_through_its_luma():
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(luma(grey), grey)
    replicated = np.repeat(grey[..., None], 3, axis=2)
    expected = np.floor(16 + 219 * grey.astype(float) / 255 + 0.5)
    assert np.abs(luma(replicated) - expected).max() == 0


def test_psnr_is_ten_log_of_peak_over_mean_square_inside_the_border():
    reference = np.full((20, 30), 100, np.uint8)
    image = reference + 5
    assert psnr_y(image, reference, 4) == pytest.approx(20 * math.log10(255 / 5), abs=1e-12)
    image[:4], image[-4:], image[:, :4], image[:, -4:] = 255, 255, 255, 255
    assert psnr_y(image, reference, 4) == pytest.approx(20 * math.log10(255 / 5), abs=1e-12)
    assert psnr_y(image, reference, 3) < 25
    assert psnr_y(reference, reference, 4) == IDENTICAL_DB


@pytest.mark.parametrize("shape", [(24, 31), (24, 31, 3)])
@pytest.mark.parametrize("border", [0, 4])
def test_ssim_equals_the_formula_taken_window_by_window(shape: tuple[int, ...], border: int):
    clean, noisy = pictures(*shape)
    inside = np.s_[border : 24 - border, border : 31 - border]
    expected = ssim_window_by_window(luma(noisy)[inside], luma(clean)[inside])
    assert 0.3 < expected < 0.97
    assert ssim_y(noisy, clean, border) == pytest.approx(expected, abs=1e-10)
    assert ssim_y(clean, clean, border) == pytest.approx(1, abs=1e-12)


def test_ssim_knows_luminance_from_structure():
    clean, noisy = pictures(40, 40)
    brighter = np.clip(clean.astype(int) + 12, 0, 255).astype(np.uint8)
    assert psnr_y(brighter, clean, 0) < psnr_y(noisy, clean, 0) + 1
    assert ssim_y(brighter, clean, 0) > ssim_y(noisy, clean, 0) + 0.1


def test_what_cannot_be_compared_is_refused():
    grey = np.zeros((20, 20), np.uint8)
    with pytest.raises(ImageError, match="cannot compare shapes"):
        psnr_y(grey, grey[:, :19], 4)
    with pytest.raises(ImageError, match="20x20 pixels are too few"):
        psnr_y(grey, grey, 10)
    assert psnr_y(grey, grey, 9) == IDENTICAL_DB
    with pytest.raises(ImageError, match="there must be 11x11"):
        ssim_y(grey, grey, 5)
    assert ssim_y(grey[:19, :19], grey[:19, :19], 4) == 1
    with pytest.raises(ImageError, match="8-bit RGB or grey"):
        psnr_y(grey.astype(float), grey.astype(float), 4)
    with pytest.raises(ImageError, match="8-bit RGB or grey"):
        luma(np.zeros((4, 4, 4), np.uint8))
