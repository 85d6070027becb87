"""The fixtures are corners of Set5's "butterfly" (HR, and the published MATLAB LR of x4)."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr.errors import ConfigError, ImageError
from edgesr.imaging.resize import contributions, cubic, imresize, resized_length

DATA = Path(__file__).parent / "data"
SETS = [("Set5", 5), ("Set14", 14), pytest.param("BSD100", 100, marks=pytest.mark.long)]


def read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, path
    return image


def by_the_formula(image: np.ndarray, scale: float) -> np.ndarray:
    """Resize a float picture sample by sample, from the definition, without any of our code."""

    def kernel(x: float) -> float:
        x = abs(x)
        if x <= 1:
            return 1.5 * x**3 - 2.5 * x**2 + 1
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0

    def axis(column: np.ndarray) -> np.ndarray:
        shrink, n = min(scale, 1.0), len(column)
        result = []
        for i in range(int(np.ceil(n * scale - 1e-6))):
            centre, total, norm = (i + 0.5) / scale - 0.5, 0.0, 0.0
            for j in range(-60, n + 60):
                weight = kernel((centre - j) * shrink)
                total += weight * column[min(max(j, 0), n - 1)]
                norm += weight
            result.append(total / norm)
        return np.array(result)

    return np.apply_along_axis(axis, 1, np.apply_along_axis(axis, 0, image))


def test_the_corners_of_a_published_lr_file_come_out_without_one_differing_value():
    for corner, part in (("top_left", np.s_[:16, :16]), ("bottom_right", np.s_[-16:, -16:])):
        hr, lr = (read(DATA / f"imresize_{corner}_{side}.png") for side in ("hr", "lr"))
        np.testing.assert_array_equal(imresize(hr, 1 / 4)[part], lr)


@pytest.mark.parametrize(("name", "count"), SETS)
def test_every_lr_file_of_the_benchmarks_is_reproduced_exactly(name: str, count: int):
    root = os.environ.get("EDGESR_DATA")
    if root is None:
        pytest.skip("EDGESR_DATA names no folder with Set5, Set14 and BSD100")
    files = sorted((Path(root) / name / "LRx4").iterdir())
    assert len(files) == count
    for file in files:
        (hr_file,) = (Path(root) / name / "HR").glob(f"{file.stem}.*")
        hr, lr = read(hr_file), read(file)
        cut = hr[: hr.shape[0] // 4 * 4, : hr.shape[1] // 4 * 4]
        np.testing.assert_array_equal(imresize(cut, 1 / 4), lr, err_msg=str(file))


@pytest.mark.parametrize("scale", [4, 3, 2, 1.5, 1 / 2, 1 / 3, 1 / 4, 0.4, 0.37])
def test_any_factor_is_what_the_definition_says(scale: float):
    image = np.random.default_rng(1).random((13, 21))
    expected = by_the_formula(image, scale)
    np.testing.assert_allclose(imresize(image, scale), expected, rtol=0, atol=1e-12)
    single = imresize(image.astype(np.float32), scale)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("scale", [2, 1 / 4])
def test_integer_pictures_are_rounded_half_up_after_the_heights_and_again_after_the_widths(scale):
    image = np.random.default_rng(2).integers(0, 256, (20, 24), np.uint8)

    def rounded(values: np.ndarray) -> np.ndarray:
        return np.clip(np.floor(values + 0.5), 0, 255)

    def one_pass(values: np.ndarray, length: int) -> np.ndarray:
        indices, weights = contributions(length, scale)
        return rounded(np.einsum("ok,ok...->o...", weights, values[indices]))

    expected = one_pass(one_pass(image.astype(float), 20).T, 24).T
    np.testing.assert_array_equal(imresize(image, scale), expected)
    at_once = rounded(by_the_formula(image.astype(float), scale))
    assert (at_once != expected).any()  # the order of rounding is visible on this picture


def test_channels_are_resized_alike_and_grey_needs_none():
    image = np.random.default_rng(3).integers(0, 65536, (9, 11, 4), np.uint16)
    result = imresize(image, 2)
    assert (result.shape, result.dtype) == ((18, 22, 4), np.uint16)
    assert result.flags.c_contiguous
    for channel in range(4):
        np.testing.assert_array_equal(result[..., channel], imresize(image[..., channel], 2))


def test_a_float_picture_keeps_its_overshoot_and_an_integer_one_is_clipped():
    edge = np.repeat([[0.0] * 8 + [1.0] * 8], 4, axis=0)
    result = imresize(edge, 4)
    assert result.min() < -0.01
    assert result.max() > 1.01
    eight_bit = imresize((edge * 255).astype(np.uint8), 4)
    assert (eight_bit[result < 0] == 0).all()
    assert (eight_bit[result > 1] == 255).all()


@settings(max_examples=60)
@given(
    length=st.integers(1, 300),
    scale=st.floats(0.02, 8) | st.sampled_from([1 / 2, 1 / 3, 1 / 4, 1.0, 2.0, 3.0, 4.0]),
)
def test_weights_sum_to_one_and_stay_inside(length: int, scale: float):
    indices, weights = contributions(length, scale)
    assert indices.shape == weights.shape == (resized_length(length, scale), weights.shape[1])
    assert indices.min() >= 0
    assert indices.max() < length
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=0, atol=1e-12)


def test_whole_factors_have_as_many_phases_as_they_say():
    taps, rows = contributions(64, 1 / 4).weights.shape[1], contributions(64, 1 / 4).weights
    assert taps == 16
    np.testing.assert_allclose(rows, np.broadcast_to(rows[0], rows.shape), rtol=0, atol=1e-15)
    enlarging = contributions(16, 4).weights.reshape(16, 4, -1)
    np.testing.assert_allclose(
        enlarging, np.broadcast_to(enlarging[0], enlarging.shape), rtol=0, atol=1e-15
    )


def test_lengths_round_up_but_not_for_the_sake_of_rounding_errors():
    assert [resized_length(n, 1 / 4) for n in (1, 4, 5, 481)] == [1, 1, 2, 121]
    assert all(resized_length(3 * n, 1 / 3) == n for n in range(1, 3000))
    assert all(resized_length(n, 1.1) == -(-11 * n // 10) for n in range(1, 3000))


def test_the_kernel_interpolates_and_one_pixel_stays_itself():
    np.testing.assert_array_equal(cubic(np.array([-2.0, -1.0, 0.0, 1.0, 2.0])), [0, 0, 1, 0, 0])
    pixel = np.array([[[7, 80, 255]]], np.uint8)
    np.testing.assert_array_equal(imresize(pixel, 4), np.broadcast_to(pixel, (4, 4, 3)))
    np.testing.assert_array_equal(imresize(pixel, 1 / 4), pixel)
    np.testing.assert_array_equal(imresize(pixel, 1), pixel)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_factor_is_refused(scale: float):
    with pytest.raises(ConfigError, match="cannot resize 8 samples by"):
        imresize(np.zeros((8, 8), np.uint8), scale)


@pytest.mark.parametrize(
    "image", [np.zeros((0, 8, 3), np.uint8), np.zeros(8, np.uint8), np.zeros((8, 8), np.int32)]
)
def test_what_is_no_picture_is_refused(image: np.ndarray):
    with pytest.raises(ImageError, match="cannot resize"):
        imresize(image, 2)
