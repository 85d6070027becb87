"""What files say of their pictures, written and judged by exiftool and Pillow."""

import io
import json
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from small_profiles import srgb_profile

from edgesr.errors import ImageError
from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.metadata import xmp_for_new_size
from edgesr.imaging.picture import decode, read_picture

PHOTO = Image.open(Path(__file__).parents[1] / "data" / "photo.png").crop((0, 0, 48, 32))
ENDINGS = (".png", ".jpg", ".webp", ".tiff", ".bmp", ".avif")
SAID = {
    "Make": "Maker", "Title": "A title", "Keywords": "sea", "XResolution": 240,
    "Comment": "a note", "ProfileDescription": "sRGB",
}  # fmt: skip
WHERE = {
    "Make": "the EXIF data", "Title": "the XMP data", "Keywords": "the IPTC data",
    "XResolution": "the resolution", "Comment": "the comment",
    "ProfileDescription": "the colour profile",
}  # fmt: skip
exiftool = pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="apt install libimage-exiftool-perl"
)


def _exiftool(*arguments: str) -> str:
    done = subprocess.run(["exiftool", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures by Pillow in which exiftool wrote everything that each kind holds."""
    folder = tmp_path_factory.mktemp("told")
    for ending in (".png", ".jpg", ".webp", ".tif", ".avif"):
        PHOTO.save(folder / f"told{ending}", icc_profile=srgb_profile())
    shutil.copy(Path(__file__).parents[1] / "data/pictures/turned.heic", folder / "told.heic")
    _exiftool(
        "-q", "-overwrite_original", "-Make=Maker", "-XMP-dc:Title=A title", "-IPTC:Keywords=sea",
        "-IFD0:XResolution=240", "-IFD0:YResolution=240", "-ExposureTime=0.01", "-GPSLatitude=47",
        "-GPSLatitudeRef=N", "-Comment=a note", "-m", str(folder),
    )  # fmt: skip
    return folder


@exiftool
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("source", ["png", "jpg", "webp", "tif", "avif", "heic"])
def test_what_is_said_is_kept_or_named(
    source: str, ending: str, told: Path, tmp_path: Path
) -> None:
    """exiftool finds in the result what it finds in the source, or a note names it."""
    path = told / f"told.{source}"
    names = [f"-{name}" for name in SAID] + ["-ExposureTime", "-GPSLatitude", "-ImageDescription"]
    (before,) = json.loads(_exiftool("-j", *names, str(path)))
    data, notes = encode(read_picture(path), format_for(ending))
    result = tmp_path / f"result{ending}"
    result.write_bytes(data)
    (after,) = json.loads(_exiftool("-j", *names, str(result)))
    assert len(before) > 4
    assert len(notes) <= 1
    for name, where in WHERE.items():
        if name not in before or name == "XResolution":
            continue
        found = after.get(name) or (after.get("ImageDescription") if name == "Comment" else None)
        assert (found == before[name]) != (where in "".join(notes)), (name, found, notes)
    if ending != ".bmp":
        assert after["ExposureTime"] == before["ExposureTime"]
        assert after["GPSLatitude"] == before["GPSLatitude"]
        assert after["XResolution"] == 240


@exiftool
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("source", ["PNG", "JPEG", "TIFF", "BMP"])
def test_the_resolution_outside_exif_is_kept_or_named(
    source: str, ending: str, tmp_path: Path
) -> None:
    file = io.BytesIO()
    PHOTO.save(file, source, dpi=(300, 150))
    data, notes = encode(decode(file.getvalue()), format_for(ending))
    assert notes == ()
    result = tmp_path / f"result{ending}"
    result.write_bytes(data)
    (found,) = json.loads(
        _exiftool("-j", "-n", "-XResolution", "-YResolution", "-PixelsPerUnitX",
                  "-PixelsPerUnitY", "-PixelsPerMeterX", "-PixelsPerMeterY", str(result))
    )  # fmt: skip
    metres = [found.get(f"PixelsPer{unit}{side}") for side in "XY" for unit in ("Unit", "Meter")]
    inches = [round(value * 0.0254) for value in metres if value]
    assert (inches or [round(found["XResolution"]), round(found["YResolution"])]) == [300, 150]


def test_texts_of_a_png_are_kept_in_a_png_and_named_elsewhere() -> None:
    said = PngImagePlugin.PngInfo()
    said.add_text("Title", "a sea")
    said.add_itxt("Author", "Zoë", "en", "Autor")
    said.add_text("Description", "long " * 50, zip=True)
    file = io.BytesIO()
    PHOTO.save(file, "PNG", pnginfo=said)
    picture = decode(file.getvalue())
    data, notes = encode(picture, format_for(".png"))
    again = Image.open(io.BytesIO(data))
    assert notes == ()
    assert again.text == Image.open(file).text
    _, notes = encode(picture, format_for(".jpg"))
    assert notes == ("the texts could not be kept in a JPEG file",)


def _chunk(name: bytes, content: bytes) -> bytes:
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def test_colours_that_a_png_states_are_kept_in_a_png_and_named_elsewhere() -> None:
    file = io.BytesIO()
    PHOTO.save(file, "PNG")
    plain, data = file.getvalue(), file.getvalue()
    gamma = _chunk(b"gAMA", struct.pack(">I", 100_000))
    wide = _chunk(b"cICP", bytes([9, 16, 0, 1]))
    picture = decode(data[:33] + wide + gamma + data[33:])
    written, notes = encode(picture, format_for(".png"))
    assert notes == ()
    assert gamma in written
    assert wide in written
    assert Image.open(io.BytesIO(written)).info["gamma"] == 1.0
    _, notes = encode(picture, format_for(".webp"))
    assert notes == ("the colour space could not be kept in a WebP file",)
    usual = _chunk(b"gAMA", struct.pack(">I", 45_455))
    _, notes = encode(decode(plain[:33] + usual + plain[33:]), format_for(".webp"))
    assert notes == ()  # the values are to be understood as everyone does without it


@exiftool
def test_colours_by_code_points_go_on_into_avif(tmp_path: Path) -> None:
    file = io.BytesIO()
    PHOTO.save(file, "PNG")
    plain, wide = file.getvalue(), _chunk(b"cICP", bytes([9, 16, 0, 1]))
    picture = decode(plain[:33] + wide + plain[33:])
    written, notes = encode(picture, format_for(".avif"))
    assert notes == ()
    (tmp_path / "wide.avif").write_bytes(written)
    said = _exiftool("-j", "-n", "-ColorPrimaries", "-TransferCharacteristics", str(tmp_path))
    (found,) = json.loads(said)
    assert (found["ColorPrimaries"], found["TransferCharacteristics"]) == (9, 16)
    again = decode(written)  # as a person does who enlarges the result
    assert again.metadata.colour == picture.metadata.colour
    assert encode(again, format_for(".avif"))[1] == ()
    before = np.asarray(Image.open(io.BytesIO(encode(decode(plain), format_for(".avif"))[0])))
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(written))), before)
    gamma = _chunk(b"gAMA", struct.pack(">I", 100_000))
    _, notes = encode(decode(plain[:33] + gamma + plain[33:]), format_for(".avif"))
    assert notes == ("the colour space could not be kept in an AVIF file",)


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/'
    b'1.0/" tiff:Orientation="6" tiff:ImageWidth="48"/></x:xmpmeta>'
)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG", "TIFF"])
def test_an_orientation_that_only_xmp_states_is_applied(kind: str) -> None:
    file = io.BytesIO()
    if kind == "PNG":
        said = PngImagePlugin.PngInfo()
        said.add_itxt("XML:com.adobe.xmp", XMP.decode())
        PHOTO.save(file, kind, pnginfo=said)
    elif kind == "TIFF":
        PHOTO.save(file, kind, tiffinfo={700: XMP})
    else:
        PHOTO.save(file, kind, xmp=XMP, quality=95)
    picture = decode(file.getvalue())
    assert picture.colour.shape[:2] == (48, 32)
    upright = np.rot90(np.asarray(PHOTO), -1).astype(int)
    assert np.abs(picture.colour - upright).mean() < 4
    again = decode(encode(picture, format_for(".png"))[0])
    assert again.colour.shape[:2] == (48, 32)
    assert again.metadata.xmp == xmp_for_new_size(XMP, 32, 48)
    assert b'Orientation="1" tiff:ImageWidth="32"' in (again.metadata.xmp or b"")


def test_exif_has_the_last_word_on_orientation() -> None:
    exif = Image.Exif()
    exif[0x0112] = 1
    file = io.BytesIO()
    PHOTO.save(file, "JPEG", xmp=XMP, exif=exif)
    assert decode(file.getvalue()).colour.shape[:2] == (32, 48)


def test_apples_png_is_not_called_damaged() -> None:
    file = io.BytesIO()
    PHOTO.save(file, "PNG")
    data = file.getvalue()
    with pytest.raises(ImageError, match="Apple") as refused:
        decode(data[:8] + _chunk(b"CgBI", bytes(4)) + data[8:])
    assert "damaged" not in refused.value.what


@pytest.mark.parametrize(
    ("options", "said"), [({"bitspersample": 12}, "12 bit"), ({"lossless": True}, "lossless")]
)
def test_other_processes_of_jpeg_are_not_called_damaged(
    options: dict[str, object], said: str
) -> None:
    import imagecodecs

    deep = np.asarray(PHOTO).astype(np.uint16) * 16
    pixels = deep if "bitspersample" in options else np.asarray(PHOTO)
    with pytest.raises(ImageError, match=f"{said} JPEG files are not read"):
        decode(imagecodecs.jpeg8_encode(pixels, **options))


def test_too_little_memory_is_said_to_be_that() -> None:
    from edgesr.imaging import opencv

    said = "(-4:Insufficient memory) Failed to allocate 3145728000 bytes in function 'OutOfMemory'"
    assert "too little memory" in opencv._refusal("JPEG", said).what
