"""Colour profiles and other segments of JPEG files, judged by Pillow."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_profiles import cmyk_profile, srgb_profile

from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.picture import decode

PHOTO = Image.open(Path(__file__).parents[1] / "data" / "photo.png")
OTHERS = {
    "MPF": b"MPF\0MM\0*" + bytes(10),
    "FPXR": b"FPXR\0\0" + bytes(20),
    "gain map": b"urn:iso:std:iso:ts:21496:-1\0" + bytes(8),
}


def _jpeg(**options: object) -> bytes:
    file = io.BytesIO()
    PHOTO.save(file, "JPEG", quality=95, **options)
    return file.getvalue()


def _segment(content: bytes, marker: int = 0xE2) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def _with_segment(jpeg: bytes, content: bytes, behind: bool) -> bytes:
    """Put another APP2 segment before or behind the one that is there, or behind the first."""
    at = jpeg.find(b"\xff\xe2")
    at = at if at >= 0 else 2
    if behind:
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return jpeg[:at] + _segment(content) + jpeg[at:]


@pytest.mark.parametrize("ending", [".jpg", ".webp", ".png", ".tiff", ".avif"])
@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("other", OTHERS)
def test_another_app2_segment_is_no_part_of_the_profile(
    other: str, behind: bool, ending: str
) -> None:
    profile = srgb_profile()
    picture = decode(_with_segment(_jpeg(icc_profile=profile), OTHERS[other], behind))
    assert picture.icc == profile
    data, notes = encode(picture, format_for(ending))
    assert notes == ()
    assert Image.open(io.BytesIO(data)).info["icc_profile"] == profile


def test_a_photo_with_another_app2_segment_and_no_profile_has_no_note() -> None:
    picture = decode(_with_segment(_jpeg(), OTHERS["MPF"], True))
    data, notes = encode(picture, format_for(".jpg"))
    assert (picture.icc, picture.notes, notes) == (None, (), ())
    assert "icc_profile" not in Image.open(io.BytesIO(data)).info


def test_parts_of_a_profile_are_put_in_their_order() -> None:
    profile = srgb_profile()
    parts = [profile[:200], profile[200:400], profile[400:]]
    segments = [
        _segment(b"ICC_PROFILE\0" + bytes([n + 1, 3]) + part) for n, part in enumerate(parts)
    ]
    jpeg = _jpeg()
    shuffled = jpeg[:2] + segments[2] + segments[0] + segments[1] + jpeg[2:]
    assert decode(shuffled).icc == profile
    cut = decode(jpeg[:2] + segments[2] + segments[0] + jpeg[2:])
    assert cut.icc is None
    assert cut.notes == ("its colour profile has missing parts and was left out",)


def test_a_long_profile_is_written_in_parts() -> None:
    long = bytearray(srgb_profile() + bytes(150_000))
    long[:4] = len(long).to_bytes(4, "big")
    picture = decode(_jpeg(icc_profile=bytes(long)))
    assert picture.icc == bytes(long)
    data, _ = encode(picture, format_for(".jpg"))
    assert Image.open(io.BytesIO(data)).info["icc_profile"] == bytes(long)


def test_a_cmyk_photo_is_converted_through_its_profile() -> None:
    """Pillow's LittleCMS on the inks that Pillow decodes, as it names them."""
    from PIL import ImageCms

    file, profile = io.BytesIO(), cmyk_profile()
    PHOTO.convert("CMYK").save(file, "JPEG", quality=98, icc_profile=profile)
    picture = decode(file.getvalue())
    judge = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), "CMYK",
        "RGB", renderingIntent=1, flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )  # fmt: skip
    expected = ImageCms.applyTransform(Image.open(file), judge)
    assert expected is not None
    assert np.abs(picture.colour.astype(int) - np.asarray(expected)).max() <= 1
    assert picture.icc is None
    assert picture.notes == ("its CMYK colours were converted to sRGB through their profile",)
