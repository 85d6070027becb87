"""The mark in files that edgesr wrote, read back by Pillow and by exiftool's rules of the field."""

from pathlib import Path

import numpy as np
import pillow_jxl
import pytest
from PIL import Image

from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.jxl_boxes import SIGNATURE
from edgesr.imaging.mark import is_marked, marked, with_mark
from edgesr.imaging.picture import Picture, read_picture
from edgesr.imaging.written import wrote

SOFTWARE = 305
assert pillow_jxl.Encoder  # it told Pillow of JPEG XL
PICTURES = Path(__file__).parent.parent / "data/pictures"
AVIF = b"\0\0\0\x18ftypavif" + bytes(12)
BOXES = (
    SIGNATURE, SIGNATURE + b"\0\0", SIGNATURE + b"\0\0\0\x09Exif", SIGNATURE + b"\0\0\0\0Exif",
    AVIF, AVIF + b"\0\0\0\0meta", AVIF + b"\0\0\0\x28meta" + b"\0\0\0\x0eiinf\0\0\0\0\xff\xff" * 3,
    AVIF + b"\0\0\0\x01meta" + b"\xff" * 40,
)  # fmt: skip


def written(path: Path, picture: Picture) -> Path:
    path.write_bytes(encode(picture, format_for(path.suffix))[0])
    return path


def noise() -> Picture:
    return Picture(np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff", ".avif", ".jxl"])
def test_every_format_but_bmp_has_the_mark(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path / f"a{suffix}", noise())
    assert wrote(path)
    with Image.open(path) as image:
        assert image.getexif()[SOFTWARE] == "edgesr"
        pixels = np.asarray(image)
    if suffix in (".png", ".tiff"):
        np.testing.assert_array_equal(pixels, noise().colour)
    Image.fromarray(noise().colour).save(path)  # the same name, by somebody else
    assert not wrote(path)


def test_what_the_field_held_and_all_other_fields_are_kept(tmp_path: Path) -> None:
    source = tmp_path / "camera.jpg"
    exif = Image.Exif()
    exif[271], exif[SOFTWARE], exif[306] = "Maker", "Firmware 1.02", "2026:05:01 10:00:00"
    exif.get_ifd(0x8769)[0x927C] = bytes(range(200))  # maker notes
    Image.fromarray(noise().colour).save(source, exif=exif)
    assert not wrote(source)
    for suffix in (".png", ".jpg", ".webp"):
        path = written(tmp_path / f"a{suffix}", read_picture(source))
        with Image.open(path) as image:
            found = image.getexif()
            assert (found[271], found[306]) == ("Maker", "2026:05:01 10:00:00")
            assert found[SOFTWARE] == "edgesr (Firmware 1.02)"
            assert found.get_ifd(0x8769)[0x927C] == bytes(range(200))
        assert wrote(path)


def test_a_second_mark_is_not_put_behind_the_first(tmp_path: Path) -> None:
    once = with_mark(noise())
    assert with_mark(once).exif == once.exif


@pytest.mark.parametrize("block", [b"", b"II*\0", b"II*\0" + bytes(70), b"nonsense"])
def test_a_block_that_cannot_be_read_stays(block: bytes) -> None:
    assert marked(block) == block or is_marked(marked(block))


@pytest.mark.parametrize(
    "content", [b"", *BOXES, b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"II*\0\xff\xff\xff\xff"]
)
def test_what_is_damaged_was_not_written_by_edgesr(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cut.png").write_bytes(content)
    assert not wrote(tmp_path / "cut.png")
    assert not wrote(tmp_path / "missing.png")
    assert not wrote(tmp_path)
