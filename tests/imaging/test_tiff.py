"""TIFF files by tifffile and Pillow, read here; and ours read by them."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from small_profiles import cmyk_profile

from edgesr.errors import ImageError
from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.picture import decode

PHOTO = np.asarray(Image.open(Path(__file__).parents[1] / "data" / "photo.png"))
DEEP = PHOTO.astype(np.uint16) * 257 ^ np.arange(PHOTO.shape[1], dtype=np.uint16)[None, :, None]
GREY = np.ascontiguousarray(DEEP[:, :, 1])


def _tiff(pixels: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **{"metadata": None, **options})
    return file.getvalue()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("layout", [{}, {"tile": (32, 48)}, {"rowsperstrip": 7}])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("packing", [None, "lzw", "zlib", "packbits", "zstd", "lzma"])
def test_sixteen_bits_are_read_however_they_lie(
    packing: str | None, planar: str, layout: dict[str, object], big: bool, order: str
) -> None:
    pixels = DEEP if planar == "contig" else np.moveaxis(DEEP, -1, 0)
    predictor = packing in ("lzw", "zlib")
    data = _tiff(
        pixels, photometric="rgb", planarconfig=planar, compression=packing, bigtiff=big,
        byteorder=order, predictor=predictor, **layout,
    )  # fmt: skip
    np.testing.assert_array_equal(decode(data).colour, DEEP)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_white_is_zero(kind: type) -> None:
    grey = GREY.astype(kind) if kind == np.uint16 else (GREY >> 8).astype(kind)
    picture = decode(_tiff(grey, photometric="miniswhite"))
    np.testing.assert_array_equal(picture.colour[:, :, 0], np.iinfo(kind).max - grey)
    assert picture.grey


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_a_palette_keeps_its_colours(bits: int) -> None:
    rng = np.random.default_rng(bits)
    colours = rng.integers(0, 256, (1 << bits, 3))
    numbers = rng.integers(0, 1 << bits, (20, 24)).astype(np.uint8)
    palette = (colours * 257).T.astype(np.uint16)
    if bits == 8:
        data = _tiff(numbers, photometric="palette", colormap=palette)
    else:  # tifffile writes no fewer bits, Pillow keeps the palette of one
        data = _palette_tiff(numbers, palette, bits)
    np.testing.assert_array_equal(decode(data).colour, colours[numbers])
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(data)), numbers)


def _palette_tiff(numbers: np.ndarray, palette: np.ndarray, bits: int) -> bytes:
    height, width = numbers.shape
    unpacked = np.unpackbits(numbers[:, :, None], axis=2)[:, :, 8 - bits :].reshape(height, -1)
    packed = np.packbits(unpacked, axis=1).tobytes()
    entries = 9
    at = 8 + 2 + 12 * entries + 4
    fields = [
        (256, 3, 1, width), (257, 3, 1, height), (258, 3, 1, bits), (259, 3, 1, 1),
        (262, 3, 1, 3), (273, 4, 1, at + 2 * palette.size), (278, 3, 1, height),
        (279, 4, 1, len(packed)), (320, 3, palette.size, at),
    ]  # fmt: skip
    head = b"II*\0" + struct.pack("<IH", 8, entries)
    head += b"".join(struct.pack("<HHII", *field) for field in fields) + bytes(4)
    return head + palette.astype("<u2").tobytes() + packed


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        (GREY.astype(np.float32) / 65535, 0.0, 1.0),
        ((GREY / 65535).astype(np.float16), 0.0, 1.0),
        (GREY.astype(np.float64) * 3 - 7.0, None, None),
        (GREY.astype(np.int16), None, None),
        (GREY.astype(np.uint32) * 1000, None, None),
    ],
)
def test_values_without_a_white_are_mapped_by_their_range_and_that_is_said(
    values: np.ndarray, low: float | None, high: float | None
) -> None:
    picture = decode(_tiff(values, photometric="minisblack"))
    wide = values.astype(np.float64)
    low, high = wide.min() if low is None else low, wide.max() if high is None else high
    expected = np.rint((wide - low) / (high - low) * 65535)
    assert np.abs(picture.colour[:, :, 0] - expected).max() <= 1
    (note,) = picture.notes
    assert f"{8 * values.itemsize} bit" in note
    assert f"{low:g} black, {high:g} white" in note


def test_what_is_no_number_is_black_and_counted() -> None:
    values = GREY.astype(np.float32) / 65535
    values[3, 4] = np.nan
    picture = decode(_tiff(values, photometric="minisblack"))
    assert picture.colour[3, 4].tolist() == [0, 0, 0]
    assert "1 that are no numbers" in picture.notes[0]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_cmyk_goes_through_its_profile(planar: str, kind: type) -> None:
    from PIL import ImageCms

    profile = cmyk_profile()
    inks = np.random.default_rng(1).integers(0, 256, (20, 24, 4)).astype(np.uint8)
    stored = inks.astype(kind) * (257 if kind == np.uint16 else 1)
    stored = stored if planar == "contig" else np.moveaxis(stored, -1, 0)
    data = _tiff(
        stored.astype(kind), photometric="separated", planarconfig=planar, iccprofile=profile
    )
    judge = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), "CMYK",
        "RGB", renderingIntent=1, flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )  # fmt: skip
    expected = ImageCms.applyTransform(Image.frombytes("CMYK", (24, 20), inks.tobytes()), judge)
    assert expected is not None
    picture = decode(data)
    scale = picture.white // 255
    assert np.abs(picture.colour / scale - np.asarray(expected)).max() <= 1
    assert picture.icc is None
    assert "sRGB through their profile" in picture.notes[0]


def test_cmyk_without_a_profile_is_said_to_be_that() -> None:
    image = Image.fromarray(PHOTO).convert("CMYK")
    file = io.BytesIO()
    image.save(file, "TIFF")
    picture = decode(file.getvalue())
    expected = np.asarray(image.convert("RGB"))
    assert np.abs(picture.colour.astype(int) - expected).max() <= 1
    assert picture.notes == ("its CMYK colours were converted to RGB without their profile",)


@pytest.mark.parametrize("compression", ["jpeg", "raw", "tiff_lzw", "group3", "group4"])
def test_compressions_of_pillows_libtiff(compression: str) -> None:
    bilevel = compression.startswith("group")
    image = Image.fromarray(PHOTO)
    image = image.convert("1") if bilevel else image
    file = io.BytesIO()
    image.save(file, "TIFF", compression=compression)
    expected = np.asarray(Image.open(file).convert("RGB")).astype(int)
    assert np.abs(decode(file.getvalue()).colour - expected).max() <= (
        2 if compression == "jpeg" else 0
    )


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_jpeg_in_tiles(planar: str) -> None:
    pixels = PHOTO if planar == "contig" else np.moveaxis(PHOTO, -1, 0)
    data = _tiff(
        pixels, photometric="rgb", planarconfig=planar, compression="jpeg", tile=(32, 48),
        compressionargs={"level": 95},
    )  # fmt: skip
    expected = tifffile.imread(io.BytesIO(data))
    expected = expected if planar == "contig" else np.moveaxis(expected, 0, -1)
    assert np.abs(decode(data).colour.astype(int) - expected).max() <= 2


@pytest.mark.parametrize("meaning", ["unassalpha", "assocalpha"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_alpha_straight_and_multiplied(kind: type, meaning: str) -> None:
    white = np.iinfo(kind).max
    colour = PHOTO.astype(kind) * (white // 255)
    alpha = np.tile(np.linspace(0, white, PHOTO.shape[1]).astype(kind), (PHOTO.shape[0], 1))
    stored = colour
    if meaning == "assocalpha":
        stored = np.rint(colour * (alpha[:, :, None] / white)).astype(kind)
    data = _tiff(np.dstack([stored, alpha]), photometric="rgb", extrasamples=(meaning,))
    picture = decode(data)
    np.testing.assert_array_equal(picture.alpha, alpha)
    error = np.abs(picture.colour.astype(int) - colour) * (alpha[:, :, None] / white)
    assert error.max() <= (1.0 if meaning == "assocalpha" else 0.0)


def test_samples_of_no_stated_meaning_are_left_out_and_named() -> None:
    data = _tiff(
        np.dstack([PHOTO, PHOTO[:, :, :2]]), photometric="rgb", extrasamples=("unspecified",) * 2
    )
    picture = decode(data)
    np.testing.assert_array_equal(picture.colour, PHOTO)
    assert picture.alpha is None
    assert "2 further samples" in picture.notes[0]


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("DNG", (50706, "B", 4, (1, 4, 0, 0))),
        ("NEF", (271, "s", 0, "NIKON CORPORATION")),
        ("ARW", (271, "s", 0, "SONY")),
    ],
)
def test_raw_files_are_refused_by_name(name: str, tag: tuple[object, ...]) -> None:
    """A preview of the camera stands in the first directory, the sensor's values below it."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(
            PHOTO[::4, ::4], photometric="rgb", subfiletype=1, subifds=1, extratags=[tag],
            metadata=None,
        )  # fmt: skip
        writer.write(GREY, photometric="cfa", metadata=None)
    with pytest.raises(ImageError, match=rf"RAW files \({name}\) are not read") as refused:
        decode(file.getvalue())
    assert refused.value.fix


