from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgesr.errors import ConfigError, ImageError
from edgesr.imaging.encode import FORMATS, check_fits, encode, format_for
from edgesr.imaging.mark import with_mark
from edgesr.imaging.picture import Picture, decode, read_picture

RARE = Path(__file__).parents[1] / "data" / "pictures"
EIGHT_BITS = ("orientation_1.png", "grey.png")
DEEP_OR_TRANSPARENT = ("rgba.png", "rgba_16.png", "grey_16.png")


@pytest.mark.parametrize(
    ("suffix", "name"),
    [(suffix, name) for suffix in (".png", ".tiff", ".bmp") for name in EIGHT_BITS]
    + [(suffix, name) for suffix in (".png", ".tiff") for name in DEEP_OR_TRANSPARENT],
)
def test_lossless_formats_give_back_every_value(suffix: str, name: str) -> None:
    picture, target = read_picture(RARE / name), format_for(suffix)
    again = decode(encode(picture, target)[0])
    np.testing.assert_array_equal(again.colour, picture.colour)
    assert again.colour.dtype == picture.colour.dtype
    assert again.grey == picture.grey
    if picture.alpha is None:
        assert again.alpha is None
    else:
        np.testing.assert_array_equal(again.alpha, picture.alpha)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_quality_decides_size_and_error(suffix: str) -> None:
    picture = read_picture(RARE.parent / "photo.png")
    sizes, errors = [], []
    for quality in (30, 95):
        data, _ = encode(picture, format_for(suffix), quality)
        sizes.append(len(data))
        errors.append(np.abs(decode(data).colour.astype(int) - picture.colour).mean())
    assert sizes[0] < sizes[1] / 2
    assert errors[1] < errors[0] / 2


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp"])
def test_sixteen_bits_become_eight_and_that_is_said(suffix: str) -> None:
    picture = replace(read_picture(RARE / "rgba_16.png"), alpha=None)
    data, notes = encode(picture, format_for(suffix), 100)
    again = decode(data)
    assert again.colour.dtype == np.uint8
    assert np.abs(again.colour * 257.0 - picture.colour).mean() < 257 * 4
    assert "holds 8 bits" in notes[0]


def test_metadata_that_a_format_cannot_hold_is_named() -> None:
    picture = read_picture(RARE / "turned_exif_icc.png")
    data, notes = encode(picture, format_for(".bmp"))
    assert decode(data).colour.shape == picture.colour.shape
    assert notes == ("the EXIF data and the colour profile could not be kept in a BMP file",)


def test_a_profile_of_another_colour_model_is_left_out() -> None:
    """A profile for RGB in a grey file, or for CMYK in an RGB file, makes viewers fail."""
    profile = read_picture(RARE / "turned_exif_icc.png").icc
    assert profile is not None
    grey = replace(read_picture(RARE / "grey.png"), icc=profile)
    data, notes = encode(grey, format_for(".png"))
    assert decode(data).icc is None
    assert "profile could not be kept" in notes[0]


def test_exif_too_large_for_a_jpeg_is_left_out_and_named() -> None:
    picture = replace(read_picture(RARE / "turned_exif_icc.png"), exif=b"II*\0" + bytes(70_000))
    data, notes = encode(picture, format_for(".jpg"))
    again = decode(data)
    assert again.exif == with_mark(replace(picture, exif=None)).exif  # the mark alone
    assert again.icc == picture.icc
    assert notes == ("the EXIF data could not be kept in a JPEG file",)


@pytest.mark.parametrize(("suffix", "side"), [(".jpg", 65_500), (".webp", 16_383)])
def test_the_longest_side_is_that_of_the_library(suffix: str, side: int) -> None:
    target = format_for(suffix)
    longest = Picture(np.zeros((1, side, 3), np.uint8))
    check_fits(longest, 1, target)
    assert decode(encode(longest, target)[0]).width == side
    with pytest.raises(ImageError, match=f"{target.name} ends at {side}"):
        check_fits(longest, 2, target)
    with pytest.raises(ImageError, match="cannot write it"):
        encode(Picture(np.zeros((1, side + 1, 3), np.uint8)), target)


def test_what_png_cannot_hold_either_is_not_sent_there() -> None:
    strip = Picture(np.zeros((1, 300_000, 3), np.uint8))
    for suffix in (".jpg", ".png", ".tif"):
        with pytest.raises(ImageError, match="1200000 pixels long") as caught:
            check_fits(strip, 4, format_for(suffix))
        assert caught.value.fix is None


def test_alpha_is_refused_where_there_is_no_room() -> None:
    with pytest.raises(ImageError, match="no alpha channel"):
        check_fits(read_picture(RARE / "rgba.png"), 4, format_for(".jpg"))


def test_unknown_endings_list_the_known() -> None:
    with pytest.raises(
        ConfigError, match=r"\.png, \.jpg, \.webp, \.tiff, \.bmp, \.avif, \.jxl, not '\.gif'"
    ):
        format_for(".gif")
    assert format_for(".JPEG") is FORMATS[1]
