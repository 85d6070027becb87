import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgesr.errors import ImageError
from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.exif import orientation, read_directory
from edgesr.imaging.picture import decode, read_picture

DATA = Path(__file__).parents[1] / "data"
RARE = DATA / "pictures"


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """The 24x16 pixels all rare files were made from."""
    return cv2.imread(str(DATA / "photo.png"))[20:36, 40:64, ::-1]


@pytest.fixture(scope="module")
def ramp() -> np.ndarray:
    """Their alpha channel."""
    return np.tile(np.linspace(0, 255, 24).astype(np.uint8), (16, 1))


def grey_of(rgb: np.ndarray) -> np.ndarray:
    """Pillow's integer luma."""
    r, g, b = (rgb[:, :, c].astype(np.uint32) for c in range(3))
    return ((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16).astype(np.uint8)


@pytest.mark.parametrize(
    "name", ["orientation_1.png", "animated.png", "animated.webp", "pages.tiff"]
)
def test_rgb_files_give_their_pixels(name: str, photo: np.ndarray) -> None:
    picture = read_picture(RARE / name)
    np.testing.assert_array_equal(picture.colour, photo)
    assert picture.colour.dtype == np.uint8
    assert picture.alpha is None
    assert not picture.grey


@pytest.mark.parametrize("name", ["grey.png", "grey.tiff", "grey.bmp", "bilevel.png", "grey.jpg"])
def test_grey_files_are_grey(name: str, photo: np.ndarray) -> None:
    picture = read_picture(RARE / name)
    assert picture.grey
    assert picture.alpha is None
    assert (picture.colour == picture.colour[:, :, :1]).all()
    if name in ("grey.png", "grey.tiff", "grey.bmp"):
        np.testing.assert_array_equal(picture.colour[:, :, 0], grey_of(photo))


@pytest.mark.parametrize("name", ["rgba.png", "rgba.webp"])
def test_alpha_is_kept_apart(name: str, photo: np.ndarray, ramp: np.ndarray) -> None:
    picture = read_picture(RARE / name)
    np.testing.assert_array_equal(picture.colour, photo)
    np.testing.assert_array_equal(picture.alpha, ramp)


def test_straight_alpha_of_a_tiff_changes_no_colour(photo: np.ndarray, ramp: np.ndarray) -> None:
    picture = read_picture(RARE / "rgba_straight.tiff")
    np.testing.assert_array_equal(picture.alpha, ramp)
    np.testing.assert_array_equal(picture.colour, photo)


@pytest.mark.parametrize("name", ["grey_alpha.png", "grey_alpha.tiff"])
def test_grey_with_alpha(name: str, photo: np.ndarray, ramp: np.ndarray) -> None:
    picture = read_picture(RARE / name)
    assert picture.grey
    np.testing.assert_array_equal(picture.colour[:, :, 1], grey_of(photo))
    np.testing.assert_array_equal(picture.alpha, ramp)


def test_a_grey_value_can_be_transparent(photo: np.ndarray) -> None:
    picture = read_picture(RARE / "grey_key.png")
    grey = grey_of(photo)
    np.testing.assert_array_equal(picture.alpha, np.where(grey == grey[5, 3], 0, 255))


def test_palettes_with_and_without_a_transparent_entry() -> None:
    plain, keyed = read_picture(RARE / "palette.png"), read_picture(RARE / "palette_key.png")
    assert plain.alpha is None
    assert keyed.alpha is not None
    assert 0 < (keyed.alpha == 0).sum() < keyed.alpha.size
    np.testing.assert_array_equal(keyed.colour, plain.colour)


def test_sixteen_bits_stay_sixteen(photo: np.ndarray, ramp: np.ndarray) -> None:
    picture = read_picture(RARE / "rgba_16.png")
    assert picture.colour.dtype == np.uint16
    assert picture.white == 65535
    np.testing.assert_array_equal(picture.colour, photo.astype(np.uint16) * 257)
    np.testing.assert_array_equal(picture.alpha, ramp.astype(np.uint16) * 257)
    assert read_picture(RARE / "grey_16.png").colour.dtype == np.uint16


@pytest.mark.parametrize("stored", range(1, 9))
def test_every_orientation_is_turned_upright(stored: int, photo: np.ndarray) -> None:
    """Against OpenCV's own turning, which it does when it drops everything else."""
    path = RARE / f"orientation_{stored}.png"
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.colour, cv2.imread(str(path))[:, :, ::-1])
    assert picture.colour.shape[:2] == ((16, 24) if stored < 5 else (24, 16))
    assert orientation(picture.exif) == 1


