"""TIFF files whose segments are pictures of another kind, written by tifffile and imagecodecs."""

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from edgesr.errors import ImageError
from edgesr.imaging.picture import decode

PHOTO = np.asarray(Image.open(Path(__file__).parents[1] / "data/photo.png").convert("RGB"))[
    :40, :70
].copy()
DEEP = PHOTO.astype(np.uint16) * 257 ^ np.arange(70, dtype=np.uint16)[None, :, None]
ALPHA = np.linspace(0, 255, 40 * 70).astype(np.uint8).reshape(40, 70)
KINDS = ["webp", "png", "jpeg2000", "jpegxl", "lerc"]


def stored(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    colours = "rgb" if pixels.ndim == 3 else "minisblack"
    tifffile.imwrite(
        file, pixels, **{"photometric": colours, "metadata": None, "compression": kind} | options
    )
    return file.getvalue()


def first_segment(data: bytes) -> tuple[int, int]:
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return file.pages[0].dataoffsets[0], file.pages[0].databytecounts[0]


def with_segment(data: bytes, at: int, size: int) -> bytes:
    """Return the file with its only segment elsewhere."""
    changed = bytearray(data)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        places = [file.pages[0].tags[tag].valueoffset for tag in (273, 279)]
        widths = [2 if file.pages[0].tags[tag].dtype == 3 else 4 for tag in (273, 279)]
    for place, width, number in zip(places, widths, (at, size), strict=True):
        changed[place : place + width] = number.to_bytes(width, "little")
    return bytes(changed)


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as refused:
        decode(data)
    return str(refused.value)


@pytest.mark.parametrize("layout", ["strips", "tiles", "planes"])
@pytest.mark.parametrize("kind", KINDS)
def test_exact_pixels_of_every_layout(kind: str, layout: str) -> None:
    planes = layout == "planes"
    if planes and kind == "webp":
        return  # it has no single channel, and tifffile writes none
    options = {
        "strips": {"rowsperstrip": 16}, "tiles": {"tile": (16, 32)},
        "planes": {"planarconfig": "separate", "rowsperstrip": 16},
    }[layout]  # fmt: skip
    deep = kind != "webp"
    pixels = DEEP if deep else PHOTO
    data = stored(np.moveaxis(pixels, -1, 0) if planes else pixels, kind, **options)
    picture = decode(data)
    np.testing.assert_array_equal(picture.colour, pixels)
    assert not picture.lossy
    assert picture.notes == ()


@pytest.mark.parametrize("kind", KINDS)
def test_grey_and_alpha(kind: str) -> None:
    rgba = np.dstack([PHOTO, ALPHA])
    data = stored(rgba, kind, extrasamples=("unassalpha",), tile=(32, 32))
    picture = decode(data)
    np.testing.assert_array_equal(picture.alpha, ALPHA)
    seen = ALPHA > 0  # the colour of what is transparent is up to the codec
    np.testing.assert_array_equal(picture.colour[seen], PHOTO[seen])
    if kind != "webp":
        grey = decode(stored(PHOTO[:, :, 1], kind))
        assert grey.grey
        np.testing.assert_array_equal(grey.colour[:, :, 0], PHOTO[:, :, 1])


def test_a_webp_segment_may_leave_an_opaque_alpha_out() -> None:
    import imagecodecs

    opaque = np.dstack([PHOTO, np.full_like(ALPHA, 255)])
    bare = imagecodecs.webp_encode(PHOTO, lossless=True)
    assert b"ALPH" not in bare
    data = bytearray(stored(opaque, "webp", extrasamples=("unassalpha",)))
    at, size = first_segment(bytes(data))
    assert len(bare) <= size
    data[at : at + size] = bare.ljust(size, b"\0")
    picture = decode(bytes(data))
    np.testing.assert_array_equal(picture.colour, PHOTO)
    assert picture.alpha is not None and (picture.alpha == 255).all()


@pytest.mark.parametrize("packing", [None, "deflate", "zstd"])
@pytest.mark.parametrize("kind", [np.float32, np.uint8])
def test_lerc_may_be_packed_once_more(packing: str | None, kind: type) -> None:
    values = (PHOTO[:, :, 0] / 255).astype(kind) if kind is np.float32 else PHOTO[:, :, 0]
    options = {} if packing is None else {"compressionargs": {"compression": packing}}
    picture = decode(stored(values, "lerc", **options))
    theirs = values if kind is np.uint8 else np.rint(values * 65535)
    np.testing.assert_array_equal(picture.colour[:, :, 0], theirs)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("webp", {"level": 80, "lossless": False}), ("jpegxl", {"distance": 1.0, "lossless": False}),
     ("jpeg2000", {"level": 40, "reversible": False})],
)  # fmt: skip
def test_what_changed_the_pixels_is_known(kind: str, options: dict[str, object]) -> None:
    picture = decode(stored(PHOTO, kind, compressionargs=options))
    assert picture.lossy
    assert 0 < np.abs(picture.colour.astype(int) - PHOTO).mean() < 6


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_cut_or_no_such_picture_is_damaged(kind: str) -> None:
    data = stored(PHOTO, kind)
    at, size = first_segment(data)
    for half in (size // 2, size - 9):
        assert "damaged or cut short" in refusal(with_segment(data, at, half))
    for block in (bytes(size), b"\xff" * size, (b"II*\0" * size)[:size]):
        changed = data[:at] + block + data[at + size :]
        assert "damaged or cut short" in refusal(changed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_segment_larger_than_its_place_is_not_decoded(kind: str) -> None:
    """The picture in a segment states 800 x 600 pixels, the file 70 x 40."""
    small, large = stored(PHOTO, kind), stored(np.zeros((600, 800, 3), np.uint8), kind)
    at, size = first_segment(large)
    bomb = with_segment(small + large[at : at + size], len(small), size)
    assert "damaged or cut short" in refusal(bomb)


def test_depths_that_a_kind_has_not_are_named() -> None:
    data = bytearray(stored(PHOTO, "webp"))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        at = file.pages[0].tags[258].valueoffset
    data[at : at + 6] = b"\x10\0" * 3
    assert "16 bits a sample are not read" in refusal(bytes(data))
