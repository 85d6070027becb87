"""Constant and nearly constant areas, through every network that ships."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgesr.imaging.local_range import ALPHA, COLOUR, LocalRange
from edgesr.imaging.picture import Picture, read_picture
from edgesr.runtime.photograph import upscale_picture
from edgesr.runtime.select import open_session
from edgesr.runtime.session import Session
from edgesr.weights import shipped, shipped_names

COLOURS_8 = ((0, 0, 0), (1, 1, 1), (128, 128, 128), (255, 255, 255), (0, 0, 255), (77, 130, 230))
COLOURS_16 = ((0, 0, 0), (1, 1, 1), (200, 200, 200), (65535, 65535, 65535), (300, 0, 65535))
SHAPE = (70, 66)  # two tiles of 64 each way: edges, corners and a blend

NETWORKS = [
    *((name, scale, "onnxruntime") for name, scale in sorted(shipped_names())),
    *(
        (str(path), 4, "onnxruntime")
        for path in sorted(shipped("student", 4, "onnx").parent.glob("*_x4_fp16.onnx"))
    ),
    ("student", 4, "torch"),
    ("esr-fast", 4, "torch"),
]


ALWAYS_16 = ("student", 4, "onnxruntime")
"""Pictures of 16 bits go another way outside of networks alone, so that one shows it."""

CASES = [
    pytest.param(
        network,
        dtype,
        id=f"{Path(network[0]).stem}-x{network[1]}-{network[2]}-{dtype.__name__}",
        marks=[pytest.mark.long] * (dtype is np.uint16 and network != ALWAYS_16),
    )
    for network in NETWORKS
    for dtype in (np.uint8, np.uint16)
]


@pytest.fixture(scope="module")
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    name, scale, backend = request.param
    opened = open_session(name, backend, scale)
    yield opened
    opened.close()


def enlarge(session: Session, picture: Picture) -> Picture:
    return upscale_picture(session, picture).picture


@pytest.mark.parametrize(("session", "dtype"), CASES, indirect=["session"])
def test_a_constant_stays_constant_to_the_last_corner(session: Session, dtype: type) -> None:
    for colour in COLOURS_8 if dtype is np.uint8 else COLOURS_16:
        picture = Picture(np.full((*SHAPE, 3), colour, dtype))
        large = enlarge(session, picture).colour
        assert large.shape == (session.scale * SHAPE[0], session.scale * SHAPE[1], 3)
        difference = np.abs(large.astype(np.int64) - np.array(colour))
        assert difference.max() <= (0 if dtype is np.uint8 else 1), colour


def test_paper_and_borders_beside_detail_stay(data: Path) -> None:
    """A photograph on white paper in a black frame: the paper and the frame are even."""
    photo = read_picture(data / "photo.png").colour[:48, :64]
    page = np.full((100, 110, 3), 255, np.uint8)
    page[:9], page[-9:], page[:, :9], page[:, -9:] = 0, 0, 0, 0
    page[28:76, 24:88] = photo
    session = open_session("student", "onnxruntime", 4)
    large = enlarge(session, Picture(page)).colour
    session.close()
    far = cv2.dilate(page, np.ones((11, 11))) == cv2.erode(page, np.ones((11, 11)))
    far = far.repeat(4, 0).repeat(4, 1)
    assert far.mean() > 0.05
    np.testing.assert_array_equal(large[far], page.repeat(4, 0).repeat(4, 1)[far])


def test_detail_is_not_touched(data: Path) -> None:
    """Of a city's 786,432 values the limit moves fewer than one in two hundred."""
    tile = read_picture(data / "city_512.jpg").colour[128:192, 128:192].astype(np.float32) / 255
    tile = np.ascontiguousarray(tile.transpose(2, 0, 1))
    session = open_session("student", "onnxruntime", 4)
    (large,) = session.run(tile[None])
    session.close()
    kept = COLOUR.keep(tile, large)
    moved = np.rint(255 * np.clip(kept, 0, 1)) != np.rint(255 * np.clip(large, 0, 1))
    assert moved.mean() < 1 / 200


@settings(max_examples=50)
@given(
    seed=st.integers(0, 999), contrast=st.floats(0, 1), reach=st.integers(1, 4),
    slack=st.floats(0, 2), scale=st.integers(2, 4),
)  # fmt: skip
def test_the_limit_widens_evenly_with_the_contrast(
    seed: int, contrast: float, reach: int, slack: float, scale: int
) -> None:
    """A change of the picture moves the result by no more than so many times that change."""
    generator = np.random.default_rng(seed)
    tile = np.float32(contrast) * generator.random((2, 12, 9), np.float32)
    large = generator.normal(0.5, 1.0, (2, 12 * scale, 9 * scale)).astype(np.float32)
    near = LocalRange(reach, slack)
    kept = near.keep(tile, large)
    assert kept.min() >= tile.min() - slack * np.ptp(tile) - 1e-5
    assert kept.max() <= tile.max() + slack * np.ptp(tile) + 1e-5
    change = generator.uniform(-0.01, 0.01, tile.shape).astype(np.float32)
    moved = np.abs(near.keep(tile + change, large) - kept).max()
    assert moved <= (1 + 2 * slack) * 0.01 + 1e-5


@pytest.mark.parametrize("model", ["student", "photo", "espcn"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_is_nothing_away_from_an_object(model: str, dtype: type, tmp_path: Path) -> None:
    white = np.iinfo(dtype).max
    alpha = np.zeros((90, 120), np.uint8)
    cv2.circle(alpha, (60, 45), 20, 255, -1, cv2.LINE_AA)
    alpha = (alpha.astype(np.float64) / 255 * white).astype(dtype)
    colour = np.broadcast_to(np.array([200, 40, 10], dtype), (90, 120, 3)).copy()
    session = open_session(model, "onnxruntime", 4)
    enlarged = enlarge(session, Picture(colour, alpha))
    session.close()
    large = enlarged.alpha
    assert large is not None
    square = np.ones((5, 5), np.uint8)
    for end, reached in ((0, cv2.dilate(alpha, square)), (white, cv2.erode(alpha, square))):
        there = (reached == end).repeat(4, 0).repeat(4, 1)
        assert there.mean() > 0.05
        assert (large[there] == end).all()
    shown = Image.fromarray((large > 0).astype(np.uint8)).getbbox()
    known = Image.fromarray((alpha > 0).astype(np.uint8)).getbbox()
    assert shown is not None and known is not None
    assert np.abs(np.subtract(shown, np.multiply(known, 4))).max() <= 8  # two input pixels


def test_opacity_keeps_its_range() -> None:
    alpha = np.zeros((1, 8, 8), np.float32)
    alpha[:, :, 4:] = 1.0
    large = np.full((1, 32, 32), 0.5, np.float32)
    kept = ALPHA.keep(alpha, large)
    assert (kept[:, :, :8] == 0).all()
    assert (kept[:, :, -8:] == 1).all()
