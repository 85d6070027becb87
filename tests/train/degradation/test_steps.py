"""Blur, resizing, noise and draws, each against another implementation or its definition."""

import math
from dataclasses import fields

import cv2
import numpy as np
import pytest
import torch

from edgesr.imaging.resize import contributions
from edgesr.train.degradation import draw as draws
from edgesr.train.degradation.blur import covariances, gaussian_blur
from edgesr.train.degradation.noise import LUMA, MIDDLE, add_noise
from edgesr.train.degradation.resize import AREA, BICUBIC, BILINEAR, matrices, resize


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width, 3)).astype(np.float32) * 255


def as_tensor(*pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


def ones(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)


def test_blur_is_the_gaussian_of_opencv() -> None:
    one, other = picture(40, 50), picture(40, 50, seed=1)
    sigmas, others = ones(1.5, 2.0), ones(1.5, 1.3)
    blurred = gaussian_blur(as_tensor(one, other), covariances(sigmas, others, ones(0.0, 0.0)))
    for got, source, across, down in zip(
        blurred, (one, other), sigmas.tolist(), others.tolist(), strict=True
    ):
        kernels = [cv2.getGaussianKernel(31, sigma) for sigma in (across, down)]
        wanted = cv2.sepFilter2D(source, -1, *kernels)
        inner = (slice(8, -8), slice(8, -8))  # what a border is taken for differs
        np.testing.assert_allclose(got.permute(1, 2, 0).numpy()[inner], wanted[inner], atol=0.02)


def test_blur_turns_with_its_angle() -> None:
    point = torch.zeros(1, 1, 41, 41)
    point[..., 20, 20] = 1.0
    angle = 0.5
    spread = gaussian_blur(point, covariances(ones(3.0), ones(1.0), ones(angle)))[0, 0].double()
    at = torch.arange(41, dtype=torch.float64) - 20
    assert spread.sum().item() == pytest.approx(1, abs=1e-5)
    yy = (spread * at[:, None] ** 2).sum().item()
    xx = (spread * at[None, :] ** 2).sum().item()
    yx = (spread * at[:, None] * at[None, :]).sum().item()
    long, short = 9.0, 1.0
    assert xx == pytest.approx(long * math.cos(angle) ** 2 + short * math.sin(angle) ** 2, rel=1e-3)
    assert yy == pytest.approx(long * math.sin(angle) ** 2 + short * math.cos(angle) ** 2, rel=1e-3)
    assert yx == pytest.approx((long - short) * math.sin(angle) * math.cos(angle), rel=1e-3)


def test_no_blur_changes_nothing() -> None:
    pictures = as_tensor(picture(30, 32))
    same = gaussian_blur(pictures, covariances(ones(0.0), ones(0.0), ones(1.0)))
    torch.testing.assert_close(same, pictures, atol=1e-3, rtol=0)


@pytest.mark.parametrize("factor", [0.25, 0.4, 1.7])
def test_bicubic_weights_are_those_of_imresize(factor: float) -> None:
    length = 40
    wanted = np.zeros((math.ceil(length * factor), length))
    found = contributions(length, factor)
    np.add.at(wanted, (np.arange(len(wanted))[:, None], found.indices), found.weights)
    centres = (torch.arange(len(wanted)) + 0.5) / factor - 0.5
    got = matrices(centres[None], ones(1 / factor), ones(BICUBIC), ones(length), length)[0]
    inside = slice(6, -6)  # imresize repeats the border, here it ends
    np.testing.assert_allclose(got.numpy()[inside], wanted[inside], atol=1e-5)


@pytest.mark.parametrize("factor", [2, 4])
def test_area_is_that_of_opencv(factor: int) -> None:
    source = picture(24, 32)
    centres = [(torch.arange(n // factor) + 0.5) * factor - 0.5 for n in (24, 32)]
    rows, columns = (
        matrices(at[None], ones(factor), ones(AREA), ones(n), n)
        for at, n in zip(centres, (24, 32), strict=True)
    )
    wanted = cv2.resize(source, (32 // factor, 24 // factor), interpolation=cv2.INTER_AREA)
    got = resize(as_tensor(source), rows, columns)[0].permute(1, 2, 0)
    np.testing.assert_allclose(got.numpy(), wanted, atol=1e-3)


def test_bilinear_enlarges_as_opencv() -> None:
    source = picture(10, 12)
    centres = [(torch.arange(2 * n) + 0.5) / 2 - 0.5 for n in (10, 12)]
    rows, columns = (
        matrices(at[None], ones(0.5), ones(BILINEAR), ones(n), n)
        for at, n in zip(centres, (10, 12), strict=True)
    )
    wanted = cv2.resize(source, (24, 20), interpolation=cv2.INTER_LINEAR)
    got = resize(as_tensor(source), rows, columns)[0].permute(1, 2, 0)
    np.testing.assert_allclose(got.numpy(), wanted, atol=1e-2)


@pytest.mark.parametrize("kernel", [BICUBIC, BILINEAR, AREA])
def test_every_size_keeps_a_constant_and_ignores_what_is_no_picture(kernel: int) -> None:
    step = ones(0.5, 1.0, 3.7)
    centres = torch.arange(30) * step[:, None] - 2.0
    weights = matrices(centres, step, torch.full((3,), kernel), ones(20, 12, 20), 20)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 30))
    assert weights[1, :, 12:].abs().max() == 0


def test_noise_has_the_strength_that_was_asked_for() -> None:
    torch.manual_seed(0)
    grey_levels = (40.0, MIDDLE, 220.0)
    flat = torch.tensor(grey_levels).repeat_interleave(100).expand(4, 3, 200, 300)
    level, shot, same = ones(5, 5, 12, 0), ones(0, 1, 0, 1), ones(0, 0, 1, 0)
    noise = add_noise(flat, torch.randn(flat.shape), level, shot, same) - flat
    assert noise[3].abs().max() == 0
    for number, signal in enumerate(grey_levels):
        column = noise[..., 100 * number : 100 * (number + 1)]
        assert column[0].std().item() == pytest.approx(5, rel=0.02)
        assert column[1].std().item() == pytest.approx(5 * math.sqrt(signal / MIDDLE), rel=0.02)
    assert noise[2].std().item() == pytest.approx(12, rel=0.02)
    torch.testing.assert_close(noise[2, 0], noise[2, 2], atol=1e-3, rtol=0)
    correlation = torch.corrcoef(noise[0].flatten(1))[0, 1]
    assert abs(correlation.item()) < 0.02


def test_grey_shot_noise_follows_the_luma() -> None:
    torch.manual_seed(0)
    colour = ones(200, 30, 90)[:, None, None].expand(1, 3, 200, 200)
    noise = add_noise(colour, torch.randn(colour.shape), ones(8), ones(1), ones(1)) - colour
    luma = sum(weight * value for weight, value in zip(LUMA, (200, 30, 90), strict=True))
    assert noise.std().item() == pytest.approx(8 * math.sqrt(luma / MIDDLE), rel=0.03)
    torch.testing.assert_close(noise[:, 0], noise[:, 1], atol=1e-3, rtol=0)


def test_draws_keep_to_their_ranges_and_shares() -> None:
    many = draws.draw(0, 0, 20_000)
    values = {field.name: getattr(many, field.name).numpy() for field in fields(many)}

    def share(name: str) -> float:
        return float((values[name] > 0).mean())

    shares = {"clean": draws.CLEAN, "sigma": draws.BLUR, "former": draws.FORMER,
              "jpeg": draws.JPEG, "noise": draws.NOISE, "shot": draws.SHOT}  # fmt: skip
    for name, wanted in shares.items():
        assert share(name) == pytest.approx(wanted, abs=0.02), name
    low, high = draws.JPEG_QUALITY
    qualities = values["jpeg"][values["jpeg"] > 0]
    assert (qualities.min(), qualities.max()) == (low, high)
    assert sorted(set(values["kernel"])) == [BICUBIC, BILINEAR, AREA]
    noise = values["noise"][values["noise"] > 0]
    quarter = draws.NOISE_LEVELS[0] + (draws.NOISE_LEVELS[1] - draws.NOISE_LEVELS[0]) / 4
    assert (noise < quarter).mean() == pytest.approx(0.5, abs=0.03)
    assert noise.max() <= draws.NOISE_LEVELS[1]
    sizes = values["former_size"]
    assert draws.FORMER_SIZE[0] <= sizes.min() < 0.65 and 1.9 < sizes.max() <= draws.FORMER_SIZE[1]
    assert (values["grid_row"].min(), values["grid_column"].max()) == (0, 15)
    isotropic = values["sigma"] == values["other_sigma"]
    assert isotropic[values["sigma"] > 0].mean() == pytest.approx(1 - draws.ANISOTROPIC, abs=0.02)


def test_a_step_is_drawn_alike_whatever_came_before() -> None:
    def packed(seed: int, step: int) -> np.ndarray:
        drawn = draws.draw(seed, step, 8)
        return np.stack([getattr(drawn, field.name).numpy() for field in fields(drawn)])

    first = packed(3, 7)
    packed(3, 8)
    np.testing.assert_array_equal(first, packed(3, 7))
    assert not np.array_equal(first, packed(3, 8))
    assert not np.array_equal(first, packed(4, 7))
    assert draws.noise_seed(3, 7) != draws.noise_seed(3, 8)
