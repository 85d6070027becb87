"""LR pictures as people have them, made from a benchmark set by a fixed seed.

Every case does one thing to the LR picture of the benchmark: saves it as JPEG (OpenCV, chroma
halved on both axes), or adds Gaussian noise in grey levels; or HR is blurred by a Gaussian, its
standard deviation in pixels of a picture to be reduced four times, before MATLAB's bicubic.
"""

import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from edgesr.evaluate.datasets import ImagePair, Images
from edgesr.imaging.picture import Picture
from edgesr.imaging.resize import imresize

SEED = 0
Rgb = np.ndarray
Case = Callable[[ImagePair, Images, str], Rgb]


def degraded(pair: ImagePair, case: str) -> Images:
    """Read a pair and degrade its LR picture.

    Args:
        pair: of a benchmark set.
        case: one of `CASES`.

    Raises:
        DataError: the pair does not fit.
        ImageError: a file is damaged.
    """
    images = pair.load()
    colour = CASES[case](pair, images, case)
    return Images(replace(images.lr, colour=colour), images.hr)


def _clean(pair: ImagePair, images: Images, case: str) -> Rgb:
    return np.asarray(images.lr.colour)


def _jpeg(quality: int, pair: ImagePair, images: Images, case: str) -> Rgb:
    options = [
        cv2.IMWRITE_JPEG_QUALITY, quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    ]  # fmt: skip
    bgr = np.ascontiguousarray(images.lr.colour[:, :, ::-1])
    decoded = cv2.imdecode(cv2.imencode(".jpg", bgr, options)[1], cv2.IMREAD_COLOR)
    assert decoded is not None
    return _as_grey(np.asarray(decoded[:, :, ::-1], np.uint8), images.lr)


def _noise(level: float, pair: ImagePair, images: Images, case: str) -> Rgb:
    key = f"{pair.hr.parent.parent.name}/{pair.name}/{case}"
    draw = np.random.default_rng([SEED, zlib.crc32(key.encode())])
    noisy = images.lr.colour + level * draw.standard_normal(images.lr.colour.shape)
    return _as_grey(np.floor(noisy + 0.5).clip(0, 255).astype(np.uint8), images.lr)


def _blur(sigma: float, pair: ImagePair, images: Images, case: str) -> Rgb:
    at_this_scale = sigma * pair.scale / 4
    blurred = cv2.GaussianBlur(np.asarray(images.hr.colour, np.uint8), (0, 0), at_this_scale)
    return imresize(np.asarray(blurred, np.uint8), 1 / pair.scale)


def _as_grey(colour: Rgb, like: Picture) -> Rgb:
    """Let a grey picture stay grey."""
    return colour[:, :, :1].repeat(3, axis=2) if like.grey else colour


CASES: dict[str, Case] = {
    "clean": _clean,
    **{f"JPEG {quality}": partial(_jpeg, quality) for quality in (90, 75, 50, 30)},
    **{f"noise {level}": partial(_noise, level) for level in (5, 15)},
    **{f"blur {sigma}": partial(_blur, sigma) for sigma in (0.8, 1.6)},
}
