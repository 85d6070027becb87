"""Results of any size: by the nearest network and a resize, judged by Pillow and by arithmetic."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import edgesr
from edgesr.errors import ConfigError, ModelError
from edgesr.library.size import Size, nearest

RANDOM = np.random.default_rng(17)


@pytest.fixture
def repeats(make_nearest: Callable[..., Path]) -> Path:
    """A network that repeats every pixel four times along both sides."""
    return make_nearest(tile=8)


@pytest.mark.parametrize(
    ("factor", "scale"), [(1, 2), (1.5, 2), (2, 2), (2.01, 3), (3, 3), (3.5, 4), (4, 4), (8, 4)]
)
def test_the_nearest_scale(factor: float, scale: int) -> None:
    assert nearest(factor, (4, 2, 3)) == scale


def test_sizes_keep_the_shape() -> None:
    assert Size(2.5).of(101, 50) == (252, 125)
    assert Size(4, width=300).of(200, 100) == (300, 150)
    assert Size(4, width=300, height=120).of(200, 100) == (240, 120)
    assert Size(4, width=300, height=900).of(200, 100) == (300, 150)


@pytest.mark.parametrize("size", [{"scale": 0.9}, {"scale": 8.1}, {"scale": float("nan")},
                                  {"scale": 4, "width": 0}])  # fmt: skip
def test_sizes_that_cannot_be(size: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Size(**size)  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [1, 2, 2.7, 4, 6, 8])
def test_any_scale_by_the_one_network_there_is(repeats: Path, tmp_path: Path, scale: float) -> None:
    ramp = np.linspace(20, 230, 40).round().astype(np.uint8)
    picture = np.broadcast_to(ramp[None, :, None], (30, 40, 3)).copy()
    done = edgesr.upscale(picture, tmp_path / "a.png", model=repeats, scale=scale)
    assert done.network_scale == 4
    assert done.resized_by == (None if scale == 4 else "bicubic")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == done.output_size == (round(40 * scale), round(30 * scale))
        judged = Image.fromarray(picture).resize(image.size, Image.Resampling.BICUBIC)
        error = np.asarray(image).astype(int) - np.asarray(judged)
        assert np.abs(error).max() <= 6  # a ramp of 5.4 levels a pixel, in steps


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_constant_stays_constant_in_every_type_and_alpha_too(repeats: Path, dtype: str) -> None:
    white = 1.0 if dtype == "float32" else np.iinfo(dtype).max
    picture = np.full((12, 10, 4), 0.25 * white).astype(dtype)
    picture[:, 5:, 3] = white  # alpha varies, colour does not
    large = edgesr.upscale(picture, model=repeats, scale=2.5)
    assert (large.shape, large.dtype.name) == ((30, 25, 4), dtype)
    step = 1e-4 if dtype == "float32" else 2
    np.testing.assert_allclose(large[:, :, :3].astype(float), 0.25 * float(white), atol=step)


def test_a_named_network_without_this_scale(tmp_path: Path) -> None:
    picture = RANDOM.integers(0, 256, (16, 16, 3), np.uint8)
    done = edgesr.upscale(picture, tmp_path / "a.png", model="esr-fast", scale=3)
    assert (done.output_size, done.network_scale, done.resized_by) == ((48, 48), 4, "bicubic")
    own = edgesr.upscale(picture, tmp_path / "b.png", model="bicubic", scale=3)
    assert (own.output_size, own.network_scale, own.resized_by) == ((48, 48), 3, None)


def test_a_network_that_there_is_not() -> None:
    with pytest.raises(ModelError, match="those that do: bicubic, espcn, esr, ") as error:
        edgesr.open_model("esrgan")
    assert error.value.fix == "edgesr models"


def test_widths_choose_the_network_by_picture(tmp_path: Path) -> None:
    with edgesr.open_model("bicubic") as model:
        for side, scale in ((30, 2), (20, 3), (15, 4)):
            picture = np.zeros((side, side, 3), np.uint8)
            done = model.upscale(picture, tmp_path / f"{side}.png", width=60)
            assert (done.output_size, done.network_scale) == ((60, 60), scale)
        with pytest.raises(ConfigError, match="enlarged by 12, which is not from 1 to 8"):
            model.upscale(np.zeros((5, 5, 3), np.uint8), width=60)
