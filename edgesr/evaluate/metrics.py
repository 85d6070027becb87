"""PSNR and SSIM of the luma, by the protocol of the super-resolution benchmarks.

Both pictures are 8 bit. Colour is reduced to Y of BT.601 (16..235) and rounded to whole levels, as
MATLAB's `rgb2ycbcr` does for uint8; a picture of one channel is compared as it is. A border as wide
as the scale is left out, because methods differ in how they fill it.

SSIM: Z. Wang et al., "Image quality assessment: from error visibility to structural similarity",
IEEE Transactions on Image Processing 13(4), 2004, with the constants of its reference code.
"""

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ImageError
from edgesr.imaging.psnr import psnr_db

PROTOCOL = (
    "8-bit output; Y of BT.601 (16..235, rounded, as MATLAB rgb2ycbcr), grey files as they are; "
    "border of `scale` pixels removed; SSIM 11x11 Gaussian, sigma 1.5, valid region; "
    "mean over images"
)

_PEAK = 255.0
_WINDOW = 11
_SIGMA = 1.5
_C1 = (0.01 * _PEAK) ** 2
_C2 = (0.03 * _PEAK) ** 2


def luma(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return Y of BT.601, from 16 (black) to 235 (white), in whole levels; grey is left as it is.

    Args:
        image: (height, width, 3) RGB or (height, width) grey.

    Returns:
        float64 (height, width).

    Raises:
        ImageError: not 8 bit, or of another shape.
    """
    if image.dtype != np.uint8 or not (image.ndim == 2 or image.shape[2:] == (3,)):
        raise ImageError(f"metrics need 8-bit RGB or grey, not {image.dtype} {image.shape}")
    if image.ndim == 2:
        return image.astype(np.float64)
    y = image @ (np.array([65.481, 128.553, 24.966]) / _PEAK)
    return np.floor(y + 16.5)


def psnr_y(image: NDArray[np.uint8], reference: NDArray[np.uint8], border: int) -> float:
    """Return the peak signal-to-noise ratio of Y in dB; `IDENTICAL_DB` for equal pictures.

    Args:
        image: (height, width, 3) RGB or (height, width) grey.
        reference: the original, of the same shape.
        border: pixels left out on each side; the scale, by the protocol.

    Raises:
        ImageError: shapes differ, are no pictures, or nothing is left inside the border.
    """
    first, second = _inside(image, reference, border, 1)
    mean_square = float(np.mean((first - second) ** 2))
    return psnr_db(mean_square, _PEAK)


def ssim_y(image: NDArray[np.uint8], reference: NDArray[np.uint8], border: int) -> float:
    """Return the mean structural similarity of Y, 1 for equal pictures.

    Args:
        image: (height, width, 3) RGB or (height, width) grey.
        reference: the original, of the same shape.
        border: pixels left out on each side; the scale, by the protocol.

    Raises:
        ImageError: shapes differ, are no pictures, or the 11x11 window does not fit.
    """
    x, y = _inside(image, reference, border, _WINDOW)
    mean_x, mean_y = _windowed(x), _windowed(y)
    variances = _windowed(x * x) - mean_x**2 + _windowed(y * y) - mean_y**2
    covariance = _windowed(x * y) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    return float(np.mean(likeness / ((mean_x**2 + mean_y**2 + _C1) * (variances + _C2))))


def _inside(
    image: NDArray[np.uint8], reference: NDArray[np.uint8], border: int, smallest: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if image.shape != reference.shape:
        raise ImageError(f"cannot compare shapes {image.shape} and {reference.shape}")
    height, width = image.shape[:2]
    if min(height, width) - 2 * border < smallest:
        raise ImageError(
            f"{width}x{height} pixels are too few: inside a border of {border} there must be "
            f"{smallest}x{smallest}"
        )
    part = np.s_[border : height - border, border : width - border]
    return luma(image)[part], luma(reference)[part]


def _windowed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weigh every full window with the Gaussian: (h, w) -> (h - 10, w - 10)."""
    import cv2

    kernel = cv2.getGaussianKernel(_WINDOW, _SIGMA)
    half = _WINDOW // 2
    filtered = cv2.sepFilter2D(values, -1, kernel, kernel)[half:-half, half:-half]
    return np.asarray(filtered, np.float64)
