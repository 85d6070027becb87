"""What kinds of files `edgesr upscale` writes, and what they keep or lose."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from upscaling import repeated, run

from edgesr.imaging.mark import is_marked
from edgesr.imaging.picture import read_picture


@pytest.mark.parametrize(
    ("name", "kind"),
    [("grey.png", (64, 96)), ("rgba.png", (64, 96, 4)), ("grey_alpha.png", (64, 96, 4)),
     ("palette.png", (64, 96, 3)), ("rgba_16.png", (64, 96, 4)), ("grey_16.png", (64, 96)),
     ("turned_exif_icc.jpg", (96, 64, 3)), ("rgba.webp", (64, 96, 4))],
)  # fmt: skip
def test_kind_and_depth_of_the_result(
    here: Path, data: Path, nearest: str, name: str, kind: tuple[int, ...]
) -> None:
    path = data / "pictures" / name
    assert run(path, "-m", nearest, "-o", "out.png") == 0
    result = cv2.imread("out.png", cv2.IMREAD_UNCHANGED)
    assert result.shape == kind
    assert result.dtype == (np.uint16 if "16" in name else np.uint8)
    picture, enlarged = read_picture(path), read_picture(here / "out.png")
    assert is_marked(enlarged.exif)
    assert enlarged.icc == picture.icc


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (15, 16), (17, 16), (33, 2)])
def test_every_size(here: Path, nearest: str, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    cv2.imwrite("small.png", pixels)
    assert run("small.png", "-m", nearest) == 0
    np.testing.assert_array_equal(cv2.imread("small_x4.png"), repeated(here / "small.png"))


@pytest.mark.parametrize("suffix", ["jpg", "webp", "avif"])
def test_quality(here: Path, nearest: str, suffix: str) -> None:
    assert run("photo.png", "-m", nearest, "-o", f"high.{suffix}") == 0  # at 95
    assert run("photo.png", "-m", nearest, "-o", f"low.{suffix}", "--quality", 20) == 0
    high, low = (Path(f"{name}.{suffix}") for name in ("high", "low"))
    assert low.stat().st_size < high.stat().st_size / 2
    shown = np.asarray(Image.open(high))[:, :, ::-1].astype(int)
    assert np.abs(shown - repeated(here / "photo.png")).mean() < 6


@pytest.mark.parametrize("suffix", ["tiff", "bmp"])
def test_formats_that_lose_nothing(here: Path, nearest: str, suffix: str) -> None:
    assert run("photo.png", "-m", nearest, "-o", f"big.{suffix}") == 0
    np.testing.assert_array_equal(cv2.imread(f"big.{suffix}"), repeated(here / "photo.png"))


def test_transparency_is_refused_for_jpeg_before_the_work(
    here: Path, data: Path, nearest: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(data / "pictures/rgba.png", "-m", nearest, "-o", "out.jpg") == 1
    said = capfd.readouterr().err
    assert "rgba.png: JPEG has no alpha channel\n  try: --background white" in said
    assert not (here / "out.jpg").exists()


def test_a_background_shows_through_where_a_format_has_no_alpha(
    here: Path, nearest: str, capfd: pytest.CaptureFixture[str]
) -> None:
    pixels = np.zeros((20, 30, 4), np.uint8)
    pixels[:, 15:] = (255, 255, 255, 255)
    cv2.imwrite("half.png", pixels)
    assert run("half.png", "-m", nearest, "-o", "half.jpg", "--background", "#ff0000") == 0
    large = cv2.imread("half.jpg")
    assert np.abs(large[:, :40].astype(int) - (0, 0, 255)).max() <= 3
    assert large[:, 80:].min() >= 250
    assert run("half.png", "-m", nearest, "-o", "b.jpg", "--background", "puce") != 0
    assert "--background: 'puce' is no colour" in capfd.readouterr().err
    pixels[:, :, 3] = 255
    cv2.imwrite("opaque.png", pixels)
    assert run("opaque.png", "-m", nearest, "-o", "opaque.jpg") == 0


def test_a_background_that_nothing_shows_is_refused(
    here: Path, data: Path, nearest: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """As --quality is where nothing is lost."""
    picture = data / "pictures/rgba.png"
    assert run(picture, "-m", nearest, "-o", "b.png", "--background", "white") == 1
    told = capfd.readouterr().err
    assert "--background: does nothing for a format that holds transparency" in told
    assert not (here / "b.png").exists()


def test_what_is_lost_is_noted(
    here: Path, data: Path, nearest: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(data / "pictures/turned_exif_icc.jpg", "-m", nearest, "-o", "out.bmp") == 0
    out = capfd.readouterr().out
    lost = "the EXIF data and the colour profile"
    assert f"  note: {lost} could not be kept in a BMP file\n" in out