@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_exif_and_colour_profile_survive_reading_and_writing(ending: str) -> None:
    picture = read_picture(RARE / f"turned_exif_icc.{ending}")
    data, notes = encode(picture, format_for(f".{ending}"))
    again = decode(data)
    assert notes == ()
    assert again.icc == picture.icc is not None
    for read in (picture, again):
        assert read.exif is not None
        main = read_directory(read.exif)
        assert main is not None
        assert main.number(0x0112) == 1
        assert main.fields[0x010F].value == b"Maker\0"
        assert main.next_offset == 0  # the thumbnail shows the old picture
        details = read_directory(read.exif, main.number(0x8769))
        assert details is not None
        assert (details.number(0xA002), details.number(0xA003)) == (16, 24)
        assert 0x829A in details.fields  # exposure time


def test_the_profile_of_a_turned_tiff_is_found(photo: np.ndarray) -> None:
    picture = read_picture(RARE / "turned_icc.tiff")
    np.testing.assert_array_equal(picture.colour, np.rot90(photo, -1))
    assert picture.icc == read_picture(RARE / "turned_exif_icc.png").icc is not None


@pytest.mark.parametrize(
    ("name", "note"),
    [("cmyk.jpg", "CMYK"), ("animated.png", "2 frames"), ("animated.webp", "2 frames"),
     ("pages.tiff", "first of its pages")],
)  # fmt: skip
def test_what_is_lost_is_said(name: str, note: str) -> None:
    (said,) = read_picture(RARE / name).notes
    assert note in said


def test_cmyk_is_converted(photo: np.ndarray) -> None:
    colour = read_picture(RARE / "cmyk.jpg").colour
    assert np.abs(colour.astype(int) - photo).mean() < 4.0


@pytest.mark.parametrize(
    ("name", "message"),
    [("picture.gif", "GIF pictures are not read")],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(name: str, message: str) -> None:
    with pytest.raises(ImageError, match=message) as error:
        read_picture(RARE / name)
    assert error.value.where == str(RARE / name)
    assert error.value.fix


WHOLE = ["city_512.jpg", "photo.png", "pictures/progressive.jpg", "pictures/rgba.webp",
         "pictures/grey.bmp", "pictures/grey.tiff", "pictures/rgba_16.png",
         "pictures/turned_exif_icc.jpg", "pictures/rgba_straight.tiff"]  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99, "one byte"])
def test_a_file_cut_short_is_refused_without_a_word_from_the_libraries(
    name: str, share: float | str, capfd: pytest.CaptureFixture[str]
) -> None:
    data = (DATA / name).read_bytes()
    cut = data[:-1] if isinstance(share, str) else data[: int(len(data) * share)]
    if name.endswith(".bmp") and share in ("one byte", 0.99):
        cut = data[:-30]  # the last row's filler may be missing
    with pytest.raises(ImageError, match=r"damaged or cut short|not a picture"):
        decode(cut)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["city_512.jpg", "pictures/progressive.jpg"])
def test_a_jpeg_whose_end_was_patched_is_refused_not_filled_with_grey(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data = (DATA / name).read_bytes()
    with pytest.raises(ImageError, match="damaged or cut short"):
        decode(data[: len(data) * 2 // 3] + b"\xff\xd9")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", WHOLE)
def test_damage_in_the_middle_never_escapes_as_another_error(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data = (DATA / name).read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(20):
        damaged = bytearray(data)
        for at in random.integers(2, min(len(data), 400), 3):
            damaged[at] = random.integers(256)
        try:
            decode(bytes(damaged))
        except ImageError:
            refused += 1
    assert refused
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "the file is empty"), (b"Dear diary", "not a picture"), (b"GIF89a" + bytes(40), "GIF"),
     (bytes(100), "not a picture"), (b"\0\0\0\x18ftypheic" + bytes(40), "the HEIC file is damaged"),
     (b"\xff\x0a" + bytes(40), "the JPEG XL file is damaged")],
)  # fmt: skip
def test_other_files_are_named(content: bytes, message: str, tmp_path: Path) -> None:
    if "HEIC" in message:
        pytest.importorskip("pi_heif")
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=message):
        read_picture(path)


@pytest.mark.parametrize(
    ("width", "height", "said"),
    [
        (40_000, 40_000, "1600.0 megapixels, more than the limit of 128"),
        (2_000_000, 1, "larger than OpenCV decodes"),
    ],
)
def test_a_picture_beyond_the_library_is_said_to_be_that(
    width: int, height: int, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray((RARE / "grey.png").read_bytes())
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with pytest.raises(ImageError, match=said):
        decode(bytes(data))
    assert capfd.readouterr() == ("", "")


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such file"):
        read_picture(tmp_path / "missing.png")
    with pytest.raises(ImageError, match="a folder"):
        read_picture(tmp_path)


def test_reading_works_with_a_closed_standard_error() -> None:
    code = (
        "import os; os.close(2)\n"
        "from pathlib import Path\n"
        "from edgesr.imaging.picture import read_picture\n"
        f"print(read_picture(Path({str(RARE / 'grey.png')!r})).width)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "24\n"
