"""JPEG XL, written by cjxl (tests/data/make_jxl.py) or here and judged by pillow-jxl-plugin."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pillow_jxl
import pytest
from peak_memory import PEAK_KIB
from PIL import Image, ImageCms, ImageOps

from edgesr.errors import ImageError, LimitError
from edgesr.imaging import libjxl
from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.jxl_boxes import SIGNATURE, read_boxes
from edgesr.imaging.jxl_memory import Budget
from edgesr.imaging.picture import Picture, decode, read_picture

DATA = Path(__file__).parents[1] / "data"
PICTURES = DATA / "pictures"
PHOTO = np.asarray(Image.open(DATA / "photo.png").crop((20, 20, 84, 68)))
SMALL = PHOTO[20:36, 20:44]
JXL = format_for(".jxl")


def _srgb(pixels: np.ndarray, icc: bytes | None) -> np.ndarray:
    """Return colours as LittleCMS converts them."""
    srgb = ImageCms.createProfile("sRGB")
    profile = srgb if icc is None else ImageCms.ImageCmsProfile(io.BytesIO(icc))
    image = ImageCms.profileToProfile(Image.fromarray(pixels), profile, srgb, 1, outputMode="RGB")
    return np.asarray(image).astype(float)


def _theirs(data: bytes) -> Image.Image:
    assert pillow_jxl.Decoder  # it told Pillow of itself
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_colours_are_those_of_the_files_own_profile() -> None:
    """Lossy JPEG XL has no colours of its own; libjxl would decode it in linear light."""
    data = (PICTURES / "profile.jxl").read_bytes()
    picture, theirs = decode(data), _theirs(data)
    assert picture.icc is not None
    assert np.abs(picture.colour.astype(float) - PHOTO).mean() < 3  # not 52, as in linear light
    shown = _srgb(np.asarray(theirs), theirs.info["icc_profile"])
    assert np.abs(_srgb(picture.colour, picture.icc) - shown).mean() < 3
    assert picture.lossy


def test_a_jpeg_inside_is_turned_once_and_keeps_all_that_is_said() -> None:
    data = (PICTURES / "turned.jxl").read_bytes()
    picture = decode(data)
    theirs = ImageOps.exif_transpose(_theirs(data))  # the plug-in makes the JPEG file again
    assert picture.colour.shape == (64, 48, 3)
    assert np.abs(picture.colour.astype(float) - np.asarray(theirs)).mean() < 1
    assert picture.icc == theirs.info["icc_profile"]
    exif = Image.Exif()
    exif.load(picture.exif)
    assert (exif[0x010F], exif[0x0112]) == ("Maker", 1)
    assert b'tiff:Orientation="1"' in (picture.metadata.xmp or b"")
    assert picture.lossy
    assert picture.notes == ()


def test_ten_bits_and_floats_become_sixteen() -> None:
    ten = read_picture(PICTURES / "ten_bits.jxl")
    assert ten.colour.dtype == np.uint16
    assert np.abs(ten.colour / 257 - SMALL).max() < 0.25
    assert ten.notes == ()
    grey = np.asarray(Image.fromarray(SMALL).convert("L"))
    floats = read_picture(PICTURES / "float.jxl")
    np.testing.assert_array_equal(floats.colour[:, :, 1], grey.astype(np.uint16) * 257)
    assert floats.grey
    assert floats.notes == ("its 32 bit float values became 16 bits: 0 black, 1 white",)


def test_the_first_frame_of_an_animation_is_taken_and_named() -> None:
    picture = read_picture(PICTURES / "animated.jxl")
    assert picture.colour.shape == (16, 24, 3)
    assert np.abs(picture.colour.astype(float) - SMALL).mean() < 8  # GIF has 256 colours
    assert picture.notes == ("only the first frame of its animation was taken",)


def test_what_is_said_of_a_picture_goes_into_its_file() -> None:
    turned = read_picture(PICTURES / "turned.jxl")
    for quality in (90, 100):
        data, notes = encode(turned, JXL, quality)
        assert notes == ()
        found, theirs = decode(data), _theirs(data)
        assert found.metadata.xmp == turned.metadata.xmp
        exif = theirs.getexif()
        assert (exif[0x010F], exif[0x0112], exif[305]) == ("Maker", 1, "edgesr")
        shown = _srgb(np.asarray(theirs), theirs.info["icc_profile"])
        far = np.abs(shown - _srgb(turned.colour, turned.icc))
        assert far.mean() < (3 if quality < 100 else 0.1)
        if quality == 100:
            assert found.icc == turned.icc
            np.testing.assert_array_equal(np.asarray(theirs), turned.colour)
    said = replace(turned.metadata, iptc=b"\x1c\x02\x05\0\4name", comment="dog")
    _, notes = encode(replace(turned, metadata=said), JXL)
    assert notes == ("the IPTC data and the comment could not be kept in a JPEG XL file",)


def test_sixteen_bits_stay_exact_at_quality_100() -> None:
    deep = np.arange(32 * 40 * 3, dtype=np.uint16).reshape(32, 40, 3) * 17
    alpha = np.ascontiguousarray(deep[:, :, 1])
    picture = Picture(deep, alpha)
    back = decode(encode(picture, JXL, 100)[0])
    np.testing.assert_array_equal(back.colour, deep)
    assert back.alpha is not None
    np.testing.assert_array_equal(back.alpha, alpha)


@pytest.mark.parametrize("name", ["exact", "alpha", "grey", "deep", "turned", "profile"])
def test_a_file_that_is_cut_short_is_refused(name: str) -> None:
    data = (PICTURES / f"{name}.jxl").read_bytes()
    for share in (0.02, 0.1, 0.5, 0.9, 0.99):
        with pytest.raises(ImageError, match="the JPEG XL file is damaged or cut short"):
            decode(data[: int(share * len(data))])


def test_the_size_is_checked_before_a_pixel_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGESR_MAX_MEGAPIXELS", "0.0001")
    with pytest.raises(LimitError, match=r"24x16 = 0\.0 megapixels, more than") as refused:
        decode((PICTURES / "exact.jxl").read_bytes())
    assert str(refused.value.fix).startswith("edgesr --max-megapixels")


def test_an_imagecodecs_without_libjxl_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imagecodecs._jpegxl", None)
    import imagecodecs

    monkeypatch.delattr(imagecodecs, "_jpegxl", raising=False)
    libjxl.libjxl.cache_clear()
    with pytest.raises(ImageError, match=r"need an imagecodecs with libjxl 0\.11") as refused:
        decode((PICTURES / "exact.jxl").read_bytes())
    assert refused.value.fix == "pip install --upgrade imagecodecs"


def test_boxes() -> None:
    def box(name: bytes, content: bytes) -> bytes:
        return (8 + len(content)).to_bytes(4, "big") + name + content

    import imagecodecs

    long = imagecodecs.brotli_encode(bytes(100_000_000))
    data = SIGNATURE + box(b"brob", b"Exif" + long) + box(b"xml ", b"<x/>") + box(b"xml ", b"<y/>")
    found, notes = read_boxes(data)
    assert found == {b"xml ": b"<x/>"}
    assert notes == ("its EXIF data could not be read",)
    for broken in (b"", SIGNATURE, SIGNATURE + bytes(8), SIGNATURE + b"\0\0\0\1Exif\0", data[:60]):
        read_boxes(broken)


LARGE_FRAME = DATA.parent / "hostile/data/large_frame.jxl"


def test_a_small_picture_with_a_large_frame_takes_little_memory() -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from edgesr.errors import ImageError\n"
        "from edgesr.imaging.picture import read_picture\n"
        "try: read_picture(Path(sys.argv[1]))\n"
        "except ImageError as error: print(error.what)\n"
        f"print({PEAK_KIB} // 1024)\n"
    )
    command = [sys.executable, "-c", code, str(LARGE_FRAME)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    said, peak_mib = done.stdout.splitlines()
    assert said == "the JPEG XL file takes more memory than a picture of its size does, 32 MiB"
    assert int(peak_mib) < 200


def test_memory_is_given_and_taken_back() -> None:
    budget = Budget(1000)
    allocate, free = budget.manager.allocate, budget.manager.free
    first = allocate(None, 800)
    assert first
    assert not allocate(None, 300)
    assert budget.exceeded
    budget.exceeded = False
    for _ in range(9):  # all of it anew, up to eight times
        free(None, first)
        first = allocate(None, 800)
    assert first
    free(None, first)
    assert not allocate(None, 800)
    assert budget.exceeded


@pytest.mark.parametrize(("field", "count"), [("extra_channels", 9)])
def test_more_channels_than_are_read(
    field: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgesr.imaging.jxl_decoder import Decoder

    read = Decoder.info

    def many(self: Decoder) -> libjxl.BasicInfo:
        info = read(self)
        setattr(info, field, count)
        return info

    monkeypatch.setattr(Decoder, "info", many)
    with pytest.raises(ImageError, match="has 9 channels beside its colours; 8 are read"):
        decode((PICTURES / "exact.jxl").read_bytes())
