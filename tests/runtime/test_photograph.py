from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgesr.imaging.exif import orientation, read_directory
from edgesr.imaging.picture import Picture, read_picture
from edgesr.models.registry import get_network
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
from edgesr.runtime.photograph import passes, upscale_picture
from edgesr.runtime.session import Session
from edgesr.runtime.torch_session import TorchSession


def enlarge(session: Session, picture: Picture) -> Picture:
    calls: list[tuple[int, int]] = []
    made = upscale_picture(session, picture, on_tile=lambda *counts: calls.append(counts))
    assert made.tiles == passes(picture) * len(made.plan)
    assert calls == [(done, made.tiles) for done in range(1, made.tiles + 1)]
    return made.picture


@pytest.fixture
def nearest(make_nearest: Callable[..., Path]) -> OnnxRuntimeSession:
    return OnnxRuntimeSession(make_nearest(tile=8))


@pytest.fixture(scope="module")
def bicubic() -> TorchSession:
    pytest.importorskip("torch")
    return TorchSession(get_network("bicubic").module(4).eval(), "bicubic")


@pytest.mark.parametrize(
    "name", ["orientation_1.png", "grey.png", "rgba_16.png", "rgba.png", "grey_16.png",
             "grey_alpha.png"],
)  # fmt: skip
def test_every_kind_keeps_its_values_and_depth(
    nearest: OnnxRuntimeSession, data: Path, name: str
) -> None:
    picture = read_picture(data / "pictures" / name)
    enlarged = enlarge(nearest, picture)

    def repeated(samples: np.ndarray) -> np.ndarray:
        return samples.repeat(4, axis=0).repeat(4, axis=1)

    assert enlarged.grey == picture.grey
    assert enlarged.colour.dtype == picture.colour.dtype
    visible = np.ones((64, 96), bool)
    if picture.alpha is not None:
        np.testing.assert_array_equal(enlarged.alpha, repeated(picture.alpha))
        visible = repeated(picture.alpha) > 0
    np.testing.assert_array_equal(enlarged.colour[visible], repeated(picture.colour)[visible])


def test_a_colour_hidden_by_alpha_never_shows(bicubic: TorchSession) -> None:
    """A red disc; what lies under the transparent pixels around it must not matter at all."""
    y, x = np.mgrid[:24, :24]
    alpha = np.where((y - 11.5) ** 2 + (x - 11.5) ** 2 < 64, 255, 0).astype(np.uint8)
    red = np.zeros((24, 24, 3), np.uint8)
    red[..., 0] = 255
    green = red.copy()
    green[alpha == 0] = (0, 255, 0)
    plain, hidden = (enlarge(bicubic, Picture(colour, alpha)) for colour in (red, green))
    np.testing.assert_array_equal(plain.alpha, hidden.alpha)
    np.testing.assert_array_equal(plain.colour, hidden.colour)
    assert plain.alpha is not None
    visible = plain.alpha > 8
    assert (plain.colour[visible] == (255, 0, 0)).all()
    assert (plain.alpha[visible] < 250).sum() > 0  # the edge is soft, and red all the same


@pytest.mark.parametrize("value", [0, 77, 255])
def test_constant_alpha_stays_and_costs_one_pass(bicubic: TorchSession, value: int) -> None:
    colour = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    picture = Picture(colour, np.full((9, 7), value, np.uint8))
    assert passes(picture) == 1
    enlarged = enlarge(bicubic, picture)
    assert enlarged.alpha is not None
    assert enlarged.alpha.shape == (36, 28)
    assert (enlarged.alpha == value).all()
    np.testing.assert_array_equal(enlarged.colour, enlarge(bicubic, Picture(colour)).colour)


def test_a_grey_picture_has_no_false_colours(bicubic: TorchSession, data: Path) -> None:
    enlarged = enlarge(bicubic, read_picture(data / "pictures" / "grey.jpg"))
    assert (enlarged.colour == enlarged.colour[:, :, :1]).all()


def test_sixteen_bits_are_really_used(bicubic: TorchSession) -> None:
    ramp = np.linspace(0, 65535, 24).astype(np.uint16)
    picture = Picture(np.broadcast_to(ramp[None, :, None], (8, 24, 3)).copy())
    enlarged = enlarge(bicubic, picture)
    assert len(np.unique(enlarged.colour[0] % 256)) > 50


def test_exif_describes_the_result(nearest: OnnxRuntimeSession, data: Path) -> None:
    enlarged = enlarge(nearest, read_picture(data / "pictures" / "turned_exif_icc.jpg"))
    assert enlarged.exif is not None
    assert orientation(enlarged.exif) == 1
    main = read_directory(enlarged.exif)
    assert main is not None
    details = read_directory(enlarged.exif, main.number(0x8769))
    assert details is not None
    assert (details.number(0xA002), details.number(0xA003)) == (64, 96)
    assert enlarged.icc is not None
    without = enlarge(nearest, replace(enlarged, exif=None, colour=enlarged.colour[:8, :8]))
    assert without.exif is None
