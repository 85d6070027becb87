from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgesr.errors import ConfigError, ModelError
from edgesr.imaging.picture import read_picture
from edgesr.models.registry import get_network
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
from edgesr.runtime.tile_overlap import DEFAULT_OVERLAP
from edgesr.runtime.torch_session import TorchSession
from edgesr.runtime.upscale import plan_for, upscale

Maker = Callable[..., Path]


@pytest.fixture(scope="module")
def bicubic() -> TorchSession:
    pytest.importorskip("torch")
    return TorchSession(get_network("bicubic").module(4).eval(), "bicubic")


@pytest.fixture
def photo(data: Path) -> np.ndarray:
    return (read_picture(data / "photo.png").colour / 255).astype(np.float32)


@pytest.mark.parametrize("batch", [None, 1, 5])
@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (17, 40), (61, 3)])
def test_every_size_and_batch(
    make_nearest: Maker, batch: int | None, shape: tuple[int, int]
) -> None:
    session = OnnxRuntimeSession(make_nearest(batch=batch))
    rgb = np.random.default_rng(0).random((*shape, 3), np.float32)
    enlarged = upscale(session, rgb)
    np.testing.assert_allclose(enlarged, rgb.repeat(4, axis=0).repeat(4, axis=1), atol=3e-7)


def test_tiles_of_a_local_network_give_the_whole_picture(
    bicubic: TorchSession, photo: np.ndarray
) -> None:
    """Bicubic sees two pixels to each side; where the weight is above zero the tiles agree."""
    whole = upscale(bicubic, photo)
    tiled = upscale(bicubic, photo, tile=48, overlap=16)
    inner = np.abs(tiled - whole)
    assert np.median(inner) < 1e-6
    assert inner.max() < 0.06  # the outermost pixels of a tile repeat its border, at small weight
    assert inner.mean() < 2e-4


def test_two_backends_agree(make_nearest: Maker, bicubic: TorchSession, photo: np.ndarray) -> None:
    assert bicubic.tile is None
    assert bicubic.scale == 4
    whole = upscale(bicubic, photo)
    assert whole.shape == (432, 576, 3)
    assert whole.dtype == np.float32
    assert 0.0 <= whole.min() <= whole.max() <= 1.0
    nearest = upscale(OnnxRuntimeSession(make_nearest()), photo)
    assert np.abs(nearest - whole).mean() < 0.05


def test_on_tile_is_called_for_every_tile(make_nearest: Maker, photo: np.ndarray) -> None:
    session = OnnxRuntimeSession(make_nearest(batch=4))
    calls: list[tuple[int, int]] = []
    upscale(session, photo, on_tile=lambda *counts: calls.append(counts))
    tiles = len(plan_for(session, 108, 144))
    assert calls == [(done, tiles) for done in range(1, tiles + 1)]
    assert tiles > 4


@pytest.mark.parametrize(
    ("then", "message"),
    [(("Div", 0.0), "infinite|NaN"), (("Mul", float("nan")), "NaN"), (("Mul", 0.0), "black"),
     (("Add", float("inf")), "infinite")],
)  # fmt: skip
def test_a_broken_tile_is_named(
    make_nearest: Maker, photo: np.ndarray, then: tuple[str, float], message: str
) -> None:
    session = OnnxRuntimeSession(make_nearest(then=then))
    with pytest.raises(ModelError, match=message) as error:
        upscale(session, np.maximum(photo, 0.1), overlap=4)
    assert "tile 1 of 108 (rows 0 to 15, columns 0 to 15)" in error.value.what
    assert error.value.where == "nearest on onnxruntime"


def test_a_black_picture_may_be_black(make_nearest: Maker) -> None:
    session = OnnxRuntimeSession(make_nearest())
    assert upscale(session, np.zeros((20, 20, 3), np.float32)).max() == 0.0


def test_the_tile_of_a_network_is_fixed(make_nearest: Maker) -> None:
    session = OnnxRuntimeSession(make_nearest(tile=16))
    with pytest.raises(ConfigError, match="made for tiles of 16, not 32") as error:
        plan_for(session, 100, 100, 32, None)
    assert error.value.fix == "edgesr export -m nearest -s 4 --tile 32"
    assert len(plan_for(session, 100, 100, 16, 4)) == 64


def test_defaults(make_nearest: Maker, bicubic: TorchSession) -> None:
    assert plan_for(OnnxRuntimeSession(make_nearest(tile=16)), 50, 50, None, None).rows.overlap == 8
    assert plan_for(bicubic, 50, 500, None, None).columns.tile == 500
    assert plan_for(bicubic, 50, 500, 64, None).columns.overlap == DEFAULT_OVERLAP
    with pytest.raises(ConfigError, match="at least 1 pixel"):
        plan_for(bicubic, 50, 50, 0, None)
