"""Files that are written row by row, judged by Pillow and by OpenCV."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.mark import with_mark
from edgesr.imaging.metadata import Density, Metadata
from edgesr.imaging.picture import Picture, decode, read_picture
from edgesr.imaging.rows import write_rows


def noise(height: int, width: int, dtype: type, grey: bool, alpha: bool) -> Picture:
    generator = np.random.default_rng(height)
    ramp = np.linspace(0, np.iinfo(dtype).max, width)[None, :, None]
    colour = 0.7 * ramp + 0.3 * generator.integers(0, np.iinfo(dtype).max, (height, width, 3))
    colour = colour.astype(dtype)
    if grey:
        colour = np.repeat(colour[:, :, :1], 3, axis=2)
    opacity = generator.integers(0, np.iinfo(dtype).max, (height, width), dtype) if alpha else None
    return Picture(colour, opacity, grey)


def bands(picture: Picture, sizes: tuple[int, ...]):
    top = 0
    for number in range(picture.height):
        rows = sizes[number % len(sizes)]
        if top < picture.height:
            yield picture.band(slice(top, top + rows))
        top += rows


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("grey", "alpha"), [(True, False), (False, False), (False, True)])
@pytest.mark.parametrize("size", [(1, 1), (37, 21), (700, 1900)])
def test_every_sample_comes_back(
    tmp_path: Path, suffix: str, dtype: type, grey: bool, alpha: bool, size: tuple[int, int]
) -> None:
    picture = noise(*size, dtype, grey, alpha)
    path = tmp_path / f"a{suffix}"
    assert write_rows(path, bands(picture, (3, 16, 50)), size[0], format_for(suffix)) == ()
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    wanted = picture.colour[:, :, 0] if grey else picture.colour[:, :, ::-1]
    if alpha and suffix == ".png":  # OpenCV multiplies the alpha of a TIFF in
        wanted = np.dstack([wanted, picture.alpha])
    if not (alpha and suffix == ".tiff"):
        np.testing.assert_array_equal(found, wanted)
    if dtype is np.uint8 or grey:  # Pillow reads no more than 8 bits of colour
        with Image.open(path) as image:
            seen = np.asarray(image)
        np.testing.assert_array_equal(
            seen, np.dstack([picture.colour, picture.alpha]) if alpha else picture.colour[..., 0]
            if grey else picture.colour,
        )  # fmt: skip


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (15, 33), (128, 64), (129, 70), (700, 333)])
def test_jpeg_strips_are_the_picture_in_one_piece(
    tmp_path: Path, grey: bool, size: tuple[int, int]
) -> None:
    """The pixels are those of a file that the same library wrote at once."""
    picture, target = noise(*size, np.uint8, grey, alpha=False), format_for(".jpg")
    path = tmp_path / "a.jpg"
    write_rows(path, bands(picture, (7, 16, 200)), size[0], target, 90)
    whole, _ = encode(picture, target, 90)
    (tmp_path / "b.jpg").write_bytes(whole)
    with Image.open(path) as strips, Image.open(tmp_path / "b.jpg") as once:
        assert strips.mode == ("L" if grey else "RGB")
        np.testing.assert_array_equal(np.asarray(strips), np.asarray(once))
        assert strips.quantization == once.quantization
    assert path.stat().st_size < 1.05 * len(whole) + 100


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_profile_and_exif_are_kept(tmp_path: Path, data: Path, suffix: str) -> None:
    picture = read_picture(data / "pictures" / "turned_exif_icc.jpg")
    assert picture.exif is not None and picture.icc is not None
    path = tmp_path / f"a{suffix}"
    assert write_rows(path, bands(picture, (5,)), picture.height, format_for(suffix)) == ()
    with Image.open(path) as image:
        assert image.info["icc_profile"] == picture.icc
        assert image.getexif()[0x0112] == 1
    again = read_picture(path)
    assert (again.exif, again.icc) == (with_mark(picture).exif, picture.icc)


def test_what_is_written_at_once_is_the_same_picture(tmp_path: Path) -> None:
    picture = noise(40, 30, np.uint8, grey=False, alpha=False)
    write_rows(tmp_path / "a.bmp", bands(picture, (7,)), 40, format_for(".bmp"))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.bmp").colour, picture.colour)


def test_a_failure_half_way_leaves_nothing(tmp_path: Path) -> None:
    picture = noise(40, 30, np.uint8, grey=False, alpha=False)

    def broken():
        yield picture.band(slice(0, 16))
        raise MemoryError

    (tmp_path / "a.png").write_bytes(b"old")
    with pytest.raises(MemoryError):
        write_rows(tmp_path / "a.png", broken(), 40, format_for(".png"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"


def test_opaque_alpha_is_dropped_where_there_is_none(tmp_path: Path) -> None:
    picture = noise(40, 30, np.uint8, grey=False, alpha=False)
    opaque = replace(picture, alpha=np.full((40, 30), 255, np.uint8))
    data, _ = encode(opaque, format_for(".bmp"))
    assert data == encode(picture, format_for(".bmp"))[0]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".webp"])
def test_all_that_is_said_is_what_a_file_in_one_piece_says(
    tmp_path: Path, data: Path, suffix: str
) -> None:
    said = Metadata(
        xmp=b'<rdf:Description tiff:ImageWidth="30" tiff:ImageLength="40"/>',
        iptc=bytes.fromhex("1c0205000548656c6c6f"),
        comment="of a day at sea",
        density=Density(300.0, 150.0),
    )
    exif = read_picture(data / "pictures" / "turned_exif_icc.jpg").exif
    picture = replace(noise(40, 30, np.uint8, False, False), exif=exif, metadata=said)
    target = format_for(suffix)
    once, lost = encode(picture, target)
    assert write_rows(tmp_path / f"a{suffix}", bands(picture, (7,)), 40, target) == lost
    by_rows, at_once = read_picture(tmp_path / f"a{suffix}"), decode(once)
    assert (by_rows.metadata, by_rows.exif) == (at_once.metadata, at_once.exif)
    assert by_rows.metadata.xmp == said.xmp
    np.testing.assert_array_equal(by_rows.colour, at_once.colour)


@pytest.mark.parametrize("order", ["<", ">"])
def test_tags_of_a_tiff_file_are_found_by_other_readers(tmp_path: Path, order: str) -> None:
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F] = "A maker with a name of some length"
    exif.get_ifd(0x8769)[0x920A] = IFDRational(50, 3)
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    picture = replace(noise(900, 700, np.uint16, False, False), exif=block)
    path = tmp_path / "a.tiff"
    assert write_rows(path, bands(picture, (64,)), 900, format_for(".tiff")) == ()
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        np.testing.assert_array_equal(page.asarray(), picture.colour)
        assert file.byteorder == order
        assert page.tags["Make"].value == exif[0x010F]
        assert page.tags["ExifTag"].value["FocalLength"] == (50, 3)
        assert len(page.dataoffsets) > 3