def test_canon_and_other_raw_files_are_refused_by_name() -> None:
    data = bytearray(_tiff(PHOTO, photometric="rgb"))
    moved = data[:8] + b"CR\2\0" + bytes(4) + data[8:]
    moved[4:8] = (16).to_bytes(4, "little")
    with pytest.raises(ImageError, match=r"RAW files \(CR2\) are not read"):
        decode(bytes(moved))
    for head, name in ((b"IIRO", "ORF"), (b"IIU\0", "RW2"), (b"FUJIFILMCCD-RAW ", "RAF")):
        with pytest.raises(ImageError, match=rf"RAW \({name}\) pictures are not read"):
            decode(head + bytes(60))
    with pytest.raises(ImageError, match=r"RAW \(CR3\)"):
        decode(b"\0\0\0\x18ftypcrx " + bytes(60))


def test_a_reduced_copy_is_not_taken_for_the_picture() -> None:
    with pytest.raises(ImageError, match="a reduced copy of another one"):
        decode(_tiff(PHOTO, photometric="rgb", subfiletype=1))


@pytest.mark.parametrize(
    ("pixels", "options", "said"),
    [
        (PHOTO, {"photometric": "cielab"}, "CIE L"),
        (PHOTO, {"photometric": "rgb", "compression": "jpegxr"}, "JPEG XR compression"),
        (PHOTO[:, :, 0].astype(np.complex64), {"photometric": "minisblack"}, "complex bits"),
        (PHOTO[:, :, 0].astype(np.uint64), {"photometric": "minisblack"}, "64 bits"),
        (PHOTO, {"photometric": "ycbcr"}, "YCbCr"),
    ],
)  # fmt: skip
def test_valid_but_not_read_is_not_called_damaged(
    pixels: np.ndarray, options: dict[str, object], said: str
) -> None:
    with pytest.raises(ImageError, match=said) as refused:
        decode(_tiff(pixels, **options))
    assert "damaged" not in refused.value.what
    assert refused.value.fix


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_what_is_written_is_what_tifffile_reads(kind: type, channels: int) -> None:
    source = (PHOTO if kind == np.uint8 else DEEP)[:, :, :3]
    alpha = np.ascontiguousarray(source[:, ::-1, :1])
    stored = source[:, :, 0] if channels == 1 else np.dstack([source, alpha][: channels - 2])
    data, notes = encode(
        decode(_tiff(stored, photometric="minisblack" if channels == 1 else "rgb")),
        format_for(".tiff"),
    )
    assert notes == ()
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        np.testing.assert_array_equal(page.asarray(), stored)
        assert page.compression.name == "LZW"
        assert [int(kind) for kind in page.extrasamples] == [2] * (channels == 4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, ""),  # tifffile's own: {"shape": [27, 36, 3]}
        ({"imagej": True}, ""),
        ({"ome": True}, ""),
        ({"description": "A dog, {shape} and all", "metadata": None}, "A dog, {shape} and all"),
    ],
)
def test_a_description_of_the_storage_is_not_one_of_the_picture(
    options: dict[str, object], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, np.full((27, 36, 3), 90, np.uint8), photometric="rgb", **options)
    data, notes = encode(decode(file.getvalue()), format_for(".tif"))
    with tifffile.TiffFile(io.BytesIO(data)) as written:
        assert written.pages[0].description == said
        assert not (written.is_imagej or written.is_ome or written.is_shaped)
        assert written.asarray().shape == (27, 36, 3)
    assert ("ImageDescription" in "".join(notes)) == ("imagej" in options or "ome" in options)
    assert caplog.records == []
